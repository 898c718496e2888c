//! Is this claim true?
//!
//! Everything that the ledger is told, and has not computed itself, passes through this crate: a signature, a pair
//! of contradicting statements, a certificate of a stake table, a fact of another chain. Each has one
//! function that takes the claim and its proof and returns either a *verified* value or the reason for refusing it.
//! Verified values ([`Offence`], [`VerifiedCertificate`], [`Verified`]) have private fields and no other constructor,
//! so whoever holds one holds a proof. Every replica verifies again, and so nobody who only orders
//! operations can inject a claim.
//!
//! # Domains
//!
//! What a key signs begins with one of these tags, so a signature made for one purpose is worthless for every other.
//! No tag is a prefix of another. Integers are big-endian and of fixed width.
//!
//! | Tag | Signed by | Layout |
//! |---|---|---|
//! | `surety/statement/v1` | a registered key, on duty | [`Statement::signing_bytes`] |
//! | `surety/certificate/v1` | a quorum of a stake table | [`Certificate::signing_bytes`] |
//! | `surety/possession/v1` | a key that is being registered | [`verify_possession`] |
//! | `surety/offence/v1` | nobody: hashed only | [`Offence::digest`] |
//!
//! # What this crate does not do
//!
//! - It has no clock, no I/O, no randomness, no threads and no state: the answer depends on the arguments alone.
//! - It does not know who a key belongs to, what an offence costs, whether a window is still open or what a
//!   signer weighs. Those are rules, and rules live in `protocol`.
//! - It does not keep secrets. [`signing`] serves tests, examples and the simulator.
//! - It does not fetch: [`ethereum`] judges headers and proofs that others bring, and [`fact`] is the door through which
//!   they reach the rules.
//!
//! # Panics
//!
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

mod address;
mod encoding;
pub mod ethereum;
pub mod fact;
pub mod offence;
pub mod quorum;
pub mod signature;
pub mod signing;
pub mod statement;

pub use address::{Signatory, address_of};
pub use encoding::HexError;
pub use fact::{Fact, FactRefused, Proof, Sources, Verified, verify_fact};
pub use offence::{Equivocation, EventClaim, EvidenceRefused, FalseEvent, Offence, Rule, event_digest};
pub use quorum::{
    Bitmap, BitmapError, Certificate, CertificateRefused, VerifiedCertificate, verify_certificate,
};
pub use signature::{
    AGGREGATE_KEYS_MAX, KeyError, MalformedSignature, PublicKey, RecoveryError, Scheme, Signature,
    SignatureError, recover, verify, verify_aggregate, verify_possession,
};
pub use signing::SecretKey;
pub use statement::{Signed, Statement};
