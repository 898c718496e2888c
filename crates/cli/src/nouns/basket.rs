//! `surety basket`: what is done with baskets of shares of vaults.

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;
use crate::op::verb::{Basket as Noun, Under};
use crate::output::Answer;

/// What is done with baskets.
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
