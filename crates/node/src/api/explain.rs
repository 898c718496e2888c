//! How a figure comes about: its inputs and formulas, down to what is stored, at a height.

use axum::extract::State;
use protocol::query::{FIGURES, Figure, explain as explained};
use serde::Deserialize;
use serde_json::json;

use super::proofs::{Found, Proving};
use super::{Reply, Shared, not_found};
use crate::app::App;
use crate::http::extract::{Path, Query, cut};
use crate::http::problem::{Code, Problem};

/// What a figure is asked of: `/v1/explain` says what each needs.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Of {
    /// Whose: an address or a label.
    account: Option<String>,
    /// Which entry of stake.
    position: Option<u32>,
    /// Which set: its number or label.
    set: Option<String>,
    /// Which asset: its number or label.
    asset: Option<String>,
    /// Which token: its number or label.
    token: Option<String>,
    /// Which pool.
    pool: Option<String>,
    /// Which operator: its number or label.
    operator: Option<String>,
    /// Which service: its number or label.
    service: Option<String>,
    /// Which stream: its number or label.
    stream: Option<String>,
    /// Which request to slash: its number or label.
    request: Option<String>,
    /// Which slash.
    slash: Option<u32>,
    /// Which validator.
    validator: Option<u32>,
    /// Which vault: its number or label.
    vault: Option<String>,
    /// Which basket: its number or label.
    basket: Option<String>,
    /// Which history of slashes of a pool, at this height.
    history: Option<u32>,
    /// Which payment to an operator, at this height.
    payment: Option<u32>,
    /// Which epoch.
    epoch: Option<u32>,
    /// Which kind of offence: `equivocation`, `subjective` or `correlation`.
    kind: Option<String>,
    /// The height to read at; the newest where it is left out. Not together with `proof`.
    as_of: Option<u64>,
    /// 1: with proofs of the entries that it is made of. Then it is of the moment of the proofs, at or before the newest block.
    #[cfg_attr(test, schemars(range(max = 1)))]
    proof: Option<u8>,
}

/// How a figure comes about.
pub(crate) async fn explain(State(app): Shared, path: Path, Query(of): Query<Of>) -> Reply {
    let proving = Proving { proof: of.proof, as_of: of.as_of };
    app.read_or_prove(proving, move |app, head| {
        let figure = app.figure(path.text("figure"), &of)?;
        let explained =
            explained(&head.state, &figure).ok_or_else(|| not_found("figure", head.header.height))?;
        Ok(Found { body: super::value(&explained), keys: explained.entries() })
    })
    .await
}

/// The figures that can be explained.
pub(crate) async fn figures() -> Reply {
    Ok(super::json(&json!({ "items": FIGURES })))
}

impl App {
    fn figure(&self, name: &str, of: &Of) -> Result<Figure, Problem> {
        let Some(known) = FIGURES.iter().find(|known| known.figure == name) else {
            let names: Vec<&str> = FIGURES.iter().map(|known| known.figure).collect();
            let cause = format!("the figures are {}", names.join(", "));
            return Err(Problem::new(Code::NotFound, "there is no figure of that name", cause));
        };
        let mut question = String::new();
        for part in known.of {
            let value = self.part(part, of)?.ok_or_else(|| {
                let cause = format!("the figure {} is asked of: {}", known.figure, known.of.join(", "));
                Problem::new(Code::MalformedParameter, format!("`{part}` is missing"), cause)
            })?;
            let sign = if question.is_empty() { '?' } else { '&' };
            question.push_str(&format!("{sign}{part}={value}"));
        }
        format!("{name}{question}").parse().map_err(|why: String| {
            Problem::new(Code::MalformedParameter, "the question can't be read", cut(&why))
        })
    }

    /// A part of a question, with accounts and numbers for the labels in it.
    fn part(&self, part: &str, of: &Of) -> Result<Option<String>, Problem> {
        let number = |thing, text: &Option<String>| -> Result<Option<String>, Problem> {
            let number = text.as_deref().map(|text| self.number(thing, text)).transpose()?;
            Ok(number.map(|number| number.to_string()))
        };
        let plain = |number: Option<u32>| Ok(number.map(|number| number.to_string()));
        match part {
            "account" => {
                let account = of.account.as_deref().map(|text| self.address(text)).transpose()?;
                Ok(account.map(|account| account.to_string()))
            }
            "set" => number("set", &of.set),
            "asset" => number("asset", &of.asset),
            "token" => number("asset", &of.token),
            "pool" => number("pool", &of.pool),
            "operator" => number("operator", &of.operator),
            "service" => number("service", &of.service),
            "stream" => number("stream", &of.stream),
            "request" => number("request", &of.request),
            "vault" => number("vault", &of.vault),
            "basket" => number("basket", &of.basket),
            "position" => plain(of.position),
            "slash" => plain(of.slash),
            "validator" => plain(of.validator),
            "history" => plain(of.history),
            "payment" => plain(of.payment),
            "epoch" => plain(of.epoch),
            "kind" => Ok(of.kind.clone()),
            _ => Ok(None),
        }
    }
}
