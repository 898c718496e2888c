//! Whole keys in the index of the library.
//!
//! The library's own translators keep at most 8 bytes of a key. Keys of entries share longer prefixes: all positions of an account begin alike. Keys that the index can't
//! tell apart cost one read of the log each, so the index here holds all 32 bytes.

use std::hash::{BuildHasher, Hasher};

use commonware_storage::translator::{OrderedTranslator, Translator};

/// Keeps a key as it is, as four numbers with their highest byte first: they stand in the order of the bytes, and are compared without a call.
/// Shorter input is filled with zeros at the end, longer input is cut; the store gives it 32 bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct WholeKey;

impl Translator for WholeKey {
    type Key = [u64; 4];

    fn transform(&self, key: &[u8]) -> Self::Key {
        let mut whole = [0; 4];
        for (word, bytes) in whole.iter_mut().zip(key.chunks(8)) {
            let mut filled = [0; 8];
            filled.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            *word = u64::from_be_bytes(filled);
        }
        whole
    }
}

impl OrderedTranslator for WholeKey {}

/// The trait asks for a hasher. An ordered index compares keys and never hashes them.
impl BuildHasher for WholeKey {
    type Hasher = Unused;

    fn build_hasher(&self) -> Unused {
        Unused(0)
    }
}

/// FNV-1a over what it is given.
#[derive(Debug)]
pub(crate) struct Unused(u64);

impl Hasher for Unused {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
