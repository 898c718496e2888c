//! The two hash functions: SHA-256 of pairs for the consensus layer, Keccak-256 for the execution layer.

use std::sync::LazyLock;

use sha2::{compress256, digest::generic_array::GenericArray};
use sha3::{Digest as _, Keccak256};

use super::Hash;

/// The deepest balanced tree that is merkleized here: lists of validators have room for 2^40.
pub(super) const DEPTH_MAX: usize = 64;

/// Bytes of a hash.
pub(super) const DIGEST_LENGTH: usize = 32;

/// What SHA-256 starts from. FIPS 180-4, 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The block that pads a message of 64 bytes: a one, zeros, and 512 as the number of bits.
const PADDING: [u8; 64] = {
    let mut block = [0; 64];
    block[0] = 0x80;
    block[62] = 2;
    block
};

/// SHA-256 of 64 bytes: the parent of two nodes. Two compressions without the buffer of the general function, which
/// saves an eighth of the time; the library takes the processor's SHA instructions where there are some.
pub fn pair(left: &Hash, right: &Hash) -> Hash {
    let mut block = GenericArray::<u8, _>::default();
    let (front, back) = block.split_at_mut(32);
    front.copy_from_slice(left);
    back.copy_from_slice(right);
    let mut state = INITIAL;
    compress256(&mut state, &[block, PADDING.into()]);
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

/// Keccak-256, as Ethereum uses it: with the padding from before the standard.
pub fn keccak256(bytes: &[u8]) -> Hash {
    Keccak256::digest(bytes).into()
}

static ZEROS: LazyLock<[Hash; DEPTH_MAX]> = LazyLock::new(|| {
    let mut hash = [0; 32];
    std::array::from_fn(|_| {
        let this = hash;
        hash = pair(&this, &this);
        this
    })
});

/// The root of a balanced tree of `depth` whose leaves are all zero.
///
/// # Panics
/// From depth 64 on, which no type has.
pub(super) fn zero(depth: usize) -> &'static Hash {
    ZEROS.get(depth).expect("no type is deeper than 63")
}

/// The root of a balanced tree of `depth` over `leaves`, filled up with zeros; a node above nothing but missing leaves is
/// known beforehand.
///
/// # Panics
/// If there are more leaves than the tree has room for, or as [`zero`].
pub(super) fn merkleize(leaves: &[Hash], depth: usize) -> Hash {
    let mut level: Vec<Hash> = leaves.to_vec();
    for height in 0..depth {
        level = above(&level, height);
    }
    assert!(level.len() <= 1, "more leaves than the tree has room for");
    level.first().copied().unwrap_or(*zero(depth))
}

/// The parents of a level, which is filled up with zeros of its height.
pub(super) fn above(level: &[Hash], height: usize) -> Vec<Hash> {
    let (pairs, odd) = level.as_chunks::<2>();
    let mut above = Vec::with_capacity(level.len().div_ceil(2));
    above.extend(pairs.iter().map(|[left, right]| pair(left, right)));
    above.extend(odd.iter().map(|left| pair(left, zero(height))));
    above
}

/// A root with a number mixed in: the length of a list, the active fields of a progressive container.
pub(super) fn mix_in(root: &Hash, number: u64) -> Hash {
    pair(root, &chunk_of(number))
}

/// A number as a leaf: little-endian, filled up with zeros.
pub(super) fn chunk_of(number: u64) -> Hash {
    let mut chunk = [0; 32];
    if let Some(front) = chunk.first_chunk_mut::<8>() {
        *front = number.to_le_bytes();
    }
    chunk
}

/// The root of a vector of bytes, up to 64 of them in two leaves.
pub(super) fn two_chunks(bytes: &[u8]) -> Hash {
    let mut both = [[0; 32]; 2];
    for (place, byte) in both.as_flattened_mut().iter_mut().zip(bytes) {
        *place = *byte;
    }
    let [left, right] = &both;
    pair(left, right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_the_hash_of_both() {
        let (left, right) = ([1; 32], [2; 32]);
        let expected: Hash = sha2::Sha256::digest([left, right].concat()).into();
        assert_eq!(pair(&left, &right), expected);
    }

    /// From the deposit contract, whose empty trees everybody knows.
    #[test]
    fn zeros_are_those_of_the_deposit_contract() {
        assert_eq!(hex::encode(zero(1)), "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
        assert_eq!(hex::encode(zero(2)), "db56114e00fdd4c1f85c892bf35ac9a89289aaecb1ebd0a96cde606a748b5d71");
    }

    #[test]
    fn missing_leaves_are_zeros() {
        let leaf = [7; 32];
        assert_eq!(merkleize(&[leaf], 0), leaf);
        assert_eq!(merkleize(&[], 3), *zero(3));
        let expected = pair(&pair(&leaf, &leaf), &pair(&leaf, &[0; 32]));
        assert_eq!(merkleize(&[leaf; 3], 2), expected);
        assert_eq!(merkleize(&[leaf; 3], 3), pair(&expected, zero(2)));
    }

    #[test]
    fn keccak_is_the_one_of_ethereum() {
        assert_eq!(
            hex::encode(keccak256(&[])),
            "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        );
    }
}
