//! A checked copy of a ledger, made while it runs: its genesis, its journal up to a height, and a manifest with digests.
//!
//! What can be rebuilt is not copied. Restoring executes the copy again with a fresh store, so the state root that comes out is not trusted but
//! compared. A snapshot holds no secrets: keys and passwords are elsewhere.

use std::sync::Arc;

use protocol::units::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::block::{RawBlock, operations_root};
use crate::cursor::{length, wide};
use crate::fault::Fault;
use crate::files::{Access, Files, OpenFile, read_all, read_exact_at, replace};
use crate::format::{
    FORMAT, GENESIS_FILE, JOURNAL_FOLDER, LOCK_FILE, MANIFEST_BYTES_MAX, MANIFEST_FILE, RECEIPTS_FOLDER,
};
use crate::ledger::Ledger;
use crate::log::{Log, Since};
use crate::open::{Options, Stage, journal_identity, read_genesis};
use crate::reader::Reader;
use crate::store::Store;

const AGAIN: &str = "take another snapshot, or use an older one";

/// What a snapshot holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the folder's layout.
    pub format: u16,
    /// The ledger's name.
    pub name: String,
    /// The genesis digest.
    pub ledger: Digest,
    /// The height of the last block.
    pub height: u64,
    /// The digest of its header.
    pub header: Digest,
    /// Its time, in milliseconds since 1970.
    pub time_ms: u64,
    /// The state root after it.
    pub state_root: Digest,
    /// How many operations the blocks have.
    pub operations: u64,
    /// Every file of the snapshot but this one, in order.
    pub files: Vec<Copied>,
}

/// A file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copied {
    /// Its name in the folder.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
}

/// Copies a ledger into an empty folder, up to the newest height that its store has. Every block is checked while it is copied, and every file is
/// read again after. `progress` hears the height that was done, and the last.
///
/// # Errors
/// [`Fault::Snapshot`] if the folder is not empty; [`Fault::Io`], [`Fault::Damaged`].
pub fn write(
    reader: &Reader,
    target: Arc<dyn Files>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Manifest, Fault> {
    check_empty(target.as_ref())?;
    let none =
        || Fault::Snapshot { why: "the store has no height yet".to_owned(), remedy: "try again in a moment" };
    let committed = reader.committed().ok_or_else(none)?;
    let genesis = reader.genesis();
    let chain = genesis.digest();
    replace(target.as_ref(), GENESIS_FILE, genesis.to_json().as_bytes())
        .map_err(Fault::io("writing", GENESIS_FILE))?;
    let identity = journal_identity(chain);
    let (mut journal, _) = Log::open(Arc::clone(&target), identity, Since::Newest, &mut |_, _| Ok(()))?;
    let mut manifest = Manifest {
        format: FORMAT,
        name: genesis.name.clone(),
        ledger: chain,
        height: committed.height,
        header: Digest::default(),
        time_ms: 0,
        state_root: Digest(committed.root),
        operations: 0,
        files: Vec::new(),
    };
    for item in reader.journal.walk(0) {
        let (height, bytes) = item?;
        if height > committed.height {
            break;
        }
        check_block(&bytes, height, &mut manifest)?;
        journal.append_unsynced(|out| out.extend_from_slice(&bytes))?;
        progress(height, committed.height);
    }
    journal.sync()?;
    drop(journal);
    if manifest.header.0 != committed.digest {
        return Err(Fault::Snapshot {
            why: "the journal and the store differ".to_owned(),
            remedy: "run `surety verify`",
        });
    }
    manifest.files = digests(target.as_ref())?;
    let mut text = serde_json::to_string_pretty(&manifest).expect("a manifest is plain data");
    text.push('\n');
    replace(target.as_ref(), MANIFEST_FILE, text.as_bytes()).map_err(Fault::io("writing", MANIFEST_FILE))?;
    Ok(manifest)
}

/// The next block follows from the one before, and its operations are those of its header.
fn check_block(bytes: &[u8], height: u64, manifest: &mut Manifest) -> Result<(), Fault> {
    let damaged = |what: String| Fault::Damaged {
        file: format!("the block of height {height} in {JOURNAL_FOLDER}"),
        offset: 0,
        what,
        remedy: "run `surety verify` on the folder; an older snapshot may be whole",
    };
    let block = RawBlock::decode(bytes).map_err(|why| damaged(why.to_string()))?;
    if block.header.parent != manifest.header || block.header.height != height {
        return Err(damaged("it does not follow from the block before".to_owned()));
    }
    if operations_root(block.ids().into_iter()) != block.header.operations_root {
        return Err(damaged("its operations are not those of its header".to_owned()));
    }
    manifest.header = block.header.digest();
    manifest.time_ms = block.header.time_ms;
    manifest.operations += wide(block.operations.len());
    Ok(())
}

/// Reads the manifest of a snapshot, and checks every file against it.
///
/// # Errors
/// [`Fault::Io`], [`Fault::Snapshot`], [`Fault::Format`], [`Fault::Genesis`].
pub fn check(source: &dyn Files) -> Result<Manifest, Fault> {
    let bytes =
        read_all(source, MANIFEST_FILE, MANIFEST_BYTES_MAX).map_err(Fault::io("reading", MANIFEST_FILE))?;
    let unusable = |why: String| Fault::Snapshot { why, remedy: AGAIN };
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|error| unusable(format!("{MANIFEST_FILE}: {error}")))?;
    if manifest.format != FORMAT {
        return Err(Fault::Format { file: MANIFEST_FILE.to_owned(), found: manifest.format, known: FORMAT });
    }
    let found = digests(source)?;
    for expected in &manifest.files {
        match found.iter().find(|found| found.name == expected.name) {
            None => return Err(unusable(format!("{} is missing", expected.name))),
            Some(found) if found != expected => {
                return Err(unusable(format!(
                    "{} has {} bytes with SHA-256 {}, and the manifest says {} with {}",
                    expected.name, found.bytes, found.sha256, expected.bytes, expected.sha256
                )));
            }
            Some(_) => {}
        }
    }
    if let Some(extra) =
        found.iter().find(|found| manifest.files.iter().all(|known| known.name != found.name))
    {
        return Err(unusable(format!("{} is not in the manifest", extra.name)));
    }
    let genesis = read_genesis(source)?;
    if (&genesis.name, genesis.digest()) != (&manifest.name, manifest.ledger) {
        return Err(unusable(format!(
            "{GENESIS_FILE} is of {} ({}), and the manifest says {} ({})",
            genesis.name,
            genesis.digest(),
            manifest.name,
            manifest.ledger
        )));
    }
    Ok(manifest)
}

/// Makes a ledger of a snapshot in an empty folder, with a fresh store, by executing it again; head and state root must be those of the manifest.
///
/// # Errors
/// [`Fault::Snapshot`], [`Fault::Format`], [`Fault::Diverged`], and those of [`Ledger::open`].
pub fn restore(
    source: &dyn Files,
    target: Arc<dyn Files>,
    store: Box<dyn Store>,
    progress: Option<&mut dyn FnMut(Stage)>,
) -> Result<(Ledger, Manifest), Fault> {
    let manifest = check(source)?;
    check_empty(target.as_ref())?;
    if store.committed().is_some() {
        return Err(Fault::Snapshot {
            why: "the store is not fresh".to_owned(),
            remedy: "take an empty folder",
        });
    }
    for copied in &manifest.files {
        copy(source, target.as_ref(), &copied.name)?;
    }
    let mut ledger = Ledger::open(target, store, Options { progress, ..Options::default() })?;
    ledger.sync()?;
    let (head, height) = (ledger.head(), manifest.height);
    let found = ledger.reader().root_at(height).unwrap_or_default();
    if head.digest != manifest.header || found != manifest.state_root {
        let by = MANIFEST_FILE.to_owned();
        return Err(Fault::Diverged { height, found, claimed: manifest.state_root, by });
    }
    let operations = count_operations(&ledger.reader())?;
    if (head.header.time_ms, operations) != (manifest.time_ms, manifest.operations) {
        let why = format!(
            "the last block is of {} ms and {operations} operations are in all, and {MANIFEST_FILE} says {} ms and {}",
            head.header.time_ms, manifest.time_ms, manifest.operations
        );
        return Err(Fault::Snapshot { why, remedy: AGAIN });
    }
    Ok((ledger, manifest))
}

/// How many operations the blocks have.
fn count_operations(reader: &Reader) -> Result<u64, Fault> {
    let mut operations = 0;
    for item in reader.journal.walk(0) {
        let (height, bytes) = item?;
        let block = RawBlock::decode(&bytes).map_err(|why| Fault::Damaged {
            file: format!("the block of height {height} in {JOURNAL_FOLDER}"),
            offset: 0,
            what: why.to_string(),
            remedy: AGAIN,
        })?;
        operations += wide(block.operations.len());
    }
    Ok(operations)
}

/// A ledger's folder that nobody has begun.
fn check_empty(files: &dyn Files) -> Result<(), Fault> {
    let mut names = files.list("").map_err(Fault::io("listing", "the folder"))?;
    for folder in [JOURNAL_FOLDER, RECEIPTS_FOLDER] {
        names.extend(files.list(folder).map_err(Fault::io("listing", folder))?);
    }
    match names.iter().find(|name| *name != LOCK_FILE) {
        None => Ok(()),
        Some(name) => {
            let why = format!("the folder has a file {name} already");
            Err(Fault::Snapshot { why, remedy: "take an empty folder" })
        }
    }
}

/// Size and hash of the files that a snapshot is made of.
fn digests(files: &dyn Files) -> Result<Vec<Copied>, Fault> {
    let mut names = vec![GENESIS_FILE.to_owned()];
    let segments = files.list(JOURNAL_FOLDER).map_err(Fault::io("listing", JOURNAL_FOLDER))?;
    names.extend(segments.into_iter().map(|name| format!("{JOURNAL_FOLDER}/{name}")));
    let digest = |name: String| {
        let (mut bytes, mut hash) = (0, Sha256::new());
        read_through(files, &name, &mut |part| {
            bytes += wide(part.len());
            hash.update(part);
            Ok(())
        })?;
        Ok(Copied { name, bytes, sha256: Digest(hash.finalize().into()) })
    };
    names.into_iter().map(digest).collect()
}

fn copy(source: &dyn Files, target: &dyn Files, name: &str) -> Result<(), Fault> {
    let failed = || Fault::io("writing", name);
    let mut file = target.open(name, Access::Append).map_err(failed())?;
    read_through(source, name, &mut |part| file.append(part).map_err(failed()))?;
    file.sync().map_err(failed())?;
    let folder = crate::files::folder_of(name);
    target.sync_folder(folder).map_err(Fault::io("syncing the folder of", name))
}

/// Shows the bytes of a file, part by part.
fn read_through(
    files: &dyn Files,
    name: &str,
    visit: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let file: Box<dyn OpenFile> = files.open(name, Access::Read).map_err(Fault::io("opening", name))?;
    let size = file.size().map_err(Fault::io("reading", name))?;
    let mut part = vec![0; length(1 << 20)];
    let mut offset = 0;
    while offset < size {
        let count = usize::try_from(size - offset).unwrap_or(usize::MAX).min(part.len());
        let place = part.get_mut(..count).unwrap_or_default();
        read_exact_at(file.as_ref(), offset, place).map_err(Fault::io("reading", name))?;
        visit(place)?;
        offset += wide(count);
    }
    Ok(())
}
