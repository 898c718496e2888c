//! Operations: sent in, and found again by their id.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ledger::{Outcome, Receipt, VerifyError};
use protocol::units::Digest;
use serde::Deserialize;
use serde_json::{Value, json};
use signing::{SIGNED_BYTES_MAX, json as form};

use super::{Reply, Shared, json as answer, not_found, value};
use crate::answer::{Answer, Barred, Placed, Rejected};
use crate::app::App;
use crate::http::extract::{Json, Path, Query, cut};
use crate::http::problem::{Code, Problem};
use crate::refused::is_final;

/// How long a sender waits for the outcome before it is told to look it up.
const WAIT: Duration = Duration::from_secs(10);

/// Whether the sender waits for the outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wait {
    /// Until the operation is in a block and executed.
    #[default]
    Applied,
    /// Not at all.
    None,
}

/// How an operation is sent in.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sending {
    /// Whether to wait for the outcome: `applied` (which is meant where it is left out) or `none`.
    wait: Wait,
}

/// Takes a signed operation: as JSON, or as its canonical bytes in `{"bytes": "0x.."}`. The same bytes always get the same answer.
pub(crate) async fn submit(
    State(app): Shared,
    Query(sending): Query<Sending>,
    Json(body): Json<Value>,
) -> Reply {
    let arrived = Instant::now();
    let writer = app.writer()?;
    let bytes = read_operation(&body)?;
    let id = id_of(&bytes);
    let answered = match writer.sequencer.join(&id) {
        Some(answered) => answered,
        None => writer.gate.submit(bytes),
    };
    if sending.wait == Wait::None {
        return accepted(&app, answered, &id).await;
    }
    match tokio::time::timeout(WAIT, answered).await {
        Ok(Ok(verdict)) => {
            app.metrics.outcome_seconds.observe(arrived.elapsed().as_secs_f64());
            conclude(&app, verdict, &id).await
        }
        Ok(Err(_)) => {
            let cause = "the node is ending, has met a bug, or too many ask for the same operation";
            Err(Problem::new(Code::Busy, "nobody knows the outcome here", cause)
                .remedy("look the operation up by its id")
                .retry_after(1)
                .with("id", value(&id)))
        }
        Err(_) => Ok((StatusCode::ACCEPTED, answer(&json!({ "id": id }))).into_response()),
    }
}

/// The answer for who does not wait: what is wrong with it at the door is known in a moment, and told.
async fn accepted(app: &Arc<App>, answered: tokio::sync::oneshot::Receiver<Answer>, id: &Digest) -> Reply {
    const DOOR: Duration = Duration::from_millis(250);
    match tokio::time::timeout(DOOR, answered).await {
        Ok(Ok(verdict @ (Answer::Barred(_) | Answer::Rejected(_) | Answer::Stopped(_)))) => {
            conclude(app, verdict, id).await
        }
        _ => Ok((StatusCode::ACCEPTED, answer(&json!({ "id": id }))).into_response()),
    }
}

/// The canonical bytes of what a client sends.
fn read_operation(body: &Value) -> Result<Vec<u8>, Problem> {
    let malformed =
        |cause: String| Problem::new(Code::MalformedOperation, "the operation can't be read", cut(&cause));
    let bytes = match body.as_object().and_then(|fields| fields.get("bytes").filter(|_| fields.len() == 1)) {
        Some(Value::String(text)) => {
            let digits =
                text.strip_prefix("0x").ok_or_else(|| malformed("`bytes` begins with 0x".to_owned()))?;
            hex::decode(digits).map_err(|error| malformed(error.to_string()))?
        }
        Some(_) => return Err(malformed("`bytes` is a text of 0x and hex digits".to_owned())),
        None => form::signed_from_json(body).map_err(|error| malformed(error.to_string()))?.encode(),
    };
    match bytes.len() > SIGNED_BYTES_MAX {
        true => Err(malformed(format!("it has {} bytes, more than {SIGNED_BYTES_MAX}", bytes.len()))),
        false => Ok(bytes),
    }
}

fn id_of(bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    Digest(sha2::Sha256::digest(bytes).into())
}

/// What the sender is told.
async fn conclude(app: &Arc<App>, verdict: Answer, id: &Digest) -> Reply {
    let problem = match verdict {
        Answer::Executed(placed) => return outcome(id, placed.receipt()),
        Answer::Barred(Barred::NoAuthority { code, text }) => {
            // What was executed before has used its nonce: then the answer is that of the first time.
            if let Some(placed) = find_final(app, *id).await? {
                return outcome(id, placed.receipt());
            }
            no_authority(code, text)
        }
        Answer::Expired { expires, now } => {
            if let Some(placed) = find_final(app, *id).await? {
                return outcome(id, placed.receipt());
            }
            let cause =
                format!("it expired at {expires}, and the ledger's time is {now} (milliseconds since 1970)");
            Problem::new(Code::Expired, "the operation is too late", cause)
        }
        Answer::Barred(Barred::Busy { waiting }) => {
            let cause = format!("{waiting} operations wait for their signatures to be verified");
            Problem::new(Code::Busy, "the operation was not taken", cause).retry_after(1)
        }
        Answer::Barred(Barred::Unread { why }) => {
            Problem::new(Code::Busy, "the operation was not taken", cut(&why)).retry_after(1)
        }
        Answer::Barred(Barred::Invalid(why)) => invalid(&why),
        Answer::Rejected(why) => rejected(why),
        Answer::Stopped(why) => Problem::new(Code::Stopped, "the operation was not taken", &*why),
    };
    app.metrics.reject(problem.code().name());
    Err(problem.with("id", value(id)))
}

/// Of a receipt: 200 for what was applied, and the refusal as a problem with the receipt beside it.
fn outcome(id: &Digest, receipt: &Receipt) -> Reply {
    match &receipt.outcome {
        Outcome::Applied { .. } => Ok(answer(&json!({ "id": id, "receipt": receipt }))),
        Outcome::Refused { code, text } => {
            let status = if is_conflict(code) { StatusCode::CONFLICT } else { Code::Refused.status() };
            Err(Problem::new(Code::Refused, "the operation is in a block, and was refused", text.as_str())
                .named(code.as_str())
                .status(status)
                .with("id", value(id))
                .with("receipt", value(receipt)))
        }
    }
}

/// Whether a refusal is about what came before, not about what is asked.
pub(crate) fn is_conflict(code: &str) -> bool {
    const CONFLICTS: [&str; 5] = [
        "authority.Expired",
        "authority.NonceOutsideWindow",
        "authority.NonceTooLow",
        "authority.NonceUsed",
        "authority.WrongNonce",
    ];
    CONFLICTS.contains(&code)
}

fn no_authority(code: String, text: String) -> Problem {
    let problem = Problem::new(Code::NoAuthority, "the operation was not taken", text);
    let problem = if is_conflict(&code) { problem.status(StatusCode::CONFLICT) } else { problem };
    problem.named(code)
}

fn invalid(why: &VerifyError) -> Problem {
    let code = match why {
        VerifyError::Decode(_) => Code::MalformedOperation,
        VerifyError::Seal(_) => Code::BadSignature,
        VerifyError::Plain => Code::Unsigned,
    };
    Problem::new(code, "the operation was not taken", cut(&why.to_string()))
}

fn rejected(why: Rejected) -> Problem {
    let taken = "the operation was not taken";
    match why {
        Rejected::Waiting => Problem::new(Code::Duplicate, taken, "it waits already"),
        Rejected::NonceTaken { nonce } => {
            let cause = format!("another operation of this sender with nonce {nonce} waits");
            Problem::new(Code::Duplicate, taken, cause)
        }
        Rejected::TooEarly { nonce } => {
            let cause = format!("nonce {nonce} is not the next, and too many others wait for their turn");
            Problem::new(Code::Busy, taken, cause).remedy("send those before it first").retry_after(1)
        }
        Rejected::Expired { expires, now } => {
            let cause = format!("it expired at {expires}, and the ledger's time is {now}");
            Problem::new(Code::Expired, taken, cause)
        }
        Rejected::SenderFull { limit } => {
            let cause = format!("{limit} operations of this sender wait");
            Problem::new(Code::AccountFull, taken, cause).retry_after(1)
        }
        Rejected::NewcomersFull { limit } => {
            let cause = format!("{limit} operations of senders that the ledger does not know wait");
            Problem::new(Code::Busy, taken, cause).retry_after(2)
        }
        Rejected::Full { waiting } => {
            let cause = format!("{waiting} operations wait; the rest of the room is for exits");
            Problem::new(Code::Busy, taken, cause).retry_after(1)
        }
    }
}

/// An operation that is in a block.
pub(crate) async fn find(app: &Arc<App>, id: Digest) -> Result<Option<Placed>, Problem> {
    app.read(move |app| app.find(&id)).await
}

impl App {
    fn find(&self, id: &Digest) -> Result<Option<Placed>, Problem> {
        let fault = |fault| self.fault(&fault);
        let Some((height, index)) = self.reader.find(id).map_err(fault)? else { return Ok(None) };
        let block = self.reader.executed(height).map_err(fault)?;
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        Ok(block.and_then(|block| Placed::new(block, index)))
    }
}

/// An operation that is in a block, with an answer that is the last.
async fn find_final(app: &Arc<App>, id: Digest) -> Result<Option<Placed>, Problem> {
    Ok(find(app, id).await?.filter(|placed| is_final(&placed.receipt().outcome)))
}

/// How an operation is looked up.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Lookup {
    /// 1: with a proof that the operation is in its block.
    #[cfg_attr(test, schemars(range(max = 1)))]
    proof: Option<u8>,
}

/// What became of an operation.
pub(crate) async fn operation(State(app): Shared, path: Path, Query(lookup): Query<Lookup>) -> Reply {
    let id: Digest = path
        .text("id")
        .parse()
        .map_err(|why: String| Problem::new(Code::MalformedParameter, "the id can't be read", cut(&why)))?;
    if let Some(placed) = find(&app, id).await? {
        return app.read(move |app| found(app, &id, &placed, lookup)).await;
    }
    let waits = app.writer.as_ref().is_some_and(|writer| writer.sequencer.holds(&id));
    if waits {
        return Ok(answer(&json!({ "id": id, "status": "waiting", "receipt": null })));
    }
    Err(not_found("operation", app.heads.newest().header.height)
        .remedy("an operation that was answered 202 may have expired before its turn; send it again"))
}

fn found(app: &App, id: &Digest, placed: &Placed, lookup: Lookup) -> Result<Response, Problem> {
    let receipt = placed.receipt();
    let status = match receipt.outcome {
        Outcome::Applied { .. } => "applied",
        Outcome::Refused { .. } => "refused",
    };
    let mut body = json!({
        "id": id,
        "status": status,
        "receipt": receipt,
        "block": { "digest": placed.block().digest, "time_ms": placed.block().header.time_ms },
    });
    if lookup.proof == Some(1) {
        let proof = app.reader.prove_operation(id).map_err(|fault| app.fault(&fault))?;
        if let Some(fields) = body.as_object_mut() {
            fields.insert("proof".to_owned(), value(&proof));
        }
    }
    Ok(answer(&body))
}
