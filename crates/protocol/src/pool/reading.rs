//! What readers ask of a pool beyond what the rules need. Changes nothing.

use std::collections::BTreeMap;

use super::Pool;
use super::slices::Slice;
use crate::units::{Amount, Epoch, SetId};
use crate::wide::{self, PerUnit, Wide};

/// Stake that was bonded in an epoch, as payments for work in that epoch divide between its histories.
pub(crate) struct Bonded {
    /// By track: what each set owned of a unit of it, by set, in `1 / 2^120`.
    owned: BTreeMap<usize, Vec<(SetId, u128)>>,
    /// By set: the same over all of it.
    totals: BTreeMap<SetId, Wide>,
}

impl Bonded {
    /// Whether there is stake behind what `set` owned: otherwise a payment goes back.
    pub(crate) fn is_backed(&self, set: SetId) -> bool {
        self.totals.get(&set).is_some_and(|total| !total.is_zero())
    }

    /// What one unit of principal on a track would get of a payment for what `set` owned, as [`Pool::reward`] splits it.
    pub(crate) fn share(&self, track: usize, set: SetId, amount: Amount) -> PerUnit {
        let own = self.owned.get(&track).map_or(0, |owned| {
            let index = owned.binary_search_by_key(&set, |(owner, _)| *owner).ok();
            index.and_then(|index| owned.get(index)).map_or(0, |(_, own)| *own)
        });
        let total = self.totals.get(&set).copied().unwrap_or(Wide::ZERO);
        PerUnit::share(own, amount.units(), total).unwrap_or(PerUnit::ZERO)
    }
}

impl Pool {
    /// Each slice with what is left of it for principal that entered in `entered` and leaves in `until`, in `1 / 2^112`.
    pub(crate) fn left_of_slices(
        &self,
        entered: Epoch,
        until: Epoch,
    ) -> impl Iterator<Item = (&Slice, u128)> {
        note_walk();
        let track = self.track_of(entered, until);
        self.slices().iter().enumerate().map(|(index, slice)| (slice, track.left_of(index)))
    }

    /// Each slice with what is left of it on a track, in `1 / 2^112`; nothing of a track that is not there.
    pub(crate) fn left_on_track(&self, track: usize) -> impl Iterator<Item = (&Slice, u128)> {
        note_walk();
        let track = self.tracks.get(track);
        let left = move |index: usize| track.map_or(0, |track| track.left_of(index));
        let slices = self.slices().iter().enumerate().filter(move |_| track.is_some());
        slices.map(move |(index, slice)| (slice, left(index)))
    }

    /// Which track principal is on that entered in `entered` and leaves in `until`. Holds until the pool changes.
    pub(crate) fn track_index(&self, entered: Epoch, until: Epoch) -> usize {
        self.cohort(entered, until).expect("a position has a cohort").track
    }

    /// What `set` owned in `epoch` of principal that entered in `entered` and leaves in `until`, as it is left of it, rounded up.
    pub(crate) fn owned_worth_up(
        &self,
        principal: Amount,
        entered: Epoch,
        until: Epoch,
        set: SetId,
        epoch: Epoch,
    ) -> Amount {
        let owned = self.track_of(entered, until).factor_owned(self.slices(), set, epoch);
        Amount::new(wide::mul_div_up(principal.units(), owned, super::FACTOR_ONE))
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

    /// The same of every reserve of which it has earned anything.
    pub(crate) fn all_earned_between(
        &self,
        entered: Epoch,
        until: Epoch,
        settled: Epoch,
    ) -> Vec<(usize, PerUnit)> {
        if self.tokens.is_empty() {
            return Vec::new();
        }
        note_walk();
        let earned = self.track_of(entered, until).earned();
        let all = earned.all_between(self.tokens.len(), entered, until, settled);
        all.into_iter().enumerate().filter(|(_, earned)| *earned != PerUnit::ZERO).collect()
    }

    /// The stake that was bonded in `work`: enough to divide any number of payments for it.
    pub(crate) fn bonded_in(&self, work: Epoch) -> Bonded {
        let mut principals: BTreeMap<usize, Amount> = BTreeMap::new();
        for cohort in self.cohorts().filter(|cohort| cohort.is_bonded_in(work)) {
            principals.entry(cohort.track).or_insert(Amount::ZERO).grow(cohort.principal);
        }
        let (mut owned, mut totals) = (BTreeMap::new(), BTreeMap::new());
        for (track, principal) in principals.into_iter().filter(|(_, principal)| !principal.is_zero()) {
            note_walk();
            let own = self.owned_by_track(track, work);
            for (set, factor) in &own {
                let total = totals.entry(*set).or_insert(Wide::ZERO);
                *total = wide::plus(*total, wide::product(principal.units(), *factor));
            }
            owned.insert(track, own);
        }
        Bonded { owned, totals }
    }
}

/// Notes that a reader walks all slices of a pool, or all that a history has earned: tests count that.
fn note_walk() {
    #[cfg(test)]
    walks::note();
}

/// How often the readers of this thread have walked the slices of a pool.
#[cfg(test)]
pub(crate) mod walks {
    use std::cell::Cell;

    thread_local! {
        static COUNT: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn note() {
        COUNT.set(COUNT.get() + 1);
    }

    /// How many walks it takes to answer.
    pub(crate) fn of<T>(answer: impl FnOnce() -> T) -> (T, u64) {
        let before = COUNT.get();
        let answer = answer();
        (answer, COUNT.get() - before)
    }
}
