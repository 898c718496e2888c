use clap::CommandFactory;
use clap::Parser;
use serde_json::json;

use serde_json::{Map, Value};

use super::*;
use crate::command_line::{self, CommandLine};
use crate::transport::Recorded;

/// Who has a name.
const BOB: &str = "0x0202020202020202020202020202020202020202";

fn parsed(arguments: &[&str]) -> Op {
    let line = CommandLine::try_parse_from([&["surety", "op"], arguments].concat());
    match line.unwrap_or_else(|error| panic!("{error}")).command {
        Some(command_line::Command::Op(op)) => op,
        other => panic!("{other:?}"),
    }
}

fn context() -> Context {
    let labels = json!({ "items": [{ "key": format!("account/{BOB}"), "label": "bob" }] });
    let assets =
        json!({ "items": [{ "asset": 0, "decimals": 18, "origin": { "chain": 1, "contract": "" } }] });
    Context::over(Recorded::default().with("/v1/labels", labels).with("/v1/assets?limit=500", assets))
}

fn read(arguments: &[&str]) -> Result<Map<String, Value>, Failure> {
    parsed(arguments).typed.read(&context().reader().expect("names"))
}

/// A value as somebody would type it behind a flag. Names of the examples of the reference become numbers and addresses.
fn typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The same value with something unmistakable for every name.
fn without_names(operation: &str, field: &str, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.iter_mut().for_each(|(field, value)| without_names(operation, field, value))
        }
        Value::Array(values) => values.iter_mut().for_each(|value| without_names(operation, field, value)),
        // The reference's are short, as in a replay, where nothing is lost.
        Value::String(text) if field == "to" && text == "0xa11ce" => *value = json!(BOB),
        Value::String(text) => match crate::replay::field_content(operation, field) {
            Some(None) if !text.starts_with("0x") => *value = json!(format!("0x{}", "ab".repeat(20))),
            Some(Some(_)) => *value = json!(7),
            _ => {}
        },
        _ => {}
    }
}

#[test]
fn every_example_of_the_reference_can_be_typed() {
    let context = context();
    for described in schema::operations() {
        let page =
            format!("{}/../../docs/reference/operations/{}.md", env!("CARGO_MANIFEST_DIR"), described.name);
        let page = std::fs::read_to_string(&page).expect(&page);
        let example =
            page.lines().find(|line| line.starts_with("{\"op\":")).expect("every page has an example");
        let example: Map<String, Value> = serde_json::from_str(example).expect("the example is JSON");
        let mut arguments = vec![described.name.to_owned()];
        let mut expected = Map::new();
        for (name, mut value) in example {
            let Some(field) = described.fields.iter().find(|field| field.name == name) else { continue };
            without_names(described.name, &name, &mut value);
            let mut text = typed(&value);
            if field.content == schema::Content::Amount {
                text += "base";
            }
            arguments.extend([format!("--{}", name.replace('_', "-")), text]);
            expected.insert(name, value);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let op = parsed(&arguments);
        let read = op
            .typed
            .read(&context.reader().expect("names"))
            .unwrap_or_else(|failure| panic!("{arguments:?}: {failure}"));
        assert_eq!(Value::Object(read), Value::Object(expected.clone()), "{arguments:?}");
        // And all at once.
        let all = Value::Object(expected.clone()).to_string();
        let op = parsed(&[described.name, "--json", &all]);
        assert_eq!(op.typed.read(&context.reader().expect("names")), Ok(expected), "{all}");
    }
}

#[test]
fn what_is_missing_is_named_with_its_flag() {
    let failure = read(&["delegate", "--asset", "0"]).expect_err("incomplete");
    assert_eq!(failure.code(), "field.missing");
    assert!(failure.to_string().contains("amount (AMOUNT) and operator (OPERATOR)"), "{failure}");
    let failure = read(&["delegate", "--json", "{\"amont\":\"1\"}"]).expect_err("misspelt");
    assert_eq!(failure.remedy(), Some("did you mean \"amount\"?"));
}

#[test]
fn the_asset_of_an_amount_is_the_asset() {
    let fields = read(&["delegate", "--operator", "1", "--amount", "1.5asset/0"]);
    assert_eq!(
        fields.map(Value::from),
        Ok(json!({ "operator": 1, "asset": 0, "amount": "1500000000000000000" }))
    );
    let fields = read(&["delegate", "--operator", "1", "--asset", "0", "--amount", "2"]);
    assert_eq!(
        fields.map(Value::from),
        Ok(json!({ "operator": 1, "asset": 0, "amount": "2000000000000000000" }))
    );
    let other = read(&["delegate", "--operator", "1", "--asset", "1", "--amount", "2asset/0"])
        .expect_err("two assets");
    assert_eq!(other.code(), "amount.other-asset");
    let all = read(&["undelegate", "--operator", "1", "--asset", "0", "--amount", "all"]);
    assert_eq!(all.map(Value::from), Ok(json!({ "operator": 1, "asset": 0 })));
}

#[test]
fn parts_of_records_and_pairs_have_their_own_way() {
    let fields =
        read(&["open_pool", "--asset", "0", "--mandate-worst-case", "50%", "--mandate-commission", "0.1"]);
    let mandate = json!({ "worst_case": "0.50", "commission": "0.1" });
    let fields = fields.expect("fields");
    assert_eq!(fields["mandate"]["commission"], mandate["commission"]);
    assert_eq!(fields["mandate"]["worst_case"], "0.5");
    let fields = read(&["join_set", "--set", "2", "--allocations", "asset/0=64, 1=32"]).expect("fields");
    assert_eq!(fields["allocations"], json!([{ "asset": 0, "parts": 64 }, { "asset": 1, "parts": 32 }]));
    let bad = read(&["join_set", "--set", "2", "--allocations", "64"]).expect_err("no pair");
    assert_eq!(bad.code(), "field.misfit");
}

#[test]
fn a_batch_has_a_line_for_each_operation() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("batch.csv");
    let name = file.display().to_string();
    let op = |text: &str| {
        std::fs::write(&file, text).expect("written");
        let op = parsed(&["delegate", "--batch", &name, "--asset", "0"]);
        batch::read(&op.typed, &name)
    };
    let lines = op("operator,amount\n# a comment\n1, 5base\n2,6base\n").expect("lines");
    let context = context();
    let reader = context.reader().expect("names");
    let read: Vec<(u64, Value)> =
        lines.into_iter().map(|(line, typed)| (line, typed.read(&reader).expect("fields").into())).collect();
    let expected = [
        (3, json!({ "operator": 1, "asset": 0, "amount": "5" })),
        (4, json!({ "operator": 2, "asset": 0, "amount": "6" })),
    ];
    assert_eq!(read, expected);
    for (text, words) in [
        ("operator,amount\n1\n", "1 values, and the first line names 2 fields"),
        ("operator\n", "no operation"),
        ("", "no operation"),
    ] {
        let failure = op(text).expect_err(text);
        assert!(failure.to_string().contains(words), "{text}: {failure}");
    }
}

#[test]
fn a_destination_is_an_address_however_it_is_typed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("batch.csv").display().to_string();
    let written = |text: &str| std::fs::write(&file, text).expect("written");
    let all = |arguments: &[&str]| -> Vec<Result<Map<String, Value>, Failure>> {
        let (op, context) = (parsed(arguments), context());
        let reader = context.reader().expect("names");
        match &op.typed.batch {
            None => vec![op.typed.read(&reader)],
            Some(file) => {
                let lines = batch::read(&op.typed, file).expect("lines").into_iter();
                lines.map(|(_, typed)| typed.read(&reader)).collect()
            }
        }
    };
    // The same with a name and with what is nearly one.
    for (name, expected) in [("bob", Some(BOB)), ("bobb", None)] {
        let follow_up = format!(r#"{{"withdraw":{{"to":"{name}"}}}}"#);
        let fields = format!(r#"{{"asset":0,"amount":"5","to":"{name}"}}"#);
        written(&format!("amount,to\n5base,{name}\n6base,{name}\n"));
        let commands: [&[&str]; 5] = [
            &["withdraw", "--amount", "5asset/0", "--to", name],
            &["withdraw", "--json", &fields],
            &["withdraw", "--asset", "0", "--batch", &file],
            &["undelegate", "--operator", "1", "--asset", "0", "--follow-up", &follow_up],
            &[
                "replace_follow_up",
                "--operator",
                "1",
                "--asset",
                "0",
                "--bonded-through",
                "4",
                "--follow-up",
                &follow_up,
            ],
        ];
        for arguments in commands {
            for read in all(arguments) {
                let destination = read.map(|fields| {
                    let then = fields.get("follow_up").and_then(|then| then.pointer("/withdraw/to"));
                    fields.get("to").or(then).and_then(Value::as_str).unwrap_or_default().to_owned()
                });
                let found = destination.map_err(|failure| failure.code().to_owned());
                let expected = expected.map(str::to_owned).ok_or("destination.no-address".to_owned());
                assert_eq!(found, expected, "{arguments:?}");
            }
        }
    }
}

#[test]
fn every_operation_has_a_command_and_every_field_a_flag() {
    let root = CommandLine::command();
    let op = root.find_subcommand("op").expect("op is a command");
    for described in schema::operations() {
        let command = op.find_subcommand(described.name).expect(described.name);
        for field in &described.fields {
            assert!(
                command.get_arguments().any(|arg| arg.get_id() == field.name),
                "{}.{}",
                described.name,
                field.name
            );
        }
    }
}
