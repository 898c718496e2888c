//! Opens a ledger's folder, which is recovery: the state is that of the store, and the blocks above it are executed again.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use protocol::State;
use protocol::entries::Key;
use protocol::units::Digest;
use signing::Verifier;

use crate::block::{RawBlock, Verified};
use crate::commit::Committer;
use crate::fault::Fault;
use crate::files::{Files, read_all, replace};
use crate::format::{GENESIS_BYTES_MAX, GENESIS_FILE, JOURNAL_FOLDER, JOURNAL_MAGIC, SEGMENT_BYTES};
use crate::genesis::Genesis;
use crate::header::Header;
use crate::ledger::{Head, Ledger, genesis_block};
use crate::log::{Care, Cut, Identity, Log, LogReader, Since};
use crate::outbox::Outbox;
use crate::reader::Reader;
use crate::receipts::Receipts;
use crate::store::{Committed, Store, StoreError};

/// How a folder is opened.
pub struct Options<'a> {
    /// How many blocks may wait for the store before the next has to wait, at least 1.
    pub queue: usize,
    /// A segment of this size is followed by the next.
    pub segment_bytes: u64,
    /// Hears how far it is.
    pub progress: Option<&'a mut dyn FnMut(Stage)>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { queue: 8, segment_bytes: SEGMENT_BYTES, progress: None }
    }
}

/// How far opening is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The journal was read; it has so many blocks.
    Journal {
        /// How many.
        blocks: u64,
    },
    /// The state of the store is back.
    State {
        /// The height of the store.
        height: u64,
        /// How many entries it has.
        entries: u64,
    },
    /// A block was executed again.
    Replayed {
        /// Its height.
        height: u64,
        /// The height of the head.
        of: u64,
    },
}

/// What was found when a folder was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Whether block 0 had to be made.
    pub is_new: bool,
    /// At which height the store was.
    pub store_height: Option<u64>,
    /// How many entries it had.
    pub entries: u64,
    /// How many blocks were executed again.
    pub replayed: u64,
    /// What was cut away, in words.
    pub cut: Vec<String>,
}

/// What the journal says of one height.
struct Found {
    header: Header,
    digest: Digest,
}

/// What is learnt from reading the newest part of the journal.
#[derive(Default)]
struct Survey {
    /// The newest block.
    last: Option<Found>,
    /// The header of the store's height, and of the newest receipts.
    wanted: BTreeMap<u64, Option<Found>>,
    /// The root that a header claims for the store's height, and which header.
    claim: Option<(Digest, u64)>,
}

impl Survey {
    /// Sees the next block of the journal.
    fn visit(
        &mut self,
        genesis: &Genesis,
        chain: Digest,
        store: Option<u64>,
        height: u64,
        item: &[u8],
    ) -> Result<(), String> {
        let header = item.get(..Header::BYTES).ok_or("it is too short for a header")?;
        let header = Header::decode(header).map_err(|why| why.to_string())?;
        let digest = header.digest();
        check_link(genesis, chain, self.last.as_ref(), height, &header, &digest)?;
        if store == Some(header.executed_height) && height > 0 {
            self.claim.get_or_insert((header.state_root, height));
        }
        if let Some(place) = self.wanted.get_mut(&height) {
            *place = Some(Found { header: header.clone(), digest });
        }
        self.last = Some(Found { header, digest });
        Ok(())
    }
}

impl Ledger {
    /// Begins a ledger in a folder that has none.
    ///
    /// # Errors
    /// [`Fault::Genesis`] if it does not hold or there is one already; [`Fault::Io`].
    pub fn init(files: &dyn Files, genesis: &Genesis) -> Result<(), Fault> {
        genesis.check().map_err(|why| Fault::Genesis { why })?;
        let names = files.list("").map_err(Fault::io("listing", "the folder"))?;
        let journal = files.list(JOURNAL_FOLDER).map_err(Fault::io("listing", JOURNAL_FOLDER))?;
        if names.iter().any(|name| name == GENESIS_FILE) || !journal.is_empty() {
            let why = "the folder has a ledger already; take another folder, or open that one".to_owned();
            return Err(Fault::Genesis { why });
        }
        replace(files, GENESIS_FILE, genesis.to_json().as_bytes()).map_err(Fault::io("writing", GENESIS_FILE))
    }

    /// Opens a folder that [`Ledger::init`] has begun, and recovers whatever a crash has left. The store may be fresh: then everything is executed
    /// again.
    ///
    /// # Errors
    /// [`Fault::Genesis`], [`Fault::Io`], [`Fault::Damaged`], [`Fault::Format`], [`Fault::OtherLedger`], [`Fault::JournalBehindStore`],
    /// [`Fault::JournalBehindReceipts`], [`Fault::StoreDiffers`], [`Fault::Diverged`], [`Fault::StateDiffers`], [`Fault::Store`].
    pub fn open(
        files: Arc<dyn Files>,
        store: Box<dyn Store>,
        mut options: Options<'_>,
    ) -> Result<Self, Fault> {
        let genesis = Arc::new(read_genesis(files.as_ref())?);
        let chain = genesis.digest();
        let (receipts, mut cuts) = Receipts::open(Arc::clone(&files), chain)?;
        let (mut survey, committed) = (Survey::default(), store.committed());
        survey.wanted.extend(committed.map(|committed| (committed.height, None)));
        survey.wanted.extend(receipts.next().checked_sub(1).map(|height| (height, None)));
        // Without the receipts of what is in the store, everything is executed again, for them.
        let start = committed.filter(|committed| committed.height < receipts.next());
        let since = Since::Height(start.map_or(0, |committed| committed.height));
        let (mut journal, cut) =
            open_journal(Arc::clone(&files), &genesis, chain, (committed, since), &mut survey)?;
        cuts.extend(cut);
        journal.set_segment_bytes(options.segment_bytes);
        options.hear(Stage::Journal { blocks: journal.next() });
        check_store(committed, &journal, &survey)?;
        let mut receipts = check_receipts(receipts, journal.next(), &survey)?;
        let start = start.filter(|committed| committed.height < receipts.next());
        receipts.set_segment_bytes(options.segment_bytes);
        let is_new = journal.next() == 0;
        let block = genesis_block(&genesis, chain);
        if is_new {
            journal.append(|out| out.extend_from_slice(&block.encode()))?;
        }
        let mut opened =
            Opened { is_new, store_height: committed.map(|committed| committed.height), ..Opened::default() };
        opened.cut = cuts.iter().map(describe).collect();
        let (state, found) = match start {
            Some(committed) => {
                let (state, entries) = restore(store.as_ref())?;
                opened.entries = entries;
                options.hear(Stage::State { height: committed.height, entries });
                let found = survey.wanted.remove(&committed.height).flatten();
                (state, found.expect("the journal reaches the store's height"))
            }
            None => {
                let state = State::new(genesis.protocol.clone()).map_err(|why| Fault::Genesis { why })?;
                let digest = block.header.digest();
                (state, Found { header: block.header, digest })
            }
        };
        let mut ledger = assemble(genesis, journal, store, receipts, options.queue, state, found);
        ledger.opened = opened;
        match start {
            None => ledger.begin()?,
            Some(_) => ledger.refill_outbox()?,
        }
        ledger.replay(&mut options)?;
        ledger.catch_up()?;
        Ok(ledger)
    }

    /// Executes block 0.
    fn begin(&mut self) -> Result<(), Fault> {
        let opening = self.genesis.opening.clone();
        let plain = opening.into_iter().map(|opening| Verified::plain(opening.account, opening.operation));
        let (header, digest) = (self.header.clone(), self.digest);
        self.advance(header, digest, &plain.collect::<Vec<_>>()).map(|_| ())
    }

    /// The messages that no header has claimed are those of blocks that may not be executed again.
    fn refill_outbox(&mut self) -> Result<(), Fault> {
        let claimed = self.header.executed_height;
        let from = if self.header.height == 0 { 0 } else { claimed + 1 };
        for height in from..=self.header.height {
            if let Some(executed) = self.reader.receipts.read(height)? {
                self.outbox.add(&executed);
            }
        }
        Ok(())
    }

    /// Executes the blocks of the journal above the state.
    fn replay(&mut self, options: &mut Options<'_>) -> Result<(), Fault> {
        let of = self.journal.next().saturating_sub(1);
        for item in self.reader.journal.walk(self.header.height + 1) {
            let (height, bytes) = item?;
            let damaged = |what: String| Fault::Damaged {
                file: format!("the block of height {height} in {JOURNAL_FOLDER}"),
                offset: 0,
                what,
                remedy: "restore this folder from a snapshot or a backup",
            };
            let block = RawBlock::decode(&bytes).map_err(|why| damaged(why.to_string()))?;
            let ids = block.ids();
            self.check_replayed(&block.header, &ids).map_err(|fault| match fault {
                Fault::Block(why) => damaged(why.to_string()),
                fault => fault,
            })?;
            let operations = self.verify(&block, &ids).map_err(|why| damaged(why.to_string()))?;
            let digest = block.header.digest();
            self.advance(block.header, digest, &operations)?;
            self.opened.replayed += 1;
            options.hear(Stage::Replayed { height, of });
        }
        Ok(())
    }

    /// Waits until the store and the receipts have the head.
    fn catch_up(&mut self) -> Result<(), Fault> {
        let height = self.header.height;
        let board = self.committer.board();
        let reached = board.wait(None, |progress| match &progress.fault {
            Some(fault) => Some(Err(fault.clone())),
            None => progress.has(height).then_some(Ok(())),
        });
        reached.unwrap_or(Ok(()))
    }
}

impl Options<'_> {
    fn hear(&mut self, stage: Stage) {
        if let Some(progress) = &mut self.progress {
            progress(stage);
        }
    }
}

/// Reads the genesis of a folder.
///
/// # Errors
/// [`Fault::Io`], [`Fault::Genesis`].
pub fn read_genesis(files: &dyn Files) -> Result<Genesis, Fault> {
    let bytes =
        read_all(files, GENESIS_FILE, GENESIS_BYTES_MAX).map_err(Fault::io("reading", GENESIS_FILE))?;
    Genesis::from_json(&bytes).map_err(|why| Fault::Genesis { why: format!("{GENESIS_FILE}: {why}") })
}

fn describe(cut: &Cut) -> String {
    format!("{}: {} bytes from byte {} on, {}", cut.file, cut.bytes, cut.offset, cut.what)
}

/// Which log the journal is.
pub(crate) const fn journal_identity(chain: Digest) -> Identity {
    let remedy = "run `surety verify` on the folder, and restore it from a snapshot or a backup";
    Identity { folder: JOURNAL_FOLDER, magic: JOURNAL_MAGIC, chain, care: Care::Truth, remedy }
}

/// Opens the journal, and checks that every header that is read follows from the one before.
fn open_journal(
    files: Arc<dyn Files>,
    genesis: &Genesis,
    chain: Digest,
    (committed, since): (Option<Committed>, Since),
    survey: &mut Survey,
) -> Result<(Log, Vec<Cut>), Fault> {
    let store = committed.map(|committed| committed.height);
    let mut visit = |height: u64, item: &[u8]| survey.visit(genesis, chain, store, height, item);
    Log::open(files, journal_identity(chain), since, &mut visit)
}

/// Reads the journal of a folder without changing anything, and checks that every header follows from the one before. Returns what its end is
/// where that is torn.
pub(crate) fn look_journal(files: Arc<dyn Files>) -> Result<(LogReader, Option<String>), Fault> {
    let genesis = read_genesis(files.as_ref())?;
    let chain = genesis.digest();
    let mut survey = Survey::default();
    let mut visit = |height: u64, item: &[u8]| survey.visit(&genesis, chain, None, height, item);
    Log::look(files, journal_identity(chain), &mut visit)
}

fn check_link(
    genesis: &Genesis,
    chain: Digest,
    parent: Option<&Found>,
    height: u64,
    header: &Header,
    digest: &Digest,
) -> Result<(), String> {
    if header.chain != chain || header.height != height {
        return Err(format!(
            "block {} of ledger {} stands for block {height} of {chain}",
            header.height, header.chain
        ));
    }
    let Some(parent) = parent else {
        // What is before the first that is read was checked when it was written, and is when it is read.
        if height > 0 {
            return Ok(());
        }
        let expected = genesis_block(genesis, chain).header.digest();
        return if *digest == expected {
            Ok(())
        } else {
            Err(format!("block 0 is {digest}, and the genesis makes {expected}"))
        };
    };
    if header.parent != parent.digest {
        return Err(format!("block {height} follows {}, and {} is before it", header.parent, parent.digest));
    }
    if header.time_ms < parent.header.time_ms {
        return Err(format!("block {height} has time {}, before {}", header.time_ms, parent.header.time_ms));
    }
    Ok(())
}

/// The store must not be ahead of the journal, and must be of the same history.
fn check_store(committed: Option<Committed>, journal: &Log, survey: &Survey) -> Result<(), Fault> {
    let Some(committed) = committed else { return Ok(()) };
    let height = committed.height;
    if height >= journal.next() {
        return Err(Fault::JournalBehindStore { store: height, journal: journal.next() });
    }
    let found = survey.wanted.get(&height).and_then(Option::as_ref).map(|found| found.digest);
    if found != Some(Digest(committed.digest)) {
        let (store, journal) = (Digest(committed.digest), found.unwrap_or_default());
        return Err(Fault::StoreDiffers { height, store, journal });
    }
    match survey.claim {
        Some((claimed, by)) if claimed != Digest(committed.root) => {
            let by = format!("the header of height {by}");
            Err(Fault::Diverged { height, found: Digest(committed.root), claimed, by })
        }
        _ => Ok(()),
    }
}

/// Receipts of another history are forgotten. They are written after the journal was synced: those of blocks that it does not have say that it has lost
/// some.
fn check_receipts(receipts: Receipts, blocks: u64, survey: &Survey) -> Result<Receipts, Fault> {
    let Some(height) = receipts.next().checked_sub(1) else { return Ok(receipts) };
    if height >= blocks {
        return Err(Fault::JournalBehindReceipts { receipts: height, journal: blocks });
    }
    let digest = survey.wanted.get(&height).and_then(Option::as_ref).map(|found| found.digest);
    let known = receipts.reader().read(height)?.map(|executed| executed.digest);
    if digest == known { Ok(receipts) } else { receipts.cut(0) }
}

/// So many entries go from thread to thread at once.
const RESTORED_AT_ONCE: usize = 1024;

/// The state of the store's entries: one thread reads them while another makes records of them.
fn restore(store: &dyn Store) -> Result<(State, u64), Fault> {
    let (send, receive) = std::sync::mpsc::sync_channel::<Vec<(Key, Vec<u8>)>>(16);
    let (mut count, mut part) = (0, Vec::new());
    std::thread::scope(|scope| {
        let restoring = scope.spawn(move || State::restore(receive.into_iter().flatten()));
        let ended = |_| StoreError::Entry { why: "the state takes no more".to_owned() };
        let visited = store.entries(&mut |key, value| {
            let unknown = || StoreError::Entry { why: format!("the key 0x{} is unknown", hex::encode(key)) };
            let key = Key::from_bytes(&key).ok_or_else(unknown)?;
            count += 1;
            part.push((key, value));
            if part.len() < RESTORED_AT_ONCE {
                Ok(())
            } else {
                send.send(std::mem::take(&mut part)).map_err(ended)
            }
        });
        let visited = visited.and_then(|()| send.send(part).map_err(ended));
        drop(send);
        let state = restoring.join().expect("restoring a state never panics");
        let state = state.map_err(|why| Fault::Store(StoreError::Entry { why }))?;
        visited?;
        Ok((state, count))
    })
}

/// The ledger at a height, with its thread.
fn assemble(
    genesis: Arc<Genesis>,
    journal: Log,
    store: Box<dyn Store>,
    receipts: Receipts,
    queue: usize,
    mut state: State,
    found: Found,
) -> Ledger {
    // From here on both states, this one and one that was never closed, name the same.
    state.track();
    let Found { header, digest } = found;
    let head = Arc::new(Head { header: header.clone(), digest, state: state.clone() });
    let receipts_reader = receipts.reader();
    let committer = Committer::start(store, receipts, queue.max(1));
    let reader = Reader {
        genesis: Arc::clone(&genesis),
        head: Arc::new(RwLock::new(head)),
        journal: journal.reader(),
        receipts: receipts_reader,
        board: committer.board().clone(),
        gate: committer.gate().clone(),
    };
    Ledger {
        chain: header.chain,
        verifier: Verifier::new(&genesis.domain()),
        domain: genesis.domain(),
        genesis,
        journal,
        state,
        header,
        digest,
        outbox: Outbox::default(),
        committer,
        reader,
        opened: Opened::default(),
        stopped: None,
    }
}
