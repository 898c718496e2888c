//! `surety verify`: whether a proof holds, and whether a folder's whole history does. Needs no node and no network.

use std::path::Path;
use std::sync::Arc;

use ledger::files::DiskFiles;
use ledger::format::{GENESIS_FILE, MANIFEST_FILE};
use ledger::store::{Committed, Store as _};
use ledger::{Fault, Proof, ProofError, Proven};
use protocol::units::Digest;
use serde_json::{Value, json};
use store::QmdbStore;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::Scratch;
use crate::nouns::proof::Verify;
use crate::output::{Answer, Column, Shape};
use crate::progress::Progress;

const PROOF: [Column; 6] = [
    Column::plain("holds", "/holds"),
    Column::plain("proves", "/proves"),
    Column::plain("what", "/what"),
    Column::plain("height", "/height"),
    Column::plain("header", "/header"),
    Column::plain("trusted", "/trusted"),
];

const HISTORY: [Column; 10] = [
    Column::plain("holds", "/holds"),
    Column::plain("ledger", "/ledger"),
    Column::plain("height", "/height"),
    Column::plain("header", "/header"),
    Column::plain("state root", "/state_root"),
    Column::plain("roots compared up to", "/compared"),
    Column::plain("operations", "/operations"),
    Column::plain("receipts of blocks compared", "/receipts"),
    Column::plain("own store compared", "/store"),
    Column::plain("cut off at the end", "/torn"),
];

/// Checks what stands at the path: a file is a proof, a folder a ledger or a snapshot.
///
/// # Errors
/// If it does not hold, or can't be read.
pub(crate) fn run(verify: &Verify) -> Result<Answer, Failure> {
    if verify.path.is_dir() { history(&verify.path) } else { proof(&verify.path, verify.trusted.as_deref()) }
}

fn proof(path: &Path, trusted: Option<&str>) -> Result<Answer, Failure> {
    let text = crate::input::read_text(&path.display().to_string())?;
    let refused = |error: &ProofError| {
        Failure::new(
            Exit::Refused,
            "verify.does-not-hold",
            format!("the proof in {} does not hold", path.display()),
        )
        .why(error.to_string())
        .help("do not believe what it says; ask another node for it")
    };
    let proof = Proof::from_json(text.as_bytes()).map_err(|error| refused(&error))?;
    let own = header_of(&proof);
    let digest = match trusted {
        Some(text) => text.parse::<Digest>().map_err(|why| {
            Failure::usage("field.misfit", format!("--trusted can't be {text:?}")).why(why.clone())
        })?,
        None => own,
    };
    let check = |root: &[u8; 32], key: &[u8; 32], value: Option<&[u8]>, proof: &[u8]| {
        store::verify(root, key, value, proof).map_err(|error| error.to_string())
    };
    let proven = proof.verify(&digest, check).map_err(|error| refused(&error))?;
    let (proves, what, height) = match &proven {
        Proven::Entry { height, key, value: Some(value) } => {
            ("entry", format!("{key} is 0x{}", hexadecimal(value)), Some(*height))
        }
        Proven::Entry { height, key, value: None } => {
            ("absence", format!("there is no {key}"), Some(*height))
        }
        Proven::Operation { height, index, id } => (
            "operation",
            format!("{id} is operation {index} of the block; not what came of it"),
            Some(*height),
        ),
        Proven::Message(message) => ("message", format!("{message:?}"), None),
    };
    let trust = match trusted {
        Some(_) => "the digest that you gave",
        None => "nobody: compare the header with one that you trust, or give it with --trusted",
    };
    let document = json!({
        "holds": true, "proves": proves, "what": what, "height": height, "header": own.to_string(), "trusted": trust,
    });
    Ok(Answer::new(document, Shape::Page(&PROOF, &[])))
}

fn header_of(proof: &Proof) -> Digest {
    match proof {
        Proof::Entry(statement) => statement.header.digest(),
        Proof::Operation(statement) => statement.header.digest(),
        Proof::Message(statement) => statement.header.digest(),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Executes a whole history again, beside it, with a store of its own that is deleted at the end.
fn history(folder: &Path) -> Result<Answer, Failure> {
    if !folder.join(GENESIS_FILE).is_file() {
        return Err(crate::transport::no_ledger(folder));
    }
    let is_snapshot = folder.join(MANIFEST_FILE).is_file();
    if is_snapshot {
        ledger::snapshot::check(&DiskFiles::unlocked(folder)).map_err(|fault| broken(folder, &fault))?;
    }
    let scratch = Scratch::new("verify")?;
    let store = QmdbStore::open(scratch.path(), store::Options::default()).map_err(|error| {
        Failure::new(Exit::Storage, "storage.scratch", "cannot make a store to compare with")
            .why(error.to_string())
    })?;
    let mut progress = Progress::new("blocks");
    let own = own_store(folder)?;
    let files = Arc::new(DiskFiles::unlocked(folder));
    let checked =
        ledger::verify::folder(files, Box::new(store), own, &mut |height, last| progress.show(height, last));
    let checked = checked.map_err(|fault| broken(folder, &fault))?;
    let document = json!({
        "holds": true,
        "snapshot": is_snapshot,
        "ledger": checked.chain.to_string(),
        "height": checked.height,
        "header": checked.digest.to_string(),
        "state_root": checked.state_root.to_string(),
        "compared": checked.compared,
        "operations": checked.operations,
        "receipts": checked.receipts,
        "store": own.is_some(),
        "torn": checked.torn.map_or(Value::Null, Value::from),
    });
    Ok(Answer::new(document, Shape::Page(&HISTORY, &[])))
}

/// What the folder's own store says of itself; nothing where there is none, or a node has it open.
fn own_store(folder: &Path) -> Result<Option<Committed>, Failure> {
    let path = folder.join(node::STORE_FOLDER);
    if !path.is_dir() {
        return Ok(None);
    }
    let Ok(_lock) = DiskFiles::open(folder) else { return Ok(None) };
    let store = QmdbStore::open(&path, store::Options::default()).map_err(|error| {
        broken(folder, &error.into())
            .help("delete the folder store in it: a node makes it anew from the journal")
    })?;
    Ok(store.committed())
}

fn broken(folder: &Path, fault: &Fault) -> Failure {
    let exit = match fault {
        Fault::Io { .. } | Fault::Format { .. } => Exit::Storage,
        _ => Exit::Refused,
    };
    Failure::new(exit, fault.code(), format!("the history in {} does not hold", folder.display()))
        .why(fault.to_string())
        .help("restore a snapshot or a backup that holds; surety doctor says more")
}
