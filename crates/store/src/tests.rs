//! Two stores side by side, a map beside a store, and stores that are hurt.

mod disk;
mod faults;
mod proofs;
mod roots;

use std::collections::BTreeMap;
use std::path::Path;

use ledger::store::{Store as _, Write};

use crate::{Options, QmdbStore};

/// Splitmix64: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The key of a number: a few kinds, and long common beginnings as those of one account's positions.
fn key(number: u64) -> [u8; 32] {
    let mut key = [0; 32];
    key[0] = u8::try_from(number % 3).unwrap();
    key[1..21].fill(u8::try_from(number % 7).unwrap());
    key[24..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The batch of a height: the same for the same height. Some keys are new, some written again, some deleted, some deleted that were never there.
fn batch(height: u64) -> Vec<Write> {
    let mut random = Random(height);
    let mut writes = BTreeMap::new();
    for _ in 0..random.below(60) {
        let number = random.below(400);
        let value = (random.below(4) > 0)
            .then(|| vec![u8::try_from(height % 256).unwrap(); usize::try_from(random.below(200)).unwrap()]);
        writes.insert(key(number), value);
    }
    writes.into_iter().collect()
}

fn digest(height: u64) -> [u8; 32] {
    let mut digest = [0xd1; 32];
    digest[..8].copy_from_slice(&height.to_be_bytes());
    digest
}

/// What a store holds after the heights below `end`.
fn model(end: u64) -> BTreeMap<[u8; 32], Vec<u8>> {
    let mut model = BTreeMap::new();
    for (key, value) in (0..end).flat_map(batch) {
        match value {
            Some(value) => model.insert(key, value),
            None => model.remove(&key),
        };
    }
    model
}

/// Commits the heights from the store's next up to `end`, and returns the roots of these.
fn feed(store: &mut QmdbStore, end: u64) -> Vec<[u8; 32]> {
    let next = store.committed().map_or(0, |at| at.height + 1);
    (next..end).map(|height| store.commit(height, digest(height), batch(height)).unwrap()).collect()
}

fn all(store: &QmdbStore) -> Vec<([u8; 32], Vec<u8>)> {
    let mut all = Vec::new();
    store
        .entries(&mut |key, value| {
            all.push((key, value));
            Ok(())
        })
        .unwrap();
    // In the order of their keys, as the model has them.
    all.sort_unstable();
    all
}

fn open(folder: &Path) -> QmdbStore {
    QmdbStore::open(folder, Options::default()).unwrap()
}
