//! The way to a node: over HTTP, or in this process where no node runs. Both answer the same paths with the same bodies.
//!
//! Nothing here knows what an answer means. It bounds size and time, and turns what is no answer, or an answer that says no, into a failure.

mod address;
mod http;
mod in_process;
mod problem;
#[cfg(test)]
mod recorded;

use std::io::BufRead;

use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) use address::Address;
pub(crate) use http::Http;
pub(crate) use in_process::{InProcess, no_ledger, running_at};
#[cfg(test)]
pub(crate) use recorded::Recorded;

/// The largest body that is read, in bytes.
const BODY_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What came back, whatever it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The media type, without parameters.
    pub(crate) media_type: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// A way to a node.
pub(crate) trait Transport {
    /// Asks for a path, which starts with a slash and may have a query.
    ///
    /// # Errors
    /// If nothing comes back, or not in time.
    fn get(&self, path: &str) -> Result<Response, Failure>;

    /// Sends a document to a path.
    ///
    /// # Errors
    /// If nothing comes back, or not in time. Then it is not known whether it arrived.
    fn post(&self, path: &str, body: &Value) -> Result<Response, Failure>;

    /// Opens a stream of events from behind the one of this number; it ends when the node ends it.
    ///
    /// # Errors
    /// If it can't be opened.
    fn stream(&self, path: &str, behind: Option<&str>) -> Result<Box<dyn BufRead>, Failure>;

    /// What messages call the other end.
    fn name(&self) -> String;
}

/// Asks for a document.
///
/// # Errors
/// What the transport says; what the node says, if it says no; that the answer is no JSON.
pub(crate) fn get(transport: &dyn Transport, path: &str) -> Result<Value, Failure> {
    let response = transport.get(path)?;
    document(&response, &format!("GET {path}"), &transport.name())
}

/// Sends a document and takes one back.
///
/// # Errors
/// As [`get`].
pub(crate) fn post(transport: &dyn Transport, path: &str, body: &Value) -> Result<Value, Failure> {
    let response = transport.post(path, body)?;
    document(&response, &format!("POST {path}"), &transport.name())
}

/// The body of a good answer as a document.
fn document(response: &Response, request: &str, name: &str) -> Result<Value, Failure> {
    let parsed = serde_json::from_slice::<Value>(&response.body);
    if !(200..300).contains(&response.status) {
        return Err(problem::failure(response.status, parsed.ok().as_ref(), request, name));
    }
    parsed.map_err(|error| {
        Failure::new(
            Exit::Network,
            "network.no-json",
            format!("{name} answered {request} with something that is no JSON"),
        )
        .why(error.to_string())
        .help("is there a node of surety at that address? surety status says who answers")
    })
}

/// The body of a good answer as text.
///
/// # Errors
/// As [`get`], but any text is good.
pub(crate) fn get_text(transport: &dyn Transport, path: &str) -> Result<String, Failure> {
    let response = transport.get(path)?;
    let (request, name) = (format!("GET {path}"), transport.name());
    if !(200..300).contains(&response.status) {
        let parsed = serde_json::from_slice::<Value>(&response.body);
        return Err(problem::failure(response.status, parsed.ok().as_ref(), &request, &name));
    }
    String::from_utf8(response.body).map_err(|_| {
        Failure::new(Exit::Network, "network.no-text", format!("{name} answered {request} with no text"))
    })
}

#[cfg(test)]
mod tests;
