//! The fields of an operation as arguments: a flag for each, some by their place, and all of them in JSON or in a batch.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::names::Quantity;
use crate::op::schema::{Content, Described, Field};
use crate::op::value::Reader;
use crate::replay::Thing;

/// The argument with all fields in one.
const JSON: &str = "json";
/// The argument with a file of many operations.
const BATCH: &str = "batch";

/// The fields of one operation as they were typed.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// Which operation.
    pub(crate) kind: &'static Described,
    json: Option<String>,
    /// By the names of the fields; those of a record have a dot in it.
    fields: Vec<(String, String)>,
    /// A file with a line for each operation.
    pub(crate) batch: Option<String>,
}

/// Adds the arguments. What is in `places` is also taken by its place.
pub(crate) fn arguments(mut command: Command, kind: &'static Described, places: &[&'static str]) -> Command {
    for (index, place) in places.iter().enumerate() {
        let field = kind.fields.iter().find(|field| field.name == *place);
        let field = field.unwrap_or_else(|| panic!("{} has a field {place}", kind.name));
        let arg = argument(field, field.name.to_owned()).index(index + 1);
        command = command.arg(arg);
    }
    for field in kind.fields.iter().filter(|field| !places.contains(&field.name)) {
        command = command.arg(flag(field, field.name.to_owned()));
        if let Content::Record(parts) = &field.content {
            for part in parts {
                command = command.arg(flag(part, format!("{}.{}", field.name, part.name)));
            }
        }
    }
    let json = Arg::new(JSON)
        .long(JSON)
        .help("All fields as one JSON object, or @FILE with one; arguments beside it stand over it")
        .value_name("JSON")
        .help_heading("Fields");
    command.arg(json)
}

/// Adds the argument for many operations in a file.
pub(crate) fn batch(command: Command) -> Command {
    command.arg(
        Arg::new(BATCH)
            .short('f')
            .long(BATCH)
            .help(
                "Many operations: a CSV file with the names of fields in its first line; - is standard input",
            )
            .value_name("FILE")
            .conflicts_with(JSON)
            .help_heading("Fields"),
    )
}

fn argument(field: &Field, id: String) -> Arg {
    let mut help = field.about.trim_end_matches('.').to_owned();
    if field.is_required && !id.contains('.') {
        help += " [required]";
    }
    Arg::new(id)
        .help(help)
        .value_name(field.content.placeholder())
        .action(ArgAction::Set)
        .help_heading("Fields")
}

fn flag(field: &Field, id: String) -> Arg {
    let long = id.replace(['_', '.'], "-");
    let is_same = long == id;
    let arg = argument(field, id.clone()).long(long).allow_hyphen_values(true);
    if is_same { arg } else { arg.alias(id) }
}

/// How the command is called.
pub(crate) fn usage(path: &str, kind: &'static Described, places: &[&'static str]) -> String {
    let field = |name: &str| kind.fields.iter().find(|field| field.name == name);
    let places = places.iter().filter_map(|place| {
        let field = field(place)?;
        let name = field.content.placeholder();
        Some(if field.is_required { format!("<{name}>") } else { format!("[{name}]") })
    });
    std::iter::once(path.to_owned())
        .chain(places)
        .chain(["[OPTIONS]".to_owned()])
        .collect::<Vec<_>>()
        .join(" ")
}

impl Typed {
    /// What was typed.
    pub(crate) fn of(kind: &'static Described, matches: &ArgMatches) -> Self {
        let given = |name: &str| matches.get_one::<String>(name).cloned();
        let mut fields = Vec::new();
        for field in &kind.fields {
            fields.extend(given(field.name).map(|text| (field.name.to_owned(), text)));
            if let Content::Record(parts) = &field.content {
                for part in parts {
                    let id = format!("{}.{}", field.name, part.name);
                    let text = matches.try_get_one::<String>(&id).ok().flatten().cloned();
                    fields.extend(text.map(|text| (id, text)));
                }
            }
        }
        let batch = matches.try_get_one::<String>(BATCH).ok().flatten().cloned();
        Self { kind, json: given(JSON), fields, batch }
    }

    /// What was typed for a field.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, text)| text.as_str())
    }

    /// The same operation with other fields beside those that were typed.
    pub(crate) fn with(&self, fields: Vec<(String, String)>) -> Self {
        let typed =
            self.fields.iter().filter(|(name, _)| !fields.iter().any(|(other, _)| other == name)).cloned();
        let fields = typed.chain(fields.iter().cloned()).collect();
        Self { kind: self.kind, json: self.json.clone(), fields, batch: None }
    }

    /// The fields as they travel.
    ///
    /// # Errors
    /// What is wrong with a field, or which are missing.
    pub(crate) fn read(&self, reader: &Reader<'_>) -> Result<Map<String, Value>, Failure> {
        let operation = self.kind.name;
        let mut fields = self.read_json()?;
        reader.resolve_fields(operation, &mut fields)?;
        let asset = self.asset(reader, &mut fields)?;
        for (name, text) in &self.fields {
            let field = self.field(name)?;
            if text == "all" && field.content == Content::Amount && !field.is_required {
                continue;
            }
            let value = reader.read(operation, name, &field.content, asset, text)?;
            match name.split_once('.') {
                None => drop(fields.insert(name.clone(), value)),
                Some((record, part)) => {
                    let record = fields.entry(record).or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(parts) = record {
                        parts.insert(part.to_owned(), value);
                    }
                }
            }
        }
        self.check_complete(&fields)?;
        // What was typed by itself, in JSON and in a batch alike: here all of it comes together, with the asset.
        super::destination::resolve(reader.book, operation, &mut fields)?;
        Ok(fields)
    }

    fn read_json(&self) -> Result<Map<String, Value>, Failure> {
        let Some(text) = &self.json else { return Ok(Map::new()) };
        let text = match text.strip_prefix('@') {
            Some(file) => crate::input::read_text(file)?,
            None => text.clone(),
        };
        let fields = serde_json::from_str::<Map<String, Value>>(&text).map_err(|error| {
            Failure::usage("field.not-json", format!("--json is no object of fields: {error}"))
                .docs(self.docs())
        })?;
        for name in fields.keys() {
            self.field(name)?;
        }
        Ok(fields)
    }

    /// The asset that amounts are of: what is typed for it, or what stands behind an amount.
    fn asset(&self, reader: &Reader<'_>, fields: &mut Map<String, Value>) -> Result<Option<u32>, Failure> {
        let name = ["asset", "token"].into_iter().find(|name| self.field(name).is_ok());
        let Some(name) = name else { return Ok(None) };
        let text =
            |wanted: &str| self.fields.iter().find(|(name, _)| name == wanted).map(|(_, text)| text.as_str());
        let in_json = fields.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
        let typed = text(name).map(|text| reader.book.thing(Thing::Asset, text)).transpose()?.or(in_json);
        let amounts = self.kind.fields.iter().filter(|field| field.content == Content::Amount);
        for amount in amounts.filter_map(|field| text(field.name)) {
            let Ok(quantity) = Quantity::parse(amount) else { continue };
            let Some(unit) = quantity.asset() else { continue };
            let number = reader.book.thing(Thing::Asset, unit)?;
            match typed {
                Some(asset) if asset != number => {
                    let what =
                        format!("{amount} is an amount of asset/{number}, and --{name} is asset/{asset}");
                    return Err(Failure::usage("amount.other-asset", what).help("name one asset"));
                }
                Some(_) => {}
                None => {
                    fields.insert(name.to_owned(), number.into());
                    return Ok(Some(number));
                }
            }
        }
        Ok(typed)
    }

    /// The field of that name, or the part of a record.
    fn field(&self, name: &str) -> Result<&'static Field, Failure> {
        let (own, part) = name.split_once('.').map_or((name, None), |(own, part)| (own, Some(part)));
        let field = self.kind.fields.iter().find(|field| field.name == own);
        let found = match (field, part) {
            (Some(field), None) => Some(field),
            (Some(Field { content: Content::Record(parts), .. }), Some(part)) => {
                parts.iter().find(|field| field.name == part)
            }
            _ => None,
        };
        found.ok_or_else(|| {
            let known: Vec<&str> = self.kind.fields.iter().map(|field| field.name).collect();
            let all = || format!("the fields are {}", known.join(", "));
            let help = crate::spelling::proposal(name, known.iter().copied(), all);
            Failure::usage("field.unknown", format!("{} has no field {name:?}", self.kind.name))
                .help(help)
                .docs(self.docs())
        })
    }

    fn check_complete(&self, fields: &Map<String, Value>) -> Result<(), Failure> {
        let missing: Vec<String> = self
            .kind
            .fields
            .iter()
            .filter(|field| field.is_required && !fields.contains_key(field.name))
            .map(|field| format!("{} ({})", field.name.replace('_', "-"), field.content.placeholder()))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::usage("field.missing", format!("{} needs {}", self.kind.name, missing.join(" and ")))
            .help(format!("surety op {} --help says what every field means", self.kind.name))
            .docs(self.docs()))
    }

    fn docs(&self) -> String {
        format!("docs/reference/operations/{}.md", self.kind.name)
    }
}
