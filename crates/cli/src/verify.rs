//! `surety verify`: whether a proof holds, and whether a folder's whole history does. Needs no node and no network.

use std::path::Path;
use std::sync::Arc;

use ledger::files::DiskFiles;
use ledger::format::{GENESIS_FILE, MANIFEST_FILE};
use ledger::store::{Committed, Store as _};
use ledger::{Fault, Proof, ProofError, Proven};
use protocol::entries::{Key, show};
use protocol::units::Digest;
use serde_json::{Value, json};
use store::QmdbStore;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::Scratch;
use crate::nouns::proof::Verify;
use crate::output::{Answer, Column, Section, Shape};
use crate::progress::Progress;

const PROOF: [Column; 6] = [
    Column::plain("holds", "/holds"),
    Column::plain("proves", "/proves"),
    Column::plain("what", "/what"),
    Column::plain("height", "/height"),
    Column::plain("header", "/header"),
    Column::plain("trusted", "/trusted"),
];

const ENTRIES: [Section; 1] = [Section {
    title: "What it says",
    at: "/rows",
    columns: &[
        Column::plain("entry", "/key"),
        Column::plain("field", "/field"),
        Column::plain("value", "/value"),
    ],
    empty: "",
}];

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

/// A file with one proof, or an answer with the proofs of the entries that it is made of.
fn proof(path: &Path, trusted: Option<&str>) -> Result<Answer, Failure> {
    let text = crate::input::read_text(&path.display().to_string())?;
    let refused = |error: &ProofError| does_not_hold(path, error.to_string());
    let answer = serde_json::from_str::<Value>(&text).ok().filter(|answer| answer.get("proofs").is_some());
    let proofs = match answer.as_ref().and_then(|answer| answer["proofs"].as_array()) {
        Some(listed) => {
            let read = |proof: &Value| Proof::from_json(proof.to_string().as_bytes());
            listed.iter().map(read).collect::<Result<Vec<Proof>, ProofError>>()
        }
        None => Proof::from_json(text.as_bytes()).map(|proof| vec![proof]),
    };
    let proofs = proofs.map_err(|error| refused(&error))?;
    let first = proofs.first().ok_or_else(|| does_not_hold(path, "there is no proof in it".to_owned()))?;
    let own = first.header().digest();
    let digest = match trusted {
        Some(text) => text.parse::<Digest>().map_err(|why| {
            Failure::usage("field.misfit", format!("--trusted can't be {text:?}")).why(why.clone())
        })?,
        None => own,
    };
    let check = |root: &[u8; 32], key: &[u8; 32], value: Option<&[u8]>, proof: &[u8]| {
        store::verify(root, key, value, proof).map_err(|error| error.to_string())
    };
    let proven = proofs.iter().map(|proof| proof.verify(&digest, check)).collect::<Result<Vec<_>, _>>();
    let proven = proven.map_err(|error| refused(&error))?;
    let mut document = match &answer {
        Some(answer) => of_answer(path, answer, &proven)?,
        None => proven.first().map(of_one).unwrap_or_default(),
    };
    let trust = match trusted {
        Some(_) => "the digest that you gave",
        None => "nobody: compare the header with one that you trust, or give it with --trusted",
    };
    document["holds"] = true.into();
    document["header"] = own.to_string().into();
    document["trusted"] = trust.into();
    let mut view = document.clone();
    view["rows"] = rows(&document["entries"]);
    Ok(Answer::viewed(document, view, Shape::Page(&PROOF, &ENTRIES)))
}

fn does_not_hold(path: &Path, why: String) -> Failure {
    let what = format!("the proof in {} does not hold", path.display());
    let failure = Failure::new(Exit::Refused, "verify.does-not-hold", what).why(why);
    failure.help("do not believe what it says; ask another node for it")
}

/// What one proof says.
fn of_one(proven: &Proven) -> Value {
    let mut entries = Vec::new();
    let (proves, what, height) = match proven {
        Proven::Entry { height, key, value } => {
            entries.push(shown(key, value.as_deref()));
            match value {
                Some(_) => ("entry", key.to_string(), Some(*height)),
                None => ("absence", format!("there is no {key}"), Some(*height)),
            }
        }
        Proven::Operation { height, index, id } => (
            "operation",
            format!("{id} is operation {index} of the block; not what came of it"),
            Some(*height),
        ),
        Proven::Message(message) => ("message", format!("{message:?}"), None),
    };
    json!({ "proves": proves, "what": what, "height": height, "entries": entries })
}

/// What the proofs beside an answer say: the entries that it is made of. The answer itself is not computed again, but it must be of their
/// state, and a figure must name no entry that is not proven.
fn of_answer(path: &Path, answer: &Value, proven: &[Proven]) -> Result<Value, Failure> {
    let mut entries = Vec::new();
    let mut keys = Vec::new();
    for proven in proven {
        let Proven::Entry { height, key, value } = proven else {
            return Err(does_not_hold(path, "a proof beside an answer is of no entry".to_owned()));
        };
        let moment = &answer["as_of"]["height"];
        if *moment != *height {
            let why =
                format!("the answer is of height {moment}, and the proof of {key} is of height {height}");
            return Err(does_not_hold(path, why));
        }
        keys.push(key.to_string());
        entries.push(shown(key, value.as_deref()));
    }
    if let Some(key) = unproven(answer, &keys) {
        let why = format!("the answer names the entry {key}, and no proof is of that");
        return Err(does_not_hold(path, why));
    }
    let what = format!("the {} entries that the answer is made of; it is not computed again", entries.len());
    let height = &answer["as_of"]["height"];
    Ok(json!({ "proves": "answer", "what": what, "height": height, "entries": entries }))
}

/// An entry in which an input of a figure is stored and that is not among those proven.
fn unproven<'a>(answer: &'a Value, keys: &[String]) -> Option<&'a str> {
    let mut nodes = vec![answer];
    while let Some(node) = nodes.pop() {
        let is_stored = node["formula"].is_null() && node["unit"].is_string();
        let source = node["source"].as_str().filter(|source| is_stored && source.parse::<Key>().is_ok());
        if let Some(source) = source.filter(|source| !keys.iter().any(|key| key == source)) {
            return Some(source);
        }
        nodes.extend(node["inputs"].as_array().into_iter().flatten());
    }
    None
}

/// An entry by the names of its fields; its bytes where they can't be read.
fn shown(key: &Key, bytes: Option<&[u8]>) -> Value {
    let value = bytes.map(|bytes| match show(key, bytes) {
        Ok(fields) => json!(fields),
        Err(_) => json!(format!("0x{}", hexadecimal(bytes))),
    });
    json!({ "key": key.to_string(), "value": value })
}

/// Every field of every entry on a line of its own.
fn rows(entries: &Value) -> Value {
    let mut rows = Vec::new();
    for entry in entries.as_array().into_iter().flatten() {
        add_rows(&entry["key"], String::new(), &entry["value"], &mut rows);
    }
    Value::Array(rows)
}

fn add_rows(key: &Value, at: String, value: &Value, rows: &mut Vec<Value>) {
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, field)| add_rows(key, below(name), field, rows));
        }
        Value::Array(items) if !items.is_empty() => {
            let named = items.iter().enumerate().map(|(place, item)| (place.to_string(), item));
            named.for_each(|(name, item)| add_rows(key, below(&name), item, rows));
        }
        _ => rows.push(json!({ "key": key, "field": at, "value": value })),
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
