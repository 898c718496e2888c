//! `surety replay`: applies a history of operations, one JSON object a line, and answers each.
//!
//! ```text
//! input ─► json ─► command ─► resolve ─► sugar ─► protocol::apply ─► answer
//! lines    tokens   what is   names to   what may   the only place    events or
//!          and      asked     numbers    be left    with rules        a refusal
//!          places                        out                          with names
//! ```
//! `session` strings the middle together and holds the ledger; `mistake`, `json` and `explain` say what is wrong with a line and in which
//! column. Nothing here knows a rule of the protocol: an operation that the protocol refuses is an answer, a line that can't be read as
//! an operation is a mistake and ends the run.

mod answer;
mod command;
mod created;
mod explain;
mod failure;
mod genesis;
mod input;
mod json;
mod mistake;
mod names;
mod progress;
mod resolve;
mod session;
mod sugar;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

pub(crate) use names::{Thing, check as check_name};
pub(crate) use resolve::field_content;

use answer::Answer;
use failure::{Failure, Surprise, Surprises};
use input::{Input, Obstacle};
use json::Json;
use mistake::{Mistake, Place};
use progress::Progress;
use resolve::Labels;
use session::Session;

/// Whether every line of a history has a field of that name, beside those of its operation.
pub(crate) fn is_common_field(name: &str) -> bool {
    command::COMMON_FIELDS.contains(&name)
}

/// What follows the options in the help.
const HELP: &str = r##"THE INPUT
  One JSON object a line; blank lines and lines that start with // or # are comments.
    {"genesis": {"parameters": {"unbonding": 5}}}
        on the first line only: what differs from the development genesis
    {"op": "deposit", "from": "alice", "asset": "eth", "amount": "1000"}
    {"preview": {"op": ...}}
        what would happen, without doing it
    {"advance_epochs": 3}
        pass three boundaries

  Beside its own fields an operation has
    from    the account that sends it: a name, or an address (0x and 40 hex digits)
    by      the delegate that signs for it
    as      a name for what the line creates
    expect  "ok" or the code of a refusal, like "delegate.ExceedsFree"
    note    text that the answer repeats

  A name may stand wherever an address is expected, and what was named with `as` wherever its
  number is. The address of a name is the first 20 bytes of sha256("surety/name/" + name).
  Digests of mandates and terms that are left out are those of the moment, a worst case that is
  left out is 1, and proposed parameters that are left out stay: in replays only.

THE OUTPUT
  One JSON object for each line that is no comment. Names stand where the input could have them,
  unless --raw. There are no tables of it: -o table and -o csv are refused.
    {"line": 7, "ok": true, "epoch": 0, "events": [...]}
    {"line": 8, "ok": false, "refused": "delegate.ExceedsFree", "why": "..."}
    {"line": 9, "epoch": 3, "events": [...]}

EXIT CODES
  0  every line was read, and nothing failed
  1  the command line or a line of the input can't be used; standard error says where and why
  2  an `expect` did not come true, or --check found a broken promise of the ledger"##;

/// What the command line says.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct Options {
    /// The history to apply; - reads standard input.
    file: PathBuf,
    /// Print the final state as one JSON object at the end.
    #[arg(long)]
    state: bool,
    /// Check every invariant of the ledger after each line.
    #[arg(long)]
    check: bool,
    /// Print no answers.
    #[arg(long, short)]
    quiet: bool,
    /// Print addresses and numbers, not the names that the history gives them.
    #[arg(long)]
    raw: bool,
}

/// That answers have no such form: each line of a history is answered with fields of its own.
pub(crate) fn no_form(form: &str) -> crate::failure::Failure {
    crate::failure::Failure::usage("replay.no-form", format!("replay has no form {form:?}"))
        .why("each line of a history is answered with fields of its own, which are no columns")
        .help("leave out --output, or give -o ndjson: one JSON object for each line")
        .docs("docs/reference/cli/replay.md")
}

/// Runs the command.
///
/// # Errors
/// What stopped it or was found wrong at its end. A reader that closes the pipe is no error.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let input = Input::open(&options.file)
        .map_err(|source| Failure::Open { file: options.file.display().to_string(), source })?;
    let output = BufWriter::new(io::stdout().lock());
    match (Replay { input, output, surprises: Surprises::default() }).run(options) {
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        ended => ended,
    }
}

/// One run over one input.
struct Replay<W: Write> {
    input: Input,
    output: W,
    surprises: Surprises,
}

impl<W: Write> Replay<W> {
    fn run(mut self, options: &Options) -> Result<(), Failure> {
        let mut session = Session::new(if options.raw { Labels::Off } else { Labels::On });
        let ended = self.run_lines(options, &mut session);
        if ended.is_ok() && options.state {
            serde_json::to_writer_pretty(&mut self.output, &session.view())
                .map_err(|error| Failure::Write(error.into()))?;
            self.output.write_all(b"\n").map_err(Failure::Write)?;
        }
        // The answers go out before the complaint.
        self.output.flush().map_err(Failure::Write)?;
        ended?;
        self.surprises.into_result(self.input.name())
    }

    fn run_lines(&mut self, options: &Options, session: &mut Session) -> Result<(), Failure> {
        if options.check {
            session.expect_checks();
        }
        let mut progress = Progress::of(&self.input, options.quiet);
        while self.input.next_line().map_err(|obstacle| self.obstacle(obstacle))? {
            let line = self.input.line_number();
            let answer =
                carry_out(session, line, self.input.line()).map_err(|mistake| self.mistake(&mistake))?;
            self.note(&answer);
            if !options.quiet {
                answer.write_to(&mut self.output).map_err(Failure::Write)?;
            }
            if self.input.is_typed() {
                self.output.flush().map_err(Failure::Write)?;
            }
            if options.check {
                let file = self.input.name().to_owned();
                session.check().map_err(|violation| Failure::Violated { file, line, violation })?;
            }
            progress.show(self.input.bytes_read());
        }
        Ok(())
    }

    /// Keeps what did not come about as the history says.
    fn note(&mut self, answer: &Answer) {
        if let Some(expected) = &answer.expected {
            let found = match &answer.why {
                Some(why) => format!("{}: {why}", answer.outcome()),
                None => answer.outcome().to_owned(),
            };
            self.surprises.add(Surprise { line: answer.line, expected: expected.clone(), found });
        }
    }

    fn mistake(&self, mistake: &Mistake) -> Failure {
        Failure::Mistake {
            file: self.input.name().to_owned(),
            line: self.input.line_number(),
            column: mistake.column(self.input.line()),
            mistake: mistake.to_string(),
        }
    }

    fn obstacle(&self, obstacle: Obstacle) -> Failure {
        match obstacle {
            Obstacle::Mistake(mistake) => self.mistake(&mistake),
            Obstacle::Read(source) => Failure::Read { file: self.input.name().to_owned(), source },
        }
    }
}

/// Reads and carries out one line; a mistake comes back with the byte where its token stands.
fn carry_out(session: &mut Session, line: u64, bytes: &[u8]) -> Result<Answer, Mistake> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Mistake::at(Place::Byte(error.valid_up_to()), "the line is not UTF-8"))?;
    let json = Json::parse(text)?;
    session.carry_out(line, &json).map_err(|mistake| mistake.located_in(&json))
}
