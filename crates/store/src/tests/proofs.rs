//! What proofs show, and that nothing else passes for one.

use std::collections::BTreeMap;

use ledger::store::{EntryProof, Store as _, StoreError};
use tempfile::tempdir;

use super::{Random, batch, digest, feed, key, model, open};
use crate::{KEY_BYTES, PROOF_BYTES_MAX, ProofError, VALUE_BYTES_MAX, verify};

fn check(proof: &EntryProof, key: &[u8; KEY_BYTES]) -> Result<(), ProofError> {
    verify(&proof.at.root, key, proof.value.as_deref(), &proof.bytes)
}

/// Stores of many sizes: empty, of one entry, with the log in every position against the chunks of the bitmap, with deleted entries.
#[test]
fn every_entry_and_every_absence_of_many_stores_is_proven() {
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    for height in 0..150 {
        store.commit(height, digest(height), batch(height)).unwrap();
        let model = model(height + 1);
        for number in (0..402).step_by(13) {
            let key = key(number);
            let proof = store.prove(&key).unwrap();
            assert_eq!(proof.value.as_ref(), model.get(&key), "entry {number} at {height}");
            assert_eq!(Some(proof.at), store.committed());
            assert_eq!(check(&proof, &key), Ok(()), "entry {number} at {height}");
        }
    }
}

#[test]
fn an_empty_store_proves_absences_and_a_fresh_one_says_that_it_is_fresh() {
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    let cause = "no height is committed yet".to_owned();
    assert_eq!(store.prove(&key(1)), Err(StoreError::Failed { doing: "proving an entry", cause }));
    store.commit(0, digest(0), Vec::new()).unwrap();
    check(&store.prove(&key(1)).unwrap(), &key(1)).unwrap();
    store.commit(1, digest(1), vec![(key(1), Some(Vec::new()))]).unwrap();
    let empty_value = store.prove(&key(1)).unwrap();
    assert_eq!(empty_value.value, Some(Vec::new()));
    check(&empty_value, &key(1)).unwrap();
    store.commit(2, digest(2), vec![(key(1), None)]).unwrap();
    check(&store.prove(&key(1)).unwrap(), &key(1)).unwrap();
}

/// A store with some entries, proofs of a present and of an absent key, and the proofs of the same keys a height earlier, when each was the other way round.
fn sample() -> BTreeMap<&'static str, (EntryProof, [u8; 32])> {
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 40);
    let (one, other) = (key(7), key(8));
    store.commit(40, digest(40), vec![(one, None), (other, Some(b"was here".to_vec()))]).unwrap();
    let earlier = [store.prove(&one).unwrap(), store.prove(&other).unwrap()];
    store.commit(41, digest(41), vec![(one, Some(b"is here".to_vec())), (other, None)]).unwrap();
    let [was_absent, was_present] = earlier;
    BTreeMap::from([
        ("present", (store.prove(&one).unwrap(), one)),
        ("absent", (store.prove(&other).unwrap(), other)),
        ("was absent", (was_absent, one)),
        ("was present", (was_present, other)),
    ])
}

#[test]
fn no_altered_byte_of_a_proof_is_accepted() {
    for (name, (proof, key)) in sample() {
        check(&proof, &key).unwrap();
        for at in 0..proof.bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut altered = proof.clone();
                altered.bytes[at] ^= flip;
                assert!(check(&altered, &key).is_err(), "{name}: byte {at} with {flip:#x}");
            }
        }
        for length in 0..proof.bytes.len() {
            let mut cut = proof.clone();
            cut.bytes.truncate(length);
            assert!(check(&cut, &key).is_err(), "{name}: cut to {length}");
        }
        let mut longer = proof.clone();
        longer.bytes.push(0);
        assert!(check(&longer, &key).is_err(), "{name}: a byte more");
    }
}

#[test]
fn a_proof_is_of_its_root_its_key_and_its_value_only() {
    let sample = sample();
    for (name, (proof, key)) in &sample {
        for at in 0..32 {
            let mut root = proof.at.root;
            root[at] ^= 1;
            assert!(
                verify(&root, key, proof.value.as_deref(), &proof.bytes).is_err(),
                "{name}: root byte {at}"
            );
            let mut other = *key;
            other[at] ^= 1;
            // A proof of absence is of the whole gap: a neighbour of its key that is absent too is proven by it.
            let accepted = verify(&proof.at.root, &other, proof.value.as_deref(), &proof.bytes).is_ok();
            assert!(!accepted || proof.value.is_none(), "{name}: key byte {at}");
        }
        for value in [&b"is her"[..], b"is here!", b"Is here", b"", b"was her"] {
            let shown = verify(&proof.at.root, key, Some(value), &proof.bytes);
            assert!(shown.is_err(), "{name}: {value:?}");
        }
    }
}

#[test]
fn what_is_there_is_never_shown_absent_nor_the_other_way_round() {
    let sample = sample();
    let root = sample["present"].0.at.root;
    let (one, other) = (sample["present"].1, sample["absent"].1);
    for (name, (proof, _)) in &sample {
        assert!(verify(&root, &one, None, &proof.bytes).is_err(), "{name}: what is there as absent");
        for value in [&b"was here"[..], b"is here", b""] {
            assert!(
                verify(&root, &other, Some(value), &proof.bytes).is_err(),
                "{name}: what is gone as there"
            );
        }
    }
    let kinds = |found, claimed| Err(ProofError::OtherKind { found, claimed });
    assert_eq!(verify(&root, &one, None, &sample["present"].0.bytes), kinds("an entry", "none"));
    assert_eq!(verify(&root, &other, Some(b""), &sample["absent"].0.bytes), kinds("an absence", "an entry"));
}

#[test]
fn a_proof_of_absence_covers_its_gap_and_neither_end_of_it() {
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    let at = |first: u8| [first; 32];
    let entries = [40, 80, 120].map(|first| (at(first), Some(vec![first])));
    store.commit(0, digest(0), entries.to_vec()).unwrap();
    for (asked, covered) in [(60, 41..=79), (100, 81..=119)] {
        let proof = store.prove(&at(asked)).unwrap();
        for first in 0..=255 {
            let shown = verify(&proof.at.root, &at(first), None, &proof.bytes).is_ok();
            assert_eq!(shown, covered.contains(&first), "{asked}: {first}");
        }
    }
    let around = store.prove(&at(3)).unwrap();
    for first in 0..=255 {
        let shown = verify(&around.at.root, &at(first), None, &around.bytes).is_ok();
        assert_eq!(shown, !(40..=120).contains(&first), "around: {first}");
    }
}

#[test]
fn hostile_bytes_are_errors_and_never_panics() {
    let sample: Vec<_> = sample().into_values().collect();
    let mut random = Random(3);
    for round in 0..20_000 {
        let (proof, key) = &sample[round % sample.len()];
        let mut bytes = proof.bytes.clone();
        for _ in 0..=random.below(4) {
            let at = usize::try_from(random.below(u64::try_from(bytes.len()).unwrap())).unwrap();
            match random.below(3) {
                0 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, 0xff),
            }
        }
        if bytes == proof.bytes {
            continue;
        }
        assert!(verify(&proof.at.root, key, proof.value.as_deref(), &bytes).is_err(), "round {round}");
    }
    for length in 0..600 {
        let bytes: Vec<u8> = (0..length).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
        for head in [[1, 1], [1, 2]] {
            let bytes = [&head[..], &bytes].concat();
            assert!(verify(&[0; 32], &key(1), None, &bytes).is_err());
            assert!(verify(&[0; 32], &key(1), Some(b""), &bytes).is_err());
        }
    }
}

#[test]
fn limits_are_told_with_both_numbers() {
    let long = vec![1; PROOF_BYTES_MAX + 1];
    let found = long.len();
    assert_eq!(verify(&[0; 32], &key(1), None, &long), Err(ProofError::TooLong { found }));
    let value = vec![0; VALUE_BYTES_MAX + 1];
    let found = value.len();
    assert_eq!(verify(&[0; 32], &key(1), Some(&value), &[1, 1]), Err(ProofError::ValueTooLong { found }));
    assert_eq!(verify(&[0; 32], &key(1), None, &[9, 1]), Err(ProofError::Version { found: 9 }));
    for bytes in [&[][..], &[1], &[1, 3], &[1, 1], &[1, 2]] {
        let error = verify(&[0; 32], &key(1), None, bytes).unwrap_err();
        assert!(!matches!(error, ProofError::Unproven), "{bytes:?}: {error}");
    }
}

#[test]
fn a_proof_next_to_the_longest_value_is_within_its_limit() {
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(0, digest(0), vec![(key(1), Some(vec![5; VALUE_BYTES_MAX]))]).unwrap();
    for number in [1, 2] {
        check(&store.prove(&key(number)).unwrap(), &key(number)).unwrap();
    }
}

#[test]
fn proofs_made_while_heights_are_committed_are_of_the_height_they_name() {
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(0, digest(0), batch(0)).unwrap();
    let reader = store.clone();
    let asking = std::thread::spawn(move || {
        let mut heights = Vec::new();
        for number in 0..300 {
            let key = key(number);
            let proof = reader.prove(&key).unwrap();
            check(&proof, &key).unwrap();
            assert_eq!(reader.root_at(proof.at.height), Some(proof.at.root));
            assert_eq!(
                proof.value.as_ref(),
                model(proof.at.height + 1).get(&key),
                "height {}",
                proof.at.height
            );
            heights.push(proof.at.height);
        }
        assert!(heights.is_sorted());
    });
    feed(&mut store, 120);
    asking.join().unwrap();
}

/// The bytes of version 1. Another version of the library that gives others needs another number, and a way from the old to the new.
#[test]
fn the_root_and_the_proofs_of_version_1_are_these() {
    let folder = tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 3);
    let entries = model(3);
    let present = (0..400).find(|number| entries.contains_key(&key(*number))).unwrap();
    let absent = (0..400).find(|number| !entries.contains_key(&key(*number))).unwrap();
    let lines: Vec<String> = [present, absent]
        .map(|number| {
            let proof = store.prove(&key(number)).unwrap();
            let value = proof.value.as_ref().map_or("none".to_owned(), |value| hex(value));
            format!("{number} {} {value} {}\n", hex(&proof.at.root), hex(&proof.bytes))
        })
        .into();
    assert_eq!(lines.concat(), include_str!("version-1.txt"));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
