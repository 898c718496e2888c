//! The words of operations.

use std::collections::BTreeMap;

use protocol::Kind;
use serde_json::{Value, json};
use signing::{action, json as form, signing_hash};

use crate::fixtures::{altered, domain, draft, golden, operations, table};

#[test]
fn the_table_has_every_kind() {
    for kind in Kind::ALL {
        assert!(operations().iter().any(|operation| operation.kind() == *kind), "{kind}");
    }
}

/// A changed sentence is a changed signature.
#[test]
fn the_words_are_frozen() {
    let words: String = operations().iter().map(|operation| action(operation) + "\n").collect();
    golden("actions.txt", &words);
}

#[test]
fn the_words_are_plain_and_not_endless() {
    for operation in operations() {
        let words = action(&operation);
        assert!(words.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{words}");
        assert!(words.len() < 1200, "{} characters: {words}", words.len());
        assert!(
            words.starts_with(|first: char| first.is_ascii_uppercase()) && !words.ends_with('.'),
            "{words}"
        );
    }
}

/// What the words leave out: proofs and signatures, and what lists have beyond their sixteenth item.
fn is_left_out(path: &str, words: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    let first = path.split('/').nth(1).unwrap_or_default();
    let proofs =
        ["bootstrap", "update", "remembered", "opening", "validators", "nodes", "under_way", "earlier"];
    if proofs.contains(&first) || path.starts_with("/proof/") || path.starts_with("/evidence/receipt") {
        return true;
    }
    // The message of a certificate is the header's, which the ledger knows.
    if matches!(path, "/certificate/message" | "/certificate/signers" | "/certificate/epoch") {
        return true;
    }
    matches!(last, "proof" | "possession" | "signature" | "content") || words.contains(" more")
}

#[test]
fn the_words_tell_every_figure() {
    for value in table() {
        let words = action(&form::operation_from_json(&value).unwrap());
        tell(&value, "", &words);
    }
}

/// The one figure with a meaning of its own is told by its meaning.
#[test]
fn an_allowance_without_end_and_the_end_of_one_say_so() {
    let spender = format!("0x{}", "99".repeat(20));
    for (shares, many) in
        [("0", "no shares"), (&*u128::MAX.to_string(), "any number of shares, without end,")]
    {
        let value = json!({ "op": "approve_shares", "share": 7, "spender": spender, "shares": shares });
        let words = action(&form::operation_from_json(&value).unwrap());
        let expected = format!(
            "Let account {spender} transfer {many} of sort 7 of this account to anyone, in place of what it may now"
        );
        assert_eq!(words, expected);
    }
}

fn tell(value: &Value, path: &str, words: &str) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| tell(field, &format!("{path}/{name}"), words))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| tell(item, &format!("{path}/{at}"), words))
        }
        Value::Number(number) => assert_told(&number.to_string(), path, words),
        Value::String(text)
            if text.starts_with(|first: char| first.is_ascii_digit()) || text.contains(":0x") =>
        {
            assert_told(text, path, words);
        }
        _ => {}
    }
}

fn assert_told(figure: &str, path: &str, words: &str) {
    let is_part = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let is_told = words.match_indices(figure).any(|(at, _)| {
        !is_part(words[..at].chars().next_back()) && !is_part(words[at + figure.len()..].chars().next())
    });
    assert!(is_told || is_left_out(path, words), "{figure} of {path} is not in: {words}");
}

#[test]
fn no_two_operations_have_the_same_hash_or_the_same_words() {
    let mut hashes = BTreeMap::new();
    let mut count = 0;
    for value in table() {
        let operation = form::operation_from_json(&value).unwrap();
        let words = action(&operation);
        let mut all = vec![(String::new(), value.clone())];
        all.extend(altered(&value));
        for (path, value) in all {
            let Ok(other) = form::operation_from_json(&value) else { continue };
            count += 1;
            let hash = signing_hash(&domain(), &draft(other.clone()), 5);
            if let Some(same) = hashes.insert(hash, other.clone()) {
                assert_eq!(same, other, "two operations with one hash");
            }
            let is_same = action(&other) == words;
            if path.is_empty() {
                assert!(is_same);
            } else if !is_left_out(&path, &words) {
                assert!(!is_same, "{path} can change without a word: {words}");
            }
        }
    }
    assert!(count > 300, "{count} operations were compared");
}
