//! The fee on new highs: minted in shares, and checked by another computation before it is.

use super::rate::{Rate, VIRTUAL_ASSETS, VIRTUAL_SHARES};
use crate::macros::refusals;
use crate::units::{Amount, Fraction, Shares};
use crate::wide;

/// What may be minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fee {
    /// Base units that the shares are worth, at least.
    pub(crate) value: Amount,
    pub(crate) shares: Shares,
}

refusals! {
    /// A fee that must not be minted: a bug, against which the vault defends itself.
    {
        WorthMore { shares: Shares, most: Amount } => "{shares} shares of fee are worth more than {most}",
        BelowMark { shares: Shares } => "{shares} shares of fee put the rate below what it was charged on",
        BeyondLifetime { minted: Shares, most: Shares } => "fees of {minted} shares in all exceed {most}",
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
    (before, most): (Shares, Shares),
) -> Result<(), Refused> {
    let bound = share.of_down(gain(nav, supply, mark));
    let Some(after) = supply.plus(shares).filter(|after| *after <= Shares::LIMIT) else {
        return Err(Refused::WorthMore { shares, most: bound });
    };
    let after = Rate::of(nav, after);
    if after.assets_down(shares) > bound {
        return Err(Refused::WorthMore { shares, most: bound });
    }
    if !shares.is_zero() && after < mark {
        return Err(Refused::BelowMark { shares });
    }
    match before.plus(shares) {
        Some(minted) if minted <= most => Ok(()),
        minted => Err(Refused::BeyondLifetime { minted: minted.unwrap_or(Shares::LIMIT), most }),
    }
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
            assert_eq!(check(fee.shares, (nav, supply), mark, tenth, (Shares::ZERO, Shares::LIMIT)), Ok(()));
            charged += fee.value.units();
            supply.grow(fee.shares);
            mark = mark.max(Rate::of(nav, supply));
        }
        // 10 % of 10,000; then of what is above 109,000 per share that there was: the fee's own shares lower the rate.
        assert_eq!(charged, 1000 + 98 + 200);
    }

    #[test]
    fn a_wrong_scale_is_caught() {
        let (nav, supply) = (Amount::new(1_100_000_000), Shares::new(1_000_000_000_000));
        let mark = Rate::of(Amount::new(1_000_000_000), supply);
        let share = Fraction::from_percent(10);
        let fee = due(nav, supply, mark, share);
        let check = |shares| check(shares, (nav, supply), mark, share, (Shares::ZERO, Shares::LIMIT));
        assert_eq!(check(fee.shares), Ok(()));
        for scale in [2, 10, 1_000_000_000, 1_000_000_000_000_000_000_u128] {
            let wrong = Shares::new(fee.shares.units() * scale);
            assert!(matches!(check(wrong), Err(Refused::WorthMore { .. })), "{scale}");
        }
        assert!(
            super::check(fee.shares, (nav, supply), mark, share, (Shares::LIMIT, Shares::LIMIT)).is_err()
        );
    }
}
