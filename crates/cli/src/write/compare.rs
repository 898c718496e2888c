//! Whether the node has prepared what was asked for.

use protocol::units::Address;
use serde_json::Value;
use signing::Draft;

use crate::write::Wanted;

/// Checks that a draft says what was asked for: every field that was given is in it unchanged, and what was not given is nothing that takes
/// more than was asked for.
///
/// # Errors
/// Names the first thing that differs, with both values.
pub(super) fn check(
    wanted: &Wanted,
    account: Address,
    delegate: Option<Address>,
    expires: u64,
    draft: &Draft,
) -> Result<(), String> {
    let pairs = [
        ("account", account.to_string(), draft.account.to_string()),
        ("delegate", of(delegate), of(draft.delegate)),
        ("expires", expires.to_string(), draft.expires.to_string()),
    ];
    for (name, asked, found) in pairs {
        if asked != found {
            return Err(format!("{name} is {found} and was asked to be {asked}"));
        }
    }
    let found = signing::json::operation_to_json(&draft.operation);
    contains(&wanted.to_json(), &found, "operation")?;
    let Value::Object(fields) = &found else { return Ok(()) };
    let asked = wanted.to_json();
    for (name, value) in fields {
        if asked.get(name).is_none() && !may_be_filled_in(wanted.kind(), name, value) {
            return Err(format!("{name} is {value} and was not asked for"));
        }
    }
    Ok(())
}

fn of(address: Option<Address>) -> String {
    address.map_or_else(|| "nobody".to_owned(), |address| address.to_string())
}

/// Whether everything in `asked` is in `found`.
fn contains(asked: &Value, found: &Value, path: &str) -> Result<(), String> {
    match (asked, found) {
        (Value::Object(asked), Value::Object(found)) => asked.iter().try_for_each(|(name, value)| {
            contains(value, found.get(name).unwrap_or(&Value::Null), &format!("{path}.{name}"))
        }),
        (Value::Array(asked), Value::Array(found)) if asked.len() == found.len() => {
            let mut pairs = asked.iter().zip(found).enumerate();
            pairs.try_for_each(|(index, (asked, found))| contains(asked, found, &format!("{path}[{index}]")))
        }
        (Value::String(asked), Value::String(found)) if same_number(asked, found) => Ok(()),
        (asked, found) if asked == found => Ok(()),
        (asked, found) => Err(format!("{path} is {found} and was asked to be {asked}")),
    }
}

/// Fractions have several texts: `0.50` is `0.5`.
fn same_number(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let trimmed = match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.'),
            false => text,
        };
        is_decimal.then(|| trimmed.to_owned())
    };
    plain(one).is_some_and(|one| plain(other) == Some(one))
}

/// What a node may add: what takes nothing from the signer. Digests name what the signer has read in the preview; everything else only stands there with
/// the value that it has where nobody gives one.
fn may_be_filled_in(kind: &str, name: &str, value: &Value) -> bool {
    let is_default = match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.values().all(Value::is_null),
        Value::String(text) => ["free", "development", "token", "one", "0"].contains(&text.as_str()),
        _ => false,
    };
    is_default
        || matches!(
            (kind, name),
            ("delegate", "mandate" | "worst_case")
                | ("consent" | "join_set", "terms")
                | ("propose_parameters", "parameters")
        )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted(value: Value) -> Wanted {
        let Value::Object(fields) = value else { panic!("fields are an object") };
        Wanted::new("delegate", fields)
    }

    fn draft(operation: Value) -> Draft {
        let operation = signing::json::operation_from_json(&operation).expect("an operation");
        Draft { account: Address::default(), delegate: None, expires: 5, operation }
    }

    #[test]
    fn a_node_may_fill_in_and_change_nothing() {
        let digest = format!("0x{}", "11".repeat(32));
        let asked = json!({ "operator": 1, "asset": 0, "amount": "5" });
        let with = |change: (&str, Value)| {
            let mut operation = json!({
                "op": "delegate", "operator": 1, "asset": 0, "amount": "5", "mandate": digest, "worst_case": "0.5",
            });
            operation[change.0] = change.1;
            draft(operation)
        };
        let check = |asked: &Value, draft: &Draft| {
            check(&wanted(asked.clone()), Address::default(), None, 5, draft)
                .map_err(|why| why.split(' ').next().unwrap_or_default().to_owned())
        };
        assert_eq!(check(&asked, &with(("amount", json!("5")))), Ok(()));
        let bound = json!({ "operator": 1, "asset": 0, "amount": "5", "worst_case": "0.50" });
        assert_eq!(check(&bound, &with(("amount", json!("5")))), Ok(()));
        let cases = [
            ("amount", json!("50"), "operation.amount"),
            ("operator", json!(2), "operation.operator"),
            ("validator", json!(3), "validator"),
        ];
        for (field, value, named) in cases {
            assert_eq!(check(&asked, &with((field, value))), Err(named.to_owned()), "{field}");
        }
        assert_eq!(check(&bound, &with(("worst_case", json!("1")))), Err("operation.worst_case".to_owned()));
    }

    #[test]
    fn a_node_changes_neither_who_acts_nor_until_when() {
        let operation = json!({ "op": "create_service" });
        let wanted = Wanted::new("create_service", Default::default());
        let mut other = Address::default();
        other.0[0] = 1;
        let draft = draft(operation);
        assert_eq!(check(&wanted, Address::default(), None, 5, &draft), Ok(()));
        for (account, delegate, expires) in
            [(other, None, 5), (Address::default(), Some(other), 5), (Address::default(), None, 6)]
        {
            assert!(check(&wanted, account, delegate, expires, &draft).is_err());
        }
    }
}
