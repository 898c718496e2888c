//! Why a command did not do what it was asked for: what failed, why, what to do, a code, where to read on.

use std::fmt;
use std::io;

use serde_json::{Value, json};

use crate::exit::Exit;
use crate::spelling;

/// Why a command failed. Text that comes from a node or a file is cut and cleaned before it gets here or when it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    exit: Exit,
    code: String,
    what: String,
    why: Option<String>,
    help: Option<String>,
    docs: Option<String>,
}

impl Failure {
    /// What failed, with the code by which it is looked up: an area and a word, like `config.unknown-key`.
    pub(crate) fn new(exit: Exit, code: impl Into<String>, what: impl Into<String>) -> Self {
        let (code, what) = (code.into(), what.into());
        Self(Box::new(Parts { exit, code, what, why: None, help: None, docs: None }))
    }

    /// Something in the command line, the configuration or an input that can't be used.
    pub(crate) fn usage(code: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, code, what)
    }

    /// Whoever reads the answer has closed the pipe: they have seen enough.
    pub(crate) fn closed() -> Self {
        Self::new(Exit::Success, "output.closed", "nobody reads any more")
    }

    /// A file or folder that can't be used, with what the system says.
    pub(crate) fn storage(what: impl Into<String>, error: &io::Error) -> Self {
        Self::new(Exit::Storage, "storage.io", what).why(error.to_string())
    }

    /// A name that nobody has, with the nearest one that somebody has.
    pub(crate) fn unknown<'a>(
        thing: &str,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
        otherwise: impl FnOnce() -> String,
    ) -> Self {
        let help = spelling::proposal(word, known, otherwise);
        Self::new(Exit::NotFound, "name.unknown", format!("there is no {thing} {word:?}")).help(help)
    }

    /// Says where in an input it happened.
    pub(crate) fn at(mut self, place: &str) -> Self {
        self.0.what = format!("{place}: {}", self.0.what);
        self
    }

    /// Says why.
    pub(crate) fn why(mut self, why: impl Into<String>) -> Self {
        self.0.why = Some(why.into());
        self
    }

    /// Says what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Says where to read on; without it, at the exit code.
    pub(crate) fn docs(mut self, docs: impl Into<String>) -> Self {
        self.0.docs = Some(docs.into());
        self
    }

    /// How the process ends for it.
    pub(crate) fn exit(&self) -> Exit {
        self.0.exit
    }

    /// The code by which it is looked up.
    pub(crate) fn code(&self) -> &str {
        &self.0.code
    }

    /// What to do, if that is known.
    pub(crate) fn remedy(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    fn read_on(&self) -> String {
        let Parts { exit, docs, .. } = self.0.as_ref();
        docs.clone().unwrap_or_else(|| exit.page())
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        let Parts { exit, code, what, why, help, .. } = self.0.as_ref();
        json!({"error": {
            "what": what, "why": why, "help": help, "code": code, "exit": exit.code(), "docs": self.read_on(),
        }})
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { exit, code, what, why, help, .. } = self.0.as_ref();
        writeln!(f, "surety: {}", shown(what))?;
        if let Some(why) = why {
            writeln!(f, "   why: {}", shown(why))?;
        }
        if let Some(help) = help {
            writeln!(f, "  help: {}", shown(help))?;
        }
        write!(f, "  code: {} (exit {}), see {}", shown(code), exit.code(), shown(&self.read_on()))
    }
}

/// The longest text of a node or a file that a terminal shows.
const SHOWN_CHARACTERS_MAX: usize = 2_000;

/// A text without what could move the cursor or hide itself: a terminal obeys control characters, whoever wrote them.
pub(crate) fn shown(text: &str) -> String {
    let is_kept = |c: &char| *c == '\n' || !(c.is_control() || is_invisible(*c));
    let mut kept: String = text.chars().filter(is_kept).take(SHOWN_CHARACTERS_MAX).collect();
    if text.chars().count() > SHOWN_CHARACTERS_MAX {
        kept.push_str("...");
    }
    kept
}

/// Characters that change how their neighbours are shown, and are not seen themselves.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_why_what_to_do_and_where_to_read_on() {
        let failure = Failure::new(Exit::Refused, "delegate.ExceedsFree", "the ledger refuses to delegate")
            .why("delegation of 1500 exceeds free balance 1000")
            .help("delegate less");
        let text = "surety: the ledger refuses to delegate\n   why: delegation of 1500 exceeds free balance 1000\n  \
                    help: delegate less\n  code: delegate.ExceedsFree (exit 2), see docs/reference/exit-codes/2-refused.md";
        assert_eq!(failure.to_string(), text);
        assert_eq!(failure.to_json()["error"]["exit"], 2);
    }

    #[test]
    fn text_from_elsewhere_does_not_move_the_cursor() {
        assert_eq!(shown("a\u{1b}[2Jb\rc\u{202e}d\ne"), "a[2Jbcd\ne");
        let long = shown(&"x".repeat(5_000));
        assert_eq!(long.len(), SHOWN_CHARACTERS_MAX + 3);
    }
}
