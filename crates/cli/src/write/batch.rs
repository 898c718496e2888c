//! Many operations, one after the other.

use std::io::{IsTerminal, Write};

use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column};
use crate::write::{Prepared, Wanted, Writing, confirm, deliver};

const COLUMNS: [Column; 6] = [
    Column::plain("line", "/line"),
    Column::plain("action", "/action"),
    Column::plain("outcome", "/outcome"),
    Column::plain("why", "/why"),
    Column::plain("height", "/height"),
    Column::digest("id", "/id"),
];

impl Writing {
    /// Previews all operations, confirms them together, then signs and sends one after the other. It stops at the first that fails: what came before it is
    /// done.
    ///
    /// # Errors
    /// As [`Writing::send`]; if one of them would be refused as things stand, before anything is sent.
    pub(crate) fn send_all(&self, context: &Context, lines: Vec<(u64, Wanted)>) -> Result<Answer, Failure> {
        if self.unsigned_out.is_some() {
            let what = "--unsigned-out takes one operation, and this is a batch";
            return Err(Failure::usage("batch.unsigned", what)
                .help("build one file for each operation with surety tx build"));
        }
        let mut items = Vec::new();
        for (line, wanted) in &lines {
            items.push(looked_at(*line, &self.prepare(context, wanted)?));
        }
        let refused = items.iter().filter(|item| item["outcome"] != "would be applied").count();
        let preview = Answer::list(items, &COLUMNS);
        if self.dry_run {
            return Ok(if refused > 0 { preview.ending(Exit::Refused) } else { preview });
        }
        if refused > 0 {
            let what = format!("{refused} of {} operations would be refused; nothing was sent", lines.len());
            return Err(
                Failure::new(Exit::Refused, "batch.refused", what).help("look at each with --dry-run")
            );
        }
        confirm::ask_about(context, self.yes, &preview)?;
        self.carry_out(context, lines)
    }

    fn carry_out(&self, context: &Context, lines: Vec<(u64, Wanted)>) -> Result<Answer, Failure> {
        let mut sealer = self.sealer(context);
        let count = lines.len();
        let mut items: Vec<Value> = Vec::new();
        let mut exit = Exit::Success;
        for (line, wanted) in lines {
            // Nonces and digests are those of the moment, so each is prepared when its turn has come.
            let prepared = self.prepare(context, &wanted)?;
            let action = prepared.bundle.to_json()["action"].clone();
            let done = sealer.seal(prepared.bundle).and_then(|bundle| deliver(context, bundle));
            match done {
                Ok(answer) => items.push(json!({
                    "line": line, "action": action, "outcome": "applied",
                    "height": answer.pointer("/receipt/height"), "id": answer.get("id"),
                })),
                Err(failure) => {
                    exit = failure.exit();
                    let why = failure.to_json()["error"]["why"].clone();
                    items.push(json!({
                        "line": line, "action": action, "outcome": failure.code(), "why": why,
                    }));
                    break;
                }
            }
            progress(items.len(), count);
        }
        Ok(Answer::list(items, &COLUMNS).ending(exit))
    }
}

fn looked_at(line: u64, prepared: &Prepared) -> Value {
    let refused = prepared.preview.get("refused").filter(|code| !code.is_null());
    json!({
        "line": line,
        "action": prepared.bundle.to_json()["action"],
        "outcome": refused.cloned().unwrap_or_else(|| json!("would be applied")),
        "why": prepared.preview.get("why"),
        "id": prepared.bundle.id().to_string(),
    })
}

/// How far it is, where somebody watches.
fn progress(done: usize, count: usize) {
    let mut screen = std::io::stderr().lock();
    if screen.is_terminal() {
        let end = if done == count { "\n" } else { "" };
        // A terminal that is gone sees no progress.
        drop(write!(screen, "\r{done} of {count}{end}"));
    }
}
