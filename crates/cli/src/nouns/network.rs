//! `surety network`: where the network stands, and the rules in force.

use clap::Subcommand;

use super::Pinned;
use crate::context::Context;
use crate::failure::Failure;
use crate::op::verb::{Network as Noun, Under};
use crate::output::{Answer, Column, Section, Shape};

/// What is asked about the network, or done to its rules.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show how much more an attack costs than it brings.
    Show(Pinned),
    /// Show the parameters in force and announced, what is stopped, and how much of everything there is.
    Parameters(Pinned),
    #[command(flatten)]
    Under(Under<Noun>),
}

const FIELDS: [Column; 5] = [
    Column::plain("what an attack costs for each unit it brings, at best risk weights", "/certified"),
    Column::plain("the same at the declared risk weights (1 + gamma)", "/declared"),
    Column::plain("what sets fall short of the least slack, in ledger value (D)", "/shortfall"),
    Column::plain("meaning", "/meaning"),
    Column::plain("bound on a loss", "/bound"),
];

/// What the figures mean, in sentences.
const MEANING: &str = "above 1 an attack costs more than it brings; none while no set declares a profit";
const BOUND: &str =
    "a shock that takes the share psi of stake leads to a loss of at most (1 + 1/gamma) psi + D/gamma";

const PARAMETERS: [Column; 18] = [
    Column::plain("epoch", "/epoch"),
    Column::plain("unbonding (U)", "/parameters/unbonding"),
    Column::plain("slash window (W)", "/parameters/slash_window"),
    Column::plain("veto (V)", "/parameters/veto"),
    Column::plain("execution (X)", "/parameters/execution"),
    Column::plain("notice (N)", "/parameters/notice"),
    Column::plain("stale after (K)", "/parameters/stale_after"),
    Column::plain("grace (G)", "/parameters/grace"),
    Column::share("rates rise at most", "/parameters/rate_rise_max"),
    Column::plain("least slack", "/parameters/gamma_min"),
    Column::plain("deposit of a request", "/parameters/request_deposit"),
    Column::share("tip for executing", "/parameters/execution_tip"),
    Column::plain("deposit of an object", "/parameters/object_deposit"),
    Column::account("governor", "/genesis/governor"),
    Column::account("guardian", "/genesis/guardian"),
    Column::plain("development", "/genesis/development"),
    Column::plain("stopped", "/stops"),
    Column::words("counts", "/counts"),
];

const LATER: [Section; 2] = [
    Section {
        title: "Announced parameters",
        at: "/parameters_later",
        columns: &[Column::plain("from epoch", "/from"), Column::plain("parameters", "/value")],
        empty: "",
    },
    Section {
        title: "Announced figures of assets",
        at: "/assets_later",
        columns: &[Column::plain("from epoch", "/from"), Column::plain("figures", "/value")],
        empty: "",
    },
];

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the node says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Show(pinned) => {
                let document = pinned.get(context, "/v1/network")?;
                let mut view = document.clone();
                if let serde_json::Value::Object(fields) = &mut view {
                    fields.insert("meaning".to_owned(), MEANING.into());
                    fields.insert("bound".to_owned(), BOUND.into());
                }
                Ok(Answer::viewed(document, view, Shape::Page(&FIELDS, &[])))
            }
            Self::Parameters(pinned) => {
                let document = pinned.get(context, "/v1/parameters")?;
                Ok(Answer::new(document, Shape::Page(&PARAMETERS, &LATER)))
            }
            Self::Under(under) => under.run(context),
        }
    }
}
