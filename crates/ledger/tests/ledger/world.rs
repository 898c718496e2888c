//! Small histories as blocks, and ledgers in memory that run them.

use std::sync::Arc;

use ledger::files::memory::MemoryFiles;
use ledger::{Executed, Fault, Genesis, Ledger, Options, Verified};
use protocol::units::{Address, Digest};
use protocol::{Authority, Signer};
use sim::history::Effort;
use sim::script::Step;
use sim::workload::play;

use crate::store::TestStore;

/// When the histories begin, and how long their epochs are.
pub(crate) const START_MS: u64 = 1_790_000_000_000;
pub(crate) const EPOCH_MS: u64 = 1000;

/// A block that is to be made.
#[derive(Clone)]
pub(crate) struct Planned {
    pub(crate) time_ms: u64,
    pub(crate) operations: Vec<Verified>,
}

/// What happens on a ledger.
#[derive(Clone)]
pub(crate) struct History {
    pub(crate) genesis: Genesis,
    pub(crate) blocks: Vec<Planned>,
}

fn verified(authority: &Authority, operation: &protocol::Operation) -> Verified {
    let delegate = match &authority.signer {
        Signer::Delegate { address, .. } => Some(*address),
        _ => None,
    };
    Verified::plain_by(authority.account, delegate, operation.clone())
}

/// A random history of so many operations, in blocks of at most `size`; the first operations open the ledger.
pub(crate) fn history(seed: u64, operations: u64, size: usize) -> History {
    let script = play(seed, operations, None, Effort { check_every: u64::MAX }).script;
    let mut genesis = Genesis {
        name: "test".to_owned(),
        chain_id: 1,
        custody: Address([7; 20]),
        start_ms: START_MS,
        epoch_ms: EPOCH_MS,
        protocol: script.genesis.clone(),
        opening: Vec::new(),
    };
    let mut blocks: Vec<Planned> = Vec::new();
    let mut time_ms = START_MS;
    let mut open = Planned { time_ms, operations: Vec::new() };
    for step in script.steps {
        match step {
            Step::Advance => {
                blocks.push(open);
                time_ms += EPOCH_MS;
                open = Planned { time_ms, operations: Vec::new() };
            }
            Step::Apply(authority, operation) => {
                let is_plain = authority.signer == Signer::Plain;
                if is_plain && blocks.is_empty() && open.operations.is_empty() && genesis.opening.len() < 8 {
                    genesis.opening.push(ledger::Opening { account: authority.account, operation });
                    continue;
                }
                open.operations.push(verified(&authority, &operation));
                if open.operations.len() >= size {
                    time_ms += 1;
                    blocks.push(open);
                    open = Planned { time_ms, operations: Vec::new() };
                }
            }
        }
    }
    blocks.push(open);
    History { genesis, blocks }
}

/// Small segments, so that short histories have several.
pub(crate) fn options() -> Options<'static> {
    Options { segment_bytes: 4096, ..Options::default() }
}

pub(crate) fn open(files: &MemoryFiles, store: &TestStore) -> Result<Ledger, Fault> {
    Ledger::open(Arc::new(files.clone()), Box::new(store.clone()), options())
}

/// A ledger of a history, with nothing but its opening.
pub(crate) fn begin(history: &History) -> (MemoryFiles, TestStore, Ledger) {
    let (files, store) = (MemoryFiles::new(), TestStore::default());
    Ledger::init(&files, &history.genesis).expect("the genesis holds");
    let ledger = open(&files, &store).expect("a new folder opens");
    (files, store, ledger)
}

/// Makes blocks in their order. Returns what each did, up to the first fault.
pub(crate) fn run(ledger: &mut Ledger, blocks: &[Planned]) -> (Vec<Arc<Executed>>, Option<Fault>) {
    let mut done = Vec::new();
    for block in blocks {
        match ledger.append(block.operations.clone(), block.time_ms) {
            Ok(executed) => done.push(executed),
            Err(fault) => return (done, Some(fault)),
        }
    }
    (done, None)
}

/// Every entry of the head's state: the whole of it.
pub(crate) fn entries(ledger: &Ledger) -> Vec<(protocol::entries::Key, Vec<u8>)> {
    let head = ledger.head();
    head.state.keys().into_iter().map(|key| (key, head.state.entry(&key).expect("a listed entry"))).collect()
}

/// A digest of nothing, for what is compared with it.
pub(crate) const NOTHING: Digest = Digest([0; 32]);
