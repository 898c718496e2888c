//! The folder opened again by a process that knows nothing yet: how long it takes, and what the memory holds after it.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::files::DiskFiles;
use ledger::{Ledger, Stage};
use store::QmdbStore;

use crate::{Failure, Options, machine};

/// What the other process found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reopened {
    pub(crate) took: Duration,
    pub(crate) entries: u64,
    pub(crate) replayed: u64,
    /// By how much its memory grew.
    pub(crate) memory: u64,
    /// Of the time: until the store was open, until the journal was read, until the state was back.
    pub(crate) stages: [Duration; 3],
}

/// Opens the folder in a process of its own.
pub(crate) fn measure(folder: &Path, options: &Options) -> Result<Reopened, Failure> {
    let program = std::env::current_exe()?;
    let cache = options.cache.to_string();
    let output = Command::new(program).arg("--open").arg(folder).args(["--cache", &cache]).output()?;
    if !output.status.success() {
        return Err(format!("opening again failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let numbers: Result<Vec<u64>, _> = text.split_whitespace().map(str::parse).collect();
    let [milliseconds, entries, replayed, memory, store, journal, state] = numbers?[..] else {
        return Err(format!("opening again said {text:?}").into());
    };
    let stages = [store, journal, state].map(Duration::from_millis);
    Ok(Reopened { took: Duration::from_millis(milliseconds), entries, replayed, memory, stages })
}

/// What that process does.
pub(crate) fn open(folder: &Path, options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    let (before, start) = (machine::memory(), Instant::now());
    let files = DiskFiles::open(folder)?;
    let store = QmdbStore::open(&folder.join(node::STORE_FOLDER), options.store())?;
    let store_open = start.elapsed().as_millis();
    let (mut journal, mut state) = (store_open, store_open);
    let mut hear = |stage: Stage| match stage {
        Stage::Journal { .. } => journal = start.elapsed().as_millis(),
        Stage::State { .. } => state = start.elapsed().as_millis(),
        Stage::Replayed { .. } => {}
    };
    let opening = ledger::Options { progress: Some(&mut hear), ..ledger::Options::default() };
    let ledger = Ledger::open(Arc::new(files), Box::new(store), opening)?;
    let milliseconds = start.elapsed().as_millis();
    let memory = machine::memory().saturating_sub(before);
    let opened = ledger.opened();
    write!(out, "{milliseconds} {} {} {memory} ", opened.entries, opened.replayed)?;
    writeln!(out, "{store_open} {} {}", journal.saturating_sub(store_open), state.saturating_sub(journal))?;
    Ok(ledger.close()?)
}
