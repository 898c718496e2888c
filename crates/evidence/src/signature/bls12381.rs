//! BLS12-381, keys in G1, signatures in G2, proof-of-possession ciphersuite.
//!
//! Source: draft-irtf-cfrg-bls-signature-05, 4.2.3.

use blst::{BLST_ERROR, min_pk};

use super::{KeyError, PublicKey, Scheme, Signature, SignatureError, key::Point};

pub(crate) const KEY_LENGTH: usize = 48;
pub(crate) const SIGNATURE_LENGTH: usize = 96;

/// Hash-to-curve domain of messages.
pub(crate) const DOMAIN_MESSAGE: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
/// Hash-to-curve domain of proofs of possession.
pub(crate) const DOMAIN_POSSESSION: &[u8] = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

const SCHEME: Scheme = Scheme::Bls12381;

/// See [`PublicKey::new`].
pub(super) fn check_key(bytes: &[u8; KEY_LENGTH]) -> Result<(), KeyError> {
    min_pk::PublicKey::uncompress(bytes).and_then(|key| key.validate()).map_err(key_refused)
}

fn key_refused(error: BLST_ERROR) -> KeyError {
    match error {
        BLST_ERROR::BLST_PK_IS_INFINITY => KeyError::SmallOrder { scheme: SCHEME },
        BLST_ERROR::BLST_POINT_NOT_IN_GROUP => KeyError::NotInSubgroup { scheme: SCHEME },
        _ => KeyError::NotAPoint { scheme: SCHEME },
    }
}

/// Verifies with a key that [`check_key`] has passed, so its subgroup is not checked again.
pub(super) fn verify(
    key: &[u8; KEY_LENGTH],
    message: &[u8],
    signature: &Signature,
    domain: &[u8],
) -> Result<(), SignatureError> {
    verify_point(&decompress(key), message, signature, domain)
}

/// See [`verify_aggregate`](super::verify_aggregate).
pub(super) fn verify_aggregate<'a>(
    keys: impl Iterator<Item = &'a PublicKey>,
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    let mut total: Option<min_pk::AggregatePublicKey> = None;
    for (index, key) in keys.enumerate() {
        if index >= super::AGGREGATE_KEYS_MAX {
            return Err(SignatureError::TooManyKeys { limit: super::AGGREGATE_KEYS_MAX });
        }
        let Point::Bls12381(bytes) = key.point() else {
            return Err(SignatureError::SchemeDoesNotAggregate { index, scheme: key.scheme() });
        };
        let point = min_pk::AggregatePublicKey::from_public_key(&decompress(bytes));
        match &mut total {
            Some(total) => total.add_aggregate(&point),
            None => total = Some(point),
        }
    }
    let total = total.ok_or(SignatureError::NoKeys)?;
    verify_point(&total.to_public_key(), message, signature, DOMAIN_MESSAGE)
}

/// The order of checks is that of [`SignatureError`]. Keys that add up to infinity verify nothing.
fn verify_point(
    key: &min_pk::PublicKey,
    message: &[u8],
    signature: &Signature,
    domain: &[u8],
) -> Result<(), SignatureError> {
    let point = decode_signature(signature)?;
    match point.verify(false, message, domain, &[], key, false) {
        BLST_ERROR::BLST_SUCCESS => Ok(()),
        _ => Err(SignatureError::Mismatch { scheme: SCHEME }),
    }
}

/// The point of a signature: canonical, in the subgroup, not infinity.
pub(crate) fn decode_signature(signature: &Signature) -> Result<min_pk::Signature, SignatureError> {
    let bytes: [u8; SIGNATURE_LENGTH] = signature.sized(SCHEME)?;
    let point = min_pk::Signature::uncompress(&bytes).map_err(refused)?;
    point.validate(true).map_err(refused)?;
    Ok(point)
}

fn refused(error: BLST_ERROR) -> SignatureError {
    match error {
        BLST_ERROR::BLST_PK_IS_INFINITY => SignatureError::Infinity { scheme: SCHEME },
        BLST_ERROR::BLST_POINT_NOT_IN_GROUP => SignatureError::NotInSubgroup { scheme: SCHEME },
        _ => SignatureError::NotCanonical { scheme: SCHEME },
    }
}

/// Keys as points, for those whose aggregates are verified again and again: decompressing 512 keys takes longer than
/// verifying what they signed.
pub(crate) struct KeyTable(Vec<min_pk::PublicKey>);

impl KeyTable {
    /// The points of `keys`, each validated as [`check_key`] does.
    ///
    /// # Refuses
    /// The first key that is none, by its place.
    pub(crate) fn new(keys: &[[u8; KEY_LENGTH]]) -> Result<Self, (usize, KeyError)> {
        let point = |(place, bytes): (usize, &[u8; KEY_LENGTH])| {
            let key = min_pk::PublicKey::uncompress(bytes).map_err(key_refused);
            let key = key.and_then(|key| key.validate().map(|()| key).map_err(key_refused));
            key.map_err(|error| (place, error))
        };
        keys.iter().enumerate().map(point).collect::<Result<_, _>>().map(Self)
    }

    /// Verifies that the owners of the keys chosen, by place, signed the same `message`.
    ///
    /// # Refuses
    /// As [`verify_aggregate`](super::verify_aggregate).
    pub(crate) fn verify(
        &self,
        chosen: impl Iterator<Item = bool>,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        let mut keys = self.0.iter().zip(chosen).filter_map(|(key, is_chosen)| is_chosen.then_some(key));
        let first = keys.next().ok_or(SignatureError::NoKeys)?;
        let mut total = min_pk::AggregatePublicKey::from_public_key(first);
        for key in keys {
            // Every key of the table was validated.
            let added = total.add_public_key(key, false);
            added.map_err(|_| SignatureError::Mismatch { scheme: SCHEME })?;
        }
        verify_point(&total.to_public_key(), message, signature, DOMAIN_MESSAGE)
    }
}

fn decompress(bytes: &[u8; KEY_LENGTH]) -> min_pk::PublicKey {
    min_pk::PublicKey::uncompress(bytes)
        .expect("a PublicKey holds a point that was validated when it was made")
}
