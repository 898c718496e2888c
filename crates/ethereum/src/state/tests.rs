//! On the first states of mainnet and Sepolia, which lie in the shared folder beside the project (or where `SURETY_SHARED` points). Their layout is
//! that of phase 0, whose 21 fields stand as deep as the 28 of Deneb.

use std::io::Read as _;
use std::path::PathBuf;

use evidence::ethereum::{Fork, GeneralizedIndex, SharedBranches};

use super::{Wanted, layout, reading};

/// The one file of an archive.
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
fn unzip(name: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("SURETY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join("data/ethereum/genesis-states");
    if !folder.is_dir() {
        println!("skipped: the shared folder with data of the real chain is missing");
        return None;
    }
    let archive = std::fs::read(folder.join(name)).unwrap();
    let short = |at: usize| usize::from(u16::from_le_bytes([archive[at], archive[at + 1]]));
    let mut content = Vec::new();
    let packed = &archive[30 + short(26) + short(28)..];
    flate2::read::DeflateDecoder::new(packed).read_to_end(&mut content).unwrap();
    Some(content)
}

fn check(name: &str, count: u64, state_root: &str, block_root: &str) {
    let Some(bytes) = unzip(name) else { return };
    let length = u64::try_from(bytes.len()).unwrap();
    let mut source = bytes.as_slice();
    let front = reading::Front::read(&mut source).unwrap();
    let wanted = Wanted { indices: [0, 1000, count - 1].into(), ..Wanted::default() };
    let known = reading::read(&layout::phase0(), Fork::Deneb, &front, &mut source, length, &wanted).unwrap();
    let root = known.tree.node(GeneralizedIndex::ROOT).unwrap();
    assert_eq!((hex::encode(root).as_str(), known.validators), (state_root, count));
    let mut header = front.header;
    header.state_root = root;
    assert_eq!(hex::encode(header.root()), block_root);
    let leaves: Vec<_> = known
        .wanted
        .iter()
        .map(|claim| (Fork::Deneb.validator(claim.index).unwrap(), claim.validator.root()))
        .collect();
    let proof = SharedBranches::gather(&leaves, |node| known.tree.node(node)).unwrap();
    assert_eq!(proof.verify(&leaves, &root), Ok(()));
}

#[test]
fn the_first_state_of_mainnet_has_its_root() {
    check(
        "mainnet-genesis.ssz.zip",
        21_063,
        "7e76880eb67bbdc86250aa578958e9d0675e64e714337855204fb5abaaf82c2b",
        "4d611d5b93fdab69013a7f0a2f961caca0c853f87cfe9595fe50038163079360",
    );
}

#[test]
fn the_first_state_of_sepolia_has_its_root() {
    check(
        "sepolia-genesis.ssz.zip",
        1570,
        "fb9afe32150fa39f4b346be2519a67e2a4f5efcd50a1dc192c3f6b3d013d2798",
        "fb9b64fe445f76696407e1e3cc390371edff147bf712db86db6197d4b31ede43",
    );
}
