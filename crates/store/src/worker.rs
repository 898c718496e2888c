//! The store's thread: it owns the runtime and the database, and takes one command at a time.
//!
//! An error or a panic of the library ends the runtime and drops the database. The thread goes on, and answers every command with the reason, until it is told to reset or to end.

use std::collections::VecDeque;
use std::fmt::Display;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use commonware_runtime::Runner as _;
use commonware_runtime::tokio::{Config, Context, Runner};
use ledger::store::{Committed, EntryProof, StoreError, Write};

use crate::engine::{Engine, Error};
use crate::options::Options;
use crate::proof::VALUE_BYTES_MAX;

/// Heights whose roots are kept in memory.
const ROOTS: usize = 4_096;
/// Threads of the runtime that may wait for the disk.
const DISK_THREADS: usize = 16;

const SYNCING: &str = "making heights durable";

/// Where an answer goes. Whoever asked may be gone; nobody minds.
pub(crate) type Answer<T> = SyncSender<Result<T, StoreError>>;

/// Entries on their way to who asked for all of them.
pub(crate) type Page = Vec<([u8; 32], Vec<u8>)>;

/// What the thread is asked.
pub(crate) enum Command {
    Commit {
        height: u64,
        digest: [u8; 32],
        writes: Vec<Write>,
        answer: Answer<[u8; 32]>,
    },
    Sync {
        answer: Answer<()>,
    },
    Get {
        key: [u8; 32],
        answer: Answer<Option<Vec<u8>>>,
    },
    Prove {
        key: [u8; 32],
        answer: Answer<EntryProof>,
    },
    Entries {
        pages: Answer<Page>,
    },
    Reset {
        answer: Answer<()>,
    },
    End,
    /// End without making anything durable.
    #[cfg(test)]
    Crash,
}

impl Command {
    /// Answers with an error, and does nothing else.
    fn refuse(self, error: StoreError) {
        match self {
            Self::Commit { answer, .. } => reply(&answer, Err(error)),
            Self::Sync { answer } | Self::Reset { answer } => reply(&answer, Err(error)),
            Self::Get { answer, .. } => reply(&answer, Err(error)),
            Self::Prove { answer, .. } => reply(&answer, Err(error)),
            Self::Entries { pages } => reply(&pages, Err(error)),
            Self::End => {}
            #[cfg(test)]
            Self::Crash => {}
        }
    }
}

/// What anybody may read at any time without asking the thread.
#[derive(Debug, Default)]
pub(crate) struct Status {
    pub(crate) committed: Option<Committed>,
    pub(crate) durable: Option<u64>,
    /// Heights and their roots, oldest first.
    pub(crate) roots: VecDeque<(u64, [u8; 32])>,
}

impl Status {
    fn opened(committed: Option<Committed>) -> Self {
        let mut status =
            Self { committed: None, durable: committed.map(|at| at.height), roots: VecDeque::new() };
        if let Some(at) = committed {
            status.commit(at);
        }
        status
    }

    fn commit(&mut self, at: Committed) {
        self.committed = Some(at);
        if self.roots.len() == ROOTS {
            self.roots.pop_front();
        }
        self.roots.push_back((at.height, at.root));
    }
}

/// The status behind its lock. Nothing panics while it is held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Arc<Mutex<Status>>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread does next.
enum Next {
    /// Open the database, and answer how that went.
    Open(Answer<()>),
    /// Answer every command with this, until told otherwise.
    Refuse(StoreError),
    /// Remove the database's files and open it again.
    Empty(Answer<()>),
    /// End. Everything is durable that could be made so.
    End,
}

/// The thread.
pub(crate) struct Worker {
    /// Where the database's files are; nothing else is there.
    pub(crate) folder: PathBuf,
    pub(crate) options: Options,
    pub(crate) commands: Receiver<Command>,
    pub(crate) status: Shared,
}

impl Worker {
    /// Opens the database, answers how that went, and serves until told to end.
    pub(crate) fn run(self, opened: Answer<()>) {
        let mut next = Next::Open(opened);
        loop {
            next = match next {
                Next::Open(answer) => self.open(answer),
                Next::Refuse(error) => self.refuse(&error),
                Next::Empty(answer) => match self.empty() {
                    Ok(()) => Next::Open(answer),
                    Err(error) => Next::Refuse(tell(&answer, failed("emptying its folder", &error))),
                },
                Next::End => return,
            };
        }
    }

    /// Runs the database until it fails, or is told to end or to reset. What the library panics with ends it like an error.
    fn open(&self, answer: Answer<()>) -> Next {
        let config = Config::new()
            .with_storage_directory(&self.folder)
            .with_worker_threads(1)
            .with_max_blocking_threads(DISK_THREADS);
        let ran = catch_unwind(AssertUnwindSafe(|| {
            Runner::new(config).start(|context| self.serve(context, answer))
        }));
        ran.unwrap_or_else(|panic| {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            Next::Refuse(failed("a step that can't fail", &text.unwrap_or("it panicked")))
        })
    }

    async fn serve(&self, context: Context, opened: Answer<()>) -> Next {
        let mut engine = match Engine::open(context, &self.folder, &self.options).await {
            Ok(engine) => engine,
            Err(error) => return Next::Refuse(tell(&opened, failed("opening", &error))),
        };
        *self.status.lock() = Status::opened(engine.committed());
        reply(&opened, Ok(()));
        let mut session = Session { worker: self, heights: 0 };
        loop {
            // When nobody is left who could send a command, it is time to end.
            let step = match self.commands.recv().unwrap_or(Command::End) {
                Command::Reset { answer } => return Next::Empty(answer),
                Command::End => {
                    // Nobody is left to be told. What did not become durable, the journal has.
                    let _durable = session.sync(engine).await.is_ok();
                    return Next::End;
                }
                #[cfg(test)]
                Command::Crash => return Next::End,
                command => session.serve(engine, command).await,
            };
            engine = match step {
                Ok(engine) => engine,
                Err(error) => return Next::Refuse(error),
            };
        }
    }

    fn refuse(&self, error: &StoreError) -> Next {
        let error = StoreError::Closed { cause: error.to_string() };
        loop {
            match self.commands.recv().unwrap_or(Command::End) {
                Command::Reset { answer } => return Next::Empty(answer),
                Command::End => return Next::End,
                command => command.refuse(error.clone()),
            }
        }
    }

    fn empty(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// What has happened since the last sync.
struct Session<'a> {
    worker: &'a Worker,
    heights: u64,
}

impl Session<'_> {
    fn is_dirty(&self) -> bool {
        self.heights > 0
    }

    /// Makes everything durable.
    async fn sync(&mut self, engine: Engine<Context>) -> Result<Engine<Context>, Error> {
        if !self.is_dirty() {
            return Ok(engine);
        }
        let engine = engine.sync().await?;
        self.heights = 0;
        self.worker.status.lock().durable = engine.committed().map(|at| at.height);
        Ok(engine)
    }

    /// Carries out a command and answers it. An error that comes back has been answered too, and the engine is gone.
    async fn serve(
        &mut self,
        engine: Engine<Context>,
        command: Command,
    ) -> Result<Engine<Context>, StoreError> {
        match command {
            Command::Commit { height, digest, writes, answer } => {
                match check(engine.committed(), height, &writes) {
                    Ok(()) => self.commit(engine, height, digest, writes, &answer).await,
                    Err(refused) => {
                        reply(&answer, Err(refused));
                        Ok(engine)
                    }
                }
            }
            Command::Sync { answer } => match self.sync(engine).await {
                Ok(engine) => {
                    reply(&answer, Ok(()));
                    Ok(engine)
                }
                Err(error) => Err(tell(&answer, failed(SYNCING, &error))),
            },
            Command::Get { key, answer } => {
                let value = engine.get(&key).await.map(|value| value.map(Vec::from));
                found(engine, &answer, "reading an entry", value)
            }
            Command::Prove { key, answer } => {
                let doing = "proving an entry";
                let Some(at) = engine.committed() else {
                    reply(&answer, Err(failed(doing, &"no height is committed yet")));
                    return Ok(engine);
                };
                let proof = engine.prove(at, &key).await;
                found(engine, &answer, doing, proof)
            }
            Command::Entries { pages } => {
                let sent = engine.entries(|page| pages.send(Ok(page)).is_ok()).await;
                match sent {
                    Ok(()) => Ok(engine),
                    Err(error) => Err(tell(&pages, failed("reading all entries", &error))),
                }
            }
            Command::Reset { answer } => {
                Err(tell(&answer, failed("a reset out of place", &"it belongs to the thread")))
            }
            Command::End => Ok(engine),
            #[cfg(test)]
            Command::Crash => Ok(engine),
        }
    }

    /// Commits a height and answers with its root.
    async fn commit(
        &mut self,
        engine: Engine<Context>,
        height: u64,
        digest: [u8; 32],
        writes: Vec<Write>,
        answer: &Answer<[u8; 32]>,
    ) -> Result<Engine<Context>, StoreError> {
        let (engine, at) = match engine.commit(height, digest, writes).await {
            Ok(done) => done,
            Err(error) => return Err(tell(answer, failed("committing a height", &error))),
        };
        self.worker.status.lock().commit(at);
        reply(answer, Ok(at.root));
        self.heights = self.heights.saturating_add(1);
        Ok(engine)
    }
}

/// May this be the next height?
fn check(committed: Option<Committed>, height: u64, writes: &[Write]) -> Result<(), StoreError> {
    if let Some(expected) =
        committed.map(|at| at.height.saturating_add(1)).filter(|expected| *expected != height)
    {
        return Err(StoreError::OutOfOrder { expected, given: height });
    }
    let sizes = writes.iter().filter_map(|(_, value)| value.as_ref()).map(Vec::len);
    match sizes.max().filter(|size| *size > VALUE_BYTES_MAX) {
        Some(found) => Err(StoreError::TooLarge { what: "an entry", found, limit: VALUE_BYTES_MAX }),
        None => Ok(()),
    }
}

/// Answers with what was read. A read that fails ends the engine: what can't be read may be damaged.
fn found<T>(
    engine: Engine<Context>,
    to: &Answer<T>,
    doing: &'static str,
    what: Result<T, Error>,
) -> Result<Engine<Context>, StoreError> {
    match what {
        Ok(value) => {
            reply(to, Ok(value));
            Ok(engine)
        }
        Err(error) => Err(tell(to, failed(doing, &error))),
    }
}

fn reply<T>(to: &Answer<T>, what: Result<T, StoreError>) {
    // Whoever asked may be gone; then nobody minds.
    let _gone = to.send(what).is_err();
}

/// Answers with an error, and gives it back.
fn tell<T>(to: &Answer<T>, error: StoreError) -> StoreError {
    reply(to, Err(error.clone()));
    error
}

fn failed(doing: &'static str, cause: &dyn Display) -> StoreError {
    StoreError::Failed { doing, cause: cause.to_string() }
}
