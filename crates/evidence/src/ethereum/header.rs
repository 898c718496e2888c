//! A block header of the consensus layer, and what its body says of the execution layer.

use serde::{Deserialize, Serialize};

use super::branch::{Branch, ProofError};
use super::fork::Fork;
use super::hash::{chunk_of, merkleize};
use super::wire::{decimal, fixed};
use super::{GeneralizedIndex, Hash};

/// A header of the consensus layer. Whoever knows its root knows the state after the block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeaconHeader {
    /// When: slots of 12 seconds since the chain began.
    #[serde(with = "decimal")]
    pub slot: u64,
    /// The validator that proposed.
    #[serde(with = "decimal")]
    pub proposer_index: u64,
    /// Root of the block before.
    #[serde(with = "fixed")]
    pub parent_root: Hash,
    /// Root of the state after the block.
    #[serde(with = "fixed")]
    pub state_root: Hash,
    /// Root of the block's body.
    #[serde(with = "fixed")]
    pub body_root: Hash,
}

impl BeaconHeader {
    /// The root of the header, which is that of its block.
    pub fn root(&self) -> Hash {
        let (slot, proposer) = (chunk_of(self.slot), chunk_of(self.proposer_index));
        merkleize(&[slot, proposer, self.parent_root, self.state_root, self.body_root], 3)
    }
}

/// The claim that a body names an execution block.
///
/// The form is the same in every fork: a hash, and the siblings between it and the root of the body. Until Fulu that is
/// the block whose payload the body holds; in Gloas it is the newest one before, since a block's own payload comes
/// later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecutionClaim {
    /// Hash of the execution block.
    #[serde(with = "fixed")]
    pub block_hash: Hash,
    /// Siblings from the hash up to the root of the body: 8 in Capella, 9 from Deneb to Fulu, 11 in Gloas.
    pub branch: Branch,
}

impl ExecutionClaim {
    /// Verifies the claim against the root of a body made under the rules of `fork`.
    ///
    /// # Refuses
    /// As [`Branch::verify`].
    pub fn verify(&self, fork: Fork, body_root: &Hash) -> Result<(), ProofError> {
        self.branch.verify(&self.block_hash, fork.execution_block_hash(), body_root)
    }
}

/// The payload of an execution block without its transactions and withdrawals: what light-client data from Capella to Fulu
/// brings along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayloadHeader {
    /// Hash of the block before.
    #[serde(with = "fixed")]
    pub parent_hash: Hash,
    /// Who gets the fees.
    #[serde(with = "fixed")]
    pub fee_recipient: [u8; 20],
    /// Root of the accounts after the block.
    #[serde(with = "fixed")]
    pub state_root: Hash,
    /// Root of the receipts of the block.
    #[serde(with = "fixed")]
    pub receipts_root: Hash,
    /// A filter of the logs.
    #[serde(with = "fixed")]
    pub logs_bloom: [u8; 256],
    /// Randomness of the consensus layer.
    #[serde(with = "fixed")]
    pub prev_randao: Hash,
    /// Number of the block.
    #[serde(with = "decimal")]
    pub block_number: u64,
    /// The most gas that the block may use.
    #[serde(with = "decimal")]
    pub gas_limit: u64,
    /// The gas that it used.
    #[serde(with = "decimal")]
    pub gas_used: u64,
    /// When, in seconds since 1970.
    #[serde(with = "decimal")]
    pub timestamp: u64,
    /// Whatever the builder wrote there.
    pub extra_data: super::wire::Bytes<32>,
    /// Price of gas in wei, as a decimal text; more than 64 bits have never been needed.
    #[serde(with = "decimal")]
    pub base_fee_per_gas: u64,
    /// Hash of the block.
    #[serde(with = "fixed")]
    pub block_hash: Hash,
    /// Root of the transactions as the consensus layer hashes them.
    #[serde(with = "fixed")]
    pub transactions_root: Hash,
    /// Root of the withdrawals as the consensus layer hashes them.
    #[serde(with = "fixed")]
    pub withdrawals_root: Hash,
    /// From Deneb on: gas of the blobs.
    pub blobs: Option<BlobGas>,
}

/// What Deneb added to payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobGas {
    /// Gas that the blobs used.
    #[serde(with = "decimal")]
    pub blob_gas_used: u64,
    /// What earlier blobs used beyond the target.
    #[serde(with = "decimal")]
    pub excess_blob_gas: u64,
}

/// Field of the block hash in a payload.
const BLOCK_HASH: usize = 12;

impl PayloadHeader {
    /// The roots of the fields.
    fn fields(&self) -> Vec<Hash> {
        let mut bloom = [[0; 32]; 8];
        bloom.as_flattened_mut().copy_from_slice(&self.logs_bloom);
        let mut recipient = [0; 32];
        recipient.iter_mut().zip(self.fee_recipient).for_each(|(place, byte)| *place = byte);
        let mut extra = [0; 32];
        let extra_data = self.extra_data.as_slice();
        extra.iter_mut().zip(extra_data).for_each(|(place, byte)| *place = *byte);
        let extra_length = u64::try_from(extra_data.len()).expect("32 bytes at most");
        let mut fields = vec![
            self.parent_hash,
            recipient,
            self.state_root,
            self.receipts_root,
            merkleize(&bloom, 3),
            self.prev_randao,
            chunk_of(self.block_number),
            chunk_of(self.gas_limit),
            chunk_of(self.gas_used),
            chunk_of(self.timestamp),
            super::hash::mix_in(&extra, extra_length),
            chunk_of(self.base_fee_per_gas),
            self.block_hash,
            self.transactions_root,
            self.withdrawals_root,
        ];
        if let Some(blobs) = self.blobs {
            fields.extend([chunk_of(blobs.blob_gas_used), chunk_of(blobs.excess_blob_gas)]);
        }
        fields
    }

    fn depth(&self) -> usize {
        if self.blobs.is_some() { 5 } else { 4 }
    }

    /// The root of the payload, which is that of its header.
    pub fn root(&self) -> Hash {
        merkleize(&self.fields(), self.depth())
    }

    /// The siblings from the payload's block hash up to the root of the body, given those from the payload up.
    ///
    /// `None` if that is more than a branch has.
    pub fn claim(&self, payload_branch: &Branch) -> Option<ExecutionClaim> {
        let mut siblings = Vec::new();
        let mut level = self.fields();
        let mut place = BLOCK_HASH;
        for height in 0..self.depth() {
            siblings.push(level.get(place ^ 1).copied().unwrap_or(*super::hash::zero(height)));
            let (pairs, odd) = level.as_chunks::<2>();
            let mut above: Vec<Hash> =
                pairs.iter().map(|[left, right]| super::hash::pair(left, right)).collect();
            above.extend(odd.iter().map(|left| super::hash::pair(left, super::hash::zero(height))));
            level = above;
            place >>= 1;
        }
        siblings.extend_from_slice(payload_branch.siblings());
        Some(ExecutionClaim { block_hash: self.block_hash, branch: Branch::new(siblings)? })
    }

    /// Verifies that a body made under the rules of `fork` holds this payload.
    ///
    /// # Refuses
    /// 1. [`PayloadError::Fields`]
    /// 2. [`PayloadError::Proof`]
    pub fn verify(&self, branch: &Branch, fork: Fork, body_root: &Hash) -> Result<(), PayloadError> {
        let expected = usize::try_from(fork.payload_depth()).unwrap_or_default();
        let index: Option<GeneralizedIndex> = fork.execution_payload();
        match index {
            Some(index) if expected == self.depth() => {
                branch.verify(&self.root(), index, body_root).map_err(PayloadError::Proof)
            }
            _ => Err(PayloadError::Fields { fork }),
        }
    }
}

/// Why a body is not known to hold a payload. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadError {
    /// Payloads of the fork have other fields, or its bodies hold none.
    Fields {
        /// The fork.
        fork: Fork,
    },
    /// The payload is not in the body.
    Proof(ProofError),
}

impl std::fmt::Display for PayloadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fields { fork } => write!(f, "bodies of {fork} hold no payload with these fields"),
            Self::Proof(error) => write!(f, "payload: {error}"),
        }
    }
}

impl std::error::Error for PayloadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Proof(error) => Some(error),
            Self::Fields { .. } => None,
        }
    }
}
