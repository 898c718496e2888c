//! Operations, drafts and envelopes as JSON.

use serde_json::{Value, json};
use signing::NEVER;
use signing::json::{
    draft_from_json, draft_to_json, operation_from_json, operation_to_json, seal_from_json, seal_to_json,
    signed_from_json, signed_to_json,
};

use crate::fixtures::{draft, operations, seals, table};

#[test]
fn operations_survive_the_round_trip() {
    for operation in operations() {
        let value = operation_to_json(&operation);
        assert_eq!(operation_from_json(&value), Ok(operation));
    }
}

#[test]
fn what_is_no_operation_says_where_and_why() {
    let delegate = json!({
        "op": "delegate", "operator": 1, "asset": 2, "amount": "3", "mandate": format!("0x{}", "0".repeat(64)),
        "worst_case": "0.5",
    });
    assert!(operation_from_json(&delegate).is_ok());
    let with = |name: &str, value: Value| {
        let mut changed = delegate.clone();
        changed[name] = value;
        operation_from_json(&changed).unwrap_err().to_string()
    };
    let without = |name: &str| {
        let mut changed = delegate.clone();
        changed.as_object_mut().unwrap().remove(name);
        operation_from_json(&changed).unwrap_err().to_string()
    };
    let cases = [
        (with("amuont", json!("3")), vec!["amuont"]),
        (with("amount", json!(3)), vec!["amount", "decimal string"]),
        (with("amount", json!("03")), vec!["amount", "03"]),
        (with("worst_case", json!("1.5")), vec!["worst_case", "1.5"]),
        (with("operator", json!("olga")), vec!["operator", "olga"]),
        (with("op", json!("delegaet")), vec!["op", "delegaet"]),
        (with("op", json!(7)), vec!["op", "name"]),
        (without("op"), vec!["op", "missing"]),
        (without("amount"), vec!["amount", "missing"]),
        (operation_from_json(&json!([])).unwrap_err().to_string(), vec!["object"]),
    ];
    for (text, expected) in cases {
        for part in expected {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
    }
    let deep = table().into_iter().find(|value| value["op"] == "create_set").map(|mut value| {
        value["terms"]["admission"]["opertors_max"] = json!(1);
        operation_from_json(&value).unwrap_err()
    });
    let deep = deep.unwrap();
    assert!(deep.path.starts_with("terms.admission") && deep.why.contains("opertors_max"), "{deep}");
}

#[test]
fn envelopes_survive_the_round_trip() {
    for (number, operation) in operations().into_iter().enumerate() {
        let mut draft = draft(operation);
        if number % 2 == 0 {
            draft.expires = NEVER;
            draft.delegate = Some(protocol::units::Address([0x22; 20]));
        }
        assert_eq!(draft_from_json(&draft_to_json(&draft)), Ok(draft.clone()));
        let seals: Vec<_> = seals(&draft, u64::MAX).into_iter().map(|(_, seal)| seal).collect();
        for seal in &seals {
            assert_eq!(seal_from_json(&seal_to_json(seal)).as_ref(), Ok(seal));
        }
        let signed = draft.seal(seals);
        let text = signed_to_json(&signed).to_string();
        assert_eq!(signed_from_json(&serde_json::from_str(&text).unwrap()), Ok(signed));
    }
}

#[test]
fn what_is_no_envelope_says_why() {
    let signed = draft(operations().remove(0));
    let seals: Vec<_> = seals(&signed, 7).into_iter().map(|(_, seal)| seal).collect();
    let good = signed_to_json(&signed.seal(seals));
    let with = |pointer: &str, value: Value| {
        let mut changed = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[name] = value;
        signed_from_json(&changed).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(with("/expires", json!(5)), Ok(()), "a number is taken as well");
    assert_eq!(with("/seals", json!([])), Ok(()));
    let many = vec![good["seals"][0].clone(); 33];
    let cases = [
        (with("/expires", json!("05")), "leading zeros"),
        (with("/expires", json!("")), "whole number"),
        (with("/expires", json!("18446744073709551616")), "2^64"),
        (with("/expires", json!(-1)), "whole number"),
        (with("/account", json!("0xAA")), "account"),
        (with("/note", json!(1)), "note"),
        (with("/operation/note", json!(1)), "note"),
        (with("/seals", json!(many)), "33 seals"),
        (with("/seals/0/note", json!(1)), "seals[0]"),
        (with("/seals/0/nonce", json!("x")), "seals[0]"),
        (with("/seals", json!([{ "nonce": "1", "secp256k1": "0x00" }])), "seals[0]"),
        (with("/seals", json!([{ "nonce": "1" }])), "either secp256k1"),
    ];
    for (answer, expected) in cases {
        let text = answer.unwrap_err();
        assert!(text.contains(expected), "{expected} is not in: {text}");
    }
    let long = with("/expires", json!("9".repeat(10_000))).unwrap_err();
    assert!(long.len() < 300, "a hostile text is cut: {}", long.len());
}
