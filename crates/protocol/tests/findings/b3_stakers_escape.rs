//! The staker escapes.

use evidence::Proof;
use protocol::units::{Amount, AssetId, Fraction, SetId, ValidatorId};
use protocol::{AssetKind, Operation, RateSource, ops};

use crate::offers::{ETH, ONE, any_mandate, eth_terms, percent, terms};
use crate::receipts::assert_near;
use crate::world::World;

/// The findings that are tested here, each by its first test.
pub(crate) const FINDINGS: [(u8, fn()); 3] = [
    (27, f27_exits_cover_every_capture_that_is_open_when_they_get_shorter),
    (28, f28_a_loss_on_the_chain_and_a_slash_here_commute),
    (31, f31_a_delegation_can_be_taken_back_in_its_epoch_and_an_undelegation_never),
];

/// 27: U goes from 21 to 14 together with W from 14 to 7. An offence of the epoch before can be executed for 21 epochs; who leaves in the
/// first is free after 14. `U >= W + V + X` held at every moment, and the change is refused.
#[test]
fn f27_exits_cover_every_capture_that_is_open_when_they_get_shorter() {
    let mut world = World::with(|genesis| {
        (genesis.parameters.unbonding, genesis.parameters.slash_window) = (21, 14);
    });
    world.go_to(100);
    let shorter = |unbonding: u32| {
        move |p: &mut protocol::genesis::Parameters| {
            (p.unbonding, p.slash_window) = (unbonding, 7);
        }
    };
    let refusal = world.propose(shorter(14)).expect_err("14 epochs do not cover 21");
    assert_eq!(refusal.code(), "propose_parameters.ExitsTooShort");
    let (last_execution, free_at) = (107 + 14 + 5 + 2, 108 + 14 + 1);
    assert!(free_at <= last_execution, "they would be gone: {free_at}");
    // The control: exits stay long until the old captures are closed.
    assert_eq!(world.propose(shorter(21)).map_err(|why| why.code()), Ok(108));
}

/// 27, the other way: who left before W rose from 7 to 14 is free after the old U, and an offence before it is reported within the old
/// W, so no slash comes too late for it.
#[test]
fn f27_longer_windows_govern_later_offences_only() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100 * ONE);
    world.go_to(92);
    let longer = |p: &mut protocol::genesis::Parameters| (p.unbonding, p.slash_window) = (21, 14);
    assert_eq!(world.propose(longer).map_err(|why| why.code()), Ok(100));
    world.stake("bob", "op", ONE);
    world.go_to(99);
    world.leave("alice", "op");
    world.go_to(106);
    let mut in_time = world.clone();
    world.advance(1);
    let late = world.request(set, "op", 99, Fraction::ONE);
    assert_eq!(world.refused("service", late), "request_slash.TooLate");
    world.go_to(114);
    world.release("alice", "op").expect("99 + 14 + 1");
    assert_eq!(world.free("alice", ETH), 100 * ONE);
    // The control: within the old window alice is still there, and pays; and 100 may be reported until 114.
    assert_eq!(in_time.slash(set, "op", 99, Fraction::ONE), 101 * ONE);
    world.ask(set, "op", 100, Fraction::ONE);
}

/// 27, by the operator: W falls from 14 to 7 and it gives its parts back in the first epoch. An offence of the epoch before is executed
/// as late as its own windows allow, and finds the parts.
#[test]
fn f27_parts_given_back_under_shorter_windows_stay_for_older_offences() {
    let mut world = World::with(|genesis| {
        (genesis.parameters.unbonding, genesis.parameters.slash_window) = (21, 14);
    });
    world.operator("op");
    let set = world.set(eth_terms(|_| {}));
    world.stake("alice", "op", 100 * ONE);
    world.join("op", set, 256);
    world.go_to(92);
    assert_eq!(world.propose(|p| p.slash_window = 7).map_err(|why| why.code()), Ok(100));
    world.go_to(100);
    world.leave_set("op", set);
    world.go_to(99 + 14);
    let request = world.ask(set, "op", 99, Fraction::ONE);
    world.advance(2);
    assert_eq!(world.execute(request), 100 * ONE);
}

/// A validator with 32 restaked and allocated to a set.
fn world_with_validator() -> (World, AssetId, SetId) {
    let mut world = World::new();
    let native = world.list(AssetKind::Native, RateSource::One);
    world.operator("op");
    world.open_pool("op", native, any_mandate(), Fraction::ZERO);
    let set = world.set(terms(&[native]));
    report(&mut world, native, 32);
    let (validator, delegation) = (Some(ValidatorId::new(0)), world.delegation("op", native, 32 * ONE));
    world.must("alice", Operation::Delegate(ops::delegate::Delegate { validator, ..delegation }));
    let allocation = ops::join_set::Allocation { asset: native, parts: 256 };
    let join = ops::join_set::JoinSet { allocations: vec![allocation], ..world.joining(set, 0) };
    world.must("op", Operation::JoinSet(join));
    world.advance(1);
    (world, native, set)
}

fn report(world: &mut World, asset: AssetId, balance: u128) {
    let (balance, proof) = (Amount::new(balance * ONE), Proof::Development);
    let report =
        ops::report_validator::ReportValidator { asset, validator: 7, account: None, balance, proof };
    world.must("alice", Operation::ReportValidator(report));
}

/// 28: a validator with 32 loses 16 on its chain and is slashed a half here. Subtracted, the owner keeps 0 or 8, by who proves first;
/// multiplied, it keeps 8 and 8 are slashed, in both orders.
#[test]
fn f28_a_loss_on_the_chain_and_a_slash_here_commute() {
    for is_chain_first in [true, false] {
        let (mut world, native, set) = world_with_validator();
        if is_chain_first {
            report(&mut world, native, 16);
        }
        world.slash(set, "op", 1, percent(50));
        if !is_chain_first {
            report(&mut world, native, 16);
        }
        assert_near(world.worth_in("alice", "op", native), 8 * ONE);
        let sum = protocol::invariants::conservation(&world.state, native);
        assert_near(sum.held.units(), 8 * ONE);
        assert_eq!(sum.lost.units(), 16 * ONE);
    }
    let subtracted = 32 - 16 - 16;
    assert_eq!(subtracted, 0, "the owner would have nothing left");
}

/// 28, after the stake has left: 16 of 32 are slashed and still in the validator when it falls to 16. The owner has 8 of them.
#[test]
fn f28_what_was_slashed_shares_a_loss_after_the_stake_has_left() {
    let (mut world, native, set) = world_with_validator();
    world.slash(set, "op", 1, percent(50));
    let leave = ops::undelegate::Undelegate { asset: native, ..world.undelegation("op", None) };
    world.must("alice", Operation::Undelegate(leave));
    world.advance(15);
    let (account, operator) = (None, world.id("op"));
    world.must("alice", Operation::Release(ops::release::Release { account, operator, asset: native }));
    let mut without = world.clone();
    report(&mut world, native, 16);
    assert_near(world.free("alice", native), 8 * ONE);
    let sum = protocol::invariants::conservation(&world.state, native);
    assert_near(sum.held.units(), 8 * ONE);
    // The control: without a loss both are whole.
    report(&mut without, native, 32);
    assert_near(without.free("alice", native), 16 * ONE);
}

/// 28: nobody proves that the validator is at 16; it weighs and earns as 32. Unproven for K = 30 epochs anyone may send it away.
#[test]
fn f28_a_phantom_balance_weighs_nothing_once_it_is_stale() {
    let (mut world, native, set) = world_with_validator();
    let stale = ops::declare_stale::DeclareStale { validator: ValidatorId::new(0) };
    world.go_to(29);
    assert_eq!(world.refused("anyone", Operation::DeclareStale(stale.clone())), "declare_stale.StillFresh");
    world.go_to(30);
    assert_eq!(world.weight(set, "op"), 32 * ONE);
    let mut silent = world.clone();
    world.must("anyone", Operation::DeclareStale(stale));
    world.stream(set, 100, 2);
    world.advance(2);
    assert_eq!((world.weight(set, "op"), world.earned("alice", "op")), (0, 0));
    assert_eq!(world.worth_in("alice", "op", native), 32 * ONE, "it leaves like any stake");
    // The control: while nobody says so it weighs on.
    silent.advance(2);
    assert_eq!(silent.weight(set, "op"), 32 * ONE);
}

/// 31: a delegation is taken back before it was ever bonded, and an undelegation to escape the wait. The first is free at once and was
/// liable for nothing; the second can't be.
#[test]
fn f31_a_delegation_can_be_taken_back_in_its_epoch_and_an_undelegation_never() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100 * ONE);
    world.stake("bob", "op", 100 * ONE);
    let mut stayed = world.clone();
    world.leave("bob", "op");
    assert_eq!(world.free("bob", ETH), 100 * ONE);
    world.leave("alice", "op");
    // What leaves is not there to be delegated, undelegated or released again.
    let again = Operation::Delegate(world.delegation("op", ETH, 100 * ONE));
    assert_eq!(world.refused("alice", again), "delegate.ExceedsFree");
    let again = Operation::Undelegate(world.undelegation("op", None));
    assert_eq!(world.refused("alice", again), "undelegate.NothingDelegated");
    world.advance(14);
    let refusal = world.release("alice", "op").expect_err("free in 16");
    assert_eq!(refusal.code(), "release.NotYetFree");
    world.advance(1);
    world.release("alice", "op").expect("free in 16");
    // The control: bob, not taken back, is bonded and pays.
    stayed.advance(1);
    assert_eq!(stayed.slash(set, "op", 2, Fraction::ONE), 200 * ONE);
}
