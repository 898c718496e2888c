//! What stake has earned, and what an account can claim.

use std::collections::BTreeMap;

use super::super::positions::{entries, unsettled as all_unsettled};
use super::{Entry, Explained, Figure, units_of};
use crate::entries::Key;
use crate::state::State;
use crate::state::positions::Position;
use crate::units::{Address, Amount, AssetId, Fraction, OperatorId, PoolId};

pub(super) fn of(state: &State, figure: &Figure) -> Option<Explained> {
    match *figure {
        Figure::Unsettled { account, position, token } => {
            unsettled(state, &Entry::find(state, account, position)?, token)
        }
        Figure::UnsettledTotal { account, token } => unsettled_total(state, account, token),
        Figure::Claimable { account, token } => claimable(state, account, token),
        Figure::Keeps { operator } => keeps(state, operator),
        _ => None,
    }
}

fn unsettled(state: &State, entry: &Entry, token: AssetId) -> Option<Explained> {
    let all = entries(state, entry.owner);
    let due = all_unsettled(state, &all);
    let mut before = Amount::ZERO;
    for ((id, position), due) in all.iter().zip(&due) {
        let own = due.iter().find(|due| due.token == token).map_or(Amount::ZERO, |due| due.amount);
        if *id == entry.id {
            return of_entry(state, entry, token, before, own);
        }
        if position.pool == entry.position.pool {
            before.grow(own);
        }
    }
    None
}

fn of_entry(
    state: &State,
    entry: &Entry,
    token: AssetId,
    before: Amount,
    value: Amount,
) -> Option<Explained> {
    let Position { principal, entered, until, settled, pool, .. } = entry.position;
    let record = state.pool(pool);
    let at = Key::Pool(pool);
    let reserve = record.stake.reserves().iter().position(|reserve| reserve.token == token)?;
    let held = record.stake.reserves().get(reserve)?.amount;
    let (whole, part) = record.stake.earned_between(reserve, entered, until, settled).places();
    let unit = units_of(token);
    let inputs = vec![
        Explained::stored("principal", principal, &units_of(record.asset), entry.key()),
        Explained::stored("whole", whole, &format!("{unit} a unit of principal"), at),
        Explained::stored("part", part, "2^-128 of the same", at),
        Explained::stored("reserve", held, &unit, at),
        Explained::stored("earlier", before, &unit, at),
    ];
    let formula = "min(floor(principal * (whole + part / 2^128)), reserve - earlier)";
    Some(Explained::computed("unsettled", value, &unit, formula, inputs).under("unsettled"))
}

/// What every entry of an account has earned of a token and not settled.
fn of_entries(state: &State, account: Address, token: AssetId) -> Option<(Amount, Vec<Explained>)> {
    let owner = state.accounts.find(account)?;
    state.asset(token)?;
    let (mut total, mut inputs) = (Amount::ZERO, Vec::new());
    let all = entries(state, owner);
    // What earlier entries of a pool get of its reserve.
    let mut before: BTreeMap<PoolId, Amount> = BTreeMap::new();
    for ((id, position), due) in all.iter().zip(all_unsettled(state, &all)) {
        let Some(due) = due.iter().find(|due| due.token == token) else { continue };
        let entry = Entry { id: *id, account, owner, position: *position };
        let earlier = before.entry(position.pool).or_insert(Amount::ZERO);
        inputs.push(of_entry(state, &entry, token, *earlier, due.amount)?);
        earlier.grow(due.amount);
        total.grow(due.amount);
    }
    Some((total, inputs))
}

fn unsettled_total(state: &State, account: Address, token: AssetId) -> Option<Explained> {
    let (total, inputs) = of_entries(state, account, token)?;
    Some(Explained::computed("unsettled_total", total, &units_of(token), "sum(unsettled)", inputs))
}

fn claimable(state: &State, account: Address, token: AssetId) -> Option<Explained> {
    let unit = units_of(token);
    let settled = state.accounts.get(state.accounts.find(account)?).claimable(token);
    let (mut total, unsettled) = of_entries(state, account, token)?;
    total.grow(settled);
    let mut inputs = vec![Explained::stored("settled", settled, &unit, Key::Account(account))];
    inputs.extend(unsettled);
    Some(Explained::computed("claimable", total, &unit, "settled + sum(unsettled)", inputs))
}

fn keeps(state: &State, operator: OperatorId) -> Option<Explained> {
    let split = &state.operator(operator)?.split;
    let share = |share: &Fraction| Explained::stored("share", share, "fraction", Key::Operator(operator));
    let inputs = split.iter().map(|(_, own)| share(own)).collect();
    let value = split.iter().fold(Fraction::ONE, |kept, (_, share)| kept.above(*share));
    Some(Explained::computed("keeps", value, "fraction", "max(0, 1 - sum(share))", inputs))
}
