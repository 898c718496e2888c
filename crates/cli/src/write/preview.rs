//! What an operation would do at the moment: what changes, what can be lost, when it counts or is out.

use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column, Section, Shape};
use crate::replay::Thing;
use crate::write::Prepared;

const FIELDS: [Column; 8] = [
    Column::plain("action", "/action"),
    Column::account("account", "/draft/account"),
    Column::account("signed by", "/draft/delegate"),
    Column::plain("signatures needed", "/threshold"),
    Column::plain("accepted", "/preview/ok"),
    Column::plain("refusal", "/preview/refused"),
    Column::plain("why", "/preview/why"),
    Column::digest("id", "/id"),
];

const SECTIONS: [Section; 5] = [
    Section {
        title: "What is signed",
        at: "/fields",
        columns: &[Column::plain("field", "/name"), Column::plain("value", "/value")],
        empty: "",
    },
    Section {
        title: "What happens",
        at: "/preview/events",
        columns: &[Column::plain("event", "/event"), Column::rest("what", &["event"])],
        empty: "",
    },
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
        title: "When it is out",
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
    let fields: Vec<Value> = fields.map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let is_refused = refusal(prepared).is_some();
    if let Value::Object(parts) = &mut document {
        let out = prepared.preview.get("free").filter(|out| !out.is_null());
        parts.insert("fields".to_owned(), Value::Array(fields));
        parts.insert("out".to_owned(), out.map_or(json!([]), |out| json!([out])));
        parts.insert("preview".to_owned(), prepared.preview.clone());
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
pub(super) fn refuse(prepared: &Prepared) -> Result<(), Failure> {
    let Some(code) = refusal(prepared) else { return Ok(()) };
    let kind = prepared.bundle.draft().operation.kind().name();
    let text = |field: &str| prepared.preview.get(field).and_then(Value::as_str).map(str::to_owned);
    let mut failure =
        Failure::new(Exit::Refused, code, format!("the ledger would refuse to {}", kind.replace('_', " ")))
            .docs(format!("docs/reference/operations/{kind}.md"));
    if let Some(why) = text("why") {
        failure = failure.why(why);
    }
    Err(failure.help(
        text("remedy")
            .unwrap_or_else(|| "nothing was signed; the page of the operation says what to do".to_owned()),
    ))
}
