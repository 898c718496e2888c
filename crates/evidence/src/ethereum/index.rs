//! Generalized indices: where a value stands in the tree of hashes of a consensus object.
//!
//! The root is 1, and the children of `g` are `2g` and `2g + 1`. Types come in two shapes. In a *balanced* tree, leaf `i`
//! of a type with room for `2^depth` leaves stands at `2^depth + i`: how deep depends on the room alone. A
//! *progressive* tree grows to the right: it begins with a subtree of 1 leaf, then one of 4, 16, 64 and so on, so that a
//! leaf's index never moves when others are added after it, and how deep it stands depends on its place.
//!
//! ```text
//!            r
//!          /   \
//!     1 leaf    .
//!             /   \
//!      4 leaves    .
//!                /   \
//!        16 leaves   ...  up to a zero
//! ```
//!
//! Source: consensus-specs, `ssz/merkle-proofs.md`; EIP-7916 (progressive lists), EIP-7495 (progressive containers).

use std::fmt;
use std::num::NonZeroU64;

/// Where a node stands in a tree: from 1, the root, to `2^64 - 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GeneralizedIndex(NonZeroU64);

impl GeneralizedIndex {
    /// The root of a tree.
    pub const ROOT: Self = Self(NonZeroU64::MIN);

    /// The index with this number; 0 is none.
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// How many nodes stand on the way up, the root included: the length of a branch.
    pub const fn depth(self) -> u32 {
        self.0.ilog2()
    }

    /// Whether the node is the right child of its parent. The root is no child, and counts as right.
    pub const fn is_right(self) -> bool {
        self.get() & 1 == 1
    }

    /// The other child of the same parent. The root has none.
    pub const fn sibling(self) -> Option<Self> {
        match self.get() {
            1 => None,
            number => Self::new(number ^ 1),
        }
    }

    /// The node above. The root has none.
    pub const fn parent(self) -> Option<Self> {
        Self::new(self.get() >> 1)
    }

    /// The first step on the way down from the root, whether it is to the right, and the rest of the way as an index of the
    /// subtree there. The root has none.
    pub(super) const fn split(self) -> Option<(bool, Self)> {
        let Some(depth) = self.depth().checked_sub(1) else { return None };
        let first = 1 << depth;
        // The digit after the leading one becomes the leading one of the rest.
        match Self::new((self.get() ^ (first << 1)) | first) {
            Some(rest) => Some((self.get() & first != 0, rest)),
            None => None,
        }
    }

    /// Leaf `place` of the balanced tree of `depth` that stands here. `None` if it has no such leaf, or the index is past
    /// 64 bits.
    pub const fn leaf(self, depth: u32, place: u64) -> Option<Self> {
        if self.0.leading_zeros() < depth || (depth < u64::BITS && place >> depth != 0) {
            return None;
        }
        Self::new((self.get() << depth) | place)
    }

    /// Leaf `place` of the progressive tree that stands here. `None` if the index is past 64 bits.
    pub const fn progressive_leaf(self, place: u64) -> Option<Self> {
        let mut node = self;
        let mut depth = 0;
        let mut rest = place;
        loop {
            let room = match 1_u64.checked_shl(depth) {
                Some(room) => room,
                None => return None,
            };
            if rest < room {
                return match node.leaf(1, 0) {
                    Some(subtree) => subtree.leaf(depth, rest),
                    None => None,
                };
            }
            (node, rest, depth) = match (node.leaf(1, 1), rest.checked_sub(room), depth.checked_add(2)) {
                (Some(node), Some(rest), Some(depth)) => (node, rest, depth),
                _ => return None,
            };
        }
    }

    /// Where `inner`, an index in the tree that stands here, stands in the outer tree. `None` past 64 bits.
    pub const fn then(self, inner: Self) -> Option<Self> {
        let depth = inner.depth();
        match 1_u64.checked_shl(depth) {
            Some(top) => self.leaf(depth, inner.get() ^ top),
            None => None,
        }
    }

    /// Whether `other` stands in the subtree of this node, or is it.
    pub const fn is_above(self, other: Self) -> bool {
        match other.depth().checked_sub(self.depth()) {
            Some(shift) => other.get() >> shift == self.get(),
            None => false,
        }
    }
}

impl fmt::Display for GeneralizedIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(number: u64) -> GeneralizedIndex {
        GeneralizedIndex::new(number).unwrap()
    }

    #[test]
    fn leaves_of_balanced_trees() {
        let cases = [
            (1, 0, 0, Some(1)),
            (1, 3, 0, Some(8)),
            (1, 3, 7, Some(15)),
            (1, 3, 8, None),
            (11, 5, 20, Some(11 * 32 + 20)),
            (1, 63, 0, Some(1 << 63)),
            (2, 63, 0, None),
            (1, 64, 0, None),
            (u64::MAX, 1, 0, None),
        ];
        for (node, depth, place, expected) in cases {
            let found = index(node).leaf(depth, place).map(GeneralizedIndex::get);
            assert_eq!(found, expected, "{node} {depth} {place}");
        }
    }

    /// Worked out by hand for the first two subtrees; 358 and 716 are the validators of a Gloas state.
    #[test]
    fn leaves_of_progressive_trees() {
        let cases = [
            (1, 0, Some(2)),
            (1, 1, Some(24)),
            (1, 4, Some(27)),
            (1, 5, Some(7 << 5)),
            (1, 20, Some((7 << 5) | 15)),
            (1, 21, Some(15 << 7)),
            (2, 11, Some(358)),
            (716, 0, Some(1432)),
            (716, u64::MAX, None),
            (1, 1 << 41, None),
            (u64::MAX, 0, None),
        ];
        for (node, place, expected) in cases {
            let found = index(node).progressive_leaf(place).map(GeneralizedIndex::get);
            assert_eq!(found, expected, "{node} {place}");
        }
    }

    #[test]
    fn indices_are_joined() {
        assert_eq!(index(11).then(index(43)).unwrap().get(), (11 << 5) | 11);
        assert_eq!(index(5).then(GeneralizedIndex::ROOT), Some(index(5)));
        assert_eq!(GeneralizedIndex::ROOT.then(index(5)), Some(index(5)));
        assert_eq!(index(2).then(index(1 << 63)), None);
    }

    #[test]
    fn relations() {
        assert!(index(1).is_above(index(1)) && index(5).is_above(index(11)) && !index(5).is_above(index(12)));
        assert!(!index(11).is_above(index(5)));
        assert_eq!(index(6).sibling(), Some(index(7)));
        assert_eq!(index(7).parent(), Some(index(3)));
        assert_eq!((index(1).parent(), index(1).sibling()), (None, None));
        assert_eq!((index(1).split(), index(2).split()), (None, Some((false, index(1)))));
        assert_eq!(index(13).split(), Some((true, index(5))));
        assert_eq!(index(u64::MAX).split(), Some((true, index(u64::MAX >> 1))));
        assert_eq!(GeneralizedIndex::new(0), None);
    }
}
