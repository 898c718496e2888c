//! What is hashed of terms and mandates.

use sha2::{Digest as _, Sha256};

use crate::units::{Address, Digest, Fraction};

/// Bytes to hash: each field in a fixed width, so that no two values give the same bytes.
pub(super) struct Canonical(Sha256);

impl Canonical {
    pub(super) fn new(domain: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(domain.as_bytes());
        Self(hasher)
    }

    pub(super) fn number(&mut self, number: u128) {
        self.0.update(number.to_be_bytes());
    }

    pub(super) fn fraction(&mut self, fraction: Option<Fraction>) {
        self.number(fraction.map_or(u128::MAX, |fraction| u128::from(fraction.steps())));
    }

    pub(super) fn address(&mut self, address: Address) {
        self.0.update(address.0);
    }

    pub(super) fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}
