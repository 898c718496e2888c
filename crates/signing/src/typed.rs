//! EIP-712: what a wallet shows, and the hash that it signs.
//!
//! Each kind of operation has one flat struct, named for it in CamelCase:
//!
//! | Field | Type | Meaning |
//! |---|---|---|
//! | `action` | `string` | what the operation does, in words ([`action`]) |
//! | `account` | `address` | for whom |
//! | `asset` | `uint32` | kinds that move an amount only: of which asset |
//! | `amount` | `uint256` | kinds that move an amount only: base units; 2^256 - 1 for all of it |
//! | `contents` | `bytes32` | [`Draft::contents`] |
//! | `ledger` | `string` | [`Domain::ledger`] |
//! | `nonce` or `sequence` | `uint64` | the number that the key spends; `sequence` for ordered kinds |
//! | `expires` | `uint64` | when it may no longer be taken |
//!
//! Ordered kinds have another type hash than they would have as others, since a field has another name: a number from
//! a window can never be taken for one of a sequence.
//!
//! The domain is `{ name: "Surety", version: "1", chainId, verifyingContract }`.
//!
//! Source: EIP-712.

use std::sync::LazyLock;

use protocol::units::{Address, Digest};
use protocol::{Kind, Operation};
use serde_json::{Map, Value, json};
use sha3::{Digest as _, Keccak256};

use crate::action::action;
use crate::envelope::{Domain, Draft, DraftRef, contents};

const NAME: &str = "Surety";
const VERSION: &str = "1";
const DOMAIN_NAME: &str = "EIP712Domain";
const DOMAIN_FIELDS: [(&str, &str); 4] =
    [("name", "string"), ("version", "string"), ("chainId", "uint256"), ("verifyingContract", "address")];
/// 2^256 - 1: all of it.
const EVERYTHING: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

/// What a field holds.
enum Slot {
    Text(String),
    Address(Address),
    Bytes(Digest),
    Number(u64),
    /// None is everything.
    Amount(Option<u128>),
    /// The text of the domain.
    Ledger,
    /// The number that a key spends.
    Nonce,
}

impl Slot {
    /// `encodeData` of EIP-712 for one field; nothing for what is filled in later.
    fn word(&self) -> [u8; 32] {
        match self {
            Self::Text(text) => keccak(text.as_bytes()),
            Self::Address(address) => word(&address.0),
            Self::Bytes(digest) => digest.0,
            Self::Number(number) => word(&number.to_be_bytes()),
            Self::Amount(Some(units)) => word(&units.to_be_bytes()),
            Self::Amount(None) => [0xff; 32],
            Self::Ledger | Self::Nonce => [0; 32],
        }
    }

    /// As JSON. Numbers are decimal strings: JavaScript has no integers beyond 2^53.
    fn json(&self, domain: &Domain, nonce: u64) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Address(address) => json!(address.to_string()),
            Self::Bytes(digest) => json!(digest.to_string()),
            Self::Number(number) => json!(number.to_string()),
            Self::Amount(Some(units)) => json!(units.to_string()),
            Self::Amount(None) => json!(EVERYTHING),
            Self::Ledger => json!(domain.ledger),
            Self::Nonce => json!(nonce.to_string()),
        }
    }
}

/// The typed data of a draft as `eth_signTypedData_v4` takes it.
///
/// `types.EIP712Domain` is always there, since some wallets hash wrongly without it; `chainId` is a number, since some compare it as
/// one; all other numbers are decimal strings.
pub fn typed_data(domain: &Domain, draft: &Draft, nonce: u64) -> Value {
    let kind = draft.operation.kind();
    let name = primary_type(kind);
    let declare = |(name, kind): (&'static str, &'static str)| json!({ "name": name, "type": kind });
    let mut types = Map::new();
    types.insert(DOMAIN_NAME.to_owned(), DOMAIN_FIELDS.into_iter().map(declare).collect());
    types.insert(name.clone(), declared(kind).map(declare).collect());
    let message: Map<String, Value> = declared(kind)
        .zip(slots(draft.into()))
        .map(|((name, _), slot)| (name.to_owned(), slot.json(domain, nonce)))
        .collect();
    json!({
        "types": types,
        "primaryType": name,
        "domain": {
            "name": NAME,
            "version": VERSION,
            "chainId": domain.chain_id,
            "verifyingContract": domain.custody.to_string(),
        },
        "message": message,
    })
}

/// The hash of the typed data of a draft: what secp256k1 keys sign.
pub fn signing_hash(domain: &Domain, draft: &Draft, nonce: u64) -> [u8; 32] {
    DomainHashes::of(domain).message(draft.into()).hash(nonce)
}

/// The bytes whose Keccak-256 is [`signing_hash`]: `0x1901`, the hash of the domain and that of the message. For remote signers that
/// hash what they are given.
pub fn signing_preimage(domain: &Domain, draft: &Draft, nonce: u64) -> [u8; 66] {
    DomainHashes::of(domain).message(draft.into()).preimage(nonce)
}

/// What of a signing hash depends on the domain alone.
#[derive(Clone, Debug)]
pub(crate) struct DomainHashes {
    separator: [u8; 32],
    ledger: [u8; 32],
}

impl DomainHashes {
    pub(crate) fn of(domain: &Domain) -> Self {
        Self { separator: domain_separator(domain), ledger: keccak(domain.ledger.as_bytes()) }
    }

    /// What depends on the draft, but not on who signs it with which nonce.
    pub(crate) fn message(&self, draft: DraftRef<'_>) -> MessageHashes {
        let kind = draft.operation.kind();
        let mut words = vec![TYPE_HASHES.of(kind)];
        words.extend(slots(draft).map(|slot| match slot {
            Slot::Ledger => self.ledger,
            slot => slot.word(),
        }));
        MessageHashes { separator: self.separator, words }
    }
}

/// What of a signing hash depends on the draft: the words of `encodeData`, with nothing in that of the nonce.
pub(crate) struct MessageHashes {
    separator: [u8; 32],
    words: Vec<[u8; 32]>,
}

impl MessageHashes {
    pub(crate) fn hash(&self, nonce: u64) -> [u8; 32] {
        keccak(&self.preimage(nonce))
    }

    fn preimage(&self, nonce: u64) -> [u8; 66] {
        let mut hash = Keccak256::new();
        let (last, words) = self.words.split_last().expect("a message has fields");
        let (_, words) = words.split_last().expect("a message has more than one field");
        words.iter().for_each(|word| hash.update(word));
        hash.update(word(&nonce.to_be_bytes()));
        hash.update(last);
        let message: [u8; 32] = hash.finalize().into();
        let bytes = [[0x19, 0x01].as_slice(), &self.separator, &message].concat();
        bytes.try_into().expect("2, 32 and 32 bytes are 66")
    }
}

/// `hashStruct` of the domain.
pub fn domain_separator(domain: &Domain) -> [u8; 32] {
    Keccak256::new()
        .chain_update(TYPE_HASHES.domain)
        .chain_update(TYPE_HASHES.name)
        .chain_update(TYPE_HASHES.version)
        .chain_update(word(&domain.chain_id.to_be_bytes()))
        .chain_update(word(&domain.custody.0))
        .finalize()
        .into()
}

/// The name of a kind's struct: `RequestSlash` for `request_slash`.
pub fn primary_type(kind: Kind) -> String {
    let parts = kind.name().split('_');
    parts
        .flat_map(|part| {
            let mut letters = part.chars();
            letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

/// What a draft's struct holds, in order. The last but one is the nonce, which is not known yet.
fn slots(draft: DraftRef<'_>) -> impl Iterator<Item = Slot> {
    let moved = moves(draft.operation.kind()).then(|| moved(draft.operation));
    let moved = moved.map(|Moved { asset, units }| [Slot::Number(asset), Slot::Amount(units)]);
    [Slot::Text(action(draft.operation)), Slot::Address(draft.account)]
        .into_iter()
        .chain(moved.into_iter().flatten())
        .chain([
            Slot::Bytes(contents(draft.delegate, draft.operation)),
            Slot::Ledger,
            Slot::Nonce,
            Slot::Number(draft.expires),
        ])
}

/// Names and types of the fields of a kind, in order.
fn declared(kind: Kind) -> impl Iterator<Item = (&'static str, &'static str)> {
    let moved: &[_] = if moves(kind) { &[("asset", "uint32"), ("amount", "uint256")] } else { &[] };
    let number = if kind.is_ordered() { "sequence" } else { "nonce" };
    [("action", "string"), ("account", "address")].into_iter().chain(moved.iter().copied()).chain([
        ("contents", "bytes32"),
        ("ledger", "string"),
        (number, "uint64"),
        ("expires", "uint64"),
    ])
}

/// Whether the struct of a kind has `asset` and `amount`.
fn moves(kind: Kind) -> bool {
    use Kind::{Delegate, Deposit, LowerBond, OpenStream, PayWork, RaiseBond, Undelegate, Withdraw};
    matches!(kind, Delegate | Deposit | LowerBond | OpenStream | PayWork | RaiseBond | Undelegate | Withdraw)
}

/// What an operation moves.
struct Moved {
    asset: u64,
    /// None is everything; also a sum past the range of amounts, which no ledger can take.
    units: Option<u128>,
}

fn moved(operation: &Operation) -> Moved {
    let (asset, units) = match operation {
        Operation::Delegate(op) => (op.asset, Some(op.amount.units())),
        Operation::Deposit(op) => (op.asset, Some(op.amount.units())),
        Operation::LowerBond(op) => (op.asset, Some(op.amount.units())),
        Operation::OpenStream(op) => (op.token, op.per_epoch.units().checked_mul(u128::from(op.epochs))),
        Operation::PayWork(op) => (op.token, crate::action::total(&op.payments)),
        Operation::RaiseBond(op) => (op.asset, Some(op.amount.units())),
        Operation::Undelegate(op) => (op.asset, op.amount.map(protocol::units::Amount::units)),
        Operation::Withdraw(op) => (op.asset, Some(op.amount.units())),
        _ => unreachable!("only kinds that move an amount get here"),
    };
    Moved { asset: u64::from(asset.number()), units }
}

/// Hashes that never change.
struct TypeHashes {
    domain: [u8; 32],
    name: [u8; 32],
    version: [u8; 32],
    /// In the order of [`Kind::ALL`].
    kinds: Vec<[u8; 32]>,
}

impl TypeHashes {
    fn of(&self, kind: Kind) -> [u8; 32] {
        *self.kinds.get(usize::from(kind.tag())).expect("every kind has a hash")
    }
}

static TYPE_HASHES: LazyLock<TypeHashes> = LazyLock::new(|| TypeHashes {
    domain: keccak(encode_type(DOMAIN_NAME, DOMAIN_FIELDS).as_bytes()),
    name: keccak(NAME.as_bytes()),
    version: keccak(VERSION.as_bytes()),
    kinds: Kind::ALL
        .iter()
        .map(|kind| keccak(encode_type(&primary_type(*kind), declared(*kind)).as_bytes()))
        .collect(),
});

/// `encodeType` of EIP-712 for a struct without structs inside.
fn encode_type(name: &str, fields: impl IntoIterator<Item = (&'static str, &'static str)>) -> String {
    let fields: Vec<String> = fields.into_iter().map(|(name, kind)| format!("{kind} {name}")).collect();
    format!("{name}({})", fields.join(","))
}

fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// At most 32 bytes, as the low end of a word.
fn word(bytes: &[u8]) -> [u8; 32] {
    let mut word = [0; 32];
    for (slot, byte) in word.iter_mut().rev().zip(bytes.iter().rev()) {
        *slot = *byte;
    }
    word
}
