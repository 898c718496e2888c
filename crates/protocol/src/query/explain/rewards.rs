//! What an entry of stake has earned, and what an account can claim.

use std::collections::BTreeMap;

use super::super::positions::{entries, unsettled as all_unsettled};
use super::{Entry, Explained, units_of};
use crate::entries::Key;
use crate::state::State;
use crate::state::positions::Position;
use crate::units::{AccountId, Address, Amount, AssetId, PoolId};

pub(super) fn unsettled(state: &State, entry: &Entry, token: AssetId) -> Option<Explained> {
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
    Some(Explained::computed("", value, &unit, formula, inputs).titled("unsettled"))
}

pub(super) fn claimable(
    state: &State,
    account: Address,
    owner: AccountId,
    token: AssetId,
) -> Option<Explained> {
    let unit = units_of(token);
    let settled = state.accounts.get(owner).claimable(token);
    let mut total = settled;
    let mut inputs = vec![Explained::stored("settled", settled, &unit, Key::Account(account))];
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
    let is_known = state.asset(token).is_some();
    let formula = "settled + sum(unsettled)";
    is_known.then(|| Explained::computed("", total, &unit, formula, inputs).titled("claimable"))
}
