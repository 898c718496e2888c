//! Roots of trees whose leaves pass by once.

use std::sync::LazyLock;

use evidence::ethereum::{Hash, pair};

/// Roots of balanced trees of zeros, by depth.
static ZEROS: LazyLock<Vec<Hash>> = LazyLock::new(|| {
    let grow = |hash: &Hash| Some(pair(hash, hash));
    std::iter::successors(Some([0; 32]), grow).take(64).collect()
});

fn zero(depth: u32) -> Hash {
    let place = usize::try_from(depth).unwrap_or(usize::MAX);
    ZEROS.get(place).copied().unwrap_or_default()
}

/// A number as a leaf.
pub(crate) fn chunk_of(number: u64) -> Hash {
    let mut leaf = [0; 32];
    if let Some(front) = leaf.first_chunk_mut() {
        *front = number.to_le_bytes();
    }
    leaf
}

/// A tree of which only its right edge is kept.
pub(crate) enum Merkle {
    Balanced(Balanced),
    Progressive {
        /// Roots of the full subtrees.
        full: Vec<Hash>,
        /// The one that is being filled.
        last: Balanced,
    },
}

impl Merkle {
    /// A balanced tree with room for `2^depth` leaves.
    pub(crate) fn balanced(depth: u32) -> Self {
        Self::Balanced(Balanced::new(depth))
    }

    /// A progressive tree.
    pub(crate) fn progressive() -> Self {
        Self::Progressive { full: Vec::new(), last: Balanced::new(0) }
    }

    /// Takes the next leaf. The caller knows that a balanced tree has room for it.
    pub(crate) fn push(&mut self, leaf: Hash) {
        match self {
            Self::Balanced(tree) => tree.push(leaf),
            Self::Progressive { full, last } => {
                if last.is_full() {
                    let next = Balanced::new(last.depth.saturating_add(2));
                    full.push(std::mem::replace(last, next).root());
                }
                last.push(leaf);
            }
        }
    }

    /// The root over all leaves taken.
    pub(crate) fn root(self) -> Hash {
        match self {
            Self::Balanced(tree) => tree.root(),
            Self::Progressive { full, last } => {
                let rest = if last.count == 0 { [0; 32] } else { pair(&last.root(), &[0; 32]) };
                full.iter().rev().fold(rest, |rest, part| pair(part, &rest))
            }
        }
    }
}

/// A balanced tree: a full subtree for each one in the binary form of the number of leaves.
pub(crate) struct Balanced {
    depth: u32,
    count: u64,
    edge: Vec<Hash>,
}

impl Balanced {
    fn new(depth: u32) -> Self {
        Self { depth, count: 0, edge: Vec::new() }
    }

    fn is_full(&self) -> bool {
        1_u64.checked_shl(self.depth).is_some_and(|room| self.count >= room)
    }

    fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.count.trailing_ones() {
            node = self.edge.pop().map_or(node, |left| pair(&left, &node));
        }
        self.edge.push(node);
        self.count = self.count.saturating_add(1);
    }

    fn root(mut self) -> Hash {
        if self.is_full() {
            return self.edge.pop().unwrap_or_default();
        }
        // The node on the right edge, filled up with zeros; nothing as long as no leaf stands below it.
        let mut node: Option<Hash> = None;
        for height in 0..self.depth {
            let left = (self.count >> height & 1 == 1).then(|| self.edge.pop()).flatten();
            node = match (left, node) {
                (Some(left), node) => Some(pair(&left, &node.unwrap_or(zero(height)))),
                (None, Some(node)) => Some(pair(&node, &zero(height))),
                (None, None) => None,
            };
        }
        node.unwrap_or(zero(self.depth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the definition: halves, and the rest beside each part.
    fn expected(leaves: &[Hash], depth: u32) -> Hash {
        if depth == 0 {
            return leaves.first().copied().unwrap_or_default();
        }
        let half = leaves.len().min(1 << (depth - 1));
        pair(&expected(&leaves[..half], depth - 1), &expected(&leaves[half..], depth - 1))
    }

    fn grown(leaves: &[Hash], depth: u32) -> Hash {
        if leaves.is_empty() {
            return [0; 32];
        }
        let room = leaves.len().min(1 << depth);
        pair(&expected(&leaves[..room], depth), &grown(&leaves[room..], depth + 2))
    }

    #[test]
    fn the_root_is_that_of_the_definition_at_every_length() {
        for count in 0..=100_u8 {
            let leaves: Vec<Hash> = (0..count).map(|place| [place + 1; 32]).collect();
            let feed = |mut merkle: Merkle| {
                leaves.iter().for_each(|leaf| merkle.push(*leaf));
                merkle.root()
            };
            for depth in [7, 9] {
                assert_eq!(feed(Merkle::balanced(depth)), expected(&leaves, depth), "{count} in {depth}");
            }
            assert_eq!(feed(Merkle::progressive()), grown(&leaves, 0), "{count}");
        }
        let leaves: Vec<Hash> = (0..8).map(|place| [place; 32]).collect();
        let mut full = Merkle::balanced(3);
        leaves.iter().for_each(|leaf| full.push(*leaf));
        assert_eq!(full.root(), expected(&leaves, 3));
    }
}
