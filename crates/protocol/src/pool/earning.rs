//! What the pool pays: rewards to the stake bonded in the epoch worked in, and what each position is due.

use super::Pool;
use super::track::Earned;
use crate::units::{Amount, AssetId, Epoch, SetId};
use crate::wide::{self, Wide};

/// What a pool holds of one reward token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reserve {
    pub(crate) token: AssetId,
    /// Funded and not yet credited to anyone.
    pub(crate) amount: Amount,
    /// The dust of a pool that everybody has left; it joins the next reward.
    pub(crate) carried: Amount,
}

impl Pool {
    /// Pays `amount` for the work of `set` in `work`, at the boundary into `paid`: to the stake bonded in `work`, by what is left of
    /// the slices that `set` owned then. `false` if there is no such stake: nothing was taken.
    pub(crate) fn reward(
        &mut self,
        set: SetId,
        work: Epoch,
        paid: Epoch,
        token: AssetId,
        amount: Amount,
    ) -> bool {
        let index = self.tokens.iter().position(|reserve| reserve.token == token);
        let carried =
            index.and_then(|index| self.tokens.get(index)).map_or(Amount::ZERO, |reserve| reserve.carried);
        let Some(amount_with_dust) = amount.plus(carried) else { return false };
        let index = index.unwrap_or(self.tokens.len());
        let Some(shares) = self.reward_shares(set, work, amount_with_dust) else { return false };
        let fits = |(track, share): &(usize, wide::PerUnit)| {
            self.tracks.get(*track).is_some_and(|track| track.earned().can_add(index, *share))
        };
        if !shares.iter().all(fits) {
            return false;
        }

        // From here on nothing can fail.
        for (track, share) in shares {
            let track = self.tracks.get_mut(track).expect("the index is in range");
            track.earned_mut().add(index, work, paid, share);
        }
        if index == self.tokens.len() {
            self.tokens.push(Reserve { token, amount: Amount::ZERO, carried: Amount::ZERO });
        }
        let reserve = self.tokens.get_mut(index).expect("the token was just listed");
        reserve.amount.grow(amount_with_dust);
        reserve.carried = Amount::ZERO;
        true
    }

    /// What one unit of principal of each rewarded track gets; `None` if nothing of the set's slices is left.
    fn reward_shares(&self, set: SetId, work: Epoch, amount: Amount) -> Option<Vec<(usize, wide::PerUnit)>> {
        let mut weights: Vec<(usize, u128, Amount)> = Vec::new();
        for cohort in self.cohorts.iter().filter(|cohort| cohort.is_bonded_in(work)) {
            match weights.iter_mut().find(|(track, _, _)| *track == cohort.track) {
                Some((_, _, principal)) => principal.grow(cohort.principal),
                None => {
                    let track = self.tracks.get(cohort.track).expect("a cohort has a track");
                    let owned = track.factor_owned(&self.slices, set, work);
                    if owned != 0 {
                        weights.push((cohort.track, owned, cohort.principal));
                    }
                }
            }
        }
        // With one track the weight cancels out, and the division is half as wide.
        if let [(track, _, principal)] = weights.as_slice() {
            let share = wide::PerUnit::share(1, amount.units(), Wide::from(principal.units()))?;
            return Some(vec![(*track, share)]);
        }
        let mut total = Wide::ZERO;
        for (_, owned, principal) in &weights {
            total = wide::plus(total, wide::product(principal.units(), *owned));
        }
        if total.is_zero() {
            return None;
        }
        let share = |(track, owned, _): &(usize, u128, Amount)| {
            Some((*track, wide::PerUnit::share(*owned, amount.units(), total)?))
        };
        weights.iter().map(share).collect()
    }

    /// What `principal` that entered in `entered` and leaves in `until` has earned by payments after the boundary into `settled`:
    /// per reserve, rounded down.
    pub(crate) fn due(
        &self,
        principal: Amount,
        entered: Epoch,
        until: Epoch,
        settled: Epoch,
    ) -> Vec<(usize, Amount)> {
        if self.tokens.is_empty() || principal.is_zero() {
            return Vec::new();
        }
        let earned: &Earned = self.track_of(entered, until).earned();
        let mut due = Vec::new();
        for index in 0..self.tokens.len() {
            let amount = earned.between(index, entered, until, settled).times_down(principal.units());
            if amount != 0 {
                due.push((index, Amount::new(amount)));
            }
        }
        due
    }

    /// Takes a settled reward out of the reserve; returns its token.
    pub(crate) fn take_reward(&mut self, index: usize, amount: Amount) -> AssetId {
        let reserve = self.tokens.get_mut(index).expect("a due reward has a reserve");
        reserve.amount.shrink(amount);
        reserve.token
    }

    /// A position has its rewards settled through the work of `mark`.
    pub(crate) fn add_mark(&mut self, mark: Epoch) {
        match self.marks.binary_search_by_key(&mark, |(epoch, _)| *epoch) {
            Ok(index) => {
                let (_, count) = self.marks.get_mut(index).expect("the index was found");
                *count = count.saturating_add(1);
            }
            Err(index) => self.marks.insert(index, (mark, 1)),
        }
    }

    /// A position has moved on from `mark`. When the last one has gone, the dust of its rewards waits for the next.
    pub(crate) fn drop_mark(&mut self, mark: Epoch) {
        let index =
            self.marks.binary_search_by_key(&mark, |(epoch, _)| *epoch).expect("a position has a mark");
        let (_, count) = self.marks.get_mut(index).expect("the index was found");
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.marks.remove(index);
        }
    }

    /// Moves the dust of a pool that nobody is in to the next reward.
    pub(crate) fn carry_dust(&mut self) {
        if !self.marks.is_empty() {
            return;
        }
        for reserve in &mut self.tokens {
            reserve.carried.grow(reserve.amount);
            reserve.amount = Amount::ZERO;
        }
    }
}
