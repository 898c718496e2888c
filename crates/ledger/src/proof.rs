//! What a proof says, as a file that anybody checks offline with nothing but a header digest that they trust.
//!
//! Three things can be proven: an entry of the state or its absence, an operation in a block, a message to contracts. The bytes of an entry's
//! proof belong to the authenticated store; here they are only carried, and checked by a [function](VerifyEntry) of its crate. Where the trust in the
//! digest comes from is not known here.

use protocol::entries::Key;
use protocol::units::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::Sha256;
use sha3::Keccak256;

use crate::block::{operation_leaf, operation_leaves};
use crate::cursor::wide;
use crate::format::PROOF_BYTES_MAX;
use crate::header::Header;
use crate::merkle;
use crate::outbox::Message;
use crate::store::VerifyEntry;

/// A proof file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proves", rename_all = "snake_case")]
pub enum Proof {
    /// An entry of the state, or that there is none.
    Entry(EntryStatement),
    /// An operation in a block.
    Operation(OperationStatement),
    /// A message to contracts.
    Message(MessageStatement),
}

/// This entry has this value in the state after the height that the header claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryStatement {
    /// The header whose `state_root` it is proven against.
    pub header: Header,
    /// The entry's key.
    #[serde(with = "text")]
    pub key: Key,
    /// The entry's bytes; `null`: there is no such entry.
    #[serde(with = "hex_option")]
    pub value: Option<Vec<u8>>,
    /// The store's proof.
    #[serde(with = "hex_bytes")]
    pub proof: Vec<u8>,
}

/// This operation is in the block of the header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationStatement {
    /// The header whose `operations_root` it is proven against.
    pub header: Header,
    /// The operation's id.
    pub id: Digest,
    /// Its place in the block, from 0.
    pub index: u32,
    /// How many operations the block has.
    pub count: u32,
    /// The neighbours on the way to the root.
    pub path: Vec<Digest>,
}

/// This message is for contracts to act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageStatement {
    /// The header whose `outbox_root` it is proven against.
    pub header: Header,
    /// The message.
    pub message: Message,
    /// Its place among the messages of that root, from 0.
    pub index: u32,
    /// How many messages that root has.
    pub count: u32,
    /// The neighbours on the way to the root.
    pub path: Vec<Digest>,
}

impl OperationStatement {
    /// The proof for the operation at `index`; `None` if there is none.
    pub(crate) fn new(header: Header, ids: &[Digest], index: u32) -> Option<Self> {
        let leaves = operation_leaves(ids.iter().copied());
        let place = usize::try_from(index).ok()?;
        let id = *ids.get(place)?;
        let path = merkle::path::<Sha256>(leaves, place)?;
        Some(Self { header, id, index, count: crate::cursor::narrow(ids.len()), path })
    }
}

impl MessageStatement {
    /// The proof for a message among all of its root; `None` if it is not one of them.
    pub(crate) fn new(header: Header, all: &[Message], message: Message) -> Option<Self> {
        let place = all.iter().position(|known| *known == message)?;
        let path = merkle::path::<Keccak256>(all.iter().map(Message::leaf).collect(), place)?;
        let (index, count) = (crate::cursor::narrow(place), crate::cursor::narrow(all.len()));
        Some(Self { header, message, index, count, path })
    }
}

/// What a proof that holds has proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proven {
    /// After this height, this entry has this value.
    Entry {
        /// The height.
        height: u64,
        /// The key.
        key: Key,
        /// The bytes; `None`: there is no such entry.
        value: Option<Vec<u8>>,
    },
    /// The block of this height has this operation at this place.
    Operation {
        /// The height.
        height: u64,
        /// The place.
        index: u32,
        /// The id.
        id: Digest,
    },
    /// The ledger has sent this message.
    Message(Message),
}

/// Why a proof does not hold. In the order in which it is checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The file can't be read.
    #[error("the file is no proof: {why}")]
    Unreadable {
        /// What was found.
        why: String,
    },
    /// Its header is another than the trusted one.
    #[error("the proof is for the header {found}, and the trusted one is {trusted}")]
    Untrusted {
        /// The digest of its header.
        found: Digest,
        /// The trusted digest.
        trusted: Digest,
    },
    /// The header has claimed no state yet.
    #[error("the header is that of the genesis block, which claims no state")]
    NoState,
    /// The path does not lead to the root.
    #[error("the proof does not lead to the root {root}: {why}")]
    Wrong {
        /// The root of the header.
        root: Digest,
        /// What does not hold.
        why: String,
    },
}

impl Proof {
    /// Reads a proof file.
    ///
    /// # Errors
    /// [`ProofError::Unreadable`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, ProofError> {
        if wide(bytes.len()) > PROOF_BYTES_MAX {
            let why = format!("{} bytes are more than {PROOF_BYTES_MAX}", bytes.len());
            return Err(ProofError::Unreadable { why });
        }
        serde_json::from_slice(bytes).map_err(|error| ProofError::Unreadable { why: error.to_string() })
    }

    /// The text of the proof file.
    ///
    /// # Panics
    /// Never: a proof is plain data.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a proof is plain data");
        text.push('\n');
        text
    }

    /// The header that it is proven against.
    pub const fn header(&self) -> &Header {
        match self {
            Self::Entry(statement) => &statement.header,
            Self::Operation(statement) => &statement.header,
            Self::Message(statement) => &statement.header,
        }
    }

    /// Checks it against a header digest that is trusted, with nothing else.
    ///
    /// # Errors
    /// [`ProofError::Untrusted`], [`ProofError::NoState`], [`ProofError::Wrong`].
    pub fn verify(&self, trusted: &Digest, verify_entry: VerifyEntry) -> Result<Proven, ProofError> {
        let header = self.header();
        let found = header.digest();
        if found != *trusted {
            return Err(ProofError::Untrusted { found, trusted: *trusted });
        }
        match self {
            Self::Entry(statement) => verify_statement(statement, verify_entry),
            Self::Operation(OperationStatement { id, index, count, path, .. }) => {
                let (root, leaf) = (header.operations_root, operation_leaf(*index, id));
                let holds = merkle::verify::<Sha256>(&root, leaf, u64::from(*index), u64::from(*count), path);
                let proven = Proven::Operation { height: header.height, index: *index, id: *id };
                if holds { Ok(proven) } else { Err(wrong(root)) }
            }
            Self::Message(MessageStatement { message, index, count, path, .. }) => {
                let (root, leaf) = (header.outbox_root, message.leaf());
                let holds =
                    merkle::verify::<Keccak256>(&root, leaf, u64::from(*index), u64::from(*count), path);
                if holds { Ok(Proven::Message(message.clone())) } else { Err(wrong(root)) }
            }
        }
    }
}

fn wrong(root: Digest) -> ProofError {
    ProofError::Wrong { root, why: "the path ends at another hash".to_owned() }
}

fn verify_statement(statement: &EntryStatement, verify_entry: VerifyEntry) -> Result<Proven, ProofError> {
    let EntryStatement { header, key, value, proof } = statement;
    if header.height == 0 {
        return Err(ProofError::NoState);
    }
    let root = header.state_root;
    verify_entry(&root.0, &key.to_bytes(), value.as_deref(), proof)
        .map_err(|why| ProofError::Wrong { root, why })?;
    Ok(Proven::Entry { height: header.executed_height, key: *key, value: value.clone() })
}

/// Serde for what has one text.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use super::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Serde for bytes: `0x` and hexadecimal digits.
mod hex_bytes {
    use super::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("0x{}", hex::encode(bytes)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").ok_or_else(|| de::Error::custom("bytes begin with 0x"))?;
        hex::decode(digits).map_err(de::Error::custom)
    }
}

/// Serde for bytes or `null`.
mod hex_option {
    use super::{Deserialize, Deserializer, Serialize, Serializer, hex_bytes};

    #[derive(Serialize, Deserialize)]
    struct Bytes(#[serde(with = "hex_bytes")] Vec<u8>);

    #[allow(clippy::ref_option, reason = "the signature that serde asks for")]
    pub(super) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        bytes.clone().map(Bytes).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        Ok(Option::<Bytes>::deserialize(deserializer)?.map(|Bytes(bytes)| bytes))
    }
}
