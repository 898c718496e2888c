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
mod earning;
mod liability;
pub(crate) mod reading;
mod roll;
pub(crate) mod slices;
pub(crate) mod track;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::units::{Amount, Epoch};
use crate::wide::{self, Wide};
use slices::Slice;
use track::Track;

pub(crate) use earning::{Reserve, Reward};
pub(crate) use liability::{Hit, Keep};
pub(crate) use slices::PARTS;

/// A factor counts `1 / 2^120`: 256 parts times `1 / 2^112` left of each.
pub(crate) const FACTOR_BITS: u32 = 120;
/// The factor of stake that was never slashed.
pub(crate) const FACTOR_ONE: u128 = 1 << FACTOR_BITS;

/// All principal with the same liability: it entered in `from ..= upto` and leaves in `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// The stake of one asset delegated to one operator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pool {
    /// What it holds for stake that can still be slashed or join. Invariant: at least what all of that is worth together.
    live: Amount,
    /// What it holds for stake that is free and not yet fetched. Invariant: at least the sum of what each such position is worth.
    free: Amount,
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

impl Pool {
    /// An empty pool that no set owns a part of.
    pub(crate) fn new() -> Self {
        Self {
            live: Amount::ZERO,
            free: Amount::ZERO,
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

    /// Everything it holds for stakers.
    pub(crate) fn held(&self) -> Amount {
        let mut held = self.live;
        held.grow(self.free);
        held
    }

    /// Of it, for stake that is free and not yet fetched.
    pub(crate) fn free(&self) -> Amount {
        self.free
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
        self.live.grow(amount);
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
        self.live.shrink(principal);
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
        self.remove_principal(entered, until, principal).shrink(paid);
        paid
    }

    /// Takes the worth of lost principal out of the pool; the caller says how much of it that is.
    pub(crate) fn lose_principal(&mut self, principal: Amount, entered: Epoch, until: Epoch, worth: Amount) {
        self.remove_principal(entered, until, principal).shrink(worth);
    }

    /// Takes units out that roundings have left in the pool, from where they are: what is owed to anybody stays.
    pub(crate) fn shrink_surplus(&mut self, amount: Amount) {
        let of_live = amount.min(self.owed_to_live().room_below(self.live));
        self.live.shrink(of_live);
        self.free.shrink(of_live.room_below(amount));
    }

    /// Takes principal out of its cohort; returns what holds its worth.
    fn remove_principal(&mut self, entered: Epoch, until: Epoch, principal: Amount) -> &mut Amount {
        if let Some(index) = find(&self.cohorts, entered, until) {
            self.cohort_mut(index).principal.shrink(principal);
            return &mut self.live;
        }
        let index = find(&self.matured, entered, until).expect("a position has a cohort");
        let cohort = self.matured.get_mut(index).expect("the index was found");
        cohort.principal.shrink(principal);
        &mut self.free
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
        for cohort in self.all_cohorts() {
            let track = self.tracks.get(cohort.track).ok_or("a cohort has no track")?;
            if track.len() != self.slices.len() {
                return Err(format!("a track covers {} of {} slices", track.len(), self.slices.len()));
            }
        }
        let owed = self.owed_to_live();
        if self.live < owed {
            return Err(format!("the pool holds {} and owes {owed}", self.live));
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
