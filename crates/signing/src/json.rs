//! Operations and envelopes as JSON: the form of the API, the command line and bundles.
//!
//! ```json
//! {
//!   "account": "0x…",
//!   "delegate": "0x…",
//!   "expires": "1792000000000",
//!   "operation": { "op": "withdraw", "asset": 0, "amount": "1000", "to": "0x…" },
//!   "seals": [
//!     { "nonce": "7", "secp256k1": "0x…" },
//!     { "nonce": "7", "ed25519": { "key": "0x…", "signature": "0x…" } }
//!   ]
//! }
//! ```
//!
//! `delegate` may be left out, and `expires` where it never does. Numbers of 64 bits are decimal strings, since JavaScript has no integers
//! beyond 2^53; reading takes a number as well. Unknown fields are refused by name. JSON has many texts for one thing: what is
//! signed, hashed and stored are bytes ([`SignedOperation::encode`]).

use std::fmt;
use std::str::FromStr;

use protocol::units::Address;
use protocol::{Kind, Operation};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::codec::SEALS_MAX;
use crate::envelope::{Draft, NEVER, Seal, Signature, SignedOperation};

/// The field that names the kind of an operation.
const OP: &str = "op";

/// Why JSON is no operation, draft or envelope: where in it, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Path of the field, such as `operation.terms.window_cap`; empty for the whole.
    pub path: String,
    /// What is wrong there.
    pub why: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.why) } else { write!(f, "{}: {}", self.path, self.why) }
    }
}

impl std::error::Error for JsonError {}

/// `{"op": "delegate", …fields}`.
///
/// # Panics
/// Never: an operation is an object in JSON.
pub fn operation_to_json(operation: &Operation) -> Value {
    let mut object = Map::new();
    object.insert(OP.to_owned(), operation.kind().name().into());
    match operation.serialize_body(serde_json::value::Serializer) {
        Ok(Value::Object(fields)) => object.extend(fields),
        other => unreachable!("an operation is an object in JSON, not {other:?}"),
    }
    Value::Object(object)
}

/// Reads `{"op": "delegate", …fields}`.
///
/// # Errors
/// No object, no or an unknown `op`, or fields that the kind does not have or that are missing or malformed.
pub fn operation_from_json(value: &Value) -> Result<Operation, JsonError> {
    let top = |why: String| JsonError { path: String::new(), why };
    let object =
        value.as_object().ok_or_else(|| top("an operation is an object with a field \"op\"".to_owned()))?;
    let name = match object.get(OP) {
        Some(Value::String(name)) => name,
        Some(_) => {
            return Err(JsonError { path: OP.to_owned(), why: "it is the name of an operation".to_owned() });
        }
        None => return Err(top("field \"op\" is missing: the name of the operation".to_owned())),
    };
    let unknown =
        || JsonError { path: OP.to_owned(), why: format!("no operation is called {:?}", shorten(name)) };
    let kind = Kind::from_name(name).ok_or_else(unknown)?;
    let mut fields = object.clone();
    fields.remove(OP);
    let mut track = serde_path_to_error::Track::new();
    let deserializer = serde_path_to_error::Deserializer::new(Value::Object(fields), &mut track);
    Operation::deserialize_body(kind, deserializer)
        .map_err(|error| JsonError { path: path(&track.path()), why: error.to_string() })
}

/// The draft as JSON: the envelope without seals.
pub fn draft_to_json(draft: &Draft) -> Value {
    to_value(&DraftForm::of(draft))
}

/// Reads a draft.
///
/// # Errors
/// What [`JsonError`] says.
pub fn draft_from_json(value: &Value) -> Result<Draft, JsonError> {
    from_value::<DraftForm>(value).map(DraftForm::into_draft)
}

/// The envelope as JSON.
pub fn signed_to_json(signed: &SignedOperation) -> Value {
    let draft = DraftForm::of(&signed.draft());
    to_value(&SignedForm {
        account: draft.account,
        delegate: draft.delegate,
        expires: draft.expires,
        operation: draft.operation,
        seals: signed.seals.iter().map(SealForm::of).collect(),
    })
}

/// Reads an envelope.
///
/// # Errors
/// What [`JsonError`] says; more seals than [`SEALS_MAX`].
pub fn signed_from_json(value: &Value) -> Result<SignedOperation, JsonError> {
    let form: SignedForm = from_value(value)?;
    if form.seals.len() > SEALS_MAX {
        let why = format!("{} seals are more than {SEALS_MAX}", form.seals.len());
        return Err(JsonError { path: "seals".to_owned(), why });
    }
    let SignedForm { account, delegate, expires, operation, seals } = form;
    let draft = DraftForm { account, delegate, expires, operation }.into_draft();
    Ok(draft.seal(seals.into_iter().map(SealForm::into_seal).collect()))
}

/// The seal as JSON.
pub fn seal_to_json(seal: &Seal) -> Value {
    to_value(&SealForm::of(seal))
}

/// Reads a seal.
///
/// # Errors
/// What [`JsonError`] says.
pub fn seal_from_json(value: &Value) -> Result<Seal, JsonError> {
    from_value::<SealForm>(value).map(SealForm::into_seal)
}

pub(crate) fn to_value(form: &impl Serialize) -> Value {
    serde_json::to_value(form).expect("names are text, and numbers have no fractions")
}

pub(crate) fn from_value<'a, T: Deserialize<'a>>(value: &'a Value) -> Result<T, JsonError> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| JsonError { path: path(error.path()), why: error.inner().to_string() })
}

fn path(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    if text == "." { String::new() } else { text }
}

/// So much of a hostile text as a message has room for.
fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftForm {
    account: Address,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delegate: Option<Address>,
    #[serde(default = "never", skip_serializing_if = "Number::is_never")]
    expires: Number,
    operation: Body,
}

impl DraftForm {
    pub(crate) fn of(draft: &Draft) -> Self {
        Self {
            account: draft.account,
            delegate: draft.delegate,
            expires: Number(draft.expires),
            operation: Body(draft.operation.clone()),
        }
    }

    pub(crate) fn into_draft(self) -> Draft {
        let Self { account, delegate, expires, operation } = self;
        Draft { account, delegate, expires: expires.0, operation: operation.0 }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedForm {
    account: Address,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delegate: Option<Address>,
    #[serde(default = "never", skip_serializing_if = "Number::is_never")]
    expires: Number,
    operation: Body,
    seals: Vec<SealForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a seal has a nonce and either secp256k1 (0x and 65 bytes) or ed25519 { key, signature }"
)]
pub(crate) enum SealForm {
    Person { nonce: Number, secp256k1: Hex<65> },
    Machine { nonce: Number, ed25519: MachineForm },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MachineForm {
    key: Hex<32>,
    signature: Hex<64>,
}

impl SealForm {
    pub(crate) fn of(seal: &Seal) -> Self {
        let nonce = Number(seal.nonce);
        match seal.signature {
            Signature::Secp256k1(signature) => Self::Person { nonce, secp256k1: Hex(signature) },
            Signature::Ed25519 { key, signature } => {
                Self::Machine { nonce, ed25519: MachineForm { key: Hex(key), signature: Hex(signature) } }
            }
        }
    }

    pub(crate) fn into_seal(self) -> Seal {
        match self {
            Self::Person { nonce, secp256k1 } => {
                Seal { nonce: nonce.0, signature: Signature::Secp256k1(secp256k1.0) }
            }
            Self::Machine { nonce, ed25519: MachineForm { key, signature } } => {
                Seal { nonce: nonce.0, signature: Signature::Ed25519 { key: key.0, signature: signature.0 } }
            }
        }
    }
}

/// An operation by its JSON form.
struct Body(Operation);

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        operation_to_json(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        operation_from_json(&value).map(Self).map_err(D::Error::custom)
    }
}

/// 64 bits as a decimal string.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) u64);

fn never() -> Number {
    Number(NEVER)
}

impl Number {
    fn is_never(&self) -> bool {
        self.0 == NEVER
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "a whole number from 0 to 2^64 - 1 as a decimal string, like \"1792000000000\""
        )]
        enum Form {
            Number(u64),
            Text(String),
        }
        let text = match Form::deserialize(deserializer)? {
            Form::Number(number) => return Ok(Self(number)),
            Form::Text(text) => text,
        };
        let is_plain =
            text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        let number = if is_plain { u64::from_str(&text).ok() } else { None };
        let malformed = || {
            let text = shorten(&text);
            D::Error::custom(format_args!(
                "{text:?} is not a whole number from 0 to 2^64 - 1 without sign or leading zeros"
            ))
        };
        number.map(Self).ok_or_else(malformed)
    }
}

/// Bytes as `0x` and lower-case hex digits.
pub(crate) struct Hex<const LENGTH: usize>(pub(crate) [u8; LENGTH]);

impl<const LENGTH: usize> Serialize for Hex<LENGTH> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("0x{}", hex::encode(self.0)))
    }
}

impl<'de, const LENGTH: usize> Deserialize<'de> for Hex<LENGTH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let malformed = || {
            let text = shorten(&text);
            D::Error::custom(format_args!("{text:?} is not 0x and {LENGTH} bytes as hex digits"))
        };
        let mut bytes = [0; LENGTH];
        let digits = text.strip_prefix("0x").ok_or_else(malformed)?;
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| malformed())?;
        Ok(Self(bytes))
    }
}
