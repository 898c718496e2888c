//! `surety doctor`: looks at everything that goes wrong, and says what to do about it.
//!
//! Each check is on its own: what one finds keeps no other from looking. Nothing is changed but what a node mends at its start: an end of the
//! journal that was torn by a crash is cut, and a store that is behind is caught up.

mod checks;
mod system;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::config::{Flags, Settings, Variables};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column, Shape};

/// How deep it looks.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Also execute the whole history again and compare every root. Takes as long as the ledger is old.
    #[arg(long)]
    deep: bool,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// As it should be.
    Good,
    /// Not wrong, and worth knowing.
    Note,
    /// To be repaired.
    Bad,
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    check: &'static str,
    weight: Weight,
    what: String,
    remedy: Option<String>,
}

impl Finding {
    fn good(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, weight: Weight::Good, what: what.into(), remedy: None }
    }

    fn note(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, weight: Weight::Note, what: what.into(), remedy: Some(remedy.into()) }
    }

    fn bad(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, weight: Weight::Bad, what: what.into(), remedy: Some(remedy.into()) }
    }

    fn to_json(&self) -> Value {
        let verdict = match self.weight {
            Weight::Good => "good",
            Weight::Note => "note",
            Weight::Bad => "bad",
        };
        json!({ "check": self.check, "verdict": verdict, "what": self.what, "remedy": self.remedy })
    }
}

const COLUMNS: [Column; 4] = [
    Column::plain("check", "/check"),
    Column::plain("verdict", "/verdict"),
    Column::plain("what", "/what"),
    Column::plain("remedy", "/remedy"),
];

impl Doctor {
    /// Looks at everything. Ends with the code for a refusal where something is to be repaired.
    ///
    /// # Errors
    /// If not even the configuration can be read.
    pub(crate) fn run(
        &self,
        named: Option<&std::path::Path>,
        flags: &Flags,
        variables: Variables<'_>,
    ) -> Result<Answer, Failure> {
        let (settings, mistakes) = Settings::gather(named, flags, variables)?;
        let mut findings = checks::configuration(&settings, &mistakes);
        findings.extend(checks::keystore(&settings));
        let data = settings
            .path(crate::config::key::Key::Data)
            .or_else(|| Some(PathBuf::from(crate::run::FOLDER)).filter(|folder| folder.is_dir()));
        match &data {
            Some(folder) => findings.extend(checks::data(folder, &settings, self.deep)),
            None => findings.push(Finding::note(
                "data folder",
                "none is named",
                "name one with --data to have it looked at",
            )),
        }
        findings.extend(checks::node(&settings, data.as_deref()));
        let is_bad = findings.iter().any(|finding| finding.weight == Weight::Bad);
        let items: Vec<Value> = findings.iter().map(Finding::to_json).collect();
        let answer = Answer::new(json!({ "items": items, "well": !is_bad }), Shape::List(&COLUMNS));
        Ok(if is_bad { answer.ending(Exit::Refused) } else { answer })
    }
}

#[cfg(test)]
mod tests;
