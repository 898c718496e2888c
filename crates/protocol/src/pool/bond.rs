//! The operator's bond: in the pool's asset, weighs nothing, liable by capture epoch like stake, loses first.

use serde::{Deserialize, Serialize};

use crate::units::{Amount, Epoch};

/// Part of a bond with the same liability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// First epoch in which it is liable.
    pub(crate) from: Epoch,
    /// Last epoch in which it is liable; [`Epoch::NEVER`] while it has not been lowered.
    pub(crate) until: Epoch,
    pub(crate) amount: Amount,
}

/// What an operator has put up for one pool.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Bond {
    /// By (until, from).
    entries: Vec<Entry>,
}

impl Bond {
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Everything that is there, liable or not.
    pub(crate) fn total(&self) -> Amount {
        self.total_where(|_| true)
    }

    /// What is liable for `capture`.
    pub(crate) fn liable(&self, capture: Epoch) -> Amount {
        self.total_where(|entry| entry.from <= capture && capture <= entry.until)
    }

    /// What nobody has asked to lower.
    pub(crate) fn standing(&self) -> Amount {
        self.total_where(|entry| entry.until == Epoch::NEVER)
    }

    fn total_where(&self, chosen: impl Fn(&Entry) -> bool) -> Amount {
        let mut total = Amount::ZERO;
        for entry in self.entries.iter().filter(|entry| chosen(entry)) {
            total.grow(entry.amount);
        }
        total
    }

    /// Liable from the next epoch on.
    pub(crate) fn raise(&mut self, now: Epoch, amount: Amount) {
        self.add(Entry { from: now.next(), until: Epoch::NEVER, amount });
    }

    /// The oldest of it is liable through `until`, then leaves.
    ///
    /// # Panics
    /// Only on a bug: the caller has checked that so much is standing.
    pub(crate) fn lower(&mut self, until: Epoch, amount: Amount) {
        let mut missing = amount;
        let mut leaving = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| entry.until == Epoch::NEVER) {
            let part = entry.amount.min(missing);
            missing.shrink(part);
            entry.amount.shrink(part);
            leaving.push(Entry { until, amount: part, ..*entry });
        }
        assert!(missing.is_zero(), "the caller checked that so much is standing");
        for entry in leaving {
            self.add(entry);
        }
        self.entries.retain(|entry| !entry.amount.is_zero());
    }

    /// Pays `amount` of what is liable for `capture`, what leaves first before what stays.
    ///
    /// # Panics
    /// Only on a bug: the caller has checked that so much is liable.
    pub(crate) fn pay(&mut self, capture: Epoch, amount: Amount) {
        let mut missing = amount;
        for entry in self.entries.iter_mut().filter(|entry| entry.from <= capture && capture <= entry.until) {
            let part = entry.amount.min(missing);
            missing.shrink(part);
            entry.amount.shrink(part);
        }
        assert!(missing.is_zero(), "the caller checked that so much is liable");
        self.entries.retain(|entry| !entry.amount.is_zero());
    }

    /// Takes out everything whose last liable epoch is free.
    pub(crate) fn release(&mut self, is_free: impl Fn(Epoch) -> bool) -> Amount {
        let free = self.total_where(|entry| entry.until != Epoch::NEVER && is_free(entry.until));
        self.entries.retain(|entry| entry.until == Epoch::NEVER || !is_free(entry.until));
        free
    }

    /// Forgets when the old entries began: no open capture epoch tells them apart.
    pub(crate) fn roll(&mut self, oldest_open: Epoch) {
        for entry in &mut self.entries {
            if entry.from <= oldest_open {
                entry.from = Epoch::ZERO;
            }
        }
        self.entries.dedup_by(|later, earlier| {
            let is_same = later.until == earlier.until && later.from == earlier.from;
            if is_same {
                earlier.amount.grow(later.amount);
            }
            is_same
        });
    }

    fn add(&mut self, entry: Entry) {
        if entry.amount.is_zero() {
            return;
        }
        let key = (entry.until, entry.from);
        let index = self.entries.partition_point(|other| (other.until, other.from) < key);
        match self.entries.get_mut(index) {
            Some(other) if (other.until, other.from) == key => other.amount.grow(entry.amount),
            _ => self.entries.insert(index, entry),
        }
    }
}
