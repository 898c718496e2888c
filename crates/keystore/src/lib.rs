//! Where are the secrets, and who may use them?
//!
//! A [`Keystore`] is a folder of encrypted key files, one key in each, readable by nobody but its owner. The files are those that other
//! tools read and write: Web3 secret storage, version 3, for secp256k1; EIP-2335 for BLS12-381, and the same container for ed25519. What is
//! ours in them (name, role, public key) stands in a field of its own, which other tools pass over.
//!
//! A [`Signer`] seals drafts: a key that was unlocked here ([`LocalSigner`]), or one that a signing service keeps ([`RemoteSigner`]).
//!
//! # What this crate does not do
//! - It asks nobody for a password and prints nothing: whoever calls it does. Passwords come in as [`Password`], which no message shows.
//! - It does not know what an operation means, nor whether a key may act for an account.
//! - It guards against nobody who reads the memory of the process. Secrets are wiped when they are dropped.
//! - It does not keep a key from signing two contradicting statements: that is the duty of whoever signs statements.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::float_arithmetic,
        clippy::indexing_slicing,
        clippy::integer_division,
        clippy::panic,
        clippy::unwrap_used,
        clippy::let_underscore_must_use
    )
)]

mod crypt;
mod error;
mod file;
mod folder;
mod format;
mod password;
mod remote;
mod secret;
mod signer;

pub use crypt::Work;
pub use error::KeystoreError;
pub use folder::{Entry, Keystore, Role, look};
pub use password::{PASSWORD_CHARACTERS_MIN, Password};
pub use remote::{RemoteError, RemoteSigner};
pub use secret::Secret;
pub use signer::{LocalSigner, Signer, SignerError};
