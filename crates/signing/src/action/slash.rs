//! Offences and what they cost.

use protocol::ops::approve_slash::ApproveSlash;
use protocol::ops::correlate::Correlate;
use protocol::ops::execute_slash::ExecuteSlash;
use protocol::ops::release_proceeds::ReleaseProceeds;
use protocol::ops::request_slash::RequestSlash;
use protocol::ops::submit_equivocation::SubmitEquivocation;
use protocol::ops::veto_slash::VetoSlash;

use super::words::{list, quoted, units};

pub(super) fn submit_equivocation(op: &SubmitEquivocation) -> String {
    let evidence = &op.evidence;
    format!(
        "Prove that key {} signed two statements of kind {} for slot {} of epoch {} in set {}, and slash its operator",
        evidence.key, evidence.kind, evidence.slot, evidence.epoch, evidence.set
    )
}

pub(super) fn request_slash(op: &RequestSlash) -> String {
    let RequestSlash { set, operator, capture, fraction, reason, victims } = op;
    let victims =
        victims.iter().map(|victim| format!("{} for {}", units(victim.amount, victim.asset), victim.account));
    let harmed = if op.victims.is_empty() { String::new() } else { format!("; harmed: {}", list(victims)) };
    format!(
        "Request that set {set} slash operator {operator} by {fraction} for epoch {capture}, because {}{harmed}",
        quoted(reason)
    )
}

pub(super) fn veto_slash(op: &VetoSlash) -> String {
    format!("Veto slash request {}", op.request)
}

pub(super) fn approve_slash(op: &ApproveSlash) -> String {
    format!("Approve slash request {}", op.request)
}

pub(super) fn execute_slash(op: &ExecuteSlash) -> String {
    format!("Execute slash request {}", op.request)
}

pub(super) fn correlate(op: &Correlate) -> String {
    let Correlate { set, operator, capture } = op;
    format!("Slash operator {operator} for having offended with others in set {set} in epoch {capture}")
}

pub(super) fn release_proceeds(op: &ReleaseProceeds) -> String {
    format!("Pay out what slash {} holds", op.slash)
}
