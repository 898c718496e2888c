use super::*;

const LIMITS: Limits =
    Limits { operations: 100, bytes: 10_000, per_sender: 20, newcomers: 10, exit_percent: 25 };

fn candidate(number: u32, sender: u8, kind: Kind) -> Candidate<u32> {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    Candidate {
        id,
        sender: Address([sender; 20]),
        kind,
        bytes: 100,
        expires: u64::MAX,
        seals: Vec::new(),
        known: true,
        payload: number,
    }
}

fn filled(limits: Limits, candidates: impl IntoIterator<Item = Candidate<u32>>) -> Pool<u32> {
    let mut pool = Pool::new(limits);
    for candidate in candidates {
        pool.insert(candidate, 0).expect("there is room");
    }
    pool
}

/// Where no number matters.
fn whichever(_: &Candidate<u32>) -> Turn {
    Turn::Any
}

/// A withdrawal of sender 1 with a number, which is its payload as well.
fn numbered(number: u32) -> Candidate<u32> {
    let seals = vec![(key(0), u64::from(number))];
    Candidate { seals, ..candidate(number, 1, Kind::Withdraw) }
}

fn from(next: u64) -> impl Fn(&Candidate<u32>) -> Turn {
    move |_| Turn::From(next)
}

fn payloads(candidates: &[Candidate<u32>]) -> Vec<u32> {
    candidates.iter().map(|candidate| candidate.payload).collect()
}

fn key(number: u8) -> PublicKey {
    let text = format!("ed25519:0x{}", hex::encode(ed25519_point(number)));
    text.parse().expect("a key")
}

/// Points on the curve, found by their encodings: small multiples of the base point.
fn ed25519_point(number: u8) -> [u8; 32] {
    let texts = [
        "5866666666666666666666666666666666666666666666666666666666666666",
        "c9a3f86aae465f0e56513864510f3997561fa2c9e85ea21dc2292309f3cd6022",
    ];
    hex::decode(texts[usize::from(number)]).expect("hex").try_into().expect("32 bytes")
}

#[test]
fn senders_take_turns_whatever_the_number_they_send() {
    let greedy = (0..10).map(|number| candidate(number, 1, Kind::Delegate));
    let modest = [candidate(100, 2, Kind::Delegate), candidate(200, 3, Kind::Delegate)];
    let mut pool = filled(LIMITS, greedy.chain(modest));
    let drawn = pool.draw(8, 10_000, 0, &whichever);
    assert_eq!(payloads(&drawn.operations), [0, 100, 200, 1, 2, 3]);
    assert_eq!(pool.len(), 6);
}

#[test]
fn a_quarter_of_every_block_is_for_exits_only() {
    let others = (0..20).map(|number| candidate(number, number as u8 + 1, Kind::Delegate));
    let mut pool = filled(LIMITS, others);
    assert_eq!(
        pool.draw(8, 10_000, 0, &whichever).operations.len(),
        6,
        "others fill three quarters of a block"
    );
    let exits = (100..110).map(|number| candidate(number, number as u8, Kind::Undelegate));
    for exit in exits {
        pool.insert(exit, 0).expect("there is room");
    }
    let kinds = pool
        .draw(8, 10_000, 0, &whichever)
        .operations
        .into_iter()
        .filter(|taken| is_exit(taken.kind))
        .count();
    assert_eq!(kinds, 2, "exits get their quarter while others wait");
}

#[test]
fn exits_take_what_others_leave() {
    let exits = (0..10).map(|number| candidate(number, number as u8, Kind::Withdraw));
    let mut pool = filled(LIMITS, exits);
    assert_eq!(pool.draw(8, 10_000, 0, &whichever).operations.len(), 8);
}

#[test]
fn bytes_of_a_block_are_bounded_and_reserved_as_well() {
    let others = (0..20).map(|number| candidate(number, number as u8 + 1, Kind::Delegate));
    let mut pool = filled(LIMITS, others);
    assert_eq!(pool.draw(1_000, 800, 0, &whichever).operations.len(), 6);
}

#[test]
fn the_operations_of_a_sender_keep_their_order() {
    let mixed = [Kind::Delegate, Kind::Undelegate, Kind::Delegate, Kind::Withdraw, Kind::Claim];
    let own = mixed.into_iter().zip(0..).map(|(kind, number)| candidate(number, 1, kind));
    let mut pool = filled(LIMITS, own);
    let mut order = Vec::new();
    while !pool.is_empty() {
        order.extend(payloads(&pool.draw(4, 10_000, 0, &whichever).operations));
    }
    assert_eq!(order, [0, 1, 2, 3, 4]);
}

#[test]
fn a_full_pool_still_takes_exits() {
    let limits = Limits { per_sender: 1_000, ..LIMITS };
    let mut pool = filled(limits, (0..75).map(|number| candidate(number, 1, Kind::Delegate)));
    let (why, _) = pool.insert(candidate(75, 2, Kind::Delegate), 0).expect_err("three quarters are taken");
    assert_eq!(why, Rejected::Full { waiting: 75 });
    for number in 100..125 {
        pool.insert(candidate(number, 3, Kind::Undelegate), 0).expect("the last quarter is for exits");
    }
    let (why, _) = pool.insert(candidate(125, 3, Kind::Undelegate), 0).expect_err("it is full");
    assert_eq!(why, Rejected::Full { waiting: 100 });
}

#[test]
fn what_may_not_wait_comes_back_with_the_reason() {
    let mut first = candidate(1, 1, Kind::Delegate);
    first.seals = vec![(key(0), 7)];
    let mut pool = filled(Limits { per_sender: 2, newcomers: 1, ..LIMITS }, [first]);
    let with = |number: u32, sender: u8, change: fn(&mut Candidate<u32>)| {
        let mut candidate = candidate(number, sender, Kind::Delegate);
        change(&mut candidate);
        candidate
    };
    let cases = [
        (with(1, 1, |_| {}), Some(Rejected::Waiting)),
        (with(2, 1, |other| other.seals = vec![(key(0), 7)]), Some(Rejected::NonceTaken { nonce: 7 })),
        (with(3, 2, |other| other.seals = vec![(key(0), 7)]), None),
        (with(4, 2, |other| other.expires = 9), Some(Rejected::Expired { expires: 9, now: 10 })),
        (with(5, 1, |other| other.expires = 10), None),
        (with(6, 1, |_| {}), Some(Rejected::SenderFull { limit: 2 })),
        (with(7, 4, |other| other.known = false), None),
        (with(8, 5, |other| other.known = false), Some(Rejected::NewcomersFull { limit: 1 })),
        (with(9, 5, |other| other.bytes = 10_000), Some(Rejected::Full { waiting: 4 })),
    ];
    for (candidate, expected) in cases {
        let number = candidate.payload;
        let found = pool.insert(candidate, 10).err().map(|(why, _)| why);
        assert_eq!(found, expected, "operation {number}");
    }
}

#[test]
fn what_expires_while_it_waits_is_handed_back_and_its_nonce_is_free_again() {
    let mut short = candidate(1, 1, Kind::Delegate);
    (short.expires, short.seals) = (50, vec![(key(0), 7)]);
    let mut again = candidate(2, 1, Kind::Delegate);
    again.seals = vec![(key(0), 7)];
    let mut pool = filled(LIMITS, [short]);
    let drawn = pool.draw(8, 10_000, 51, &whichever);
    assert_eq!((payloads(&drawn.operations), payloads(&drawn.expired)), (vec![], vec![1]));
    assert_eq!((pool.len(), pool.bytes()), (0, 0));
    pool.insert(again, 51).expect("the nonce is free");
    assert_eq!(payloads(&pool.drain()), [2]);
    assert!(pool.is_empty());
}

#[test]
fn one_key_has_the_same_number_in_two_accounts_and_several_keys_have_one_number_in_theirs() {
    let of = |number: u32, sender: u8, keys: &[u8]| {
        let seals = keys.iter().map(|key_number| (key(*key_number), 3)).collect();
        Candidate { seals, ..candidate(number, sender, Kind::Withdraw) }
    };
    let mut pool = filled(LIMITS, [of(1, 1, &[0]), of(2, 2, &[0]), of(3, 3, &[0, 1])]);
    for (again, number) in [(of(4, 1, &[0]), 4), (of(5, 3, &[1, 0]), 5)] {
        let (why, _) = pool.insert(again, 0).expect_err("the number is taken");
        assert_eq!(why, Rejected::NonceTaken { nonce: 3 }, "operation {number}");
    }
    assert_eq!(pool.draw(8, 10_000, 0, &from(3)).operations.len(), 3);
    pool.insert(of(4, 1, &[0]), 0).expect("the number is free again");
}

#[test]
fn numbers_are_drawn_in_their_order_and_none_before_its_turn() {
    let mut pool = filled(LIMITS, [2, 1, 5, 0].map(numbered));
    let drawn = pool.draw(8, 10_000, 0, &from(0));
    assert_eq!(payloads(&drawn.operations), [0, 1, 2]);
    assert_eq!(pool.len(), 1);
    assert!(pool.draw(8, 10_000, 0, &from(3)).operations.is_empty(), "3 and 4 are missing");
    pool.insert(numbered(4), 0).expect("there is room");
    assert!(pool.draw(8, 10_000, 0, &from(3)).operations.is_empty());
    pool.insert(numbered(3), 0).expect("there is room");
    assert_eq!(payloads(&pool.draw(2, 10_000, 0, &from(3)).operations), [3, 4]);
    assert_eq!(payloads(&pool.draw(2, 10_000, 0, &from(5)).operations), [5]);
    assert!(pool.is_empty() && pool.senders() == 0);
}

#[test]
fn what_waits_for_its_turn_holds_up_nothing_else_and_expires() {
    let mut early = numbered(7);
    early.expires = 50;
    let claim = candidate(100, 1, Kind::Claim);
    let mut pool = filled(LIMITS, [early, claim]);
    assert_eq!(payloads(&pool.draw(8, 10_000, 50, &from(0)).operations), [100]);
    let late = pool.draw(8, 10_000, 51, &from(0));
    assert_eq!((payloads(&late.operations), payloads(&late.expired)), (vec![], vec![7]));
    assert!(pool.is_empty() && pool.senders() == 0);
}

#[test]
fn what_follows_a_number_that_has_expired_waits_until_somebody_sends_it_again() {
    let mut first = numbered(0);
    first.expires = 50;
    let mut pool = filled(LIMITS, [numbered(1), first, numbered(2)]);
    let none = pool.draw(0, 0, 0, &from(0));
    assert!(none.operations.is_empty(), "there is no room");
    let drawn = pool.draw(8, 10_000, 51, &from(0));
    assert_eq!((payloads(&drawn.operations), payloads(&drawn.expired)), (vec![], vec![0]));
    pool.insert(numbered(0), 51).expect("there is room");
    assert_eq!(payloads(&pool.draw(8, 10_000, 51, &from(0)).operations), [0, 1, 2]);
}

#[test]
fn an_operation_with_a_number_keeps_its_place_among_those_without() {
    let mut pool =
        filled(LIMITS, [candidate(100, 1, Kind::Delegate), numbered(0), candidate(101, 1, Kind::Claim)]);
    assert_eq!(payloads(&pool.draw(8, 10_000, 0, &from(0)).operations), [100, 0, 101]);
}

#[test]
fn of_a_stranger_one_number_a_block_is_drawn() {
    let mut pool = filled(LIMITS, [numbered(0), numbered(1)]);
    let only = |next| move |_: &Candidate<u32>| Turn::Only(next);
    assert_eq!(payloads(&pool.draw(8, 10_000, 0, &only(0)).operations), [0]);
    assert!(
        pool.draw(8, 10_000, 0, &only(0)).operations.is_empty(),
        "the first was refused: 0 is next still"
    );
    pool.insert(numbered(0), 0).expect("there is room");
    assert_eq!(payloads(&pool.draw(8, 10_000, 0, &only(0)).operations), [0]);
    assert_eq!(payloads(&pool.draw(8, 10_000, 0, &from(1)).operations), [1], "it is known now");
}

#[test]
fn who_waits_for_a_turn_takes_an_eighth_of_the_room_and_the_oldest_leave_it() {
    let early = |number: u32, known: bool| Candidate {
        sender: Address([u8::try_from(number % 200).expect("small"); 20]),
        known,
        ..numbered(number)
    };
    let mut pool = filled(LIMITS, (1..=15).map(|number| early(number, true)));
    let drawn = pool.draw(8, 10_000, 0, &from(0));
    assert_eq!((payloads(&drawn.early), pool.len()), (vec![1, 2, 3], 12));
    let mut pool = filled(LIMITS, (1..=4).map(|number| early(number, number == 1)));
    let drawn = pool.draw(8, 10_000, 0, &from(0));
    assert_eq!(payloads(&drawn.early), [2, 3], "one of ten newcomers");
    assert_eq!((pool.len(), pool.senders()), (2, 2));
}

#[test]
fn senders_of_whom_there_is_no_news_are_looked_at_by_and_by() {
    let limits = Limits { operations: 10_000, bytes: 10_000_000, ..LIMITS };
    let early = (0..200_u8).map(|sender| Candidate {
        id: [sender; 32],
        sender: Address([sender; 20]),
        expires: 10,
        ..numbered(5)
    });
    let mut pool = filled(limits, early);
    assert!(pool.draw(8, 10_000, 0, &from(0)).expired.is_empty());
    let expired: usize = (0..4).map(|_| pool.draw(8, 10_000, 11, &from(0)).expired.len()).sum();
    assert_eq!((expired, pool.len()), (200, 0));
}

#[test]
fn an_exit_costs_no_look_at_those_who_send_others() {
    let limits =
        Limits { operations: 10_000, bytes: 10_000_000, per_sender: 1_000, newcomers: 10, exit_percent: 25 };
    let others = (0..200_u8).map(|sender| candidate(u32::from(sender), sender, Kind::Delegate));
    let exits = (1_000..1_500).map(|number| candidate(number, 201, Kind::Claim));
    let mut pool = filled(limits, others.chain(exits));
    assert_eq!(pool.draw(1_000, 10_000_000, 0, &whichever).operations.len(), 700);
    assert!(pool.lanes.looks < 800, "{} looks for 700 operations", pool.lanes.looks);
}

#[test]
fn who_does_not_fit_is_passed_once_and_keeps_the_place() {
    let large = (0..100_u8)
        .map(|sender| Candidate { bytes: 300, ..candidate(u32::from(sender), sender, Kind::Delegate) });
    let small =
        (1_000..1_010).map(|number| Candidate { bytes: 10, ..candidate(number, 201, Kind::Delegate) });
    let limits = Limits { operations: 1_000, bytes: 1_000_000, ..LIMITS };
    let mut pool = filled(limits, large.chain(small));
    // Three quarters of 532 bytes: a large one, and then only small ones fit.
    assert_eq!(pool.draw(1_000, 532, 0, &whichever).operations.len(), 1 + 9);
    assert!(pool.lanes.looks < 130, "{} looks past 99 who do not fit", pool.lanes.looks);
    assert_eq!(payloads(&pool.draw(1_000, 532, 0, &whichever).operations)[0], 1, "the next of them is first");
}
