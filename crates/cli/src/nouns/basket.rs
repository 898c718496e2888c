//! `surety basket`: shares over shares of vaults.

use clap::{Args, Subcommand};

use super::{Paged, Pinned, path_of, with_query};
use crate::context::Context;
use crate::failure::Failure;
use crate::op::verb::{Basket as Noun, Under};
use crate::output::{Answer, Column, Section, Shape};
use crate::replay::Thing;

/// What is asked about baskets, or done with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List the baskets.
    List(Paged),
    /// Show a basket: what is in it, its prices and its doors.
    Show(Which),
    /// What shares of a basket take and give in kind.
    InKind(InKind),
    #[command(flatten)]
    Under(Under<Noun>),
}

/// Which basket.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// A name, a number or basket/N.
    basket: String,
    #[command(flatten)]
    pinned: Pinned,
}

/// How many shares of which basket.
#[derive(Debug, Args)]
pub(crate) struct InKind {
    /// A name, a number or basket/N.
    basket: String,
    /// How many shares of it.
    shares: String,
    #[command(flatten)]
    pinned: Pinned,
}

const LIST: [Column; 4] = [
    Column::thing(Thing::Basket, "basket", "/basket"),
    Column::plain("number", "/basket"),
    Column::plain("shares", "/supply"),
    Column::account("council", "/terms/council"),
];

const FIELDS: [Column; 8] = [
    Column::thing(Thing::Basket, "basket", "/basket"),
    Column::account("account", "/account"),
    Column::plain("share", "/share"),
    Column::plain("shares", "/supply"),
    Column::account("council", "/terms/council"),
    Column::account("prices reported by", "/terms/reporter"),
    Column::account("and accepted by", "/terms/acceptor"),
    Column::share("spread of its doors", "/terms/doors/spread"),
];

const LEGS: [Section; 1] = [Section {
    title: "What is in it",
    at: "/legs",
    columns: &[
        Column::thing(Thing::Vault, "vault", "/vault"),
        Column::plain("shares", "/held"),
        Column::plain("price at least", "/price/low"),
        Column::plain("at most", "/price/high"),
        Column::plain("reported", "/reported/price"),
        Column::plain("fallen", "/reported/is_fallen"),
        Column::plain("risen to", "/reported/risen"),
        Column::plain("may come in", "/inflow_room"),
    ],
    empty: "nothing",
}];

const IN_KIND: [Column; 3] = [
    Column::plain("shares", "/shares"),
    Column::words("minting takes", "/mint"),
    Column::words("redeeming gives", "/redeem"),
];

impl Verbs {
    /// Runs it.
    ///
    /// # Errors
    /// What the node says, and what sending says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::List(paged) => {
                let baskets = paged.list(context, "/v1/baskets", &LIST)?;
                Ok(baskets.where_empty("no basket yet; anyone opens one with surety basket create"))
            }
            Self::Show(Which { basket, pinned }) => {
                pinned.page(context, Thing::Basket, basket, Shape::Page(&FIELDS, &LEGS))
            }
            Self::InKind(InKind { basket, shares, pinned }) => {
                let path = format!("{}/in-kind", path_of(context, Thing::Basket, basket)?);
                let path = with_query(&path, &[("shares", Some(shares.clone()))]);
                Ok(Answer::new(pinned.get(context, &path)?, Shape::Page(&IN_KIND, &[])))
            }
            Self::Under(under) => under.run(context),
        }
    }
}
