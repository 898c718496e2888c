//! What Ethereum's clients answer, fetched, checked and made into proofs.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::float_arithmetic,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod ssz;
mod state;
mod text;

pub use ssz::SszFault;
pub use state::{ProvenState, State, StateFault, Wanted};
