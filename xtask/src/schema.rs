//! `docs/reference/operation.schema.json`: what a line of `surety replay` may be, from the types of the protocol.
//!
//! The types know the fields. What the replay adds is here: who sends, names in place of addresses and numbers, and what may be left out.

use std::collections::BTreeMap;
use std::fs;

use protocol::{Kind, authority};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::Findings;
use crate::files::Repository;

const PATH: &str = "docs/reference/operation.schema.json";
/// Fields that every operation has beside its own.
pub(crate) const COMMON_FIELDS: [&str; 6] = ["op", "from", "by", "as", "note", "expect"];
/// Definitions of numbers for which a name may stand.
const NUMBERED: [&str; 9] = [
    "AssetId",
    "OperatorId",
    "PoolId",
    "RequestId",
    "ServiceId",
    "SetId",
    "SlashId",
    "StreamId",
    "ValidatorId",
];
/// What the replay fills in: definition and fields.
const FILLED_IN: [(&str, &[&str]); 4] = [
    ("Delegate", &["mandate", "worst_case"]),
    ("Order", &["mandate", "worst_case"]),
    ("Consent", &["terms"]),
    ("JoinSet", &["terms"]),
];

/// The definitions of all types, and which one each operation is.
pub(crate) struct Definitions {
    by_name: Map<String, Value>,
    of_kind: BTreeMap<&'static str, String>,
}

impl Definitions {
    /// As the types of the protocol say.
    pub(crate) fn of_protocol() -> Self {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let mut of_kind = BTreeMap::new();
        for kind in Kind::ALL {
            let reference = kind.schema(&mut generator).to_value();
            let name = reference["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
            of_kind.insert(kind.name(), name.expect("an operation is a named type").to_owned());
        }
        Self { by_name: generator.take_definitions(true), of_kind }
    }

    /// The names of the fields of a record, in the order of the text.
    pub(crate) fn fields_of(&self, name: &str) -> Option<Vec<&str>> {
        let properties = self.by_name.get(name)?.get("properties");
        Some(
            properties
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(Map::keys)
                .map(String::as_str)
                .collect(),
        )
    }

    /// The names of the fields of an operation.
    pub(crate) fn fields(&self, kind: Kind) -> Vec<&str> {
        self.of_kind.get(kind.name()).and_then(|name| self.fields_of(name)).unwrap_or_default()
    }

    /// As the replay reads them.
    fn for_replay(mut self) -> Self {
        for (name, filled_in) in FILLED_IN {
            self.relax(name, filled_in);
        }
        for name in ["Parameters", "Caps"] {
            // Parameters that are not proposed anew stay.
            if let Some(Value::Object(definition)) = self.by_name.get_mut(name) {
                definition.remove("required");
            }
        }
        if let Some(variants) =
            self.by_name.get_mut("FollowUp").and_then(|schema| schema["oneOf"].as_array_mut())
        {
            for delegation in
                variants.iter_mut().filter_map(|variant| variant.pointer_mut("/properties/delegate"))
            {
                without_required(delegation, &["mandate", "worst_case"]);
            }
        }
        for name in NUMBERED {
            if let Some(number) = self.by_name.get(name).cloned() {
                let description = number["description"].clone();
                let either =
                    json!({ "description": description, "anyOf": [plain(number), name_reference()] });
                self.by_name.insert(name.to_owned(), either);
            }
        }
        if let Some(set) =
            self.by_name.get_mut("Equivocation").and_then(|schema| schema.pointer_mut("/properties/set"))
        {
            let description = set["description"].clone();
            *set = json!({ "description": description, "anyOf": [plain(set.clone()), name_reference()] });
        }
        let address = json!({ "type": "string", "pattern": "^0x[0-9a-f]{40}$" });
        let account = json!({ "description": "An account.", "anyOf": [address, name_reference()] });
        self.by_name.insert("Address".to_owned(), account);
        let name = json!({
            "description": "A name that the history uses: of an account, or given with `as`.",
            "type": "string",
            "pattern": "^[A-Za-z][A-Za-z0-9._-]{0,63}$",
        });
        self.by_name.insert("Name".to_owned(), name);
        let codes: Vec<String> =
            authority::Refused::ALL.iter().map(|(name, _)| format!("authority.{name}")).collect();
        let refusals = json!({ "description": "Why nobody listens.", "enum": codes });
        self.by_name.insert("AuthorityRefusal".to_owned(), refusals);
        self
    }

    fn relax(&mut self, name: &str, fields: &[&str]) {
        if let Some(definition) = self.by_name.get_mut(name) {
            without_required(definition, fields);
        }
    }

    /// The schema of one operation, with the fields that all have.
    fn operation(&mut self, kind: Kind) -> Value {
        let name = self.of_kind.get(kind.name()).cloned().unwrap_or_default();
        let mut schema = self.by_name.remove(&name).expect("an operation has a definition");
        let codes: Vec<String> = kind.refusals().iter().map(|(name, _)| format!("{kind}.{name}")).collect();
        let account = |what: &str| json!({ "description": what, "$ref": "#/$defs/Address" });
        let common = [
            json!({ "const": kind.name() }),
            account("The account that sends it."),
            account("The delegate that signs for it."),
            json!({ "description": "A name for what the line creates.", "$ref": "#/$defs/Name" }),
            json!({ "description": "Text that the answer repeats.", "type": "string", "maxLength": 1024 }),
            json!({
                "description": "What the line comes to.",
                "anyOf": [{ "const": "ok" }, { "enum": codes }, { "$ref": "#/$defs/AuthorityRefusal" }],
            }),
        ];
        let properties =
            schema.as_object_mut().expect("a record").entry("properties").or_insert_with(|| json!({}));
        let properties = properties.as_object_mut().expect("properties are an object");
        for (field, schema) in COMMON_FIELDS.into_iter().zip(common) {
            let before = properties.insert(field.to_owned(), schema);
            assert!(before.is_none(), "{kind} has a field {field} of its own");
        }
        let required =
            schema.as_object_mut().expect("a record").entry("required").or_insert_with(|| json!([]));
        required.as_array_mut().expect("names").extend([json!("from"), json!("op")]);
        schema["title"] = json!(kind.name());
        schema
    }
}

fn name_reference() -> Value {
    json!({ "$ref": "#/$defs/Name" })
}

/// A schema without what is said about it elsewhere.
fn plain(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("description");
    }
    schema
}

fn without_required(schema: &mut Value, fields: &[&str]) {
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|field| !field.as_str().is_some_and(|field| fields.contains(&field)));
    }
}

/// The text of the schema: keys sorted, so that it is the same whoever writes it.
fn text() -> String {
    let mut definitions = Definitions::of_protocol().for_replay();
    let operations: Vec<Value> = Kind::ALL.iter().map(|kind| definitions.operation(*kind)).collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:surety:operation:v1",
        "title": "An operation of the Surety ledger, as `surety replay` reads it",
        "oneOf": operations,
        "$defs": definitions.by_name,
    });
    let mut text = serde_json::to_string_pretty(&sorted(schema)).expect("a schema is plain data");
    text.push('\n');
    text
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> = fields.into_iter().collect();
            Value::Object(fields.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        Value::Array(elements) => Value::Array(elements.into_iter().map(sorted).collect()),
        value => value,
    }
}

/// Writes the schema.
pub(crate) fn write(repository: &Repository) -> Findings {
    match fs::write(repository.root().join(PATH), text()) {
        Ok(()) => Vec::new(),
        Err(error) => vec![format!("{PATH}: {error}")],
    }
}

/// The schema that is checked in is what the types say.
pub(crate) fn check(repository: &Repository) -> Findings {
    match repository.text(PATH) {
        Some(found) if found == text() => Vec::new(),
        Some(_) => vec![format!("{PATH} is not what the code says; run `cargo run -p xtask -- schema`")],
        None => vec![format!("{PATH} is missing; run `cargo run -p xtask -- schema`")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` of a schema.
    fn references<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
        match schema {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|part| references(part, found));
            }
            Value::Array(elements) => elements.iter().for_each(|part| references(part, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_has_a_definition_and_every_definition_a_reference() {
        let schema: Value = serde_json::from_str(&text()).expect("a schema is JSON");
        let mut found = Vec::new();
        references(&schema, &mut found);
        for reference in &found {
            let pointer = reference.strip_prefix('#').expect("references stay inside");
            assert!(schema.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
        for name in schema["$defs"].as_object().expect("definitions").keys() {
            assert!(found.contains(&format!("#/$defs/{name}").as_str()), "{name} is used by nobody");
        }
    }

    #[test]
    fn there_is_one_schema_for_each_operation() {
        let schema: Value = serde_json::from_str(&text()).expect("a schema is JSON");
        let operations = schema["oneOf"].as_array().expect("a list");
        let names: Vec<_> =
            operations.iter().map(|schema| schema["properties"]["op"]["const"].as_str()).collect();
        let expected: Vec<_> = Kind::ALL.iter().map(|kind| Some(kind.name())).collect();
        assert_eq!(names, expected);
        assert!(operations.iter().all(|schema| schema["additionalProperties"] == json!(false)));
    }
}
