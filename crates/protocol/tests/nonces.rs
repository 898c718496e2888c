//! Who may sign for an account before it has named keys, and how often a signature counts.

use evidence::{Scheme, SecretKey, address_of};
use protocol::genesis::Genesis;
use protocol::ops::{
    claim::Claim, deposit::Deposit, grant::Grant, list_asset::ListAsset, set_keys::SetKeys,
    undelegate::Undelegate, withdraw::Withdraw,
};
use protocol::units::{Address, Amount, AssetId, Epoch, OperatorId};
use protocol::{
    AssetKind, Authority, FollowUp, KeyUse, Kind, Operation, Origin, RateSource, Refusal, Signer, State,
    apply,
};

const DAY: u64 = 24 * 60 * 60 * 1000;
const NOW: u64 = 1_800_000_000_000;
const ETH: AssetId = AssetId::new(0);

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(Scheme::Secp256k1, [number; 32])
}

fn own_address(key: &SecretKey) -> Address {
    Address(address_of(&key.public_key()).expect("a key of people"))
}

/// A ledger at `NOW`, with an asset, and 1000 of it for the account of key 1.
fn ledger() -> State {
    let mut state = State::new(Genesis::development()).expect("the development genesis");
    state.begin_block(NOW);
    let origin = Origin { chain: 1, contract: String::new() };
    let list = ListAsset { origin, decimals: 18, kind: AssetKind::Token, rate: RateSource::One };
    let governor = state.genesis().governor;
    let plain = |account| Authority { account, signer: Signer::Plain, expires: u64::MAX };
    apply(&mut state, &plain(governor), &Operation::ListAsset(list)).expect("the first asset");
    let deposit = Deposit {
        account: Some(own_address(&key(1))),
        asset: ETH,
        amount: Amount::new(1_000),
        index: None,
        proof: Default::default(),
    };
    apply(&mut state, &plain(governor), &Operation::Deposit(deposit)).expect("a deposit");
    state
}

fn signed(account: Address, key: &SecretKey, nonce: u64, expires: u64) -> Authority {
    let used = vec![KeyUse::new(key.public_key(), nonce)];
    Authority { account, signer: Signer::Keys(used), expires }
}

fn code(outcome: Result<Vec<protocol::Event>, Refusal>) -> String {
    outcome.map_or_else(|refusal| refusal.code(), |_| "ok".to_owned())
}

/// An operation of the windowed class that is refused for want of anything to claim: its nonce counts all the same.
fn windowed() -> Operation {
    Operation::Claim(Claim { account: None, operator: None, asset: None, token: Some(ETH), to: None })
}

fn ordered() -> Operation {
    Operation::Withdraw(Withdraw { asset: ETH, amount: Amount::new(1), to: "0xab".to_owned() })
}

#[test]
fn an_account_is_its_own_key_until_it_names_others() {
    let (mut state, own, other) = (ledger(), key(1), key(2));
    let account = own_address(&own);
    let by_other = signed(account, &other, 0, u64::MAX);
    assert_eq!(code(apply(&mut state, &by_other, &ordered())), "authority.NoKeySet");
    assert_eq!(code(apply(&mut state, &signed(account, &own, 0, u64::MAX), &ordered())), "ok");

    let keys = SetKeys { keys: vec![other.public_key()], threshold: 1 };
    let set = signed(account, &own, 1, u64::MAX);
    assert_eq!(code(apply(&mut state, &set, &Operation::SetKeys(keys))), "ok");
    let by_own = signed(account, &own, 2, u64::MAX);
    assert_eq!(code(apply(&mut state, &by_own, &ordered())), "authority.KeyNotOfAccount");
    // What the other signed before it had a say is not good now: it starts after the key that is gone.
    assert_eq!(code(apply(&mut state, &by_other, &ordered())), "authority.WrongNonce");
    let by_other = signed(account, &other, 2, u64::MAX);
    assert_eq!(code(apply(&mut state, &by_other, &ordered())), "ok");
}

#[test]
fn keys_of_duties_own_no_account() {
    let duty = SecretKey::from_seed(Scheme::Bls12381, [1; 32]).public_key();
    assert_eq!(address_of(&duty), None);
    let (mut state, own) = (ledger(), key(1));
    let keys = Operation::SetKeys(SetKeys { keys: vec![duty], threshold: 1 });
    let set = signed(own_address(&own), &own, 0, u64::MAX);
    assert_eq!(code(apply(&mut state, &set, &keys)), "set_keys.WrongScheme");
}

#[test]
fn whoever_the_ledger_never_heard_of_leaves_nothing_behind() {
    let (mut state, stranger) = (ledger(), key(7));
    let account = own_address(&stranger);
    let before = state.keys();
    for _ in 0..3 {
        let outcome = apply(&mut state, &signed(account, &stranger, NOW, NOW + DAY), &windowed());
        assert!(outcome.is_err());
    }
    assert_eq!(state.keys(), before);
}

#[test]
fn ordered_operations_happen_in_the_order_in_which_they_were_signed() {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    let cases = [
        (1, "authority.WrongNonce"),
        (0, "ok"),
        (0, "authority.WrongNonce"),
        (NOW, "authority.WrongNonce"),
        (1, "ok"),
    ];
    for (nonce, expected) in cases {
        let outcome = apply(&mut state, &signed(account, &own, nonce, u64::MAX), &ordered());
        assert_eq!(code(outcome), expected, "nonce {nonce}");
    }
}

#[test]
fn a_windowed_nonce_counts_once_near_its_time_and_above_the_least_of_64() {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    let mut run = |nonce: u64| code(apply(&mut state, &signed(account, &own, nonce, u64::MAX), &windowed()));
    let counted = run(NOW);
    assert!(!counted.starts_with("authority."), "{counted}");
    assert_eq!(run(NOW), "authority.NonceUsed");
    assert_eq!(run(NOW - DAY - 1), "authority.NonceOutsideWindow");
    assert_eq!(run(NOW + DAY + 1), "authority.NonceOutsideWindow");
    assert_eq!(run(NOW - DAY), counted);
    for nonce in 1..=63 {
        assert_eq!(run(NOW + nonce), counted, "nonce {nonce}");
    }
    // 64 are kept: NOW ..= NOW + 63.
    assert_eq!(run(NOW - 1), "authority.NonceTooLow");
    assert_eq!(run(NOW), "authority.NonceUsed");
    assert_eq!(run(NOW + DAY), counted);
    assert_eq!(run(NOW), "authority.NonceTooLow");
}

#[test]
fn a_nonce_that_was_forgotten_can_not_come_again() {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    let use_nonce = |state: &mut State, nonce: u64| {
        code(apply(state, &signed(account, &own, nonce, u64::MAX), &windowed()))
    };
    let counted = use_nonce(&mut state, NOW);
    state.begin_block(NOW + DAY);
    assert_eq!(use_nonce(&mut state, NOW), "authority.NonceUsed");
    state.begin_block(NOW + DAY + 1);
    assert_eq!(use_nonce(&mut state, NOW + DAY), counted);
    assert_eq!(use_nonce(&mut state, NOW), "authority.NonceOutsideWindow");
    // Times never go back, so neither does the window.
    state.begin_block(NOW);
    assert_eq!(state.time(), NOW + DAY + 1);
}

fn deposit_for(account: Address) -> Operation {
    let proof = Default::default();
    Operation::Deposit(Deposit {
        account: Some(account),
        asset: ETH,
        amount: Amount::new(500),
        index: None,
        proof,
    })
}

/// Where a nonce of a stranger is not kept, a refused operation must not come alive once the account is there.
#[test]
fn what_was_refused_of_a_stranger_is_dead_after_a_day() {
    let (mut state, stranger) = (ledger(), key(7));
    let account = own_address(&stranger);
    let forever = signed(account, &stranger, 0, u64::MAX);
    assert_eq!(code(apply(&mut state, &forever, &ordered())), "authority.ExpiresTooLate");
    let a_day = signed(account, &stranger, 0, NOW + DAY);
    assert!(code(apply(&mut state, &a_day, &ordered())).starts_with("withdraw."));
    let governor = Authority { account: state.genesis().governor, signer: Signer::Plain, expires: u64::MAX };
    apply(&mut state, &governor, &deposit_for(account)).expect("a deposit");
    state.begin_block(NOW + DAY + 1);
    assert_eq!(code(apply(&mut state, &a_day, &ordered())), "authority.Expired");
    assert_eq!(code(apply(&mut state, &forever, &ordered())), "ok");
}

/// A delegate's own account is there from the grant on, or its nonces would be counted nowhere.
#[test]
fn a_delegate_that_owns_nothing_signs_each_number_once() {
    let (mut state, own, bot) = (ledger(), key(1), key(9));
    let account = own_address(&own);
    let grant = Grant {
        delegate: own_address(&bot),
        kinds: vec![Kind::Claim, Kind::Undelegate],
        limits: Vec::new(),
        expires: Epoch::new(100),
    };
    let granted = apply(&mut state, &signed(account, &own, 0, u64::MAX), &Operation::Grant(grant));
    assert_eq!(code(granted), "ok");
    let by_bot = |nonce: u64| Authority {
        account,
        signer: Signer::Delegate {
            address: own_address(&bot),
            keys: vec![KeyUse::new(bot.public_key(), nonce)],
        },
        expires: u64::MAX,
    };
    let undelegate = Operation::Undelegate(Undelegate {
        operator: OperatorId::new(0),
        asset: ETH,
        amount: Some(Amount::new(1)),
        validator: None,
        follow_up: FollowUp::Free,
    });
    for (nonce, operation, expected) in [
        (NOW, windowed(), "claim."),
        (NOW, windowed(), "authority.NonceUsed"),
        (0, undelegate.clone(), "undelegate."),
        (0, undelegate.clone(), "authority.WrongNonce"),
        (1, undelegate, "undelegate."),
    ] {
        let found = code(apply(&mut state, &by_bot(nonce), &operation));
        assert!(found.starts_with(expected), "{found} is not {expected}");
    }
}

/// The account of key 1 with keys 2 to 5, and how many of them it takes.
fn shared_ledger(threshold: u16) -> (State, Address, Vec<SecretKey>) {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    let keys: Vec<SecretKey> = (2..=5).map(key).collect();
    let set = SetKeys { keys: keys.iter().map(SecretKey::public_key).collect(), threshold };
    let outcome = apply(&mut state, &signed(account, &own, 0, u64::MAX), &Operation::SetKeys(set));
    assert_eq!(code(outcome), "ok");
    (state, account, keys)
}

fn signed_by(account: Address, seals: &[(&SecretKey, u64)]) -> Authority {
    let used = seals.iter().map(|(key, nonce)| KeyUse::new(key.public_key(), *nonce)).collect();
    Authority { account, signer: Signer::Keys(used), expires: u64::MAX }
}

/// Whoever sees four signatures where two suffice must not be able to make two operations of them.
#[test]
fn the_seals_of_several_keys_are_one_operation() {
    let (mut state, account, keys) = shared_ledger(2);
    let [a, b, c, d] = &keys[..] else { panic!("four keys") };
    let view = protocol::query::account(&state, account).expect("it has funds").nonces;
    let [view] = &view[..] else { panic!("one number for all") };
    assert_eq!((view.key.clone(), view.next), (None, 1), "the key of the first days has signed 0");
    let cases = [
        (signed_by(account, &[(a, 1)]), ordered(), "authority.TooFewKeys"),
        (signed_by(account, &[(a, 1), (b, 1), (c, 1)]), ordered(), "authority.TooManyKeys"),
        (signed_by(account, &[(a, 1), (b, 2)]), ordered(), "authority.NoncesDiffer"),
        (signed_by(account, &[(a, 1), (a, 1)]), ordered(), "authority.KeyTwice"),
        (signed_by(account, &[(a, 1), (b, 1)]), ordered(), "ok"),
        (signed_by(account, &[(c, 1), (d, 1)]), ordered(), "authority.WrongNonce"),
        (signed_by(account, &[(c, 2), (d, 2)]), ordered(), "ok"),
        (signed_by(account, &[(a, NOW), (b, NOW)]), windowed(), "claim."),
        (signed_by(account, &[(c, NOW), (d, NOW)]), windowed(), "authority.NonceUsed"),
    ];
    for (authority, operation, expected) in cases {
        let found = code(apply(&mut state, &authority, &operation));
        assert!(found.starts_with(expected), "{found} is not {expected}: {authority:?}");
    }
}

/// What several have signed is not good once more when one suffices, nor what one has signed when it takes several.
#[test]
fn numbers_stay_used_when_it_takes_more_keys_or_fewer() {
    let (mut state, account, keys) = shared_ledger(2);
    let [a, b, c, _] = &keys[..] else { panic!("four keys") };
    let two = |nonce: u64| signed_by(account, &[(a, nonce), (b, nonce)]);
    let set = |threshold: u16| {
        let keys = keys.iter().map(SecretKey::public_key).collect();
        Operation::SetKeys(SetKeys { keys, threshold })
    };
    let mut run =
        |authority: Authority, operation: &Operation| code(apply(&mut state, &authority, operation));
    assert_eq!(run(two(1), &ordered()), "ok");
    assert!(run(two(NOW), &windowed()).starts_with("claim."));
    assert_eq!(run(two(2), &set(1)), "ok");
    // The same seals, each alone.
    assert_eq!(run(signed_by(account, &[(c, 1)]), &ordered()), "authority.WrongNonce");
    assert_eq!(run(signed_by(account, &[(a, NOW)]), &windowed()), "authority.NonceUsed");
    // What two had sealed and nobody had executed when one began to suffice is one operation, not two.
    assert_eq!(run(two(3), &ordered()), "authority.TooManyKeys");
    assert_eq!(run(signed_by(account, &[(a, 3)]), &ordered()), "ok");
    assert_eq!(run(signed_by(account, &[(b, 3)]), &ordered()), "authority.WrongNonce");
    assert!(run(signed_by(account, &[(a, NOW + 1)]), &windowed()).starts_with("claim."));
    assert_eq!(run(signed_by(account, &[(b, NOW + 1)]), &windowed()), "authority.NonceUsed");
    assert_eq!(run(signed_by(account, &[(b, 4)]), &set(2)), "ok");
    assert_eq!(run(two(4), &ordered()), "authority.WrongNonce");
    assert_eq!(run(two(NOW + 1), &windowed()), "authority.NonceUsed");
    assert_eq!(run(two(5), &ordered()), "ok");
}

/// Keys that always sufficed alone have numbers of their own; they are all spent once it takes several.
#[test]
fn numbers_of_single_keys_stay_used_when_it_takes_several() {
    let (mut state, account, keys) = shared_ledger(1);
    let [a, b, ..] = &keys[..] else { panic!("four keys") };
    let mut run =
        |authority: Authority, operation: &Operation| code(apply(&mut state, &authority, operation));
    for nonce in 1..=3 {
        assert_eq!(run(signed_by(account, &[(a, nonce)]), &ordered()), "ok");
    }
    assert_eq!(run(signed_by(account, &[(b, 1)]), &ordered()), "ok", "each key has its own numbers");
    assert!(run(signed_by(account, &[(b, NOW)]), &windowed()).starts_with("claim."));
    let set = SetKeys { keys: keys.iter().map(SecretKey::public_key).collect(), threshold: 2 };
    assert_eq!(run(signed_by(account, &[(a, 4)]), &Operation::SetKeys(set)), "ok");
    for (nonce, expected) in [(2, "authority.WrongNonce"), (4, "authority.WrongNonce"), (5, "ok")] {
        let two = signed_by(account, &[(a, nonce), (b, nonce)]);
        assert_eq!(run(two, &ordered()), expected, "nonce {nonce}");
    }
    let two = signed_by(account, &[(a, NOW), (b, NOW)]);
    assert_eq!(run(two, &windowed()), "authority.NonceUsed");
}

/// An account changes its keys as often as it likes, and its entry does not grow with that.
#[test]
fn keys_that_act_no_more_are_forgotten_and_their_numbers_are_not() {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    let set = |key: &SecretKey| Operation::SetKeys(SetKeys { keys: vec![key.public_key()], threshold: 1 });
    let entry = protocol::entries::Key::Account(account);
    let mut signer = key(1);
    let mut sizes = Vec::new();
    for round in 0..200_u64 {
        let next = key(u8::try_from(10 + round).unwrap());
        let outcome = apply(&mut state, &signed(account, &signer, round, u64::MAX), &set(&next));
        assert_eq!(code(outcome), "ok", "round {round}");
        sizes.push(state.entry(&entry).expect("the account").len());
        signer = next;
    }
    assert!(sizes.iter().max() <= sizes.get(2).map(|size| size + 8).as_ref(), "{sizes:?}");
    // Back to the first key: its old numbers are not good any more.
    assert_eq!(code(apply(&mut state, &signed(account, &signer, 200, u64::MAX), &set(&own))), "ok");
    assert_eq!(
        code(apply(&mut state, &signed(account, &own, 1, u64::MAX), &ordered())),
        "authority.WrongNonce"
    );
    assert_eq!(code(apply(&mut state, &signed(account, &own, 201, u64::MAX), &ordered())), "ok");
}

#[test]
fn too_many_keys_that_signed_of_late_keep_an_account_from_further_ones_for_a_day() {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    let mut signer = own;
    let mut outcome = String::new();
    let next_of = |state: &State| {
        let nonces = protocol::query::account(state, account).expect("an account with funds").nonces;
        nonces.first().expect("it has one key, which has signed").next
    };
    for round in 0..70_u8 {
        let claimed = apply(&mut state, &signed(account, &signer, NOW + 1, u64::MAX), &windowed());
        assert!(code(claimed).starts_with("claim."));
        let next = key(10 + round);
        let set = Operation::SetKeys(SetKeys { keys: vec![next.public_key()], threshold: 1 });
        let sequence = next_of(&state);
        outcome = code(apply(&mut state, &signed(account, &signer, sequence, u64::MAX), &set));
        if outcome != "ok" {
            assert_eq!(round, 64);
            break;
        }
        signer = next;
    }
    assert_eq!(outcome, "set_keys.KeysOfLate");
    state.begin_block(NOW + DAY + 2);
    let set = Operation::SetKeys(SetKeys { keys: vec![key(200).public_key()], threshold: 1 });
    let sequence = next_of(&state);
    let later = apply(&mut state, &signed(account, &signer, sequence, u64::MAX), &set);
    assert_eq!(code(later), "ok");
}

#[test]
fn what_has_expired_is_no_operation() {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    for (expires, expected) in [(NOW - 1, "authority.Expired"), (NOW, "ok")] {
        let outcome = apply(&mut state, &signed(account, &own, 0, expires), &ordered());
        assert_eq!(code(outcome), expected, "expires {expires}");
    }
}

#[test]
fn who_keeps_operations_until_their_turn_takes_later_numbers_and_no_strangers() {
    let (state, own, other) = (ledger(), key(1), key(2));
    let account = own_address(&own);
    let screened = |authority: &Authority, operation: &Operation| {
        protocol::authority::screen(&state, state.time(), authority, operation)
            .map_or_else(|refused| refused.name(), |()| "ok")
    };
    let cases = [
        (signed(account, &own, 0, u64::MAX), ordered(), "ok"),
        (signed(account, &own, 7, u64::MAX), ordered(), "ok"),
        (signed(account, &own, NOW, u64::MAX), windowed(), "ok"),
        (signed(account, &own, NOW + 2 * DAY, u64::MAX), windowed(), "NonceOutsideWindow"),
        (signed(account, &own, 0, NOW - 1), ordered(), "Expired"),
        (signed(account, &other, 0, u64::MAX), ordered(), "NoKeySet"),
    ];
    for (authority, operation, expected) in cases {
        assert_eq!(screened(&authority, &operation), expected, "{authority:?}");
    }
    assert!(state.knows(account) && !state.knows(own_address(&other)));
    // When it may be counts, where that is after the newest block: what has expired by then waits for nothing.
    let at = |time_ms: u64, expires: u64| {
        let authority = signed(account, &own, 7, expires);
        protocol::authority::screen(&state, time_ms, &authority, &ordered())
            .map_or_else(|refused| refused.name(), |()| "ok")
    };
    assert_eq!([at(0, NOW), at(NOW, NOW), at(NOW + 1, NOW)], ["ok", "ok", "Expired"]);
}

#[test]
fn readers_see_what_the_next_signature_must_carry() {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    for (nonce, operation) in [(0, ordered()), (NOW + 5, windowed()), (NOW + 2, windowed()), (1, ordered())] {
        let _counted = apply(&mut state, &signed(account, &own, nonce, u64::MAX), &operation);
    }
    let nonces = protocol::query::account(&state, account).expect("an account with funds").nonces;
    let [view] = nonces.try_into().expect("one key has signed");
    let expected = (Some(own.public_key()), 2, 2, Some(NOW + 5));
    assert_eq!((view.key, view.next, view.used, view.highest_used), expected);
}

#[test]
fn a_rehearsal_does_what_the_operation_does_and_asks_nobody_for_keys() {
    let (state, own) = (ledger(), key(1));
    let account = own_address(&own);
    let rehearsed = protocol::rehearse(&mut state.clone(), account, None, &ordered());
    let applied = apply(&mut state.clone(), &signed(account, &own, 0, u64::MAX), &ordered());
    assert_eq!(rehearsed, applied);
    assert!(rehearsed.is_ok());
    let by_delegate = protocol::rehearse(&mut state.clone(), account, Some(own_address(&key(2))), &ordered());
    assert_eq!(code(by_delegate), "authority.NotADelegate");
}
