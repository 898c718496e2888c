//! A draft on its way from signer to signer, as a file: build, sign, combine, send, on machines that need no network.
//!
//! ```json
//! {
//!   "format": "surety/bundle/1",
//!   "id": "0x…",
//!   "action": "Withdraw 1000 base units of asset 0 to \"0x…\"",
//!   "domain": { "chain_id": 1, "custody": "0x…", "ledger": "main:0a1b2c3d" },
//!   "draft": { "account": "0x…", "expires": "1792000000000", "operation": { "op": "withdraw", … } },
//!   "threshold": 2,
//!   "asked": [ { "who": "secp256k1:0x…", "nonce": "4" }, { "who": "0x…", "nonce": "0" } ],
//!   "seals": [ { "nonce": "4", "secp256k1": "0x…" } ]
//! }
//! ```
//!
//! `id` and `action` follow from the rest. They stand there for people, and a file in which they say something else is refused. Every seal
//! in a bundle is valid: each is verified when it comes in, from a file as well.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use evidence::{KeyError, PublicKey, address_of};
use protocol::units::{Address, Digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::action::action;
use crate::codec::SEALS_MAX;
use crate::envelope::{Domain, Draft, Seal, SignedOperation};
use crate::json::{DraftForm, JsonError, Number, SealForm, from_value, to_value};
use crate::typed::{signing_hash, typed_data};
use crate::verify::{SealError, key_of};

/// The longest bundle file, in bytes.
pub const BUNDLE_BYTES_MAX: usize = 16 << 20;

const FORMAT: &str = "surety/bundle/1";
const ID_TAG: &[u8] = b"surety/bundle/1";

/// Who is asked for a seal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A key.
    Key(PublicKey),
    /// The key that an address is of, where it is not known yet.
    Address(Address),
}

impl Who {
    /// Whether `key` is meant.
    pub fn is(&self, key: &PublicKey) -> bool {
        match self {
            Self::Key(known) => known == key,
            Self::Address(address) => address_of(key) == Some(address.0),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl FromStr for Who {
    type Err = String;

    /// Reads a key (`scheme:0x…`) or an address (`0x…`).
    ///
    /// # Errors
    /// What is wrong with the text.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains(':') {
            text.parse().map(Self::Key).map_err(|error: KeyError| error.to_string())
        } else {
            text.parse().map(Self::Address)
        }
    }
}

/// A draft, who is asked to seal it, and the seals so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    domain: Domain,
    draft: Draft,
    threshold: u16,
    asked: BTreeMap<Who, u64>,
    seals: BTreeMap<PublicKey, Seal>,
}

impl Bundle {
    /// A bundle without seals. `threshold` is how many the account needs; `asked` is who may seal, and each one's nonce; where it is empty
    /// anyone may, with any nonce.
    pub fn new(
        domain: Domain,
        draft: Draft,
        threshold: u16,
        asked: impl IntoIterator<Item = (Who, u64)>,
    ) -> Self {
        Self { domain, draft, threshold, asked: asked.into_iter().collect(), seals: BTreeMap::new() }
    }

    /// What the seals are for.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// What is signed.
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// How many seals the account needs.
    pub fn threshold(&self) -> u16 {
        self.threshold
    }

    /// Who is asked, and with which nonce.
    pub fn asked(&self) -> impl Iterator<Item = (&Who, u64)> {
        self.asked.iter().map(|(who, nonce)| (who, *nonce))
    }

    /// Who has sealed, in the order of the keys.
    pub fn seals(&self) -> impl Iterator<Item = (&PublicKey, &Seal)> {
        self.seals.iter()
    }

    /// How many seals are missing.
    pub fn missing(&self) -> usize {
        usize::from(self.threshold).saturating_sub(self.seals.len())
    }

    /// Names the draft in its domain: the SHA-256 of `surety/bundle/1`, the chain id (8 bytes, big-endian), the custody contract, the
    /// SHA-256 of the ledger's text, and the canonical bytes of the draft's envelope without seals.
    pub fn id(&self) -> Digest {
        let hash = Sha256::new_with_prefix(ID_TAG)
            .chain_update(self.domain.chain_id.to_be_bytes())
            .chain_update(self.domain.custody.0)
            .chain_update(Sha256::digest(self.domain.ledger.as_bytes()))
            .chain_update(self.draft.clone().seal(Vec::new()).encode());
        Digest(hash.finalize().into())
    }

    /// The nonce that a key is asked to sign with. `None` if it is not asked.
    pub fn nonce_of(&self, key: &PublicKey) -> Option<u64> {
        self.asked.iter().find(|(who, _)| who.is(key)).map(|(_, nonce)| *nonce)
    }

    /// What is signed with this nonce: for secp256k1 as it is, for ed25519 as [`machine_bytes`](crate::machine_bytes) of it.
    pub fn signing_hash(&self, nonce: u64) -> [u8; 32] {
        signing_hash(&self.domain, &self.draft, nonce)
    }

    /// What a wallet is given to sign.
    pub fn typed_data(&self, nonce: u64) -> Value {
        typed_data(&self.domain, &self.draft, nonce)
    }

    /// Adds a seal and says whose it is. A second one by the same key changes nothing.
    ///
    /// # Errors
    /// [`BundleError::Seal`], [`BundleError::NotAsked`], [`BundleError::OtherNonce`], [`BundleError::TooManySeals`].
    pub fn add(&mut self, seal: Seal) -> Result<PublicKey, BundleError> {
        let key = key_of(&self.domain, &self.draft, &seal).map_err(BundleError::Seal)?;
        if !self.asked.is_empty() {
            let nonce = self.nonce_of(&key).ok_or_else(|| BundleError::NotAsked { key: key.clone() })?;
            if nonce != seal.nonce {
                return Err(BundleError::OtherNonce { who: Who::Key(key), asked: nonce, given: seal.nonce });
            }
        }
        if !self.seals.contains_key(&key) && self.seals.len() >= SEALS_MAX {
            return Err(BundleError::TooManySeals);
        }
        self.seals.entry(key.clone()).or_insert(seal);
        Ok(key)
    }

    /// Takes over the seals of another bundle of the same draft, and who it asks. Says how many seals are new.
    ///
    /// # Errors
    /// [`BundleError::OtherDraft`], [`BundleError::OtherThreshold`], [`BundleError::OtherNonce`], and those of [`Bundle::add`]. After an error
    /// nothing has changed.
    pub fn combine(&mut self, other: Self) -> Result<usize, BundleError> {
        let (ours, theirs) = (self.id(), other.id());
        if ours != theirs {
            return Err(BundleError::OtherDraft { ours, theirs });
        }
        if self.threshold != other.threshold {
            return Err(BundleError::OtherThreshold { ours: self.threshold, theirs: other.threshold });
        }
        let mut combined = self.clone();
        for (who, nonce) in other.asked {
            let known = *combined.asked.entry(who.clone()).or_insert(nonce);
            if known != nonce {
                return Err(BundleError::OtherNonce { who, asked: known, given: nonce });
            }
        }
        for seal in other.seals.into_values() {
            combined.add(seal)?;
        }
        let added = combined.seals.len().saturating_sub(self.seals.len());
        *self = combined;
        Ok(added)
    }

    /// The envelope, to be sent, with as many seals as are needed: the ledger refuses more, because the others could be sent once more.
    /// Whether the seals suffice the ledger says; [`Bundle::missing`] is what the bundle knows.
    pub fn into_signed(self) -> SignedOperation {
        let needed = usize::from(self.threshold.max(1));
        self.draft.seal(self.seals.into_values().take(needed).collect())
    }

    /// The file.
    pub fn to_json(&self) -> Value {
        to_value(&Form {
            format: FORMAT.to_owned(),
            id: self.id(),
            action: action(&self.draft.operation),
            domain: DomainForm {
                chain_id: self.domain.chain_id,
                custody: self.domain.custody,
                ledger: self.domain.ledger.clone(),
            },
            draft: DraftForm::of(&self.draft),
            threshold: self.threshold,
            asked: self
                .asked
                .iter()
                .map(|(who, nonce)| AskedForm { who: who.to_string(), nonce: Number(*nonce) })
                .collect(),
            seals: self.seals.values().map(SealForm::of).collect(),
        })
    }

    /// Reads a file and verifies every seal in it.
    ///
    /// # Errors
    /// [`BundleError::TooLong`], [`BundleError::Malformed`], [`BundleError::OtherDraft`] (`ours` is what the file says, `theirs` what it has),
    /// [`BundleError::OtherWords`], and those of [`Bundle::add`].
    pub fn from_json(text: &str) -> Result<Self, BundleError> {
        if text.len() > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLong { bytes: text.len() });
        }
        let value = serde_json::from_str(text).map_err(|error| malformed("", error.to_string()))?;
        Self::from_value(&value)
    }

    /// Reads a bundle that is part of something else, whose length has been limited there.
    ///
    /// # Errors
    /// As [`Bundle::from_json`], but for [`BundleError::TooLong`].
    pub fn from_value(value: &Value) -> Result<Self, BundleError> {
        let form: Form = from_value(value).map_err(BundleError::Malformed)?;
        if form.format != FORMAT {
            let found: String = form.format.chars().take(40).collect();
            return Err(malformed("format", format!("it is {found:?} and not {FORMAT:?}")));
        }
        let DomainForm { chain_id, custody, ledger } = form.domain;
        let domain = Domain { chain_id, custody, ledger };
        let mut bundle = Self::new(domain, form.draft.into_draft(), form.threshold, []);
        for AskedForm { who, nonce } in form.asked {
            let who: Who = who.parse().map_err(|why| malformed("asked", why))?;
            bundle.asked.insert(who, nonce.0);
        }
        if bundle.id() != form.id {
            return Err(BundleError::OtherDraft { ours: form.id, theirs: bundle.id() });
        }
        let words = action(&bundle.draft.operation);
        if words != form.action {
            return Err(BundleError::OtherWords { words });
        }
        for seal in form.seals {
            bundle.add(seal.into_seal())?;
        }
        Ok(bundle)
    }
}

fn malformed(path: &str, why: String) -> BundleError {
    BundleError::Malformed(JsonError { path: path.to_owned(), why })
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    format: String,
    id: Digest,
    action: String,
    domain: DomainForm,
    draft: DraftForm,
    threshold: u16,
    asked: Vec<AskedForm>,
    seals: Vec<SealForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainForm {
    chain_id: u64,
    custody: Address,
    ledger: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedForm {
    who: String,
    nonce: Number,
}

/// Why a bundle is not taken, or not combined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundleError {
    /// The file is longer than [`BUNDLE_BYTES_MAX`].
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// The file is no bundle.
    Malformed(JsonError),
    /// It is of another draft or for another ledger.
    OtherDraft {
        /// The draft here.
        ours: Digest,
        /// The draft there.
        theirs: Digest,
    },
    /// The words in the file are not those of its operation.
    OtherWords {
        /// What the operation does.
        words: String,
    },
    /// Two bundles disagree on how many seals it takes.
    OtherThreshold {
        /// Here.
        ours: u16,
        /// There.
        theirs: u16,
    },
    /// A seal is not valid.
    Seal(SealError),
    /// A seal is by a key that is not asked.
    NotAsked {
        /// Whose it is.
        key: PublicKey,
    },
    /// Somebody is asked for one nonce and another is given.
    OtherNonce {
        /// Who.
        who: Who,
        /// The nonce asked for.
        asked: u64,
        /// The nonce given.
        given: u64,
    },
    /// There are [`SEALS_MAX`] seals already.
    TooManySeals,
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "a bundle of {bytes} bytes is longer than {BUNDLE_BYTES_MAX}")
            }
            Self::Malformed(error) => write!(f, "the file is no bundle: {error}"),
            Self::OtherDraft { ours, theirs } => {
                write!(
                    f,
                    "the bundles are of different drafts: {ours} and {theirs}; combine only copies of one"
                )
            }
            Self::OtherWords { words } => {
                write!(f, "the words in the bundle are not those of its operation, which does this: {words}")
            }
            Self::OtherThreshold { ours, theirs } => {
                write!(f, "one bundle needs {ours} seals and the other {theirs}; build it again")
            }
            Self::Seal(error) => write!(f, "a seal is not valid: {error}"),
            Self::NotAsked { key } => {
                write!(
                    f,
                    "a seal is by {key}, which is not asked; it may be a seal of another draft, ledger or nonce"
                )
            }
            Self::OtherNonce { who, asked, given } => {
                write!(f, "{who} is asked for nonce {asked}, and {given} is given")
            }
            Self::TooManySeals => write!(f, "a bundle has room for {SEALS_MAX} seals"),
        }
    }
}

impl std::error::Error for BundleError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::Seal(error) => Some(error),
            _ => None,
        }
    }
}
