//! What the replay says about one line.

use std::io::{self, Write};

use protocol::units::Epoch;
use serde::Serialize;
use serde_json::Value;

/// One line of output. Fields that do not apply are left out.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Answer {
    /// The number of the line in the input.
    pub(crate) line: u64,
    /// Whether the line only asked what would happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preview: Option<bool>,
    /// Whether the operation was applied; a boundary can't be refused and has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ok: Option<bool>,
    /// The epoch after the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) epoch: Option<Epoch>,
    /// The code of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<String>,
    /// The refusal in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// What the line expected, where something else happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<String>,
    /// The line's own note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) events: Option<Vec<Value>>,
}

impl Answer {
    /// What happened, as `expect` names it.
    pub(crate) fn outcome(&self) -> &str {
        self.refused.as_deref().unwrap_or("ok")
    }

    /// Writes the answer as one line of JSON.
    pub(crate) fn write_to(&self, output: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *output, self)?;
        output.write_all(b"\n")
    }
}
