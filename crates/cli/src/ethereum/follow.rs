//! `surety ethereum follow`: a follower in the foreground.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use ethereum::{Beacon, ExecutionClient, Follower, Keeper, News, Plan, Round, Sink, Stop};
use evidence::ethereum::{Chain, Hash};
use serde_json::{Value, json};

use super::{OfChain, address, hex, kept, patience, submit, unhex};
use crate::clock::{now_ms, span};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, shown};
use crate::output::{Answer, Column, Form, Section, Shape};
use crate::write::Writing;

/// What is followed, and whom is asked.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Follow {
    /// A client of the consensus layer; several make it harder to be left in the dark, and one honest one is enough.
    #[arg(long, value_name = "URL", required = true)]
    beacon: Vec<String>,
    /// A client of the execution layer, which shows the blocks that final ones name. From Gloas on there is no other way.
    #[arg(long, value_name = "URL")]
    execution: Vec<String>,
    /// The root of the block that is trusted, from somebody you trust. Needed the first time only.
    #[arg(long, value_name = "ROOT", value_parser = unhex::<32>)]
    trusted: Option<Hash>,
    #[command(flatten)]
    chain: OfChain,
    /// The file in which it keeps what it knows, so that it goes on there the next time.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Add what is new to this file, as operations, one a line; otherwise it is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write metrics into this file after each round, in the text format of Prometheus.
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// End once nothing newer is to be had.
    #[arg(long)]
    once: bool,
    /// Follow as if it were this slot: for data of the past.
    #[arg(long, value_name = "SLOT")]
    at_slot: Option<u64>,
    /// Tell the node's ledger what is new, by operations of the account that acts. What it knows already is not sent.
    #[arg(long)]
    submit: bool,
    #[command(flatten)]
    writing: Writing,
}

const HELP: &str = "\
Nobody who answers is believed: every committee and every header is verified from the trusted block on, and handed over only then. It \
ends by itself where it can't go on: a fork that is not known, a committee that contradicts itself.";

/// Rounds in a row in which nobody answered, after which --once has seen enough.
const VAIN_MAX: u32 = 3;
/// Slots after which a final block is no longer the newest where all is well: five epochs.
const AGE_MAX: u64 = 160;

const FIELDS: [Column; 6] = [
    Column::plain("slot of the newest final block", "/slot"),
    Column::plain("its root", "/root"),
    Column::plain("fork", "/fork"),
    Column::plain("period of the committee in office", "/period"),
    Column::plain("slots since then", "/age"),
    Column::plain("handed over", "/news"),
];

const UPSTREAMS: [Section; 1] = [Section {
    title: "Upstreams",
    at: "/upstreams",
    columns: &[
        Column::plain("client", "/client"),
        Column::plain("answers", "/answers"),
        Column::plain("faults", "/faults"),
        Column::plain("not believed", "/refused"),
    ],
    empty: "",
}];

/// Where news go to.
struct Hand {
    form: Form,
    file: Option<File>,
}

impl Sink for Hand {
    fn submit(&mut self, news: &News) -> Result<(), String> {
        let line = serde_json::to_string(news).map_err(|error| error.to_string())?;
        let written = match &mut self.file {
            Some(file) => writeln!(file, "{line}").and_then(|()| file.sync_data()),
            None if self.form.is_json() => say(&line),
            None => say(&sentence(news)),
        };
        written.map_err(|error| error.to_string())
    }
}

fn say(line: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush())
}

fn sentence(news: &News) -> String {
    match news {
        News::BeginChain { bootstrap } => {
            format!("the trusted block of slot {} was found", bootstrap.header.slot)
        }
        News::UpdateChain { update } => {
            let next = if update.next.is_some() { ", and the next committee is known" } else { "" };
            let signers = update.participation.count();
            let (slot, root) = (update.finalized.slot, hex(&update.finalized.root()));
            format!("slot {slot} is final, block {root}, say {signers} of 512{next}")
        }
        News::OpenBlock { slot, .. } => format!("the execution block of slot {slot} was opened"),
        News::ReportContradiction { update, .. } => {
            format!("two thirds of a committee contradict themselves about slot {}", update.finalized.slot)
        }
    }
}

/// Opens a file to add lines. What was being written when a process before ended is cut off: it will be handed over again.
fn open(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let mut end = file.metadata()?.len();
    let mut last = [0];
    while end > 0 {
        file.seek(SeekFrom::Start(end - 1))?;
        file.read_exact(&mut last)?;
        if last == *b"\n" {
            break;
        }
        end -= 1;
    }
    file.set_len(end)?;
    Ok(file)
}

impl Follow {
    /// Follows until it can't go on, or until nothing newer is to be had.
    ///
    /// # Errors
    /// What can't be used; why it can't go on; with `--once`, that nobody has answered, or that nobody knows anything newer.
    pub(super) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let form = context.form();
        let ledger = self.submit.then(|| submit::following(context)).transpose()?;
        let mut hand = self.hand(context)?;
        let mut follower =
            Follower::new(self.plan(context, ledger.as_ref())?).map_err(|stop| stopped(&stop))?;
        // What the ledger lacks is not known to be new any more; it is asked for again.
        let is_behind =
            |ledger: &Value| follower.client().is_some_and(|client| submit::is_behind(ledger, client));
        if ledger.as_ref().is_some_and(is_behind) {
            follower.begin_again();
        }
        let (mut vain, mut before, mut news) = (0, Vec::new(), 0);
        loop {
            let now = self.now(&follower);
            let round = follower.round(now, &mut hand).map_err(|stop| stopped(&stop))?;
            news += round.news;
            let said: Vec<String> = round.complaints.iter().map(ToString::to_string).collect();
            // What was said already need not be said again.
            complain(form, said.iter().filter(|line| !before.contains(*line)));
            before = said;
            if let Some(path) = &self.metrics {
                crate::files::replace(path, &follower.metrics(now))?;
            }
            vain = if round.answered > 0 { 0 } else { vain + 1 };
            if self.once && (vain >= VAIN_MAX || (round.answered > 0 && round.news == 0)) {
                return self.end(&follower, &before, news);
            }
            self.sleep(&round, now);
        }
    }

    /// What time it is, or as if it were.
    fn now(&self, follower: &Follower) -> u64 {
        let begins = |slot: u64| {
            let since = slot.saturating_mul(12).saturating_add(follower.chain().genesis_time());
            since.saturating_mul(1000)
        };
        self.at_slot.map_or_else(now_ms, begins)
    }

    /// Where news go to: the node, a file, the screen.
    fn hand<'a>(&'a self, context: &'a Context) -> Result<submit::All<'a>, Failure> {
        let mut sinks: Vec<Box<dyn Sink + 'a>> = Vec::new();
        if self.submit {
            sinks.push(Box::new(submit::Node { context, writing: &self.writing }));
        }
        let mut file = None;
        if let Some(path) = &self.out {
            let failure = |error| Failure::storage(format!("cannot write {}", path.display()), &error);
            file = Some(open(path).map_err(failure)?);
        }
        sinks.push(Box::new(Hand { form: context.form(), file }));
        Ok(submit::All(sinks))
    }

    /// Waits as long as the round says; with `--once` not longer than it takes to look again.
    fn sleep(&self, round: &Round, now: u64) {
        let wait = round.next_ms.saturating_sub(now);
        let most = if self.once && round.answered > 0 { 0 } else { wait };
        std::thread::sleep(Duration::from_millis(most));
    }

    fn plan(&self, context: &Context, ledger: Option<&Value>) -> Result<Plan, Failure> {
        let patience = patience(context);
        let keeper = self.state.as_deref().map(Keeper::new);
        let known = match (&keeper, self.trusted) {
            (_, Some(trusted)) => Some(trusted),
            (Some(keeper), None) => keeper.kept().map_err(|fault| kept(&fault))?.map(|(trusted, _)| trusted),
            (None, None) => None,
        };
        let named = || ledger.and_then(|ledger| unhex(ledger["trusted"].as_str()?).ok());
        let trusted = known.or_else(named).ok_or_else(|| {
            Failure::usage("ethereum.trusted", "no trusted block is named")
                .why("what is final is told by committees, and the first one must be taken on trust")
                .help("name the root of a final block with --trusted, from a source you trust")
                .docs("docs/how-to/follow-ethereum.md")
        })?;
        let beacons = self.beacon.iter().map(|url| Beacon::new(url, patience));
        let executions = self.execution.iter().map(|url| ExecutionClient::new(url, patience));
        Ok(Plan {
            chain: self.chain_of(context)?,
            trusted,
            beacons: beacons.collect::<Result<_, _>>().map_err(|error| address(&error))?,
            executions: executions.collect::<Result<_, _>>().map_err(|error| address(&error))?,
            keeper,
            seed: now_ms() ^ u64::from(std::process::id()),
        })
    }

    /// The chain that was named; otherwise that of the ledger that is told.
    fn chain_of(&self, context: &Context) -> Result<Chain, Failure> {
        if !self.submit || self.chain.chain.is_some() {
            return self.chain.read();
        }
        let genesis = context.get("/v1/genesis")?;
        super::chain_of(&genesis).map_err(|error| {
            Failure::new(
                Exit::Network,
                "ethereum.chain",
                "the node does not say which chain its ledger follows",
            )
            .why(error.to_string())
            .help("name its configuration with --chain")
        })
    }

    /// What is known in the end, or why it is not what it should be.
    fn end(&self, follower: &Follower, complaints: &[String], news: u64) -> Result<Answer, Failure> {
        let why =
            || if complaints.is_empty() { "nobody says more".to_owned() } else { complaints.join("; ") };
        let network = |what: String| Failure::new(Exit::Network, "ethereum.not-followed", what).why(why());
        if complaints.iter().any(|line| line.starts_with(ethereum::SINK)) {
            return Err(network("not everything that is new could be handed over".to_owned())
                .help("what was not handed over is asked for again the next time"));
        }
        let Some(client) = follower.client() else {
            return Err(network("the trusted block was not found".to_owned())
                .help("name other clients with --beacon, or a trusted block that is less than a month old"));
        };
        let newest = client.newest();
        let slot = newest.header().slot;
        let now = follower.chain().slot_at(self.now(follower)).unwrap_or_default();
        let age = now.saturating_sub(slot);
        if age > AGE_MAX {
            let time = span(age.saturating_mul(12_000));
            return Err(network(format!(
                "the newest final block that could be verified is of slot {slot}, {time} ago"
            ))
            .help(
                "name other clients with --beacon; what is known is kept, and nothing that was not verified",
            ));
        }
        if self.out.is_none() {
            return Ok(Answer::new(Value::Null, Shape::Silent));
        }
        let upstreams: Vec<Value> = follower
            .upstreams()
            .map(|(client, health)| {
                json!({
                    "client": client, "answers": health.answers, "faults": health.faults, "refused": health.refused,
                })
            })
            .collect();
        let document = json!({
            "slot": slot, "root": hex(newest.root()), "fork": newest.fork(), "period": client.period(), "age": age,
            "news": news, "upstreams": upstreams,
        });
        Ok(Answer::new(document, Shape::Page(&FIELDS, &UPSTREAMS)))
    }
}

fn complain<'a>(form: Form, lines: impl Iterator<Item = &'a String>) {
    let mut output = io::stderr().lock();
    for line in lines {
        let line = shown(line);
        let text =
            if form.is_json() { json!({ "complaint": line }).to_string() } else { format!("surety: {line}") };
        // Where nobody hears it, the metrics still say so.
        drop(writeln!(output, "{text}"));
    }
}

fn stopped(stop: &Stop) -> Failure {
    let (exit, code, help) = match stop {
        Stop::Keeper(fault) => return kept(fault),
        Stop::BeforeGenesis { .. } => (Exit::Usage, "ethereum.clock", "set the clock of this machine"),
        Stop::Nobody => (Exit::Usage, "ethereum.nobody", "name a client with --beacon"),
        Stop::Fork(_) => (
            Exit::Refused,
            "ethereum.fork",
            "name a newer schedule with --chain; a fork of another layout needs a newer surety",
        ),
        Stop::Contradiction(_) => (
            Exit::Refused,
            "ethereum.contradiction",
            "hand the contradiction to the ledger, and do not follow on before it is decided",
        ),
    };
    Failure::new(exit, code, "the follower can't go on")
        .why(stop.to_string())
        .help(help)
        .docs("docs/how-to/follow-ethereum.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_being_written_is_cut_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("news");
        for (before, after) in [("", ""), ("a\nb\n", "a\nb\n"), ("a\nbc", "a\n"), ("abc", "")] {
            std::fs::write(&path, before).expect("written");
            let mut file = open(&path).expect("opened");
            writeln!(file, "x").expect("written");
            assert_eq!(std::fs::read_to_string(&path).expect("read"), format!("{after}x\n"), "{before:?}");
        }
    }
}
