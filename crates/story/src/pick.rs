//! Numbers that an epoch fixes for ever.

use sha2::{Digest as _, Sha256};

/// Numbers from a seed: SHA-256 of the seed and a counter.
#[derive(Debug)]
pub(crate) struct Picks {
    seed: u32,
    count: u32,
}

impl Picks {
    pub(crate) const fn new(seed: u32) -> Self {
        Self { seed, count: 0 }
    }

    /// A number below `bound`, which is not zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let digest = Sha256::new()
            .chain_update("surety demo life")
            .chain_update(self.seed.to_be_bytes())
            .chain_update(self.count.to_be_bytes())
            .finalize();
        self.count += 1;
        let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
        u64::from_be_bytes(*first) % bound
    }

    /// One of the items, if there are any.
    pub(crate) fn one<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        let count = u64::try_from(items.len()).expect("a length fits");
        let place = (count > 0).then(|| self.below(count))?;
        items.get(usize::try_from(place).expect("a place fits")).copied()
    }

    /// Whether something of `percent` in a hundred happens.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}
