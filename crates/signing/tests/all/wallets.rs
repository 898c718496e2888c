//! Signatures by an implementation that is not ours: ethers, from npm.
//!
//! The vectors beside the tests were made by it, and are checked everywhere. Where Node.js is, it signs here and now as well; without
//! Node.js, or without its packages, that test says so and does nothing, unless `SURETY_NEEDS_NODE` is set.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use evidence::address_of;
use protocol::Signer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use signing::{Draft, Seal, Signature, signing_hash, typed_data, verify};

use crate::fixtures::{WALLET, domain, draft, golden, operations, wallet};

const NONCE: u64 = 1_791_999_999_999;

/// What the script writes for a line of typed data.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    hash: String,
    signature: String,
    address: String,
    #[serde(rename = "publicKey")]
    public_key: String,
}

/// A line of the vectors.
#[derive(Debug, Serialize, Deserialize)]
struct Vector {
    op: String,
    hash: String,
    signature: String,
}

fn drafts() -> Vec<Draft> {
    operations().into_iter().map(draft).collect()
}

fn bytes<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    hex::decode(text.trim_start_matches("0x")).expect("hex digits").try_into().expect("the right length")
}

/// Who signed a draft, if this is a signature.
fn signers(draft: &Draft, signature: &str) -> Option<Signer> {
    let seal = Seal { nonce: NONCE, signature: Signature::Secp256k1(bytes(signature)) };
    verify(&domain(), &draft.clone().seal(vec![seal])).ok().map(|authority| authority.signer)
}

fn by_wallet() -> Option<Signer> {
    let key = wallet().public_key();
    Some(Signer::Keys(vec![protocol::KeyUse::new(key, NONCE)]))
}

#[test]
fn the_vectors_of_ethers_are_accepted() {
    let vectors = include_str!("../data/ethers.ndjson");
    let drafts = drafts();
    assert_eq!(vectors.lines().count(), drafts.len());
    for (line, draft) in vectors.lines().zip(&drafts) {
        let vector: Vector = serde_json::from_str(line).unwrap();
        assert_eq!(vector.op, draft.operation.kind().name());
        assert_eq!(
            vector.hash,
            format!("0x{}", hex::encode(signing_hash(&domain(), draft, NONCE))),
            "{line}"
        );
        assert_eq!(signers(draft, &vector.signature), by_wallet(), "{line}");
    }
}

#[test]
fn ethers_signs_every_kind_and_no_altered_field() {
    let Some(script) = script() else { return };
    let drafts = drafts();
    let data: Vec<Value> = drafts.iter().map(|draft| typed_data(&domain(), draft, NONCE)).collect();
    let answers = ask(&script, &data);
    let mut vectors = String::new();
    for ((draft, answer), data) in drafts.iter().zip(&answers).zip(&data) {
        let op = draft.operation.kind().name().to_owned();
        assert_eq!(
            answer.hash,
            format!("0x{}", hex::encode(signing_hash(&domain(), draft, NONCE))),
            "{data:#}"
        );
        assert_eq!(signers(draft, &answer.signature), by_wallet(), "{op}");
        let key = wallet().public_key();
        assert_eq!(answer.public_key, format!("0x{}", hex::encode(key.as_bytes())));
        assert_eq!(answer.address, format!("0x{}", hex::encode(address_of(&key).unwrap())));
        let vector = Vector { op, hash: answer.hash.clone(), signature: answer.signature.clone() };
        writeln!(vectors, "{}", serde_json::to_string(&vector).unwrap()).unwrap();
    }
    // Deterministic by RFC 6979.
    golden("ethers.ndjson", &vectors);

    let altered: Vec<(usize, String, Value)> =
        data.iter().enumerate().flat_map(|(at, data)| altered_fields(at, data)).collect();
    assert!(altered.len() > 10 * data.len(), "{} fields were altered", altered.len());
    let lines: Vec<Value> = altered.iter().map(|(_, _, data)| data.clone()).collect();
    for ((at, field, _), answer) in altered.iter().zip(ask(&script, &lines)) {
        let draft = &drafts[*at];
        assert_ne!(signers(draft, &answer.signature), by_wallet(), "{field} of {}", draft.operation.kind());
    }
}

/// The typed data with one field of its message or domain altered, or with a field renamed or of another type.
fn altered_fields(at: usize, data: &Value) -> Vec<(usize, String, Value)> {
    let mut all = Vec::new();
    let primary = data["primaryType"].as_str().unwrap();
    for part in ["message", "domain"] {
        for (name, value) in data[part].as_object().unwrap() {
            let mut copy = data.clone();
            copy[part][name] = match value {
                Value::Number(number) => json!(number.as_u64().unwrap() + 1),
                Value::String(text) => json!(other(text)),
                other => panic!("{other} in typed data"),
            };
            all.push((at, format!("{part}.{name}"), copy));
        }
    }
    let fields = data["types"][primary].as_array().unwrap();
    let number = fields.len() - 2;
    let name = fields[number]["name"].as_str().unwrap();
    let renamed = if name == "nonce" { "sequence" } else { "nonce" };
    let mut copy = data.clone();
    copy["types"][primary][number]["name"] = json!(renamed);
    copy["message"][renamed] = copy["message"][name].clone();
    copy["message"].as_object_mut().unwrap().remove(name);
    all.push((at, format!("{name} called {renamed}"), copy));
    let mut copy = data.clone();
    copy["types"][primary][number]["type"] = json!("uint256");
    all.push((at, format!("{name} of another type"), copy));
    all
}

/// Another text of the same type.
fn other(text: &str) -> String {
    let mut other = text.to_owned();
    match other.pop() {
        Some('1') => other.push('2'),
        // 2^256 - 1 has no successor.
        Some('5') if text.len() == 78 => other.push('4'),
        _ => other.push('1'),
    }
    other
}

/// The script with its packages, if Node.js and they can be had.
fn script() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ethers");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ethers");
    std::fs::create_dir_all(&folder).expect("the target folder is ours");
    for file in ["package.json", "package-lock.json", "sign.mjs"] {
        std::fs::copy(source.join(file), folder.join(file)).expect("the target folder is ours");
    }
    let runs = |command: &mut Command| {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let why = if !runs(Command::new("node").arg("--version")) {
        "there is no Node.js"
    } else if !is_installed(&folder)
        && !runs(
            Command::new("npm")
                .args([
                    "ci",
                    "--ignore-scripts",
                    "--no-audit",
                    "--no-fund",
                    "--prefer-offline",
                    "--fetch-retries=0",
                    "--fetch-timeout=30000",
                ])
                .current_dir(&folder),
        )
    {
        "npm ci fails"
    } else {
        return Some(folder.join("sign.mjs"));
    };
    assert!(std::env::var_os("SURETY_NEEDS_NODE").is_none(), "{why}, and SURETY_NEEDS_NODE is set");
    let line =
        format!("skipped, as {why}: ethers signs nothing here; its vectors are checked all the same\n");
    std::io::stderr().write_all(line.as_bytes()).expect("stderr takes a line");
    None
}

/// Whether the packages of the lock file are there.
fn is_installed(folder: &Path) -> bool {
    let read = |path: PathBuf| -> Option<Value> { serde_json::from_slice(&std::fs::read(path).ok()?).ok() };
    let lock = read(folder.join("package-lock.json"));
    let wanted = lock.and_then(|lock| lock.pointer("/packages/node_modules~1ethers/version").cloned());
    let found =
        read(folder.join("node_modules/ethers/package.json")).map(|package| package["version"].clone());
    wanted.is_some() && wanted == found
}

fn ask(script: &Path, data: &[Value]) -> Vec<Answer> {
    let mut child = Command::new("node")
        .arg(script)
        .arg(format!("0x{WALLET}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Node.js runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    let lines: String = data.iter().map(|data| format!("{data}\n")).collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("Node.js ends");
    writer.join().expect("the writer ends").expect("Node.js reads everything");
    assert!(output.status.success(), "the script fails: its own words stand above");
    let answers: Vec<Answer> = String::from_utf8(output.stdout)
        .expect("lines of JSON")
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert_eq!(answers.len(), data.len());
    answers
}
