//! Who waits to leave: one line, counted in shares.
//!
//! A place is how many shares had been asked back before; a ticket is a range of places. Settling moves one mark, so it costs nothing by
//! ticket. What was cancelled is a gap that the mark passes over.

use serde::{Deserialize, Serialize};

use super::defence::{Defence, is_on};
use super::rate::Rate;
use crate::units::{Amount, Epoch, RequestId, Shares};
use crate::wide;

/// The line of one vault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Queue {
    /// Where the next ticket begins: all shares ever asked back.
    pub(crate) end: u128,
    /// Everything before this place is settled, or a gap.
    pub(crate) settled: u128,
    /// Shares that wait: the line from the mark on, without gaps.
    pub(crate) waiting: Shares,
}

/// Tickets of one epoch at one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cohort {
    /// In which epoch they were asked back.
    pub(crate) epoch: Epoch,
    /// What a share was worth then, by the high price: none of them gets more.
    pub(crate) rate: Rate,
    /// First place; the cohort is known by the place after its last.
    pub(crate) start: u128,
}

/// A piece of a cohort that was settled at one rate. Its totals never change; what was claimed is counted beside them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Batch {
    /// First place; the batch is known by the place after its last.
    pub(crate) start: u128,
    /// What all of it is paid at once.
    pub(crate) assets: Amount,
    /// What is held back: it was settled before the stake that it had could have been free.
    pub(crate) held: Amount,
    /// First epoch in which that may be fetched, and what was left of a share at the settlement.
    pub(crate) held_until: Epoch,
    pub(crate) left: u128,
    /// What was withheld from it for each request that was open.
    pub(crate) withheld: Vec<(RequestId, Amount)>,
    /// Shares of it that were claimed, and what they got.
    pub(crate) claimed: Shares,
    pub(crate) paid: Amount,
    /// Shares of it that got their part of what was withheld and held back.
    pub(crate) closed: Shares,
    /// What there was to fetch in the end of what was held back, and what of it they got.
    pub(crate) held_released: Option<Amount>,
    pub(crate) held_paid: Amount,
}

/// `floor(assets * shares / all)`: what a part of a batch gets, whoever comes first.
pub(crate) fn part(assets: Amount, shares: Shares, all: Shares) -> Amount {
    Amount::new(wide::mul_div_down(assets.units(), shares.units(), all.units().max(1)))
}

/// How many shares lie between two places.
pub(crate) fn between(start: u128, end: u128) -> Shares {
    Shares::new(end.saturating_sub(start))
}

/// What settling a number of shares moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settlement {
    pub(crate) shares: Shares,
    /// Paid at the lower price.
    pub(crate) assets: Amount,
    /// Withheld: the difference to the higher price.
    pub(crate) withheld: Amount,
    /// What they are worth beyond that, which they don't get: it joins the drip.
    pub(crate) forfeited: Amount,
}

/// Settles shares of a cohort: `min(cohort, low)` is paid, what `min(cohort, high)` is more is withheld, and the rest is forfeited.
pub(crate) fn settle(shares: Shares, cohort: Rate, low: Rate, high: Rate) -> Settlement {
    let (low, high) = if is_on(Defence::WaitersLose) { (low, high) } else { (cohort, cohort.max(high)) };
    let whole = cohort.min(high).assets_down(shares);
    let assets = cohort.min(low).assets_down(shares).min(whole);
    let worth = high.assets_down(shares);
    Settlement { shares, assets, withheld: assets.room_below(whole), forfeited: whole.room_below(worth) }
}

/// Splits what was withheld between requests by what each would cost. The rest of the division goes to the first.
pub(crate) fn split(withheld: Amount, pending: &[(RequestId, Amount)]) -> Vec<(RequestId, Amount)> {
    let total = Amount::total(pending.iter().map(|(_, amount)| *amount)).unwrap_or(Amount::ZERO);
    if withheld.is_zero() || total.is_zero() {
        return Vec::new();
    }
    let mut parts: Vec<(RequestId, Amount)> =
        pending.iter().map(|(request, cost)| (*request, withheld.portion_down(*cost, total))).collect();
    let given = Amount::total(parts.iter().map(|(_, amount)| *amount)).unwrap_or(withheld);
    if let Some((_, first)) = parts.first_mut() {
        first.grow(given.room_below(withheld));
    }
    parts.retain(|(_, amount)| !amount.is_zero());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three claimants with 3, 5 and 7 of 100: in any order 20, 33 and 46. Totals that shrink with each claim would give 20, 33, 47 or 20, 34, 46.
    #[test]
    fn what_a_claim_gets_does_not_depend_on_who_claimed_before() {
        let of = |shares| part(Amount::new(100), Shares::new(shares), Shares::new(15)).units();
        assert_eq!([of(3), of(5), of(7)], [20, 33, 46]);
        assert_eq!(100 - 20 - 33 - 46, 1, "the dust is below the number of claims");
    }

    fn rate(nav: u128, supply: u128) -> Rate {
        Rate::of(Amount::new(nav - 1), Shares::new(supply - 1000))
    }

    /// A vault of 1000 with half of it leaving, and a slash of a tenth: who leaves and who stays lose the same.
    #[test]
    fn half_leaves_with_450_and_half_stays_with_450() {
        let asked = rate(1000, 1_000_000);
        let after = rate(900, 1_000_000);
        let half = Shares::new(500_000);
        let settled = settle(half, asked, after, after);
        assert_eq!(
            (settled.assets, settled.withheld, settled.forfeited),
            (Amount::new(450), Amount::ZERO, Amount::ZERO)
        );
        assert_eq!(900 - settled.assets.units(), 450);
    }

    #[test]
    fn a_gain_is_forfeited_and_a_pending_slash_withheld() {
        let asked = rate(1000, 1_000_000);
        let (high, low) = (rate(1030, 1_000_000), rate(930, 1_000_000));
        let settled = settle(Shares::new(100_000), asked, low, high);
        assert_eq!(settled.assets, Amount::new(93));
        assert_eq!(settled.withheld, Amount::new(7), "up to what they were worth when asked back");
        assert_eq!(settled.forfeited, Amount::new(3));
    }

    #[test]
    fn what_is_withheld_splits_to_the_unit() {
        let pending = [(RequestId::new(4), Amount::new(1)), (RequestId::new(9), Amount::new(2))];
        let parts = split(Amount::new(100), &pending);
        assert_eq!(parts, [(RequestId::new(4), Amount::new(34)), (RequestId::new(9), Amount::new(66))]);
        assert!(split(Amount::ZERO, &pending).is_empty() && split(Amount::new(5), &[]).is_empty());
    }
}
