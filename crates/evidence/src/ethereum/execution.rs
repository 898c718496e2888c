//! Blocks of the execution layer: from a hash that the consensus layer names to the roots of accounts and receipts.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rlp::{self, Item, RlpError};
use super::storage::{HISTORY, Question, StateError, StateNodes, history_slot};
use super::wire::fixed;
use super::{Branch, Bytes, Finalized, Hash, Limited, PayloadError, PayloadHeader, keccak256};

/// Bytes of a header at most. Headers of today have about 650.
pub const HEADER_BYTES_MAX: usize = 2048;
/// Headers on the way to an ancestor at most.
pub const ANCESTORS_MAX: usize = 256;

/// A header of the execution layer in RLP.
pub type HeaderBytes = Bytes<HEADER_BYTES_MAX>;

/// What shows the content of an execution block whose hash is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Opening {
    /// The header itself, in RLP: its Keccak-256 is the hash. In every fork.
    Header(HeaderBytes),
    /// The payload without its lists, as light-client data brings it along: it is in the body of the consensus block. Until
    /// Fulu.
    Payload {
        /// The payload.
        payload: Box<PayloadHeader>,
        /// Siblings of the payload up to the root of the body.
        branch: Branch,
    },
}

/// An execution block that is final. To hold one is to hold the proof: it is made from a [`Finalized`] header, from
/// another such block, or read back from a ledger's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    #[serde(with = "fixed")]
    hash: Hash,
    #[serde(with = "fixed")]
    parent_hash: Hash,
    #[serde(with = "fixed")]
    state_root: Hash,
    #[serde(with = "fixed")]
    receipts_root: Hash,
    number: u64,
    timestamp: u64,
}

impl Finalized {
    /// The execution block that this block names.
    ///
    /// # Refuses
    /// [`OpeningError`], in its order.
    pub fn open(&self, opening: &Opening) -> Result<Execution, OpeningError> {
        match opening {
            Opening::Header(header) => Execution::read(header.as_slice(), self.block_hash()),
            Opening::Payload { payload, branch } => {
                payload
                    .verify(branch, self.fork(), &self.header().body_root)
                    .map_err(OpeningError::Payload)?;
                Ok(Execution {
                    hash: payload.block_hash,
                    parent_hash: payload.parent_hash,
                    state_root: payload.state_root,
                    receipts_root: payload.receipts_root,
                    number: payload.block_number,
                    timestamp: payload.timestamp,
                })
            }
        }
    }
}

impl Execution {
    /// The block of a header in RLP.
    fn read(header: &[u8], expected: &Hash) -> Result<Self, OpeningError> {
        let hash = keccak256(header);
        if hash != *expected {
            return Err(OpeningError::Hash { expected: *expected, actual: hash });
        }
        Self::fields(header, hash).map_err(OpeningError::Malformed)
    }

    /// Fields 0 parent, 3 state, 5 receipts, 8 number and 11 time. Later ones come and go with forks, and the hash binds
    /// them anyway.
    fn fields(header: &[u8], hash: Hash) -> Result<Self, RlpError> {
        let mut fields = rlp::only(header)?.list()?;
        let parent_hash = fields.next()?.fixed()?;
        let _uncles_and_beneficiary: [Item<'_>; 2] = [fields.next()?, fields.next()?];
        let state_root = fields.next()?.fixed()?;
        fields.next()?;
        let receipts_root = fields.next()?.fixed()?;
        let _bloom_and_difficulty: [Item<'_>; 2] = [fields.next()?, fields.next()?];
        let number = fields.next()?.u64()?;
        let _gas: [Item<'_>; 2] = [fields.next()?, fields.next()?];
        let timestamp = fields.next()?.u64()?;
        Ok(Self { hash, parent_hash, state_root, receipts_root, number, timestamp })
    }

    /// An ancestor: `headers` leads from this block's parent back to it.
    ///
    /// # Refuses
    /// [`OpeningError::Hash`], [`OpeningError::Malformed`], at the first header that is wrong.
    pub fn ancestor(&self, headers: &Limited<HeaderBytes, ANCESTORS_MAX>) -> Result<Self, OpeningError> {
        let mut block = self.clone();
        for header in headers.as_slice() {
            block = Self::read(header.as_slice(), &block.parent_hash)?;
        }
        Ok(block)
    }

    /// An earlier block, whose hash the state after this one remembers: one of the last 8191 (EIP-2935). `nodes` proves
    /// the slot [`history_slot`] of the contract [`HISTORY`].
    ///
    /// # Refuses
    /// 1. [`OpeningError::Malformed`]
    /// 2. [`OpeningError::State`]
    /// 3. [`OpeningError::Hash`]
    pub fn remembered(&self, header: &HeaderBytes, nodes: &StateNodes) -> Result<Self, OpeningError> {
        let bytes = header.as_slice();
        let block = Self::fields(bytes, keccak256(bytes)).map_err(OpeningError::Malformed)?;
        let question = Question { address: HISTORY, slots: vec![history_slot(block.number)] };
        let answers = self.state(&[question], nodes).map_err(OpeningError::State)?;
        let expected = answers.iter().flat_map(|answer| &answer.values).next().map(|word| *word.get());
        let expected = expected.unwrap_or_default();
        if expected != block.hash {
            return Err(OpeningError::Hash { expected, actual: block.hash });
        }
        Ok(block)
    }

    /// Hash of the block.
    pub fn hash(&self) -> &Hash {
        &self.hash
    }

    /// Hash of the block before.
    pub fn parent_hash(&self) -> &Hash {
        &self.parent_hash
    }

    /// Root of the accounts after the block.
    pub fn state_root(&self) -> &Hash {
        &self.state_root
    }

    /// Root of the receipts of the block.
    pub fn receipts_root(&self) -> &Hash {
        &self.receipts_root
    }

    /// Number of the block.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// When, in seconds since 1970.
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }
}

/// Why an execution block is not opened. In the order in which it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpeningError {
    /// The header is that of another block.
    Hash {
        /// The hash that is known.
        expected: Hash,
        /// The Keccak-256 of the header.
        actual: Hash,
    },
    /// The hash is of something that is no header.
    Malformed(RlpError),
    /// The payload is not in the body of the block.
    Payload(PayloadError),
    /// The state does not say which hash it remembers.
    State(StateError),
}

impl fmt::Display for OpeningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash { expected, actual } => write!(
                f,
                "execution header has hash 0x{} instead of 0x{}",
                hex::encode(actual),
                hex::encode(expected)
            ),
            Self::Malformed(error) => write!(f, "execution header: {error}"),
            Self::Payload(error) => error.fmt(f),
            Self::State(error) => write!(f, "remembered block hash: {error}"),
        }
    }
}

impl std::error::Error for OpeningError {}
