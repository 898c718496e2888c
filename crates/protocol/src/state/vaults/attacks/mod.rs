//! Every attack on a vault that others lost money with, on a ledger; and its control: the same with the one defence switched off that stops
//! it ([`Defence`]), which must lose. Numbers are those of `docs/explanation/vaults.md`.
//!
//! The switch changes the shipped code, so the control runs what ships less one rule; the invariants are checked after every step of the
//! defended run only, since most of them notice the missing rule by themselves. Where the weak rule is another design and no missing line
//! (paying whoever comes first, pushing payments), the control tells it in the test.

#![allow(clippy::disallowed_methods, reason = "sums of tests are small")]

mod entry;
mod exits;
mod gains;
mod lab;
mod line;
mod losses;
mod roles;
mod routes;

use crate::vault::defence::{Defence, without};

/// What a scenario comes to with all defences, and without one.
fn with_and_without<T>(defence: Defence, scenario: impl Fn(bool) -> T) -> (T, T) {
    (scenario(true), without(Some(defence), || scenario(false)))
}
