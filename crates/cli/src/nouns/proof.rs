//! `surety proof` and `surety verify`: what the ledger says, with a proof, and whether a proof holds.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::encoded;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Answer, Column, Shape};

/// Proofs of what the ledger says.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fetch a proof of an entry of the state, or that it is absent, or of an operation's receipt.
    Get(Get),
    /// Check a proof offline, against the digest of a header that you trust.
    Verify(Verify),
}

/// What is to be proven.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The key of an entry, as account/0x.. or pool/3; or the id of an operation.
    what: String,
    /// Write the proof into this file; otherwise it is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What is to be checked.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A proof, or the folder of a ledger or of a snapshot, whose whole history is then executed again.
    pub(crate) path: PathBuf,
    /// The digest of the header that you trust; otherwise the one in the proof is shown for you to compare.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) trusted: Option<String>,
}

const VALUE: [Column; 1] = [Column::rest("proof", &[])];

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the node says; that a proof does not hold.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Get(get) => get.run(context),
            Self::Verify(verify) => crate::verify::run(verify),
        }
    }
}

impl Get {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let is_id = self.what.len() == 66 && self.what.starts_with("0x");
        let path = if is_id {
            format!("/v1/operations/{}?proof=1", self.what)
        } else {
            let parts: Vec<String> = self.what.split('/').map(encoded).collect();
            format!("/v1/entries/{}?proof=1", parts.join("/"))
        };
        let document = context.get(&path)?;
        // The proof of an entry is the whole answer, in which the bytes of the store are called `proof` too.
        let beside = document.get("proof").filter(|proof| proof.is_object());
        let proof = beside.unwrap_or(&document).clone();
        match &self.out {
            None => Ok(Answer::new(proof, Shape::Page(&VALUE, &[]))),
            Some(file) => {
                let text = serde_json::to_string_pretty(&proof).expect("a document can be written");
                crate::files::write_new(file, &format!("{text}\n"))?;
                let said = format!("wrote the proof into {}; check it with surety verify", file.display());
                Ok(Answer::said(said).with("file", json!(file)))
            }
        }
    }
}
