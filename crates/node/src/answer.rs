//! What becomes of an operation that somebody sends in, from the door to its receipt.

use std::sync::Arc;

use ledger::{Executed, Receipt, VerifyError};

pub use crate::mempool::Rejected;

/// What became of an operation.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It is in a block: applied, or refused by the rules.
    Executed(Placed),
    /// It did not get in.
    Barred(Barred),
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

/// Why bytes did not get in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barred {
    /// Too many wait to be verified.
    Busy {
        /// How many.
        waiting: usize,
    },
    /// The archive could not be read, so nobody knows whether they were in a block.
    Unread {
        /// The fault.
        why: String,
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
