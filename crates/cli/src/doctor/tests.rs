use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use ledger::files::DiskFiles;
use tempfile::TempDir;

use super::*;
use crate::config::key::Key;

/// A folder with a new ledger in it, which begins at this time.
fn ledger_from(start_ms: u64) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let genesis = ledger::Genesis {
        name: "doctor".to_owned(),
        chain_id: 1,
        custody: Default::default(),
        start_ms,
        epoch_ms: 86_400_000,
        protocol: protocol::Genesis::development(),
        opening: Vec::new(),
    };
    node::Node::init(folder.path(), &genesis).expect("a ledger");
    folder
}

/// Opens the ledger as a node does, which makes its journal and its store.
fn run_once(folder: &Path) {
    let files = DiskFiles::open(folder).expect("the folder is free");
    let store = store::QmdbStore::open(&folder.join(node::STORE_FOLDER), store::Options::default());
    let store = Box::new(store.expect("a store"));
    let ledger = ledger::Ledger::open(Arc::new(files), store, ledger::Options::default()).expect("it opens");
    ledger.close().expect("it closes");
}

/// A ledger that has run.
fn ledger() -> TempDir {
    let folder = ledger_from(1_000);
    run_once(folder.path());
    folder
}

/// Everything that is not good, as `verdict check: what; remedy`, with a configuration file of this text.
fn look(config: &str, flags: &[(Key, &str)], is_deep: bool) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("surety.toml");
    fs::write(&file, config).expect("written");
    let flags = flags.iter().map(|(key, value)| (*key, (*value).to_owned())).collect::<Flags>();
    let answer = Doctor { deep: is_deep }.run(Some(&file), &flags, &|_| None).expect("it looks");
    let items = answer.document()["items"].as_array().cloned().unwrap_or_default();
    let is_bad = items.iter().any(|item| item["verdict"] == "bad");
    assert_eq!(answer.exit(), if is_bad { Exit::Refused } else { Exit::Success });
    let items = items.into_iter().filter(|item| item["verdict"] != "good");
    items
        .map(|item| {
            let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
            format!("{} {}: {}; {}", text("verdict"), text("check"), text("what"), text("remedy"))
        })
        .collect()
}

/// What is to be repaired in a folder.
fn bad(folder: &Path, more: &[(Key, &str)]) -> Vec<String> {
    let folder = folder.display().to_string();
    let flags = [&[(Key::Data, folder.as_str())], more].concat();
    let found = look("[run]\nlisten = \"127.0.0.1:0\"\n", &flags, true);
    found.into_iter().filter(|line| line.starts_with("bad")).collect()
}

#[track_caller]
fn assert_found(found: &[String], check: &str, words: &str) {
    let is_found = found.iter().any(|line| line.contains(check) && line.contains(words));
    assert!(is_found, "{check}, {words}: {found:?}");
}

#[test]
fn a_healthy_ledger_has_nothing_to_repair() {
    let folder = ledger();
    assert_eq!(bad(folder.path(), &[]), Vec::<String>::new());
}

#[test]
fn a_ledger_that_has_never_run_has_nothing_to_repair() {
    let folder = ledger_from(1_000);
    assert_eq!(bad(folder.path(), &[]), Vec::<String>::new());
}

#[test]
fn every_planted_fault_is_found_with_its_remedy() {
    type Plant = fn(&Path);
    let faults: [(&str, Plant, &str); 6] = [
        ("genesis", |folder| fs::remove_file(folder.join("genesis.json")).expect("removed"), "surety init"),
        ("genesis", |folder| fs::write(folder.join("genesis.json"), "{").expect("written"), "backup"),
        (
            "journal",
            |folder| fs::remove_dir_all(folder.join("journal")).expect("removed"),
            "snapshot restore",
        ),
        ("journal", |folder| flip(&segment(folder)), "backup"),
        ("configuration", |_| (), "correct it there"),
        (
            "keystore",
            |folder| {
                keystore::Keystore::open(&folder.join("keystore")).expect("a keystore");
                fs::write(folder.join("keystore/a.json"), "{}").expect("written");
                only_for_its_owner(&folder.join("keystore/a.json"));
            },
            "move the file away, or restore it",
        ),
    ];
    for (check, plant, words) in faults {
        let folder = ledger();
        plant(folder.path());
        let more: &[(Key, &str)] = if check == "configuration" { &[(Key::Timeout, "soon")] } else { &[] };
        assert_found(&bad(folder.path(), more), check, words);
    }
}

/// As the keystore makes its files.
fn only_for_its_owner(file: &Path) {
    #[cfg(unix)]
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("changed");
}

/// The first file of the journal.
fn segment(folder: &Path) -> std::path::PathBuf {
    let entries = fs::read_dir(folder.join("journal")).expect("a journal");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.into_iter().next().expect("a segment")
}

/// Turns a bit of the first block.
fn flip(file: &Path) {
    let mut bytes = fs::read(file).expect("a segment");
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    fs::write(file, bytes).expect("written");
}

#[test]
fn what_a_crash_leaves_behind_is_told_and_needs_nothing() {
    let folder = ledger();
    fs::remove_dir_all(folder.path().join(node::STORE_FOLDER)).expect("removed");
    let data = folder.path().display().to_string();
    let found = look("[run]\nlisten = \"127.0.0.1:0\"\n", &[(Key::Data, &data)], false);
    assert!(!found.iter().any(|line| line.starts_with("bad")), "{found:?}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_change_is_found() {
    use std::os::unix::fs::PermissionsExt;
    let folder = ledger();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("changed");
    assert_found(&bad(folder.path(), &[]), "data folder", "chmod");
}

#[test]
fn a_folder_that_another_process_has_open_is_found() {
    let folder = ledger();
    let _held = DiskFiles::open(folder.path()).expect("the folder is free");
    let data = folder.path().display().to_string();
    assert_found(&look("", &[(Key::Data, &data)], false), "lock", "wait until it ends");
}

#[test]
fn a_port_that_somebody_else_has_is_found() {
    let folder = ledger();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let config = format!("[run]\nlisten = \"{}\"\n", taken.local_addr().expect("an address"));
    let data = folder.path().display().to_string();
    assert_found(&look(&config, &[(Key::Data, &data)], false), "bad port", "--listen");
}

#[test]
fn a_disk_that_is_full_is_found() {
    let finding = checks::room(Some(1 << 20));
    assert_eq!(finding.weight, Weight::Bad);
    assert!(finding.remedy.is_some_and(|remedy| remedy.contains("make room")));
    assert_eq!(checks::room(Some(1 << 40)).weight, Weight::Good);
    assert_eq!(checks::room(None).weight, Weight::Note);
}

#[test]
fn a_clock_that_is_behind_the_ledger_is_found() {
    let folder = ledger_from(crate::clock::now_ms() + 3_600_000);
    run_once(folder.path());
    assert_found(&bad(folder.path(), &[]), "clock", "time server");
}

/// Answers one question with this status, as a node would; its address.
fn node_that_says(status: &Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let body = status.to_string();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody asks");
        let _question = stream.read(&mut [0; 4_096]).expect("a question");
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
        let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).expect("an answer");
    });
    format!("http://{address}")
}

#[test]
fn a_node_with_another_time_or_with_a_fault_is_found() {
    let now_ms = crate::clock::now_ms();
    let cases = [
        (json!({ "now_ms": now_ms + 60_000 }), "clock", "time server"),
        (json!({ "now_ms": now_ms, "fault": "the disk is full; make room" }), "node", "make room"),
        (json!({ "now_ms": now_ms, "epochs_behind": 9 }), "epochs", "wait"),
    ];
    for (node, check, words) in cases {
        let address = node_that_says(&json!({ "node": node }));
        assert_found(&look("", &[(Key::Node, &address)], false), check, words);
    }
}

#[test]
fn a_node_that_does_not_answer_is_found() {
    let found = look("", &[(Key::Node, "http://127.0.0.1:1")], false);
    assert_found(&found, "bad node", "--node");
}

#[test]
fn a_password_file_that_others_can_read_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    let keys = folder.path().join("keys");
    keystore::Keystore::open(&keys).expect("a keystore");
    fs::write(&file, "correct horse\n").expect("written");
    let (file, keys) = (file.display().to_string(), keys.display().to_string());
    let found = look("", &[(Key::PasswordFile, &file), (Key::Keystore, &keys)], false);
    assert_found(&found, "password file", "chmod 600");
    fs::write(&file, "\n").expect("written");
    let found = look("", &[(Key::PasswordFile, &file), (Key::Keystore, &keys)], false);
    assert_found(&found, "bad password file", "first line");
}
