//! The pages of `docs/reference` say what the code does: one page for each operation, its fields, and its refusals in their order.

use protocol::{Kind, authority, slashing};
use serde_json::Value;

use crate::Findings;
use crate::files::Repository;
use crate::page::{code, first_column, numbered, section};
use crate::schema::{COMMON_FIELDS, Definitions};

const FOLDER: &str = "docs/reference/operations";
const INDEX: &str = "docs/reference/README.md";
const RECORDS: &str = "docs/reference/records.md";
const EVENTS: &str = "crates/protocol/src/event.rs";
const VIEW: &str = "crates/protocol/src/view.rs";
/// What a page says where a delegate can be let do it, and where not.
const GRANTABLE: [&str; 2] = ["**Delegate:** may be granted", "**Delegate:** never"];

/// Holds every page against the code.
pub(crate) fn check(repository: &Repository) -> Findings {
    let definitions = Definitions::of_protocol();
    let mut findings = Vec::new();
    for page in repository.pages_in(FOLDER) {
        if Kind::from_name(page).is_none() {
            findings.push(format!("{FOLDER}/{page}.md: there is no such operation"));
        }
    }
    for kind in Kind::ALL {
        let path = format!("{FOLDER}/{kind}.md");
        match repository.text(&path) {
            Some(text) => check_page(*kind, &path, text, &definitions, &mut findings),
            None => findings.push(format!("{path} is missing")),
        }
    }
    check_index(repository, &mut findings);
    check_records(repository, &definitions, &mut findings);
    findings
}

fn check_page(kind: Kind, path: &str, text: &str, definitions: &Definitions, findings: &mut Findings) {
    let mut find = |what: String| findings.push(format!("{path}: {what}"));
    if text.lines().next() != Some(format!("# {kind}").as_str()) {
        find(format!("the title is not {kind}"));
    }
    let [granted, never] = GRANTABLE.map(|words| text.lines().any(|line| line.starts_with(words)));
    if granted != kind.is_grantable() || never == kind.is_grantable() {
        find("what it says about delegates is not what the code says".to_owned());
    }
    for heading in ["## Requirements", "## Effects"] {
        if section(text, heading).is_none_or(|lines| lines.iter().all(|line| line.is_empty())) {
            find(format!("{heading} is missing or empty"));
        }
    }
    let fields = section(text, "## Fields").map(|lines| first_column(&lines)).unwrap_or_default();
    if let Some(difference) = difference(&fields, &definitions.fields(kind)) {
        find(format!("the table of fields {difference}"));
    }
    let refusals = section(text, "## Refusals").unwrap_or_default();
    check_refusals(&numbered(&refusals), kind.refusals(), &mut find);
    let remedies =
        refusals.iter().filter(|line| line.starts_with("   ") && line.trim_end().ends_with('.')).count();
    if remedies != kind.refusals().len() {
        find(format!("{remedies} remedies for {} refusals", kind.refusals().len()));
    }
    if let Err(why) = check_example(kind, text, definitions) {
        find(format!("the example {why}"));
    }
}

/// What one list of names has and the other has not.
fn difference(page: &[&str], code: &[&str]) -> Option<String> {
    let missing: Vec<&str> = code.iter().filter(|name| !page.contains(name)).copied().collect();
    let unknown: Vec<&str> = page.iter().filter(|name| !code.contains(name)).copied().collect();
    match (missing.is_empty() && unknown.is_empty(), page.len() == code.len()) {
        (true, true) => None,
        (true, false) => Some("names something twice".to_owned()),
        _ => Some(format!("lacks {missing:?} and has {unknown:?} too much")),
    }
}

fn check_refusals(page: &[(&str, &str)], code: &[(&str, &str)], find: &mut impl FnMut(String)) {
    for (index, pair) in code.iter().enumerate() {
        let place = index + 1;
        match page.get(index) {
            Some(found) if found == pair => {}
            Some((name, text)) => {
                find(format!("refusal {place} is `{name}`: {text}; the code has `{}`: {}", pair.0, pair.1))
            }
            None => find(format!("refusal {place}, `{}`, is missing", pair.0)),
        }
    }
    for (name, _) in page.iter().skip(code.len()) {
        find(format!("the code has no refusal `{name}` there"));
    }
}

/// The example names the operation and fields that it has.
fn check_example(kind: Kind, text: &str, definitions: &Definitions) -> Result<(), String> {
    let lines = code(text, "json").ok_or("is missing")?;
    let [line] = lines.as_slice() else { return Err("is not one line".to_owned()) };
    let example: Value = serde_json::from_str(line).map_err(|error| format!("is not JSON: {error}"))?;
    let fields = example.as_object().ok_or("is no object")?;
    if fields.get("op").and_then(Value::as_str) != Some(kind.name()) || !fields.contains_key("from") {
        return Err("does not name the operation and the sender".to_owned());
    }
    let known = definitions.fields(kind);
    match fields
        .keys()
        .find(|field| !known.contains(&field.as_str()) && !COMMON_FIELDS.contains(&field.as_str()))
    {
        Some(field) => Err(format!("has a field {field:?} that the operation has not")),
        None => Ok(()),
    }
}

fn check_index(repository: &Repository, findings: &mut Findings) {
    let Some(text) = repository.text(INDEX) else {
        findings.push(format!("{INDEX} is missing"));
        return;
    };
    let mut find = |what: String| findings.push(format!("{INDEX}: {what}"));
    for kind in Kind::ALL {
        let count = text.matches(&format!("(operations/{kind}.md)")).count();
        if count == 0 {
            find(format!("{kind} is not in the index"));
        }
    }
    let lists =
        [("## Authority", authority::Refused::ALL), ("## Slashes that are refused", slashing::Refused::ALL)];
    for (heading, refusals) in lists {
        let lines = section(text, heading).unwrap_or_default();
        check_refusals(&numbered(&lines), refusals, &mut |what| find(format!("{heading}: {what}")));
    }
    let page = section(text, "## Events").map(|lines| first_column(&lines)).unwrap_or_default();
    let events = repository.text(EVENTS).map(events).unwrap_or_default();
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    if let Some(difference) = difference(&page, &events) {
        find(format!("the catalogue of events {difference}"));
    }
    let state = section(text, "## The state").unwrap_or_default().join("\n");
    for field in repository.text(VIEW).map(fields_of_view).unwrap_or_default() {
        let is_named =
            state.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == field);
        if !is_named {
            find(format!("the state has a field {field}, which is not described"));
        }
    }
}

/// The names of all events as a receipt shows them.
fn events(source: &str) -> Vec<String> {
    let body = source.split("pub enum Event {").nth(1).unwrap_or_default();
    let body = body.split("\n}\n").next().unwrap_or_default();
    let variants = body.lines().filter_map(|line| line.strip_prefix("    ")).filter_map(|line| {
        let name = line.split([' ', ',', '{']).next()?;
        name.starts_with(|first: char| first.is_ascii_uppercase()).then_some(name)
    });
    variants.map(snake_case).collect()
}

/// The names of the fields that readers of the state see.
fn fields_of_view(source: &str) -> Vec<&str> {
    let lines = source.lines().filter_map(|line| line.strip_prefix("    pub "));
    lines.filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect()
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// The records that operations contain: each heading that is the name of a type has a table of its fields.
fn check_records(repository: &Repository, definitions: &Definitions, findings: &mut Findings) {
    let Some(text) = repository.text(RECORDS) else {
        findings.push(format!("{RECORDS} is missing"));
        return;
    };
    let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
    for name in headings {
        let Some(fields) = definitions.fields_of(name) else { continue };
        let lines = section(text, &format!("## {name}")).unwrap_or_default();
        if let Some(difference) = difference(&first_column(&lines), &fields) {
            findings.push(format!("{RECORDS}: the table of {name} {difference}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_from_their_source() {
        let source = "pub enum Event {\n    // A\n    KeysSet {\n        account: Address,\n    },\n    Begun,\n    Set { set: SetId },\n}\n\nstruct X {\n}\n";
        assert_eq!(events(source), ["keys_set", "begun", "set"]);
    }

    #[test]
    fn differences_name_both_sides() {
        assert_eq!(difference(&["a", "b"], &["b", "a"]), None);
        assert_eq!(
            difference(&["a", "c"], &["b", "a"]),
            Some("lacks [\"b\"] and has [\"c\"] too much".to_owned())
        );
        assert_eq!(difference(&["a", "a"], &["a"]), Some("names something twice".to_owned()));
    }

    #[test]
    fn a_refusal_out_of_order_is_found() {
        let mut found = Vec::new();
        check_refusals(&[("B", "b"), ("A", "a")], &[("A", "a"), ("B", "b")], &mut |what| found.push(what));
        assert_eq!(found.len(), 2);
    }
}
