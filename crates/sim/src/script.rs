//! Steps of a history and their lines: the format that `surety replay` reads, with every field given.

use protocol::operation::Kind;
use protocol::units::Address;
use protocol::{Authority, Genesis, Operation, Signer};
use serde_json::{Map, Value, json};

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "nearly every step is an operation")]
pub enum Step {
    /// An epoch ends.
    Advance,
    /// Somebody asks for something.
    Apply(Authority, Operation),
}

/// A ledger and what happens on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// What the ledger starts with.
    pub genesis: Genesis,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

impl Script {
    /// One line of JSON for the genesis, and one for each step.
    pub fn to_lines(&self) -> String {
        let changes = difference(&json!(Genesis::development()), &json!(self.genesis));
        let genesis = json!({ "genesis": changes.unwrap_or_else(|| json!({})) });
        let lines = std::iter::once(genesis).chain(self.steps.iter().map(Step::to_value));
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// Reads what [`Script::to_lines`] wrote; comments and blank lines are skipped.
    ///
    /// # Errors
    /// The first line that is not a step, and why.
    pub fn from_lines(text: &str) -> Result<Self, String> {
        let mut genesis = Genesis::development();
        let mut steps = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with("//") || line.starts_with('#') {
                continue;
            }
            let bad = |why: String| format!("line {}: {why}", number + 1);
            let value: Value = serde_json::from_str(line).map_err(|error| bad(error.to_string()))?;
            let Value::Object(mut fields) = value else { return Err(bad("not an object".to_owned())) };
            if let Some(given) = fields.remove("genesis") {
                let whole = merged(json!(Genesis::development()), given);
                genesis = serde_json::from_value(whole).map_err(|error| bad(error.to_string()))?;
            } else if let Some(epochs) = fields.remove("advance_epochs") {
                let count = epochs.as_u64().ok_or_else(|| bad("advance_epochs is no number".to_owned()))?;
                steps.extend((0..count).map(|_| Step::Advance));
            } else {
                steps.push(Step::from_fields(fields).map_err(bad)?);
            }
        }
        Ok(Self { genesis, steps })
    }
}

/// What of `value` differs from `base`, object by object: the genesis of an old history must not know fields that came later.
fn difference(base: &Value, value: &Value) -> Option<Value> {
    match (base, value) {
        _ if base == value => None,
        (Value::Object(base), Value::Object(value)) => {
            let changed = value.iter().filter_map(|(name, value)| {
                let change = difference(base.get(name).unwrap_or(&Value::Null), value)?;
                Some((name.clone(), change))
            });
            Some(Value::Object(changed.collect()))
        }
        _ => Some(value.clone()),
    }
}

/// `base` with `changes` put over it, object by object; a list is replaced whole.
fn merged(base: Value, changes: Value) -> Value {
    let (Value::Object(mut fields), Value::Object(changes)) = (base, changes.clone()) else { return changes };
    for (name, change) in changes {
        let old = fields.remove(&name).unwrap_or(Value::Null);
        fields.insert(name, merged(old, change));
    }
    Value::Object(fields)
}

impl Step {
    /// An operation of an account that is named plainly.
    pub fn plain(account: Address, operation: Operation) -> Self {
        Self::Apply(Authority { account, signer: Signer::Plain, expires: u64::MAX }, operation)
    }

    fn to_value(&self) -> Value {
        let Self::Apply(authority, operation) = self else { return json!({ "advance_epochs": 1 }) };
        let mut line = Map::new();
        line.insert("op".to_owned(), json!(operation.kind().name()));
        line.insert("from".to_owned(), json!(authority.account));
        if let Signer::Delegate { address, .. } = &authority.signer {
            line.insert("by".to_owned(), json!(address));
        }
        let body =
            operation.serialize_body(serde_json::value::Serializer).expect("an operation is plain data");
        if let Value::Object(fields) = body {
            line.extend(fields);
        }
        Value::Object(line)
    }

    fn from_fields(mut fields: Map<String, Value>) -> Result<Self, String> {
        let mut take = |name: &str| fields.remove(name);
        let name = take("op").and_then(|name| name.as_str().map(str::to_owned)).ok_or("no op")?;
        let kind = Kind::from_name(&name).ok_or_else(|| format!("there is no operation {name}"))?;
        let address =
            |value: Value| serde_json::from_value::<Address>(value).map_err(|error| error.to_string());
        let account = address(take("from").ok_or("no from")?)?;
        let signer = match take("by") {
            Some(delegate) => Signer::Delegate { address: address(delegate)?, keys: Vec::new() },
            None => Signer::Plain,
        };
        let body = Value::Object(fields);
        let operation = Operation::deserialize_body(kind, body).map_err(|error| error.to_string())?;
        Ok(Self::Apply(Authority { account, signer, expires: u64::MAX }, operation))
    }
}
