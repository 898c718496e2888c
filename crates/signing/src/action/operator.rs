//! What operators do: pools, bonds, sets, keys.

use protocol::Groups;
use protocol::ops::allocate::Allocate;
use protocol::ops::change_mandate::ChangeMandate;
use protocol::ops::consent::Consent;
use protocol::ops::join_set::JoinSet;
use protocol::ops::leave_set::LeaveSet;
use protocol::ops::lower_bond::LowerBond;
use protocol::ops::open_pool::OpenPool;
use protocol::ops::raise_bond::RaiseBond;
use protocol::ops::register_key::RegisterKey;
use protocol::ops::register_operator::RegisterOperator;
use protocol::ops::release_bond::ReleaseBond;
use protocol::ops::retire_operator::RetireOperator;
use protocol::ops::set_commission::SetCommission;
use protocol::ops::set_groups::SetGroups;
use protocol::ops::set_split::SetSplit;
use protocol::ops::unjail::Unjail;
use protocol::terms::Mandate;

use super::words::{list, maybe, quoted, units};

pub(super) fn register_operator(op: &RegisterOperator) -> String {
    format!("Register this account as an operator that declares {}", declared(&op.groups))
}

pub(super) fn retire_operator(_: &RetireOperator) -> String {
    "Retire this operator for good: take no new stake and give back all allocations".to_owned()
}

pub(super) fn set_groups(op: &SetGroups) -> String {
    format!("Replace what this operator declares by {}", declared(&op.groups))
}

fn declared(groups: &Groups) -> String {
    let Groups { client, cloud, custody, code } = groups;
    let declared = [("client", client), ("cloud", cloud), ("custody", custody), ("code", code)];
    let declared = declared.into_iter().filter_map(|(name, label)| {
        let label = label.as_ref()?;
        Some(format!("{name} {}", quoted(label)))
    });
    if *groups == Groups::default() { "nothing".to_owned() } else { list(declared) }
}

pub(super) fn open_pool(op: &OpenPool) -> String {
    let OpenPool { asset, mandate, commission } = op;
    format!(
        "Open this operator's pool of asset {asset} at a commission of {commission}, under a mandate of {}",
        agreed(mandate)
    )
}

pub(super) fn change_mandate(op: &ChangeMandate) -> String {
    let ChangeMandate { asset, mandate } = op;
    format!("Change the mandate of this operator's pool of asset {asset} to {}", agreed(mandate))
}

pub(super) fn agreed(mandate: &Mandate) -> String {
    let Mandate { worst_case, elsewhere, own_verifiers, uncertified, commission } = mandate;
    let sharing = if *uncertified { "with or without a certificate" } else { "with a certificate only" };
    format!(
        "a worst case of {worst_case}, at most {elsewhere} slashed to anywhere but burning, at most {own_verifiers} with sets' own \
         verifiers, sharing {sharing}, a commission of at most {commission}"
    )
}

pub(super) fn set_commission(op: &SetCommission) -> String {
    let SetCommission { asset, commission } = op;
    format!("Set the commission of this operator's pool of asset {asset} to {commission}")
}

pub(super) fn set_split(op: &SetSplit) -> String {
    if op.recipients.is_empty() {
        return "Keep this operator's whole commission".to_owned();
    }
    let recipients =
        op.recipients.iter().map(|recipient| format!("{} to {}", recipient.share, recipient.account));
    format!("Give of this operator's commission {}; keep the rest", list(recipients))
}

pub(super) fn raise_bond(op: &RaiseBond) -> String {
    let RaiseBond { asset, amount } = op;
    format!("Add {} to this operator's bond, which loses first", units(*amount, *asset))
}

pub(super) fn lower_bond(op: &LowerBond) -> String {
    let LowerBond { asset, amount } = op;
    format!("Ask back {} from this operator's bond", units(*amount, *asset))
}

pub(super) fn release_bond(op: &ReleaseBond) -> String {
    let ReleaseBond { operator, asset } = op;
    format!("Fetch what is free of the bond of operator {operator} in asset {asset}")
}

pub(super) fn join_set(op: &JoinSet) -> String {
    let JoinSet { set, terms, allocations } = op;
    let allocations = allocations
        .iter()
        .map(|allocation| format!("{} of 256 parts of asset {}", allocation.parts, allocation.asset));
    format!("Join set {set} under terms {terms}; it may slash: {}", list(allocations))
}

pub(super) fn leave_set(op: &LeaveSet) -> String {
    format!("Leave set {} and give back every part that it may slash", op.set)
}

pub(super) fn allocate(op: &Allocate) -> String {
    let Allocate { set, asset, parts, expected_parts, expected_slashes } = op;
    let parts_now = maybe(", if it has ", expected_parts.as_ref().map(|parts| format!("{parts} parts")));
    let slashes = expected_slashes.as_ref().map(|slashes| format!("{slashes} times"));
    let slashes = maybe(", if it has slashed ", slashes);
    format!(
        "Let set {set} slash {parts} of 256 parts of this operator's pool of asset {asset}{parts_now}{slashes}"
    )
}

pub(super) fn consent(op: &Consent) -> String {
    format!("Consent to the announced terms {} of set {}", op.terms, op.set)
}

pub(super) fn register_key(op: &RegisterKey) -> String {
    format!("Register key {} for this operator's duty in set {}", op.key, op.set)
}

pub(super) fn unjail(op: &Unjail) -> String {
    format!("Return this operator to duty in set {}", op.set)
}
