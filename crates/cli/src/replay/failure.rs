//! Why a replay ends with an exit code that is not zero.

use std::fmt::{self, Write as _};
use std::io;

use crate::exit::Exit;

/// How many surprises are told one by one.
const TOLD_MAX: usize = 100;

/// Why a replay failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The input can't be opened.
    #[error("surety: cannot open {file}: {source}")]
    Open {
        /// As it was named.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// The input broke off.
    #[error("surety: cannot read {file}: {source}")]
    Read {
        /// As it was named.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// The output can't be written.
    #[error("surety: cannot write: {0}")]
    Write(#[source] io::Error),
    /// A line can't be used.
    #[error("{file}:{line}:{column}: {mistake}")]
    Mistake {
        /// Which input.
        file: String,
        /// From 1.
        line: u64,
        /// From 1, in characters.
        column: usize,
        /// Cause and remedy.
        mistake: String,
    },
    /// The state is not as the protocol promises.
    #[error(
        "{file}:{line}: after this line the ledger breaks a promise: {violation}\n  help: this is a bug of the protocol, please report it with the history up to here"
    )]
    Violated {
        /// Which input.
        file: String,
        /// From 1.
        line: u64,
        /// Which promise, with the numbers compared.
        violation: String,
    },
    /// Lines came out otherwise than they say.
    #[error("{0}")]
    Surprised(String),
}

impl Failure {
    /// What the process reports.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Open { .. } | Self::Read { .. } | Self::Write(_) | Self::Mistake { .. } => Exit::Usage,
            Self::Violated { .. } | Self::Surprised(_) => Exit::Refused,
        }
    }
}

/// A line that came out otherwise than it says.
#[derive(Debug)]
pub(crate) struct Surprise {
    /// From 1.
    pub(crate) line: u64,
    /// What it says.
    pub(crate) expected: String,
    /// What happened.
    pub(crate) found: String,
}

/// The lines that came out otherwise than they say; the first in full, the rest counted, so that memory is bounded.
#[derive(Debug, Default)]
pub(crate) struct Surprises {
    told: Vec<Surprise>,
    untold: u64,
}

impl Surprises {
    /// Keeps one more.
    pub(crate) fn add(&mut self, surprise: Surprise) {
        if self.told.len() < TOLD_MAX {
            self.told.push(surprise);
        } else {
            self.untold += 1;
        }
    }

    /// The failure that they amount to.
    pub(crate) fn into_result(self, file: &str) -> Result<(), Failure> {
        if self.told.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        self.tell(file, &mut text).expect("a string takes any text");
        Err(Failure::Surprised(text))
    }

    fn tell(&self, file: &str, text: &mut String) -> fmt::Result {
        for (index, Surprise { line, expected, found }) in self.told.iter().enumerate() {
            let end = if index + 1 == self.told.len() { "" } else { "\n" };
            write!(text, "{file}:{line}: expected {expected}, found {found}{end}")?;
        }
        match self.untold {
            0 => Ok(()),
            more => write!(text, "\n{file}: and {more} more"),
        }
    }
}
