//! The key of a set by its name in the keystore: its proof of possession is made here, since nobody could type it.

use protocol::units::Digest;
use serde_json::Value;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keys;
use crate::op::form::Typed;
use crate::replay::Thing;
use crate::write::Drafting;

/// The operation that registers a key.
pub(super) const KIND: &str = "register_key";

/// What its help says in addition.
pub(super) const HELP: &str = "\
--key may be the name of a key of the keystore: then its proof of possession is made here, and --possession is left out.\n\n";

/// The same operation, with the key and its proof of possession where a key of the keystore is named.
///
/// # Errors
/// If there is no such key, it can't be unlocked, or the account is no operator.
pub(super) fn prove(context: &Context, drafting: &Drafting, typed: &Typed) -> Result<Typed, Failure> {
    let text = |name: &str| typed.text(name);
    let (Some(name), Some(set), None) = (text("key"), text("set"), text("possession")) else {
        return Ok(typed.clone());
    };
    if typed.kind.name != KIND || name.contains(':') {
        return Ok(typed.clone());
    }
    let set = context.book()?.thing(Thing::Set, set)?;
    let account = drafting.account(context)?;
    let found = context.get(&format!("/v1/accounts/{account}"))?;
    let operator =
        found.get("operator").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let operator = operator.ok_or_else(|| {
        Failure::new(Exit::Refused, "register_key.NotAnOperator", format!("account {account} is no operator"))
            .help("make it one with surety operator register")
            .docs("docs/reference/operations/register_key.md")
    })?;
    let genesis = context.get("/v1/genesis")?;
    let ledger = genesis.pointer("/genesis/protocol/ledger").and_then(Value::as_str).unwrap_or_default();
    let ledger = ledger.parse::<Digest>().map_err(|why| {
        Failure::new(Exit::Network, "network.no-genesis", "the node does not say which ledger it is").why(why)
    })?;
    let store = keys::existing(context)?;
    store.entry(name).map_err(|error| keys::failure(&error))?;
    let password = keys::password::known(context, name)?;
    let signer = store.unlock(name, &password).map_err(|error| keys::failure(&error))?;
    let possession = signer.prove_possession(&ledger.0, set, operator);
    let key = keystore::Signer::public_key(&signer).to_string();
    Ok(typed.with(vec![("key".to_owned(), key), ("possession".to_owned(), possession.to_string())]))
}
