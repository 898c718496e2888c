//! How a ledger starts: one JSON file, read strictly, whose digest names the ledger in every block and signature.
//!
//! It does not say what happens later, and it holds no secrets.

use protocol::units::{Address, Digest};
use protocol::{Operation, State};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use signing::{Domain, NEVER, SignedOperation};

use crate::cursor::{put_sized, wide};
use crate::format::{BLOCK_BYTES_MAX, BLOCK_OPERATIONS_MAX, BOUNDARIES_PER_BLOCK_MAX, GENESIS_BYTES_MAX};

/// What is hashed before the fields.
const TAG: &[u8] = b"surety/genesis/1";
/// The longest name of a ledger.
pub const NAME_BYTES_MAX: usize = 32;
/// Wallets and JSON take numbers below this one: 2^53.
const NUMBER_LIMIT: u64 = 1 << 53;
/// The shortest epoch: 2^32 of them are 13 years.
const EPOCH_MS_MIN: u64 = 100;
/// The longest epoch: 366 days.
const EPOCH_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1000;

/// How a ledger starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// What people call it: 1 to 32 lower-case letters, digits and hyphens, the first a letter.
    pub name: String,
    /// The chain of the custody contract, below 2^53.
    pub chain_id: u64,
    /// The custody contract.
    pub custody: Address,
    /// When epoch 0 begins, in milliseconds since 1970, below 2^53.
    pub start_ms: u64,
    /// How long an epoch is, in milliseconds: 100 to 366 days.
    pub epoch_ms: u64,
    /// What the rules start with.
    pub protocol: protocol::Genesis,
    /// What happens in block 0, each operation by an account that is named plainly. Only development ledgers have any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opening: Vec<Opening>,
}

/// An operation of block 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Who acts.
    pub account: Address,
    /// What it asks for.
    pub operation: Operation,
}

/// `{"account": "0x..", "operation": {"op": "..", ..}}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpeningForm {
    account: Address,
    operation: Value,
}

impl Serialize for Opening {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let operation = signing::json::operation_to_json(&self.operation);
        OpeningForm { account: self.account, operation }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Opening {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = OpeningForm::deserialize(deserializer)?;
        let operation = signing::json::operation_from_json(&form.operation).map_err(de::Error::custom)?;
        Ok(Self { account: form.account, operation })
    }
}

impl Genesis {
    /// Reads a genesis file.
    ///
    /// # Errors
    /// Too many bytes; what serde finds; the first rule of [`Genesis::check`] that does not hold.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        if wide(bytes.len()) > GENESIS_BYTES_MAX {
            return Err(format!("{} bytes are more than {GENESIS_BYTES_MAX}", bytes.len()));
        }
        let genesis: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        genesis.check()?;
        Ok(genesis)
    }

    /// The text of the genesis file.
    ///
    /// # Panics
    /// Never: a genesis is plain data.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a genesis is plain data");
        text.push('\n');
        text
    }

    /// Checks what a ledger could not live with; the text names the first that does not hold.
    ///
    /// # Errors
    /// The name, the chain, the times, the opening, then [`protocol::Genesis::check`].
    pub fn check(&self) -> Result<(), String> {
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let starts = self.name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if !starts || self.name.len() > NAME_BYTES_MAX || !self.name.bytes().all(is_plain) {
            return Err(format!(
                "name {:?} is not 1 to {NAME_BYTES_MAX} lower-case letters, digits and hyphens that begin with a letter",
                self.name
            ));
        }
        for (what, value) in [("chain_id", self.chain_id), ("start_ms", self.start_ms)] {
            if value >= NUMBER_LIMIT {
                return Err(format!("{what} {value} is not below 2^53"));
            }
        }
        if !(EPOCH_MS_MIN..=EPOCH_MS_MAX).contains(&self.epoch_ms) {
            let most = EPOCH_MS_MAX;
            return Err(format!("epoch_ms {} is outside {EPOCH_MS_MIN} to {most}", self.epoch_ms));
        }
        if !self.opening.is_empty() && !self.protocol.development {
            return Err("only a development ledger has opening operations: nobody has signed them".to_owned());
        }
        if self.opening.len() > BLOCK_OPERATIONS_MAX {
            let count = self.opening.len();
            return Err(format!("{count} opening operations are more than {BLOCK_OPERATIONS_MAX}"));
        }
        let bytes: usize =
            self.opening_operations().iter().map(|operation| operation.encode().len() + 4).sum();
        if bytes > BLOCK_BYTES_MAX / 2 {
            return Err(format!("{bytes} bytes of opening operations are more than {}", BLOCK_BYTES_MAX / 2));
        }
        self.protocol.check()
    }

    /// Names the ledger: the SHA-256 of all fields, in their order, with operations in their canonical bytes.
    ///
    /// # Panics
    /// Never: a genesis is plain data.
    pub fn digest(&self) -> Digest {
        let mut bytes = TAG.to_vec();
        put_sized(&mut bytes, self.name.as_bytes());
        bytes.extend_from_slice(&self.chain_id.to_be_bytes());
        bytes.extend_from_slice(&self.custody.0);
        bytes.extend_from_slice(&self.start_ms.to_be_bytes());
        bytes.extend_from_slice(&self.epoch_ms.to_be_bytes());
        let state =
            State::new(self.protocol.clone()).map(|state| state.entry(&protocol::entries::Key::Genesis));
        let rules =
            state.ok().flatten().expect("a genesis that was checked makes a state with a genesis entry");
        put_sized(&mut bytes, &rules);
        bytes.extend_from_slice(&wide(self.opening.len()).to_be_bytes());
        for operation in self.opening_operations() {
            put_sized(&mut bytes, &operation.encode());
        }
        Digest(Sha256::digest(bytes).into())
    }

    /// What signatures for this ledger name.
    pub fn domain(&self) -> Domain {
        let digest = hex::encode(self.digest().0);
        let short = digest.get(..8).unwrap_or_default();
        Domain { chain_id: self.chain_id, custody: self.custody, ledger: format!("{}:{short}", self.name) }
    }

    /// The operations of block 0.
    pub(crate) fn opening_operations(&self) -> Vec<SignedOperation> {
        let signed = |opening: &Opening| SignedOperation {
            account: opening.account,
            delegate: None,
            expires: NEVER,
            operation: opening.operation.clone(),
            seals: Vec::new(),
        };
        self.opening.iter().map(signed).collect()
    }

    /// In which epoch a time lies; times before the start are in epoch 0.
    pub fn epoch_at(&self, time_ms: u64) -> u64 {
        time_ms.saturating_sub(self.start_ms) / self.epoch_ms
    }

    /// When an epoch begins, in milliseconds since 1970.
    pub const fn epoch_start_ms(&self, epoch: u64) -> u64 {
        self.start_ms.saturating_add(epoch.saturating_mul(self.epoch_ms))
    }

    /// The latest time of a block that follows one at `head_ms`: it passes 64 boundaries.
    pub fn latest_after(&self, head_ms: u64) -> u64 {
        self.epoch_start_ms(self.epoch_at(head_ms) + BOUNDARIES_PER_BLOCK_MAX + 1) - 1
    }
}
