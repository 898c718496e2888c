//! Receipts as execution clients list them, and the proof of one.

use evidence::ethereum::{Bytes, Execution, Limited, Receipt, ReceiptError, ReceiptProof};
use serde::Deserialize;

use crate::hexadecimal::{Data, Quantity};
use crate::{rlp, trie};

/// Receipts of a block at most. A block of 60 million gas has room for 2857 transactions.
pub const RECEIPTS_MAX: usize = 1 << 16;

/// A receipt, as `eth_getBlockReceipts` lists it. Fields that are not needed may be there or not.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedReceipt {
    #[serde(default, rename = "type")]
    kind: Quantity,
    status: Quantity,
    cumulative_gas_used: Quantity,
    logs_bloom: Data,
    logs: Vec<ListedLog>,
}

#[derive(Clone, Debug, Deserialize)]
struct ListedLog {
    address: Data,
    topics: Vec<Data>,
    data: Data,
}

/// All receipts of a block.
pub type ListedReceipts = Limited<ListedReceipt, RECEIPTS_MAX>;

/// Why a list of receipts proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptsFault {
    /// The block has no such transaction.
    #[error("block has {receipts} receipts, so there is none {index}")]
    Index {
        /// The index asked for.
        index: u64,
        /// How many there are.
        receipts: usize,
    },
    /// They are not those of the block.
    #[error("receipts have root 0x{} instead of the block's 0x{}", hex::encode(.actual), hex::encode(.expected))]
    Root {
        /// The root that the block names.
        expected: [u8; 32],
        /// The root of the receipts given.
        actual: [u8; 32],
    },
    /// The receipt is larger than a proof may be.
    #[error("receipt {index} is larger than a proof may be")]
    TooLarge {
        /// Its index.
        index: u64,
    },
    /// It does not verify.
    #[error("{0}")]
    Refused(ReceiptError),
}

impl ListedReceipt {
    /// The receipt as it stands in the trie.
    fn encoded(&self) -> Vec<u8> {
        let log = |log: &ListedLog| {
            let topics: Vec<_> = log.topics.iter().map(|topic| rlp::bytes(&topic.0)).collect();
            rlp::list(&[rlp::bytes(&log.address.0), rlp::list(&topics), rlp::bytes(&log.data.0)])
        };
        let body = rlp::list(&[
            rlp::number(&self.status.0.to_be_bytes()),
            rlp::number(&self.cumulative_gas_used.0.to_be_bytes()),
            rlp::bytes(&self.logs_bloom.0),
            rlp::list(&self.logs.iter().map(log).collect::<Vec<_>>()),
        ]);
        match u8::try_from(self.kind.0) {
            Ok(0) | Err(_) => body,
            Ok(kind) => [vec![kind], body].concat(),
        }
    }
}

/// The proof that the receipt at a place is in the block, from all that are; and what it says.
///
/// # Errors
/// [`ReceiptsFault`], in its order.
pub fn prove_receipt(
    execution: &Execution,
    listed: &ListedReceipts,
    index: u64,
) -> Result<(ReceiptProof, Receipt), ReceiptsFault> {
    let encoded: Vec<Vec<u8>> = listed.as_slice().iter().map(ListedReceipt::encoded).collect();
    let receipts = encoded.len();
    let is_there = usize::try_from(index).is_ok_and(|index| index < receipts);
    let built = trie::of_places(&encoded, index).filter(|_| is_there);
    let (root, way) = built.ok_or(ReceiptsFault::Index { index, receipts })?;
    if root != *execution.receipts_root() {
        return Err(ReceiptsFault::Root { expected: *execution.receipts_root(), actual: root });
    }
    let nodes: Option<Vec<_>> = way.iter().map(|node| Bytes::new(node)).collect();
    let nodes = nodes.and_then(Limited::new).ok_or(ReceiptsFault::TooLarge { index })?;
    let proof = ReceiptProof { index, nodes };
    // What does not verify is not handed out.
    let receipt = execution.receipt(&proof).map_err(ReceiptsFault::Refused)?;
    Ok((proof, receipt))
}
