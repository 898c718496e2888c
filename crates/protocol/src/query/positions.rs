//! Entries of stake, one by one: what an account has in a pool with one liability.

use std::collections::BTreeMap;

use super::{TokenAmount, add_token, ever};
use crate::state::State;
use crate::state::positions::Position;
use crate::state::records::{FollowUp, PoolRecord};
use crate::units::{AccountId, Address, Amount, AssetId, Epoch, OperatorId, PoolId, ValidatorId};
use crate::wide::PerUnit;

answer! {
    /// Where an entry of stake is in its life.
    #[derive(Copy)]
    pub enum PositionState {
        /// Counts from the next epoch on; may be taken back until then.
        Joining,
        /// Earns, weighs and is liable.
        Bonded,
        /// Asked back: earns nothing, and is liable for the epochs in which it was bonded.
        Unbonding,
        /// Nothing can slash it any more; it waits to be fetched.
        Free,
    }
}

answer! {
    /// An entry of stake.
    pub struct PositionView {
        /// Its number. The numbers of entries that are gone are used again.
        pub position: u32,
        /// With which operator.
        pub operator: OperatorId,
        /// In which pool.
        pub pool: PoolId,
        /// Of which asset.
        pub asset: AssetId,
        /// The validator whose balance it is, of native stake.
        pub validator: Option<ValidatorId>,
        /// Where it is in its life.
        pub state: PositionState,
        /// Base units as they were delegated.
        pub principal: Amount,
        /// What they are worth: figure `position_worth`.
        pub worth: Amount,
        /// First epoch in which it is, or was, bonded.
        pub bonded_from: Epoch,
        /// Last epoch in which it is bonded; none while nobody has asked it back.
        pub bonded_through: Option<Epoch>,
        /// The epoch at whose start it is free; none while nobody has asked it back.
        pub free_at: Option<Epoch>,
        /// What happens when it is free; none while nobody has asked it back.
        pub follow_up: Option<FollowUp>,
        /// Rewards that it has earned and that are not settled, by token: figure `unsettled`.
        pub unsettled: Vec<TokenAmount>,
    }
}

/// The entries of an account in the order of its list: that in which a claim settles them.
pub(super) fn entries(state: &State, account: AccountId) -> Vec<(u32, Position)> {
    let first = state.accounts.get(account).first_position;
    state.positions.list(first).map(|(id, position)| (id, *position)).collect()
}

/// Where an entry stands in answers: by operator, asset and number.
pub(super) type Place = (OperatorId, AssetId, u32);

pub(super) fn place_of(state: &State, (id, position): &(u32, Position)) -> Place {
    let record = state.pool(position.pool);
    (record.operator, record.asset, *id)
}

/// When it entered, when it leaves, and when it was settled, in a pool: entries that agree in that have earned the same a unit.
type Past = (PoolId, Epoch, Epoch, Epoch);

/// What a unit of stake has earned and not settled, looked up once for all entries that entered, leave and were settled together.
#[derive(Default)]
pub(crate) struct Earned(BTreeMap<Past, Vec<(usize, PerUnit)>>);

impl Earned {
    /// What an entry has earned, by reserve of its pool: rounded down, and not yet cut to what is left of the reserve.
    pub(crate) fn by(&mut self, state: &State, position: &Position) -> impl Iterator<Item = (usize, Amount)> {
        let Position { principal, entered, until, settled, pool, .. } = *position;
        let look_up = || state.pool(pool).stake.all_earned_between(entered, until, settled);
        let units = self.0.entry((pool, entered, until, settled)).or_insert_with(look_up);
        let amount = move |unit: PerUnit| Amount::new(unit.times_down(principal.units()));
        units.iter().map(move |(reserve, unit)| (*reserve, amount(*unit)))
    }
}

/// What every entry of a list has earned and not settled, when they are settled one after the other.
pub(super) fn unsettled(state: &State, entries: &[(u32, Position)]) -> Vec<Vec<TokenAmount>> {
    let mut earned = Earned::default();
    let mut left: BTreeMap<(PoolId, usize), Amount> = BTreeMap::new();
    let mut all = Vec::with_capacity(entries.len());
    for (_, position) in entries {
        let reserves = state.pool(position.pool).stake.reserves();
        let mut own = Vec::new();
        for (reserve, due) in earned.by(state, position) {
            let Some(held) = reserves.get(reserve) else { continue };
            let rest = left.entry((position.pool, reserve)).or_insert(held.amount);
            let due = due.min(*rest);
            rest.shrink(due);
            add_token(&mut own, held.token, due);
        }
        all.push(own);
    }
    all
}

/// What an entry is worth.
pub(super) fn worth(record: &PoolRecord, position: &Position) -> Amount {
    record.stake.worth(position.principal, position.entered, position.until)
}

pub(super) fn state_of(state: &State, position: &Position) -> PositionState {
    if position.until != Epoch::NEVER {
        if state.is_free(position.until) { PositionState::Free } else { PositionState::Unbonding }
    } else if position.entered > state.epoch {
        PositionState::Joining
    } else {
        PositionState::Bonded
    }
}

fn show(state: &State, id: u32, position: &Position, unsettled: Vec<TokenAmount>) -> PositionView {
    let record = state.pool(position.pool);
    let is_leaving = position.until != Epoch::NEVER;
    let follow_up = || state.follow_ups.get(&id).cloned().unwrap_or(FollowUp::Free);
    PositionView {
        position: id,
        operator: record.operator,
        pool: position.pool,
        asset: record.asset,
        validator: position.validator(),
        state: state_of(state, position),
        principal: position.principal,
        worth: worth(record, position),
        bonded_from: position.entered,
        bonded_through: ever(position.until),
        free_at: ever(state.free_at(position.until)),
        follow_up: is_leaving.then(follow_up),
        unsettled,
    }
}

/// Every entry of stake of an account, by operator, asset, and when it entered and leaves. Empty for an account that nobody knows.
pub fn positions(state: &State, account: Address) -> Vec<PositionView> {
    state.accounts.find(account).map_or_else(Vec::new, |id| positions_of(state, id))
}

pub(super) fn positions_of(state: &State, account: AccountId) -> Vec<PositionView> {
    let entries = entries(state, account);
    let unsettled = unsettled(state, &entries);
    let mut views: Vec<PositionView> = entries
        .iter()
        .zip(unsettled)
        .map(|((id, position), unsettled)| show(state, *id, position, unsettled))
        .collect();
    views.sort_by_key(|view| {
        let until = view.bonded_through.unwrap_or(Epoch::NEVER);
        (view.operator, view.asset, view.bonded_from, until, view.position)
    });
    views
}
