//! Offences that prove themselves: anyone may submit the evidence, and every replica verifies it.
//!
//! | Rule | Tag | Evidence | Constructor |
//! |---|---|---|---|
//! | [`Rule::Equivocation`] | 1 | two statements of one key for the same slot | [`Offence::from_equivocation`] |
//! | [`Rule::FalseEvent`] | 2 | a statement about an event on Ethereum, and the receipt that says otherwise | [`Offence::from_false_event`] |
//!
//! A new rule (the extraction of an EOTS key) is a row above, a
//! variant and tag of [`Rule`], a type for its evidence and a constructor of [`Offence`]. The rest of the ledger
//! handles offences of every rule alike.
//!
//! Source: `protocol.md`, 6 (built-in offences).

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ethereum::ReceiptError;
use crate::{
    encoding::to_hex,
    signature::{PublicKey, SignatureError, verify},
    statement::{Signed, Statement},
};

mod event;
#[cfg(test)]
mod tests;

pub use event::{EventClaim, FalseEvent, event_digest};

const TAG: &[u8] = b"surety/offence/v1";

/// The rule that an offence broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A key signed two statements of different content for the same slot.
    Equivocation,
    /// A key stated something about Ethereum that is not so.
    FalseEvent,
}

impl Rule {
    /// The rule's byte in [`Offence::digest`]. Never reused.
    fn tag(self) -> u8 {
        match self {
            Self::Equivocation => 1,
            Self::FalseEvent => 2,
        }
    }
}

/// Evidence that `key` made two statements where it may make one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Equivocation {
    /// The key that signed both.
    pub key: PublicKey,
    /// The operator set in whose domain both were signed.
    pub set: u32,
    /// The epoch that both name.
    pub epoch: u32,
    /// The kind of duty that both name.
    pub kind: u16,
    /// The slot that both name.
    pub slot: u64,
    /// One statement. Which of the two comes first means nothing.
    pub first: Signed,
    /// The other, of different content.
    pub second: Signed,
}

impl Equivocation {
    fn statement(&self, ledger: &[u8; 32], content: &[u8; 32]) -> Statement {
        Statement {
            ledger: *ledger,
            set: self.set,
            epoch: self.epoch,
            kind: self.kind,
            slot: self.slot,
            content: *content,
        }
    }
}

/// An offence that happened. To hold one is to hold the proof: only this module makes them.
///
/// ```compile_fail,E0451
/// # fn forge(key: evidence::PublicKey) -> evidence::Offence {
/// let rule = evidence::Rule::Equivocation;
/// evidence::Offence { rule, key, set: 1, epoch: 2, kind: 3, slot: 4, digest: [0; 32] }
/// # }
/// ```
///
/// Whether the key was registered, and to whom, is for the ledger to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offence {
    rule: Rule,
    key: PublicKey,
    set: u32,
    epoch: u32,
    kind: u16,
    slot: u64,
    digest: [u8; 32],
}

impl Offence {
    /// The offence that `evidence` proves on the ledger `ledger`.
    ///
    /// # Refuses
    /// 1. [`EvidenceRefused::ContentsEqual`]
    /// 2. [`EvidenceRefused::FirstSignature`]
    /// 3. [`EvidenceRefused::SecondSignature`]
    pub fn from_equivocation(ledger: &[u8; 32], evidence: &Equivocation) -> Result<Self, EvidenceRefused> {
        if evidence.first.content == evidence.second.content {
            return Err(EvidenceRefused::ContentsEqual { content: evidence.first.content });
        }
        let check = |signed: &Signed| {
            let statement = evidence.statement(ledger, &signed.content);
            verify(&evidence.key, &statement.signing_bytes(), &signed.signature)
        };
        check(&evidence.first).map_err(EvidenceRefused::FirstSignature)?;
        check(&evidence.second).map_err(EvidenceRefused::SecondSignature)?;

        Ok(Self {
            rule: Rule::Equivocation,
            key: evidence.key.clone(),
            set: evidence.set,
            epoch: evidence.epoch,
            kind: evidence.kind,
            slot: evidence.slot,
            digest: digest(
                Rule::Equivocation,
                ledger,
                (evidence.set, evidence.epoch, evidence.kind, evidence.slot),
                &evidence.key,
            ),
        })
    }

    /// The rule that was broken.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The key that broke it.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The operator set in whose domain it happened.
    pub fn set(&self) -> u32 {
        self.set
    }

    /// The epoch in which it happened: the capture epoch.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The kind of duty.
    pub fn kind(&self) -> u16 {
        self.kind
    }

    /// The slot within the kind.
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// Identifies the offence, whatever its evidence: the SHA-256 of these bytes, integers big-endian. Contents and
    /// signatures are left out, so a third statement for the same slot, or the same two the other way around, is the
    /// same offence.
    ///
    /// | Offset | Bytes | Field |
    /// |---|---|---|
    /// | 0 | 17 | `surety/offence/v1` |
    /// | 17 | 1 | rule: 1 equivocation, 2 false event |
    /// | 18 | 32 | ledger |
    /// | 50 | 4 | set |
    /// | 54 | 4 | epoch |
    /// | 58 | 2 | kind |
    /// | 60 | 8 | slot |
    /// | 68 | 1 | scheme: 1 BLS12-381, 2 ed25519, 3 secp256k1 |
    /// | 69 | 48, 32 or 33 | key |
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

/// See [`Offence::digest`].
fn digest(
    rule: Rule,
    ledger: &[u8; 32],
    (set, epoch, kind, slot): (u32, u32, u16, u64),
    key: &PublicKey,
) -> [u8; 32] {
    Sha256::new()
        .chain_update(TAG)
        .chain_update([rule.tag()])
        .chain_update(ledger)
        .chain_update(set.to_be_bytes())
        .chain_update(epoch.to_be_bytes())
        .chain_update(kind.to_be_bytes())
        .chain_update(slot.to_be_bytes())
        .chain_update([key.scheme().tag()])
        .chain_update(key.as_bytes())
        .finalize()
        .into()
}

/// Why evidence proves no offence. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceRefused {
    /// Saying the same thing twice is no offence.
    ContentsEqual {
        /// The content of both statements.
        content: [u8; 32],
    },
    /// The key did not sign the first statement for this ledger, set, epoch, kind and slot.
    FirstSignature(SignatureError),
    /// The key did not sign the second statement for this ledger, set, epoch, kind and slot.
    SecondSignature(SignatureError),
    /// The block or the transaction shown is not the one that the statement is about.
    OtherBlock {
        /// Number of the block of the statement.
        stated: u64,
        /// Number of the block shown.
        shown: u64,
    },
    /// The receipt is not believed.
    Receipt(ReceiptError),
    /// What was stated is so.
    True {
        /// Digest of the event, or zeros.
        event: [u8; 32],
    },
}

impl fmt::Display for EvidenceRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentsEqual { content } => {
                let content = to_hex(content);
                write!(f, "first statement says {content} and the second says {content} too")
            }
            Self::FirstSignature(error) => write!(f, "first statement: {error}"),
            Self::SecondSignature(error) => write!(f, "second statement: {error}"),
            Self::OtherBlock { stated, shown } => {
                write!(f, "statement is about another place: block {stated} was stated, {shown} is shown")
            }
            Self::Receipt(error) => write!(f, "receipt: {error}"),
            Self::True { event } => write!(f, "what was stated is so: {}", to_hex(event)),
        }
    }
}

impl std::error::Error for EvidenceRefused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::ContentsEqual { .. } | Self::OtherBlock { .. } | Self::True { .. } => None,
            Self::Receipt(error) => Some(error),
            Self::FirstSignature(error) | Self::SecondSignature(error) => Some(error),
        }
    }
}
