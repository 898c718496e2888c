//! `surety service`: services and their sets.

use clap::{Args, Subcommand};

use super::{Paged, Pinned, number, path_of, with_query};
use crate::context::Context;
use crate::failure::Failure;
use crate::op::verb::{Service as Noun, Under};
use crate::output::{Answer, Column, Section, Shape};
use crate::replay::Thing;

/// What is asked about services, or done by them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the services.
    List(Paged),
    /// Show a service and its sets.
    Show(Which),
    /// List the operator sets.
    Sets(Paged),
    /// Show an operator set: its terms, its operators, what it secures.
    Set(WhichSet),
    /// Show who counts how much in a set.
    Table(Table),
    /// List the streams that pay sets.
    Streams(Streams),
    #[command(flatten)]
    Under(Under<Noun>),
}

/// Which service.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// A name, a number or svc/N.
    service: String,
    #[command(flatten)]
    pinned: Pinned,
}

/// Which set.
#[derive(Debug, Args)]
pub(crate) struct WhichSet {
    /// A name, a number or set/N.
    set: String,
    #[command(flatten)]
    pinned: Pinned,
}

/// Which table.
#[derive(Debug, Args)]
pub(crate) struct Table {
    /// A name, a number or set/N.
    set: String,
    /// The epoch; otherwise the running one.
    #[arg(long, value_name = "NUMBER")]
    epoch: Option<u32>,
    #[command(flatten)]
    pinned: Pinned,
}

/// Which streams.
#[derive(Debug, Args)]
pub(crate) struct Streams {
    /// Only those that pay this set.
    #[arg(long)]
    set: Option<String>,
    #[command(flatten)]
    paged: Paged,
}

const LIST: [Column; 6] = [
    Column::thing(Thing::Service, "service", "/service"),
    Column::plain("number", "/service"),
    Column::account("account", "/account"),
    Column::thing(Thing::Set, "sets", "/sets"),
    Column::plain("operators", "/operators"),
    Column::plain("profit (ledger value)", "/profit"),
];

const SETS: [Column; 7] = [
    Column::thing(Thing::Set, "set", "/set"),
    Column::plain("number", "/set"),
    Column::thing(Thing::Service, "service", "/service"),
    Column::plain("weight", "/weight"),
    Column::plain("profit (ledger value)", "/profit"),
    Column::plain("slack", "/slack"),
    Column::plain("closed", "/is_closed"),
];

const SET: [Column; 23] = [
    Column::thing(Thing::Set, "set", "/set"),
    Column::plain("number", "/set"),
    Column::thing(Thing::Service, "service", "/service"),
    Column::account("account", "/account"),
    Column::plain("closed", "/is_closed"),
    Column::share("equivocation costs", "/terms/offences/equivocation"),
    Column::share("a reason costs up to", "/terms/offences/subjective"),
    Column::plain("correlation", "/terms/offences/correlation"),
    Column::share("window cap", "/terms/window_cap"),
    Column::plain("veto epochs", "/terms/veto"),
    Column::account("resolvers", "/terms/resolvers"),
    Column::plain("vetoes needed", "/veto_threshold"),
    Column::account("slasher", "/terms/slasher"),
    Column::plain("slashed stake goes to", "/terms/destinations"),
    Column::thing(Thing::Asset, "reward tokens", "/terms/reward_tokens"),
    Column::share("risk weight", "/terms/risk_weight"),
    Column::plain("weight", "/weight"),
    Column::plain("profit (ledger value)", "/profit"),
    Column::plain("secured (ledger value)", "/secured"),
    Column::plain("slack", "/slack"),
    Column::plain("under-collateralised since", "/under_since"),
    Column::plain("announced terms from epoch", "/pending/from"),
    Column::plain("terms digest", "/terms_digest"),
];

const SET_SECTIONS: [Section; 2] = [
    Section {
        title: "Assets that count",
        at: "/terms/assets",
        columns: &[Column::thing(Thing::Asset, "asset", "/asset"), Column::plain("weight", "/weight")],
        empty: "",
    },
    Section {
        title: "Operators",
        at: "/members",
        columns: &[
            Column::thing(Thing::Operator, "operator", "/operator"),
            Column::plain("weight", "/weight"),
            Column::share("share", "/share"),
            Column::share("performance", "/performance"),
            Column::plain("slashes in window", "/slashes_in_window"),
            Column::plain("jailed until", "/jailed_until"),
            Column::plain("left in epoch", "/left"),
        ],
        empty: "no operator",
    },
];

const TABLE: [Section; 1] = [Section {
    title: "Who counts how much",
    at: "/rows",
    columns: &[
        Column::thing(Thing::Operator, "operator", "/operator"),
        Column::plain("weight", "/weight"),
        Column::share("share", "/share"),
        Column::plain("keys", "/keys"),
    ],
    empty: "nobody",
}];

const STREAMS: [Column; 7] = [
    Column::thing(Thing::Stream, "stream", "/stream"),
    Column::thing(Thing::Set, "set", "/set"),
    Column::amount("per epoch", "/per_epoch", "/token"),
    Column::plain("from epoch", "/from"),
    Column::plain("to epoch", "/to"),
    Column::amount("locked", "/locked", "/token"),
    Column::account("funder", "/funder"),
];

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the node says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::List(paged) => {
                let services = paged.list(context, "/v1/services", &LIST)?;
                Ok(services.where_empty("no service yet; surety service create makes one of an account"))
            }
            Self::Show(which) => {
                which.pinned.page(context, Thing::Service, &which.service, Shape::Page(&LIST, &[]))
            }
            Self::Sets(paged) => {
                let sets = paged.list(context, "/v1/sets", &SETS)?;
                Ok(sets.where_empty("no operator set yet; a service opens one with surety service open-set"))
            }
            Self::Set(which) => {
                which.pinned.page(context, Thing::Set, &which.set, Shape::Page(&SET, &SET_SECTIONS))
            }
            Self::Table(table) => {
                let path = format!("{}/table", path_of(context, Thing::Set, &table.set)?);
                let path = with_query(&path, &[("epoch", table.epoch.map(|epoch| epoch.to_string()))]);
                Ok(Answer::new(table.pinned.get(context, &path)?, Shape::Page(&[], &TABLE)))
            }
            Self::Streams(streams) => {
                let filters = [("set", number(context, Thing::Set, streams.set.as_deref())?)];
                let document = streams.paged.get(context, "/v1/streams", &filters)?;
                let streams = Answer::new(document, Shape::List(&STREAMS));
                Ok(streams.where_empty("no stream; surety service stream opens one"))
            }
            Self::Under(under) => under.run(context),
        }
    }
}
