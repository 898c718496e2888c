//! What it costs to believe something of Ethereum, on one thread and on a chain of our own, each beside a crate that does the part of it that
//! takes the time.
//!
//! `cargo bench -p evidence --bench ethereum`; with `--features baselines` also beside `alloy-trie` and `hashtree-rs`, which
//! nothing else here needs.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

mod lists;

use std::hint::black_box;

use blst::min_pk;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use evidence::ethereum::{
    BalanceLeaf, Bytes, Execution, Finalized, Hash, HeaderBytes, LightClient, Limited, Opening, Question,
    ReceiptProof, SharedBranches, StateNodes, Update, ValidatorClaim, ValidatorsProof, arrange_state,
    keccak256,
};
use fixtures::{Block, Contents, Told, World, chance, encode_bytes, encode_list, encode_number};
use sha2::{Digest as _, Sha256};

/// A slot under Fulu.
const SLOT: u64 = 3 * 8192 + 640;
/// Validators in a proof at most.
const MANY: u64 = 8192;

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// A state of 2.25 million validators, of which these are known.
struct Known {
    contents: Contents,
    block: Block,
    header: Finalized,
}

impl Known {
    fn new(world: &World, indices: impl Iterator<Item = u64>) -> Self {
        let mut contents = world.contents(SLOT, [0; 32], 0);
        let like = contents.validators.values().next().expect("there are some").clone();
        contents.balances = indices.map(|index| (index, 32_000_000_000 + index)).collect();
        let numbered = |index: &u64| {
            let mut validator = like.clone();
            validator.key_root = chance("key", &[*index]);
            (*index, validator)
        };
        contents.validators = contents.balances.keys().map(numbered).collect();
        let block = Block::new(&contents);
        let header = serde_json::from_str(&block.finalized_text()).expect("a header");
        Self { contents, block, header }
    }

    /// All that are known, in one proof.
    fn proof(&self, with_balances: bool) -> ValidatorsProof {
        let fork = self.block.fork;
        let place = |index: &u64| fork.validator(*index).expect("the list has room").get();
        let mut places: Vec<u64> = self.contents.validators.keys().map(place).collect();
        let mut chunks: Vec<u64> = self.contents.validators.keys().map(|index| index / 4).collect();
        chunks.dedup();
        chunks.truncate(if with_balances { chunks.len() } else { 0 });
        let chunks: Vec<u64> =
            chunks.into_iter().map(|chunk| fork.balances(chunk).expect("the list has room").get()).collect();
        places.extend(&chunks);
        let leaves = chunks.iter().map(|chunk| BalanceLeaf::new(self.block.state.at(*chunk).root()));
        let claims = self.contents.validators.iter();
        let claims =
            claims.map(|(index, validator)| ValidatorClaim { index: *index, validator: validator.clone() });
        ValidatorsProof {
            validators: Limited::new(claims.collect()).expect("not too many"),
            balances: Limited::new(leaves.collect()).expect("not too many"),
            siblings: SharedBranches::new(self.block.state.shared(&places)).expect("not too many"),
        }
    }
}

/// One validator's way up, by the general function of a crate that is audited and fast: seven hashes of its fields, then one for each
/// sibling.
fn branch_by_sha2(fields: &[Hash; 8], siblings: &[Hash]) -> Hash {
    let pair = |left: &Hash, right: &Hash| -> Hash {
        Sha256::new().chain_update(left).chain_update(right).finalize().into()
    };
    let mut level = fields.to_vec();
    while level.len() > 1 {
        level = level.chunks(2).map(|both| pair(&both[0], &both[1])).collect();
    }
    siblings.iter().fold(level[0], |hash, sibling| pair(&hash, sibling))
}

fn validators(c: &mut Criterion) {
    let world = World::new(8);
    let alone = Known::new(&world, std::iter::once(1_000_000));
    let mut group = c.benchmark_group("validator");
    group.throughput(Throughput::Elements(1));
    for (name, with_balances) in [("alone", false), ("alone, with its balance", true)] {
        let proof = alone.proof(with_balances);
        group.bench_function(name, |b| {
            b.iter(|| black_box(alone.header.validators(black_box(&proof))).expect("a proof"));
        });
    }
    let siblings = alone.proof(false).siblings.siblings().to_vec();
    let fields: [Hash; 8] =
        std::array::from_fn(|field| chance("field", &[u64::try_from(field).unwrap_or(0)]));
    group.bench_function("baseline: its 54 hashes by sha2", |b| {
        b.iter(|| branch_by_sha2(black_box(&fields), black_box(&siblings)));
    });
    group.throughput(Throughput::Elements(MANY)).sample_size(20);
    let spread = 2_250_000 / MANY;
    let cases = [("neighbours", 1, 1_000_000), ("scattered", spread, 0)];
    for (name, step, start) in cases {
        let many = Known::new(&world, (0..MANY).map(|number| start + number * step));
        for (with_balances, balances) in [(false, ""), (true, ", with their balances")] {
            let proof = many.proof(with_balances);
            group.bench_function(format!("8192 {name}{balances}"), |b| {
                b.iter(|| black_box(many.header.validators(black_box(&proof))).expect("a proof"));
            });
        }
    }
    group.finish();
}

fn light_client(c: &mut Criterion) {
    let world = World::new(8);
    let (trusted, bootstrap) = world.bootstrap(64);
    let client = LightClient::new(world.chain(), &trusted, bootstrap.clone()).expect("a bootstrap");
    let told = Told { signers: 512, ..Told::finality(640) };
    let finality = world.update(told);
    let mut group = c.benchmark_group("light client");
    group.sample_size(50);
    let take = |client: &LightClient, update: &Update| {
        let mut client = client.clone();
        client.update(world.chain(), update, u64::MAX).expect("an update");
        client
    };
    group.bench_function("finality update, 512 signers", |b| b.iter(|| take(&client, black_box(&finality))));

    let keys = world.committee(0).public().public_keys().iter();
    let keys: Vec<min_pk::PublicKey> =
        keys.map(|key| min_pk::PublicKey::uncompress(key).expect("a key")).collect();
    let keys: Vec<&min_pk::PublicKey> = keys.iter().collect();
    let message = world.signing_root(&finality.attested.root(), told.signed);
    group.bench_function("baseline: its signature by blst", |b| {
        b.iter(|| {
            let signature = min_pk::Signature::uncompress(black_box(&finality.signature)).expect("a point");
            let domain = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
            let verified = signature.fast_aggregate_verify(true, &message, domain, &keys);
            assert_eq!(verified, blst::BLST_ERROR::BLST_SUCCESS);
        });
    });

    // From bytes, since a committee remembers that its keys are points.
    let update = world.update(Told { signers: 512, ..Told::committee(640) });
    let bytes = postcard::to_stdvec(&update).expect("it is written");
    group.bench_function("update with the next committee, from bytes", |b| {
        b.iter(|| take(&client, &postcard::from_bytes(black_box(&bytes)).expect("it was written")));
    });
    let bytes = postcard::to_stdvec(&bootstrap).expect("it is written");
    group.bench_function("bootstrap, from bytes", |b| {
        b.iter(|| {
            let bootstrap = postcard::from_bytes(black_box(&bytes)).expect("it was written");
            LightClient::new(world.chain(), &trusted, bootstrap).expect("a bootstrap")
        });
    });
    let compressed = world.committee(1).public().public_keys();
    group.bench_function("baseline: 512 keys uncompressed and validated by blst", |b| {
        b.iter(|| {
            for key in black_box(compressed) {
                black_box(min_pk::PublicKey::key_validate(key)).expect("a key");
            }
        });
    });
    group.finish();
}

/// An account as deep as those of mainnet in 2024: seven full branches, two of three children, and the leaf; about 4 KB.
struct Deep {
    address: [u8; 20],
    account: Vec<u8>,
    nodes: Vec<Vec<u8>>,
    root: Hash,
}

impl Deep {
    fn new() -> Self {
        let address = [0xc5; 20];
        let fields = [encode_number(346_165), encode_number(0)];
        let roots = [chance("storage", &[]), chance("code", &[])].map(|hash| encode_bytes(&hash));
        let account = encode_list(&[fields, roots].concat());
        let key = keccak256(&address);
        let digits: Vec<u8> = key.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect();
        // 55 digits are left: an odd number, and a leaf.
        let rest: Vec<u8> = [&[3], &digits[9..]].concat();
        let rest: Vec<u8> = rest.chunks(2).map(|both| both[0] << 4 | both[1]).collect();
        let mut nodes = vec![encode_list(&[encode_bytes(&rest), encode_bytes(&account)])];
        for depth in (0..9).rev() {
            let below = keccak256(nodes.last().expect("the leaf"));
            let digit = digits[depth];
            let child = |place: u8| match place {
                _ if place == digit => encode_bytes(&below),
                _ if depth < 7 || place.wrapping_sub(digit) & 15 < 3 => {
                    encode_bytes(&chance("child", &[u64::from(place), u64::from(digit)]))
                }
                _ => encode_bytes(&[]),
            };
            let children: Vec<Vec<u8>> = (0..16).map(child).chain([encode_bytes(&[])]).collect();
            nodes.push(encode_list(&children));
        }
        nodes.reverse();
        let root = keccak256(&nodes[0]);
        Self { address, account, nodes, root }
    }

    fn execution(&self) -> Execution {
        let zero = hex(&[0; 32]);
        let text = format!(
            r#"{{"hash":"{zero}","parent_hash":"{zero}","state_root":"{}","receipts_root":"{zero}","number":1,"timestamp":1}}"#,
            hex(&self.root)
        );
        serde_json::from_str(&text).expect("a block")
    }
}

#[cfg(feature = "baselines")]
fn account_by_alloy(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    deep: &Deep,
) {
    let nodes: Vec<_> = deep.nodes.iter().map(|node| node.clone().into()).collect();
    group.bench_function("baseline: the same by alloy-trie", |b| {
        b.iter(|| {
            let key = alloy_trie::Nibbles::unpack(keccak256(black_box(&deep.address)));
            alloy_trie::proof::verify_proof(deep.root.into(), key, Some(deep.account.clone()), &nodes)
                .expect("a proof");
        });
    });
}

#[cfg(not(feature = "baselines"))]
fn account_by_alloy(_: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, deep: &Deep) {
    let _beside_nothing = &deep.account;
}

fn tries(c: &mut Criterion) {
    let mut group = c.benchmark_group("trie");
    let deep = Deep::new();
    let execution = deep.execution();
    let question = [Question { address: deep.address, slots: Vec::new() }];
    let nodes: StateNodes =
        arrange_state(&deep.root, &question, &deep.nodes).expect("a proof").expect("not too many");
    group.throughput(Throughput::Elements(1));
    group.bench_function("account, 10 nodes", |b| {
        b.iter(|| black_box(execution.state(black_box(&question), &nodes)).expect("a proof"));
    });
    group.bench_function("baseline: Keccak-256 of the 10 nodes by sha3", |b| {
        b.iter(|| {
            for node in &deep.nodes {
                black_box(keccak256(black_box(node)));
            }
        });
    });
    account_by_alloy(&mut group, &deep);

    let world = World::new(8);
    let block = world.block(SLOT, 0);
    let header: Finalized = serde_json::from_str(&block.finalized_text()).expect("a header");
    let Opening::Header(bytes) = block.opening() else { panic!("a header") };
    group.bench_function("opening an execution block by its header", |b| {
        b.iter_batched(
            || Opening::Header(HeaderBytes::clone(&bytes)),
            |opening| black_box(header.open(&opening)).expect("its header"),
            BatchSize::SmallInput,
        );
    });
    let execution = header.open(&block.opening()).expect("its header");
    let nodes = world.receipts().proof(&encode_number(150));
    let nodes = nodes.iter().map(|node| Bytes::new(node).expect("a short node")).collect();
    let receipt = ReceiptProof { index: 150, nodes: Limited::new(nodes).expect("few nodes") };
    group.bench_function("receipt of a block with 200", |b| {
        b.iter(|| black_box(execution.receipt(black_box(&receipt))).expect("a proof"));
    });
    group.finish();
}

criterion_group!(benches, validators, light_client, tries, lists::lists);
criterion_main!(benches);
