//! What a draft signs by its digest only: the mandate of a pool, the terms of a set. It is read from the node, and the digest is computed again here, so
//! that what is shown is what is signed.

use protocol::terms::{Mandate, Terms};
use protocol::units::{AssetId, Digest, Epoch, OperatorId, SetId};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::write::Wanted;

/// What the digests of an operation stand for: `mandates` and `terms`, each a list of lines. What somebody gave by its digest is theirs to know.
///
/// # Errors
/// What the node says; that a digest which it has filled in is that of something else.
pub(super) fn of(context: &Context, wanted: &Wanted, operation: &Value) -> Result<Value, Failure> {
    let asked = wanted.to_json();
    let (mut mandates, mut terms) = (Vec::new(), Vec::new());
    let mut signed = Vec::new();
    collect(operation, &asked, (None, None), &mut signed);
    for signed in signed {
        match signed {
            Signed::Mandate { operator, asset, digest, is_given } => {
                let lines = mandate(context, operator, asset)?;
                let known = lines.as_ref().is_some_and(|(known, _)| *known == digest);
                match lines {
                    Some((_, lines)) if known => mandates.extend(lines),
                    _ if is_given => {}
                    _ => return Err(strange("mandate", digest)),
                }
            }
            Signed::Terms { set, digest, is_given } => {
                let found = context.get(&format!("/v1/sets/{set}"))?;
                let announced = found.get("pending").filter(|pending| !pending.is_null());
                let read = announced.unwrap_or(&found).get("terms").cloned().unwrap_or_default();
                let is_known =
                    typed::<Terms>(&read).is_some_and(|terms| terms.digest(SetId::new(set)) == digest);
                match read {
                    Value::Object(fields) if is_known => terms.extend(
                        fields
                            .into_iter()
                            .map(|(name, value)| json!({ "set": set, "name": name, "value": value })),
                    ),
                    _ if is_given => {}
                    _ => return Err(strange("terms", digest)),
                }
            }
        }
    }
    Ok(json!({ "mandates": mandates, "terms": terms }))
}

fn strange(what: &str, digest: Digest) -> Failure {
    super::strange(format!(
        "the {what} that it shows are not those of the digest {digest}, which it has filled in"
    ))
}

enum Signed {
    Mandate { operator: u32, asset: u32, digest: Digest, is_given: bool },
    Terms { set: u32, digest: Digest, is_given: bool },
}

type Inherited = (Option<u32>, Option<u32>);

/// Every digest of a mandate or of terms in an operation. Inside it the asset and the operator may stand further out.
fn collect(value: &Value, asked: &Value, outer: Inherited, found: &mut Vec<Signed>) {
    let Value::Object(fields) = value else { return };
    let number = |name: &str| fields.get(name)?.as_u64().and_then(|number| u32::try_from(number).ok());
    let digest = |name: &str| fields.get(name)?.as_str()?.parse::<Digest>().ok();
    let (operator, asset) = (number("operator").or(outer.0), number("asset").or(outer.1));
    if let (Some(digest), Some(operator), Some(asset)) = (digest("mandate"), operator, asset) {
        let is_given = asked.get("mandate").is_some();
        found.push(Signed::Mandate { operator, asset, digest, is_given });
    }
    if let (Some(digest), Some(set)) = (digest("terms"), number("set")) {
        found.push(Signed::Terms { set, digest, is_given: asked.get("terms").is_some() });
    }
    for (name, inner) in fields {
        collect(inner, asked.get(name).unwrap_or(&Value::Null), (operator, asset), found);
    }
}

/// The mandate of a pool, the one in force and one that is announced, with the digest of both; nothing where there is no such pool.
fn mandate(context: &Context, operator: u32, asset: u32) -> Result<Option<(Digest, Vec<Value>)>, Failure> {
    let found = context.get(&format!("/v1/operators/{operator}"))?;
    let pools = found.get("pools").and_then(Value::as_array).into_iter().flatten();
    let pool = pools.into_iter().find(|pool| pool.get("asset").and_then(Value::as_u64) == Some(asset.into()));
    let Some(pool) = pool else { return Ok(None) };
    let line = |from: Option<&Value>, mandate: &Value| {
        let mut line = mandate.clone();
        if let Value::Object(fields) = &mut line {
            fields.insert("operator".to_owned(), operator.into());
            fields.insert("asset".to_owned(), asset.into());
            fields.insert("from".to_owned(), from.cloned().unwrap_or_else(|| json!("now")));
        }
        line
    };
    let now = pool.get("mandate").cloned().unwrap_or_default();
    let later = pool.get("mandate_later").filter(|later| !later.is_null());
    let mut lines = vec![line(None, &now)];
    let mut announced = None;
    if let Some(later) = later {
        let value = later.get("value").cloned().unwrap_or_default();
        lines.push(line(later.get("from"), &value));
        let from = later.get("from").and_then(Value::as_u64).and_then(|from| u32::try_from(from).ok());
        announced = from.map(Epoch::new).zip(typed::<Mandate>(&value));
    }
    let digest = typed::<Mandate>(&now)
        .map(|now| now.digest(OperatorId::new(operator), AssetId::new(asset), announced));
    Ok(digest.map(|digest| (digest, lines)))
}

fn typed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Recorded;

    const MANDATE: &str =
        r#"{"worst_case":"0.25","elsewhere":"0","own_verifiers":"0","uncertified":false,"commission":"0.1"}"#;

    fn context(mandate: &Value) -> Context {
        let pools = json!([{ "asset": 4, "mandate": mandate, "mandate_later": null }]);
        Context::over(Recorded::default().with("/v1/operators/1", json!({ "pools": pools })))
    }

    fn digest(mandate: &Value) -> String {
        let mandate = typed::<Mandate>(mandate).expect("a mandate");
        mandate.digest(OperatorId::new(1), AssetId::new(4), None).to_string()
    }

    #[test]
    fn a_mandate_that_is_shown_is_the_one_that_is_signed() {
        let mandate: Value = serde_json::from_str(MANDATE).expect("JSON");
        let wanted = Wanted::new("delegate", Default::default());
        let operation = json!({ "op": "delegate", "operator": 1, "asset": 4, "mandate": digest(&mandate) });
        let shown = of(&context(&mandate), &wanted, &operation).expect("it is the one");
        assert_eq!(shown["mandates"][0]["worst_case"], json!("0.25"));
        let mut wider = mandate.clone();
        wider["worst_case"] = json!("0.9");
        let failure = of(&context(&wider), &wanted, &operation).expect_err("another is shown");
        assert_eq!(failure.code(), "network.strange-draft");
    }

    #[test]
    fn a_mandate_inside_a_follow_up_is_found() {
        let mandate: Value = serde_json::from_str(MANDATE).expect("JSON");
        let wanted = Wanted::new("undelegate", Default::default());
        let follow_up =
            json!({ "delegate": { "operator": 1, "mandate": digest(&mandate), "worst_case": "1" } });
        let operation = json!({ "op": "undelegate", "operator": 9, "asset": 4, "follow_up": follow_up });
        let shown = of(&context(&mandate), &wanted, &operation).expect("it is the one");
        assert_eq!(shown["mandates"][0]["operator"], json!(1));
    }

    #[test]
    fn who_gives_a_digest_knows_what_it_stands_for() {
        let digest = format!("0x{}", "11".repeat(32));
        let fields = json!({ "operator": 1, "asset": 4, "mandate": digest });
        let Value::Object(given) = fields.clone() else { panic!("an object") };
        let mandate: Value = serde_json::from_str(MANDATE).expect("JSON");
        let shown = of(&context(&mandate), &Wanted::new("delegate", given), &fields).expect("as given");
        assert_eq!(shown["mandates"], json!([]));
    }
}
