//! The newest state and a few before it, for readers. Nobody who reads waits for who writes.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use ledger::Head;
use tokio::sync::watch;

use crate::http::problem::{Code, Problem};

/// The states that are held.
#[derive(Debug)]
pub(crate) struct Heads {
    held: RwLock<VecDeque<Arc<Head>>>,
    limit: usize,
    newest: watch::Sender<u64>,
}

impl Heads {
    pub(crate) fn new(first: Arc<Head>, limit: usize) -> Self {
        let (newest, _) = watch::channel(first.header.height);
        Self { held: RwLock::new(VecDeque::from([first])), limit, newest }
    }

    /// From here on readers see this state.
    pub(crate) fn publish(&self, head: Arc<Head>) {
        let height = head.header.height;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.push_back(head);
        let dropped = (held.len() > self.limit).then(|| held.pop_front());
        drop(held);
        // Whatever only the oldest state shared is freed here, without the lock.
        drop(dropped);
        self.newest.send_replace(height);
    }

    /// The newest state.
    pub(crate) fn newest(&self) -> Arc<Head> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            held.back().expect("a head is there from the start, and none is dropped before another is there"),
        )
    }

    /// The state of a height, or the newest.
    ///
    /// # Errors
    /// The height is not among those that are held.
    pub(crate) fn at(&self, height: Option<u64>) -> Result<Arc<Head>, Problem> {
        let Some(height) = height else { return Ok(self.newest()) };
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let (first, last) = span(&held);
        let index = height.checked_sub(first).and_then(|index| usize::try_from(index).ok());
        let found = index.and_then(|index| held.get(index)).map(Arc::clone);
        found.ok_or_else(|| {
            let cause = format!("the states of heights {first} to {last} are held");
            let held = serde_json::json!({ "from": first, "to": last });
            let code = if height > last { Code::NotFound } else { Code::NotHeld };
            Problem::new(code, format!("the state of height {height} can't be read"), cause)
                .with("held", held)
        })
    }

    /// How many blocks the held states span, and how many milliseconds.
    pub(crate) fn pace(&self) -> (u64, u64) {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let of =
            |head: Option<&Arc<Head>>| head.map_or((0, 0), |head| (head.header.height, head.header.time_ms));
        let (first, last) = (of(held.front()), of(held.back()));
        (last.0.saturating_sub(first.0), last.1.saturating_sub(first.1))
    }

    /// The lowest and the highest height that are held.
    pub(crate) fn span(&self) -> (u64, u64) {
        span(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells when the newest height changes.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

fn span(held: &VecDeque<Arc<Head>>) -> (u64, u64) {
    let of = |head: Option<&Arc<Head>>| head.map_or(0, |head| head.header.height);
    (of(held.front()), of(held.back()))
}
