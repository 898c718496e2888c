//! What the standard interfaces of Ethereum clients answer, and how it becomes what is verified here.
//!
//! Nothing here verifies anything. The forms are those of the Beacon API (`light_client/bootstrap`, `updates` and
//! `finality_update`) and of `eth_getProof`. Fields that are not needed may be there or not, since clients differ.

use std::fmt;

use serde::Deserialize;

use super::Limited;
use super::header::{BeaconHeader, BlobGas, ExecutionClaim, PayloadHeader};
use super::wire::{decimal, fixed};
use super::{
    Bootstrap, Branch, Bytes, Hash, NODE_BYTES_MAX, NODES_MAX, NextCommittee, Opening, Participation,
    Question, SLOTS_MAX, SyncCommittee, Update,
};

/// An answer of either interface.
#[derive(Clone, Debug, Deserialize)]
pub struct Answered<T> {
    /// What was asked for: `data` of the Beacon API, `result` of JSON-RPC.
    #[serde(alias = "result")]
    pub data: T,
}

/// A block header with what its body says of the execution layer.
#[derive(Clone, Debug, Deserialize)]
pub struct LightHeader {
    /// The header.
    pub beacon: BeaconHeader,
    /// The payload, until Fulu.
    execution: Option<Payload>,
    /// Hash of the execution block, from Gloas on.
    execution_block_hash: Option<Word>,
    /// Siblings of the payload, or of the hash.
    #[serde(default)]
    execution_branch: Branch,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
struct Word(#[serde(with = "fixed")] Hash);

#[derive(Clone, Debug, Deserialize)]
struct Payload {
    #[serde(with = "fixed")]
    parent_hash: Hash,
    #[serde(with = "fixed")]
    fee_recipient: [u8; 20],
    #[serde(with = "fixed")]
    state_root: Hash,
    #[serde(with = "fixed")]
    receipts_root: Hash,
    #[serde(with = "fixed")]
    logs_bloom: [u8; 256],
    #[serde(with = "fixed")]
    prev_randao: Hash,
    #[serde(with = "decimal")]
    block_number: u64,
    #[serde(with = "decimal")]
    gas_limit: u64,
    #[serde(with = "decimal")]
    gas_used: u64,
    #[serde(with = "decimal")]
    timestamp: u64,
    extra_data: Bytes<32>,
    #[serde(with = "decimal")]
    base_fee_per_gas: u64,
    #[serde(with = "fixed")]
    block_hash: Hash,
    #[serde(with = "fixed")]
    transactions_root: Hash,
    #[serde(with = "fixed")]
    withdrawals_root: Hash,
    blob_gas_used: Option<Number>,
    excess_blob_gas: Option<Number>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
struct Number(#[serde(with = "decimal")] u64);

impl Payload {
    fn header(&self) -> PayloadHeader {
        let blobs = self.blob_gas_used.zip(self.excess_blob_gas);
        PayloadHeader {
            parent_hash: self.parent_hash,
            fee_recipient: self.fee_recipient,
            state_root: self.state_root,
            receipts_root: self.receipts_root,
            logs_bloom: self.logs_bloom,
            prev_randao: self.prev_randao,
            block_number: self.block_number,
            gas_limit: self.gas_limit,
            gas_used: self.gas_used,
            timestamp: self.timestamp,
            extra_data: self.extra_data.clone(),
            base_fee_per_gas: self.base_fee_per_gas,
            block_hash: self.block_hash,
            transactions_root: self.transactions_root,
            withdrawals_root: self.withdrawals_root,
            blobs: blobs.map(|(used, excess)| BlobGas { blob_gas_used: used.0, excess_blob_gas: excess.0 }),
        }
    }
}

impl LightHeader {
    /// The claim that the body names an execution block.
    ///
    /// # Refuses
    /// [`FormError::NoExecution`]
    pub fn claim(&self) -> Result<ExecutionClaim, FormError> {
        match (&self.execution, self.execution_block_hash) {
            (Some(payload), _) => {
                payload.header().claim(&self.execution_branch).ok_or(FormError::NoExecution)
            }
            (None, Some(hash)) => {
                Ok(ExecutionClaim { block_hash: hash.0, branch: self.execution_branch.clone() })
            }
            (None, None) => Err(FormError::NoExecution),
        }
    }

    /// The payload as an opening, until Fulu.
    pub fn opening(&self) -> Option<Opening> {
        let payload = Box::new(self.execution.as_ref()?.header());
        Some(Opening::Payload { payload, branch: self.execution_branch.clone() })
    }
}

/// The answer of `light_client/bootstrap`.
#[derive(Clone, Debug, Deserialize)]
pub struct LightBootstrap {
    /// The trusted block.
    pub header: LightHeader,
    current_sync_committee: SyncCommittee,
    current_sync_committee_branch: Branch,
}

impl LightBootstrap {
    /// What a light client begins with.
    ///
    /// # Refuses
    /// [`FormError::NoExecution`].
    pub fn bootstrap(self) -> Result<Bootstrap, FormError> {
        Ok(Bootstrap {
            execution: self.header.claim()?,
            header: self.header.beacon,
            committee: self.current_sync_committee,
            committee_branch: self.current_sync_committee_branch,
        })
    }
}

/// One of the answers of `light_client/updates`, or that of `light_client/finality_update`.
#[derive(Clone, Debug, Deserialize)]
pub struct LightUpdate {
    /// The block that was signed.
    pub attested_header: LightHeader,
    next_sync_committee: Option<SyncCommittee>,
    #[serde(default)]
    next_sync_committee_branch: Branch,
    /// The block that its state holds final.
    pub finalized_header: LightHeader,
    finality_branch: Branch,
    sync_aggregate: SyncAggregate,
    #[serde(with = "decimal")]
    signature_slot: u64,
}

#[derive(Clone, Debug, Deserialize)]
struct SyncAggregate {
    sync_committee_bits: Participation,
    #[serde(with = "fixed")]
    sync_committee_signature: [u8; 96],
}

impl LightUpdate {
    /// What a light client is told.
    ///
    /// # Refuses
    /// [`FormError::NoExecution`].
    pub fn update(self) -> Result<Update, FormError> {
        let branch = self.next_sync_committee_branch;
        Ok(Update {
            attested: self.attested_header.beacon,
            execution: self.finalized_header.claim()?,
            finalized: self.finalized_header.beacon,
            finality_branch: self.finality_branch,
            next: self.next_sync_committee.map(|committee| NextCommittee { committee, branch }),
            participation: self.sync_aggregate.sync_committee_bits,
            signature: self.sync_aggregate.sync_committee_signature,
            signature_slot: self.signature_slot,
        })
    }
}

/// The answer of `eth_getProof`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountProof {
    #[serde(with = "fixed")]
    address: [u8; 20],
    account_proof: Limited<Bytes<NODE_BYTES_MAX>, NODES_MAX>,
    storage_proof: Limited<SlotProof, SLOTS_MAX>,
}

#[derive(Clone, Debug, Deserialize)]
struct SlotProof {
    key: String,
    proof: Limited<Bytes<NODE_BYTES_MAX>, NODES_MAX>,
}

impl AccountProof {
    /// What was asked.
    ///
    /// # Refuses
    /// [`FormError::Slot`].
    pub fn question(&self) -> Result<Question, FormError> {
        let slots = self.storage_proof.as_slice().iter().enumerate();
        let slots = slots.map(|(place, slot)| word(&slot.key).ok_or(FormError::Slot { place }));
        Ok(Question { address: self.address, slots: slots.collect::<Result<_, _>>()? })
    }

    /// The nodes, in no order. See [`arrange_state`](super::arrange_state).
    pub fn nodes(&self) -> Vec<Vec<u8>> {
        let storage = self.storage_proof.as_slice().iter().flat_map(|slot| slot.proof.as_slice());
        let nodes = self.account_proof.as_slice().iter().chain(storage);
        nodes.map(|node| node.as_slice().to_vec()).collect()
    }
}

/// The name of a slot: up to 32 bytes, which clients write with or without zeros in front.
fn word(text: &str) -> Option<Hash> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() <= 64)?;
    let bytes = hex::decode(format!("{digits:0>64}")).ok()?;
    bytes.try_into().ok()
}

/// Why an answer is not of use. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormError {
    /// A header names no execution block.
    NoExecution,
    /// The name of a slot is not up to 32 bytes in hexadecimal.
    Slot {
        /// Place of the slot in the answer, from 0.
        place: usize,
    },
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoExecution => write!(f, "header names no execution block"),
            Self::Slot { place } => write!(f, "name of slot {place} is not up to 32 hexadecimal bytes"),
        }
    }
}

impl std::error::Error for FormError {}
