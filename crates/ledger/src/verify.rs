//! Executes a whole history again and compares everything that its headers say.
//!
//! It reads the folder and changes nothing in it, so the folder may be open elsewhere. It trusts the genesis file, and nothing else.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::units::Digest;

use crate::cursor::wide;
use crate::fault::Fault;
use crate::files::{Access, Files, OpenFile, read_all};
use crate::format::{GENESIS_BYTES_MAX, GENESIS_FILE};
use crate::ledger::Ledger;
use crate::open::{Options, look_journal, read_genesis};
use crate::reader::Reader;
use crate::receipt::Executed;
use crate::receipts::Recorded;
use crate::store::{Committed, Store};

/// What a history has turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The genesis digest.
    pub chain: Digest,
    /// The height of the last block.
    pub height: u64,
    /// The digest of its header.
    pub digest: Digest,
    /// The state root after it.
    pub state_root: Digest,
    /// The newest height whose root a header claims, and that was compared.
    pub compared: u64,
    /// How many operations the blocks have.
    pub operations: u64,
    /// Of how many blocks there were receipts, which were compared.
    pub receipts: u64,
    /// What the journal or the receipts end with, where that is the torn end of a write.
    pub torn: Option<String>,
}

/// Executes the history of a folder again with a fresh store: every seal is verified, every root of every header compared, and every receipt. `progress`
/// hears the height that was done, and the last.
///
/// # Errors
/// As [`folder`].
pub fn history(
    files: Arc<dyn Files>,
    store: Box<dyn Store>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Checked, Fault> {
    folder(files, store, None, progress)
}

/// The same, and what the folder's own store says of itself is compared as well: its newest height, with the block and the root there.
///
/// # Errors
/// [`Fault::Genesis`], [`Fault::Io`], [`Fault::Damaged`], [`Fault::Format`], [`Fault::OtherLedger`]; [`Fault::JournalBehindStore`] and
/// [`Fault::JournalBehindReceipts`] where blocks are missing; [`Fault::StoreDiffers`], [`Fault::Diverged`] and [`Fault::Damaged`] for what a header, a
/// receipt or the folder's store says and does not come out; [`Fault::Store`].
pub fn folder(
    files: Arc<dyn Files>,
    store: Box<dyn Store>,
    own: Option<Committed>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Checked, Fault> {
    if store.committed().is_some() {
        let why = "the store is not fresh".to_owned();
        return Err(Fault::Store(crate::store::StoreError::Entry { why }));
    }
    // Receipts are written after their block: whoever reads them first finds all their blocks, also while a node goes on.
    let chain = read_genesis(files.as_ref())?.digest();
    let (receipts, torn_receipts) = Recorded::look(Arc::clone(&files), chain)?;
    let (journal, torn) = look_journal(Arc::clone(&files))?;
    check_length(journal.next(), &receipts, own)?;
    let bytes = read_all(files.as_ref(), GENESIS_FILE, GENESIS_BYTES_MAX);
    let bytes = bytes.map_err(Fault::io("reading", GENESIS_FILE))?;
    let forgetful: Arc<dyn Files> = Arc::new(Forgetful { genesis: bytes });
    let mut ledger = Ledger::open(forgetful, store, Options::default())?;
    let last = journal.next().saturating_sub(1);
    let mut comparison = Comparison { reader: ledger.reader(), receipts, own, due: VecDeque::new() };
    if let Some(executed) = comparison.reader.executed(0)? {
        comparison.block(&executed)?;
    }
    let mut operations = wide(ledger.genesis().opening.len());
    for item in journal.walk(1) {
        let (height, bytes) = item?;
        let executed = ledger.apply_bytes(&bytes).map_err(|fault| match fault {
            Fault::Block(why) => Fault::Damaged {
                file: format!("the block of height {height}"),
                offset: 0,
                what: why.to_string(),
                remedy: "do not go on with this folder: restore it from a snapshot or a backup",
            },
            fault => fault,
        })?;
        comparison.block(&executed)?;
        operations += wide(executed.receipts.len());
        progress(height, last);
    }
    ledger.sync()?;
    comparison.roots()?;
    let head = ledger.head();
    let checked = Checked {
        chain: head.header.chain,
        height: head.header.height,
        digest: head.digest,
        state_root: ledger.reader().root_at(head.header.height).unwrap_or_default(),
        compared: head.header.executed_height,
        operations,
        receipts: comparison.receipts.next(),
        torn: torn.or(torn_receipts),
    };
    ledger.close()?;
    Ok(checked)
}

/// Nothing may know of a block that the journal does not have.
fn check_length(journal: u64, receipts: &Recorded, own: Option<Committed>) -> Result<(), Fault> {
    if let Some(own) = own.filter(|own| own.height >= journal) {
        return Err(Fault::JournalBehindStore { store: own.height, journal });
    }
    match receipts.next().checked_sub(1).filter(|receipts| *receipts >= journal) {
        Some(receipts) => Err(Fault::JournalBehindReceipts { receipts, journal }),
        None => Ok(()),
    }
}

/// What the folder says beside its journal, and what comes out.
struct Comparison {
    reader: Reader,
    receipts: Recorded,
    own: Option<Committed>,
    /// Roots that are to be compared once the store has the height, and who says so.
    due: VecDeque<(u64, Digest, &'static str)>,
}

impl Comparison {
    /// Compares what is known of a block that was executed.
    fn block(&mut self, executed: &Executed) -> Result<(), Fault> {
        let height = executed.header.height;
        if let (Some(root), Some(before)) = (self.receipts.compare(executed)?, height.checked_sub(1)) {
            self.due.push_back((before, root, "the receipts"));
        }
        if let Some(own) = self.own.filter(|own| own.height == height) {
            let (store, journal) = (Digest(own.digest), executed.digest);
            if store != journal {
                return Err(Fault::StoreDiffers { height, store, journal });
            }
            self.due.push_back((height, Digest(own.root), "the folder's store"));
        }
        self.roots()
    }

    /// Compares the roots of heights that the store has.
    fn roots(&mut self) -> Result<(), Fault> {
        let committed = self.reader.committed().map(|committed| committed.height);
        while let Some((height, claimed, by)) = self.due.front().copied()
            && committed.is_some_and(|committed| committed >= height)
        {
            let found = self.reader.root_at(height).unwrap_or_default();
            if found != claimed {
                return Err(Fault::Diverged { height, found, claimed, by: by.to_owned() });
            }
            self.due.pop_front();
        }
        Ok(())
    }
}

/// Files that have a genesis and forget everything that is written: what is executed again is not written again.
struct Forgetful {
    genesis: Vec<u8>,
}

impl Files for Forgetful {
    fn list(&self, _: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn OpenFile>> {
        if access == Access::Append {
            return Ok(Box::new(Nothing::default()));
        }
        if name != GENESIS_FILE {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Box::new(Fixed(self.genesis.clone())))
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

/// A file that knows its size only.
#[derive(Default)]
struct Nothing(Mutex<u64>);

impl OpenFile for Nothing {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        *self.0.get_mut().unwrap_or_else(PoisonError::into_inner) += wide(bytes.len());
        Ok(())
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        *self.0.get_mut().unwrap_or_else(PoisonError::into_inner) = size;
        Ok(())
    }
}

/// A file that is in memory.
struct Fixed(Vec<u8>);

impl OpenFile for Fixed {
    fn append(&mut self, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let count = rest.len().min(into.len());
        if let (Some(place), Some(found)) = (into.get_mut(..count), rest.get(..count)) {
            place.copy_from_slice(found);
        }
        Ok(count)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(wide(self.0.len()))
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&mut self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
