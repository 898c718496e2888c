//! The authenticated store of a ledger: the entries of its state under one root, with proofs that an entry is in it or that none is.
//!
//! [`QmdbStore`] keeps the live entries in a log on disk and a Merkle structure over that log and over which of its operations still count. It commits
//! one batch a height, streams all live entries when a ledger opens, and proves single keys against its newest root. [`verify`] checks such a proof with nothing
//! but the root: no store, no runtime, no file.
//!
//! The root depends on the sequence of batches, not only on the entries that come out: two stores agree when they were fed the same batches by height. How
//! often a store was synced, pruned or opened again changes nothing.
//!
//! After a crash a store opens at an older height, never at half a height. What it lacks, the ledger's journal has. An error of the disk closes the store, and
//! every later call says so; [`reset`](ledger::store::Store::reset) empties it, and the journal fills it again.
//!
//! This crate does not know what an entry means, orders nothing, and has no journal. It is the only crate that knows the library below it
//! (`commonware-storage`), whose runtime lives on a thread of the store and is not visible from outside.

#![forbid(unsafe_code)]

mod engine;
mod floor;
mod index;
mod options;
mod proof;
mod store;
mod worker;

#[cfg(test)]
mod tests;

pub use options::Options;
pub use proof::{KEY_BYTES, PROOF_BYTES_MAX, ProofError, VALUE_BYTES_MAX, verify, verify_entry};
pub use store::QmdbStore;
