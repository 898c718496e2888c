//! A secret key in memory: wiped when dropped, never shown.

use std::fmt;

use evidence::{PublicKey, Scheme, SecretKey};
use zeroize::Zeroizing;

use crate::error::KeystoreError;

/// A secret of 32 bytes that is one of its scheme.
#[derive(Clone)]
pub struct Secret {
    scheme: Scheme,
    bytes: Zeroizing<[u8; 32]>,
}

impl Secret {
    /// Takes over 32 bytes: a scalar of secp256k1 or BLS12-381, big-endian, or the secret of RFC 8032.
    ///
    /// # Errors
    /// [`KeystoreError::NoSecret`].
    pub fn new(scheme: Scheme, bytes: Zeroizing<[u8; 32]>) -> Result<Self, KeystoreError> {
        match SecretKey::from_bytes(scheme, &bytes) {
            Some(_) => Ok(Self { scheme, bytes }),
            None => Err(KeystoreError::NoSecret { scheme }),
        }
    }

    /// A new one, of the system's random numbers.
    ///
    /// # Errors
    /// [`KeystoreError::NoRandomness`].
    pub fn generate(scheme: Scheme) -> Result<Self, KeystoreError> {
        // Less than half of all numbers of 256 bits are scalars of BLS12-381; taking the first that is one favours none.
        loop {
            let mut bytes = Zeroizing::new([0; 32]);
            fill(bytes.as_mut_slice())?;
            if let Ok(secret) = Self::new(scheme, bytes) {
                return Ok(secret);
            }
        }
    }

    /// Its scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The key that verifies what it signs.
    pub fn public_key(&self) -> PublicKey {
        self.key().public_key()
    }

    /// The secret itself, for export. Wipe what you copy.
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The key that signs.
    pub(crate) fn key(&self) -> SecretKey {
        SecretKey::from_bytes(self.scheme, &self.bytes).expect("a secret was checked when it was made")
    }
}

impl fmt::Debug for Secret {
    /// Shows the public key only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret of {}", self.public_key())
    }
}

/// Random bytes of the system.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), KeystoreError> {
    getrandom::fill(bytes).map_err(|error| KeystoreError::NoRandomness { why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMES: [Scheme; 3] = [Scheme::Bls12381, Scheme::Ed25519, Scheme::Secp256k1];

    #[test]
    fn generated_secrets_differ_and_are_not_shown() {
        for scheme in SCHEMES {
            let (one, other) = (Secret::generate(scheme).unwrap(), Secret::generate(scheme).unwrap());
            assert_ne!(one.public_key(), other.public_key());
            assert_eq!(one.public_key().scheme(), scheme);
            let shown = format!("{one:?}");
            assert!(!shown.contains(&hex::encode(one.expose())), "{shown}");
        }
    }

    #[test]
    fn what_is_no_scalar_is_refused() {
        for scheme in [Scheme::Bls12381, Scheme::Secp256k1] {
            for bytes in [[0; 32], [0xff; 32]] {
                let refused = Secret::new(scheme, Zeroizing::new(bytes)).unwrap_err();
                assert!(matches!(refused, KeystoreError::NoSecret { scheme: of } if of == scheme));
            }
        }
    }
}
