//! Ethereum, believed only on proof: on a chain of our own, and on data of the real one where that is at hand.

#![allow(clippy::disallowed_methods, reason = "sums of a test are small")]

mod made;
mod mutation;
mod real;
