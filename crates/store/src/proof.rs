//! Proofs of single keys: what they say in bytes, and how they are checked.
//!
//! A proof is one byte of version, one byte of kind, and the library's own encoding. Of an entry it holds the path from the operation that wrote it to the root and
//! the bits that say the operation still counts. Of an absence it holds the same of the entry before the gap, which names the entry after it; so such a proof is
//! as long as its neighbour's value, and shows it. Checking needs the root and nothing else.

use bytes::Bytes;
use commonware_codec::{Copying, Decode as _, Encode as _, RangeCfg};
use commonware_cryptography::{Sha256, sha256};
use commonware_storage::qmdb::any::value::VariableEncoding;
use commonware_storage::qmdb::current::ordered::proof::constant;

use crate::engine::{CHUNK_BYTES, Family, Key};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a value, at most: those of an entry.
pub const VALUE_BYTES_MAX: usize = ledger::format::ENTRY_BYTES_MAX;
/// Bytes of a proof, at most: the value of a neighbour, and the digests beside it.
pub const PROOF_BYTES_MAX: usize = VALUE_BYTES_MAX + 16 * 1024;

/// Digests of a proof, at most: a tree of 2^62 operations has fewer on any path and beside it.
const DIGESTS_MAX: usize = 256;
/// The version of this encoding.
const VERSION: u8 = 1;
/// The kinds of a proof.
const PRESENT: u8 = 1;
const ABSENT: u8 = 2;

type Present = constant::KeyValueProof<Family, Key, sha256::Digest, CHUNK_BYTES>;
type Absent = constant::ExclusionProof<Family, Key, VariableEncoding<Bytes>, sha256::Digest, CHUNK_BYTES>;

/// Why a proof shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It has more bytes than any proof.
    #[error("the proof has {found} bytes, more than {PROOF_BYTES_MAX}; it is none of this store's")]
    TooLong {
        /// Its bytes.
        found: usize,
    },
    /// The value has more bytes than any entry.
    #[error("the value has {found} bytes, more than {VALUE_BYTES_MAX}; no entry has that many")]
    ValueTooLong {
        /// Its bytes.
        found: usize,
    },
    /// It has a version that this program does not know.
    #[error("the proof has version {found}, and this program knows {VERSION}; use the program that made it")]
    Version {
        /// Its first byte.
        found: u8,
    },
    /// It proves an absence, and an entry is claimed; or the other way round.
    #[error("the proof is of {found}, and {claimed} is claimed")]
    OtherKind {
        /// What it is a proof of.
        found: &'static str,
        /// What it was to prove.
        claimed: &'static str,
    },
    /// Its bytes are not those of a proof.
    #[error("the bytes are not a proof: {why}; ask for the proof again")]
    Malformed {
        /// What does not fit.
        why: String,
    },
    /// It does not lead from this key and value to this root.
    #[error(
        "the proof does not lead from this key and this value to this root; the entry was another at that root, or the proof was altered"
    )]
    Unproven,
}

/// Whether `proof` shows that the entry under `key` is `value`, or that there is none if that is `None`, in the store with this root.
///
/// All of it may come from a stranger. It allocates no more than a few times the bytes it is given, and has no side effects.
///
/// # Errors
/// [`ProofError`], in the order of its variants.
pub fn verify(
    root: &[u8; 32],
    key: &[u8; KEY_BYTES],
    value: Option<&[u8]>,
    proof: &[u8],
) -> Result<(), ProofError> {
    if proof.len() > PROOF_BYTES_MAX {
        return Err(ProofError::TooLong { found: proof.len() });
    }
    if let Some(value) = value.filter(|value| value.len() > VALUE_BYTES_MAX) {
        return Err(ProofError::ValueTooLong { found: value.len() });
    }
    let [version, kind, body @ ..] = proof else {
        return Err(ProofError::Malformed { why: format!("{} bytes are too few", proof.len()) });
    };
    if *version != VERSION {
        return Err(ProofError::Version { found: *version });
    }
    let (key, root) = (Key::new(*key), sha256::Digest(*root));
    let holds = match (*kind, value) {
        (PRESENT, Some(value)) => {
            let proof = Present::decode_cfg(Copying(body), &(DIGESTS_MAX, ())).map_err(malformed)?;
            proof.verify::<Sha256, VariableEncoding<Bytes>>(key, Bytes::copy_from_slice(value), &root)
        }
        (ABSENT, None) => {
            let values = RangeCfg::from(..=VALUE_BYTES_MAX);
            let proof =
                Absent::decode_cfg(Copying(body), &(DIGESTS_MAX, ((), values), values)).map_err(malformed)?;
            proof.verify::<Sha256>(&key, &root)
        }
        (PRESENT, None) => return Err(ProofError::OtherKind { found: "an entry", claimed: "none" }),
        (ABSENT, Some(_)) => return Err(ProofError::OtherKind { found: "an absence", claimed: "an entry" }),
        (kind, _) => return Err(ProofError::Malformed { why: format!("there is no kind {kind}") }),
    };
    if holds { Ok(()) } else { Err(ProofError::Unproven) }
}

/// [`verify`] in the form in which a ledger asks for it: [`ledger::store::VerifyEntry`].
///
/// # Errors
/// The text of the [`ProofError`].
pub fn verify_entry(
    root: &[u8; 32],
    key: &[u8; 32],
    value: Option<&[u8]>,
    proof: &[u8],
) -> Result<(), String> {
    verify(root, key, value, proof).map_err(|error| error.to_string())
}

fn malformed(error: commonware_codec::Error) -> ProofError {
    ProofError::Malformed { why: error.to_string() }
}

/// The bytes of a proof of an entry.
pub(crate) fn encode_present(proof: &Present) -> Vec<u8> {
    encode(PRESENT, &proof.encode())
}

/// The bytes of a proof of an absence.
pub(crate) fn encode_absent(proof: &Absent) -> Vec<u8> {
    encode(ABSENT, &proof.encode())
}

fn encode(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len().saturating_add(2));
    bytes.extend_from_slice(&[VERSION, kind]);
    bytes.extend_from_slice(body);
    bytes
}
