//! What the ledger asks of an authenticated store. The crate `store` has one; this page knows no library.
//!
//! A store keeps the entries of the state under keys of 32 bytes, takes one batch a height, and has a root after each. It may lag
//! behind the journal and may lose its last heights in a crash, but never half a height. Roots may depend on the batches, not only on what is
//! there, so the ledger feeds every replica the same ones: of each height, sorted by key.

/// The newest height of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The height.
    pub height: u64,
    /// The digest of the header of that height.
    pub digest: [u8; 32],
    /// The root after it.
    pub root: [u8; 32],
}

/// An entry of a batch: its key, and its bytes or `None` to delete it.
pub type Write = ([u8; 32], Option<Vec<u8>>);

/// A proof of an entry, or of its absence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryProof {
    /// Against which root.
    pub at: Committed,
    /// The entry; `None`: there is none.
    pub value: Option<Vec<u8>>,
    /// The store's own proof, which [`VerifyEntry`] reads.
    pub bytes: Vec<u8>,
}

/// How a store's proof is checked offline: root, key, value (`None`: absent), proof. The text says what does not hold.
pub type VerifyEntry =
    fn(root: &[u8; 32], key: &[u8; 32], value: Option<&[u8]>, proof: &[u8]) -> Result<(), String>;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It has failed before, or was closed.
    #[error("the store is closed: {cause}")]
    Closed {
        /// Why.
        cause: String,
    },
    /// It could not read, write or find its own way.
    #[error(
        "the store failed at {doing}: {cause}; open the folder again, and if that fails delete its folder `store`: it is rebuilt from the journal"
    )]
    Failed {
        /// What it was doing.
        doing: &'static str,
        /// What went wrong.
        cause: String,
    },
    /// Another height than the next.
    #[error("the store was given height {given}, and {expected} is next")]
    OutOfOrder {
        /// The next height.
        expected: u64,
        /// The height that was given.
        given: u64,
    },
    /// More bytes than it takes.
    #[error("{what} of {found} bytes is larger than {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How many bytes it has.
        found: usize,
        /// How many it may have.
        limit: usize,
    },
    /// What is visited was refused by the visitor.
    #[error("an entry of the store can't be used: {why}")]
    Entry {
        /// Why.
        why: String,
    },
}

/// An authenticated store.
pub trait Store: Send {
    /// The newest height that was committed, durable or not; `None` when it is fresh.
    fn committed(&self) -> Option<Committed>;

    /// The newest height that a crash can't take away.
    fn durable(&self) -> Option<u64>;

    /// Takes the batch of a height, and returns the root after it. The height is the next, or any if the store is fresh. An empty batch is a
    /// batch.
    ///
    /// # Errors
    /// [`StoreError::OutOfOrder`], [`StoreError::TooLarge`], [`StoreError::Failed`]; after the last it must be opened again.
    fn commit(&mut self, height: u64, digest: [u8; 32], writes: Vec<Write>) -> Result<[u8; 32], StoreError>;

    /// Makes all committed heights durable. It does so only when asked: whoever feeds it knows what must be durable before.
    ///
    /// # Errors
    /// [`StoreError::Failed`]; then it must be opened again.
    fn sync(&mut self) -> Result<(), StoreError>;

    /// The root after a height, of those since it was opened; at least the last 1,024.
    fn root_at(&self, height: u64) -> Option<[u8; 32]>;

    /// The entry under a key.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    fn get(&self, key: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Proves the entry under a key, or that there is none, against the newest root.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    fn prove(&self, key: &[u8; 32]) -> Result<EntryProof, StoreError>;

    /// Visits every entry, each once, in any order.
    ///
    /// # Errors
    /// [`StoreError::Failed`], and what the visitor returns.
    fn entries(
        &self,
        visit: &mut dyn FnMut([u8; 32], Vec<u8>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Forgets everything: it is fresh again.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    fn reset(&mut self) -> Result<(), StoreError>;
}
