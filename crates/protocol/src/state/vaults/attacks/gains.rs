//! A3, A4, A12, A15, A25: taking gains that others worked for.

use super::lab::{Lab, gain, percent};
use super::with_and_without;
use crate::units::{Fraction, Shares};
use crate::vault::defence::Defence;

/// The most that the rate rises by at once, in millionths, when somebody pays a tenth of everything in; nobody has ticked for `idle` epochs.
fn step(is_checked: bool, idle: u32) -> u128 {
    const NAV: u128 = 1_000_000_000;
    let mut lab = Lab::new(is_checked);
    lab.enter("alice", NAV);
    lab.advance(idle);
    lab.donate(NAV / 10);
    lab.harvest();
    let mut steps = vec![(lab.nav() - NAV) * 1_000_000 / NAV];
    for _ in 0..8 {
        let before = lab.nav();
        lab.pass(1);
        steps.push((lab.nav() - before) * 1_000_000 / NAV);
    }
    assert_eq!(lab.nav(), NAV + NAV / 10);
    steps.into_iter().max().unwrap()
}

/// A3: who lends against shares sees a hostile payment of a tenth as a seventh of it an epoch, however long nobody has ticked.
#[test]
fn a_hostile_payment_moves_the_rate_by_a_seventh_of_it_at_once() {
    for idle in [0, 3, 30] {
        let (defended, weak) = with_and_without(Defence::Drip, |is_on| step(is_on, idle));
        assert!(defended <= 100_000 / 7 + 1, "after {idle} idle epochs: {defended}");
        assert_eq!(weak, 100_000, "all of it at once");
    }
}

/// What a deposit gains in hundred-millionths of itself that comes in before a reward of 30 bps is harvested, and leaves `hold` epochs after.
fn sandwich(is_checked: bool, hold: u32) -> i128 {
    const NAV: u128 = 1_000_000_000_000;
    const STAKE: u128 = 1_000_000_000;
    let mut lab = Lab::new(is_checked);
    lab.enter("alice", NAV);
    lab.deposit("mallory", STAKE);
    lab.donate(NAV * 30 / 10_000);
    lab.pass(1);
    lab.harvest();
    lab.pass(hold);
    let ticket = lab.request("mallory", None);
    lab.pass(2);
    let paid = lab.wait(ticket);
    gain(paid, STAKE) * 100_000_000 / i128::try_from(STAKE).unwrap()
}

/// A4, the measured fact: around a harvest a deposit gains nothing (below 0.0001 bps); for each epoch that it stays its part of a
/// seventh. Without the drip it gains all of the 30 bps.
#[test]
fn a_deposit_around_a_harvest_gains_nothing() {
    const BPS: i128 = 10_000;
    for hold in 0..=8 {
        let (defended, weak) = with_and_without(Defence::Drip, |is_on| sandwich(is_on, hold));
        let most = 30 * BPS * i128::from(hold.min(7)) / 7;
        assert!(defended <= most + BPS / 10_000, "held for {hold} epochs: {defended} and at most {most}");
        assert!(weak > 29 * BPS, "{weak}");
    }
}

/// What leaves at once in the epoch in which it came in.
#[test]
fn shares_of_the_epoch_do_not_leave_at_once() {
    let leaves = |is_on: bool| {
        let mut lab = Lab::new(is_on);
        lab.enter("alice", 1_000_000);
        lab.enter("mallory", 1_000);
        lab.act("mallory", super::lab::world::World::leaving(1_000)).is_ok()
    };
    assert_eq!(with_and_without(Defence::Freshness, leaves), (false, true));
}

/// What a squatter has after a year of asking back and changing its mind in each epoch, next to a holder of as much; and what the holder has.
fn squat(is_checked: bool) -> (u128, u128) {
    let mut lab = Lab::new(is_checked);
    lab.deposit("alice", 1_000_000_000);
    lab.enter("mallory", 1_000_000_000);
    lab.put(1_900_000_000);
    for _ in 0..if is_checked { 60 } else { 365 } {
        let ticket = lab.request("mallory", None);
        lab.donate(1_000_000);
        lab.harvest();
        lab.pass(1);
        drop(lab.act("mallory", super::lab::world::World::cancelling(ticket)));
        if lab.shares("mallory") == 0 {
            break;
        }
    }
    (lab.has("mallory"), lab.has("alice"))
}

/// A12: a place in the line costs the gains of the time; where changing one's mind gives them back, it is free.
#[test]
fn a_place_in_the_line_is_no_free_option() {
    let (defended, weak) = with_and_without(Defence::CancelForfeits, |is_on| {
        let mut lab = Lab::new(is_on);
        lab.deposit("alice", 1_000_000_000);
        lab.enter("mallory", 1_000_000_000);
        lab.put(2_000_000_000);
        lab.pass(1);
        lab.donate(70_000_000);
        lab.harvest();
        // At work too, so that nothing of the line is paid with it.
        lab.put(70_000_000);
        let ticket = lab.request("mallory", None);
        lab.pass(8);
        lab.cancel("mallory", ticket);
        (lab.has("mallory"), lab.has("alice"))
    });
    assert!(defended.0 <= 1_000_000_000 && defended.1 > 1_034_000_000, "{defended:?}");
    assert_eq!(weak.0, weak.1, "it had its place for nothing");
    let (squatter, holder) = squat(true);
    assert!(squatter <= holder, "{squatter} and {holder}");
}

/// What the holders have after a year's gain of a tenth with a fee of a tenth, and what the treasury has; whether a breach was noticed.
fn fee(is_checked: bool) -> (u128, u128, bool) {
    let mut lab = Lab::with(is_checked, |terms| terms.fee = percent(10));
    lab.enter("alice", 1_000_000_000);
    lab.donate(100_000_000);
    lab.harvest();
    let mut is_noticed = false;
    for _ in 0..8 {
        lab.advance(1);
        let steps = crate::ops::vault_tick::VaultTick { vault: super::lab::VAULT, steps: None };
        let events = lab.act("anyone", crate::Operation::VaultTick(steps)).unwrap();
        is_noticed |= events.iter().any(|event| matches!(event, crate::Event::VaultBreached { .. }));
        lab.tick();
    }
    (lab.worth("alice"), lab.worth("treasury"), is_noticed)
}

/// A15: a fee at a wrong scale is minted by nobody: the second computation notices, deposits stop. Without it the holders are robbed.
#[test]
fn a_fee_at_a_wrong_scale_is_not_minted() {
    let (alice, treasury, is_noticed) = fee(true);
    assert!(
        !is_noticed && treasury > 9_900_000 && treasury < 11_000_000 && alice > 1_089_000_000,
        "{treasury} and {alice}"
    );
    let (wrong, robbed) = {
        let wrong = crate::vault::defence::without(Some(Defence::FeeScale), || fee(true));
        (wrong, crate::vault::defence::without(Some(Defence::FeeCheck), || fee(false)))
    };
    assert!(wrong.2 && wrong.1 == 0 && wrong.0 > 1_099_000_000, "noticed, and nothing was minted: {wrong:?}");
    assert!(robbed.0 < 1_000_000 && robbed.1 > 1_000_000_000, "{robbed:?}");
}

/// What a deposit gains that comes in before the tick that settles a fifth of all shares which forfeit 30 bps, and leaves after it; in
/// millionths of itself.
fn settlement(is_checked: bool) -> i128 {
    const NAV: u128 = 1_000_000_000_000;
    const STAKE: u128 = 1_000_000_000;
    let mut lab = Lab::new(is_checked);
    lab.deposit("alice", NAV / 5 * 4);
    lab.enter("bob", NAV / 5);
    lab.put(NAV);
    lab.pass(1);
    lab.request("bob", None);
    // The gain counts while bob waits for his stake.
    lab.donate(NAV * 30 / 10_000);
    lab.harvest();
    lab.pass(8);
    let mut earlier = vec![lab.clone()];
    while lab.vault().queue.waiting > Shares::ZERO {
        lab.pass(1);
        earlier.push(lab.clone());
    }
    // Two boundaries before that of the settlement; mallory is in with the one between.
    let mut lab = earlier.swap_remove(earlier.len() - 3);
    lab.deposit("mallory", STAKE);
    settled_with(&mut lab, STAKE)
}

/// Mallory's deposit has just been made; what it gains over the next boundaries.
fn settled_with(lab: &mut Lab, stake: u128) -> i128 {
    lab.pass(2);
    let ticket = lab.request("mallory", None);
    lab.pass(2);
    let paid = lab.wait(ticket);
    gain(paid, stake) * 1_000_000 / i128::try_from(stake).unwrap()
}

/// A25: what is forfeited in a settlement is no step that a deposit could take.
#[test]
fn a_deposit_around_a_settlement_gains_nothing_but_its_part_of_a_seventh() {
    // A fifth of 30 bps over the four fifths that stay is 750 millionths, 107 an epoch.
    let (defended, weak) = with_and_without(Defence::Drip, settlement);
    assert!(defended <= 2 * 750 / 7 + 1, "{defended}");
    assert!(weak > 700, "{weak}");
}

/// The share of a gain that counts by epoch is what the drip says, to the unit: a tenth of a million over seven epochs.
#[test]
fn a_gain_counts_in_equal_parts() {
    let mut lab = Lab::with(true, |terms| terms.fee = Fraction::ZERO);
    lab.enter("alice", 1_000_000);
    lab.donate(100_000);
    lab.harvest();
    let navs: Vec<u128> = (0..8)
        .map(|_| {
            lab.pass(1);
            lab.nav() - 1_000_000
        })
        .collect();
    assert_eq!(navs, [14_285, 28_570, 42_855, 57_140, 71_425, 85_710, 100_000, 100_000]);
}
