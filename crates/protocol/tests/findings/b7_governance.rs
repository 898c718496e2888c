//! Governance and guardian.

use protocol::genesis::Genesis;
use protocol::ops::guard::{Guard, Stop};
use protocol::units::{Amount, Fraction};
use protocol::{Authority, Operation, Signer, State, apply, ops};

use crate::offers::{ETH, ONE, SERVICE, address, eth_terms};
use crate::world::World;

/// The findings that are tested here, each by its first test.
pub(crate) const FINDINGS: [(u8, fn()); 3] = [
    (68, f68_a_guardian_pardons_nobody),
    (69, f69_parameters_move_with_notice_and_within_bounds),
    (70, f70_the_version_of_the_rules_is_announced),
];

fn stop(world: &mut World, stop: Stop) -> Result<(), String> {
    let authority =
        Authority { account: world.state.genesis().guardian, signer: Signer::Plain, expires: u64::MAX };
    let outcome = apply(&mut world.state, &authority, &Operation::Guard(Guard { stop }));
    outcome.map(drop).map_err(|refusal| refusal.code())
}

const STOPS: [Stop; 4] = [Stop::Joins, Stop::Listings, Stop::Sets, Stop::Allocations];

/// 68: the guardian pauses slashing for X epochs, and every request lapses while the stake matures. It may stop joins, listings, new sets
/// and allocations for 7 epochs and then nothing for 21; no clock stops, and nothing that is under way.
#[test]
fn f68_a_guardian_pardons_nobody() {
    let vetoable = eth_terms(|terms| (terms.resolvers, terms.veto) = (vec![address("resolver")], 1));
    let (mut world, set) = World::with_stake(vetoable, 100 * ONE);
    world.stake("bob", "op", 100 * ONE);
    world.advance(1);
    world.leave("bob", "op");
    world.go_to(16);
    let request = world.ask(set, "op", 16, Fraction::ONE);
    for what in STOPS {
        assert_eq!(stop(&mut world, what), Ok(()));
    }
    world.deposit("carol", ETH, ONE);
    let join = Operation::Delegate(world.delegation("op", ETH, ONE));
    assert_eq!(world.refused("carol", join.clone()), "delegate.JoinsStopped");
    let create = Operation::CreateSet(ops::create_set::CreateSet { terms: eth_terms(|_| {}) });
    assert_eq!(world.refused(SERVICE, create), "create_set.SetsStopped");
    // Less is not more.
    world.must("op", World::allocation(set, 255));
    assert_eq!(world.refused("op", World::allocation(set, 256)), "allocate.AllocationsStopped");
    world.must("resolver", World::veto(request));
    world.advance(1);
    let asked = world.ask(set, "op", 17, Fraction::ONE);
    world.release("bob", "op").expect("free in 17");
    let out = ops::withdraw::Withdraw { asset: ETH, amount: Amount::new(100 * ONE), to: "0xb0b".to_owned() };
    world.must("bob", Operation::Withdraw(out));
    world.advance(2);
    assert_eq!(world.execute(asked), 100 * ONE * 255 / 256, "what the set owned in 17");
    world.leave("alice", "op");

    world.go_to(23);
    world.must("carol", join);
    assert_eq!(stop(&mut world, Stop::Joins), Err("guard.TooSoon".to_owned()));
    world.go_to(44);
    assert_eq!(stop(&mut world, Stop::Joins), Ok(()), "16 + 7 + 21");
}

/// 69: U of 10^9 is a legal change, and who sleeps is locked; or the least risk weight and gamma are lowered in the next block. Changes
/// stay within the bounds of the genesis and take the notice; what is leaving keeps its date.
#[test]
fn f69_parameters_move_with_notice_and_within_bounds() {
    let (mut world, _) = World::with_stake(eth_terms(|_| {}), 100 * ONE);
    let refusal =
        world.propose(|parameters| parameters.unbonding = 1_000_000_000).expect_err("out of bounds");
    assert_eq!(refusal.code(), "propose_parameters.OutOfBounds");
    assert_eq!(world.propose(|parameters| parameters.unbonding = 64).map_err(|why| why.code()), Ok(9));
    world.go_to(8);
    world.leave("alice", "op");
    world.stake("late", "op", ONE);
    world.advance(1);
    world.leave("late", "op");
    world.go_to(8 + 14 + 1);
    world.release("alice", "op").expect("she left under 14");
    // The control: who leaves under the new one waits 64.
    let refusal = world.release("late", "op").expect_err("9 + 64 + 1");
    assert_eq!(refusal.code(), "release.NotYetFree");

    let mut genesis = Genesis::development();
    genesis.bounds.unbonding = [3, 1_000_000_000];
    assert!(State::new(genesis).is_err(), "and no genesis admits more than 64");
}

/// 69, in flight: an announcement is replaced by another before it counts. What was replaced never counts.
#[test]
fn f69_a_replaced_announcement_never_counts() {
    let mut world = World::new();
    assert_eq!(world.propose(|parameters| parameters.grace = 20).map_err(|why| why.code()), Ok(8));
    world.advance(1);
    assert_eq!(world.propose(|parameters| parameters.grace = 30).map_err(|why| why.code()), Ok(9));
    world.go_to(8);
    assert_eq!(world.state.parameters().grace, 7);
    world.advance(1);
    assert_eq!(world.state.parameters().grace, 30);
}

/// 70: an upgrade of the code decides everything and is nowhere to be seen. The version of the rules is a parameter: part of the state,
/// announced before. (That a proof of another chain conflicts with an accepted one belongs to the base chains.)
#[test]
fn f70_the_version_of_the_rules_is_announced() {
    let (mut world, _) = World::with_stake(eth_terms(|_| {}), 100 * ONE);
    let from = world.propose(|parameters| parameters.rules_version = 2).expect("a change like any other");
    world.go_to(from - 1);
    assert_eq!(world.state.parameters().rules_version, 1);
    world.leave("alice", "op");
    world.advance(1);
    assert_eq!(world.state.parameters().rules_version, 2);
    world.go_to(from + 14);
    world.release("alice", "op").expect("an exit under the old version is possible in the new one");
}
