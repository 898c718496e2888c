//! The boundary of a pool: what is free is set aside, what can no longer differ is merged, what nobody can ask about is forgotten.

use super::{Cohort, Pool, insert, worth};
use crate::units::Epoch;

impl Pool {
    /// The boundary into `now`: sets aside what is free, merges what can no longer differ, forgets what nobody can ask about.
    pub(crate) fn roll(&mut self, now: Epoch, oldest_open: Epoch, is_free: impl Fn(Epoch) -> bool) {
        let (free, live): (Vec<_>, Vec<_>) =
            self.cohorts.drain(..).partition(|cohort| cohort.until != Epoch::NEVER && is_free(cohort.until));
        self.cohorts = live;
        for cohort in free {
            let worth = worth(cohort.principal, self.factor_of(&cohort));
            self.live.shrink(worth);
            self.free.grow(worth);
            insert(&mut self.matured, cohort);
        }
        for cohorts in [&mut self.cohorts, &mut self.matured] {
            cohorts.retain(|cohort| !cohort.principal.is_zero());
            merge(cohorts, oldest_open);
        }
        self.drop_unused_tracks();
        self.roll_slices(now, oldest_open);
        self.forget_earnings(now);
        self.bond.roll(oldest_open);
    }

    fn drop_unused_tracks(&mut self) {
        let is_used = |track: usize| {
            self.fresh == Some(track)
                || self.cohorts.iter().chain(&self.matured).any(|cohort| cohort.track == track)
        };
        let keep: Vec<bool> = (0..self.tracks.len()).map(is_used).collect();
        if keep.iter().all(|keep| *keep) {
            return;
        }
        let mut next = 0_usize;
        let mut moved = Vec::with_capacity(keep.len());
        for keep in &keep {
            moved.push(next);
            next = next.saturating_add(usize::from(*keep));
        }
        let mut kept = keep.iter();
        self.tracks.retain(|_| *kept.next().unwrap_or(&true));
        let new_index = |track: usize| *moved.get(track).expect("every track has a new place");
        self.fresh = self.fresh.map(new_index);
        for cohort in self.cohorts.iter_mut().chain(&mut self.matured) {
            cohort.track = new_index(cohort.track);
        }
    }

    fn roll_slices(&mut self, now: Epoch, oldest_open: Epoch) {
        for slice in &mut self.slices {
            slice.forget(now, oldest_open);
        }
        let mut index = 1;
        while index < self.slices.len() {
            let left = index.saturating_sub(1);
            let same_owners = match (self.slices.get(left), self.slices.get(index)) {
                (Some(a), Some(b)) => a.owners == b.owners,
                _ => false,
            };
            if same_owners && self.tracks.iter().all(|track| track.is_even(left, index)) {
                let removed = self.slices.remove(index);
                let kept = self.slices.get_mut(left).expect("the left neighbour is there");
                kept.size = kept.size.saturating_add(removed.size);
                for track in &mut self.tracks {
                    track.unite(index);
                }
            } else {
                index = index.saturating_add(1);
            }
        }
    }

    fn forget_earnings(&mut self, now: Epoch) {
        let mut asked: Vec<Epoch> = self.marks.iter().map(|(mark, _)| *mark).collect();
        asked.extend(self.all_cohorts().map(|cohort| cohort.until).filter(|until| *until != Epoch::NEVER));
        asked.sort_unstable();
        asked.dedup();
        for track in &mut self.tracks {
            track.earned_mut().forget(&asked, now);
        }
    }
}

/// Merges neighbours of one track that every slash still to come hits alike.
fn merge(cohorts: &mut Vec<Cohort>, oldest_open: Epoch) {
    cohorts.dedup_by(|later, earlier| {
        let is_same =
            later.until == earlier.until && later.track == earlier.track && later.upto <= oldest_open;
        if is_same {
            earlier.upto = later.upto;
            earlier.principal.grow(later.principal);
        }
        is_same
    });
}
