//! Products wider than a machine word, and the only divisions of the crate. Every division names its direction.
//!
//! Amounts stay below `2^104` ([`crate::units::Amount::LIMIT`]) and what is left of stake is counted in
//! `1 / 2^120`, so a product of the two has at most 224 bits. Anything wider says so where it happens.

use std::cmp::Ordering;

use ruint::Uint;
use serde::{Deserialize, Serialize};

/// 256 bits: sums of products of an amount and a factor.
pub(crate) type Wide = Uint<256, 4>;
/// 512 bits: the one product of three quantities, in the split of a reward between tracks.
type Wider = Uint<512, 8>;

/// Scale of a per-unit reward and of gamma: `2^128` parts.
const PART_BITS: usize = 128;

/// `a * b`, exact.
pub(crate) fn product(a: u128, b: u128) -> Wide {
    let (low, high) = a.carrying_mul(b, 0);
    join(low, high)
}

/// How two products of two compare.
pub(crate) fn compare(one: (u128, u128), other: (u128, u128)) -> Ordering {
    let ((low, high), (other_low, other_high)) =
        (one.0.carrying_mul(one.1, 0), other.0.carrying_mul(other.1, 0));
    (high, low).cmp(&(other_high, other_low))
}

fn join(low: u128, high: u128) -> Wide {
    Wide::from(high).wrapping_shl(PART_BITS).bitor(Wide::from(low))
}

/// `a + b`.
///
/// # Panics
/// Only on a bug: the sums here are bounded by the supply of one asset times a factor, far below `2^256`.
pub(crate) fn plus(a: Wide, b: Wide) -> Wide {
    a.checked_add(b).expect("sums of products stay below 2^256")
}

/// `floor(a / 2^bits)`.
///
/// # Panics
/// Only on a bug: the quotient of the callers is an amount.
pub(crate) fn shift_down(a: Wide, bits: usize) -> u128 {
    u128::try_from(a.wrapping_shr(bits)).expect("the quotient is an amount")
}

/// `floor(a * numerator / denominator)` for a fraction of at most one, without leaving 256 bits.
///
/// # Panics
/// Only on a bug: on a zero denominator.
pub(crate) fn wide_mul_div_down(a: Wide, numerator: u64, denominator: u64) -> Wide {
    let (quotient, rest) = a.div_rem(Wide::from(denominator));
    let whole = quotient.checked_mul(Wide::from(numerator)).expect("a part of a whole fits");
    let part = rest.checked_mul(Wide::from(numerator)).expect("the product of two words fits");
    plus(whole, part.checked_div(Wide::from(denominator)).expect("the denominator is not zero"))
}

/// `floor(a * b / 2^bits)` for `bits < 128`, without leaving two words.
pub(crate) fn mul_shift_down(a: u128, b: u128, bits: u32) -> u128 {
    let (low, high) = a.carrying_mul(b, 0);
    if high == 0 {
        return low.checked_shr(bits).unwrap_or(0);
    }
    shift_down(join(low, high), usize::try_from(bits).expect("a shift fits a word"))
}

/// `floor(a * b / divisor)`; a quotient past `u128` is `None`, and so is a zero divisor.
pub(crate) fn checked_mul_div_down(a: u128, b: u128, divisor: u128) -> Option<u128> {
    let (low, high) = a.carrying_mul(b, 0);
    if high == 0 {
        return low.checked_div(divisor);
    }
    u128::try_from(join(low, high).checked_div(Wide::from(divisor))?).ok()
}

/// `floor(a * b / divisor)`.
///
/// # Panics
/// Only on a bug: on a zero divisor or a quotient past `u128`; callers divide by a whole of which `a` or `b` is a part.
pub(crate) fn mul_div_down(a: u128, b: u128, divisor: u128) -> u128 {
    checked_mul_div_down(a, b, divisor).expect("a part of a whole fits")
}

/// `ceil(a * b / divisor)`.
///
/// # Panics
/// As [`mul_div_down`].
pub(crate) fn mul_div_up(a: u128, b: u128, divisor: u128) -> u128 {
    let (low, high) = a.carrying_mul(b, 0);
    if high == 0 {
        return low.div_ceil_checked(divisor);
    }
    let (quotient, rest) = join(low, high).div_rem(Wide::from(divisor));
    let quotient = u128::try_from(quotient).expect("a part of a whole fits");
    if rest.is_zero() { quotient } else { quotient.checked_add(1).expect("a part of a whole fits") }
}

/// `ceil(a * b / divisor)`; a quotient past `u128` is `None`, and so is a zero divisor.
pub(crate) fn checked_mul_div_up(a: u128, b: u128, divisor: u128) -> Option<u128> {
    if divisor == 0 {
        return None;
    }
    let (quotient, rest) = product(a, b).div_rem(Wide::from(divisor));
    let quotient = u128::try_from(quotient).ok()?;
    if rest.is_zero() { Some(quotient) } else { quotient.checked_add(1) }
}

/// `floor(a / b)` of two words.
///
/// # Panics
/// Only on a bug: on a zero divisor.
pub(crate) fn div_down(a: u128, b: u128) -> u128 {
    a.checked_div(b).expect("the divisor is not zero")
}

/// `ceil(a * 2^bits / b)`, `None` past `u128` or on a zero divisor.
pub(crate) fn shift_div_up(a: u128, bits: usize, b: u128) -> Option<u128> {
    if b == 0 {
        return None;
    }
    let (quotient, rest) = Wide::from(a).wrapping_shl(bits).div_rem(Wide::from(b));
    let quotient = u128::try_from(quotient).ok()?;
    if rest.is_zero() { Some(quotient) } else { quotient.checked_add(1) }
}

trait DivCeil {
    fn div_ceil_checked(self, divisor: Self) -> Self;
}

impl DivCeil for u128 {
    fn div_ceil_checked(self, divisor: Self) -> Self {
        let quotient = div_down(self, divisor);
        let rest = self.checked_rem(divisor).expect("the divisor is not zero");
        if rest == 0 { quotient } else { quotient.saturating_add(1) }
    }
}

/// A non-negative number with 128 binary places: what one unit of principal has earned of one token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct PerUnit {
    whole: u128,
    part: u128,
}

impl PerUnit {
    /// Nothing.
    pub(crate) const ZERO: Self = Self { whole: 0, part: 0 };

    /// `weight * amount / total` with 128 binary places, rounded up, so that round numbers divide without a rest: what many small
    /// principals get of it is still rounded down, and never more than there is. `None` for a zero total or past 128 whole bits.
    pub(crate) fn share(weight: u128, amount: u128, total: Wide) -> Option<Self> {
        if total.is_zero() {
            return None;
        }
        let (whole, rest) = product(weight, amount).div_rem(total);
        let whole = u128::try_from(whole).ok()?;
        let part = if let (Ok(rest), Ok(total)) = (u128::try_from(rest), u128::try_from(total)) {
            shift_div_up(rest, PART_BITS, total)
        } else {
            let (part, rest) = Wider::from(rest).wrapping_shl(PART_BITS).div_rem(Wider::from(total));
            let part = u128::try_from(part).ok()?;
            if rest.is_zero() { Some(part) } else { part.checked_add(1) }
        };
        match part {
            Some(part) => Some(Self { whole, part }),
            // Rounded up to the next whole.
            None => Some(Self { whole: whole.checked_add(1)?, part: 0 }),
        }
    }

    /// `self + other`, `None` past 128 whole bits.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let (part, carry) = self.part.carrying_add(other.part, false);
        let (whole, overflow) = self.whole.carrying_add(other.whole, carry);
        if overflow { None } else { Some(Self { whole, part }) }
    }

    /// `self - other`.
    ///
    /// # Panics
    /// Only on a bug: earnings per unit never fall.
    pub(crate) fn minus(self, other: Self) -> Self {
        let (part, borrow) = self.part.borrowing_sub(other.part, false);
        let (whole, underflow) = self.whole.borrowing_sub(other.whole, borrow);
        assert!(!underflow, "earnings per unit never fall");
        Self { whole, part }
    }

    /// What stands before the point, and what behind it in `2^-128`.
    pub(crate) const fn places(self) -> (u128, u128) {
        (self.whole, self.part)
    }

    /// All of it in `2^-128`.
    pub(crate) fn parts(self) -> Wide {
        join(self.part, self.whole)
    }

    /// `floor(principal * self)`.
    ///
    /// # Panics
    /// Only on a bug: what a principal earns was funded, so it is an amount.
    pub(crate) fn times_down(self, principal: u128) -> u128 {
        let (_, high) = principal.carrying_mul(self.part, 0);
        principal
            .checked_mul(self.whole)
            .and_then(|whole| whole.checked_add(high))
            .expect("what is earned was funded")
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn divisions_round_as_their_names_say() {
        assert_eq!(mul_div_down(7, 3, 2), 10);
        assert_eq!(mul_div_up(7, 3, 2), 11);
        assert_eq!(mul_div_up(8, 3, 2), 12);
        assert_eq!(mul_div_down(u128::MAX, u128::MAX, u128::MAX), u128::MAX);
        assert_eq!(mul_div_up(u128::MAX, 3, 4), mul_div_down(u128::MAX, 3, 4) + 1);
        assert_eq!(checked_mul_div_down(u128::MAX, 2, 1), None);
        assert_eq!(checked_mul_div_down(1, 1, 0), None);
        assert_eq!(shift_div_up(1, 120, 1 << 120), Some(1));
        assert_eq!(shift_div_up(1, 120, (1 << 120) - 1), Some(2));
        assert_eq!(shift_div_up(1, 120, 0), None);
    }

    #[test]
    fn per_unit_shares_are_exact_to_128_places() {
        let third = PerUnit::share(1, 1, Wide::from(3)).expect("a share");
        assert_eq!(third.times_down(2), 0, "two thirds are nothing yet");
        assert_eq!(third.times_down(3), 1, "three thirds are one");
        let three = third.plus(third).and_then(|sum| sum.plus(third)).expect("a sum");
        assert_eq!(three.times_down(1), 1);
        let part = PerUnit::share(1, 135, Wide::from(1000)).expect("a share");
        assert_eq!(
            (part.times_down(600), part.times_down(400)),
            (81, 54),
            "round numbers divide without a rest"
        );
        assert_eq!(
            PerUnit::share(1 << 100, 1 << 104, product(1 << 100, 4)).expect("a share").times_down(4),
            1 << 104
        );
        assert_eq!(PerUnit::share(1, 1, Wide::ZERO), None);
        assert_eq!(three.minus(third).plus(third), Some(three));
    }
}
