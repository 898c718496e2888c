//! What a history may leave out, because the state knows it.
//!
//! A real delegation signs the digest of the mandate that its author has read, and the largest worst case that the author will bear;
//! that is what protects it from a change made meanwhile. In a history nothing happens meanwhile, so the digest of the moment is filled
//! in, and any worst case is borne. Parameters that are not proposed anew stay. Only the replay does this; the API asks for all of it.

use protocol::State;
use protocol::units::{AssetId, Digest, OperatorId, SetId};
use serde_json::{Map, Value};

type Fields = Map<String, Value>;

/// Fills in what an operation leaves out. Names are resolved already.
pub(crate) fn fill(operation: &str, fields: &mut Fields, state: &State) {
    let (operator, asset) = (number(fields, "operator"), number(fields, "asset"));
    match operation {
        "delegate" => sign_mandate(fields, operator, asset, state),
        "set_compounding" => {
            if let Some(order) = object(fields, "order") {
                sign_mandate(order, operator, asset, state);
            }
        }
        "undelegate" | "replace_follow_up" => {
            if let Some(delegation) =
                object(fields, "follow_up").and_then(|follow_up| object(follow_up, "delegate"))
            {
                sign_mandate(delegation, number(delegation, "operator"), asset, state);
            }
        }
        "propose_parameters" => {
            let current = serde_json::to_value(state.parameters()).expect("parameters are plain data");
            if let (Some(proposed), Value::Object(current)) = (object(fields, "parameters"), current) {
                keep(proposed, current);
            }
        }
        "consent" | "join_set" => {
            let digest = number(fields, "set").and_then(|set| state.terms_digest(SetId::new(set)));
            put(fields, "terms", digest.unwrap_or_default().to_string());
        }
        _ => {}
    }
}

/// The digest of the pool's mandate, and any worst case. A pool that is not there has no digest; the operation is refused for that first.
fn sign_mandate(fields: &mut Fields, operator: Option<u32>, asset: Option<u32>, state: &State) {
    let pool = operator.map(OperatorId::new).zip(asset.map(AssetId::new));
    let digest: Option<Digest> = pool.and_then(|(operator, asset)| state.mandate_digest(operator, asset));
    put(fields, "mandate", digest.unwrap_or_default().to_string());
    put(fields, "worst_case", "1".to_owned());
}

/// Keeps what is not proposed as it is.
fn keep(proposed: &mut Fields, current: Fields) {
    for (name, value) in current {
        match (proposed.get_mut(&name), value) {
            (None, value) => drop(proposed.insert(name, value)),
            (Some(Value::Object(proposed)), Value::Object(current)) => keep(proposed, current),
            (Some(_), _) => {}
        }
    }
}

fn put(fields: &mut Fields, name: &str, text: String) {
    fields.entry(name).or_insert(Value::String(text));
}

fn number(fields: &Fields, name: &str) -> Option<u32> {
    fields.get(name)?.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn object<'a>(fields: &'a mut Fields, name: &str) -> Option<&'a mut Fields> {
    fields.get_mut(name)?.as_object_mut()
}
