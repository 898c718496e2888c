//! The whole tree above a long list: for whoever makes proofs of a state. Verifying needs none of it.
//!
//! Every node is kept, 64 bytes for an item, so that a change costs the nodes above it and a proof costs nothing.

use super::hash::{above, chunk_of, mix_in, zero};
use super::{Fork, GeneralizedIndex, Hash, pair};

/// Depth of a tree whose nodes are kept, at most: 2^40 validators have room.
const DEPTH_MAX: u32 = 40;

/// The tree above a list, as the state of a fork holds it: the items in a balanced or in a progressive tree, beside their number.
///
/// Invariant: a balanced tree has one part; of a progressive one every part but the last is full.
#[derive(Clone, Debug)]
pub struct ListTree {
    parts: Vec<Part>,
    is_progressive: bool,
    /// The number that stands beside the tree. Not that of the leaves where a leaf holds several items.
    length: u64,
}

/// A balanced tree: from the leaves up to its root, each level without the zeros at its end.
#[derive(Clone, Debug)]
struct Part {
    levels: Vec<Vec<Hash>>,
}

impl Part {
    fn new(depth: u32, leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        for height in 0..usize::try_from(depth).unwrap_or_default() {
            let next = levels.last().map(|level| above(level, height)).unwrap_or_default();
            levels.push(next);
        }
        Self { levels }
    }

    fn len(&self) -> u64 {
        let leaves = self.levels.first().map_or(0, Vec::len);
        u64::try_from(leaves).unwrap_or(u64::MAX)
    }

    fn depth(&self) -> u32 {
        u32::try_from(self.levels.len().saturating_sub(1)).unwrap_or(DEPTH_MAX)
    }

    fn root(&self) -> Hash {
        self.at(self.levels.len().saturating_sub(1), 0)
    }

    fn at(&self, height: usize, place: usize) -> Hash {
        let level = self.levels.get(height);
        level.and_then(|level| level.get(place)).copied().unwrap_or(*zero(height))
    }

    /// The node at an index of this tree, whose root is 1.
    fn node(&self, index: GeneralizedIndex) -> Option<Hash> {
        let height = self.depth().checked_sub(index.depth())?;
        let place = index.get() ^ 1_u64.checked_shl(index.depth())?;
        Some(self.at(usize::try_from(height).ok()?, usize::try_from(place).ok()?))
    }

    /// Changes leaves, or adds some at the end; in ascending order of places. Each node above is hashed once.
    fn change(&mut self, leaves: impl Iterator<Item = (usize, Hash)>) {
        let mut touched = Vec::new();
        for (place, leaf) in leaves {
            if let Some(leaves) = self.levels.first_mut() {
                put(leaves, place, leaf);
            }
            touched.push(place);
        }
        for height in 1..self.levels.len() {
            touched.iter_mut().for_each(|place| *place >>= 1);
            touched.dedup();
            for place in &touched {
                let below = height.saturating_sub(1);
                let left = place.saturating_mul(2);
                let hash = pair(&self.at(below, left), &self.at(below, left.saturating_add(1)));
                if let Some(level) = self.levels.get_mut(height) {
                    put(level, *place, hash);
                }
            }
        }
    }
}

/// Writes a hash at its place, or at the end.
fn put(level: &mut Vec<Hash>, place: usize, hash: Hash) {
    match level.get_mut(place) {
        Some(known) => *known = hash,
        None => level.push(hash),
    }
}

impl ListTree {
    /// The tree above validators whose roots these are.
    pub fn of_validators(fork: Fork, roots: Vec<Hash>) -> Self {
        let length = u64::try_from(roots.len()).unwrap_or(u64::MAX);
        Self::new(fork, DEPTH_MAX, roots, length)
    }

    /// The tree above balances, in gwei.
    pub fn of_balances(fork: Fork, balances: &[u64]) -> Self {
        let length = u64::try_from(balances.len()).unwrap_or(u64::MAX);
        let leaf = |four: &[u64]| {
            let mut leaf = [0; 32];
            for (place, balance) in leaf.as_chunks_mut::<8>().0.iter_mut().zip(four) {
                *place = balance.to_le_bytes();
            }
            leaf
        };
        Self::new(fork, DEPTH_MAX.saturating_sub(2), balances.chunks(4).map(leaf).collect(), length)
    }

    fn new(fork: Fork, depth: u32, leaves: Vec<Hash>, length: u64) -> Self {
        if !fork.is_progressive() {
            return Self { parts: vec![Part::new(depth, leaves)], is_progressive: false, length };
        }
        let (mut parts, mut rest, mut depth) = (Vec::new(), leaves, 0);
        while !rest.is_empty() {
            let room = usize::try_from(1_u64.checked_shl(depth).unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
            let next = rest.split_off(room.min(rest.len()));
            // Else each part would keep the room of all that came after it.
            rest.shrink_to_fit();
            parts.push(Part::new(depth, rest));
            (rest, depth) = (next, depth.saturating_add(2));
        }
        Self { parts, is_progressive: true, length }
    }

    /// The root of the list.
    pub fn root(&self) -> Hash {
        mix_in(&self.rest(0), self.length)
    }

    /// The root of the tree from a part on: of all, if that is the first.
    fn rest(&self, first: usize) -> Hash {
        let parts = self.parts.iter().skip(first);
        if !self.is_progressive {
            return self.parts.first().map(Part::root).unwrap_or_default();
        }
        parts.rev().fold([0; 32], |rest, part| pair(&part.root(), &rest))
    }

    /// The node at an index of the list, whose root is 1. `None` where no node of it stands.
    pub fn node(&self, index: GeneralizedIndex) -> Option<Hash> {
        let (first, rest) = match index.split() {
            None => return Some(self.root()),
            Some(split) => split,
        };
        match (first, self.is_progressive) {
            (true, _) => (rest == GeneralizedIndex::ROOT).then(|| chunk_of(self.length)),
            (false, false) => self.parts.first()?.node(rest),
            (false, true) => self.progressive_node(rest),
        }
    }

    fn progressive_node(&self, index: GeneralizedIndex) -> Option<Hash> {
        let mut index = index;
        for (place, part) in self.parts.iter().enumerate() {
            match index.split() {
                None => return Some(self.rest(place)),
                Some((false, inside)) => return part.node(inside),
                Some((true, after)) => index = after,
            }
        }
        // After the last part stands a zero.
        (index == GeneralizedIndex::ROOT).then_some([0; 32])
    }

    /// Changes leaves by place, or adds some at the end, each right after the one before. `changes` stand in ascending order.
    /// Costs the nodes above them.
    ///
    /// # Refuses
    /// `None`, and changes nothing: a place is not above the one before, or past the end.
    pub fn change(&mut self, changes: &[(u64, Hash)], length: u64) -> Option<()> {
        let is_ascending = changes.is_sorted_by(|(earlier, _), (later, _)| earlier < later);
        let mut end = self.parts.iter().fold(0_u64, |all, part| all.saturating_add(part.len()));
        for (place, _) in changes {
            end = end.max(if *place == end { end.checked_add(1)? } else { end });
            if *place >= end || !is_ascending {
                return None;
            }
        }

        // From here on nothing can fail.
        self.length = length;
        let mut rest = changes;
        let (mut start, mut depth) = (0_u64, 0_u32);
        let mut part = 0_usize;
        while let Some((first, _)) = rest.first() {
            let room = if self.is_progressive { 1_u64.checked_shl(depth) } else { None }.unwrap_or(u64::MAX);
            let after = start.saturating_add(room);
            if *first < after {
                let (own, others) = rest.split_at(rest.partition_point(|(place, _)| *place < after));
                if self.parts.len() == part {
                    self.parts.push(Part::new(depth, Vec::new()));
                }
                let own = own.iter().map(|(place, leaf)| {
                    (usize::try_from(place.saturating_sub(start)).unwrap_or(usize::MAX), *leaf)
                });
                if let Some(part) = self.parts.get_mut(part) {
                    part.change(own);
                }
                rest = others;
            }
            (start, depth, part) = (after, depth.saturating_add(2), part.saturating_add(1));
        }
        Some(())
    }
}
