//! Gains that count little by little: a part at each epoch.
//!
//! Every credit vests in equal parts over a window of its own, so a later one neither delays nor hastens it, and nobody gains by standing
//! in at the moment of a payment: what the rate rises by at once is a part of it.

use serde::{Deserialize, Serialize};

use super::defence::{Defence, is_on};
use crate::units::{Amount, Epoch};
use crate::wide;

/// What has been gained and does not count yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drip {
    /// When the first part counts.
    next: Epoch,
    /// By epoch from `next` on.
    parts: Vec<Amount>,
    unvested: Amount,
}

impl Drip {
    /// All that does not count yet.
    pub(crate) fn unvested(&self) -> Amount {
        self.unvested
    }

    /// Adds a gain of `now`. Its parts count from the next epoch on, the last `window` epochs from now; what does not divide counts last.
    pub(crate) fn credit(&mut self, now: Epoch, window: u32, gain: Amount) {
        if gain.is_zero() || !is_on(Defence::Drip) {
            return;
        }
        let first = now.next();
        if self.parts.is_empty() {
            self.next = first;
        }
        self.join_overdue(now);
        let window = window.max(1);
        let part = wide::div_down(gain.units(), u128::from(window));
        let mut rest = gain;
        for step in 0..window {
            let last = step.saturating_add(1) == window;
            let amount = if last { rest } else { Amount::new(part) };
            rest.shrink(amount);
            let place = first.later(step).since(self.next);
            let place = usize::try_from(place).expect("a window is short");
            if self.parts.len() <= place {
                self.parts.resize(place.saturating_add(1), Amount::ZERO);
            }
            self.parts.get_mut(place).expect("the room was just made").grow(amount);
        }
        self.unvested.grow(gain);
    }

    /// Parts that were due before `now` are one that is due now: what waits for a tick takes no more room the longer it waits.
    fn join_overdue(&mut self, now: Epoch) {
        let overdue = usize::try_from(now.since(self.next)).expect("a number of epochs fits a word");
        let overdue = overdue.min(self.parts.len());
        if overdue == 0 {
            return;
        }
        let joined =
            self.parts.drain(..overdue).fold(Amount::ZERO, |sum, part| sum.plus(part).unwrap_or(sum));
        match self.parts.first_mut() {
            Some(due) => due.grow(joined),
            None => self.parts.push(joined),
        }
        self.next = now;
    }

    /// What counts from `now` on; returns it.
    pub(crate) fn vest(&mut self, now: Epoch) -> Amount {
        let due = usize::try_from(now.next().since(self.next)).expect("a number of epochs fits a word");
        let mut vested = Amount::ZERO;
        for part in self.parts.drain(..due.min(self.parts.len())) {
            vested.grow(part);
        }
        self.next = self.next.max(now.next());
        self.unvested.shrink(vested);
        vested
    }

    /// What will count at each epoch, from when on.
    pub(crate) fn schedule(&self) -> (Epoch, &[Amount]) {
        (self.next, &self.parts)
    }

    /// Forgets what is more than there is: after a loss, the parts that would count last go first.
    pub(crate) fn cut_to(&mut self, most: Amount) {
        while self.unvested > most {
            let over = most.room_below(self.unvested);
            let Some(last) = self.parts.last_mut() else { return };
            let cut = over.min(*last);
            last.shrink(cut);
            self.unvested.shrink(cut);
            if last.is_zero() {
                self.parts.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(units: u128) -> Amount {
        Amount::new(units)
    }

    #[test]
    fn thirty_in_seven_epochs_is_four_each_and_six_at_last() {
        let mut drip = Drip::default();
        drip.credit(Epoch::new(10), 7, amount(30));
        assert_eq!(drip.vest(Epoch::new(10)), Amount::ZERO);
        let parts: Vec<u128> = (11..=17).map(|epoch| drip.vest(Epoch::new(epoch)).units()).collect();
        assert_eq!(parts, [4, 4, 4, 4, 4, 4, 6]);
        assert_eq!((drip.unvested(), drip.vest(Epoch::new(30))), (Amount::ZERO, Amount::ZERO));
    }

    #[test]
    fn a_later_gain_delays_no_earlier_one() {
        let mut drip = Drip::default();
        drip.credit(Epoch::new(0), 4, amount(400));
        for epoch in 1..=4 {
            let vested = drip.vest(Epoch::new(epoch));
            assert!(vested >= amount(100));
            drip.credit(Epoch::new(epoch), 4, amount(4));
        }
        assert_eq!(
            drip.unvested(),
            amount(3 + 3 + 2 + 2),
            "4 + 3 + 2 + 1 of four gains of 4, less what counted"
        );
    }

    #[test]
    fn missed_epochs_count_together() {
        let mut drip = Drip::default();
        drip.credit(Epoch::new(5), 5, amount(50));
        assert_eq!(drip.vest(Epoch::new(8)), amount(30));
        drip.credit(Epoch::new(8), 2, amount(10));
        assert_eq!(drip.schedule(), (Epoch::new(9), &[amount(15), amount(15)][..]));
    }

    #[test]
    fn a_gain_after_missed_epochs_counts_from_the_next_one_on() {
        let mut drip = Drip::default();
        drip.credit(Epoch::new(0), 2, amount(20));
        drip.credit(Epoch::new(1_000_000), 2, amount(8));
        assert_eq!(drip.schedule(), (Epoch::new(1_000_000), &[amount(20), amount(4), amount(4)][..]));
        assert_eq!(drip.vest(Epoch::new(1_000_000)), amount(20));
    }

    #[test]
    fn what_was_lost_does_not_count_later() {
        let mut drip = Drip::default();
        drip.credit(Epoch::new(0), 3, amount(30));
        drip.cut_to(amount(14));
        assert_eq!(drip.schedule(), (Epoch::new(1), &[amount(10), amount(4)][..]));
        drip.cut_to(Amount::ZERO);
        assert_eq!(drip.unvested(), Amount::ZERO);
    }
}
