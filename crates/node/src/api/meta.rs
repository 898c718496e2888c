//! The node about itself: is it well, what does it run, what does it count.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use protocol::query;
use protocol::units::Epoch;
use serde_json::{Value, json};

use super::{Pinned, Reply, Shared, json as answer, object};
use crate::app::{App, VERSION};
use crate::config::Role;
use crate::http::extract::Query;
use crate::http::problem::{Code, Problem};

/// The description of the API, as it is committed.
pub(crate) const OPENAPI: &str = include_str!("../../openapi.json");

/// The most epochs that the clock may be ahead of a node that is ready.
const BEHIND_MAX: u64 = 2;

/// The process answers.
pub(crate) async fn livez() -> Reply {
    Ok(answer(&json!({ "live": true })))
}

/// The node takes operations and makes blocks, or, where it only reads, can read.
pub(crate) async fn readyz(State(app): Shared) -> Reply {
    if let Some(fault) = app.fault.get() {
        return Err(Problem::new(Code::Stopped, "the node has stopped making blocks", fault));
    }
    let behind = app.epochs_behind();
    if app.config.role == Role::Sequence && behind > BEHIND_MAX {
        let cause = format!("the newest block is {behind} epochs behind the clock");
        return Err(Problem::new(Code::Busy, "the node is catching up", cause).retry_after(1));
    }
    Ok(answer(&json!({ "ready": true })))
}

/// What runs.
pub(crate) async fn version() -> Reply {
    Ok(answer(&json!({ "name": "surety", "version": VERSION, "api": "v1" })))
}

/// What the node counts.
pub(crate) async fn metrics(State(app): Shared) -> Reply {
    if let Some(writer) = &app.writer {
        let load = writer.sequencer.load();
        let number = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        app.metrics.mempool_operations.set(number(load.operations));
        app.metrics.mempool_bytes.set(number(load.bytes));
        app.metrics.mempool_senders.set(number(load.senders));
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], app.metrics.text()).into_response())
}

/// The description of the API.
pub(crate) async fn openapi() -> Reply {
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], OPENAPI).into_response())
}

/// How the ledger started.
pub(crate) async fn genesis(State(app): Shared) -> Reply {
    app.read(|app| {
        let mut genesis = object(&app.genesis);
        // It may have thousands of opening operations, which are in block 0.
        let opening =
            genesis.remove("opening").and_then(|opening| opening.as_array().map(Vec::len)).unwrap_or(0);
        Ok(answer(&json!({
            "digest": app.genesis_digest,
            "domain": app.domain_value(),
            "genesis": genesis,
            "opening_operations": opening,
        })))
    })
    .await
}

/// The names that this node knows.
pub(crate) async fn labels(State(app): Shared) -> Reply {
    let items: Vec<Value> =
        app.labels.iter().map(|(key, label)| json!({ "key": key, "label": label })).collect();
    Ok(answer(&json!({ "items": items })))
}

/// Where the node stands.
pub(crate) async fn status(State(app): Shared, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let head = app.heads.at(pinned.as_of)?;
        let next = head.state.epoch().next();
        let body = json!({
            "ledger": {
                "name": app.genesis.name,
                "chain_id": app.genesis.chain_id,
                "custody": app.genesis.custody,
                "digest": app.genesis_digest,
                "domain": app.domain_value(),
                "development": app.genesis.protocol.development,
                "start_ms": app.genesis.start_ms,
                "epoch_ms": app.genesis.epoch_ms,
            },
            "node": {
                "version": VERSION,
                "state": app.state_word(),
                "fault": app.fault.get(),
                "started_ms": app.started_ms,
                "clock": app.config.clock,
                "now_ms": app.clock.now_ms(),
                "epochs_behind": app.epochs_behind(),
            },
            "next_epoch": app.when(&head, Epoch::new(next.number())),
            "heights_held": app.held(),
            "store": app.reader.committed().map(|committed| json!({
                "height": committed.height,
                "state_root": format!("0x{}", hex::encode(committed.root)),
            })),
            "mempool": app.mempool(),
            "limits": {
                "body_bytes": app.config.http.body_bytes_max,
                "operation_bytes": app.config.http.body_bytes_max.max(app.config.http.operation_bytes_max),
                "page": app.config.http.page_max,
                "per_sender": app.config.mempool.per_sender_max,
                "operations_per_block": app.config.blocks.operations_max,
                "exit_percent": app.config.mempool.exit_percent,
            },
            "counts": query::ledger(&head.state).counts,
        });
        app.answer(&head, &body)
    })
    .await
}

impl App {
    /// How many epochs the clock is ahead of the newest block.
    pub(crate) fn epochs_behind(&self) -> u64 {
        let newest = self.heads.newest().header.time_ms;
        self.genesis.epoch_at(self.clock.now_ms()).saturating_sub(self.genesis.epoch_at(newest))
    }

    /// `running`, `reading` or `stopped`.
    pub(crate) fn state_word(&self) -> &'static str {
        match (self.fault.get(), self.config.role) {
            (Some(_), _) => "stopped",
            (None, Role::Sequence) => "running",
            (None, Role::Read) => "reading",
        }
    }

    /// What wallets are shown as the domain of a signature.
    pub(crate) fn domain_value(&self) -> Value {
        json!({ "chain_id": self.domain.chain_id, "custody": self.domain.custody, "ledger": self.domain.ledger })
    }

    fn held(&self) -> Value {
        let (from, to) = self.heads.span();
        json!({ "from": from, "to": to })
    }

    fn mempool(&self) -> Value {
        let load = self.writer.as_ref().map(|writer| writer.sequencer.load()).unwrap_or_default();
        json!({
            "operations": load.operations,
            "bytes": load.bytes,
            "senders": load.senders,
            "operations_max": self.config.mempool.operations_max,
            "bytes_max": self.config.mempool.bytes_max,
        })
    }
}

/// Nobody is to index a node.
pub(crate) async fn robots() -> impl IntoResponse {
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "User-agent: *\nDisallow: /\n")
}
