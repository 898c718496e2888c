//! `surety position`: an account's stake, and the three questions: what do I earn, what can slash me and how much at worst, when am I out.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Pinned, Whose, account, with_query};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Answer, Column, Section, Shape};
use crate::replay::Thing;
use crate::transport;

/// What is asked about the stake of an account.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show each entry of stake: with whom, how much it is worth, where it is in its life.
    Show(Whose),
    /// What can slash me, and how much at worst?
    Slashable(Whose),
    /// What do I earn?
    Earn(Whose),
    /// When am I out?
    Exit(Exit),
    /// Say how a figure comes about: its inputs, its formula, the height.
    Explain(Explain),
}

/// When the stake is out.
#[derive(Debug, Args)]
pub(crate) struct Exit {
    /// A name or an address; otherwise the account that acts by the settings.
    account: Option<String>,
    /// Write a calendar with the dates into this file.
    #[arg(long, value_name = "FILE")]
    ics: Option<PathBuf>,
    #[command(flatten)]
    pinned: Pinned,
}

/// Which figure.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The figure, as position_worth; without one, all are listed.
    figure: Option<String>,
    /// What it is about, as name=value; names of the ledger stand for numbers and addresses.
    about: Vec<String>,
    #[command(flatten)]
    pinned: Pinned,
}

const POSITIONS: [Column; 9] = [
    Column::plain("entry", "/position"),
    Column::thing(Thing::Operator, "operator", "/operator"),
    Column::thing(Thing::Asset, "asset", "/asset"),
    Column::tag("state", "/state"),
    Column::amount("worth", "/worth", "/asset"),
    Column::amount("principal", "/principal", "/asset"),
    Column::plain("bonded from", "/bonded_from"),
    Column::plain("bonded through", "/bonded_through"),
    Column::plain("free at", "/free_at"),
];

const SLASHABLE: [Section; 4] = [
    Section {
        title: "Who can slash it",
        at: "/rows",
        columns: &[
            Column::plain("entry", "/position"),
            Column::thing(Thing::Operator, "operator", "/operator"),
            Column::thing(Thing::Asset, "asset", "/asset"),
            Column::amount("worth", "/worth", "/asset"),
            Column::thing(Thing::Service, "service", "/service"),
            Column::thing(Thing::Set, "set", "/set"),
            Column::tag("when", "/when"),
            Column::plain("parts of 256", "/parts"),
            Column::share("window cap", "/window_cap"),
            Column::amount("at worst", "/worst_case/amount", "/asset"),
            Column::plain("for", "/for"),
            Column::plain("until epoch", "/punishable_until"),
        ],
        empty: "nobody",
    },
    Section {
        title: "All sets together, at worst",
        at: "/totals",
        columns: &[
            Column::thing(Thing::Asset, "asset", "/asset"),
            Column::amount("worth", "/worth", "/asset"),
            Column::amount("at worst", "/worst_case/amount", "/asset"),
            Column::share("share", "/worst_case/fraction"),
        ],
        empty: "",
    },
    Section {
        title: "Open requests",
        at: "/requests",
        columns: &[
            Column::thing(Thing::Request, "request", "/request"),
            Column::plain("entry", "/position"),
            Column::thing(Thing::Set, "set", "/set"),
            Column::share("asks for", "/fraction"),
            Column::amount("at most", "/at_most/amount", "/asset"),
            Column::plain("veto until", "/veto_until"),
            Column::plain("executable from", "/executable_from"),
            Column::plain("lapses after", "/lapses_after"),
        ],
        empty: "",
    },
    Section {
        title: "Through shares of vaults",
        at: "/vaults",
        columns: &[
            Column::thing(Thing::Vault, "vault", "/vault"),
            Column::shares("shares", "/shares"),
            Column::shares("waiting", "/waiting"),
            Column::amount("worth", "/worth", "/asset"),
            Column::amount("at worst", "/worst_case/amount", "/asset"),
            Column::amount("open requests", "/pending/amount", "/asset"),
        ],
        empty: "",
    },
];

const EARN: [Section; 4] = [
    Section {
        title: "Claimable",
        at: "/claimable",
        columns: &[
            Column::thing(Thing::Asset, "token", "/token"),
            Column::amount("total", "/total", "/token"),
            Column::amount("settled", "/settled", "/token"),
            Column::amount("unsettled", "/unsettled", "/token"),
        ],
        empty: "nothing to claim",
    },
    Section {
        title: "Expected for this epoch, if nothing changes",
        at: "/expected",
        columns: &[
            Column::thing(Thing::Asset, "token", "/token"),
            Column::amount("amount", "/amount", "/token"),
        ],
        empty: "nothing",
    },
    Section {
        title: "By source",
        at: "/rows",
        columns: &[
            Column::plain("entry", "/position"),
            Column::thing(Thing::Operator, "operator", "/operator"),
            Column::thing(Thing::Set, "set", "/set"),
            Column::tag("source", "/source"),
            Column::thing(Thing::Asset, "token", "/token"),
            Column::amount("expected", "/amount", "/token"),
        ],
        empty: "",
    },
    Section {
        title: "Through shares of vaults",
        at: "/vaults",
        columns: &[
            Column::thing(Thing::Vault, "vault", "/vault"),
            Column::shares("shares", "/shares"),
            Column::amount("worth", "/worth", "/asset"),
            Column::amount("counts next epoch", "/vests_next", "/asset"),
            Column::amount("to come", "/unvested", "/asset"),
        ],
        empty: "",
    },
];

const EXITS: [Section; 3] = [
    Section {
        title: "When it is out",
        at: "/positions",
        columns: &[
            Column::plain("entry", "/position"),
            Column::thing(Thing::Operator, "operator", "/operator"),
            Column::thing(Thing::Asset, "asset", "/asset"),
            Column::amount("amount", "/amount", "/asset"),
            Column::tag("state", "/exit"),
            Column::plain("free at epoch", "/free/epoch"),
            Column::time("free on", "/free/wall_ms"),
            Column::span("in", "/free/in_ms"),
            Column::plain("about height", "/free/height_about"),
            Column::amount("could lose until then", "/could_lose/amount", "/asset"),
            Column::plain("by", "/by"),
        ],
        empty: "no stake",
    },
    Section {
        title: "Shares of vaults, if they were asked back now",
        at: "/vaults",
        columns: &[
            Column::thing(Thing::Vault, "vault", "/vault"),
            Column::shares("shares", "/estimate/shares"),
            Column::plain("settled in epoch", "/estimate/settled_in"),
            Column::plain("at the latest", "/at_the_latest"),
        ],
        empty: "",
    },
    Section {
        title: "Waiting in vaults",
        at: "/tickets",
        columns: &[
            Column::thing(Thing::Vault, "vault", "/vault"),
            Column::plain("ticket", "/ticket"),
            Column::tag("what", "/kind"),
            Column::tag("state", "/state"),
            Column::amount("can be fetched", "/assets", "/asset"),
            Column::plain("pending shares", "/pending_shares"),
        ],
        empty: "",
    },
];

const FIGURES: [Column; 3] = [
    Column::plain("figure", "/figure"),
    Column::plain("asked of", "/of"),
    Column::plain("what it is", "/about"),
];

const FIGURE: [Section; 1] = [Section {
    title: "How it comes about",
    at: "/rows",
    columns: &[
        Column::plain("what", "/name"),
        Column::plain("value", "/value"),
        Column::plain("unit", "/unit"),
        Column::plain("formula", "/formula"),
        Column::plain("source", "/source"),
    ],
    empty: "",
}];

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the node says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Show(whose) => {
                let stake = Answer::new(whose.get(context, "/positions")?, Shape::List(&POSITIONS));
                Ok(stake.where_empty("no stake; surety stake delegate puts some behind an operator"))
            }
            Self::Slashable(whose) => {
                let document = whose.get_whole(context, "/exposure")?;
                let view = slashable(&document);
                Ok(Answer::viewed(document, view, Shape::Page(&[], &SLASHABLE)))
            }
            Self::Earn(whose) => earn(context, whose),
            Self::Exit(exit) => exit.run(context),
            Self::Explain(explain) => explain.run(context),
        }
    }
}

/// What an account earns.
///
/// # Errors
/// What the node says.
pub(crate) fn earn(context: &Context, whose: &Whose) -> Result<Answer, Failure> {
    let document = whose.get_whole(context, "/rewards")?;
    let view = earnings(&document);
    Ok(Answer::viewed(document, view, Shape::Page(&[], &EARN)))
}

/// Every set that can slash an entry on a line of its own.
fn slashable(document: &Value) -> Value {
    let mut view = document.clone();
    let positions = list(document, "positions");
    let lines = |name: &str| -> Vec<Value> {
        let nested = positions
            .iter()
            .flat_map(|position| list(position, name).into_iter().map(move |inner| (position, inner)));
        nested
            .map(|(position, inner)| beside(&inner, position, &["position", "operator", "asset", "worth"]))
            .collect()
    };
    let mut rows = lines("sets");
    for row in &mut rows {
        let offences = list(row, "offences");
        let kinds: Vec<Value> = offences.iter().map(|offence| offence["kind"].clone()).collect();
        row["for"] = Value::Array(kinds);
    }
    view["rows"] = Value::Array(rows);
    view["requests"] = Value::Array(lines("requests"));
    view
}

/// Every source of an entry's or an operator's earnings on a line of its own.
fn earnings(document: &Value) -> Value {
    let mut view = document.clone();
    let mut rows = Vec::new();
    for position in list(document, "positions") {
        let inner = list(&position, "expected");
        rows.extend(inner.iter().map(|inner| beside(inner, &position, &["position", "operator"])));
    }
    let commission = document.get("commission").cloned().unwrap_or_default();
    rows.extend(list(&commission, "expected").iter().map(|inner| beside(inner, &commission, &["operator"])));
    view["rows"] = Value::Array(rows);
    view
}

fn list(document: &Value, name: &str) -> Vec<Value> {
    document.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// An inner item with some fields of what it stands in.
fn beside(inner: &Value, outer: &Value, fields: &[&str]) -> Value {
    let mut joined = inner.clone();
    for field in fields {
        if let (Value::Object(parts), Some(value)) = (&mut joined, outer.get(field)) {
            parts.insert((*field).to_owned(), value.clone());
        }
    }
    joined
}

impl Exit {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let address = account(context, self.account.as_deref())?;
        let path = format!("/v1/accounts/{address}/exits");
        if let Some(file) = &self.ics {
            let calendar = transport::get_text(context.transport()?, &format!("{path}.ics"))?;
            crate::files::write_new(file, &calendar)?;
            let said = format!("wrote the dates into {}", file.display());
            return Ok(Answer::said(said).with("file", json!(file)));
        }
        let document = self.pinned.get(context, &path)?;
        let mut view = document.clone();
        if let Some(Value::Array(positions)) = view.get_mut("positions") {
            for position in positions {
                let inner = position["exit"]
                    .as_object()
                    .and_then(|exit| exit.values().next())
                    .cloned()
                    .unwrap_or_default();
                let way = ["cancel", "leave", "change", "fetch"].iter().find_map(|name| inner.get(*name));
                position["by"] = way.and_then(|way| way.get("operation")).cloned().unwrap_or_default();
                position["could_lose"] = inner.get("could_lose").cloned().unwrap_or_default();
            }
        }
        Ok(Answer::viewed(document, view, Shape::Page(&[], &EXITS)))
    }
}

impl Explain {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let Some(figure) = &self.figure else {
            return Ok(Answer::list(list(&context.get("/v1/explain")?, "items"), &FIGURES));
        };
        let mut parameters = Vec::new();
        for pair in &self.about {
            let (name, value) = pair.split_once('=').ok_or_else(|| {
                Failure::usage("field.misfit", format!("{pair:?} is not written name=value"))
            })?;
            let value = match crate::replay::field_content("", name) {
                None => value.to_owned(),
                Some(None) => context.book()?.account(value)?.to_string(),
                Some(Some(thing)) => context.book()?.thing(thing, value)?.to_string(),
            };
            parameters.push((name, Some(value)));
        }
        let path = with_query(&format!("/v1/explain/{}", super::encoded(figure)), &parameters);
        let document = self.pinned.get(context, &path)?;
        let mut rows = Vec::new();
        flatten(&document, 0, &mut rows);
        let view = json!({ "rows": rows, "as_of": document.get("as_of") });
        Ok(Answer::viewed(document, view, Shape::Page(&[], &FIGURE)))
    }
}

/// A tree of inputs as lines, each below what it goes into.
fn flatten(node: &Value, depth: usize, rows: &mut Vec<Value>) {
    let mut row = node.clone();
    if let Value::Object(fields) = &mut row {
        let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
        let name = format!("{}{name}", "  ".repeat(depth));
        fields.insert("name".to_owned(), Value::from(name));
        fields.remove("inputs");
    }
    rows.push(row);
    for input in list(node, "inputs") {
        flatten(&input, depth + 1, rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_all_pages_are_one_list_of_one_height() {
        let account = format!("0x{}", "ab".repeat(20));
        let path = format!("/v1/accounts/{account}/exposure");
        let page = |positions: Value, next: Value| json!({ "as_of": { "height": 9, "epoch": 1 }, "positions": positions, "next": next, "totals": [] });
        let node = crate::transport::Recorded::default()
            .with("/v1/labels", json!({ "items": [] }))
            .with("/v1/assets?limit=500", json!({ "items": [] }))
            .with(&path, page(json!([{ "position": 1 }, { "position": 2 }]), json!(2)))
            .with(&format!("{path}?after=2&as_of=9"), page(json!([{ "position": 7 }]), Value::Null));
        let whose = Whose::of(&account);
        let whole = whose.get_whole(&Context::over(node), "/exposure").expect("both pages are there");
        assert_eq!(whole["positions"], json!([{ "position": 1 }, { "position": 2 }, { "position": 7 }]));
        assert_eq!(whole["next"], Value::Null);
    }

    #[test]
    fn every_set_that_can_slash_an_entry_has_a_line() {
        let document = json!({ "positions": [
            { "position": 4, "operator": 1, "asset": 0, "worth": "10", "requests": [{ "request": 9 }], "sets": [
                { "set": 2, "service": 0, "offences": [{ "kind": "equivocation" }, { "kind": "subjective" }] }, { "set": 3 },
            ] },
            { "position": 5, "operator": 2, "asset": 0, "worth": "20", "requests": [], "sets": [] },
        ] });
        let view = slashable(&document);
        assert_eq!(view["rows"].as_array().map(Vec::len), Some(2));
        assert_eq!(view["rows"][0]["for"], json!(["equivocation", "subjective"]));
        assert_eq!(view["rows"][1]["worth"], json!("10"));
        assert_eq!(
            view["requests"],
            json!([{ "request": 9, "position": 4, "operator": 1, "asset": 0, "worth": "10" }])
        );
    }
}
