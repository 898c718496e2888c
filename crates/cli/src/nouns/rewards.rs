//! `surety rewards`.

use clap::Subcommand;

use super::{Whose, position};
use crate::context::Context;
use crate::failure::Failure;
use crate::op::verb::{Rewards as Noun, Under};
use crate::output::Answer;

/// What is asked about rewards, or done with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what an account can claim, and what it can expect for this epoch.
    Show(Whose),
    #[command(flatten)]
    Under(Under<Noun>),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the node says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Show(whose) => position::earn(context, whose),
            Self::Under(under) => under.run(context),
        }
    }
}
