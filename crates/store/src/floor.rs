//! How fast the old end of the log is left behind: a part of the format, since what is moved is in the root.
//!
//! The log keeps every entry where it was last written, and is cut below its floor, the first operation that may still count. A batch that supersedes
//! operations therefore takes some entries at the floor and writes them again at the tip. The library's own policy moves one entry for each operation
//! that becomes superseded, so half of all writing is moving. Fewer moves make a longer log: with one for four, and entries written again in random order, it has
//! 2.0 operations for each entry instead of 1.4. Where the same few entries are written again and again it may have five for each, instead of three.

use commonware_storage::merkle::Family;
use commonware_storage::qmdb::floor::{Decision, Entry, Limits, Policy};

/// One entry is moved for so many operations that become superseded, and one for each batch.
const SUPERSEDED_EACH: usize = 4;

/// Moves one entry for four operations that a batch supersedes.
///
/// Why five: after a batch of `r` updates, an old part of the log up to its tip has `r` operations more, and as many entries as before. Each of `m` moves puts
/// an entry there that was below it, and one operation: with `m = r / 4`, operations less five for each entry change by `r + m - 5 m = 0`. Deletes take
/// entries away and are not counted by that; a log where entries only go is cut no later than when those that are left have all been moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sparing;

impl<F: Family, K, V> Policy<F, K, V> for Sparing {
    fn evicts(&self) -> bool {
        false
    }

    fn limits(&self, made_inactive: usize) -> Limits {
        Limits { entries: made_inactive.div_ceil(SUPERSEDED_EACH).saturating_add(1), skips: u64::MAX }
    }

    fn decide<'a>(&mut self, entry: Entry<'a, F, K, V>) -> Decision<'a, V> {
        entry.keep()
    }
}
