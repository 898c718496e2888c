//! A genesis that states only what differs from the development one.

use protocol::{Genesis, State};
use serde_json::{Map, Value};

use crate::replay::explain::mistake_of;
use crate::replay::json::{Json, Path};
use crate::replay::mistake::Mistake;
use crate::replay::names::Names;
use crate::replay::resolve;

/// The state that a genesis line starts with.
pub(crate) fn start(json: &Json<'_>, changes: Value, names: &mut Names) -> Result<State, Mistake> {
    let path = Path::root().field("genesis");
    let Value::Object(mut changes) = changes else {
        return Err(Mistake::at_value(
            &path,
            format!("genesis: expected an object, found {}", json.excerpt(&path)),
        ));
    };
    resolve::resolve("genesis", &mut changes, names, &path)?;
    let development = serde_json::to_value(Genesis::development()).expect("a genesis is plain data");
    let merged = merged(development, changes, &path)?;
    let genesis =
        serde_path_to_error::deserialize(merged).map_err(|error| mistake_of(json, &path, &error, &[]))?;
    State::new(genesis)
        .map_err(|why| Mistake::at_value(&path, format!("the genesis does not hold together: {why}")))
}

/// `base` with `changes` put over it, object by object; a list is replaced whole.
fn merged(base: Value, changes: Map<String, Value>, path: &Path) -> Result<Value, Mistake> {
    // A change inside something that is no object would be lost: the deserialiser sees it instead, and says what it expected.
    let Value::Object(mut fields) = base else { return Ok(Value::Object(changes)) };
    for (name, change) in changes {
        let path = path.field(&name);
        let Some(old) = fields.get_mut(&name) else {
            let known: Vec<&str> = fields.keys().map(String::as_str).collect();
            let all = || Some(format!("the fields are {}", known.join(", ")));
            let mistake = Mistake::at_key(&path, format!("unknown field {name:?}"));
            return Err(mistake.with_nearest(&name, known.iter().copied(), all));
        };
        *old = match change {
            Value::Object(changes) => merged(old.take(), changes, &path)?,
            change => change,
        };
    }
    Ok(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merge(base: Value, changes: Value) -> Result<Value, Mistake> {
        let Value::Object(changes) = changes else { panic!("changes are an object") };
        merged(base, changes, &Path::root())
    }

    #[test]
    fn only_what_is_stated_changes() {
        let base = json!({"a": 1, "b": {"c": [1, 2], "d": {"e": "x", "f": null}}});
        let cases = [
            (json!({}), base.clone()),
            (json!({"a": 2}), json!({"a": 2, "b": {"c": [1, 2], "d": {"e": "x", "f": null}}})),
            (json!({"b": {"c": [3]}}), json!({"a": 1, "b": {"c": [3], "d": {"e": "x", "f": null}}})),
            (json!({"b": {"d": {"f": 7}}}), json!({"a": 1, "b": {"c": [1, 2], "d": {"e": "x", "f": 7}}})),
            (json!({"b": 5}), json!({"a": 1, "b": 5})),
            (json!({"a": {"x": 1}}), json!({"a": {"x": 1}, "b": base["b"]})),
        ];
        for (changes, expected) in cases {
            assert_eq!(merge(base.clone(), changes.clone()), Ok(expected), "{changes}");
        }
    }

    #[test]
    fn unknown_names_are_refused_at_any_depth() {
        let base = json!({"limits": {"keys": 1}, "parameters": {"unbonding": 14}});
        let refused = merge(base.clone(), json!({"parameters": {"unbondin": 5}})).expect_err("unknown");
        assert_eq!(refused.to_string(), "unknown field \"unbondin\"\n  help: did you mean \"unbonding\"?");
        let refused = merge(base, json!({"x": 5})).expect_err("unknown");
        assert_eq!(refused.to_string(), "unknown field \"x\"\n  help: the fields are limits, parameters");
    }
}
