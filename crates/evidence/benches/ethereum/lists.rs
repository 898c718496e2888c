//! The tree above a million validators.

use std::hint::black_box;

use criterion::{BatchSize, Criterion};
use evidence::ethereum::{Fork, Hash, ListTree, VALIDATOR_BYTES, Validator};
use fixtures::chance;

const COUNT: u64 = 1_000_000;
/// Changes before a new root is asked for.
const CHANGES: u64 = 1000;

/// A registry as a state holds it.
fn registry() -> Vec<u8> {
    let mut registry = Vec::new();
    for index in 0..COUNT {
        let (first, second) = (chance("key", &[index]), chance("credentials", &[index]));
        let numbers = [32_000_000_000, 1, 2, u64::MAX, u64::MAX].map(u64::to_le_bytes);
        registry.extend([&first[..], &second[..16], &second[..]].concat());
        registry.extend([&numbers[0][..], &[0], &numbers[1..].concat()].concat());
    }
    registry
}

fn read(registry: &[u8], index: u64) -> Validator {
    let place = usize::try_from(index).expect("a million") * VALIDATOR_BYTES;
    let bytes = registry[place..].first_chunk().expect("the registry has so many");
    Validator::from_ssz(bytes).expect("none has another flag")
}

fn tree(registry: &[u8]) -> ListTree {
    let roots = (0..COUNT).map(|index| read(registry, index).root()).collect();
    ListTree::of_validators(Fork::Fulu, roots)
}

/// The same root by `hashtree-rs`, which hashes many pairs at once: sixteen thousand validators at a time, so that their fields stay in the
/// processor's cache.
#[cfg(feature = "baselines")]
fn by_hashtree(registry: &[u8]) -> Hash {
    fn halve(chunks: &[u8]) -> Vec<u8> {
        let mut above = vec![0; chunks.len() / 2];
        hashtree_rs::hash(&mut above, chunks, chunks.len() / 64);
        above
    }
    let mut level = Vec::new();
    for some in registry.chunks(VALIDATOR_BYTES << 14) {
        let keys: Vec<u8> =
            some.chunks(VALIDATOR_BYTES).flat_map(|one| [&one[..48], &[0; 16]].concat()).collect();
        let keys = halve(&keys);
        let mut fields = vec![0; some.len() / VALIDATOR_BYTES * 256];
        let validators = some.chunks(VALIDATOR_BYTES).zip(keys.chunks(32));
        for (to, (one, key)) in fields.chunks_mut(256).zip(validators) {
            to[..32].copy_from_slice(key);
            to[32..64].copy_from_slice(&one[48..80]);
            to[64..72].copy_from_slice(&one[80..88]);
            to[96] = one[88];
            for (field, number) in one[89..].chunks(8).enumerate() {
                to[128 + 32 * field..136 + 32 * field].copy_from_slice(number);
            }
        }
        level.extend(halve(&halve(&halve(&fields))));
    }
    let mut zero: Hash = [0; 32];
    for _ in 0..40 {
        if level.len() % 64 == 32 {
            level.extend(zero);
        }
        level = halve(&level);
        zero = evidence::ethereum::pair(&zero, &zero);
    }
    let mut length = [0; 32];
    length[..8].copy_from_slice(&COUNT.to_le_bytes());
    evidence::ethereum::pair(level.first_chunk().expect("a root"), &length)
}

pub(super) fn lists(c: &mut Criterion) {
    let registry = registry();
    let first = tree(&registry);
    let mut group = c.benchmark_group("1000000 validators");
    group.sample_size(10);
    group.bench_function("first root, from the bytes of a state", |b| {
        b.iter(|| black_box(tree(black_box(&registry))).root());
    });
    #[cfg(feature = "baselines")]
    {
        hashtree_rs::init();
        assert_eq!(by_hashtree(&registry), first.root());
        group.bench_function("baseline: the same by hashtree-rs", |b| {
            b.iter(|| by_hashtree(black_box(&registry)))
        });
    }
    let changed = (0..CHANGES).map(|number| number * (COUNT / CHANGES));
    let changed: Vec<(u64, Validator)> = changed
        .map(|index| {
            let validator = read(&registry, index);
            (index, Validator { effective_balance: 31_000_000_000, ..validator })
        })
        .collect();
    group.sample_size(20);
    group.bench_function("root after 1000 changes", |b| {
        b.iter_batched_ref(
            || first.clone(),
            |tree| {
                let leaves: Vec<(u64, Hash)> =
                    changed.iter().map(|(index, validator)| (*index, validator.root())).collect();
                tree.change(black_box(&leaves), COUNT).expect("places in order");
                tree.root()
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}
