//! `surety slash`.

use clap::{Args, Subcommand, ValueEnum};

use super::{Paged, Pinned, number};
use crate::context::Context;
use crate::failure::Failure;
use crate::op::verb::{Slash as Noun, Under};
use crate::output::{Answer, Column, Section, Shape};
use crate::replay::Thing;

/// What is asked about slashes, or done about them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List every slash that was ever asked for, the newest first: executed, vetoed, lapsed, open.
    List(Cases),
    /// Show an executed slash: the evidence, who lost what, where it went, what remains.
    Show(Which),
    /// List requests to slash.
    Requests(Requests),
    /// Show a request: why, who may veto, what it would take.
    RequestShow(WhichRequest),
    #[command(flatten)]
    Under(Under<Noun>),
}

/// What became of a slash.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    /// Nothing yet.
    Open,
    /// It was carried out.
    Executed,
    /// The resolvers said no.
    Vetoed,
    /// Nobody carried it out in time.
    Lapsed,
}

/// Which slashes.
#[derive(Debug, Args)]
pub(crate) struct Cases {
    /// Only those of this set.
    #[arg(long)]
    set: Option<String>,
    /// Only those against this operator.
    #[arg(long)]
    operator: Option<String>,
    /// Only those of which this became.
    #[arg(long, value_enum)]
    status: Option<Status>,
    #[command(flatten)]
    paged: Paged,
}

/// Which slash.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// A number or slash/N.
    slash: String,
    #[command(flatten)]
    pinned: Pinned,
}

/// Which request.
#[derive(Debug, Args)]
pub(crate) struct WhichRequest {
    /// A number or request/N.
    request: String,
    #[command(flatten)]
    pinned: Pinned,
}

/// Which requests.
#[derive(Debug, Args)]
pub(crate) struct Requests {
    /// Only those of this set.
    #[arg(long)]
    set: Option<String>,
    /// Only those against this operator.
    #[arg(long)]
    operator: Option<String>,
    /// Only those that are open.
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    paged: Paged,
}

const LIST: [Column; 11] = [
    Column::plain("case", "/case"),
    Column::plain("status", "/status"),
    Column::thing(Thing::Set, "set", "/set"),
    Column::thing(Thing::Operator, "operator", "/operator"),
    Column::plain("capture epoch", "/capture"),
    Column::share("asked", "/asked"),
    Column::share("taken", "/taken"),
    Column::thing(Thing::Request, "request", "/request"),
    Column::thing(Thing::Slash, "slash", "/slash"),
    Column::time("began", "/began/time_ms"),
    Column::time("ended", "/ended/time_ms"),
];

const CASE: [Column; 14] = [
    Column::thing(Thing::Slash, "slash", "/slash"),
    Column::thing(Thing::Request, "request", "/request"),
    Column::plain("status", "/status"),
    Column::thing(Thing::Set, "set", "/set"),
    Column::thing(Thing::Operator, "operator", "/operator"),
    Column::plain("capture epoch", "/capture"),
    Column::plain("why", "/reason"),
    Column::plain("evidence", "/evidence"),
    Column::share("asked", "/asked"),
    Column::share("taken", "/taken"),
    Column::time("began", "/began/time_ms"),
    Column::time("ended", "/ended/time_ms"),
    Column::plain("at height", "/ended/height"),
    Column::plain("released from epoch", "/released_from"),
];

const SECTIONS: [Section; 4] = [
    Section {
        title: "What it took",
        at: "/pools",
        columns: &[
            Column::thing(Thing::Asset, "asset", "/asset"),
            Column::amount("of stake", "/stake", "/asset"),
            Column::amount("of the bond", "/bond", "/asset"),
            Column::amount("what remains", "/remains", "/asset"),
        ],
        empty: "nothing",
    },
    Section {
        title: "What is held",
        at: "/held",
        columns: &[Column::amount("amount", "/amount", "/asset"), Column::account("for", "/to")],
        empty: "nothing",
    },
    Section {
        title: "Who is harmed",
        at: "/victims",
        columns: &[Column::account("account", "/account"), Column::amount("amount", "/amount", "/asset")],
        empty: "",
    },
    Section {
        title: "What happened",
        at: "/life",
        columns: &[
            Column::time("time", "/time_ms"),
            Column::plain("event", "/topic"),
            Column::event("what", "/event"),
            Column::account("by", "/operation/account"),
        ],
        empty: "",
    },
];

const REQUESTS: [Column; 9] = [
    Column::thing(Thing::Request, "request", "/request"),
    Column::thing(Thing::Set, "set", "/set"),
    Column::thing(Thing::Operator, "operator", "/operator"),
    Column::plain("capture epoch", "/capture"),
    Column::share("asks for", "/fraction"),
    Column::tag("status", "/status"),
    Column::plain("veto until", "/veto_until"),
    Column::plain("executable from", "/executable_from"),
    Column::plain("lapses after", "/lapses_after"),
];

const REQUEST: [Column; 17] = [
    Column::thing(Thing::Request, "request", "/request"),
    Column::thing(Thing::Set, "set", "/set"),
    Column::thing(Thing::Operator, "operator", "/operator"),
    Column::plain("why", "/reason"),
    Column::plain("capture epoch", "/capture"),
    Column::share("asks for", "/fraction"),
    Column::share("would take", "/takes"),
    Column::tag("status", "/status"),
    Column::account("asked by", "/requester"),
    Column::plain("asked in epoch", "/requested"),
    Column::account("resolvers", "/resolvers"),
    Column::plain("vetoes needed", "/threshold"),
    Column::account("vetoed by", "/vetoes"),
    Column::account("approved by", "/approvals"),
    Column::plain("veto until epoch", "/veto_until"),
    Column::plain("executable from epoch", "/executable_from"),
    Column::plain("lapses after epoch", "/lapses_after"),
];

const REQUEST_SECTIONS: [Section; 2] = [
    Section {
        title: "What it would take at most",
        at: "/at_most",
        columns: &[Column::amount("amount", "/amount", "/asset")],
        empty: "",
    },
    Section {
        title: "Who is harmed",
        at: "/victims",
        columns: &[Column::account("account", "/account"), Column::amount("amount", "/amount", "/asset")],
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
            Self::List(cases) => {
                let status = cases.status.and_then(|status| status.to_possible_value());
                let filters = [
                    ("set", number(context, Thing::Set, cases.set.as_deref())?),
                    ("operator", number(context, Thing::Operator, cases.operator.as_deref())?),
                    ("status", status.map(|status| status.get_name().to_owned())),
                ];
                let document = cases.paged.get(context, "/v1/slashes", &filters)?;
                let cases = Answer::new(document, Shape::List(&LIST));
                Ok(cases.where_empty("no such slash: nobody was ever asked to be slashed so"))
            }
            Self::Show(which) => {
                which.pinned.page(context, Thing::Slash, &which.slash, Shape::Page(&CASE, &SECTIONS))
            }
            Self::Requests(requests) => {
                let filters = [
                    ("set", number(context, Thing::Set, requests.set.as_deref())?),
                    ("operator", number(context, Thing::Operator, requests.operator.as_deref())?),
                    ("open", requests.open.then(|| "true".to_owned())),
                ];
                let document = requests.paged.get(context, "/v1/requests", &filters)?;
                Ok(Answer::new(document, Shape::List(&REQUESTS)).where_empty("no such request"))
            }
            Self::RequestShow(which) => {
                let shape = Shape::Page(&REQUEST, &REQUEST_SECTIONS);
                which.pinned.page(context, Thing::Request, &which.request, shape)
            }
            Self::Under(under) => under.run(context),
        }
    }
}
