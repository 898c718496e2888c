//! The bytes of an envelope: one canonical form.
//!
//! Integers are big-endian.
//!
//! | Bytes | Field |
//! |---|---|
//! | 1 | version: 1 |
//! | 20 | account |
//! | 1 | 0, or 1 and the 20 bytes of the delegate |
//! | 8 | expires |
//! | 4 | length of the operation |
//! | so many | operation, as [`Operation::encode`] gives it |
//! | 1 | number of seals |
//! | 74 or 105 each | nonce (8), scheme (1): 3 and `r s v` (65), or 2, key (32) and signature (64) |
//!
//! Seals stand in rising order (nonce, scheme, bytes), each once.

use std::fmt;

use protocol::Operation;
use protocol::codec::{CodecError, OPERATION_BYTES_MAX};
use protocol::units::Address;

use crate::envelope::{Seal, Signature, SignedOperation};

/// The longest envelope, in bytes: the longest operation of any kind, and room for seals. Each kind has its own limit, which the operation in it
/// keeps.
pub const SIGNED_BYTES_MAX: usize = OPERATION_BYTES_MAX + 64 * 1024;
/// The most seals of one envelope.
pub const SEALS_MAX: usize = 32;

const VERSION: u8 = 1;
const ED25519: u8 = 2;
const SECP256K1: u8 = 3;

/// Why bytes are no envelope. In the order in which it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// More bytes than [`SIGNED_BYTES_MAX`].
    TooLong {
        /// How many there are.
        bytes: usize,
    },
    /// The bytes end early.
    CutOff {
        /// Where the part begins that is not whole.
        at: usize,
        /// How many bytes it has.
        needed: usize,
    },
    /// A byte says something that it can't.
    Unknown {
        /// What the byte is for.
        what: &'static str,
        /// What it is.
        found: u8,
    },
    /// The operation can't be read.
    Operation(CodecError),
    /// More seals than [`SEALS_MAX`].
    TooManySeals {
        /// How many.
        seals: usize,
    },
    /// Something follows the last seal.
    LeftOver {
        /// How many bytes.
        bytes: usize,
    },
    /// The same envelope has another, canonical form.
    NotCanonical,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "a signed operation of {bytes} bytes is longer than {SIGNED_BYTES_MAX}")
            }
            Self::CutOff { at, needed } => {
                write!(f, "a signed operation ends within the {needed} bytes that begin at {at}")
            }
            Self::Unknown { what, found } => write!(f, "{found} is no {what} of a signed operation"),
            Self::Operation(error) => error.fmt(f),
            Self::TooManySeals { seals } => {
                write!(f, "{seals} seals on an operation are more than {SEALS_MAX}")
            }
            Self::LeftOver { bytes } => write!(f, "{bytes} bytes follow the last seal"),
            Self::NotCanonical => write!(f, "the bytes of a signed operation are not its canonical form"),
        }
    }
}

impl std::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Operation(error) => Some(error),
            _ => None,
        }
    }
}

impl SignedOperation {
    /// Its canonical bytes.
    ///
    /// # Panics
    /// If there are more than 255 seals or the operation has 4 GiB: nothing that was decoded or verified.
    pub fn encode(&self) -> Vec<u8> {
        let operation = self.operation.encode();
        let mut bytes = Vec::with_capacity(operation.len().saturating_add(160));
        bytes.push(VERSION);
        bytes.extend(self.account.0);
        bytes.push(u8::from(self.delegate.is_some()));
        bytes.extend(self.delegate.iter().flat_map(|delegate| delegate.0));
        bytes.extend(self.expires.to_be_bytes());
        let length = u32::try_from(operation.len()).expect("an operation is shorter than 4 GiB");
        bytes.extend(length.to_be_bytes());
        bytes.extend(operation);
        bytes.push(u8::try_from(self.seals.len()).expect("an envelope has at most 255 seals"));
        let mut seals: Vec<&Seal> = self.seals.iter().collect();
        seals.sort_by_key(|seal| encode_seal(seal));
        for seal in seals {
            bytes.extend(encode_seal(seal));
        }
        bytes
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// As [`DecodeError`] lists them.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > SIGNED_BYTES_MAX {
            return Err(DecodeError::TooLong { bytes: bytes.len() });
        }
        let mut reader = Reader { bytes, at: 0 };
        let version = reader.byte()?;
        if version != VERSION {
            return Err(DecodeError::Unknown { what: "version", found: version });
        }
        let account = Address(reader.array()?);
        let delegate = match reader.byte()? {
            0 => None,
            1 => Some(Address(reader.array()?)),
            found => return Err(DecodeError::Unknown { what: "mark of a delegate", found }),
        };
        let expires = u64::from_be_bytes(reader.array()?);
        let length = u32::from_be_bytes(reader.array()?);
        let operation = reader.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        let operation = Operation::decode(operation).map_err(DecodeError::Operation)?;
        let count = usize::from(reader.byte()?);
        if count > SEALS_MAX {
            return Err(DecodeError::TooManySeals { seals: count });
        }
        let mut seals = Vec::with_capacity(count);
        for _ in 0..count {
            seals.push(reader.seal()?);
        }
        let left = bytes.len().saturating_sub(reader.at);
        if left > 0 {
            return Err(DecodeError::LeftOver { bytes: left });
        }
        if seals.iter().zip(seals.iter().skip(1)).any(|(one, next)| encode_seal(one) >= encode_seal(next)) {
            return Err(DecodeError::NotCanonical);
        }
        // All other parts have one form each, and that of the operation was looked at.
        Ok(Self { account, delegate, expires, operation, seals })
    }
}

fn encode_seal(seal: &Seal) -> Vec<u8> {
    let nonce = seal.nonce.to_be_bytes();
    match &seal.signature {
        Signature::Secp256k1(signature) => [nonce.as_slice(), &[SECP256K1], signature].concat(),
        Signature::Ed25519 { key, signature } => [nonce.as_slice(), &[ED25519], key, signature].concat(),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, needed: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.saturating_add(needed);
        let part = self.bytes.get(self.at..end).ok_or(DecodeError::CutOff { at: self.at, needed })?;
        self.at = end;
        Ok(part)
    }

    fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], DecodeError> {
        Ok(self.take(LENGTH)?.try_into().expect("as many bytes were taken"))
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn seal(&mut self) -> Result<Seal, DecodeError> {
        let nonce = u64::from_be_bytes(self.array()?);
        let signature = match self.byte()? {
            SECP256K1 => Signature::Secp256k1(self.array()?),
            ED25519 => Signature::Ed25519 { key: self.array()?, signature: self.array()? },
            found => return Err(DecodeError::Unknown { what: "scheme of a seal", found }),
        };
        Ok(Seal { nonce, signature })
    }
}
