//! `surety slash`.

use clap::{Args, Subcommand};

use super::{Paged, Pinned, path_of};
use crate::context::Context;
use crate::failure::Failure;
use crate::op::verb::{Slash as Noun, Under};
use crate::output::{Answer, Column, Section, Shape};
use crate::replay::Thing;

/// What is asked about slashes, or done about them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List executed slashes whose proceeds wait.
    List(Paged),
    /// Show such a slash.
    Show(Which),
    /// List requests to slash.
    Requests(Requests),
    /// Show a request: why, who may veto, what it would take.
    RequestShow(WhichRequest),
    #[command(flatten)]
    Under(Under<Noun>),
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

const LIST: [Column; 4] = [
    Column::thing(Thing::Slash, "slash", "/slash"),
    Column::plain("capture epoch", "/capture"),
    Column::plain("released from epoch", "/released_from"),
    Column::plain("held", "/held"),
];

const SECTIONS: [Section; 2] = [
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
            Self::List(paged) => paged.list(context, "/v1/slashes", &LIST),
            Self::Show(which) => {
                let path = path_of(context, Thing::Slash, &which.slash)?;
                Ok(Answer::new(which.pinned.get(context, &path)?, Shape::Page(&LIST, &SECTIONS)))
            }
            Self::Requests(requests) => {
                let thing = |thing, name: &Option<String>| match name {
                    None => Ok(None),
                    Some(name) => context.book()?.thing(thing, name).map(|number| Some(number.to_string())),
                };
                let filters = [
                    ("set", thing(Thing::Set, &requests.set)?),
                    ("operator", thing(Thing::Operator, &requests.operator)?),
                    ("open", requests.open.then(|| "true".to_owned())),
                ];
                let document = requests.paged.get(context, "/v1/requests", &filters)?;
                Ok(Answer::new(document, Shape::List(&REQUESTS)))
            }
            Self::RequestShow(which) => {
                let path = path_of(context, Thing::Request, &which.request)?;
                Ok(Answer::new(which.pinned.get(context, &path)?, Shape::Page(&REQUEST, &REQUEST_SECTIONS)))
            }
            Self::Under(under) => under.run(context),
        }
    }
}
