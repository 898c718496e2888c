//! SSZ as far as states need it: what an object looks like, and the root of its tree while its bytes pass by.
//!
//! Nothing is kept of what was read but one hash for each level of the tree, so the longest list needs no memory of its own.
//!
//! Source: consensus-specs at a08d8a6e, `ssz/simple-serialize.md`; EIP-7916 and EIP-7495 for what is progressive.

mod merkle;

use std::io::Read;

use evidence::ethereum::{Hash, pair};

pub(crate) use self::merkle::{Merkle, chunk_of};

/// What an object looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// A number or a flag of so many bytes: several stand in one leaf of a list.
    Basic(u64),
    /// So many bytes, or the bytes of a vector of bits.
    Bytes(u64),
    /// So many items.
    Vector(&'static Self, u64),
    /// At most so many items.
    List(&'static Self, u64),
    /// Any number of items, in a progressive tree.
    ProgressiveList(&'static Self),
    /// Fields.
    Container(&'static [Self]),
    /// Fields of which all are active, in a progressive tree.
    ProgressiveContainer(&'static [Self]),
}

/// Bytes of an offset.
const OFFSET: u64 = 4;
/// Bytes of a leaf.
const LEAF: u64 = 32;

/// Why bytes are not the object that they should be.
#[derive(Debug, thiserror::Error)]
pub enum SszFault {
    /// The bytes can't be read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The bytes are fewer or more than the object has.
    #[error("has {actual} bytes instead of {expected}")]
    Length {
        /// How many there should be, at least.
        expected: u64,
        /// How many there are.
        actual: u64,
    },
    /// An offset does not point behind what stands before it.
    #[error("offset {actual} of field {field} is not from {least} to {most}")]
    Offset {
        /// The field, from 0.
        field: usize,
        /// The least that it may be.
        least: u64,
        /// The most.
        most: u64,
        /// What it is.
        actual: u64,
    },
    /// The bytes of a list are not a number of whole items.
    #[error("{bytes} bytes are not a number of items of {item} bytes")]
    Items {
        /// Bytes of the list.
        bytes: u64,
        /// Bytes of an item.
        item: u64,
    },
    /// A list has more items than it has room for.
    #[error("{items} items are more than {limit}")]
    TooMany {
        /// Items.
        items: u64,
        /// Room.
        limit: u64,
    },
    /// A flag of a validator is neither 0 nor 1.
    #[error("validator {index} is neither slashed nor not slashed")]
    Validator {
        /// Its place in the list.
        index: u64,
    },
    /// Something is wrong inside a field.
    #[error("{field}: {fault}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What is wrong.
        fault: Box<Self>,
    },
}

impl Shape {
    /// How many bytes it has. `None`: that depends on its content.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::Basic(bytes) | Self::Bytes(bytes) => Some(*bytes),
            Self::Vector(item, count) => item.size()?.checked_mul(*count),
            Self::List(..) | Self::ProgressiveList(_) => None,
            Self::Container(fields) | Self::ProgressiveContainer(fields) => {
                fields.iter().try_fold(0_u64, |all, field| all.checked_add(field.size()?))
            }
        }
    }

    /// Leaves of `count` items of this shape.
    fn leaves(&self, count: u64) -> u64 {
        match self {
            Self::Basic(bytes) => bytes.saturating_mul(count).div_ceil(LEAF),
            _ => count,
        }
    }
}

/// Depth of the balanced tree with room for so many leaves.
fn depth_of(leaves: u64) -> u32 {
    leaves.checked_next_power_of_two().map_or(u64::BITS, u64::ilog2)
}

/// The root of an object of `length` bytes, of which every one is read.
///
/// # Errors
/// [`SszFault`], at the first that is found.
pub(crate) fn root(shape: &Shape, source: &mut dyn Read, length: u64) -> Result<Hash, SszFault> {
    if let Some(expected) = shape.size().filter(|expected| *expected != length) {
        return Err(SszFault::Length { expected, actual: length });
    }
    match shape {
        Shape::Basic(bytes) | Shape::Bytes(bytes) => {
            let mut merkle = Merkle::balanced(depth_of(bytes.div_ceil(LEAF)));
            chunks(&mut merkle, source, length)?;
            Ok(merkle.root())
        }
        Shape::Vector(item, count) => {
            let mut merkle = Merkle::balanced(depth_of(item.leaves(*count)));
            items(&mut merkle, item, source, length)?;
            Ok(merkle.root())
        }
        Shape::List(item, limit) => {
            let mut merkle = Merkle::balanced(depth_of(item.leaves(*limit)));
            let count = count(item, length, *limit)?;
            items(&mut merkle, item, source, length)?;
            Ok(pair(&merkle.root(), &chunk_of(count)))
        }
        Shape::ProgressiveList(item) => {
            let mut merkle = Merkle::progressive();
            let count = count(item, length, u64::MAX)?;
            items(&mut merkle, item, source, length)?;
            Ok(pair(&merkle.root(), &chunk_of(count)))
        }
        Shape::Container(inner) => {
            let roots =
                fields(inner, source, length, &mut |_, shape, source, length| root(shape, source, length))?;
            let mut merkle = Merkle::balanced(depth_of(u64::try_from(inner.len()).unwrap_or(u64::MAX)));
            roots.into_iter().for_each(|root| merkle.push(root));
            Ok(merkle.root())
        }
        Shape::ProgressiveContainer(inner) => {
            let roots =
                fields(inner, source, length, &mut |_, shape, source, length| root(shape, source, length))?;
            let mut merkle = Merkle::progressive();
            roots.into_iter().for_each(|root| merkle.push(root));
            Ok(pair(&merkle.root(), &active(inner.len())))
        }
    }
}

/// The leaf that says that the first `count` fields are active.
pub(crate) fn active(count: usize) -> Hash {
    let mut leaf = [0; 32];
    for (place, byte) in leaf.iter_mut().enumerate() {
        let bits = count.saturating_sub(place.saturating_mul(8)).min(8);
        *byte = u8::try_from((1_u16 << bits).saturating_sub(1)).unwrap_or(u8::MAX);
    }
    leaf
}

/// How many items of a fixed size there are in so many bytes.
///
/// # Errors
/// [`SszFault::Items`], [`SszFault::TooMany`]
pub(crate) fn count(item: &Shape, bytes: u64, limit: u64) -> Result<u64, SszFault> {
    let size = item.size().unwrap_or_default();
    if bytes.checked_rem(size) != Some(0) {
        return Err(SszFault::Items { bytes, item: size });
    }
    let items = bytes.checked_div(size).unwrap_or_default();
    if items > limit {
        return Err(SszFault::TooMany { items, limit });
    }
    Ok(items)
}

/// The leaves of items of a fixed size.
fn items(merkle: &mut Merkle, item: &Shape, source: &mut dyn Read, length: u64) -> Result<(), SszFault> {
    if let Shape::Basic(_) = item {
        return chunks(merkle, source, length);
    }
    let size = item.size().unwrap_or_default();
    let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
    for _ in 0..length.checked_div(size).unwrap_or_default() {
        source.read_exact(&mut bytes)?;
        merkle.push(root(item, &mut bytes.as_slice(), size)?);
    }
    Ok(())
}

/// Bytes as leaves, the last one filled up with zeros.
fn chunks(merkle: &mut Merkle, source: &mut dyn Read, length: u64) -> Result<(), SszFault> {
    let mut left = length;
    while left > 0 {
        let taken = left.min(LEAF);
        let mut leaf = [0; 32];
        let (front, _) = leaf.split_at_mut(usize::try_from(taken).unwrap_or_default());
        source.read_exact(front)?;
        merkle.push(leaf);
        left = left.saturating_sub(taken);
    }
    Ok(())
}

/// What computes the root of a field: its place, its shape, its bytes and how many they are.
pub(crate) type Visit<'a> = dyn FnMut(usize, &Shape, &mut dyn Read, u64) -> Result<Hash, SszFault> + 'a;

/// The roots of the fields of an object, each as `visit` gives it. The fields of no fixed size come after all others,
/// in their order, so the bytes are read once, from front to end.
///
/// # Errors
/// [`SszFault`], at the first that is found.
pub(crate) fn fields(
    shapes: &[Shape],
    source: &mut dyn Read,
    length: u64,
    visit: &mut Visit<'_>,
) -> Result<Vec<Hash>, SszFault> {
    let front = shapes.iter().fold(0_u64, |all, shape| all.saturating_add(shape.size().unwrap_or(OFFSET)));
    if length < front {
        return Err(SszFault::Length { expected: front, actual: length });
    }
    let mut roots = vec![[0; 32]; shapes.len()];
    let mut offsets: Vec<(usize, u64)> = Vec::new();
    for (place, shape) in shapes.iter().enumerate() {
        if let Some(size) = shape.size() {
            put(&mut roots, place, visit(place, shape, source, size)?);
            continue;
        }
        let mut offset = [0; 4];
        source.read_exact(&mut offset)?;
        let actual = u64::from(u32::from_le_bytes(offset));
        let (least, most) = match offsets.last() {
            None => (front, front),
            Some((_, before)) => (*before, length),
        };
        if !(least..=most).contains(&actual) {
            return Err(SszFault::Offset { field: place, least, most, actual });
        }
        offsets.push((place, actual));
    }
    if offsets.is_empty() && length != front {
        return Err(SszFault::Length { expected: front, actual: length });
    }
    let ends: Vec<u64> = offsets.iter().skip(1).map(|(_, start)| *start).chain([length]).collect();
    for ((place, start), end) in offsets.into_iter().zip(ends) {
        let Some(shape) = shapes.get(place) else { continue };
        put(&mut roots, place, visit(place, shape, source, end.saturating_sub(start))?);
    }
    Ok(roots)
}

fn put(roots: &mut [Hash], place: usize, root: Hash) {
    if let Some(known) = roots.get_mut(place) {
        *known = root;
    }
}
