//! Who is next, and who wants to know? The mempool, the sequencer, and HTTP around one ledger.
//!
//! ```text
//! bytes -> gate (verified on all cores) -> mempool -> sequencer (one thread, owns the ledger) -> heads -> readers
//! ```
//!
//! [`Node::start`] opens a folder and begins; [`Node::router`] is its API, for calls within the process or for [`Node::serve`].
//!
//! # What it does not do
//! It decides no rule (`protocol`), keeps no secret but those of webhooks, and computes no figure: all come from `protocol::query`. It has the only
//! clock. It opens no connection but to the targets of webhooks that its configuration allows.
//!
//! # What it remembers of the history
//! Where each case of slashing is told of (at most 200,000 cases), and a filter of two megabytes for operations that blocks have refused. Both
//! are built from the receipts by a thread of its own when the node starts; until then lists of slashes wait, and every operation is looked up.
//!
//! # Hostile clients
//! Everything that a client can make large is bounded: heads, bodies, connections, streams, what waits, pages. Nothing that it sends is
//! written into a page unescaped, or into a log.

#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        clippy::let_underscore_must_use
    )
)]

mod answer;
mod api;
mod app;
mod calendar;
mod clock;
pub mod config;
mod feed;
mod gate;
mod heads;
pub mod http;
mod labels;
pub mod mempool;
mod metrics;
mod node;
#[cfg(test)]
mod openapi;
mod page;
mod refused;
mod routes;
mod sequencer;
mod slashes;
mod tellings;
mod text;
mod topics;
mod webhooks;

pub use answer::{Answer, Barred, Placed, Rejected};
pub use clock::Clock;
pub use config::Config;
pub use labels::LABELS_FILE;
pub use node::{Node, SERVING_FILE, STORE_FOLDER, StartError, Stop};
pub use sequencer::{Load, Sequencer, Submission};
