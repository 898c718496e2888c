//! Ethereum, believed only on proof.
//!
//! Everything here takes what somebody claims of Ethereum, and returns a value that was verified against a block that the
//! chain has made final, or the reason for refusing it. The chain of reasons has four links:
//!
//! ```text
//! trusted root ── LightClient::new ──► sync committee of its period
//!      committee ── LightClient::update ──► finalized header of the consensus layer (and the next committee)
//!      finalized header ── state root ──► validators and balances           Finalized::validators
//!      finalized header ── execution block ──► accounts, storage, receipts    Finalized::open, Execution
//! ```
//!
//! # What this module does not do
//!
//! - It fetches nothing and knows no clock: who submits brings the proofs, and the caller says which slot it is.
//! - It knows no rule of the ledger: what a validator is worth, who owns it, or which deposit comes next.
//! - It does not check blocks. Two thirds of a sync committee vouch for them, who are not slashed if they lie. So a ledger
//!   should cap what enters in a period, and may ask its own validators as well ([`Finalized::attestation`]).
//!
//! Source: consensus-specs at a08d8a6e, `specs/*/light-client/sync-protocol.md`; yellow paper, appendix D.

pub mod api;
mod branch;
mod chain;
mod committee;
mod execution;
mod fork;
mod hash;
mod header;
mod index;
mod light;
mod list;
mod receipt;
mod rlp;
mod schedule;
#[cfg(feature = "schema")]
mod schema;
mod state;
mod storage;
mod trie;
mod validator;
mod wire;
mod withdrawal;

/// How values are written, for configurations and claims outside of this module.
pub(crate) mod serde_form {
    pub(crate) use super::wire::{decimal, decimal128, fixed};
}

/// 32 bytes: a hash, or a leaf of a tree of hashes.
pub type Hash = [u8; 32];

pub use branch::{BRANCH_MAX, Branch, LEAVES_MAX, ProofError, SHARED_MAX, SharedBranches};
pub use chain::{Chain, KEPT_MAX, KeptError};
pub use committee::{BadKey, COMMITTEE_SIZE, CommitteeError, Participation, SIGNERS_MIN, SyncCommittee};
pub use execution::{ANCESTORS_MAX, Execution, HEADER_BYTES_MAX, HeaderBytes, Opening, OpeningError};
pub use fork::{Fork, SLOTS_PER_EPOCH, SLOTS_PER_PERIOD, epoch_of, period_of};
pub use hash::{keccak256, pair};
pub use header::{BeaconHeader, BlobGas, ExecutionClaim, PayloadError, PayloadHeader};
pub use index::GeneralizedIndex;
pub use light::{
    Bootstrap, BootstrapRefused, Candidate, Contradiction, ContradictionRefused, Disputed, Finalized,
    LightClient, LightParts, NextCommittee, PATIENCE, PartsError, Progress, RememberedRoot, Update,
    UpdateRefused,
};
pub use list::ListTree;
pub use receipt::{
    Kind, Log, RECEIPT_BYTES_MAX, RECEIPT_NODES_MAX, Receipt, ReceiptError, ReceiptNodes, ReceiptProof,
};
pub use rlp::RlpError;
pub use schedule::{Schedule, ScheduleError, ScheduledFork, UnknownFork};
pub use state::BeaconState;
pub use storage::{
    ACCOUNTS_MAX, Account, Answer, HISTORY, NODE_BYTES_MAX, NODES_MAX, Question, SLOTS_MAX, StateError,
    StateNodes, Word, arrange_state, history_slot, mapping_slot, slot,
};
pub use trie::TrieError;
pub use validator::{
    BalanceLeaf, Credentials, FAR_FUTURE, Phase, ProvenValidator, VALIDATOR_BYTES, VALIDATORS_MAX, Validator,
    ValidatorClaim, ValidatorsError, ValidatorsProof, key_root,
};
pub use wire::{Bytes, Limited};
pub use withdrawal::{UNDER_WAY_MAX, UnderWay, Withdrawal};
