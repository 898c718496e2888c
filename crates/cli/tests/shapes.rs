//! The shapes of what programs read, frozen: the fields of every document and the columns of every table, on the demo's ledger.
//!
//! `SURETY_REWRITE=1` writes `shapes.txt` anew. A field that goes or changes its name breaks somebody's script: say so in the changelog.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Commands whose shape is frozen.
const COMMANDS: [&str; 24] = [
    "status",
    "account list --limit 3",
    "account show alice",
    "account history alice --limit 3",
    "account notices carol",
    "account nonces alice",
    "asset list",
    "asset show eth",
    "operator list",
    "operator show olga",
    "operator pools",
    "operator pool 0",
    "service list",
    "service show meridian",
    "service sets",
    "service set prices",
    "service table prices",
    "service streams",
    "slash requests",
    "position show alice",
    "position slashable alice",
    "position earn alice",
    "position exit carol",
    "network parameters",
];

fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surety"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SURETY_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(folder).env("HOME", folder).stdin(Stdio::null());
    let output = command.output().expect("the binary starts");
    assert!(output.status.success() || !output.stderr.is_empty(), "{arguments:?} fails without a word");
    let code = output.status.code().expect("no signal ended it");
    assert_eq!(code, 0, "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    (code, String::from_utf8(output.stdout).expect("text"))
}

/// Where in a document there are fields. What stands in a list is one shape; names that are data (addresses, numbers) are not told.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(parts) => {
            for (name, value) in parts {
                let is_data = name.starts_with("0x") || name.bytes().all(|byte| byte.is_ascii_digit());
                let path = if is_data { format!("{path}.*") } else { format!("{path}.{name}") };
                found.insert(path.clone());
                fields(value, &path, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, &format!("{path}[]"), found)),
        _ => {}
    }
}

#[test]
fn what_programs_read_keeps_its_shape() {
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), &["demo", "--data", "demo", "--no-run"]);
    let mut shapes = String::new();
    for command in COMMANDS {
        let words: Vec<&str> = command.split(' ').collect();
        let of = |form| run(folder.path(), &[words.as_slice(), &["--data", "demo", "-o", form]].concat()).1;
        let document: Value = serde_json::from_str(&of("json")).expect(command);
        let mut found = BTreeSet::new();
        fields(&document, "", &mut found);
        shapes += &format!("{command}\n");
        shapes += &format!("  csv {}\n", of("csv").lines().next().unwrap_or_default());
        for path in found {
            shapes += &format!("  {path}\n");
        }
        for line in of("ndjson").lines() {
            assert!(
                serde_json::from_str::<Value>(line).is_ok_and(|value| value.is_object()),
                "{command}: {line}"
            );
        }
        assert!(!of("table").is_empty(), "{command}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes.txt");
    if std::env::var_os("SURETY_REWRITE").is_some() {
        std::fs::write(&path, &shapes).expect("written");
    }
    let frozen = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(frozen == shapes, "the shapes are others than tests/shapes.txt says:\n{shapes}");
}

#[test]
fn an_operation_needs_a_yes_and_the_demo_gives_what_it_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), &["demo", "--data", "demo", "--no-run"]);
    let delegate = ["stake", "delegate", "olga", "1eth", "--from", "alice", "--data", "demo"];
    let mut asked = Command::new(env!("CARGO_BIN_EXE_surety"));
    let asked =
        asked.args(delegate).current_dir(folder.path()).stdin(Stdio::null()).output().expect("it starts");
    let complaint = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(asked.status.code() == Some(1) && complaint.contains("--yes"), "{complaint}");
    let (_, preview) = run(folder.path(), &[&delegate[..], &["--dry-run"]].concat());
    assert!(preview.contains("What can be lost at worst"), "{preview}");
    // Not signed by anybody: for a machine that has the key.
    run(folder.path(), &[&delegate[..], &["--unsigned-out", "unsigned.json"]].concat());
    run(folder.path(), &["tx", "sign", "unsigned.json", "--out", "signed.json", "--yes", "--data", "demo"]);
    let (_, receipt) = run(folder.path(), &["tx", "send", "signed.json", "--data", "demo", "-o", "json"]);
    let receipt: Value = serde_json::from_str(&receipt).expect("JSON");
    assert_eq!(receipt["receipt"]["outcome"]["outcome"], "applied", "{receipt}");
    // The history holds, and so does a copy of it.
    run(folder.path(), &["verify", "demo"]);
    run(folder.path(), &["snapshot", "create", "copy", "--data", "demo"]);
    run(folder.path(), &["verify", "copy"]);
    run(folder.path(), &["snapshot", "restore", "copy", "again"]);
    let (_, exported) = run(folder.path(), &["export", "positions", "--data", "again"]);
    assert!(exported.lines().count() > 5, "{exported}");
}
