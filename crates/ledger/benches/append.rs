//! How fast blocks become durable and executed, against bare signature recovery.
//!
//! `append/N`: blocks of N signed delegations and deposits, verified before, through [`Ledger::append`] on a real disk with a store that only hashes.
//! `recover`: what a core needs to find out who signed, for comparison. `open`: reading and checking a journal.

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use evidence::{Scheme, SecretKey};
use ledger::files::DiskFiles;
use ledger::store::{Committed, EntryProof, Store, StoreError, Write};
use ledger::{Genesis, Ledger, Opening, Options, Verified};
use protocol::units::Address;
use sha2::{Digest, Sha256};
use signing::{Draft, NEVER, SignedOperation, seal_with};

const START_MS: u64 = 1_790_000_000_000;

/// A store that hashes what it is given, and keeps nothing.
#[derive(Default)]
struct Hashing(Option<Committed>);

impl Store for Hashing {
    fn committed(&self) -> Option<Committed> {
        self.0
    }
    fn durable(&self) -> Option<u64> {
        None
    }
    fn commit(&mut self, height: u64, digest: [u8; 32], writes: Vec<Write>) -> Result<[u8; 32], StoreError> {
        let mut hash = Sha256::new();
        for (key, value) in &writes {
            hash.update(key);
            hash.update(value.as_deref().unwrap_or_default());
        }
        let root = hash.finalize().into();
        self.0 = Some(Committed { height, digest, root });
        Ok(root)
    }
    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
    fn root_at(&self, _: u64) -> Option<[u8; 32]> {
        None
    }
    fn get(&self, _: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }
    fn prove(&self, _: &[u8; 32]) -> Result<EntryProof, StoreError> {
        Err(StoreError::Closed { cause: "it keeps nothing".to_owned() })
    }
    fn entries(
        &self,
        _: &mut dyn FnMut([u8; 32], Vec<u8>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        Ok(())
    }
    fn reset(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("append-{name}"));
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
        _ => folder,
    }
}

fn operation(text: &str) -> protocol::Operation {
    signing::json::operation_from_json(&serde_json::from_str(text).expect("JSON")).expect("an operation")
}

/// A ledger with one asset, one operator and its pool.
fn genesis() -> Genesis {
    let governor = Address([0xa1; 20]);
    let opening = [
        r#"{"op":"list_asset","origin":{"chain":1,"contract":""},"decimals":18}"#,
        r#"{"op":"register_operator"}"#,
    ];
    let opening = opening.map(|text| Opening { account: governor, operation: operation(text) }).to_vec();
    Genesis {
        name: "bench".to_owned(),
        chain_id: 1,
        custody: Address([0xcc; 20]),
        start_ms: START_MS,
        epoch_ms: 86_400_000,
        protocol: protocol::Genesis::development(),
        opening,
    }
}

struct Signer {
    secret: SecretKey,
    account: Address,
}

fn signers(count: u32) -> Vec<Signer> {
    let signer = |number: u32| {
        let mut seed = [1; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        let secret = SecretKey::from_seed(Scheme::Secp256k1, seed);
        let account = Address(evidence::address_of(&secret.public_key()).expect("a key with an address"));
        Signer { secret, account }
    };
    (0..count).map(signer).collect()
}

/// Signed deposits: each an operation of another account.
fn signed(genesis: &Genesis, signers: &[Signer], nonce: u64) -> Vec<SignedOperation> {
    let domain = genesis.domain();
    let sign = |signer: &Signer| {
        let operation = operation(r#"{"op":"deposit","asset":0,"amount":"1000000"}"#);
        let draft = Draft { account: signer.account, delegate: None, expires: NEVER, operation };
        let seal = seal_with(&signer.secret, &domain, &draft, nonce).expect("a key that seals");
        draft.seal(vec![seal])
    };
    signers.iter().map(sign).collect()
}

fn bench(criterion: &mut Criterion) {
    let genesis = genesis();
    let domain = genesis.domain();
    let people = signers(10_000);
    let mut nonce = START_MS;
    let mut group = criterion.benchmark_group("append");
    group.sample_size(10);
    for size in [1usize, 100, 1000, 10_000] {
        let files = DiskFiles::open(&folder(&size.to_string())).expect("a folder");
        Ledger::init(&files, &genesis).expect("begun");
        let opened = Ledger::open(Arc::new(files), Box::new(Hashing::default()), Options::default());
        let mut ledger = opened.expect("opened");
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(size.to_string(), |bencher| {
            let make = || {
                nonce += 1;
                let all = signed(&genesis, &people[..size], nonce);
                all.into_iter()
                    .map(|one| Verified::check_signed(&domain, one).expect("signed"))
                    .collect::<Vec<_>>()
            };
            bencher.iter_batched(
                make,
                |block| black_box(ledger.append(block, START_MS + 1).expect("appended")),
                BatchSize::PerIteration,
            );
        });
        let head = ledger.head();
        let last = ledger.reader().executed(head.header.height).expect("read").expect("there");
        let is_applied =
            |receipt: &ledger::Receipt| matches!(receipt.outcome, ledger::Outcome::Applied { .. });
        assert!(last.receipts.iter().all(is_applied), "{:?}", last.receipts.first());
        ledger.close().expect("closed");
    }
    group.finish();
    let mut group = criterion.benchmark_group("recover");
    let all = signed(&genesis, &people[..100], START_MS);
    group.throughput(Throughput::Elements(100));
    group.bench_function("verify on one core", |bencher| {
        bencher.iter(|| {
            for one in &all {
                black_box(signing::verify(&domain, one).expect("signed"));
            }
        });
    });
    let bytes: Vec<Vec<u8>> = all.iter().map(SignedOperation::encode).collect();
    group.bench_function("decode and verify on one core", |bencher| {
        bencher.iter(|| {
            for one in &bytes {
                black_box(Verified::check(&domain, one.clone()).expect("signed"));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
