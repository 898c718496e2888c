//! secp256k1 signatures from which the key follows: `r || s || v`, as wallets make them.
//!
//! Source: SEC 1, 4.1.6; Ethereum yellow paper, appendix F; for low s, EIP-2.

use std::{fmt, sync::LazyLock};

use secp256k1::{
    Message, Secp256k1, VerifyOnly,
    ecdsa::{RecoverableSignature, RecoveryId},
};

use super::PublicKey;

/// The library's constant tables; no result depends on when they are made.
static CONTEXT: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);

/// Half the order of the curve, rounded down: the largest `s`.
const S_MAX: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d,
    0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// The secp256k1 key that signed `hash`.
///
/// Any well-formed signature is by some key: that it is the right one is for the caller to say. `v` is 27 or 28 and
/// nothing else, so that a signature has one encoding.
///
/// # Refuses
/// 1. [`RecoveryError::V`]
/// 2. [`RecoveryError::HighS`]
/// 3. [`RecoveryError::NotCanonical`]
/// 4. [`RecoveryError::NoKey`]
pub fn recover(hash: &[u8; 32], signature: &[u8; 65]) -> Result<PublicKey, RecoveryError> {
    recover_point(hash, signature).map(|point| PublicKey::of_secp256k1(&point))
}

/// The same as a point of the library.
pub(crate) fn recover_point(
    hash: &[u8; 32],
    signature: &[u8; 65],
) -> Result<secp256k1::PublicKey, RecoveryError> {
    let [compact @ .., v] = signature;
    let parity = match v {
        27 => RecoveryId::Zero,
        28 => RecoveryId::One,
        v => return Err(RecoveryError::V { v: *v }),
    };
    if compact.last_chunk().is_some_and(|s| *s > S_MAX) {
        return Err(RecoveryError::HighS);
    }
    let signature =
        RecoverableSignature::from_compact(compact, parity).map_err(|_| RecoveryError::NotCanonical)?;
    CONTEXT.recover_ecdsa(Message::from_digest(*hash), &signature).map_err(|_| RecoveryError::NoKey)
}

/// Why no key follows from a signature. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryError {
    /// The last byte is neither 27 nor 28.
    V {
        /// What it is.
        v: u8,
    },
    /// `s` is in the upper half: a second encoding of the same signature.
    HighS,
    /// `r` is not below the order of the curve.
    NotCanonical,
    /// No point has that `r`, or the key would be the identity.
    NoKey,
}

impl fmt::Display for RecoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V { v } => write!(f, "secp256k1 signature ends in {v} instead of 27 or 28"),
            Self::HighS => write!(f, "secp256k1 signature has its s in the upper half"),
            Self::NotCanonical => write!(f, "secp256k1 signature is not canonically encoded"),
            Self::NoKey => write!(f, "secp256k1 signature is by no key"),
        }
    }
}

impl std::error::Error for RecoveryError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scheme, SecretKey};

    const HASH: [u8; 32] = [7; 32];

    fn signed() -> (PublicKey, [u8; 65]) {
        let secret = SecretKey::from_seed(Scheme::Secp256k1, [1; 32]);
        (secret.public_key(), secret.sign_recoverable(&HASH).unwrap())
    }

    fn halves(compact: &[u8; 64]) -> [[u8; 32]; 2] {
        [compact[..32].try_into().unwrap(), compact[32..].try_into().unwrap()]
    }

    /// The order of the curve less `s`.
    fn mirrored(s: [u8; 32]) -> [u8; 32] {
        let order = secp256k1::constants::CURVE_ORDER;
        let mut borrow = 0;
        let mut mirrored = [0; 32];
        for place in (0..32).rev() {
            let difference = i32::from(order[place]) - i32::from(s[place]) - borrow;
            borrow = i32::from(difference < 0);
            mirrored[place] = u8::try_from(difference.rem_euclid(256)).unwrap();
        }
        mirrored
    }

    #[test]
    fn the_signer_is_recovered() {
        let (key, signature) = signed();
        assert_eq!(recover(&HASH, &signature), Ok(key.clone()));
        assert_ne!(recover(&[8; 32], &signature), Ok(key));
        for scheme in [Scheme::Bls12381, Scheme::Ed25519] {
            assert_eq!(SecretKey::from_seed(scheme, [1; 32]).sign_recoverable(&HASH), None);
        }
    }

    /// The example of EIP-712: the hash of its mail from Cow to Bob, signed by the key keccak256("cow").
    #[test]
    fn the_example_of_eip_712_recovers_to_its_address() {
        let hash = hex::decode("be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2").unwrap();
        let signature = hex::decode(concat!(
            "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d",
            "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562",
            "1c"
        ))
        .unwrap();
        let key = recover(&hash.try_into().unwrap(), &signature.try_into().unwrap()).unwrap();
        let address = crate::address_of(&key).map(hex::encode);
        assert_eq!(address.as_deref(), Some("cd2a3d9f938e13cd947ec05abc7fe734df8dd826"));
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        let (_, good) = signed();
        let [compact @ .., v] = good;
        let [r, s] = halves(&compact);
        let make = |r: [u8; 32], s: [u8; 32], v: u8| {
            let bytes = [r.as_slice(), &s, &[v]].concat();
            recover(&HASH, &bytes.try_into().unwrap()).map(|_| ())
        };
        assert_eq!(make(r, s, v), Ok(()));
        for v in [0, 1, 26, 29, 37, 255] {
            assert_eq!(make(r, s, v), Err(RecoveryError::V { v }));
        }
        assert_eq!(make(r, mirrored(s), 55 - v), Err(RecoveryError::HighS));
        assert_eq!(make(r, mirrored(S_MAX), v), Err(RecoveryError::HighS));
        assert_eq!(make([255; 32], s, v), Err(RecoveryError::NotCanonical));
        for (r, s) in [([0; 32], s), (r, [0; 32])] {
            assert_eq!(make(r, s, v), Err(RecoveryError::NoKey));
        }
        // Two at once: the earlier check speaks.
        assert_eq!(make([255; 32], [255; 32], 0), Err(RecoveryError::V { v: 0 }));
        assert_eq!(make([255; 32], [255; 32], 27), Err(RecoveryError::HighS));
    }
}
