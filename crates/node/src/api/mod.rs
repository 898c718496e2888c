//! The API: one handler for each route, all figures from `protocol::query`, all errors as problems.
//!
//! Reads run on threads of their own, on a state that nobody changes, so none waits for the sequencer and none keeps it waiting.

pub(crate) mod account;
pub(crate) mod blocks;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod lists;
pub(crate) mod meta;
pub(crate) mod operations;
pub(crate) mod prepare;
pub(crate) mod preview;
pub(crate) mod proofs;
pub(crate) mod records;
pub(crate) mod rpc;
pub(crate) mod slashes;
pub(crate) mod vaults;
pub(crate) mod webhooks;
pub(crate) mod when;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use ledger::{Head, Header};
use protocol::query;
use protocol::units::{Address, AssetId, Digest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::http::extract::cut;
use crate::http::problem::{Code, Problem};

/// What every handler returns.
pub(crate) type Reply = Result<Response, Problem>;
/// What every handler is given.
pub(crate) type Shared = axum::extract::State<Arc<App>>;

/// A read at a height.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pinned {
    /// The height to read at; the newest where it is left out.
    pub(crate) as_of: Option<u64>,
}

/// As of when an answer holds.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct AsOf {
    /// The height of the newest block.
    height: u64,
    /// The epoch.
    epoch: u32,
    /// The time of the block, in milliseconds since 1970.
    time_ms: u64,
    /// The digest of the block's header.
    #[cfg_attr(test, schemars(with = "String"))]
    digest: Digest,
    /// The root of the state after this block; none until the store has it, a moment later.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    state_root: Option<Digest>,
}

impl App {
    /// Does a read on a thread that may wait for a disk. Only so many are under way; who gives up while it waits for its turn costs nothing.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.read_within(&self.reads, read).await
    }

    /// Does a read that may wait long for something else, such as a proof. These have a number of their own, so that others go on.
    pub(crate) async fn read_slowly<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.read_within(&self.proofs, read).await
    }

    async fn read_within<T: Send + 'static>(
        self: &Arc<Self>,
        room: &Arc<Semaphore>,
        read: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let app = Arc::clone(self);
        let bug = || Problem::new(Code::Internal, "the request was not answered", "a read has panicked");
        let permit = Arc::clone(room).acquire_owned().await.map_err(|_| bug())?;
        let read = move || {
            let answer = read(&app);
            drop(permit);
            answer
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(result) => result,
            Err(_) => {
                self.metrics.panics.inc();
                Err(bug())
            }
        }
    }

    /// As of when an answer from this head holds.
    pub(crate) fn as_of(&self, head: &Head) -> AsOf {
        self.as_of_header(&head.header, head.digest)
    }

    /// As of when an answer holds that is about the history up to a block.
    pub(crate) fn as_of_header(&self, header: &Header, digest: Digest) -> AsOf {
        AsOf {
            height: header.height,
            epoch: u32::try_from(self.genesis.epoch_at(header.time_ms)).unwrap_or(u32::MAX),
            time_ms: header.time_ms,
            digest,
            state_root: self.reader.root_at(header.height),
        }
    }

    /// An answer of an object's fields, with when it holds and the decimals of the assets that it names.
    pub(crate) fn answer(&self, head: &Head, body: &impl Serialize) -> Reply {
        self.answer_as_of(self.as_of(head), head, body)
    }

    /// The same with another moment; the decimals are those of a state, and never change.
    pub(crate) fn answer_as_of(&self, as_of: AsOf, head: &Head, body: &impl Serialize) -> Reply {
        let answer = value(body);
        let mut decimals = BTreeMap::new();
        add_decimals(&answer, head, &mut decimals);
        let mut object = into_object(answer);
        // An asset has decimals of its own.
        if !decimals.is_empty() && !object.contains_key("decimals") {
            object.insert("decimals".to_owned(), value(&decimals));
        }
        object.insert("as_of".to_owned(), value(&as_of));
        Ok(json(&Value::Object(object)))
    }

    /// The account of an address or a label.
    pub(crate) fn address(&self, text: &str) -> Result<Address, Problem> {
        let text = self.labels.find("account", text).unwrap_or(text);
        if text.starts_with("0x") {
            return text.parse().map_err(|why: String| {
                Problem::new(Code::MalformedParameter, "the address can't be read", cut(&why))
            });
        }
        Err(unknown_name("account"))
    }

    /// The number of a thing, from its number or its label.
    pub(crate) fn number(&self, thing: &'static str, text: &str) -> Result<u32, Problem> {
        let text = self.labels.find(thing, text).unwrap_or(text);
        if text.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) {
            return text.parse().map_err(|_| {
                let cause = format!("an id is a number from 0 to {}", u32::MAX);
                Problem::new(Code::MalformedParameter, format!("the id of the {thing} can't be read"), cause)
            });
        }
        Err(unknown_name(thing))
    }
}

fn unknown_name(thing: &str) -> Problem {
    let cause = "it is neither an address or a number nor one of this node's labels";
    Problem::new(Code::UnknownName, format!("no {thing} has that name"), cause)
}

/// There is no such thing.
pub(crate) fn not_found(thing: &str, height: u64) -> Problem {
    let cause = format!("the state of height {height} has none with that id");
    Problem::new(Code::NotFound, format!("there is no such {thing}"), cause)
}

/// Plain data as JSON.
pub(crate) fn value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).expect("what the API answers is plain data")
}

/// Plain data as an object; what is none stands under `value`.
pub(crate) fn object(data: &impl Serialize) -> Map<String, Value> {
    into_object(value(data))
}

fn into_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

/// A JSON answer.
pub(crate) fn json(value: &Value) -> Response {
    let body = serde_json::to_vec(value).expect("a value is always written");
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// The fields that hold the number of an asset.
const ASSET_FIELDS: [&str; 3] = ["asset", "token", "deposit_asset"];

/// Notes the decimals of every asset that a value names.
fn add_decimals(value: &Value, head: &Head, decimals: &mut BTreeMap<u32, u8>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| add_decimals(item, head, decimals)),
        Value::Object(fields) => {
            for (name, field) in fields {
                let number = field.as_u64().and_then(|number| u32::try_from(number).ok());
                match number.filter(|_| ASSET_FIELDS.contains(&name.as_str())) {
                    Some(number) if !decimals.contains_key(&number) => {
                        let asset = query::asset(&head.state, AssetId::new(number));
                        decimals.extend(asset.map(|asset| (number, asset.decimals)));
                    }
                    Some(_) => {}
                    None => add_decimals(field, head, decimals),
                }
            }
        }
        _ => {}
    }
}
