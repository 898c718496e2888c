//! What a set secures by its certificate.

use super::super::sets::{decimal, slack as slack_of};
use super::Explained;
use crate::certificate;
use crate::entries::Key;
use crate::state::State;
use crate::state::records::Set;
use crate::terms::Terms;
use crate::units::{Amount, Fraction, SetId};
use crate::wide;

const VALUE: &str = "ledger value";

pub(super) fn secured(state: &State, id: SetId, record: &Set) -> Explained {
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
    Explained::computed("", secured, VALUE, formula, inputs).titled("secured")
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
    let frozen = record.table_of(state.epoch).map_or(Amount::ZERO, |table| table.weight);
    let weight = record.leaving.room_below(frozen);
    let inputs = vec![
        Explained::stored("frozen", frozen, "weight", Key::Table(id, table_epoch(state, record))),
        Explained::stored("leaving", record.leaving, "weight", Key::Set(id)),
    ];
    (weight, Explained::computed("weight", weight, "weight", "max(0, frozen - leaving)", inputs))
}

/// From which epoch on the table stands that counts in this one.
fn table_epoch(state: &State, record: &Set) -> crate::units::Epoch {
    let before = record.tables.iter().map(|(from, _)| *from).filter(|from| *from <= state.epoch);
    before.max().unwrap_or(state.epoch)
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

pub(super) fn needed(state: &State, id: SetId, record: &Set) -> Explained {
    let profit = *record.profit.at(state.epoch);
    let gamma = state.parameters().gamma_min;
    let inputs = vec![
        Explained::stored("profit", profit, VALUE, Key::Set(id)),
        Explained::stored("gamma_min", gamma, "fraction", Key::Network),
    ];
    let value = certificate::needed(profit, gamma);
    let formula = "min(2^128 - 1, profit + ceil(gamma_min * profit))";
    Explained::computed("", value, VALUE, formula, inputs).titled("needed")
}

pub(super) fn slack(state: &State, id: SetId, record: &Set) -> Option<Explained> {
    let profit = *record.profit.at(state.epoch);
    let value = slack_of(certificate::secured(state, record), profit)?;
    let inputs = vec![secured(state, id, record), Explained::stored("profit", profit, VALUE, Key::Set(id))];
    let formula = "floor18(secured / profit)";
    Some(Explained::computed("", decimal(value), "", formula, inputs).titled("slack"))
}
