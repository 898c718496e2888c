//! `surety asset`.

use clap::{Args, Subcommand};

use super::{Paged, Pinned};
use crate::context::Context;
use crate::failure::Failure;
use crate::op::verb::{Asset as Noun, Under};
use crate::output::{Answer, Column, Shape};
use crate::replay::Thing;

/// What is asked about assets, or done with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the assets.
    List(Paged),
    /// Show an asset: where it comes from, its rate, and what came in and went out.
    Show(Which),
    #[command(flatten)]
    Under(Under<Noun>),
}

/// Which asset.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// A symbol, a number or asset/N.
    asset: String,
    #[command(flatten)]
    pinned: Pinned,
}

const LIST: [Column; 7] = [
    Column::thing(Thing::Asset, "asset", "/asset"),
    Column::plain("number", "/asset"),
    Column::plain("kind", "/kind"),
    Column::plain("decimals", "/decimals"),
    Column::plain("rate", "/rate"),
    Column::amount("supply", "/supply", "/asset"),
    Column::plain("origin", "/origin/contract"),
];

const FIELDS: [Column; 18] = [
    Column::thing(Thing::Asset, "asset", "/asset"),
    Column::plain("number", "/asset"),
    Column::plain("kind", "/kind"),
    Column::plain("chain", "/origin/chain"),
    Column::plain("contract", "/origin/contract"),
    Column::plain("decimals", "/decimals"),
    Column::plain("rate", "/rate"),
    Column::plain("rate comes from", "/rate_source"),
    Column::plain("rate raised in epoch", "/rate_raised"),
    Column::plain("value", "/value"),
    Column::amount("cap", "/cap", "/asset"),
    Column::amount("smallest stake", "/stake_min", "/asset"),
    Column::amount("supply", "/supply", "/asset"),
    Column::amount("deposited", "/deposited", "/asset"),
    Column::amount("withdrawn", "/withdrawn", "/asset"),
    Column::amount("burnt", "/burnt", "/asset"),
    Column::amount("gained", "/gained", "/asset"),
    Column::amount("lost", "/lost", "/asset"),
];

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the node says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::List(paged) => {
                let assets = paged.list(context, "/v1/assets", &LIST)?;
                Ok(assets.where_empty("no asset yet; anyone lists one with surety asset new"))
            }
            Self::Show(which) => {
                which.pinned.page(context, Thing::Asset, &which.asset, Shape::Page(&FIELDS, &[]))
            }
            Self::Under(under) => under.run(context),
        }
    }
}
