//! The newest state and a few before it, for readers. Nobody who reads waits for who writes.
//!
//! A state shares with the next whatever no operation has changed, so holding one costs what was changed since. Therefore the number of states
//! that are held is bounded, and so is the number of operations between them; and a state whose list somebody is reading page by page stays a while
//! longer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ledger::Head;
use tokio::sync::watch;

use crate::http::problem::{Code, Problem};

/// States are let go of once so many operations lie between the oldest and the newest,
const OPERATIONS_HELD: usize = 20_000;
/// but never below so many states.
const HEIGHTS_LEAST: usize = 8;
/// How long a state stays for whoever was given a page of a list with a `next`.
const LEASE: Duration = Duration::from_secs(120);
/// The most states that stay for that reason.
const LEASES_MAX: usize = 16;

/// The states that are held.
#[derive(Debug)]
pub(crate) struct Heads {
    held: RwLock<Held>,
    limit: usize,
    newest: watch::Sender<u64>,
}

#[derive(Debug)]
struct Held {
    /// Each height once, the oldest first, with the number of operations of its block.
    recent: VecDeque<(Arc<Head>, usize)>,
    /// The sum of those numbers.
    operations: usize,
    /// By height, until when.
    leased: BTreeMap<u64, (Arc<Head>, Instant)>,
}

impl Held {
    /// Takes out what is too old or too much; whoever drops it frees it.
    fn shed(&mut self, limit: usize, now: Instant) -> Vec<Arc<Head>> {
        let mut shed = Vec::new();
        while self.recent.len() > limit
            || (self.operations > OPERATIONS_HELD && self.recent.len() > HEIGHTS_LEAST)
        {
            let Some((head, operations)) = self.recent.pop_front() else { break };
            self.operations = self.operations.saturating_sub(operations);
            shed.push(head);
        }
        self.leased.retain(|_, (head, until)| {
            let is_kept = *until > now;
            if !is_kept {
                shed.push(Arc::clone(head));
            }
            is_kept
        });
        shed
    }

    fn span(&self) -> (u64, u64) {
        let of = |held: Option<&(Arc<Head>, usize)>| held.map_or(0, |(head, _)| head.header.height);
        (of(self.recent.front()), of(self.recent.back()))
    }

    fn find(&self, height: u64) -> Option<Arc<Head>> {
        let index = height.checked_sub(self.span().0).and_then(|index| usize::try_from(index).ok());
        let recent = index.and_then(|index| self.recent.get(index)).map(|(head, _)| head);
        recent.or_else(|| self.leased.get(&height).map(|(head, _)| head)).map(Arc::clone)
    }
}

impl Heads {
    pub(crate) fn new(first: Arc<Head>, limit: usize) -> Self {
        let (newest, _) = watch::channel(first.header.height);
        let held = Held { recent: VecDeque::from([(first, 0)]), operations: 0, leased: BTreeMap::new() };
        Self { held: RwLock::new(held), limit, newest }
    }

    /// From here on readers see this state, after a block of so many operations.
    pub(crate) fn publish(&self, head: Arc<Head>, operations: usize) {
        let height = head.header.height;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.recent.push_back((head, operations));
        held.operations = held.operations.saturating_add(operations);
        let shed = held.shed(self.limit, Instant::now());
        drop(held);
        // Whatever only these states shared is freed here, without the lock.
        drop(shed);
        self.newest.send_replace(height);
    }

    /// The newest state.
    pub(crate) fn newest(&self) -> Arc<Head> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let (newest, _) = held
            .recent
            .back()
            .expect("a head is there from the start, and none is dropped before another is there");
        Arc::clone(newest)
    }

    /// The state of a height, or the newest.
    ///
    /// # Errors
    /// The height is not among those that are held.
    pub(crate) fn at(&self, height: Option<u64>) -> Result<Arc<Head>, Problem> {
        let Some(height) = height else { return Ok(self.newest()) };
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.find(height).ok_or_else(|| {
            let (first, last) = held.span();
            let cause = format!("the states of heights {first} to {last} are held");
            let span = serde_json::json!({ "from": first, "to": last });
            let code = if height > last { Code::NotFound } else { Code::NotHeld };
            Problem::new(code, format!("the state of height {height} can't be read"), cause)
                .with("held", span)
        })
    }

    /// Keeps a state for whoever reads a list page by page: for two minutes from now, unless more are kept than there is room for.
    pub(crate) fn lease(&self, head: &Arc<Head>) {
        let now = Instant::now();
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.leased.insert(head.header.height, (Arc::clone(head), now + LEASE));
        let mut shed = held.shed(self.limit, now);
        if held.leased.len() > LEASES_MAX {
            let first = held.leased.iter().min_by_key(|(_, (_, until))| *until).map(|(height, _)| *height);
            shed.extend(first.and_then(|height| held.leased.remove(&height)).map(|(head, _)| head));
        }
        drop(held);
        drop(shed);
    }

    /// How many blocks the held states span, and how many milliseconds.
    pub(crate) fn pace(&self) -> (u64, u64) {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let of = |held: Option<&(Arc<Head>, usize)>| {
            held.map_or((0, 0), |(head, _)| (head.header.height, head.header.time_ms))
        };
        let (first, last) = (of(held.recent.front()), of(held.recent.back()));
        (last.0.saturating_sub(first.0), last.1.saturating_sub(first.1))
    }

    /// The lowest and the highest height that are held.
    pub(crate) fn span(&self) -> (u64, u64) {
        self.held.read().unwrap_or_else(PoisonError::into_inner).span()
    }

    /// Tells when the newest height changes.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use ledger::{Head, Header};
    use protocol::units::Digest;
    use protocol::{Genesis, State};

    use super::*;

    fn head(height: u64) -> Arc<Head> {
        let header = Header {
            version: 1,
            chain: Digest::default(),
            height,
            parent: Digest::default(),
            time_ms: height,
            operations_root: Digest::default(),
            executed_height: 0,
            state_root: Digest::default(),
            outbox_root: Digest::default(),
            next_validators: Digest::default(),
        };
        let state = State::new(Genesis::development()).expect("a state");
        Arc::new(Head { digest: header.digest(), header, state })
    }

    fn heads(limit: usize, operations: usize, blocks: u64) -> Heads {
        let heads = Heads::new(head(0), limit);
        (1..=blocks).for_each(|height| heads.publish(head(height), operations));
        heads
    }

    #[test]
    fn full_blocks_hold_fewer_states_than_empty_ones() {
        assert_eq!(heads(128, 0, 200).span(), (73, 200));
        assert_eq!(heads(128, 10_000, 200).span(), (193, 200), "eight, however full the blocks");
        assert_eq!(heads(3, 10_000, 200).span(), (198, 200), "and never more than the configuration says");
    }

    #[test]
    fn a_state_whose_list_is_being_read_stays() {
        let heads = heads(2, 0, 5);
        let leased = heads.newest();
        heads.lease(&leased);
        (6..20).for_each(|height| heads.publish(head(height), 0));
        assert_eq!(heads.at(Some(5)).map(|head| head.header.height).ok(), Some(5));
        assert_eq!(heads.at(Some(6)).map_err(|problem| problem.code()).err(), Some(Code::NotHeld));
        assert_eq!(heads.span(), (18, 19), "what is promised to everybody is the newest");
    }

    #[test]
    fn leases_are_bounded_and_the_oldest_goes_first() {
        let heads = heads(1, 0, 0);
        for height in 1..=40 {
            heads.publish(head(height), 0);
            heads.lease(&heads.newest());
        }
        let held = (0..=40).filter(|height| heads.at(Some(*height)).is_ok()).collect::<Vec<u64>>();
        assert_eq!(held, (25..=40).collect::<Vec<u64>>());
    }
}
