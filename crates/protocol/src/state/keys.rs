//! Keys of operators in sets: unique for ever, counted from the next epoch, punishable as long as offences are.

use evidence::{PublicKey, Scheme};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::records::{Member, MemberKey};
use crate::units::{Epoch, OperatorId, SetId};

/// What a registered key is found by: the first 31 bytes of the SHA-256 of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyName(pub(crate) [u8; 31]);

impl KeyName {
    pub(crate) fn of(key: &PublicKey) -> Self {
        let digest = Sha256::digest(key.to_string().as_bytes());
        let mut name = [0; 31];
        name.copy_from_slice(digest.get(..31).expect("a digest has 32 bytes"));
        Self(name)
    }
}

/// A key that an operator registered for a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registered {
    pub(crate) key: PublicKey,
    pub(crate) set: SetId,
    pub(crate) operator: OperatorId,
}

impl Member {
    pub(crate) fn new() -> Self {
        Self { keys: Vec::new(), jailed: None, left: None }
    }

    /// The key of a scheme that counts in `epoch`.
    pub(crate) fn key_in(&self, scheme: Scheme, epoch: Epoch) -> Option<&PublicKey> {
        let in_force = |key: &&MemberKey| key.key.scheme() == scheme && key.from <= epoch && epoch <= key.to;
        self.keys.iter().find(in_force).map(|key| &key.key)
    }

    /// Keys that leaving in `now` has ended count on; one that was rotated before it left stays rotated.
    pub(crate) fn reopen_keys(&mut self, now: Epoch) {
        let newest: Vec<(Scheme, Epoch)> = self.keys.iter().map(|key| (key.key.scheme(), key.from)).collect();
        let is_newest = |key: &MemberKey| {
            newest.iter().all(|(scheme, from)| *scheme != key.key.scheme() || *from <= key.from)
        };
        for key in self.keys.iter_mut().filter(|key| key.to == now && is_newest(key)) {
            key.to = Epoch::NEVER;
        }
    }

    /// Whether a key counted in `epoch`.
    pub(crate) fn had_key(&self, key: &PublicKey, epoch: Epoch) -> bool {
        self.keys.iter().any(|own| own.key == *key && own.from <= epoch && epoch <= own.to)
    }

    /// Whether it is on duty in `epoch`, as far as jail goes: jailed from the epoch after the offence was dealt with.
    pub(crate) fn is_jailed(&self) -> bool {
        self.jailed.is_some()
    }
}
