//! Assets, and what comes in and goes out of them.

use protocol::ops::declare_stale::DeclareStale;
use protocol::ops::deposit::Deposit;
use protocol::ops::list_asset::ListAsset;
use protocol::ops::report_rate::ReportRate;
use protocol::ops::report_validator::ReportValidator;
use protocol::ops::withdraw::Withdraw;
use protocol::{AssetKind, RateSource};

use super::words::{maybe, quoted, units, whose};

pub(super) fn list_asset(op: &ListAsset) -> String {
    let ListAsset { origin, decimals, kind, rate } = op;
    let kind = match kind {
        AssetKind::Token => "a token",
        AssetKind::Native => "native stake",
    };
    let rate = match rate {
        RateSource::One => "a rate of always 1",
        RateSource::Proven => "a rate proven from its origin",
    };
    let contract = if origin.contract.is_empty() {
        "its own coin".to_owned()
    } else {
        format!("contract {}", quoted(&origin.contract))
    };
    format!("List {kind} of chain {}, {contract}, with {decimals} decimals and {rate}", origin.chain)
}

pub(super) fn deposit(op: &Deposit) -> String {
    let Deposit { account, asset, amount, index, proof: _ } = op;
    let index = maybe("number ", index.as_ref());
    let index = if index.is_empty() { "the next one".to_owned() } else { index };
    format!("Credit a deposit, {index}, of {} to {}", units(*amount, *asset), whose(*account))
}

pub(super) fn report_rate(op: &ReportRate) -> String {
    let ReportRate { asset, rate, proof: _ } = op;
    format!("Report that 10^18 base units of asset {asset} are worth {rate}")
}

pub(super) fn report_validator(op: &ReportValidator) -> String {
    let ReportValidator { asset, validator, account, balance, proof: _ } = op;
    let whose = whose(*account);
    format!("Report that validator {validator} of {whose} has {}", units(*balance, *asset))
}

pub(super) fn declare_stale(op: &DeclareStale) -> String {
    format!("Ask back the stake of validator entry {}, which nobody has proven for long", op.validator)
}

pub(super) fn withdraw(op: &Withdraw) -> String {
    let Withdraw { asset, amount, to } = op;
    format!("Withdraw {} from the ledger to {}", units(*amount, *asset), quoted(to))
}
