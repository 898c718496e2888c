//! Entries of the state, with proofs that anybody can check offline, and answers with the proofs of the entries that they are made of.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use ledger::{EntryStatement, Head, Proof};
use protocol::entries::Key;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reply, Shared, json as answer, value};
use crate::app::App;
use crate::http::extract::{Path, Query, cut};
use crate::http::problem::{Code, Problem};

/// How long a proof may wait for the header that completes it.
const PROOF_WAIT: Duration = Duration::from_secs(5);
/// The most entries that an answer is proven with.
const ENTRIES_MAX: usize = 256;
/// The most bytes of the entries and proofs of an answer.
const BYTES_MAX: usize = 4 << 20;
/// How often an answer is proven anew whose entries have become others meanwhile.
const TRIES: u32 = 3;

/// How an entry, or an answer that is made of entries, is read.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Proving {
    /// 1: with a proof. The proof is of a moment of its own, named in it, at or before the newest block.
    #[cfg_attr(test, schemars(range(max = 1)))]
    pub(crate) proof: Option<u8>,
    /// The height to read at; not together with `proof`.
    pub(crate) as_of: Option<u64>,
}

impl Proving {
    /// Whether proofs are asked for.
    ///
    /// # Errors
    /// What can't be asked for, alone or together.
    fn is_wanted(self) -> Result<bool, Problem> {
        match (self.proof.unwrap_or(0), self.as_of) {
            (0, _) => Ok(false),
            (1, None) => Ok(true),
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
}

/// What a read has found.
pub(crate) struct Found {
    /// The answer.
    pub(crate) body: Value,
    /// The entries that it is made of.
    pub(crate) keys: Vec<Key>,
}

/// An entry of the state as it is stored: its canonical bytes, or `null` where there is none.
pub(crate) async fn entry(State(app): Shared, path: Path, Query(proving): Query<Proving>) -> Reply {
    let key = path.text("key").parse::<Key>().map_err(|why| {
        Problem::new(Code::MalformedParameter, "the key can't be read", cut(&why.to_string()))
    })?;
    if proving.is_wanted()? {
        return app.read_slowly(move |app| prove(app, &key)).await;
    }
    app.read(move |app| {
        let head = app.heads.at(proving.as_of)?;
        let bytes = head.state.entry(&key).map(|bytes| format!("0x{}", hex::encode(bytes)));
        app.answer(&head, &json!({ "key": key.to_string(), "value": bytes }))
    })
    .await
}

fn prove(app: &App, key: &Key) -> Reply {
    let proof = app.reader.prove(key, app.patience()).map_err(|fault| app.fault(&fault))?;
    Ok(answer(&value(&proof)))
}

impl App {
    /// How long a proof may wait. Where nobody makes blocks, no header will come that claims the newest state.
    fn patience(&self) -> Duration {
        match &self.writer {
            Some(writer) => {
                writer.sequencer.nudge();
                PROOF_WAIT
            }
            None => Duration::ZERO,
        }
    }

    /// Answers a read at a height, or with proofs.
    pub(crate) async fn read_or_prove(
        self: &Arc<Self>,
        proving: Proving,
        read: impl Fn(&Self, &Head) -> Result<Found, Problem> + Send + 'static,
    ) -> Reply {
        if proving.is_wanted()? {
            return self.read_slowly(move |app| app.proven(&read)).await;
        }
        self.read(move |app| {
            let head = app.heads.at(proving.as_of)?;
            let found = read(app, &head)?;
            app.answer(&head, &found.body)
        })
        .await
    }

    /// The answer as of the moment of the proofs: it is made of the state that they prove.
    fn proven(&self, read: &impl Fn(&Self, &Head) -> Result<Found, Problem>) -> Reply {
        let mut keys = read(self, &self.heads.newest())?.keys;
        for _ in 0..TRIES {
            if keys.len() > ENTRIES_MAX {
                return Err(too_much(&format!(
                    "{} entries, and {ENTRIES_MAX} are proven at once",
                    keys.len()
                )));
            }
            let proofs = self.reader.prove_all(&keys, self.patience()).map_err(|fault| self.fault(&fault))?;
            let bytes = |own: &EntryStatement| own.proof.len() + own.value.as_ref().map_or(0, Vec::len);
            let bytes: usize = proofs.iter().map(bytes).sum();
            if bytes > BYTES_MAX {
                return Err(too_much(&format!("{bytes} bytes, and {BYTES_MAX} are sent at once")));
            }
            let height = proofs.first().map(|proof| proof.header.executed_height);
            let head = self.heads.at(height)?;
            let found = read(self, &head)?;
            if found.keys == keys {
                let mut body = super::into_object(found.body);
                let proofs: Vec<Proof> = proofs.into_iter().map(Proof::Entry).collect();
                body.insert("proofs".to_owned(), value(&proofs));
                return self.answer(&head, &Value::Object(body));
            }
            // It is made of other entries than a moment ago.
            keys = found.keys;
        }
        let cause = "the answer is made of other entries each time that it is proven";
        Err(Problem::new(Code::Busy, "the proofs could not be finished", cause))
    }
}

fn too_much(what: &str) -> Problem {
    let cause = format!("the answer is made of {what}; ask for its entries one by one, at /v1/entries");
    Problem::new(Code::MalformedParameter, "`proof` can't be used for so large an answer", cause)
}
