//! Further controls: drains by rounding, the order of slashes, evidence that was used, parameters changed in flight (27, 61 and 69).

use evidence::{Equivocation, Scheme};
use protocol::terms::{Correlation, Terms};
use protocol::units::{Amount, Epoch, Fraction, RequestId, SetId};
use protocol::{Authority, FollowUp, Operation, Signer, advance_epoch, apply, invariants, ops};

use crate::offers::{ETH, ONE, SERVICE, address, eth_terms, percent};
use crate::receipts::{assert_near, equivocation};
use crate::world::World;

/// Loops of four operations, in so many epochs.
const LOOPS: u32 = 1_000_000;
const EPOCHS: u32 = 250;

/// A pool where a unit of principal is worth a third of one, and that earns an amount that nothing divides.
fn awkward_pool() -> World {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 1_000_003);
    world.stake("thief", "op", 1_000_003);
    world.advance(1);
    let third = Fraction::from_steps(Fraction::STEPS / 3 * 2).expect("a fraction");
    world.slash(set, "op", 2, third);
    world.stream(set, 7, EPOCHS + 1);
    world.advance(1);
    world
}

/// A million loops of one unit: delegate, take back, ask one unit back, claim. Each rounding is the ledger's, so nothing is gained beyond
/// what the stake has earned, and the victim has what it had.
#[test]
fn a_million_loops_of_one_unit_gain_nothing() {
    let mut world = awkward_pool();
    world.deposit("thief", ETH, 1);
    let (of_thief, of_victim) = (wealth(&world, "thief"), wealth(&world, "alice"));
    let authority = Authority { account: address("thief"), signer: Signer::Plain, expires: u64::MAX };
    let (operator, one) = (world.id("op"), Amount::new(1));
    let delegate = Operation::Delegate(world.delegation("op", ETH, 1));
    let follow_up = FollowUp::Free;
    let undelegate =
        ops::undelegate::Undelegate { operator, asset: ETH, amount: Some(one), validator: None, follow_up };
    let undelegate = Operation::Undelegate(undelegate);
    let claim =
        ops::claim::Claim { account: None, operator: Some(operator), asset: None, token: None, to: None };
    let claim = Operation::Claim(claim);
    let release = Operation::Release(ops::release::Release { account: None, operator, asset: ETH });
    let mut done = 0;
    for index in 0..LOOPS {
        for operation in [&delegate, &undelegate, &claim, &release] {
            // Some are refused; whatever is done must not pay.
            done += u32::from(apply(&mut world.state, &authority, operation).is_ok());
        }
        if index % (LOOPS / EPOCHS) == 0 {
            drop(advance_epoch(&mut world.state));
        }
    }
    invariants::check(&world.state).expect("every invariant holds");
    let earned = u128::from(EPOCHS + 1) * 7;
    let gain = wealth(&world, "thief").saturating_sub(of_thief);
    assert!(gain <= earned / 2 + 1, "the thief gained {gain}, and its half of the stream is {}", earned / 2);
    assert!(wealth(&world, "alice") >= of_victim, "the victim lost");
    // Each of these, rounded up instead of down, would have been a unit.
    assert!(done > LOOPS, "{done} operations");
}

/// Everything of an account: free, staked and earned.
fn wealth(world: &World, who: &str) -> u128 {
    world.free(who, ETH) + world.worth(who, "op") + world.earned(who, "op")
}

/// Stake by dust and out by dust: 999 positions of one unit are worth no more than one of 999.
#[test]
fn splitting_stake_into_dust_gains_nothing() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 999);
    for index in 0..999 {
        world.stake(&format!("dust{index}"), "op", 1);
    }
    world.advance(1);
    world.slash(set, "op", 2, percent(33));
    let dust = (0..999).fold(0, |sum, index| sum + world.worth(&format!("dust{index}"), "op"));
    assert!(dust <= world.worth("alice", "op"), "{dust}");
}

/// Every order of a list.
fn permutations(items: &[RequestId]) -> Vec<Vec<RequestId>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, first) in items.iter().enumerate() {
        let rest: Vec<RequestId> = [&items[..index], &items[index + 1..]].concat();
        for mut order in permutations(&rest) {
            order.insert(0, *first);
            all.push(order);
        }
    }
    all
}

/// Two sets share half of a pool and a third owns the other; each slashes for two epochs, while stakers come and go. In every one of the
/// 720 orders everybody has the same, to the unit that rounding may cost.
#[test]
fn slashes_of_several_sets_and_epochs_commute() {
    let mut world = World::new();
    world.operator("op");
    let with = |weight: u8| eth_terms(|terms: &mut Terms| terms.risk_weight = percent(weight));
    let sets: [SetId; 3] = [world.set(with(50)), world.set(with(50)), world.set(with(100))];
    for set in sets {
        world.join("op", set, 128);
    }
    for (epoch, name) in [(0, "old"), (2, "middle"), (4, "new")] {
        world.go_to(epoch);
        world.stake(name, "op", 1_000_000_007);
        world.stake("many", "op", 333_333_331);
    }
    world.go_to(5);
    world.leave("old", "op");
    world.go_to(7);
    let slashes = [(0, 1, 10), (0, 6, 33), (1, 3, 47), (1, 5, 5), (2, 4, 71), (2, 6, 13)];
    let requests = slashes.map(|(set, capture, f)| world.ask(sets[set], "op", capture, percent(f)));
    world.advance(1);
    let outcome = |order: &[RequestId]| {
        let mut world = world.clone();
        let taken = order.iter().fold(0, |sum, request| sum + world.execute(*request));
        (["old", "middle", "new", "many"].map(|name| world.worth(name, "op")), taken)
    };
    let orders = permutations(&requests);
    assert_eq!(orders.len(), 720);
    let (worths, taken) = outcome(&orders[0]);
    for order in &orders {
        let (others, other) = outcome(order);
        worths.iter().zip(others).for_each(|(worth, other)| assert_near(other, *worth));
        assert!(other.abs_diff(taken) <= 6, "a unit for each of the six");
    }
    // The control: by one capacity for the pool the order decides. 47 % of what 10 % left, or 10 % of what 47 % left with one number.
    assert_ne!((100 - 10) - 47, (100 - 47) - (100 - 47) * 10 / 100);
}

/// Evidence is submitted again: in the same epoch, later, by others, turned round, on another ledger, for another epoch or slot.
#[test]
fn evidence_is_used_once() {
    let terms = eth_terms(|terms| terms.offences.equivocation = Some(percent(10)));
    let (mut world, set) = World::with_stake(terms, 1_000);
    let key = world.key("op", set, Scheme::Ed25519, 1);
    world.advance(1);
    let evidence = equivocation(&key, set, 2, 7, [1, 2]);
    let mut elsewhere = World::with(|genesis| genesis.ledger.0 = [1; 32]);
    world.submit(evidence.clone()).expect("the first time");
    assert_near(world.worth("alice", "op"), 900);
    let turned =
        Equivocation { first: evidence.second.clone(), second: evidence.first.clone(), ..evidence.clone() };
    let moved = [
        Equivocation { slot: 8, ..evidence.clone() },
        Equivocation { kind: 1, ..evidence.clone() },
        Equivocation { epoch: 3, ..evidence.clone() },
    ];
    for epoch in 2..12 {
        world.go_to(epoch);
        for again in [&evidence, &turned].into_iter().chain(&moved) {
            world.submit(again.clone()).expect_err("it was used, or says something else");
        }
    }
    assert_near(world.worth("alice", "op"), 900);

    // The same history on another ledger: what was signed for this one proves nothing there.
    elsewhere.operator("op");
    let set = elsewhere.set(eth_terms(|_| {}));
    elsewhere.stake("alice", "op", 1_000);
    elsewhere.join("op", set, 256);
    elsewhere.key("op", set, Scheme::Ed25519, 1);
    elsewhere.advance(2);
    let refusal = elsewhere.submit(evidence).expect_err("it was signed for another ledger");
    assert_eq!(refusal.code(), "submit_equivocation.EvidenceRefused");
}

/// A stream of one unit an epoch for three pools, for long: what is paid and what is left is what was funded, whoever claims when.
#[test]
fn streams_of_dust_pay_what_they_were_funded_with() {
    let mut world = World::new();
    let set = world.set(eth_terms(|_| {}));
    for name in ["a", "b", "c"] {
        world.operator(name);
        world.stake("alice", name, 7 * ONE);
        world.stake("bob", name, 3);
        world.join(name, set, 256);
    }
    world.advance(1);
    world.stream(set, 1, 300);
    for epoch in 0..300_u32 {
        world.advance(1);
        let names = ["a", "b", "c"];
        let operator = Some(world.id(names[usize::try_from(epoch % 3).expect("small")]));
        let claim = ops::claim::Claim { account: None, operator, asset: None, token: None, to: None };
        drop(world.run("alice", Operation::Claim(claim)));
    }
    world.advance(1);
    let sum = invariants::conservation(&world.state, ETH);
    let out =
        world.free("alice", ETH) + sum.rewards.units() + sum.claimable.units() + world.free(SERVICE, ETH);
    assert_eq!((out, sum.streams), (300, Amount::ZERO));
}

/// A report that the window cap has cut, and a graver one of the same offence when there is room again: what the cap has saved is not
/// taken by the back door.
#[test]
fn a_graver_report_of_a_cut_offence_takes_no_more_than_the_cap() {
    let mut world = World::new();
    let set = world.set(eth_terms(|terms| {
        terms.window_cap = percent(50);
        terms.veto = 5;
        terms.resolvers = vec![address("resolver")];
        terms.offences.correlation = Some(Correlation { multiplier: 2, exponent: 1 });
    }));
    for (name, stake) in [("o", 400), ("p", 300), ("q", 300)] {
        world.operator(name);
        world.stake("alice", name, stake * ONE);
        world.join(name, set, 256);
    }
    world.go_to(27);
    let first = world.ask(set, "o", 20, percent(48));
    world.go_to(34);
    world.execute(first);
    let second = world.ask(set, "o", 34, percent(1));
    world.go_to(40);
    world.execute(second);
    world.go_to(42);
    let correlate =
        |operator| Operation::Correlate(ops::correlate::Correlate { set, operator, capture: Epoch::new(34) });
    let o = world.id("o");
    let ask_p = world.ask(set, "p", 41, percent(1));
    // Twice a share of 40 % is asked, and after 48 % and 1 % the cap leaves 1 %.
    world.must("anyone", correlate(o));
    world.go_to(48);
    world.execute(ask_p);
    let before = world.worth("alice", "o");
    // Now everything is asked: 20 % more. Of the 99 % that the first report left, and not of 20 %, which would be all.
    world.must("anyone", correlate(o));
    let after = world.worth("alice", "o");
    let (taken, fair) = (before - after, before * 20 / 99);
    assert!(
        taken.abs_diff(fair) <= 1_000,
        "{taken} was taken, and {fair} is due; the fraction has 18 places"
    );
}

/// What is refused leaves nothing behind, or anybody could have entries committed anew for nothing: here a pool whose worst case has
/// become old by new terms.
#[test]
fn a_refused_delegation_touches_no_entry() {
    let mut world = World::new();
    world.operator("o");
    world.stake("alice", "o", 100 * ONE);
    let set = world.set(eth_terms(|_| {}));
    world.join("o", set, 256);
    world.go_to(3);
    world.set(eth_terms(|_| {}));
    world.state.track();
    let _before = world.state.take_touched();
    let nothing = Operation::Delegate(world.delegation("o", ETH, 0));
    let authority = Authority { account: address("stranger"), signer: Signer::Plain, expires: u64::MAX };
    let refused = apply(&mut world.state, &authority, &nothing).expect_err("nothing is no delegation");
    assert!(refused.code().starts_with("delegate."), "{refused}");
    assert_eq!(world.state.take_touched(), [protocol::entries::Key::Network]);
}
