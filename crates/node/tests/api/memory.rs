//! A store in memory, for tests that ask for no proof: its root is a hash of all batches.

use std::collections::BTreeMap;

use ledger::store::{Committed, EntryProof, Store, StoreError, Write};
use sha2::{Digest, Sha256};

#[derive(Default)]
pub(crate) struct MemoryStore {
    committed: Option<Committed>,
    entries: BTreeMap<[u8; 32], Vec<u8>>,
    roots: BTreeMap<u64, [u8; 32]>,
    /// The commit that fails.
    pub(crate) fails_at: Option<u64>,
}

impl Store for MemoryStore {
    fn committed(&self) -> Option<Committed> {
        self.committed
    }

    fn durable(&self) -> Option<u64> {
        self.committed.map(|committed| committed.height)
    }

    fn commit(&mut self, height: u64, digest: [u8; 32], writes: Vec<Write>) -> Result<[u8; 32], StoreError> {
        if self.fails_at == Some(height) {
            return Err(StoreError::Failed { doing: "committing", cause: "the disk is full".to_owned() });
        }
        let mut hash = Sha256::new_with_prefix(self.committed.map_or([0; 32], |committed| committed.root));
        for (key, value) in writes {
            hash.update(key);
            hash.update(value.as_deref().unwrap_or_default());
            match value {
                Some(value) => self.entries.insert(key, value),
                None => self.entries.remove(&key),
            };
        }
        let root = hash.finalize().into();
        self.committed = Some(Committed { height, digest, root });
        self.roots.insert(height, root);
        Ok(root)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn root_at(&self, height: u64) -> Option<[u8; 32]> {
        self.roots.get(&height).copied()
    }

    fn get(&self, key: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entries.get(key).cloned())
    }

    fn prove(&self, key: &[u8; 32]) -> Result<EntryProof, StoreError> {
        let at = self.committed.expect("there is a height");
        Ok(EntryProof { at, value: self.entries.get(key).cloned(), bytes: Vec::new() })
    }

    fn entries(
        &self,
        visit: &mut dyn FnMut([u8; 32], Vec<u8>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.entries.iter().try_for_each(|(key, value)| visit(*key, value.clone()))
    }

    fn reset(&mut self) -> Result<(), StoreError> {
        *self = Self::default();
        Ok(())
    }
}
