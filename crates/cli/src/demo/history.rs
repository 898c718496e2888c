//! Thirty days in a moment: the story, signed and put into blocks before a node starts.

use std::path::Path;
use std::sync::Arc;

use ledger::files::DiskFiles;
use ledger::{Fault, Genesis, Ledger, Options, Verified};
use protocol::Kind;
use store::QmdbStore;
use story::{PRESENT, Step};

use crate::demo::scribe::Scribe;
use crate::exit::Exit;
use crate::failure::Failure;

/// The genesis of a demo whose present is at this time.
pub(super) fn genesis(now_ms: u64, epoch_ms: u64) -> Genesis {
    Genesis {
        name: story::world::LEDGER_NAME.to_owned(),
        chain_id: story::world::CHAIN_ID,
        custody: story::world::custody(),
        start_ms: now_ms.saturating_sub(u64::from(PRESENT).saturating_mul(epoch_ms)),
        epoch_ms,
        protocol: story::genesis(),
        opening: Vec::new(),
    }
}

/// Begins a ledger in a folder and writes the story into it.
///
/// # Errors
/// If the folder can't be used.
pub(super) fn write(folder: &Path, genesis: &Genesis) -> Result<(), Failure> {
    let failure = |fault: Fault| {
        Failure::new(Exit::Storage, fault.code(), "cannot write the demo's ledger").why(fault.to_string())
    };
    let files = DiskFiles::open(folder).map_err(|error| {
        Failure::new(Exit::Storage, "storage.folder", "cannot write the demo's ledger").why(error.to_string())
    })?;
    Ledger::init(&files, genesis).map_err(failure)?;
    let store = QmdbStore::open(&folder.join(node::STORE_FOLDER), store::Options::default());
    let store = store.map_err(|error| failure(error.into()))?;
    let ledger = Ledger::open(Arc::new(files), Box::new(store), Options::default()).map_err(failure)?;
    let mut teller = Teller { scribe: Scribe::new(genesis.domain()), genesis, ledger };
    let steps = story::steps(&genesis.protocol.ledger);
    for epoch in 0..=PRESENT {
        let of_epoch: Vec<&Step> = steps.iter().filter(|step| step.epoch == epoch).collect();
        teller.tell(epoch, &of_epoch).map_err(failure)?;
    }
    teller.ledger.close().map_err(failure)
}

/// Writes block after block.
struct Teller<'a> {
    genesis: &'a Genesis,
    ledger: Ledger,
    scribe: Scribe,
}

impl Teller<'_> {
    /// The blocks of an epoch: the first passes the boundary.
    fn tell(&mut self, epoch: u32, steps: &[&Step]) -> Result<(), Fault> {
        let start = self.genesis.epoch_start_ms(u64::from(epoch));
        let mut time_ms = start;
        self.ledger.append(Vec::new(), time_ms)?;
        let mut block: Vec<Verified> = Vec::new();
        for step in steps {
            let head = self.ledger.head();
            if let Some(signed) = self.scribe.sign(step, &head.state, time_ms) {
                let verified = Verified::check_signed(&self.genesis.domain(), signed);
                block.push(verified.expect("what was signed a moment ago holds"));
            }
            // Who signs may differ from here on.
            if step.operation.kind() == Kind::SetKeys {
                time_ms = time_ms.saturating_add(1);
                self.ledger.append(std::mem::take(&mut block), time_ms)?;
            }
        }
        if !block.is_empty() {
            self.ledger.append(block, time_ms.saturating_add(1))?;
        }
        self.scribe.look_up();
        Ok(())
    }
}
