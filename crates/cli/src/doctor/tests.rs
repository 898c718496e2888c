use std::fs;

use tempfile::TempDir;

use super::*;
use crate::config::key::Key;

/// A folder with a new ledger in it.
fn ledger() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let genesis = ledger::Genesis {
        name: "doctor".to_owned(),
        chain_id: 1,
        custody: Default::default(),
        start_ms: 1_000,
        epoch_ms: 86_400_000,
        protocol: protocol::Genesis::development(),
        opening: Vec::new(),
    };
    node::Node::init(folder.path(), &genesis).expect("a ledger");
    folder
}

/// What is bad about a folder, by check, with the remedy.
fn bad(folder: &std::path::Path, more: &[(Key, &str)]) -> Vec<(String, String)> {
    let mut flags = Flags::from([(Key::Data, folder.display().to_string())]);
    flags.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
    let config = folder.join("none.toml");
    fs::write(&config, "[run]\nlisten = \"127.0.0.1:0\"\n").expect("written");
    let answer = Doctor { deep: false }.run(Some(&config), &flags, &|_| None).expect("it looks");
    let items = answer.document()["items"].as_array().cloned().unwrap_or_default();
    let bad = items.into_iter().filter(|item| item["verdict"] == "bad");
    bad.map(|item| {
        let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
        (text("check"), text("remedy"))
    })
    .collect()
}

#[test]
fn a_healthy_ledger_has_nothing_to_repair() {
    let folder = ledger();
    assert_eq!(bad(folder.path(), &[]), []);
}

#[test]
fn every_planted_fault_is_found_with_its_remedy() {
    type Plant = fn(&std::path::Path);
    let faults: [(&str, Plant, &str); 5] = [
        ("genesis", |folder| fs::remove_file(folder.join("genesis.json")).expect("removed"), "surety init"),
        ("genesis", |folder| fs::write(folder.join("genesis.json"), "{").expect("written"), "backup"),
        (
            "journal",
            |folder| fs::remove_dir_all(folder.join("journal")).expect("removed"),
            "snapshot restore",
        ),
        ("configuration", |folder| fs::write(folder.join("extra"), "").expect("written"), ""),
        (
            "keystore",
            |folder| {
                fs::create_dir(folder.join("keystore")).expect("made");
                fs::write(folder.join("keystore/a.json"), "{}").expect("written");
            },
            "",
        ),
    ];
    for (check, plant, words) in faults {
        let folder = ledger();
        // The journal is made when the ledger is opened for the first time.
        let _opened = bad(folder.path(), &[]);
        plant(folder.path());
        let more: &[(Key, &str)] = if check == "configuration" { &[(Key::Timeout, "soon")] } else { &[] };
        let found = bad(folder.path(), more);
        assert!(
            found.iter().any(|(name, remedy)| name == check && remedy.contains(words)),
            "{check}: {found:?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_change_is_found() {
    use std::os::unix::fs::PermissionsExt;
    let folder = ledger();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("changed");
    let found = bad(folder.path(), &[]);
    assert!(
        found.iter().any(|(check, remedy)| check == "data folder" && remedy.starts_with("chmod")),
        "{found:?}"
    );
}
