//! What it costs to verify an operation, beside the bare recovery of a key in the same run.
//!
//! `cargo bench -p signing`. The last lines say how much of the bare speed is left.

#![allow(clippy::print_stdout, reason = "a measurement is printed")]
#![allow(clippy::disallowed_types, reason = "a measurement has a clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;
use evidence::{Scheme, SecretKey, recover};
use protocol::Operation;
use protocol::units::Address;
use signing::{Domain, Draft, Signature, SignedOperation, Verifier, json, seal_with, signing_hash};

/// An operation that is signed by one key.
struct Case {
    name: &'static str,
    draft: Draft,
    signed: SignedOperation,
    bytes: Vec<u8>,
}

fn domain() -> Domain {
    Domain { chain_id: 1, custody: Address([0xc5; 20]), ledger: "main:0a1b2c3d".to_owned() }
}

fn case(name: &'static str, op: &str, scheme: Scheme) -> Case {
    let table = include_str!("../tests/data/operations.ndjson");
    let mut operations =
        table.lines().map(|line| serde_json::from_str(line).expect("a line of the table is JSON"));
    let operation: Operation = operations
        .find(|value: &serde_json::Value| value["op"] == op)
        .map(|value| json::operation_from_json(&value).expect("the table has operations"))
        .expect("the table has every kind");
    let draft = Draft { account: Address([0x11; 20]), delegate: None, expires: 1_792_000_000_000, operation };
    let seal = seal_with(&SecretKey::from_seed(scheme, [1; 32]), &domain(), &draft, 7).expect("it seals");
    let signed = draft.clone().seal(vec![seal]);
    let bytes = signed.encode();
    Case { name, draft, signed, bytes }
}

/// The time of one call, the least of many runs: what the machine can do when nothing disturbs it.
fn least(mut call: impl FnMut()) -> Duration {
    const CALLS: u32 = 200;
    let run = |call: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed() / CALLS
    };
    (0..50).map(|_| run(&mut call)).min().unwrap_or_default()
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let domain = domain();
    let verifier = Verifier::new(&domain);
    let person = case("delegate", "delegate", Scheme::Secp256k1);
    let Signature::Secp256k1(signature) = person.signed.seals[0].signature else { return };
    let hash = signing_hash(&domain, &person.draft, 7);
    criterion.bench_function("bare/recover", |bench| bench.iter(|| recover(black_box(&hash), &signature)));
    for case in [
        person,
        case("withdraw", "withdraw", Scheme::Secp256k1),
        case("machine", "delegate", Scheme::Ed25519),
    ] {
        let Case { name, draft, signed, bytes } = &case;
        let mut group = criterion.benchmark_group(*name);
        group.bench_function("decode", |bench| bench.iter(|| SignedOperation::decode(black_box(bytes))));
        group.bench_function("hash", |bench| bench.iter(|| signing_hash(&domain, black_box(draft), 7)));
        group.bench_function("verify", |bench| bench.iter(|| verifier.verify(black_box(signed))));
        group.finish();
    }
    criterion.final_summary();
    compare(&case("delegate", "delegate", Scheme::Secp256k1));
}

/// Bare recovery against everything that a node does with the bytes of an operation before it is ordered.
fn compare(case: &Case) {
    let domain = domain();
    let verifier = Verifier::new(&domain);
    let hash = signing_hash(&domain, &case.draft, 7);
    let Signature::Secp256k1(signature) = case.signed.seals[0].signature else { return };
    let bare = least(|| drop(black_box(recover(black_box(&hash), &signature))));
    let whole = least(|| {
        let signed = SignedOperation::decode(black_box(&case.bytes)).expect("the bytes are canonical");
        drop(black_box((signed.id(), verifier.verify(&signed))));
    });
    let share = 100 * bare.as_nanos() / whole.as_nanos().max(1);
    println!("bare recovery {bare:?}; decode, id and verify {whole:?}; {share} % of bare speed");
}
