//! The way in: operations are decoded, their seals verified on threads of their own, and those who may not act at all are sent away.
//!
//! What gets through here was signed by somebody who may act for the account, as far as the newest state knows. The rules look again when
//! the operation is executed.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use ledger::{Head, Verified, VerifyError};
use protocol::Signer;
use protocol::units::Address;
use signing::Domain;
use tokio::sync::oneshot;

use crate::heads::Heads;
use crate::metrics::Metrics;
use crate::sequencer::{Answer, Sequencer, Submission};

/// How many a thread takes at once.
const BATCH: usize = 32;

/// Why bytes did not get through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barred {
    /// Too many wait to be verified.
    Busy {
        /// How many.
        waiting: usize,
    },
    /// They are no operation, or a seal does not hold.
    Invalid(VerifyError),
    /// Who signed may not act for the account.
    NoAuthority {
        /// Such as `authority.TooFewKeys`.
        code: String,
        /// The reason as a sentence.
        text: String,
    },
}

/// What came of an operation that was sent in.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It did not get in.
    Barred(Barred),
    /// It did.
    Answered(Answer),
}

struct Job {
    bytes: Vec<u8>,
    reply: oneshot::Sender<Verdict>,
}

/// The queue of what is to be verified, and the threads that do it.
pub(crate) struct Gate {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    limit: usize,
    domain: Domain,
    heads: Arc<Heads>,
    sequencer: Arc<dyn Sequencer>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    is_stopping: bool,
}
