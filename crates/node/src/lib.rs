//! Who is next, and who wants to know? The mempool, the sequencer, and HTTP around one ledger.

pub mod clock;
pub mod config;
pub mod http;
pub mod mempool;
mod metrics;

pub use clock::Clock;
pub use config::Config;
