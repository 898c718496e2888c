//! The binary as people and scripts meet it: mistakes with what was meant, exit codes, no questions where nobody can answer.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs the binary in a folder, without a terminal and without settings from outside.
fn surety(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surety"));
    let settings = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("SURETY_"));
    for name in settings {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(folder).env("HOME", folder).env_remove("XDG_CONFIG_HOME");
    command.stdin(Stdio::null()).output().expect("the binary starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal ended it")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn every_mistake_has_its_exit_code_and_often_what_was_meant() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("bad.toml"), "nod = \"x\"\n").expect("written");
    let cases: [(&[&str], i32, &str); 12] = [
        (&["stakee"], 1, "'stake'"),
        (&["stake", "delegat"], 1, "'delegate'"),
        (&["op", "delegat"], 1, "'delegate'"),
        (&["keys", "new", "a", "--scheme", "secp256k"], 1, "secp256k1"),
        (&["operator", "list", "-o", "jsn"], 1, "'json'"),
        (&["operator", "list", "--config", "bad.toml"], 1, "did you mean \"node\"?"),
        (&["operator", "list", "--config", "none.toml"], 1, "config.unreadable"),
        (&["operator", "list", "--timeout", "5"], 1, "no span of time"),
        (&["keys", "show", "alice"], 5, "key.no-keystore"),
        (&["operator", "list", "--data", "nowhere"], 7, "storage.no-ledger"),
        (&["verify", "nothing.json"], 1, "cannot read nothing.json"),
        (&["operator", "list", "--node", "http://127.0.0.1:1"], 4, "surety run"),
    ];
    for (arguments, expected, words) in cases {
        let output = surety(folder.path(), arguments);
        let complaint = text(&output.stderr);
        assert_eq!(code(&output), expected, "{arguments:?}: {complaint}");
        assert!(complaint.contains(words), "{arguments:?}: {complaint}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn programs_read_failures_as_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = surety(folder.path(), &["operator", "list", "--data", "nowhere", "-o", "json"]);
    let failure: Value = serde_json::from_slice(&output.stderr).expect("JSON");
    let names: Vec<&str> =
        failure["error"].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(names, ["what", "why", "help", "code", "exit", "docs"]);
    assert_eq!((code(&output), &failure["error"]["exit"]), (7, &Value::from(7)));
}

#[test]
fn a_password_is_asked_of_nobody_where_nobody_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = surety(folder.path(), &["keys", "new", "alice"]);
    assert_eq!(code(&output), 5);
    assert!(text(&output.stderr).contains("--password-file"));
}

#[test]
fn keys_are_made_listed_exported_taken_over_and_rotated() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("p"), "correct horse\n").expect("written");
    std::fs::write(folder.path().join("q"), "battery staple\n").expect("written");
    let run = |arguments: &[&str]| {
        let output = surety(folder.path(), &[arguments, &["--password-file", "p", "-o", "json"]].concat());
        assert_eq!(code(&output), 0, "{arguments:?}: {}", text(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
    };
    let made = run(&["keys", "new", "alice"]);
    run(&["keys", "new", "duty", "--scheme", "bls12381", "--role", "set-key"]);
    let names = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().expect("a list");
        items.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(names(&run(&["keys", "list"])), ["alice", "duty"]);
    run(&["keys", "export", "alice", "--out", "alice.json", "--out-password", "q"]);
    let taken = run(&["keys", "import", "copy", "--file", "alice.json", "--file-password", "q"]);
    assert_eq!(taken["key"]["address"], made["key"]["address"]);
    let rotated = run(&["keys", "rotate", "alice", "--new-password", "q"]);
    assert_eq!(rotated["kept"]["address"], made["key"]["address"]);
    assert_ne!(rotated["key"]["address"], made["key"]["address"]);
    let wrong = surety(
        folder.path(),
        &["keys", "export", "alice", "--out", "x", "--out-password", "q", "--password-file", "p"],
    );
    assert_eq!(code(&wrong), 5, "its password is the new one");
    assert!(text(&wrong.stderr).contains("key.wrong-password"));
}

#[test]
fn settings_tell_where_they_come_from_and_mistakes_are_all_told() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(code(&surety(folder.path(), &["config", "init"])), 0);
    assert_eq!(code(&surety(folder.path(), &["config", "init"])), 1, "it never writes over a file");
    assert_eq!(code(&surety(folder.path(), &["config", "check"])), 0);
    let shown = surety(folder.path(), &["config", "show", "--origin", "-o", "csv", "--timeout", "7s"]);
    assert!(
        text(&shown.stdout).lines().any(|line| line == "timeout,7s,'--timeout"),
        "{}",
        text(&shown.stdout)
    );
    std::fs::write(folder.path().join("surety.toml"), "nod = 1\n[run]\nlisten = \"x\"\n").expect("written");
    let checked = surety(folder.path(), &["config", "check", "-o", "json"]);
    let found: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    assert_eq!((code(&checked), found["items"].as_array().map(Vec::len)), (2, Some(2)), "{found}");
}

#[test]
fn completions_and_manual_pages_come_from_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish"] {
        let output = surety(folder.path(), &["completions", shell]);
        assert!(code(&output) == 0 && text(&output.stdout).contains("undelegate"), "{shell}");
    }
    assert_eq!(code(&surety(folder.path(), &["man", "--out", "man"])), 0);
    let page = std::fs::read_to_string(folder.path().join("man/surety-stake-delegate.1")).expect("a page");
    assert!(page.contains("worst"), "{page}");
}
