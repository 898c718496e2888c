//! The single-sided doors of a basket: what its legs are worth by two sources, and when either source may be used.
//!
//! Whoever brings shares of one leg is credited with the lower of both sources and pays for the basket at the higher; whoever takes some out
//! is charged the higher and credited with the basket at the lower. So whatever a leg is really worth between the two, nobody gains at the
//! cost of the other holders. Bad news is never refused: a fall beyond its bound counts at once for exits and closes entries; a rise beyond
//! its bound counts for nobody until a second role accepts it.

use serde::{Deserialize, Serialize};

use super::defence::{Defence, is_on};
use crate::macros::record;
use crate::units::{Amount, Fraction, Shares};
use crate::wide;

/// Prices are what so many shares of a leg are worth, in `10^-18` of the basket's unit.
pub(crate) const PER_SHARES: u128 = 1_000_000_000_000_000_000;
/// A day, in milliseconds: inflow is bounded by it.
pub(crate) const DAY_MS: u64 = 86_400_000;

record! {
    /// When single-sided doors are open, and how wide.
    #[derive(Copy)]
    pub struct DoorTerms {
        /// How often a price is to be reported, in milliseconds.
        pub heartbeat: u64,
        /// How old a reported price may be, in milliseconds; at least a heartbeat.
        pub age_max: u64,
        /// By how much a price may change in a heartbeat; half as much in half of one.
        pub change_max: Fraction,
        /// How far the two sources of a leg may be apart for entries.
        pub divergence_max: Fraction,
        /// What each door keeps for the holders: at least what prices may change in `age_max`.
        pub spread: Fraction,
        /// How long a request waits, in milliseconds, before prices that are reported later settle it; 0 for at once.
        #[serde(default)]
        pub age_min: u64,
    }
}

/// The longest that a request may have to wait: 30 days.
const AGE_MIN_MAX: u64 = 2_592_000_000;

impl DoorTerms {
    /// How much a price may change in so many milliseconds; at most `age_max` of them count.
    pub(crate) fn change_in(&self, elapsed: u64) -> Fraction {
        let elapsed = u128::from(elapsed.min(self.age_max));
        let steps = wide::checked_mul_div_down(
            u128::from(self.change_max.steps()),
            elapsed,
            u128::from(self.heartbeat.max(1)),
        );
        steps
            .and_then(|steps| u64::try_from(steps).ok())
            .and_then(Fraction::from_steps)
            .unwrap_or(Fraction::ONE)
    }

    /// Checks them; the text names the first rule that does not hold.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.heartbeat == 0 || self.age_max < self.heartbeat {
            return Err(format!(
                "a heartbeat of {} ms is outside 1 to the greatest age of {} ms",
                self.heartbeat, self.age_max
            ));
        }
        let least = self.change_in(self.age_max);
        if self.spread < least {
            return Err(format!(
                "a spread of {} is less than what a price may change in {} ms, {least}",
                self.spread, self.age_max
            ));
        }
        if self.age_min > AGE_MIN_MAX {
            return Err(format!("a least age of {} ms exceeds {AGE_MIN_MAX} ms", self.age_min));
        }
        if self.spread >= Fraction::from_percent(50) {
            return Err(format!("a spread of {} is no door", self.spread));
        }
        Ok(())
    }

    /// Whether nothing that `self` keeps out is let in by `new`.
    pub(crate) fn is_tightened_by(&self, new: &Self) -> bool {
        new.age_max <= self.age_max
            && new.heartbeat >= self.heartbeat
            && new.change_max <= self.change_max
            && new.divergence_max <= self.divergence_max
            && new.spread >= self.spread
            && new.age_min >= self.age_min
    }
}

/// The reported price of a leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Feed {
    /// Of [`PER_SHARES`]; zero before the first.
    pub(crate) price: u128,
    /// When it was reported, in milliseconds.
    pub(crate) at: u64,
    /// A rise that waits for the second role.
    pub(crate) risen: Option<(u128, u64)>,
    /// Whether it fell beyond its bound, and the second role has not said so too.
    pub(crate) is_fallen: bool,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reported {
    Taken,
    Fallen,
    Risen,
}

impl Feed {
    /// A report of a price.
    pub(crate) fn report(&mut self, terms: &DoorTerms, price: u128, now: u64) -> Reported {
        let change = terms.change_in(now.saturating_sub(self.at));
        let bound = change.of_down(Amount::new(self.price)).units();
        if price > self.price.saturating_add(bound) {
            self.risen = Some((price, now));
            return Reported::Risen;
        }
        let is_fall = price < self.price.saturating_sub(bound);
        if is_fall && !is_on(Defence::TakeFalls) {
            return Reported::Fallen;
        }
        self.is_fallen |= is_fall;
        (self.price, self.at, self.risen) = (price, now, None);
        if is_fall { Reported::Fallen } else { Reported::Taken }
    }

    /// The second role says that a price is right: one that has risen, or one that has fallen. Whether there was one.
    pub(crate) fn accept(&mut self, price: u128) -> bool {
        if let Some((risen, at)) = self.risen
            && risen == price
        {
            (self.price, self.at, self.risen, self.is_fallen) = (risen, at, None, false);
            return true;
        }
        let was_fallen = self.is_fallen && self.price == price;
        if was_fallen {
            self.is_fallen = false;
        }
        was_fallen
    }

    /// Whether it is recent enough to be used.
    pub(crate) fn is_fresh(&self, terms: &DoorTerms, now: u64) -> bool {
        self.price > 0 && (now.saturating_sub(self.at) <= terms.age_max || !is_on(Defence::FeedAge))
    }
}

/// What [`PER_SHARES`] of a leg are worth: at least, and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    pub(crate) low: u128,
    pub(crate) high: u128,
}

impl Price {
    /// Of what the vault would pay, low and high, and of what was reported.
    pub(crate) fn of(own: Self, feed: &Feed) -> Self {
        if !is_on(Defence::TwoSources) {
            return Self { low: feed.price, high: feed.price };
        }
        Self { low: own.low.min(feed.price), high: own.high.max(feed.price) }
    }

    /// How far apart its ends are, by the higher.
    pub(crate) fn divergence(&self) -> Fraction {
        let low = Amount::new(self.low);
        Fraction::ratio_down(low, Amount::new(self.high)).complement()
    }

    fn low_of(&self, shares: Shares) -> u128 {
        wide::checked_mul_div_down(shares.units(), self.low, PER_SHARES).unwrap_or(u128::MAX)
    }

    fn high_of(&self, shares: Shares) -> u128 {
        wide::checked_mul_div_up(shares.units(), self.high, PER_SHARES).unwrap_or(u128::MAX)
    }
}

/// What a basket holds of each leg, at which price.
pub(crate) type Priced = [(Shares, Price)];

/// All legs at their higher prices, rounded up.
pub(crate) fn high_total(legs: &Priced) -> u128 {
    legs.iter().fold(0, |sum, (held, price)| sum.saturating_add(price.high_of(*held)))
}

/// All legs at their lower prices, rounded down.
pub(crate) fn low_total(legs: &Priced) -> u128 {
    legs.iter().fold(0, |sum, (held, price)| sum.saturating_add(price.low_of(*held)))
}

fn less_spread(value: u128, spread: Fraction) -> u128 {
    spread.complement().of_down(Amount::new(value)).units()
}

/// Shares of the basket for shares of one leg; `None` where the basket is empty or past the range.
pub(crate) fn entered(
    legs: &Priced,
    leg: usize,
    shares: Shares,
    (supply, spread): (Shares, Fraction),
) -> Option<Shares> {
    let (_, price) = legs.get(leg)?;
    let value = less_spread(price.low_of(shares), spread);
    let minted = wide::checked_mul_div_down(supply.units(), value, high_total(legs))?;
    Some(Shares::new(minted)).filter(|minted| *minted <= Shares::LIMIT)
}

/// Shares of one leg for shares of the basket; `None` where the leg is worth nothing or has not so many.
pub(crate) fn left(
    legs: &Priced,
    leg: usize,
    shares: Shares,
    (supply, spread): (Shares, Fraction),
) -> Option<Shares> {
    let (held, price) = legs.get(leg)?;
    let value = wide::checked_mul_div_down(low_total(legs), shares.units(), supply.units())?;
    let paid = wide::checked_mul_div_down(less_spread(value, spread), PER_SHARES, price.high)?;
    Some(Shares::new(paid)).filter(|paid| paid <= held)
}

/// Which share of the basket's worth a leg is once the basket has so many shares of it, all at their higher prices; rounded up.
pub(crate) fn share_after(legs: &Priced, leg: usize, held: Shares) -> Fraction {
    let Some((before, price)) = legs.get(leg) else { return Fraction::ONE };
    let own = price.high_of(held);
    let others = high_total(legs).saturating_sub(price.high_of(*before));
    let rest = Fraction::ratio_down(Amount::new(others), Amount::new(others.saturating_add(own)));
    rest.complement()
}

/// What of a leg is due to, or asked from, whoever redeems or mints in kind: no price is read.
pub(crate) fn part_down(held: Shares, shares: Shares, supply: Shares) -> Shares {
    Shares::new(wide::checked_mul_div_down(held.units(), shares.units(), supply.units()).unwrap_or(0))
}

/// The same rounded up; `None` past the range.
pub(crate) fn part_up(held: Shares, shares: Shares, supply: Shares) -> Option<Shares> {
    let part = wide::checked_mul_div_up(held.units(), shares.units(), supply.units())?;
    Some(Shares::new(part)).filter(|part| *part <= Shares::LIMIT)
}

/// What came in by a door of late. It drains evenly, a day's bound in a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inflow {
    level: Shares,
    at: u64,
}

impl Inflow {
    fn level_at(&self, now: u64, per_day: Shares) -> Shares {
        let elapsed = now.saturating_sub(self.at).min(DAY_MS);
        let drained = wide::checked_mul_div_down(per_day.units(), u128::from(elapsed), u128::from(DAY_MS));
        Shares::new(drained.unwrap_or(0)).room_below(self.level)
    }

    /// What came in of late as of when, in milliseconds.
    pub(crate) const fn parts(&self) -> (Shares, u64) {
        (self.level, self.at)
    }

    /// What may come in at once.
    pub(crate) fn room(&self, now: u64, per_day: Shares) -> Shares {
        self.level_at(now, per_day).room_below(per_day)
    }

    /// Counts what came in.
    pub(crate) fn add(&mut self, now: u64, per_day: Shares, shares: Shares) {
        let mut level = self.level_at(now, per_day);
        level.grow(shares);
        *self = Self { level, at: now };
    }
}

#[cfg(test)]
mod tests;
