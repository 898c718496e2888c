//! Tests of the crate from outside, over a table of operations that has every kind.

mod bundles;
mod envelopes;
mod fixtures;
mod forms;
mod mutations;
mod wallets;
mod words;
