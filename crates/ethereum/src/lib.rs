//! What Ethereum's clients answer, fetched, checked and made into proofs.
//!
//! Two things are here that need a disk or a network, and so can't be in `evidence`:
//!
//! ```text
//! prover     the bytes of a state ─► State ─► ProvenState         what an account proves of its validators
//!            answers of an execution client ─► prove_account, prove_receipt
//! follower   upstreams ─► Follower ─► News ─► Sink                what a ledger is told of the chain
//! ```
//!
//! Whoever runs either is believed by nobody. What they hand out is verified by every replica again, and was verified here before it was
//! handed out, by the same functions.
//!
//! # What this crate does not do
//!
//! - It knows no rule of the ledger, and signs nothing.
//! - It speaks no TLS: a client on one's own network, or a proxy, does.
//! - It looks at no clock and never sleeps: whoever runs a follower says what time it is.
//!
//! # Panics
//!
//! Nothing that an upstream answers, and no byte of a file, makes a function panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::float_arithmetic,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod beacon;
mod execution;
mod follower;
mod hexadecimal;
mod http;
mod receipts;
mod rlp;
mod ssz;
mod state;
mod text;
mod trie;

pub use beacon::{Beacon, STATE_BYTES_MAX};
pub use execution::{ExecutionClient, ExecutionFault, account_answer, header_of, prove_account};
pub use follower::{
    Complaint, Counters, Follower, Health, Keeper, KeeperFault, Lines, News, Plan, Round, SINK, Sink, Stop,
    Why,
};
pub use http::{AddressError, Fault, Patience};
pub use receipts::{ListedReceipt, ListedReceipts, RECEIPTS_MAX, ReceiptsFault, prove_receipt};
pub use ssz::SszFault;
pub use state::{ProvenState, State, StateFault, UnderWay, Wanted, Withdrawal};
