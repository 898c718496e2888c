//! Reads a ledger from any thread while it goes on: the head, blocks, receipts, operations by id, proofs.
//!
//! It sees blocks once they are acknowledged, and changes nothing.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use protocol::entries::Key;
use protocol::units::Digest;

use crate::block::{Block, RawBlock};
use crate::commit::{Board, Gate, Work};
use crate::cursor::narrow;
use crate::fault::Fault;
use crate::format::JOURNAL_FOLDER;
use crate::genesis::Genesis;
use crate::header::Header;
use crate::ledger::Head;
use crate::log::{LogReader, Walk};
use crate::outbox;
use crate::proof::{EntryStatement, MessageStatement, OperationStatement, Proof};
use crate::receipt::Executed;
use crate::receipts::ReceiptsReader;
use crate::store::Committed;

/// Reads a ledger. Clones read the same.
#[derive(Clone)]
pub struct Reader {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) head: Arc<RwLock<Arc<Head>>>,
    pub(crate) journal: LogReader,
    pub(crate) receipts: ReceiptsReader,
    pub(crate) board: Board,
    pub(crate) gate: Gate,
}

impl Reader {
    /// How the ledger starts.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The newest block and the state after it.
    pub fn head(&self) -> Arc<Head> {
        Arc::clone(&self.head.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The height of the head.
    pub fn height(&self) -> u64 {
        self.head().header.height
    }

    pub(crate) fn publish(&self, head: Arc<Head>) {
        *self.head.write().unwrap_or_else(PoisonError::into_inner) = head;
    }

    /// The newest height in the store, with its root.
    pub fn committed(&self) -> Option<Committed> {
        self.board.look().committed
    }

    /// The state root after a height, of about the newest 4,096 since the folder was opened.
    pub fn root_at(&self, height: u64) -> Option<Digest> {
        self.board.look().root(height)
    }

    /// The fault that has stopped the ledger, if one has.
    pub fn fault(&self) -> Option<Fault> {
        self.board.look().fault.clone()
    }

    /// Whether somebody waits for a proof that the next header completes. Whoever makes blocks makes one then, empty if need be.
    pub fn wants_block(&self) -> bool {
        self.board.look().has_wanted()
    }

    /// The block of a height; `None` above the head.
    ///
    /// # Errors
    /// [`Fault::Io`], [`Fault::Damaged`].
    pub fn block(&self, height: u64) -> Result<Option<Block>, Fault> {
        let Some(bytes) = self.block_bytes(height)? else { return Ok(None) };
        Block::decode(&bytes).map(Some).map_err(|why| unreadable(height, &why))
    }

    /// The bytes of the block of a height; `None` above the head.
    ///
    /// # Errors
    /// [`Fault::Io`], [`Fault::Damaged`].
    pub fn block_bytes(&self, height: u64) -> Result<Option<Vec<u8>>, Fault> {
        if height > self.height() { Ok(None) } else { self.journal.read(height) }
    }

    /// The header of a height; `None` above the head.
    ///
    /// # Errors
    /// [`Fault::Io`], [`Fault::Damaged`].
    pub fn header(&self, height: u64) -> Result<Option<Header>, Fault> {
        let head = self.head();
        if head.header.height == height {
            return Ok(Some(head.header.clone()));
        }
        let Some(bytes) = self.block_bytes(height)? else { return Ok(None) };
        let header = bytes.get(..Header::BYTES).unwrap_or_default();
        Header::decode(header).map(Some).map_err(|why| unreadable(height, &why))
    }

    /// The blocks from a height through the head of this moment.
    pub fn blocks(&self, from: u64) -> Blocks {
        Blocks { walk: self.journal.walk(from), last: self.height() }
    }

    /// What the block of a height did; `None` above the head.
    ///
    /// # Errors
    /// [`Fault::Io`], [`Fault::Damaged`].
    pub fn executed(&self, height: u64) -> Result<Option<Arc<Executed>>, Fault> {
        if height > self.height() {
            return Ok(None);
        }
        let recent = self.board.look().recent(height);
        match recent {
            Some(executed) => Ok(Some(executed)),
            None => Ok(self.receipts.read(height)?.map(Arc::new)),
        }
    }

    /// What the blocks did, from the first through the head of this moment.
    pub fn all_executed(&self) -> impl Iterator<Item = Result<Arc<Executed>, Fault>> {
        let (mut logged, mut next, last) = (Some(self.receipts.walk(0)), 0, self.height());
        std::iter::from_fn(move || {
            if next > last {
                return None;
            }
            let item = logged.as_mut().and_then(Iterator::next);
            if item.is_none() {
                // The newest are not in the log yet.
                logged = None;
            }
            let executed = match item {
                Some(item) => item.map(|(_, executed)| Some(Arc::new(executed))),
                None => self.executed(next),
            };
            next = if executed.is_ok() { next + 1 } else { u64::MAX };
            executed.transpose()
        })
    }

    /// In which block an operation is, and at which place; `None` if in none.
    ///
    /// # Errors
    /// [`Fault::Io`], [`Fault::Damaged`].
    pub fn find(&self, id: &Digest) -> Result<Option<(u64, u32)>, Fault> {
        let unlogged = self.board.look().unlogged();
        let recent = unlogged.iter().rev().find_map(|executed| {
            let index = executed.receipts.iter().position(|receipt| receipt.id == *id)?;
            Some((executed.header.height, narrow(index)))
        });
        match recent {
            Some(place) => Ok(Some(place)),
            None => self.receipts.find(id),
        }
    }

    /// Proves an entry of the state, or that there is none, under a header. It may wait, at most for `limit`, for a header that claims the newest
    /// state, so whoever makes blocks must look at [`Reader::wants_block`].
    ///
    /// # Errors
    /// [`Fault::Stopped`], [`Fault::Store`], [`Fault::Unclaimed`], [`Fault::Io`], [`Fault::Damaged`].
    pub fn prove(&self, key: &Key, limit: Duration) -> Result<Proof, Fault> {
        let statement = self.prove_all(std::slice::from_ref(key), limit)?.pop();
        statement.map(Proof::Entry).ok_or_else(ended)
    }

    /// Proves several entries of one state under one header, in their order; as [`Reader::prove`] otherwise.
    ///
    /// # Errors
    /// As [`Reader::prove`].
    pub fn prove_all(&self, keys: &[Key], limit: Duration) -> Result<Vec<EntryStatement>, Fault> {
        let (answer, result) = std::sync::mpsc::channel();
        if !self.gate.send(Work::Prove { keys: keys.to_vec(), answer }) {
            return Err(ended());
        }
        let proofs = result.recv().map_err(|_| ended())??;
        let Some(height) = proofs.first().map(|proof| proof.at.height) else { return Ok(Vec::new()) };
        let is_waiting = self.board.change(|progress| {
            let is_new = progress.claimed_by(height).is_none();
            if is_new {
                progress.want(height);
            }
            is_new
        });
        let claimed = self.board.wait(Some(limit), |progress| progress.claimed_by(height).cloned());
        if is_waiting {
            self.board.change(|progress| progress.unwant(height));
        }
        let header = claimed.ok_or(Fault::Unclaimed { height })?;
        let statement = |(key, proof): (&Key, crate::store::EntryProof)| EntryStatement {
            header: header.clone(),
            key: *key,
            value: proof.value,
            proof: proof.bytes,
        };
        Ok(keys.iter().zip(proofs).map(statement).collect())
    }

    /// Proves that an operation is in a block; `None` if it is in none.
    ///
    /// # Errors
    /// [`Fault::Io`], [`Fault::Damaged`].
    pub fn prove_operation(&self, id: &Digest) -> Result<Option<Proof>, Fault> {
        let Some((height, index)) = self.find(id)? else { return Ok(None) };
        let Some(bytes) = self.block_bytes(height)? else { return Ok(None) };
        let block = RawBlock::decode(&bytes).map_err(|why| unreadable(height, &why))?;
        let statement = OperationStatement::new(block.header.clone(), &block.ids(), index);
        Ok(statement.map(Proof::Operation))
    }

    /// Proves the messages of a block to contracts; empty if it has none; `None` until a header has claimed its height as executed.
    ///
    /// # Errors
    /// [`Fault::Io`], [`Fault::Damaged`].
    pub fn prove_messages(&self, height: u64) -> Result<Option<Vec<Proof>>, Fault> {
        let Some(executed) = self.executed(height)? else { return Ok(None) };
        let own = outbox::messages(&executed);
        // The header that claims it is the first above whose claim reaches it. Block 0 claims nothing.
        let claim = |header: &Header| if header.height == 0 { 0 } else { header.executed_height + 1 };
        let (mut above, mut from) = (height, claim(&executed.header));
        let header = loop {
            above += 1;
            let Some(header) = self.header(above)? else { return Ok(None) };
            if header.executed_height >= height {
                break header;
            }
            from = claim(&header);
        };
        let mut all = Vec::new();
        for height in from..=header.executed_height {
            all.extend(
                self.executed(height)?.map(|executed| outbox::messages(&executed)).unwrap_or_default(),
            );
        }
        let prove = |message| MessageStatement::new(header.clone(), &all, message).map(Proof::Message);
        Ok(Some(own.into_iter().filter_map(prove).collect()))
    }
}

fn ended() -> Fault {
    Fault::Stopped { first: "the ledger is closed".to_owned() }
}

fn unreadable(height: u64, why: &dyn std::fmt::Display) -> Fault {
    Fault::Damaged {
        file: format!("the folder {JOURNAL_FOLDER}"),
        offset: 0,
        what: format!("the block of height {height} can't be read: {why}"),
        remedy: "run `surety verify` on the folder, and restore it from a snapshot or a backup",
    }
}

/// Blocks by height.
#[derive(Debug)]
pub struct Blocks {
    walk: Walk,
    last: u64,
}

impl Iterator for Blocks {
    type Item = Result<Block, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.walk.next()? {
            Ok((height, _)) if height > self.last => None,
            Ok((height, bytes)) => Some(Block::decode(&bytes).map_err(|why| unreadable(height, &why))),
            Err(fault) => Some(Err(fault)),
        }
    }
}
