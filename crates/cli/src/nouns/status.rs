//! `surety status` and `surety events`.

use std::io::{self, BufRead, Write};
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::with_query;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column, Form, Shape};

/// How the status is shown.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Show it again whenever this span has passed, until interrupted.
    #[arg(long, value_name = "SPAN", num_args = 0..=1, default_missing_value = "2s")]
    watch: Option<String>,
}

/// Which events.
#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Only those that concern this account.
    #[arg(long)]
    account: Option<String>,
    /// Only those of this name, as slashed or stream_paid.
    #[arg(long, value_name = "EVENT")]
    topic: Option<String>,
    /// Only those behind the event of this id.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// End after so many events.
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
}

const STATUS: [Column; 15] = [
    Column::plain("ledger", "/ledger/domain/ledger"),
    Column::plain("development", "/ledger/development"),
    Column::plain("chain", "/ledger/chain_id"),
    Column::span("an epoch is", "/ledger/epoch_ms"),
    Column::plain("state", "/node/state"),
    Column::plain("fault", "/node/fault"),
    Column::plain("height", "/as_of/height"),
    Column::plain("epoch", "/as_of/epoch"),
    Column::span("next epoch in", "/next_epoch/in_ms"),
    Column::time("time", "/as_of/time_ms"),
    Column::plain("stored height", "/store/height"),
    Column::plain("waiting operations", "/mempool/operations"),
    Column::plain("digest", "/as_of/digest"),
    Column::words("counts", "/counts"),
    Column::plain("version", "/node/version"),
];

impl Status {
    /// Shows it, once or again and again.
    ///
    /// # Errors
    /// What the node says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let answer = || Ok(Answer::new(context.get("/v1/status")?, Shape::Page(&STATUS, &[])));
        let Some(span) = &self.watch else { return answer() };
        let span = crate::clock::parse_span(span)
            .map_err(|why| Failure::usage("field.misfit", format!("--watch: {why}")))?;
        loop {
            let shown: Answer = answer()?;
            print(&shown, context)?;
            std::thread::sleep(Duration::from_millis(span.max(100)));
        }
    }
}

fn print(answer: &Answer, context: &Context) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    let written = match context.known_names() {
        Some(book) => answer.write(context.form(), book, None, &mut output),
        None => answer.write(context.form(), &crate::output::Unlabelled, None, &mut output),
    };
    written.and_then(|()| output.flush()).map_err(|error| not_written(&error))
}

/// Whoever closed the pipe has seen enough, and nothing is said about it.
fn not_written(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::closed(),
        _ => Failure::usage("output.not-written", "cannot write the answer").why(error.to_string()),
    }
}

const EVENT: [Column; 5] = [
    Column::plain("id", "/id"),
    Column::time("time", "/time_ms"),
    Column::plain("event", "/topic"),
    Column::event("what", "/event"),
    Column::account("by", "/operation/account"),
];

impl Events {
    /// Prints events as they come.
    ///
    /// # Errors
    /// What the node says; that it has left some out.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let account = self.account.as_deref().map(|name| context.book()?.account(name)).transpose()?;
        let path = with_query(
            "/v1/events",
            &[("account", account.map(|address| address.to_string())), ("topic", self.topic.clone())],
        );
        let stream = context.transport()?.stream(&path, self.after.as_deref())?;
        let mut events = Stream { lines: stream, last: self.after.clone() };
        if context.form() == Form::Csv {
            let header = Answer::list(Vec::new(), &EVENT);
            let written = header.write(Form::Csv, &crate::output::Unlabelled, None, &mut io::stdout().lock());
            written.map_err(|error| not_written(&error))?;
        }
        let mut count = 0;
        while self.limit.is_none_or(|limit| count < limit) {
            let Some(event) = events.next()? else { break };
            show(&event, context)?;
            count += 1;
        }
        Ok(Answer::new(Value::Null, Shape::Silent))
    }
}

/// One event on a line of its own, in every form.
fn show(event: &Value, context: &Context) -> Result<(), Failure> {
    let answer = Answer::list(vec![event.clone()], &EVENT);
    let mut output = io::stdout().lock();
    let written = match context.form() {
        Form::Table => {
            let names = context.known_names();
            let labels = names.map_or(&crate::output::Unlabelled as &dyn crate::output::Labels, |book| book);
            let cells: Vec<String> = EVENT.iter().map(|column| column.shown(event, labels)).collect();
            writeln!(output, "{}", cells.join("  "))
        }
        Form::Csv => answer.write_rows(&mut output),
        Form::Json | Form::Ndjson => {
            answer.write(Form::Ndjson, &crate::output::Unlabelled, None, &mut output)
        }
    };
    written.and_then(|()| output.flush()).map_err(|error| not_written(&error))
}

/// Server-sent events, line by line.
struct Stream {
    lines: Box<dyn BufRead>,
    last: Option<String>,
}

/// The longest event that is read, in bytes.
const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;

impl Stream {
    /// The next event, with its id; none at the end of the stream.
    fn next(&mut self) -> Result<Option<Value>, Failure> {
        let (mut data, mut id, mut name) = (String::new(), None, None);
        loop {
            let mut line = String::new();
            let length = self.lines.read_line(&mut line).map_err(|error| {
                Failure::new(Exit::Network, "network.stream-broke", "the stream of events broke off")
                    .why(error.to_string())
                    .help(format!("go on with --after {}", self.last.as_deref().unwrap_or("ID")))
            })?;
            if length == 0 {
                return Ok(None);
            }
            let line = line.trim_end_matches(['\n', '\r']);
            match line.split_once(':').map(|(field, value)| (field, value.strip_prefix(' ').unwrap_or(value)))
            {
                Some(("data", value)) if data.len() + value.len() <= EVENT_BYTES_MAX => data += value,
                Some(("id", value)) => id = Some(value.to_owned()),
                Some(("event", value)) => name = Some(value.to_owned()),
                None if line.is_empty() && name.as_deref() == Some("lagged") => {
                    let help = format!("go on with --after {}", self.last.as_deref().unwrap_or("ID"));
                    return Err(Failure::new(
                        Exit::Network,
                        "network.lagged",
                        "the node could not wait for this reader",
                    )
                    .help(help));
                }
                // Where the stream begins: nothing has happened, but one that is cut off goes on from here.
                None if line.is_empty() && name.as_deref() == Some("begun") => {
                    self.last = id.take().or(self.last.take());
                    (data, name) = (String::new(), None);
                }
                None if line.is_empty() && !data.is_empty() => break,
                _ => {}
            }
        }
        let mut event = serde_json::from_str::<Value>(&data).unwrap_or(Value::String(data));
        if let Some(id) = id {
            if let Value::Object(fields) = &mut event {
                fields.insert("id".to_owned(), Value::from(id.as_str()));
            }
            self.last = Some(id);
        }
        Ok(Some(event))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use serde_json::json;

    use super::*;

    fn stream(text: &'static str) -> Stream {
        Stream { lines: Box::new(Cursor::new(text)), last: None }
    }

    #[test]
    fn events_come_with_their_ids_and_heartbeats_are_passed_over() {
        let mut stream = stream(
            ": beat\n\nid: 3.9\nevent: begun\ndata: {}\n\nid: 4.0\nevent: ledger\ndata: {\"event\":\"a\"}\n\nid: 4.1\ndata: {\"event\":\ndata: \"b\"}\n\n",
        );
        assert_eq!(stream.next(), Ok(Some(json!({ "event": "a", "id": "4.0" }))));
        assert_eq!(stream.next(), Ok(Some(json!({ "event": "b", "id": "4.1" }))));
        assert_eq!(stream.next(), Ok(None));
        assert_eq!(stream.last.as_deref(), Some("4.1"));
    }

    #[test]
    fn who_is_left_behind_is_told_where_to_go_on() {
        let mut stream = stream("id: 7.0\ndata: {}\n\nevent: lagged\ndata: {}\n\n");
        assert!(stream.next().is_ok_and(|event| event.is_some()));
        let failure = stream.next().expect_err("lagged");
        assert_eq!((failure.code(), failure.remedy()), ("network.lagged", Some("go on with --after 7.0")));
    }
}
