//! Merkle proofs against a root: of one leaf, and of many that share their siblings.
//!
//! A proof says nothing about *where*: the generalized index comes from the layout of the fork, never from whoever
//! submits. So a branch proves exactly one place, and a leaf can't be passed off as a node.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Hash, hash::pair, index::GeneralizedIndex, wire::Hashes};

/// Siblings in one branch at most. No index has more than 63 nodes above it.
pub const BRANCH_MAX: usize = 63;
/// Leaves of one shared proof at most.
pub const LEAVES_MAX: usize = 1 << 14;
/// Siblings of a shared proof at most. Sixteen thousand leaves, scattered over the largest registry, need half of it.
pub const SHARED_MAX: usize = 1 << 19;

/// The siblings of one leaf, from the leaf up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Branch(Hashes<BRANCH_MAX>);

impl Branch {
    /// The branch with these siblings, from the leaf up. `None` if they are more than [`BRANCH_MAX`].
    pub fn new(siblings: Vec<Hash>) -> Option<Self> {
        Hashes::new(siblings).map(Self)
    }

    /// The siblings, from the leaf up.
    pub fn siblings(&self) -> &[Hash] {
        self.0.as_slice()
    }

    /// The root that follows from `leaf` at `index`.
    ///
    /// # Refuses
    /// [`ProofError::Siblings`].
    pub fn root(&self, leaf: &Hash, index: GeneralizedIndex) -> Result<Hash, ProofError> {
        let expected = usize::try_from(index.depth()).unwrap_or(usize::MAX);
        let actual = self.siblings().len();
        if expected != actual {
            return Err(ProofError::Siblings { expected, actual });
        }
        let mut hash = *leaf;
        let mut node = index.get();
        for sibling in self.siblings() {
            hash = if node & 1 == 1 { pair(sibling, &hash) } else { pair(&hash, sibling) };
            node >>= 1;
        }
        Ok(hash)
    }

    /// Verifies that `leaf` stands at `index` of the tree with this root.
    ///
    /// # Refuses
    /// 1. [`ProofError::Siblings`]
    /// 2. [`ProofError::Root`]
    pub fn verify(&self, leaf: &Hash, index: GeneralizedIndex, root: &Hash) -> Result<(), ProofError> {
        same(root, &self.root(leaf, index)?)
    }
}

/// The siblings that many leaves need together, each once.
///
/// They stand in the order in which the verifier asks for them: it takes the leaves from left to right, climbs from each
/// as far as it can, and takes a sibling wherever that is neither known nor to come. So the same leaves have exactly
/// one proof.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SharedBranches(Hashes<SHARED_MAX>);

impl SharedBranches {
    /// The proof with these siblings in the verifier's order. `None` if they are more than [`SHARED_MAX`].
    pub fn new(siblings: Vec<Hash>) -> Option<Self> {
        Hashes::new(siblings).map(Self)
    }

    /// The siblings in the verifier's order.
    pub fn siblings(&self) -> &[Hash] {
        self.0.as_slice()
    }

    /// Joins the proofs of single leaves, which stand from left to right, into one.
    ///
    /// # Refuses
    /// 1. [`ProofError::Siblings`], of the first branch that does not fit its leaf
    /// 2. As [`SharedBranches::verify`] does for missing siblings and wrong orders; whether all lead to one root is not
    ///    asked.
    pub fn join(leaves: &[(GeneralizedIndex, Hash, Branch)]) -> Result<Self, ProofError> {
        let mut nodes = BTreeMap::new();
        for (index, leaf, branch) in leaves {
            branch.root(leaf, *index)?;
            let mut node = *index;
            for sibling in branch.siblings() {
                nodes.extend(node.sibling().map(|beside| (beside.get(), *sibling)));
                node = node.parent().unwrap_or(GeneralizedIndex::ROOT);
            }
        }
        let leaves: Vec<_> = leaves.iter().map(|(index, leaf, _)| (*index, *leaf)).collect();
        Self::gather(&leaves, |node| nodes.get(&node.get()).copied())
    }

    /// Gathers the siblings that these leaves need, from where every node can be had.
    ///
    /// # Refuses
    /// 1. As [`SharedBranches::verify`], but for the root
    /// 2. [`ProofError::Siblings`]: they are more than [`SHARED_MAX`]
    pub fn gather(
        leaves: &[(GeneralizedIndex, Hash)],
        mut node_at: impl FnMut(GeneralizedIndex) -> Option<Hash>,
    ) -> Result<Self, ProofError> {
        check_order(leaves)?;
        let mut order = Vec::new();
        climb(leaves, |node| {
            let hash = node_at(node);
            order.extend(hash);
            hash
        })?;
        let actual = order.len();
        Self::new(order).ok_or(ProofError::Siblings { expected: SHARED_MAX, actual })
    }

    /// Verifies that each of `leaves` stands at its index of the tree with this root.
    ///
    /// The leaves stand from left to right, and none above another.
    ///
    /// # Refuses
    /// 1. [`ProofError::NoLeaves`], [`ProofError::TooManyLeaves`]
    /// 2. [`ProofError::Order`], at the first pair that stands wrongly
    /// 3. [`ProofError::Missing`]: the siblings end too early
    /// 4. [`ProofError::Unused`]: some are left over
    /// 5. [`ProofError::Root`]
    pub fn verify(&self, leaves: &[(GeneralizedIndex, Hash)], root: &Hash) -> Result<(), ProofError> {
        if leaves.len() > LEAVES_MAX {
            return Err(ProofError::TooManyLeaves { limit: LEAVES_MAX, actual: leaves.len() });
        }
        check_order(leaves)?;
        let mut siblings = self.siblings().iter();
        let found = climb(leaves, |_| siblings.next().copied())?;
        match siblings.len() {
            0 => same(root, &found),
            left => Err(ProofError::Unused { left }),
        }
    }
}

/// Each stands left of the next, and not above it.
fn check_order(leaves: &[(GeneralizedIndex, Hash)]) -> Result<(), ProofError> {
    let pairs = leaves.iter().zip(leaves.iter().skip(1));
    for (place, ((left, _), (right, _))) in pairs.enumerate() {
        let is_ordered = align(*left) < align(*right) && !left.is_above(*right) && !right.is_above(*left);
        if !is_ordered {
            return Err(ProofError::Order { place, left: *left, right: *right });
        }
    }
    Ok(())
}

/// The path from the root as a fraction, so that what stands further left is less.
fn align(index: GeneralizedIndex) -> u64 {
    let path = index.get() ^ (1_u64 << index.depth());
    path.checked_shl(u64::BITS.saturating_sub(index.depth())).unwrap_or_default()
}

/// The root that follows from `leaves` and the siblings that they lack.
///
/// `waiting` holds left children whose right siblings are above leaves to come.
fn climb(
    leaves: &[(GeneralizedIndex, Hash)],
    mut sibling_at: impl FnMut(GeneralizedIndex) -> Option<Hash>,
) -> Result<Hash, ProofError> {
    let mut waiting: Vec<(GeneralizedIndex, Hash)> = Vec::new();
    let mut leaves = leaves.iter().peekable();
    while let Some((index, leaf)) = leaves.next() {
        let (mut node, mut hash) = (*index, *leaf);
        while let (Some(parent), Some(beside)) = (node.parent(), node.sibling()) {
            if !node.is_right() && leaves.peek().is_some_and(|(next, _)| beside.is_above(*next)) {
                waiting.push((node, hash));
                break;
            }
            hash = match waiting.pop_if(|(known, _)| *known == beside) {
                Some((_, left)) => pair(&left, &hash),
                None => {
                    let sibling = sibling_at(beside).ok_or(ProofError::Missing { node: beside })?;
                    if node.is_right() { pair(&sibling, &hash) } else { pair(&hash, &sibling) }
                }
            };
            node = parent;
        }
        if node == GeneralizedIndex::ROOT {
            return Ok(hash);
        }
    }
    Err(ProofError::NoLeaves)
}

fn same(expected: &Hash, actual: &Hash) -> Result<(), ProofError> {
    if expected == actual {
        return Ok(());
    }
    Err(ProofError::Root { expected: *expected, actual: *actual })
}

/// Why a proof does not lead to the root. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// The branch of one leaf is too short or too long for its place.
    Siblings {
        /// Nodes above the leaf.
        expected: usize,
        /// Siblings given.
        actual: usize,
    },
    /// More leaves than one proof may have.
    TooManyLeaves {
        /// [`LEAVES_MAX`].
        limit: usize,
        /// Leaves given.
        actual: usize,
    },
    /// Two leaves that follow each other do not stand from left to right, or one stands above the other.
    Order {
        /// Place of the first of them among the leaves, from 0.
        place: usize,
        /// Where the first stands.
        left: GeneralizedIndex,
        /// Where the second stands.
        right: GeneralizedIndex,
    },
    /// There is nothing to prove.
    NoLeaves,
    /// The siblings end before the root is reached.
    Missing {
        /// Where the sibling stands that is needed next.
        node: GeneralizedIndex,
    },
    /// Siblings are left over.
    Unused {
        /// How many.
        left: usize,
    },
    /// The proof leads to another root.
    Root {
        /// The root to be reached.
        expected: Hash,
        /// The root that was reached.
        actual: Hash,
    },
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Siblings { expected, actual } => {
                write!(f, "branch has {actual} siblings instead of {expected}")
            }
            Self::TooManyLeaves { limit, actual } => {
                write!(f, "proof has {actual} leaves, more than {limit}")
            }
            Self::Order { place, left, right } => {
                write!(f, "leaf {place} at {left} does not stand left of the next at {right}")
            }
            Self::NoLeaves => write!(f, "proof has no leaves"),
            Self::Missing { node } => write!(f, "proof has no sibling for node {node}"),
            Self::Unused { left } => write!(f, "{left} siblings of the proof are left over"),
            Self::Root { expected, actual } => {
                write!(f, "proof leads to 0x{} instead of 0x{}", hex::encode(actual), hex::encode(expected))
            }
        }
    }
}

impl std::error::Error for ProofError {}

#[cfg(test)]
mod tests;
