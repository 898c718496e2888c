//! Who signed an operation, and what did the wallet show them?
//!
//! An operation travels as a [`SignedOperation`]: a [`Draft`] and its [`Seal`]s. Each seal is by one key, over one nonce. People sign
//! EIP-712 typed data with the wallet they have; machines sign the hash of the same typed data with ed25519. [`verify`] turns an envelope
//! into the [`protocol::Authority`] that the rules ask for.
//!
//! # What is signed
//! One flat struct for each kind of operation ([`typed_data`]), of at most eight fields. The first, `action`, says in words what the
//! operation does. `contents` is a hash of the operation's canonical bytes, so no two operations share a signature whatever their
//! words; `account`, `ledger`, `nonce` (or `sequence`, for kinds whose order matters) and `expires` bind the rest, and the domain binds
//! the chain and its custody contract.
//!
//! # What this crate does not do
//! - It does not know which keys may act for an account, whether a nonce is next, or what time it is. Those are rules (`protocol`).
//! - It keeps no secrets (`keystore`), has no clock, I/O, randomness, threads or state.
//!
//! # Panics
//! Functions that take untrusted input never panic.

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

mod action;
pub mod bundle;
mod codec;
mod envelope;
pub mod json;
mod typed;
mod verify;

pub use action::action;
pub use codec::{DecodeError, SEALS_MAX, SIGNED_BYTES_MAX};
pub use envelope::{Cost, Domain, Draft, NEVER, Seal, Signature, SignedOperation};
pub use typed::{domain_separator, primary_type, signing_hash, signing_preimage, typed_data};
pub use verify::{ED25519_TAG, SealError, SigningError, Verifier, key_of, machine_bytes, seal_with, verify};
