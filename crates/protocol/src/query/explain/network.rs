//! What the ledger holds of an asset, what an account has free, and where the network stands.

use super::super::sets::decimal;
use super::{Explained, Figure, units_of};
use crate::certificate;
use crate::entries::Key;
use crate::state::State;
use crate::units::{Address, Amount, AssetId, OperatorId, SetId};
use crate::view;

const VALUE: &str = "ledger value";
const HEAT: &str = "2^-60";
const WARMTH: &str = "2^-103";

pub(super) fn of(state: &State, figure: &Figure) -> Option<Explained> {
    match *figure {
        Figure::Supply { asset } => supply(state, asset),
        Figure::FreeBalance { account, asset } => free_balance(state, account, asset),
        Figure::Certified {} => certified(state),
        Figure::Declared {} => declared(state),
        Figure::Shortfall {} => Some(shortfall(state)),
        Figure::Heat { set } => heat(state, set),
        Figure::Warmth { operator } => warmth(state, operator),
        _ => None,
    }
}

fn supply(state: &State, asset: AssetId) -> Option<Explained> {
    let record = state.asset(asset)?;
    let unit = units_of(asset);
    let stored = |name: &str, amount: Amount| Explained::stored(name, amount, &unit, Key::Asset(asset));
    let inputs = vec![
        stored("deposited", record.deposited),
        stored("gained", record.gained),
        stored("withdrawn", record.withdrawn),
        stored("burnt", record.burnt),
        stored("lost", record.lost),
    ];
    let formula = "deposited + gained - withdrawn - burnt - lost";
    Some(Explained::computed("supply", record.supply(), &unit, formula, inputs))
}

/// None of an asset of which the account has nothing, and never had.
fn free_balance(state: &State, account: Address, asset: AssetId) -> Option<Explained> {
    let id = state.accounts.find(account)?;
    let value = view::balances_of(state, id).into_iter().find(|own| own.asset == asset)?.free;
    let unit = units_of(asset);
    let own = state.accounts.get(id).balances().iter().find(|own| own.asset == asset);
    let own = own.map_or(Amount::ZERO, |own| own.free);
    let mut inputs = vec![Explained::stored("own", own, &unit, Key::Account(account))];
    for (validator, record) in state.validators.of(id).filter(|(_, record)| record.asset == asset) {
        inputs.push(Explained::stored("validator", record.free, &unit, Key::Validator(validator)));
    }
    Some(Explained::computed("free_balance", value, &unit, "own + sum(validator)", inputs))
}

/// The sets that declare a profit.
fn declaring(state: &State) -> impl Iterator<Item = (SetId, Amount)> {
    let profit = |(index, record): (usize, &crate::state::records::Set)| {
        (SetId::at(index), *record.profit.at(state.epoch))
    };
    state.sets.iter().enumerate().map(profit).filter(|(_, profit)| !profit.is_zero())
}

fn heat_of(state: &State, set: SetId) -> Option<u64> {
    let record = state.set(set)?;
    let alpha = record.terms_in(state.epoch).corruption_share;
    Some(certificate::heat(*record.profit.at(state.epoch), alpha, state.exposure.weight(set)))
}

fn heat(state: &State, set: SetId) -> Option<Explained> {
    let record = state.set(set)?;
    let (profit, alpha) = (*record.profit.at(state.epoch), record.terms_in(state.epoch).corruption_share);
    let weight = state.exposure.weight(set);
    let corrupting = alpha.of_down(Amount::new(weight));
    let inputs = vec![
        Explained::stored("profit", profit, VALUE, Key::Set(set)),
        Explained::stored("alpha", alpha, "fraction", Key::Set(set)),
        Explained::stored("weight", weight, VALUE, Key::Exposure),
    ];
    // What nothing stands behind is worth any attack.
    let formula = match (profit.is_zero(), corrupting.is_zero()) {
        (true, _) => "profit",
        (false, true) => "2^64 - 1",
        (false, false) => "min(2^64 - 1, ceil(profit * 2^60 / floor(alpha * weight)))",
    };
    Some(Explained::computed("heat", heat_of(state, set)?, HEAT, formula, inputs))
}

fn warmth(state: &State, operator: OperatorId) -> Option<Explained> {
    let shares = state.exposure.shares_of(operator)?;
    let (mut sum, mut inputs) = (0_u128, Vec::new());
    for (number, share) in shares {
        let set = SetId::new(*number);
        let heat = heat_of(state, set).unwrap_or(0);
        let value = certificate::warmth(heat, *share);
        sum = sum.saturating_add(value);
        let own = vec![
            Explained::said("heat", heat, HEAT, &Figure::Heat { set }),
            Explained::stored("share", *share, "2^-63 of the operator's stake", Key::Exposure),
        ];
        inputs.push(Explained::computed("attack", value, WARMTH, "floor(heat * share / 2^20)", own));
    }
    Some(Explained::computed("warmth", sum, WARMTH, "sum(attack)", inputs))
}

fn certified(state: &State) -> Option<Explained> {
    let value = view::network(state).certified?;
    let mut inputs = Vec::new();
    for (set, _) in declaring(state) {
        let heat = heat_of(state, set).unwrap_or(0);
        inputs.push(Explained::said("heat", heat, HEAT, &Figure::Heat { set }));
    }
    let mut has_operators = false;
    for index in 0..state.operators.len() {
        let by = Figure::Warmth { operator: OperatorId::at(index) };
        if let Some(node) = of(state, &by) {
            inputs.push(Explained::said("warmth", node.value, WARMTH, &by));
            has_operators = true;
        }
    }
    let formula = if has_operators {
        "floor18(2^103 / max(2^43 * max(heat), max(warmth)))"
    } else {
        "floor18(2^103 / (2^43 * max(heat)))"
    };
    Some(Explained::computed("certified", value, "", formula, inputs))
}

fn declared(state: &State) -> Option<Explained> {
    let value = view::network(state).declared?;
    let mut inputs = Vec::new();
    for (set, profit) in declaring(state) {
        let secured = certificate::secured(state, state.set(set)?);
        let slack = super::super::sets::slack(secured, profit)?;
        inputs.push(Explained::said("slack", decimal(slack), "", &Figure::Slack { set }));
    }
    Some(Explained::computed("declared", value, "", "min(slack)", inputs))
}

fn shortfall(state: &State) -> Explained {
    let gamma = state.parameters().gamma_min;
    let mut inputs = Vec::new();
    for (set, profit) in declaring(state) {
        let Some(record) = state.set(set) else { continue };
        let (secured, needed) = (certificate::secured(state, record), certificate::needed(profit, gamma));
        let own = vec![
            Explained::said("needed", needed, VALUE, &Figure::Needed { set }),
            Explained::said("secured", secured, VALUE, &Figure::Secured { set }),
        ];
        let short = secured.room_below(needed);
        inputs.push(Explained::computed("short", short, VALUE, "max(0, needed - secured)", own));
    }
    let value = view::network(state).shortfall;
    Explained::computed("shortfall", value, VALUE, "sum(short)", inputs)
}
