//! What happened, in which order, for good: blocks, the journal, recovery, snapshots, and the statements that proofs prove.
//!
//! # The model on one page
//! A ledger is a folder. Its [`Genesis`] says how it starts, its journal which [`Block`]s followed. Both are the truth; the
//! authenticated store and the receipts can always be rebuilt from them. A block is appended to the journal and synced, then executed on the
//! typed state in memory, then acknowledged; a thread of its own commits the entries that it touched to the [`Store`], which may
//! lag behind. The header of a later block claims the root that came out.
//!
//! Opening a folder is recovery: the state is that of the store, and the blocks above it are executed again. The torn end of the journal, which
//! nobody was ever told about, is cut; any other damage stops with the file, the place and the remedy. After a failed write or sync
//! nothing goes on until the folder is opened again.
//!
//! # Entry points
//! [`Ledger::open`], [`Ledger::append`], [`Ledger::apply_block`], [`Ledger::reader`], [`verify`], [`snapshot`], [`export`].
//!
//! # What it does not do
//! No sockets, no async, no clock: time comes in with a block. It knows no store's library ([`Store`] is a trait), keeps no secrets, and
//! decides nothing about who may do what: that is `protocol`.

#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::float_arithmetic,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        clippy::let_underscore_must_use
    )
)]

pub mod block;
mod commit;
mod cursor;
mod execute;
pub mod export;
pub mod fault;
pub mod files;
pub mod format;
pub mod genesis;
pub mod header;
mod ledger;
mod log;
pub mod merkle;
mod open;
pub mod outbox;
pub mod proof;
mod reader;
pub mod receipt;
mod receipts;
pub mod snapshot;
pub mod store;
pub mod verify;

pub use block::{Block, Verified, VerifyError};
pub use cursor::Malformed;
pub use fault::{BlockError, Fault};
pub use genesis::{Genesis, Opening};
pub use header::Header;
pub use ledger::{Head, Ledger, block_bytes};
pub use open::{Opened, Options, Stage, read_genesis};
pub use outbox::Message;
pub use proof::{EntryStatement, Proof, ProofError, Proven};
pub use reader::{Blocks, Reader};
pub use receipt::{Executed, Outcome, Receipt};
pub use store::Store;
