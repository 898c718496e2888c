//! Closing, killing and opening again.

use std::sync::Arc;
use std::time::Duration;

use ledger::files::Files;
use ledger::files::memory::{MemoryFiles, Plan, Restart, Trouble};
use ledger::{Fault, Ledger, Options, Outcome};

use crate::store::TestStore;
use crate::world::{NOTHING, begin, entries, history, open, run};

#[test]
fn a_ledger_that_is_opened_again_goes_on_where_it_was() {
    let history = history(1, 300, 12);
    let (files, store, mut ledger) = begin(&history);
    let (done, fault) = run(&mut ledger, &history.blocks);
    assert_eq!(fault, None);
    let applied = done.iter().flat_map(|executed| &executed.receipts);
    assert!(applied.filter(|receipt| matches!(receipt.outcome, Outcome::Applied { .. })).count() > 150);
    let (head, state) = (ledger.head(), entries(&ledger));
    ledger.close().expect("nothing failed");

    let ledger = open(&files, &store).expect("a closed ledger opens");
    assert_eq!((ledger.head().digest, entries(&ledger)), (head.digest, state));
    assert_eq!(ledger.opened().replayed, 0);
    let reader = ledger.reader();
    for executed in &done {
        let height = executed.header.height;
        assert_eq!(reader.executed(height).expect("receipts are read").as_ref(), Some(executed));
        let block = reader.block(height).expect("a block is read").expect("a block of the history");
        assert_eq!(
            (block.header.digest(), block.operations_root()),
            (executed.digest, executed.header.operations_root)
        );
        for receipt in &executed.receipts {
            assert!(reader.find(&receipt.id).expect("found").is_some(), "{receipt:?}");
        }
    }
    assert_eq!(reader.find(&NOTHING).expect("looked for"), None);
}

#[test]
fn whatever_the_store_has_forgotten_is_executed_again() {
    let history = history(2, 300, 12);
    let (files, store, mut ledger) = begin(&history);
    let (_, fault) = run(&mut ledger, &history.blocks);
    assert_eq!(fault, None);
    let (digest, state) = (ledger.head().digest, entries(&ledger));
    drop(ledger);
    let whole = store.content();
    for seed in 0..12 {
        let (files, store) = (files.fork(), if seed == 0 { TestStore::default() } else { store.fork() });
        store.crash(seed * 7);
        let ledger = open(&files, &store).expect("it opens");
        assert_eq!((ledger.head().digest, entries(&ledger)), (digest, state.clone()), "seed {seed}");
        ledger.close().expect("nothing failed");
        assert_eq!(store.content().0, whole.0, "the roots are those of before");
        assert!(store.content().1 == whole.1, "the entries are those of before");
    }
}

#[test]
fn a_history_goes_on_after_every_block_as_if_it_had_never_stopped() {
    let history = history(3, 160, 5);
    let (_, whole, mut ledger) = begin(&history);
    let (done, _) = run(&mut ledger, &history.blocks);
    ledger.close().expect("nothing failed");
    let (files, store, mut ledger) = begin(&history);
    for (index, block) in history.blocks.iter().enumerate() {
        let executed = ledger.append(block.operations.clone(), block.time_ms).expect("appended");
        assert_eq!(executed.receipts, done[index].receipts);
        assert_eq!(executed.boundary, done[index].boundary);
        drop(ledger);
        files.restart(Restart::PowerLost { seed: index as u64 });
        store.crash(index as u64 * 3);
        ledger = open(&files, &store).expect("it opens");
    }
    ledger.close().expect("nothing failed");
    assert!(store.content().1 == whole.content().1, "the entries are those of a run without stops");
}

#[test]
fn the_store_is_made_durable_after_the_receipts_and_without_being_asked() {
    let history = history(10, 200, 10);
    let (files, store, mut ledger) = begin(&history);
    store.must_follow(&files, "receipts");
    let before = store.syncs();
    run(&mut ledger, &history.blocks);
    // A rest of some milliseconds suffices.
    while store.syncs() == before || !files.is_durable("receipts") {
        std::thread::yield_now();
    }
    assert_eq!(ledger.reader().fault(), None);
    let height = ledger.head().header.height;
    drop(ledger);
    files.restart(Restart::PowerLost { seed: 4 });
    store.crash(0);
    let ledger = open(&files, &store).expect("it opens");
    assert_eq!(ledger.head().header.height, height);
    assert_eq!(ledger.opened().replayed, 0, "nothing is executed again");
}

#[test]
fn receipts_that_are_lost_are_made_again() {
    let history = history(4, 200, 10);
    let (files, store, mut ledger) = begin(&history);
    let (done, _) = run(&mut ledger, &history.blocks);
    let (digest, state) = (ledger.head().digest, entries(&ledger));
    ledger.close().expect("nothing failed");
    let receipts = ledger::files::Files::list(&files, "receipts").expect("listed");
    assert!(receipts.len() > 3, "{receipts:?}");
    for (index, name) in receipts.iter().enumerate() {
        let (files, store) = (files.fork(), store.fork());
        if index % 2 == 0 {
            ledger::files::Files::remove(&files, &format!("receipts/{name}")).expect("removed");
        } else {
            // Where they are read at the start: at both ends of old segments, and anywhere in the newest.
            files.flip(&format!("receipts/{name}"), 30, 3);
        }
        let ledger = open(&files, &store).expect("it opens");
        assert_eq!((ledger.head().digest, entries(&ledger)), (digest, state.clone()), "{name}");
        let reader = ledger.reader();
        for executed in &done {
            let height = executed.header.height;
            assert_eq!(reader.executed(height).expect("read").as_ref(), Some(executed), "{name}");
            let place = executed.receipts.first().map(|receipt| reader.find(&receipt.id).expect("found"));
            assert_ne!(place, Some(None), "{name}");
        }
    }
}

#[test]
fn damaged_receipts_are_told_when_they_are_read_and_made_again_once_they_are_deleted() {
    let history = history(4, 200, 10);
    let (files, store, mut ledger) = begin(&history);
    let (done, _) = run(&mut ledger, &history.blocks);
    ledger.close().expect("nothing failed");
    files.flip("receipts/00000000000000000000.log", 200, 3);
    let ledger = open(&files, &store).expect("nobody reads the oldest receipts at the start");
    let fault = ledger.reader().executed(0).expect_err("damaged");
    assert!(matches!(fault, Fault::Damaged { .. }), "{fault}");
    assert!(fault.to_string().contains("delete the folder `receipts`"), "{fault}");
    ledger.close().expect("it went on");
    for name in ledger::files::Files::list(&files, "receipts").expect("listed") {
        ledger::files::Files::remove(&files, &format!("receipts/{name}")).expect("removed");
    }
    let ledger = open(&files, &store).expect("it opens");
    for executed in &done {
        let kept = ledger.reader().executed(executed.header.height).expect("read");
        assert_eq!(kept.as_ref(), Some(executed));
    }
}

fn without_receipts(files: &MemoryFiles) -> MemoryFiles {
    let files = files.fork();
    for name in files.list("receipts").expect("listed") {
        files.remove(&format!("receipts/{name}")).expect("removed");
    }
    files
}

#[test]
fn a_store_with_another_state_than_the_journal_makes_stops_a_ledger_that_executes_it_again() {
    let history = history(4, 200, 10);
    let (files, store, mut ledger) = begin(&history);
    run(&mut ledger, &history.blocks);
    ledger.close().expect("nothing failed");
    let files = without_receipts(&files);
    open(&files.fork(), &store.fork()).expect("the state is that of the store").close().expect("closed");
    let height = store.content().0.expect("committed").height;
    let changes: [fn(&mut crate::store::Entries); 3] = [
        |entries| drop(entries.pop_first()),
        |entries| drop(entries.insert([255; 32], vec![1])),
        |entries| entries.values_mut().last().expect("an entry").push(0),
    ];
    for change in changes {
        let store = store.fork();
        store.change(change);
        let fault = open(&files.fork(), &store).err().expect("another state");
        assert!(matches!(fault, Fault::StateDiffers { height: found, .. } if found == height), "{fault}");
    }
}

#[test]
fn operations_are_found_wherever_making_receipts_again_was_killed() {
    let history = history(4, 160, 10);
    let (files, store, mut ledger) = begin(&history);
    let (done, _) = run(&mut ledger, &history.blocks);
    ledger.close().expect("nothing failed");
    let mut logs = files.list("receipts").expect("listed");
    logs.retain(|name| name.ends_with(".log"));
    files.flip(&format!("receipts/{}", logs[logs.len() - 2]), 30, 3);
    // Segments end at other heights than before.
    let open = |files: &MemoryFiles| {
        let options = Options { segment_bytes: 7000, ..Options::default() };
        Ledger::open(Arc::new(files.clone()), Box::new(store.fork()), options)
    };
    for at in 0.. {
        let files = files.fork();
        files.plan(Some(Plan { trouble: Trouble::Crash, at, seed: at }));
        drop(open(&files));
        if !files.struck() {
            assert!(at > 20, "{at}");
            return;
        }
        files.restart(Restart::Killed);
        let ledger = open(&files).expect("it opens");
        for receipt in done.iter().flat_map(|executed| &executed.receipts) {
            let found = ledger.reader().find(&receipt.id).expect("looked for");
            assert!(found.is_some(), "killed at {at}: {receipt:?}");
        }
    }
}

#[test]
fn an_operation_that_comes_again_is_found_where_it_was_last() {
    let history = history(4, 160, 10);
    let (files, store, mut ledger) = begin(&history);
    let (first, second) = (&history.blocks[0], &history.blocks[1]);
    let twice = first.operations[0].clone();
    ledger.append(vec![twice.clone()], first.time_ms).expect("a block");
    let done = ledger.append(vec![second.operations[0].clone(), twice], first.time_ms).expect("a block");
    let id = done.receipts[1].id;
    let place = |ledger: &Ledger| ledger.reader().find(&id).expect("looked for");
    let found = place(&ledger);
    assert!(found.is_some());
    ledger.close().expect("nothing failed");
    let mut ledger = open(&files, &store).expect("it opens");
    assert_eq!(place(&ledger), found, "read from the receipts");
    assert_eq!(ledger.reader().executed(2).expect("read").map(|executed| executed.receipts[1].id), Some(id));
    run(&mut ledger, &history.blocks[1..]);
    ledger.close().expect("nothing failed");
    assert!(files.list("receipts").expect("listed").iter().any(|name| name.ends_with(".ids")));
    let ledger = open(&files, &store).expect("it opens");
    assert_eq!(place(&ledger), found, "looked up in a file of ids");
}

#[test]
fn receipts_of_blocks_that_the_journal_has_lost_stop_it() {
    let history = history(5, 60, 6);
    let (files, store, mut ledger) = begin(&history);
    run(&mut ledger, &history.blocks[..4]);
    drop(ledger);
    let early = files.fork();
    let mut ledger = open(&files, &store).expect("it opens");
    run(&mut ledger, &history.blocks[4..8]);
    drop(ledger);
    // An older copy of the journal, beside the receipts of what was acknowledged since; the store was deleted.
    for name in ledger::files::Files::list(&files, "journal").expect("listed") {
        let name = format!("journal/{name}");
        ledger::files::Files::remove(&files, &name).expect("removed");
        if let Some(bytes) = early.bytes(&name) {
            let file = ledger::files::Files::open(&files, &name, ledger::files::Access::Append);
            file.expect("made").append(&bytes).expect("written");
        }
    }
    let fault = open(&files, &TestStore::default()).err().expect("acknowledged blocks are missing");
    assert_eq!(fault, Fault::JournalBehindReceipts { receipts: 8, journal: 5 });
    assert_eq!(open(&files, &TestStore::default()).err(), Some(fault), "nothing was cut");
}

#[test]
fn only_a_ledger_for_development_takes_operations_that_nobody_has_signed() {
    let mut history = history(5, 10, 6);
    history.genesis.protocol.development = false;
    history.genesis.opening.clear();
    let (files, store, mut ledger) = begin(&history);
    let block = history.blocks[0].clone();
    let fault = ledger.append(block.operations, block.time_ms).expect_err("nobody has signed");
    assert!(matches!(&fault, Fault::Block(why) if why.to_string().contains("nobody has signed")), "{fault}");
    ledger.append(Vec::new(), block.time_ms).expect("nothing has happened");
    ledger.close().expect("nothing failed");
    assert_eq!(open(&files, &store).expect("it opens").head().header.height, 1);
}

#[test]
fn a_block_passes_at_most_sixty_four_boundaries() {
    let history = history(5, 10, 6);
    let (_, _, mut ledger) = begin(&history);
    let latest_ms = crate::world::START_MS + 65 * crate::world::EPOCH_MS - 1;
    let fault = ledger.append(Vec::new(), latest_ms + 1).expect_err("65 boundaries");
    assert!(fault.to_string().contains(&format!("at most 64; make a block at {latest_ms} first")), "{fault}");
    ledger.append(Vec::new(), latest_ms).expect("64 boundaries");
}

#[test]
fn a_place_that_an_operation_does_not_have_is_not_proven() {
    let history = history(6, 80, 8);
    let (_, _, mut ledger) = begin(&history);
    let (done, _) = run(&mut ledger, &history.blocks);
    for executed in done.iter().take(6) {
        for receipt in &executed.receipts {
            let proof = ledger.reader().prove_operation(&receipt.id).expect("read").expect("in a block");
            let ledger::Proof::Operation(statement) = &proof else { panic!("of an operation") };
            for (index, count) in (0..12).flat_map(|index| (0..12).map(move |count| (index, count))) {
                let mut other = statement.clone();
                (other.index, other.count) = (index, count);
                let proven =
                    ledger::Proof::Operation(other).verify(&executed.digest, crate::store::verify).is_ok();
                assert!(!proven || index == statement.index, "place {index} of {count} for {statement:?}");
            }
        }
    }
}

#[test]
fn a_store_that_is_ahead_or_of_another_history_is_refused() {
    let history = history(5, 60, 6);
    let (files, store, mut ledger) = begin(&history);
    run(&mut ledger, &history.blocks[..4]);
    drop(ledger);
    let early = files.fork();
    let mut ledger = open(&files, &store).expect("it opens");
    run(&mut ledger, &history.blocks[4..8]);
    drop(ledger);
    let fault = open(&early, &store).err().expect("acknowledged blocks are missing");
    assert_eq!(fault, Fault::JournalBehindStore { store: 8, journal: 5 });

    let mut other = open(&early, &TestStore::default()).expect("it opens");
    let mut late = history.blocks[4..9].to_vec();
    late.iter_mut().for_each(|block| block.time_ms += 1);
    let (_, fault) = run(&mut other, &late);
    assert_eq!(fault, None);
    drop(other);
    let fault = open(&early, &store).err().expect("another history");
    assert!(matches!(fault, Fault::StoreDiffers { height: 8, .. }), "{fault}");

    store.spoil_root();
    let mut longer = open(&files, &store.fork()).expect("no header claims the newest root");
    run(&mut longer, &history.blocks[8..10]);
    drop(longer);
    let fault = open(&files, &TestStore::default()).err();
    assert!(
        fault.is_some_and(|fault| fault.to_string().contains("state root")),
        "the claim is not what comes out"
    );
}

#[test]
fn a_proof_waits_for_the_header_that_claims_its_root() {
    let history = history(6, 80, 8);
    let (_, _, mut ledger) = begin(&history);
    let (done, _) = run(&mut ledger, &history.blocks);
    let reader = ledger.reader();
    let key = ledger.head().state.keys()[0];
    let thread = {
        let reader = reader.clone();
        std::thread::spawn(move || reader.prove(&key, Duration::from_secs(60)))
    };
    while !reader.wants_block() && !thread.is_finished() {
        std::thread::yield_now();
    }
    let time_ms = ledger.head().header.time_ms;
    ledger.append(Vec::new(), time_ms).expect("an empty block");
    let proof = thread.join().expect("no panic").expect("a proof");
    let trusted = proof.header().digest();
    assert_eq!(reader.header(proof.header().height).expect("read"), Some(proof.header().clone()));
    let again = ledger::Proof::from_json(proof.to_json().as_bytes()).expect("its own text");
    assert_eq!(again, proof);
    assert!(again.verify(&trusted, crate::store::verify).is_ok());
    assert!(again.verify(&done[0].digest, crate::store::verify).is_err());
    assert!(!reader.wants_block());

    let receipt = &done[3].receipts[2];
    let proof = reader.prove_operation(&receipt.id).expect("read").expect("in a block");
    let proven = proof.verify(&done[3].digest, crate::store::verify).expect("it holds");
    assert_eq!(proven, ledger::Proven::Operation { height: 4, index: 2, id: receipt.id });
}

#[test]
fn a_proof_that_nobody_completes_ends_in_time() {
    let history = history(7, 20, 8);
    let (_, _, mut ledger) = begin(&history);
    run(&mut ledger, &history.blocks);
    let key = ledger.head().state.keys()[0];
    let fault = ledger.reader().prove(&key, Duration::from_millis(1)).expect_err("no block comes");
    assert!(matches!(fault, Fault::Unclaimed { .. }), "{fault}");
    assert!(!ledger.reader().wants_block());
}

#[test]
fn blocks_made_elsewhere_give_the_same_and_altered_ones_are_refused() {
    let history = history(8, 120, 7);
    let (_, store, mut leader) = begin(&history);
    let (_, other, mut follower) = begin(&history);
    run(&mut leader, &history.blocks);
    for block in leader.reader().blocks(1) {
        let block = block.expect("read");
        let mut bytes = block.encode();
        for place in [3usize, 40, 50, 75, 100, 120, 150, 160, 200, 221, bytes.len() - 1] {
            bytes[place] ^= 1;
            let refused = follower.apply_bytes(&bytes).expect_err("altered");
            assert!(matches!(refused, Fault::Block(_)), "byte {place}: {refused}");
            bytes[place] ^= 1;
        }
        follower.apply_block(&block).expect("the block as it was");
    }
    assert_eq!(leader.head().digest, follower.head().digest);
    leader.close().expect("nothing failed");
    follower.close().expect("nothing failed");
    assert_eq!(store.content().0, other.content().0);
}
