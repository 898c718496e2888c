//! Receipts: what a transaction did, proven against the receipts root of its block.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rlp::{self, Item, List, RlpError};
use super::trie::{Nodes, TrieError};
use super::{Bytes, Execution, Hash, Limited};

/// Nodes of a receipt's proof at most: its key has at most 18 digits.
pub const RECEIPT_NODES_MAX: usize = 20;
/// Bytes of a node at most. A receipt stands in the last one.
pub const RECEIPT_BYTES_MAX: usize = 1 << 16;

/// The trie nodes from the receipts root to a receipt.
pub type ReceiptNodes = Limited<Bytes<RECEIPT_BYTES_MAX>, RECEIPT_NODES_MAX>;

/// Where a receipt is said to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptProof {
    /// Place of the transaction in its block, from 0.
    pub index: u64,
    /// From the root to the receipt.
    pub nodes: ReceiptNodes,
}

/// What a transaction did. To hold one is to hold the proof: only [`Execution::receipt`] makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    kind: Kind,
    has_succeeded: bool,
    cumulative_gas: u64,
    logs: Vec<Log>,
}

/// The kind of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// From before there were kinds.
    Legacy,
    /// EIP-2930.
    AccessList,
    /// EIP-1559.
    DynamicFee,
    /// EIP-4844.
    Blob,
    /// EIP-7702.
    SetCode,
}

/// What a contract has logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The contract.
    pub address: [u8; 20],
    /// Up to four; the first is the event's hash.
    pub topics: Vec<Hash>,
    /// The rest.
    pub data: Vec<u8>,
}

impl Receipt {
    /// The kind of the transaction.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the transaction succeeded. If it did not, there are no logs.
    pub fn has_succeeded(&self) -> bool {
        self.has_succeeded
    }

    /// Gas used in the block up to this transaction and including it.
    pub fn cumulative_gas(&self) -> u64 {
        self.cumulative_gas
    }

    /// What contracts have logged, in order.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }
}

impl Execution {
    /// The receipt of the transaction at a place of this block.
    ///
    /// # Refuses
    /// [`ReceiptError`], in its order.
    pub fn receipt(&self, proof: &ReceiptProof) -> Result<Receipt, ReceiptError> {
        let mut nodes = Nodes::new(proof.nodes.as_slice().iter().map(Bytes::as_slice));
        let found = nodes.find(self.receipts_root(), &rlp::encode_u64(proof.index));
        let found = found.map_err(ReceiptError::Trie)?;
        nodes.end().map_err(ReceiptError::Trie)?;
        let bytes = found.ok_or(ReceiptError::None { index: proof.index })?;
        let (kind, body) = match bytes.split_first() {
            Some((kind @ 0..=0x7f, body)) => {
                (Kind::of(*kind).ok_or(ReceiptError::Kind { kind: *kind })?, body)
            }
            _ => (Kind::Legacy, bytes),
        };
        Receipt::read(kind, body).map_err(ReceiptError::Malformed)
    }
}

impl Kind {
    /// The kind with this number. Legacy receipts have none.
    fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::AccessList),
            2 => Some(Self::DynamicFee),
            3 => Some(Self::Blob),
            4 => Some(Self::SetCode),
            _ => None,
        }
    }
}

impl Receipt {
    fn read(kind: Kind, body: &[u8]) -> Result<Self, RlpError> {
        let mut fields = rlp::only(body)?.list()?;
        let has_succeeded = match fields.next()?.bytes()? {
            [1] => true,
            [] => false,
            status => return Err(RlpError::Length { expected: 1, actual: status.len() }),
        };
        let cumulative_gas = fields.next()?.u64()?;
        let _bloom: [u8; 256] = fields.next()?.fixed()?;
        let logs = every(fields.next()?, Log::read)?;
        fields.end()?;
        Ok(Self { kind, has_succeeded, cumulative_gas, logs })
    }
}

impl Log {
    fn read(item: Item<'_>) -> Result<Self, RlpError> {
        let mut fields = item.list()?;
        let address = fields.next()?.fixed()?;
        let topics = every(fields.next()?, Item::fixed)?;
        if topics.len() > 4 {
            return Err(RlpError::Length { expected: 4, actual: topics.len() });
        }
        let data = fields.next()?.bytes()?.to_vec();
        fields.end()?;
        Ok(Self { address, topics, data })
    }
}

/// Every item of a list.
fn every<'a, T>(item: Item<'a>, read: impl Fn(Item<'a>) -> Result<T, RlpError>) -> Result<Vec<T>, RlpError> {
    let mut list: List<'a> = item.list()?;
    let mut values = Vec::new();
    while !list.is_empty() {
        values.push(read(list.next()?)?);
    }
    Ok(values)
}

/// Why a receipt is not believed. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptError {
    /// The nodes do not lead to an answer.
    Trie(TrieError),
    /// The block has no transaction at that place.
    None {
        /// The place.
        index: u64,
    },
    /// The kind of the transaction is not known, so neither is the form of its receipt.
    Kind {
        /// Its number.
        kind: u8,
    },
    /// What stands there is no receipt.
    Malformed(RlpError),
}

impl fmt::Display for ReceiptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trie(error) => error.fmt(f),
            Self::None { index } => write!(f, "block has no transaction {index}"),
            Self::Kind { kind } => write!(f, "kind {kind} of transactions is not known"),
            Self::Malformed(error) => write!(f, "receipt: {error}"),
        }
    }
}

impl std::error::Error for ReceiptError {}
