//! The ledger alone: operations that are verified already, in full blocks, one after the other, until the store has the last height for good.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ledger::files::DiskFiles;
use ledger::{Ledger, Outcome, Verified};
use store::QmdbStore;

use crate::bare::Rate;
use crate::timed::{TimedFiles, TimedStore, Watches};
use crate::workload::{Work, on_all_cores};
use crate::world::now_ms;
use crate::{Failure, Options, machine};

/// What the ledger did.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) rate: Rate,
    /// Until the last block was executed; the store may have lagged behind.
    pub(crate) executed: Duration,
    pub(crate) watches: Arc<Watches>,
    /// Time of a block in `append`, all blocks, sorted.
    pub(crate) blocks: Vec<Duration>,
    pub(crate) refused: BTreeMap<String, usize>,
    /// Time on cores by thread.
    pub(crate) threads: BTreeMap<String, Duration>,
}

/// Appends the work to the ledger of a folder.
pub(crate) fn run(folder: &Path, options: &Options, work: &Work) -> Result<Plain, Failure> {
    let watches = Arc::new(Watches::default());
    let files = TimedFiles { files: DiskFiles::open(folder)?, watches: Arc::clone(&watches) };
    let store = QmdbStore::open(&folder.join(node::STORE_FOLDER), options.store())?;
    let store = TimedStore { store, watches: Arc::clone(&watches) };
    let mut ledger = Ledger::open(Arc::new(files), Box::new(store), ledger::Options::default())?;
    let domain = ledger.domain().clone();
    let verified =
        on_all_cores(&work.operations, |signed| Ok(Verified::check(&domain, signed.bytes.clone())?))?;

    let mut refused = BTreeMap::new();
    let mut blocks = Vec::new();
    let (mut count, mut verified) = (0_usize, verified.into_iter().peekable());
    let (before, start) = (machine::threads(), Instant::now());
    while verified.peek().is_some() && start.elapsed() < Duration::from_secs(options.seconds) {
        let block: Vec<_> = verified.by_ref().take(options.block).collect();
        count = count.saturating_add(block.len());
        let time_ms = next_time(&ledger)?;
        let begun = Instant::now();
        let executed = ledger.append(block, time_ms)?;
        blocks.push(begun.elapsed());
        for receipt in &executed.receipts {
            if let Outcome::Refused { code, .. } = &receipt.outcome {
                let count: &mut usize = refused.entry(code.clone()).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    let executed = start.elapsed();
    ledger.sync()?;
    let took = start.elapsed();
    let threads = machine::since(&before);
    ledger.close()?;
    blocks.sort_unstable();
    Ok(Plain { rate: Rate { count, took }, executed, watches, blocks, refused, threads })
}

/// The clock's time, as far as one block may go.
fn next_time(ledger: &Ledger) -> Result<u64, Failure> {
    let newest = ledger.head().header.time_ms;
    Ok(now_ms()?.max(newest).min(ledger.genesis().latest_after(newest)))
}

impl Plain {
    /// Entries that the store was given for each operation.
    pub(crate) fn entries(&self) -> f64 {
        let entries = u32::try_from(self.watches.entries.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        f64::from(entries) / f64::from(u32::try_from(self.rate.count).unwrap_or(u32::MAX))
    }
}
