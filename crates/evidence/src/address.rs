//! The account that a key is by itself: 20 bytes that follow from the key and nothing else.
//!
//! What an account may do, and which keys act for it once it has named some, is not known here.

use sha2::{Digest as _, Sha256};
use sha3::Keccak256;

use crate::signature::{PublicKey, RecoveryError, Scheme, recover_point, secp256k1};

/// What the address of an ed25519 key hashes before the key.
const ED25519_TAG: &[u8] = b"surety/account/ed25519/";

/// The address of the account that `key` is by itself. `None` for BLS12-381: its keys are on duty for operators and own
/// nothing.
///
/// - secp256k1: the last 20 bytes of the Keccak-256 of the uncompressed point, `x || y`: the address that every Ethereum
///   wallet shows for the key.
/// - ed25519: the first 20 bytes of the SHA-256 of `surety/account/ed25519/` and the 32 bytes of the key.
///
/// Source: Ethereum yellow paper, appendix F, equation 284.
pub fn address_of(key: &PublicKey) -> Option<[u8; 20]> {
    match key.scheme() {
        Scheme::Bls12381 => None,
        Scheme::Ed25519 => {
            let digest = Sha256::new().chain_update(ED25519_TAG).chain_update(key.as_bytes()).finalize();
            digest.first_chunk().copied()
        }
        Scheme::Secp256k1 => Keccak256::digest(secp256k1::coordinates(key)).last_chunk().copied(),
    }
}

/// A key with the address of the account that it is by itself, which costs as much to derive as a sixth of a signature: whoever asks for
/// it again does not derive it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatory {
    key: PublicKey,
    address: Option<[u8; 20]>,
}

impl Signatory {
    /// Derives the address of a key.
    pub fn of(key: PublicKey) -> Self {
        let address = address_of(&key);
        Self { key, address }
    }

    /// The key that signed `hash`, as [`recover`](crate::recover) finds it. Its point is at hand, so its address costs one hash.
    ///
    /// # Refuses
    /// As [`recover`](crate::recover).
    pub fn recover(hash: &[u8; 32], signature: &[u8; 65]) -> Result<Self, RecoveryError> {
        let point = recover_point(hash, signature)?;
        let address = Keccak256::digest(secp256k1::coordinates_of(&point)).last_chunk().copied();
        Ok(Self { key: PublicKey::of_secp256k1(&point), address })
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What [`address_of`] says of the key.
    pub fn address(&self) -> Option<[u8; 20]> {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scheme, SecretKey};

    #[test]
    fn a_signatory_has_the_address_of_its_key_wherever_it_comes_from() {
        for seed in 0..32 {
            let secret = SecretKey::from_seed(Scheme::Secp256k1, [seed; 32]);
            let hash = [seed.wrapping_mul(7); 32];
            let recovered = Signatory::recover(&hash, &secret.sign_recoverable(&hash).unwrap()).unwrap();
            assert_eq!(recovered, Signatory::of(secret.public_key()));
            assert_eq!(recovered.address(), address_of(recovered.key()));
            assert_eq!(
                crate::recover(&hash, &secret.sign_recoverable(&hash).unwrap()),
                Ok(secret.public_key())
            );
        }
        assert_eq!(Signatory::recover(&[0; 32], &[0; 65]), Err(RecoveryError::V { v: 0 }));
        let duty = SecretKey::from_seed(Scheme::Bls12381, [1; 32]).public_key();
        assert_eq!(Signatory::of(duty).address(), None);
    }

    fn address(key: &str) -> Option<String> {
        address_of(&key.parse().unwrap()).map(hex::encode)
    }

    /// The keys are those of the secrets 1 and 2, whose addresses everybody knows, and of the first account of the
    /// mnemonic `test test … junk`.
    #[test]
    fn a_secp256k1_key_has_the_address_that_wallets_show() {
        let cases = [
            (
                "secp256k1:0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
                "7e5f4552091a69125d5dfcb7b8c2659029395bdf",
            ),
            (
                "secp256k1:0x02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
                "2b5ad5c4795c026514f8317c7a215e218dccd6cf",
            ),
            (
                "secp256k1:0x038318535b54105d4a7aae60c08fc45f9687181b4fdfc625bd1a753fa7397fed75",
                "f39fd6e51aad88f6f4ce6ab8827279cfffb92266",
            ),
        ];
        for (key, expected) in cases {
            assert_eq!(address(key).as_deref(), Some(expected), "{key}");
        }
    }

    #[test]
    fn an_ed25519_key_has_the_start_of_its_tagged_hash() {
        let key = "ed25519:0x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        assert_eq!(address(key).as_deref(), Some("9984dd6579d1fe58713e928a44f075bfc4bc0c8e"));
    }

    #[test]
    fn a_bls_key_has_no_address() {
        let key = SecretKey::from_seed(Scheme::Bls12381, [1; 32]).public_key();
        assert_eq!(address_of(&key), None);
    }
}
