//! What readers ask of a pool beyond what the rules need. Changes nothing.

use super::slices::Slice;
use super::{Cohort, Pool};
use crate::units::{Amount, Epoch, SetId};
use crate::wide::{self, PerUnit, Wide};

impl Pool {
    /// Each slice with what is left of it for principal that entered in `entered` and leaves in `until`, in `1 / 2^112`.
    pub(crate) fn left_of_slices(
        &self,
        entered: Epoch,
        until: Epoch,
    ) -> impl Iterator<Item = (&Slice, u128)> {
        let track = self.track_of(entered, until);
        self.slices().iter().enumerate().map(|(index, slice)| (slice, track.left_of(index)))
    }

    /// What one unit of such principal has earned of a reserve by payments after the boundary into `settled`.
    pub(crate) fn earned_between(
        &self,
        reserve: usize,
        entered: Epoch,
        until: Epoch,
        settled: Epoch,
    ) -> PerUnit {
        self.track_of(entered, until).earned().between(reserve, entered, until, settled)
    }

    /// What `principal` would get of a payment to the stake bonded in `work`, for what `set` owned then: as
    /// [`Pool::reward`] splits it, rounded down. Nothing without such stake, or if the principal was not bonded then.
    pub(crate) fn part_of_reward(
        &self,
        set: SetId,
        work: Epoch,
        amount: Amount,
        (principal, entered, until): (Amount, Epoch, Epoch),
    ) -> Amount {
        if entered > work || until < work {
            return Amount::ZERO;
        }
        let own = self.track_of(entered, until).factor_owned(self.slices(), set, work);
        let total = self.backing_of(set, work);
        let share = PerUnit::share(own, amount.units(), total).unwrap_or(PerUnit::ZERO);
        Amount::new(share.times_down(principal.units()))
    }

    /// Whether there is stake that was bonded in `work` behind what `set` owned then: otherwise a payment goes back.
    pub(crate) fn is_backed(&self, set: SetId, work: Epoch) -> bool {
        !self.backing_of(set, work).is_zero()
    }

    fn backing_of(&self, set: SetId, work: Epoch) -> Wide {
        let mut total = Wide::ZERO;
        for cohort in self.cohorts().filter(|cohort: &&Cohort| cohort.is_bonded_in(work)) {
            let track = self.tracks.get(cohort.track).expect("a cohort has a track");
            let owned = track.factor_owned(self.slices(), set, work);
            total = wide::plus(total, wide::product(cohort.principal.units(), owned));
        }
        total
    }
}
