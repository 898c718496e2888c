//! The way in: operations are decoded, their seals verified on threads of their own, and those who may not act at all are sent away.
//!
//! What gets through here was signed by somebody who may act for the account, as far as the newest state knows. The rules look again when
//! the operation is executed.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use ledger::{Fault, Reader, Verified};
use protocol::units::Digest;
use protocol::{Signer, State, authority};
use signing::Verifier;
use tokio::sync::oneshot;

use crate::answer::{Answer, Barred, Placed};
use crate::clock::Clock;
use crate::config::Mempool;
use crate::heads::Heads;
use crate::metrics::Metrics;
use crate::refused::{Refused, is_final};
use crate::sequencer::{Sequencer, Submission};

/// How many operations a thread takes at once: of what waits one in so many,
const BATCH_PART: usize = 4;
/// or, of more than so many, one in so many: who is that far behind gains more from what is saved than it loses by waiting for the rest of a batch.
const QUEUE_LONG: usize = 4_096;
const BATCH_PART_LONG: usize = 2;
/// But at least so many, if there are,
const BATCH_LEAST: usize = 32;
/// and so many at most. What is handed over together is in one block, and what a block costs is shared: the longer the queue, the larger the
/// blocks. Two threads wait for the rest of a batch half as long as a short queue takes, and as long as a long one does.
const BATCH_MOST: usize = 8_192;

/// The queue of what is to be verified, and the threads that do it.
pub(crate) struct Gate {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// How much the gate does at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Threads that verify; 0: one for each core.
    threads: usize,
    /// The most operations that wait to be verified.
    operations: usize,
    /// The most bytes of theirs: as many as may wait verified.
    bytes: usize,
}

impl Sizes {
    pub(crate) const fn of(config: &Mempool) -> Self {
        Self { threads: config.verifiers, operations: config.unverified_max, bytes: config.bytes_max }
    }
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    sizes: Sizes,
    verifier: Verifier,
    heads: Arc<Heads>,
    reader: Reader,
    sequencer: Arc<dyn Sequencer>,
    metrics: Arc<Metrics>,
    clock: Clock,
    refused: Arc<Refused>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// The bytes of all jobs.
    bytes: usize,
    is_stopping: bool,
}

struct Job {
    bytes: Vec<u8>,
    reply: oneshot::Sender<Answer>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    /// Starts the threads.
    ///
    /// # Errors
    /// The machine has no thread to give.
    pub(crate) fn start(
        sizes: Sizes,
        reader: Reader,
        heads: Arc<Heads>,
        sequencer: Arc<dyn Sequencer>,
        metrics: Arc<Metrics>,
        clock: Clock,
        refused: Arc<Refused>,
    ) -> std::io::Result<Self> {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if sizes.threads == 0 { cores() } else { sizes.threads };
        let (queue, wake) = (Mutex::default(), Condvar::new());
        let verifier = Verifier::new(&reader.genesis().domain());
        let shared = Arc::new(Shared {
            queue,
            wake,
            sizes,
            verifier,
            heads,
            reader,
            sequencer,
            metrics,
            clock,
            refused,
        });
        let gate = Self { shared: Arc::clone(&shared), threads: Mutex::default() };
        for number in 0..threads {
            let shared = Arc::clone(&shared);
            let thread = std::thread::Builder::new().name(format!("verifier-{number}"));
            let thread = thread.spawn(move || shared.work())?;
            gate.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(gate)
    }

    /// Takes the canonical bytes of a signed operation; the answer comes when there is one.
    pub(crate) fn submit(&self, bytes: Vec<u8>) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        self.shared.metrics.submitted.inc();
        let mut queue = self.shared.lock();
        let waiting = queue.jobs.len();
        let sizes = self.shared.sizes;
        let bytes_then = queue.bytes.saturating_add(bytes.len());
        if queue.is_stopping || waiting >= sizes.operations || bytes_then > sizes.bytes {
            drop(queue);
            drop(reply.send(Answer::Barred(Barred::Busy { waiting })));
            return answer;
        }
        queue.bytes = bytes_then;
        queue.jobs.push_back(Job { bytes, reply });
        drop(queue);
        self.shared.metrics.verifying.inc();
        self.shared.wake.notify_one();
        answer
    }

    /// Ends the threads. What was not verified is answered as busy.
    pub(crate) fn stop(&self) {
        let mut queue = self.shared.lock();
        queue.is_stopping = true;
        let jobs = std::mem::take(&mut queue.jobs);
        queue.bytes = 0;
        drop(queue);
        self.shared.wake.notify_all();
        for job in jobs {
            drop(job.reply.send(Answer::Barred(Barred::Busy { waiting: 0 })));
        }
        for thread in std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner)) {
            // Only a bug of this module panics there, and the requests of that batch were told by their channel.
            drop(thread.join());
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.stop();
    }
}

/// How many of those that wait a thread takes at once.
fn share(waiting: usize) -> usize {
    let part = if waiting > QUEUE_LONG { BATCH_PART_LONG } else { BATCH_PART };
    waiting.div_ceil(part).clamp(BATCH_LEAST, BATCH_MOST).min(waiting)
}

impl Shared {
    fn work(&self) {
        while let Some(jobs) = self.take() {
            let count = i64::try_from(jobs.len()).unwrap_or(i64::MAX);
            // As in the block that follows: what a nonce or an expiry may be goes by its time, and the newest block may be old.
            let (head, now) = (self.heads.newest(), self.clock.now_ms());
            // A bug met by one operation costs its sender an answer, and not the node a thread.
            let guarded = |job| catch_unwind(AssertUnwindSafe(|| self.check(job, &head.state, now)));
            let mut passed: Vec<Submission> = Vec::with_capacity(jobs.len());
            passed.extend(jobs.into_iter().filter_map(|job| {
                guarded(job).unwrap_or_else(|_| {
                    self.metrics.panics.inc();
                    None
                })
            }));
            self.metrics.verifying.dec_by(count);
            if !passed.is_empty() {
                self.sequencer.submit(passed);
            }
        }
    }

    fn take(&self) -> Option<Vec<Job>> {
        let mut queue = self.lock();
        loop {
            if queue.is_stopping {
                return None;
            }
            let count = share(queue.jobs.len());
            if count > 0 {
                let jobs: Vec<Job> = queue.jobs.drain(..count).collect();
                let bytes: usize = jobs.iter().map(|job| job.bytes.len()).sum();
                queue.bytes = queue.bytes.saturating_sub(bytes);
                return Some(jobs);
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Verifies one operation, and answers where it ends here.
    fn check(&self, job: Job, state: &State, now: u64) -> Option<Submission> {
        let barred = |barred: Barred, reply: oneshot::Sender<Answer>| {
            drop(reply.send(Answer::Barred(barred)));
            None
        };
        let operation = match Verified::check_with(&self.verifier, job.bytes) {
            Ok(operation) => Box::new(operation),
            Err(why) => return barred(Barred::Invalid(why), job.reply),
        };
        match authority::screen(state, now, operation.authority(), &operation.signed().operation) {
            // Whether it expires before its turn is for the mempool, which knows the clock; and what was executed before, with its nonce
            // used, is answered as it was then.
            Ok(()) => {}
            Err(authority::Refused::Expired { .. }) => {}
            Err(refused) => {
                let (code, text) = (format!("authority.{}", refused.name()), refused.to_string());
                return barred(Barred::NoAuthority { code, text }, job.reply);
            }
        }
        let authority = operation.authority();
        let sender = match &authority.signer {
            Signer::Delegate { address, .. } => *address,
            _ => authority.account,
        };
        if self.refused.may_hold(&operation.id()) {
            match self.find(&operation.id()) {
                Ok(Some(placed)) if is_final(&placed.receipt().outcome) => {
                    drop(job.reply.send(Answer::Executed(placed)));
                    return None;
                }
                Ok(_) => {}
                // Nobody knows whether it was in a block.
                Err(fault) => return barred(Barred::Unread { why: fault.to_string() }, job.reply),
            }
        }
        Some(Submission { operation, known: state.knows(sender), reply: job.reply })
    }

    fn find(&self, id: &Digest) -> Result<Option<Placed>, Fault> {
        let Some((height, index)) = self.reader.find(id)? else { return Ok(None) };
        let block = self.reader.executed(height)?;
        Ok(block.and_then(|block| Placed::new(block, usize::try_from(index).unwrap_or(usize::MAX))))
    }
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn the_longer_the_queue_the_more_is_taken_at_once_and_never_more_than_there_is() {
        let taken = [0, 1, 32, 33, 200, 4_096, 4_097, 10_000, 20_000].map(share);
        assert_eq!(taken, [0, 1, 32, 32, 50, 1_024, 2_049, 5_000, 8_192]);
    }
}
