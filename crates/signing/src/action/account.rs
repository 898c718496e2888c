//! Keys, delegates and claimers.

use protocol::ops::grant::Grant;
use protocol::ops::revoke::Revoke;
use protocol::ops::set_claimer::SetClaimer;
use protocol::ops::set_keys::SetKeys;

use super::words::{list, units};

pub(super) fn set_keys(op: &SetKeys) -> String {
    let SetKeys { keys, threshold } = op;
    let count = keys.len();
    format!(
        "Replace all keys of this account: from now on {threshold} of these {count} must sign: {}",
        list(keys)
    )
}

pub(super) fn grant(op: &Grant) -> String {
    let Grant { delegate, kinds, limits, expires } = op;
    let limits = match limits.as_slice() {
        [] => "without limit on amounts".to_owned(),
        limits => {
            let limits = limits.iter().map(|limit| units(limit.amount, limit.asset));
            format!("up to {} in each epoch, other assets without limit", list(limits))
        }
    };
    let kinds = list(kinds);
    format!("Let {delegate} act for this account through epoch {expires}, {limits}, in: {kinds}")
}

pub(super) fn revoke(op: &Revoke) -> String {
    format!("Let {} no longer act for this account", op.delegate)
}

pub(super) fn set_claimer(op: &SetClaimer) -> String {
    match op.claimer {
        Some(claimer) => format!("Let {claimer} claim the rewards of this account, to any address"),
        None => "Let nobody else claim the rewards of this account".to_owned(),
    }
}
