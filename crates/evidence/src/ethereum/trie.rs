//! Merkle-Patricia tries: what stands at a key, or that nothing does.
//!
//! Many keys share one list of nodes. Each node stands in it once, in the order in which the walks first need it, so that
//! the same keys have exactly one proof, and every node is hashed once. A walk takes at least one digit of the key at
//! each node, and so ends after at most 65 of them.
//!
//! Source: yellow paper, appendix D.

use std::collections::BTreeMap;
use std::fmt;

use super::hash::keccak256;
use super::rlp::{self, Item, List, RlpError};
use super::{Hash, hash};

/// The root of a trie without keys: the Keccak-256 of the RLP of nothing.
pub(super) const EMPTY_ROOT: Hash = [
    0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b,
    0x48, 0xe0, 0x1b, 0x99, 0x6c, 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21,
];

/// The nodes of a proof, as walks use them up.
pub(super) struct Nodes<'a> {
    given: Given<'a>,
    /// Those that a walk has needed, by their hash.
    known: BTreeMap<Hash, &'a [u8]>,
    /// The same, in the order in which they were needed first; of unordered nodes only.
    order: Vec<&'a [u8]>,
}

/// Nodes that no walk has needed so far.
enum Given<'a> {
    /// In the order in which walks will need them.
    Ordered(std::vec::IntoIter<&'a [u8]>),
    /// In no order.
    Bag(BTreeMap<Hash, &'a [u8]>),
}

impl<'a> Nodes<'a> {
    /// The nodes of a proof.
    pub(super) fn new(nodes: impl Iterator<Item = &'a [u8]>) -> Self {
        let nodes: Vec<&[u8]> = nodes.collect();
        Self { given: Given::Ordered(nodes.into_iter()), known: BTreeMap::new(), order: Vec::new() }
    }

    /// Nodes for which walks shall find the order. See [`Nodes::into_order`].
    pub(super) fn unordered(nodes: impl Iterator<Item = &'a [u8]>) -> Self {
        let bag = nodes.map(|node| (keccak256(node), node)).collect();
        Self { given: Given::Bag(bag), known: BTreeMap::new(), order: Vec::new() }
    }

    /// The value at `key` in the trie with this root, or that there is none.
    ///
    /// # Refuses
    /// [`TrieError`], at the first node that is missing or wrong.
    pub(super) fn find(&mut self, root: &Hash, key: &[u8]) -> Result<Option<&'a [u8]>, TrieError> {
        if *root == EMPTY_ROOT {
            return Ok(None);
        }
        let mut path = Nibbles::new(key);
        let mut node = rlp::only(self.node(root)?).and_then(Item::list).map_err(TrieError::Malformed)?;
        loop {
            let child = match Node::read(node).map_err(TrieError::Malformed)? {
                Node::Leaf { rest, value } => {
                    return Ok((path.take(rest) && path.is_empty()).then_some(value));
                }
                Node::Extension { rest, .. } if !path.take(rest) => return Ok(None),
                Node::Extension { child, .. } => child,
                Node::Branch { children, value } => match path.next() {
                    Some(digit) => children.child(digit).map_err(TrieError::Malformed)?,
                    None => return Ok((!value.is_empty()).then_some(value)),
                },
            };
            node = match child {
                Item::List(inline) => inline,
                Item::Bytes([]) => return Ok(None),
                Item::Bytes(reference) => {
                    let expected = hash::DIGEST_LENGTH;
                    let wrong = RlpError::Length { expected, actual: reference.len() };
                    let hash = reference.try_into().map_err(|_| TrieError::Malformed(wrong))?;
                    rlp::only(self.node(hash)?).and_then(Item::list).map_err(TrieError::Malformed)?
                }
            };
        }
    }

    /// The node with this hash: one that is known, or the next.
    fn node(&mut self, hash: &Hash) -> Result<&'a [u8], TrieError> {
        if let Some(node) = self.known.get(hash) {
            return Ok(node);
        }
        let node = match &mut self.given {
            Given::Ordered(nodes) => {
                let node = nodes.next().ok_or(TrieError::Missing { node: *hash })?;
                let actual = keccak256(node);
                if actual != *hash {
                    return Err(TrieError::Hash { expected: *hash, actual });
                }
                node
            }
            Given::Bag(nodes) => {
                let node = nodes.get(hash).ok_or(TrieError::Missing { node: *hash })?;
                self.order.push(node);
                node
            }
        };
        self.known.insert(*hash, node);
        Ok(node)
    }

    /// That every node of a proof was needed.
    pub(super) fn end(self) -> Result<(), TrieError> {
        match self.given {
            Given::Ordered(nodes) if nodes.len() > 0 => Err(TrieError::Unused { left: nodes.len() }),
            Given::Ordered(_) | Given::Bag(_) => Ok(()),
        }
    }

    /// Of unordered nodes, those that were needed, in the order in which they were.
    pub(super) fn into_order(self) -> Vec<&'a [u8]> {
        self.order
    }
}

/// A node, as far as a walk needs it.
enum Node<'a> {
    Leaf { rest: Compact<'a>, value: &'a [u8] },
    Extension { rest: Compact<'a>, child: Item<'a> },
    Branch { children: Children<'a>, value: &'a [u8] },
}

impl<'a> Node<'a> {
    /// A node has 2 items or 17. The path of a two-item node tells whether it is a leaf.
    fn read(mut list: List<'a>) -> Result<Self, RlpError> {
        let children = Children(list);
        let (first, second) = (list.next()?, list.next()?);
        if list.is_empty() {
            let rest = Compact::read(first.bytes()?)?;
            return match rest.is_leaf {
                true => Ok(Self::Leaf { rest, value: second.bytes()? }),
                false if rest.is_empty() => Err(RlpError::NotCanonical),
                false => Ok(Self::Extension { rest, child: second }),
            };
        }
        for _ in 2..16 {
            list.next()?;
        }
        let value = list.next()?.bytes()?;
        list.end()?;
        Ok(Self::Branch { children, value })
    }
}

/// The first sixteen items of a branch.
struct Children<'a>(List<'a>);

impl<'a> Children<'a> {
    fn child(self, digit: u8) -> Result<Item<'a>, RlpError> {
        let mut list = self.0;
        for _ in 0..digit {
            list.next()?;
        }
        list.next()
    }
}

/// The digits of a key, from the left.
#[derive(Clone, Copy)]
struct Nibbles<'a> {
    key: &'a [u8],
    /// Whether the left digit of the first byte is taken.
    is_half: bool,
}

impl<'a> Nibbles<'a> {
    fn new(key: &'a [u8]) -> Self {
        Self { key, is_half: false }
    }

    fn next(&mut self) -> Option<u8> {
        let (byte, rest) = self.key.split_first()?;
        if self.is_half {
            (self.key, self.is_half) = (rest, false);
            return Some(byte & 15);
        }
        self.is_half = true;
        Some(byte >> 4)
    }

    fn is_empty(&self) -> bool {
        self.key.is_empty()
    }

    /// Takes these digits, if they come next.
    fn take(&mut self, mut other: Compact<'_>) -> bool {
        while let Some(digit) = other.digits.next() {
            if self.next() != Some(digit) {
                return false;
            }
        }
        true
    }
}

/// Digits behind a flag: leaf or extension, an odd or an even number of them.
#[derive(Clone, Copy)]
struct Compact<'a> {
    is_leaf: bool,
    digits: Nibbles<'a>,
}

impl<'a> Compact<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, RlpError> {
        let mut digits = Nibbles::new(bytes);
        let flag = digits.next().ok_or(RlpError::Short)?;
        let is_odd = flag & 1 == 1;
        if flag > 3 || (!is_odd && digits.next() != Some(0)) {
            return Err(RlpError::NotCanonical);
        }
        Ok(Self { is_leaf: flag & 2 == 2, digits })
    }

    fn is_empty(&self) -> bool {
        self.digits.is_empty()
    }
}

/// Why a proof does not tell what stands at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrieError {
    /// The nodes end before the key does.
    Missing {
        /// Hash of the node that is needed next.
        node: Hash,
    },
    /// The next node is not the one that is needed.
    Hash {
        /// Hash of the node that is needed.
        expected: Hash,
        /// Hash of the node given.
        actual: Hash,
    },
    /// A node of the trie is not a node: the root is of something else.
    Malformed(RlpError),
    /// Nodes are left over.
    Unused {
        /// How many.
        left: usize,
    },
}

impl fmt::Display for TrieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { node } => write!(f, "proof has no trie node 0x{}", hex::encode(node)),
            Self::Hash { expected, actual } => write!(
                f,
                "trie node has hash 0x{} instead of 0x{}",
                hex::encode(actual),
                hex::encode(expected)
            ),
            Self::Malformed(error) => write!(f, "trie node: {error}"),
            Self::Unused { left } => write!(f, "{left} trie nodes of the proof are left over"),
        }
    }
}

impl std::error::Error for TrieError {}
