//! Who is next: takes verified operations, puts them in an order, and tells each sender what became of it.
//!
//! The trait is what the rest of the node knows. [`solo::Solo`] orders alone; a cluster will order with others behind the same trait.

pub(crate) mod solo;
mod turns;
mod waiting;

use evidence::PublicKey;
use ledger::Verified;
use protocol::units::{Address, Digest};
use tokio::sync::oneshot;

use crate::answer::Answer;

/// An operation on its way into a block.
#[derive(Debug)]
pub struct Submission {
    /// The operation.
    pub operation: Box<Verified>,
    /// Whether the ledger knows the sender.
    pub known: bool,
    /// Who waits for the answer.
    pub reply: oneshot::Sender<Answer>,
}

/// Orders operations into blocks.
pub trait Sequencer: Send + Sync {
    /// Takes operations. Each is answered once; bytes that wait already are answered together with the first.
    fn submit(&self, submissions: Vec<Submission>);

    /// What becomes of an operation that waits or was in one of the newest blocks; `None`: ask the archive. Nothing comes where too many ask for
    /// the same.
    fn join(&self, id: &Digest) -> Option<oneshot::Receiver<Answer>>;

    /// Whether an operation waits, or was in one of the newest blocks.
    fn holds(&self, id: &Digest) -> bool;

    /// The keys and nonces of the operations of a sender that are not executed yet.
    fn nonces_of(&self, sender: &Address) -> Vec<(PublicKey, u64)>;

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
