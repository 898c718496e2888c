//! Who owns which parts of a pool, and from when to when.

use smallvec::SmallVec;

use serde::{Deserialize, Serialize};

use super::Pool;
use crate::units::{Amount, Epoch, Fraction, SetId};

/// Parts of a pool. Its capacity is one, in so many equal parts, and never changes.
pub(crate) const PARTS: u16 = 256;
/// What is left of a slice that was never slashed, in `1 / 2^112`.
pub(crate) const LEFT_ONE: u128 = 1 << 112;

/// A set owns a slice from an epoch to an epoch, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) set: SetId,
    pub(crate) from: Epoch,
    /// Last owned epoch; [`Epoch::NEVER`] while it has not been given back.
    pub(crate) to: Epoch,
    /// First epoch in which the capacity rule no longer counts it: offences on duty stay punishable until then.
    pub(crate) free_at: Epoch,
}

impl Owner {
    /// Whether the set owns the slice in `epoch`.
    pub(crate) fn is_in(&self, epoch: Epoch) -> bool {
        self.from <= epoch && epoch <= self.to
    }

    /// Whether it has not been given back.
    pub(crate) fn is_open(&self) -> bool {
        self.to == Epoch::NEVER
    }
}

/// A run of parts with the same history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Slice {
    /// Parts, `1 ..= 256`.
    pub(crate) size: u16,
    /// By appearance; a set stands in it more than once only with a gap between.
    pub(crate) owners: SmallVec<[Owner; 1]>,
}

impl Slice {
    /// All parts, owned by nobody.
    pub(crate) fn unowned() -> Self {
        Self { size: PARTS, owners: SmallVec::new() }
    }

    pub(crate) fn is_owned_by(&self, set: SetId, epoch: Epoch) -> bool {
        self.owners.iter().any(|owner| owner.set == set && owner.is_in(epoch))
    }

    fn is_held_open_by(&self, set: SetId) -> bool {
        self.owners.iter().any(|owner| owner.set == set && owner.is_open())
    }

    /// The risk weights of its owners, retained ones included, each set once; in steps of `10^-18`.
    fn load(&self, weight: &impl Fn(SetId) -> Fraction) -> u128 {
        let mut load = 0_u128;
        for (index, owner) in self.owners.iter().enumerate() {
            if !self.owners.iter().take(index).any(|earlier| earlier.set == owner.set) {
                load = load.saturating_add(u128::from(weight(owner.set).steps()));
            }
        }
        load
    }

    /// Whether the capacity rule holds: the risk weights of its owners sum to at most one.
    pub(crate) fn fits(&self, weight: &impl Fn(SetId) -> Fraction) -> bool {
        self.load(weight) <= u128::from(Fraction::STEPS)
    }

    fn admits(&self, set: SetId, weight: &impl Fn(SetId) -> Fraction) -> bool {
        if self.is_held_open_by(set) {
            return false;
        }
        let already = self.owners.iter().any(|owner| owner.set == set);
        let added = if already { 0 } else { u128::from(weight(set).steps()) };
        self.load(weight).saturating_add(added) <= u128::from(Fraction::STEPS)
    }

    /// Forgets owners that can neither slash nor count any more, and how long the others have been there.
    pub(crate) fn forget(&mut self, now: Epoch, oldest_open: Epoch) {
        self.owners.retain(|owner| owner.free_at > now);
        for owner in &mut self.owners {
            if owner.from <= oldest_open {
                owner.from = Epoch::ZERO;
            }
        }
    }
}

/// What an allocation order would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Short {
    /// Parts that the capacity rule admits.
    pub(crate) admissible: u16,
}

impl Pool {
    /// Parts that `set` holds and has not given back, those that start later included.
    pub(crate) fn parts_of(&self, set: SetId) -> u16 {
        self.count_parts(|slice| slice.is_held_open_by(set))
    }

    /// Parts that `set` owns in `epoch`.
    pub(crate) fn parts_in(&self, set: SetId, epoch: Epoch) -> u16 {
        self.count_parts(|slice| slice.is_owned_by(set, epoch))
    }

    /// Parts that `set` gave back in `now`: they can be taken again as if nothing had been.
    pub(crate) fn given_back_in(&self, set: SetId, now: Epoch) -> u16 {
        self.count_parts(|slice| slice.owners.iter().any(|owner| owner.set == set && owner.to == now))
    }

    fn count_parts(&self, chosen: impl Fn(&Slice) -> bool) -> u16 {
        self.slices.iter().filter(|slice| chosen(slice)).fold(0, |sum, slice| sum.saturating_add(slice.size))
    }

    /// Sets that own a part now or later, in ascending order.
    pub(crate) fn open_sets(&self) -> Vec<SetId> {
        let mut sets: Vec<SetId> = self
            .slices
            .iter()
            .flat_map(|slice| &slice.owners)
            .filter(|owner| owner.is_open())
            .map(|o| o.set)
            .collect();
        sets.sort_unstable();
        sets.dedup();
        sets
    }

    /// Slices that `set` could take, in the order in which it takes them: what it gave back in the epoch `reopened`, its other retained
    /// ones, then the most loaded that the capacity rule admits, then from the left.
    fn candidates(
        &self,
        set: SetId,
        reopened: Option<Epoch>,
        weight: &impl Fn(SetId) -> Fraction,
    ) -> Vec<usize> {
        let mut candidates: Vec<(bool, bool, u128, usize)> = Vec::new();
        for (index, slice) in self.slices.iter().enumerate() {
            if slice.admits(set, weight) {
                let is_foreign = !slice.owners.iter().any(|owner| owner.set == set);
                let room = u128::MAX.saturating_sub(slice.load(weight));
                let is_given = |owner: &Owner| owner.set == set && Some(owner.to) == reopened;
                let is_other = !slice.owners.iter().any(is_given);
                candidates.push((is_other, is_foreign, room, index));
            }
        }
        candidates.sort_unstable();
        candidates.into_iter().map(|(_, _, _, index)| index).collect()
    }

    /// Whether `set` can take `parts` more.
    pub(crate) fn can_take(
        &self,
        set: SetId,
        parts: u16,
        weight: &impl Fn(SetId) -> Fraction,
    ) -> Result<(), Short> {
        let candidates = self.candidates(set, None, weight);
        let sizes = candidates.iter().filter_map(|index| self.slices.get(*index)).map(|slice| slice.size);
        let admissible = sizes.fold(0_u16, u16::saturating_add);
        if admissible < parts { Err(Short { admissible }) } else { Ok(()) }
    }

    /// `set` owns `parts` more from `from` on; what it gave back in the epoch `reopened` was never given back.
    ///
    /// # Panics
    /// Only on a bug: the caller has asked [`Pool::can_take`].
    pub(crate) fn take(
        &mut self,
        set: SetId,
        parts: u16,
        reopened: Option<Epoch>,
        from: Epoch,
        weight: &impl Fn(SetId) -> Fraction,
    ) {
        let mut missing = parts;
        while missing > 0 {
            let index = *self
                .candidates(set, reopened, weight)
                .first()
                .expect("the caller asked whether there are enough parts");
            let size = self.slice_mut(index).size.min(missing);
            self.cut(index, size);
            missing = missing.saturating_sub(size);
            let slice = self.slice_mut(index);
            let follows_on = |owner: &&mut Owner| {
                owner.set == set && (Some(owner.to) == reopened || owner.to.next() >= from)
            };
            match slice.owners.iter_mut().find(follows_on) {
                Some(owner) => {
                    owner.to = Epoch::NEVER;
                    owner.free_at = Epoch::NEVER;
                }
                None => slice.owners.push(Owner { set, from, to: Epoch::NEVER, free_at: Epoch::NEVER }),
            }
        }
    }

    /// `set` gives back `parts`, from the right, those that have not started first. The last owned epoch is `last`; the parts may have
    /// another owner beyond the capacity rule from `free_at` on.
    pub(crate) fn give_back(&mut self, set: SetId, parts: u16, last: Epoch, free_at: Epoch) {
        let mut missing = parts;
        for started in [false, true] {
            for index in (0..self.slices.len()).rev() {
                if missing == 0 {
                    return;
                }
                let is_given =
                    |owner: &Owner| owner.set == set && owner.is_open() && (owner.from <= last) == started;
                let slice = self.slice_mut(index);
                if !slice.owners.iter().any(is_given) {
                    continue;
                }
                let size = slice.size.min(missing);
                missing = missing.saturating_sub(size);
                let kept = slice.size.saturating_sub(size);
                self.cut(index, kept);
                let target = if kept == 0 { index } else { index.saturating_add(1) };
                let owners = &mut self.slice_mut(target).owners;
                if started {
                    for owner in owners.iter_mut().filter(|owner| is_given(owner)) {
                        owner.to = last;
                        owner.free_at = free_at;
                    }
                } else {
                    owners.retain(|owner| !is_given(owner));
                }
            }
        }
    }

    /// What the parts that `set` would take next are worth for the stake bonded in `now`, and what they would be worth undamaged: what
    /// the next owner really gets.
    pub(crate) fn next_parts_worth(
        &self,
        set: SetId,
        parts: u16,
        now: Epoch,
        weight: &impl Fn(SetId) -> Fraction,
    ) -> (Amount, Amount) {
        let mut missing = parts;
        let mut chosen = Vec::new();
        for index in self.candidates(set, Some(now), weight) {
            let size = self.slices.get(index).map_or(0, |slice| slice.size).min(missing);
            missing = missing.saturating_sub(size);
            if size > 0 {
                chosen.push((index, size));
            }
        }
        self.worth_of_slices(&chosen, now)
    }

    /// The same owners without any stake: to see what an order would do.
    pub(crate) fn layout(&self) -> Self {
        Self { slices: self.slices.clone(), ..Self::new() }
    }
}
