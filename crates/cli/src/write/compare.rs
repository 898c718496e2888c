//! Whether the node has prepared what was asked for.

use protocol::units::Address;
use serde_json::{Map, Value};
use signing::Draft;

use crate::write::Wanted;

/// What a node may fill in where it was left out: of which kinds, where in the operation, under which names. Digests name what the signer has read in the
/// preview; the worst case is a bound on what they name.
const FILLED_IN: [(&str, &str, &[&str]); 6] = [
    ("delegate", "", &["mandate", "worst_case"]),
    ("set_compounding", "/order", &["mandate", "worst_case"]),
    ("undelegate", "/follow_up/delegate", &["mandate", "worst_case"]),
    ("replace_follow_up", "/follow_up/delegate", &["mandate", "worst_case"]),
    ("consent", "", &["terms"]),
    ("join_set", "", &["terms"]),
];

impl Wanted {
    /// The same with what a node may fill in and has, as it stands in its draft. What was given stays.
    pub(super) fn completed(&self, draft: &Draft) -> Self {
        let found = signing::json::operation_to_json(&draft.operation);
        let mut asked = Value::Object(self.fields.clone());
        for (_, place, names) in FILLED_IN.iter().filter(|(kind, ..)| *kind == self.kind) {
            let (into, from) = (asked.pointer_mut(place), found.pointer(place));
            let (Some(Value::Object(into)), Some(from)) = (into, from) else { continue };
            for name in *names {
                if let Some(value) = from.get(*name) {
                    into.entry(*name).or_insert_with(|| value.clone());
                }
            }
        }
        let Value::Object(fields) = asked else { return self.clone() };
        Self { kind: self.kind, fields }
    }
}

/// Checks that a draft is what was asked for. What was asked for is read here, with the same defaults as at the node, and the whole operations are
/// compared: at no depth is there a field that nobody asked for, but for the few that a node fills in.
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
    let asked = signing::json::operation_from_json(&wanted.completed(draft).to_json())
        .map_err(|why| format!("what was asked for can't be read here as the node has read it: {why}"))?;
    if asked == draft.operation {
        return Ok(());
    }
    let (asked, found) =
        (signing::json::operation_to_json(&asked), signing::json::operation_to_json(&draft.operation));
    Err(difference(&asked, &found, "operation")
        .unwrap_or_else(|| format!("the operation is {found} and was asked to be {asked}")))
}

fn of(address: Option<Address>) -> String {
    address.map_or_else(|| "nobody".to_owned(), |address| address.to_string())
}

/// The first thing in which two operations differ, in words.
fn difference(asked: &Value, found: &Value, path: &str) -> Option<String> {
    match (asked, found) {
        (Value::Object(asked), Value::Object(found)) => {
            let names = asked.keys().chain(found.keys().filter(|name| !asked.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let of = |fields: &Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
                difference(&of(asked), &of(found), &format!("{path}.{name}"))
            })
        }
        (Value::Array(asked), Value::Array(found)) if asked.len() == found.len() => {
            let mut pairs = asked.iter().zip(found).enumerate();
            pairs.find_map(|(index, (asked, found))| difference(asked, found, &format!("{path}[{index}]")))
        }
        (asked, found) if asked == found => None,
        (Value::Null, found) => Some(format!("{path} is {found} and was not asked for")),
        (asked, found) => Some(format!("{path} is {found} and was asked to be {asked}")),
    }
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
            ("validator", json!(3), "operation.validator"),
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

    #[test]
    fn a_node_adds_nothing_at_any_depth() {
        let attacker = format!("0x{}", "ee".repeat(20));
        let terms = json!({
            "assets": [{ "asset": 0, "weight": 1 }], "admission": { "operators_max": 3 }, "offences": {},
            "window_cap": "0.5", "slasher": format!("0x{}", "11".repeat(20)),
        });
        let Value::Object(fields) = json!({ "terms": terms }) else { panic!("an object") };
        let wanted = Wanted::new("create_set", fields);
        let checked = |place: &str, name: &str, value: Value| {
            let mut operation = json!({ "op": "create_set", "terms": terms });
            operation.pointer_mut(place).expect("a place")[name] = value;
            check(&wanted, Address::default(), None, 5, &draft(operation))
        };
        assert_eq!(
            checked("/terms", "veto", json!(0)),
            Ok(()),
            "what is left out has its default here as well"
        );
        let beneficiary = json!([{ "to": { "redistribute": attacker }, "share": "1" }]);
        for (place, name, value) in [
            ("/terms", "destinations", beneficiary),
            ("/terms", "resolvers", json!([attacker])),
            ("/terms", "risk_weight", json!("0.5")),
            ("/terms", "jail", json!({ "period": 9 })),
            ("/terms/admission", "bond_min", json!("7")),
            ("/terms/offences", "subjective", json!("1")),
        ] {
            let why = checked(place, name, value).expect_err(name);
            assert!(why.starts_with(&format!("operation{}.{name}", place.replace('/', "."))), "{why}");
        }
    }

    #[test]
    fn what_a_node_may_fill_in_it_fills_in_where_it_was_left_out() {
        let digest = |byte: &str| format!("0x{}", byte.repeat(32));
        let mandate = |byte| json!({ "operator": 2, "mandate": digest(byte), "worst_case": "0.5" });
        let drafted = |byte| {
            let follow_up = json!({ "delegate": mandate(byte) });
            draft(
                json!({ "op": "undelegate", "operator": 1, "asset": 0, "amount": "5", "follow_up": follow_up }),
            )
        };
        let asked = |order: Value| {
            let fields =
                json!({ "operator": 1, "asset": 0, "amount": "5", "follow_up": { "delegate": order } });
            let Value::Object(fields) = fields else { panic!("an object") };
            Wanted::new("undelegate", fields)
        };
        let check = |wanted: &Wanted, draft: &Draft| check(wanted, Address::default(), None, 5, draft);
        let open = asked(json!({ "operator": 2 }));
        assert_eq!(check(&open, &drafted("11")), Ok(()));
        assert!(check(&asked(json!({ "operator": 3 })), &drafted("11")).is_err());
        // What was shown once is asked for from then on.
        let shown = open.completed(&drafted("11"));
        assert_eq!(check(&shown, &drafted("11")), Ok(()));
        assert!(check(&shown, &drafted("22")).is_err());
    }
}
