//! The shapes of what programs read, frozen: the fields of every document and the columns of every table, on the demo's ledger.
//!
//! `SURETY_REWRITE=1` writes `shapes.txt` anew. A field that goes or changes its name breaks somebody's script: say so in the changelog.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::demo::{self, run, surety};

/// Commands whose shape is frozen, in an order in which they can be run one after the other. `%` stands for the form, so that files have names of their own.
const COMMANDS: [&str; 75] = [
    "init new-% --name shapes",
    "status",
    "account list --limit 3",
    "account show alice",
    "account history alice --limit 3",
    "account notices carol",
    "account nonces alice",
    "account name mint-% 0x0000000000000000000000000000000000000001",
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
    "slash list",
    "slash show 0",
    "slash requests",
    "slash request-show 1",
    "position show alice",
    "position slashable alice",
    "position earn alice",
    "position exit carol",
    "position exit carol --ics out-%.ics",
    "position explain",
    "position explain position_worst_case account=alice position=5",
    "rewards show alice",
    "vault list",
    "vault show brisk",
    "vault curation calm",
    "vault allocate calm --plan",
    "vault rate brisk",
    "vault limits calm --account nora",
    "vault convert calm --shares 1000000",
    "vault preview calm --instant 1000000 --account nora",
    "vault exit-time calm --shares 1000000",
    "vault tickets calm",
    "vault holders calm",
    "vault slashable calm",
    "vault mine nora",
    "basket list",
    "network show",
    "network parameters",
    "stake delegate olga 1eth --from alice --dry-run",
    "stake delegate olga 1eth --from alice --yes",
    "stake delegate --batch batch.csv --from alice --dry-run",
    "stake delegate --batch batch.csv --from alice --yes",
    "withdraw 1eth 0x0000000000000000000000000000000000000002 --from alice --dry-run",
    "op claim --operator olga --from alice --dry-run",
    "tx build --out built-%.json delegate --operator olga --amount 1eth --from alice",
    "tx show built-%.json",
    "tx sign built-%.json --out signed-%.json --yes",
    "tx combine signed-%.json --out combined-%.json",
    "tx send combined-%.json",
    "proof get pool/0",
    "proof get pool/0 --out proof-%.json",
    "proof verify proof-%.json",
    "verify proof-%.json",
    "verify surety-demo",
    "snapshot create copy-%",
    "snapshot restore copy-% again-%",
    "export positions --out positions-%",
    "doctor",
    "config init settings-%.toml",
    "config show",
    "config check",
    "keys list",
    "keys show alice",
    "keys new made-%",
    "man --out man-%",
];

/// Commands that are run elsewhere, or whose answer is a text and no table.
const OTHERS: [&str; 23] = [
    "completions",
    "demo",
    "events",
    "replay",
    "run",
    // They need files and servers of their own: `following.rs`.
    "ethereum prove",
    "ethereum prove-account",
    "ethereum prove-receipt",
    "ethereum state",
    "ethereum follow",
    "keys import",
    "keys export",
    "keys rotate",
    "keys password",
    // A ledger that follows a chain: the test of the main job on real data runs them.
    "ethereum status",
    "ethereum pods",
    // Its history is replayed by `import.rs`; the demo has no basket.
    "vault import-snapshot",
    // What it answers is the receipt of an operation; `plan.rs` hands one in.
    "vault apply",
    "basket show",
    "basket in-kind",
    // Texts and tables of the ledger itself, below.
    "man",
    "export",
    "config show",
];

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

/// Every command in one form, in their order, on a demo of its own.
fn outputs(form: &str) -> Vec<String> {
    let folder = demo::folder();
    let batch = "operator,amount\nolga,1eth\nhugo,1eth\n";
    std::fs::write(folder.path().join("batch.csv"), batch).expect("a batch");
    let output = |command: &&str| {
        let command = command.replace('%', form);
        let words: Vec<&str> = command.split(' ').collect();
        run(folder.path(), &[&["-o", form], words.as_slice()].concat())
    };
    COMMANDS.iter().map(output).collect()
}

/// The shape of a command.
fn shape(command: &str, json: &str, csv: &str) -> String {
    let document: Value = serde_json::from_str(json).expect(command);
    let mut found = BTreeSet::new();
    fields(&document, "", &mut found);
    let mut shape = format!("{command}\n  csv {}\n", csv.lines().next().unwrap_or_default());
    for path in found {
        shape += &format!("  {path}\n");
    }
    shape
}

#[test]
fn what_programs_read_keeps_its_shape() {
    let [json, csv, ndjson, table] = std::thread::scope(|scope| {
        let running = ["json", "csv", "ndjson", "table"].map(|form| scope.spawn(move || outputs(form)));
        running.map(|form| form.join().expect("every command works"))
    });
    let mut shapes = String::new();
    for ((command, json), (csv, (ndjson, table))) in
        COMMANDS.iter().zip(&json).zip(csv.iter().zip(ndjson.iter().zip(&table)))
    {
        shapes += &shape(command, json, csv);
        let is_object = |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|value| value.is_object());
        assert!(ndjson.lines().all(is_object), "{command}: {ndjson}");
        assert!(!table.is_empty(), "{command}");
    }
    let folder = demo::folder();
    for table in ["accounts", "positions", "rewards", "slashes"] {
        let header = run(folder.path(), &["export", table]).lines().next().unwrap_or_default().to_owned();
        let line = run(folder.path(), &["export", table, "-o", "ndjson"]);
        let line: Value = serde_json::from_str(line.lines().next().unwrap_or_default()).expect(table);
        let names: Vec<&str> = line.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(names.join(","), header, "CSV and NDJSON of {table} say the same");
        shapes += &format!("export {table}\n  csv {header}\n");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes.txt");
    if std::env::var_os("SURETY_REWRITE").is_some() {
        std::fs::write(&path, &shapes).expect("written");
    }
    let frozen = std::fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<&str> =
        shapes.lines().filter(|line| !frozen.lines().any(|known| known == *line)).collect();
    assert!(
        frozen == shapes,
        "the shapes are others than tests/shapes.txt says, in these lines at least: {changed:#?}"
    );
}

#[test]
fn every_command_has_a_frozen_shape() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli");
    let mut missing = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the reference") {
        let path = entry.expect("an entry").path();
        let noun = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a page");
        let sections: Vec<&str> = text.split("\n## ").collect();
        let (head, verbs) = sections.split_first().expect("a page has a head");
        let commands = if verbs.is_empty() { vec![(noun.as_str(), *head)] } else { Vec::new() };
        let verbs = verbs.iter().map(|section| (section.lines().next().unwrap_or_default(), *section));
        for (name, text) in commands.into_iter().chain(verbs) {
            // Every operation is shown in the same two ways: its preview and its receipt.
            let is_operation = text.contains("docs/reference/operations/");
            let is_known = COMMANDS
                .iter()
                .chain(&OTHERS)
                .any(|command| *command == name || command.starts_with(&format!("{name} ")));
            if noun != "README" && !is_operation && !is_known {
                missing.push(name.to_owned());
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "commands without a frozen shape");
}

#[test]
fn an_operation_needs_a_yes() {
    let folder = demo::folder();
    let delegate = ["--data", "surety-demo", "stake", "delegate", "olga", "1eth", "--from", "alice"];
    let asked = surety(folder.path(), &delegate);
    let complaint = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(asked.status.code() == Some(1) && complaint.contains("--yes"), "{complaint}");
    let preview = surety(folder.path(), &[&delegate[..], &["--dry-run"]].concat());
    let preview = String::from_utf8_lossy(&preview.stdout).into_owned();
    for words in ["What can be lost at worst", "mandate that is signed", "1 eth", "olga"] {
        assert!(preview.contains(words), "{words}: {preview}");
    }
}

#[test]
fn stake_leaves_to_the_address_of_a_name_and_never_to_the_name() {
    let folder = demo::folder();
    let shown = |arguments: &[&str]| -> Value {
        serde_json::from_str(&run(folder.path(), &[arguments, &["-o", "json"]].concat())).expect("JSON")
    };
    let carol = shown(&["account", "show", "carol"])["account"].clone();
    assert!(carol.as_str().is_some_and(|text| text.len() == 42), "{carol}");
    let preview = shown(&["withdraw", "1base", "carol", "--asset", "eth", "--from", "alice", "--dry-run"]);
    assert_eq!(preview["draft"]["operation"]["to"], carol);
    let follow_up = r#"{"withdraw":{"to":"carol"}}"#;
    let undelegate = ["stake", "undelegate", "olga", "1eth", "--from", "alice", "--follow-up", follow_up];
    let preview = shown(&[&undelegate[..], &["--dry-run"]].concat());
    assert_eq!(preview["draft"]["operation"]["follow_up"]["withdraw"]["to"], carol);
    for command in [
        "withdraw 1eth caro --from alice --yes",
        "tx build --out x.json withdraw --amount 1eth --to caro --from alice",
    ] {
        let arguments: Vec<&str> = ["--data", "surety-demo"].into_iter().chain(command.split(' ')).collect();
        let refused = surety(folder.path(), &arguments);
        let complaint = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{command}: {complaint}");
        assert!(complaint.contains("did you mean \"carol\"?"), "{command}: {complaint}");
    }
}

#[test]
fn a_batch_that_fails_in_the_middle_says_what_was_done() {
    let folder = demo::folder();
    // Each alone could be applied; the second is more than the first leaves.
    let free = run(folder.path(), &["account", "show", "alice", "-o", "json"]);
    let free: Value = serde_json::from_str(&free).expect("JSON");
    let eth =
        free["balances"].as_array().and_then(|all| all.iter().find(|one| one["asset"] == 0)).expect("eth");
    let free = eth["free"].as_str().expect("an amount");
    let batch = format!("operator,asset,amount\nolga,eth,{free}base\nhugo,eth,1\nolga,eth,1\n");
    std::fs::write(folder.path().join("batch.csv"), batch).expect("written");
    let arguments = [
        "--data",
        "surety-demo",
        "-o",
        "json",
        "stake",
        "delegate",
        "-f",
        "batch.csv",
        "--from",
        "alice",
        "--yes",
    ];
    let output = surety(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let done: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let outcomes: Vec<&str> = done["items"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|item| item["outcome"].as_str())
        .collect();
    assert_eq!(outcomes, ["applied", "delegate.ExceedsFree"], "{done}");
}
