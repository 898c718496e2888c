//! The node as its clients use it, without a network between: bytes in, receipts out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use ledger::{Outcome, Reader};
use node::config::{Blocks, Mempool};
use node::{Answer, Config, Node};

use crate::workload::Work;
use crate::world::now_ms;
use crate::{Failure, Options, machine};

/// How long nothing may happen before it is called an error.
const PATIENCE: Duration = Duration::from_secs(120);

/// A node that takes operations.
pub(crate) struct Pipeline {
    node: Node,
    reader: Reader,
}

/// What the node did.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Operations that are in a block.
    pub(crate) executed: usize,
    /// From the first that was sent to the last receipt.
    pub(crate) answered: Duration,
    /// From the first that was sent until the store had the last height.
    pub(crate) committed: Duration,
    /// From sending to the receipt, sorted.
    pub(crate) latencies: Vec<Duration>,
    /// Refusals of the rules, and whatever kept an operation out of a block.
    pub(crate) refused: BTreeMap<String, usize>,
    pub(crate) blocks: u64,
    /// Time on cores by thread.
    pub(crate) threads: BTreeMap<String, Duration>,
}

impl Measured {
    /// Operations a second, committed.
    pub(crate) fn rate(&self) -> f64 {
        crate::report::per_second(self.executed, self.committed)
    }
}

impl Pipeline {
    /// Starts the node of a folder, and waits until it has read its history and passed the epochs that began meanwhile.
    pub(crate) fn start(folder: &Path, options: &Options) -> Result<Self, Failure> {
        let config = Config {
            folder: folder.to_owned(),
            listen: None,
            mempool: Mempool {
                operations_max: options.window.saturating_mul(4).max(Mempool::default().operations_max),
                verifiers: options.verifiers,
                unverified_max: options.window.saturating_add(64),
                ..Mempool::default()
            },
            blocks: Blocks { gather_ms: options.gather, ..Blocks::default() },
            store_cache_bytes: options.cache << 20,
            ..Config::default()
        };
        let node = Node::start(config)?;
        let reader = node.reader();
        let pipeline = Self { node, reader };
        let waiting = Instant::now();
        while !pipeline.node.has_read_history() {
            pipeline.is_alive(waiting)?;
            std::thread::sleep(Duration::from_millis(5));
        }
        while pipeline.reader.head().header.time_ms.saturating_add(options.epoch_ms) < now_ms()? {
            pipeline.is_alive(waiting)?;
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(pipeline)
    }

    /// Sends all operations, at a rate or as fast as the window allows, and waits for the receipts and the store.
    pub(crate) fn run(&self, work: Work, rate: Option<f64>, options: &Options) -> Result<Measured, Failure> {
        let height = self.reader.height();
        let (sent, answers) = sync_channel(options.window);
        let (before, start) = (machine::threads(), Instant::now());
        std::thread::scope(|scope| {
            let collect = move || self.collect(start, &answers, &before);
            let collector =
                std::thread::Builder::new().name("load-receipts".to_owned()).spawn_scoped(scope, collect)?;
            let mut due = start;
            let pause = rate.map(|rate| Duration::from_secs(1).div_f64(rate.max(1.0)));
            for signed in work.operations {
                if start.elapsed() > Duration::from_secs(options.seconds) {
                    break;
                }
                match pause {
                    // Whoever waits longer because the sender was late has waited all the same.
                    Some(pause) => {
                        due = due.checked_add(pause).ok_or("the clock ends")?;
                        let early = due.saturating_duration_since(Instant::now());
                        if early > Duration::from_millis(1) {
                            std::thread::sleep(early);
                        }
                    }
                    None => due = Instant::now(),
                }
                let answer = self.node.submit(signed.bytes).ok_or("the node takes nothing")?;
                let wait = move || answer.blocking_recv();
                if sent.send((due, wait)).is_err() {
                    break;
                }
            }
            drop(sent);
            let mut measured = collector.join().map_err(|_| "the collector has panicked")??;
            measured.blocks = self.reader.height().saturating_sub(height);
            measured.latencies.sort_unstable();
            Ok(measured)
        })
    }

    /// Takes the receipts in the order of sending; the last act is to look at the threads, since then all of them are still there.
    fn collect<E>(
        &self,
        start: Instant,
        answers: &Receiver<(Instant, impl FnOnce() -> Result<Answer, E>)>,
        before: &BTreeMap<String, Duration>,
    ) -> Result<Measured, Failure> {
        let (mut latencies, mut refused, mut executed) = (Vec::new(), BTreeMap::new(), 0_usize);
        let mut refuse = |code: String| {
            let count: &mut usize = refused.entry(code).or_default();
            *count = count.saturating_add(1);
        };
        for (due, wait) in answers {
            let answer = wait().map_err(|_| "the node dropped an operation")?;
            latencies.push(due.elapsed());
            match answer {
                Answer::Executed(placed) => {
                    executed = executed.saturating_add(1);
                    if let Outcome::Refused { code, .. } = &placed.receipt().outcome {
                        refuse(code.clone());
                    }
                }
                Answer::Barred(barred) => refuse(format!("{barred:?}")),
                Answer::Rejected(rejected) => refuse(format!("{rejected:?}")),
                Answer::Expired { .. } => refuse("expired".to_owned()),
                Answer::Stopped(why) => return Err(format!("the node stopped: {why}").into()),
            }
        }
        let (answered, head) = (start.elapsed(), self.reader.height());
        let waiting = Instant::now();
        while self.reader.committed().is_none_or(|at| at.height < head) {
            self.is_alive(waiting)?;
            std::thread::sleep(Duration::from_millis(1));
        }
        let (committed, threads) = (start.elapsed(), machine::since(before));
        Ok(Measured { executed, answered, committed, latencies, refused, blocks: 0, threads })
    }

    fn is_alive(&self, since: Instant) -> Result<(), Failure> {
        if let Some(fault) = self.reader.fault() {
            return Err(fault.into());
        }
        if since.elapsed() > PATIENCE {
            return Err(format!("nothing has happened for {PATIENCE:?}").into());
        }
        Ok(())
    }
}
