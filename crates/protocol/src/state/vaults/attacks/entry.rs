//! A1, A1b, A2, A10, A17: taking from who comes in next, or from what rounding leaves.

use super::lab::{Lab, gain};
use super::with_and_without;
use crate::units::{Amount, Shares};
use crate::vault::defence::{Defence, without};
use crate::vault::rate::Rate;

/// Attacker and victim, after the attacker made the first share as dear as it could: what each has lost.
fn inflate(is_checked: bool, gift: u128, victim: u128) -> (i128, i128) {
    let mut lab = Lab::new(is_checked);
    lab.enter("mallory", 1);
    lab.donate(gift);
    lab.harvest();
    lab.pass(8);
    lab.enter("alice", victim);
    (gain(1 + gift, lab.has("mallory")), gain(victim, lab.has("alice")))
}

/// A1: with one virtual share the victim loses a third to whoever was there before; with a thousand a thousandth at most.
#[test]
fn the_first_depositor_gains_nothing_from_who_comes_next() {
    const GIFT: u128 = 1_000_000_000;
    let (defended, weak) = with_and_without(Defence::VirtualShares, |is_on| inflate(is_on, GIFT, GIFT));
    assert!(defended.1 <= 1_000_000, "the victim loses a thousandth at most: {defended:?}");
    assert!(defended.0 > 100_000_000, "and the attacker more than it could ever gain: {defended:?}");
    assert!(weak.1 > 300_000_000, "a third, with one virtual share: {weak:?}");
}

/// A1, the measured fact: whatever the victim puts in, it loses a thousandth at most, or its deposit returns.
#[test]
fn no_deposit_loses_more_than_a_thousandth_to_the_first_depositor() {
    const GIFT: u128 = 1_000_000_000;
    for victim in [1, 499_999, 999_999, 1_000_001, 1_499_999, 5_000_000, 77_777_777, GIFT, 20 * GIFT] {
        let (_, lost) = inflate(true, GIFT, victim);
        assert!(lost * 1000 <= i128::try_from(victim).unwrap(), "{lost} of a deposit of {victim}");
    }
}

/// Numbers from a seed: the constants are Knuth's.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u128 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u128::from(self.0 >> 11)
    }

    fn below(&mut self, most: u128) -> u128 {
        self.next() % most
    }
}

/// The best round trip of a million: enter with an amount, leave with what it gave.
fn best_round_trip() -> i128 {
    let mut numbers = Numbers(1);
    let mut best = i128::MIN;
    for _ in 0..1_000_000 {
        let bits = 1 + numbers.below(40);
        let (nav, supply) = (numbers.below(1 << bits), numbers.below(1 << (bits + 10)));
        let size = 1 + numbers.below(40);
        let amount = 1 + numbers.below(1 << size);
        let Some(shares) = Rate::of(Amount::new(nav), Shares::new(supply)).shares_down(Amount::new(amount))
        else {
            continue;
        };
        let after = Rate::of(Amount::new(nav + amount), Shares::new(supply + shares.units()));
        best = best.max(gain(after.assets_down(shares).units(), amount));
    }
    best
}

/// A1b: where entry counts virtual shares and exit does not, somebody gains; where both do, nobody.
#[test]
fn one_ratio_for_both_ways_leaves_no_round_trip_that_gains() {
    assert!(best_round_trip() <= 0);
    let weak = without(Some(Defence::OneRatio), best_round_trip);
    assert!(weak > 0, "{weak}");
}

/// A2: what is sent to a vault's account changes no price; without the quarantine a hundredth moves it by a hundredth.
#[test]
fn a_donation_moves_no_price() {
    let moved = |is_on: bool| {
        let mut lab = Lab::new(is_on);
        lab.enter("alice", 1_000_000);
        let before = lab.nav();
        for amount in [1, 99, 9_900] {
            lab.donate(amount);
        }
        lab.nav() - before
    };
    assert_eq!(with_and_without(Defence::Quarantine, moved), (0, 10_000));
}

/// Somebody who is the only one to move, in small steps of every kind and at a price of many digits: what it has gained.
fn grind(is_checked: bool, seed: u64, steps: u32) -> i128 {
    let mut lab = Lab::with(is_checked, |terms| terms.instant.fee_high = crate::units::Fraction::ZERO);
    let mut numbers = Numbers(seed);
    lab.enter("alice", 1 + numbers.below(100_000));
    lab.donate(1 + numbers.below(1_000_000));
    lab.harvest();
    lab.pass(8);
    let start = 100_000;
    lab.give("mallory", start);
    let mut tickets = Vec::new();
    for _ in 0..steps {
        let shares = lab.shares("mallory");
        match numbers.below(6) {
            0 | 1 => {
                let amount = 1 + numbers.below(5_000);
                if amount <= lab.free("mallory") {
                    let deposit = super::lab::world::World::depositing(amount, 0, crate::units::Epoch::NEVER);
                    drop(lab.act("mallory", deposit));
                }
            }
            2 if shares > 0 => {
                let part = 1 + numbers.below(shares);
                if let Ok(events) = lab.act("mallory", super::lab::world::World::requesting(Some(part))) {
                    tickets.extend(events.iter().filter_map(|event| match event {
                        crate::Event::VaultExitRequested { ticket, .. } => Some(*ticket),
                        _ => None,
                    }));
                }
            }
            3 if shares > 0 => {
                drop(lab.act("mallory", super::lab::world::World::leaving(1 + numbers.below(shares))));
            }
            4 if !tickets.is_empty() => {
                let ticket =
                    tickets.swap_remove(usize::try_from(numbers.below(tickets.len() as u128)).unwrap());
                if lab.claim(ticket) == 0 {
                    drop(lab.act("mallory", super::lab::world::World::cancelling(ticket)));
                }
            }
            _ => lab.pass(1),
        }
    }
    // Everything comes home, what is held back too.
    lab.pass(1);
    if lab.shares("mallory") > 0 {
        tickets.push(lab.request("mallory", None));
    }
    lab.pass(40);
    for ticket in 0..lab.vault().tickets {
        lab.claim(crate::units::TicketId::new(ticket));
    }
    gain(lab.free("mallory"), start)
}

/// A10, I12: no number of small steps, at any price, leaves its maker with more; with rounding the other way it does.
#[test]
fn no_sequence_of_small_steps_gains() {
    for seed in 0..12 {
        let gained = grind(true, seed, 60);
        assert!(gained <= 0, "seed {seed}: {gained}");
    }
    let weak = without(Some(Defence::Rounding), || (0..12).map(|seed| grind(false, seed, 60)).max());
    assert!(weak > Some(0), "{weak:?}");
}

/// A17: another asset, of other decimals, is no money in a vault: it neither comes in nor counts, and `Shares` are no `Amount` (their docs
/// show what does not compile). The control counts every balance of the vault's account alike, as if one were one.
#[test]
fn another_asset_is_no_money_here() {
    use crate::{AssetKind, Operation, Origin, RateSource, ops};

    let mut lab = Lab::new(true);
    lab.enter("alice", 1_000_000);
    let origin = Origin { chain: 2, contract: String::new() };
    let (kind, rate) = (AssetKind::Token, RateSource::One);
    lab.must("anyone", Operation::ListAsset(ops::list_asset::ListAsset { origin, decimals: 8, kind, rate }));
    let other = crate::units::AssetId::new(1);
    for account in [crate::state::vaults::address_of(super::lab::VAULT), super::lab::address("mallory")] {
        let (amount, proof) = (Amount::new(1_000_000), evidence::Proof::Development);
        let deposit =
            ops::deposit::Deposit { account: Some(account), asset: other, amount, index: None, proof };
        lab.must("anyone", Operation::Deposit(deposit));
    }
    let enter = super::lab::world::World::depositing(1_000, 0, crate::units::Epoch::NEVER);
    let refusal = lab.act("mallory", enter).map_err(|refusal| refusal.code());
    assert_eq!(refusal.map(drop), Err("vault_deposit.ExceedsFree".to_owned()));
    lab.pass(2);
    assert_eq!((lab.nav(), lab.state.quarantine(super::lab::VAULT)), (1_000_000, Amount::ZERO));
    let account = lab.state.accounts.get(lab.vault().account);
    let alike = account.free(super::lab::ETH).units() + account.free(other).units();
    assert_eq!(alike, 2_000_000, "where one is one, half of it is worth a hundredth of a millionth");
}
