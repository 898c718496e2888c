//! Collections whose clones are cheap, and which remember what was touched.
//!
//! A [`Shelf`] holds records by dense id, in chunks that clones share until one of them writes. A [`Book`] does the same for records
//! by any ordered key. Both note the keys that were handed out for writing, if asked to, so that the ledger commits those records and no
//! others; [`Noted`] does so for a single record. None knows what a record means.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

/// The keys that were touched since somebody last asked; nothing is noted before [`Touched::start`].
#[derive(Clone, Debug)]
pub(crate) struct Touched<K> {
    keys: Option<Vec<K>>,
}

impl<K> Default for Touched<K> {
    fn default() -> Self {
        Self { keys: None }
    }
}

impl<K: Clone + Ord> Touched<K> {
    /// Begins to note.
    pub(crate) fn start(&mut self) {
        self.keys.get_or_insert_default();
    }

    /// Notes one.
    pub(crate) fn note(&mut self, key: &K) {
        if let Some(keys) = &mut self.keys
            && keys.last() != Some(key)
        {
            keys.push(key.clone());
        }
    }

    /// What was noted, ascending, each once; the list is empty afterwards.
    pub(crate) fn take(&mut self) -> Vec<K> {
        let mut keys = self.keys.as_mut().map(std::mem::take).unwrap_or_default();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// How many chunks clones share as one.
const GROUP: usize = 64;

/// Chunks that clones share.
type Group<T> = Arc<Vec<Arc<[T]>>>;

/// Records by dense id, `CHUNK` to a chunk. A clone shares groups of chunks, so it costs the number of records divided by 64 `CHUNK`s;
/// the first write to a record after it copies the record's chunk and the list of its group.
#[derive(Clone, Debug)]
pub(crate) struct Shelf<T, const CHUNK: usize> {
    /// All but the last of them hold [`GROUP`] chunks.
    groups: Vec<Group<T>>,
    /// Full chunks.
    chunks: usize,
    /// Fewer than `CHUNK`.
    last: Vec<T>,
    touched: Touched<u32>,
}

impl<T, const CHUNK: usize> Default for Shelf<T, CHUNK> {
    fn default() -> Self {
        Self { groups: Vec::new(), chunks: 0, last: Vec::new(), touched: Touched::default() }
    }
}

/// Which chunk, or group, and the place in it.
fn divided<const BY: usize>(index: usize) -> (usize, usize) {
    let quotient = index.checked_div(BY).expect("a chunk and a group hold something");
    (quotient, index.checked_rem(BY).expect("a chunk and a group hold something"))
}

fn id(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 of a kind")
}

impl<T: Clone, const CHUNK: usize> Shelf<T, CHUNK> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.chunks.saturating_mul(CHUNK).saturating_add(self.last.len())
    }

    fn chunk(&self, chunk: usize) -> Option<&[T]> {
        let (group, at) = divided::<GROUP>(chunk);
        self.groups.get(group)?.get(at).map(AsRef::as_ref)
    }

    /// The record at a place.
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        let (chunk, at) = divided::<CHUNK>(index);
        if chunk == self.chunks { self.last.get(at) } else { self.chunk(chunk)?.get(at) }
    }

    /// The record at a place, to write it.
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let (chunk, at) = divided::<CHUNK>(index);
        let record = if chunk == self.chunks {
            self.last.get_mut(at)
        } else {
            let (group, inner) = divided::<GROUP>(chunk);
            let group = Arc::make_mut(self.groups.get_mut(group)?);
            Arc::make_mut(group.get_mut(inner)?).get_mut(at)
        };
        if record.is_some() {
            self.touched.note(&id(index));
        }
        record
    }

    /// Adds a record at the end.
    pub(crate) fn push(&mut self, record: T) {
        self.touched.note(&id(self.len()));
        self.last.push(record);
        if self.last.len() == CHUNK {
            let chunk: Arc<[T]> = std::mem::take(&mut self.last).into();
            match self.groups.last_mut().filter(|group| group.len() < GROUP) {
                Some(group) => Arc::make_mut(group).push(chunk),
                None => self.groups.push(Arc::new(vec![chunk])),
            }
            self.chunks = self.chunks.saturating_add(1);
        }
    }

    /// In the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let chunks = self.groups.iter().flat_map(|group| group.iter());
        chunks.flat_map(|chunk| chunk.iter()).chain(&self.last)
    }

    /// What notes the touched ids.
    pub(crate) fn touched(&mut self) -> &mut Touched<u32> {
        &mut self.touched
    }
}

/// One record, which remembers that it was handed out for writing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted<T> {
    record: T,
    is_touched: bool,
}

impl<T> Noted<T> {
    /// Whether it was handed out since somebody last asked.
    pub(crate) fn take(&mut self) -> bool {
        std::mem::take(&mut self.is_touched)
    }
}

impl<T> Deref for Noted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}

impl<T> DerefMut for Noted<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.is_touched = true;
        &mut self.record
    }
}

/// Records by an ordered key.
#[derive(Clone, Debug)]
pub(crate) struct Book<K: Ord, V> {
    records: RedBlackTreeMapSync<K, V>,
    touched: Touched<K>,
}

impl<K: Ord + Clone, V: Clone> Default for Book<K, V> {
    fn default() -> Self {
        Self { records: RedBlackTreeMapSync::new_sync(), touched: Touched::default() }
    }
}

impl<K: Ord + Clone, V: Clone> Book<K, V> {
    /// The record of a key.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.records.get(key)
    }

    /// The record of a key, to write it.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let record = self.records.get_mut(key);
        if record.is_some() {
            self.touched.note(key);
        }
        record
    }

    /// Whether there is a record of that key.
    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.records.contains_key(key)
    }

    /// Adds or replaces a record.
    pub(crate) fn insert(&mut self, key: K, record: V) {
        self.touched.note(&key);
        self.records.insert_mut(key, record);
    }

    /// Removes a record.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let record = self.records.get(key).cloned()?;
        self.touched.note(key);
        self.records.remove_mut(key);
        Some(record)
    }

    /// Removes what is not to be kept.
    pub(crate) fn retain(&mut self, keep: impl Fn(&K, &V) -> bool) {
        let dropped: Vec<K> = self
            .records
            .iter()
            .filter(|(key, record)| !keep(key, record))
            .map(|(key, _)| key.clone())
            .collect();
        for key in dropped {
            self.remove(&key);
        }
    }

    /// By ascending key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.records.iter()
    }

    /// From a key on, by ascending key.
    pub(crate) fn starting_at(&self, first: K) -> impl Iterator<Item = (&K, &V)> {
        self.records.range(first..)
    }

    /// The last of those up to a key.
    pub(crate) fn last_upto(&self, last: &K) -> Option<(&K, &V)> {
        self.records.range(..=last.clone()).next_back()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.records.size()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The first key.
    pub(crate) fn first(&self) -> Option<&K> {
        self.records.first().map(|(key, _)| key)
    }

    /// The keys, ascending.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.records.keys()
    }

    /// The records, by ascending key.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.records.values()
    }

    /// What notes the touched keys.
    pub(crate) fn touched(&mut self) -> &mut Touched<K> {
        &mut self.touched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_keeps_what_it_saw() {
        let mut shelf = Shelf::<u32, 4>::default();
        for record in 0..10 {
            shelf.push(record);
        }
        let before = shelf.clone();
        for index in 0..10 {
            *shelf.get_mut(index).unwrap() += 100;
        }
        shelf.push(110);
        assert_eq!(before.iter().copied().collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
        assert_eq!(shelf.iter().copied().collect::<Vec<_>>(), (100..111).collect::<Vec<_>>());
        assert_eq!((before.len(), shelf.len()), (10, 11));
        assert_eq!(
            (before.get(9), before.get(10), shelf.get(10), shelf.get(64)),
            (Some(&9), None, Some(&110), None)
        );
    }

    #[test]
    fn shelves_of_many_groups_are_as_vectors() {
        let mut shelf = Shelf::<u32, 2>::default();
        let mut vector = Vec::new();
        let mut clones = Vec::new();
        for record in 0..700_u32 {
            shelf.push(record);
            vector.push(record);
            if record % 97 == 0 {
                clones.push((shelf.clone(), vector.clone()));
                let place = usize::try_from(record / 2).unwrap();
                *shelf.get_mut(place).unwrap() += 5_000;
                vector[place] += 5_000;
            }
        }
        clones.push((shelf, vector));
        for (shelf, vector) in clones {
            assert_eq!(shelf.len(), vector.len());
            assert!(shelf.iter().eq(vector.iter()));
            assert!((0..vector.len() + 3).all(|place| shelf.get(place) == vector.get(place)));
        }
    }

    #[test]
    fn a_single_record_is_touched_by_writing_only() {
        let mut record = Noted::<Vec<u8>>::default();
        assert!(record.is_empty() && !record.take());
        record.push(1);
        assert!(record.take() && !record.take());
    }

    #[test]
    fn only_what_was_written_is_touched_and_only_once() {
        let mut shelf = Shelf::<u32, 2>::default();
        shelf.push(0);
        shelf.touched().start();
        for record in 1..6 {
            shelf.push(record);
        }
        assert_eq!(shelf.touched().take(), [1, 2, 3, 4, 5]);
        shelf.get_mut(4);
        shelf.get_mut(1);
        shelf.get_mut(4);
        shelf.get_mut(99);
        shelf.get(0);
        assert_eq!(shelf.touched().take(), [1, 4]);
        assert!(shelf.touched().take().is_empty());
    }

    #[test]
    fn a_book_notes_what_comes_changes_and_goes() {
        let mut book = Book::<u8, u8>::default();
        book.touched().start();
        book.insert(3, 30);
        book.insert(1, 10);
        book.insert(2, 20);
        assert_eq!(book.touched().take(), [1, 2, 3]);
        let before = book.clone();
        assert_eq!(book.remove(&9), None);
        assert_eq!(book.remove(&3), Some(30));
        book.retain(|key, _| *key != 1);
        *book.get_mut(&2).unwrap() = 21;
        assert_eq!(book.touched().take(), [1, 2, 3]);
        assert_eq!(book.iter().collect::<Vec<_>>(), [(&2, &21)]);
        assert_eq!(before.values().copied().collect::<Vec<_>>(), [10, 20, 30]);
    }
}
