//! Sync committees: the 512 validators that sign each block for light clients, a period long.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Hash;
use super::hash::{merkleize, pair, two_chunks};
use super::wire::fixed;
use crate::signature::bls12381::{KEY_LENGTH, KeyTable};
use crate::signature::{KeyError, Signature, SignatureError};

/// Seats of a committee. A validator may have several.
pub const COMMITTEE_SIZE: usize = 512;
/// Signers that make a block final for the ledger: two thirds of the seats, rounded up.
pub const SIGNERS_MIN: usize = 342;

const SIZE_BYTES: usize = 64;
const _: () = assert!(SIZE_BYTES * 8 == COMMITTEE_SIZE && SIGNERS_MIN * 3 >= COMMITTEE_SIZE * 2);

/// A sync committee, as it stands in a state.
///
/// Whether its keys are points is known only once something they signed is to be verified; the answer is kept,
/// and shared by clones. Equality is that of the bytes.
#[derive(Clone)]
pub struct SyncCommittee(Arc<Seats>);

struct Seats {
    public_keys: Vec<[u8; KEY_LENGTH]>,
    aggregate: [u8; KEY_LENGTH],
    root: Hash,
    table: OnceLock<Result<KeyTable, BadKey>>,
}

impl SyncCommittee {
    /// The committee of these keys. `None` unless they are [`COMMITTEE_SIZE`].
    ///
    /// `aggregate` is what the state says is their sum. It is hashed, and never used.
    pub fn new(public_keys: Vec<[u8; 48]>, aggregate: [u8; 48]) -> Option<Self> {
        if public_keys.len() != COMMITTEE_SIZE {
            return None;
        }
        let leaves: Vec<Hash> = public_keys.iter().map(|key| two_chunks(key)).collect();
        let root = pair(&merkleize(&leaves, 9), &two_chunks(&aggregate));
        Some(Self(Arc::new(Seats { public_keys, aggregate, root, table: OnceLock::new() })))
    }

    /// The root of the committee.
    pub fn root(&self) -> &Hash {
        &self.0.root
    }

    /// The keys by seat, compressed.
    pub fn public_keys(&self) -> &[[u8; 48]] {
        &self.0.public_keys
    }

    /// The keys as points: each valid and in the subgroup. The first call takes 30 ms.
    ///
    /// # Refuses
    /// [`BadKey`], the first.
    pub(super) fn keys(&self) -> Result<&KeyTable, BadKey> {
        let table = self.0.table.get_or_init(|| {
            KeyTable::new(&self.0.public_keys).map_err(|(seat, error)| BadKey { seat, error })
        });
        table.as_ref().map_err(|error| *error)
    }

    /// Verifies that those who participate signed `message`.
    ///
    /// # Refuses
    /// 1. [`CommitteeError::Key`]
    /// 2. [`CommitteeError::Signature`]
    pub(super) fn verify(
        &self,
        participation: &Participation,
        message: &Hash,
        signature: &[u8; 96],
    ) -> Result<(), CommitteeError> {
        let table = self.keys().map_err(CommitteeError::Key)?;
        let signature = Signature::from(*signature);
        table.verify(participation.seats(), message, &signature).map_err(CommitteeError::Signature)
    }
}

impl PartialEq for SyncCommittee {
    fn eq(&self, other: &Self) -> bool {
        self.0.public_keys == other.0.public_keys && self.0.aggregate == other.0.aggregate
    }
}

impl Eq for SyncCommittee {}

impl fmt::Debug for SyncCommittee {
    /// Shows the root only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SyncCommittee 0x{}", hex::encode(self.root()))
    }
}

/// The form of a committee, which is that of Ethereum's interfaces.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    pubkeys: super::wire::Limited<Key, COMMITTEE_SIZE>,
    aggregate_pubkey: Key,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Key(#[serde(with = "fixed")] [u8; KEY_LENGTH]);

impl Serialize for SyncCommittee {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let keys = self.public_keys().iter().map(|key| Key(*key)).collect();
        let pubkeys = super::wire::Limited::new(keys).expect("a committee has 512 keys");
        Parts { pubkeys, aggregate_pubkey: Key(self.0.aggregate) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SyncCommittee {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts = Parts::deserialize(deserializer)?;
        let keys: Vec<_> = parts.pubkeys.into_inner().into_iter().map(|key| key.0).collect();
        let actual = keys.len();
        Self::new(keys, parts.aggregate_pubkey.0)
            .ok_or_else(|| serde::de::Error::invalid_length(actual, &"512 keys"))
    }
}

/// Who signed: seat `i` is bit `i mod 8`, counted from the least significant, of byte `i / 8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Participation(#[serde(with = "fixed")] [u8; SIZE_BYTES]);

impl Participation {
    /// The bits in the order of the specification.
    pub const fn new(bits: [u8; 64]) -> Self {
        Self(bits)
    }

    /// How many signed.
    pub fn count(&self) -> usize {
        self.seats().filter(|signed| *signed).count()
    }

    /// By seat, whether it signed.
    fn seats(&self) -> impl Iterator<Item = bool> + '_ {
        self.0.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1))
    }
}

/// A key of a committee that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadKey {
    /// The seat, from 0.
    pub seat: usize,
    /// What is wrong with the key.
    pub error: KeyError,
}

impl fmt::Display for BadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seat {} of the sync committee: {}", self.seat, self.error)
    }
}

impl std::error::Error for BadKey {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Why a committee is not known to have signed. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitteeError {
    /// A key of the committee is no key.
    Key(BadKey),
    /// Those who participate did not all sign this.
    Signature(SignatureError),
}

impl fmt::Display for CommitteeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => error.fmt(f),
            Self::Signature(error) => write!(f, "sync committee: {error}"),
        }
    }
}

impl std::error::Error for CommitteeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(error) => Some(error),
            Self::Signature(error) => Some(error),
        }
    }
}

/// The type of domain of sync committees.
const DOMAIN_SYNC_COMMITTEE: [u8; 4] = [7, 0, 0, 0];

/// What a committee signs for a block: its root, mixed with the fork and the chain.
///
/// Source: consensus-specs, `compute_domain` and `compute_signing_root`.
pub(super) fn signing_root(block: &Hash, version: [u8; 4], genesis_validators_root: &Hash) -> Hash {
    let mut padded = [0; 32];
    padded.iter_mut().zip(version).for_each(|(place, byte)| *place = byte);
    let fork_data = pair(&padded, genesis_validators_root);
    let mut domain = fork_data;
    domain.rotate_right(4);
    domain.iter_mut().zip(DOMAIN_SYNC_COMMITTEE).for_each(|(place, byte)| *place = byte);
    pair(block, &domain)
}
