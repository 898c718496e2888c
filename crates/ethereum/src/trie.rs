//! The trie above the receipts of a block, built to prove one of them.

use evidence::ethereum::{Hash, keccak256};

use crate::rlp;

/// A key as digits, and its value.
type Pair<'a> = (Vec<u8>, &'a [u8]);

/// Digits of a key, from the left.
fn digits(key: &[u8]) -> Vec<u8> {
    key.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

/// The root of the trie of the values at their places 0, 1, 2 and so on, and the nodes on the way from it to the place `wanted`.
/// Nothing, if there are none.
pub(crate) fn of_places(values: &[Vec<u8>], wanted: u64) -> Option<(Hash, Vec<Vec<u8>>)> {
    let key = |place: u64| digits(&rlp::number(&place.to_be_bytes()));
    let mut pairs: Vec<Pair<'_>> =
        (0..).zip(values).map(|(place, value)| (key(place), value.as_slice())).collect();
    if pairs.is_empty() {
        return None;
    }
    pairs.sort();
    let mut way = Vec::new();
    let root = node(&pairs, 0, Some(&key(wanted)), &mut way);
    let hash = keccak256(&root);
    way.push(root);
    way.reverse();
    Some((hash, way))
}

/// The node above pairs that agree in their first `depth` digits. Nodes below it that lead to `wanted` and have a hash are
/// added to `way`, deepest first.
fn node(pairs: &[Pair<'_>], depth: usize, wanted: Option<&[u8]>, way: &mut Vec<Vec<u8>>) -> Vec<u8> {
    let (Some((first, value)), Some((last, _))) = (pairs.first(), pairs.last()) else { return vec![0x80] };
    let rest = first.get(depth..).unwrap_or_default();
    if pairs.len() == 1 {
        return rlp::list(&[rlp::bytes(&compact(rest, 2)), rlp::bytes(value)]);
    }
    // Of sorted keys, what the first and the last share is shared by all.
    let others = last.get(depth..).unwrap_or_default();
    let shared = rest.iter().zip(others).take_while(|(left, right)| left == right).count();
    if shared > 0 {
        let (common, _) = rest.split_at(shared);
        let is_on_way = wanted.filter(|key| key.get(depth..).is_some_and(|key| key.starts_with(common)));
        let below = child(pairs, depth.saturating_add(shared), is_on_way, way);
        return rlp::list(&[rlp::bytes(&compact(common, 0)), below]);
    }
    let mut items = Vec::with_capacity(17);
    for digit in 0..16_u8 {
        let has_digit = |(key, _): &&Pair<'_>| key.get(depth) == Some(&digit);
        let start = pairs.iter().take_while(|pair| !has_digit(pair)).count();
        let below = pairs.iter().skip(start).take_while(has_digit).count();
        let some = pairs.get(start..start.saturating_add(below)).unwrap_or_default();
        let is_on_way = wanted.filter(|key| key.get(depth) == Some(&digit));
        items.push(child(some, depth.saturating_add(1), is_on_way, way));
    }
    let own = if rest.is_empty() { value } else { [].as_slice() };
    items.push(rlp::bytes(own));
    rlp::list(&items)
}

/// A node in its parent: itself if it is short, else its hash.
fn child(pairs: &[Pair<'_>], depth: usize, wanted: Option<&[u8]>, way: &mut Vec<Vec<u8>>) -> Vec<u8> {
    let node = node(pairs, depth, wanted, way);
    if node.len() < 32 {
        return node;
    }
    let hash = keccak256(&node);
    if wanted.is_some() {
        way.push(node);
    }
    rlp::bytes(&hash)
}

/// Digits behind a flag, which tells a leaf and an odd number of them.
fn compact(digits: &[u8], flag: u8) -> Vec<u8> {
    let mut all = if digits.len() & 1 == 1 { vec![flag | 1] } else { vec![flag, 0] };
    all.extend_from_slice(digits);
    let (pairs, _) = all.as_chunks::<2>();
    pairs.iter().map(|[left, right]| left << 4 | right).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fixtures::{Trie, encode_number};

    #[test]
    fn roots_and_ways_are_those_of_the_definition() {
        for count in [1_u64, 2, 3, 16, 17, 127, 128, 129, 255, 256, 257, 400] {
            for size in [1, 40] {
                let value = |place: u64| {
                    fixtures::chance("value", &[place])[..size.min(32)].repeat(size.div_ceil(32))
                };
                let values: Vec<Vec<u8>> = (0..count).map(value).collect();
                let key = |place: u64| encode_number(u128::from(place));
                let expected = Trie::new(&(0..count).map(|place| (key(place), value(place))).collect());
                for wanted in (0..count).step_by(13).chain([count - 1]) {
                    let (root, way) = of_places(&values, wanted).unwrap();
                    assert_eq!(root, expected.root(), "{count} of {size}");
                    assert_eq!(way, expected.proof(&key(wanted)), "{wanted} of {count} of {size}");
                }
            }
        }
        assert!(of_places(&[], 0).is_none());
    }
}
