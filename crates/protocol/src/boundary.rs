//! What happens between two epochs. It touches no position, no follow-up and no listing.
//!
//! Order: requests lapse, rewards of the ended epoch, then in the new epoch: governance, announced terms and mandates, maturities and
//! merges, stake tables, certificate checks, and forgetting what nobody can ask about any more. The effect of slashes and native changes
//! on worth came when they were executed; here their effect on tables follows.

use std::sync::Arc;

use crate::event::Event;
use crate::genesis::UNBONDING_MAX;
use crate::state::State;
use crate::state::records::{RequestState, Row, Set, Table};
use crate::terms::Terms;
use crate::units::{Amount, AssetId, Epoch, Fraction, OperatorId, PoolId, RequestId, SetId};
use crate::wide;

/// Ends the current epoch and begins the next. Returns what happened.
pub fn advance_epoch(state: &mut State) -> Vec<Event> {
    let mut events = Vec::new();
    let ended = state.epoch;
    lapse_requests(state, ended, &mut events);
    state.pay_rewards(ended, &mut events);

    state.epoch = ended.next();
    state.terms_version = state.terms_version.saturating_add(1);
    start_governance(state, &mut events);
    start_terms(state, ended, &mut events);
    start_mandates(state, &mut events);
    roll_pools(state);
    state.freeze_values();
    freeze_tables(state);
    state.freeze_exposure();
    state.check_certificates(&mut events);
    forget(state);
    events.push(Event::EpochBegan { epoch: state.epoch });
    events
}

fn lapse_requests(state: &mut State, ended: Epoch, events: &mut Vec<Event>) {
    let is_over = |state: &State, id: &RequestId| {
        let request = state.requests.get(id);
        request.is_some_and(|request| {
            request.state == RequestState::Open && state.request_window(request).1 <= ended
        })
    };
    let over: Vec<RequestId> = state.requests.keys().filter(|id| is_over(state, id)).copied().collect();
    for id in over {
        let Some(request) = state.requests.get_mut(&id) else { continue };
        request.state = RequestState::Lapsed;
        let deposit = std::mem::take(&mut request.deposit);
        state.burn_deposit(deposit);
        state.note_ended(id, Vec::new());
        events.push(Event::SlashLapsed { request: id });
    }
}

fn start_governance(state: &mut State, events: &mut Vec<Event>) {
    let now = state.epoch;
    let (due, later) = std::mem::take(&mut state.governance).into_iter().partition(|(from, _)| *from <= now);
    state.governance = later;
    let due: Vec<_> = due;
    for (_, change) in due {
        state.carry_out_governance(&change);
        events.push(Event::GovernanceStarted);
    }
}

/// Announced terms start. Who did not consent to worse ones leaves: the last epoch on duty is the one that ended.
fn start_terms(state: &mut State, ended: Epoch, events: &mut Vec<Event>) {
    let now = state.epoch;
    for index in 0..state.sets.len() {
        let set = SetId::at(index);
        let record = state.set_mut(set);
        let Some(pending) = record.pending.take_if(|pending| pending.from <= now) else { continue };
        let dissenting: Vec<OperatorId> = record
            .members
            .iter()
            .filter(|(id, member)| {
                pending.is_worse && member.left.is_none() && !pending.consents.contains(id)
            })
            .map(|(id, _)| *id)
            .collect();
        record.terms.set(now, pending.terms);
        for operator in dissenting {
            state.leave_set(set, operator, ended);
            events.push(Event::LeftSet { set, operator, replaced_by: None });
        }
        events.push(Event::TermsStarted { set, terms: pending.digest });
    }
}

fn start_mandates(state: &mut State, events: &mut Vec<Event>) {
    let now = state.epoch;
    for index in 0..state.pools.len() {
        let id = PoolId::at(index);
        if state.pool(id).pending_mandate.is_none() {
            continue;
        }
        let record = state.pool_mut(id);
        if let Some((from, mandate)) = record.pending_mandate.take_if(|(from, _)| *from <= now) {
            record.mandate = mandate;
            record.digest = mandate.digest(record.operator, record.asset, None);
            let (operator, asset, mandate) = (record.operator, record.asset, record.digest);
            events.push(Event::MandateChanged { operator, asset, mandate, from });
        }
    }
}

fn roll_pools(state: &mut State) {
    let now = state.epoch;
    let oldest_open = state.oldest_open(now);
    let parameters = state.parameters.clone();
    for index in 0..state.pools.len() {
        let record = state.pool_mut(PoolId::at(index));
        record.stake.roll(now, oldest_open, |until| {
            until != Epoch::NEVER && until.later(parameters.at(until).unbonding).next() <= now
        });
        record.commission.forget_before(oldest_open);
        record.owned = record.stake.owned_in(now);
    }
}

/// What one pool contributes to one set.
struct Contribution {
    operator: OperatorId,
    pool: PoolId,
    asset: AssetId,
    amount: Amount,
}

/// Freezes the stake tables of the epoch that begins.
fn freeze_tables(state: &mut State) {
    let mut by_set: Vec<Vec<Contribution>> = state.sets.iter().map(|_| Vec::new()).collect();
    for (index, record) in state.pools.iter().enumerate() {
        let pool = PoolId::at(index);
        let (operator, asset) = (record.operator, record.asset);
        for (set, amount) in &record.owned {
            if let Some(contributions) = by_set.get_mut(set.index()) {
                contributions.push(Contribution { operator, pool, asset, amount: *amount });
            }
        }
    }
    for (index, mut contributions) in by_set.into_iter().enumerate() {
        contributions.sort_by_key(|contribution| (contribution.operator, contribution.pool));
        let set = SetId::at(index);
        let Some(record) = state.set(set) else { continue };
        let table = table(state, record, &contributions);
        let now = state.epoch;
        let record = state.set_mut(set);
        record.leaving = Amount::ZERO;
        if record.tables.last().is_none_or(|(_, last)| **last != table) {
            record.tables.push((now, Arc::new(table)));
            state.touched_tables.note(&(set, now));
        }
    }
}

fn table(state: &State, set: &Set, contributions: &[Contribution]) -> Table {
    let terms = set.terms_in(state.epoch).clone();
    let mut table = Table::default();
    if set.is_closed {
        return table;
    }
    for of_operator in contributions.chunk_by(|a, b| a.operator == b.operator) {
        if let Some(row) = row(state, set, &terms, of_operator) {
            table.weight.grow(row.weight);
            table.rows.push(row);
        }
    }
    clip(&mut table, terms.operator_share_max);
    table
}

fn row(state: &State, set: &Set, terms: &Terms, contributions: &[Contribution]) -> Option<Row> {
    let operator = contributions.first()?.operator;
    let member = set.active_member(operator)?;
    if member.is_jailed() {
        return None;
    }
    let mut row = Row { operator, weight: Amount::ZERO, contributions: Default::default() };
    for contribution in contributions {
        let weight = state.weight(terms, contribution.asset, contribution.amount);
        if !weight.is_zero() {
            row.weight.grow(weight);
            row.contributions.push((contribution.pool, weight));
        }
    }
    row.weight = state.capped_weight(operator, row.weight);
    let admission = &terms.admission;
    if row.weight.is_zero() || row.weight < admission.stake_min {
        return None;
    }
    if !admission.self_stake_min.is_zero() || !admission.bond_min.is_zero() {
        // The only walk over positions: the operator's own, where the terms ask for them.
        let (own, bonds) = state.own_weights(operator, set);
        if own < admission.self_stake_min || bonds < admission.bond_min {
            return None;
        }
    }
    Some(row)
}

/// Clips weights so that nobody has more than the largest share of what remains; where there are too few operators for that share
/// nothing is clipped.
fn clip(table: &mut Table, share: Fraction) {
    let rows = u128::try_from(table.rows.len()).unwrap_or(u128::MAX);
    if share == Fraction::ONE || rows.saturating_mul(u128::from(share.steps())) <= u128::from(Fraction::STEPS)
    {
        return;
    }
    let mut heaviest: Vec<Amount> = table.rows.iter().map(|row| row.weight).collect();
    heaviest.sort_unstable_by(|a, b| b.cmp(a));
    let (mut rest, mut clipped, mut most) = (table.weight, Fraction::ZERO, None);
    for weight in heaviest {
        // With the heavier ones clipped to m, m = share x (rest + clipped x m): what may be had of the rest.
        let left = clipped.complement().steps();
        let of_rest = wide::mul_div_down(rest.units(), u128::from(share.steps()), u128::from(left.max(1)));
        if weight.units() <= of_rest {
            most = Some(Amount::new(of_rest));
            break;
        }
        rest.shrink(weight);
        clipped = clipped.plus_up_to_one(share);
    }
    let Some(most) = most else { return };
    table.weight = Amount::ZERO;
    for row in &mut table.rows {
        row.weight = row.weight.min(most);
        table.weight.grow(row.weight);
    }
}

/// Forgets what nobody can ask about any more: everything about captures for which no slash can be executed.
fn forget(state: &mut State) {
    let now = state.epoch;
    let oldest_open = state.oldest_open(now);
    // Rules matter for captures that are open, and for stake that still leaves under them.
    state.parameters.forget_before(oldest_open.earlier(UNBONDING_MAX));
    // The part by correlation, and the mass bound, look back from the oldest capture for which a slash can be executed.
    let reach = state.longest_reach();
    let correlated_from = oldest_open.earlier(reach);
    let mut emptied = Vec::new();
    for index in 0..state.sets.len() {
        let id = SetId::at(index);
        let record = state.sets.get_mut(index).expect("the index is below their number");
        record.terms.forget_before(oldest_open);
        record.profit.forget_before(now);
        while record.tables.get(1).is_some_and(|(from, _)| *from <= correlated_from) {
            let (from, _) = record.tables.remove(0);
            state.touched_tables.note(&(id, from));
        }
        record.punished.retain(|(_, key), _| key.capture() >= correlated_from);
        let counted_from = correlated_from.earlier(reach);
        record.executed.retain(|_, executed| {
            executed.retain(|executed| executed.executed >= counted_from);
            !executed.is_empty()
        });
        record.jailings.retain(|jailing| jailing.epoch >= oldest_open);
        record.members.retain(|operator, member| {
            member.keys.retain(|key| key.to >= oldest_open);
            let is_jailed = member.jailed.is_some_and(|until| until > now);
            let is_kept = is_jailed || member.left.is_none_or(|left| left >= oldest_open);
            if !is_kept {
                emptied.push((id, *operator));
            }
            is_kept
        });
    }
    for (set, operator) in emptied {
        state.operator_mut(operator).sets.remove(&set);
    }
    return_set_deposits(state);
    let is_kept = |request: &crate::state::records::Request| {
        request.state == RequestState::Open
            || state.parameters.at(request.capture).reach() >= now.since(request.capture)
    };
    state.requests.retain(|_, request| is_kept(request));
    let requests = &state.requests;
    state.request_ids.retain(|_, id| requests.contains_key(id));
}

fn return_set_deposits(state: &mut State) {
    let is_over = |record: &Set| record.is_closed && record.members.is_empty() && !record.deposit.is_zero();
    let over: Vec<SetId> = state
        .sets
        .iter()
        .enumerate()
        .filter(|(_, set)| is_over(set))
        .map(|(index, _)| SetId::at(index))
        .collect();
    for set in over {
        let deposit = std::mem::take(&mut state.set_mut(set).deposit);
        let service = state.set(set).map(|record| record.service);
        if let Some(account) =
            service.and_then(|id| state.services.get(id.index())).map(|service| service.account)
        {
            state.return_deposit(account, deposit);
        }
    }
}
