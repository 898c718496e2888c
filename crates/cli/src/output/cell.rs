//! One figure of a document, as a cell of a table.

use serde_json::{Map, Value};

use crate::failure::shown;
use crate::replay::{Thing, field_content};

/// Names for what has an address or a number.
pub(crate) trait Labels {
    /// The name of an account.
    fn account(&self, address: &str) -> Option<String>;
    /// The name of a numbered thing.
    fn thing(&self, thing: Thing, number: u64) -> Option<String>;
    /// Base units of an asset in whole units, with its symbol.
    fn amount(&self, asset: u64, units: &str) -> Option<String>;
    /// Shares of a vault of that asset, in whole shares with the vault's name.
    fn shares(&self, vault: u64, asset: u64, count: &str) -> Option<String>;
}

/// Nothing has a name.
pub(crate) struct Unlabelled;

impl Labels for Unlabelled {
    fn account(&self, _: &str) -> Option<String> {
        None
    }

    fn thing(&self, _: Thing, _: u64) -> Option<String> {
        None
    }

    fn amount(&self, _: u64, _: &str) -> Option<String> {
        None
    }

    fn shares(&self, _: u64, _: u64, _: &str) -> Option<String> {
        None
    }
}

/// What a figure is, so that people read it well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// As it is.
    Plain,
    /// An account, by its name where it has one.
    Account,
    /// A numbered thing, by its name where it has one.
    Thing(Thing),
    /// Base units of the asset whose number stands at this JSON pointer of the item.
    Amount(&'static str),
    /// Shares of the vault whose number stands at the pointer `/vault` of the item, of the asset at `/asset`.
    Shares,
    /// A share of one, as a percentage.
    Share,
    /// Milliseconds since 1970, as a date.
    Time,
    /// Milliseconds, as a span of time.
    Span,
    /// The word that says which of several shapes it has.
    Tag,
    /// Bytes as text, cut to their beginning.
    Digest,
    /// All fields of an object but these, in words.
    Rest(&'static [&'static str]),
    /// The value of a field whose name stands beside it, and the asset of its amounts.
    Field,
}

/// A column of a list, or a field of a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Its title; in CSV it is the name that programs know.
    pub(crate) title: &'static str,
    /// Where the figure stands in an item, as a JSON pointer.
    pub(crate) at: &'static str,
    /// What it is.
    pub(crate) cell: Cell,
}

impl Column {
    /// A figure as it is.
    pub(crate) const fn plain(title: &'static str, at: &'static str) -> Self {
        Self { title, at, cell: Cell::Plain }
    }

    /// An account.
    pub(crate) const fn account(title: &'static str, at: &'static str) -> Self {
        Self { title, at, cell: Cell::Account }
    }

    /// A numbered thing.
    pub(crate) const fn thing(thing: Thing, title: &'static str, at: &'static str) -> Self {
        Self { title, at, cell: Cell::Thing(thing) }
    }

    /// An amount of the asset whose number stands at the second pointer.
    pub(crate) const fn amount(title: &'static str, at: &'static str, asset: &'static str) -> Self {
        Self { title, at, cell: Cell::Amount(asset) }
    }

    /// Shares of the item's `vault`, whose `asset` stands beside it.
    pub(crate) const fn shares(title: &'static str, at: &'static str) -> Self {
        Self { title, at, cell: Cell::Shares }
    }

    /// A share of one.
    pub(crate) const fn share(title: &'static str, at: &'static str) -> Self {
        Self { title, at, cell: Cell::Share }
    }

    /// A moment.
    pub(crate) const fn time(title: &'static str, at: &'static str) -> Self {
        Self { title, at, cell: Cell::Time }
    }

    /// The whole item but these fields, in words.
    pub(crate) const fn rest(title: &'static str, but: &'static [&'static str]) -> Self {
        Self { title, at: "", cell: Cell::Rest(but) }
    }

    /// All fields of an object inside the item, in words.
    pub(crate) const fn words(title: &'static str, at: &'static str) -> Self {
        Self { title, at, cell: Cell::Rest(&[]) }
    }

    /// An event inside the item, in words; its name stands elsewhere.
    pub(crate) const fn event(title: &'static str, at: &'static str) -> Self {
        Self { title, at, cell: Cell::Rest(&["event"]) }
    }

    /// The value of a field whose `name` stands beside it in the item, as the `asset` of its amounts does.
    pub(crate) const fn field(title: &'static str, at: &'static str) -> Self {
        Self { title, at, cell: Cell::Field }
    }

    /// A span of time.
    pub(crate) const fn span(title: &'static str, at: &'static str) -> Self {
        Self { title, at, cell: Cell::Span }
    }

    /// Which of several shapes it has.
    pub(crate) const fn tag(title: &'static str, at: &'static str) -> Self {
        Self { title, at, cell: Cell::Tag }
    }

    /// A digest.
    pub(crate) const fn digest(title: &'static str, at: &'static str) -> Self {
        Self { title, at, cell: Cell::Digest }
    }

    /// The figure for programs; empty where there is none.
    pub(crate) fn raw(&self, item: &Value) -> String {
        match item.pointer(self.at) {
            None | Some(Value::Null) => String::new(),
            Some(value) if self.cell == Cell::Tag => tag(value),
            Some(value) => in_csv(value),
        }
    }

    /// The figure for people; a dash where there is none.
    pub(crate) fn shown(&self, item: &Value, labels: &dyn Labels) -> String {
        let text = match item.pointer(self.at) {
            None | Some(Value::Null) => "-".to_owned(),
            Some(Value::Array(values)) if values.is_empty() => "-".to_owned(),
            Some(Value::Array(values)) if !values.iter().any(Value::is_object) => {
                let parts: Vec<String> = values.iter().map(|value| self.one(value, item, labels)).collect();
                parts.join(", ")
            }
            Some(value) => self.one(value, item, labels),
        };
        shown(&text)
    }

    fn one(&self, value: &Value, item: &Value, labels: &dyn Labels) -> String {
        let named = match (self.cell, value) {
            (Cell::Account, Value::String(address)) => labels.account(address),
            (Cell::Thing(thing), Value::Number(number)) => {
                number.as_u64().map(|number| match labels.thing(thing, number) {
                    Some(name) => name,
                    None => format!("{}/{number}", thing.prefix()),
                })
            }
            (Cell::Amount(asset), Value::String(units)) => {
                item.pointer(asset).and_then(Value::as_u64).and_then(|asset| labels.amount(asset, units))
            }
            (Cell::Shares, Value::String(count)) => {
                let number = |field: &str| item.get(field).and_then(Value::as_u64);
                number("vault")
                    .zip(number("asset"))
                    .and_then(|(vault, asset)| labels.shares(vault, asset, count))
            }
            (Cell::Share, Value::String(share)) => percentage(share),
            (Cell::Time, Value::Number(time)) => time.as_u64().map(crate::clock::date),
            (Cell::Span, Value::Number(ms)) => ms.as_u64().map(crate::clock::span),
            (Cell::Tag, tagged) => Some(tag(tagged)),
            (Cell::Rest(but), Value::Object(fields)) => Some(in_words(fields, but, labels)),
            (Cell::Field, value) => {
                let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
                in_word(name, value, item.get("asset").and_then(Value::as_u64), labels)
            }
            (Cell::Digest, Value::String(text)) => text.get(..14).map(|start| format!("{start}...")),
            _ => None,
        };
        named.unwrap_or_else(|| plain(value))
    }
}

/// The fields of an object as `name value, name value`, with names for accounts and things. An amount takes the asset beside it.
fn in_words(fields: &Map<String, Value>, but: &[&str], labels: &dyn Labels) -> String {
    let asset = ["asset", "token"].iter().find_map(|name| fields.get(*name)?.as_u64());
    let words = fields.iter().filter(|(name, value)| !but.contains(&name.as_str()) && !value.is_null());
    let words = words.map(|(name, value)| {
        let named = in_word(name, value, asset, labels);
        format!("{} {}", name.replace('_', " "), named.unwrap_or_else(|| plain(value)))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// The value of a field by its name, where that says something better than the value itself. Amounts are of this asset.
fn in_word(name: &str, value: &Value, asset: Option<u64>, labels: &dyn Labels) -> Option<String> {
    match (field_content("", name), value) {
        (Some(None), Value::String(address)) => labels.account(address),
        (Some(Some(thing)), Value::Number(number)) => number.as_u64().map(|number| {
            labels.thing(thing, number).unwrap_or_else(|| format!("{}/{number}", thing.prefix()))
        }),
        (None, Value::String(units)) if AMOUNTS.contains(&name) => {
            asset.and_then(|asset| labels.amount(asset, units))
        }
        (None, Value::Object(inner)) => Some(format!("({})", in_words(inner, &[], labels))),
        _ => None,
    }
}

/// Fields of events that are base units of the asset or token beside them.
const AMOUNTS: [&str; 12] = [
    "amount",
    "leaving",
    "returned",
    "principal",
    "worth",
    "per_epoch",
    "paid",
    "unspent",
    "burnt",
    "stake",
    "bond",
    "balance",
];

/// The word of a value that is one of several shapes: a word alone, or an object with one field of that name.
fn tag(value: &Value) -> String {
    match value {
        Value::Object(fields) if fields.len() == 1 => fields.keys().next().cloned().unwrap_or_default(),
        other => plain(other),
    }
}

/// A value as a word.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        // A quantity says itself how it reads.
        Value::Object(fields) => match fields.get("text").and_then(Value::as_str) {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        },
        Value::Array(_) => value.to_string(),
    }
}

/// A value in CSV: what is truth stays `true`, and what could be taken for a formula by a spreadsheet is made a text.
fn in_csv(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        // A quantity is its base units there.
        Value::Object(fields) => match fields.get("amount").and_then(Value::as_str) {
            Some(amount) => amount.to_owned(),
            None => value.to_string(),
        },
        other => other.to_string(),
    };
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err() {
        return format!("'{text}");
    }
    text
}

/// `"0.05"` as `5 %`, exactly.
fn percentage(share: &str) -> Option<String> {
    let (whole, decimals) = share.split_once('.').unwrap_or((share, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(decimals) || decimals.len() > 30 {
        return None;
    }
    let shifted = format!("{whole}{decimals:0<2}");
    let point = whole.len() + 2;
    let (whole, decimals) = shifted.split_at(point);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    Some(format!("{whole}{point}{decimals} %"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shares_are_percentages_to_the_last_digit() {
        let cases = [
            ("0", Some("0 %")),
            ("1", Some("100 %")),
            ("0.05", Some("5 %")),
            ("0.5", Some("50 %")),
            ("0.123456789012345678", Some("12.3456789012345678 %")),
            ("0.001", Some("0.1 %")),
            ("1.25", Some("125 %")),
            ("-1", None),
            ("a", None),
            ("", None),
        ];
        for (share, expected) in cases {
            assert_eq!(percentage(share).as_deref(), expected, "{share}");
        }
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_a_text() {
        let column = Column::plain("x", "/x");
        let cases = [
            (json!("=1+1"), "'=1+1"),
            (json!("@a"), "'@a"),
            (json!("-5"), "-5"),
            (json!(-5), "-5"),
            (json!("-a"), "'-a"),
            (json!(true), "true"),
            (json!(null), ""),
            (json!({"amount": "1000", "text": "0.1 eth"}), "1000"),
        ];
        for (value, expected) in cases {
            assert_eq!(column.raw(&json!({ "x": value })), expected);
        }
    }
}
