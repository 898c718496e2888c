//! The same updates in their first form: what is tested as JSON is what was published as CBOR.

use serde_json::Value;

pub(super) const CBOR: &str = "lc-mainnet-fulu-2026-06/proof_inputs.cbor";

/// One value, and what follows: numbers as decimal texts, bytes as `0x…`, as in the JSON.
fn value(bytes: &[u8]) -> (Value, &[u8]) {
    let (head, rest) = (bytes[0], &bytes[1..]);
    let (argument, rest) = match head & 31 {
        small @ 0..=23 => (u64::from(small), rest),
        size @ 24..=27 => {
            let (digits, rest) = rest.split_at(1 << (size - 24));
            (digits.iter().fold(0, |number, digit| number << 8 | u64::from(*digit)), rest)
        }
        other => panic!("length {other}"),
    };
    let length = usize::try_from(argument).unwrap_or(usize::MAX);
    match head >> 5 {
        0 => (Value::String(argument.to_string()), rest),
        2 => (Value::String(super::hex(&rest[..length])), &rest[length..]),
        3 => {
            let text = std::str::from_utf8(&rest[..length]).unwrap();
            (Value::String(text.to_owned()), &rest[length..])
        }
        4 => {
            let (mut items, mut left) = (Vec::new(), rest);
            for _ in 0..length {
                let (item, after) = value(left);
                items.push(item);
                left = after;
            }
            (Value::Array(items), left)
        }
        5 => {
            let (mut fields, mut left) = (serde_json::Map::new(), rest);
            for _ in 0..length {
                let (name, after) = value(left);
                let (field, after) = value(after);
                fields.insert(name.as_str().unwrap().to_owned(), field);
                left = after;
            }
            (Value::Object(fields), left)
        }
        7 if argument == 22 => (Value::Null, rest),
        other => panic!("kind {other}, argument {argument}"),
    }
}

#[test]
fn the_json_of_june_2026_is_the_cbor_that_was_published() {
    let Some(cbor) = super::bytes(CBOR) else { return };
    let (found, rest) = value(&cbor);
    assert!(rest.is_empty());
    let expected: Value = super::json(super::light::FULU).unwrap();
    assert_eq!(found, expected);
}
