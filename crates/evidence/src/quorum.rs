//! Certificates: what a quorum of a stake table signed together.
//!
//! A certificate proves *who* signed. What they weigh, whether that is a quorum and whether the table is still
//! valid is for its reader, who has the frozen table.

mod bitmap;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::bitmap::{Bitmap, BitmapError};
use crate::{
    encoding::hash,
    signature::{PublicKey, Scheme, Signature, SignatureError, verify_aggregate},
};

const TAG: &[u8] = b"surety/certificate/v1";

/// An aggregate signature of a message by keys of one stake table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The operator set.
    pub set: u32,
    /// The epoch whose stake table signs.
    pub epoch: u32,
    /// Hash of what is certified.
    #[serde(with = "hash")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{64}$")))]
    pub message: [u8; 32],
    /// Who signed: bit `i` is the key at place `i` of the table.
    pub signers: Bitmap,
    /// The sum of their signatures of [`Certificate::signing_bytes`].
    pub signature: Signature,
}

impl Certificate {
    /// The 93 bytes that each signer signs. Integers are big-endian. The tag differs from that of a
    /// [`Statement`](crate::Statement), so a certificate is never evidence, nor a statement a vote.
    ///
    /// | Offset | Bytes | Field |
    /// |---|---|---|
    /// | 0 | 21 | `surety/certificate/v1` |
    /// | 21 | 32 | ledger |
    /// | 53 | 4 | set |
    /// | 57 | 4 | epoch |
    /// | 61 | 32 | message |
    pub fn signing_bytes(&self, ledger: &[u8; 32]) -> Vec<u8> {
        [TAG, ledger, &self.set.to_be_bytes(), &self.epoch.to_be_bytes(), &self.message].concat()
    }
}

/// A certificate whose signature was verified. To hold one is to hold the proof: only [`verify_certificate`] makes
/// them.
///
/// ```compile_fail,E0451
/// # fn forge(signers: evidence::Bitmap) -> evidence::VerifiedCertificate {
/// evidence::VerifiedCertificate { set: 1, epoch: 2, message: [0; 32], signers }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCertificate {
    set: u32,
    epoch: u32,
    message: [u8; 32],
    signers: Bitmap,
}

impl VerifiedCertificate {
    /// The operator set.
    pub fn set(&self) -> u32 {
        self.set
    }

    /// The epoch of the table that signed.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Hash of what is certified.
    pub fn message(&self) -> &[u8; 32] {
        &self.message
    }

    /// The places of the signers in the table, ascending and each once; at least one, all within the table.
    pub fn signers(&self) -> impl Iterator<Item = usize> + '_ {
        self.signers.indexes()
    }
}

/// Verifies a certificate against `keys`, the keys of the frozen table of its set and epoch, in table order.
///
/// Keys of the table that did not sign may be of any scheme.
///
/// # Refuses
/// 1. [`CertificateRefused::NoSigners`]
/// 2. [`CertificateRefused::SignerPastTable`], naming the first
/// 3. [`CertificateRefused::SignerScheme`], naming the first
/// 4. [`CertificateRefused::Signature`]
///
/// Source: `protocol.md`, 5 (stake table).
pub fn verify_certificate(
    certificate: &Certificate,
    ledger: &[u8; 32],
    keys: &[PublicKey],
) -> Result<VerifiedCertificate, CertificateRefused> {
    let signers: Vec<(usize, &PublicKey)> = certificate
        .signers
        .indexes()
        .map(|index| match keys.get(index) {
            Some(key) => Ok((index, key)),
            None => Err(CertificateRefused::SignerPastTable { index, keys: keys.len() }),
        })
        .collect::<Result<_, _>>()?;
    if signers.is_empty() {
        return Err(CertificateRefused::NoSigners);
    }
    if let Some((index, key)) = signers.iter().find(|(_, key)| key.scheme() != Scheme::Bls12381) {
        return Err(CertificateRefused::SignerScheme { index: *index, scheme: key.scheme() });
    }
    verify_aggregate(
        signers.iter().map(|(_, key)| *key),
        &certificate.signing_bytes(ledger),
        &certificate.signature,
    )
    .map_err(CertificateRefused::Signature)?;

    Ok(VerifiedCertificate {
        set: certificate.set,
        epoch: certificate.epoch,
        message: certificate.message,
        signers: certificate.signers.clone(),
    })
}

/// Why a certificate is not believed. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateRefused {
    /// Nobody signed.
    NoSigners,
    /// A signer's place is not in the table.
    SignerPastTable {
        /// Place of the signer, from 0.
        index: usize,
        /// Number of keys in the table.
        keys: usize,
    },
    /// A signer's key has no aggregate signatures.
    SignerScheme {
        /// Place of the signer, from 0.
        index: usize,
        /// Scheme of the signer's key.
        scheme: Scheme,
    },
    /// The signers did not all sign this message for this ledger, set and epoch.
    Signature(SignatureError),
}

impl fmt::Display for CertificateRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSigners => write!(f, "certificate has no signers"),
            Self::SignerPastTable { index, keys } => {
                write!(f, "signer {index} is past a table of {keys} keys")
            }
            Self::SignerScheme { index, scheme } => {
                write!(f, "signer {index} has a key of {scheme} instead of bls12381")
            }
            Self::Signature(error) => write!(f, "certificate: {error}"),
        }
    }
}

impl std::error::Error for CertificateRefused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Signature(error) => Some(error),
            _ => None,
        }
    }
}
