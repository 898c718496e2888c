//! The thread that follows: it gives the touched entries of each block to the store and writes its receipts, in order, and reports the roots.
//!
//! It decides nothing. When the store or a file fails it reports the fault and does nothing more; then no block is acknowledged any more.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use protocol::State;
use protocol::entries::Key;
use protocol::units::Digest;

use crate::cursor::wide;
use crate::fault::Fault;
use crate::header::Header;
use crate::ledger::Head;
use crate::receipt::Executed;
use crate::receipts::Receipts;
use crate::store::{Committed, EntryProof, Store, Write};

/// The roots of so many heights are kept.
pub(crate) const ROOTS_KEPT: usize = 4096;
/// Of the blocks that the log has, so many are kept as they were executed, with so many receipts in all.
const RECENT_KEPT: usize = 256;
const RECENT_RECEIPTS_KEPT: usize = 20_000;
/// After so many entries, so many heights, or so long a rest, the receipts are synced, and then the store.
const SYNC_ENTRIES: u64 = 200_000;
const SYNC_HEIGHTS: u64 = 128;
const SYNC_REST: Duration = Duration::from_millis(50);

/// How far the thread has come.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) committed: Option<Committed>,
    /// The newest height whose receipts are in the log, and one more.
    receipts: u64,
    roots: BTreeMap<u64, Digest>,
    /// The first header that claims a height.
    claims: BTreeMap<u64, Header>,
    /// Heights for which a proof waits, and how many.
    wanted: BTreeMap<u64, usize>,
    /// The newest blocks, oldest first.
    recent: VecDeque<Arc<Executed>>,
    /// How many receipts they have.
    recent_receipts: usize,
    pub(crate) fault: Option<Fault>,
}

impl Progress {
    /// Whether both the store and the receipts have a height. A store may have it long before what is executed again for its receipts is compared
    /// with it.
    pub(crate) fn has(&self, height: u64) -> bool {
        self.receipts > height && self.committed.is_some_and(|committed| committed.height >= height)
    }

    /// The root after a height, of the newest.
    pub(crate) fn root(&self, height: u64) -> Option<Digest> {
        self.roots.get(&height).copied()
    }

    /// The height that the next header claims: the lowest that a proof waits for, or the newest.
    pub(crate) fn claim(&self, above: u64) -> Option<(u64, Digest)> {
        let wanted = self.wanted.range(above.saturating_add(1)..).next().map(|(height, _)| *height);
        let height = wanted.or_else(|| self.committed.map(|committed| committed.height))?;
        self.root(height).map(|root| (height, root))
    }

    /// The first header that claims a height.
    pub(crate) fn claimed_by(&self, height: u64) -> Option<&Header> {
        self.claims.get(&height)
    }

    /// Whether a proof waits for the next header.
    pub(crate) fn has_wanted(&self) -> bool {
        !self.wanted.is_empty()
    }

    pub(crate) fn want(&mut self, height: u64) {
        *self.wanted.entry(height).or_default() += 1;
    }

    pub(crate) fn unwant(&mut self, height: u64) {
        if let Some(count) = self.wanted.get_mut(&height) {
            *count -= 1;
            if *count == 0 {
                self.wanted.remove(&height);
            }
        }
    }

    /// A block of the newest, as it was executed.
    pub(crate) fn recent(&self, height: u64) -> Option<Arc<Executed>> {
        let first = self.recent.front()?.header.height;
        let index = usize::try_from(height.checked_sub(first)?).ok()?;
        self.recent.get(index).cloned()
    }

    /// The blocks that the log of receipts does not have yet.
    pub(crate) fn unlogged(&self) -> Vec<Arc<Executed>> {
        let unlogged = self.recent.iter().filter(|executed| executed.header.height >= self.receipts);
        unlogged.cloned().collect()
    }

    /// A block was executed. Whoever knows of the head finds it here.
    pub(crate) fn executed(&mut self, executed: &Arc<Executed>) {
        self.recent.push_back(Arc::clone(executed));
        self.recent_receipts += executed.receipts.len();
        self.forget();
    }

    /// The head is published: its claim may be told, since whoever hears of it may ask for the block.
    pub(crate) fn claimed(&mut self, header: &Header) {
        if header.height > 0 {
            self.claims.entry(header.executed_height).or_insert_with(|| header.clone());
        }
        while self.claims.len() > ROOTS_KEPT {
            self.claims.pop_first();
        }
    }

    fn committed(&mut self, committed: Committed, receipts: u64) {
        self.committed = Some(committed);
        self.receipts = receipts;
        self.roots.insert(committed.height, Digest(committed.root));
        while self.roots.len() > ROOTS_KEPT {
            self.roots.pop_first();
        }
        self.forget();
    }

    fn forget(&mut self) {
        while let Some(oldest) = self.recent.front() {
            let is_needed = oldest.header.height >= self.receipts;
            let is_much = self.recent.len() > RECENT_KEPT || self.recent_receipts > RECENT_RECEIPTS_KEPT;
            if is_needed || !is_much {
                return;
            }
            self.recent_receipts -= oldest.receipts.len();
            self.recent.pop_front();
        }
    }
}

/// Progress that several threads look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board(Arc<(Mutex<Progress>, Condvar)>);

impl Board {
    pub(crate) fn look(&self) -> MutexGuard<'_, Progress> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and wakes whoever waits.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Progress) -> R) -> R {
        let result = change(&mut self.look());
        self.0.1.notify_all();
        result
    }

    /// Waits until `done` finds what it looks for, or for at most `limit` where there is one. `None`: it took longer.
    pub(crate) fn wait<R>(
        &self,
        limit: Option<Duration>,
        mut done: impl FnMut(&Progress) -> Option<R>,
    ) -> Option<R> {
        let mut found = None;
        let mut is_waiting = |progress: &mut Progress| {
            found = done(progress);
            found.is_none()
        };
        let (condition, guard) = (&self.0.1, self.look());
        match limit {
            None => drop(condition.wait_while(guard, &mut is_waiting)),
            Some(limit) => drop(condition.wait_timeout_while(guard, limit, &mut is_waiting)),
        }
        found
    }
}

/// What the thread is asked.
pub(crate) enum Work {
    /// A block was executed: these entries of the state after it may have changed.
    Block { executed: Arc<Executed>, head: Arc<Head>, touched: Vec<Key> },
    /// Prove entries, all against the newest root.
    Prove { keys: Vec<Key>, answer: Sender<Result<Vec<EntryProof>, Fault>> },
    /// Make everything durable.
    Sync { answer: Sender<Result<(), Fault>> },
}

/// The way to the thread, until it is closed.
#[derive(Clone)]
pub(crate) struct Gate(Arc<RwLock<Option<SyncSender<Work>>>>);

impl Gate {
    /// Hands over work; waits while the queue is full. Whether there was anybody to take it.
    pub(crate) fn send(&self, work: Work) -> bool {
        let sender = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        sender.is_some_and(|sender| sender.send(work).is_ok())
    }

    fn close(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The thread, and the way to it.
pub(crate) struct Committer {
    gate: Gate,
    thread: Option<JoinHandle<()>>,
    board: Board,
}

impl Committer {
    /// Starts the thread. At most `queue` blocks wait.
    pub(crate) fn start(store: Box<dyn Store>, receipts: Receipts, queue: usize) -> Self {
        let (work, inbox) = sync_channel(queue);
        let board = Board::default();
        board.change(|progress| {
            for (height, root) in receipts.roots() {
                progress.roots.insert(*height, *root);
            }
            if let Some(committed) = store.committed() {
                progress.committed(committed, receipts.next());
            }
        });
        let mut worker = Worker { store, receipts, board: board.clone(), entries: 0, heights: 0 };
        let thread = std::thread::Builder::new().name("ledger-commit".to_owned());
        let thread = thread.spawn(move || worker.run(&inbox)).expect("a process can have one more thread");
        Self { gate: Gate(Arc::new(RwLock::new(Some(work)))), thread: Some(thread), board }
    }

    pub(crate) const fn board(&self) -> &Board {
        &self.board
    }

    /// The way to the thread, for readers.
    pub(crate) const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Hands over work; waits while the queue is full.
    ///
    /// # Errors
    /// The fault of the thread, if it has stopped.
    pub(crate) fn send(&self, work: Work) -> Result<(), Fault> {
        let sent = self.gate.send(work);
        match self.board.look().fault.clone() {
            Some(fault) => Err(fault),
            None if sent => Ok(()),
            None => Err(Fault::Stopped { first: "the thread of the store has ended".to_owned() }),
        }
    }

    /// Finishes all work, makes it durable, and ends.
    pub(crate) fn close(&mut self) -> Result<(), Fault> {
        self.gate.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            return Err(Fault::Stopped { first: "the thread of the store has panicked".to_owned() });
        }
        self.board.look().fault.clone().map_or(Ok(()), Err)
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        // Whoever wants to know has called `close`; what the store lacks is in the journal.
        drop(self.close());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let first = "the thread of the store has panicked".to_owned();
            self.board.change(|progress| progress.fault = Some(Fault::Stopped { first }));
        }
    }
}

struct Worker {
    store: Box<dyn Store>,
    receipts: Receipts,
    board: Board,
    /// Since the last sync.
    entries: u64,
    heights: u64,
}

impl Worker {
    fn run(&mut self, inbox: &Receiver<Work>) {
        let mut fault: Option<Fault> = None;
        loop {
            let rest = if self.heights > 0 && fault.is_none() { SYNC_REST } else { Duration::MAX };
            let work = match inbox.recv_timeout(rest) {
                Ok(work) => work,
                Err(RecvTimeoutError::Timeout) => {
                    let result = self.sync();
                    fault = self.note(result);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let result = match (&fault, work) {
                (None, Work::Block { executed, head, touched }) => {
                    self.block(&executed, &head.state, &touched)
                }
                (Some(_), Work::Block { .. }) => Ok(()),
                (None, Work::Prove { keys, answer }) => {
                    let proofs =
                        keys.iter().map(|key| self.store.prove(&key.to_bytes()).map_err(Fault::Store));
                    // Whoever has stopped waiting does not need the answer.
                    drop(answer.send(proofs.collect()));
                    Ok(())
                }
                (None, Work::Sync { answer }) => {
                    let result = self.sync();
                    drop(answer.send(result.clone()));
                    result
                }
                (Some(first), Work::Prove { answer, .. }) => {
                    drop(answer.send(Err(first.clone())));
                    Ok(())
                }
                (Some(first), Work::Sync { answer }) => {
                    drop(answer.send(Err(first.clone())));
                    Ok(())
                }
            };
            fault = fault.or(self.note(result));
        }
        if fault.is_none() {
            let result = self.sync();
            self.note(result);
        }
    }

    /// Puts a fault where everybody sees it.
    fn note(&self, result: Result<(), Fault>) -> Option<Fault> {
        let fault = result.err()?;
        self.board.change(|progress| progress.fault = Some(fault.clone()));
        Some(fault)
    }

    fn block(&mut self, executed: &Executed, state: &State, touched: &[Key]) -> Result<(), Fault> {
        let height = executed.header.height;
        let known = self.store.committed();
        if height >= self.receipts.next() {
            let before = known.filter(|known| known.height + 1 == height);
            self.receipts.append(executed, before.map(|known| Digest(known.root)))?;
        }
        let committed = match known {
            // Executed again for its receipts only.
            Some(known) if known.height >= height => {
                if known.height == height {
                    compare(self.store.as_ref(), height, state)?;
                }
                known
            }
            _ => {
                let writes = writes(state, touched);
                self.entries += wide(writes.len());
                self.heights += 1;
                let digest = executed.digest.0;
                let root = self.store.commit(height, digest, writes)?;
                Committed { height, digest, root }
            }
        };
        if self.entries >= SYNC_ENTRIES || self.heights >= SYNC_HEIGHTS {
            self.sync()?;
        }
        let receipts = self.receipts.next();
        self.board.change(|progress| progress.committed(committed, receipts));
        Ok(())
    }

    /// The receipts first: after a power failure a store that is ahead of them costs a whole replay.
    fn sync(&mut self) -> Result<(), Fault> {
        self.receipts.sync()?;
        self.store.sync()?;
        (self.entries, self.heights) = (0, 0);
        Ok(())
    }
}

/// The store has the entries of this state and no others. What it has was committed when the same blocks were executed before.
fn compare(store: &dyn Store, height: u64, state: &State) -> Result<(), Fault> {
    let (mut count, mut differs) = (0_u64, None);
    store.entries(&mut |bytes, value| {
        count += 1;
        let computed = Key::from_bytes(&bytes).and_then(|key| state.entry(&key));
        if computed.as_ref() != Some(&value) {
            let is = if computed.is_some() { "has another value" } else { "is not in what comes out" };
            differs.get_or_insert_with(|| format!("its entry under the key 0x{} {is}", hex::encode(bytes)));
        }
        Ok(())
    })?;
    let expected = wide(state.keys().len());
    if count != expected {
        differs.get_or_insert_with(|| format!("it has {count} entries, and {expected} come out"));
    }
    differs.map_or(Ok(()), |what| Err(Fault::StateDiffers { height, what }))
}

/// The touched entries as a batch: sorted by key.
pub(crate) fn writes(state: &State, touched: &[Key]) -> Vec<Write> {
    let mut writes: Vec<Write> = touched.iter().map(|key| (key.to_bytes(), state.entry(key))).collect();
    writes.sort_unstable_by_key(|(key, _)| *key);
    writes
}
