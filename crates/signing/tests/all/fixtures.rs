//! What the tests share: a table of operations, a domain, keys, and dice.

use evidence::{PublicKey, Scheme, SecretKey};
use protocol::Operation;
use protocol::units::Address;
use serde_json::Value;
use signing::{Domain, Draft, Seal, json, seal_with};

/// The secret that the wallet of the vectors has: the bytes 1 to 32.
pub(crate) const WALLET: &str = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";

/// Every operation of the table as JSON. It has every kind, with everything that can be left out and without.
pub(crate) fn table() -> Vec<Value> {
    let text = include_str!("../data/operations.ndjson");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

pub(crate) fn operations() -> Vec<Operation> {
    table().iter().map(|value| json::operation_from_json(value).expect("the table has operations")).collect()
}

pub(crate) fn domain() -> Domain {
    Domain { chain_id: 1, custody: Address([0xc5; 20]), ledger: "main:0a1b2c3d".to_owned() }
}

/// A draft of the account `0x11…`.
pub(crate) fn draft(operation: Operation) -> Draft {
    Draft { account: Address([0x11; 20]), delegate: None, expires: 1_792_000_000_000, operation }
}

pub(crate) fn secret(scheme: Scheme, number: u8) -> SecretKey {
    SecretKey::from_seed(scheme, [number; 32])
}

pub(crate) fn wallet() -> SecretKey {
    let bytes = hex::decode(WALLET).expect("hex digits");
    SecretKey::from_bytes(Scheme::Secp256k1, &bytes.try_into().expect("32 bytes")).expect("a scalar")
}

/// One seal each by a secp256k1 and an ed25519 key, and the keys.
pub(crate) fn seals(draft: &Draft, nonce: u64) -> Vec<(PublicKey, Seal)> {
    [Scheme::Secp256k1, Scheme::Ed25519]
        .into_iter()
        .map(|scheme| {
            let secret = secret(scheme, 7);
            let seal = seal_with(&secret, &domain(), draft, nonce).expect("the scheme seals");
            (secret.public_key(), seal)
        })
        .collect()
}

/// A small deterministic generator (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).expect("small");
        usize::try_from(self.next() % bound).expect("small")
    }
}

/// Compares a text with the file of that name beside the tests, or writes it there when `SURETY_BLESS` is set.
pub(crate) fn golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    if std::env::var_os("SURETY_BLESS").is_some() {
        std::fs::write(&path, text).expect("the file can be written");
    }
    let frozen = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (found, expected)) in text.lines().zip(frozen.lines()).enumerate() {
        assert_eq!(found, expected, "line {} of {name} (SURETY_BLESS=1 writes it)", number + 1);
    }
    assert_eq!(text.lines().count(), frozen.lines().count(), "lines of {name} (SURETY_BLESS=1 writes it)");
}

/// Every operation that differs from `operation` in one leaf of its JSON, with the path of the leaf.
pub(crate) fn altered(operation: &Value) -> Vec<(String, Value)> {
    let mut paths = Vec::new();
    leaves(operation, String::new(), &mut paths);
    let mut altered = Vec::new();
    for path in paths.into_iter().filter(|path| path != "/op") {
        let mut copy = operation.clone();
        let leaf = copy.pointer_mut(&path).expect("a leaf");
        *leaf = match leaf {
            Value::Bool(is) => Value::Bool(!*is),
            Value::Number(number) => (number.as_u64().expect("a whole number") + 1).into(),
            Value::String(text) => other_text(text).into(),
            _ => continue,
        };
        altered.push((path, copy));
    }
    altered
}

fn leaves(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| leaves(field, format!("{path}/{name}"), paths));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| leaves(item, format!("{path}/{at}"), paths));
        }
        _ => paths.push(path),
    }
}

/// The last character changed, such that numbers stay numbers.
fn other_text(text: &str) -> String {
    let mut other = text.to_owned();
    match other.pop() {
        Some('1') => other.push('2'),
        Some(last) if last.is_ascii_hexdigit() => other.push('1'),
        Some(last) => other.extend([last, 'x']),
        None => other.push_str("0x01"),
    }
    other
}
