//! Public keys: validated once, when they are made, and never malformed afterwards.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{bls12381, ed25519, secp256k1};
use crate::encoding::{HexError, from_hex, text_or_bytes, to_hex};

/// A signature scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// BLS12-381 with keys in G1 and signatures in G2, the "min-pk" variant of Ethereum's consensus layer. The only
    /// scheme whose signatures aggregate.
    Bls12381,
    /// Ed25519 (RFC 8032) under the strict rules of [`verify`](crate::verify).
    Ed25519,
    /// ECDSA over secp256k1 and SHA-256, low-s only.
    Secp256k1,
}

impl Scheme {
    const ALL: [Self; 3] = [Self::Bls12381, Self::Ed25519, Self::Secp256k1];

    /// The scheme's name in texts and documents.
    fn name(self) -> &'static str {
        match self {
            Self::Bls12381 => "bls12381",
            Self::Ed25519 => "ed25519",
            Self::Secp256k1 => "secp256k1",
        }
    }

    /// The scheme's byte in signed and hashed encodings. Never reused.
    pub(crate) fn tag(self) -> u8 {
        match self {
            Self::Bls12381 => 1,
            Self::Ed25519 => 2,
            Self::Secp256k1 => 3,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A public key that can sign: canonically encoded, on its curve, in the prime-order subgroup, not the identity.
///
/// Keys are ordered by scheme, then by bytes. The text is `scheme:0x…` in lower case, and a key has no other.
/// A key takes 49 bytes and is not kept decompressed: a ledger stores far more keys than it verifies with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = "^(bls12381:0x[0-9a-f]{96}|ed25519:0x[0-9a-f]{64}|secp256k1:0x[0-9a-f]{66})$")))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct PublicKey(Point);

text_or_bytes!(
    PublicKey,
    "a public key as its scheme, a colon, 0x and lower-case hex digits",
    PublicKey::to_tagged_bytes,
    PublicKey::from_tagged_bytes
);

/// The compressed point. The variants stand in the order of [`Scheme`], which makes the derived order that of keys.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Point {
    Bls12381([u8; bls12381::KEY_LENGTH]),
    Ed25519([u8; ed25519::KEY_LENGTH]),
    Secp256k1([u8; secp256k1::KEY_LENGTH]),
}

impl PublicKey {
    /// Validates `bytes` as a key of `scheme`: 48 bytes of a compressed G1 point, 32 bytes of an Edwards point, or 33
    /// bytes of a compressed secp256k1 point.
    ///
    /// # Refuses
    /// 1. [`KeyError::Length`]
    /// 2. [`KeyError::NotAPoint`]
    /// 3. [`KeyError::SmallOrder`]: a signature under such a key proves nothing.
    /// 4. [`KeyError::NotInSubgroup`]
    ///
    /// Source: `KeyValidate` of draft-irtf-cfrg-bls-signature-05, 2.5; RFC 8032, 5.1.3; SEC 1, 2.3.4.
    pub fn new(scheme: Scheme, bytes: &[u8]) -> Result<Self, KeyError> {
        let point = match scheme {
            Scheme::Bls12381 => Point::Bls12381(sized(scheme, bytes)?),
            Scheme::Ed25519 => Point::Ed25519(sized(scheme, bytes)?),
            Scheme::Secp256k1 => Point::Secp256k1(sized(scheme, bytes)?),
        };
        match &point {
            Point::Bls12381(bytes) => bls12381::check_key(bytes)?,
            Point::Ed25519(bytes) => ed25519::check_key(bytes)?,
            Point::Secp256k1(bytes) => secp256k1::check_key(bytes)?,
        }
        Ok(Self(point))
    }

    /// A point of the library is valid already.
    pub(crate) fn of_secp256k1(key: &::secp256k1::PublicKey) -> Self {
        Self(Point::Secp256k1(key.serialize()))
    }

    /// The scheme that the key signs with.
    pub fn scheme(&self) -> Scheme {
        match self.0 {
            Point::Bls12381(_) => Scheme::Bls12381,
            Point::Ed25519(_) => Scheme::Ed25519,
            Point::Secp256k1(_) => Scheme::Secp256k1,
        }
    }

    /// The canonical encoding of the key: 48, 32 or 33 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Point::Bls12381(bytes) => bytes,
            Point::Ed25519(bytes) => bytes,
            Point::Secp256k1(bytes) => bytes,
        }
    }

    /// The byte of the scheme, then the key.
    fn to_tagged_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.scheme().tag()];
        bytes.extend_from_slice(self.as_bytes());
        bytes
    }

    fn from_tagged_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let (tag, bytes) = bytes.split_first().ok_or(KeyError::UnknownScheme)?;
        let scheme =
            Scheme::ALL.into_iter().find(|scheme| scheme.tag() == *tag).ok_or(KeyError::UnknownScheme)?;
        Self::new(scheme, bytes)
    }

    /// The compressed point with its length in the type.
    pub(super) fn point(&self) -> &Point {
        &self.0
    }
}

/// `bytes` with the length of a key of `scheme`.
fn sized<const LENGTH: usize>(scheme: Scheme, bytes: &[u8]) -> Result<[u8; LENGTH], KeyError> {
    <[u8; LENGTH]>::try_from(bytes).map_err(|_| KeyError::Length {
        scheme,
        expected: LENGTH,
        actual: bytes.len(),
    })
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme(), to_hex(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    /// Reads `scheme:0x…`.
    ///
    /// # Refuses
    /// 1. [`KeyError::UnknownScheme`]
    /// 2. [`KeyError::Hex`]
    /// 3. As [`PublicKey::new`].
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, digits) = text.split_once(':').ok_or(KeyError::UnknownScheme)?;
        let scheme =
            Scheme::ALL.into_iter().find(|scheme| scheme.name() == name).ok_or(KeyError::UnknownScheme)?;
        let bytes = from_hex(digits).map_err(KeyError::Hex)?;
        Self::new(scheme, &bytes)
    }
}

/// Why something is not a public key. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The text does not begin with `bls12381:`, `ed25519:` or `secp256k1:`.
    UnknownScheme,
    /// What follows the scheme is not lower-case hexadecimal text.
    Hex(HexError),
    /// The key has not the length of its scheme.
    Length {
        /// The scheme claimed.
        scheme: Scheme,
        /// Bytes in a key of the scheme.
        expected: usize,
        /// Bytes given.
        actual: usize,
    },
    /// The bytes are not the canonical encoding of a point on the scheme's curve.
    NotAPoint {
        /// The scheme claimed.
        scheme: Scheme,
    },
    /// The point is the identity, or (ed25519) one of the few others of small order.
    SmallOrder {
        /// The scheme claimed.
        scheme: Scheme,
    },
    /// The point is on the curve but outside the subgroup of prime order.
    NotInSubgroup {
        /// The scheme claimed.
        scheme: Scheme,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownScheme => write!(f, "key does not begin with bls12381:, ed25519: or secp256k1:"),
            Self::Hex(error) => write!(f, "key is malformed: {error}"),
            Self::Length { scheme, expected, actual } => {
                write!(f, "{scheme} key has {actual} bytes instead of {expected}")
            }
            Self::NotAPoint { scheme } => write!(f, "key is not the encoding of a point of {scheme}"),
            Self::SmallOrder { scheme } => write!(f, "{scheme} key is a point of small order"),
            Self::NotInSubgroup { scheme } => {
                write!(f, "{scheme} key is outside the subgroup of prime order")
            }
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Hex(error) => Some(error),
            _ => None,
        }
    }
}
