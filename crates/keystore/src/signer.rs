//! Who seals drafts: a key at hand, or one that another program keeps.

use std::fmt;

use evidence::{PublicKey, Scheme, SecretKey, Signature};
use signing::{Domain, Draft, Seal, seal_with};

use crate::remote::RemoteError;
use crate::secret::Secret;

/// Something that seals drafts with one key.
pub trait Signer {
    /// The key.
    fn public_key(&self) -> &PublicKey;

    /// Seals a draft with a nonce.
    ///
    /// # Errors
    /// [`SignerError`].
    fn seal(&self, domain: &Domain, draft: &Draft, nonce: u64) -> Result<Seal, SignerError>;
}

/// A key that was unlocked.
pub struct LocalSigner {
    name: String,
    public_key: PublicKey,
    key: SecretKey,
}

impl LocalSigner {
    pub(crate) fn new(name: String, secret: &Secret) -> Self {
        Self { name, public_key: secret.public_key(), key: secret.key() }
    }

    /// A signer of a secret that is in no keystore.
    pub fn of(name: &str, secret: &Secret) -> Self {
        Self::new(name.to_owned(), secret)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Signs bytes, as [`evidence::verify`] takes them: what operators sign on duty. It does not refuse to contradict itself.
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.key.sign(message)
    }

    /// Proves possession of the key to an operator of a set, for `register_key`.
    pub fn prove_possession(&self, ledger: &[u8; 32], set: u32, operator: u32) -> Signature {
        self.key.prove_possession(ledger, set, operator)
    }
}

impl Signer for LocalSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn seal(&self, domain: &Domain, draft: &Draft, nonce: u64) -> Result<Seal, SignerError> {
        let scheme = self.public_key.scheme();
        seal_with(&self.key, domain, draft, nonce).ok_or(SignerError::Scheme { scheme })
    }
}

impl fmt::Debug for LocalSigner {
    /// Shows name and public key only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalSigner {} of {}", self.name, self.public_key)
    }
}

/// Why there is no seal.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// Keys of that scheme seal no operations.
    #[error("a {scheme} key seals no operations; take a secp256k1 or an ed25519 key")]
    Scheme {
        /// The scheme.
        scheme: Scheme,
    },
    /// The signing service gave none.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

#[cfg(test)]
mod tests;
