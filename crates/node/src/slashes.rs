//! Where everything about slashing is in the history: every request and every slash, from its beginning to its end.
//!
//! The state forgets what is over; the receipts never do. This index says in which blocks each case is told of, and nothing else: what is shown
//! is read from there. A thread of its own builds it from the receipts when the node starts, and follows the blocks from then on.

mod cases;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ledger::Reader;
use protocol::Operation;
use protocol::units::RequestId;
use tokio::sync::Notify;

pub(crate) use cases::{Case, Cases, Stage, Status};

use crate::refused::{Refused, Seen};

/// How long a reader waits for the index to be as far as the ledger.
const WAIT: Duration = Duration::from_secs(2);

/// How many blocks the index may be behind while somebody who reads waits with the ledger's threads: what a moment brings.
const NEAR: u64 = 8;

/// The index, and the thread that keeps it.
pub(crate) struct Slashes {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread shares with those who wake it and those who read.
#[derive(Default)]
struct Shared {
    /// Held for a moment only: who makes blocks takes it to wake the thread.
    progress: Mutex<Progress>,
    /// Held for as long as somebody looks through all of them.
    cases: RwLock<Cases>,
    /// There is a new block, or an end.
    woken: Condvar,
    /// The index has come further, or can't.
    moved: Condvar,
    /// The same, for those who wait without a thread.
    told: Notify,
}

impl Shared {
    fn tell(&self) {
        self.moved.notify_all();
        self.told.notify_waiters();
    }
}

#[derive(Default)]
struct Progress {
    /// The blocks below this height are in the index.
    next: u64,
    /// Why it goes no further.
    fault: Option<String>,
    is_woken: bool,
    is_stopping: bool,
}

/// Why the index can't be read.
#[derive(Debug)]
pub(crate) enum NotYet {
    /// It is built still, up to this height.
    Reading(u64),
    /// A block can't be read.
    Fault(String),
}

/// Tells the thread of new blocks.
#[derive(Clone)]
pub(crate) struct Waker(Arc<Shared>);

impl Waker {
    pub(crate) fn wake(&self) {
        self.0.lock().is_woken = true;
        self.0.woken.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slashes {
    /// Begins to read the history. What blocks have refused is noted on the way.
    ///
    /// # Errors
    /// The machine has no thread to give.
    pub(crate) fn start(reader: Reader, refused: Arc<Refused>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("history".to_owned());
        let thread = thread.spawn(move || follow(&worker, &reader, &refused))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.shared))
    }

    /// Waits until the index holds everything up to a height, at most two seconds: before a thread is taken to read it.
    pub(crate) async fn reaches(&self, height: u64) {
        let reaches = async {
            loop {
                let mut told = std::pin::pin!(self.shared.told.notified());
                told.as_mut().enable();
                let is_over = {
                    let progress = self.shared.lock();
                    progress.next > height || progress.fault.is_some() || progress.is_stopping
                };
                if is_over {
                    return;
                }
                told.await;
            }
        };
        // Who reads it is told where it is.
        let _late = tokio::time::timeout(WAIT, reaches).await.is_err();
    }

    /// Reads the index once it holds everything up to a height. While it is far behind nobody waits here.
    ///
    /// # Errors
    /// It is far behind, not there yet after two seconds, or never will be.
    pub(crate) fn read<T>(&self, height: u64, read: impl FnOnce(&Cases) -> T) -> Result<T, NotYet> {
        let started = Instant::now();
        let mut progress = self.shared.lock();
        while progress.next <= height {
            if let Some(fault) = &progress.fault {
                return Err(NotYet::Fault(fault.clone()));
            }
            let left = WAIT.saturating_sub(started.elapsed());
            let is_far = progress.next.saturating_add(NEAR) < height;
            if is_far || left.is_zero() || progress.is_stopping {
                return Err(NotYet::Reading(progress.next));
            }
            let waited = self.shared.moved.wait_timeout(progress, left);
            progress = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(progress);
        Ok(read(&self.shared.cases.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Whether it holds everything up to a height, or never will.
    pub(crate) fn has(&self, height: u64) -> bool {
        let progress = self.shared.lock();
        progress.next > height || progress.fault.is_some()
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        self.shared.lock().is_stopping = true;
        self.shared.woken.notify_all();
        self.shared.tell();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It has nothing to say: readers are told of its faults.
            drop(thread.join());
        }
    }
}

impl Drop for Slashes {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Puts block after block into the index.
fn follow(shared: &Shared, reader: &Reader, refused: &Refused) {
    let mut seen = Seen::default();
    let mut progress = shared.lock();
    loop {
        if progress.next > reader.height() {
            refused.is_whole_now();
        }
        while progress.next > reader.height() && !progress.is_woken && !progress.is_stopping {
            progress = shared.woken.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        progress.is_woken = false;
        if progress.is_stopping {
            return;
        }
        let height = progress.next;
        drop(progress);
        let read = read_block(reader, height);
        if let Ok(Some((executed, requests))) = &read {
            refused.add(executed, &mut seen);
            let mut cases = shared.cases.write().unwrap_or_else(PoisonError::into_inner);
            cases.add(executed, |index| requests.get(&index).copied());
        }
        progress = shared.lock();
        match read {
            Ok(Some(_)) => progress.next = height.saturating_add(1),
            Ok(None) => {}
            Err(why) => {
                refused.is_cut_off();
                progress.fault = Some(why);
                drop(progress);
                shared.tell();
                return;
            }
        }
        shared.tell();
    }
}

type Requests = std::collections::BTreeMap<u32, RequestId>;
type Block = (Arc<ledger::Executed>, Requests);

/// What a block did, and which requests its operations have executed: receipts tell the slash, the operation tells the request.
fn read_block(reader: &Reader, height: u64) -> Result<Option<Block>, String> {
    let Some(executed) = reader.executed(height).map_err(|fault| fault.to_string())? else { return Ok(None) };
    let mut requests = Requests::new();
    if executed.receipts.iter().any(cases::executes_a_request) {
        let block = reader.block(height).map_err(|fault| fault.to_string())?;
        let operations = block.map(|block| block.operations).unwrap_or_default();
        for (index, signed) in (0_u32..).zip(&operations) {
            if let Operation::ExecuteSlash(execute) = &signed.operation {
                requests.insert(index, execute.request);
            }
        }
    }
    Ok(Some((executed, requests)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(next: u64) -> Slashes {
        let shared = Shared::default();
        shared.lock().next = next;
        Slashes { shared: Arc::new(shared), thread: Mutex::default() }
    }

    #[test]
    fn nobody_keeps_a_thread_while_the_history_is_read() {
        let started = Instant::now();
        let slashes = at(3);
        assert!(matches!(slashes.read(1_000, |_| ()), Err(NotYet::Reading(3))));
        assert!(started.elapsed() < WAIT, "it is said at once");
        assert!(slashes.read(2, |_| ()).is_ok());
    }

    #[tokio::test]
    async fn who_waits_without_a_thread_goes_on_once_the_index_is_there() {
        let slashes = at(3);
        let mut waiting = std::pin::pin!(slashes.reaches(5));
        for next in [4, 5, 6] {
            let is_there = futures_util::poll!(waiting.as_mut()).is_ready();
            assert!(!is_there, "at {next}");
            slashes.shared.lock().next = next;
            slashes.shared.tell();
        }
        waiting.await;
        assert!(slashes.read(5, |_| ()).is_ok());
    }
}
