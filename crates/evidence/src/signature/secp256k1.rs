//! ECDSA over secp256k1 and SHA-256, with signatures as compact `r || s` and `s` in the lower half.
//!
//! Source: SEC 1, 4.1; for low s, BIP 146.

use std::sync::LazyLock;

use secp256k1::{Message, PublicKey, Secp256k1, VerifyOnly, ecdsa};
use sha2::{Digest, Sha256};

use super::{KeyError, Scheme, Signature, SignatureError};

pub(crate) const KEY_LENGTH: usize = 33;
pub(crate) const SIGNATURE_LENGTH: usize = 64;

const SCHEME: Scheme = Scheme::Secp256k1;

/// The library's constant tables; no result depends on when they are made.
static CONTEXT: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);

/// See [`PublicKey::new`](super::PublicKey::new). The curve has prime order and its identity no compressed
/// encoding, so that being a point is enough.
pub(super) fn check_key(bytes: &[u8; KEY_LENGTH]) -> Result<(), KeyError> {
    PublicKey::from_byte_array_compressed(*bytes)
        .map(|_| ())
        .map_err(|_| KeyError::NotAPoint { scheme: SCHEME })
}

/// Verifies with a key that [`check_key`] has passed.
pub(super) fn verify(
    key: &[u8; KEY_LENGTH],
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    let bytes: [u8; SIGNATURE_LENGTH] = signature.sized(SCHEME)?;
    let signature = ecdsa::Signature::from_compact(&bytes)
        .map_err(|_| SignatureError::NotCanonical { scheme: SCHEME })?;
    let mut normalized = signature;
    normalized.normalize_s();
    if normalized != signature {
        return Err(SignatureError::HighS);
    }
    let key = PublicKey::from_byte_array_compressed(*key)
        .expect("a PublicKey holds a point that was validated when it was made");
    CONTEXT
        .verify_ecdsa(digest(message), &signature, &key)
        .map_err(|_| SignatureError::Mismatch { scheme: SCHEME })
}

/// What ECDSA signs in the place of `message`.
pub(crate) fn digest(message: &[u8]) -> Message {
    Message::from_digest(Sha256::digest(message).into())
}

/// `x || y` of a key of this scheme.
pub(crate) fn coordinates(key: &super::PublicKey) -> [u8; 64] {
    let key = PublicKey::from_slice(key.as_bytes())
        .expect("a PublicKey holds a point that was validated when it was made");
    coordinates_of(&key)
}

/// `x || y` of a point.
pub(crate) fn coordinates_of(point: &PublicKey) -> [u8; 64] {
    let [_, coordinates @ ..] = point.serialize_uncompressed();
    coordinates
}
