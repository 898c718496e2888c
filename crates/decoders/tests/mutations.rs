//! Every decoder on inputs that it takes, each changed at random: nothing panics, and what is taken has one form.
//!
//! The changes follow from a seed that a failure names. `SURETY_FUZZ_ROUNDS=n` does `n` times as many.

use std::panic::{AssertUnwindSafe, catch_unwind};

use decoders::{TARGETS, Target};

/// Changed inputs of each target.
const ROUNDS: u64 = 4_000;

/// Numbers from a seed: SplitMix64 (Steele, Lea and Flood, 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// Numbers at which decoders count wrong.
const EDGES: [u64; 8] = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX];

/// One change of a few bytes, as fuzzers make them.
fn change(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.below(bytes.len());
    match dice.below(10) {
        0..=2 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
        3 if !bytes.is_empty() => bytes[at] = dice.byte(),
        4 if !bytes.is_empty() => drop(bytes.remove(at)),
        5 => bytes.insert(at, dice.byte()),
        6 => bytes.truncate(at),
        7 => {
            let width = [1, 2, 4, 8][dice.below(4)];
            let edge = EDGES[dice.below(EDGES.len())].to_be_bytes();
            let end = (at + width).min(bytes.len());
            bytes.splice(at..end, edge[8 - width..].iter().copied());
        }
        8 => {
            // A part of another input.
            let from = dice.below(other.len());
            let to = (from + 1 + dice.below(40)).min(other.len());
            let end = (at + dice.below(40)).min(bytes.len());
            bytes.splice(at..end, other[from.min(to)..to].iter().copied());
        }
        _ => {
            // The same again.
            let end = (at + 1 + dice.below(16)).min(bytes.len());
            let part = bytes[at.min(end)..end].to_vec();
            bytes.splice(at..at, part);
        }
    }
}

fn run(target: &Target, bytes: &[u8], what: &str) -> bool {
    catch_unwind(AssertUnwindSafe(|| (target.body)(bytes))).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(bytes);
        panic!("{} panics on {what}: {} ({text:?})", target.name, hex::encode(bytes))
    })
}

#[test]
fn every_decoder_takes_its_seeds() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for (index, seed) in seeds.iter().enumerate() {
            assert!(run(&target, seed, "a seed"), "{} does not take its seed {index}", target.name);
        }
    }
}

#[test]
fn no_changed_input_makes_a_decoder_panic_or_has_two_forms() {
    let rounds = std::env::var("SURETY_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1u64);
    for target in TARGETS {
        let seeds = (target.seeds)();
        let mut refused = 0;
        for round in 0..ROUNDS * rounds {
            let mut dice = Dice(round.wrapping_mul(0x0005_deec_e66d));
            let mut bytes = seeds[dice.below(seeds.len())].clone();
            for _ in 0..=dice.below(4) {
                change(&mut bytes, &seeds[dice.below(seeds.len())], &mut dice);
            }
            refused += u64::from(!run(&target, &bytes, &format!("round {round}")));
        }
        assert!(refused > ROUNDS * rounds / 20, "{} takes almost everything: {refused} refused", target.name);
    }
}

#[test]
fn no_short_input_makes_a_decoder_panic() {
    for target in TARGETS {
        for first in 0..=u8::MAX {
            run(&target, &[first], "one byte");
            for length in [2, 3, 8, 31, 32, 33, 218, 250] {
                run(&target, &vec![first; length], "the same byte again and again");
            }
        }
        run(&target, &[], "nothing");
    }
}

/// The folder `fuzz` has a file for each of them, and no other.
#[test]
fn libfuzzer_has_every_target() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of targets")
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut expected: Vec<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    expected.sort();
    assert_eq!(found, expected);
    let manifest = include_str!("../../../fuzz/Cargo.toml");
    for name in expected {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in fuzz/Cargo.toml");
    }
}
