//! Roots follow from the batches and from nothing else, and heights come back whole.

use std::num::NonZeroUsize;

use ledger::store::{Committed, Store as _, StoreError};
use tempfile::tempdir;

use super::{all, batch, digest, feed, key, model, open};
use crate::{Options, QmdbStore, VALUE_BYTES_MAX};

const HEIGHTS: u64 = 60;

#[test]
fn the_same_batches_give_the_same_roots_however_the_store_works() {
    let reference = feed(&mut open(tempdir().unwrap().path()), HEIGHTS);
    let cases = [
        ("as it comes", Options::default()),
        (
            "hardly any memory",
            Options { page_cache_bytes: 0, opening_cache_entries: 0, ..Options::default() },
        ),
        ("three threads", Options { threads: NonZeroUsize::new(3).unwrap(), ..Options::default() }),
    ];
    for (name, options) in cases {
        let folder = tempdir().unwrap();
        let mut store = QmdbStore::open(folder.path(), options.clone()).unwrap();
        let mut roots = feed(&mut store, HEIGHTS / 2);
        drop(store);
        let mut store = QmdbStore::open(folder.path(), options).unwrap();
        roots.extend(feed(&mut store, HEIGHTS));
        assert_eq!(roots, reference, "{name}");
    }
}

#[test]
fn a_store_that_is_synced_after_each_height_has_the_same_roots() {
    let reference = feed(&mut open(tempdir().unwrap().path()), HEIGHTS);
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    for (height, root) in (0..HEIGHTS).zip(reference) {
        assert_eq!(feed(&mut store, height + 1), [root]);
        store.sync().unwrap();
        assert_eq!(store.durable(), Some(height));
    }
}

#[test]
fn a_store_that_is_opened_again_knows_its_height_and_its_entries() {
    let folder = tempdir().unwrap();
    let roots = feed(&mut open(folder.path()), HEIGHTS);
    let store = open(folder.path());
    let last = HEIGHTS - 1;
    let root = *roots.last().unwrap();
    assert_eq!(store.committed(), Some(Committed { height: last, digest: digest(last), root }));
    assert_eq!(
        (store.durable(), store.root_at(last), store.root_at(HEIGHTS)),
        (Some(last), Some(root), None)
    );
    let model = model(HEIGHTS);
    assert!(all(&store).into_iter().eq(model.clone()), "entries in the order of their keys");
    for number in 0..400 {
        assert_eq!(store.get(&key(number)).unwrap(), model.get(&key(number)).cloned(), "entry {number}");
    }
}

#[test]
fn every_root_since_opening_is_known() {
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    let roots = feed(&mut store, HEIGHTS);
    let known: Vec<_> = (0..HEIGHTS).map(|height| store.root_at(height).unwrap()).collect();
    assert_eq!(known, roots);
}

#[test]
fn a_crash_takes_heights_away_whole_and_the_same_batches_bring_the_same_roots() {
    let reference = feed(&mut open(tempdir().unwrap().path()), HEIGHTS);
    for durable in [0, 1, 17, HEIGHTS - 1] {
        let folder = tempdir().unwrap();
        let mut store = QmdbStore::open(folder.path(), Options::default()).unwrap();
        feed(&mut store, durable);
        store.sync().unwrap();
        assert_eq!(store.durable(), durable.checked_sub(1));
        feed(&mut store, HEIGHTS);
        assert_eq!(store.durable(), durable.checked_sub(1));
        store.crash();

        let mut store = QmdbStore::open(folder.path(), Options::default()).unwrap();
        let next = store.committed().map_or(0, |at| at.height + 1);
        assert!((durable..HEIGHTS).contains(&next), "{durable} heights were durable and {next} came back");
        assert!(all(&store).into_iter().eq(model(next)), "height {next} is whole");
        let roots = feed(&mut store, HEIGHTS);
        assert_eq!(roots, reference[usize::try_from(next).unwrap()..], "{durable} heights were durable");
    }
}

#[test]
fn a_reset_store_is_fresh_and_gives_the_same_roots_again() {
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    let first = feed(&mut store, 9);
    store.reset().unwrap();
    assert_eq!((store.committed(), store.durable(), store.root_at(3)), (None, None, None));
    assert_eq!(all(&store), []);
    assert_eq!(feed(&mut store, 9), first);
}

#[test]
fn a_log_that_is_overwritten_often_stays_short_and_its_root_is_that_of_a_log_which_was_never_cut() {
    let (cut, whole) = (tempdir().unwrap(), tempdir().unwrap());
    let files =
        |folder: &tempfile::TempDir| std::fs::read_dir(folder.path().join("data/log_data")).unwrap().count();
    let mut roots = Vec::new();
    for folder in [&cut, &whole] {
        let mut store = open(folder.path());
        for height in 0..60 {
            let writes = (0..8_192)
                .map(|number| (key(number), Some(vec![u8::try_from(height).unwrap(); 8])))
                .collect();
            store.commit(height, digest(height), writes).unwrap();
            if folder.path() == cut.path() {
                store.sync().unwrap();
            }
        }
        roots.push((store.committed(), store.prove(&key(5)).unwrap(), store.prove(&key(9_999)).unwrap()));
        if folder.path() == cut.path() {
            assert!(files(&cut) <= 4, "{} files are left", files(&cut));
        } else {
            assert!(files(&whole) > 8, "{} files are there", files(&whole));
        }
    }
    assert_eq!(roots[0], roots[1]);
    let store = open(cut.path());
    assert_eq!(store.committed(), roots[0].0);
    assert_eq!(all(&store).len(), 8_192);
}

#[test]
fn heights_follow_each_other_and_what_does_not_fit_changes_nothing() {
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(7, digest(7), batch(7)).unwrap();
    for given in [0, 7, 9, u64::MAX] {
        assert_eq!(
            store.commit(given, digest(given), Vec::new()),
            Err(StoreError::OutOfOrder { expected: 8, given })
        );
    }
    let found = VALUE_BYTES_MAX + 1;
    assert_eq!(
        store.commit(8, digest(8), vec![(key(1), Some(vec![0; found]))]),
        Err(StoreError::TooLarge { what: "an entry", found, limit: VALUE_BYTES_MAX })
    );
    let before = store.committed();
    let root = store.commit(8, digest(8), vec![(key(1), Some(vec![1; VALUE_BYTES_MAX]))]).unwrap();
    assert_ne!(before.unwrap().root, root);
    assert_eq!(store.get(&key(1)).unwrap(), Some(vec![1; VALUE_BYTES_MAX]));
}

#[test]
fn an_empty_batch_is_a_height_and_deleting_nothing_is_no_write() {
    let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
    let (mut one, mut other) = (open(one.path()), open(other.path()));
    let empty = one.commit(0, digest(0), Vec::new()).unwrap();
    let deleted = other.commit(0, digest(0), vec![(key(1), None)]).unwrap();
    assert_eq!(empty, deleted);
    assert_ne!(empty, one.commit(1, digest(1), Vec::new()).unwrap());
    assert_eq!(all(&one), []);
}
