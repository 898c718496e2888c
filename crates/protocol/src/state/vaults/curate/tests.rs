//! Curation on a ledger: what is delegated where, what hostile plans can do, and what slashes, terms and drift bring about. Every invariant
//! is checked after every operation, I16 among them.

#![allow(clippy::disallowed_methods, reason = "sums of tests are small")]

#[allow(dead_code, reason = "each test takes what it needs of it")]
use crate::state::vaults::world;

use super::Which;
use crate::invariants::staying;
use crate::ops::allocate_vault::{AllocateVault, Move, Way};
use crate::state::vaults::bands::{Band, Policy, ServiceBand};
use crate::terms::Mandate;
use crate::units::{Amount, Fraction, OperatorId, ServiceId, SetId};
use crate::vault::caps::{Rung, VaultCaps};
use crate::{Operation, ops};
use world::*;

fn mandate() -> Mandate {
    Mandate {
        worst_case: Fraction::ONE,
        elsewhere: Fraction::ONE,
        own_verifiers: Fraction::ONE,
        uncertified: true,
        commission: Fraction::ONE,
    }
}

fn band(operator: OperatorId, [min, target, max]: [u8; 3]) -> Band {
    Band { operator, owner: None, min: percent(min), target: percent(target), max: percent(max) }
}

fn policy(bands: Vec<Band>) -> Policy {
    Policy { mandate: mandate(), caps: VaultCaps::off(), bands, services: Vec::new(), move_min: Amount::ZERO }
}

fn set(policy: &Policy) -> Operation {
    Operation::SetBands(ops::set_bands::SetBands { vault: VAULT, policy: policy.clone() })
}

fn plan(moves: &[(OperatorId, Way, u128)]) -> Operation {
    let of = |(operator, way, amount): &(OperatorId, Way, u128)| Move {
        operator: *operator,
        way: *way,
        amount: Amount::new(*amount),
    };
    Operation::AllocateVault(AllocateVault { vault: VAULT, moves: moves.iter().map(of).collect() })
}

impl World {
    fn stakes(&self) -> Vec<u128> {
        staying(&self.state, VAULT).into_iter().map(|(_, stake)| stake).collect()
    }

    fn value(&self) -> u128 {
        self.state.value_vault(VAULT).unwrap().nav.units()
    }

    /// The caps that what stays exceeds by more than the slack.
    fn exceeded(&self) -> Vec<String> {
        let policy = self.state.vault(VAULT).unwrap().curation.policy.clone().unwrap();
        let holdings = self.state.holdings_of(VAULT, &policy);
        let nav = Amount::new(self.value());
        let portfolio = self.state.portfolio_of(VAULT, &policy, &holdings, (nav, Which::Staying));
        let slack = policy.caps.slack.of_down(nav);
        let exceeded = portfolio.limits(&policy.caps).exceeded().into_iter();
        exceeded.filter(|limit| limit.excess() > slack).map(|limit| limit.cap.to_string()).collect()
    }
}

/// Four operators with a half of their parts in the set, and bands around 30, 20, 20 and 10 %.
fn four() -> (World, Vec<OperatorId>, Policy) {
    let mut world = World::new();
    let operators: Vec<OperatorId> = ["a", "b", "c", "d"].map(|name| world.operator(name, 128)).to_vec();
    let ends = [[10, 30, 40], [10, 20, 30], [10, 20, 30], [0, 10, 20]];
    let bands = operators.iter().zip(ends).map(|(operator, ends)| band(*operator, ends)).collect();
    world.vault(vault_terms());
    let policy = policy(bands);
    world.must("council", set(&policy));
    (world, operators, policy)
}

#[test]
fn deposits_fill_the_targets_and_exits_come_from_what_is_above_them() {
    let (mut world, ..) = four();
    world.deposit("alice", 10_000);
    world.pass(1);
    assert_eq!(world.stakes(), [3000, 2000, 2000, 1000], "a fifth stays idle");
    world.request("alice", Some(3_000_000));
    world.pass(1);
    // 2,000 were idle and paid first; everybody has more than its target of the 8,000 that are left, and gives of it.
    assert_eq!(world.stakes(), [2600, 1733, 1733, 934]);
}

#[test]
fn less_risk_holds_at_once_and_more_after_a_full_exit() {
    let (mut world, operators, mut policy) = four();
    world.deposit("alice", 10_000);
    world.pass(1);
    policy.bands[0] = band(operators[0], [0, 10, 15]);
    policy.bands[1] = band(operators[1], [10, 40, 50]);
    let began = world.now();
    world.must("council", set(&policy));
    world.pass(1);
    assert_eq!(
        world.stakes(),
        [1000, 2000, 2000, 1000],
        "the first gave back what was beyond, the second got nothing"
    );
    world.pass(15);
    assert_eq!(world.now(), began + 16);
    assert_eq!(world.stakes()[1], 2000);
    world.pass(1);
    assert_eq!(world.stakes(), [1000, 4000, 2000, 1000], "U + 3 epochs later");
    assert_eq!(world.refused("council", set(&policy)), "set_bands.Unchanged");
    assert_eq!(world.refused("curator", set(&policy)), "set_bands.NotTheCouncil");
}

#[test]
fn caps_hold_whatever_the_targets_say() {
    let (mut world, operators, mut policy) = four();
    policy.caps =
        VaultCaps { operator: percent(15), service: percent(25), event: percent(20), ..VaultCaps::off() };
    policy.caps.ladder = vec![Rung { epochs: 1, share: percent(52) }];
    world.must("council", set(&policy));
    world.deposit("alice", 10_000);
    world.pass(2);
    // The service's one set may take all of its half of each pool: 40 % of the vault at 20 % lost.
    let stakes = world.stakes();
    assert!((3996..=4000).contains(&stakes.iter().sum::<u128>()), "halves round up: {stakes:?}");
    assert!(stakes.iter().all(|stake| *stake <= 1500));
    assert_eq!(world.exceeded(), [] as [String; 0]);
    assert_eq!(world.refused("curator", plan(&[(operators[3], Way::Delegate, 1)])), "allocate_vault.OverCap");
    assert_eq!(
        world.refused("curator", plan(&[(operators[3], Way::Delegate, 900)])),
        "allocate_vault.ExceedsIdle"
    );
}

#[test]
fn a_plan_moves_inside_the_bands_and_is_refused_outside() {
    let (mut world, operators, mut policy) = four();
    policy.caps.turnover = percent(5);
    world.must("council", set(&policy));
    world.deposit("alice", 10_000);
    world.pass(1);
    let [a, b, _, d] = [operators[0], operators[1], operators[2], operators[3]];
    for (moves, refusal) in [
        (vec![], "BadPlan"),
        (vec![(a, Way::AskBack, 1), (a, Way::Delegate, 1)], "BadPlan"),
        (vec![(a, Way::AskBack, 3001)], "LeaveRefused"),
        (vec![(a, Way::AskBack, 2001)], "BelowBand"),
        (vec![(a, Way::AskBack, 300), (b, Way::AskBack, 201)], "OverTurnover"),
        (vec![(a, Way::Delegate, 2001)], "ExceedsIdle"),
        (vec![(d, Way::Delegate, 1001)], "AboveBand"),
        (vec![(OperatorId::new(9), Way::Delegate, 1)], "Closed"),
    ] {
        assert_eq!(world.refused("curator", plan(&moves)), format!("allocate_vault.{refusal}"), "{moves:?}");
    }
    assert_eq!(world.refused("guardian", plan(&[(a, Way::AskBack, 1)])), "allocate_vault.NotTheCurator");
    world.must("curator", plan(&[(a, Way::AskBack, 500), (b, Way::Delegate, 700)]));
    assert_eq!(world.stakes(), [2500, 2700, 2000, 1000]);
    assert_eq!(world.refused("curator", plan(&[(b, Way::AskBack, 1)])), "allocate_vault.OverTurnover");
    world.pass(1);
    assert_eq!(world.stakes()[1], 2700, "inside its band nothing moves by itself");
}

/// B8: plans of nobody's making. What is accepted keeps every cap, which the invariants see to; what is refused changes nothing.
#[test]
fn hostile_plans_are_refused_or_harmless() {
    let (mut world, operators, mut policy) = four();
    // Targets of 55 % leave something for plans, which the caps end at 66 %.
    for (band, target) in policy.bands.iter_mut().zip([20, 15, 15, 5]) {
        band.target = percent(target);
    }
    policy.caps =
        VaultCaps { group: percent(70), event: percent(33), turnover: percent(5), ..VaultCaps::off() };
    policy.caps.operator = percent(35);
    world.must("council", set(&policy));
    world.deposit("alice", 10_000);
    world.pass(1);
    let (mut seed, mut accepted, mut refused) = (17_u64, 0, 0);
    let mut below = |most: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % most
    };
    for _ in 0..150 {
        let mut moves = Vec::new();
        for _ in 0..1 + below(3) {
            let operator = operators[usize::try_from(below(4)).unwrap()];
            let way = if below(2) == 0 { Way::AskBack } else { Way::Delegate };
            moves.push((operator, way, u128::from(below(700))));
        }
        match world.run("curator", plan(&moves)) {
            Ok(_) => accepted += 1,
            Err(_) => refused += 1,
        }
        assert_eq!(world.exceeded(), [] as [String; 0]);
        let bands = world.stakes().into_iter().zip([[1000, 4000], [1000, 3000], [1000, 3000], [0, 2000]]);
        assert!(bands.into_iter().all(|(stake, [min, max])| min <= stake && stake <= max));
        if below(4) == 0 {
            world.pass(1);
        }
    }
    assert!(accepted > 10 && refused > 10, "{accepted} {refused}");
}

/// B4.
#[test]
fn worse_terms_stop_additions_at_once_and_bring_the_exposure_down_in_time() {
    let mut world = World::new();
    let mild = crate::terms::Terms { window_cap: percent(10), ..set_terms() };
    let create = ops::create_set::CreateSet { terms: mild.clone() };
    world.must(SERVICE, Operation::CreateSet(create));
    let operators: Vec<OperatorId> = ["a", "b"].map(|name| world.operator(name, 0)).to_vec();
    for name in ["a", "b"] {
        let terms = world.state.terms_digest(SetId::new(1)).unwrap();
        let allocations = vec![ops::join_set::Allocation { asset: ETH, parts: 256 }];
        let join = ops::join_set::JoinSet { set: SetId::new(1), terms, allocations };
        world.must(name, Operation::JoinSet(join));
    }
    world.vault(vault_terms());
    let mut policy = policy(operators.iter().map(|operator| band(*operator, [0, 40, 45])).collect());
    policy.caps = VaultCaps { event: percent(10), ..VaultCaps::off() };
    world.must("council", set(&policy));
    world.deposit("alice", 10_000);
    world.pass(1);
    assert_eq!(world.stakes(), [4000, 4000]);
    world.deposit("alice", 2000);
    let worse = crate::terms::Terms { window_cap: percent(20), ..mild };
    let change = ops::change_terms::ChangeTerms { set: SetId::new(1), terms: worse };
    world.must(SERVICE, Operation::ChangeTerms(change));
    world.pass(1);
    // A fifth of what stays may be a tenth of 12,000, and nothing of the new deposit went there.
    assert_eq!(world.stakes().iter().sum::<u128>(), 6000);
    assert_eq!(world.exceeded(), [] as [String; 0]);
    let idle_again = world.state.vault(VAULT).unwrap().buckets.idle.units();
    assert_eq!(idle_again, 4000);
    world.pass(15);
    assert_eq!(world.state.vault(VAULT).unwrap().buckets.idle.units(), 6000, "all of it came back");
    assert_eq!(world.stakes().iter().sum::<u128>(), 6000, "and stays out until the council has looked");
}

#[test]
fn who_was_slashed_gets_nothing_more_and_exits_go_on() {
    let (mut world, operators, mut policy) = four();
    policy.caps.freeze = 30;
    policy.bands[3].owner = Some(7);
    policy.bands[0].owner = Some(7);
    world.must("council", set(&policy));
    for (name, client) in [("a", "x"), ("b", "x"), ("c", "y"), ("d", "z")] {
        let label = |text: &str| Some(format!("{name}{text}"));
        let groups = crate::Groups {
            client: Some(client.to_owned()),
            cloud: label("cloud"),
            custody: label("custody"),
            code: label("code"),
        };
        world.must(name, Operation::SetGroups(ops::set_groups::SetGroups { groups }));
    }
    world.deposit("alice", 10_000);
    world.pass(2);
    let now = world.now();
    let request = world.ask(operators[0], now, percent(20));
    world.deposit("bob", 10_000);
    world.pass(3);
    let before = world.stakes();
    assert_eq!(before[2], 5000, "who shares nothing with it is filled, half way up to its upper end");
    assert_eq!(
        (before[0], before[1], before[3]),
        (3000, 2000, 1000),
        "the slashed one, its client and its owner are not"
    );
    world.execute(request);
    world.pass(1);
    assert_eq!(world.stakes()[0], 2700, "a fifth of half");
    let ticket = world.request("bob", Some(1_000_000));
    world.pass(1);
    assert!((950..1000).contains(&world.claim(ticket)), "exits go on");
    world.pass(30);
    assert!(world.stakes()[1] > 2000, "a month later it is over");
}

#[test]
fn a_vault_leaves_a_pool_that_promises_more_than_its_mandate() {
    let (mut world, operators, mut policy) = four();
    policy.mandate.commission = percent(10);
    let narrow = Mandate { commission: percent(10), ..mandate() };
    for name in ["a", "b", "c", "d"] {
        let change = ops::change_mandate::ChangeMandate { asset: ETH, mandate: narrow };
        world.must(name, Operation::ChangeMandate(change));
    }
    world.must("council", set(&policy));
    world.pass(8);
    world.deposit("alice", 10_000);
    world.pass(2);
    assert_eq!(world.stakes(), [3000, 2000, 2000, 1000]);
    let wide = Mandate { commission: percent(11), ..mandate() };
    world.must(
        "b",
        Operation::ChangeMandate(ops::change_mandate::ChangeMandate { asset: ETH, mandate: wide }),
    );
    world.pass(1);
    assert_eq!(world.stakes()[1], 0, "before the wider one holds");
    world.must("c", Operation::RetireOperator(ops::retire_operator::RetireOperator {}));
    world.pass(1);
    assert_eq!(world.stakes()[2], 0, "nor does it stay with who has retired");
    let _ = operators;
}

/// A22: somebody deposits and leaves in small amounts to steer where stake goes. The control fills whoever comes first.
#[test]
fn small_deposits_steer_nothing() {
    let (mut world, ..) = four();
    world.deposit("alice", 100_000);
    world.pass(1);
    let mut first_fit = [30_000_u128, 20_000, 20_000, 10_000];
    for round in 0..40_u32 {
        world.deposit("mallory", 1000);
        world.pass(1);
        first_fit[0] += 1000;
        if round % 4 == 3 {
            let shares = world.state.shares_of(world.state.vault(VAULT).unwrap().share, address("mallory"));
            world.request("mallory", Some(shares.units()));
            // First-fit takes exits from the end of its list.
            let mut due = 4000;
            for place in first_fit.iter_mut().rev() {
                let part = due.min(*place);
                *place -= part;
                due -= part;
            }
        }
        let nav = world.value();
        for (stake, [min, max]) in world.stakes().into_iter().zip([[10, 40], [10, 30], [10, 30], [0, 20]]) {
            assert!(
                stake * 100 >= min * nav && stake * 100 <= max * nav,
                "{stake} of {nav} in round {round}"
            );
        }
    }
    let sum: u128 = first_fit.iter().sum();
    assert!(first_fit[0] * 100 > 40 * sum || first_fit[3] == 0, "the control was steered: {first_fit:?}");
}

/// B5: whatever flows and slashes come, a cap is exceeded only after a slash or by drift within the slack, and additions never follow.
#[test]
fn caps_are_exceeded_by_slashes_alone_and_never_more() {
    let (mut world, operators, mut policy) = four();
    policy.caps =
        VaultCaps { operator: percent(33), group: percent(80), event: percent(45), ..VaultCaps::off() };
    policy.caps.slack = percent(1);
    world.must("council", set(&policy));
    world.deposit("alice", 100_000);
    world.pass(2);
    let mut seed = 99_u64;
    let mut below = |most: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % most
    };
    let mut slashes = 0;
    for _ in 0..120 {
        match below(5) {
            0 => world.deposit("bob", 1 + u128::from(below(20_000))),
            1 => {
                let share = world.state.vault(VAULT).unwrap().share;
                let shares = world.state.shares_of(share, address("alice")).units() / 20;
                if shares > 1000 {
                    world.request("alice", Some(shares));
                }
            }
            2 if slashes < 6 => {
                let operator = operators[usize::try_from(below(4)).unwrap()];
                let capture = world.now();
                let request = world.ask(operator, capture, percent(u8::try_from(1 + below(20)).unwrap()));
                world.pass(3);
                world.execute(request);
                slashes += 1;
            }
            _ => {}
        }
        world.pass(1);
        assert_eq!(
            world.exceeded(),
            [] as [String; 0],
            "after a tick what stays keeps its caps within the slack"
        );
    }
    assert!(slashes > 3);
}

#[test]
fn a_service_band_bounds_what_its_sets_may_take() {
    let (mut world, _, mut policy) = four();
    let service = ServiceId::new(0);
    policy.services = vec![ServiceBand { service, min: percent(0), target: percent(20), max: percent(30) }];
    world.must("council", set(&policy));
    world.deposit("alice", 10_000);
    world.pass(1);
    // Half of each pool is the service's: with 40 % of the vault delegated a fifth of it; beyond, up to the upper end.
    let owned = world.stakes().iter().sum::<u128>() / 2;
    assert!((2000..=3000).contains(&owned), "{owned}");
}

#[test]
fn a_service_that_is_new_bounds_its_operator_alone() {
    let (mut world, _, mut policy) = four();
    policy.caps.ramp = 60;
    world.must("council", set(&policy));
    world.deposit("alice", 10_000);
    world.pass(1);
    assert_eq!(world.stakes(), [3000, 2000, 2000, 1000], "what was there when the bands were set is no news");
    world.must("another", Operation::CreateService(ops::create_service::CreateService {}));
    let terms = crate::terms::Terms { slasher: address("another"), ..set_terms() };
    world.must("another", Operation::CreateSet(ops::create_set::CreateSet { terms }));
    let terms = world.state.terms_digest(SetId::new(1)).unwrap();
    let allocations = vec![ops::join_set::Allocation { asset: ETH, parts: 64 }];
    let join = ops::join_set::JoinSet { set: SetId::new(1), terms, allocations };
    world.must("a", Operation::JoinSet(join));
    world.deposit("alice", 10_000);
    world.pass(1);
    // A quarter of 3,000 is more than the hundredth that a new service may have. The others fill up, and half way beyond for the rest.
    assert_eq!(world.stakes(), [3000, 5000, 5000, 3000]);
    let view = crate::query::curation(&world.state, VAULT).unwrap();
    let places: Vec<u128> = view.places.iter().map(|place| place.stake.units()).collect();
    assert_eq!(places, [3000, 5000, 5000, 3000]);
    // Half of everything and a quarter of the first: all of one group, since none is declared.
    assert_eq!(view.worst_event.unwrap().loss.units(), 8000 + 750);
    assert_eq!(view.deployable.units(), 4000);
}

/// Half and half: what one lost to a slash is made good out of the other by a plan, and by nothing else.
#[test]
fn the_allocator_plans_what_ticks_leave_alone() {
    let (mut world, operators, mut policy) = four();
    policy.bands = vec![band(operators[0], [0, 50, 100]), band(operators[1], [0, 50, 100])];
    policy.caps.turnover = percent(5);
    world.must("council", set(&policy));
    world.deposit("alice", 10_000);
    world.pass(1);
    assert_eq!(world.stakes(), [5000, 5000]);
    let planned = |world: &World| crate::query::plan(&world.state, VAULT).unwrap();
    assert_eq!(
        (planned(&world).moves, planned(&world).refused),
        (Vec::new(), None),
        "everybody has its target"
    );
    // From the next epoch on they are in its table.
    world.pass(1);
    let now = world.now();
    let request = world.ask(operators[1], now, percent(20));
    world.pass(3);
    world.execute(request);
    world.pass(1);
    assert_eq!(world.stakes(), [5000, 4500], "a fifth of half");
    let proposal = planned(&world);
    let back = Move { operator: operators[0], way: Way::AskBack, amount: Amount::new(250) };
    assert_eq!(proposal.moves, [back], "both are to have 4,750");
    assert_eq!((proposal.is_ticked, proposal.refused), (true, None));
    assert_eq!(proposal.turnover_left.units(), 475);
    let after: Vec<u128> = proposal.places.iter().map(|place| place.after.units()).collect();
    assert_eq!(after, [4750, 4500]);
    crate::advance_epoch(&mut world.state);
    let early = planned(&world);
    assert!(
        !early.is_ticked && early.refused.is_some_and(|why| why.contains("tick")),
        "a plan waits for the tick"
    );
    world.pass(1);
    world.must("curator", Operation::AllocateVault(AllocateVault { vault: VAULT, moves: vec![back] }));
    assert_eq!(world.stakes(), [4750, 4500]);
    assert_eq!(planned(&world).moves, [], "what is lacking is on its way back");
}
