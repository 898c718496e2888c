//! The header of a block: 218 bytes of fixed layout, whose SHA-256 is the block's digest.
//!
//! It knows nothing of operations but their root.

use protocol::units::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::cursor::{Cursor, Malformed};

/// What is signed, voted for and linked: everything that a block commits to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of this layout: [`Header::VERSION`].
    pub version: u16,
    /// The digest of the genesis.
    pub chain: Digest,
    /// How many blocks came before.
    pub height: u64,
    /// The digest of the block before; zeros at height 0.
    pub parent: Digest,
    /// When the block was made, in milliseconds since 1970; never less than the parent's.
    pub time_ms: u64,
    /// The [Merkle root](crate::merkle) of the ids of its operations.
    pub operations_root: Digest,
    /// The newest height whose state its proposer has committed; at height 0 nothing is, and this is 0.
    pub executed_height: u64,
    /// The root of the authenticated store at that height; zeros at height 0.
    pub state_root: Digest,
    /// The root of the [messages](crate::outbox) of the heights above the parent's `executed_height` up to this one's.
    pub outbox_root: Digest,
    /// The digest of the validator set that signs the next epoch's blocks; zeros while a ledger has none.
    pub next_validators: Digest,
}

impl Header {
    /// The version that this program writes and reads.
    pub const VERSION: u16 = 1;
    /// How many bytes a header has.
    pub const BYTES: usize = 218;

    /// Its bytes.
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes.extend_from_slice(&self.chain.0);
        bytes.extend_from_slice(&self.height.to_be_bytes());
        bytes.extend_from_slice(&self.parent.0);
        bytes.extend_from_slice(&self.time_ms.to_be_bytes());
        bytes.extend_from_slice(&self.operations_root.0);
        bytes.extend_from_slice(&self.executed_height.to_be_bytes());
        bytes.extend_from_slice(&self.state_root.0);
        bytes.extend_from_slice(&self.outbox_root.0);
        bytes.extend_from_slice(&self.next_validators.0);
        bytes.try_into().expect("the fields have 218 bytes")
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`Malformed::Version`] of another version, then [`Malformed::Short`] and [`Malformed::Long`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(bytes);
        let header = Self::read(&mut cursor)?;
        cursor.end("the header")?;
        Ok(header)
    }

    /// Reads a header that something follows.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let what = "the header";
        let version = cursor.u16(what)?;
        if version != Self::VERSION {
            return Err(Malformed::Version { what, found: version, known: Self::VERSION });
        }
        Ok(Self {
            version,
            chain: cursor.digest(what)?,
            height: cursor.u64(what)?,
            parent: cursor.digest(what)?,
            time_ms: cursor.u64(what)?,
            operations_root: cursor.digest(what)?,
            executed_height: cursor.u64(what)?,
            state_root: cursor.digest(what)?,
            outbox_root: cursor.digest(what)?,
            next_validators: cursor.digest(what)?,
        })
    }

    /// What names the block: the SHA-256 of [its bytes](Header::encode).
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.encode()).into())
    }
}
