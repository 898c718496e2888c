//! A finalized header: what every proof about the chain begins with.

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ethereum::wire::fixed;
use crate::ethereum::{BeaconHeader, Chain, Fork, Hash, period_of};

/// A header that a light client has accepted. To hold one is to hold the proof: only
/// [`LightClient`](super::LightClient) makes them, or a ledger's state from which one is read back.
///
/// ```compile_fail,E0451
/// # fn forge(header: evidence::ethereum::BeaconHeader) -> evidence::ethereum::Finalized {
/// evidence::ethereum::Finalized { root: header.root(), header, fork: evidence::ethereum::Fork::Fulu, block_hash: [0; 32] }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finalized {
    header: BeaconHeader,
    fork: Fork,
    #[serde(with = "fixed")]
    block_hash: Hash,
    #[serde(skip)]
    root: Hash,
}

impl<'de> Deserialize<'de> for Finalized {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts {
            header: BeaconHeader,
            fork: Fork,
            #[serde(with = "fixed")]
            block_hash: Hash,
        }
        let parts = Parts::deserialize(deserializer)?;
        Ok(Self::new(parts.header, parts.fork, parts.block_hash))
    }
}

impl Finalized {
    pub(super) fn new(header: BeaconHeader, fork: Fork, block_hash: Hash) -> Self {
        Self { root: header.root(), header, fork, block_hash }
    }

    /// The header.
    pub fn header(&self) -> &BeaconHeader {
        &self.header
    }

    /// Its root, which is that of its block.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// The fork under whose rules its state and body are laid out.
    pub fn fork(&self) -> Fork {
        self.fork
    }

    /// Hash of the execution block that the block names: its own until Fulu, the newest one before it in Gloas.
    pub fn block_hash(&self) -> &Hash {
        &self.block_hash
    }

    /// The sync committee period of the block.
    pub fn period(&self) -> u64 {
        period_of(self.header.slot)
    }

    /// What a second source signs to say that the block is final: the message of a
    /// [`Certificate`](crate::Certificate). The SHA-256 of
    ///
    /// | Offset | Bytes | Field |
    /// |---|---|---|
    /// | 0 | 28 | `surety/ethereum/finalized/v1` |
    /// | 28 | 32 | root of the chain's first validators |
    /// | 60 | 8 | slot, big-endian |
    /// | 68 | 32 | root of the block |
    pub fn attestation(&self, chain: &Chain) -> Hash {
        let hasher = Sha256::new()
            .chain_update(b"surety/ethereum/finalized/v1")
            .chain_update(chain.genesis_validators_root())
            .chain_update(self.header.slot.to_be_bytes());
        hasher.chain_update(self.root).finalize().into()
    }
}
