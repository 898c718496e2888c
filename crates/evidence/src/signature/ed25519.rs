//! Ed25519 with the strict rules: one key has one encoding, one signature has one encoding, and the equation is
//! checked without the cofactor.
//!
//! Source: RFC 8032, 5.1; for the differences between implementations, "Taming the many EdDSAs" (Chalkias, Garillot,
//! Nikolaenko, 2020).

use ed25519_dalek::VerifyingKey;

use super::{KeyError, Scheme, Signature, SignatureError};

pub(crate) const KEY_LENGTH: usize = 32;
pub(crate) const SIGNATURE_LENGTH: usize = 64;

const SCHEME: Scheme = Scheme::Ed25519;

/// See [`PublicKey::new`](super::PublicKey::new).
pub(super) fn check_key(bytes: &[u8; KEY_LENGTH]) -> Result<(), KeyError> {
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint { scheme: SCHEME })?;
    let point = key.to_edwards();
    // Decompression accepts y >= p and a signed zero; compression never produces them.
    if point.compress().as_bytes() != bytes {
        return Err(KeyError::NotAPoint { scheme: SCHEME });
    }
    if key.is_weak() {
        return Err(KeyError::SmallOrder { scheme: SCHEME });
    }
    // With a torsion component verifiers would disagree about honest signatures.
    if !point.is_torsion_free() {
        return Err(KeyError::NotInSubgroup { scheme: SCHEME });
    }
    Ok(())
}

/// Verifies with a key that [`check_key`] has passed.
pub(super) fn verify(
    key: &[u8; KEY_LENGTH],
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    let bytes: [u8; SIGNATURE_LENGTH] = signature.sized(SCHEME)?;
    let key =
        VerifyingKey::from_bytes(key).expect("a PublicKey holds a point that was validated when it was made");
    key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&bytes))
        .map_err(|_| SignatureError::Mismatch { scheme: SCHEME })
}
