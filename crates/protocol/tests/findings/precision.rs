//! The peer's failures of precision, which must not exist here. Each test names what the peer does (recorded from its own contracts).

use protocol::units::{AssetId, Fraction, SetId};
use protocol::{AssetKind, Operation, RateSource, ops};

use crate::offers::{ETH, ONE, any_mandate, eth_terms, percent, terms};
use crate::receipts::assert_near;
use crate::world::World;

/// All but 10^-17, which leaves the peer's operator with a magnitude of 10.
fn nearly_everything() -> Fraction {
    Fraction::from_steps(Fraction::STEPS - 10).expect("a fraction")
}

/// The peer: after such a slash a slash of 10^-18 is rounded up to one of ten units of magnitude, and takes 10 % of new stake of 1,000:
/// 100; ten of them take everything. Here: 1,000 base units, and one at most for rounding.
#[test]
fn the_smallest_slash_takes_its_share_of_new_stake_and_one_unit() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), ONE);
    world.slash(set, "op", 1, nearly_everything());
    world.stake("bob", "op", 1_000 * ONE);
    world.advance(1);
    for index in 1..=10 {
        let capture = world.now();
        let taken = world.slash(set, "op", capture, Fraction::STEP);
        assert!(taken <= 1_001, "slash {index} took {taken}");
        assert!(world.worth("bob", "op") + index * 1_001 >= 1_000 * ONE);
    }
    assert!(world.worth("bob", "op") + 10_000 <= 1_000 * ONE + 10, "and it takes that share");
}

/// The peer: after 99.9 % slashed, 1,000 deposits of 1,000 units make the staker's stake 1,000 larger, not 1,000,000. Here nothing is
/// lost, one by one or epoch by epoch.
#[test]
fn small_deposits_after_a_large_slash_lose_nothing() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 44_000_000_000 * ONE);
    let most = Fraction::from_steps(Fraction::STEPS / 1_000 * 999).expect("a fraction");
    world.slash(set, "op", 1, most);
    let before = world.worth("alice", "op");
    for index in 1..=1_000 {
        world.stake("alice", "op", 1_000);
        assert_near(world.worth("alice", "op"), before + index * 1_000);
        if index % 100 == 0 {
            world.advance(1);
        }
    }
}

/// The peer: deposits of 7 and then of 1 under a magnitude of a third leave 6 withdrawable.
#[test]
fn seven_and_one_are_eight() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), ONE);
    let two_thirds = Fraction::from_steps(Fraction::STEPS / 3 * 2 + 1).expect("a fraction");
    world.slash(set, "op", 1, two_thirds);
    world.stake("bob", "op", 7);
    world.stake("bob", "op", 1);
    world.advance(1);
    assert_eq!(world.worth("bob", "op"), 8);
    world.leave("bob", "op");
    world.advance(15);
    world.release("bob", "op").expect("free");
    assert_eq!(world.free("bob", ETH), 8);
}

/// The peer: after 100 % further deposits of a delegated staker are refused, for the operator itself for ever. Here everybody leaves, and
/// starts anew with the same operator.
#[test]
fn who_was_slashed_to_nothing_leaves_and_starts_anew() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), ONE);
    world.stake("op", "op", ONE);
    world.advance(1);
    assert_eq!(world.slash(set, "op", 2, Fraction::ONE), 2 * ONE);
    for name in ["alice", "op"] {
        assert_eq!(world.worth(name, "op"), 0);
        world.leave(name, "op");
        world.stake(name, "op", 5);
    }
    world.advance(15);
    for name in ["alice", "op"] {
        world.release(name, "op").expect("nothing is free as well");
        assert_eq!((world.free(name, ETH), world.worth(name, "op")), (0, 5));
    }
    assert_eq!(world.weight(set, "op"), 10, "and the set has the new stake");
    // What was never asked back is no hindrance either.
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), ONE);
    world.slash(set, "op", 1, Fraction::ONE);
    world.stake("alice", "op", 5);
    world.advance(1);
    world.must("alice", Operation::Undelegate(world.undelegation("op", Some(2))));
    world.advance(15);
    world.release("alice", "op").expect("free");
    assert_eq!((world.free("alice", ETH), world.worth("alice", "op")), (2, 3));
}

/// What 1,000 tokens of so many decimals are worth after slashes of a third, of a hundredth and of 10^-18, in base units.
fn slashed_thrice(decimals: u32) -> u128 {
    let amount = 1_000 * 10_u128.pow(decimals);
    let mut world = World::new();
    let token = world.list(AssetKind::Token, RateSource::One);
    world.operator("op");
    world.open_pool("op", token, any_mandate(), Fraction::ZERO);
    let set = world.set(terms(&[token]));
    world.stake_in("alice", "op", token, amount);
    join(&mut world, set, token);
    for fraction in
        [Fraction::from_steps(Fraction::STEPS / 3).expect("a fraction"), percent(1), Fraction::STEP]
    {
        let capture = world.now();
        world.slash(set, "op", capture, fraction);
    }
    world.worth_in("alice", "op", token)
}

fn join(world: &mut World, set: SetId, token: AssetId) {
    let allocation = ops::join_set::Allocation { asset: token, parts: 256 };
    let join = ops::join_set::JoinSet { allocations: vec![allocation], ..world.joining(set, 0) };
    world.must("op", Operation::JoinSet(join));
    world.advance(1);
}

/// The peer tells services to ask for at least 1,000 USDC or 10 WBTC per operator, and not to slash less than 0.01 %. Here 660 are left of
/// 1,000 to the unit, whatever a unit is.
#[test]
fn six_and_eight_decimals_are_as_safe_as_eighteen() {
    let exact = 660 * ONE;
    for decimals in [0, 6, 8, 18] {
        let unit = 10_u128.pow(18 - decimals);
        let worth = slashed_thrice(decimals) * unit;
        // A third is 10^-18 short of one: a few units of eighteen decimals, and one of fewer.
        assert!(worth.abs_diff(exact) <= unit + 2_000, "{worth} with {decimals} decimals");
    }
}

/// Alice's pool with dust that joins before each of eight slashes: four histories, all that this ledger admits.
fn scarred_pool() -> (World, SetId) {
    let mut world = World::with(|genesis| genesis.limits.tracks_per_pool = 4);
    world.operator("op");
    let set = world.set(eth_terms(|_| {}));
    world.stake("alice", "op", ONE);
    world.join("op", set, 256);
    world.advance(1);
    for index in 0..3 {
        let capture = world.now();
        world.slash(set, "op", capture, percent(1));
        world.stake(&format!("dust{index}"), "op", 1_000);
        world.advance(1);
    }
    (world, set)
}

/// A pool is bounded by how many histories of slashes its stake has. Full of them it takes no new stake; it is slashed and left as before,
/// heals when old stake leaves, and its operator may register anew under another account.
#[test]
fn a_pool_full_of_scars_refuses_joins_only_and_heals() {
    let (mut world, set) = scarred_pool();
    world.deposit("bob", ETH, 2);
    let join = Operation::Delegate(world.delegation("op", ETH, 1));
    assert_eq!(world.refused("bob", join.clone()), "delegate.PoolIsScarred");
    let capture = world.now();
    let before = world.worth("alice", "op");
    world.slash(set, "op", capture, percent(10));
    assert_near(world.worth("alice", "op"), before - before / 10);

    world.operator("anew");
    let elsewhere = Operation::Delegate(world.delegation("anew", ETH, 1));
    world.must("bob", elsewhere);

    for index in 0..3 {
        world.leave(&format!("dust{index}"), "op");
    }
    world.advance(15);
    for index in 0..3 {
        world.release(&format!("dust{index}"), "op").expect("free");
    }
    world.advance(1);
    world.must("bob", join);
}
