//! What the governor and the guardian do.

use protocol::genesis::{Caps, Parameters};
use protocol::ops::govern_asset::GovernAsset;
use protocol::ops::guard::{Guard, Stop};
use protocol::ops::propose_parameters::ProposeParameters;

use super::words::list;

pub(super) fn propose_parameters(op: &ProposeParameters) -> String {
    let Parameters {
        unbonding,
        slash_window,
        veto,
        execution,
        notice,
        stale_after,
        grace,
        rate_rise_max,
        gamma_min,
        request_deposit,
        execution_tip,
        object_deposit,
        caps,
        rules_version,
    } = op.parameters.as_ref();
    let Caps { above, operator, service, group, undeclared, event } = caps;
    format!(
        "Announce parameters: unbonding {unbonding}, slash window {slash_window}, veto {veto}, execution {execution}, notice {notice}, \
         stale after {stale_after} and grace {grace} epochs; rates rise by at most {rate_rise_max}; least slack {gamma_min}; deposits \
         {request_deposit} for a request (tip {execution_tip}) and {object_deposit} for an object; caps above {above}: operator \
         {operator}, service {service}, group {group}, undeclared {undeclared}, event {event}; rules version {rules_version}"
    )
}

pub(super) fn govern_asset(op: &GovernAsset) -> String {
    let GovernAsset { asset, value, cap, stake_min } = op;
    let mut figures = Vec::new();
    figures.extend(value.map(|value| format!("a value of {value} for 10^9 base units")));
    figures.extend(cap.map(|cap| format!("a cap of {cap} base units")));
    figures.extend(stake_min.map(|least| format!("a smallest stake of {least} base units")));
    format!("Announce for asset {asset}: {}", list(figures))
}

pub(super) fn guard(op: &Guard) -> String {
    let what = match op.stop {
        Stop::Joins => "new stake in pools",
        Stop::Listings => "new assets",
        Stop::Sets => "new operator sets",
        Stop::Allocations => "more parts for sets",
    };
    format!("Stop {what} for 7 epochs")
}
