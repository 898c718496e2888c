//! Keys of operators in sets: unique for ever, counted from the next epoch, punishable as long as offences are.

use evidence::{PublicKey, Scheme};

use super::records::{Member, MemberKey};
use crate::units::Epoch;

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
