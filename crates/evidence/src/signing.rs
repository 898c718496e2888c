//! Signers: deterministic ones for tests, examples and the simulator, and those of `keystore`, which reads their secrets
//! from encrypted files.
//!
//! The ledger only ever verifies. A signer here does not refuse to contradict itself, and nothing is hardened against
//! someone who watches the machine, beyond what the libraries do.

use std::{fmt, sync::LazyLock};

use blst::min_pk;
use ed25519_dalek::Signer;
use secp256k1::{Message, Secp256k1, SignOnly, ecdsa::RecoveryId};
use sha2::{Digest, Sha256};

use crate::signature::{
    PublicKey, Scheme, Signature, SignatureError, bls12381, possession_bytes, secp256k1::digest,
};

static CONTEXT: LazyLock<Secp256k1<SignOnly>> = LazyLock::new(Secp256k1::signing_only);

/// A key that signs. The same seed gives the same key, and the same message the same signature (secp256k1 by RFC 6979).
pub struct SecretKey(Secret);

enum Secret {
    Bls12381(min_pk::SecretKey),
    Ed25519(ed25519_dalek::SigningKey),
    Secp256k1(secp256k1::SecretKey),
}

impl SecretKey {
    /// The key that `seed` gives: `KeyGen` of the BLS draft with the seed as key material, the seed itself as the secret
    /// of RFC 8032, or the SHA-256 of the seed as the scalar of secp256k1.
    ///
    /// # Panics
    /// If the SHA-256 of the seed is no scalar of secp256k1, which happens to one seed in 2^127.
    pub fn from_seed(scheme: Scheme, seed: [u8; 32]) -> Self {
        Self(match scheme {
            Scheme::Bls12381 => Secret::Bls12381(
                min_pk::SecretKey::key_gen(&seed, &[]).expect("32 bytes of key material are enough"),
            ),
            Scheme::Ed25519 => Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed)),
            Scheme::Secp256k1 => Secret::Secp256k1(
                secp256k1::SecretKey::from_byte_array(Sha256::digest(seed).into())
                    .expect("all but one digest in 2^127 are scalars"),
            ),
        })
    }

    /// The key of a secret: a scalar of BLS12-381 or secp256k1 (big-endian, neither zero nor past the order), or the 32
    /// bytes of RFC 8032. `None` if it is no such scalar.
    pub fn from_bytes(scheme: Scheme, bytes: &[u8; 32]) -> Option<Self> {
        Some(Self(match scheme {
            Scheme::Bls12381 => Secret::Bls12381(min_pk::SecretKey::from_bytes(bytes).ok()?),
            Scheme::Ed25519 => Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(bytes)),
            Scheme::Secp256k1 => Secret::Secp256k1(secp256k1::SecretKey::from_byte_array(*bytes).ok()?),
        }))
    }

    /// The key that verifies what this one signs.
    ///
    /// # Panics
    /// Never: the public key of a secret is valid.
    pub fn public_key(&self) -> PublicKey {
        let key = match &self.0 {
            Secret::Bls12381(secret) => PublicKey::new(Scheme::Bls12381, &secret.sk_to_pk().compress()),
            Secret::Ed25519(secret) => PublicKey::new(Scheme::Ed25519, secret.verifying_key().as_bytes()),
            Secret::Secp256k1(secret) => {
                PublicKey::new(Scheme::Secp256k1, &secret.public_key(&CONTEXT).serialize())
            }
        };
        key.expect("the public key of a secret is valid")
    }

    /// The 32 bytes that a wallet or a keystore imports: the scalar of secp256k1 and of BLS12-381, highest byte first, or the secret of
    /// RFC 8032.
    pub fn secret_bytes(&self) -> [u8; 32] {
        match &self.0 {
            Secret::Bls12381(secret) => secret.to_bytes(),
            Secret::Ed25519(secret) => secret.to_bytes(),
            Secret::Secp256k1(secret) => secret.secret_bytes(),
        }
    }

    /// Signs `message`, so that [`verify`](crate::verify) accepts it.
    pub fn sign(&self, message: &[u8]) -> Signature {
        match &self.0 {
            Secret::Bls12381(secret) => secret.sign(message, bls12381::DOMAIN_MESSAGE, &[]).compress().into(),
            Secret::Ed25519(secret) => secret.sign(message).to_bytes().into(),
            Secret::Secp256k1(secret) => {
                CONTEXT.sign_ecdsa(digest(message), secret).serialize_compact().into()
            }
        }
    }

    /// Signs a hash of whatever is signed, so that [`recover`](crate::recover) gives the key. `None` unless it is a
    /// secp256k1 key.
    pub fn sign_recoverable(&self, hash: &[u8; 32]) -> Option<[u8; 65]> {
        let Secret::Secp256k1(secret) = &self.0 else { return None };
        let message = Message::from_digest(*hash);
        let (id, compact) = CONTEXT.sign_ecdsa_recoverable(message, secret).serialize_compact();
        let v = match id {
            RecoveryId::Zero => 27,
            RecoveryId::One => 28,
            // One message in 2^127.
            RecoveryId::Two | RecoveryId::Three => return None,
        };
        let mut signature = [v; 65];
        let (front, _) = signature.split_first_chunk_mut::<64>()?;
        *front = compact;
        Some(signature)
    }

    /// Proves possession of this key to `operator` of `set`, so that
    /// [`verify_possession`](crate::verify_possession) accepts it.
    pub fn prove_possession(&self, ledger: &[u8; 32], set: u32, operator: u32) -> Signature {
        let message = possession_bytes(&self.public_key(), ledger, set, operator);
        match &self.0 {
            Secret::Bls12381(secret) => {
                secret.sign(&message, bls12381::DOMAIN_POSSESSION, &[]).compress().into()
            }
            Secret::Ed25519(_) | Secret::Secp256k1(_) => self.sign(&message),
        }
    }
}

impl Drop for SecretKey {
    /// The other libraries wipe their secrets themselves.
    fn drop(&mut self) {
        if let Secret::Secp256k1(secret) = &mut self.0 {
            secret.non_secure_erase();
        }
    }
}

impl fmt::Debug for SecretKey {
    /// Shows the public key only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey of {}", self.public_key())
    }
}

/// The sum of BLS12-381 signatures of the same message, for [`verify_aggregate`](crate::verify_aggregate).
///
/// # Refuses
/// 1. In the order of the signatures: [`SignatureError::Length`], [`SignatureError::NotCanonical`],
///    [`SignatureError::Infinity`], [`SignatureError::NotInSubgroup`]
/// 2. [`SignatureError::NoKeys`], if there are no signatures.
pub fn aggregate(signatures: &[Signature]) -> Result<Signature, SignatureError> {
    let points = signatures.iter().map(bls12381::decode_signature).collect::<Result<Vec<_>, _>>()?;
    let points: Vec<_> = points.iter().collect();
    let total = min_pk::AggregateSignature::aggregate(&points, false).map_err(|_| SignatureError::NoKeys)?;
    Ok(total.to_signature().compress().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, 7.1, test 2: the seed is the secret key of the standard.
    #[test]
    fn an_ed25519_seed_signs_as_published() {
        let seed = hex::decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
        let secret = SecretKey::from_seed(Scheme::Ed25519, seed.try_into().unwrap());
        assert_eq!(
            secret.public_key().to_string(),
            "ed25519:0x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        );
        assert_eq!(
            secret.sign(&[0x72]).to_string(),
            "0x92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
    }

    #[test]
    fn a_secret_is_taken_as_it_is_or_not_at_all() {
        // Secret 1 of secp256k1; the secret of EIP-2335's examples.
        let mut one = [0; 32];
        one[31] = 1;
        let bls = hex::decode("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f").unwrap();
        let cases = [
            (Scheme::Secp256k1, one, "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
            (
                Scheme::Bls12381,
                bls.try_into().unwrap(),
                concat!(
                    "9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27",
                    "f4ae4040902382ae2910c15e2b420d07"
                ),
            ),
        ];
        for (scheme, bytes, public) in cases {
            let key = SecretKey::from_bytes(scheme, &bytes).unwrap().public_key();
            assert_eq!(key.to_string(), format!("{scheme}:0x{public}"));
            for bad in [[0; 32], [0xff; 32]] {
                assert!(SecretKey::from_bytes(scheme, &bad).is_none(), "{scheme}");
            }
        }
        let seed = SecretKey::from_seed(Scheme::Ed25519, [3; 32]).public_key();
        assert_eq!(SecretKey::from_bytes(Scheme::Ed25519, &[3; 32]).unwrap().public_key(), seed);
    }

    #[test]
    fn the_bytes_of_a_secret_are_the_secret() {
        let seed = [7; 32];
        let bytes = |scheme| SecretKey::from_seed(scheme, seed).secret_bytes();
        assert_eq!(bytes(Scheme::Ed25519), seed);
        assert_eq!(bytes(Scheme::Secp256k1), <[u8; 32]>::from(Sha256::digest(seed)));
        let scalar = min_pk::SecretKey::from_bytes(&bytes(Scheme::Bls12381)).expect("a scalar");
        let key = SecretKey::from_seed(Scheme::Bls12381, seed).public_key();
        assert_eq!(scalar.sk_to_pk().compress().as_slice(), key.as_bytes());
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = SecretKey::from_seed(Scheme::Ed25519, [1; 32]);
        assert_eq!(format!("{secret:?}"), format!("SecretKey of {}", secret.public_key()));
    }

    #[test]
    fn the_first_bad_signature_refuses_the_aggregate() {
        let scheme = Scheme::Bls12381;
        let good = SecretKey::from_seed(scheme, [1; 32]).sign(b"m");
        let short = Signature::from([1; 64]);
        let zero = Signature::from([0; 96]);
        let length = SignatureError::Length { scheme, expected: 96, actual: 64 };
        let not_canonical = SignatureError::NotCanonical { scheme };
        assert_eq!(aggregate(&[good.clone(), short.clone(), zero.clone()]), Err(length));
        assert_eq!(aggregate(&[zero, good, short]), Err(not_canonical));
        assert_eq!(aggregate(&[]), Err(SignatureError::NoKeys));
    }
}
