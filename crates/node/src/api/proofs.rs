//! Entries of the state, with proofs that anybody can check offline.

use std::time::Duration;

use axum::extract::State;
use protocol::entries::Key;
use serde::Deserialize;
use serde_json::json;

use super::{Reply, Shared, json as answer, value};
use crate::app::App;
use crate::http::extract::{Path, Query, cut};
use crate::http::problem::{Code, Problem};

/// How long a proof may wait for the header that completes it.
const PROOF_WAIT: Duration = Duration::from_secs(5);

/// How an entry is read.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Proving {
    /// 1: with a proof. The proof is of a moment of its own, named in it, at or before the newest block.
    #[cfg_attr(test, schemars(range(max = 1)))]
    proof: Option<u8>,
    /// The height to read at; not together with `proof`.
    as_of: Option<u64>,
}

/// An entry of the state as it is stored: its canonical bytes, or `null` where there is none.
pub(crate) async fn entry(State(app): Shared, path: Path, Query(proving): Query<Proving>) -> Reply {
    let key = path.text("key").parse::<Key>().map_err(|why| {
        Problem::new(Code::MalformedParameter, "the key can't be read", cut(&why.to_string()))
    })?;
    match (proving.proof.unwrap_or(0), proving.as_of) {
        (0, as_of) => {
            app.read(move |app| {
                let head = app.heads.at(as_of)?;
                let bytes = head.state.entry(&key).map(|bytes| format!("0x{}", hex::encode(bytes)));
                app.answer(&head, &json!({ "key": key.to_string(), "value": bytes }))
            })
            .await
        }
        (1, None) => app.read_slowly(move |app| prove(app, &key)).await,
        (1, Some(_)) => {
            let cause = "a proof is of the newest state that a header claims";
            Err(Problem::new(Code::MalformedParameter, "`as_of` can't be used with `proof`", cause))
        }
        (other, _) => {
            let cause = format!("it is {other}, and must be 0 or 1");
            Err(Problem::new(Code::MalformedParameter, "`proof` can't be used", cause))
        }
    }
}

fn prove(app: &App, key: &Key) -> Reply {
    // Where nobody makes blocks, no header will come that claims the newest state.
    let limit = match &app.writer {
        Some(writer) => {
            writer.sequencer.nudge();
            PROOF_WAIT
        }
        None => Duration::ZERO,
    };
    let proof = app.reader.prove(key, limit).map_err(|fault| app.fault(&fault))?;
    Ok(answer(&value(&proof)))
}
