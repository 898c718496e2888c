//! An account names the keys that act for it.

use evidence::{PublicKey, Scheme};

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::accounts::{KeySet, NONCE_WINDOW_MS};
use crate::units::Address;

record! {
    /// Replaces the keys of the sender: from now on `threshold` of them must sign.
    pub struct SetKeys {
        /// Distinct keys.
        pub keys: Vec<PublicKey>,
        /// How many must sign.
        pub threshold: u16,
    }
}

refusals! {
    /// Why keys are refused.
    {
        NoKeys => "at least one key is needed",
        TooManyKeys { count: usize, most: u16 } => "{count} keys exceed {most}",
        KeyTwice { key: PublicKey } => "key {key} is named twice",
        WrongScheme { key: PublicKey } => "key {key} signs duties and not operations; name ed25519 or secp256k1 keys",
        BadThreshold { threshold: u16, keys: usize } => "a threshold of {threshold} is outside 1 to {keys}",
        KeysOfLate { keys: usize, most: usize } => "{keys} keys that act no more have signed within a day, and their numbers are kept that long; {most} are the most",
    }
}

/// Of how many keys that act no more the numbers are kept, while they could come again.
const KEYS_LINGERING_MAX: usize = 64;

impl SetKeys {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let count = self.keys.len();
        if count == 0 {
            return Err(Refused::NoKeys);
        }
        let most = state.limits().keys_per_account;
        if count > usize::from(most) {
            return Err(Refused::TooManyKeys { count, most });
        }
        for (index, key) in self.keys.iter().enumerate() {
            if self.keys.iter().take(index).any(|earlier| earlier == key) {
                return Err(Refused::KeyTwice { key: key.clone() });
            }
        }
        if let Some(key) = self.keys.iter().find(|key| key.scheme() == Scheme::Bls12381) {
            return Err(Refused::WrongScheme { key: key.clone() });
        }
        if self.threshold == 0 || usize::from(self.threshold) > count {
            return Err(Refused::BadThreshold { threshold: self.threshold, keys: count });
        }
        let now = state.epoch;
        let keys = KeySet { keys: self.keys.clone(), threshold: self.threshold };
        let record = state.accounts.find(sender).map(|account| state.accounts.get(account));
        let extra = record.and_then(|record| record.extra());
        let current = extra.and_then(|extra| KeySet::in_force(extra, now)).cloned();
        // Whoever slashes, resolves or receives can't change owners behind the terms that name it.
        let waits = extra.is_some_and(|extra| extra.roles > 0)
            && current.as_ref().is_none_or(|current| could_be_others(current, &keys));
        let stays = current.iter().filter(|_| waits).flat_map(|current| current.keys.clone());
        let acting: Vec<PublicKey> = stays.chain(keys.keys.clone()).collect();
        let acts = |key: &PublicKey| acting.contains(key);
        let oldest = state.time.saturating_sub(NONCE_WINDOW_MS);
        let nonces = record.and_then(|record| record.nonces());
        let lingering = nonces.map_or(0, |nonces| nonces.lingering(acts, oldest));
        if lingering > KEYS_LINGERING_MAX {
            return Err(Refused::KeysOfLate { keys: lingering, most: KEYS_LINGERING_MAX });
        }

        // From here on nothing can fail.
        let notice = state.parameters().notice;
        let account = state.accounts.open(sender);
        let record = state.accounts.get_mut(account);
        if record.nonces().is_some() {
            record.nonces_mut().forget(acts, oldest);
        }
        if self.threshold > 1 || current.as_ref().is_some_and(|current| current.threshold > 1) {
            record.nonces_mut().share();
        }
        let extra = record.extra_mut();
        let from = if waits { now.next().later(notice) } else { now };
        if waits {
            extra.keys = current;
            extra.pending_keys = Some((from, keys));
        } else {
            extra.keys = Some(keys);
            extra.pending_keys = None;
        }
        events.push(Event::KeysSet {
            account: sender,
            keys: self.keys.clone(),
            threshold: self.threshold,
            from,
        });
        Ok(())
    }
}

/// Whether a key comes in, or fewer must sign than before. One key at a time counts as well: several changes in a row would otherwise
/// replace all owners at once.
fn could_be_others(current: &KeySet, new: &KeySet) -> bool {
    new.keys.iter().any(|key| !current.keys.contains(key)) || new.threshold < current.threshold
}
