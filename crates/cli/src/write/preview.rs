//! What an operation would do at the moment: what changes, what can be lost, when it counts or is out.

use evidence::PublicKey;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column, Labels, Section, Shape};
use crate::replay::Thing;
use crate::write::Prepared;

const FIELDS: [Column; 11] = [
    Column::plain("action", "/action"),
    Column::plain("ledger", "/domain/ledger"),
    Column::plain("chain", "/domain/chain_id"),
    Column::account("custody", "/domain/custody"),
    Column::account("account", "/draft/account"),
    Column::account("signed by", "/draft/delegate"),
    Column::plain("signatures needed", "/threshold"),
    Column::plain("accepted", "/preview/ok"),
    Column::plain("refusal", "/preview/refused"),
    Column::plain("why", "/preview/why"),
    Column::digest("id", "/id"),
];

/// What mandates allow.
pub(super) const MANDATES: Section = Section {
    title: "The mandate that is signed by its digest: what the operator may do with the stake",
    at: "/pledged/mandates",
    columns: &[
        Column::thing(Thing::Operator, "operator", "/operator"),
        Column::thing(Thing::Asset, "asset", "/asset"),
        Column::plain("from epoch", "/from"),
        Column::share("worst case", "/worst_case"),
        Column::share("elsewhere", "/elsewhere"),
        Column::share("own verifiers", "/own_verifiers"),
        Column::plain("uncertified", "/uncertified"),
        Column::share("commission", "/commission"),
    ],
    empty: "",
};

/// What terms say.
pub(super) const TERMS: Section = Section {
    title: "The terms that are signed by their digest",
    at: "/pledged/terms",
    columns: &[
        Column::thing(Thing::Set, "set", "/set"),
        Column::plain("term", "/name"),
        Column::field("value", "/value"),
    ],
    empty: "",
};

const SECTIONS: [Section; 8] = [
    Section {
        title: "What is signed",
        at: "/fields",
        columns: &[Column::plain("field", "/name"), Column::field("value", "/value")],
        empty: "",
    },
    MANDATES,
    TERMS,
    Section {
        title: "Who is asked to sign",
        at: "/signers",
        columns: &[
            Column::account("key or account", "/who"),
            Column::plain("nonce", "/nonce"),
            Column::plain("has signed", "/signed"),
        ],
        empty: "",
    },
    Section { title: "What happens", at: "/preview/events", columns: &super::EVENTS, empty: "" },
    Section {
        title: "What changes",
        at: "/preview/changes",
        columns: &[
            Column::plain("figure", "/figure"),
            Column::thing(Thing::Operator, "with", "/operator"),
            Column::amount("before", "/before", "/asset"),
            Column::amount("after", "/after", "/asset"),
        ],
        empty: "",
    },
    Section {
        title: "What can be lost at worst",
        at: "/preview/losses",
        columns: &[
            Column::thing(Thing::Service, "to", "/service"),
            Column::thing(Thing::Set, "set", "/set"),
            Column::amount("before", "/before", "/asset"),
            Column::amount("after", "/at_worst", "/asset"),
        ],
        empty: "",
    },
    Section {
        title: "When it is out, or would be if asked back at once",
        at: "/out",
        columns: &[
            Column::plain("epoch", "/epoch"),
            Column::time("date", "/wall_ms"),
            Column::span("in", "/in_ms"),
            Column::plain("about height", "/height_about"),
        ],
        empty: "",
    },
];

/// The preview as an answer. It ends with the code of a refusal where the ledger would refuse.
pub(super) fn answer(prepared: &Prepared) -> Answer {
    let mut document = prepared.bundle.to_json();
    let operation =
        document.pointer("/draft/operation").and_then(Value::as_object).cloned().unwrap_or_default();
    let fields = operation.into_iter().filter(|(name, value)| name != "op" && !value.is_null());
    let asset =
        ["asset", "token"].iter().find_map(|name| document.pointer(&format!("/draft/operation/{name}")));
    let asset = asset.cloned().unwrap_or_default();
    let fields: Vec<Value> =
        fields.map(|(name, value)| json!({ "name": name, "value": value, "asset": asset })).collect();
    let signed: Vec<&PublicKey> = prepared.bundle.seals().map(|(key, _)| key).collect();
    let signers = prepared.bundle.asked().map(|(who, nonce)| {
        let has_signed = signed.iter().any(|key| who.is(key));
        json!({ "who": who.to_string(), "nonce": nonce.to_string(), "signed": has_signed })
    });
    let signers: Vec<Value> = signers.collect();
    let is_refused = refusal(prepared).is_some();
    if let Value::Object(parts) = &mut document {
        let out = prepared.preview.get("free").filter(|out| !out.is_null());
        parts.insert("fields".to_owned(), Value::Array(fields));
        parts.insert("out".to_owned(), out.map_or(json!([]), |out| json!([out])));
        parts.insert("preview".to_owned(), prepared.preview.clone());
        parts.insert("signers".to_owned(), Value::Array(signers));
        parts.insert("pledged".to_owned(), prepared.pledged.clone());
    }
    let answer = Answer::new(document, Shape::Page(&FIELDS, &SECTIONS));
    if is_refused { answer.ending(Exit::Refused) } else { answer }
}

fn refusal(prepared: &Prepared) -> Option<String> {
    let code = prepared.preview.get("refused")?.as_str()?;
    Some(code.to_owned())
}

/// Ends here where the ledger would refuse: there is nothing to sign.
///
/// # Errors
/// The refusal.
pub(super) fn refuse(prepared: &Prepared, labels: &dyn Labels) -> Result<(), Failure> {
    let Some(code) = refusal(prepared) else { return Ok(()) };
    let kind = prepared.bundle.draft().operation.kind().name();
    let text = |field: &str| prepared.preview.get(field).and_then(Value::as_str).map(str::to_owned);
    let mut failure =
        Failure::new(Exit::Refused, code, format!("the ledger would refuse to {}", kind.replace('_', " ")))
            .docs(format!("docs/reference/operations/{kind}.md"));
    if let Some(why) = text("why") {
        let operation = signing::json::operation_to_json(&prepared.bundle.draft().operation);
        failure = failure.why(with_units(&why, &operation, labels));
    }
    Err(failure.help(
        text("remedy")
            .unwrap_or_else(|| "nothing was signed; the page of the operation says what to do".to_owned()),
    ))
}

/// The fewest digits of a number of base units that nobody reads at a glance.
const DIGITS_MIN: usize = 6;

/// A sentence about base units, with the same in whole units of the operation's asset behind it.
fn with_units(why: &str, operation: &Value, labels: &dyn Labels) -> String {
    let asset = ["asset", "token"].iter().find_map(|name| operation.get(*name)?.as_u64());
    let Some(asset) = asset else { return why.to_owned() };
    let words = why.split(|c: char| !c.is_ascii_alphanumeric());
    let numbers =
        words.filter(|word| word.len() >= DIGITS_MIN && word.bytes().all(|byte| byte.is_ascii_digit()));
    let shown: Vec<String> = numbers.filter_map(|units| labels.amount(asset, units)).collect();
    if shown.is_empty() { why.to_owned() } else { format!("{why} ({})", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Book;

    #[test]
    fn a_refusal_says_its_amounts_in_whole_units_too() {
        let labels = json!({ "items": [{ "key": "asset/0", "label": "eth" }] });
        let mut book = Book::new(&labels, &[], &Default::default());
        book.learn_assets(&json!({ "items": [{ "asset": 0, "decimals": 18 }] }));
        let operation = json!({ "op": "delegate", "operator": 3, "asset": 0 });
        let why = "delegation of 1500000000000000000 exceeds free balance 20000000000000000 of operator 3";
        assert_eq!(with_units(why, &operation, &book), format!("{why} (1.5 eth, 0.02 eth)"));
        assert_eq!(with_units("operator 3 has retired", &operation, &book), "operator 3 has retired");
        assert_eq!(with_units(why, &json!({ "op": "retire_operator" }), &book), why);
    }
}
