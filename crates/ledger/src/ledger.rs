//! The ledger as its one writer sees it: the next block, its execution, and what stops it.
//!
//! Two ways lead to a new block: [`Ledger::append`] makes one of operations, as a sequencer does; [`Ledger::apply_block`] takes one that was made
//! elsewhere. Both check, append to the journal, execute and publish in the same order. Who may make blocks is not known here.

use std::sync::{Arc, Mutex};

use protocol::State;
use protocol::units::Digest;
use signing::{Domain, Verifier};

use crate::block::{Block, RawBlock, Verified, operations_root};
use crate::commit::{Committer, Work};
use crate::cursor::{narrow, wide};
use crate::execute::{execute, touched};
use crate::fault::{BlockError, Fault};
use crate::format::{BLOCK_BYTES_MAX, BLOCK_OPERATIONS_MAX, BOUNDARIES_PER_BLOCK_MAX};
use crate::genesis::Genesis;
use crate::header::Header;
use crate::log::Log;
use crate::merkle;
use crate::open::Opened;
use crate::outbox::Outbox;
use crate::reader::Reader;
use crate::receipt::Executed;

/// The newest block and the state after it. It never changes; a newer head is another.
#[derive(Clone, Debug)]
pub struct Head {
    /// The header of the newest block.
    pub header: Header,
    /// Its digest.
    pub digest: Digest,
    /// The state after it.
    pub state: State,
}

/// A ledger that is open for writing.
pub struct Ledger {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) chain: Digest,
    pub(crate) domain: Domain,
    pub(crate) verifier: Verifier,
    pub(crate) journal: Log,
    pub(crate) state: State,
    pub(crate) header: Header,
    pub(crate) digest: Digest,
    pub(crate) outbox: Outbox,
    pub(crate) committer: Committer,
    pub(crate) reader: Reader,
    pub(crate) opened: Opened,
    /// The text of the first fault.
    pub(crate) stopped: Option<String>,
}

impl Ledger {
    /// How it starts.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// What signatures for it name.
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The newest block and the state after it.
    pub fn head(&self) -> Arc<Head> {
        self.reader.head()
    }

    /// For reading, from any thread, while this goes on.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// What was found when the folder was opened.
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Makes a block of operations, in their order, and executes it. On return it is durable; on a [fatal](Fault::is_fatal) fault nobody knows
    /// whether it is, and nothing goes on until the folder is opened again.
    ///
    /// # Errors
    /// [`Fault::Stopped`]; [`Fault::Block`] with [`BlockError::Time`], [`BlockError::Boundaries`], [`BlockError::TooLarge`]
    /// or, on a ledger that is not for development, [`BlockError::Seal`], and then nothing has happened; [`Fault::Io`] and [`Fault::Store`].
    pub fn append(&mut self, operations: Vec<Verified>, time_ms: u64) -> Result<Arc<Executed>, Fault> {
        self.check_running()?;
        self.check_time(time_ms)?;
        let bytes: usize = operations.iter().map(|operation| operation.bytes().len() + 4).sum();
        check_size("operations", operations.len(), BLOCK_OPERATIONS_MAX)?;
        check_size("bytes", bytes + Header::BYTES + 4, BLOCK_BYTES_MAX)?;
        self.check_signed(&operations)?;
        let header = self.next_header(&operations, time_ms);
        let digest = header.digest();
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(&header.encode());
            out.extend_from_slice(&narrow(operations.len()).to_be_bytes());
            for operation in &operations {
                crate::cursor::put_sized(out, operation.bytes());
            }
        };
        let written = self.journal.append(write);
        self.stop_on(written)?;
        self.advance(header, digest, &operations)
    }

    /// Takes a block that was made elsewhere, if it is the next: everything in its header is compared with what is known here, every seal is
    /// verified, and then it goes the way of [`Ledger::append`].
    ///
    /// # Errors
    /// [`Fault::Stopped`]; [`Fault::Block`] with the first thing that does not hold, and then nothing has happened; [`Fault::Io`] and
    /// [`Fault::Store`].
    pub fn apply_block(&mut self, block: &Block) -> Result<Arc<Executed>, Fault> {
        self.apply_bytes(&block.encode())
    }

    /// Takes the [bytes](Block::encode) of a block that was made elsewhere.
    ///
    /// # Errors
    /// As [`Ledger::apply_block`].
    pub fn apply_bytes(&mut self, bytes: &[u8]) -> Result<Arc<Executed>, Fault> {
        self.check_running()?;
        let block = RawBlock::decode(bytes).map_err(BlockError::Malformed)?;
        let ids = block.ids();
        self.check_header(&block.header, &ids)?;
        let known = self.check_claim(&block.header)?;
        if known == Claim::Unknown {
            return Err(BlockError::StateRootUnknown { height: block.header.executed_height }.into());
        }
        let operations = self.verify(&block, &ids)?;
        let written = self.journal.append(|out| out.extend_from_slice(bytes));
        self.stop_on(written)?;
        let digest = block.header.digest();
        self.advance(block.header, digest, &operations)
    }

    /// Waits until the store and the receipts have everything, durably.
    ///
    /// # Errors
    /// [`Fault::Stopped`], [`Fault::Io`], [`Fault::Store`].
    pub fn sync(&mut self) -> Result<(), Fault> {
        self.check_running()?;
        let (answer, result) = std::sync::mpsc::channel();
        let sent = self.committer.send(Work::Sync { answer });
        self.stop_on(sent)?;
        let synced = result.recv().unwrap_or_else(|_| {
            Err(Fault::Stopped { first: "the thread of the store has ended".to_owned() })
        });
        self.stop_on(synced)
    }

    /// Finishes what is under way, makes everything durable, and ends.
    ///
    /// # Errors
    /// The first fault that there was.
    pub fn close(mut self) -> Result<(), Fault> {
        let closed = self.committer.close();
        self.check_running()?;
        closed
    }

    /// Whether it goes on.
    ///
    /// # Errors
    /// [`Fault::Stopped`] after any fatal fault, also one of the store's thread.
    pub fn check_running(&mut self) -> Result<(), Fault> {
        if self.stopped.is_none() {
            let fault = self.committer.board().look().fault.clone();
            self.stopped = fault.map(|fault| fault.to_string());
        }
        self.stopped.clone().map_or(Ok(()), |first| Err(Fault::Stopped { first }))
    }

    /// Remembers a fault: from here on nothing goes on.
    fn stop_on<T>(&mut self, result: Result<T, Fault>) -> Result<T, Fault> {
        if let Err(fault) = &result {
            self.stopped.get_or_insert_with(|| fault.to_string());
            self.committer.board().change(|progress| {
                progress.fault.get_or_insert_with(|| fault.clone());
            });
        }
        result
    }

    /// The header of the next block.
    fn next_header(&self, operations: &[Verified], time_ms: u64) -> Header {
        let known = self.header.executed_height;
        let claim = self.committer.board().look().claim(known).filter(|(height, _)| *height >= known);
        let (executed_height, state_root) = claim.unwrap_or((known, self.header.state_root));
        Header {
            version: Header::VERSION,
            chain: self.chain,
            height: self.header.height + 1,
            parent: self.digest,
            time_ms,
            operations_root: operations_root(operations.iter().map(Verified::id)),
            executed_height,
            state_root,
            outbox_root: self.outbox.root(executed_height),
            next_validators: Digest([0; 32]),
        }
    }

    fn check_time(&self, time_ms: u64) -> Result<(), BlockError> {
        let head_ms = self.header.time_ms;
        if time_ms < head_ms {
            return Err(BlockError::Time { time_ms, head_ms });
        }
        let boundaries = self.genesis.epoch_at(time_ms) - self.genesis.epoch_at(head_ms);
        if boundaries > BOUNDARIES_PER_BLOCK_MAX {
            let (limit, latest_ms) = (BOUNDARIES_PER_BLOCK_MAX, self.genesis.latest_after(head_ms));
            return Err(BlockError::Boundaries { time_ms, boundaries, limit, latest_ms });
        }
        Ok(())
    }

    /// A block of the own journal: what it claims was compared when it was new, and is compared again as far as it is known.
    pub(crate) fn check_replayed(&self, header: &Header, ids: &[Digest]) -> Result<(), Fault> {
        self.check_header(header, ids)?;
        self.check_claim(header).map(|_| ())
    }

    /// Everything in the header of a block from elsewhere but its claim.
    fn check_header(&self, header: &Header, ids: &[Digest]) -> Result<(), Fault> {
        let expected = self.header.height + 1;
        if header.chain != self.chain {
            return Err(BlockError::OtherLedger { found: header.chain, expected: self.chain }.into());
        }
        if header.height != expected {
            return Err(BlockError::Height { found: header.height, expected }.into());
        }
        if header.parent != self.digest {
            return Err(BlockError::Parent { found: header.parent, expected: self.digest }.into());
        }
        self.check_time(header.time_ms)?;
        let found = operations_root(ids.iter().copied());
        if found != header.operations_root {
            return Err(BlockError::OperationsRoot { found, claimed: header.operations_root }.into());
        }
        if header.next_validators != Digest([0; 32]) {
            return Err(BlockError::Validators { found: header.next_validators }.into());
        }
        Ok(())
    }

    /// What a header claims about the state. Waits for the store, which may be behind.
    fn check_claim(&self, header: &Header) -> Result<Claim, Fault> {
        let (lowest, highest) = (self.header.executed_height, self.header.height);
        let claimed = header.executed_height;
        if claimed < lowest || claimed > highest {
            return Err(BlockError::ExecutedHeight { claimed, lowest, highest }.into());
        }
        let root =
            self.committer.board().wait(None, |progress| match (&progress.fault, progress.committed) {
                (Some(fault), _) => Some(Err(fault.clone())),
                (None, Some(committed)) if committed.height >= claimed => Some(Ok(progress.root(claimed))),
                _ => None,
            });
        let known = match root {
            Some(Err(fault)) => return Err(fault),
            Some(Ok(known)) => known,
            None => None,
        };
        let is_parents = claimed == lowest && self.header.height > 0;
        let known = known.or(is_parents.then_some(self.header.state_root));
        if let Some(found) = known.filter(|found| *found != header.state_root) {
            return Err(BlockError::StateRoot { height: claimed, claimed: header.state_root, found }.into());
        }
        let found = self.outbox.root(claimed);
        if found != header.outbox_root {
            return Err(BlockError::OutboxRoot { claimed: header.outbox_root, found }.into());
        }
        Ok(if known.is_some() { Claim::Holds } else { Claim::Unknown })
    }

    /// Decodes and verifies the operations of a block, on all cores.
    pub(crate) fn verify(&self, block: &RawBlock<'_>, ids: &[Digest]) -> Result<Vec<Verified>, Fault> {
        let verified = verify_all(&self.verifier, &block.operations, ids)?;
        self.check_signed(&verified)?;
        Ok(verified)
    }

    /// Only a ledger for development takes operations whose senders are named plainly.
    fn check_signed(&self, operations: &[Verified]) -> Result<(), BlockError> {
        if self.genesis.protocol.development {
            return Ok(());
        }
        match operations.iter().position(|operation| operation.signed().is_plain()) {
            Some(index) => Err(BlockError::Seal { index, why: "nobody has signed it".to_owned() }),
            None => Ok(()),
        }
    }

    /// Executes the next block, which is in the journal, and publishes it.
    pub(crate) fn advance(
        &mut self,
        header: Header,
        digest: Digest,
        operations: &[Verified],
    ) -> Result<Arc<Executed>, Fault> {
        let height = header.height;
        let executed = execute(&mut self.state, &self.genesis, header.clone(), digest, operations);
        let touched = touched(&mut self.state, height);
        self.outbox.claim(header.executed_height);
        self.outbox.add(&executed);
        let head = Arc::new(Head { header: header.clone(), digest, state: self.state.clone() });
        (self.header, self.digest) = (header, digest);
        let work = Work::Block { executed: Arc::clone(&executed), head: Arc::clone(&head), touched };
        let sent = self.committer.send(work);
        self.stop_on(sent)?;
        self.committer.board().change(|progress| progress.executed(&executed));
        self.reader.publish(Arc::clone(&head));
        self.committer.board().change(|progress| progress.claimed(&head.header));
        Ok(executed)
    }
}

fn check_size(what: &'static str, found: usize, limit: usize) -> Result<(), BlockError> {
    if found > limit { Err(BlockError::TooLarge { what, found, limit }) } else { Ok(()) }
}

/// What is known of a claim that nothing contradicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    /// The root is the same here.
    Holds,
    /// The root of that height is not remembered.
    Unknown,
}

/// Below so many operations one thread is faster.
const PARALLEL_MIN: usize = 64;

/// Verifies operations of a block, on all cores if there are many.
pub(crate) fn verify_all(
    verifier: &Verifier,
    operations: &[&[u8]],
    ids: &[Digest],
) -> Result<Vec<Verified>, BlockError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = if operations.len() < PARALLEL_MIN {
        operations.len().max(1)
    } else {
        operations.len().div_ceil(cores)
    };
    let first_bad: Mutex<Option<(usize, String)>> = Mutex::new(None);
    let verify = |start: usize, operations: &[&[u8]], ids: &[Digest]| {
        let mut verified = Vec::with_capacity(operations.len());
        for (index, (bytes, id)) in operations.iter().zip(ids).enumerate() {
            match Verified::in_block(verifier, bytes, *id) {
                Ok(operation) => verified.push(operation),
                Err(why) => {
                    let mut bad = first_bad.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    let index = start + index;
                    if bad.as_ref().is_none_or(|(known, _)| index < *known) {
                        *bad = Some((index, why.to_string()));
                    }
                    break;
                }
            }
        }
        verified
    };
    let verify = &verify;
    let verified: Vec<Verified> = if operations.len() <= share {
        verify(0, operations, ids)
    } else {
        std::thread::scope(|scope| {
            let parts = operations.chunks(share).zip(ids.chunks(share)).enumerate();
            let threads: Vec<_> = parts
                .map(|(part, (operations, ids))| scope.spawn(move || verify(part * share, operations, ids)))
                .collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, Vec<Verified>>| {
                thread.join().expect("verifying a signature never panics")
            };
            threads.into_iter().flat_map(join).collect()
        })
    };
    let bad = first_bad.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    match bad {
        Some((index, why)) => Err(BlockError::Seal { index, why }),
        None => Ok(verified),
    }
}

/// The block of height 0: what follows from the genesis alone.
pub(crate) fn genesis_block(genesis: &Genesis, chain: Digest) -> Block {
    let operations = genesis.opening_operations();
    let none = Digest([0; 32]);
    let mut header = Header {
        version: Header::VERSION,
        chain,
        height: 0,
        parent: none,
        time_ms: genesis.start_ms,
        operations_root: none,
        executed_height: 0,
        state_root: none,
        outbox_root: merkle::root::<sha3::Keccak256>(Vec::new()),
        next_validators: none,
    };
    header.operations_root = operations_root(operations.iter().map(signing::SignedOperation::id));
    Block { header, operations }
}

/// How many bytes of operations a block of so many takes, for those who fill one.
pub fn block_bytes(operations: usize, operation_bytes: u64) -> u64 {
    wide(Header::BYTES) + 4 + wide(operations) * 4 + operation_bytes
}
