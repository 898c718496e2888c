//! Signatures of three schemes behind one function.
//!
//! A signature is believed only if it is the single encoding of itself: whoever relays one can't turn it into
//! another that is valid too. A service whose operators shall be punishable has to verify with these
//! rules, since a signature that only a laxer verifier accepts (ed25519 with the cofactor, high s) is no evidence.

pub(crate) mod bls12381;
pub(crate) mod ed25519;
mod key;
mod recovery;
pub(crate) mod secp256k1;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use self::key::Point;
pub use self::key::{KeyError, PublicKey, Scheme};
pub(crate) use self::recovery::recover_point;
pub use self::recovery::{RecoveryError, recover};
use crate::encoding::{HexError, from_hex, text_or_bytes, to_hex};

/// Keys in one aggregate at most.
pub const AGGREGATE_KEYS_MAX: usize = 1024;

const POSSESSION_TAG: &[u8] = b"surety/possession/v1";

/// The bytes of a signature: 96 of BLS12-381 (a compressed G2 point), or 64 of ed25519 (`R || s`) or secp256k1
/// (`r || s`).
///
/// Only the length is known to be right; what else is wrong with it, [`verify`] says. The text is `0x…` in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = "^0x([0-9a-f]{128}|[0-9a-f]{192})$")))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct Signature(Box<[u8]>);

text_or_bytes!(
    Signature,
    "a signature as 0x and lower-case hex digits",
    |signature| signature.0.to_vec(),
    Signature::new
);

impl Signature {
    /// Takes 64 or 96 bytes.
    ///
    /// # Refuses
    /// [`MalformedSignature::Length`].
    pub fn new(bytes: &[u8]) -> Result<Self, MalformedSignature> {
        match bytes.len() {
            bls12381::SIGNATURE_LENGTH | ed25519::SIGNATURE_LENGTH => Ok(Self(bytes.into())),
            actual => Err(MalformedSignature::Length { actual }),
        }
    }

    /// The 64 or 96 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes with the length of a signature of `scheme`.
    fn sized<const LENGTH: usize>(&self, scheme: Scheme) -> Result<[u8; LENGTH], SignatureError> {
        <[u8; LENGTH]>::try_from(self.as_bytes()).map_err(|_| SignatureError::Length {
            scheme,
            expected: LENGTH,
            actual: self.0.len(),
        })
    }
}

impl From<[u8; 64]> for Signature {
    fn from(bytes: [u8; 64]) -> Self {
        Self(Box::new(bytes))
    }
}

impl From<[u8; 96]> for Signature {
    fn from(bytes: [u8; 96]) -> Self {
        Self(Box::new(bytes))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Signature {
    type Err = MalformedSignature;

    /// Reads `0x…`.
    ///
    /// # Refuses
    /// [`MalformedSignature::Hex`], then [`MalformedSignature::Length`].
    fn from_str(text: &str) -> Result<Self, MalformedSignature> {
        Self::new(&from_hex(text).map_err(MalformedSignature::Hex)?)
    }
}

/// Verifies that the owner of `key` signed `message`. secp256k1 signs the SHA-256 of the message.
///
/// # Refuses
/// 1. [`SignatureError::Length`]
/// 2. [`SignatureError::NotCanonical`] (BLS12-381, secp256k1)
/// 3. [`SignatureError::Infinity`] (BLS12-381)
/// 4. [`SignatureError::NotInSubgroup`] (BLS12-381)
/// 5. [`SignatureError::HighS`] (secp256k1)
/// 6. [`SignatureError::Mismatch`]; of ed25519 also what is wrong with the signature itself.
///
/// Source: draft-irtf-cfrg-bls-signature-05, 2.7; RFC 8032, 5.1.7 without the cofactor; SEC 1, 4.1.4.
pub fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
    match key.point() {
        Point::Bls12381(bytes) => bls12381::verify(bytes, message, signature, bls12381::DOMAIN_MESSAGE),
        Point::Ed25519(bytes) => ed25519::verify(bytes, message, signature),
        Point::Secp256k1(bytes) => secp256k1::verify(bytes, message, signature),
    }
}

/// Verifies that whoever registers `key` for `operator` of `set` holds its secret.
///
/// Without it an attacker could register a key computed from those of others, sign aggregates in their name
/// (rogue key), or register another operator's key and have it punished twice. BLS12-381 also hashes proofs to the
/// curve in a domain of their own, so no aggregate of messages is a proof.
///
/// The proof is a signature of these bytes:
///
/// | Offset | Bytes | Field |
/// |---|---|---|
/// | 0 | 20 | `surety/possession/v1` |
/// | 20 | 32 | ledger |
/// | 52 | 4 | set |
/// | 56 | 4 | operator |
/// | 60 | 1 | scheme: 1 BLS12-381, 2 ed25519, 3 secp256k1 |
/// | 61 | 48, 32 or 33 | key |
///
/// # Refuses
/// As [`verify`].
///
/// Source: `protocol.md`, 5 (stake table); draft-irtf-cfrg-bls-signature-05, 3.3.
pub fn verify_possession(
    key: &PublicKey,
    ledger: &[u8; 32],
    set: u32,
    operator: u32,
    proof: &Signature,
) -> Result<(), SignatureError> {
    let message = possession_bytes(key, ledger, set, operator);
    match key.point() {
        Point::Bls12381(bytes) => bls12381::verify(bytes, &message, proof, bls12381::DOMAIN_POSSESSION),
        Point::Ed25519(_) | Point::Secp256k1(_) => verify(key, &message, proof),
    }
}

/// What a proof of possession signs.
pub(crate) fn possession_bytes(key: &PublicKey, ledger: &[u8; 32], set: u32, operator: u32) -> Vec<u8> {
    [
        POSSESSION_TAG,
        ledger,
        &set.to_be_bytes(),
        &operator.to_be_bytes(),
        &[key.scheme().tag()],
        key.as_bytes(),
    ]
    .concat()
}

/// Verifies that the owners of all `keys` signed the same `message`; `signature` is the sum of their signatures.
///
/// Every key must have proved its possession ([`verify_possession`]). An aggregate tells that its keys agree to the
/// message; it is no evidence against a single one of them, since two keys of one owner that cancel out join any
/// aggregate. A key that occurs twice counts twice.
///
/// # Refuses
/// 1. In the order of the keys: [`SignatureError::TooManyKeys`] at key number [`AGGREGATE_KEYS_MAX`] + 1,
///    [`SignatureError::SchemeDoesNotAggregate`]
/// 2. [`SignatureError::NoKeys`]
/// 3. As [`verify`]; keys that add up to infinity are a [`SignatureError::Mismatch`].
///
/// Source: `FastAggregateVerify` of draft-irtf-cfrg-bls-signature-05, 3.3.4.
pub fn verify_aggregate<'a>(
    keys: impl Iterator<Item = &'a PublicKey>,
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    bls12381::verify_aggregate(keys, message, signature)
}

/// Why something can't be the bytes of a signature. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedSignature {
    /// The text is not lower-case hexadecimal.
    Hex(HexError),
    /// No scheme has signatures of this length.
    Length {
        /// Bytes given.
        actual: usize,
    },
}

impl fmt::Display for MalformedSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hex(error) => write!(f, "signature is malformed: {error}"),
            Self::Length { actual } => write!(f, "signature has {actual} bytes instead of 64 or 96"),
        }
    }
}

impl std::error::Error for MalformedSignature {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Hex(error) => Some(error),
            Self::Length { .. } => None,
        }
    }
}

/// Why a signature is not believed. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// More keys than one aggregate may have.
    TooManyKeys {
        /// [`AGGREGATE_KEYS_MAX`].
        limit: usize,
    },
    /// A key's scheme has no aggregates.
    SchemeDoesNotAggregate {
        /// Place of the key among the keys, from 0.
        index: usize,
        /// The key's scheme.
        scheme: Scheme,
    },
    /// An aggregate of nothing.
    NoKeys,
    /// The signature has not the length of the key's scheme.
    Length {
        /// The key's scheme.
        scheme: Scheme,
        /// Bytes in a signature of the scheme.
        expected: usize,
        /// Bytes given.
        actual: usize,
    },
    /// The bytes are not the canonical encoding of a signature.
    NotCanonical {
        /// The key's scheme.
        scheme: Scheme,
    },
    /// The signature is the point at infinity.
    Infinity {
        /// The key's scheme.
        scheme: Scheme,
    },
    /// The signature is a point on the curve but outside the subgroup of prime order.
    NotInSubgroup {
        /// The key's scheme.
        scheme: Scheme,
    },
    /// The `s` of a secp256k1 signature is in the upper half: a second encoding of the same signature.
    HighS,
    /// The owner of the key did not sign this message.
    Mismatch {
        /// The key's scheme.
        scheme: Scheme,
    },
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyKeys { limit } => write!(f, "aggregate has more than {limit} keys"),
            Self::SchemeDoesNotAggregate { index, scheme } => {
                write!(f, "key {index} is of {scheme}, which has no aggregates, instead of bls12381")
            }
            Self::NoKeys => write!(f, "aggregate has no keys"),
            Self::Length { scheme, expected, actual } => {
                write!(f, "{scheme} signature has {actual} bytes instead of {expected}")
            }
            Self::NotCanonical { scheme } => write!(f, "{scheme} signature is not canonically encoded"),
            Self::Infinity { scheme } => write!(f, "{scheme} signature is the point at infinity"),
            Self::NotInSubgroup { scheme } => {
                write!(f, "{scheme} signature is outside the subgroup of prime order")
            }
            Self::HighS => write!(f, "secp256k1 signature has its s in the upper half"),
            Self::Mismatch { scheme } => write!(f, "{scheme} signature is not of this message by this key"),
        }
    }
}

impl std::error::Error for SignatureError {}
