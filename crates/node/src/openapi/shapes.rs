//! The shapes of answers that handlers put together by hand. A test holds every live answer against them.

#![allow(dead_code, reason = "the fields are read by the derive")]

use std::collections::BTreeMap;

use evidence::PublicKey;
use protocol::genesis::Genesis;
use protocol::units::{Address, AssetId, Digest};
use protocol::{Event, Kind, query};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use crate::api::AsOf;
use crate::api::preview::Preview;
use crate::api::webhooks::HookView;
use crate::api::when::When;
use crate::topics::Told;

/// When an answer holds, and how people write its amounts.
#[derive(JsonSchema)]
pub(super) struct Dated {
    as_of: AsOf,
    /// The decimals of every asset that the answer names, by its number.
    #[schemars(default)]
    decimals: BTreeMap<String, u8>,
}

/// When an answer holds.
#[derive(JsonSchema)]
#[schemars(rename = "AnswerMoment")]
pub(super) struct Moment {
    as_of: AsOf,
}

#[derive(JsonSchema)]
pub(super) struct Live {
    live: bool,
}

#[derive(JsonSchema)]
pub(super) struct Ready {
    ready: bool,
}

#[derive(JsonSchema)]
pub(super) struct Version {
    name: String,
    version: String,
    /// The version of the routes.
    api: String,
}

#[derive(JsonSchema)]
pub(super) struct Figures {
    items: Vec<query::FigureName>,
}

/// Proofs of the entries that an answer is made of, where they were asked for.
#[derive(JsonSchema)]
pub(super) struct Proven {
    #[schemars(default)]
    proofs: Vec<EntryProof>,
}

#[derive(JsonSchema)]
pub(super) struct Labels {
    items: Vec<Label>,
}

/// A name, and what it stands for.
#[derive(JsonSchema)]
pub(super) struct Label {
    /// Such as `account/0x..` or `operator/0`.
    key: String,
    label: String,
}

/// What wallets are shown as the domain of a signature.
#[derive(JsonSchema)]
pub(super) struct Domain {
    chain_id: u64,
    custody: Address,
    /// The name of the ledger, a colon, and the first 8 digits of its digest.
    ledger: String,
}

#[derive(JsonSchema)]
pub(super) struct GenesisAnswer {
    digest: Digest,
    domain: Domain,
    genesis: GenesisFile,
    /// How many operations block 0 has.
    opening_operations: u64,
}

/// How a ledger starts, without the operations of block 0.
#[derive(JsonSchema)]
pub(super) struct GenesisFile {
    name: String,
    chain_id: u64,
    custody: Address,
    start_ms: u64,
    epoch_ms: u64,
    protocol: Genesis,
}

#[derive(JsonSchema)]
pub(super) struct Status {
    ledger: LedgerStatus,
    node: NodeStatus,
    /// When the next epoch begins.
    next_epoch: When,
    heights_held: Span,
    /// How far the authenticated store is; none before its first height.
    store: Option<StoreStatus>,
    mempool: MempoolStatus,
    limits: Limits,
    counts: query::Counts,
}

#[derive(JsonSchema)]
pub(super) struct LedgerStatus {
    name: String,
    chain_id: u64,
    custody: Address,
    digest: Digest,
    domain: Domain,
    development: bool,
    start_ms: u64,
    epoch_ms: u64,
}

#[derive(JsonSchema)]
pub(super) struct NodeStatus {
    version: String,
    /// `running`, `reading` or `stopped`.
    state: String,
    /// What has stopped it.
    fault: Option<String>,
    started_ms: u64,
    /// `wall` or `paused_while_off`.
    clock: String,
    now_ms: u64,
    epochs_behind: u64,
}

/// Heights at which reads can be pinned.
#[derive(JsonSchema)]
pub(super) struct Span {
    from: u64,
    to: u64,
}

#[derive(JsonSchema)]
pub(super) struct StoreStatus {
    height: u64,
    state_root: Digest,
}

#[derive(JsonSchema)]
pub(super) struct MempoolStatus {
    operations: u64,
    bytes: u64,
    senders: u64,
    operations_max: u64,
    bytes_max: u64,
}

#[derive(JsonSchema)]
pub(super) struct Limits {
    body_bytes: u64,
    operation_bytes: u64,
    page: u16,
    per_sender: u64,
    operations_per_block: u64,
    exit_percent: u8,
}

/// An operation with its name in `op`.
pub(super) struct AnyOperation;

impl JsonSchema for AnyOperation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AnyOperation".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "$ref": "#/components/schemas/Operation" })
    }
}

/// An operation without what the node fills in.
pub(crate) struct Wish;

impl JsonSchema for Wish {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AnyWish".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "$ref": "#/components/schemas/Wish" })
    }
}

/// An operation that nobody has signed.
#[derive(JsonSchema)]
pub(super) struct DraftForm {
    account: Address,
    #[schemars(default)]
    delegate: Option<Address>,
    /// In milliseconds since 1970; never where it is left out.
    #[schemars(default)]
    expires: Option<String>,
    operation: AnyOperation,
}

/// An operation with the seals of those who signed it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Signed {
    account: Address,
    #[schemars(default)]
    delegate: Option<Address>,
    /// In milliseconds since 1970; never where it is left out.
    #[schemars(default, regex(pattern = "^(0|[1-9][0-9]{0,19})$"))]
    expires: Option<String>,
    operation: AnyOperation,
    #[schemars(length(max = 32))]
    seals: Vec<Seal>,
}

/// One key's signature, with the nonce that it signed.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Seal {
    Person {
        #[schemars(regex(pattern = "^(0|[1-9][0-9]{0,19})$"))]
        nonce: String,
        /// `r || s || v`.
        #[schemars(regex(pattern = "^0x[0-9a-f]{130}$"))]
        secp256k1: String,
    },
    Machine {
        #[schemars(regex(pattern = "^(0|[1-9][0-9]{0,19})$"))]
        nonce: String,
        ed25519: MachineSeal,
    },
}

#[derive(JsonSchema)]
pub(super) struct MachineSeal {
    #[schemars(regex(pattern = "^0x[0-9a-f]{64}$"))]
    key: String,
    #[schemars(regex(pattern = "^0x[0-9a-f]{128}$"))]
    signature: String,
}

/// The canonical bytes of a signed operation.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Bytes {
    #[schemars(regex(pattern = "^0x([0-9a-f]{2})*$"))]
    bytes: String,
}

#[derive(JsonSchema)]
pub(super) struct Prepared {
    draft: DraftForm,
    /// What the wallet shows first.
    action: String,
    /// How many must sign.
    threshold: u16,
    signers: Vec<AskedSigner>,
    /// The same as a file for signers without a network.
    bundle: BTreeMap<String, Value>,
    preview: Preview,
}

/// Somebody who is asked to sign.
#[derive(JsonSchema)]
pub(super) struct AskedSigner {
    /// A key, or the address of one that is not known.
    who: String,
    nonce: String,
    /// What secp256k1 keys sign.
    signing_hash: Digest,
    /// What ed25519 keys sign.
    machine_bytes: String,
    /// For `eth_signTypedData_v4`.
    typed_data: BTreeMap<String, Value>,
}

#[derive(JsonSchema)]
pub(super) struct Submitted {
    id: Digest,
    receipt: Receipt,
}

#[derive(JsonSchema)]
pub(super) struct Accepted {
    id: Digest,
}

#[derive(JsonSchema)]
pub(super) struct Found {
    id: Digest,
    /// `waiting`, `applied` or `refused`.
    status: String,
    receipt: Option<Receipt>,
    #[schemars(default)]
    block: Option<PlaceInTime>,
    #[schemars(default)]
    proof: Option<OperationProof>,
}

#[derive(JsonSchema)]
pub(super) struct PlaceInTime {
    digest: Digest,
    time_ms: u64,
}

/// What became of an operation.
#[derive(JsonSchema)]
pub(super) struct Receipt {
    height: u64,
    index: u32,
    id: Digest,
    kind: Kind,
    account: Address,
    outcome: Outcome,
}

#[derive(JsonSchema)]
#[schemars(tag = "outcome", rename_all = "snake_case")]
pub(super) enum Outcome {
    Applied { events: Vec<Event> },
    Refused { code: String, text: String },
}

/// The header of a block; its SHA-256 is the block's digest.
#[derive(JsonSchema)]
pub(super) struct Header {
    version: u16,
    chain: Digest,
    height: u64,
    parent: Digest,
    time_ms: u64,
    operations_root: Digest,
    executed_height: u64,
    state_root: Digest,
    outbox_root: Digest,
    next_validators: Digest,
}

#[derive(JsonSchema)]
pub(super) struct OperationProof {
    /// `operation`.
    proves: String,
    header: Header,
    id: Digest,
    index: u32,
    count: u32,
    path: Vec<Digest>,
}

#[derive(JsonSchema)]
pub(super) struct EntryProof {
    /// `entry`.
    proves: String,
    header: Header,
    key: String,
    value: Option<String>,
    proof: String,
}

#[derive(JsonSchema)]
pub(super) struct EntryAnswer {
    key: String,
    /// Its bytes; none where there is no such entry.
    value: Option<String>,
}

#[derive(JsonSchema)]
pub(super) struct Summary {
    digest: Digest,
    header: Header,
    operations: u32,
}

#[derive(JsonSchema)]
pub(super) struct BlockAnswer {
    header: Header,
    digest: Digest,
    /// How many it has.
    operations: u32,
    /// What happened at the boundaries that it passed.
    boundary: Vec<Event>,
    items: Vec<Line>,
    /// The place after which the next page begins; none on the last.
    next: Option<u32>,
}

/// An operation of a block.
#[derive(JsonSchema)]
pub(super) struct Line {
    height: u64,
    index: u32,
    id: Digest,
    kind: Kind,
    account: Address,
    /// `applied` or `refused`.
    outcome: String,
    /// The refusal.
    code: Option<String>,
    /// How many events.
    events: u32,
}

#[derive(JsonSchema)]
pub(super) struct OfAccount<T> {
    account: Address,
    items: Vec<T>,
}

#[derive(JsonSchema)]
pub(super) struct Nonces {
    account: Address,
    items: Vec<query::NonceView>,
    /// For kinds that are not ordered: a number near the time.
    suggested: String,
}

/// Something that concerns an account: an operation, or what happened at a boundary.
#[derive(JsonSchema)]
pub(super) struct Past {
    height: u64,
    time_ms: u64,
    #[schemars(default)]
    receipt: Option<Receipt>,
    #[schemars(default)]
    boundary: Option<Vec<Event>>,
}

#[derive(JsonSchema)]
pub(super) struct Hooks {
    items: Vec<HookView>,
}

/// A call of JSON-RPC 2.0.
#[derive(JsonSchema)]
pub(super) struct Call {
    jsonrpc: String,
    method: String,
    #[schemars(default)]
    params: Vec<Value>,
    #[schemars(default)]
    id: Value,
}

/// The answer to a call.
#[derive(JsonSchema)]
pub(super) struct Called {
    jsonrpc: String,
    id: Value,
    #[schemars(default)]
    result: Value,
    #[schemars(default)]
    error: Option<CallError>,
}

#[derive(JsonSchema)]
pub(super) struct CallError {
    code: i32,
    message: String,
}

/// Types that stand in the description for readers.
#[derive(JsonSchema)]
pub(super) struct Mentioned {
    told: Told,
    key: PublicKey,
    asset: AssetId,
}
