//! Many operations, one after the other.

use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column};
use crate::progress::Progress;
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
            items.push(looked_at(*line, &self.drafting.prepare(context, wanted, super::HERE)?));
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
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let (all, mut progress) = (count(lines.len()), Progress::new("operations"));
        let mut items: Vec<Value> = Vec::new();
        let mut exit = Exit::Success;
        for (line, wanted) in lines {
            // Nonces and digests are those of the moment, so each is prepared when its turn has come.
            let done = self.drafting.prepare(context, &wanted, super::HERE).and_then(|prepared| {
                let action = prepared.bundle.to_json()["action"].clone();
                Ok((action, deliver(context, sealer.seal(prepared.bundle)?)?))
            });
            match done {
                Ok((action, answer)) => items.push(json!({
                    "line": line, "action": action, "outcome": "applied",
                    "height": answer.pointer("/receipt/height"), "id": answer.get("id"),
                })),
                // What came before is done, and must be told.
                Err(failure) => {
                    exit = failure.exit();
                    let error = failure.to_json()["error"].clone();
                    let why = if error["why"].is_null() { &error["what"] } else { &error["why"] };
                    items.push(json!({
                        "line": line, "action": wanted.kind(), "outcome": failure.code(), "why": why,
                    }));
                    break;
                }
            }
            progress.show(count(items.len()), all);
        }
        drop(progress);
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
