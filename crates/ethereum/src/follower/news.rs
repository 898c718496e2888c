//! What a follower hands over, in the form of the operations that a ledger takes it by.

use std::io::Write;

use evidence::ethereum::{Bootstrap, Opening, RememberedRoot, Update};
use serde::Serialize;

/// Something that was verified, and is not known yet where it goes to. In JSON it is an operation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum News {
    /// The trusted block, with the committee of its period.
    BeginChain {
        /// What a light client begins with.
        bootstrap: Box<Bootstrap>,
    },
    /// A newer final block, a committee, or both.
    UpdateChain {
        /// What the committee has signed.
        update: Box<Update>,
    },
    /// The content of the execution block that a final block names.
    OpenBlock {
        /// Slot of the final block.
        slot: u64,
        /// What shows it.
        opening: Opening,
    },
    /// Two thirds of a committee have signed against what was accepted.
    ReportContradiction {
        /// What they have signed.
        update: Box<Update>,
        /// What a later state remembers, where the block of the slot was not accepted itself.
        remembered: Option<RememberedRoot>,
    },
}

/// Who takes what a follower has verified.
pub trait Sink {
    /// Takes it. Something may come twice, after a follower was ended between handing over and remembering that.
    ///
    /// # Errors
    /// Why it was not taken, in words; the follower then tries again later.
    fn submit(&mut self, news: &News) -> Result<(), String>;
}

/// A line of JSON for each, as `surety op` reads them.
pub struct Lines<W>(pub W);

impl<W: Write> Sink for Lines<W> {
    fn submit(&mut self, news: &News) -> Result<(), String> {
        let line = serde_json::to_string(news).map_err(|error| error.to_string())?;
        let written = writeln!(self.0, "{line}").and_then(|()| self.0.flush());
        written.map_err(|error| error.to_string())
    }
}
