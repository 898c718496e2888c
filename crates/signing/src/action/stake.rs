//! Stake and its rewards.

use protocol::FollowUp;
use protocol::ops::claim::Claim;
use protocol::ops::compound::Compound;
use protocol::ops::compounding::{Order, SetCompounding};
use protocol::ops::delegate::Delegate;
use protocol::ops::follow_up::ReplaceFollowUp;
use protocol::ops::release::Release;
use protocol::ops::undelegate::Undelegate;

use super::words::{maybe, quoted, units, whose};

pub(super) fn delegate(op: &Delegate) -> String {
    let Delegate { operator, asset, amount, validator, mandate, worst_case } = op;
    let validator = maybe(" in validator entry ", validator.as_ref());
    format!(
        "Delegate {}{validator} to operator {operator}; at worst {worst_case} of it can be slashed, under mandate {mandate}",
        units(*amount, *asset)
    )
}

pub(super) fn undelegate(op: &Undelegate) -> String {
    let Undelegate { operator, asset, amount, validator, follow_up } = op;
    let what = match amount {
        Some(amount) => units(*amount, *asset),
        None => format!("all of asset {asset}"),
    };
    let validator = maybe(" in validator entry ", validator.as_ref());
    let then = then(follow_up);
    format!("Undelegate {what}{validator} from operator {operator}; when it is free, {then}")
}

pub(super) fn replace_follow_up(op: &ReplaceFollowUp) -> String {
    let ReplaceFollowUp { operator, asset, bonded_through, follow_up } = op;
    let then = then(follow_up);
    format!(
        "Change what happens with asset {asset} asked back from operator {operator} in epoch {bonded_through}: when it is free, {then}"
    )
}

fn then(follow_up: &FollowUp) -> String {
    match follow_up {
        FollowUp::Free => "keep it as a free balance".to_owned(),
        FollowUp::Withdraw { to } => format!("withdraw it from the ledger to {}", quoted(to)),
        FollowUp::Delegate { operator, mandate, worst_case } => format!(
            "delegate it to operator {operator}; at worst {worst_case} of it can be slashed, under mandate {mandate}"
        ),
    }
}

pub(super) fn release(op: &Release) -> String {
    let Release { account, operator, asset } = op;
    let whose = whose(*account);
    format!("Fetch what is free of asset {asset} that {whose} asked back from operator {operator}")
}

pub(super) fn claim(op: &Claim) -> String {
    let Claim { account, operator, asset, token, to } = op;
    let what = token.map_or_else(|| "in every token".to_owned(), |token| format!("in asset {token}"));
    let from = match (operator, asset) {
        (None, None) => "settled already".to_owned(),
        (None, Some(asset)) => format!("settled already (asset {asset})"),
        (Some(operator), None) => format!("earned with operator {operator} and settled before"),
        (Some(operator), Some(asset)) => {
            format!("earned with operator {operator} by asset {asset} and settled before")
        }
    };
    let whose = whose(*account);
    let to = to.map_or_else(|| whose.clone(), |to| format!("account {to}"));
    format!("Claim the rewards of {whose}, {what}, {from}, to the free balance of {to}")
}

pub(super) fn set_compounding(op: &SetCompounding) -> String {
    let SetCompounding { operator, asset, order } = op;
    match order {
        Some(Order { mandate, worst_case }) => format!(
            "Delegate again what asset {asset} earns in itself with operator {operator}, until ended; at worst {worst_case} of it can be slashed, under mandate {mandate}"
        ),
        None => format!("Delegate no longer what asset {asset} earns in itself with operator {operator}"),
    }
}

pub(super) fn compound(op: &Compound) -> String {
    let Compound { account, operator, asset } = op;
    let whose = whose(*account);
    format!(
        "Carry out the standing order of {whose}: delegate what asset {asset} has earned with operator {operator}"
    )
}
