//! The ledger as its users see it: what it keeps through crashes, what it refuses, what its proofs prove.

mod campaign;
mod copies;
mod disk;
mod recovery;
mod restored;
mod store;
mod tampering;
mod vectors;
mod world;
