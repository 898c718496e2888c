//! Service and operator rob stakers.

use evidence::{PublicKey, Scheme, SecretKey};
use protocol::genesis::{Genesis, Parameters};
use protocol::terms::{Mandate, Terms};
use protocol::units::{Amount, Epoch, Fraction, RequestId, SetId};
use protocol::{Event, FollowUp, Operation, ops};

use crate::offers::{ETH, ONE, SERVICE, address, all_to, any_mandate, eth_terms, percent};
use crate::receipts::{assert_near, counts_from, equivocation, requested, say};
use crate::world::World;

/// The findings that are tested here, each by its first test.
pub(crate) const FINDINGS: [(u8, fn()); 13] = [
    (1, f01_an_allocation_outside_the_mandate_robs_nobody_who_reads_the_notice),
    (2, f02_an_old_offence_leaves_newcomers_exposure_as_it_was_shown),
    (4, f04_destinations_are_fixed_when_a_set_is_created),
    (5, f05_sixty_requests_take_no_more_than_the_window_cap),
    (6, f06_five_conflicting_signatures_are_one_offence),
    (7, f07_what_is_said_in_one_set_is_evidence_in_no_other),
    (8, f08_a_delegation_signs_what_is_announced_and_a_follow_up_what_it_was),
    (9, f09_new_owners_of_a_slasher_take_the_notice),
    (10, f10_consent_is_to_one_digest_of_one_set),
    (11, f11_a_stream_can_be_ended_only_after_the_notice_and_cuts_do_not_return),
    (12, f12_a_mass_slash_needs_the_resolvers_yes),
    (13, f13_a_bond_pays_first_through_the_notice),
    (14, f14_one_change_of_terms_is_pending_and_a_new_one_starts_a_new_notice),
];

/// A careful pool: at most 1 % is ever at risk, and nothing goes anywhere but burn.
fn careful() -> Mandate {
    Mandate { worst_case: percent(1), elsewhere: Fraction::ZERO, ..any_mandate() }
}

/// Pays everything to the operator, at once.
fn hostile() -> Terms {
    eth_terms(|terms| terms.destinations = all_to("op"))
}

/// The operator allocates a pool of 10,000 to its own set; alice reads the news and leaves in the next epoch. What she lost.
fn allocate_to_a_hostile_set(mandate: Mandate) -> u128 {
    let mut world = World::new();
    world.operator_with("op", mandate);
    let set = world.set(hostile());
    world.stake("alice", "op", 10_000 * ONE);
    world.advance(10);
    let from = counts_from(&world.join("op", set, 256));
    world.advance(1);
    world.leave("alice", "op");
    world.stake("asleep", "op", ONE);
    world.go_to(from);
    world.slash(set, "op", from, Fraction::ONE);
    10_000 * ONE - world.worth("alice", "op")
}

/// 1: a pool of 10,000 with a worst case of 1 % is allocated to the operator's own set in epoch 10, and slashed by it in 11. Outside
/// the mandate the allocation counts from 18, and who has left by then bears nothing.
#[test]
fn f01_an_allocation_outside_the_mandate_robs_nobody_who_reads_the_notice() {
    assert_eq!(allocate_to_a_hostile_set(careful()), 0);
    let loss_without_a_mandate = allocate_to_a_hostile_set(any_mandate());
    assert_eq!(loss_without_a_mandate, 10_000 * ONE);
}

/// 2: A owns 90 % and burns, J owns 10 % and pays the operator. Only the operator's dust of 0.01 was there when it offended against A in
/// epoch 5; 1,000 of victims join in 6. A's slash takes the dust; J still owns 10 % of the victims, not all that the dust left.
#[test]
fn f02_an_old_offence_leaves_newcomers_exposure_as_it_was_shown() {
    let mut world = World::new();
    world.operator("op");
    let (a, j) = (world.set(eth_terms(|_| {})), world.set(hostile()));
    world.stake("op", "op", ONE / 100);
    world.advance(4);
    world.join("op", a, 230);
    world.join("op", j, 26);
    world.go_to(5);
    world.stake("victims", "op", 1_000 * ONE);
    world.go_to(8);
    let old = world.ask(a, "op", 5, Fraction::ONE);
    let new = world.ask(j, "op", 8, Fraction::ONE);
    world.advance(1);
    assert_eq!(world.execute(old), ONE / 100 * 230 / 256);
    world.execute(new);
    assert_eq!(world.worth("victims", "op"), 1_000 * ONE * 230 / 256);

    // One capacity for the pool: A's slash leaves 26 of 256, all of them J's.
    let (capacity, of_j) = (256 - 230, 26);
    assert_eq!(1_000 * of_j / capacity, 1_000, "the victims would lose everything");
}

/// 4: a set that burns starts to pay its service, under the name of a redistribution, while delegators sleep.
#[test]
fn f04_destinations_are_fixed_when_a_set_is_created() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), ONE);
    assert_eq!(world.refused(SERVICE, World::change_terms(set, hostile())), "change_terms.DestinationsFixed");

    // A pool that pays nobody admits such a set only after the notice.
    let mut world = World::new();
    world.operator_with("op", Mandate { elsewhere: Fraction::ZERO, ..any_mandate() });
    let set = world.set(hostile());
    assert_eq!(counts_from(&world.join("op", set, 256)), 8);

    // The control: the pool agreed to it from the start, and the set was created so.
    let (mut world, set) = World::with_stake(hostile(), ONE);
    let events = world.must(SERVICE, world.request(set, "op", 1, Fraction::ONE));
    let request = requested(&events);
    world.advance(1);
    world.execute(request);
    world.advance(14);
    let slash = protocol::units::SlashId::new(0);
    world.must("op", Operation::ReleaseProceeds(ops::release_proceeds::ReleaseProceeds { slash }));
    assert_eq!(world.free("op", ETH), ONE);
}

/// 5 % for each of 60 reasons, one an epoch; what is left of 1 ETH at the start of each epoch.
fn sixty_requests(window_cap: Fraction) -> Vec<u128> {
    let terms = eth_terms(|terms| {
        terms.window_cap = window_cap;
        terms.offences.subjective = Some(percent(5));
    });
    let (mut world, set) = World::with_stake(terms, ONE);
    let mut worths = vec![ONE];
    let mut waiting: Option<RequestId> = None;
    for epoch in 1..=61 {
        if let Some(request) = waiting.take() {
            // Refused where the cap is reached; the request lapses.
            let outcome = world.run("anyone", World::execution(request));
            assert!(outcome.is_ok() || outcome.is_err_and(|why| why.code() == "execute_slash.SlashRefused"));
        }
        waiting = world.run(SERVICE, world.request(set, "op", epoch, percent(5))).ok().map(|e| requested(&e));
        world.advance(1);
        worths.push(world.worth("alice", "op"));
    }
    worths
}

/// 5: the worst case that is shown is 5 %, the fraction of one offence; 60 requests for 60 reasons take 1 - 0.95^60 = 95 %. With a cap
/// no W + V + X = 14 epochs cost more than what was shown, and who stays sees it coming.
#[test]
fn f05_sixty_requests_take_no_more_than_the_window_cap() {
    let worths = sixty_requests(percent(5));
    for window in worths.windows(14) {
        assert!(window[13] + 1 >= window[0] / 100 * 95, "{window:?}");
    }
    let without = sixty_requests(Fraction::ONE);
    let left = without.last().expect("60 epochs");
    assert!(*left < ONE / 100 * 5, "0.95^60 is 4.6 %, and {left} is left");
}

/// Two slashes of the whole cap of 10 %, for the captures 1 and `second`, each executed as early or as late as said; whether the second takes
/// anything.
fn cap_is_taken_twice(first_executed: u32, second: u32, second_requested: u32, window_cap: Fraction) -> bool {
    let terms = eth_terms(|terms| {
        (terms.window_cap, terms.offences.subjective) = (window_cap, Some(percent(10)));
        (terms.resolvers, terms.veto) = (vec![address("resolver")], 5);
    });
    let (mut world, set) = World::with_stake(terms, ONE);
    world.go_to(first_executed - 6);
    let request = world.ask(set, "op", 1, percent(10));
    world.go_to(first_executed);
    world.execute(request);
    world.go_to(second_requested);
    let request = world.ask(set, "op", second, percent(10));
    world.advance(6);
    world.run("anyone", World::execution(request)).is_ok()
}

/// 5, counted by capture only, or by execution only: captures 14 epochs apart are executed in 14 and 21, or captures 7 apart in 7 and 21. A
/// window counts both ways.
#[test]
fn f05_the_window_counts_by_execution_and_by_capture() {
    for (first_executed, second, second_requested) in [(14, 15, 15), (7, 8, 15)] {
        assert!(!cap_is_taken_twice(first_executed, second, second_requested, percent(10)));
        assert!(
            cap_is_taken_twice(first_executed, second, second_requested, percent(20)),
            "the control: room for both"
        );
    }
    // 15 epochs apart both ways the window is another.
    assert!(cap_is_taken_twice(7, 16, 16, percent(10)));
}

/// 6: five conflicting signatures for one slot are ten pairs, twenty with the order swapped; at 10 % each they would leave 35 %.
#[test]
fn f06_five_conflicting_signatures_are_one_offence() {
    let terms = eth_terms(|terms| terms.offences.equivocation = Some(percent(10)));
    let (mut world, set) = World::with_stake(terms, ONE);
    let key = world.key("op", set, Scheme::Ed25519, 1);
    world.advance(1);
    let pairs = (0..5_u8).flat_map(|a| (0..5).filter(move |b| *b != a).map(move |b| [a, b]));
    let mut accepted = 0;
    for (index, said) in pairs.enumerate() {
        let outcome = world.submit(equivocation(&key, set, 2, 7, said));
        assert_eq!(outcome.is_ok(), index == 0, "{said:?}: {outcome:?}");
        accepted += u32::from(outcome.is_ok());
    }
    assert_eq!(accepted, 1);
    assert_near(world.worth("alice", "op"), ONE / 10 * 9);

    // The control: what makes an offence one is its slot. Nine slots more, ten offences.
    let mut left = 9_000;
    for slot in 10..19 {
        world.submit(equivocation(&key, set, 2, slot, [0, 1])).expect("another slot");
        left = left * 9 / 10;
    }
    assert!(left < 3_500 && world.worth("alice", "op") < ONE / 100 * 35);
}

/// 7: one key, or one format, in sets A and B: what the operator says in B's slot 5 is evidence against it in A's slot 5. Or a key of
/// somebody else's is registered, to forge an aggregate.
#[test]
fn f07_what_is_said_in_one_set_is_evidence_in_no_other() {
    let (mut world, a) = World::with_stake(eth_terms(|_| {}), ONE);
    let b = world.set(eth_terms(|_| {}));
    world.join("op", b, 0);
    let key = world.key("op", a, Scheme::Ed25519, 1);
    assert_eq!(world.refused("op", world.registration("op", b, &key)), "register_key.KeyTaken");
    world.advance(1);

    // Said honestly, if the key were on duty in both: one statement in each domain.
    let mut evidence = equivocation(&key, a, 2, 5, [1, 2]);
    evidence.second = say(&key, b, 2, 5, 2);
    assert_eq!(code(world.submit(evidence)), "submit_equivocation.EvidenceRefused");
    let evidence = equivocation(&key, b, 2, 5, [1, 2]);
    assert_eq!(code(world.submit(evidence)), "submit_equivocation.KeyNotRegistered");
    // The control: without the domain the two statements are one slot's.
    world.submit(equivocation(&key, a, 2, 5, [1, 2])).expect("both in one domain");

    let (stolen, mine) =
        (SecretKey::from_seed(Scheme::Bls12381, [7; 32]), SecretKey::from_seed(Scheme::Bls12381, [8; 32]));
    let Operation::RegisterKey(mut register) = world.registration("op", a, &mine) else { unreachable!() };
    register.key = stolen.public_key();
    assert_eq!(world.refused("op", Operation::RegisterKey(register)), "register_key.NotPossessed");
}

fn code(outcome: Result<Vec<Event>, protocol::Refusal>) -> String {
    outcome.expect_err("it must be refused").code()
}

/// 8: the notice of a worse cap ends tomorrow and today's page shows 1 %; or a follow-up signed 15 epochs ago runs after the operator's
/// mandate got worse.
#[test]
fn f08_a_delegation_signs_what_is_announced_and_a_follow_up_what_it_was() {
    let mild = eth_terms(|terms| terms.window_cap = percent(1));
    let (mut world, set) = World::with_stake(mild.clone(), ONE);
    world.must(SERVICE, World::change_terms(set, Terms { window_cap: Fraction::ONE, ..mild }));
    world.deposit("bob", ETH, ONE);
    let delegation = ops::delegate::Delegate { worst_case: percent(1), ..world.delegation("op", ETH, ONE) };
    assert_eq!(world.refused("bob", Operation::Delegate(delegation.clone())), "delegate.WorstCaseExceeded");
    // The control: who signs no bound is in.
    world.must(
        "bob",
        Operation::Delegate(ops::delegate::Delegate { worst_case: Fraction::ONE, ..delegation }),
    );

    let mut world = World::new();
    world.operator("first");
    world.operator_with("second", careful());
    world.stake("alice", "first", ONE);
    world.advance(1);
    let digest = world.state.mandate_digest(world.id("second"), ETH).expect("a pool");
    let follow_up =
        FollowUp::Delegate { operator: world.id("second"), mandate: digest, worst_case: percent(1) };
    let undelegation = ops::undelegate::Undelegate { follow_up, ..world.undelegation("first", None) };
    world.must("alice", Operation::Undelegate(undelegation));
    let wider = ops::change_mandate::ChangeMandate { asset: ETH, mandate: any_mandate() };
    world.must("second", Operation::ChangeMandate(wider));
    world.advance(15);
    world.release("anyone", "first").expect_err("anyone has nothing there");
    world.release("alice", "first").expect("it is free");
    assert_eq!((world.worth("alice", "second"), world.free("alice", ETH)), (0, ONE), "it fell back to free");
}

fn set_keys(keys: &[&SecretKey], threshold: u16) -> Operation {
    let keys: Vec<PublicKey> = keys.iter().map(|key| key.public_key()).collect();
    Operation::SetKeys(ops::set_keys::SetKeys { keys, threshold })
}

/// 9: the terms name an account as slasher, and the account changes hands. Replacing more than n - k of its keys, or lowering k, takes
/// the notice; removing a key does not.
#[test]
fn f09_new_owners_of_a_slasher_take_the_notice() {
    let key = |seed: u8| SecretKey::from_seed(Scheme::Ed25519, [seed; 32]);
    let (a, b, c, x, y, z) = (key(1), key(2), key(3), key(4), key(5), key(6));
    let slasher = eth_terms(|terms| terms.slasher = address("slasher"));
    let mut world = World::new();
    world.must("slasher", set_keys(&[&a, &b, &c], 2));
    let (set, mut unnamed) = (world.set(slasher), world.clone());
    world.operator("op");
    world.stake("alice", "op", ONE);
    world.join("op", set, 256);
    world.advance(1);
    world.must("slasher", set_keys(&[&x, &y, &z], 2));
    let request = world.request(set, "op", 1, Fraction::ONE);
    let by_new = world.run_signed("slasher", &[(&x, 0), (&y, 0)], request.clone());
    assert_eq!(code(by_new), "authority.KeyNotOfAccount");
    world.run_signed("slasher", &[(&a, 0), (&b, 0)], request).expect("the old owners still are");
    // One after the other is no way round it.
    world.must("slasher", set_keys(&[&a, &b, &x], 2));
    world.must("slasher", set_keys(&[&a, &y, &x], 2));
    let request = world.request(set, "op", 1, Fraction::ONE);
    let by_new = world.run_signed("slasher", &[(&x, 0), (&y, 0)], request);
    assert!(by_new.is_err_and(|why| why.code().starts_with("authority.")), "x and y are new, and enough");

    // One owner less is nobody new.
    world.must("slasher", set_keys(&[&a, &b], 2));
    let request = world.request(set, "op", 0, Fraction::ONE);
    assert_eq!(code(world.run_signed("slasher", &[(&c, 0), (&a, 1)], request)), "authority.KeyNotOfAccount");

    // The control: an account that no terms name changes hands at once.
    unnamed.must("nobody", set_keys(&[&a, &b, &c], 2));
    unnamed.must("nobody", set_keys(&[&x, &y, &z], 2));
    let deposit = ops::deposit::Deposit {
        account: None,
        asset: ETH,
        amount: Amount::new(1),
        index: None,
        proof: evidence::Proof::Development,
    };
    unnamed
        .run_signed("nobody", &[(&x, 0), (&y, 0)], Operation::Deposit(deposit))
        .expect("new owners at once");
}

/// 10: an operator's delegate key consents for ever, to whatever comes. Consent names one set and one digest.
#[test]
fn f10_consent_is_to_one_digest_of_one_set() {
    let (mut world, set) = World::with_stake(eth_terms(|terms| terms.window_cap = percent(1)), ONE);
    let twin = world.set(eth_terms(|terms| terms.window_cap = percent(1)));
    world.join("op", twin, 0);
    for (set, cap) in [(set, 50), (twin, 50)] {
        world.must(SERVICE, World::change_terms(set, eth_terms(|terms| terms.window_cap = percent(cap))));
    }
    let consent = |set: SetId, terms| Operation::Consent(ops::consent::Consent { set, terms });
    let digest = world.state.terms_digest(set).expect("announced");
    assert_eq!(world.refused("op", consent(twin, digest)), "consent.TermsDiffer");
    world.must("op", consent(set, digest));
    // Other terms are not what was signed.
    world.must(SERVICE, Operation::WithdrawTerms(ops::withdraw_terms::WithdrawTerms { set }));
    world.must(SERVICE, World::change_terms(set, eth_terms(|terms| terms.window_cap = percent(99))));
    assert_eq!(world.refused("op", consent(set, digest)), "consent.TermsDiffer");
    world.advance(8);
    assert_eq!(world.parts("op", set), (0, 0), "without consent the allocation ran out");
    // The control: the operator signs the new digest.
    let (mut world, set) = World::with_stake(eth_terms(|terms| terms.window_cap = percent(1)), ONE);
    world.must(SERVICE, World::change_terms(set, eth_terms(|terms| terms.window_cap = percent(99))));
    let digest = world.state.terms_digest(set).expect("announced");
    world.must("op", consent(set, digest));
    world.advance(8);
    assert_eq!(world.parts("op", set), (256, 256));
}

/// The service shows a stream for 100 epochs and ends it once the stake is in. What the stake earns.
fn bait(notice: u32) -> u128 {
    let mut world = World::with(|genesis: &mut Genesis| genesis.parameters.notice = notice);
    world.operator("op");
    let set = world.set(eth_terms(|_| {}));
    world.stake("alice", "op", ONE);
    world.join("op", set, 256);
    world.advance(1);
    let stream = world.stream(set, 100, 100);
    world.advance(1);
    world.must(SERVICE, Operation::EndStream(ops::end_stream::EndStream { stream }));
    world.advance(100);
    world.earned("alice", "op")
}

/// 11: 50 % for 100 epochs, ended once stake is in; or a performance factor of 0, and what is unspent returns. It pays for the notice,
/// and what is cut never returns.
#[test]
fn f11_a_stream_can_be_ended_only_after_the_notice_and_cuts_do_not_return() {
    assert_near(bait(7), 800);
    assert_near(bait(1), 200);

    let (mut world, set) = World::with_stake(eth_terms(|_| {}), ONE);
    world.stream(set, 100, 3);
    world.advance(1);
    let operator = world.id("op");
    let report = ops::report_performance::ReportPerformance { set, operator, factor: Fraction::ZERO };
    world.must(SERVICE, Operation::ReportPerformance(report));
    world.advance(1);
    assert_eq!((world.burnt(ETH), world.free(SERVICE, ETH), world.earned("alice", "op")), (100, 0, 0));
}

/// Four operators with a quarter each; the stolen key of the slasher asks for everything of all of them. How many are slashed.
fn mass_slash(mass_slash_max: Fraction) -> u32 {
    let mut world = World::new();
    let set = world.set(eth_terms(|terms| {
        terms.mass_slash_max = mass_slash_max;
        (terms.resolvers, terms.veto) = (vec![address("resolver")], 1);
    }));
    let names = ["a", "b", "c", "d"];
    for name in names {
        world.operator(name);
        world.stake("alice", name, ONE);
        world.join(name, set, 256);
    }
    world.advance(1);
    let requests: Vec<RequestId> = names.iter().map(|name| world.ask(set, name, 1, Fraction::ONE)).collect();
    world.advance(2);
    let outcomes = requests.iter().map(|request| world.run("thief", World::execution(*request)).is_ok());
    outcomes.fold(0, |count, is_slashed| count + u32::from(is_slashed))
}

/// 12: a stolen slasher key slashes all operators at once. Beyond the set's bound of a third it takes the resolvers' yes, not only their
/// silence.
#[test]
fn f12_a_mass_slash_needs_the_resolvers_yes() {
    assert_eq!(mass_slash(percent(33)), 1);
    assert_eq!(mass_slash(Fraction::ONE), 4, "without the bound everybody is slashed");
}

/// The operator lowers its first loss of 20 % and offends `later` epochs after. What the delegators lose of 100 slashed by 20 %.
fn vanishing_bond(notice: u32, later: u32) -> u128 {
    let mut world = World::with(|genesis: &mut Genesis| genesis.parameters.notice = notice);
    world.operator("op");
    let set = world.set(eth_terms(|_| {}));
    world.stake("alice", "op", 100);
    world.raise_bond("op", 20);
    world.join("op", set, 256);
    world.advance(1);
    let lower = ops::lower_bond::LowerBond { asset: ETH, amount: Amount::new(20) };
    world.must("op", Operation::LowerBond(lower));
    world.advance(later);
    let capture = world.now();
    world.slash(set, "op", capture, percent(20));
    100 - world.worth("alice", "op")
}

/// 13: delegators chose the pool for the operator's first loss of 20 %, which is gone the next epoch. It stays liable through the
/// notice, and then leaves as slowly as stake.
#[test]
fn f13_a_bond_pays_first_through_the_notice() {
    assert_eq!(vanishing_bond(7, 7), 0);
    // The notice is over, and everybody could have left.
    assert_near(vanishing_bond(7, 8), 20);
    // The control: hardly any notice, and it is gone in two epochs.
    assert_near(vanishing_bond(1, 2), 20);
}

/// 13, the operator's own stake: it joined with the least that the set asks for, and asks it back. It is off the table in the next epoch.
#[test]
fn f13_who_withdraws_its_own_stake_is_off_the_table() {
    let mut world = World::new();
    world.operator("op");
    let with = |least: u128| eth_terms(|terms| terms.admission.self_stake_min = Amount::new(least));
    let (set, lenient) = (world.set(with(20)), world.set(with(0)));
    world.stake("op", "op", 20);
    world.stake("alice", "op", 80);
    world.join("op", set, 128);
    world.join("op", lenient, 128);
    world.advance(1);
    assert_eq!(world.weight(set, "op"), 50);
    world.leave("op", "op");
    world.advance(1);
    assert_eq!(world.weight(set, "op"), 0);
    assert_eq!(world.weight(lenient, "op"), 40, "the control: a set that asks for none");
}

/// 14: worse terms are always pending, until nobody looks. There is one change at a time, and it states its epoch.
#[test]
fn f14_one_change_of_terms_is_pending_and_a_new_one_starts_a_new_notice() {
    let (mut world, set) = World::with_stake(eth_terms(|terms| terms.window_cap = percent(1)), ONE);
    let worse = |cap: u8| World::change_terms(set, eth_terms(|terms| terms.window_cap = percent(cap)));
    let from = |events: &[Event]| match events.first() {
        Some(Event::TermsAnnounced { from, .. }) => *from,
        other => panic!("{other:?}"),
    };
    assert_eq!(from(&world.must(SERVICE, worse(2))), Epoch::new(9));
    world.advance(5);
    assert_eq!(world.refused(SERVICE, worse(3)), "change_terms.ChangePending");
    world.must(SERVICE, Operation::WithdrawTerms(ops::withdraw_terms::WithdrawTerms { set }));
    assert_eq!(from(&world.must(SERVICE, worse(3))), Epoch::new(14));
}

/// The parameters that every number of these findings supposes.
#[test]
fn the_development_ledger_has_the_windows_of_the_findings() {
    let Parameters { unbonding, slash_window, veto, execution, notice, .. } =
        Genesis::development().parameters;
    assert_eq!((unbonding, slash_window, veto, execution, notice), (14, 7, 5, 2, 7));
}
