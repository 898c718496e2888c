//! The JSON-RPC of execution clients, as far as proofs need it.
//!
//! Source: ethereum/execution-apis, `eth_getProof`, `eth_getBlockByHash`, `eth_getBlockReceipts`; EIP-7928 and EIP-7843 for the fields
//! that a header has from Gloas on.

use evidence::ethereum::api::{AccountProof, Answered};
use evidence::ethereum::{
    Answer, Execution, Finalized, Hash, HeaderBytes, Opening, OpeningError, Question, SLOTS_MAX, StateError,
    StateNodes, arrange_state, keccak256,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::hexadecimal;
use crate::http::{AddressError, Fault, Http, Patience, cut};
use crate::receipts::ListedReceipts;
use crate::rlp;

/// Bytes of a block without transactions at most: their hashes are listed all the same.
const BLOCK_BYTES_MAX: u64 = 8 << 20;
/// Bytes of the proof of an account, and of each slot.
const PROOF_BYTES_MAX: u64 = 64 << 10;
/// Bytes of the receipts of a block at most.
const RECEIPTS_BYTES_MAX: u64 = 256 << 20;

/// A client of the execution layer.
pub struct ExecutionClient(Http);

/// Fields of a header in their order, by their names in JSON, and whether they are bytes or numbers. A fork adds at the
/// end.
const FIELDS: [(&str, Field); 23] = [
    ("parentHash", Field::Bytes),
    ("sha3Uncles", Field::Bytes),
    ("miner", Field::Bytes),
    ("stateRoot", Field::Bytes),
    ("transactionsRoot", Field::Bytes),
    ("receiptsRoot", Field::Bytes),
    ("logsBloom", Field::Bytes),
    ("difficulty", Field::Number),
    ("number", Field::Number),
    ("gasLimit", Field::Number),
    ("gasUsed", Field::Number),
    ("timestamp", Field::Number),
    ("extraData", Field::Bytes),
    ("mixHash", Field::Bytes),
    ("nonce", Field::Bytes),
    ("baseFeePerGas", Field::Number),
    ("withdrawalsRoot", Field::Bytes),
    ("blobGasUsed", Field::Number),
    ("excessBlobGas", Field::Number),
    ("parentBeaconBlockRoot", Field::Bytes),
    ("requestsHash", Field::Bytes),
    ("blockAccessListHash", Field::Bytes),
    ("slotNumber", Field::Number),
];

#[derive(Clone, Copy)]
enum Field {
    Bytes,
    Number,
}

/// Why an execution client's answer proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecutionFault {
    /// There is no answer to look at.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// The header is not that of the block.
    #[error("{0}")]
    Opening(OpeningError),
    /// What was answered is about something else than was asked.
    #[error("answer is about another account or other slots than were asked for")]
    Other,
    /// The nodes do not show it.
    #[error("{0}")]
    State(StateError),
    /// More nodes than a proof may have.
    #[error("answer needs more nodes than a proof may have")]
    TooMany,
    /// The answer is not in the form of its interface.
    #[error("answer has another form: {0}")]
    Form(String),
}

/// An answer of JSON-RPC: a result, or an error. The result is read in its own form from the first byte on: what has another one would take
/// many times its length as a document.
#[derive(Deserialize)]
struct Reply<T> {
    #[serde(default = "Option::default")]
    result: Option<T>,
    error: Option<RpcError>,
}

#[derive(Deserialize)]
struct RpcError {
    code: i64,
    message: String,
}

/// The header of a block in RLP, from the fields that JSON lists. Nothing, if one is not of its form.
fn header_bytes(block: &Value) -> Option<Vec<u8>> {
    let mut items = Vec::with_capacity(FIELDS.len());
    for (name, field) in FIELDS {
        let Some(text) = block.get(name).and_then(Value::as_str) else { break };
        items.push(match field {
            Field::Bytes => rlp::bytes(&hex::decode(text.strip_prefix("0x")?).ok()?),
            Field::Number => rlp::number(&hexadecimal::digits(text)?),
        });
    }
    Some(rlp::list(&items))
}

/// The header of a block as its opening, from what `eth_getBlockByHash` answers.
///
/// # Errors
/// [`ExecutionFault::Form`]; [`ExecutionFault::Opening`] if the Keccak-256 of the header is not `hash`.
pub fn header_of(block: &Value, hash: &Hash) -> Result<HeaderBytes, ExecutionFault> {
    let bytes =
        header_bytes(block).ok_or_else(|| ExecutionFault::Form("a field is not hexadecimal".into()))?;
    let actual = keccak256(&bytes);
    if actual != *hash {
        return Err(ExecutionFault::Opening(OpeningError::Hash { expected: *hash, actual }));
    }
    HeaderBytes::new(&bytes).ok_or_else(|| ExecutionFault::Form("header is too long".into()))
}

/// The nodes that answer one question in the one order of a proof, and the answer.
///
/// # Errors
/// [`ExecutionFault::Other`], [`ExecutionFault::State`], [`ExecutionFault::TooMany`]
pub fn prove_account(
    execution: &Execution,
    asked: &Question,
    answered: &AccountProof,
) -> Result<(StateNodes, Answer), ExecutionFault> {
    if answered.question().ok().as_ref() != Some(asked) {
        return Err(ExecutionFault::Other);
    }
    let questions = std::slice::from_ref(asked);
    let nodes =
        arrange_state(execution.state_root(), questions, &answered.nodes()).map_err(ExecutionFault::State)?;
    let nodes = nodes.ok_or(ExecutionFault::TooMany)?;
    // What does not verify is not handed out.
    let answers = execution.state(questions, &nodes).map_err(ExecutionFault::State)?;
    let answer = answers.into_iter().next().ok_or(ExecutionFault::Other)?;
    Ok((nodes, answer))
}

impl ExecutionClient {
    /// The client at an address.
    ///
    /// # Errors
    /// [`AddressError`]
    pub fn new(address: &str, patience: Patience) -> Result<Self, AddressError> {
        Http::new(address, patience).map(Self)
    }

    /// Host and port.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    fn call<T: DeserializeOwned>(&self, method: &str, parameters: Value, limit: u64) -> Result<T, Fault> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
        let reply: Reply<T> = self.0.post(&body, limit)?;
        if let Some(RpcError { code, message }) = reply.error {
            return Err(Fault::Rpc { code, message: cut(&message) });
        }
        reply.result.ok_or_else(|| {
            Fault::Form(
                "it has neither a result nor an error: the client does not have what was asked for"
                    .to_owned(),
            )
        })
    }

    /// Shows the content of the execution block that a header names.
    ///
    /// # Errors
    /// [`ExecutionFault`]
    pub fn opening(&self, header: &Finalized) -> Result<Opening, ExecutionFault> {
        let name = format!("0x{}", hex::encode(header.block_hash()));
        let block: Value = self.call("eth_getBlockByHash", json!([name, false]), BLOCK_BYTES_MAX)?;
        let opening = Opening::Header(header_of(&block, header.block_hash())?);
        header.open(&opening).map_err(ExecutionFault::Opening)?;
        Ok(opening)
    }

    /// The header of an earlier block, by its hash.
    ///
    /// # Errors
    /// [`ExecutionFault`]
    pub fn header(&self, hash: &Hash) -> Result<HeaderBytes, ExecutionFault> {
        let name = format!("0x{}", hex::encode(hash));
        let block: Value = self.call("eth_getBlockByHash", json!([name, false]), BLOCK_BYTES_MAX)?;
        header_of(&block, hash)
    }

    /// The nodes that show an account and slots of it after a block.
    ///
    /// # Errors
    /// [`ExecutionFault`]
    pub fn account(
        &self,
        execution: &Execution,
        asked: &Question,
    ) -> Result<(StateNodes, Answer), ExecutionFault> {
        if asked.slots.len() > SLOTS_MAX {
            let refused = StateError::TooManySlots { slots: asked.slots.len(), limit: SLOTS_MAX };
            return Err(ExecutionFault::State(refused));
        }
        let word = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
        let slots: Vec<String> = asked.slots.iter().map(|slot| word(slot)).collect();
        let count = u64::try_from(slots.len()).unwrap_or(u64::MAX).saturating_add(1);
        let limit = PROOF_BYTES_MAX.saturating_mul(count);
        let number = format!("0x{:x}", execution.number());
        let parameters = json!([word(&asked.address), slots, number]);
        let answered: AccountProof = self.call("eth_getProof", parameters, limit)?;
        prove_account(execution, asked, &answered)
    }

    /// All receipts of a block.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn receipts(&self, execution: &Execution) -> Result<ListedReceipts, Fault> {
        let name = format!("0x{}", hex::encode(execution.hash()));
        self.call("eth_getBlockReceipts", json!([name]), RECEIPTS_BYTES_MAX)
    }
}

/// The answer of `eth_getProof` as a file holds it: the whole reply, or its result.
///
/// # Errors
/// [`ExecutionFault::Form`]
pub fn account_answer(text: &str) -> Result<AccountProof, ExecutionFault> {
    let whole = serde_json::from_str::<Answered<AccountProof>>(text).map(|answered| answered.data);
    let read = whole.or_else(|_| serde_json::from_str::<AccountProof>(text));
    read.map_err(|error| ExecutionFault::Form(cut(&error.to_string())))
}
