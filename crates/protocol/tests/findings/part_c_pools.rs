//! The small rules of part C about stake, slashes and rewards.

use protocol::genesis::Genesis;
use protocol::terms::{AcceptedAsset, JailTerms};
use protocol::units::{Amount, Epoch, Fraction, SlashId};
use protocol::{AssetKind, Event, FollowUp, Operation, RateSource, State, invariants, ops};

use crate::offers::{ETH, ONE, SERVICE, address, all_to, any_mandate, eth_terms, percent, terms};
use crate::receipts::{assert_near, taken};
use crate::world::World;

/// The rules that are tested here.
pub(crate) const RULES: [(u8, fn()); 17] = [
    (1, c01_no_genesis_is_without_notice),
    (2, c02_a_slash_takes_worth_at_once_and_weight_at_the_boundary),
    (3, c03_rewards_go_by_the_table_and_then_by_what_is_left),
    (6, c06_one_fraction_takes_of_every_pool),
    (7, c07_the_bond_pays_first_and_the_stake_the_rest),
    (9, c09_what_is_joining_counts_against_caps_only),
    (10, c10_the_oldest_entry_leaves_first),
    (11, c11_a_follow_up_is_the_owner_s_until_it_is_carried_out),
    (12, c12_a_withdrawal_goes_where_it_was_said),
    (13, c13_burnt_at_once_and_held_for_everybody_else),
    (14, c14_what_a_cap_cuts_goes_by_the_order_of_execution),
    (16, c16_the_jailed_earn_nothing_and_stay_liable),
    (20, c20_a_warm_up_delays_weight_and_liability),
    (21, c21_the_last_order_of_an_epoch_wins),
    (23, c23_an_epoch_without_weight_pays_its_funder),
    (24, c24_a_slash_rounds_down_once),
    (39, c39_the_latest_slash_finds_who_left_in_the_capture_epoch),
];

/// C1: the notice is at least one epoch, whatever a genesis says.
#[test]
fn c01_no_genesis_is_without_notice() {
    let mut genesis = Genesis::development();
    genesis.bounds.notice = [0, 30];
    assert!(State::new(genesis).is_err());
}

/// C2: a slash takes worth at once; the table of the running epoch stays as it was frozen.
#[test]
fn c02_a_slash_takes_worth_at_once_and_weight_at_the_boundary() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100 * ONE);
    world.slash(set, "op", 1, percent(50));
    assert_eq!((world.worth("alice", "op"), world.weight(set, "op")), (50 * ONE, 100 * ONE));
    world.advance(1);
    assert_eq!(world.weight(set, "op"), 50 * ONE);
}

/// C3: rewards of e go to operators by the table frozen at its start, and inside a pool by what is left at its end of the slices of the
/// units bonded in it; what was earned before is kept.
#[test]
fn c03_rewards_go_by_the_table_and_then_by_what_is_left() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100);
    world.operator("other");
    world.stake("bob", "op", 100);
    world.stake("carol", "other", 200);
    world.join("other", set, 256);
    world.stream(set, 600, 2);
    world.advance(1);
    // Alice is halved for epoch 1, before bob was bonded.
    let request = world.ask(set, "op", 1, percent(50));
    world.advance(1);
    let before = world.earned("alice", "op");
    world.execute(request);
    assert_eq!(world.earned("alice", "op"), before, "earned is earned");
    world.advance(1);
    // Epoch 2: 300 to each operator, 150 to each of the two. Epoch 3: 300 again, and 100 to 200 inside.
    assert!(world.earned("alice", "op").abs_diff(150 + 100) <= 2);
    assert!(world.earned("bob", "op").abs_diff(150 + 200) <= 2);
    assert!(world.earned("carol", "other").abs_diff(600) <= 2);
}

/// C6: a slash names one fraction, for all of the operator's pools of the set.
#[test]
fn c06_one_fraction_takes_of_every_pool() {
    let mut world = World::new();
    let token = world.list(AssetKind::Token, RateSource::One);
    world.operator("op");
    world.open_pool("op", token, any_mandate(), Fraction::ZERO);
    let set = world.set(terms(&[ETH, token]));
    world.stake("alice", "op", 100);
    world.stake_in("alice", "op", token, 40);
    let mut join = world.joining(set, 256);
    join.allocations.push(ops::join_set::Allocation { asset: token, parts: 128 });
    world.must("op", Operation::JoinSet(join));
    world.advance(1);
    world.slash(set, "op", 1, percent(50));
    assert_eq!((world.worth("alice", "op"), world.worth_in("alice", "op", token)), (50, 30));
}

/// C7: the bond pays first, up to all of it; the stake pays what is left of what is owed.
#[test]
fn c07_the_bond_pays_first_and_the_stake_the_rest() {
    for (bond, of_stake) in [(60, 0), (50, 0), (20, 30), (0, 50)] {
        let mut world = World::new();
        world.operator("op");
        let set = world.set(eth_terms(|_| {}));
        world.stake("alice", "op", 100 * ONE);
        if bond > 0 {
            world.raise_bond("op", bond * ONE);
        }
        world.join("op", set, 256);
        world.advance(1);
        assert_eq!(world.weight(set, "op"), 100 * ONE, "a bond weighs nothing");
        assert_near(world.slash(set, "op", 1, percent(50)), 50 * ONE);
        assert_near(world.worth("alice", "op"), (100 - of_stake) * ONE);
    }
}

/// C9: what is joining is in the pool, weighs nothing, is liable for nothing, and counts against caps.
#[test]
fn c09_what_is_joining_counts_against_caps_only() {
    let mut world = World::with(|genesis| genesis.parameters.caps.operator = percent(60));
    let set = world.set(eth_terms(|_| {}));
    for name in ["op", "other"] {
        world.operator(name);
        world.stake("alice", name, 100 * ONE);
        world.join(name, set, 256);
    }
    world.rate_eth(1_000_000_000);
    world.stake("bob", "op", 50 * ONE);
    assert_eq!(world.weight(set, "op"), 100 * ONE);
    let pooled = invariants::conservation(&world.state, ETH).pooled;
    assert_eq!(pooled.units(), 250 * ONE);
    world.deposit("carol", ETH, ONE);
    let more = Operation::Delegate(world.delegation("op", ETH, ONE));
    assert_eq!(world.refused("carol", more), "delegate.OverCap");
    let now = world.now();
    world.slash(set, "op", now, Fraction::ONE);
    assert_eq!(world.worth("bob", "op"), 50 * ONE);
}

/// C10: the oldest entry leaves first.
#[test]
fn c10_the_oldest_entry_leaves_first() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100);
    world.go_to(4);
    world.stake("alice", "op", 100);
    world.go_to(6);
    world.must("alice", Operation::Undelegate(world.undelegation("op", Some(100))));
    // 7: only the entry of 5 is bonded. 4: only the entry of 1 was.
    world.go_to(8);
    assert_near(world.slash(set, "op", 7, percent(70)), 70);
    assert_near(world.slash(set, "op", 4, percent(20)), 20);
    assert!(world.worth("alice", "op").abs_diff(30 + 80) <= 2, "a unit for each entry");
}

/// C11: a follow-up can be replaced by the owner until it is carried out; if it can't be, the stake is free.
#[test]
fn c11_a_follow_up_is_the_owner_s_until_it_is_carried_out() {
    let (mut world, _) = World::with_stake(eth_terms(|_| {}), 100);
    let withdraw = |to: &str| FollowUp::Withdraw { to: to.to_owned() };
    let leave = ops::undelegate::Undelegate { follow_up: withdraw("0xa"), ..world.undelegation("op", None) };
    world.must("alice", Operation::Undelegate(leave));
    let replace = |follow_up: FollowUp| {
        let (operator, bonded_through) = (protocol::units::OperatorId::new(0), Epoch::new(1));
        let replace = ops::follow_up::ReplaceFollowUp { operator, asset: ETH, bonded_through, follow_up };
        Operation::ReplaceFollowUp(replace)
    };
    assert_eq!(world.refused("mallory", replace(withdraw("0xbad"))), "replace_follow_up.NothingUnbonding");
    world.must("alice", replace(FollowUp::Free));
    world.advance(15);
    world.release("alice", "op").expect("free in 16");
    assert_eq!(world.free("alice", ETH), 100);
}

/// C12: a withdrawal goes where it was said when it was asked for, by whoever calls.
#[test]
fn c12_a_withdrawal_goes_where_it_was_said() {
    let (mut world, _) = World::with_stake(eth_terms(|_| {}), 100);
    let follow_up = FollowUp::Withdraw { to: "0xa".to_owned() };
    let leave = ops::undelegate::Undelegate { follow_up, ..world.undelegation("op", None) };
    world.must("alice", Operation::Undelegate(leave));
    world.advance(15);
    let (account, operator) = (Some(address("alice")), world.id("op"));
    let release = ops::release::Release { account, operator, asset: ETH };
    let events = world.must("mallory", Operation::Release(release));
    let is_out = |event: &Event| matches!(event, Event::Withdrawn { amount, to, .. } if amount.units() == 100 && to == "0xa");
    assert!(events.iter().any(is_out), "{events:?}");
}

/// C13: what a set burns is burnt when it is executed; what goes anywhere else is held until every slash of the capture is.
#[test]
fn c13_burnt_at_once_and_held_for_everybody_else() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100);
    world.slash(set, "op", 1, Fraction::ONE);
    assert_eq!(world.burnt(ETH), 100);

    let (mut world, set) = World::with_stake(eth_terms(|terms| terms.destinations = all_to("harmed")), 100);
    world.slash(set, "op", 1, Fraction::ONE);
    assert_eq!((world.burnt(ETH), world.free("harmed", ETH)), (0, 0));
    let slash = SlashId::new(0);
    let release = Operation::ReleaseProceeds(ops::release_proceeds::ReleaseProceeds { slash });
    world.go_to(15);
    assert_eq!(world.refused("harmed", release.clone()), "release_proceeds.TooEarly");
    world.go_to(16);
    world.must("anyone", release);
    assert_eq!(world.free("harmed", ETH), 100);
}

/// C14: slashes of two sets in one epoch commute (`drains` has every order of six); what a cap of 50 % cuts of 40 and 20 % goes by the
/// order of execution: 10 % of the 60 that are left, or 30 % of the 80.
#[test]
fn c14_what_a_cap_cuts_goes_by_the_order_of_execution() {
    let (mut world, set) = World::with_stake(eth_terms(|terms| terms.window_cap = percent(50)), 100);
    world.advance(1);
    let requests = [world.ask(set, "op", 1, percent(40)), world.ask(set, "op", 2, percent(20))];
    world.advance(1);
    let mut other = world.clone();
    assert_near(world.execute(requests[0]), 40);
    assert_near(world.execute(requests[1]), 6);
    assert_near(other.execute(requests[1]), 20);
    assert_near(other.execute(requests[0]), 24);
}

/// C20: a warm-up is at most U, and delays weight and liability together.
#[test]
fn c20_a_warm_up_delays_weight_and_liability() {
    let mut world = World::new();
    let slow = |epochs: u32| eth_terms(|terms| terms.warm_up = epochs);
    let create = Operation::CreateSet(ops::create_set::CreateSet { terms: slow(15) });
    assert_eq!(world.refused(SERVICE, create), "create_set.BadTerms");
    world.operator("op");
    let set = world.set(slow(3));
    world.stake("alice", "op", 100);
    world.join("op", set, 256);
    for epoch in 1..=3 {
        world.go_to(epoch);
        let request = world.request(set, "op", epoch, Fraction::ONE);
        assert_eq!(
            (world.weight(set, "op"), world.refused(SERVICE, request)),
            (0, "request_slash.NotOnDuty".to_owned())
        );
    }
    world.advance(1);
    assert_eq!(world.weight(set, "op"), 100);
    assert_eq!(world.slash(set, "op", 4, Fraction::ONE), 100);
}

/// C21: of two orders in an epoch the last wins, and a decrease withdrawn before the boundary never happened, warm-up or not.
#[test]
fn c21_the_last_order_of_an_epoch_wins() {
    for warm_up in [0, 3] {
        let mut world = World::new();
        world.operator("op");
        let set = world.set(eth_terms(|terms| terms.warm_up = warm_up));
        world.stake("alice", "op", 256);
        world.join("op", set, 200);
        world.advance(warm_up + 1);
        world.must("op", World::allocation(set, 250));
        world.must("op", World::allocation(set, 10));
        world.must("op", World::allocation(set, 200));
        world.advance(1);
        assert_eq!((world.parts("op", set), world.weight(set, "op")), ((200, 200), 200));
        let now = world.now();
        assert_eq!(world.slash(set, "op", now, Fraction::ONE), 200);
    }
}

/// C23: what an epoch without weight was funded with returns; dust goes with the next epoch.
#[test]
fn c23_an_epoch_without_weight_pays_its_funder() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100);
    world.stream(set, 100, 3);
    world.leave_set("op", set);
    world.advance(4);
    assert_eq!((world.free(SERVICE, ETH), world.earned("alice", "op")), (300, 0));

    let mut world = World::new();
    let set = world.set(eth_terms(|_| {}));
    for name in ["a", "b", "c"] {
        world.operator(name);
        world.stake("alice", name, 100);
        world.join(name, set, 256);
    }
    world.advance(1);
    world.stream(set, 100, 3);
    world.advance(4);
    // 33 to each and 1 over, in each of three epochs: the ones are paid in the end.
    let streams = invariants::conservation(&world.state, ETH).streams;
    let paid = 300 - world.free(SERVICE, ETH);
    assert_eq!((streams, paid), (Amount::ZERO, 300));
}

/// C24: a slash rounds down once per pool, a position's worth rounds down, and the difference stays in the pool.
#[test]
fn c24_a_slash_rounds_down_once() {
    let mut world = World::new();
    world.operator("op");
    let set = world.set(eth_terms(|_| {}));
    let names = ["a", "b", "c"];
    names.iter().for_each(|name| world.stake(name, "op", 11));
    world.join("op", set, 256);
    world.advance(1);
    assert_eq!(world.slash(set, "op", 1, percent(50)), 16, "half of 33, rounded down");
    let worths = names.map(|name| world.worth(name, "op"));
    assert_eq!(worths, [5, 5, 5], "half of 11, rounded down");
    let pooled = invariants::conservation(&world.state, ETH).pooled;
    assert_eq!(pooled.units(), 33 - 16, "and the rest stays");
}

/// C39: worth falls when a slash is executed, so before anything matures: the latest possible slash finds who left in the capture epoch.
#[test]
fn c39_the_latest_slash_finds_who_left_in_the_capture_epoch() {
    let terms = eth_terms(|terms| (terms.resolvers, terms.veto) = (vec![address("resolver")], 5));
    let (mut world, set) = World::with_stake(terms, 100);
    world.leave("alice", "op");
    world.go_to(1 + 7);
    let request = world.ask(set, "op", 1, percent(50));
    world.go_to(1 + 7 + 5 + 2);
    let refusal = world.release("alice", "op").expect_err("free in 16");
    assert_eq!(refusal.code(), "release.NotYetFree");
    let events = world.must("anyone", World::execution(request));
    assert_eq!(taken(&events), 50);
    world.advance(1);
    world.release("alice", "op").expect("free in 16");
    assert_eq!(world.free("alice", ETH), 50);
}

/// C16: who is jailed earns nothing, and stays liable for what it did on duty.
#[test]
fn c16_the_jailed_earn_nothing_and_stay_liable() {
    let mut world = World::new();
    let set = world.set(eth_terms(|terms| {
        terms.jail = JailTerms { on_equivocation: false, period: 2 };
        terms.assets = vec![AcceptedAsset { asset: ETH, weight: 1_000_000_000 }];
    }));
    for (name, stake) in [("a", 20), ("b", 80)] {
        world.operator(name);
        world.stake("alice", name, stake);
        world.join(name, set, 256);
    }
    world.advance(1);
    world.stream(set, 100, 2);
    let operator = world.id("a");
    world.must(SERVICE, Operation::Jail(ops::jail::Jail { set, operator }));
    world.advance(3);
    assert_near(world.earned("alice", "b"), 200);
    assert_eq!(world.slash(set, "a", 1, Fraction::ONE), 20);
    let request = world.request(set, "a", 3, Fraction::ONE);
    assert_eq!(world.refused(SERVICE, request), "request_slash.NotOnDuty");
}
