//! To a ledger in a folder on which no node runs: a node without a listener, in this process.
//!
//! Reading opens the ledger as it is and makes no block. Only when an operation is sent, or an entry is to be proven, does the node sequence, for as
//! long as the command lasts.

use std::cell::RefCell;
use std::io::BufRead;
use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use http_body_util::{BodyExt, Limited};
use ledger::files::LockError;
use node::config::Role;
use node::{Config, Node, StartError};
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use super::{Address, BODY_BYTES_MAX, Http, Response, Transport};
use crate::exit::Exit;
use crate::failure::Failure;

/// A node in this process.
pub(crate) struct InProcess {
    config: Config,
    timeout: Duration,
    /// Before the runtime, since it must end first.
    node: RefCell<Option<(Role, Node)>>,
    runtime: Runtime,
}

impl InProcess {
    /// Opens the ledger of a configuration; where a node runs on it already, the way leads to that node.
    ///
    /// # Errors
    /// If there is no ledger, or it can't be opened.
    pub(crate) fn open(config: Config, timeout_ms: u64) -> Result<Box<dyn Transport>, Failure> {
        let folder = config.folder.clone();
        if !folder.join(ledger::format::GENESIS_FILE).is_file() {
            return Err(no_ledger(&folder));
        }
        let runtime = crate::run::runtime()?;
        let timeout = Duration::from_millis(timeout_ms);
        let transport = Self { config, timeout, node: RefCell::new(None), runtime };
        match transport.start(Role::Read) {
            Ok(()) => Ok(Box::new(transport)),
            Err(StartError::Locked(LockError::Locked { .. })) => match running_at(&folder) {
                Some(address) => Ok(Box::new(Http::new(address, timeout_ms))),
                None => Err(Failure::new(
                    Exit::Storage,
                    "storage.locked",
                    format!("the folder {} is open in another process", folder.display()),
                )
                .why("it is no node that answers, or it is just starting")
                .help("wait until it has ended, or name its address with --node")),
            },
            Err(error) => Err(crate::run::failure(&error)),
        }
    }

    fn start(&self, role: Role) -> Result<(), StartError> {
        // The one before lets go of the folder first.
        drop(self.node.borrow_mut().take());
        let config = Config { role, listen: None, ..self.config.clone() };
        let _entered = self.runtime.enter();
        let node = Node::start(config)?;
        *self.node.borrow_mut() = Some((role, node));
        Ok(())
    }

    /// Makes sure that the node makes blocks, where the request sends an operation, or asks for a proof of an entry: a state is claimed by the header of a
    /// later block, and one on which nothing follows waits for an empty one.
    fn ready_for(&self, method: &str, path: &str) -> Result<(), Failure> {
        let (route, query) = path.split_once('?').unwrap_or((path, ""));
        let sends = method == "POST" && route == "/v1/operations";
        let sends = sends || (route.starts_with("/v1/entries/") && query.contains("proof=1"));
        let is_sequencing = self.node.borrow().as_ref().is_some_and(|(role, _)| *role == Role::Sequence);
        if sends && !is_sequencing {
            self.start(Role::Sequence).map_err(|error| crate::run::failure(&error))?;
        }
        Ok(())
    }

    fn request(&self, method: &str, path: &str, body: Body) -> Result<Response, Failure> {
        self.ready_for(method, path)?;
        let bug = |why: String| {
            Failure::new(Exit::Network, "network.in-process", "the node in this process did not answer")
                .why(why)
        };
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(body)
            .map_err(|error| bug(error.to_string()))?;
        let node = self.node.borrow();
        let (_, node) = node.as_ref().ok_or_else(|| bug("it has not started".to_owned()))?;
        let router = node.router();
        let limit = usize::try_from(BODY_BYTES_MAX).unwrap_or(usize::MAX);
        let answering = async {
            let response = router.oneshot(request).await.map_err(|error| bug(error.to_string()))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, limit).collect().await.map_err(|error| bug(error.to_string()))?;
            let media_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok());
            let media_type = media_type.and_then(|text| text.split(';').next()).unwrap_or_default();
            Ok(Response {
                status: parts.status.as_u16(),
                media_type: media_type.to_owned(),
                body: body.to_bytes().to_vec(),
            })
        };
        // A timeout belongs to the runtime in which it is made.
        let answered = self.runtime.block_on(async { tokio::time::timeout(self.timeout, answering).await });
        answered.unwrap_or_else(|_| {
            let span = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
            let what = format!("no answer within {}", crate::clock::span(span));
            Err(Failure::new(Exit::Timeout, "timeout", what).help("wait longer with --timeout"))
        })
    }
}

impl Transport for InProcess {
    fn get(&self, path: &str) -> Result<Response, Failure> {
        self.request("GET", path, Body::empty())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Response, Failure> {
        self.request("POST", path, Body::from(body.to_string()))
    }

    /// Nothing happens on a ledger at rest.
    fn stream(&self, _: &str, _: Option<&str>) -> Result<Box<dyn BufRead>, Failure> {
        let folder = self.config.folder.display();
        let what = format!("no node runs on {folder}, so nothing happens in it");
        let help =
            format!("start one with surety run --data {folder}; surety account history shows what happened");
        Err(Failure::new(Exit::Network, "network.at-rest", what).help(help))
    }

    fn name(&self) -> String {
        format!("the ledger in {}", self.config.folder.display())
    }
}

/// There is no ledger in that folder.
pub(crate) fn no_ledger(folder: &Path) -> Failure {
    let what = format!("there is no ledger in {}", folder.display());
    Failure::new(Exit::Storage, "storage.no-ledger", what)
        .help("name another folder with --data, or begin a ledger with surety init")
}

/// Where the node that has the folder open answers, if it says so.
pub(crate) fn running_at(folder: &Path) -> Option<Address> {
    let note = std::fs::read(folder.join(node::SERVING_FILE)).ok()?;
    let note: Value = serde_json::from_slice(&note).ok()?;
    Address::parse(note.get("url")?.as_str()?).ok()
}
