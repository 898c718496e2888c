//! What the ledger has done with an operation.

use serde_json::Value;

use crate::output::{Answer, Column, Section, Shape};

/// Where a receipt stands in an answer, and what people see of it.
const FIELDS: [Column; 6] = [
    Column::plain("operation", "/receipt/kind"),
    Column::account("account", "/receipt/account"),
    Column::plain("height", "/receipt/height"),
    Column::plain("index", "/receipt/index"),
    Column::plain("outcome", "/outcome"),
    Column::plain("id", "/id"),
];

const SECTIONS: [Section; 1] =
    [Section { title: "What happened", at: "/events", columns: &super::EVENTS, empty: "" }];

/// The receipt as an answer.
pub(crate) fn answer(mut document: Value) -> Answer {
    let outcome = document.pointer("/receipt/outcome");
    let events = outcome.and_then(|outcome| outcome.get("events")).cloned();
    let word = outcome.and_then(|outcome| outcome.get("outcome")).and_then(Value::as_str);
    let word = word.unwrap_or("on its way").to_owned();
    if let Value::Object(parts) = &mut document {
        parts.insert("outcome".to_owned(), word.into());
        parts.insert("events".to_owned(), events.unwrap_or_else(|| Value::Array(Vec::new())));
    }
    Answer::new(document, Shape::Page(&FIELDS, &SECTIONS))
}
