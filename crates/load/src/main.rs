//! `load`: how many signed operations a second a node verifies, orders, makes durable, executes and commits on this machine, beside how many signatures its cores can recover.
//!
//! `cargo run --release -p load -- --help`. One run measures, in this order and on one ledger:
//!
//! 1. the bare recovery of a key from a signature, on all cores: what nothing that checks signatures can beat;
//! 2. everything that a node does with an operation before it orders it, on all cores;
//! 3. the ledger alone: verified operations in full blocks, with the time of the journal, of its syncs, of execution and of the store;
//! 4. the node: bytes in, receipts out, until the store has the last height; first as fast as it takes them, then at half that rate, for the latency;
//! 5. the folder opened again in a process of its own: how long that takes, and what a position takes in memory.
//!
//! It is a tool of the repository. Nothing that ships links it, and it never talks to a network.

mod bare;
mod machine;
mod pipeline;
mod plain;
mod reopen;
mod report;
mod timed;
mod workload;
mod world;

use std::error::Error;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::report::Report;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Whatever stops a measurement.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Measures the ledger and the node on this machine.
#[derive(Clone, Debug, Parser)]
#[command(about)]
pub(crate) struct Options {
    /// Positions.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) positions: u32,
    /// Positions of each account, with as many operators: 1 to 100.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) each: u32,
    /// Operations of each measurement.
    #[arg(long, default_value_t = 300_000)]
    pub(crate) operations: u32,
    /// No measurement takes much longer than so many seconds.
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u64,
    /// Operations of a block, where the ledger is measured alone.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) block: usize,
    /// Operations under way in the node at once.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) window: usize,
    /// How long the node gathers operations for a block, in milliseconds.
    #[arg(long, default_value_t = 5)]
    pub(crate) gather: u64,
    /// Shares of delegate, undelegate, claim and withdraw.
    #[arg(long, value_delimiter = ',', default_values_t = [50, 20, 20, 10])]
    pub(crate) mix: Vec<u32>,
    /// Length of an epoch in milliseconds.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) epoch_ms: u64,
    /// Memory for pages of the store, in MiB; where it is not given, as much as a node has.
    #[arg(long, default_value_t = node::Config::default().store_cache_bytes >> 20)]
    pub(crate) cache: usize,
    /// Threads that verify in the node; 0: one for each core.
    #[arg(long, default_value_t = 0)]
    pub(crate) verifiers: usize,
    /// Where the ledger is made; a temporary folder where it is not given. It must not exist.
    #[arg(long)]
    pub(crate) folder: Option<PathBuf>,
    /// Opens a folder again, tells how long that took, and does nothing else.
    #[arg(long, hide = true)]
    open: Option<PathBuf>,
}

impl Options {
    /// Accounts that hold the positions.
    pub(crate) fn accounts(&self) -> u32 {
        self.positions.div_ceil(self.each.max(1))
    }

    pub(crate) fn store(&self) -> store::Options {
        store::Options { page_cache_bytes: self.cache << 20, ..store::Options::default() }
    }
}

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

fn main() -> ExitCode {
    let result = run(&Options::parse(), &mut io::stdout().lock());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where nobody reads the errors, the exit code tells.
            let _told = writeln!(io::stderr(), "{failure}").is_ok();
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    if let Some(folder) = &options.open {
        return reopen::open(folder, options, out);
    }
    let temporary = tempfile::tempdir()?;
    let folder = options.folder.clone().unwrap_or_else(|| temporary.path().join("ledger"));
    let mut report = Report::new(out, options)?;

    let built = world::build(&folder, options)?;
    report.built(&built)?;
    let world = built.world;
    let mut signer = workload::Signer::new(&world, options);
    let work = signer.sign(options.operations)?;
    report.signed(&work)?;

    let bare = report.bare(bare::recover(&work))?;
    report.verified(bare::verify(&work, &world.domain)?)?;
    report.plain(&plain::run(&folder, options, &work)?)?;
    drop(work);

    let node = pipeline::Pipeline::start(&folder, options)?;
    let work = signer.sign(options.operations)?;
    let full = node.run(work, None, options)?;
    report.node(&full, bare)?;
    let work = signer.sign(options.operations / 4)?;
    let half = node.run(work, Some(full.rate() / 2.0), options)?;
    report.latency(&half)?;
    drop(node);

    report.reopened(&reopen::measure(&folder, options)?, options.positions)?;
    Ok(())
}
