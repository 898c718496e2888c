//! The replay as its users meet it: the binary, its output byte for byte where that matters, and its exit code.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run has left behind.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    code: i32,
    output: String,
    complaint: String,
}

impl Ended {
    fn lines(&self) -> Vec<serde_json::Value> {
        self.output.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

/// Runs `surety replay` with these arguments on this standard input.
fn replay(arguments: &[&str], input: &[u8]) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_surety"))
        .arg("replay")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("it was piped");
    let bytes = input.to_vec();
    // The binary may end before it has read everything; then nobody listens, which is its right.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
    let ended = child.wait_with_output().expect("the binary ends");
    writer.join().expect("writing does not panic");
    Ended {
        code: ended.status.code().expect("no signal ended it"),
        output: String::from_utf8(ended.stdout).expect("UTF-8"),
        complaint: String::from_utf8(ended.stderr).expect("UTF-8"),
    }
}

/// A ledger with an asset, an operator with a pool, and 100 units of alice.
const LEDGER: &str = r#"{"op":"list_asset","from":"alice","origin":{"chain":1,"contract":""},"decimals":18,"as":"eth","expect":"ok"}
{"op":"register_operator","from":"olga","as":"olga","expect":"ok"}
{"op":"open_pool","from":"olga","asset":"eth","mandate":{"worst_case":"1","elsewhere":"0","own_verifiers":"0","uncertified":false,"commission":"0.1"},"expect":"ok"}
{"op":"deposit","from":"alice","asset":"eth","amount":"100","expect":"ok"}
"#;

/// Runs these lines after [`LEDGER`], which has four.
fn on_ledger(arguments: &[&str], lines: &str) -> Ended {
    replay(&[&["-"], arguments].concat(), format!("{LEDGER}{lines}\n").as_bytes())
}

/// Runs a text in which `^` stands before the token that is wrong, after other lines; what the complaint says behind the place.
fn refused(before: &str, marked: &str) -> String {
    let (good, _) = marked.split_once('^').expect("a token is marked");
    let above = before.lines().count();
    let line = above + good.lines().count().max(1);
    let column = good.lines().last().unwrap_or("").chars().count() + 1;
    let ended = replay(&["-"], format!("{before}{}", marked.replacen('^', "", 1)).as_bytes());
    assert_eq!(ended.code, 1, "{marked}: {ended:?}");
    let place = format!("stdin:{line}:{column}: ");
    let cause = ended.complaint.strip_prefix(&place);
    cause.unwrap_or_else(|| panic!("{marked} at {place}: {}", ended.complaint)).trim_end().to_owned()
}

/// Each text, on an empty ledger, is refused at the mark, with a complaint that starts like this.
fn check_refusals(cases: &[(&str, &str)]) {
    for (marked, cause) in cases {
        let found = refused("", marked);
        assert!(found.starts_with(cause), "{marked}: {found}");
    }
}

/// A file that is gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, content).expect("the folder is there");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[test]
fn what_can_not_be_read_is_refused_at_its_token() {
    let cases = [
        (r#"{"op":"delegate"^"#, "not JSON: EOF while parsing an object"),
        (r#"{"op":"delegate",^}"#, "not JSON: trailing comma"),
        (r#"{"op":"delegate"} ^x"#, "not JSON: trailing characters"),
        (
            r#"{"op":"delegate"} ^// why"#,
            "not JSON: trailing characters\n  help: a comment has a line of its own",
        ),
        (
            r#"{^'op':"delegate"}"#,
            "not JSON: key must be a string\n  help: texts stand in double quotation marks",
        ),
        ("// two\n\n{\"op\":^tru}", "not JSON: expected ident"),
        (r#"{"advance_epochs":^1e999}"#, "not JSON: number out of range"),
        (r#"{"op":"deposit","from":"a",^"op":"delegate"}"#, "field \"op\" is given twice"),
    ];
    check_refusals(&cases);
}

#[test]
fn what_is_no_line_of_a_history_is_refused_at_its_token() {
    let cases = [
        ("^\u{feff}{}", "not JSON: expected value\n  help: the text starts with a byte order mark"),
        ("^7", "expected an object like {\"op\":...}, found 7"),
        ("^{}", "a line has \"op\", \"advance_epochs\", \"preview\" or, at the start, \"genesis\""),
        (r#"{^"opp":"delegate"}"#, "unknown field \"opp\"\n  help: did you mean \"op\"?"),
        (
            r#"{"op":^"delegat","from":"a"}"#,
            "there is no operation \"delegat\"\n  help: did you mean \"delegate\"?",
        ),
        (
            r#"{"op":^"fly","from":"a"}"#,
            "there is no operation \"fly\"\n  help: the operations are set_keys, grant, ",
        ),
        (r#"{"op":^7,"from":"a"}"#, "op: expected a text, found 7"),
        (r#"^{"op":"create_service"}"#, "field \"from\" is missing"),
        (r#"{"op":"create_service",^"form":"a"}"#, "unknown field \"form\"\n  help: did you mean \"from\"?"),
        (r#"{"op":"create_service","from":^7}"#, "from: expected a name or an address"),
        (r#"{"op":"create_service","from":^"a b"}"#, "from: a name is a letter"),
        (r#"{"op":"create_service","note":"größe","from":^"größe"}"#, "from: a name is a letter"),
        (r#"{"op":"create_service","from":^"0xAB"}"#, "from: address \"0xAB\" is not 0x and 20"),
        (r#"{"op":"create_service","from":"a","as":^"7"}"#, "a name is a letter"),
        (r#"{"op":"create_service","from":"a","note":^7}"#, "note: expected a text, found 7"),
        (r#"{"op":"create_service","from":"a",^"x":1}"#, "unknown field \"x\""),
        (
            r#"{"op":"create_service","from":"a","expect":^"OK"}"#,
            "create_service never comes to \"OK\"\n  help: it comes",
        ),
        (
            r#"{"op":"create_service","from":"a","expect":^"create_service.AlreadyRegisterd"}"#,
            "create_service never comes to \"create_service.AlreadyRegisterd\"\n  help: did you mean \"create_service.AlreadyR",
        ),
    ];
    check_refusals(&cases);
}

#[test]
fn other_lines_than_operations_are_refused_at_their_token() {
    let cases = [
        (
            r#"{"op":"create_service",^"advance_epochs":1}"#,
            "a line has one of \"op\" and \"advance_epochs\", not both",
        ),
        (r#"{"advance_epochs":^0}"#, "advance_epochs: expected a whole number from 1 to 100000, found 0"),
        (
            r#"{"advance_epochs":^18446744073709551616}"#,
            "advance_epochs: expected a whole number from 1 to 100000, found 184",
        ),
        (r#"{"advance_epochs":1,^"epochs":1}"#, "unknown field \"epochs\""),
        (r#"{"preview":^{"op":"create_service"}}"#, "field \"from\" is missing"),
        (r#"{"preview":{"op":"create_service","from":"a",^"as":"x"}}"#, "a preview creates nothing"),
        (r#"{"preview":{"op":"create_service","from":"a"},^"note":"x"}"#, "unknown field \"note\""),
        (
            r#"{"genesis":{"parameters":{^"unbondin":5}}}"#,
            "unknown field \"unbondin\"\n  help: did you mean \"unbonding\"?",
        ),
        (
            r#"{"genesis":{"parameters":{"unbonding":^-5}}}"#,
            "genesis.parameters.unbonding: expected a whole number from 0",
        ),
        (r#"{"genesis":{"parameters":^5}}"#, "genesis.parameters: "),
        (
            r#"{"genesis":^{"parameters":{"unbonding":5}}}"#,
            "the genesis does not hold together: unbonding of 5",
        ),
        ("{\"advance_epochs\":1}\n{^\"genesis\":{}}", "a genesis stands on the first line or nowhere"),
    ];
    check_refusals(&cases);
}

#[test]
fn fields_of_operations_are_refused_at_their_token() {
    let delegate = |rest: &str| format!(r#"{{"op":"delegate","from":"alice",{rest}}}"#);
    let cases = [
        (
            r#""operator":"olga","asset":"eth","amount":^1"#,
            "amount: expected an amount of base units as a decimal string",
        ),
        (
            r#""operator":"olga","asset":"eth","amount":^"01""#,
            "amount: amount \"01\" is not a decimal number of base units",
        ),
        (
            r#""operator":"olga","asset":"eth","amount":^"340282366920938463463374607431768211456""#,
            "amount: amount 340282366920938463463374607431768211456 exceeds the largest amount",
        ),
        (r#""operator":"olga","asset":"eth","amount":"1","worst_case":^"1.1""#, "worst_case: fraction "),
        (r#""operator":"olga","asset":"eth","amount":"1","mandate":^"0x00""#, "mandate: digest "),
        (
            r#""operator":"olga","asset":"eth","amount":"1",^"worst_cas":"1""#,
            "unknown field \"worst_cas\"\n  help: did you mean \"worst_case\"?",
        ),
        (
            r#""operator":"olga","asset":"eth",^"amuont":"1""#,
            "unknown field \"amuont\"\n  help: did you mean \"amount\"?",
        ),
        (
            r#""operator":^"olgo","asset":"eth","amount":"1""#,
            "operator: no operator has the name \"olgo\"\n  help: did you mean \"olga\"?",
        ),
        (
            r#""operator":^"0","asset":"eth","amount":"1""#,
            "operator: no operator has the name \"0\"\n  help: a number stands without",
        ),
        (
            r#""operator":^"zzz","asset":"eth","amount":"1""#,
            "operator: no operator has the name \"zzz\"\n  help: \"as\":\"zzz\" on the",
        ),
        (
            r#""operator":"olga","asset":^4294967296,"amount":"1""#,
            "asset: expected a whole number from 0 to 4294967295",
        ),
        (
            r#""operator":"olga","asset":^[0],"amount":"1""#,
            "asset: expected a whole number from 0 to 4294967295, found [0]",
        ),
        (
            r#""operator":"olga","asset":"eth","amount":"1","as":^"x""#,
            "delegate has created nothing that could be called \"x\"",
        ),
    ];
    for (rest, cause) in cases {
        let found = refused(LEDGER, &delegate(rest));
        assert!(found.starts_with(cause), "{rest}: {found}");
    }
    let found = refused(LEDGER, r#"^{"op":"delegate","from":"alice","operator":"olga","asset":"eth"}"#);
    assert_eq!(found, "field \"amount\" is missing");
    let follow_up = r#"{"op":"undelegate","from":"alice","operator":"olga","asset":"eth","follow_up":{^"delegat":{"operator":"olga"}}}"#;
    let found = refused(LEDGER, follow_up);
    assert_eq!(found, "follow_up: \"delegat\" is not known\n  help: did you mean \"delegate\"?");
    let ended = on_ledger(&[], "{");
    assert_eq!((ended.code, ended.output.lines().count()), (1, 4), "what came before is answered");
}

#[test]
fn a_line_and_a_text_that_are_too_long_are_refused() {
    let rest = (1 << 20) - 9;
    let found = refused("", &format!("{{\"note\":\"{}^{}\"}}", "x".repeat(rest), "x".repeat(2)));
    assert_eq!(found, "the line is longer than 1048576 bytes");
    let found = refused("", &format!("{{\"note\":^\"{}\"}}", "x".repeat(20_000)));
    assert_eq!(found, "a text of 20002 bytes is longer than 16384");
    let found =
        refused("", &format!("{{\"op\":\"claim\",\"from\":\"a\",\"note\":^\"{}\"}}", "x".repeat(2_000)));
    assert_eq!(found, "a note of 2000 bytes is longer than 1024");
}

#[test]
fn what_is_not_utf_8_is_refused_where_it_stops_being_so() {
    let ended = replay(&["-"], b"{\"note\":\"\xc3\xa4\xff\"}");
    assert_eq!((ended.code, ended.complaint.as_str()), (1, "stdin:1:11: the line is not UTF-8\n"));
}

#[test]
fn a_file_is_called_by_its_name_and_a_missing_one_is_an_error() {
    let scratch = Scratch::new("broken.jsonl", "\n{]");
    let ended = replay(&[scratch.path()], b"");
    assert_eq!(ended.code, 1);
    assert!(ended.complaint.starts_with(&format!("{}:2:2: ", scratch.path())), "{}", ended.complaint);
    let ended = replay(&["/no/such/file"], b"");
    assert_eq!(ended.code, 1);
    assert!(ended.complaint.starts_with("surety: cannot open /no/such/file: "), "{}", ended.complaint);
    let ended = replay(&[], b"");
    assert_eq!(ended.code, 1, "a missing argument is a usage error like any other");
}

#[test]
fn a_refusal_is_an_answer() {
    let ended = on_ledger(
        &[],
        r#"{"op":"delegate","from":"alice","operator":"olga","asset":"eth","amount":"101","note":"too much"}"#,
    );
    assert_eq!(ended.code, 0);
    let expected = "{\"line\":5,\"ok\":false,\"refused\":\"delegate.ExceedsFree\",\
        \"why\":\"delegation of 101 exceeds free balance 100\",\"note\":\"too much\"}";
    assert_eq!(ended.output.lines().last(), Some(expected));
}

#[test]
fn what_does_not_come_about_as_expected_fails_at_the_end() {
    let lines = r#"{"op":"delegate","from":"alice","operator":"olga","asset":"eth","amount":"101","expect":"ok"}
{"op":"delegate","from":"alice","operator":"olga","asset":"eth","amount":"101","expect":"delegate.ExceedsFree"}
{"op":"delegate","from":"alice","operator":"olga","asset":"eth","amount":"100","expect":"delegate.ExceedsFree"}
{"advance_epochs":1}"#;
    let ended = on_ledger(&[], lines);
    assert_eq!(ended.code, 2);
    let expected = "stdin:5: expected ok, found delegate.ExceedsFree: delegation of 101 exceeds free balance 100\n\
        stdin:7: expected delegate.ExceedsFree, found ok\n";
    assert_eq!(ended.complaint, expected);
    let answers = ended.lines();
    assert_eq!(answers.len(), 8, "the run goes on after a surprise");
    assert_eq!(answers[4]["expected"], "ok");
    assert!(answers[5].get("expected").is_none());
}

#[test]
fn names_stand_for_accounts_and_for_what_was_created() {
    let lines = r#"{"op":"delegate","from":"alice","operator":"olga","asset":"eth","amount":"60","expect":"ok"}
{"op":"delegate","from":"0x08ac0147fe05a3431de492edc444a3daf093bac5","operator":0,"asset":0,"amount":"41","expect":"delegate.ExceedsFree"}"#;
    let named = on_ledger(&[], lines);
    assert_eq!(named.code, 0, "{named:?}");
    let event = &named.lines()[4]["events"][0];
    assert_eq!(
        (&event["account"], &event["operator"], &event["asset"]),
        (&"alice".into(), &"olga".into(), &"eth".into())
    );
    let raw = on_ledger(&["--raw"], lines);
    let event = &raw.lines()[4]["events"][0];
    let address = "0x08ac0147fe05a3431de492edc444a3daf093bac5";
    assert_eq!(
        (&event["account"], &event["operator"], &event["asset"]),
        (&address.into(), &0.into(), &0.into())
    );
}

#[test]
fn a_name_is_given_once_and_not_by_a_refusal() {
    let second =
        r#"{"op":"list_asset","from":"alice","origin":{"chain":2,"contract":""},"decimals":18,"as":^"eth"}"#;
    assert_eq!(refused(LEDGER, second), "\"eth\" is the name of asset 0 already");
    let lines = r#"{"op":"list_asset","from":"alice","origin":{"chain":1,"contract":""},"decimals":18,"as":"weth"}
{"op":"deposit","from":"alice","asset":^"weth","amount":"1"}"#;
    let expected =
        "asset: no asset has the name \"weth\"\n  help: line 5 would have given it, and was refused";
    assert_eq!(refused(LEDGER, lines), expected);
}

#[test]
fn a_preview_tells_what_the_operation_would_and_changes_nothing() {
    let operation = r#"{"op":"delegate","from":"alice","operator":"olga","asset":"eth","amount":"60"}"#;
    let refused = operation.replace("60", "101");
    let previews = format!("{{\"preview\":{operation}}}\n{{\"preview\":{refused}}}\n");
    let (without, with) =
        (on_ledger(&["--state"], operation), on_ledger(&["--state"], &format!("{previews}{operation}")));
    assert_eq!((without.code, with.code), (0, 0));
    let (without, with): (Vec<&str>, Vec<&str>) =
        (without.output.lines().collect(), with.output.lines().collect());
    assert_eq!(with[4], without[4].replace("\"line\":5,", "\"line\":5,\"preview\":true,"));
    assert!(
        with[5].starts_with("{\"line\":6,\"preview\":true,\"ok\":false,\"refused\":\"delegate.ExceedsFree\"")
    );
    assert_eq!(with[6], without[4].replace("\"line\":5", "\"line\":7"));
    assert_eq!(with[7..], without[5..], "the state is the same");
}

#[test]
fn a_genesis_states_what_differs() {
    let genesis = r#"{"genesis":{"parameters":{"unbonding":20},"governor":"gov"}}"#;
    let lines = LEDGER.replace("\"100\"", "\"100\",\"note\":\"x\"");
    let leave = r#"{"op":"delegate","from":"alice","operator":"olga","asset":"eth","amount":"60","expect":"ok"}
{"advance_epochs":1}
{"op":"undelegate","from":"alice","operator":"olga","asset":"eth","expect":"ok"}
{"op":"govern_asset","from":"gov","asset":"eth","value":1,"expect":"ok"}"#;
    let ended = replay(
        &["-"],
        format!("// the first line that is not a comment\n{genesis}\n{lines}{leave}").as_bytes(),
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.lines()[0], serde_json::json!({"line": 2, "epoch": 0, "events": []}));
    assert_eq!(ended.lines()[7]["events"][0]["free_at"], 22, "bonded through 1, free 20 epochs after it");
}

#[test]
fn what_is_left_out_and_known_is_filled_in_and_what_is_given_counts() {
    let zero = format!("0x{}", "00".repeat(32));
    let delegate = r#"{"op":"delegate","from":"alice","operator":"olga","asset":"eth","amount":"10""#;
    let lines = format!(
        "{delegate}}}\n{delegate},\"mandate\":\"{zero}\"}}\n{delegate},\"worst_case\":\"0\"}}\n\
        {{\"op\":\"set_compounding\",\"from\":\"alice\",\"operator\":\"olga\",\"asset\":\"eth\",\"order\":{{}}}}\n\
        {{\"advance_epochs\":1}}\n\
        {{\"op\":\"undelegate\",\"from\":\"alice\",\"operator\":\"olga\",\"asset\":\"eth\",\
        \"follow_up\":{{\"delegate\":{{\"operator\":\"olga\"}}}}}}"
    );
    let ended = on_ledger(&[], &lines);
    assert_eq!(ended.code, 0, "{ended:?}");
    let outcomes: Vec<bool> = ended.lines()[4..].iter().filter_map(|line| line["ok"].as_bool()).collect();
    assert_eq!(outcomes, [true, false, true, true, true]);
    assert_eq!(ended.lines()[5]["refused"], "delegate.MandateDiffers");
}

#[test]
fn a_delegate_signs_for_an_account_within_its_grant() {
    let lines = r#"{"op":"grant","from":"alice","delegate":"bot","kinds":["delegate"],"expires":9,"expect":"ok"}
{"op":"delegate","from":"alice","by":"bot","operator":"olga","asset":"eth","amount":"60","expect":"ok"}
{"op":"undelegate","from":"alice","by":"bot","operator":"olga","asset":"eth","expect":"authority.KindNotGranted"}
{"op":"undelegate","from":"alice","by":"eve","operator":"olga","asset":"eth","expect":"authority.NotADelegate"}"#;
    let ended = on_ledger(&[], lines);
    assert_eq!((ended.code, ended.complaint.as_str()), (0, ""));
    assert!(
        ended.lines()[7]["why"]
            .as_str()
            .is_some_and(|why| why.starts_with("eve is not a delegate of account alice"))
    );
}

#[test]
fn parameters_that_are_not_proposed_stay() {
    let lines = r#"{"genesis":{"governor":"gov"}}
{"op":"propose_parameters","from":"gov","parameters":{"unbonding":20},"expect":"ok"}
{"op":"propose_parameters","from":"gov","parameters":{"unbonding":2},"expect":"propose_parameters.OutOfBounds"}"#;
    let ended = replay(&["-"], lines.as_bytes());
    assert_eq!((ended.code, ended.complaint.as_str()), (0, ""));
}

#[test]
fn two_runs_give_the_same_bytes() {
    let lines = r#"{"op":"delegate","from":"alice","operator":"olga","asset":"eth","amount":"60"}
{"advance_epochs":3}
{"op":"undelegate","from":"alice","operator":"olga","asset":"eth","amount":"10"}"#;
    let (first, second) =
        (on_ledger(&["--state", "--check"], lines), on_ledger(&["--state", "--check"], lines));
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!(first, second);
}

#[test]
fn the_state_is_one_object_at_the_end_and_quiet_leaves_only_that() {
    let loud = on_ledger(&["--state"], "");
    let quiet = on_ledger(&["--state", "--quiet"], "");
    let state: serde_json::Value = serde_json::from_str(&quiet.output).expect("one object");
    assert!(state.is_object());
    let answers = loud.output.strip_suffix(&quiet.output).expect("the state is the end of what is not quiet");
    assert_eq!(answers.lines().count(), 4);
    assert_eq!(on_ledger(&["--quiet"], "").output, "");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let lines = "{\"advance_epochs\":1}\n".repeat(20_000);
    let scratch = Scratch::new("long.jsonl", &lines);
    let mut child = Command::new(env!("CARGO_BIN_EXE_surety"))
        .args(["replay", scratch.path()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("the binary ends");
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn help_lists_the_exit_codes() {
    let ended = replay(&["--help"], b"");
    assert_eq!((ended.code, ended.complaint.as_str()), (0, ""));
    for text in ["EXIT CODES", "  0  ", "  1  ", "  2  ", "sha256"] {
        assert!(ended.output.contains(text), "{text}: {}", ended.output);
    }
}

/// Replays every history of a folder; each says what each of its operations comes to.
fn replay_folder(folder: &str, at_least: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).expect("histories are there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    assert!(files.len() >= at_least, "{files:?}");
    for file in files {
        let path = file.to_str().expect("UTF-8");
        let ended = replay(&[path, "--check", "--quiet"], b"");
        assert_eq!((ended.code, ended.complaint.as_str()), (0, ""), "{path}");
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let operations =
            text.lines().filter(|line| line.starts_with("{\"op\"") || line.starts_with("{\"preview\""));
        let unexpected: Vec<&str> = operations.filter(|line| !line.contains("\"expect\"")).collect();
        assert_eq!(unexpected, Vec::<&str>::new(), "{path}: a history says what each operation comes to");
    }
}

#[test]
fn every_example_is_as_it_says() {
    replay_folder("../../examples", 6);
}

/// Each is an attack that once succeeded; its comment tells it.
#[test]
fn every_attack_of_the_past_fails() {
    replay_folder("tests/histories", 16);
}
