//! `surety export` and `surety snapshot`: the ledger as tables, and as a copy that is checked.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use ledger::export::{ExportError, Table, export};
use ledger::files::DiskFiles;
use ledger::format::{GENESIS_FILE, JOURNAL_FOLDER, MANIFEST_FILE};
use ledger::{Fault, Reader, Stage, snapshot};
use node::config::Role;
use serde_json::json;
use store::QmdbStore;

use crate::config::key::Key;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::Scratch;
use crate::output::{Answer, Column, Shape};
use crate::progress::Progress;
use crate::run;

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// What every account has outside of pools.
    Accounts,
    /// Every entry of stake.
    Positions,
    /// Every payment and claim, from the first block on.
    Rewards,
    /// Every step of every slash, from the first block on.
    Slashes,
}

/// A table of the ledger.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Which table.
    #[arg(value_enum)]
    what: What,
    /// The file, which must not be there yet; otherwise it is printed. One whose name ends in .parquet is written as Parquet, if the program was
    /// built with that feature.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Copies of a ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum Snapshot {
    /// Copy a ledger into an empty folder, block by block, and check every one.
    Create(Create),
    /// Make a ledger of a snapshot in an empty folder, by executing it again.
    Restore(Restore),
}

/// Where the copy goes.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The folder, which must be empty or not there.
    to: PathBuf,
}

/// What is restored, and where.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The snapshot.
    from: PathBuf,
    /// The folder of the new ledger, which must be empty or not there.
    to: PathBuf,
}

const COPY: [Column; 6] = [
    Column::plain("ledger", "/ledger"),
    Column::plain("height", "/height"),
    Column::plain("header", "/header"),
    Column::plain("state root", "/state_root"),
    Column::plain("operations", "/operations"),
    Column::plain("folder", "/folder"),
];

impl Export {
    /// Writes the table: CSV, or NDJSON where a form for programs is asked for, or Parquet where the file's name says so.
    ///
    /// # Errors
    /// If the ledger can't be opened, or the file can't be written.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let form =
            if context.form().is_json() { ledger::export::Form::Ndjson } else { ledger::export::Form::Csv };
        let table = match self.what {
            What::Accounts => Table::Accounts,
            What::Positions => Table::Positions,
            What::Rewards => Table::Rewards,
            What::Slashes => Table::Slashes,
        };
        let silent = || Answer::new(json!(null), Shape::Silent);
        with_reader(context, |reader| match &self.out {
            None => match export(reader, table, form, &mut BufWriter::new(io::stdout().lock())) {
                Err(ExportError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(silent()),
                written => written.map(|_| silent()).map_err(|error| not_written(&error)),
            },
            Some(path) => {
                if is_parquet(path) && !cfg!(feature = "parquet") {
                    let what =
                        format!("cannot write {}: this program was built without Parquet", path.display());
                    return Err(Failure::new(Exit::Usage, "usage.parquet", what)
                        .help("build it with --features parquet, or choose another name for CSV (-o ndjson for NDJSON)"));
                }
                crate::files::write_new(path, "")?;
                let file = File::create(path)
                    .map_err(|error| Failure::storage(format!("cannot write {}", path.display()), &error))?;
                let output = BufWriter::new(file);
                let rows = if is_parquet(path) {
                    export_parquet(reader, table, output)
                } else {
                    export_text(reader, table, form, output)
                };
                let rows = rows.map_err(|error| {
                    // Half a table is none.
                    drop(std::fs::remove_file(path));
                    not_written(&error)
                })?;
                let said = format!("wrote {rows} rows into {}", path.display());
                Ok(Answer::said(said).with("rows", json!(rows)).with("file", json!(path)))
            }
        })
    }
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "parquet")
}

fn export_text(
    reader: &Reader,
    table: Table,
    form: ledger::export::Form,
    mut output: impl Write,
) -> Result<u64, ExportError> {
    let rows = export(reader, table, form, &mut output)?;
    output.flush()?;
    Ok(rows)
}

#[cfg(feature = "parquet")]
fn export_parquet(reader: &Reader, table: Table, output: impl Write + Send) -> Result<u64, ExportError> {
    let mut lines = crate::parquet_file::Lines::new(table, output)?;
    let rows = export(reader, table, ledger::export::Form::Ndjson, &mut lines)?;
    lines.finish()?;
    Ok(rows)
}

/// Nobody gets here: a build without the feature has refused the name.
#[cfg(not(feature = "parquet"))]
fn export_parquet(_: &Reader, table: Table, _: impl Write) -> Result<u64, ExportError> {
    Err(ExportError::Io(io::Error::other(format!("{} can't be Parquet in this build", table.name()))))
}

fn not_written(error: &ExportError) -> Failure {
    match error {
        ExportError::Fault(fault) => told(fault),
        ExportError::Io(_) => {
            Failure::new(Exit::Storage, "storage.io", "cannot write the table").why(error.to_string())
        }
    }
}

fn told(fault: &Fault) -> Failure {
    Failure::new(Exit::Storage, fault.code(), "the ledger's files do not let this be done")
        .why(fault.to_string())
}

impl Snapshot {
    /// Runs it.
    ///
    /// # Errors
    /// If the ledger can't be opened, or the folder can't be written or is not empty.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Create(create) => with_reader(context, |reader| {
                let target = lock_empty(&create.to)?;
                let mut progress = Progress::new("blocks");
                let manifest =
                    snapshot::write(reader, Arc::new(target), &mut |done, all| progress.show(done, all));
                Ok(copied(&manifest.map_err(|fault| told(&fault))?, &create.to))
            }),
            Self::Restore(restore) => {
                if !restore.from.join(MANIFEST_FILE).is_file() {
                    let what = format!("there is no snapshot in {}", restore.from.display());
                    return Err(Failure::new(Exit::Storage, "storage.no-snapshot", what)
                        .help("surety snapshot create makes one of a ledger"));
                }
                let source = DiskFiles::unlocked(&restore.from);
                snapshot::check(&source).map_err(|fault| told(&fault))?;
                let target = lock_empty(&restore.to)?;
                let store = QmdbStore::open(&restore.to.join(node::STORE_FOLDER), store::Options::default());
                let store = store.map_err(|error| told(&error.into()))?;
                let mut progress = Progress::new("blocks");
                let mut hear = |stage| {
                    if let Stage::Replayed { height, of } = stage {
                        progress.show(height, of);
                    }
                };
                let restored = snapshot::restore(&source, Arc::new(target), Box::new(store), Some(&mut hear));
                let (ledger, manifest) = restored.map_err(|fault| told(&fault))?;
                ledger.close().map_err(|fault| told(&fault))?;
                Ok(copied(&manifest, &restore.to))
            }
        }
    }
}

fn copied(manifest: &snapshot::Manifest, folder: &Path) -> Answer {
    let document = json!({
        "name": manifest.name,
        "ledger": manifest.ledger.to_string(),
        "height": manifest.height,
        "header": manifest.header.to_string(),
        "state_root": manifest.state_root.to_string(),
        "operations": manifest.operations,
        "folder": folder,
    });
    Answer::new(document, Shape::Page(&COPY, &[]))
}

/// Takes an empty folder, and nothing else: whatever is in another stays as it is.
fn lock_empty(folder: &Path) -> Result<DiskFiles, Failure> {
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let what = format!("{} is not empty", folder.display());
        return Err(
            Failure::usage("snapshot.not-empty", what).help("name a folder that is empty, or not there")
        );
    }
    DiskFiles::open(folder).map_err(|error| {
        Failure::new(Exit::Storage, "storage.folder", format!("cannot use {}", folder.display()))
            .why(error.to_string())
    })
}

/// Opens the ledger of the settings to be read. Where a node has it open, its files are copied and the copy is executed again: whatever the node does
/// meanwhile, a journal only grows, and what was being written at its end is cut.
fn with_reader<T>(context: &Context, work: impl FnOnce(&Reader) -> Result<T, Failure>) -> Result<T, Failure> {
    let settings = context.settings();
    let folder = settings.path(Key::Data).unwrap_or_else(|| PathBuf::from(run::FOLDER));
    if !folder.join(GENESIS_FILE).is_file() {
        return Err(crate::transport::no_ledger(&folder));
    }
    let mut config = run::node_config(settings, &folder)?;
    config.role = Role::Read;
    config.listen = None;
    let runtime = run::runtime()?;
    let copy = Scratch::new("copy")?;
    let node = match run::start(&runtime, config.clone()) {
        Err(failure) if failure.code() == "storage.locked" => {
            copy_history(&folder, copy.path())?;
            config.folder = copy.path().to_owned();
            run::start(&runtime, config)?
        }
        started => started?,
    };
    work(&node.reader())
}

/// Copies what a ledger can be made of: its genesis and its journal, the oldest blocks first.
fn copy_history(from: &Path, to: &Path) -> Result<(), Failure> {
    let copy = || -> io::Result<()> {
        std::fs::copy(from.join(GENESIS_FILE), to.join(GENESIS_FILE))?;
        std::fs::create_dir(to.join(JOURNAL_FOLDER))?;
        let names: io::Result<BTreeSet<_>> = std::fs::read_dir(from.join(JOURNAL_FOLDER))?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect();
        for name in names? {
            std::fs::copy(from.join(JOURNAL_FOLDER).join(&name), to.join(JOURNAL_FOLDER).join(&name))?;
        }
        Ok(())
    };
    copy().map_err(|error| Failure::storage(format!("cannot copy the ledger in {}", from.display()), &error))
}
