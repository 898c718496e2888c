//! The binary as people and scripts meet it: mistakes with what was meant, exit codes, questions and bars on a terminal and nowhere else.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::demo::{self, surety};

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
    let cases: [(&[&str], i32, &str); 14] = [
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
        (&["replay", "-", "-o", "csv"], 1, "give -o ndjson"),
        (&["replay", "-", "-o", "table"], 1, "replay.no-form"),
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

/// Runs a command of the shell on a terminal of 60 columns, with these keys typed; everything that the terminal was sent, and the exit code. Nothing where the
/// program for it is missing.
fn on_a_terminal(folder: &Path, command: &str, keys: &str) -> Option<(String, i32)> {
    let mut script = Command::new("script");
    let command = format!("stty cols 60 rows 40; {command}");
    demo::without_settings(&mut script, folder).args(["-q", "-e", "-c", &command, "/dev/null"]);
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = script.spawn() else {
        eprintln!("skipped: there is no program `script` that makes a terminal");
        return None;
    };
    child.stdin.take().expect("a pipe").write_all(keys.as_bytes()).expect("typed");
    let output = child.wait_with_output().expect("it ends");
    Some((text(&output.stdout), code(&output)))
}

/// The binary on the demo, as a word of the shell.
fn on_the_demo() -> String {
    format!("{} --data surety-demo", env!("CARGO_BIN_EXE_surety"))
}

#[test]
fn bars_are_drawn_on_a_terminal_and_nowhere_else() {
    let folder = demo::folder();
    let piped = surety(folder.path(), &["verify", "surety-demo"]);
    assert!(piped.stderr.is_empty(), "{}", text(&piped.stderr));
    let Some((seen, code)) =
        on_a_terminal(folder.path(), &format!("{} verify surety-demo", on_the_demo()), "")
    else {
        return;
    };
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains(" blocks, ") && seen.contains("holds"), "{seen}");
}

#[test]
fn tables_fit_the_terminal_and_are_whole_elsewhere() {
    let folder = demo::folder();
    let whole = demo::run(folder.path(), &["position", "slashable", "alice"]);
    assert!(whole.lines().any(|line| line.chars().count() > 100), "{whole}");
    let command = format!("{} position slashable alice", on_the_demo());
    let Some((seen, code)) = on_a_terminal(folder.path(), &command, "") else { return };
    assert_eq!(code, 0, "{seen}");
    let long: Vec<&str> = seen.lines().filter(|line| line.trim_end().chars().count() > 60).collect();
    assert_eq!(long, Vec::<&str>::new(), "lines that are longer than the terminal");
}

#[test]
fn who_is_asked_sees_what_can_be_lost_and_may_say_no() {
    let folder = demo::folder();
    let command = format!("{} stake delegate olga 1eth --from alice", on_the_demo());
    let Some((seen, code)) = on_a_terminal(folder.path(), &command, "n\n") else { return };
    assert_eq!(code, 1, "{seen}");
    for words in ["What can be lost at worst", "Sign and send this? [y/N]", "nothing was signed"] {
        assert!(seen.contains(words), "{words}: {seen}");
    }
    let Some((seen, code)) = on_a_terminal(folder.path(), &command, "y\n") else { return };
    assert!(code == 0 && seen.contains("applied"), "{seen}");
}

#[test]
fn a_new_password_is_typed_twice_and_never_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = format!("{} keys new alice", env!("CARGO_BIN_EXE_surety"));
    let Some((seen, code)) = on_a_terminal(folder.path(), &command, "correct horse\nbattery staple\n") else {
        return;
    };
    assert!(code == 5 && seen.contains("key.passwords-differ"), "{seen}");
    assert!(seen.contains("New password") && seen.contains("The same again"), "{seen}");
    let Some((seen, code)) = on_a_terminal(folder.path(), &command, "correct horse\ncorrect horse\n") else {
        return;
    };
    assert!(code == 0 && seen.contains("made the key alice"), "{seen}");
}

#[test]
fn several_keys_sign_on_machines_without_a_network() {
    let folder = demo::folder();
    let build = ["tx", "build", "--out", "u.json", "delegate", "--operator", "olga", "--amount", "1eth"];
    demo::run(folder.path(), &[&build[..], &["--from", "treasury"]].concat());
    // Each signs where nothing but the keystore is; one of them twice, which counts once.
    for (key, file) in [("treasury.1", "1.json"), ("treasury.2", "2.json"), ("treasury.1", "3.json")] {
        let keystore = ["--keystore", "surety-demo/keystore", "--password-file", "surety-demo/password.txt"];
        let sign = ["tx", "sign", "u.json", "--out", file, "--sign-with", key, "--yes"];
        let signed = surety(folder.path(), &[&keystore[..], &sign[..]].concat());
        assert_eq!(code(&signed), 0, "{}", text(&signed.stderr));
    }
    let combine = |files: &[&str], out: &str| {
        let combined = surety(folder.path(), &[&["tx", "combine", "--out", out], files].concat());
        assert_eq!(code(&combined), 0, "{}", text(&combined.stderr));
        text(&combined.stdout)
    };
    assert!(combine(&["1.json", "2.json", "3.json"], "two.json").contains("1 more signature"));
    let early = surety(folder.path(), &["--data", "surety-demo", "tx", "send", "two.json"]);
    assert!(code(&early) == 5 && text(&early.stderr).contains("key.too-few"), "{}", text(&early.stderr));
    demo::run(
        folder.path(),
        &["tx", "sign", "two.json", "--out", "all.json", "--sign-with", "treasury.3", "--yes"],
    );
    let shown = demo::run(folder.path(), &["tx", "show", "all.json"]);
    assert_eq!(shown.matches("yes").count(), 3, "three have signed: {shown}");
    let sent = demo::run(folder.path(), &["-o", "json", "tx", "send", "all.json"]);
    assert!(sent.contains("\"applied\""), "{sent}");
}

#[test]
fn a_full_disk_is_found_before_it_stops_a_node() {
    use std::os::unix::fs::PermissionsExt;
    let folder = demo::folder();
    let df = folder.path().join("df");
    let says = "#!/bin/sh\necho Filesystem 1024-blocks Used Available Capacity Mounted\necho /dev/x 100 90 10 90% /\n";
    std::fs::write(&df, says).expect("written");
    std::fs::set_permissions(&df, std::fs::Permissions::from_mode(0o755)).expect("a program");
    let mut doctor = demo::command(folder.path(), &["--data", "surety-demo", "doctor", "-o", "json"]);
    let output = doctor.env("PATH", folder.path()).output().expect("the binary starts");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let disk = found["items"].as_array().expect("a list").iter().find(|item| item["check"] == "disk space");
    assert_eq!(disk.expect("it is looked at")["verdict"], "bad", "{found}");
    assert_eq!(code(&output), 2);
}

#[test]
fn a_ledger_is_read_and_written_without_a_node() {
    let folder = demo::folder();
    let height = || {
        let status = demo::run(folder.path(), &["-o", "json", "status"]);
        serde_json::from_str::<Value>(&status).expect("JSON")["as_of"]["height"].as_u64().expect("a height")
    };
    let before = height();
    assert_eq!(height(), before, "reading makes no block");
    demo::run(folder.path(), &["stake", "delegate", "olga", "1eth", "--from", "alice", "--yes"]);
    assert!(height() > before, "writing does");
    let events = surety(folder.path(), &["--data", "surety-demo", "events"]);
    assert!(code(&events) == 4 && text(&events.stderr).contains("surety run"), "{}", text(&events.stderr));
}

#[test]
fn a_history_is_read_page_by_page() {
    let folder = demo::folder();
    let page = |limit: &str, after: Option<&str>| {
        let mut arguments = vec!["-o", "json", "account", "history", "alice", "--limit", limit];
        arguments.extend(after.map(|after| ["--after", after]).into_iter().flatten());
        serde_json::from_str::<Value>(&demo::run(folder.path(), &arguments)).expect("JSON")
    };
    let whole = page("1000", None)["items"].as_array().expect("a list").clone();
    assert!(whole.len() > 4, "alice has lived for thirty days");
    let (mut read, mut after): (Vec<Value>, Option<String>) = (Vec::new(), None);
    for limit in ["2", "3", "1000"] {
        let found = page(limit, after.as_deref());
        read.extend(found["items"].as_array().expect("a list").clone());
        after = found["next"].as_str().map(str::to_owned);
    }
    assert_eq!((read, after), (whole, None));
}

#[test]
fn a_taken_address_is_named_with_what_to_do() {
    let folder = demo::folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = surety(folder.path(), &["--data", "surety-demo", "run", "--listen", &address]);
    let complaint = text(&output.stderr);
    assert!(
        code(&output) == 1 && complaint.contains(&address) && complaint.contains("--listen"),
        "{complaint}"
    );
}

#[test]
fn every_empty_list_says_what_comes_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let output = surety(folder.path(), &[&["--data", "new"], arguments].concat());
        assert_eq!(code(&output), 0, "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    run(&["init"]);
    let cases: [(&[&str], &str); 6] = [
        (&["keys", "list"], "surety keys new"),
        (&["asset", "list"], "surety asset new"),
        (&["operator", "list"], "surety operator register"),
        (&["service", "list"], "surety service create"),
        (&["service", "sets"], "surety service open-set"),
        (&["slash", "list"], "nobody"),
    ];
    for (arguments, words) in cases {
        assert!(run(arguments).contains(words), "{arguments:?}: {}", run(arguments));
    }
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
