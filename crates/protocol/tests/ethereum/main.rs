//! Ethereum as ledger state: on a chain of our own through every fork, and on data of the real one where that is at hand.

#![allow(clippy::disallowed_methods, reason = "sums of a test are small")]

mod chain;
mod custody;
mod escapes;
mod following;
mod pods;
mod real;
mod slashings;
