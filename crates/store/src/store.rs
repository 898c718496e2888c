//! The store as its callers see it: blocking, and shared by threads.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use ledger::store::{Committed, EntryProof, Store, StoreError, Write};

use crate::options::Options;
use crate::worker::{Command, Shared, Worker};

/// Pages of entries that may wait for their reader.
const PAGES: usize = 4;

/// The authenticated store of a folder. Clones are the same store; the last one to go makes everything durable and closes it.
///
/// Its calls block until the store's thread has answered. Proofs and reads may be asked for while another thread commits; they take their turn.
#[derive(Clone, Debug)]
pub struct QmdbStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    commands: SyncSender<Command>,
    status: Shared,
    thread: Option<JoinHandle<()>>,
    /// Held until the thread has ended.
    _lock: File,
}

impl QmdbStore {
    /// Opens the store of a folder, which is made if it is missing, at the newest whole height that the disk has.
    ///
    /// # Errors
    /// [`StoreError::Closed`] if another process has it open. [`StoreError::Failed`] if the folder can't be used or its content is damaged; then [`Self::erase`] and
    /// the ledger's journal are the remedy.
    pub fn open(folder: &Path, options: Options) -> Result<Self, StoreError> {
        let lock = lock(folder)?;
        let (commands, receiver) = sync_channel(options.queue.get());
        let status = Shared::default();
        let worker =
            Worker { folder: folder.join("data"), options, commands: receiver, status: status.clone() };
        let (opened, answer) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || worker.run(opened))
            .map_err(|error| failed("starting its thread", &error))?;
        let store = Self { inner: Arc::new(Inner { commands, status, thread: Some(thread), _lock: lock }) };
        answer.recv().unwrap_or_else(|_| Err(store.cause()))?;
        Ok(store)
    }

    /// Removes the content of a store that can't be opened.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn erase(folder: &Path) -> Result<(), StoreError> {
        let _lock = lock(folder)?;
        match fs::remove_dir_all(folder.join("data")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("emptying its folder", &error))
            }
            _ => Ok(()),
        }
    }

    /// Sends a command that carries its own way back, and waits for the answer.
    fn ask<T>(
        &self,
        command: impl FnOnce(SyncSender<Result<T, StoreError>>) -> Command,
    ) -> Result<T, StoreError> {
        let (answer, waiting) = sync_channel(1);
        self.inner.commands.send(command(answer)).map_err(|_| gone())?;
        waiting.recv().unwrap_or_else(|_| Err(self.cause()))
    }

    /// Why a command was dropped without an answer: the thread that panicked at it tells whoever comes next.
    fn cause(&self) -> StoreError {
        let (answer, waiting) = sync_channel(1);
        match self.inner.commands.send(Command::Sync { answer }).map(|()| waiting.recv()) {
            Ok(Ok(Err(error))) => error,
            _ => gone(),
        }
    }

    /// Ends the store as if the machine had stopped: nothing more becomes durable.
    #[cfg(test)]
    pub(crate) fn crash(self) {
        let _ended = self.inner.commands.send(Command::Crash).is_err();
    }
}

impl Store for QmdbStore {
    fn committed(&self) -> Option<Committed> {
        self.inner.status.lock().committed
    }

    fn durable(&self) -> Option<u64> {
        self.inner.status.lock().durable
    }

    fn commit(&mut self, height: u64, digest: [u8; 32], writes: Vec<Write>) -> Result<[u8; 32], StoreError> {
        self.ask(|answer| Command::Commit { height, digest, writes, answer })
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.ask(|answer| Command::Sync { answer })
    }

    fn root_at(&self, height: u64) -> Option<[u8; 32]> {
        let status = self.inner.status.lock();
        let at = status.roots.binary_search_by_key(&height, |(height, _)| *height).ok()?;
        status.roots.get(at).map(|(_, root)| *root)
    }

    fn get(&self, key: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|answer| Command::Get { key: *key, answer })
    }

    fn prove(&self, key: &[u8; 32]) -> Result<EntryProof, StoreError> {
        self.ask(|answer| Command::Prove { key: *key, answer })
    }

    fn entries(
        &self,
        visit: &mut dyn FnMut([u8; 32], Vec<u8>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (pages, waiting) = sync_channel(PAGES);
        self.inner.commands.send(Command::Entries { pages }).map_err(|_| gone())?;
        loop {
            let page = waiting.recv().unwrap_or_else(|_| Err(self.cause()))?;
            if page.is_empty() {
                return Ok(());
            }
            for (key, value) in page {
                visit(key, value)?;
            }
        }
    }

    fn reset(&mut self) -> Result<(), StoreError> {
        self.ask(|answer| Command::Reset { answer })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A thread that is gone needs no command to end.
        let _ended = self.commands.send(Command::End).is_err();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been answered where it happened.
            let _panicked = thread.join().is_err();
        }
    }
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    fs::create_dir_all(folder).map_err(|error| failed("making its folder", &error))?;
    let file = File::create(folder.join("lock")).map_err(|error| failed("making its lock", &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Closed {
            cause: format!("another process has {} open; end it first", folder.display()),
        }),
        Err(TryLockError::Error(error)) => Err(failed("taking its lock", &error)),
    }
}

fn failed(doing: &'static str, cause: &io::Error) -> StoreError {
    StoreError::Failed { doing, cause: cause.to_string() }
}

fn gone() -> StoreError {
    StoreError::Closed { cause: "its thread has stopped; open it again".to_owned() }
}
