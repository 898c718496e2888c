//! When something is free, may be done, or can no longer be: epochs.

use super::super::liability::Liability;
use super::super::positions::{PositionState, state_of};
use super::super::slashes::veto_until;
use super::{Entry, Explained, Figure};
use crate::entries::Key;
use crate::genesis::Parameters;
use crate::state::State;
use crate::state::records::Request;
use crate::units::{Epoch, PoolId, RequestId, SetId};

const EPOCH: &str = "epoch";
const EPOCHS: &str = "epochs";

pub(super) fn of(state: &State, figure: &Figure) -> Option<Explained> {
    let find = |account, position| Entry::find(state, account, position);
    match *figure {
        Figure::FreeAt { account, position } => Some(free_at(state, &find(account, position)?)),
        Figure::PunishableUntil { account, position } => punishable_until(state, &find(account, position)?),
        Figure::TakeBackUntil { account, position } => take_back_until(state, &find(account, position)?),
        Figure::LiableFrom { account, position, set } => liable_from(state, &find(account, position)?, set),
        Figure::LiableThrough { account, position, set } => {
            liable_through(state, &find(account, position)?, set)
        }
        Figure::SetPunishableUntil { account, position, set } => {
            let through = liable_through(state, &find(account, position)?, set)?;
            let last = Epoch::new(through.value.parse().ok()?);
            let by = Figure::LiableThrough { account, position, set };
            let through = Explained::said("through", last, EPOCH, &by);
            Some(last_execution("set_punishable_until", state, last, &through))
        }
        Figure::BondFreeAt { pool, epoch } => bond_free_at(state, pool, epoch),
        Figure::OldestOpen {} => Some(oldest_open(state)),
        Figure::CreditedIn {} => {
            Some(Explained::computed("credited_in", state.epoch.next(), EPOCH, "epoch + 1", vec![now(state)]))
        }
        Figure::StaleFrom { validator } => {
            let proven = state.validator(validator)?.proven;
            let inputs = vec![
                Explained::stored("proven", proven, EPOCH, Key::Validator(validator)),
                rule("stale_after", state.parameters().stale_after),
            ];
            let value = proven.later(state.parameters().stale_after);
            Some(Explained::computed("stale_from", value, EPOCH, "proven + stale_after", inputs))
        }
        Figure::RunsOutIn { set } => {
            let since = state.set(set)?.under_since?;
            let inputs = vec![
                Explained::stored("under_since", since, EPOCH, Key::Set(set)),
                rule("grace", state.parameters().grace),
            ];
            let value = since.later(state.parameters().grace).next();
            Some(Explained::computed("runs_out_in", value, EPOCH, "under_since + grace + 1", inputs))
        }
        Figure::TermsActBy { set } => {
            let from = state.set(set)?.pending.as_ref()?.from;
            Some(before("terms_act_by", from, Key::Set(set)))
        }
        Figure::MandateActBy { pool } => {
            let (from, _) = state.pools.get(pool.index())?.pending_mandate?;
            Some(before("mandate_act_by", from, Key::Pool(pool)))
        }
        Figure::ReleasedFrom { slash } => {
            let capture = state.slashes.get(&slash)?.capture;
            let mut inputs = vec![Explained::stored("capture", capture, EPOCH, Key::Slash(slash))];
            inputs.extend(reach(state.parameters.at(capture)));
            let value = state.last_execution(capture).next();
            let formula = "capture + slash_window + veto + execution + 1";
            Some(Explained::computed("released_from", value, EPOCH, formula, inputs))
        }
        _ => of_request(state, figure),
    }
}

/// When a request may be vetoed and executed.
fn of_request(state: &State, figure: &Figure) -> Option<Explained> {
    let request = |id: RequestId| state.requests.get(&id);
    match *figure {
        Figure::VetoUntil { request: id } => {
            let own = request(id)?;
            let until = veto_until(state, own)?;
            Some(window("veto_until", state, id, own, until, "requested + min(veto, veto_max)"))
        }
        Figure::ExecutableFrom { request: id } => {
            let own = request(id)?;
            let (from, _) = state.request_window(own);
            Some(window("executable_from", state, id, own, from, "requested + min(veto, veto_max) + 1"))
        }
        Figure::LapsesAfter { request: id } => {
            let own = request(id)?;
            let (_, last) = state.request_window(own);
            let formula = "requested + min(veto, veto_max) + execution";
            Some(window("lapses_after", state, id, own, last, formula))
        }
        _ => None,
    }
}

fn now(state: &State) -> Explained {
    Explained::stored("epoch", state.epoch, EPOCH, Key::Network)
}

/// A parameter of the network, in epochs.
fn rule(name: &str, epochs: u32) -> Explained {
    Explained::stored(name, epochs, EPOCHS, Key::Network)
}

/// The parameters that bound how late a slash may be.
fn reach(parameters: &Parameters) -> [Explained; 3] {
    [
        rule("slash_window", parameters.slash_window),
        rule("veto", parameters.veto),
        rule("execution", parameters.execution),
    ]
}

/// The last epoch before something counts.
fn before(name: &str, from: Epoch, at: Key) -> Explained {
    let inputs = vec![Explained::stored("from", from, EPOCH, at)];
    Explained::computed(name, from.previous(), EPOCH, "from - 1", inputs)
}

fn free_at(state: &State, entry: &Entry) -> Explained {
    let until = entry.position.until;
    let through = if until == Epoch::NEVER { state.epoch } else { until };
    let at = if until == Epoch::NEVER { Key::Network } else { entry.key() };
    free_after("free_at", state, through, at)
}

fn free_after(name: &str, state: &State, through: Epoch, at: Key) -> Explained {
    let inputs = vec![
        Explained::stored("bonded_through", through, EPOCH, at),
        rule("unbonding", state.parameters.at(through).unbonding),
    ];
    let formula = "bonded_through + unbonding + 1";
    Explained::computed(name, state.free_at(through), EPOCH, formula, inputs)
}

fn bond_free_at(state: &State, pool: PoolId, epoch: Epoch) -> Option<Explained> {
    let bond = state.pools.get(pool.index())?.stake.bond();
    let is_known = epoch != Epoch::NEVER && bond.entries().iter().any(|entry| entry.until == epoch);
    is_known.then(|| free_after("bond_free_at", state, epoch, Key::Pool(pool)))
}

fn take_back_until(state: &State, entry: &Entry) -> Option<Explained> {
    let is_joining = state_of(state, &entry.position) == PositionState::Joining;
    is_joining.then(|| before("take_back_until", entry.position.entered, entry.key()))
}

/// Of what leaves, and of what would be asked back now.
fn punishable_until(state: &State, entry: &Entry) -> Option<Explained> {
    let through = match state_of(state, &entry.position) {
        PositionState::Bonded => now(state),
        PositionState::Unbonding => Explained::stored("through", entry.position.until, EPOCH, entry.key()),
        PositionState::Joining | PositionState::Free => return None,
    };
    let last = entry.position.until.min(state.epoch);
    Some(last_execution(
        "punishable_until",
        state,
        last,
        &Explained { name: "through".to_owned(), ..through },
    ))
}

/// Last epoch in which a slash for an epoch or one before it may be executed, under the rules of each.
fn last_execution(name: &str, state: &State, capture: Epoch, through: &Explained) -> Explained {
    let (mut inputs, mut until) = (Vec::new(), (capture, through.clone()));
    for (from, rules) in state.parameters.iter().rev().filter(|(from, _)| *from <= capture) {
        let mut own = vec![until.1];
        own.extend(reach(rules));
        let value = until.0.later(rules.reach());
        let formula = "through + slash_window + veto + execution";
        inputs.push(Explained::computed("rule", value, EPOCH, formula, own));
        let last = from.previous();
        until = (last, Explained::stored("through", last, EPOCH, Key::Network));
    }
    let value = state.last_execution_through(capture);
    Explained::computed(name, value, EPOCH, "max(rule)", inputs)
}

fn oldest_open(state: &State) -> Explained {
    let (mut inputs, mut until) = (Vec::new(), state.epoch);
    for (from, rules) in state.parameters.iter().rev().filter(|(from, _)| *from <= state.epoch) {
        let first = state.epoch.earlier(rules.reach()).max(from);
        if first <= until {
            let mut own = vec![now(state), Explained::stored("from", from, EPOCH, Key::Network)];
            own.extend(reach(rules));
            let formula = "max(from, epoch - slash_window - veto - execution)";
            inputs.push(Explained::computed("rule", first, EPOCH, formula, own));
        }
        until = from.previous();
        if from == Epoch::ZERO {
            break;
        }
    }
    Explained::computed("oldest_open", state.oldest_open(state.epoch), EPOCH, "min(rule)", inputs)
}

fn liable_from(state: &State, entry: &Entry, set: SetId) -> Option<Explained> {
    let liability = Liability::of(state, &entry.position);
    let threat = liability.threats().into_iter().find(|threat| threat.set == set)?;
    let oldest = state.oldest_open(state.epoch);
    let mut inputs = Vec::new();
    for (_, owners) in liability.owned_slices(set) {
        for owner in owners {
            let own = vec![
                Explained::stored("owned_from", owner.from, EPOCH, Key::Pool(entry.position.pool)),
                Explained::stored("bonded_from", entry.position.entered, EPOCH, entry.key()),
                Explained::said("oldest_open", oldest, EPOCH, &Figure::OldestOpen {}),
            ];
            let value = owner.from.max(liability.first);
            let formula = "max(owned_from, bonded_from, oldest_open)";
            inputs.push(Explained::computed("first", value, EPOCH, formula, own));
        }
    }
    Some(Explained::computed("liable_from", threat.first, EPOCH, "min(first)", inputs))
}

/// None while neither the parts were given back nor the entry was asked back.
fn liable_through(state: &State, entry: &Entry, set: SetId) -> Option<Explained> {
    let liability = Liability::of(state, &entry.position);
    let threat = liability.threats().into_iter().find(|threat| threat.set == set)?;
    if threat.last == Epoch::NEVER {
        return None;
    }
    let mut inputs = Vec::new();
    for (_, owners) in liability.owned_slices(set) {
        for owner in owners {
            let (mut own, mut formula) = (Vec::new(), "owned_through");
            if owner.to != Epoch::NEVER {
                own.push(Explained::stored("owned_through", owner.to, EPOCH, Key::Pool(entry.position.pool)));
            }
            if liability.last != Epoch::NEVER {
                let both = !own.is_empty();
                formula = if both { "min(owned_through, bonded_through)" } else { "bonded_through" };
                own.push(Explained::stored("bonded_through", liability.last, EPOCH, entry.key()));
            }
            let value = owner.to.min(liability.last);
            inputs.push(Explained::computed("last", value, EPOCH, formula, own));
        }
    }
    Some(Explained::computed("liable_through", threat.last, EPOCH, "max(last)", inputs))
}

/// When a request may be vetoed or executed, by the rules and terms of the epoch of the offence.
fn window(
    name: &str,
    state: &State,
    id: RequestId,
    request: &Request,
    value: Epoch,
    formula: &str,
) -> Explained {
    let rules = state.parameters.at(request.capture);
    let veto = state.set(request.set).map_or(0, |record| record.terms_in(request.capture).veto);
    let inputs = vec![
        Explained::stored("requested", request.requested, EPOCH, Key::Request(id)),
        Explained::stored("veto", veto, EPOCHS, Key::Set(request.set)),
        rule("veto_max", rules.veto),
        rule("execution", rules.execution),
    ];
    Explained::computed(name, value, EPOCH, formula, inputs)
}
