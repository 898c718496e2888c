//! The bytes of an operation: one canonical form, for disks, wires and hashes.
//!
//! The tag of the kind (one byte, its place in [`Kind::ALL`], which only ever grows at its end), then the fields in the order of the
//! operation's record: integers as variable-length groups of seven bits, addresses and digests as they are, everything of variable
//! length behind its length (the format of the `postcard` crate, <https://postcard.jamesmunns.com/wire-format>).

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::operation::{Kind, Operation};

/// The longest operation of any kind, in bytes; see [`Kind::bytes_max`].
pub const OPERATION_BYTES_MAX: usize = 5 << 20;
/// The longest operation of most kinds: twice what the largest evidence and the widest terms need.
const PLAIN_BYTES_MAX: usize = 64 << 10;
/// The longest operation that carries a few proofs of storage, or a receipt.
const PROVEN_BYTES_MAX: usize = 512 << 10;

/// Why bytes are no operation. In the order in which it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodecError {
    /// More bytes than an operation of its kind may have: [`Kind::bytes_max`], or [`OPERATION_BYTES_MAX`] where the kind is not known.
    TooLong {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        most: usize,
    },
    /// There is nothing.
    Empty,
    /// No kind of operation has that tag.
    UnknownKind {
        /// The first byte.
        tag: u8,
    },
    /// The fields of that kind can't be read.
    Malformed {
        /// The kind.
        kind: Kind,
        /// What was found.
        why: String,
    },
    /// The same operation has another, canonical form.
    NotCanonical {
        /// The kind.
        kind: Kind,
    },
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, most } => {
                write!(f, "an operation of {bytes} bytes is longer than {most}, the limit of its kind")
            }
            Self::Empty => write!(f, "an operation has at least one byte"),
            Self::UnknownKind { tag } => {
                write!(
                    f,
                    "tag {tag} is no kind of operation; the last is {}",
                    Kind::ALL.len().saturating_sub(1)
                )
            }
            Self::Malformed { kind, why } => write!(f, "the fields of {kind} can't be read: {why}"),
            Self::NotCanonical { kind } => write!(f, "the bytes of this {kind} are not its canonical form"),
        }
    }
}

impl std::error::Error for CodecError {}

impl Kind {
    /// The byte that stands for it. Never changes.
    pub fn tag(self) -> u8 {
        let place = Self::ALL.iter().position(|kind| *kind == self);
        place
            .and_then(|place| u8::try_from(place).ok())
            .expect("every kind is listed, and there are fewer than 256")
    }

    /// The most bytes that an operation of the kind may have: enough for 8192 validators anywhere in the largest registry, or for 4095
    /// deposits, where it proves those.
    pub const fn bytes_max(self) -> usize {
        match self {
            Self::ReportPod | Self::TakeDeposits => OPERATION_BYTES_MAX,
            Self::ReportRate | Self::SubmitFalseEvent => PROVEN_BYTES_MAX,
            _ => PLAIN_BYTES_MAX,
        }
    }

    /// The kind of that tag.
    pub fn from_tag(tag: u8) -> Option<Self> {
        Self::ALL.get(usize::from(tag)).copied()
    }
}

impl Operation {
    /// Its canonical bytes.
    ///
    /// # Panics
    /// Never: memory takes any operation.
    pub fn encode(&self) -> Vec<u8> {
        let mut serializer = postcard::Serializer { output: postcard::ser_flavors::StdVec::new() };
        let tag = self.kind().tag();
        tag.serialize(&mut serializer).expect("memory takes a byte");
        self.serialize_body(&mut serializer).expect("memory takes any operation");
        postcard::ser_flavors::Flavor::finalize(serializer.output).expect("memory takes any operation")
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// As [`CodecError`] lists them.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let check = |most: usize| match bytes.len() > most {
            true => Err(CodecError::TooLong { bytes: bytes.len(), most }),
            false => Ok(()),
        };
        check(OPERATION_BYTES_MAX)?;
        let (tag, fields) = bytes.split_first().ok_or(CodecError::Empty)?;
        let kind = Kind::from_tag(*tag).ok_or(CodecError::UnknownKind { tag: *tag })?;
        check(kind.bytes_max())?;
        let malformed = |why: String| CodecError::Malformed { kind, why };
        let mut deserializer = postcard::Deserializer::from_bytes(fields);
        let operation =
            Self::deserialize_body(kind, &mut deserializer).map_err(|error| malformed(error.to_string()))?;
        let rest = deserializer.finalize().map_err(|error| malformed(error.to_string()))?;
        if !rest.is_empty() {
            return Err(malformed(format!("{} bytes are left over", rest.len())));
        }
        if operation.encode() != bytes {
            return Err(CodecError::NotCanonical { kind });
        }
        Ok(operation)
    }
}

/// Room for most records, so that few grow on the way.
const RECORD_BYTES: usize = 256;

/// The bytes of a record of the state, in the same format.
pub(crate) fn to_bytes<T: Serialize + ?Sized>(record: &T) -> Vec<u8> {
    postcard::to_extend(record, Vec::with_capacity(RECORD_BYTES)).expect("memory takes any record")
}

/// Reads a record of the state.
pub(crate) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let (record, rest) = postcard::take_from_bytes(bytes).map_err(|error| error.to_string())?;
    if rest.is_empty() { Ok(record) } else { Err(format!("{} bytes are left over", rest.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{delegate::Delegate, undelegate::Undelegate};
    use crate::state::records::FollowUp;
    use crate::units::{Amount, AssetId, Digest, Fraction, OperatorId};

    fn delegation() -> Operation {
        Operation::Delegate(Delegate {
            operator: OperatorId::new(300),
            asset: AssetId::new(2),
            amount: Amount::new(1_000_000_000_000_000_000),
            validator: None,
            mandate: Digest([7; 32]),
            worst_case: Fraction::from_percent(25),
        })
    }

    #[test]
    fn the_bytes_of_a_delegation_are_frozen() {
        let text = hex::encode(delegation().encode());
        assert_eq!(text, format!("0aac0202808090bbbad6adf00d00{}8080e4ceceb58bbc03", "07".repeat(32)));
    }

    #[test]
    fn an_operation_has_one_form() {
        let bytes = delegation().encode();
        assert_eq!(Operation::decode(&bytes), Ok(delegation()));
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(matches!(Operation::decode(&longer), Err(CodecError::Malformed { .. })));
        // 300 as three groups instead of two.
        let mut padded = bytes.clone();
        padded.splice(1..3, [0xac, 0x82, 0x00]);
        assert_eq!(Operation::decode(&padded), Err(CodecError::NotCanonical { kind: Kind::Delegate }));
        assert_eq!(Operation::decode(&[]), Err(CodecError::Empty));
        assert_eq!(Operation::decode(&[200]), Err(CodecError::UnknownKind { tag: 200 }));
        let long = vec![0; OPERATION_BYTES_MAX + 1];
        assert_eq!(
            Operation::decode(&long),
            Err(CodecError::TooLong { bytes: long.len(), most: OPERATION_BYTES_MAX })
        );
        let mut plain = bytes.clone();
        plain.resize(PLAIN_BYTES_MAX + 1, 0);
        let most = PLAIN_BYTES_MAX;
        assert_eq!(Operation::decode(&plain), Err(CodecError::TooLong { bytes: most + 1, most }));
    }

    #[test]
    fn no_cut_or_flipped_bytes_are_taken_for_the_same_operation() {
        let operation = Operation::Undelegate(Undelegate {
            operator: OperatorId::new(1),
            asset: AssetId::new(0),
            amount: Some(Amount::new(5)),
            validator: None,
            follow_up: FollowUp::Withdraw { to: "0xab".to_owned() },
        });
        let bytes = operation.encode();
        for length in 0..bytes.len() {
            assert!(Operation::decode(&bytes[..length]).is_err(), "cut at {length}");
        }
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[place] ^= 1 << bit;
                assert_ne!(Operation::decode(&flipped), Ok(operation.clone()), "byte {place}, bit {bit}");
            }
        }
    }

    #[test]
    fn tags_name_their_kinds() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_tag(kind.tag()), Some(*kind));
        }
        assert_eq!(Kind::from_tag(u8::MAX), None);
    }
}
