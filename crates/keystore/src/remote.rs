//! A signer that another program keeps, asked over HTTP as Web3Signer is.
//!
//! `GET /api/v1/eth1/publicKeys` lists the keys, and `POST /api/v1/eth1/sign/{key}` with `{"data": "0x…"}` signs the Keccak-256 of the
//! data. The data are the 66 bytes whose hash is that of the typed data. What comes back is verified: a service can refuse to sign, and
//! nothing else.
//!
//! There is no TLS here. A service on another machine is reached through a tunnel, which also says who may ask it.
//!
//! Source: the OpenAPI of Web3Signer, <https://consensys.github.io/web3signer/web3signer-eth1.html>.

use std::time::Duration;

use evidence::{PublicKey, Scheme};
use signing::bundle::Who;
use signing::{Domain, Draft, Seal, Signature, key_of, signing_preimage};
use ureq::Agent;

use crate::signer::{Signer, SignerError};

/// The longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;
/// How long a request may take as a whole.
const TIME_MAX: Duration = Duration::from_secs(15);

/// A key of a signing service.
#[derive(Clone, Debug)]
pub struct RemoteSigner {
    agent: Agent,
    /// Without a slash at its end.
    url: String,
    /// How the service calls the key.
    identifier: String,
    public_key: PublicKey,
}

impl RemoteSigner {
    /// Finds a key, by itself or by its address, among those of the service at `url` (`http://host:port`, perhaps with a path).
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn connect(url: &str, who: &Who) -> Result<Self, RemoteError> {
        Self::connect_within(url, who, TIME_MAX)
    }

    /// The same, with another limit on the time that a request may take.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn connect_within(url: &str, who: &Who, time: Duration) -> Result<Self, RemoteError> {
        let url = url.trim_end_matches('/').to_owned();
        if !url.starts_with("http://") {
            return Err(RemoteError::NotHttp { url });
        }
        // No proxy of the environment, since this is between two programs of one owner; no redirects, since nothing here moves.
        let config = Agent::config_builder()
            .timeout_global(Some(time))
            .max_redirects(0)
            .proxy(None)
            .http_status_as_error(false)
            .user_agent("surety")
            .build();
        let agent = Agent::new_with_config(config);
        let text = read(&url, agent.get(format!("{url}/api/v1/eth1/publicKeys")).call())?;
        let identifiers: Vec<String> = serde_json::from_str(&text).map_err(|error| RemoteError::Answer {
            url: url.clone(),
            why: format!("its keys are no list of texts: {error}"),
        })?;
        let found = identifiers.iter().find_map(|identifier| {
            let key = parse_key(identifier).filter(|key| who.is(key))?;
            Some((identifier.clone(), key))
        });
        match found {
            Some((identifier, public_key)) => Ok(Self { agent, url, identifier, public_key }),
            None => Err(RemoteError::NoSuchKey { url, who: who.to_string(), keys: identifiers.len() }),
        }
    }

    /// Where the service is.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn ask(&self, domain: &Domain, draft: &Draft, nonce: u64) -> Result<Seal, RemoteError> {
        let data = hex::encode(signing_preimage(domain, draft, nonce));
        let answer = self
            .agent
            .post(format!("{}/api/v1/eth1/sign/{}", self.url, self.identifier))
            .content_type("application/json")
            .send(format!(r#"{{"data":"0x{data}"}}"#));
        let text = read(&self.url, answer)?;
        let bad = |why: String| RemoteError::Answer { url: self.url.clone(), why };
        let signature = parse_signature(&text).map_err(bad)?;
        let seal = Seal { nonce, signature: Signature::Secp256k1(signature) };
        match key_of(domain, draft, &seal) {
            Ok(key) if key == self.public_key => Ok(seal),
            Ok(key) => Err(bad(format!("its signature is by {key} instead of {}", self.public_key))),
            Err(error) => Err(bad(format!("its signature is not valid: {error}"))),
        }
    }
}

impl Signer for RemoteSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn seal(&self, domain: &Domain, draft: &Draft, nonce: u64) -> Result<Seal, SignerError> {
        Ok(self.ask(domain, draft, nonce)?)
    }
}

/// The text of an answer that says yes.
fn read(
    url: &str,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<String, RemoteError> {
    let unreachable =
        |error: ureq::Error| RemoteError::Unreachable { url: url.to_owned(), why: error.to_string() };
    let mut answer = answer.map_err(unreachable)?;
    let status = answer.status().as_u16();
    let text =
        answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(unreachable)?;
    if status != 200 {
        let text = printable(&text);
        return Err(RemoteError::Refused { url: url.to_owned(), status, text });
    }
    Ok(text)
}

/// So much of a service's words as a message has room for, without what could move a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(200).collect()
}

/// A secp256k1 key as services write it: 64 bytes `x || y`, 65 with a 4 before, or 33 compressed.
fn parse_key(text: &str) -> Option<PublicKey> {
    let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok()?;
    let compress = |x: &[u8], y: &[u8]| -> Option<Vec<u8>> {
        let sign = 2_u8.checked_add(y.last()? & 1)?;
        Some([&[sign], x].concat())
    };
    let compressed = match bytes.as_slice() {
        point @ [2 | 3, ..] if point.len() == 33 => point.to_vec(),
        [4, x_and_y @ ..] if x_and_y.len() == 64 => compress(x_and_y.get(..32)?, x_and_y.get(32..)?)?,
        x_and_y if x_and_y.len() == 64 => compress(x_and_y.get(..32)?, x_and_y.get(32..)?)?,
        _ => return None,
    };
    PublicKey::new(Scheme::Secp256k1, &compressed).ok()
}

/// `0x` and the 65 bytes of `r || s || v`. Some services count `v` from 0.
fn parse_signature(text: &str) -> Result<[u8; 65], String> {
    let text = text.trim().trim_matches('"');
    let mut signature = [0; 65];
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut signature)
        .map_err(|_| format!("{:?} is not 65 bytes as hex digits", printable(text)))?;
    if let Some(v @ (0 | 1)) = signature.last_mut() {
        *v = v.saturating_add(27);
    }
    Ok(signature)
}

/// Why a signing service gave no seal.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The address is none of `http://`.
    #[error(
        "{url:?} does not begin with http://; reach a signer on another machine through a tunnel, such as ssh -L"
    )]
    NotHttp {
        /// What was given.
        url: String,
    },
    /// Nobody answers, in time and in the limits.
    #[error("the signer at {url} does not answer: {why}; is it running, and is the address right?")]
    Unreachable {
        /// Where.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// It says no.
    #[error("the signer at {url} refuses with status {status}: {text}")]
    Refused {
        /// Where.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What it says, cut.
        text: String,
    },
    /// It does not have the key.
    #[error("the signer at {url} has {keys} keys, and {who} is none of them")]
    NoSuchKey {
        /// Where.
        url: String,
        /// Who was asked for.
        who: String,
        /// How many keys it has.
        keys: usize,
    },
    /// What it answers is none.
    #[error("the signer at {url} answers wrongly: {why}")]
    Answer {
        /// Where.
        url: String,
        /// What is wrong.
        why: String,
    },
}

#[cfg(test)]
mod tests;
