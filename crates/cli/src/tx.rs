//! `surety tx`: build, sign, combine and send, each on whatever machine it belongs. Only building and sending need a node.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use signing::bundle::Bundle;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::op::Drafted;
use crate::output::Answer;
use crate::write;

/// A step on the way of an operation.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write what is to be signed into a file, for any operation.
    Build(Build),
    /// Sign a file with keys that are here. Needs no network.
    Sign(Sign),
    /// Put the signatures of several files of one operation into one. Needs no network.
    Combine(Combine),
    /// Send a file that has its signatures.
    Send(Sent),
    /// Show a file, or what became of an operation by its id.
    Show(Shown),
}

/// An operation to be built.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The file, which must not be there yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(subcommand)]
    op: Drafted,
}

/// A file to be signed.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The file.
    file: PathBuf,
    /// The file with the signature, which must not be there yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The keys; otherwise those of the keystore that are asked for.
    #[arg(long, value_name = "KEY")]
    sign_with: Vec<String>,
    /// A remote signer that holds the keys.
    #[arg(long, value_name = "URL")]
    signer: Option<String>,
    /// Sign without asking.
    #[arg(short, long)]
    yes: bool,
}

/// Files to be combined.
#[derive(Debug, Args)]
pub(crate) struct Combine {
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The file with all signatures, which must not be there yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// A file to be sent.
#[derive(Debug, Args)]
pub(crate) struct Sent {
    /// The file.
    file: PathBuf,
}

/// What is to be shown.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// A file, or an id of 64 hex digits.
    what: String,
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What is wrong with a file; what keys or the node say.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Build(build) => {
                let bundle = build.op.build(context)?;
                write::write_bundle(&bundle, &build.out, "wrote what is to be signed")
            }
            Self::Sign(sign) => sign.run(context),
            Self::Combine(combine) => combine.run(),
            Self::Send(sent) => write::submit(context, read(&sent.file)?),
            Self::Show(shown) => shown.run(context),
        }
    }
}

impl Sign {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let bundle = read(&self.file)?;
        write::confirm_bundle(context, self.yes, &bundle)?;
        let sealed = write::Sealer::new(context, &self.sign_with, self.signer.as_deref()).seal(bundle)?;
        write::write_bundle(&sealed, &self.out, "signed")
    }
}

impl Combine {
    fn run(&self) -> Result<Answer, Failure> {
        let mut bundles = self.files.iter().map(|file| Ok((file, read(file)?)));
        let first = bundles.next().transpose()?;
        let (_, mut combined) = first.expect("the command line asks for a file");
        for bundle in bundles {
            let (file, bundle) = bundle?;
            combined.combine(bundle).map_err(|error| {
                Failure::usage("bundle.other", format!("{} does not fit the others", file.display()))
                    .why(error.to_string())
            })?;
        }
        write::write_bundle(&combined, &self.out, "combined")
    }
}

impl Shown {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let is_id =
            self.what.len() == 66 && self.what.starts_with("0x") && !PathBuf::from(&self.what).exists();
        if is_id {
            let answer = context.get(&format!("/v1/operations/{}", self.what))?;
            return Ok(write::receipt(answer));
        }
        let bundle = read(&PathBuf::from(&self.what))?;
        let id = bundle.id().to_string();
        Ok(write::bundle_page(&bundle).with("id", json!(id)))
    }
}

fn read(file: &std::path::Path) -> Result<Bundle, Failure> {
    let text = crate::input::read_text(&file.display().to_string())?;
    Bundle::from_json(&text).map_err(|error| {
        Failure::new(
            Exit::Usage,
            "bundle.malformed",
            format!("{} is not what surety tx build writes", file.display()),
        )
        .why(error.to_string())
    })
}
