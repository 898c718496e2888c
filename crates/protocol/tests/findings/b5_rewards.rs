//! Free riding on rewards.

use evidence::Proof;
use protocol::ops::compounding::{Order, SetCompounding};
use protocol::units::{Amount, AssetId, Epoch, Fraction, SetId};
use protocol::{AssetKind, Operation, RateSource, ops};

use crate::offers::{ETH, ONE, SERVICE, address, any_mandate, eth_terms, percent, terms};
use crate::receipts::assert_near;
use crate::world::World;

/// The findings that are tested here, each by its first test.
pub(crate) const FINDINGS: [(u8, fn()); 6] = [
    (49, f49_a_rate_rises_by_q_an_epoch_and_falls_at_once),
    (50, f50_nobody_joins_for_a_pay_day),
    (51, f51_commission_is_that_of_the_epoch_worked_in),
    (52, f52_what_is_compounded_is_new_stake),
    (53, f53_only_named_tokens_are_paid_and_each_is_claimed_alone),
    (54, f54_one_epoch_bonded_earns_one_epoch),
];

/// A token with a proven rate is all the stake of a set; its weight after `idle` epochs without a report, then one of `rate`.
fn weight_after_report(rate: u128, idle: u32, rise: Fraction) -> u128 {
    let mut world = World::with(|genesis| genesis.parameters.rate_rise_max = rise);
    let token = world.list(AssetKind::Token, RateSource::Proven);
    world.operator("op");
    world.open_pool("op", token, any_mandate(), Fraction::ZERO);
    let set = world.set(terms(&[token]));
    world.stake_in("lister", "op", token, 100 * ONE);
    let allocation = ops::join_set::Allocation { asset: token, parts: 256 };
    let join = ops::join_set::JoinSet { allocations: vec![allocation], ..world.joining(set, 0) };
    world.must("op", Operation::JoinSet(join));
    world.advance(idle);
    world.must("lister", report(token, rate));
    world.advance(1);
    world.weight(set, "op")
}

fn report(asset: AssetId, rate: u128) -> Operation {
    let (rate, proof) = (Amount::new(rate), Proof::Development);
    Operation::ReportRate(ops::report_rate::ReportRate { asset, rate, proof })
}

/// 49: the lister raises the rate of its token a millionfold at one boundary, and has all the weight and all the rewards. A rate is fixed
/// at 1 or proven, rises at most q = 1 % in an epoch, however long nobody reported, and falls at once.
#[test]
fn f49_a_rate_rises_by_q_an_epoch_and_falls_at_once() {
    assert_eq!(weight_after_report(16 * ONE, 1, percent(1)), 101 * ONE);
    assert_eq!(weight_after_report(16 * ONE, 50, percent(1)), 101 * ONE, "patience saves up nothing");
    assert_eq!(weight_after_report(ONE / 2, 1, percent(1)), 50 * ONE);
    assert_eq!(
        weight_after_report(16 * ONE, 1, percent(10)),
        110 * ONE,
        "the control: q of 10 %, the largest"
    );

    let mut world = World::new();
    assert_eq!(world.refused("lister", report(ETH, 2 * ONE)), "report_rate.RateIsOne");
    let token = world.list(AssetKind::Token, RateSource::Proven);
    world.advance(1);
    assert_eq!(world.refused("lister", report(token, 1_000_000 * ONE)), "report_rate.OutOfBounds");
}

/// Alice has 1 bonded; the attacker joins with 9 in 7 and leaves in 8. It is 9.
fn join_for_a_pay_day() -> (World, SetId) {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), ONE);
    world.deposit(SERVICE, ETH, 7_000);
    world.go_to(7);
    world.stake("attacker", "op", 9 * ONE);
    world.advance(1);
    world.leave("attacker", "op");
    world.advance(1);
    (world, set)
}

/// 50: 7 epochs of work are paid as a lump "for epoch 8", and who joined in 7 with nine times the stake and left in 8 gets 6,300 of 7,000.
/// Work is paid for the epochs in which it was done, each by its own stakes.
#[test]
fn f50_nobody_joins_for_a_pay_day() {
    let (mut world, set) = join_for_a_pay_day();
    let mut lump = world.clone();
    for epoch in 2..=8 {
        world.must(SERVICE, world.work(set, "op", epoch, 1_000));
    }
    world.advance(1);
    assert_near(world.earned("attacker", "op"), 900);
    assert_near(world.earned("alice", "op"), 6_100);
    // Nor for one to come.
    let today = world.work(set, "op", world.now(), 1_000);
    assert_eq!(world.refused(SERVICE, today), "pay_work.EpochNotOver");

    lump.must(SERVICE, lump.work(set, "op", 8, 7_000));
    lump.advance(1);
    assert_near(lump.earned("attacker", "op"), 6_300);
}

/// What alice gets of 1,000 for the work of epoch 2 if the operator announced its whole commission in `announced`.
fn commission_switched(announced: u32) -> u128 {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), ONE);
    world.deposit(SERVICE, ETH, 1_000);
    let all = ops::set_commission::SetCommission { asset: ETH, commission: Fraction::ONE };
    world.go_to(announced);
    world.must("op", Operation::SetCommission(all));
    let worked = if announced == 2 { 2 } else { announced + 8 };
    world.go_to(worked + 1);
    world.must(SERVICE, world.work(set, "op", worked, 1_000));
    world.advance(1);
    world.earned("alice", "op")
}

/// 51: the commission is 0 % while stake joins and 100 % on the pay day. It is that of the epoch worked in, rises after the notice, and
/// never beyond the mandate.
#[test]
fn f51_commission_is_that_of_the_epoch_worked_in() {
    assert_near(commission_switched(2), 1_000);
    assert_eq!(commission_switched(1), 0, "the control: work after the notice");

    let mut world = World::new();
    world.operator_with("op", protocol::terms::Mandate { commission: percent(10), ..any_mandate() });
    let above = ops::set_commission::SetCommission { asset: ETH, commission: percent(11) };
    assert_eq!(world.refused("op", Operation::SetCommission(above)), "set_commission.ExceedsMandate");
}

/// 52: compounding inside the pool would make new units of old liability. It is a claim and a delegation, by the staker's standing order:
/// what is compounded in 3 is not liable for 2.
#[test]
fn f52_what_is_compounded_is_new_stake() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 1_000);
    let operator = world.id("op");
    world.stream(set, 500, 2);
    world.advance(2);
    let compound = Operation::Compound(ops::compound::Compound {
        account: Some(address("alice")),
        operator,
        asset: ETH,
    });
    assert_eq!(world.refused("anyone", compound.clone()), "compound.NoOrder");
    let mandate = world.state.mandate_digest(operator, ETH).expect("a pool");
    let order = Some(Order { mandate, worst_case: Fraction::ONE });
    world.must("alice", Operation::SetCompounding(SetCompounding { operator, asset: ETH, order }));
    world.must("anyone", compound);
    let compounded = world.worth("alice", "op") - 1_000;
    assert_near(compounded, 500);
    let mut later = world.clone();
    assert_eq!(world.slash(set, "op", 2, Fraction::ONE), 1_000);
    assert_eq!(world.worth("alice", "op"), compounded);
    // The control: for an offence after it has joined it pays like the rest.
    later.advance(1);
    assert_eq!(later.slash(set, "op", 4, Fraction::ONE), 1_000 + compounded);
}

/// 53: rewards in junk without number. A set pays the tokens that its terms name, and a claim of one token waits for no other.
#[test]
fn f53_only_named_tokens_are_paid_and_each_is_claimed_alone() {
    let mut world = World::new();
    let junk = world.list(AssetKind::Token, RateSource::One);
    world.operator("op");
    let set = world.set(eth_terms(|terms| terms.reward_tokens = vec![ETH]));
    let both = world.set(eth_terms(|terms| terms.reward_tokens = vec![ETH, junk]));
    world.stake("alice", "op", ONE);
    world.join("op", set, 128);
    world.join("op", both, 128);
    world.advance(1);
    world.deposit(SERVICE, junk, 100);
    let stream = |set: SetId| {
        let per_epoch = Amount::new(100);
        Operation::OpenStream(ops::open_stream::OpenStream { set, token: junk, per_epoch, epochs: 1 })
    };
    assert_eq!(world.refused(SERVICE, stream(set)), "open_stream.TokenNotNamed");
    world.must(SERVICE, stream(both));
    world.stream(both, 100, 1);
    world.advance(2);
    let (operator, token) = (Some(world.id("op")), Some(ETH));
    let claim = ops::claim::Claim { account: None, operator, asset: None, token, to: None };
    world.must("alice", Operation::Claim(claim));
    assert_eq!(world.free("alice", junk), 0, "the junk waits");
    assert_near(world.free("alice", ETH), 100);
}

/// 54: join in e - 1, leave in e: one epoch's reward for U epochs of waiting. Stake that joins and leaves in one epoch gets nothing.
#[test]
fn f54_one_epoch_bonded_earns_one_epoch() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), ONE);
    world.stream(set, 1_000, 50);
    world.advance(9);
    world.stake("visitor", "op", ONE);
    world.stake("flash", "op", 8 * ONE);
    world.leave("flash", "op");
    world.advance(1);
    world.leave("visitor", "op");
    world.advance(20);
    assert_near(world.earned("visitor", "op"), 500);
    assert_eq!(world.earned("flash", "op"), 0);
    // The control: who stays earns every epoch: 29 with the visitor's one.
    let alone: u128 = 28 * 1_000;
    assert!(world.earned("alice", "op").abs_diff(alone + 500) <= 2, "{}", world.earned("alice", "op"));
    assert_eq!(Epoch::new(world.now()), Epoch::new(31));
}
