//! The certificate.

use evidence::{Bitmap, Certificate, Scheme, SecretKey, signing};
use protocol::genesis::Genesis;
use protocol::terms::{AcceptedAsset, Mandate, Terms};
use protocol::units::{Amount, AssetId, Fraction, SetId};
use protocol::{AssetKind, Operation, RateSource, State, ops};

use crate::offers::{ETH, ONE, SERVICE, all_to, any_mandate, eth_terms, percent, terms};
use crate::receipts::assert_near;
use crate::world::World;

/// The findings that are tested here, each by its first test.
pub(crate) const FINDINGS: [(u8, fn()); 11] = [
    (55, f55_weight_1_is_alone_on_its_slices),
    (56, f56_a_risk_weight_is_not_free),
    (57, f57_security_is_what_is_surely_taken),
    (58, f58_weight_is_counted_at_the_cheapest_asset),
    (59, f59_sets_of_weight_1_declare_like_the_others),
    (60, f60_the_shortfall_stands_beside_gamma),
    (61, f61_rented_stake_certifies_nothing),
    (64, f64_a_certificate_is_worth_nothing_once_nobody_can_be_punished_for_it),
    (65, f65_a_quorum_bounds_the_corruption_share),
    (66, f66_a_falling_rate_is_noticed_at_the_boundary),
    (67, f67_an_empty_set_secures_nothing),
];

/// ETH is worth its weight, so a set secures `alpha rho f W`.
fn rated() -> World {
    let mut world = World::new();
    world.rate_eth(1_000_000_000);
    world
}

/// An operator with so much stake of alice's, all allocated to a set of these terms, under a mandate of certified sharing only.
fn certified(terms: Terms, stake: u128) -> (World, SetId) {
    let mut world = rated();
    world.operator_with("op", Mandate { uncertified: false, ..any_mandate() });
    let set = world.set(terms);
    world.stake("alice", "op", stake);
    world.join("op", set, 256);
    world.advance(1);
    (world, set)
}

fn create(terms: Terms) -> Operation {
    Operation::CreateSet(ops::create_set::CreateSet { terms })
}

fn sharing(weight: u8) -> Terms {
    eth_terms(|terms| terms.risk_weight = percent(weight))
}

/// What A, of weight 1 or less, has left of its half after K, of weight 1/2, took all of what it owns.
fn left_beside_a_sharing_set(weight_of_a: u8) -> u128 {
    let mut world = World::new();
    world.operator("op");
    let (a, k) = (world.set(sharing(weight_of_a)), world.set(sharing(50)));
    world.stake("alice", "op", 100 * ONE);
    world.join("op", a, 128);
    let all = Operation::JoinSet(world.joining(k, 256));
    if weight_of_a == 100 {
        assert_eq!(
            world.refused("op", all),
            "join_set.AllocationRefused",
            "50 of weight 1 and 100 of 1/2 do not fit"
        );
        world.join("op", k, 128);
    } else {
        world.must("op", all);
    }
    world.advance(1);
    world.slash(k, "op", 1, Fraction::ONE);
    world.advance(1);
    world.weight(a, "op")
}

/// 55: A has weight 1 and 50 %, K weight 1/2 and 100 %: 50 + 50 fit a capacity of 1, and K's slash of everything takes A's 50 as well. Per
/// slice they do not fit, and a set of weight 1 is alone on its slices.
#[test]
fn f55_weight_1_is_alone_on_its_slices() {
    assert_eq!(left_beside_a_sharing_set(100), 50 * ONE);
    assert_eq!(left_beside_a_sharing_set(50), 0, "the control: A shares too");
}

/// 56: profit of 1 unit, weight of 10^6: a risk weight of 10^-6 owns all of every pool for nothing, and can destroy what all others rely
/// on. At least 1/16, alone against weight 1, and without anything to gain.
#[test]
fn f56_a_risk_weight_is_not_free() {
    let mut world = World::new();
    let least = Fraction::STEPS / 16;
    let with =
        |steps: u64| eth_terms(|terms| terms.risk_weight = Fraction::from_steps(steps).expect("a fraction"));
    assert_eq!(world.refused(SERVICE, create(with(least - 1))), "create_set.BadTerms");
    assert_eq!(
        world.refused(SERVICE, create(Terms { destinations: all_to(SERVICE), ..with(least) })),
        "create_set.BadTerms"
    );
    let mut genesis = Genesis::development();
    genesis.risk_weight_min = Fraction::from_steps(least - 1).expect("a fraction");
    assert!(State::new(genesis).is_err(), "no ledger admits less");
    // The control: 16 sets of the least weight share a slice, and a 17th does not.
    world.operator("op");
    for _ in 0..16 {
        let set = world.set(with(least));
        world.join("op", set, 256);
    }
    let set = world.set(with(least));
    let next = Operation::JoinSet(world.joining(set, 1));
    assert_eq!(world.refused("op", next), "join_set.AllocationRefused");
}

/// The largest profit that a set may declare.
fn largest_profit(world: &mut World, set: SetId) -> u128 {
    let secured = world.view().sets.iter().find(|view| view.set == set).expect("the set").secured.units();
    let most = secured * 10 / 11;
    assert_eq!(world.refused(SERVICE, World::declare(set, most + 1)), "declare_profit.Uncertified");
    if most > 0 {
        world.must(SERVICE, World::declare(set, most));
    }
    most
}

/// 57: the terms take 10 % at most, so an attack costs a tenth of the stake. What secures is what is surely taken: no request, which can
/// be vetoed, and never more than the window cap.
#[test]
fn f57_security_is_what_is_surely_taken() {
    let most = |change: fn(&mut Terms)| {
        let (mut world, set) = certified(eth_terms(change), 1_100 * ONE);
        largest_profit(&mut world, set)
    };
    assert_eq!(most(|terms| terms.offences.equivocation = Some(percent(10))), 100 * ONE);
    assert_eq!(most(|terms| terms.window_cap = percent(10)), 100 * ONE);
    assert_eq!(most(|terms| terms.offences.equivocation = None), 0);
    assert_eq!(most(|_| {}), 1_000 * ONE, "the control: everything is surely taken");
}

/// 58: ETH has a value of 900 and weighs 900, JUNK a value of 100 and weighs 900. Half of the 1,800 is bought with JUNK alone, for 100. A
/// weight counts at the lowest value per weight: 1,800 is worth 200.
#[test]
fn f58_weight_is_counted_at_the_cheapest_asset() {
    let mut world = rated();
    let junk = world.list(AssetKind::Token, RateSource::One);
    world.govern(junk, Some(1_000_000_000), None);
    world.operator("op");
    world.open_pool("op", junk, any_mandate(), Fraction::ZERO);
    let dear = AcceptedAsset { asset: junk, weight: 9_000_000_000 };
    let both = eth_terms(|terms| {
        terms.assets.push(dear);
        terms.corruption_share = percent(50);
    });
    let set = world.set(both);
    world.stake("alice", "op", 900 * ONE);
    world.stake_in("mallory", "op", junk, 100 * ONE);
    let mut join = world.joining(set, 256);
    join.allocations.push(ops::join_set::Allocation { asset: junk, parts: 256 });
    world.must("op", Operation::JoinSet(join));
    world.advance(8);
    assert_eq!(world.weight(set, "op"), 1_800 * ONE);
    let certified = largest_profit(&mut world, set);
    assert_eq!(certified, 100 * ONE * 10 / 11);
    // By the value that is there, alpha of 1,000 would admit a profit of 450, and corruption costs 100.
    assert!(500 * 10 / 11 > 450 && certified < 100 * ONE);
}

/// 59: only sharing sets are asked; a set of weight 1 with stake 10 and a profit of 1,000 pays for attacks on its neighbours. Every profit
/// that is declared is asked for, and a set that declares none is not counted as secure.
#[test]
fn f59_sets_of_weight_1_declare_like_the_others() {
    let (mut world, set) = certified(eth_terms(|_| {}), 10 * ONE);
    assert_eq!(world.state.gamma().declared, None, "nothing is declared, and nothing is promised");
    assert_eq!(world.refused(SERVICE, World::declare(set, 1_000 * ONE)), "declare_profit.Uncertified");
    world.must(SERVICE, World::declare(set, 9 * ONE));
    assert!(world.state.gamma().declared.is_some());
}

/// 60: one set that falls short voids the bound for all: `gamma x cost < loss + D`. The bound is shown with D, the sets' shortfall.
#[test]
pub(crate) fn f60_the_shortfall_stands_beside_gamma() {
    let (mut world, set) = certified(eth_terms(|_| {}), 110 * ONE);
    world.must(SERVICE, World::declare(set, 100 * ONE));
    assert_eq!(world.state.gamma().shortfall, Amount::ZERO);
    world.must("alice", Operation::Undelegate(world.undelegation("op", Some(60 * ONE))));
    world.advance(1);
    let gamma = world.state.gamma();
    assert_eq!(gamma.shortfall, Amount::new(60 * ONE));
    assert_eq!(
        gamma.declared,
        Some(u128::from(Fraction::STEPS) / 2),
        "an attack costs half of what it brings"
    );
}

/// 61: stake that is rented for the check. Pending joins and announced leaves do not count; and what left after the check is missed at the
/// next boundary, and after G = 7 epochs the allocations of careful pools run out.
#[test]
fn f61_rented_stake_certifies_nothing() {
    let (mut world, set) = certified(eth_terms(|_| {}), 110 * ONE);
    world.stake("rented", "op", 1_000 * ONE);
    assert_eq!(world.refused(SERVICE, World::declare(set, 101 * ONE)), "declare_profit.Uncertified");
    world.advance(1);
    let mut stayed = world.clone();
    world.leave("rented", "op");
    assert_eq!(world.refused(SERVICE, World::declare(set, 101 * ONE)), "declare_profit.Uncertified");
    // The control: while it stays the check passes; and then it leaves.
    stayed.must(SERVICE, World::declare(set, 1_000 * ONE));
    stayed.leave("rented", "op");
    stayed.advance(1);
    let since = stayed.now();
    assert!(stayed.is_under_collateralised(set));
    stayed.advance(7);
    assert_eq!(stayed.parts("op", set), (256, 256));
    stayed.advance(2);
    assert_eq!((stayed.now(), stayed.parts("op", set)), (since + 9, (0, 0)));
    assert_eq!(stayed.refused("op", World::allocation(set, 1)), "allocate.NotCertified");
}

/// 61, with the parameter changed in flight: G falls from 7 to 3 when 5 epochs of grace are over. The allocations run out all the same.
#[test]
fn f61_a_shorter_grace_is_not_stepped_over() {
    let (mut world, set) = certified(eth_terms(|_| {}), 110 * ONE);
    world.must(SERVICE, World::declare(set, 100 * ONE));
    let from = world.propose(|parameters| parameters.grace = 3).expect("within the bounds");
    world.go_to(from - 6);
    world.leave("alice", "op");
    world.advance(1);
    assert!(world.is_under_collateralised(set));
    world.go_to(from + 2);
    assert_eq!(world.parts("op", set), (0, 0));
}

/// A set of operators with so many units of stake each, of a token whose rate is proven; the staker of an operator has its name.
fn with_rate(stakes: &[(&str, u128)]) -> (World, AssetId, SetId) {
    let mut world = World::new();
    let token = world.list(AssetKind::Token, RateSource::Proven);
    world.govern(token, Some(1_000_000_000), None);
    let set = world.set(terms(&[token]));
    for (operator, stake) in stakes {
        world.operator(operator);
        world.open_pool(operator, token, any_mandate(), Fraction::ZERO);
        world.stake_in(operator, operator, token, *stake);
        let allocation = ops::join_set::Allocation { asset: token, parts: 256 };
        let join = ops::join_set::JoinSet { allocations: vec![allocation], ..world.joining(set, 0) };
        world.must(operator, Operation::JoinSet(join));
    }
    world.advance(8);
    (world, token, set)
}

fn report(asset: AssetId, rate: u128) -> Operation {
    let (rate, proof) = (Amount::new(rate), evidence::Proof::Development);
    Operation::ReportRate(ops::report_rate::ReportRate { asset, rate, proof })
}

/// 61, in small change: a unit is worth a hundredth, and 99 units weigh nothing. 1,100 of them, weighing 11, do not leave in eleven parts
/// that nobody counts: what leaves is rounded up.
#[test]
fn f61_what_leaves_in_small_change_leaves() {
    let (mut world, token, set) = with_rate(&[("op", 1_100)]);
    world.must("anyone", report(token, ONE / 100));
    world.advance(1);
    assert_eq!(world.weight(set, "op"), 11);
    let mut stayed = world.clone();
    for _ in 0..11 {
        let leave = ops::undelegate::Undelegate { asset: token, ..world.undelegation("op", Some(99)) };
        world.must("op", Operation::Undelegate(leave));
    }
    assert_eq!(world.refused(SERVICE, World::declare(set, 1)), "declare_profit.Uncertified");
    stayed.must(SERVICE, World::declare(set, 10));
}

/// 61, behind a rate: all of b's stake leaves. a gives its parts back, the rate rises by 1 %, a takes them again: it has brought back more
/// than it had taken away, as much as b took. What leaves is measured in the table's own weight, which no rate moves; so giving back and
/// taking again comes to nothing, however often.
#[test]
fn f61_parts_given_back_and_taken_again_hide_no_leave() {
    let (mut world, token, set) = with_rate(&[("a", 1_000 * ONE), ("b", 10 * ONE)]);
    let leave = ops::undelegate::Undelegate { asset: token, ..world.undelegation("b", None) };
    world.must("b", Operation::Undelegate(leave));
    let with = |parts: u16| {
        let (expected_parts, expected_slashes) = (None, None);
        let asset = token;
        Operation::Allocate(ops::allocate::Allocate { set, asset, parts, expected_parts, expected_slashes })
    };
    world.must("a", with(0));
    world.must("anyone", report(token, ONE + ONE / 100));
    world.must("a", with(256));
    for parts in [1, 256, 0, 256] {
        world.must("a", with(parts));
    }
    // 1,010 would secure 918, and the 1,000 that stay secure 909.
    assert_eq!(world.refused(SERVICE, World::declare(set, 918 * ONE)), "declare_profit.Uncertified");
    world.must(SERVICE, World::declare(set, 909 * ONE));
}

/// Two operators sign a message for a table; the certificate, and the keys.
fn signed_table() -> (World, Certificate) {
    let mut world = World::new();
    let set = world.set(eth_terms(|_| {}));
    let mut keys: Vec<SecretKey> = Vec::new();
    for (seed, name) in [(1, "a"), (2, "b")] {
        world.operator(name);
        world.stake("alice", name, 100 * ONE);
        world.join(name, set, 256);
        keys.push(world.key(name, set, Scheme::Bls12381, seed));
    }
    world.advance(1);
    let signers = Bitmap::from_indexes([0, 1]).expect("two places");
    let signature = signing::aggregate(&[keys[0].sign(b"")]).expect("a signature");
    let unsigned = Certificate { set: set.number(), epoch: 1, message: [9; 32], signers, signature };
    let bytes = unsigned.signing_bytes(&world.state.genesis().ledger.0);
    let signatures: Vec<_> = keys.iter().map(|key| key.sign(&bytes)).collect();
    let signature = signing::aggregate(&signatures).expect("an aggregate");
    (world, Certificate { signature, ..unsigned })
}

/// 64: a table of epoch e is signed in e + 30, when all its stake has left. It is valid through e + W only.
#[test]
fn f64_a_certificate_is_worth_nothing_once_nobody_can_be_punished_for_it() {
    let (mut world, certificate) = signed_table();
    world.go_to(8);
    let backing = world.state.check_certificate(&certificate).expect("the control: 1 + W is 8");
    assert_eq!((backing.weight.units(), backing.share), (200 * ONE, Fraction::ONE));
    world.advance(1);
    let refusal = world.state.check_certificate(&certificate).expect_err("nobody can be punished in 9");
    assert_eq!(refusal.name(), "Expired");
}

/// 65: a BFT set declares that corrupting it takes all of the weight, and it takes a third. Two certificates at quorum q overlap in
/// `2q - 1`.
#[test]
fn f65_a_quorum_bounds_the_corruption_share() {
    let two_thirds = Fraction::from_steps(Fraction::STEPS / 3 * 2).expect("a fraction");
    let with = |alpha: Fraction| {
        eth_terms(|terms| (terms.corruption_share, terms.quorum) = (alpha, Some(two_thirds)))
    };
    let mut world = World::new();
    let overlap =
        Fraction::from_steps(two_thirds.steps() - two_thirds.complement().steps()).expect("a third");
    for alpha in [Fraction::ONE, overlap.plus_up_to_one(Fraction::STEP)] {
        assert_eq!(world.refused(SERVICE, create(with(alpha))), "create_set.BadTerms");
    }
    world.must(SERVICE, create(with(overlap)));
    world.must(SERVICE, create(eth_terms(|terms| terms.corruption_share = Fraction::ONE)));
}

/// 66: a rate falls without an operation of the set's, and its security is gone in silence. The boundary looks at every set.
#[test]
fn f66_a_falling_rate_is_noticed_at_the_boundary() {
    let (mut world, token, set) = with_rate(&[("op", 110 * ONE)]);
    world.must(SERVICE, World::declare(set, 100 * ONE));
    let mut still = world.clone();
    world.must("anyone", report(token, ONE / 2));
    world.advance(1);
    assert!(world.is_under_collateralised(set));
    assert_near(world.weight(set, "op"), 55 * ONE);
    still.advance(1);
    assert!(!still.is_under_collateralised(set), "the control: the rate stays");
}

/// 67: a set without weight is corrupted by the empty coalition. With a profit it is under-collateralised, and it can't declare one.
#[test]
fn f67_an_empty_set_secures_nothing() {
    let (mut world, set) = certified(eth_terms(|_| {}), 110 * ONE);
    let empty = world.set(eth_terms(|_| {}));
    assert_eq!(world.refused(SERVICE, World::declare(empty, 1)), "declare_profit.Uncertified");
    world.must(SERVICE, World::declare(set, 1));
    world.leave_set("op", set);
    world.advance(1);
    assert!(world.is_under_collateralised(set));
    assert!(
        !world.is_under_collateralised(empty),
        "the control: without a profit there is nothing to fall short of"
    );
    assert_eq!(world.free("alice", ETH), 0);
}
