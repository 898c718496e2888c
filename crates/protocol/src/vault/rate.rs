//! What shares are worth: one ratio, never divided before it is used, the same on entry and exit.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::defence::{Defence, is_on};
use crate::units::{Amount, Shares};
use crate::wide;

/// Assets that nobody owns and every price counts, so that an empty vault has a price.
pub(crate) const VIRTUAL_ASSETS: u128 = 1;
/// Shares that nobody holds and every price counts: whoever gives an empty vault assets gives a thousandth of them, at most, to nobody, and
/// so can't take more than that from who comes next.
pub(crate) const VIRTUAL_SHARES: u128 = 1000;

/// `(NAV + 1) / (S + 1000)`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Rate {
    assets: u128,
    shares: u128,
}

impl Rate {
    /// Of a net asset value and a supply.
    pub(crate) fn of(nav: Amount, supply: Shares) -> Self {
        let virtual_shares = if is_on(Defence::VirtualShares) { VIRTUAL_SHARES } else { 1 };
        Self {
            assets: nav.units().saturating_add(VIRTUAL_ASSETS),
            shares: supply.units().saturating_add(virtual_shares),
        }
    }

    /// Numerator and denominator: base units of the asset for so many shares.
    pub(crate) const fn ratio(self) -> (u128, u128) {
        (self.assets, self.shares)
    }

    /// What shares are worth, rounded down; the most there can be where that is past the range.
    pub(crate) fn assets_down(self, shares: Shares) -> Amount {
        if !is_on(Defence::Rounding) {
            return self.assets_up(shares);
        }
        let (assets, supply) = if is_on(Defence::OneRatio) {
            (self.assets, self.shares)
        } else {
            (self.assets.saturating_sub(VIRTUAL_ASSETS), self.shares.saturating_sub(VIRTUAL_SHARES).max(1))
        };
        let worth = wide::checked_mul_div_down(shares.units(), assets, supply);
        Amount::new(worth.unwrap_or(u128::MAX))
    }

    /// What shares are worth, rounded up; the most there can be where that is past the range.
    pub(crate) fn assets_up(self, shares: Shares) -> Amount {
        let worth = wide::checked_mul_div_up(shares.units(), self.assets, self.shares);
        Amount::new(worth.unwrap_or(u128::MAX))
    }

    /// How many shares assets are, rounded down; `None` past the range.
    pub(crate) fn shares_down(self, assets: Amount) -> Option<Shares> {
        wide::checked_mul_div_down(assets.units(), self.shares, self.assets).map(Shares::new)
    }

    /// How many shares it takes for assets, rounded up; `None` past the range.
    pub(crate) fn shares_up(self, assets: Amount) -> Option<Shares> {
        wide::checked_mul_div_up(assets.units(), self.shares, self.assets).map(Shares::new)
    }
}

impl PartialEq for Rate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Rate {}

impl PartialOrd for Rate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By what a share is worth, exactly.
impl Ord for Rate {
    fn cmp(&self, other: &Self) -> Ordering {
        wide::product(self.assets, other.shares).cmp(&wide::product(other.assets, self.shares))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_vault_gives_a_thousand_shares_for_a_unit() {
        let rate = Rate::of(Amount::ZERO, Shares::ZERO);
        assert_eq!(rate.shares_down(Amount::new(7)), Some(Shares::new(7000)));
        assert_eq!(rate.assets_down(Shares::new(6999)), Amount::new(6));
        assert_eq!(rate.assets_up(Shares::new(6999)), Amount::new(7));
        assert_eq!(rate.shares_up(Amount::new(7)), Some(Shares::new(7000)));
    }

    /// One deposits a unit and gives the vault 10^9; the next deposits 10^9 and loses 0.05 %: what the virtual shares own of both.
    #[test]
    fn the_first_depositor_can_take_a_thousandth_at_most() {
        let gift = 1_000_000_000_u128;
        let victim = 1_000_000_000_u128;
        let rate = Rate::of(Amount::new(1 + gift), Shares::new(1000));
        let minted = rate.shares_down(Amount::new(victim)).unwrap();
        assert_eq!(minted, Shares::new(1999));
        let after = Rate::of(Amount::new(1 + gift + victim), Shares::new(1000 + 1999));
        let back = after.assets_down(minted).units();
        assert_eq!(back, 999_749_938);
        assert!(victim - back <= victim / 1000);
        // The attacker gets half of its gift back.
        assert_eq!(after.assets_down(Shares::new(1000)).units(), 500_125_031);
    }

    #[test]
    fn rates_compare_exactly() {
        let low = Rate::of(Amount::new((1 << 103) - 2), Shares::new((1 << 112) - 1000));
        let high = Rate::of(Amount::new((1 << 103) - 1), Shares::new((1 << 112) - 1000));
        assert_eq!(low.cmp(&high), std::cmp::Ordering::Less);
        assert_eq!(high.cmp(&low), std::cmp::Ordering::Greater);
        assert_eq!(low.min(high), low);
        assert_eq!(Rate::of(Amount::new(1), Shares::new(1000)), Rate::of(Amount::new(3), Shares::new(3000)));
    }
}
