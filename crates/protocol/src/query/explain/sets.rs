//! What a set secures by its certificate, and who counts how much in it.

use super::super::sets::{decimal, slack as slack_of};
use super::{Explained, Figure};
use crate::certificate;
use crate::entries::Key;
use crate::state::State;
use crate::state::records::Set;
use crate::terms::Terms;
use crate::units::{Amount, Epoch, Fraction, OperatorId, ServiceId, SetId};
use crate::wide;

const VALUE: &str = "ledger value";

pub(super) fn of(state: &State, figure: &Figure) -> Option<Explained> {
    match *figure {
        Figure::Secured { set } => Some(secured(state, set, state.set(set)?)),
        Figure::Needed { set } => Some(needed(state, set, state.set(set)?)),
        Figure::Slack { set } => slack(state, set, state.set(set)?),
        Figure::Share { set, operator, epoch } => share(state, set, operator, epoch),
        Figure::SlashesInWindow { set, operator } => slashes_in_window(state, set, operator),
        Figure::ServiceProfit { service } => service_profit(state, service),
        _ => None,
    }
}

fn secured(state: &State, id: SetId, record: &Set) -> Explained {
    let at = Key::Set(id);
    let terms = record.terms_in(state.epoch);
    let inputs = vec![
        value(state, id, record, terms),
        Explained::stored("rho", terms.risk_weight, "fraction", at),
        Explained::stored("alpha", terms.corruption_share, "fraction", at),
        sure(id, terms),
    ];
    let secured = certificate::secured(state, record);
    let formula = "floor(sure * floor(alpha * floor(rho * value)))";
    Explained::computed("secured", secured, VALUE, formula, inputs)
}

/// The weight that stays, at the lowest ledger value per weight of the assets.
fn value(state: &State, id: SetId, record: &Set, terms: &Terms) -> Explained {
    let (weight, node) = weight(state, id, record);
    let mut least = u128::MAX;
    let mut inputs = Vec::new();
    for accepted in &terms.assets {
        let rated = u128::from(state.asset(accepted.asset).map_or(0, |asset| asset.value));
        let divisor = u128::from(accepted.weight.max(1));
        let value = wide::checked_mul_div_down(weight.units(), rated, divisor).unwrap_or(u128::MAX);
        least = least.min(value);
        let own = vec![
            node.clone(),
            Explained::stored("asset_value", rated, "of 10^9 base units", Key::Asset(accepted.asset)),
            Explained::stored("asset_weight", divisor, "of 10^9 base units", Key::Set(id)),
        ];
        let formula = "min(2^128 - 1, floor(weight * asset_value / asset_weight))";
        inputs.push(Explained::computed("of_asset", value, VALUE, formula, own));
    }
    let least = if inputs.is_empty() { 0 } else { least };
    Explained::computed("value", least, VALUE, "min(of_asset)", inputs)
}

fn weight(state: &State, id: SetId, record: &Set) -> (Amount, Explained) {
    // A set has no table before its first boundary.
    let table = record.tables.iter().rev().find(|(from, _)| *from <= state.epoch);
    let (at, frozen) = match table {
        Some((from, table)) => (Key::Table(id, *from), table.weight),
        None => (Key::Set(id), Amount::ZERO),
    };
    let weight = record.leaving.room_below(frozen);
    let inputs = vec![
        Explained::stored("frozen", frozen, "weight", at),
        Explained::stored("leaving", record.leaving, "weight", Key::Set(id)),
    ];
    (weight, Explained::computed("weight", weight, "weight", "max(0, frozen - leaving)", inputs))
}

/// What is surely taken when a share of `alpha` offends.
fn sure(id: SetId, terms: &Terms) -> Explained {
    let at = Key::Set(id);
    let stored = |name: &str, fraction: Fraction| Explained::stored(name, fraction, "fraction", at);
    let equivocation = terms.offences.equivocation.unwrap_or(Fraction::ZERO);
    let base = equivocation.min(terms.window_cap);
    let (of_curve, curve) = match &terms.offences.correlation {
        None => (Fraction::ZERO, stored("of_alpha", Fraction::ZERO)),
        Some(curve) => {
            let fraction = curve.at(terms.corruption_share);
            let inputs = vec![
                Explained::stored("multiplier", curve.multiplier, "", at),
                stored("alpha", terms.corruption_share),
            ];
            let formula = match curve.exponent {
                2 => "min(1, multiplier * floor18(alpha * alpha))",
                _ => "min(1, multiplier * alpha)",
            };
            (fraction, Explained::computed("of_alpha", fraction, "fraction", formula, inputs))
        }
    };
    let cut = of_curve.min(terms.window_cap.above(base));
    let own = vec![stored("equivocation", equivocation), stored("window_cap", terms.window_cap)];
    let base_node = Explained::computed("base", base, "fraction", "min(equivocation, window_cap)", own);
    let own = vec![curve, stored("window_cap", terms.window_cap), base_node.clone()];
    let curve_node = Explained::computed("curve", cut, "fraction", "min(of_alpha, window_cap - base)", own);
    // Rounded against the set where both take something.
    let formula = if base.is_zero() || cut.is_zero() {
        "1 - floor18((1 - base) * (1 - curve))"
    } else {
        "1 - min(1, floor18((1 - base) * (1 - curve)) + 1 / 10^18)"
    };
    Explained::computed("sure", terms.sure_fraction(), "fraction", formula, vec![base_node, curve_node])
}

fn needed(state: &State, id: SetId, record: &Set) -> Explained {
    let profit = *record.profit.at(state.epoch);
    let gamma = state.parameters().gamma_min;
    let inputs = vec![
        Explained::stored("profit", profit, VALUE, Key::Set(id)),
        Explained::stored("gamma_min", gamma, "fraction", Key::Network),
    ];
    let value = certificate::needed(profit, gamma);
    let formula = "min(2^128 - 1, profit + ceil(gamma_min * profit))";
    Explained::computed("needed", value, VALUE, formula, inputs)
}

fn slack(state: &State, id: SetId, record: &Set) -> Option<Explained> {
    let profit = *record.profit.at(state.epoch);
    let value = slack_of(certificate::secured(state, record), profit)?;
    let inputs = vec![
        secured(state, id, record).under("secured"),
        Explained::stored("profit", profit, VALUE, Key::Set(id)),
    ];
    Some(Explained::computed("slack", decimal(value), "", "floor18(secured / profit)", inputs))
}

/// None of an operator that is not in the table, and of an epoch that has none or is still to come.
fn share(state: &State, set: SetId, operator: OperatorId, epoch: Epoch) -> Option<Explained> {
    let record = state.set(set).filter(|_| epoch <= state.epoch)?;
    let (from, table) = record.tables.iter().rev().find(|(from, _)| *from <= epoch)?;
    let at = Key::Table(set, *from);
    let inputs = vec![
        Explained::stored("own", table.row(operator)?.weight, "weight", at),
        Explained::stored("weight", table.weight, "weight", at),
    ];
    let formula = if table.weight.is_zero() { "1" } else { "min(1, floor18(own / weight))" };
    Some(Explained::computed("share", table.share(operator), "fraction", formula, inputs))
}

fn slashes_in_window(state: &State, set: SetId, operator: OperatorId) -> Option<Explained> {
    let record = state.set(set).filter(|record| record.members.contains_key(&operator))?;
    let executed = record.executed.get(&operator).map_or(&[][..], Vec::as_slice);
    let value = executed.iter().fold(0_u32, |sum, executed| sum.saturating_add(executed.count));
    let slashes =
        executed.iter().map(|own| Explained::stored("slashes", own.count, "slashes", Key::Set(set)));
    Some(Explained::computed("slashes_in_window", value, "slashes", "sum(slashes)", slashes.collect()))
}

fn service_profit(state: &State, service: ServiceId) -> Option<Explained> {
    let value = super::super::services::service(state, service)?.profit;
    let mut inputs = Vec::new();
    for set in state.sets_of(service) {
        let profit = *state.set(set)?.profit.at(state.epoch);
        inputs.push(Explained::stored("profit", profit, VALUE, Key::Set(set)));
    }
    Some(Explained::computed("service_profit", value, VALUE, "min(2^128 - 1, sum(profit))", inputs))
}
