//! On data of the real chain, which lies in the shared folder beside the project (or where `SURETY_SHARED` points) and is not part of it.
//! What is expected is what its README says, worked out by other programs. Without the folder the tests say that they skipped.

mod blocks;
mod cbor;
mod forms;
mod genesis;
mod light;
mod light_refusals;
mod state;
mod validators;

use std::path::PathBuf;
use std::sync::LazyLock;

use evidence::ethereum::{Chain, ExecutionClaim, Finalized, Fork, Hash, Schedule};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::mutation::is_exhaustive;

/// Every file that some test here reads.
const FILES: [&str; 22] = [
    blocks::FILES[0],
    blocks::FILES[1],
    blocks::FILES[2],
    blocks::FILES[3],
    blocks::FILES[4],
    genesis::MAINNET,
    genesis::SEPOLIA,
    light::CHANGE_BOOTSTRAP,
    light::CHANGE_UPDATE,
    light::CHANGE_NEW_PERIOD,
    light::INCLUSION_BOOTSTRAP,
    state::PROOF,
    light::INCLUSION_FINALITY,
    light::INCLUSION_UPDATE,
    cbor::CBOR,
    light::FULU,
    light::PECTRA,
    validators::DENEB[0],
    validators::DENEB[1],
    validators::DENEB[2],
    validators::DENEB[3],
    validators::ELECTRA,
];

static MAINNET: LazyLock<Chain> =
    LazyLock::new(|| Chain::mainnet(Schedule::mainnet(None), 8).expect("eight are kept"));

/// The folder, if it is there.
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("SURETY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join("data/ethereum");
    if !folder.is_dir() {
        println!("skipped: the shared folder with data of the real chain is missing");
        return None;
    }
    Some(folder)
}

/// A file. `None` without the folder; in it, all files have to be there.
fn bytes(path: &str) -> Option<Vec<u8>> {
    let path = folder()?.join(path);
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// A file of JSON.
fn json<T: DeserializeOwned>(path: &str) -> Option<T> {
    Some(serde_json::from_slice(&bytes(path)?).unwrap_or_else(|error| panic!("{path}: {error}")))
}

/// A value that a file holds.
fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn hash(text: &str) -> Hash {
    unhex(text).try_into().unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text.strip_prefix("0x").unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// A header as if a light client had accepted it: where the data has no signatures that lead there.
fn accepted(header: &Value, fork: Fork, block_hash: &Hash) -> Finalized {
    read(&json!({ "header": header, "fork": fork, "block_hash": hex(block_hash) }))
}

/// The same, of which only the root of the state or the execution block is known.
fn accepted_state(slot: u64, state_root: &Hash, fork: Fork, block_hash: &Hash) -> Finalized {
    let (zero, slot) = (hex(&[0; 32]), slot.to_string());
    let header = json!({
        "slot": slot, "proposer_index": "0", "parent_root": zero, "state_root": hex(state_root), "body_root": zero
    });
    accepted(&header, fork, block_hash)
}

/// Whether a claim is refused whichever of its bytes is changed.
fn refuses_other_claims(claim: &ExecutionClaim, fork: Fork, body_root: &Hash) {
    crate::mutation::refuses_changes("claim", claim, 1, |claim| claim.verify(fork, body_root).is_err());
}

/// The bytes are those that the README speaks of, and no file is left out.
#[test]
fn every_object_of_the_folder_is_read_by_a_test() {
    let Some(sums) = bytes("SHA256SUMS") else { return };
    let sums = String::from_utf8(sums).unwrap();
    let mut listed: Vec<&str> = Vec::new();
    for line in sums.lines() {
        let (sum, path) = line.split_once("  ./").unwrap();
        let found = Sha256::digest(bytes(path).unwrap());
        assert_eq!(hex::encode(found), sum, "{path}");
        listed.push(path);
    }
    let mut known = FILES;
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(listed, known);
}

/// One in `step` of some numbers, or all.
fn sample(numbers: std::ops::Range<usize>, step: usize) -> impl Iterator<Item = usize> {
    numbers.step_by(if is_exhaustive() { 1 } else { step })
}
