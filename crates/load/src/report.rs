//! What is printed, as it is known: tables that go into `docs/performance.md` as they are.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use crate::bare::Rate;
use crate::pipeline::Measured;
use crate::plain::Plain;
use crate::reopen::Reopened;
use crate::workload::Work;
use crate::world::Built;
use crate::{Failure, Options, cores};

/// What threads do, by how their names begin.
const STAGES: &[(&str, &str)] = &[
    ("verifier", "decode and verify"),
    ("sequencer", "order, journal, execute, answer"),
    ("ledger-commit", "entries and receipts to bytes"),
    ("store", "commit to the store"),
    ("tokio", "files of the store"),
    ("load", "sending and receiving (not the node)"),
];

type Outcome = Result<(), Failure>;

pub(crate) struct Report<'a> {
    out: &'a mut dyn Write,
    bare: f64,
}

impl<'a> Report<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, options: &Options) -> Result<Self, Failure> {
        writeln!(
            out,
            "{} cores; {} positions of {} accounts, {} operations each measurement, mix {:?} of delegate, undelegate, claim, withdraw; {} MiB of pages for the store\n",
            cores(),
            options.positions,
            options.accounts(),
            options.operations,
            options.mix,
            options.cache
        )?;
        writeln!(
            out,
            "| measured | operations a second | of bare recovery | |\n| --- | ---: | ---: | --- |"
        )?;
        Ok(Self { out, bare: 0.0 })
    }

    fn row(&mut self, what: &str, rate: f64, rest: &str) -> Outcome {
        let share =
            if self.bare > 0.0 { format!("{:.0} %", 100.0 * rate / self.bare) } else { String::new() };
        writeln!(self.out, "| {what} | {rate:.0} | {share} | {rest} |")?;
        Ok(self.out.flush()?)
    }

    pub(crate) fn built(&mut self, built: &Built) -> Outcome {
        let rest = format!("plain senders; memory grew by {} MB", built.memory / 1_000_000);
        self.row("building the ledger", per_second(built.operations, built.took), &rest)
    }

    pub(crate) fn signed(&mut self, work: &Work) -> Outcome {
        let kinds: Vec<String> = work.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        self.row("signing, all cores", per_second(work.operations.len(), work.took), &kinds.join(", "))
    }

    /// From here on every rate is compared with this one.
    pub(crate) fn bare(&mut self, rate: Result<Rate, Failure>) -> Result<f64, Failure> {
        let rate = rate?;
        self.bare = per_second(rate.count, rate.took);
        self.row("**bare recovery, all cores**", self.bare, "secp256k1, nothing else")?;
        Ok(self.bare)
    }

    pub(crate) fn verified(&mut self, rate: Rate) -> Outcome {
        self.row("decode and verify, all cores", per_second(rate.count, rate.took), "")
    }

    pub(crate) fn plain(&mut self, plain: &Plain) -> Outcome {
        let executed = per_second(plain.rate.count, plain.executed);
        self.row("the ledger alone, executed", executed, &refusals(&plain.refused))?;
        let committed = per_second(plain.rate.count, plain.rate.took);
        let rest = format!("{:.2} entries an operation", plain.entries());
        self.row("the ledger alone, committed and durable", committed, &rest)?;
        let (watches, count) = (&plain.watches, plain.rate.count);
        let [half, most] = [50, 99].map(|percent| quantile(&plain.blocks, percent));
        writeln!(self.out, "\n| the ledger alone | time | an operation | |\n| --- | ---: | ---: | --- |")?;
        let blocks = format!("{} blocks, p50 {half:.1?}, p99 {most:.1?}", plain.blocks.len());
        let append = plain.blocks.iter().sum();
        let waits = format!("{} times", watches.sync.count());
        for (what, time, rest) in [
            ("all of it", plain.rate.took, String::new()),
            ("append, all blocks", append, blocks),
            ("of it: writing the journal", watches.journal.spent(), String::new()),
            ("of it: making it durable", watches.sync.spent(), waits),
            ("beside it: the store", watches.store.spent(), String::new()),
            ("beside it: receipts, written and durable", watches.receipts.spent(), String::new()),
        ] {
            writeln!(self.out, "| {what} | {time:.2?} | {:.2?} | {rest} |", each(time, count))?;
        }
        self.budget("the ledger alone", &plain.threads, plain.rate.took, count)?;
        writeln!(
            self.out,
            "\n| measured | operations a second | of bare recovery | |\n| --- | ---: | ---: | --- |"
        )?;
        Ok(())
    }

    pub(crate) fn node(&mut self, measured: &Measured, bare: f64) -> Outcome {
        let answered = per_second(measured.executed, measured.answered);
        self.row("the node, receipts", answered, &refusals(&measured.refused))?;
        let rest = format!("{} blocks", measured.blocks);
        self.row("**the node, committed**", measured.rate(), &rest)?;
        self.waiting("as fast as it can", measured)?;
        self.budget("the node", &measured.threads, measured.committed, measured.executed)?;
        writeln!(
            self.out,
            "\nThe node keeps {:.1} % of what its cores can recover.",
            100.0 * measured.rate() / bare
        )?;
        Ok(self.out.flush()?)
    }

    pub(crate) fn latency(&mut self, measured: &Measured) -> Outcome {
        self.waiting(&format!("{:.0} a second", measured.rate()), measured)?;
        writeln!(self.out, "\n{}", refusals(&measured.refused))?;
        Ok(self.out.flush()?)
    }

    fn waiting(&mut self, load: &str, measured: &Measured) -> Outcome {
        let [p50, p90, p99, most] = [50, 90, 99, 100].map(|percent| quantile(&measured.latencies, percent));
        writeln!(
            self.out,
            "\n| from sending to the receipt | p50 | p90 | p99 | longest |\n| --- | ---: | ---: | ---: | ---: |"
        )?;
        writeln!(self.out, "| {load} | {p50:.1?} | {p90:.1?} | {p99:.1?} | {most:.1?} |")?;
        Ok(())
    }

    /// Where the cores' time went.
    fn budget(
        &mut self,
        what: &str,
        threads: &BTreeMap<String, Duration>,
        took: Duration,
        count: usize,
    ) -> Outcome {
        let whole = took.mul_f64(to_float(cores()));
        writeln!(
            self.out,
            "\n| where the cores were: {what} | time on cores | share | an operation |\n| --- | ---: | ---: | ---: |"
        )?;
        let mut left = whole;
        for (begin, stage) in STAGES {
            let of_stage = threads.iter().filter(|(name, _)| name.starts_with(begin));
            let time: Duration = of_stage.map(|(_, time)| *time).sum();
            left = left.saturating_sub(time);
            if time.is_zero() {
                continue;
            }
            let share = 100.0 * time.as_secs_f64() / whole.as_secs_f64();
            writeln!(self.out, "| {stage} | {time:.2?} | {share:.0} % | {:.2?} |", each(time, count))?;
        }
        let share = 100.0 * left.as_secs_f64() / whole.as_secs_f64();
        writeln!(self.out, "| idle, or others' | {left:.2?} | {share:.0} % | {:.2?} |", each(left, count))?;
        Ok(())
    }

    pub(crate) fn reopened(&mut self, reopened: &Reopened, positions: u32) -> Outcome {
        let Reopened { took, entries, replayed, memory, stages: [store, journal, state] } = *reopened;
        let each = memory.checked_div(u64::from(positions)).unwrap_or(0);
        writeln!(
            self.out,
            "\nOpened again in {took:.2?} (the store {store:.2?}, journal and receipts {journal:.2?}, the state {state:.2?}): {entries} entries from the store, {replayed} blocks executed again; memory grew by {} MB, {each} bytes a position, the store's index and pages included.",
            memory / 1_000_000
        )?;
        Ok(self.out.flush()?)
    }
}

fn refusals(refused: &BTreeMap<String, usize>) -> String {
    if refused.is_empty() {
        return "all applied".to_owned();
    }
    let parts: Vec<String> = refused.iter().map(|(code, count)| format!("{count} {code}")).collect();
    format!("refused: {}", parts.join(", "))
}

fn to_float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// How many of these a second.
pub(crate) fn per_second(count: usize, took: Duration) -> f64 {
    to_float(count) / took.as_secs_f64().max(f64::MIN_POSITIVE)
}

fn each(time: Duration, count: usize) -> Duration {
    time.div_f64(to_float(count.max(1)))
}

/// Of sorted times.
fn quantile(times: &[Duration], percent: usize) -> Duration {
    let at = times.len().saturating_sub(1).saturating_mul(percent) / 100;
    times.get(at).copied().unwrap_or_default()
}
