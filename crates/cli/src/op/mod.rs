//! `surety op KIND`: any operation by its fields. The commands with nouns are the same operations, said shorter.

pub(crate) mod schema;
pub(crate) mod value;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::write::{Wanted, Writing};
use schema::Described;

/// The argument with all fields in one.
const JSON: &str = "json";

/// An operation as it was typed.
#[derive(Debug)]
pub(crate) struct Op {
    kind: &'static Described,
    json: Option<String>,
    fields: Vec<(&'static str, String)>,
    writing: Writing,
}

impl Op {
    /// Previews, signs and sends the operation.
    ///
    /// # Errors
    /// What is wrong with a field; what sending says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let fields = self.read(context)?;
        self.writing.send(context, Wanted::new(self.kind.name, fields))
    }

    /// The fields as they travel.
    fn read(&self, context: &Context) -> Result<Map<String, Value>, Failure> {
        let reader = context.reader()?;
        let operation = self.kind.name;
        let docs = || format!("docs/reference/operations/{operation}.md");
        let mut fields = match &self.json {
            None => Map::new(),
            Some(text) => {
                let text = match text.strip_prefix('@') {
                    Some(file) => crate::input::read_text(file)?,
                    None => text.clone(),
                };
                let parsed = serde_json::from_str::<Map<String, Value>>(&text).map_err(|error| {
                    Failure::usage("field.not-json", format!("--json is no object of fields: {error}"))
                        .docs(docs())
                })?;
                self.check_names(parsed.keys())?;
                parsed
            }
        };
        reader.resolve_fields(operation, &mut fields)?;
        for (name, text) in &self.fields {
            let described = self.kind.fields.iter().find(|field| field.name == *name);
            let described = described.expect("only known fields are arguments");
            fields.insert((*name).to_owned(), reader.read(operation, name, &described.content, text)?);
        }
        let missing: Vec<String> = self
            .kind
            .fields
            .iter()
            .filter(|field| field.is_required && !fields.contains_key(field.name))
            .map(|field| format!("--{} {}", field.name.replace('_', "-"), field.content.placeholder()))
            .collect();
        if missing.is_empty() {
            return Ok(fields);
        }
        let what = format!("{operation} needs {}", missing.join(" and "));
        Err(Failure::usage("field.missing", what)
            .help(format!("surety op {operation} --help says what they mean"))
            .docs(docs()))
    }

    fn check_names<'a>(&self, mut names: impl Iterator<Item = &'a String>) -> Result<(), Failure> {
        let known: Vec<&str> = self.kind.fields.iter().map(|field| field.name).collect();
        match names.find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let all = || format!("the fields are {}", known.join(", "));
                let help = crate::spelling::proposal(name, known.iter().copied(), all);
                let what = format!("{} has no field {name:?}", self.kind.name);
                Err(Failure::usage("field.unknown", what).help(help))
            }
        }
    }
}

fn command(described: &'static Described) -> Command {
    let mut command = Command::new(described.name).about(described.about);
    for field in &described.fields {
        let long = field.name.replace('_', "-");
        let mut help = field.about.trim_end_matches('.').to_owned();
        if field.is_required {
            help += " [required]";
        }
        let mut arg = Arg::new(field.name)
            .long(long.clone())
            .help(help)
            .value_name(field.content.placeholder())
            .allow_hyphen_values(true)
            .action(ArgAction::Set)
            .help_heading("Fields");
        if long != field.name {
            arg = arg.alias(field.name);
        }
        command = command.arg(arg);
    }
    let json = Arg::new(JSON)
        .long(JSON)
        .help("All fields as one JSON object, or @FILE with one; fields beside it stand over it")
        .value_name("JSON")
        .help_heading("Fields");
    let docs = format!("Every refusal and its remedy: docs/reference/operations/{}.md", described.name);
    Writing::augment_args(command.arg(json)).after_help(docs)
}

impl Subcommand for Op {
    fn augment_subcommands(command: Command) -> Command {
        let operations = schema::operations().iter().map(self::command);
        command.subcommands(operations).subcommand_required(true).arg_required_else_help(true)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        schema::operation(name).is_some()
    }
}

impl FromArgMatches for Op {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let missing = || Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let kind = schema::operation(name).ok_or_else(missing)?;
        let given = |name: &str| matches.get_one::<String>(name).cloned();
        let fields = kind.fields.iter().filter_map(|field| Some((field.name, given(field.name)?)));
        Ok(Self {
            kind,
            json: given(JSON),
            fields: fields.collect(),
            writing: Writing::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
