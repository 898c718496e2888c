//! What may be taken of an entry of stake from now on, and at worst how much.
//!
//! An entry is liable for the epochs in which it was, is and will be bonded, as far as offences of them may still be punished. A set
//! matters to it if it owns parts in one of those epochs. At worst the set takes its window cap of what is left of them: within a window
//! of `W + V + X` epochs no number of slashes takes more. Losses round up.

use super::Loss;
use crate::pool::slices::{Owner, Slice};
use crate::pool::{self, FACTOR_ONE};
use crate::state::State;
use crate::state::positions::Position;
use crate::state::records::{PoolRecord, Set};
use crate::units::{Amount, Epoch, Fraction, SetId};
use crate::wide;

/// An entry of stake with the capture epochs for which something may still be taken of it.
pub(super) struct Liability<'a> {
    state: &'a State,
    pub(super) record: &'a PoolRecord,
    position: Position,
    /// Its first capture epoch that is open.
    pub(super) first: Epoch,
    /// Its last one; [`Epoch::NEVER`] while it stays.
    pub(super) last: Epoch,
}

/// A set that matters to an entry.
pub(super) struct Threat {
    pub(super) set: SetId,
    /// Parts that it owns in any epoch that matters.
    pub(super) parts: u16,
    /// Of them, in this epoch.
    pub(super) parts_now: u16,
    /// First epoch that matters in which it owns any.
    pub(super) first: Epoch,
    /// Last such epoch.
    pub(super) last: Epoch,
    /// The most that it takes of what is left of them.
    pub(super) cap: Fraction,
    /// What that is of a unit of principal, in `1 / 2^120`.
    pub(super) lost: u128,
    /// The same at the cap of announced terms, where the entry would be bonded under them.
    pub(super) lost_announced: u128,
}

/// One slice of the pool, as it is for an entry at worst.
pub(super) struct SliceAtWorst {
    pub(super) parts: u16,
    /// In `1 / 2^112`.
    pub(super) left: u128,
    /// The caps of the sets that matter in it, by set.
    pub(super) caps: Vec<(SetId, Fraction)>,
    /// What they leave together of what is left: the product of what each leaves, every product cut to 18 places.
    pub(super) kept: Fraction,
}

impl Threat {
    fn of(set: SetId, first: Epoch, last: Epoch) -> Self {
        let cap = Fraction::ZERO;
        Self { set, parts: 0, parts_now: 0, first, last, cap, lost: 0, lost_announced: 0 }
    }
}

impl<'a> Liability<'a> {
    /// The liability of an entry that leaves when it has asked to, or never.
    pub(super) fn of(state: &'a State, position: &Position) -> Self {
        Self::leaving(state, position, position.until)
    }

    /// The same if it were asked back so that `until` is its last bonded epoch.
    pub(super) fn leaving(state: &'a State, position: &Position, until: Epoch) -> Self {
        let first = position.entered.max(state.oldest_open(state.epoch));
        Self { state, record: state.pool(position.pool), position: *position, first, last: until }
    }

    /// Whether nothing can be taken of it any more.
    pub(super) fn is_over(&self) -> bool {
        self.last < self.first || self.state.is_free(self.position.until)
    }

    fn matters(&self, owner: &Owner) -> bool {
        owner.from <= self.last && owner.to >= self.first
    }

    fn slices(&self) -> impl Iterator<Item = (&'a Slice, u128)> {
        let Position { entered, until, .. } = self.position;
        let all = self.record.stake.left_of_slices(entered, until);
        let is_over = self.is_over();
        all.filter(move |_| !is_over)
    }

    /// The sets that matter, ascending.
    pub(super) fn threats(&self) -> Vec<Threat> {
        let now = self.state.epoch;
        let mut threats: Vec<Threat> = Vec::new();
        for (slice, _) in self.slices() {
            let mut seen: Vec<SetId> = Vec::new();
            for owner in slice.owners.iter().filter(|owner| self.matters(owner)) {
                let first = owner.from.max(self.first);
                let last = owner.to.min(self.last);
                let index = threats.binary_search_by_key(&owner.set, |threat| threat.set);
                let index = index.unwrap_or_else(|place| {
                    threats.insert(place, Threat::of(owner.set, first, last));
                    place
                });
                let Some(threat) = threats.get_mut(index) else { continue };
                threat.first = threat.first.min(first);
                threat.last = threat.last.max(last);
                if !seen.contains(&owner.set) {
                    threat.parts = threat.parts.saturating_add(slice.size);
                    seen.push(owner.set);
                }
                if owner.is_in(now) && self.first <= now && now <= self.last {
                    threat.parts_now = threat.parts_now.saturating_add(slice.size);
                }
            }
        }
        self.add_losses(&mut threats);
        threats
    }

    /// What each set's caps take, in one pass over the slices.
    fn add_losses(&self, threats: &mut [Threat]) {
        let mut announced = Vec::with_capacity(threats.len());
        for threat in &mut *threats {
            threat.cap = self.cap(threat.set);
            let pending = self.state.set(threat.set).and_then(|record| record.pending.as_ref());
            let pending = pending.filter(|pending| pending.from <= threat.last);
            announced.push(pending.map(|pending| pending.terms.window_cap));
        }
        for (slice, left) in self.slices() {
            for (index, owner) in slice.owners.iter().enumerate().filter(|(_, owner)| self.matters(owner)) {
                let before = slice.owners.iter().take(index);
                if before.into_iter().any(|other| other.set == owner.set && self.matters(other)) {
                    continue;
                }
                let Ok(place) = threats.binary_search_by_key(&owner.set, |threat| threat.set) else {
                    continue;
                };
                let Some(threat) = threats.get_mut(place) else { continue };
                let lost = |cap: Fraction| lost_of(slice.size, left, cap.complement());
                threat.lost = threat.lost.saturating_add(lost(threat.cap));
                if let Some(Some(cap)) = announced.get(place) {
                    threat.lost_announced = threat.lost_announced.saturating_add(lost(*cap));
                }
            }
        }
    }

    /// The highest window cap of a set for any epoch that matters, announced terms included where the entry would be bonded under them.
    pub(super) fn cap(&self, set: SetId) -> Fraction {
        let Some(record) = self.state.set(set) else { return Fraction::ZERO };
        let cap = highest_cap(record, self.first, self.last);
        match &record.pending {
            Some(pending) if pending.from <= self.last => cap.max(pending.terms.window_cap),
            _ => cap,
        }
    }

    /// The slices in which any set matters, from the left.
    pub(super) fn at_worst(&self) -> Vec<SliceAtWorst> {
        let mut caps: Vec<(SetId, Fraction)> = Vec::new();
        let mut slices = Vec::new();
        for (slice, left) in self.slices() {
            let mut own: Vec<(SetId, Fraction)> = Vec::new();
            for owner in slice.owners.iter().filter(|owner| self.matters(owner)) {
                if own.iter().any(|(set, _)| *set == owner.set) {
                    continue;
                }
                let known = caps.iter().find(|(set, _)| *set == owner.set).copied();
                own.push(known.unwrap_or_else(|| {
                    let new = (owner.set, self.cap(owner.set));
                    caps.push(new);
                    new
                }));
            }
            if own.is_empty() {
                continue;
            }
            own.sort_unstable();
            let kept = own.iter().fold(Fraction::ONE, |kept, (_, cap)| kept.times_down(cap.complement()));
            slices.push(SliceAtWorst { parts: slice.size, left, caps: own, kept });
        }
        slices
    }

    /// What all sets together may take within one window of a unit of principal, in `1 / 2^120`.
    pub(super) fn lost_at_worst(&self) -> u128 {
        let lost = |slice: &SliceAtWorst| lost_of(slice.parts, slice.left, slice.kept);
        self.at_worst().iter().fold(0_u128, |sum, slice| sum.saturating_add(lost(slice)))
    }

    /// What a slash by a set for one capture epoch takes at most of a unit of principal, without the bond; in `1 / 2^120`.
    pub(super) fn lost_in(&self, set: SetId, capture: Epoch, fraction: Fraction) -> u128 {
        let lost = |(slice, left): (&Slice, u128)| lost_of(slice.size, left, fraction.complement());
        self.owned_in(set, capture).fold(0_u128, |sum, owned| sum.saturating_add(lost(owned)))
    }

    /// The slices that a set owned in an epoch, with what is left of them.
    pub(super) fn owned_in(&self, set: SetId, capture: Epoch) -> impl Iterator<Item = (&'a Slice, u128)> {
        self.slices().filter(move |(slice, _)| slice.is_owned_by(set, capture))
    }

    /// The slices in which a set matters, each with the spans for which it does.
    pub(super) fn owned_slices(&self, set: SetId) -> Vec<(&'a Slice, Vec<&'a Owner>)> {
        let owned = |(slice, _): (&'a Slice, u128)| {
            let owners = slice.owners.iter().filter(|owner| owner.set == set && self.matters(owner));
            (slice, owners.collect::<Vec<_>>())
        };
        self.slices().map(owned).filter(|(_, owners)| !owners.is_empty()).collect()
    }

    /// What a part of a unit of principal is of the entry.
    pub(super) fn loss(&self, lost: u128) -> Loss {
        let Position { principal, entered, until, .. } = self.position;
        loss_of(principal, self.record.stake.factor(entered, until), lost)
    }
}

/// What `lost` of a unit of principal is, of what the principal is worth; both in `1 / 2^120`. Rounded up: wherever the worth is cut, no
/// more is lost.
pub(super) fn loss_of(principal: Amount, factor: u128, lost: u128) -> Loss {
    let lost = wide::mul_div_up(principal.units(), lost, FACTOR_ONE);
    Loss::of(Amount::new(lost), pool::worth(principal, factor))
}

/// What a slash that keeps `kept` takes of a slice, in `1 / 2^120`. What is left rounds up, as it does when stake is slashed.
pub(super) fn lost_of(parts: u16, left: u128, kept: Fraction) -> u128 {
    let rest = wide::mul_div_up(left, u128::from(kept.steps()), u128::from(Fraction::STEPS));
    left.saturating_sub(rest).saturating_mul(u128::from(parts))
}

/// The highest window cap of the terms in force in any epoch of a span.
fn highest_cap(record: &Set, first: Epoch, last: Epoch) -> Fraction {
    caps_in(record, first, last).max().unwrap_or(Fraction::ZERO)
}

/// The window caps of the terms in force in any epoch of a span, the newest first.
pub(super) fn caps_in(record: &Set, first: Epoch, last: Epoch) -> impl Iterator<Item = Fraction> {
    let mut until = Some(Epoch::NEVER);
    record.terms.iter().rev().filter_map(move |(from, terms)| {
        let own = until.filter(|until| from <= last && first <= *until).map(|_| terms.window_cap);
        // Nothing older than the terms of the first epoch matters.
        until = until.filter(|_| from > first).map(|_| from.previous());
        own
    })
}
