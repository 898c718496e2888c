//! The tree of a state: its fields, and below two of them the trees of the long lists.

use std::collections::BTreeMap;

use evidence::ethereum::{Fork, GeneralizedIndex, Hash, ListTree, pair};

use super::layout::{EXPECTED_WITHDRAWALS, is_progressive};
use crate::ssz::active;

/// The nodes of a state that proofs can need.
pub(super) struct StateTree {
    /// Leaves of the tree above the fields, those that fill it up included, by their index.
    leaves: BTreeMap<u64, Hash>,
    lists: [(GeneralizedIndex, ListTree); 2],
    has_withdrawals: bool,
}

impl StateTree {
    /// The tree above these fields. The caller knows that the two of the lists are their roots.
    pub(super) fn new(fork: Fork, fields: Vec<Hash>, validators: ListTree, balances: ListTree) -> Self {
        let leaves = if is_progressive(fork) { progressive(&fields) } else { balanced(&fields) };
        // Between the first item of a list and its root stand its depth and the step beside the length.
        let above = |at: Option<GeneralizedIndex>, depth: u32| {
            let depth = if is_progressive(fork) { 1 } else { depth };
            let root = at.map_or(0, GeneralizedIndex::get) >> depth.saturating_add(1);
            GeneralizedIndex::new(root).unwrap_or(GeneralizedIndex::ROOT)
        };
        let lists = [(above(fork.validator(0), 40), validators), (above(fork.balances(0), 38), balances)];
        Self { leaves, lists, has_withdrawals: is_progressive(fork) }
    }

    /// Where the list of withdrawals under way stands, and its root, in forks whose states have one.
    pub(super) fn withdrawals(&self) -> Option<(GeneralizedIndex, Hash)> {
        let place = u64::try_from(EXPECTED_WITHDRAWALS).ok()?;
        let at = GeneralizedIndex::ROOT.leaf(1, 0)?.progressive_leaf(place)?;
        let root = self.leaves.get(&at.get()).filter(|_| self.has_withdrawals)?;
        Some((at, *root))
    }

    /// The node at an index of the state, whose root is 1. `None` where none is known.
    pub(super) fn node(&self, index: GeneralizedIndex) -> Option<Hash> {
        for (root, list) in &self.lists {
            if root.is_above(index) {
                let depth = index.depth().saturating_sub(root.depth());
                let within = 1_u64.checked_shl(depth)?;
                return list.node(GeneralizedIndex::new(within | (index.get() & within.saturating_sub(1)))?);
            }
        }
        self.field(index.get())
    }

    /// A node of the tree above the fields.
    fn field(&self, index: u64) -> Option<Hash> {
        if let Some(leaf) = self.leaves.get(&index) {
            return Some(*leaf);
        }
        let left = index.checked_mul(2)?;
        // Below the leaves nothing is known, and no tree of fields is deeper than twenty.
        if index >> 20 != 0 {
            return None;
        }
        Some(pair(&self.field(left)?, &self.field(left.saturating_add(1))?))
    }
}

fn balanced(fields: &[Hash]) -> BTreeMap<u64, Hash> {
    let room = fields.len().next_power_of_two();
    let first = u64::try_from(room).unwrap_or(u64::MAX);
    let filled = fields.iter().copied().chain(std::iter::repeat([0; 32])).take(room);
    (first..).zip(filled).collect()
}

/// Beside the active fields stands a chain of subtrees of 1, 4, 16 leaves and so on, which ends in a zero.
fn progressive(fields: &[Hash]) -> BTreeMap<u64, Hash> {
    let mut leaves = BTreeMap::from([(3, active(fields.len()))]);
    let (mut node, mut room, mut rest) = (2_u64, 1_u64, fields);
    while !rest.is_empty() {
        let here = rest.split_at(rest.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
        let first = node.saturating_mul(2).saturating_mul(room);
        let filled = here.0.iter().copied().chain(std::iter::repeat([0; 32]));
        leaves.extend((first..first.saturating_add(room)).zip(filled));
        node = node.saturating_mul(2).saturating_add(1);
        (room, rest) = (room.saturating_mul(4), here.1);
    }
    leaves.insert(node, [0; 32]);
    leaves
}
