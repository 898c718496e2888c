//! `surety stake`: what stakers do with their stake, and `surety withdraw`, which is the most asked for of it.

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};

use crate::context::Context;
use crate::failure::Failure;
use crate::op::Op;
use crate::op::verb::{Stake as Noun, Under, verb_of};
use crate::output::Answer;

/// What is done with stake. `surety position` shows it.
#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    #[command(flatten)]
    Under(Under<Noun>),
}

impl Verbs {
    /// Runs it.
    ///
    /// # Errors
    /// What sending says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let Self::Under(under) = self;
        under.run(context)
    }
}

/// A withdrawal, as `surety stake withdraw`.
#[derive(Debug)]
pub(crate) struct Withdraw(Op);

impl Withdraw {
    /// Runs it.
    ///
    /// # Errors
    /// What sending says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        self.0.run(context)
    }
}

impl Args for Withdraw {
    fn augment_args(command: Command) -> Command {
        let arguments = verb_of("withdraw").command("surety withdraw");
        let usage = "surety withdraw <AMOUNT> <TO> [OPTIONS]";
        command.args(arguments.get_arguments()).override_usage(usage)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Withdraw {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        verb_of("withdraw").parse(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
