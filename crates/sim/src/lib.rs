//! Does all of it hold under attack? A second, naive telling of the rules; random histories that both must agree on; and the shortest
//! history on which they don't.
//!
//! - [`model`]: the semantics with exact rationals, looping over every staker;
//! - [`workload`]: a seed becomes a history of operations, most of which succeed;
//! - [`history`]: a history runs against the ledger and the model; one that fails is shrunk, printed, and read again.
//!
//! What it does not do: it is never linked by the binary, and it knows nothing of the ledger's pools but what a view shows.

pub mod history;
pub mod model;
pub mod prng;
pub mod workload;

/// Operations and epochs, and how they are written.
pub mod script;
