//! What a wallet is given to sign: the draft with everything filled in, its typed data, and what it would do.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use axum::extract::State;
use evidence::PublicKey;
use protocol::query::{self, NonceView};
use protocol::units::{Address, AssetId, OperatorId, SetId};
use protocol::{Operation, State as Ledger};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use signing::bundle::{Bundle, Who};
use signing::{Draft, json as form, machine_bytes, signing_hash, typed_data};

use super::preview::malformed;
use super::{Reply, Shared, value};
use crate::app::App;
use crate::http::extract::{Json, cut};
use crate::http::problem::Problem;

/// How long a draft may be sent in where the client does not say, in milliseconds: less than the day that strangers are given.
const EXPIRES_AFTER_MS: u64 = 23 * 60 * 60 * 1000;
/// The most signers of one draft.
const SIGNERS_MAX: usize = signing::SEALS_MAX;

/// What is to be signed.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// For whom it acts: an address or a label.
    #[cfg_attr(test, schemars(length(min = 1, max = 64)))]
    account: String,
    /// Who acts, where that is not the account itself: an address or a label.
    #[serde(default)]
    delegate: Option<String>,
    /// The last time at which it may be executed, in milliseconds since 1970, as a decimal text; a day from now where it is left out.
    #[serde(default)]
    expires: Option<String>,
    /// `{"op": "delegate", ..fields}`. Digests of mandates and terms, and the worst case, may be left out; those of the moment are filled in.
    #[cfg_attr(test, schemars(with = "crate::openapi::Wish"))]
    operation: Value,
    /// Who will sign, where only some of the keys will: each a key, or an address whose key is not known yet.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = 16)))]
    keys: Vec<String>,
    /// The same for one signer.
    #[serde(default)]
    signer: Option<String>,
}

/// Prepares an operation for signing.
pub(crate) async fn prepare(State(app): Shared, Json(asked): Json<Asked>) -> Reply {
    app.read(move |app| {
        let account = app.address(&asked.account)?;
        let delegate = asked.delegate.as_deref().map(|text| app.address(text)).transpose()?;
        // Before the state is read: what leaves the one for the other meanwhile is counted twice, not left out.
        let waiting = app.nonces_of(&delegate.unwrap_or(account));
        let head = app.heads.newest();
        let expires = match &asked.expires {
            Some(text) => text.parse().map_err(|_| {
                malformed(
                    "`expires` can't be used",
                    "it is a time in milliseconds since 1970, as a decimal text",
                )
            })?,
            None => app.clock.now_ms().saturating_add(EXPIRES_AFTER_MS),
        };
        let operation = read_operation(complete(&head.state, asked.operation))?;
        let (named, threshold) = signers(&head.state, delegate.unwrap_or(account), asked.keys, asked.signer)?;
        // An account that takes several keys, or once did, has one row of numbers for all.
        let is_shared = named.iter().flat_map(|(_, nonces)| nonces).any(|nonces| nonces.key.is_none());
        let preview = app.preview(&head, account, delegate, &operation);
        let draft = Draft { account, delegate, expires, operation };
        // One number for all who sign: an account that takes several keys takes no other.
        let fresh = (!draft.operation.kind().is_ordered()).then(|| app.fresh());
        let nonces: Vec<(Who, u64)> = named
            .into_iter()
            .map(|(who, nonces)| {
                let nonce = nonce(&who, nonces.as_ref(), fresh, &waiting, is_shared);
                (who, nonce)
            })
            .collect();
        let signers: Vec<Value> = nonces.iter().map(|(who, nonce)| app.signer(&draft, who, *nonce)).collect();
        let bundle = Bundle::new(app.domain.clone(), draft.clone(), threshold, nonces);
        let body = json!({
            "draft": form::draft_to_json(&draft),
            "action": signing::action(&draft.operation),
            "threshold": threshold,
            "signers": signers,
            "bundle": bundle.to_json(),
            "preview": value(&preview),
        });
        app.answer(&head, &body)
    })
    .await
}

impl App {
    /// The keys and nonces of what a sender has waiting.
    fn nonces_of(&self, sender: &Address) -> Vec<(PublicKey, u64)> {
        self.writer.as_ref().map_or_else(Vec::new, |writer| writer.sequencer.nonces_of(sender))
    }

    /// The milliseconds of the clock, or one more than was proposed last, so that two who prepare at once get two numbers. Not further than a
    /// minute ahead: then it begins again.
    fn fresh(&self) -> u64 {
        const AHEAD_MAX_MS: u64 = 60_000;
        let now = self.clock.now_ms();
        let next = |last: u64| {
            let next = last.saturating_add(1);
            if next > now.saturating_add(AHEAD_MAX_MS) { now } else { next.max(now) }
        };
        let proposed =
            self.proposed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        proposed.map_or(now, next)
    }

    fn signer(&self, draft: &Draft, who: &Who, nonce: u64) -> Value {
        let hash = signing_hash(&self.domain, draft, nonce);
        json!({
            "who": who.to_string(),
            "nonce": nonce.to_string(),
            "signing_hash": format!("0x{}", hex::encode(hash)),
            "machine_bytes": format!("0x{}", hex::encode(machine_bytes(&hash))),
            "typed_data": typed_data(&self.domain, draft, nonce),
        })
    }
}

/// The number that a key's next signature carries, after all that the sender has under way: of an ordered kind the next in the row, of others
/// `fresh` or more. Of a shared row whatever one of the keys has signed counts for all.
fn nonce(
    who: &Who,
    nonces: Option<&NonceView>,
    fresh: Option<u64>,
    waiting: &[(PublicKey, u64)],
    is_shared: bool,
) -> u64 {
    let counts = |key: &PublicKey| is_shared || who.is(key);
    let taken: BTreeSet<u64> =
        waiting.iter().filter(|(key, _)| counts(key)).map(|(_, nonce)| *nonce).collect();
    let mut nonce = match fresh {
        None => nonces.map_or(0, |nonces| nonces.next),
        Some(fresh) => {
            let used = nonces.and_then(|nonces| nonces.highest_used);
            fresh.max(used.map_or(0, |used| used.saturating_add(1)))
        }
    };
    while taken.contains(&nonce) {
        nonce = nonce.saturating_add(1);
    }
    nonce
}

type Named = (Who, Option<NonceView>);

/// Who is asked to sign for an account, and how many must.
fn signers(
    state: &Ledger,
    account: Address,
    mut keys: Vec<String>,
    signer: Option<String>,
) -> Result<(Vec<Named>, u16), Problem> {
    keys.extend(signer);
    if keys.len() > SIGNERS_MAX {
        return Err(malformed("`keys` can't be used", format!("{} are more than {SIGNERS_MAX}", keys.len())));
    }
    let view = query::account(state, account);
    let nonces = view.as_ref().map_or(&[][..], |view| &view.nonces);
    // Where it takes several keys, all sign one number.
    let of = |who: Who| {
        let counts = |nonces: &&NonceView| nonces.key.as_ref().is_none_or(|own| who.is(own));
        let nonces = nonces.iter().find(counts).cloned();
        (who, nonces)
    };
    let own = view.as_ref().and_then(|view| view.keys.as_ref());
    let threshold = own.map_or(1, |own| own.threshold);
    let mut named = Vec::new();
    for text in &keys {
        let who = text.parse::<Who>().map_err(|why| malformed("a signer can't be read", cut(&why)))?;
        named.push(of(who));
    }
    if named.is_empty() {
        match own {
            Some(own) => named.extend(own.keys.iter().cloned().map(|key| of(Who::Key(key)))),
            None => named.push(of(Who::Address(account))),
        }
    }
    Ok((named, threshold))
}

/// Reads an operation in its JSON form.
pub(crate) fn read_operation(operation: Value) -> Result<Operation, Problem> {
    form::operation_from_json(&operation).map_err(|error| {
        let place = if error.path.is_empty() {
            "operation".to_owned()
        } else {
            format!("operation.{}", cut(&error.path))
        };
        malformed(&format!("the operation can't be read at `{place}`"), cut(&error.why))
    })
}

/// Fills in what an operation leaves out because the state knows it: the digest and the worst case of a pool that is delegated to, and
/// the digest of the terms of a set. What is given stays.
pub(crate) fn complete(state: &Ledger, mut operation: Value) -> Value {
    let Some(fields) = operation.as_object_mut() else { return operation };
    let name = fields.get("op").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (operator, asset) = (number(fields, "operator"), number(fields, "asset"));
    match name.as_str() {
        "delegate" => sign_mandate(fields, operator, asset, state),
        "set_compounding" => {
            if let Some(order) = child(fields, "order") {
                sign_mandate(order, operator, asset, state);
            }
        }
        "undelegate" | "replace_follow_up" => {
            let follow_up = child(fields, "follow_up").and_then(|follow_up| child(follow_up, "delegate"));
            if let Some(delegation) = follow_up {
                let operator = number(delegation, "operator");
                sign_mandate(delegation, operator, asset, state);
            }
        }
        "consent" | "join_set" => {
            let digest = number(fields, "set").and_then(|set| state.terms_digest(SetId::new(set)));
            if let Some(digest) = digest {
                put(fields, "terms", digest.to_string());
            }
        }
        _ => {}
    }
    operation
}

/// What a delegation signs: the digest of the pool's mandate and its worst case, as they are.
fn sign_mandate(fields: &mut Map<String, Value>, operator: Option<u32>, asset: Option<u32>, state: &Ledger) {
    let Some((operator, asset)) = operator.zip(asset) else { return };
    let (operator, asset) = (OperatorId::new(operator), AssetId::new(asset));
    let Some(digest) = state.mandate_digest(operator, asset) else { return };
    put(fields, "mandate", digest.to_string());
    let pools = query::operator(state, operator).map(|operator| operator.pools).unwrap_or_default();
    if let Some(pool) = pools.iter().find(|pool| pool.view.asset == asset) {
        put(fields, "worst_case", pool.view.worst_case.to_string());
    }
}

fn put(fields: &mut Map<String, Value>, name: &str, text: String) {
    fields.entry(name).or_insert(Value::String(text));
}

fn number(fields: &Map<String, Value>, name: &str) -> Option<u32> {
    fields.get(name)?.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn child<'a>(fields: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    fields.get_mut(name)?.as_object_mut()
}

#[cfg(test)]
mod tests {
    use evidence::{Scheme, SecretKey};

    use super::*;

    #[test]
    fn what_some_keys_have_under_way_counts_for_all_where_it_takes_several() {
        let key = |seed: u8| SecretKey::from_seed(Scheme::Ed25519, [seed; 32]).public_key();
        let waiting = [(key(1), 0), (key(2), 0)];
        for seed in 1..=3 {
            let who = Who::Key(key(seed));
            assert_eq!(nonce(&who, None, None, &waiting, true), 1, "key {seed} signs the account's number");
            let alone = if seed == 3 { 0 } else { 1 };
            assert_eq!(nonce(&who, None, None, &waiting, false), alone, "key {seed} has numbers of its own");
        }
    }
}
