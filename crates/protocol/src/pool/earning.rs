//! What the pool pays: rewards to the stake bonded in the epoch worked in, and what each position is due.

use serde::{Deserialize, Serialize};

use super::Pool;
use super::track::Earned;
use crate::units::{Amount, AssetId, Epoch, SetId};
use crate::wide::{self, PerUnit, Wide};

/// What a pool holds of one reward token.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Reserve {
    pub(crate) token: AssetId,
    /// Funded and not yet credited to anyone.
    pub(crate) amount: Amount,
    /// The dust of a pool that everybody has left; it joins the next reward.
    pub(crate) carried: Amount,
}

/// Reward tokens of one pool: what its sets could pay at the same time. A further one is for nobody.
const TOKENS_MAX: usize = 512;

/// A payment for the work of a set in an epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reward {
    pub(crate) set: SetId,
    pub(crate) work: Epoch,
    pub(crate) token: AssetId,
    pub(crate) amount: Amount,
}

/// Stake of one track that was bonded in an epoch.
struct Backing {
    track: usize,
    principal: Amount,
    /// What each set owned of a unit of it, by set, in `1 / 2^120`.
    owned: Vec<(SetId, u128)>,
}

impl Backing {
    fn owned_by(&self, set: SetId) -> u128 {
        let index = self.owned.binary_search_by_key(&set, |(owner, _)| *owner).ok();
        index.and_then(|index| self.owned.get(index)).map_or(0, |(_, owned)| *owned)
    }
}

/// What one unit of principal of each track has with another reward; `None` if nothing of the set's slices is left.
fn add_shares(backing: &[Backing], set: SetId, amount: Amount, shares: &[PerUnit]) -> Option<Vec<PerUnit>> {
    // With one track the weight cancels out, and the division is half as wide.
    if let ([only], [share]) = (backing, shares) {
        if only.owned_by(set) == 0 {
            return None;
        }
        let added = PerUnit::share(1, amount.units(), Wide::from(only.principal.units()))?;
        return Some(vec![share.plus(added)?]);
    }
    let mut total = Wide::ZERO;
    for track in backing {
        total = wide::plus(total, wide::product(track.principal.units(), track.owned_by(set)));
    }
    if total.is_zero() {
        return None;
    }
    let with = |(track, share): (&Backing, &PerUnit)| {
        share.plus(PerUnit::share(track.owned_by(set), amount.units(), total)?)
    };
    backing.iter().zip(shares).map(with).collect()
}

impl Pool {
    /// Pays rewards at the boundary into `paid`: each to the stake bonded in the epoch worked in, by what is left of the slices that the
    /// set owned then. Says of each whether there was such stake; otherwise nothing was taken.
    pub(crate) fn reward(&mut self, rewards: &[Reward], paid: Epoch) -> Vec<bool> {
        let mut order: Vec<usize> = (0..rewards.len()).collect();
        let key = |index: &usize| rewards.get(*index).map(|reward| (reward.work, reward.token));
        order.sort_by_key(key);
        let mut outcome = vec![false; rewards.len()];
        for alike in order.chunk_by(|a, b| key(a) == key(b)) {
            self.reward_alike(rewards, alike, paid, &mut outcome);
        }
        outcome
    }

    /// Pays rewards of one token for one epoch.
    fn reward_alike(&mut self, rewards: &[Reward], alike: &[usize], paid: Epoch, outcome: &mut [bool]) {
        let Some(Reward { work, token, .. }) = alike.first().and_then(|index| rewards.get(*index)).copied()
        else {
            return;
        };
        let backing = self.backing(work);
        let reserve = self.tokens.iter().position(|reserve| reserve.token == token);
        let mut dust =
            reserve.and_then(|index| self.tokens.get(index)).map_or(Amount::ZERO, |reserve| reserve.carried);
        let index = reserve.unwrap_or(self.tokens.len());
        if index >= TOKENS_MAX {
            return;
        }
        let mut funded = Amount::ZERO;
        let mut shares: Vec<PerUnit> = vec![PerUnit::ZERO; backing.len()];
        for place in alike {
            let Some(reward) = rewards.get(*place) else { continue };
            let Some(amount) = reward.amount.plus(dust) else { continue };
            let Some(added) = add_shares(&backing, reward.set, amount, &shares) else { continue };
            let fits = |(track, share): (&Backing, &PerUnit)| {
                self.tracks.get(track.track).is_some_and(|track| track.earned().can_add(index, *share))
            };
            if !backing.iter().zip(&added).all(fits) {
                continue;
            }
            shares = added;
            funded.grow(amount);
            dust = Amount::ZERO;
            if let Some(outcome) = outcome.get_mut(*place) {
                *outcome = true;
            }
        }
        if funded.is_zero() {
            return;
        }
        for (backing, share) in backing.iter().zip(shares) {
            let track = self.tracks.get_mut(backing.track).expect("a cohort has a track");
            track.earned_mut().add(index, work, paid, share);
        }
        if index == self.tokens.len() {
            self.tokens.push(Reserve { token, amount: Amount::ZERO, carried: Amount::ZERO });
        }
        let reserve = self.tokens.get_mut(index).expect("the token was just listed");
        reserve.amount.grow(funded);
        reserve.carried = Amount::ZERO;
    }

    /// The tracks bonded in an epoch, with their principal and what each set owned of a unit of it.
    fn backing(&self, work: Epoch) -> Vec<Backing> {
        let mut backing: Vec<Backing> = Vec::new();
        for cohort in
            self.cohorts.iter().filter(|cohort| cohort.is_bonded_in(work) && !cohort.principal.is_zero())
        {
            match backing.iter_mut().find(|other| other.track == cohort.track) {
                Some(other) => other.principal.grow(cohort.principal),
                None => {
                    let owned = self.owned_by_track(cohort.track, work);
                    backing.push(Backing { track: cohort.track, principal: cohort.principal, owned });
                }
            }
        }
        backing
    }

    /// What each set owned in `work` of a unit of principal on a track, by set, in `1 / 2^120`.
    pub(super) fn owned_by_track(&self, track: usize, work: Epoch) -> Vec<(SetId, u128)> {
        let track = self.tracks.get(track).expect("a cohort has a track");
        let mut owned: Vec<(SetId, u128)> = Vec::with_capacity(self.slices.len());
        for (index, slice) in self.slices.iter().enumerate() {
            let left = track.left_of(index).saturating_mul(u128::from(slice.size));
            for owner in slice.owners.iter().filter(|owner| owner.is_in(work)) {
                match owned.binary_search_by_key(&owner.set, |(set, _)| *set) {
                    Ok(found) => {
                        let (_, sum) = owned.get_mut(found).expect("the index was found");
                        *sum = sum.saturating_add(left);
                    }
                    Err(place) => owned.insert(place, (owner.set, left)),
                }
            }
        }
        owned
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
            // Shares round up by 2^-128 of a unit: after very many payments the last to settle could be due a unit too many.
            let left = self.tokens.get(index).map_or(Amount::ZERO, |reserve| reserve.amount);
            let amount = Amount::new(amount).min(left);
            if !amount.is_zero() {
                due.push((index, amount));
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
