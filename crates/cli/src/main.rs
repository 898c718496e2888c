//! `surety`: what people and scripts use at a terminal.
//!
//! This file reads the command line and chooses the exit code. Each command is a module with a `run` of its own; nothing below it exits
//! the process, and nothing but the commands prints.

mod replay;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Everything went as it should.
const SUCCESS: u8 = 0;
/// The command line or the input can't be used.
const USAGE: u8 = 1;
/// What the input promised, or what the ledger promises, does not hold.
const REFUSED: u8 = 2;

/// Shared security for services, with exact liability for those who provide it.
#[derive(Debug, Parser)]
#[command(name = "surety", version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Applies a history of operations and prints a receipt or a refusal for each.
    Replay(replay::Options),
}

fn main() -> ExitCode {
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => {
            // Help and version come as errors too, but are what was asked for.
            let code = if error.use_stderr() { USAGE } else { SUCCESS };
            return error.print().map_or(ExitCode::from(USAGE), |()| ExitCode::from(code));
        }
    };
    let ended = match command_line.command {
        Command::Replay(options) => replay::run(&options),
    };
    match ended {
        Ok(()) => ExitCode::from(SUCCESS),
        Err(failure) => {
            // Where not even the complaint can be written, the exit code is all that is left.
            drop(writeln!(std::io::stderr(), "{failure}"));
            ExitCode::from(failure.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        CommandLine::command().debug_assert();
    }
}
