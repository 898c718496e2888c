//! `surety`: what people and scripts use at a terminal.
//!
//! This file reads the command line, prints the answer and chooses the exit code. Each command is a module with a `run` of its own; nothing
//! below it exits the process.

mod archive;
mod clock;
mod command_line;
mod config;
mod context;
mod demo;
mod doctor;
mod ethereum;
mod exit;
mod failure;
mod files;
mod import;
mod init;
mod input;
mod keys;
mod names;
mod nouns;
mod op;
mod output;
#[cfg(feature = "parquet")]
mod parquet_file;
mod progress;
#[cfg(test)]
mod reference;
mod replay;
mod run;
mod shell;
mod spelling;
mod transport;
mod tx;
mod verify;
mod write;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;

use command_line::{Command, CommandLine};
use config::{Flags, Settings};
use context::Context;
use exit::Exit;
use failure::Failure;
use output::{Answer, Form, Unlabelled};

/// That of the system takes a tenth of what a node does, most of it for what one thread asks for and another gives back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match CommandLine::try_parse() {
        Ok(command_line) => run(command_line).into(),
        Err(error) => {
            // Help and version come as errors too, but are what was asked for.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Success };
            error.print().map_or(Exit::Usage.into(), |()| exit.into())
        }
    }
}

fn run(command_line: CommandLine) -> Exit {
    let CommandLine { global, command } = command_line;
    let command = command.unwrap_or_else(|| Command::Demo(demo::Demo::default()));
    let flags = global.flags();
    if let Command::Replay(options) = &command {
        return match flags.get(&config::key::Key::Output).map(String::as_str) {
            Some(form @ ("table" | "csv")) => end(Err(replay::no_form(form)), Form::default(), None),
            _ => run_replay(options),
        };
    }
    if let Command::Config(config) = &command {
        let answer = config.run(global.config.as_deref(), &flags, &variable);
        let form = form_without_settings(&flags);
        return end(answer, form, None);
    }
    if let Command::Doctor(doctor) = &command {
        let answer = doctor.run(global.config.as_deref(), &flags, &variable);
        return end(answer, form_without_settings(&flags), None);
    }
    let settings = match Settings::load(global.config.as_deref(), &flags, &variable) {
        Ok(settings) => settings,
        Err(failure) => return end(Err(failure), form_without_settings(&flags), None),
    };
    let context = Context::new(settings);
    let answer = dispatch(&command, &context);
    end(answer, context.form(), Some(&context))
}

fn dispatch(command: &Command, context: &Context) -> Result<Answer, Failure> {
    match command {
        Command::Export(export) => export.run(context),
        Command::Snapshot(snapshot) => snapshot.run(context),
        Command::Demo(demo) => demo.run(context),
        Command::Init(init) => init.run(context),
        Command::Run(run) => run.run(context),
        Command::Keys(keys) => keys.run(context),
        Command::Account(account) => account.run(context),
        Command::Asset(asset) => asset.run(context),
        Command::Stake(stake) => stake.run(context),
        Command::Position(position) => position.run(context),
        Command::Withdraw(withdraw) => withdraw.run(context),
        Command::Rewards(rewards) => rewards.run(context),
        Command::Operator(operator) => operator.run(context),
        Command::Service(service) => service.run(context),
        Command::Slash(slash) => slash.run(context),
        Command::Vault(vault) => vault.run(context),
        Command::Basket(basket) => basket.run(context),
        Command::Network(network) => network.run(context),
        Command::Ethereum(ethereum) => ethereum.run(context),
        Command::Status(status) => status.run(context),
        Command::Events(events) => events.run(context),
        Command::Proof(proof) => proof.run(context),
        Command::Verify(verify) => verify::run(verify),
        Command::Op(op) => op.run(context),
        Command::Tx(tx) => tx.run(context),
        Command::Completions(completions) => Ok(completions.run()),
        Command::Man(man) => man.run(),
        Command::Replay(_) | Command::Config(_) | Command::Doctor(_) => {
            unreachable!("they are run before there are settings")
        }
    }
}

fn run_replay(options: &replay::Options) -> Exit {
    match replay::run(options) {
        Ok(()) => Exit::Success,
        Err(failure) => {
            // Where not even the complaint can be written, the exit code is all that is left.
            drop(writeln!(io::stderr(), "{failure}"));
            failure.exit()
        }
    }
}

/// The environment, as far as it is text.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The form of the answer where the settings are what is asked about, or are wrong.
fn form_without_settings(flags: &Flags) -> Form {
    let name = flags.get(&config::key::Key::Output).cloned().or_else(|| variable("SURETY_OUTPUT"));
    let named = name.and_then(|name| <Form as clap::ValueEnum>::from_str(&name, false).ok());
    named.unwrap_or_default()
}

/// Prints what a command has to say.
fn end(answer: Result<Answer, Failure>, form: Form, context: Option<&Context>) -> Exit {
    let failure = match answer {
        Ok(answer) => match print(&answer, form, context) {
            Ok(()) => return answer.exit(),
            // A reader that closes the pipe has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return answer.exit(),
            Err(error) => {
                Failure::usage("output.not-written", "cannot write the answer").why(error.to_string())
            }
        },
        Err(failure) => failure,
    };
    if failure.exit() == Exit::Success {
        return Exit::Success;
    }
    let text = if form.is_json() { failure.to_json().to_string() } else { failure.to_string() };
    // Where not even the complaint can be written, the exit code is all that is left.
    drop(writeln!(io::stderr(), "{text}"));
    failure.exit()
}

fn print(answer: &Answer, form: Form, context: Option<&Context>) -> io::Result<()> {
    let mut output = io::BufWriter::new(io::stdout().lock());
    let width = io::stdout().is_terminal().then(console_width).flatten();
    match context.and_then(Context::known_names) {
        Some(book) => answer.write(form, book, width, &mut output)?,
        None => answer.write(form, &Unlabelled, width, &mut output)?,
    }
    output.flush()
}

/// How many characters a line of the terminal has.
fn console_width() -> Option<u16> {
    terminal_size::terminal_size().map(|(width, _)| width.0)
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
