//! Closing, killing and opening again.

use std::time::Duration;

use ledger::files::memory::Restart;
use ledger::{Fault, Outcome};

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
            files.flip(&format!("receipts/{name}"), 40 + index * 31, 3);
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
