//! The same on a real disk: locks, and bytes that stay.

use std::path::PathBuf;
use std::sync::Arc;

use ledger::files::{DiskFiles, LockError};
use ledger::{Ledger, Options};

use crate::store::TestStore;
use crate::world::{begin, entries, history, run};

/// A folder of its own for each test, emptied before.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("ledger-{name}"));
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
        _ => folder,
    }
}

#[test]
fn a_folder_is_open_once_at_a_time() {
    let folder = folder("lock");
    let first = DiskFiles::open(&folder).expect("the first opens it");
    assert!(matches!(DiskFiles::open(&folder), Err(LockError::Locked { .. })));
    drop(first);
    assert!(DiskFiles::open(&folder).is_ok());
}

#[test]
fn a_ledger_on_disk_is_the_same_after_it_was_closed() {
    let history = history(21, 120, 8);
    let folder = folder("same");
    let (_, _, mut memory) = begin(&history);
    run(&mut memory, &history.blocks);
    let store = TestStore::default();
    {
        let files = DiskFiles::open(&folder).expect("a new folder");
        Ledger::init(&files, &history.genesis).expect("begun");
        assert!(Ledger::init(&files, &history.genesis).is_err(), "a folder is begun once");
        let mut ledger =
            Ledger::open(Arc::new(files), Box::new(store.clone()), Options::default()).expect("opened");
        let (_, fault) = run(&mut ledger, &history.blocks);
        assert_eq!(fault, None);
        ledger.close().expect("closed");
    }
    let files = DiskFiles::open(&folder).expect("it is not locked any more");
    let ledger = Ledger::open(Arc::new(files), Box::new(store), Options::default()).expect("opened");
    assert!(entries(&ledger) == entries(&memory));
}
