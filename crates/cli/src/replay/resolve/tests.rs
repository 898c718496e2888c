use std::collections::BTreeSet;

use protocol::{Genesis, Kind};
use schemars::generate::SchemaSettings;
use serde_json::json;

use super::*;

const ALICE: &str = "0x08ac0147fe05a3431de492edc444a3daf093bac5";

/// Numbers of 32 bits that are no ids: epochs and counts.
const PLAIN: [&str; 23] = [
    "age_max",
    "age_min",
    "bonded_through",
    "capture",
    "deadline",
    "drip",
    "epoch",
    "epochs",
    "execution",
    "expected_slashes",
    "expires",
    "freeze",
    "grace",
    "heartbeat",
    "log",
    "period",
    "ramp",
    "rules_version",
    "ticket",
    "veto",
    "wait",
    "warm_up",
    "window",
];

fn names() -> Names {
    let mut names = Names::default();
    names.account("alice").expect("a name");
    for (thing, number, name) in
        [(Thing::Asset, 0, "eth"), (Thing::Operator, 1, "olga"), (Thing::Set, 2, "feeds")]
    {
        names.give(thing, number, name).expect("it is new");
    }
    names
}

fn resolved(operation: &str, fields: Value) -> Result<Value, String> {
    let Value::Object(mut fields) = fields else { panic!("fields are an object") };
    let ended = resolve(operation, &mut fields, &mut names(), &Path::root());
    ended.map(|()| Value::Object(fields)).map_err(|mistake| mistake.to_string())
}

#[test]
fn names_are_resolved_at_any_depth() {
    let cases = [
        (
            "propose_parameters",
            json!({"parameters": {"caps": {"operator": "0.3", "service": "0.5"}}}),
            json!({"parameters": {"caps": {"operator": "0.3", "service": "0.5"}}}),
        ),
        ("delegate", json!({"operator": "olga", "asset": "eth"}), json!({"operator": 1, "asset": 0})),
        (
            "delegate",
            json!({"operator": 7, "asset": 0, "amount": "eth"}),
            json!({"operator": 7, "asset": 0, "amount": "eth"}),
        ),
        (
            "create_set",
            json!({"terms": {"reward_tokens": ["eth", 5]}}),
            json!({"terms": {"reward_tokens": [0, 5]}}),
        ),
        (
            "create_set",
            json!({"terms": {"assets": [{"asset": "eth"}]}}),
            json!({"terms": {"assets": [{"asset": 0}]}}),
        ),
        ("create_set", json!({"resolvers": ["alice"]}), json!({"resolvers": [ALICE]})),
        (
            "create_set",
            json!([{"to": {"redistribute": "alice"}}, {"to": "burn"}]),
            json!([{"to": {"redistribute": ALICE}}, {"to": "burn"}]),
        ),
        ("claim", json!({"to": "alice"}), json!({"to": ALICE})),
        ("withdraw", json!({"to": "alice"}), json!({"to": "alice"})),
        ("declare_stale", json!({"validator": 3}), json!({"validator": 3})),
        ("set_claimer", json!({"claimer": null}), json!({"claimer": null})),
    ];
    for (operation, fields, expected) in cases {
        let (fields, expected) = (json!({"fields": fields}), json!({"fields": expected}));
        assert_eq!(resolved(operation, fields.clone()), Ok(expected), "{operation} {fields}");
    }
}

#[test]
fn the_name_of_another_kind_is_no_name() {
    let refused = resolved("delegate", json!({"operator": "eth"})).expect_err("eth is an asset");
    assert!(refused.starts_with("operator: no operator has the name \"eth\""), "{refused}");
    let refused = resolved("report_validator", json!({"asset": "etch"})).expect_err("a slip");
    assert!(refused.ends_with("did you mean \"eth\"?"), "{refused}");
}

#[test]
fn answers_carry_the_names_that_the_input_could_have() {
    let answer = json!({"account": ALICE, "asset": 0, "operator": 2, "epoch": 0, "pools": [{"asset": 0, "stake": "0"}]});
    let mut labelled = answer.clone();
    Labels::On.put_into(&mut labelled, &names());
    let expected = json!({"account": "alice", "asset": "eth", "operator": 2, "epoch": 0, "pools": [{"asset": "eth", "stake": "0"}]});
    assert_eq!(labelled, expected);
    let mut same = answer.clone();
    Labels::Off.put_into(&mut same, &names());
    assert_eq!(same, answer);
}

#[test]
fn sentences_carry_names_too() {
    let cases = [
        ("operator 1 has no pool of asset 0", "operator olga has no pool of asset eth"),
        ("set 2 is closed, operator 1: gone", "set feeds is closed, operator olga: gone"),
        ("a fraction of asset 0.5 and 0 asset 7", "a fraction of asset 0.5 and 0 asset 7"),
        (&format!("the validator is {ALICE}'s"), "the validator is alice's"),
    ];
    for (sentence, expected) in cases {
        assert_eq!(Labels::On.put_into_sentence(sentence.to_owned(), &names()), expected);
        assert_eq!(Labels::Off.put_into_sentence(sentence.to_owned(), &names()), sentence);
    }
}

/// Every place of a schema where a text of that pattern, or a number of that format, may stand, by the name of its field.
fn leaves(schema: &Value, field: &str, is_leaf: &impl Fn(&Value) -> bool, found: &mut BTreeSet<String>) {
    if is_leaf(schema) {
        found.insert(field.to_owned());
    }
    for (key, part) in schema.as_object().into_iter().flatten() {
        match (key.as_str(), part) {
            ("properties", Value::Object(properties)) => {
                properties.iter().for_each(|(name, part)| leaves(part, name, is_leaf, found));
            }
            (_, Value::Array(parts)) => parts.iter().for_each(|part| leaves(part, field, is_leaf, found)),
            (_, Value::Object(_)) => leaves(part, field, is_leaf, found),
            _ => {}
        }
    }
}

#[test]
fn the_table_knows_every_account_and_every_number_of_every_operation() {
    let settings = SchemaSettings::default().with(|settings| settings.inline_subschemas = true);
    let mut generator = settings.into_generator();
    for kind in Kind::ALL {
        let schema = kind.schema(&mut generator).to_value();
        let (mut accounts, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        leaves(&schema, "", &|part| part["pattern"] == "^0x[0-9a-f]{40}$", &mut accounts);
        leaves(&schema, "", &|part| part["format"] == "uint32", &mut numbers);
        for field in &accounts {
            assert_eq!(content(kind.name(), field), Some(Content::Account), "{kind}.{field}");
        }
        for field in &numbers {
            let is_id = matches!(content(kind.name(), field), Some(Content::Number(_)));
            let is_parameter = kind.name() == "propose_parameters";
            assert!(
                is_id || is_parameter || PLAIN.contains(&field.as_str()),
                "{kind}.{field} is in no table"
            );
        }
    }
}

#[test]
fn the_accounts_of_a_genesis_are_known() {
    let genesis = serde_json::to_value(Genesis::development()).expect("plain data");
    let accounts = genesis
        .as_object()
        .expect("an object")
        .iter()
        .filter(|(_, value)| value.as_str().is_some_and(|text| text.parse::<Address>().is_ok()));
    for (field, _) in accounts {
        assert_eq!(content("genesis", field), Some(Content::Account), "{field}");
    }
}
