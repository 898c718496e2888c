//! The ledger's files and its store, with a watch.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ledger::files::{Access, Files, OpenFile};
use ledger::store::{Committed, EntryProof, Store, StoreError, Write};

/// How often something was done and how long it took in all.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    nanoseconds: AtomicU64,
    count: AtomicU64,
}

impl Watch {
    fn time<T>(&self, action: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = action();
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        result
    }

    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// What is watched.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    /// Appending to files of the journal.
    pub(crate) journal: Watch,
    /// Making the journal durable.
    pub(crate) sync: Watch,
    /// Appending to files of receipts, and making them durable.
    pub(crate) receipts: Watch,
    /// Committing heights to the store.
    pub(crate) store: Watch,
    /// Entries that the store was given.
    pub(crate) entries: AtomicU64,
}

/// Files with a watch.
pub(crate) struct TimedFiles<F> {
    pub(crate) files: F,
    pub(crate) watches: Arc<Watches>,
}

impl<F: Files> Files for TimedFiles<F> {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.files.list(folder)
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn OpenFile>> {
        let file = self.files.open(name, access)?;
        Ok(Box::new(TimedFile {
            file,
            is_journal: name.starts_with("journal"),
            watches: Arc::clone(&self.watches),
        }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.files.rename(from, to)
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.files.sync_folder(folder)
    }
}

struct TimedFile {
    file: Box<dyn OpenFile>,
    is_journal: bool,
    watches: Arc<Watches>,
}

impl OpenFile for TimedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let watch = if self.is_journal { &self.watches.journal } else { &self.watches.receipts };
        watch.time(|| self.file.append(bytes))
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, into)
    }

    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn sync(&mut self) -> io::Result<()> {
        let watch = if self.is_journal { &self.watches.sync } else { &self.watches.receipts };
        watch.time(|| self.file.sync())
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.file.truncate(size)
    }
}

/// A store with a watch.
pub(crate) struct TimedStore<S> {
    pub(crate) store: S,
    pub(crate) watches: Arc<Watches>,
}

impl<S: Store> Store for TimedStore<S> {
    fn committed(&self) -> Option<Committed> {
        self.store.committed()
    }

    fn durable(&self) -> Option<u64> {
        self.store.durable()
    }

    fn commit(&mut self, height: u64, digest: [u8; 32], writes: Vec<Write>) -> Result<[u8; 32], StoreError> {
        let entries = u64::try_from(writes.len()).unwrap_or(u64::MAX);
        self.watches.entries.fetch_add(entries, Ordering::Relaxed);
        self.watches.store.time(|| self.store.commit(height, digest, writes))
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.watches.store.time(|| self.store.sync())
    }

    fn root_at(&self, height: u64) -> Option<[u8; 32]> {
        self.store.root_at(height)
    }

    fn get(&self, key: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(key)
    }

    fn prove(&self, key: &[u8; 32]) -> Result<EntryProof, StoreError> {
        self.store.prove(key)
    }

    fn entries(
        &self,
        visit: &mut dyn FnMut([u8; 32], Vec<u8>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.entries(visit)
    }

    fn reset(&mut self) -> Result<(), StoreError> {
        self.store.reset()
    }
}
