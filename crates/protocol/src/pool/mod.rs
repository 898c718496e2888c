//! The stake of one asset delegated to one operator: exact liability at constant cost.
//!
//! One formula is the whole semantics (`docs/explanation/liability.md`): a unit of principal bonded in epochs `e ..= u` is worth
//! `sum over slices of size x product of (1 - f)` over the executed slashes (set `i`, capture epoch `x`, fraction `f`) with
//! `e <= x <= u` where `i` owned the slice in `x`. Nothing here loops over stakers:
//!
//! - a **slice** is a run of the pool's 256 parts with the same owners ([`slices`]);
//! - a **cohort** is all principal that entered in `from ..= upto` and leaves in `until`;
//! - a **track** is the history that cohorts share: what is left of each slice, and what a unit has earned ([`track`]).
//!   Two cohorts are on one track exactly as long as the same slashes hit both;
//! - the operator's **bond** is liable by capture epoch like stake and pays first ([`bond`]).
//!
//! What it does not do: it knows no account, no balance, no terms and no reason. Those are [`crate::state`] and [`crate::ops`].

pub(crate) mod bond;
pub(crate) mod slices;
pub(crate) mod track;

#[cfg(test)]
mod tests;

use crate::units::{Amount, AssetId, Epoch, SetId};
use crate::wide::{self, Wide};
use slices::Slice;
use smallvec::SmallVec;
use track::{Earned, Track};

pub(crate) use slices::{LEFT_ONE, PARTS};

/// A factor counts `1 / 2^120`: 256 parts times `1 / 2^112` left of each.
pub(crate) const FACTOR_BITS: u32 = 120;
/// The factor of stake that was never slashed.
pub(crate) const FACTOR_ONE: u128 = 1 << FACTOR_BITS;

/// All principal with the same liability: it entered in `from ..= upto` and leaves in `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cohort {
    /// First epoch in which the earliest of it was bonded.
    pub(crate) from: Epoch,
    /// First epoch in which the latest of it was bonded.
    pub(crate) upto: Epoch,
    /// Last epoch in which it is bonded; [`Epoch::NEVER`] while nobody has asked to leave.
    pub(crate) until: Epoch,
    /// Principal, in base units as they were delegated.
    pub(crate) principal: Amount,
    /// Index into the pool's tracks.
    pub(crate) track: usize,
}

impl Cohort {
    /// Whether all of it was bonded in `epoch`: a merged cohort lies before every epoch that can still be asked about.
    pub(crate) fn is_bonded_in(&self, epoch: Epoch) -> bool {
        self.from <= epoch && epoch <= self.until
    }
}

/// What a slash leaves of the slices it hits: `numerator / denominator`, at most one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep {
    numerator: u128,
    denominator: u128,
}

impl Keep {
    /// All but the fraction.
    pub(crate) fn all_but(fraction: crate::units::Fraction) -> Self {
        Self {
            numerator: u128::from(fraction.complement().steps()),
            denominator: u128::from(crate::units::Fraction::STEPS),
        }
    }

    /// All but `left / owed` of the fraction: the bond has paid the rest.
    pub(crate) fn all_but_share(fraction: crate::units::Fraction, left: Amount, owed: Amount) -> Self {
        if owed.is_zero() {
            return Self { numerator: 1, denominator: 1 };
        }
        let steps = u128::from(fraction.steps());
        let whole = u128::from(crate::units::Fraction::STEPS);
        // In 1 / 2^112 and rounded up: what the pool loses is rounded in favour of the pool.
        let lost = wide::mul_div_up(LEFT_ONE, steps, whole);
        let lost = wide::mul_div_down(lost, left.units(), owed.units());
        Self { numerator: LEFT_ONE.saturating_sub(lost), denominator: LEFT_ONE }
    }

    fn of(self, left: u128) -> u128 {
        wide::mul_div_down(left, self.numerator, self.denominator)
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

/// The stake of one asset delegated to one operator.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    /// Everything the pool holds for stakers. Invariant: `held * 2^120 >= sum of principal * factor`.
    held: Amount,
    slices: Vec<Slice>,
    tracks: Vec<Track>,
    /// The track of stake that was never slashed, if any is left.
    fresh: Option<usize>,
    /// Stake that can still be slashed or join, by (until, from).
    cohorts: Vec<Cohort>,
    /// Stake that is free but not yet fetched, by (until, from).
    matured: Vec<Cohort>,
    /// Reward tokens, by first appearance, with what is still owed of each.
    tokens: Vec<Reserve>,
    /// How many positions have their rewards settled through the work of each epoch.
    marks: Vec<(Epoch, u32)>,
    bond: bond::Bond,
}

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
    /// An empty pool that no set owns a part of.
    pub(crate) fn new() -> Self {
        Self {
            held: Amount::ZERO,
            slices: vec![Slice::unowned()],
            tracks: Vec::new(),
            fresh: None,
            cohorts: Vec::new(),
            matured: Vec::new(),
            tokens: Vec::new(),
            marks: Vec::new(),
            bond: bond::Bond::default(),
        }
    }

    pub(crate) fn held(&self) -> Amount {
        self.held
    }

    pub(crate) fn slices(&self) -> &[Slice] {
        &self.slices
    }

    pub(crate) fn bond(&self) -> &bond::Bond {
        &self.bond
    }

    pub(crate) fn bond_mut(&mut self) -> &mut bond::Bond {
        &mut self.bond
    }

    pub(crate) fn reserves(&self) -> &[Reserve] {
        &self.tokens
    }

    /// How many different histories of slashes its stake has: what bounds the cost of everything here.
    pub(crate) fn track_count(&self) -> usize {
        self.tracks.len()
    }

    pub(crate) fn cohorts(&self) -> impl Iterator<Item = &Cohort> {
        self.cohorts.iter()
    }

    pub(crate) fn all_cohorts(&self) -> impl Iterator<Item = &Cohort> {
        self.cohorts.iter().chain(&self.matured)
    }

    /// Principal that enters after `now` and may still be taken back.
    pub(crate) fn joining(&self, now: Epoch) -> Amount {
        self.principal_where(|cohort| cohort.from > now)
    }

    fn principal_where(&self, chosen: impl Fn(&Cohort) -> bool) -> Amount {
        let mut total = Amount::ZERO;
        for cohort in self.cohorts.iter().filter(|cohort| chosen(cohort)) {
            total.grow(cohort.principal);
        }
        total
    }

    /// What the cohorts that are bonded in `epoch` are worth together, rounded down once.
    pub(crate) fn worth_in(&self, epoch: Epoch) -> Amount {
        self.worth_where(|cohort| cohort.is_bonded_in(epoch))
    }

    /// What the chosen cohorts are worth together, rounded down once.
    pub(crate) fn worth_where(&self, chosen: impl Fn(&Cohort) -> bool) -> Amount {
        let mut total = Wide::ZERO;
        for cohort in self.all_cohorts().filter(|cohort| chosen(cohort)) {
            total = wide::plus(total, wide::product(cohort.principal.units(), self.factor_of(cohort)));
        }
        Amount::new(wide::shift_down(total, FACTOR_BITS_WIDE))
    }

    pub(crate) fn factor_of(&self, cohort: &Cohort) -> u128 {
        self.tracks.get(cohort.track).expect("a cohort has a track").factor(&self.slices)
    }

    /// What a unit of principal that entered in `entered` and leaves in `until` is worth, in `1 / 2^120`.
    pub(crate) fn factor(&self, entered: Epoch, until: Epoch) -> u128 {
        self.factor_of(self.cohort(entered, until).expect("a position has a cohort"))
    }

    fn cohort(&self, entered: Epoch, until: Epoch) -> Option<&Cohort> {
        let live = find(&self.cohorts, entered, until).and_then(|index| self.cohorts.get(index));
        live.or_else(|| find(&self.matured, entered, until).and_then(|index| self.matured.get(index)))
    }

    /// First epoch of the cohort that bonded principal belongs to: those of one cohort have the same liability for ever.
    pub(crate) fn bonded_since(&self, entered: Epoch) -> Epoch {
        self.cohort(entered, Epoch::NEVER).map_or(entered, |cohort| cohort.from)
    }

    fn track_of(&self, entered: Epoch, until: Epoch) -> &Track {
        let cohort = self.cohort(entered, until).expect("a position has a cohort");
        self.tracks.get(cohort.track).expect("a cohort has a track")
    }

    /// `floor(principal * factor)`: what a position is worth.
    pub(crate) fn worth(&self, principal: Amount, entered: Epoch, until: Epoch) -> Amount {
        worth(principal, self.factor(entered, until))
    }

    /// The principal that `entered` adds to is bonded from the next epoch on and enters whole.
    pub(crate) fn join(&mut self, now: Epoch, amount: Amount) {
        let entered = now.next();
        self.held.grow(amount);
        let index = match find(&self.cohorts, entered, Epoch::NEVER) {
            Some(index) => index,
            None => {
                let track = self.fresh_track();
                let cohort = Cohort {
                    from: entered,
                    upto: entered,
                    until: Epoch::NEVER,
                    principal: Amount::ZERO,
                    track,
                };
                insert(&mut self.cohorts, cohort)
            }
        };
        self.cohort_mut(index).principal.grow(amount);
    }

    /// Takes back principal that was never bonded.
    pub(crate) fn take_back(&mut self, entered: Epoch, principal: Amount) {
        self.held.shrink(principal);
        self.remove_principal(entered, Epoch::NEVER, principal);
    }

    /// Principal of `entered` stays bonded through `now` and then leaves.
    pub(crate) fn leave(&mut self, now: Epoch, entered: Epoch, principal: Amount) {
        let index = find(&self.cohorts, entered, Epoch::NEVER).expect("bonded principal has a cohort");
        let staying = *self.cohorts.get(index).expect("the index was found");
        let leaving = match find(&self.cohorts, entered, now) {
            Some(leaving) => leaving,
            None => insert(&mut self.cohorts, Cohort { until: now, principal: Amount::ZERO, ..staying }),
        };
        self.cohort_mut(leaving).principal.grow(principal);
        self.remove_principal(entered, Epoch::NEVER, principal);
    }

    /// Pays out a position that is free: its worth leaves the pool, rounded down.
    pub(crate) fn pay_out(&mut self, principal: Amount, entered: Epoch, until: Epoch) -> Amount {
        let paid = self.worth(principal, entered, until);
        self.held.shrink(paid);
        self.remove_principal(entered, until, principal);
        paid
    }

    /// Takes the worth of lost principal out of the pool; the caller says how much of it that is.
    pub(crate) fn lose_principal(&mut self, principal: Amount, entered: Epoch, until: Epoch, worth: Amount) {
        self.held.shrink(worth);
        self.remove_principal(entered, until, principal);
    }

    fn remove_principal(&mut self, entered: Epoch, until: Epoch, principal: Amount) {
        for cohorts in [&mut self.cohorts, &mut self.matured] {
            if let Some(index) = find(cohorts, entered, until) {
                let cohort = cohorts.get_mut(index).expect("the index was found");
                cohort.principal.shrink(principal);
                return;
            }
        }
    }

    fn cohort_mut(&mut self, index: usize) -> &mut Cohort {
        self.cohorts.get_mut(index).expect("the index was found")
    }

    fn fresh_track(&mut self) -> usize {
        if let Some(fresh) = self.fresh {
            return fresh;
        }
        self.tracks.push(Track::whole(self.slices.len()));
        let fresh = self.tracks.len().saturating_sub(1);
        self.fresh = Some(fresh);
        fresh
    }

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

    /// What a slash of `set` for `capture` would take from the stake, before any bond: rounded down once.
    pub(crate) fn assess(&self, set: SetId, capture: Epoch, keep: Keep) -> Amount {
        let mut lost = Wide::ZERO;
        for cohort in self.cohorts.iter().filter(|cohort| cohort.is_bonded_in(capture)) {
            let track = self.tracks.get(cohort.track).expect("a cohort has a track");
            let fall = track.fall(&self.slices, set, capture, |left| keep.of(left));
            lost = wide::plus(lost, wide::product(cohort.principal.units(), fall));
        }
        Amount::new(wide::shift_down(lost, FACTOR_BITS_WIDE))
    }

    /// Scales what is left of the slices that `set` owned in `capture`, of the stake bonded in `capture`, and of nothing else.
    /// Returns what left the pool, rounded down once: the remainder stays with the stakers.
    pub(crate) fn slash(&mut self, set: SetId, capture: Epoch, keep: Keep) -> (Amount, Vec<Hit>) {
        let taken = self.assess(set, capture, keep);
        let mut hits = Vec::new();
        if !self.slices.iter().any(|slice| slice.is_owned_by(set, capture)) {
            return (taken, hits);
        }
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
        self.held.shrink(taken);
        (taken, hits)
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

    /// The boundary into `now`: sets aside what is free, merges what can no longer differ, forgets what nobody can ask about.
    pub(crate) fn roll(&mut self, now: Epoch, oldest_open: Epoch, is_free: impl Fn(Epoch) -> bool) {
        let (free, live): (Vec<_>, Vec<_>) =
            self.cohorts.drain(..).partition(|cohort| cohort.until != Epoch::NEVER && is_free(cohort.until));
        self.cohorts = live;
        for cohort in free {
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

    /// Cuts slice `index` so that its first `size` parts stand alone. What is left of it is the same on both sides.
    pub(crate) fn cut(&mut self, index: usize, size: u16) {
        let slice = self.slices.get_mut(index).expect("a slice to cut is there");
        if size == 0 || size >= slice.size {
            return;
        }
        let rest = Slice { size: slice.size.saturating_sub(size), owners: slice.owners.clone() };
        slice.size = size;
        self.slices.insert(index.saturating_add(1), rest);
        for track in &mut self.tracks {
            track.cut(index);
        }
    }

    pub(crate) fn slice_mut(&mut self, index: usize) -> &mut Slice {
        self.slices.get_mut(index).expect("the slice is there")
    }

    /// Checks what holds between any two operations; the text names what does not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let sizes = self.slices.iter().fold(0_u16, |sum, slice| sum.saturating_add(slice.size));
        if sizes != PARTS {
            return Err(format!("slices hold {sizes} parts, not {PARTS}"));
        }
        let mut backed = Wide::ZERO;
        for cohort in self.all_cohorts() {
            let track = self.tracks.get(cohort.track).ok_or("a cohort has no track")?;
            if track.len() != self.slices.len() {
                return Err(format!("a track covers {} of {} slices", track.len(), self.slices.len()));
            }
            backed = wide::plus(backed, wide::product(cohort.principal.units(), track.factor(&self.slices)));
        }
        if Wide::from(self.held.units()).wrapping_shl(FACTOR_BITS_WIDE) < backed {
            return Err(format!("the pool holds {} but owes more", self.held));
        }
        Ok(())
    }
}

const FACTOR_BITS_WIDE: usize = 120;

/// `floor(principal * factor)`.
pub(crate) fn worth(principal: Amount, factor: u128) -> Amount {
    Amount::new(wide::mul_shift_down(principal.units(), factor, FACTOR_BITS))
}

/// The least principal that is worth `amount`, at most `most`; all of it where nothing is left.
pub(crate) fn principal_for(amount: Amount, factor: u128, most: Amount) -> Amount {
    wide::shift_div_up(amount.units(), FACTOR_BITS_WIDE, factor)
        .map_or(most, |units| most.min(Amount::new(units)))
}

/// Where the cohort of a position stands: cohorts are sorted by (until, from), and those of one `until` do not overlap.
fn find(cohorts: &[Cohort], entered: Epoch, until: Epoch) -> Option<usize> {
    let after = cohorts.partition_point(|cohort| (cohort.until, cohort.from) <= (until, entered));
    let index = after.checked_sub(1)?;
    let cohort = cohorts.get(index)?;
    (cohort.until == until && entered <= cohort.upto).then_some(index)
}

fn insert(cohorts: &mut Vec<Cohort>, cohort: Cohort) -> usize {
    let index = cohorts.partition_point(|other| (other.until, other.from) <= (cohort.until, cohort.from));
    cohorts.insert(index, cohort);
    index
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
