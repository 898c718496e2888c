//! Inputs that decoders take, to begin with: one of each kind.

use evidence::{Scheme, SecretKey};
use ledger::{Block, Genesis, Header, Opening, Proof};
use protocol::entries::Key;
use protocol::units::{Address, Digest};
use protocol::{Operation, State};
use serde_json::{Value, json};
use signing::bundle::{Bundle, Who};
use signing::{Draft, Seal, SignedOperation, json as form, seal_with};

use crate::bodies::domain;

/// An operation of each kind, with everything that can be left out and without.
fn table() -> Vec<Operation> {
    let text = include_str!("../../signing/tests/data/operations.ndjson");
    let read = |line: &str| form::operation_from_json(&serde_json::from_str::<Value>(line).ok()?).ok();
    text.lines().filter_map(read).collect()
}

pub(crate) fn operations() -> Vec<Vec<u8>> {
    table().iter().map(Operation::encode).collect()
}

pub(crate) fn operations_json() -> Vec<Vec<u8>> {
    table().iter().map(|operation| form::operation_to_json(operation).to_string().into_bytes()).collect()
}

/// Every third acts by a delegate, every second has a machine's seal beside that of a person.
fn envelopes() -> Vec<SignedOperation> {
    let envelope = |(number, operation): (u8, Operation)| {
        let delegate = (number % 3 == 0).then_some(Address([0x22; 20]));
        let draft = Draft { account: Address([number; 20]), delegate, expires: 1_792_000_000_000, operation };
        let seals: Vec<Seal> = [Scheme::Secp256k1, Scheme::Ed25519]
            .into_iter()
            .take(1 + usize::from(number % 2))
            .filter_map(|scheme| {
                let secret = SecretKey::from_seed(scheme, [7; 32]);
                seal_with(&secret, &domain(), &draft, u64::from(number))
            })
            .collect();
        draft.seal(seals)
    };
    (0..).zip(table()).map(envelope).collect()
}

pub(crate) fn signed() -> Vec<Vec<u8>> {
    envelopes().iter().map(SignedOperation::encode).collect()
}

pub(crate) fn signed_json() -> Vec<Vec<u8>> {
    envelopes().iter().map(|signed| form::signed_to_json(signed).to_string().into_bytes()).collect()
}

pub(crate) fn bundles() -> Vec<Vec<u8>> {
    let bundle = |signed: SignedOperation| {
        let secret = SecretKey::from_seed(Scheme::Secp256k1, [7; 32]);
        let asked = signed.seals.first().map(|seal| (Who::Key(secret.public_key()), seal.nonce));
        let mut bundle = Bundle::new(domain(), signed.draft(), 1, asked);
        signed.seals.into_iter().take(1).for_each(|seal| drop(bundle.add(seal)));
        bundle.to_json().to_string().into_bytes()
    };
    envelopes().into_iter().step_by(5).map(bundle).collect()
}

fn some_header() -> Header {
    Header {
        version: Header::VERSION,
        chain: Digest([1; 32]),
        height: 7,
        parent: Digest([2; 32]),
        time_ms: 1_790_000_000_000,
        operations_root: Digest([3; 32]),
        executed_height: 6,
        state_root: Digest([4; 32]),
        outbox_root: Digest([5; 32]),
        next_validators: Digest([0; 32]),
    }
}

pub(crate) fn headers() -> Vec<Vec<u8>> {
    vec![some_header().encode().to_vec()]
}

pub(crate) fn blocks() -> Vec<Vec<u8>> {
    let block = |count: usize| {
        let operations = envelopes().into_iter().take(count).collect();
        Block { header: some_header(), operations }.encode()
    };
    [0, 1, 5].into_iter().map(block).collect()
}

fn some_genesis() -> Genesis {
    let deposit = json!({ "op": "deposit", "asset": 0, "amount": "5" });
    let opening = form::operation_from_json(&deposit).ok();
    let opening = opening.map(|operation| Opening { account: Address([9; 20]), operation });
    Genesis {
        name: "seeds".to_owned(),
        chain_id: 560_048,
        custody: Address([0xcc; 20]),
        start_ms: 1_790_000_000_000,
        epoch_ms: 86_400_000,
        protocol: protocol::Genesis::development(),
        opening: opening.into_iter().collect(),
    }
}

pub(crate) fn geneses() -> Vec<Vec<u8>> {
    vec![some_genesis().to_json().into_bytes()]
}

pub(crate) fn proofs() -> Vec<Vec<u8>> {
    let digest = Digest([6; 32]);
    let entry = |value: Value| json!({ "proves": "entry", "header": some_header(), "key": "genesis", "value": value, "proof": "0x0101" });
    let operation = json!({ "proves": "operation", "header": some_header(), "id": digest, "index": 2, "count": 3, "path": [digest, digest] });
    let message = json!({
        "proves": "message", "header": some_header(), "index": 0, "count": 1, "path": [],
        "message": { "height": 5, "index": 0, "account": Address([1; 20]), "asset": 0, "amount": "7", "to": "0x01" },
    });
    let all = [entry(json!("0x00ff")), entry(Value::Null), operation, message];
    let taken = all.iter().map(|value| value.to_string().into_bytes());
    taken.filter(|bytes| Proof::from_json(bytes).is_ok()).collect()
}

/// The frozen proofs of the store: number of the key, root, value (`-`: absent), proof.
pub(crate) fn entry_proofs() -> Vec<Vec<u8>> {
    let read = |line: &str| {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let [number, root, value, proof] = parts[..] else { return None };
        let number: u64 = number.parse().ok()?;
        let mut key = [0; 32];
        let kinds = [u8::try_from(number % 3).ok()?, u8::try_from(number % 7).ok()?];
        let pattern = (0..32_u8).map(|place| match place {
            0 => kinds.first().copied().unwrap_or(0),
            1..=20 => kinds.last().copied().unwrap_or(0),
            _ => 0,
        });
        for (to, from) in key.iter_mut().zip(pattern) {
            *to = from;
        }
        for (to, from) in key.iter_mut().rev().zip(number.to_be_bytes().iter().rev()) {
            *to = *from;
        }
        let mut bytes = hex::decode(root).ok()?;
        bytes.extend_from_slice(&key);
        match hex::decode(value) {
            Ok(value) => {
                bytes.push(1);
                bytes.extend_from_slice(&u16::try_from(value.len()).ok()?.to_be_bytes());
                bytes.extend_from_slice(&value);
            }
            Err(_) => bytes.push(0),
        }
        bytes.extend_from_slice(&hex::decode(proof).ok()?);
        Some(bytes)
    };
    include_str!("../../store/src/tests/version-1.txt").lines().filter_map(read).collect()
}

/// The entries of a state in which nothing has happened.
pub(crate) fn state_entries() -> Vec<(Key, Vec<u8>)> {
    let Ok(state) = State::new(some_genesis().protocol) else { return Vec::new() };
    let entry = |key: Key| state.entry(&key).map(|bytes| (key, bytes));
    state.keys().into_iter().filter_map(entry).collect()
}

pub(crate) fn entries() -> Vec<Vec<u8>> {
    let entry = |(key, record): (Key, Vec<u8>)| [key.to_string().as_bytes(), &[0], &record].concat();
    state_entries().into_iter().map(entry).collect()
}

pub(crate) fn keys() -> Vec<Vec<u8>> {
    let texts = state_entries().into_iter().map(|(key, _)| key);
    let more =
        ["account/0x0101010101010101010101010101010101010101", "pool/3", "slash/7", "set/2", "asset/1"];
    let all: Vec<Key> = texts.chain(more.iter().filter_map(|text| text.parse().ok())).collect();
    let text = all.iter().map(|key| key.to_string().into_bytes());
    let whole = all.iter().map(|key| key.to_bytes().to_vec());
    text.chain(whole).collect()
}

pub(crate) fn key_files() -> Vec<Vec<u8>> {
    let (salt, word) = ("ab".repeat(32), "cd".repeat(32));
    let scrypt = json!({ "dklen": 32, "n": 262_144, "p": 1, "r": 8, "salt": salt });
    let pbkdf2 = json!({ "dklen": 32, "c": 262_144, "prf": "hmac-sha256", "salt": salt });
    let iv = json!({ "iv": "6087dab2f9fdbbfaddc31a909735c1e6" });
    let web3 = |kdf: &str, params: &Value| {
        json!({
            "version": 3,
            "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
            "crypto": {
                "cipher": "aes-128-ctr", "cipherparams": iv, "ciphertext": word, "kdf": kdf, "kdfparams": params, "mac": word,
            },
        })
    };
    let eip2335 = json!({
        "version": 4,
        "uuid": "64625def-3331-4eea-ab6f-782f3ed16a83",
        "path": "m/12381/60/0/0",
        "pubkey": "",
        "crypto": {
            "kdf": { "function": "pbkdf2", "params": pbkdf2, "message": "" },
            "checksum": { "function": "sha256", "params": {}, "message": word },
            "cipher": { "function": "aes-128-ctr", "params": iv, "message": word },
        },
    });
    let all = [web3("scrypt", &scrypt), web3("pbkdf2", &pbkdf2), eip2335];
    all.iter().map(|value| value.to_string().into_bytes()).collect()
}
