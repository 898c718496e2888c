//! The fee on new highs: minted in shares, and checked by another computation before it is.

use super::defence::{Defence, is_on};
use super::rate::{Rate, VIRTUAL_ASSETS, VIRTUAL_SHARES};
use crate::units::{Amount, Fraction, Shares};
use crate::wide;

/// What may be minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fee {
    /// Base units that the shares are worth, at least.
    pub(crate) value: Amount,
    pub(crate) shares: Shares,
}

/// A fee that must not be minted: a bug, against which the vault defends itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Breach {
    WorthMore { shares: Shares, most: Amount },
    BelowMark { shares: Shares },
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::WorthMore { shares, most } => {
                write!(f, "{shares} shares of fee are worth more than {most}, or than there may be")
            }
            Self::BelowMark { shares } => {
                write!(f, "{shares} shares of fee put the rate below what it was charged on")
            }
        }
    }
}

/// What lies above the mark: `NAV + 1 - mark x (S + 1000)`, rounded down.
fn gain(nav: Amount, supply: Shares, mark: Rate) -> Amount {
    let (assets, shares) = mark.ratio();
    let held = supply.units().saturating_add(VIRTUAL_SHARES);
    let base = wide::checked_mul_div_up(held, assets, shares).unwrap_or(u128::MAX);
    Amount::new(nav.units().saturating_add(VIRTUAL_ASSETS).saturating_sub(base))
}

/// The fee: a share of the gain above the mark, as shares at the price after it. Both round down.
pub(crate) fn due(nav: Amount, supply: Shares, mark: Rate, share: Fraction) -> Fee {
    let value = share.of_down(gain(nav, supply, mark));
    let rest = nav.units().saturating_add(VIRTUAL_ASSETS).saturating_sub(value.units());
    let held = supply.units().saturating_add(VIRTUAL_SHARES);
    let shares = wide::checked_mul_div_down(value.units(), held, rest).unwrap_or(0);
    let shares = if is_on(Defence::FeeScale) { shares } else { shares.saturating_mul(1_000_000) };
    Fee { value, shares: Shares::new(shares) }
}

/// The post-condition: by what the shares would be worth once they are there, and by what the rate would be.
///
/// # Errors
/// The first that does not hold.
pub(crate) fn check(
    shares: Shares,
    (nav, supply): (Amount, Shares),
    mark: Rate,
    share: Fraction,
) -> Result<(), Breach> {
    if !is_on(Defence::FeeCheck) {
        return Ok(());
    }
    let bound = share.of_down(gain(nav, supply, mark));
    let Some(after) = supply.plus(shares).filter(|after| *after <= Shares::LIMIT) else {
        return Err(Breach::WorthMore { shares, most: bound });
    };
    let after = Rate::of(nav, after);
    if after.assets_down(shares) > bound {
        return Err(Breach::WorthMore { shares, most: bound });
    }
    if !shares.is_zero() && after < mark {
        return Err(Breach::BelowMark { shares });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rate goes 100, 110, 102, 110, 112: a fee of a tenth on growth would be 2.0, with a mark it is 1.2.
    #[test]
    fn the_same_height_is_charged_once() {
        let tenth = Fraction::from_percent(10);
        let (mut supply, mut mark, mut charged) =
            (Shares::new(999_000), Rate::of(Amount::new(99_999), Shares::new(999_000)), 0);
        for nav in [99_999_u128, 109_999, 101_999, 109_999, 111_999] {
            let nav = Amount::new(nav);
            let fee = due(nav, supply, mark, tenth);
            assert_eq!(check(fee.shares, (nav, supply), mark, tenth), Ok(()));
            charged += fee.value.units();
            supply.grow(fee.shares);
            mark = mark.max(Rate::of(nav, supply));
        }
        assert_eq!(charged, 1000 + 200);
    }

    #[test]
    fn a_wrong_scale_is_caught() {
        let (nav, supply) = (Amount::new(1_100_000_000), Shares::new(1_000_000_000_000));
        let mark = Rate::of(Amount::new(1_000_000_000), supply);
        let share = Fraction::from_percent(10);
        let fee = due(nav, supply, mark, share);
        let check = |shares| check(shares, (nav, supply), mark, share);
        assert_eq!(check(fee.shares), Ok(()));
        for scale in [2, 10, 1_000_000_000, 1_000_000_000_000_000_000_u128] {
            let wrong = Shares::new(fee.shares.units() * scale);
            assert!(matches!(check(wrong), Err(Breach::WorthMore { .. })), "{scale}");
        }
    }
}
