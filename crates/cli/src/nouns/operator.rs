//! `surety operator`.

use clap::{Args, Subcommand};

use super::{Paged, Pinned};
use crate::context::Context;
use crate::failure::Failure;
use crate::op::verb::{Operator as Noun, Under};
use crate::output::{Answer, Column, Section, Shape};
use crate::replay::Thing;

/// What is asked about operators, or done by them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the operators.
    List(Paged),
    /// Show an operator: its pools, its sets, what it has to do.
    Show(Which),
    /// List the pools.
    Pools(Paged),
    /// Show a pool: what it holds, who may slash it, what its delegators have signed for.
    Pool(WhichPool),
    #[command(flatten)]
    Under(Under<Noun>),
}

/// Which operator.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// A name, a number or op/N.
    operator: String,
    #[command(flatten)]
    pinned: Pinned,
}

/// Which pool.
#[derive(Debug, Args)]
pub(crate) struct WhichPool {
    /// A name, a number or pool/N.
    pool: String,
    #[command(flatten)]
    pinned: Pinned,
}

const LIST: [Column; 4] = [
    Column::thing(Thing::Operator, "operator", "/operator"),
    Column::plain("number", "/operator"),
    Column::account("account", "/account"),
    Column::plain("retired", "/is_retired"),
];

const FIELDS: [Column; 9] = [
    Column::thing(Thing::Operator, "operator", "/operator"),
    Column::plain("number", "/operator"),
    Column::account("account", "/account"),
    Column::plain("retired", "/is_retired"),
    Column::plain("client", "/groups/client"),
    Column::plain("cloud", "/groups/cloud"),
    Column::plain("custody", "/groups/custody"),
    Column::plain("code", "/groups/code"),
    Column::thing(Thing::Request, "open requests", "/requests"),
];

const POOLS: [Column; 9] = [
    Column::thing(Thing::Pool, "pool", "/pool"),
    Column::thing(Thing::Operator, "operator", "/operator"),
    Column::thing(Thing::Asset, "asset", "/asset"),
    Column::amount("bonded", "/bonded", "/asset"),
    Column::amount("joining", "/joining", "/asset"),
    Column::amount("leaving", "/leaving", "/asset"),
    Column::amount("bond", "/bond", "/asset"),
    Column::share("worst case", "/worst_case"),
    Column::share("commission", "/commission"),
];

const SECTIONS: [Section; 3] = [
    Section { title: "Pools", at: "/pools", columns: &POOLS, empty: "no pool" },
    Section {
        title: "Sets",
        at: "/sets",
        columns: &[
            Column::thing(Thing::Set, "set", "/set"),
            Column::thing(Thing::Service, "service", "/service"),
            Column::plain("weight", "/weight"),
            Column::share("share", "/share"),
            Column::share("performance", "/performance"),
            Column::plain("left in epoch", "/left"),
            Column::plain("jailed until", "/jailed_until"),
            Column::digest("consent to", "/consent_to"),
            Column::plain("consent by epoch", "/consent_by"),
        ],
        empty: "in no set",
    },
    Section {
        title: "Commission is split",
        at: "/split",
        columns: &[Column::account("account", "/account"), Column::share("share", "/share")],
        empty: "",
    },
];

const POOL: [Column; 16] = [
    Column::thing(Thing::Pool, "pool", "/pool"),
    Column::thing(Thing::Operator, "operator", "/operator"),
    Column::thing(Thing::Asset, "asset", "/asset"),
    Column::amount("held", "/held", "/asset"),
    Column::amount("bonded", "/bonded", "/asset"),
    Column::amount("joining", "/joining", "/asset"),
    Column::amount("leaving", "/leaving", "/asset"),
    Column::amount("bond", "/bond", "/asset"),
    Column::share("worst case", "/worst_case"),
    Column::share("commission", "/commission"),
    Column::share("mandate: worst case", "/mandate/worst_case"),
    Column::share("mandate: elsewhere", "/mandate/elsewhere"),
    Column::share("mandate: own verifiers", "/mandate/own_verifiers"),
    Column::plain("mandate: uncertified", "/mandate/uncertified"),
    Column::share("mandate: commission", "/mandate/commission"),
    Column::plain("mandate digest", "/mandate_digest"),
];

const POOL_SECTIONS: [Section; 3] = [
    Section {
        title: "Sets that own parts",
        at: "/allocations",
        columns: &[
            Column::thing(Thing::Set, "set", "/set"),
            Column::plain("parts of 256", "/parts"),
            Column::plain("ordered", "/ordered"),
            Column::plain("slashable", "/slashable"),
        ],
        empty: "no set owns parts of it",
    },
    Section {
        title: "Bond",
        at: "/bonds",
        columns: &[
            Column::plain("amount", "/amount"),
            Column::plain("liable from", "/liable_from"),
            Column::plain("liable through", "/liable_through"),
            Column::plain("free at", "/free_at"),
        ],
        empty: "",
    },
    Section {
        title: "Announced commissions",
        at: "/commission_later",
        columns: &[Column::plain("from epoch", "/from"), Column::share("commission", "/value")],
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
            Self::List(paged) => {
                let operators = paged.list(context, "/v1/operators", &LIST)?;
                Ok(operators.where_empty("no operator yet; surety operator register makes one of an account"))
            }
            Self::Show(which) => {
                which.pinned.page(context, Thing::Operator, &which.operator, Shape::Page(&FIELDS, &SECTIONS))
            }
            Self::Pools(paged) => {
                let pools = paged.list(context, "/v1/pools", &POOLS)?;
                Ok(pools.where_empty("no pool yet; an operator opens one with surety operator open-pool"))
            }
            Self::Pool(which) => {
                which.pinned.page(context, Thing::Pool, &which.pool, Shape::Page(&POOL, &POOL_SECTIONS))
            }
            Self::Under(under) => under.run(context),
        }
    }
}
