//! Does all of it hold under attack? A second, naive telling of the rules; random histories that both must agree on; and the shortest
//! history on which they don't.
//!
//! - [`model`]: the semantics with exact rationals, looping over every staker;
//! - [`workload`]: a seed becomes a history of operations, most of which succeed;
//! - [`history`]: a history runs against the ledger and the model; one that fails is shrunk;
//! - [`script`]: the steps of a history as lines that `surety replay` reads too;
//! - [`vaults`]: vaults, told a second time by a book with every holder and ticket in it, on histories of their own;
//! - [`prng`]: the numbers of a seed.
//!
//! The long run: `cargo run --release -p sim --bin long_run -- --operations 10000000 --seed 1`.
//!
//! # What it does not do
//! It is never linked by the binary, and it knows nothing of the ledger's pools but what a view and events show. The model says what it
//! does not predict; the workload says what it does not ask.

pub mod history;
pub mod model;
pub mod prng;
pub mod script;
pub mod vaults;
pub mod workload;
