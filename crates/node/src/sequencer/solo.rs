//! One node orders alone. A thread of its own owns the ledger: it gathers for a few milliseconds, appends a block, publishes the state,
//! answers, and begins again.
//!
//! It makes empty blocks only when an epoch has begun, several in a row after a long rest, or when a proof waits for a header. A fault
//! of the ledger, or a bug, ends it for good: nothing goes on with a doubtful state.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use evidence::PublicKey;
use ledger::{Executed, Fault, Ledger, Verified};
use protocol::units::{Address, Digest};
use tokio::sync::oneshot;

use super::waiting::Waiting;
use super::{Load, Sequencer, Submission, turns};
use crate::answer::Answer;
use crate::clock::Clock;
use crate::config::{Blocks, Mempool};
use crate::mempool::Limits;

/// How long the thread rests at most: what nobody wakes it for is looked at so often.
const REST: Duration = Duration::from_millis(20);
/// Once nothing has come for so long, gathering ends early.
const QUIET: Duration = Duration::from_micros(500);

/// What the thread tells the rest of the node.
pub(crate) trait Listener: Send + 'static {
    /// A block was appended; its state is there to be read.
    fn appended(&mut self, ledger: &Ledger, block: &Arc<Executed>, took: Duration);
    /// Epochs that the clock is ahead.
    fn behind(&mut self, epochs: u64);
    /// There are no more blocks. A fault or a bug, or `None` when the node was asked to stop.
    fn ended(&mut self, fault: Option<&str>);
}

/// The handle of the thread.
#[derive(Debug)]
pub(crate) struct Solo {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<Inner>,
    wake: Condvar,
    clock: Clock,
}

#[derive(Debug)]
struct Inner {
    waiting: Waiting,
    is_stopping: bool,
    is_nudged: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A bug elsewhere in the thread has been told already; what is behind the lock is whole between two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Solo {
    /// Starts the thread.
    ///
    /// # Errors
    /// The machine has no thread to give.
    pub(crate) fn start(
        ledger: Ledger,
        clock: Clock,
        mempool: &Mempool,
        blocks: &Blocks,
        listener: impl Listener,
    ) -> std::io::Result<Self> {
        let limits = Limits {
            operations: mempool.operations_max,
            bytes: mempool.bytes_max,
            per_sender: mempool.per_sender_max,
            newcomers: mempool.newcomers_max,
            exit_percent: usize::from(mempool.exit_percent),
        };
        let inner = Inner { waiting: Waiting::new(limits), is_stopping: false, is_nudged: false };
        let shared = Arc::new(Shared { state: Mutex::new(inner), wake: Condvar::new(), clock });
        let worker = Worker { shared: Arc::clone(&shared), blocks: blocks.clone(), ledger, listener };
        let thread = std::thread::Builder::new().name("sequencer".to_owned()).spawn(move || worker.run())?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Makes no more blocks, closes the ledger, and waits until that is done. Those who wait are told.
    pub(crate) fn stop(&self) {
        self.shared.lock().is_stopping = true;
        self.shared.wake.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The thread catches its own panics and has told them.
            drop(thread.join());
        }
    }
}

impl Drop for Solo {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Sequencer for Solo {
    fn submit(&self, submissions: Vec<Submission>) {
        let now = self.shared.clock.now_ms();
        let mut inner = self.shared.lock();
        for submission in submissions {
            inner.waiting.take(submission, now);
        }
        drop(inner);
        self.shared.wake.notify_one();
    }

    fn join(&self, id: &Digest) -> Option<oneshot::Receiver<Answer>> {
        self.shared.lock().waiting.join(&id.0)
    }

    fn holds(&self, id: &Digest) -> bool {
        self.shared.lock().waiting.holds(&id.0)
    }

    fn nonces_of(&self, sender: &Address) -> Vec<(PublicKey, u64)> {
        self.shared.lock().waiting.nonces_of(sender)
    }

    fn load(&self) -> Load {
        self.shared.lock().waiting.load()
    }

    fn nudge(&self) {
        self.shared.lock().is_nudged = true;
        self.shared.wake.notify_one();
    }
}

struct Worker<L> {
    shared: Arc<Shared>,
    blocks: Blocks,
    ledger: Ledger,
    listener: L,
}

/// What the thread does next.
enum Next {
    /// Append these at this time.
    Block(Vec<Verified>, u64),
    Stop,
}

impl<L: Listener> Worker<L> {
    fn run(mut self) {
        let ended = std::panic::catch_unwind(AssertUnwindSafe(|| self.blocks()));
        let fault = match ended {
            Ok(Ok(())) => None,
            Ok(Err(fault)) => Some(fault.to_string()),
            Err(panic) => Some(format!("a promise of the code does not hold: {}", text_of(panic.as_ref()))),
        };
        let why: Arc<str> = fault.as_deref().unwrap_or("the node was asked to stop").into();
        self.shared.lock().waiting.stop(&why);
        self.listener.ended(fault.as_deref());
        if fault.is_none()
            && let Err(fault) = self.ledger.close()
        {
            self.listener.ended(Some(&fault.to_string()));
        }
    }

    fn blocks(&mut self) -> Result<(), Fault> {
        while let Next::Block(operations, time_ms) = self.next() {
            let started = Instant::now();
            let block = self.ledger.append(operations, time_ms)?;
            self.listener.appended(&self.ledger, &block, started.elapsed());
            self.shared.lock().waiting.executed(&block);
        }
        Ok(())
    }

    /// Waits until there is something to do.
    fn next(&mut self) -> Next {
        let shared = Arc::clone(&self.shared);
        let mut inner = shared.lock();
        loop {
            if inner.is_stopping {
                return Next::Stop;
            }
            let (now, behind) = self.time();
            self.listener.behind(behind);
            let latest = self.ledger.genesis().latest_after(self.ledger.head().header.time_ms);
            if now > latest {
                return Next::Block(Vec::new(), latest);
            }
            if inner.waiting.len() > 0 {
                inner = self.gather(&shared, inner);
                let now = self.time().0.min(latest);
                let head = self.ledger.head();
                let room = (self.blocks.operations_max, self.blocks.bytes_max);
                let operations =
                    inner.waiting.draw(room, now, |operation| turns::turn_of(&head.state, operation));
                if !operations.is_empty() {
                    return Next::Block(operations, now);
                }
            }
            let is_nudged = std::mem::take(&mut inner.is_nudged);
            if behind > 0 || is_nudged || self.ledger.reader().wants_block() {
                return Next::Block(Vec::new(), now);
            }
            let rested = shared.wake.wait_timeout(inner, self.rest(now));
            inner = rested.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits a little for more, at most as long as the configuration says.
    fn gather<'a>(&self, shared: &'a Shared, mut inner: MutexGuard<'a, Inner>) -> MutexGuard<'a, Inner> {
        let most = Duration::from_millis(self.blocks.gather_ms);
        loop {
            let waited = inner.waiting.since.map_or(most, |since| since.elapsed());
            let waiting = inner.waiting.len();
            if inner.is_stopping || waited >= most || waiting >= self.blocks.operations_max {
                return inner;
            }
            let pause = QUIET.min(most.saturating_sub(waited));
            let rested = shared.wake.wait_timeout(inner, pause);
            inner = rested.unwrap_or_else(PoisonError::into_inner).0;
            if inner.waiting.len() == waiting {
                return inner;
            }
        }
    }

    /// The time for the next block, which is never before the newest, and how many epochs have begun since.
    fn time(&self) -> (u64, u64) {
        let newest = self.ledger.head().header.time_ms;
        let now = self.shared.clock.now_ms().max(newest);
        let genesis = self.ledger.genesis();
        (now, genesis.epoch_at(now).saturating_sub(genesis.epoch_at(newest)))
    }

    /// Until the next epoch begins, at most a moment.
    fn rest(&self, now: u64) -> Duration {
        if self.shared.clock.is_set_by_hand() {
            return REST;
        }
        let genesis = self.ledger.genesis();
        let next = genesis.epoch_start_ms(genesis.epoch_at(now).saturating_add(1));
        Duration::from_millis(next.saturating_sub(now).max(1)).min(REST)
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason was given")
}
