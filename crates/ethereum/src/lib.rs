//! What Ethereum's clients answer, fetched, checked and made into proofs.
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
    Complaint, Counters, Follower, Health, Keeper, KeeperFault, Lines, News, Plan, Round, Sink, Stop, Why,
};
pub use http::{AddressError, Fault, Patience};
pub use receipts::{ListedReceipt, ListedReceipts, RECEIPTS_MAX, ReceiptsFault, prove_receipt};
pub use ssz::SszFault;
pub use state::{ProvenState, State, StateFault, Wanted};
