//! Collections whose clones are cheap, and which remember what was touched.
//!
//! A [`Shelf`] holds records by dense id, in chunks that clones share until one of them writes. A [`Book`] does the same for records
//! by any ordered key. Both note the keys that were handed out for writing, if asked to, so that the ledger commits those records and no
//! others. Neither knows what a record means.

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

/// Records by dense id, `CHUNK` to a chunk.
#[derive(Clone, Debug)]
pub(crate) struct Shelf<T, const CHUNK: usize> {
    full: Vec<Arc<[T]>>,
    /// Fewer than `CHUNK`.
    last: Vec<T>,
    touched: Touched<u32>,
}

impl<T, const CHUNK: usize> Default for Shelf<T, CHUNK> {
    fn default() -> Self {
        Self { full: Vec::new(), last: Vec::new(), touched: Touched::default() }
    }
}

/// The chunk and the place in it.
fn place<const CHUNK: usize>(index: usize) -> (usize, usize) {
    let chunk = index.checked_div(CHUNK).expect("a chunk holds something");
    (chunk, index.checked_rem(CHUNK).expect("a chunk holds something"))
}

fn id(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 of a kind")
}

impl<T: Clone, const CHUNK: usize> Shelf<T, CHUNK> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.full.len().saturating_mul(CHUNK).saturating_add(self.last.len())
    }

    /// The record at a place.
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        let (chunk, at) = place::<CHUNK>(index);
        match self.full.get(chunk) {
            Some(chunk) => chunk.get(at),
            None if chunk == self.full.len() => self.last.get(at),
            None => None,
        }
    }

    /// The record at a place, to write it.
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let (chunk, at) = place::<CHUNK>(index);
        let record = if chunk == self.full.len() {
            self.last.get_mut(at)
        } else {
            Arc::make_mut(self.full.get_mut(chunk)?).get_mut(at)
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
            self.full.push(std::mem::take(&mut self.last).into());
        }
    }

    /// In the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.full.iter().flat_map(|chunk| chunk.iter()).chain(&self.last)
    }

    /// What notes the touched ids.
    pub(crate) fn touched(&mut self) -> &mut Touched<u32> {
        &mut self.touched
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

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.records.size()
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
