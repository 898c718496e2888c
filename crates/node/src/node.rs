//! A node: one ledger, its sequencer, and whoever asks.
//!
//! ```text
//! bytes -> gate (verify, on all cores) -> mempool -> sequencer (one thread, owns the ledger) -> heads -> readers
//! ```

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::Router;
use ledger::files::{DiskFiles, LockError};
use ledger::{Executed, Fault, Genesis, Ledger, Outcome, Reader};
use protocol::Event;
use store::QmdbStore;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::answer::Answer;
use crate::app::{App, FaultNote, PROOFS_MAX, READS_MAX, VERSION, Writer};
use crate::clock::Clock;
use crate::config::{Config, Role};
use crate::gate::{Gate, Sizes};
use crate::heads::Heads;
use crate::http::serve;
use crate::labels::Labels;
use crate::metrics::Metrics;
use crate::refused::Refused;
use crate::routes;
use crate::sequencer::Sequencer;
use crate::sequencer::solo::{Listener, Solo};
use crate::slashes::{Slashes, Waker};
use crate::tellings::Tellings;
use crate::webhooks::Webhooks;

/// The folder of the authenticated store, within that of the ledger.
pub const STORE_FOLDER: &str = "store";

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A number of the configuration is out of its range, or a label is none.
    #[error("the configuration can't be used: {why}")]
    Config {
        /// What is wrong.
        why: String,
    },
    /// The folder can't be had.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// The ledger can't be opened.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The machine refused something.
    #[error("{doing} failed: {source}")]
    Machine {
        /// What.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

/// Why a node has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Somebody asked.
    Asked,
    /// A fault of the ledger, or a bug: the text says which, and what to do. What was acknowledged is on disk.
    Fault(String),
}

/// A node that runs. Dropping it stops it and waits until the ledger is closed.
pub struct Node {
    app: Arc<App>,
    solo: Option<Arc<Solo>>,
    /// Where the node only reads: kept open and unused.
    _idle: Option<(Ledger, Teller)>,
    stop: watch::Sender<bool>,
    ended: watch::Receiver<Option<Stop>>,
}

impl Node {
    /// Begins a ledger in a folder that has none.
    ///
    /// # Errors
    /// The folder can't be had, has a ledger already, or the genesis does not hold.
    pub fn init(folder: &Path, genesis: &Genesis) -> Result<(), StartError> {
        let files = DiskFiles::open(folder)?;
        Ok(Ledger::init(&files, genesis)?)
    }

    /// Opens the ledger of the configured folder, recovers whatever a crash has left, and starts. It does not listen: [`Node::serve`].
    ///
    /// # Errors
    /// As [`StartError`] lists them.
    pub fn start(config: Config) -> Result<Self, StartError> {
        config.check().map_err(|why| StartError::Config { why })?;
        let files = DiskFiles::open(&config.folder)?;
        let options =
            store::Options { page_cache_bytes: config.store_cache_bytes, ..store::Options::default() };
        let store = QmdbStore::open(&config.folder.join(STORE_FOLDER), options);
        let store = store.map_err(Fault::from)?;
        let ledger = Ledger::open(Arc::new(files), Box::new(store), ledger::Options::default())?;
        let clock = Clock::of_machine(config.clock, ledger.head().header.time_ms);
        Self::start_with(config, ledger, clock)
    }

    /// Starts with a ledger that is open, and a clock. Of the folder it only reads the labels and keeps the webhooks.
    ///
    /// # Errors
    /// [`StartError::Config`], [`StartError::Machine`].
    pub fn start_with(config: Config, ledger: Ledger, clock: Clock) -> Result<Self, StartError> {
        config.check().map_err(|why| StartError::Config { why })?;
        let labels =
            Labels::load(&config.folder, &config.labels).map_err(|why| StartError::Config { why })?;
        let started_ms = clock.machine_time_of(clock.now_ms());
        let metrics = Arc::new(Metrics::new(VERSION, started_ms));
        let heads = Arc::new(Heads::new(ledger.head(), config.http.heights_held));
        let (stop, stopping) = watch::channel(false);
        let (end, ended) = watch::channel(None);
        let fault = Arc::new(FaultNote::default());
        let (reader, genesis, domain) = (ledger.reader(), ledger.genesis().clone(), ledger.domain().clone());
        let refused = Arc::new(Refused::default());
        let slashes = Slashes::start(reader.clone(), Arc::clone(&refused))
            .map_err(|source| StartError::Machine { doing: "starting the index of slashes", source })?;
        let teller = Teller {
            slashes: slashes.waker(),
            heads: Arc::clone(&heads),
            metrics: Arc::clone(&metrics),
            reader: reader.clone(),
            fault: Arc::clone(&fault),
            end,
        };
        teller.show(&ledger.head());
        let (mut solo, mut idle, mut writer) = (None, None, None);
        match config.role {
            Role::Read => idle = Some((ledger, teller)),
            Role::Sequence => {
                let (started, begun) = write(&config, ledger, &clock, teller, refused)?;
                (solo, writer) = (Some(started), Some(begun));
            }
        }
        let webhooks = Webhooks::load(&config.folder, &config.webhooks, Arc::clone(&metrics))
            .map_err(|why| StartError::Config { why })?;
        let streams = Arc::new(Semaphore::new(config.http.streams_max));
        let genesis_digest = genesis.digest();
        let app = Arc::new(App {
            config,
            genesis,
            genesis_digest,
            domain,
            reader,
            heads,
            clock,
            metrics,
            labels,
            writer,
            webhooks,
            tellings: Tellings::default(),
            slashes,
            proposed: AtomicU64::new(0),
            reads: Arc::new(Semaphore::new(READS_MAX)),
            proofs: Arc::new(Semaphore::new(PROOFS_MAX)),
            streams,
            stopping,
            fault,
            started_ms,
        });
        Ok(Self { app, solo, _idle: idle, stop, ended })
    }

    /// The API, for calls within the process (`tower::ServiceExt::oneshot`) or for [`Node::serve`]. Needs a Tokio runtime to run on.
    pub fn router(&self) -> Router {
        routes::router(&self.app)
    }

    /// Sends in the canonical bytes of a signed operation; the answer comes when there is one.
    pub fn submit(&self, bytes: Vec<u8>) -> Option<oneshot::Receiver<Answer>> {
        self.app.writer.as_ref().map(|writer| writer.gate.submit(bytes))
    }

    /// Reads the ledger, from any thread.
    pub fn reader(&self) -> Reader {
        self.app.reader.clone()
    }

    /// Whether it has read the whole history, which it does after it has started, or knows that it can't. Until then whatever is sent is looked
    /// for in the archive first.
    pub fn has_read_history(&self) -> bool {
        self.app.slashes.has(self.app.reader.height())
    }

    /// The clock of the ledger.
    pub fn clock(&self) -> &Clock {
        &self.app.clock
    }

    /// Takes the configured address.
    ///
    /// # Errors
    /// What the machine says, with the address.
    pub fn bind(&self) -> Result<Option<TcpListener>, StartError> {
        let Some(address) = self.app.config.listen else { return Ok(None) };
        let listener = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        listener.map(Some).map_err(|source| StartError::Machine { doing: "listening on the address", source })
    }

    /// Answers at a listener until the node stops. Webhooks are delivered meanwhile.
    ///
    /// # Errors
    /// The listener can't be used.
    pub async fn serve(&self, listener: TcpListener) -> Result<(), StartError> {
        let machine = |source| StartError::Machine { doing: "using the listener", source };
        listener.set_nonblocking(true).map_err(machine)?;
        let address = listener.local_addr().map_err(machine)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(machine)?;
        let router = routes::router_at(&self.app, Some(address.ip()));
        let note = ServingNote::write(&self.app.config.folder, address, self.app.started_ms);
        let deliveries = tokio::spawn(crate::webhooks::deliver(Arc::clone(&self.app)));
        let http = self.app.config.http.clone();
        let metrics = Arc::clone(&self.app.metrics);
        serve::serve(listener, router, http, metrics, self.app.stopping.clone()).await;
        deliveries.abort();
        drop(note);
        Ok(())
    }

    /// Ends when the node has ended, and says why.
    pub async fn stopped(&self) -> Stop {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(stop) => stop.clone().unwrap_or(Stop::Asked),
            Err(_) => Stop::Asked,
        }
    }

    /// Asks the node to end: it listens no more, makes no more blocks, closes the ledger. Returns when that is done.
    pub fn stop(&self) -> Stop {
        self.stop.send_replace(true);
        if let Some(writer) = &self.app.writer {
            writer.gate.stop();
        }
        if let Some(solo) = &self.solo {
            solo.stop();
        }
        self.app.slashes.stop();
        self.ended.borrow().clone().unwrap_or(Stop::Asked)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts what takes operations and makes blocks of them.
fn write(
    config: &Config,
    ledger: Ledger,
    clock: &Clock,
    teller: Teller,
    refused: Arc<Refused>,
) -> Result<(Arc<Solo>, Writer), StartError> {
    let machine = |doing| move |source| StartError::Machine { doing, source };
    let (reader, heads) = (ledger.reader(), Arc::clone(&teller.heads));
    let metrics = Arc::clone(&teller.metrics);
    let solo = Solo::start(ledger, clock.clone(), &config.mempool, &config.blocks, teller);
    let solo = Arc::new(solo.map_err(machine("starting the sequencer"))?);
    let sequencer: Arc<dyn Sequencer> = Arc::<Solo>::clone(&solo);
    let sizes = Sizes::of(&config.mempool);
    let gate = Gate::start(sizes, reader, heads, Arc::clone(&sequencer), metrics, clock.clone(), refused);
    let gate = gate.map_err(machine("starting the verifiers"))?;
    Ok((solo, Writer { gate, sequencer }))
}

/// Tells everybody else what the sequencer's thread does.
struct Teller {
    slashes: Waker,
    heads: Arc<Heads>,
    metrics: Arc<Metrics>,
    reader: Reader,
    fault: Arc<FaultNote>,
    end: watch::Sender<Option<Stop>>,
}

impl Teller {
    fn show(&self, head: &ledger::Head) {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.metrics.height.set(number(head.header.height));
        self.metrics.epoch.set(i64::from(head.state.epoch().number()));
        let stored = self.reader.committed().map_or(0, |committed| committed.height);
        self.metrics.store_height.set(number(stored));
    }
}

impl Teller {
    fn count(&self, block: &Executed) {
        let mut operations: BTreeMap<(&'static str, bool), u64> = BTreeMap::new();
        for receipt in &block.receipts {
            let is_applied = matches!(receipt.outcome, Outcome::Applied { .. });
            let count = operations.entry((receipt.kind.name(), is_applied)).or_default();
            *count = count.saturating_add(1);
        }
        for ((kind, is_applied), count) in operations {
            self.metrics.operations(kind, is_applied, count);
        }
        for topic in block.events().filter_map(alarm) {
            self.metrics.alarm(topic);
        }
    }
}

/// The topics of events that somebody should look at.
pub(crate) const ALARMS: [&str; 7] = [
    "slashed",
    "slash_requested",
    "terms_announced",
    "under_collateralised",
    "jailed",
    "stopped",
    "parameters_announced",
];

/// The topic of an event that somebody should look at: one of [`ALARMS`].
fn alarm(event: &Event) -> Option<&'static str> {
    match event {
        Event::Slashed { .. } => Some("slashed"),
        Event::SlashRequested { .. } => Some("slash_requested"),
        Event::TermsAnnounced { .. } => Some("terms_announced"),
        Event::UnderCollateralised { .. } => Some("under_collateralised"),
        Event::Jailed { .. } => Some("jailed"),
        Event::Stopped { .. } => Some("stopped"),
        Event::ParametersAnnounced { .. } => Some("parameters_announced"),
        _ => None,
    }
}

impl Listener for Teller {
    fn appended(&mut self, ledger: &Ledger, block: &Arc<Executed>, took: Duration) {
        let head = ledger.head();
        self.show(&head);
        self.heads.publish(head, block.receipts.len());
        self.slashes.wake();
        self.metrics.blocks.inc();
        self.metrics.block_seconds.observe(took.as_secs_f64());
        self.metrics.block_operations.observe(f64::from(u32::try_from(block.receipts.len()).unwrap_or(0)));
        self.count(block);
    }

    fn behind(&mut self, epochs: u64) {
        self.metrics.epochs_behind.set(i64::try_from(epochs).unwrap_or(i64::MAX));
    }

    fn ended(&mut self, fault: Option<&str>) {
        if let Some(fault) = fault {
            self.fault.set(fault);
            self.metrics.is_stopped.set(1);
        }
        let stop = fault.map_or(Stop::Asked, |fault| Stop::Fault(fault.to_owned()));
        self.end.send_if_modified(|known| {
            let is_news = known.is_none() || matches!((&known, &stop), (Some(Stop::Asked), Stop::Fault(_)));
            if is_news {
                *known = Some(stop);
            }
            is_news
        });
    }
}

/// The file that tells other processes where the node answers; gone when the node stops.
struct ServingNote(Option<std::path::PathBuf>);

/// Its name in the folder of the ledger.
pub const SERVING_FILE: &str = "node.json";

impl ServingNote {
    fn write(folder: &Path, address: SocketAddr, started_ms: u64) -> Self {
        let path = folder.join(SERVING_FILE);
        let note = serde_json::json!({
            "url": format!("http://{address}"),
            "pid": std::process::id(),
            "started_ms": started_ms,
        });
        // Without the note the node answers as well; others just have to be told its address.
        let is_written = std::fs::write(&path, format!("{note}\n")).is_ok();
        Self(is_written.then_some(path))
    }
}

impl Drop for ServingNote {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // What can't be removed names a process that is gone, and readers check that.
            let _removed = std::fs::remove_file(path).is_ok();
        }
    }
}
