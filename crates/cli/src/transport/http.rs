//! To a node over HTTP: no redirects, no proxy, no TLS, bounded in size and time.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use super::{Address, BODY_BYTES_MAX, Response, Transport};
use crate::exit::Exit;
use crate::failure::Failure;

/// How long it may take to reach the other machine.
const CONNECT: Duration = Duration::from_secs(5);

/// A node at an address.
pub(crate) struct Http {
    address: Address,
    agent: Agent,
    timeout_ms: u64,
}

impl Http {
    /// The node at an address; each answer may take so long.
    pub(crate) fn new(address: Address, timeout_ms: u64) -> Self {
        let timeout = Duration::from_millis(timeout_ms);
        let agent = config(Some(timeout)).new_agent();
        Self { address, agent, timeout_ms }
    }

    fn failure(&self, error: ureq::Error) -> Failure {
        let address = self.address.as_str();
        if let ureq::Error::Timeout(stage) = error {
            let what = format!("{address} did not answer within {}", crate::clock::span(self.timeout_ms));
            return Failure::new(Exit::Timeout, "timeout", what)
                .help("wait longer with --timeout; an operation that was on its way may have arrived: ask for it by its id")
                .why(format!("waited for: {stage}"));
        }
        Failure::new(Exit::Network, "network.unreachable", format!("cannot reach a node at {address}"))
            .why(error.to_string())
            .help("start one with surety run or surety demo, or name another with --node")
    }
}

fn config(timeout: Option<Duration>) -> ureq::config::Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .user_agent(concat!("surety/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(CONNECT))
        .timeout_global(timeout)
        .build()
}

impl Transport for Http {
    fn get(&self, path: &str) -> Result<Response, Failure> {
        let request = self.agent.get(self.address.join(path)).header("accept", "application/json");
        let response = request.call().map_err(|error| self.failure(error))?;
        self.read(response)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Response, Failure> {
        let bytes = serde_json::to_vec(body).expect("a document can be written");
        let request = self.agent.post(self.address.join(path));
        let request = request.header("accept", "application/json").header("content-type", "application/json");
        let response = request.send(bytes).map_err(|error| self.failure(error))?;
        self.read(response)
    }

    fn stream(&self, path: &str, behind: Option<&str>) -> Result<Box<dyn BufRead>, Failure> {
        // A stream lasts; only its beginning has a time.
        let agent = config(None).new_agent();
        let mut request = agent.get(self.address.join(path)).header("accept", "text/event-stream");
        if let Some(id) = behind {
            request = request.header("last-event-id", id);
        }
        let response = request.call().map_err(|error| self.failure(error))?;
        if !response.status().is_success() {
            let response = self.read(response)?;
            let parsed = serde_json::from_slice::<Value>(&response.body).ok();
            return Err(super::problem::failure(
                response.status,
                parsed.as_ref(),
                &format!("GET {path}"),
                &self.name(),
            ));
        }
        Ok(Box::new(BufReader::new(response.into_body().into_reader())))
    }

    fn name(&self) -> String {
        self.address.as_str().to_owned()
    }
}

impl Http {
    fn read(&self, mut response: ureq::http::Response<ureq::Body>) -> Result<Response, Failure> {
        let status = response.status().as_u16();
        let media_type = response.body().mime_type().unwrap_or_default().to_owned();
        let body = response.body_mut().with_config().limit(BODY_BYTES_MAX).read_to_vec();
        Ok(Response { status, media_type, body: body.map_err(|error| self.failure(error))? })
    }
}
