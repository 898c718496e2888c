//! What waits of one sender: what may be drawn, and what an earlier number must come before.

use std::collections::{BTreeMap, BTreeSet};

use evidence::PublicKey;

use super::Candidate;
use super::lanes::Place;

/// Whose numbers an ordered operation counts in: those of one key, or, where several signed, those of the account.
pub(super) type Row = Option<PublicKey>;

/// Which numbers of a row may be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// This one, and those that follow it without a gap.
    From(u64),
    /// This one only: what comes of it decides what is next.
    Only(u64),
    /// Whichever: those who signed may not act any more, and the rules will say why.
    Any,
}

#[derive(Debug)]
struct Entry<T> {
    /// Its place among all that came.
    arrived: u64,
    candidate: Candidate<T>,
}

/// The operations of one sender.
#[derive(Debug)]
pub(super) struct Queue<T> {
    /// What may be drawn, by arrival; of one row by number: each comes no sooner than those before it.
    ready: BTreeMap<(u64, u64), Box<Entry<T>>>,
    /// What waits for its turn.
    held: BTreeMap<(Row, u64), Box<Entry<T>>>,
    /// Its place among those who take turns, while something may be drawn.
    pub(super) place: Option<Place>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { ready: BTreeMap::new(), held: BTreeMap::new(), place: None }
    }
}

/// The row of an operation, and its number there; `None` of what has no order.
fn numbered<T>(candidate: &Candidate<T>) -> Option<(Row, u64)> {
    if !candidate.kind.is_ordered() {
        return None;
    }
    match candidate.seals.as_slice() {
        [] => None,
        [(key, number)] => Some((Some(key.clone()), *number)),
        [(_, number), ..] => Some((None, *number)),
    }
}

impl<T> Queue<T> {
    pub(super) fn len(&self) -> usize {
        self.ready.len().saturating_add(self.held.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.held.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Candidate<T>> {
        self.ready.values().chain(self.held.values()).map(|entry| &entry.candidate)
    }

    /// What waits for its turn, with its place among all that came.
    pub(super) fn held(&self) -> impl Iterator<Item = (u64, &Candidate<T>)> {
        self.held.values().map(|entry| (entry.arrived, &entry.candidate))
    }

    /// Takes one in. Whether it is held, because it has a number.
    pub(super) fn push(&mut self, arrived: u64, candidate: Candidate<T>) -> bool {
        let place = numbered(&candidate);
        let entry = Box::new(Entry { arrived, candidate });
        match place {
            Some(place) => self.held.insert(place, entry).is_none(),
            None => {
                self.ready.insert((arrived, 0), entry);
                false
            }
        }
    }

    /// The first that may be drawn.
    pub(super) fn first(&self) -> Option<&Candidate<T>> {
        self.ready.first_key_value().map(|(_, entry)| &entry.candidate)
    }

    /// Takes out the first that may be drawn.
    pub(super) fn pop(&mut self) -> Option<Candidate<T>> {
        self.ready.pop_first().map(|(_, entry)| entry.candidate)
    }

    /// Takes one out that is held.
    pub(super) fn remove_held(&mut self, candidate_arrived: u64) -> Option<Candidate<T>> {
        let place = self.held.iter().find(|(_, entry)| entry.arrived == candidate_arrived)?.0.clone();
        self.held.remove(&place).map(|entry| entry.candidate)
    }

    /// From now on everything with a number is held, until somebody looks whose turn it is.
    pub(super) fn hold(&mut self) {
        let ordered = self.ready.extract_if(.., |_, entry| numbered(&entry.candidate).is_some());
        for (_, entry) in ordered {
            if let Some(place) = numbered(&entry.candidate) {
                self.held.insert(place, entry);
            }
        }
    }

    /// Looks whose turn it is. What has expired with a number comes out.
    pub(super) fn settle(&mut self, now: u64, turn: &dyn Fn(&Candidate<T>) -> Turn) -> Vec<Candidate<T>> {
        self.hold();
        let expired = self.held.extract_if(.., |_, entry| entry.candidate.expires < now);
        let expired: Vec<_> = expired.map(|(_, entry)| entry.candidate).collect();
        let rows: BTreeSet<Row> = self.held.keys().map(|(row, _)| row.clone()).collect();
        for row in rows {
            self.promote(&row, turn);
        }
        expired
    }

    /// Of one row: what may be drawn is held no more.
    fn promote(&mut self, row: &Row, turn: &dyn Fn(&Candidate<T>) -> Turn) {
        let from = (row.clone(), 0);
        let Some((_, first)) = self.held.range(from.clone()..).next() else { return };
        let turn = turn(&first.candidate);
        let (mut next, mut after) =
            (if let Turn::From(next) | Turn::Only(next) = turn { next } else { 0 }, 0);
        while let Some(((of, number), _)) = self.held.range(from.clone()..).next() {
            // One below the next can't come any more: the rules say so.
            let is_due = turn == Turn::Any || *number <= next;
            if of != row || !is_due {
                return;
            }
            let is_last = turn == Turn::Only(*number);
            let place = (row.clone(), *number);
            next = next.max(place.1.saturating_add(1));
            let Some(entry) = self.held.remove(&place) else { return };
            after = entry.arrived.max(after);
            self.ready.insert((after, place.1), entry);
            if is_last {
                return;
            }
        }
    }
}

impl<T> Queue<T> {
    /// Everything.
    pub(super) fn into_candidates(self) -> impl Iterator<Item = Candidate<T>> {
        self.ready.into_values().chain(self.held.into_values()).map(|entry| entry.candidate)
    }
}
