//! What people call things.

use crate::people::everybody;
use crate::world::{ASSETS, OPERATORS, SERVICES, SETS, VAULTS};

/// A name for something on the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The key of its entry as text: `account/0x..`, `asset/0`, `operator/1`, `service/2`, `set/0`, `vault/1`.
    pub key: String,
    /// The name: a letter, then letters, digits, `.`, `_` and `-`.
    pub label: &'static str,
}

/// The names of all accounts, assets, operators, services, sets and vaults of the story. An operator and a service are called as their account is.
pub fn labels() -> Vec<Label> {
    let accounts = everybody().map(|(label, address)| Label { key: format!("account/{address}"), label });
    let assets = ASSETS.iter().map(|(label, id, _)| Label { key: format!("asset/{id}"), label });
    let operators = OPERATORS.iter().map(|(label, id)| Label { key: format!("operator/{id}"), label });
    let services = SERVICES.iter().map(|(label, id)| Label { key: format!("service/{id}"), label });
    let sets = SETS.iter().map(|(label, id)| Label { key: format!("set/{id}"), label });
    let vaults = VAULTS.iter().map(|(label, id)| Label { key: format!("vault/{id}"), label });
    accounts.chain(assets).chain(operators).chain(services).chain(sets).chain(vaults).collect()
}
