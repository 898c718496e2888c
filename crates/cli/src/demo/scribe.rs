//! Signs the steps of the story with the keys of those who take them.

use std::collections::BTreeMap;

use evidence::PublicKey;
use protocol::State;
use protocol::query;
use protocol::units::Address;
use signing::{Domain, Draft, SignedOperation, seal_with};
use story::Step;

/// How long a step may wait for its block, in milliseconds.
const VALID_FOR_MS: u64 = 60 * 60 * 1_000;

/// Knows the next nonce of every key, since the state that it looks at may be some operations old.
pub(super) struct Scribe {
    domain: Domain,
    next: BTreeMap<PublicKey, u64>,
    newest: u64,
}

impl Scribe {
    /// For a ledger.
    pub(super) fn new(domain: Domain) -> Self {
        Self { domain, next: BTreeMap::new(), newest: 0 }
    }

    /// Forgets what it has counted: the state is the newest.
    pub(super) fn look_up(&mut self) {
        self.next.clear();
    }

    /// The signed step; nothing where the story does not hold enough keys of the account.
    pub(super) fn sign(&mut self, step: &Step, state: &State, time_ms: u64) -> Option<SignedOperation> {
        let account = story::address(step.account);
        let delegate = step.delegate.map(story::address);
        let expires = time_ms.saturating_add(VALID_FOR_MS);
        let draft = Draft { account, delegate, expires, operation: step.operation.clone() };
        let acting = delegate.unwrap_or(account);
        let is_ordered = draft.operation.kind().is_ordered();
        // Any number near the time that no key has used; several keys sign the same one.
        self.newest = self.newest.saturating_add(1).max(time_ms);
        let mut seals = Vec::new();
        for key in story::signers(state, acting) {
            let secret = key.secret();
            let nonce = match is_ordered {
                true => self.in_order(state, acting, &secret.public_key()),
                false => self.newest,
            };
            seals.push(seal_with(&secret, &self.domain, &draft, nonce)?);
        }
        (!seals.is_empty()).then(|| draft.seal(seals))
    }

    fn in_order(&mut self, state: &State, account: Address, key: &PublicKey) -> u64 {
        let next = self.next.entry(key.clone()).or_insert_with(|| {
            let nonces = query::account(state, account).map(|account| account.nonces).unwrap_or_default();
            nonces
                .iter()
                .find(|nonces| nonces.key.as_ref().is_none_or(|own| own == key))
                .map_or(0, |nonces| nonces.next)
        });
        let nonce = *next;
        *next = next.saturating_add(1);
        nonce
    }
}
