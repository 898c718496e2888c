//! The folder opened again by a process that knows nothing yet: how long it takes, and what the memory holds after it.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{Failure, Options, machine, world};

/// What the other process found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reopened {
    pub(crate) took: Duration,
    pub(crate) entries: u64,
    pub(crate) replayed: u64,
    /// By how much its memory grew.
    pub(crate) memory: u64,
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
    let [milliseconds, entries, replayed, memory] = numbers?[..] else {
        return Err(format!("opening again said {text:?}").into());
    };
    Ok(Reopened { took: Duration::from_millis(milliseconds), entries, replayed, memory })
}

/// What that process does.
pub(crate) fn open(folder: &Path, options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    let (before, start) = (machine::memory(), Instant::now());
    let ledger = world::open(folder, options)?;
    let milliseconds = start.elapsed().as_millis();
    let memory = machine::memory().saturating_sub(before);
    let opened = ledger.opened();
    writeln!(out, "{milliseconds} {} {} {memory}", opened.entries, opened.replayed)?;
    Ok(ledger.close()?)
}
