//! What each set could slash, and slashing it.

use smallvec::SmallVec;

use super::slices::{LEFT_ONE, Slice};
use super::{Cohort, FACTOR_BITS_WIDE, FACTOR_ONE, Pool};
use crate::units::{Amount, Epoch, Fraction, SetId};
use crate::wide::{self, Wide};

/// What a slash leaves of the slices it hits: `numerator / denominator`, at most one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep {
    numerator: u128,
    denominator: u128,
}

impl Keep {
    /// All but the fraction.
    pub(crate) fn all_but(fraction: Fraction) -> Self {
        Self {
            numerator: u128::from(fraction.complement().steps()),
            denominator: u128::from(Fraction::STEPS),
        }
    }

    /// All but `left / owed` of the fraction: the bond has paid the rest.
    pub(crate) fn all_but_share(fraction: Fraction, left: Amount, owed: Amount) -> Self {
        if owed.is_zero() {
            return Self { numerator: 1, denominator: 1 };
        }
        let whole = u128::from(Fraction::STEPS);
        // In 1 / 2^112 and rounded down: what the stakers lose is rounded in their favour.
        let lost = wide::mul_div_down(LEFT_ONE, u128::from(fraction.steps()), whole);
        let lost = wide::mul_div_down(lost, left.units(), owed.units());
        Self { numerator: LEFT_ONE.saturating_sub(lost), denominator: LEFT_ONE }
    }

    fn of(self, left: u128) -> u128 {
        wide::mul_div_up(left, self.numerator, self.denominator)
    }
}

/// What a slash took from one cohort: enough for anybody to compute the loss of each position in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) from: Epoch,
    pub(crate) upto: Epoch,
    pub(crate) until: Epoch,
    pub(crate) principal: Amount,
    /// Factor before and after, in `1 / 2^120`.
    pub(crate) before: u128,
    pub(crate) after: u128,
}

impl Pool {
    /// What `set` could slash in `epoch`: what is left of the slices it owned then, over the stake bonded then. Rounded down once.
    pub(crate) fn slashable(&self, set: SetId, epoch: Epoch) -> Amount {
        self.slashable_where(set, epoch, |cohort| cohort.is_bonded_in(epoch))
    }

    /// What `set` owns in `epoch` of the chosen cohorts' stake, rounded down once.
    pub(crate) fn slashable_where(
        &self,
        set: SetId,
        epoch: Epoch,
        chosen: impl Fn(&Cohort) -> bool,
    ) -> Amount {
        let mut total = Wide::ZERO;
        for cohort in self.cohorts.iter().filter(|cohort| chosen(cohort)) {
            let track = self.tracks.get(cohort.track).expect("a cohort has a track");
            let owned = track.factor_owned(&self.slices, set, epoch);
            total = wide::plus(total, wide::product(cohort.principal.units(), owned));
        }
        Amount::new(wide::shift_down(total, FACTOR_BITS_WIDE))
    }

    /// What `set` has in `now` and keeps in the next epoch: of the slices it owns in both, over the stake bonded in both.
    pub(crate) fn staying(&self, set: SetId, now: Epoch) -> Amount {
        let keeps =
            |slice: &Slice| slice.owners.iter().any(|o| o.set == set && o.is_in(now) && o.is_in(now.next()));
        let mut total = Wide::ZERO;
        for cohort in self.cohorts.iter().filter(|cohort| cohort.is_bonded_in(now) && cohort.until > now) {
            let track = self.tracks.get(cohort.track).expect("a cohort has a track");
            for (index, slice) in self.slices.iter().enumerate().filter(|(_, slice)| keeps(slice)) {
                let left = track.left_of(index).saturating_mul(u128::from(slice.size));
                total = wide::plus(total, wide::product(cohort.principal.units(), left));
            }
        }
        Amount::new(wide::shift_down(total, FACTOR_BITS_WIDE))
    }

    /// What each set that owns a part in `epoch` has of a position's principal, rounded up: what leaves is counted in full.
    pub(crate) fn owned_of(
        &self,
        entered: Epoch,
        until: Epoch,
        epoch: Epoch,
        principal: Amount,
    ) -> SmallVec<[(SetId, Amount); 4]> {
        let track = self.track_of(entered, until);
        let mut owned: SmallVec<[(SetId, u128); 4]> = SmallVec::new();
        for (index, slice) in self.slices.iter().enumerate() {
            let left = track.left_of(index).saturating_mul(u128::from(slice.size));
            for owner in slice.owners.iter().filter(|owner| owner.is_in(epoch)) {
                match owned.iter_mut().find(|(set, _)| *set == owner.set) {
                    Some((_, sum)) => *sum = sum.saturating_add(left),
                    None => owned.push((owner.set, left)),
                }
            }
        }
        let amount = |factor: u128| Amount::new(wide::mul_div_up(principal.units(), factor, FACTOR_ONE));
        owned.into_iter().map(|(set, factor)| (set, amount(factor))).collect()
    }

    /// What every set that owns a part in `epoch` could slash, by set, ascending; each rounded down once.
    pub(crate) fn owned_in(&self, epoch: Epoch) -> Vec<(SetId, Amount)> {
        let mut totals: Vec<(SetId, Wide)> = Vec::new();
        for (index, slice) in self.slices.iter().enumerate() {
            if !slice.owners.iter().any(|owner| owner.is_in(epoch)) {
                continue;
            }
            let mut backing = Wide::ZERO;
            for cohort in self.cohorts.iter().filter(|cohort| cohort.is_bonded_in(epoch)) {
                let track = self.tracks.get(cohort.track).expect("a cohort has a track");
                let left = track.left_of(index).saturating_mul(u128::from(slice.size));
                backing = wide::plus(backing, wide::product(cohort.principal.units(), left));
            }
            for owner in slice.owners.iter().filter(|owner| owner.is_in(epoch)) {
                match totals.binary_search_by_key(&owner.set, |(set, _)| *set) {
                    Ok(found) => {
                        let (_, total) = totals.get_mut(found).expect("the index was found");
                        *total = wide::plus(*total, backing);
                    }
                    Err(place) => totals.insert(place, (owner.set, backing)),
                }
            }
        }
        let down =
            |(set, total): (SetId, Wide)| (set, Amount::new(wide::shift_down(total, FACTOR_BITS_WIDE)));
        totals.into_iter().map(down).collect()
    }

    /// What a fraction of all that `set` could slash for `capture` is: rounded down once.
    pub(crate) fn assess(&self, set: SetId, capture: Epoch, fraction: Fraction) -> Amount {
        let mut slashable = Wide::ZERO;
        for cohort in self.cohorts.iter().filter(|cohort| cohort.is_bonded_in(capture)) {
            let track = self.tracks.get(cohort.track).expect("a cohort has a track");
            let owned = track.factor_owned(&self.slices, set, capture);
            slashable = wide::plus(slashable, wide::product(cohort.principal.units(), owned));
        }
        let owed = wide::wide_mul_div_down(slashable, fraction.steps(), Fraction::STEPS);
        Amount::new(wide::shift_down(owed, FACTOR_BITS_WIDE))
    }

    /// Scales what is left of the slices that `set` owned in `capture`, of the stake bonded in `capture`, and of nothing else. Takes
    /// `owed` out of the pool, or what rounding leaves of it: what is left of a slice rounds up, in favour of the stakers, and the pool
    /// never owes more than it holds.
    pub(crate) fn slash(
        &mut self,
        set: SetId,
        capture: Epoch,
        keep: Keep,
        owed: Amount,
    ) -> (Amount, Vec<Hit>) {
        let mut hits = Vec::new();
        for track in 0..self.tracks.len() {
            let Some(target) = self.isolate(track, capture) else { continue };
            let slices = &self.slices;
            let hit = self.tracks.get_mut(target).expect("an isolated track is there");
            let before = hit.factor(slices);
            hit.scale(slices, set, capture, |left| keep.of(left));
            let after = hit.factor(slices);
            let of_track = self.cohorts.iter().filter(|cohort| cohort.track == target);
            hits.extend(of_track.map(|cohort| Hit {
                from: cohort.from,
                upto: cohort.upto,
                until: cohort.until,
                principal: cohort.principal,
                before,
                after,
            }));
        }
        let taken = owed.min(self.owed_to_live().room_below(self.live));
        self.live.shrink(taken);
        (taken, hits)
    }

    /// What all stake that can still be slashed is worth together, rounded down once.
    pub(crate) fn owed_to_live(&self) -> Amount {
        let mut owed = Wide::ZERO;
        for cohort in &self.cohorts {
            owed = wide::plus(owed, wide::product(cohort.principal.units(), self.factor_of(cohort)));
        }
        Amount::new(wide::shift_down(owed, FACTOR_BITS_WIDE))
    }

    /// Puts the cohorts of a track that were bonded in `capture` on a track of their own; `None` if there are none.
    fn isolate(&mut self, track: usize, capture: Epoch) -> Option<usize> {
        let is_hit = |cohort: &Cohort| cohort.track == track && cohort.is_bonded_in(capture);
        if !self.cohorts.iter().any(is_hit) {
            return None;
        }
        let is_spared = |cohort: &Cohort| cohort.track == track && !is_hit(cohort);
        if !self.all_cohorts().any(is_spared) {
            if self.fresh == Some(track) {
                self.fresh = None;
            }
            return Some(track);
        }
        let copy = self.tracks.get(track).expect("the index is in range").clone();
        let target = self.tracks.len();
        self.tracks.push(copy);
        for cohort in &mut self.cohorts {
            if cohort.track == track && cohort.is_bonded_in(capture) {
                cohort.track = target;
            }
        }
        Some(target)
    }
}
