//! `surety op KIND`: any operation by its fields. The commands with nouns are the same operations, said shorter: [`verb`] lists them.

pub(crate) mod batch;
mod destination;
mod duty;
pub(crate) mod form;
pub(crate) mod plan;
pub(crate) mod schema;
pub(crate) mod value;
pub(crate) mod verb;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};
use signing::bundle::Bundle;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::write::{Drafting, Wanted, Writing};
use form::Typed;
use schema::Described;

/// An operation as it was typed, and how it is sent.
#[derive(Debug)]
pub(crate) struct Op {
    typed: Typed,
    writing: Writing,
    is_plan: bool,
}

impl Op {
    /// From the arguments of a kind.
    ///
    /// # Errors
    /// What the command line says.
    pub(crate) fn of(kind: &'static Described, matches: &ArgMatches) -> Result<Self, Error> {
        let is_plan = plan::is_asked(matches);
        Ok(Self { typed: Typed::of(kind, matches), writing: Writing::from_arg_matches(matches)?, is_plan })
    }

    /// Previews, signs and sends the operation, or every one of a batch; or shows a plan of it.
    ///
    /// # Errors
    /// What is wrong with a field; what sending says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        if self.is_plan {
            return crate::nouns::plan::show(context, self.typed.text("vault"));
        }
        match &self.typed.batch {
            None => self.writing.send(context, self.wanted(context)?),
            Some(file) => {
                let reader = context.reader()?;
                let lines = batch::read(&self.typed, file)?.into_iter().map(|(line, typed)| {
                    let fields =
                        typed.read(&reader).map_err(|failure| failure.at(&format!("{file}:{line}")))?;
                    Ok((line, Wanted::new(typed.kind.name, fields)))
                });
                self.writing.send_all(context, lines.collect::<Result<Vec<_>, Failure>>()?)
            }
        }
    }

    fn wanted(&self, context: &Context) -> Result<Wanted, Failure> {
        wanted(&self.typed, self.writing.drafting(), context)
    }
}

fn wanted(typed: &Typed, drafting: &Drafting, context: &Context) -> Result<Wanted, Failure> {
    let typed = duty::prove(context, drafting, typed)?;
    Ok(Wanted::new(typed.kind.name, typed.read(&context.reader()?)?))
}

/// An operation as it was typed, to be signed elsewhere.
#[derive(Debug)]
pub(crate) struct Drafted {
    typed: Typed,
    drafting: Drafting,
}

impl Drafted {
    /// What is to be signed, without sending anything.
    ///
    /// # Errors
    /// As [`Op::run`].
    pub(crate) fn build(&self, context: &Context) -> Result<Bundle, Failure> {
        let wanted = wanted(&self.typed, &self.drafting, context)?;
        Ok(self.drafting.prepare(context, &wanted, crate::write::ELSEWHERE)?.bundle)
    }
}

/// The command of a kind, with these fields by their place.
fn command(name: &'static str, path: &str, kind: &'static Described, places: &[&'static str]) -> Command {
    let mut command = form::batch(form::arguments(Command::new(name), kind, places));
    if kind.name == plan::KIND {
        command = command.arg(plan::argument());
    }
    finished(Writing::augment_args(command), path, kind, places)
}

/// Its help: the options have a description of their own, which is not that of the command.
fn finished(command: Command, path: &str, kind: &'static Described, places: &[&'static str]) -> Command {
    let more = match kind.name {
        duty::KIND => duty::HELP,
        plan::KIND => plan::HELP,
        _ => "",
    };
    let docs = format!("{more}Every refusal and its remedy: docs/reference/operations/{}.md", kind.name);
    let command = command.about(kind.about).long_about(None);
    command.after_help(docs).override_usage(form::usage(path, kind, places))
}

impl Subcommand for Op {
    fn augment_subcommands(command: Command) -> Command {
        let operations = schema::operations()
            .iter()
            .map(|kind| self::command(kind.name, &format!("surety op {}", kind.name), kind, &[]));
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
        Self::of(schema::operation(name).ok_or_else(missing)?, matches)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Drafted {
    fn augment_subcommands(command: Command) -> Command {
        let operations = schema::operations().iter().map(|kind| {
            let path = format!("surety tx build --out <FILE> {}", kind.name);
            let drafted = Drafting::augment_args(form::arguments(Command::new(kind.name), kind, &[]));
            finished(drafted, &path, kind, &[])
        });
        command.subcommands(operations).subcommand_required(true).arg_required_else_help(true)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        schema::operation(name).is_some()
    }
}

impl FromArgMatches for Drafted {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let missing = || Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let kind = schema::operation(name).ok_or_else(missing)?;
        Ok(Self { typed: Typed::of(kind, matches), drafting: Drafting::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
