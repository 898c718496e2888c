//! Who is next: takes verified operations, puts them in an order, and tells each sender what became of it.
//!
//! The trait is what the rest of the node knows. [`solo::Solo`] orders alone; a cluster will order with others behind the same trait.

pub mod solo;
mod waiting;

use std::sync::Arc;

use ledger::{Executed, Receipt, Verified};
use protocol::units::Digest;
use tokio::sync::oneshot;

pub use crate::mempool::Rejected;

/// What became of an operation that was taken.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It is in a block: applied, or refused by the rules.
    Executed(Placed),
    /// It may not wait.
    Rejected(Rejected),
    /// Its time was over before its turn.
    Expired {
        /// The last time at which it might have been in a block.
        expires: u64,
        /// The time of the ledger.
        now: u64,
    },
    /// The node makes no more blocks, for this reason.
    Stopped(Arc<str>),
}

/// A receipt within its block.
#[derive(Clone, Debug)]
pub struct Placed {
    block: Arc<Executed>,
    index: usize,
}

impl Placed {
    /// The receipt at a place of a block; `None` past its end.
    pub fn new(block: Arc<Executed>, index: usize) -> Option<Self> {
        (index < block.receipts.len()).then_some(Self { block, index })
    }

    /// The block.
    pub fn block(&self) -> &Arc<Executed> {
        &self.block
    }

    /// The receipt.
    ///
    /// # Panics
    /// Never: the place was checked.
    pub fn receipt(&self) -> &Receipt {
        self.block.receipts.get(self.index).expect("the place was checked")
    }
}

/// An operation on its way into a block.
#[derive(Debug)]
pub struct Submission {
    /// The operation.
    pub operation: Verified,
    /// Whether the ledger knows the sender.
    pub known: bool,
    /// Who waits for the answer.
    pub reply: oneshot::Sender<Answer>,
}

/// Orders operations into blocks.
pub trait Sequencer: Send + Sync {
    /// Takes operations. Each is answered once; bytes that wait already are answered together with the first.
    fn submit(&self, submissions: Vec<Submission>);

    /// What became of an operation that waits or was in one of the newest blocks; `None`: ask the archive.
    fn join(&self, id: &Digest) -> Option<oneshot::Receiver<Answer>>;

    /// How much waits.
    fn load(&self) -> Load;

    /// Somebody waits for the next block, such as a proof.
    fn nudge(&self);
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Operations.
    pub operations: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Their senders.
    pub senders: usize,
}
