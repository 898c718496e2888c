//! Leaving at once: what it costs, and how much of it there is in an epoch.

use serde::{Deserialize, Serialize};

use crate::macros::record;
use crate::units::{Amount, Fraction};
use crate::wide;

record! {
    /// What leaving at once costs, and its bounds.
    #[derive(Copy)]
    pub struct InstantTerms {
        /// The fee while nothing of the epoch's bucket is used.
        pub fee_low: Fraction,
        /// The fee when all of it is; in between it rises evenly.
        pub fee_high: Fraction,
        /// The epoch's bucket: this share of the net asset value at the tick. Zero for no instant exits.
        pub bucket: Fraction,
        /// The share of the net asset value that instant exits leave idle.
        pub watermark: Fraction,
        /// The share of an exit that is held back until no slash of its epoch can be executed.
        pub holdback: Fraction,
    }
}

/// How much may leave at once in the epoch, and how much has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) size: Amount,
    pub(crate) used: Amount,
}

impl Bucket {
    pub(crate) fn of(terms: &InstantTerms, nav: Amount) -> Self {
        Self { size: terms.bucket.of_down(nav), used: Amount::ZERO }
    }

    pub(crate) fn left(&self) -> Amount {
        self.used.room_below(self.size)
    }
}

/// The fee of `gross` on top of what is used: the mean of the fee before and the fee after, so that it does not matter into how many exits
/// somebody cuts it. Rounded up.
pub(crate) fn fee(terms: &InstantTerms, bucket: &Bucket, gross: Amount) -> Amount {
    let range = u128::from(terms.fee_high.above(terms.fee_low).steps());
    let twice = bucket.used.units().saturating_mul(2).saturating_add(gross.units());
    let whole = bucket.size.units().saturating_mul(2).max(1);
    let steps = wide::checked_mul_div_up(range, twice, whole).unwrap_or(range).min(range);
    let steps = u64::try_from(steps).ok().and_then(Fraction::from_steps).unwrap_or(Fraction::ONE);
    terms.fee_low.plus_up_to_one(steps).of_up(gross)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> InstantTerms {
        let percent = Fraction::from_percent;
        InstantTerms {
            fee_low: percent(0),
            fee_high: percent(2),
            bucket: percent(10),
            watermark: percent(1),
            holdback: percent(5),
        }
    }

    #[test]
    fn the_fee_rises_with_what_is_used() {
        let bucket = |used| Bucket { size: Amount::new(100_000), used: Amount::new(used) };
        let of = |used, gross| fee(&terms(), &bucket(used), Amount::new(gross)).units();
        assert_eq!(of(0, 100_000), 1000, "from nothing to 2 % is 1 % at the mean");
        assert_eq!(of(0, 50_000), 250);
        assert_eq!(of(50_000, 50_000), 750);
        assert_eq!(of(99_999, 1), 1, "rounded up");
        assert_eq!(bucket(99_000).left(), Amount::new(1000));
        assert_eq!(
            fee(&terms(), &Bucket::default(), Amount::new(1000)).units(),
            20,
            "no bucket, the whole fee"
        );
    }
}
