//! How a store uses the machine. Nothing here changes a root or a byte that must agree between stores.

use std::num::NonZeroUsize;

/// How a store uses memory, threads and the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Memory for pages of the log, in bytes. At least one page of 4,096 is used.
    pub page_cache_bytes: usize,
    /// Operations of the log that opening remembers, at about 50 bytes each, until the store is open. What it forgets, it reads again from the disk, one by one.
    pub opening_cache_entries: usize,
    /// Threads that hash a batch.
    pub threads: NonZeroUsize,
    /// Commands that may wait for the store's thread; who sends one more waits itself.
    pub queue: NonZeroUsize,
}

impl Default for Options {
    /// 64 MiB of pages, 4,194,304 operations at opening, one thread, 64 commands waiting.
    fn default() -> Self {
        Self {
            page_cache_bytes: 64 * 1024 * 1024,
            opening_cache_entries: 1 << 22,
            threads: NonZeroUsize::MIN,
            queue: NonZeroUsize::new(64).expect("64 is not zero"),
        }
    }
}
