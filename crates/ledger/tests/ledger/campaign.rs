//! Every kind of fault at every write point of a small history, and at every read of opening it.
//!
//! A dry run counts the points. Then, for each kind and each point: the history runs until the fault shows; the process is killed, or the power
//! fails; the folder is opened again. Every block that was acknowledged must be there as it was, every operation exactly once; the state must be
//! that of executing the journal from the start; and the history must go on to the end and come out as if nothing had happened. After a
//! flipped bit the folder may be refused instead, in clear words, or be damaged in a place that nobody reads at the start; then who verifies it finds it. `SURETY_FAULT_ROUNDS=n` repeats it all with `n` seeds.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::files::memory::{MemoryFiles, Plan, Restart, Trouble};
use ledger::{Executed, Fault, Ledger, Options, read_genesis, verify};
use sim::prng::Prng;

use crate::store::TestStore;
use crate::world::{History, entries, history, run};

type Entries = Vec<(protocol::entries::Key, Vec<u8>)>;

/// A folder and a store that survive the process.
#[derive(Clone)]
struct Machine {
    files: MemoryFiles,
    store: TestStore,
}

impl Machine {
    fn new() -> Self {
        Self { files: MemoryFiles::new(), store: TestStore::default() }
    }

    fn open(&self, history: &History) -> Result<Ledger, Fault> {
        let names = ledger::files::Files::list(&self.files, "").unwrap_or_default();
        if !names.iter().any(|name| name == "genesis.json") {
            Ledger::init(&self.files, &history.genesis)?;
        }
        let options = Options { segment_bytes: 2000, queue: 2, ..Options::default() };
        Ledger::open(Arc::new(self.files.clone()), Box::new(self.store.clone()), options)
    }

    /// Runs what is left of a history, opening the folder again in the middle. Returns what was acknowledged.
    fn live(&self, history: &History) -> (Vec<Arc<Executed>>, Result<Entries, Fault>) {
        let mut acknowledged = Vec::new();
        loop {
            let mut ledger = match self.open(history) {
                Ok(ledger) => ledger,
                Err(fault) => return (acknowledged, Err(fault)),
            };
            let done = usize::try_from(ledger.head().header.height).expect("a small height");
            let left = &history.blocks[done..];
            if left.is_empty() {
                let state = entries(&ledger);
                return (acknowledged, ledger.close().map(|()| state));
            }
            let (executed, fault) = run(&mut ledger, &left[..left.len().div_ceil(2)]);
            acknowledged.extend(executed);
            if let Some(fault) = fault {
                assert!(fault.is_fatal(), "{fault}");
                let head = ledger.head().digest;
                let again = ledger.append(Vec::new(), history.blocks[0].time_ms + 1_000_000_000);
                assert!(matches!(again, Err(Fault::Stopped { .. })), "nothing goes on after {fault}");
                assert_eq!(ledger.head().digest, head);
                return (acknowledged, Err(fault));
            }
            if let Err(fault) = ledger.close() {
                return (acknowledged, Err(fault));
            }
        }
    }
}

/// What must hold of a folder that opens after a fault.
fn check_recovered(machine: &Machine, history: &History, acknowledged: &[Arc<Executed>], plan: Plan) {
    let ledger = machine.open(history).unwrap_or_else(|fault| panic!("{plan:?}: it does not open: {fault}"));
    let reader = ledger.reader();
    let mut count: BTreeMap<[u8; 32], usize> = BTreeMap::new();
    for block in reader.blocks(0) {
        let block = block.unwrap_or_else(|fault| panic!("{plan:?}: {fault}"));
        for operation in &block.operations {
            *count.entry(operation.id().0).or_default() += 1;
        }
    }
    for executed in acknowledged {
        let height = executed.header.height;
        let kept = reader.executed(height).expect("readable");
        assert_eq!(kept.as_ref(), Some(executed), "{plan:?}: height {height} is not as it was acknowledged");
        for receipt in &executed.receipts {
            let times = count.get(&receipt.id.0).copied().unwrap_or(0);
            let planned = history.times(&receipt.id.0);
            assert!(
                (1..=planned).contains(&times),
                "{plan:?}: an operation is there {times} times of {planned}"
            );
            if plan.trouble != Trouble::FlippedBit {
                assert_ne!(reader.find(&receipt.id).expect("readable"), None, "{plan:?}");
            }
        }
    }
    let height = ledger.head().header.height;
    let last = acknowledged.last().map_or(0, |executed| executed.header.height);
    assert!(height == last || height == last + 1, "{plan:?}: the head is {height}, acknowledged was {last}");
    let state = entries(&ledger);
    drop(ledger);
    let replayed = Machine { files: machine.files.fork(), store: TestStore::default() };
    let again =
        replayed.open(history).unwrap_or_else(|fault| panic!("{plan:?}: it does not replay: {fault}"));
    assert!(entries(&again) == state, "{plan:?}: the state is not that of a replay");
}

impl History {
    /// How often an operation is in the plan: the workload may ask the same twice.
    fn times(&self, id: &[u8; 32]) -> usize {
        let all = self.blocks.iter().flat_map(|block| &block.operations);
        all.filter(|operation| operation.id().0 == *id).count()
    }
}

fn is_clear(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Damaged { .. } | Fault::Genesis { .. } | Fault::OtherLedger { .. } | Fault::Format { .. }
    )
}

/// Of old segments only the ends are read at the start. Whoever reads what is between gets what was written, or a clear word; and to verify the folder is to
/// find it.
fn is_found_by_those_who_look(
    machine: &Machine,
    ledger: Ledger,
    acknowledged: &[Arc<Executed>],
    plan: Plan,
) -> bool {
    let reader = ledger.reader();
    let mut damaged = 0;
    for executed in acknowledged {
        let height = executed.header.height;
        let header = reader.block(height).map(|block| block.map(|block| block.header.digest()));
        let kept = reader.executed(height);
        for is_same in [header == Ok(Some(executed.digest)), kept.as_ref() == Ok(&Some(Arc::clone(executed)))]
        {
            damaged += usize::from(!is_same);
        }
        for fault in header.err().into_iter().chain(kept.err()) {
            assert!(is_clear(&fault), "{plan:?}: {fault}");
            damaged -= 1;
        }
    }
    assert_eq!(damaged, 0, "{plan:?}: something else than was written is read");
    ledger.close().expect("it goes on");
    let verified =
        verify::history(Arc::new(machine.files.fork()), Box::new(TestStore::default()), &mut |_, _| {});
    if let Err(fault) = &verified {
        assert!(is_clear(fault), "{plan:?}: {fault}");
    }
    verified.is_err()
}

/// One fault. Whether it has struck.
fn strike(history: &History, expected: &Entries, plan: Plan, restart: Restart) -> bool {
    let machine = Machine::new();
    machine.files.plan(Some(plan));
    let (acknowledged, result) = machine.live(history);
    let struck = machine.files.struck();
    if let Err(fault) = &result {
        assert!(struck, "{plan:?}: {fault}");
        assert!(
            fault.to_string().contains("; ")
                || matches!(fault, Fault::OtherLedger { .. } | Fault::Genesis { .. } | Fault::Stopped { .. }),
            "no remedy: {fault}"
        );
    }
    machine.files.restart(restart);
    if let Restart::PowerLost { seed } = restart {
        machine.store.crash(seed);
    }
    if plan.trouble == Trouble::FlippedBit && struck {
        match machine.open(history) {
            Ok(ledger) if *ledger.genesis() != history.genesis => return struck,
            Ok(ledger) => {
                if is_found_by_those_who_look(&machine, ledger, &acknowledged, plan) {
                    return struck;
                }
            }
            Err(fault) => {
                assert!(is_clear(&fault), "{plan:?}: {fault}");
                return struck;
            }
        }
    }
    check_recovered(&machine, history, &acknowledged, plan);
    let (_, finished) = machine.live(history);
    let finished = finished.unwrap_or_else(|fault| panic!("{plan:?}: it does not go on: {fault}"));
    assert!(finished == *expected, "{plan:?}: the history comes out otherwise");
    struck
}

/// All points of one kind of trouble.
fn campaign(trouble: Trouble) {
    let rounds = std::env::var("SURETY_FAULT_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1u64);
    for round in 0..rounds {
        let mut prng = Prng::new(round ^ 0x5eed);
        let history = history(round, 30, 5);
        let dry = Machine::new();
        let (done, expected) = dry.live(&history);
        let expected = expected.expect("nothing fails in a dry run");
        assert_eq!(done.len(), history.blocks.len());
        assert!(read_genesis(&dry.files).is_ok());
        let (writes, reads) = dry.files.points();
        let points = if trouble == Trouble::ReadError { reads } else { writes };
        assert!(points > 20, "only {points} points");
        let mut struck = 0;
        for at in 0..points {
            let plan = Plan { trouble, at, seed: prng.bits() };
            // A bit that turns while the power fails is two faults, and no file tells them apart.
            let restarts = match trouble {
                Trouble::FlippedBit => vec![Restart::Killed],
                _ => vec![
                    Restart::Killed,
                    Restart::PowerLost { seed: prng.bits() },
                    Restart::PowerLost { seed: prng.bits() },
                ],
            };
            for restart in restarts {
                struck += u64::from(strike(&history, &expected, plan, restart));
            }
        }
        // Two threads write, so the last points may not be reached in every run.
        assert!(struck * 10 >= points * 9, "{struck} of {points} points were struck");
    }
}

macro_rules! campaigns {
    ($($name:ident: $trouble:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            campaign(Trouble::$trouble);
        }
    )*};
}

campaigns! {
    a_crash_at_any_point_loses_nothing_that_was_acknowledged: Crash,
    a_torn_write_at_any_point_loses_nothing_that_was_acknowledged: TornWrite,
    a_lost_sync_at_any_point_stops_the_ledger_and_loses_nothing: LostSync,
    a_full_disk_at_any_point_stops_the_ledger_and_loses_nothing: DiskFull,
    a_read_error_at_any_point_is_no_reason_to_cut_anything: ReadError,
    a_flipped_bit_at_any_point_is_noticed_or_harmless: FlippedBit,
}

#[test]
fn a_store_that_fails_stops_the_ledger_and_is_caught_up_after() {
    let history = history(9, 60, 5);
    let (_, expected) = Machine::new().live(&history);
    let expected = expected.expect("nothing fails");
    for height in 0..history.blocks.len() as u64 {
        let machine = Machine::new();
        machine.store.fail_at(Some(height));
        let (acknowledged, result) = machine.live(&history);
        let fault = result.expect_err("the store fails");
        assert!(fault.to_string().contains("the store"), "{fault}");
        machine.store.crash(height);
        let plan = Plan { trouble: Trouble::Crash, at: height, seed: 0 };
        check_recovered(&machine, &history, &acknowledged, plan);
        assert!(machine.live(&history).1.expect("it goes on") == expected);
    }
}
