//! What services do: sets and their terms, operators in them, rewards.

use protocol::ops::admit::Admit;
use protocol::ops::change_terms::ChangeTerms;
use protocol::ops::close_set::CloseSet;
use protocol::ops::create_service::CreateService;
use protocol::ops::create_set::CreateSet;
use protocol::ops::declare_profit::DeclareProfit;
use protocol::ops::eject::Eject;
use protocol::ops::end_stream::EndStream;
use protocol::ops::jail::Jail;
use protocol::ops::open_stream::OpenStream;
use protocol::ops::pay_work::{PayWork, Payment};
use protocol::ops::report_performance::ReportPerformance;
use protocol::ops::withdraw_terms::WithdrawTerms;
use protocol::terms::{Beneficiary, Correlation, Offences, Terms};

use super::words::{list, units};

pub(super) fn create_service(_: &CreateService) -> String {
    "Register this account as a service".to_owned()
}

pub(super) fn create_set(op: &CreateSet) -> String {
    format!("Create an operator set: {}", told(&op.terms))
}

pub(super) fn change_terms(op: &ChangeTerms) -> String {
    format!("Announce new terms of set {}: {}", op.set, told(&op.terms))
}

fn told(terms: &Terms) -> String {
    let assets =
        terms.assets.iter().map(|accepted| format!("{} (weight {})", accepted.asset, accepted.weight));
    let resolvers = match terms.resolvers.as_slice() {
        [] => "nobody can veto".to_owned(),
        resolvers => {
            format!("{} of {} can veto within {} epochs", terms.veto_threshold(), list(resolvers), terms.veto)
        }
    };
    let quorum = terms.quorum.map_or_else(|| "no quorum".to_owned(), |quorum| format!("quorum {quorum}"));
    format!(
        "assets {}; {}; slashes {}, window cap {}, unapproved up to {} of the weight; {} requests; {resolvers}; slashed stake goes {}; \
         reward tokens {}; warm-up {} epochs; jail {} epochs{}; risk weight {}; corrupted by {}; {quorum}",
        list(assets),
        admitted(terms),
        punished(&terms.offences),
        terms.window_cap,
        terms.mass_slash_max,
        terms.slasher,
        destinations(terms),
        list(&terms.reward_tokens),
        terms.warm_up,
        terms.jail.period,
        if terms.jail.on_equivocation { ", also for equivocation" } else { "" },
        terms.risk_weight,
        terms.corruption_share,
    )
}

fn admitted(terms: &Terms) -> String {
    let admission = &terms.admission;
    format!(
        "at most {} operators{}, of at most {} of the weight each, with weight {}, own stake {} and bonds {} at least",
        admission.operators_max,
        if admission.list_only { " from a list" } else { "" },
        terms.operator_share_max,
        admission.stake_min,
        admission.self_stake_min,
        admission.bond_min,
    )
}

fn punished(offences: &Offences) -> String {
    let Offences { equivocation, false_event, subjective, correlation } = offences;
    let mut punished = Vec::new();
    punished.extend(equivocation.map(|fraction| format!("{fraction} for equivocation")));
    punished.extend(false_event.map(|fraction| format!("{fraction} for false events")));
    punished.extend(subjective.map(|fraction| format!("up to {fraction} for a reason")));
    punished.extend(correlation.as_ref().map(|Correlation { multiplier, exponent }| {
        format!("{multiplier} x share ^ {exponent} for offending together")
    }));
    if punished.is_empty() { "nothing".to_owned() } else { punished.join(" and ") }
}

fn destinations(terms: &Terms) -> String {
    list(terms.destinations.iter().map(|destination| {
        let share = destination.share;
        match destination.to {
            Beneficiary::Burn => format!("{share} to nobody"),
            Beneficiary::Redistribute(account) => format!("{share} to {account}"),
            Beneficiary::Compensate => format!("{share} to those harmed"),
        }
    }))
}

pub(super) fn withdraw_terms(op: &WithdrawTerms) -> String {
    format!("Take back the announced terms of set {}", op.set)
}

pub(super) fn close_set(op: &CloseSet) -> String {
    format!("Close set {} for good and give back all allocations", op.set)
}

pub(super) fn admit(op: &Admit) -> String {
    let Admit { set, operator, admitted } = op;
    if *admitted {
        format!("Let operator {operator} join set {set}")
    } else {
        format!("Let operator {operator} no longer join set {set}")
    }
}

pub(super) fn eject(op: &Eject) -> String {
    format!("Send operator {} away from set {}", op.operator, op.set)
}

pub(super) fn jail(op: &Jail) -> String {
    format!("Jail operator {} in set {}", op.operator, op.set)
}

pub(super) fn declare_profit(op: &DeclareProfit) -> String {
    format!("Declare that corrupting set {} would be worth {} of ledger value", op.set, op.profit)
}

pub(super) fn report_performance(op: &ReportPerformance) -> String {
    let ReportPerformance { set, operator, factor } = op;
    format!("Scale the rewards of operator {operator} from set {set} in this epoch to {factor}")
}

pub(super) fn open_stream(op: &OpenStream) -> String {
    let OpenStream { set, token, per_epoch, epochs } = op;
    format!("Pay set {set} {} in each of {epochs} epochs, funded at once", units(*per_epoch, *token))
}

pub(super) fn end_stream(op: &EndStream) -> String {
    format!("End stream {} after the notice", op.stream)
}

pub(super) fn pay_work(op: &PayWork) -> String {
    let PayWork { set, token, epoch, payments } = op;
    let total = total(payments).map_or_else(|| "more than 2^128 - 1".to_owned(), |total| total.to_string());
    let parts = payments.iter().map(|payment| format!("{} to operator {}", payment.amount, payment.operator));
    format!("Pay {total} base units of asset {token} for work in set {set} in epoch {epoch}: {}", list(parts))
}

/// The sum of payments, None past the range of amounts.
pub(crate) fn total(payments: &[Payment]) -> Option<u128> {
    payments.iter().try_fold(0_u128, |sum, payment| sum.checked_add(payment.amount.units()))
}
