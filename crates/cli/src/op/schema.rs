//! The fields of every operation, from the schema that is generated from the rules.

use std::sync::OnceLock;

use serde_json::Value;

use crate::replay::{Thing, is_common_field};

/// The schema of an operation line; a test of the repository holds it against the code.
const SCHEMA: &str = include_str!("../../../../docs/reference/operation.schema.json");

/// An operation as the command line sees it.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    /// Its name on the wire.
    pub(crate) name: &'static str,
    /// What it does, in a sentence.
    pub(crate) about: &'static str,
    /// Its own fields.
    pub(crate) fields: Vec<Field>,
}

/// A field of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its name on the wire.
    pub(crate) name: &'static str,
    /// What it means.
    pub(crate) about: &'static str,
    /// Whether it must be given. What the node fills in need not be.
    pub(crate) is_required: bool,
    /// What it holds.
    pub(crate) content: Content,
}

/// What a field holds, as far as typing it differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// An account.
    Account,
    /// A numbered thing.
    Thing(Thing),
    /// Base units of an asset.
    Amount,
    /// A number that is written as a text, and is no amount of an asset.
    Figure,
    /// Shares of a vault or a basket.
    Shares,
    /// A share of one.
    Fraction,
    /// A whole number.
    Whole,
    /// Yes or no.
    Truth,
    /// A text, or one of these words.
    Text(Vec<&'static str>),
    /// Several of the same.
    List(Box<Self>),
    /// Something with parts that are words themselves: each has a flag of its own.
    Record(Vec<Field>),
    /// Several things with two parts each, written `first=second,...`.
    Pairs(Vec<Field>),
    /// Something with parts, in JSON.
    Parts,
}

/// Every operation, in the order of the reference.
pub(crate) fn operations() -> &'static [Described] {
    static OPERATIONS: OnceLock<Vec<Described>> = OnceLock::new();
    OPERATIONS.get_or_init(|| {
        static PARSED: OnceLock<Value> = OnceLock::new();
        let schema =
            PARSED.get_or_init(|| serde_json::from_str(SCHEMA).expect("the schema is JSON; a test reads it"));
        let list = schema.get("oneOf").and_then(Value::as_array).expect("the schema lists the operations");
        list.iter().map(|operation| describe(schema, operation)).collect()
    })
}

/// The operation of that name.
pub(crate) fn operation(name: &str) -> Option<&'static Described> {
    operations().iter().find(|operation| operation.name == name)
}

fn describe(schema: &'static Value, operation: &'static Value) -> Described {
    let text =
        |value: &'static Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let name = text(operation, "title");
    let required: Vec<&str> = operation
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = operation.get("properties").and_then(Value::as_object).into_iter().flatten();
    let own = properties.filter(|(field, _)| !is_common_field(field));
    let fields = own.map(|(field, property)| Field {
        name: field,
        about: text(property, "description"),
        is_required: required.contains(&field.as_str()),
        content: content(schema, name, field, property),
    });
    Described { name, about: first_sentence(text(operation, "description")), fields: fields.collect() }
}

/// The parts of a type that is an object of words.
fn parts(schema: &'static Value, operation: &str, definition: &'static Value) -> Option<Vec<Field>> {
    let properties = definition.get("properties")?.as_object()?;
    let required: Vec<&str> = definition
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let fields: Vec<Field> = properties
        .iter()
        .map(|(name, property)| Field {
            name,
            about: property.get("description").and_then(Value::as_str).unwrap_or_default(),
            is_required: required.contains(&name.as_str()),
            content: content(schema, operation, name, property),
        })
        .collect();
    let is_word =
        |field: &Field| !matches!(field.content, Content::Parts | Content::Record(_) | Content::Pairs(_));
    fields.iter().all(is_word).then_some(fields)
}

fn first_sentence(text: &'static str) -> &'static str {
    let end = text.find(". ").map_or(text.len(), |end| end + 1);
    text.get(..end).unwrap_or(text).trim_end_matches('.')
}

fn content(schema: &'static Value, operation: &str, field: &str, property: &'static Value) -> Content {
    // `null` says only that it may be left out.
    if let Some(choices) = property.get("anyOf").and_then(Value::as_array) {
        let is_null = |choice: &&Value| choice.get("type").and_then(Value::as_str) == Some("null");
        let rest: Vec<&'static Value> = choices.iter().filter(|choice| !is_null(choice)).collect();
        if let [only] = rest.as_slice() {
            return content(schema, operation, field, only);
        }
    }
    if let Some(name) = property.get("$ref").and_then(Value::as_str) {
        let name = name.trim_start_matches("#/$defs/");
        return named(schema, operation, field, name);
    }
    let is_of = |kind: &str| match property.get("type") {
        Some(Value::String(found)) => found == kind,
        Some(Value::Array(found)) => found.iter().any(|found| found == kind),
        _ => false,
    };
    match property.get("items") {
        Some(items) if is_of("array") => match content(schema, operation, field, items) {
            Content::Record(fields) if fields.len() == 2 && fields.iter().all(|field| field.is_required) => {
                Content::Pairs(in_order(fields))
            }
            Content::Parts | Content::Record(_) => Content::Parts,
            element => Content::List(Box::new(element)),
        },
        _ if is_of("boolean") => Content::Truth,
        _ if is_of("integer") => Content::Whole,
        _ if is_of("string") => Content::Text(Vec::new()),
        _ => Content::Parts,
    }
}

fn named(schema: &'static Value, operation: &str, field: &str, name: &str) -> Content {
    let thing = name.strip_suffix("Id").map(str::to_lowercase);
    if let Some(thing) = thing.and_then(|word| Thing::from_word(&word)) {
        return Content::Thing(thing);
    }
    match (name, operation, field) {
        ("Address", ..) => Content::Account,
        ("Amount", "declare_profit", _) | ("Amount", "report_rate", _) => Content::Figure,
        ("Amount", ..) => Content::Amount,
        ("Shares", ..) => Content::Shares,
        ("Fraction", ..) => Content::Fraction,
        ("Epoch" | "TicketId", ..) => Content::Whole,
        ("Digest" | "PublicKey" | "Signature", ..) => Content::Text(Vec::new()),
        _ => words(schema, operation, schema.pointer(&format!("/$defs/{name}"))),
    }
}

/// Who or what stands in front of how much.
fn in_order(mut fields: Vec<Field>) -> Vec<Field> {
    let is_name = |field: &Field| matches!(field.content, Content::Account | Content::Thing(_));
    fields.sort_by_key(|field| !is_name(field));
    fields
}

/// The words of a type that is nothing but words, or an object of words.
fn words(schema: &'static Value, operation: &str, definition: Option<&'static Value>) -> Content {
    let Some(definition) = definition else { return Content::Parts };
    if let Some(fields) = parts(schema, operation, definition) {
        return Content::Record(fields);
    }
    let list = |field: &str| definition.get(field).and_then(Value::as_array);
    if let Some(words) = list("enum") {
        return Content::Text(words.iter().filter_map(Value::as_str).collect());
    }
    let constants: Option<Vec<&str>> = list("oneOf")
        .and_then(|choices| choices.iter().map(|choice| choice.get("const")?.as_str()).collect());
    constants.map_or(Content::Parts, Content::Text)
}

impl Content {
    /// What stands for the value in the help.
    pub(crate) fn placeholder(&self) -> String {
        match self {
            Self::Account => "ACCOUNT".to_owned(),
            Self::Thing(thing) => thing.word().to_uppercase(),
            Self::Amount => "AMOUNT".to_owned(),
            Self::Figure => "FIGURE".to_owned(),
            Self::Shares => "SHARES".to_owned(),
            Self::Fraction => "SHARE".to_owned(),
            Self::Whole => "NUMBER".to_owned(),
            Self::Truth => "true|false".to_owned(),
            Self::Text(words) if words.is_empty() => "TEXT".to_owned(),
            Self::Text(words) if words.len() <= 6 => words.join("|"),
            Self::Text(_) => "WORD".to_owned(),
            Self::List(element) => format!("{},...", element.placeholder()),
            Self::Pairs(fields) => {
                let parts: Vec<String> = fields.iter().map(|field| field.content.placeholder()).collect();
                format!("{},...", parts.join("="))
            }
            Self::Record(_) | Self::Parts => "JSON".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::Kind;

    use super::*;

    #[test]
    fn every_kind_of_operation_is_described() {
        let names: Vec<&str> = operations().iter().map(|operation| operation.name).collect();
        let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names, kinds);
        for operation in operations() {
            assert!(!operation.about.is_empty(), "{}", operation.name);
            for field in &operation.fields {
                assert!(!field.about.is_empty(), "{}.{}", operation.name, field.name);
            }
        }
    }

    #[test]
    fn contents_are_read_from_the_schema() {
        let cases = [
            ("delegate", "operator", Content::Thing(Thing::Operator), true),
            ("delegate", "amount", Content::Amount, true),
            ("delegate", "mandate", Content::Text(Vec::new()), false),
            ("delegate", "worst_case", Content::Fraction, false),
            ("undelegate", "follow_up", Content::Parts, false),
            ("claim", "to", Content::Account, false),
            ("withdraw", "to", Content::Text(Vec::new()), true),
            ("report_validator", "validator", Content::Whole, true),
            ("declare_profit", "profit", Content::Figure, true),
            ("admit", "admitted", Content::Truth, true),
            ("guard", "stop", Content::Text(vec!["joins", "listings", "sets", "allocations"]), true),
            ("set_keys", "keys", Content::List(Box::new(Content::Text(Vec::new()))), true),
        ];
        for (name, field, content, is_required) in cases {
            let described = operation(name).expect(name);
            let found = described.fields.iter().find(|known| known.name == field).expect(field);
            assert_eq!((&found.content, found.is_required), (&content, is_required), "{name}.{field}");
        }
    }

    #[test]
    fn records_and_pairs_are_known() {
        let content = |name: &str, field: &str| {
            let described = operation(name).expect(name);
            described.fields.iter().find(|known| known.name == field).expect(field).content.clone()
        };
        let names = |fields: &[Field]| fields.iter().map(|field| field.name).collect::<Vec<_>>();
        let Content::Record(mandate) = content("open_pool", "mandate") else { panic!("a record") };
        assert_eq!(
            names(&mandate),
            ["commission", "elsewhere", "own_verifiers", "uncertified", "worst_case"]
        );
        let pairs = [
            ("join_set", "allocations", ["asset", "parts"], "ASSET=NUMBER,..."),
            ("pay_work", "payments", ["operator", "amount"], "OPERATOR=AMOUNT,..."),
            ("set_split", "recipients", ["account", "share"], "ACCOUNT=SHARE,..."),
            ("grant", "limits", ["asset", "amount"], "ASSET=AMOUNT,..."),
        ];
        for (name, field, parts, placeholder) in pairs {
            let found = content(name, field);
            assert_eq!(found.placeholder(), placeholder);
            let Content::Pairs(fields) = found else { panic!("{name}.{field}") };
            assert_eq!(names(&fields), parts);
        }
        assert_eq!(content("create_set", "terms"), Content::Parts);
    }
}
