//! `surety ethereum`: how the chain is followed, and what is behind withdrawal addresses.

use clap::Subcommand;

use super::{Paged, Pinned};
use crate::context::Context;
use crate::failure::Failure;
use crate::op::verb::{Ethereum as Noun, Under};
use crate::output::{Answer, Column, Section, Shape};
use crate::replay::Thing;

/// What is asked about Ethereum, or told of it.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "one is made in a run")]
pub(crate) enum Command {
    /// Show which headers are final, how old the newest is, and whether a contradiction has stopped the chain.
    Status(Pinned),
    /// List the withdrawal addresses whose validators are restaked, and what they are worth.
    Pods(Paged),
    #[command(flatten)]
    Client(crate::ethereum::Command),
    #[command(flatten)]
    Under(Under<Noun>),
}

const FIELDS: [Column; 7] = [
    Column::plain("chain", "/number"),
    Column::plain("begun at", "/trusted"),
    Column::plain("fork", "/fork"),
    Column::plain("slot", "/slot"),
    Column::plain("period", "/period"),
    Column::plain("next committee is known", "/knows_next"),
    Column::plain("slots since the newest final one", "/age"),
];

const SECTIONS: [Section; 3] = [
    Section {
        title: "Final headers",
        at: "/headers",
        columns: &[
            Column::plain("slot", "/slot"),
            Column::plain("root", "/root"),
            Column::plain("block", "/block"),
            Column::plain("attested", "/is_attested"),
        ],
        empty: "none: bring the trusted block by surety ethereum begin",
    },
    Section {
        title: "What came in",
        at: "/flows",
        columns: &[
            Column::thing(Thing::Asset, "asset", "/asset"),
            Column::plain("period", "/period"),
            Column::amount("entered", "/entered", "/asset"),
            Column::amount("at most", "/per_period", "/asset"),
        ],
        empty: "",
    },
    Section {
        title: "Stopped by a contradiction",
        at: "/halts",
        columns: &[
            Column::plain("until epoch", "/until"),
            Column::plain("slot", "/slot"),
            Column::plain("accepted", "/accepted"),
            Column::plain("signed as well", "/claimed"),
        ],
        empty: "",
    },
];

const PODS: [Column; 9] = [
    Column::plain("pod", "/validator"),
    Column::account("account", "/account"),
    Column::plain("withdrawal address", "/pod"),
    Column::thing(Thing::Asset, "asset", "/asset"),
    Column::plain("validators", "/validators"),
    Column::amount("worth", "/balance", "/asset"),
    Column::amount("free", "/free", "/asset"),
    Column::plain("slot", "/slot"),
    Column::plain("stale from", "/stale_from"),
];

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the node says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Status(pinned) => {
                let document = pinned.get(context, "/v1/ethereum")?;
                let mut view = document.clone();
                // A section lists rows; there is one contradiction at most.
                if let serde_json::Value::Object(fields) = &mut view
                    && let Some(halt) = fields.get("halt").filter(|halt| !halt.is_null()).cloned()
                {
                    fields.insert("halts".to_owned(), serde_json::Value::Array(vec![halt]));
                }
                Ok(Answer::viewed(document, view, Shape::Page(&FIELDS, &SECTIONS)))
            }
            Self::Pods(paged) => paged.list(context, "/v1/pods", &PODS),
            Self::Client(client) => client.run(context),
            Self::Under(under) => under.run(context),
        }
    }
}
