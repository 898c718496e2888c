//! What the node counts, as Prometheus reads it. `docs/reference/metrics.md` lists every name; a test holds it against this file.
//!
//! Each node has a registry of its own. Labels take their values from closed lists, never from what a client sends.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::Method;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::http::problem::Code;
use crate::node::ALARMS;

type Labels<const N: usize> = [(&'static str, String); N];

/// What becomes of an attempt to deliver.
const DELIVERIES: [&str; 3] = ["delivered", "failed", "given_up"];
/// Why an operation may not get into a block.
const TURNED_AWAY: [Code; 9] = [
    Code::MalformedOperation,
    Code::BadSignature,
    Code::Unsigned,
    Code::Duplicate,
    Code::Expired,
    Code::NoAuthority,
    Code::AccountFull,
    Code::Busy,
    Code::Stopped,
];

/// All metrics of one node.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) height: Gauge,
    pub(crate) epoch: Gauge,
    pub(crate) epochs_behind: Gauge,
    pub(crate) store_height: Gauge,
    pub(crate) is_stopped: Gauge,
    pub(crate) blocks: Counter,
    pub(crate) block_operations: Histogram,
    pub(crate) block_seconds: Histogram,
    operations: Family<Labels<2>, Counter>,
    alarms: Family<Labels<1>, Counter>,
    rejected: Family<Labels<1>, Counter>,
    pub(crate) submitted: Counter,
    pub(crate) outcome_seconds: Histogram,
    pub(crate) mempool_operations: Gauge,
    pub(crate) mempool_bytes: Gauge,
    pub(crate) mempool_senders: Gauge,
    pub(crate) verifying: Gauge,
    requests: Family<Labels<3>, Counter>,
    request_seconds: Family<Labels<1>, Histogram, fn() -> Histogram>,
    pub(crate) panics: Counter,
    pub(crate) connections: Gauge,
    pub(crate) connections_refused: Counter,
    pub(crate) streams: Gauge,
    pub(crate) streams_lagged: Counter,
    deliveries: Family<Labels<1>, Counter>,
    pub(crate) webhooks: Gauge,
}

/// From a tenth of a millisecond to thirteen seconds.
fn seconds() -> Histogram {
    const BOUNDS: [f64; 14] =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];
    Histogram::new(BOUNDS)
}

/// From one operation to a full block.
fn sizes() -> Histogram {
    Histogram::new([0.0, 1.0, 10.0, 50.0, 100.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 7_500.0, 10_000.0])
}

impl Metrics {
    pub(crate) fn new(version: &str, started_ms: u64) -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            height: Gauge::default(),
            epoch: Gauge::default(),
            epochs_behind: Gauge::default(),
            store_height: Gauge::default(),
            is_stopped: Gauge::default(),
            blocks: Counter::default(),
            block_operations: sizes(),
            block_seconds: seconds(),
            operations: Family::default(),
            alarms: Family::default(),
            rejected: Family::default(),
            submitted: Counter::default(),
            outcome_seconds: seconds(),
            mempool_operations: Gauge::default(),
            mempool_bytes: Gauge::default(),
            mempool_senders: Gauge::default(),
            verifying: Gauge::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            panics: Counter::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            streams: Gauge::default(),
            streams_lagged: Counter::default(),
            deliveries: Family::default(),
            webhooks: Gauge::default(),
        };
        let mut registry = Registry::with_prefix("surety");
        metrics.register_ledger(&mut registry);
        metrics.register_submissions(&mut registry);
        metrics.register_http(&mut registry);
        let build: Family<Labels<1>, Gauge> = Family::default();
        build.get_or_create(&[("version", version.to_owned())]).set(1);
        registry.register("build", "The version that runs; always 1", build);
        let started: Gauge<f64, AtomicU64> = Gauge::default();
        started.set(Duration::from_millis(started_ms).as_secs_f64());
        registry.register("started", "When the node was started, in seconds since 1970", started);
        metrics.registry = registry;
        metrics.begin();
        metrics
    }

    /// Shows what alerts look at as zero before it happens: of a series that begins with its first event, nobody sees the increase.
    fn begin(&self) {
        for topic in ALARMS {
            self.alarms.get_or_create(&[("topic", topic.to_owned())]).inc_by(0);
        }
        for outcome in DELIVERIES {
            self.deliveries.get_or_create(&[("outcome", outcome.to_owned())]).inc_by(0);
        }
        for code in TURNED_AWAY {
            self.rejected.get_or_create(&[("code", code.name().to_owned())]).inc_by(0);
        }
    }

    fn register_ledger(&self, registry: &mut Registry) {
        registry.register("height", "Height of the newest block", self.height.clone());
        registry.register("epoch", "The current epoch", self.epoch.clone());
        let behind =
            "Epochs that the clock is ahead of the newest block; more than 1 only while it catches up";
        registry.register("epochs_behind", behind, self.epochs_behind.clone());
        let store = "Newest height that the authenticated store has";
        registry.register("store_height", store, self.store_height.clone());
        let stopped = "1 once a fault has stopped the node for good, otherwise 0";
        registry.register("stopped", stopped, self.is_stopped.clone());
        registry.register("blocks", "Blocks appended since the start", self.blocks.clone());
        let sizes = "Operations of a block";
        registry.register("block_operations", sizes, self.block_operations.clone());
        let append = "Time to write, sync and execute a block";
        registry.register_with_unit("block", append, Unit::Seconds, self.block_seconds.clone());
        let operations = "Operations in blocks since the start, by kind and outcome (applied, refused)";
        registry.register("operations", operations, self.operations.clone());
        let alarms = "Events that somebody should look at, by topic: slashed, slash_requested, terms_announced and others";
        registry.register("alarms", alarms, self.alarms.clone());
    }

    fn register_submissions(&self, registry: &mut Registry) {
        registry.register("submitted", "Operations that clients have sent", self.submitted.clone());
        let rejected = "Operations that never got into a block, by the code of the problem";
        registry.register("rejected", rejected, self.rejected.clone());
        let outcome = "Time from an operation's arrival to its outcome";
        registry.register_with_unit("outcome", outcome, Unit::Seconds, self.outcome_seconds.clone());
        let waiting = "Verified operations that wait for a block";
        registry.register("mempool_operations", waiting, self.mempool_operations.clone());
        let bytes = "Bytes of the operations that wait for a block";
        registry.register("mempool_bytes", bytes, self.mempool_bytes.clone());
        let senders = "Senders with operations that wait for a block";
        registry.register("mempool_senders", senders, self.mempool_senders.clone());
        let verifying = "Operations whose signatures are being verified or wait for it";
        registry.register("verifying", verifying, self.verifying.clone());
    }

    fn register_http(&self, registry: &mut Registry) {
        let requests = "Requests by route, method and status";
        registry.register("http_requests", requests, self.requests.clone());
        let time = "Time to answer, by route; of a stream, time to its first byte";
        registry.register_with_unit("http_request", time, Unit::Seconds, self.request_seconds.clone());
        registry.register("panics", "Requests that met a bug", self.panics.clone());
        registry.register("http_connections", "Connections that are open", self.connections.clone());
        let refused = "Connections refused because too many were open";
        registry.register("http_connections_refused", refused, self.connections_refused.clone());
        registry.register("streams", "Streams of events that are open", self.streams.clone());
        let lagged = "Streams that were cut because the client did not keep up";
        registry.register("streams_lagged", lagged, self.streams_lagged.clone());
        let deliveries = "Attempts to deliver to a webhook, by outcome (delivered, failed, given_up)";
        registry.register("webhook_deliveries", deliveries, self.deliveries.clone());
        registry.register("webhooks", "Webhooks that are registered", self.webhooks.clone());
    }

    /// Counts an answered request. `route` is the pattern, not the path.
    pub(crate) fn request(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let method = match method.as_str() {
            known @ ("GET" | "HEAD" | "POST" | "DELETE" | "OPTIONS") => known,
            _ => "other",
        };
        let labels =
            [("route", route.to_owned()), ("method", method.to_owned()), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.get_or_create(&[("route", route.to_owned())]).observe(took.as_secs_f64());
    }

    /// Counts operations of a block.
    pub(crate) fn operations(&self, kind: &str, is_applied: bool, count: u64) {
        let outcome = if is_applied { "applied" } else { "refused" };
        let labels = [("kind", kind.to_owned()), ("outcome", outcome.to_owned())];
        self.operations.get_or_create(&labels).inc_by(count);
    }

    /// Counts an event that somebody should look at.
    pub(crate) fn alarm(&self, topic: &str) {
        self.alarms.get_or_create(&[("topic", topic.to_owned())]).inc();
    }

    /// Counts an operation that does not get into a block.
    pub(crate) fn reject(&self, code: &str) {
        self.rejected.get_or_create(&[("code", code.to_owned())]).inc();
    }

    /// Counts an attempt to deliver.
    pub(crate) fn delivery(&self, outcome: &str) {
        self.deliveries.get_or_create(&[("outcome", outcome.to_owned())]).inc();
    }

    /// Everything in the OpenMetrics text format.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes whatever is written");
        text
    }
}
