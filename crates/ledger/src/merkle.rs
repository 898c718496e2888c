//! Merkle trees as in RFC 6962: leaves and nodes are hashed with different first bytes, and a tree of any size has one shape.
//!
//! `leaf = H(0x00 | data)`, `node = H(0x01 | left | right)`, the tree of nothing is `H()`. Operations use SHA-256, the outbox Keccak-256, so that
//! contracts check it cheaply. It does not say how many leaves there are: a proof that does not fit the number fails.

use protocol::units::Digest;
use sha2::Digest as Hash;
use sha2::digest::consts::U32;

/// The hash of a leaf.
pub fn leaf<H: Hash<OutputSize = U32>>(data: &[u8]) -> Digest {
    Digest(H::new().chain_update([0]).chain_update(data).finalize().into())
}

fn node<H: Hash<OutputSize = U32>>(left: &Digest, right: &Digest) -> Digest {
    Digest(H::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// The next level: neighbours in pairs; the last of an odd number goes up as it is.
fn raise<H: Hash<OutputSize = U32>>(level: &mut Vec<Digest>) {
    let mut kept = 0;
    for index in (0..level.len()).step_by(2) {
        let parent = match (level.get(index), level.get(index + 1)) {
            (Some(left), Some(right)) => node::<H>(left, right),
            (Some(last), None) => *last,
            (None, _) => break,
        };
        if let Some(place) = level.get_mut(kept) {
            *place = parent;
        }
        kept += 1;
    }
    level.truncate(kept);
}

/// The root over hashes of leaves.
pub fn root<H: Hash<OutputSize = U32>>(mut leaves: Vec<Digest>) -> Digest {
    while leaves.len() > 1 {
        raise::<H>(&mut leaves);
    }
    leaves.first().copied().unwrap_or_else(|| Digest(H::new().finalize().into()))
}

/// The neighbours on the way from leaf `index` to the root; `None` if there is no such leaf.
pub fn path<H: Hash<OutputSize = U32>>(mut leaves: Vec<Digest>, mut index: usize) -> Option<Vec<Digest>> {
    leaves.get(index)?;
    let mut path = Vec::new();
    while leaves.len() > 1 {
        path.extend(leaves.get(index ^ 1));
        raise::<H>(&mut leaves);
        index >>= 1;
    }
    Some(path)
}

/// Whether `path` leads from `leaf` at `index` of `count` leaves to `root`.
pub fn verify<H: Hash<OutputSize = U32>>(
    root: &Digest,
    leaf: Digest,
    index: u64,
    count: u64,
    path: &[Digest],
) -> bool {
    if index >= count {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, count - 1, leaf);
    for neighbour in path {
        if last == 0 {
            return false;
        }
        // The last of an odd number has gone up as it was, for as many levels as it had no neighbour.
        while place == last && place & 1 == 0 {
            place >>= 1;
            last >>= 1;
            if last == 0 {
                return false;
            }
        }
        hash = if place & 1 == 1 { node::<H>(neighbour, &hash) } else { node::<H>(&hash, neighbour) };
        place >>= 1;
        last >>= 1;
    }
    // What is left may only go up as it is.
    while last > 0 && place == last && place & 1 == 0 {
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

#[cfg(test)]
mod tests {
    use sha2::Sha256;
    use sha3::Keccak256;

    use super::*;

    /// RFC 6962, section 2.1, as it is written there: split at the largest power of two below the number.
    fn defined<H: Hash<OutputSize = U32>>(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => Digest(H::new().finalize().into()),
            [one] => *one,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node::<H>(&defined::<H>(&leaves[..split]), &defined::<H>(&leaves[split..]))
            }
        }
    }

    fn leaves<H: Hash<OutputSize = U32>>(count: usize) -> Vec<Digest> {
        (0..count).map(|index| leaf::<H>(&index.to_be_bytes())).collect()
    }

    #[test]
    fn the_tree_is_that_of_the_definition() {
        for count in 0..70 {
            assert_eq!(root::<Sha256>(leaves::<Sha256>(count)), defined::<Sha256>(&leaves::<Sha256>(count)));
            let keccak = leaves::<Keccak256>(count);
            assert_eq!(root::<Keccak256>(keccak.clone()), defined::<Keccak256>(&keccak));
        }
    }

    #[test]
    fn a_path_leads_to_its_root_and_to_no_other() {
        for count in 1..40usize {
            let all = leaves::<Sha256>(count);
            let root = root::<Sha256>(all.clone());
            for index in 0..count {
                let path = path::<Sha256>(all.clone(), index).unwrap();
                let holds = |leaf, index: usize, count: usize, path: &[Digest]| {
                    verify::<Sha256>(&root, leaf, index as u64, count as u64, path)
                };
                assert!(holds(all[index], index, count, &path), "{index} of {count}");
                assert!(!holds(all[(index + 1) % count], index, count, &path) || count == 1);
                for other in (0..count + 2).filter(|other| *other != index) {
                    assert!(!holds(all[index], other, count, &path), "{index} as {other} of {count}");
                }
                let mut longer = path.clone();
                longer.push(root);
                assert!(!holds(all[index], index, count, &longer));
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!holds(all[index], index, count, &path[..shorter.len()]));
                }
                for place in 0..path.len() {
                    let mut other = path.clone();
                    other[place].0[7] ^= 1;
                    assert!(!holds(all[index], index, count, &other));
                }
            }
            assert_eq!(path::<Sha256>(all, count), None);
        }
    }
}
