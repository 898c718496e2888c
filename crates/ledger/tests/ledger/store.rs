//! A store in memory: its root depends on the batches, it loses its last heights in a crash, and it fails when told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use ledger::files::memory::MemoryFiles;
use ledger::format::ENTRY_BYTES_MAX;
use ledger::store::{Committed, EntryProof, Store, StoreError, Write};
use sha2::{Digest, Sha256};

pub(crate) type Entries = BTreeMap<[u8; 32], Vec<u8>>;

#[derive(Clone, Default)]
struct Inner {
    committed: Option<Committed>,
    durable: Option<u64>,
    entries: Entries,
    roots: BTreeMap<u64, [u8; 32]>,
    /// What was there after each height since the last sync, that one included.
    past: Vec<(Option<Committed>, Entries)>,
    /// The commit that fails.
    fails_at: Option<u64>,
    has_failed: bool,
    /// Files that must be durable before it is.
    after: Option<(MemoryFiles, &'static str)>,
    syncs: u64,
}

/// Handles of one store.
#[derive(Clone, Default)]
pub(crate) struct TestStore(Arc<Mutex<Inner>>);

impl TestStore {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Goes back to some height that was not synced, as a crash does.
    pub(crate) fn crash(&self, seed: u64) {
        let mut inner = self.inner();
        (inner.has_failed, inner.fails_at) = (false, None);
        let heights = inner.past.len() as u64;
        if heights > 0 {
            let (committed, entries) = inner.past[(seed % heights) as usize].clone();
            (inner.committed, inner.entries) = (committed, entries);
            inner.past.truncate((seed % heights) as usize + 1);
        }
    }

    /// The commit of this height fails.
    pub(crate) fn fail_at(&self, height: Option<u64>) {
        self.inner().fails_at = height;
    }

    /// A store with the same content, for another ledger.
    pub(crate) fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.inner().clone())))
    }

    /// It may be made durable after the files of this folder only.
    pub(crate) fn must_follow(&self, files: &MemoryFiles, folder: &'static str) {
        self.inner().after = Some((files.clone(), folder));
    }

    /// How often it was made durable.
    pub(crate) fn syncs(&self) -> u64 {
        self.inner().syncs
    }

    pub(crate) fn content(&self) -> (Option<Committed>, Entries) {
        let inner = self.inner();
        (inner.committed, inner.entries.clone())
    }

    /// Changes entries behind everybody's back.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Entries)) {
        change(&mut self.inner().entries);
    }

    /// Turns a bit of an entry.
    pub(crate) fn spoil_root(&self) {
        if let Some(committed) = &mut self.inner().committed {
            committed.root[0] ^= 1;
        }
    }
}

/// What the test store's proofs are: the root and the value again, hashed. Enough to see that everything is carried.
pub(crate) fn verify(
    root: &[u8; 32],
    key: &[u8; 32],
    value: Option<&[u8]>,
    proof: &[u8],
) -> Result<(), String> {
    if proof == evidence(root, key, value) { Ok(()) } else { Err("the hashes differ".to_owned()) }
}

fn evidence(root: &[u8; 32], key: &[u8; 32], value: Option<&[u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(root);
    hash.update(key);
    hash.update([u8::from(value.is_some())]);
    hash.update(value.unwrap_or_default());
    hash.finalize().into()
}

impl Store for TestStore {
    fn committed(&self) -> Option<Committed> {
        self.inner().committed
    }

    fn durable(&self) -> Option<u64> {
        self.inner().durable
    }

    fn commit(&mut self, height: u64, digest: [u8; 32], writes: Vec<Write>) -> Result<[u8; 32], StoreError> {
        let mut inner = self.inner();
        if inner.fails_at == Some(height) || inner.has_failed {
            inner.has_failed = true;
            return Err(StoreError::Failed { doing: "committing", cause: "planned".to_owned() });
        }
        let expected = inner.committed.map_or(height, |committed| committed.height + 1);
        if height != expected {
            return Err(StoreError::OutOfOrder { expected, given: height });
        }
        let sizes = writes.iter().filter_map(|(_, value)| value.as_ref()).map(Vec::len);
        if let Some(found) = sizes.max().filter(|size| *size > ENTRY_BYTES_MAX) {
            return Err(StoreError::TooLarge { what: "an entry", found, limit: ENTRY_BYTES_MAX });
        }
        assert!(writes.is_sorted_by(|a, b| a.0 < b.0), "a batch is sorted, and no key is in it twice");
        if inner.past.is_empty() {
            let now = (inner.committed, inner.entries.clone());
            inner.past.push(now);
        }
        let mut hash = Sha256::new();
        hash.update(inner.committed.map_or([0; 32], |committed| committed.root));
        hash.update(height.to_be_bytes());
        for (key, value) in writes {
            hash.update(key);
            hash.update([u8::from(value.is_some())]);
            hash.update(value.as_deref().unwrap_or_default());
            match value {
                Some(value) => inner.entries.insert(key, value),
                None => inner.entries.remove(&key),
            };
        }
        let root: [u8; 32] = hash.finalize().into();
        let committed = Some(Committed { height, digest, root });
        inner.committed = committed;
        inner.roots.insert(height, root);
        let now = (committed, inner.entries.clone());
        inner.past.push(now);
        Ok(root)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        let mut inner = self.inner();
        if let Some((files, folder)) = &inner.after {
            assert!(files.is_durable(folder), "the store is made durable before the folder {folder}");
        }
        inner.syncs += 1;
        inner.durable = inner.committed.map(|committed| committed.height);
        inner.past.clear();
        Ok(())
    }

    fn root_at(&self, height: u64) -> Option<[u8; 32]> {
        self.inner().roots.get(&height).copied()
    }

    fn get(&self, key: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.inner().entries.get(key).cloned())
    }

    fn prove(&self, key: &[u8; 32]) -> Result<EntryProof, StoreError> {
        let inner = self.inner();
        let at = inner.committed.expect("nobody asks for a proof of nothing");
        let value = inner.entries.get(key).cloned();
        Ok(EntryProof { at, bytes: evidence(&at.root, key, value.as_deref()).to_vec(), value })
    }

    fn entries(
        &self,
        visit: &mut dyn FnMut([u8; 32], Vec<u8>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let entries = self.inner().entries.clone();
        entries.into_iter().try_for_each(|(key, value)| visit(key, value))
    }

    fn reset(&mut self) -> Result<(), StoreError> {
        *self.inner() = Inner::default();
        Ok(())
    }
}
