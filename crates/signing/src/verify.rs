//! Whose signatures these are.

use std::fmt;

use evidence::{KeyError, PublicKey, RecoveryError, Scheme, SecretKey, Signatory, SignatureError};
use protocol::{Authority, KeyUse, Signer};

use crate::codec::SEALS_MAX;
use crate::envelope::{Domain, Draft, Seal, Signature, SignedOperation};
use crate::typed::{DomainHashes, MessageHashes, signing_hash};

/// What an ed25519 key signs before the hash of the typed data.
pub const ED25519_TAG: &[u8] = b"surety/operation/1";

/// Verifies the seals of an operation and says who signed it.
///
/// Pure: the answer depends on the arguments alone, so it may be asked on any thread. An operation without seals gives
/// [`Signer::Plain`], or a delegate without keys: whoever takes no plain senders refuses [`SignedOperation::is_plain`] first. A secp256k1
/// signature of anything else is by some other key, which the rules then do not find among those of the account.
///
/// Whoever verifies many operations of one domain makes a [`Verifier`] of it first.
///
/// # Errors
/// 1. [`SigningError::TooManySeals`]
/// 2. In the order of the seals: [`SigningError::Seal`], [`SigningError::KeyTwice`]
pub fn verify(domain: &Domain, signed: &SignedOperation) -> Result<Authority, SigningError> {
    Verifier::new(domain).verify(signed)
}

/// A domain whose hashes are known already.
#[derive(Clone, Debug)]
pub struct Verifier(DomainHashes);

impl Verifier {
    /// Verifies operations of this domain.
    pub fn new(domain: &Domain) -> Self {
        Self(DomainHashes::of(domain))
    }

    /// Verifies the seals of an operation and says who signed it, as [`verify`] does.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(&self, signed: &SignedOperation) -> Result<Authority, SigningError> {
        let SignedOperation { account, delegate, expires, operation: _, seals } = signed;
        if seals.len() > SEALS_MAX {
            return Err(SigningError::TooManySeals { seals: seals.len() });
        }
        let keys = if seals.is_empty() { Vec::new() } else { self.keys(signed)? };
        let signer = match *delegate {
            Some(address) => Signer::Delegate { address, keys },
            None if keys.is_empty() => Signer::Plain,
            None => Signer::Keys(keys),
        };
        Ok(Authority { account: *account, signer, expires: *expires })
    }

    fn keys(&self, signed: &SignedOperation) -> Result<Vec<KeyUse>, SigningError> {
        let message = self.0.message(signed.into());
        let mut keys: Vec<KeyUse> = Vec::with_capacity(signed.seals.len());
        for (index, seal) in signed.seals.iter().enumerate() {
            let used = KeyUse::by(
                signatory_of(&message, seal).map_err(|why| SigningError::Seal { index, why })?,
                seal.nonce,
            );
            if keys.iter().any(|earlier| earlier.key() == used.key()) {
                return Err(SigningError::KeyTwice { key: used.key().clone() });
            }
            keys.push(used);
        }
        Ok(keys)
    }
}

/// The key that made a seal of a draft.
///
/// # Errors
/// As [`SealError`] lists them.
pub fn key_of(domain: &Domain, draft: &Draft, seal: &Seal) -> Result<PublicKey, SealError> {
    signatory_of(&DomainHashes::of(domain).message(draft.into()), seal)
        .map(|signatory| signatory.key().clone())
}

fn signatory_of(message: &MessageHashes, seal: &Seal) -> Result<Signatory, SealError> {
    let hash = message.hash(seal.nonce);
    match &seal.signature {
        Signature::Secp256k1(signature) => Signatory::recover(&hash, signature).map_err(SealError::Recovery),
        Signature::Ed25519 { key, signature } => {
            let key = PublicKey::new(Scheme::Ed25519, key).map_err(SealError::Key)?;
            let signature = evidence::Signature::from(*signature);
            evidence::verify(&key, &machine_bytes(&hash), &signature).map_err(SealError::Signature)?;
            Ok(Signatory::of(key))
        }
    }
}

/// A seal by a key of tests, examples or the simulator. `None` for a BLS12-381 key, which seals nothing.
///
/// # Panics
/// Never: an ed25519 signature has 64 bytes, and its key 32.
pub fn seal_with(secret: &SecretKey, domain: &Domain, draft: &Draft, nonce: u64) -> Option<Seal> {
    let hash = signing_hash(domain, draft, nonce);
    let public = secret.public_key();
    let signature = match public.scheme() {
        Scheme::Bls12381 => return None,
        Scheme::Secp256k1 => Signature::Secp256k1(secret.sign_recoverable(&hash)?),
        Scheme::Ed25519 => Signature::Ed25519 {
            key: public.as_bytes().try_into().expect("an ed25519 key has 32 bytes"),
            signature: secret
                .sign(&machine_bytes(&hash))
                .as_bytes()
                .try_into()
                .expect("an ed25519 signature has 64 bytes"),
        },
    };
    Some(Seal { nonce, signature })
}

/// What an ed25519 key signs for a hash of typed data.
pub fn machine_bytes(hash: &[u8; 32]) -> Vec<u8> {
    [ED25519_TAG, hash].concat()
}

/// Why nobody is known to have signed an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SigningError {
    /// More seals than [`SEALS_MAX`].
    TooManySeals {
        /// How many.
        seals: usize,
    },
    /// A seal is not valid.
    Seal {
        /// Its place, from 0.
        index: usize,
        /// What is wrong with it.
        why: SealError,
    },
    /// Two seals are by the same key.
    KeyTwice {
        /// Which.
        key: PublicKey,
    },
}

impl SigningError {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooManySeals { .. } => "signing.TooManySeals",
            Self::Seal { .. } => "signing.BadSeal",
            Self::KeyTwice { .. } => "signing.KeyTwice",
        }
    }
}

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManySeals { seals } => {
                write!(f, "{seals} seals on an operation are more than {SEALS_MAX}")
            }
            Self::Seal { index, why } => write!(f, "seal {index} is not valid: {why}"),
            Self::KeyTwice { key } => write!(f, "key {key} signs twice"),
        }
    }
}

impl std::error::Error for SigningError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Seal { why, .. } => Some(why),
            _ => None,
        }
    }
}

/// What is wrong with a seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealError {
    /// No secp256k1 key follows from it.
    Recovery(RecoveryError),
    /// What it names is no ed25519 key.
    Key(KeyError),
    /// The ed25519 key did not sign this operation with this nonce.
    Signature(SignatureError),
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recovery(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::Signature(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SealError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Recovery(error) => Some(error),
            Self::Key(error) => Some(error),
            Self::Signature(error) => Some(error),
        }
    }
}
