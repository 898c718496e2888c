use serde_json::json;

use super::*;
use crate::replay::Thing;

struct Olga;

impl Labels for Olga {
    fn account(&self, address: &str) -> Option<String> {
        (address == "0x01").then(|| "olga".to_owned())
    }

    fn thing(&self, thing: Thing, number: u64) -> Option<String> {
        (thing == Thing::Asset && number == 0).then(|| "eth".to_owned())
    }

    fn amount(&self, asset: u64, units: &str) -> Option<String> {
        (asset == 0).then(|| format!("{units} wei"))
    }

    fn shares(&self, vault: u64, _: u64, count: &str) -> Option<String> {
        (vault == 0).then(|| format!("{count} calm"))
    }
}

const COLUMNS: [Column; 4] = [
    Column::thing(Thing::Operator, "operator", "/operator"),
    Column::account("owner", "/account"),
    Column::amount("bonded", "/bonded", "/asset"),
    Column::share("commission", "/commission"),
];

fn operators() -> Answer {
    let items = vec![
        json!({ "operator": 0, "account": "0x01", "asset": 0, "bonded": "1000", "commission": "0.05", "more": [1] }),
        json!({ "operator": 12, "account": "0x02", "asset": 1, "bonded": "5", "commission": null }),
    ];
    Answer::list(items, &COLUMNS).with("as_of", json!({ "height": 7, "epoch": 2 })).with("next", json!("abc"))
}

fn written(answer: &Answer, form: Form) -> String {
    let mut output = Vec::new();
    answer.write(form, &Olga, None, &mut output).expect("memory takes it");
    String::from_utf8(output).expect("text")
}

#[test]
fn a_list_has_four_forms() {
    let answer = operators();
    let table = [
        " operator  owner    bonded  commission",
        " op/0      olga   1000 wei         5 %",
        " op/12     0x02          5           -",
        "as of height 7, epoch 2",
        "there is more: --after abc",
        "",
    ];
    assert_eq!(written(&answer, Form::Table), table.join("\n"));
    let csv = "operator,owner,bonded,commission\n0,0x01,1000,0.05\n12,0x02,5,\n";
    assert_eq!(written(&answer, Form::Csv), csv);
    let lines: Vec<Value> =
        written(&answer, Form::Ndjson).lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["more"], json!([1]));
    let document: Value = serde_json::from_str(&written(&answer, Form::Json)).expect("JSON");
    assert_eq!(&document, answer.document());
}

#[test]
fn a_page_has_fields_and_lists() {
    const FIELDS: [Column; 2] =
        [Column::account("owner", "/account"), Column::plain("retired", "/is_retired")];
    const SECTIONS: [Section; 2] = [
        Section { title: "Pools", at: "/pools", columns: &[Column::plain("pool", "/pool")], empty: "none" },
        Section { title: "Sets", at: "/sets", columns: &[Column::plain("set", "/set")], empty: "in no set" },
    ];
    let document = json!({ "account": "0x01", "is_retired": false, "pools": [{ "pool": 3 }], "sets": [] });
    let answer = Answer::new(document, Shape::Page(&FIELDS, &SECTIONS));
    let table = " owner    olga\n retired  no\n\nPools\n pool\n    3\n\nSets\n  in no set\n";
    assert_eq!(written(&answer, Form::Table), table);
    assert_eq!(written(&answer, Form::Csv), "owner,retired\n0x01,false\n");
    assert_eq!(written(&answer, Form::Ndjson).lines().count(), 1);
}

#[test]
fn what_was_done_is_a_sentence_or_a_document() {
    let answer = Answer::said("wrote x").with("file", json!("x"));
    assert_eq!(written(&answer, Form::Table), "wrote x\n");
    assert_eq!(written(&answer, Form::Csv), "said\nwrote x\n");
    assert_eq!(written(&answer, Form::Ndjson), "{\"said\":\"wrote x\",\"file\":\"x\"}\n");
    assert_eq!(written(&Answer::text("a\nb\n"), Form::Table), "a\nb\n");
}

#[test]
fn an_empty_list_is_said() {
    let answer = Answer::list(Vec::new(), &COLUMNS);
    assert_eq!(written(&answer, Form::Table), "nothing there\n");
    assert_eq!(written(&answer, Form::Csv), "operator,owner,bonded,commission\n");
    assert_eq!(written(&answer, Form::Ndjson), "");
}
