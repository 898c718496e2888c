//! Exact numbers, and the few places where the protocol says which way a whole number is cut.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive, Zero};
use protocol::units::Fraction;

/// A number without rounding.
pub(crate) type Ratio = BigRational;

/// A whole number.
pub(crate) fn whole(units: u128) -> Ratio {
    Ratio::from_integer(BigInt::from(units))
}

/// A fraction of the ledger, which counts steps of `10^-18`.
pub(crate) fn ratio(fraction: Fraction) -> Ratio {
    Ratio::new(BigInt::from(fraction.steps()), BigInt::from(Fraction::STEPS))
}

/// A difference of amounts may be negative.
pub(crate) fn signed(units: u128) -> i128 {
    i128::try_from(units).expect("an amount is far below 2^127")
}

/// `floor(number)`.
pub(crate) fn floor(number: &Ratio) -> u128 {
    (number.numer() / number.denom()).to_u128().expect("an amount fits 128 bits")
}

/// `floor(units * factor)`, without the cost of a reduced product.
pub(crate) fn times_down(units: u128, factor: &Ratio) -> u128 {
    if factor.is_one() {
        return units;
    }
    (factor.numer() * units / factor.denom()).to_u128().expect("an amount fits 128 bits")
}

/// `ceil(units * factor)`.
pub(crate) fn times_up(units: u128, factor: &Ratio) -> u128 {
    let product = factor.numer() * units;
    let up: BigInt = (product + factor.denom() - BigInt::one()) / factor.denom();
    up.to_u128().expect("an amount fits 128 bits")
}

/// `floor(units * part / all)`.
pub(crate) fn portion_down(units: u128, part: u128, all: u128) -> u128 {
    (BigInt::from(units) * part / all).to_u128().expect("an amount fits 128 bits")
}

/// `ceil(units * part / all)`.
pub(crate) fn portion_up(units: u128, part: u128, all: u128) -> u128 {
    ((BigInt::from(units) * part + all - BigInt::one()) / all).to_u128().expect("an amount fits 128 bits")
}

/// `floor(units * fraction)`.
pub(crate) fn share_down(units: u128, fraction: Fraction) -> u128 {
    portion_down(units, u128::from(fraction.steps()), u128::from(Fraction::STEPS))
}

/// The fraction of the ledger at or below a number, at most one.
pub(crate) fn fraction_down(number: &Ratio) -> Fraction {
    let steps = (number.numer() * Fraction::STEPS / number.denom()).to_u64().unwrap_or(u64::MAX);
    Fraction::from_steps(steps.min(Fraction::STEPS)).expect("at most one")
}

/// `part / all` as a fraction of the ledger, at most one; one for nothing of nothing.
pub(crate) fn share_of(part: u128, all: u128) -> Fraction {
    if all == 0 { Fraction::ONE } else { fraction_down(&Ratio::new(BigInt::from(part), BigInt::from(all))) }
}

/// The sum of fractions, at most one.
pub(crate) fn sum_up_to_one(fractions: impl Iterator<Item = Fraction>) -> Fraction {
    let steps = fractions.map(Fraction::steps).fold(0_u64, u64::saturating_add);
    Fraction::from_steps(steps.min(Fraction::STEPS)).expect("at most one")
}

/// Whether the ledger's binary fractions hold a number without rounding.
pub(crate) fn is_binary(number: &Ratio) -> bool {
    let bits = number.denom().bits();
    number.is_zero() || (bits <= 100 && number.denom() == &(BigInt::one() << (bits - 1)))
}

/// Whether a number is so near to a whole one that the ledger's rounding of factors may decide which way it is cut.
pub(crate) fn is_nearly_whole(number: &Ratio) -> bool {
    let rest = (number.numer() % number.denom()) << NEAR_BITS;
    rest < *number.denom() || rest > (number.denom() << NEAR_BITS) - number.denom()
}

/// Nearer to a whole number than `2^-6` is near. The ledger's factors are off by at most `2^-112` per slash and slice, so a worth of
/// `2^104` units by `2^-8` per slash.
const NEAR_BITS: usize = 6;
