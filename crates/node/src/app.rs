//! What all handlers share.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use ledger::{Fault, Genesis, Reader};
use protocol::units::Digest;
use signing::Domain;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::config::Config;
use crate::gate::Gate;
use crate::heads::Heads;
use crate::http::problem::{Code, Problem};
use crate::labels::Labels;
use crate::metrics::Metrics;
use crate::sequencer::Sequencer;
use crate::slashes::Slashes;
use crate::tellings::Tellings;
use crate::webhooks::Webhooks;

/// The program's version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The most reads at once: each has a thread while it lasts.
pub(crate) const READS_MAX: usize = 64;
/// The most proofs that are waited for at once.
pub(crate) const PROOFS_MAX: usize = 16;

/// What all handlers share.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) genesis: Genesis,
    pub(crate) genesis_digest: Digest,
    pub(crate) domain: Domain,
    pub(crate) reader: Reader,
    pub(crate) heads: Arc<Heads>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) labels: Labels,
    /// What takes operations; nothing where the node only reads.
    pub(crate) writer: Option<Writer>,
    pub(crate) webhooks: Webhooks,
    /// The events of the newest blocks.
    pub(crate) tellings: Tellings,
    /// Every slash and request of the whole history.
    pub(crate) slashes: Slashes,
    /// The number that was last proposed for a signature.
    pub(crate) proposed: AtomicU64,
    /// How many more reads may be under way.
    pub(crate) reads: Arc<Semaphore>,
    /// How many more proofs may be waited for.
    pub(crate) proofs: Arc<Semaphore>,
    /// How many more streams of events may be open.
    pub(crate) streams: Arc<Semaphore>,
    /// True once the node is to end.
    pub(crate) stopping: watch::Receiver<bool>,
    /// The fault that has ended the blocks.
    pub(crate) fault: Arc<FaultNote>,
    pub(crate) started_ms: u64,
}

/// What takes operations.
pub(crate) struct Writer {
    pub(crate) gate: Gate,
    pub(crate) sequencer: Arc<dyn Sequencer>,
}

/// The first fault, written once.
#[derive(Debug, Default)]
pub(crate) struct FaultNote(OnceLock<String>);

impl FaultNote {
    pub(crate) fn set(&self, text: &str) {
        // A second fault follows from the first.
        let _first = self.0.set(text.to_owned()).is_ok();
    }

    pub(crate) fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

impl App {
    /// What takes operations.
    ///
    /// # Errors
    /// The node only reads, or has stopped.
    pub(crate) fn writer(&self) -> Result<&Writer, Problem> {
        if let Some(fault) = self.fault.get() {
            return Err(Problem::new(Code::Stopped, "no operation is taken", fault));
        }
        self.writer.as_ref().ok_or_else(|| {
            Problem::new(Code::ReadOnly, "no operation is taken", "its configuration says `role = \"read\"`")
        })
    }

    /// A fault of the ledger, as a reader meets it.
    pub(crate) fn fault(&self, fault: &Fault) -> Problem {
        let code = match fault {
            Fault::Unclaimed { .. } => Code::Busy,
            _ => Code::Stopped,
        };
        Problem::new(code, "the ledger could not answer", fault.to_string()).retry_after(1)
    }
}
