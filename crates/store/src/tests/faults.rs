//! Disks that fail and files that are damaged: the store stops and says so, or comes back at an older height. It never comes back as something else.

use std::fs;
use std::path::{Path, PathBuf};

use ledger::store::{Store as _, StoreError};
use tempfile::tempdir;

use super::{Random, all, digest, feed, key, model, open};
use crate::{Options, QmdbStore};

/// Writes so many entries that the log needs a new file.
fn fill(store: &mut QmdbStore, from: u64) -> Result<(), StoreError> {
    for height in from..from + 20 {
        let writes = (0..8_192).map(|number| (key(number), Some(height.to_be_bytes().to_vec()))).collect();
        store.commit(height, digest(height), writes)?;
    }
    store.sync()
}

#[test]
fn an_error_of_the_disk_closes_the_store_until_it_is_reset() {
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    let reference = feed(&mut store, 5);
    // The log can't have another file where its folder is none.
    let log = folder.path().join("data/log_data");
    fs::remove_dir_all(&log).unwrap();
    fs::write(&log, b"no folder").unwrap();
    let error = fill(&mut store, 5).unwrap_err();
    assert!(matches!(error, StoreError::Failed { .. } | StoreError::Closed { .. }), "{error}");
    let last = StoreError::Closed { cause: String::new() };
    for again in [
        store.commit(99, digest(99), Vec::new()).unwrap_err(),
        store.sync().unwrap_err(),
        store.get(&key(1)).unwrap_err(),
        store.prove(&key(1)).unwrap_err(),
        store.entries(&mut |_, _| Ok(())).unwrap_err(),
    ] {
        assert_eq!(std::mem::discriminant(&again), std::mem::discriminant(&last), "{again}");
        assert!(again.to_string().contains("the store failed at"), "the cause is told again: {again}");
    }
    store.reset().unwrap();
    assert_eq!(feed(&mut store, 5), reference);
}

#[test]
fn a_folder_is_open_once() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    let error = QmdbStore::open(folder.path(), Options::default()).unwrap_err();
    assert!(error.to_string().contains("another process"), "{error}");
    let error = QmdbStore::erase(folder.path()).unwrap_err();
    assert!(error.to_string().contains("another process"), "{error}");
    drop(store);
    open(folder.path());
}

#[test]
fn a_folder_that_is_a_file_is_an_error() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("store");
    fs::write(&file, b"").unwrap();
    let error = QmdbStore::open(&file, Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::Failed { .. }), "{error}");
}

#[test]
fn the_visitor_of_entries_may_stop() {
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    fill(&mut store, 0).unwrap();
    let why = StoreError::Entry { why: "enough".to_owned() };
    let mut seen = 0;
    let stopped = store.entries(&mut |_, _| {
        seen += 1;
        if seen < 3 { Ok(()) } else { Err(why.clone()) }
    });
    assert_eq!((stopped, seen), (Err(why.clone()), 3));
    assert_eq!(all(&store).len(), 8_192);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The heights that a store says it has, checked against the batches, or `None` if it says that it is damaged.
fn survives(folder: &Path, reference: &[[u8; 32]]) -> Option<u64> {
    let store = QmdbStore::open(folder, Options::default()).ok()?;
    let heights = store.committed().map_or(0, |at| at.height + 1);
    if let Some(at) = store.committed() {
        assert_eq!((at.digest, at.root), (digest(at.height), reference[usize::try_from(at.height).unwrap()]));
    }
    let mut entries = Vec::new();
    let read = store.entries(&mut |key, value| {
        entries.push((key, value));
        Ok(())
    });
    read.ok()?;
    entries.sort_unstable();
    assert!(entries.into_iter().eq(model(heights)), "height {heights} is whole");
    Some(heights)
}

#[test]
fn a_damaged_file_is_an_error_or_an_older_height_and_never_another_state() {
    let whole = tempdir().unwrap();
    let reference = feed(&mut open(whole.path()), 40);
    let mut random = Random(11);
    let mut errors = 0;
    for file in files(&whole.path().join("data")) {
        let content = fs::read(&file).unwrap();
        if content.is_empty() {
            continue;
        }
        let relative = file.strip_prefix(whole.path()).unwrap();
        for round in 0..4 {
            let damaged = tempdir().unwrap();
            copy(whole.path(), damaged.path());
            let at = usize::try_from(random.below(u64::try_from(content.len()).unwrap())).unwrap();
            let mut altered = content.clone();
            if round == 0 {
                altered.truncate(at);
            } else {
                altered[at] ^= 1 << random.below(8);
            }
            fs::write(damaged.path().join(relative), altered).unwrap();
            errors += usize::from(survives(damaged.path(), &reference).is_none());
            QmdbStore::erase(damaged.path()).unwrap();
            assert_eq!(survives(damaged.path(), &reference), Some(0), "{} at {at}", relative.display());
        }
    }
    assert!(errors > 0, "none of the damage was found at opening");
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
