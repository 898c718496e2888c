//! `surety completions` and `surety man`: what shells and readers of manuals want.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::output::Answer;

/// For which shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Where the pages go.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for every command into this folder, instead of printing the one of surety itself.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Completions {
    /// The script.
    pub(crate) fn run(&self) -> Answer {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut CommandLine::command(), "surety", &mut script);
        Answer::text(String::from_utf8_lossy(&script))
    }
}

impl Man {
    /// The page, or what was written.
    ///
    /// # Errors
    /// If a page can't be written.
    pub(crate) fn run(&self) -> Result<Answer, Failure> {
        let mut command = CommandLine::command().disable_help_subcommand(true);
        command.build();
        let Some(folder) = &self.out else {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(command).render(&mut page);
            rendered.map_err(|error| Failure::storage("cannot render the page", &error))?;
            return Ok(Answer::text(String::from_utf8_lossy(&page)));
        };
        let failure = |error: std::io::Error| {
            Failure::usage("output.not-written", format!("cannot write into {}", folder.display()))
                .why(error.to_string())
        };
        fs::create_dir_all(folder).map_err(failure)?;
        clap_mangen::generate_to(command, folder).map_err(failure)?;
        let count = fs::read_dir(folder).map_err(failure)?.count();
        let said = format!(
            "{count} pages are in {}; read one with man -l {}/surety.1",
            folder.display(),
            folder.display()
        );
        Ok(Answer::said(said).with("folder", json!(folder)))
    }
}
