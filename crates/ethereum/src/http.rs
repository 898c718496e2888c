//! One client of Ethereum over HTTP: no redirects, no proxy, no TLS, bounded in size and time.
//!
//! Whoever answers may be anybody, so nothing here says that an answer is true. That is the business of `evidence`.

use std::io::{Read as _, Write};
use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::Agent;

/// How long an upstream may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until it is reached.
    pub connect: Duration,
    /// Until the whole answer is there.
    pub answer: Duration,
    /// Until a whole state is there, which may have 500 MB.
    pub state: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(20),
            state: Duration::from_secs(1800),
        }
    }
}

/// Why an upstream gave no answer that could be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It can't be reached, or broke off.
    #[error("cannot be asked: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("did not answer in time ({0})")]
    Timeout(String),
    /// It says no.
    #[error("answered with status {0}")]
    Status(u16),
    /// The answer is of another kind than was asked for.
    #[error("answered with {actual:?} instead of {expected:?}")]
    MediaType {
        /// The kind asked for.
        expected: &'static str,
        /// The kind of the answer.
        actual: String,
    },
    /// The answer is larger than any right one.
    #[error("answered with more than {limit} bytes")]
    TooLarge {
        /// The most bytes that are read.
        limit: u64,
    },
    /// The answer is not in the form of its interface.
    #[error("answer has another form: {0}")]
    Form(String),
    /// The answer is an error of the interface.
    #[error("answered with error {code}: {message}")]
    Rpc {
        /// Its number.
        code: i64,
        /// Its text, cut.
        message: String,
    },
    /// What was downloaded can't be written.
    #[error("cannot be written: {0}")]
    Disk(String),
}

/// Why an address is none of an upstream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It needs TLS, which is not spoken here.
    #[error(
        "{0:?} needs TLS, which surety does not speak: name a client on your own network, or a proxy that speaks TLS"
    )]
    Tls(String),
    /// It is no address. Only its host is told: the rest may be a secret.
    #[error("{0:?} is not of the form http://HOST[:PORT][/PATH]")]
    Form(String),
}

/// A client of Ethereum, at its address.
pub(crate) struct Http {
    agent: Agent,
    base: String,
    name: String,
    patience: Patience,
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const BYTES: &str = "application/octet-stream";

impl Http {
    /// The client at an address.
    ///
    /// # Errors
    /// [`AddressError`]
    pub(crate) fn new(address: &str, patience: Patience) -> Result<Self, AddressError> {
        let form = || AddressError::Form(host(address.strip_prefix("http://").unwrap_or(address)));
        if address.starts_with("https://") {
            return Err(AddressError::Tls(host(address.trim_start_matches("https://"))));
        }
        let rest = address.strip_prefix("http://").ok_or_else(form)?;
        let name = host(rest);
        let is_text = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#?".contains(&byte);
        // What is no address is told when it is named, and not by an error that quotes all of it later.
        let is_address =
            address.parse::<ureq::http::Uri>().is_ok_and(|uri| uri.port_u16().is_some() == has_port(&name));
        if name.is_empty() || rest.contains('@') || !rest.bytes().all(is_text) || !is_address {
            return Err(form());
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("surety/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(patience.connect))
            .timeout_global(Some(patience.answer))
            .build()
            .new_agent();
        Ok(Self { agent, base: address.trim_end_matches('/').to_owned(), name, patience })
    }

    /// Host and port. The rest of an address may be a secret that somebody pays for.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Asks for a document of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Fault`]
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str, limit: u64) -> Result<T, Fault> {
        let request = self.agent.get(format!("{}{path}", self.base)).header("accept", JSON);
        json(request.call().map_err(fault)?, limit)
    }

    /// Sends a document and takes one back.
    ///
    /// # Errors
    /// [`Fault`]
    pub(crate) fn post<T: DeserializeOwned>(&self, body: &serde_json::Value, limit: u64) -> Result<T, Fault> {
        let request = self.agent.post(&self.base).header("accept", JSON).header("content-type", JSON);
        json(request.send(body.to_string().as_bytes()).map_err(fault)?, limit)
    }

    /// Takes bytes as they come, tells how many came, and returns their number.
    ///
    /// # Errors
    /// [`Fault`]
    pub(crate) fn download(
        &self,
        path: &str,
        limit: u64,
        to: &mut dyn Write,
        heard: &mut dyn FnMut(u64),
    ) -> Result<u64, Fault> {
        let request = self.agent.get(format!("{}{path}", self.base)).header("accept", BYTES);
        let request = request.config().timeout_global(Some(self.patience.state)).build();
        let response = request.call().map_err(fault)?;
        check(&response, BYTES)?;
        let mut source = response.into_body().into_with_config().limit(u64::MAX).reader();
        let (mut buffer, mut taken) = (vec![0; 1 << 16], 0_u64);
        loop {
            let length = source.read(&mut buffer).map_err(|error| fault(error.into()))?;
            taken = taken.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
            if taken > limit {
                return Err(Fault::TooLarge { limit });
            }
            let some = buffer.get(..length).unwrap_or_default();
            if some.is_empty() {
                return Ok(taken);
            }
            to.write_all(some).map_err(|error| Fault::Disk(error.to_string()))?;
            heard(taken);
        }
    }
}

/// Host and port of an address without its scheme, and without whoever's name and password stand before them.
fn host(rest: &str) -> String {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().to_owned()
}

/// Whether a host is followed by something that should be a port.
fn has_port(name: &str) -> bool {
    name.rsplit(']').next().is_some_and(|after| after.contains(':'))
}

fn check(response: &ureq::http::Response<ureq::Body>, expected: &'static str) -> Result<(), Fault> {
    if !response.status().is_success() {
        return Err(Fault::Status(response.status().as_u16()));
    }
    let actual = response.body().mime_type().unwrap_or_default();
    if actual.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(Fault::MediaType { expected, actual: cut(actual) })
}

fn json<T: DeserializeOwned>(mut response: ureq::http::Response<ureq::Body>, limit: u64) -> Result<T, Fault> {
    check(&response, JSON)?;
    let bytes = response.body_mut().with_config().limit(limit).read_to_vec().map_err(fault)?;
    serde_json::from_slice(&bytes).map_err(|error| Fault::Form(cut(&error.to_string())))
}

/// What somebody else wrote, short enough to be shown.
pub(crate) fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn fault(error: ureq::Error) -> Fault {
    match error {
        ureq::Error::Timeout(stage) => Fault::Timeout(stage.to_string()),
        ureq::Error::BodyExceedsLimit(limit) => Fault::TooLarge { limit },
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            Fault::Timeout(cut(&error.to_string()))
        }
        error => Fault::Unreachable(cut(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_or_refused_and_their_secrets_not_shown() {
        let name = |address: &str| Http::new(address, Patience::default()).map(|http| http.name().to_owned());
        assert_eq!(name("http://localhost:5052"), Ok("localhost:5052".into()));
        assert_eq!(name("http://10.0.0.1:8545/v3/secret/"), Ok("10.0.0.1:8545".into()));
        assert_eq!(name("https://example.org/key"), Err(AddressError::Tls("example.org".into())));
        for (bad, told) in [
            ("", ""),
            ("localhost:5052", "localhost:5052"),
            ("http://", ""),
            ("http:///path", ""),
            ("http://a:secret@host", "host"),
            ("http://host/secret b", "host"),
            ("http://host?secret", "host"),
            ("https:/host/secret", "https:"),
            ("http://host:99999/secret", "host:99999"),
            ("http://host:/secret", "host:"),
            ("http://[::1/secret", "[::1"),
        ] {
            assert_eq!(name(bad), Err(AddressError::Form(told.into())), "{bad}");
        }
        assert_eq!(name("http://[::1]:8545/secret"), Ok("[::1]:8545".into()));
        let tls =
            Http::new("https://me:secret@example.org/key", Patience::default()).err().unwrap().to_string();
        assert!(!tls.contains("secret") && !tls.contains("key"), "{tls}");
    }

    /// Nobody listens there. What is said about it goes into logs.
    #[test]
    fn what_an_address_hides_is_in_no_fault() {
        let patience = Patience {
            connect: Duration::from_millis(200),
            answer: Duration::from_millis(200),
            ..Patience::default()
        };
        for address in ["http://127.0.0.1:1/v3/secret", "http://127.0.0.1:1/%zz/secret"] {
            let http = Http::new(address, patience).unwrap();
            let fault = http.get::<serde_json::Value>("/eth", 10).unwrap_err().to_string();
            assert!(!fault.contains("secret"), "{fault}");
            let fault = http.post::<serde_json::Value>(&serde_json::json!({}), 10).unwrap_err().to_string();
            assert!(!fault.contains("secret"), "{fault}");
        }
    }
}
