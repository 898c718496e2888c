//! What a pool holds, what a set could slash of it, and what is left of a unit of its stake.

use super::stake::{FACTOR, keep, slice as slice_of};
use super::{Explained, Figure, units_of};
use crate::entries::Key;
use crate::pool::slices::Slice;
use crate::pool::{Cohort, PARTS};
use crate::query::sets::decimal;
use crate::state::State;
use crate::state::records::PoolRecord;
use crate::units::{Amount, Epoch, Fraction, PoolId, SetId};
use crate::view;

pub(super) fn of(state: &State, figure: &Figure) -> Option<Explained> {
    let found = |pool: PoolId| state.pools.get(pool.index());
    let now = state.epoch;
    match *figure {
        Figure::PoolHeld { pool } => Some(held(pool, found(pool)?)),
        Figure::PoolJoining { pool } => Some(joining(pool, found(pool)?, now)),
        Figure::PoolBonded { pool } => {
            found(pool)?;
            let value = view::pool_of(state, pool).bonded;
            let is_bonded = |cohort: &Cohort| cohort.is_bonded_in(now) && cohort.until == Epoch::NEVER;
            Some(worth_where("pool_bonded", value, state, pool, is_bonded))
        }
        Figure::PoolLeaving { pool } => {
            found(pool)?;
            let value = view::pool_of(state, pool).leaving;
            Some(worth_where("pool_leaving", value, state, pool, |cohort| cohort.until != Epoch::NEVER))
        }
        Figure::PoolBond { pool } => {
            let bond = found(pool)?.stake.bond();
            Some(bonds("pool_bond", bond.total(), found(pool)?, pool, |_, _| true))
        }
        Figure::LiableBond { pool } => {
            let bond = found(pool)?.stake.bond().liable(now);
            let is_liable = |from, until| from <= now && now <= until;
            Some(bonds("liable_bond", bond, found(pool)?, pool, is_liable))
        }
        Figure::PoolWorstCase { pool } => worst_case(state, pool),
        Figure::PoolParts { pool, set } => {
            let stake = &found(pool)?.stake;
            let is_owned = |slice: &Slice| slice.is_owned_by(set, now);
            Some(parts("pool_parts", stake.parts_in(set, now), pool, stake.slices(), is_owned))
        }
        Figure::PoolOrdered { pool, set } => {
            let stake = &found(pool)?.stake;
            let is_owned =
                |slice: &Slice| slice.owners.iter().any(|owner| owner.set == set && owner.is_open());
            Some(parts("pool_ordered", stake.parts_of(set), pool, stake.slices(), is_owned))
        }
        Figure::Slashable { pool, set } => {
            let value = found(pool)?.stake.slashable(set, now);
            let inputs = backing(state, pool, set, now);
            let unit = units_of(found(pool)?.asset);
            Some(Explained::computed("slashable", value, &unit, "floor(sum(backing) / 2^120)", inputs))
        }
        Figure::HistoryWorth { pool, history } => {
            history_of("history_worth", pool, found(pool)?, history, |_| true)
        }
        Figure::HistoryOwned { pool, history, set, epoch } => {
            let is_owned = |slice: &Slice| slice.is_owned_by(set, epoch);
            history_of("history_owned", pool, found(pool)?, history, is_owned)
        }
        _ => None,
    }
}

fn held(id: PoolId, record: &PoolRecord) -> Explained {
    let unit = units_of(record.asset);
    let (held, free) = (record.stake.held(), record.stake.free());
    let inputs = vec![
        Explained::stored("live", free.room_below(held), &unit, Key::Pool(id)),
        Explained::stored("free", free, &unit, Key::Pool(id)),
    ];
    Explained::computed("pool_held", held, &unit, "live + free", inputs)
}

fn joining(id: PoolId, record: &PoolRecord, now: Epoch) -> Explained {
    let unit = units_of(record.asset);
    let joining = record.stake.cohorts().filter(|cohort| cohort.from > now);
    let leaf = |cohort: &Cohort| Explained::stored("principal", cohort.principal, &unit, Key::Pool(id));
    let inputs = joining.map(leaf).collect();
    Explained::computed("pool_joining", record.stake.joining(now), &unit, "sum(principal)", inputs)
}

/// The number of a history of slashes, as questions name it.
pub(super) fn number(track: usize) -> u32 {
    u32::try_from(track).unwrap_or(u32::MAX)
}

/// What some of a pool's stake is worth together, by what entered and leaves together.
fn worth_where(
    name: &str,
    value: Amount,
    state: &State,
    id: PoolId,
    is_chosen: impl Fn(&Cohort) -> bool,
) -> Explained {
    let record = state.pool(id);
    let unit = units_of(record.asset);
    let mut inputs = Vec::new();
    for cohort in record.stake.all_cohorts().filter(|cohort| is_chosen(cohort)) {
        let (principal, factor) = (cohort.principal, record.stake.factor_of(cohort));
        let by = Figure::HistoryWorth { pool: id, history: number(cohort.track) };
        inputs.push(product("cohort", principal, &unit, id, Explained::said("worth", factor, FACTOR, &by)));
    }
    Explained::computed(name, value, &unit, "floor(sum(cohort) / 2^120)", inputs)
}

/// Principal times what a unit of it is or has.
fn product(name: &str, principal: Amount, unit: &str, id: PoolId, of_unit: Explained) -> Explained {
    let factor: u128 = of_unit.value.parse().unwrap_or(0);
    let value = crate::wide::product(principal.units(), factor);
    let formula = format!("principal * {}", of_unit.name);
    let own = vec![Explained::stored("principal", principal, unit, Key::Pool(id)), of_unit];
    Explained::computed(name, value, "2^-120", &formula, own)
}

/// What a set owned in an epoch of the stake that was bonded then, by what entered and leaves together.
pub(super) fn backing(state: &State, id: PoolId, set: SetId, epoch: Epoch) -> Vec<Explained> {
    let record = state.pool(id);
    let unit = units_of(record.asset);
    let bonded = record.stake.cohorts().filter(|cohort| cohort.is_bonded_in(epoch));
    let show = |cohort: &Cohort| {
        let owned =
            record.stake.left_on_track(cohort.track).filter(|(slice, _)| slice.is_owned_by(set, epoch));
        let owned = owned
            .fold(0_u128, |sum, (slice, left)| sum.saturating_add(left.saturating_mul(slice.size.into())));
        let by = Figure::HistoryOwned { pool: id, history: number(cohort.track), set, epoch };
        product("backing", cohort.principal, &unit, id, Explained::said("owned", owned, FACTOR, &by))
    };
    bonded.map(show).collect()
}

fn bonds(
    name: &str,
    value: Amount,
    record: &PoolRecord,
    id: PoolId,
    is_chosen: impl Fn(Epoch, Epoch) -> bool,
) -> Explained {
    let unit = units_of(record.asset);
    let chosen = record.stake.bond().entries().iter().filter(|entry| is_chosen(entry.from, entry.until));
    let inputs = chosen.map(|entry| Explained::stored("bond", entry.amount, &unit, Key::Pool(id))).collect();
    Explained::computed(name, value, &unit, "sum(bond)", inputs)
}

fn parts(
    name: &str,
    value: u16,
    id: PoolId,
    slices: &[Slice],
    is_owned: impl Fn(&Slice) -> bool,
) -> Explained {
    let owned = slices.iter().filter(|slice| is_owned(slice));
    let leaf = |slice: &Slice| Explained::stored("parts", slice.size, "parts of 256", Key::Pool(id));
    Explained::computed(name, value, "parts of 256", "sum(parts)", owned.map(leaf).collect())
}

/// None of a history that is not there.
fn history_of(
    name: &str,
    id: PoolId,
    record: &PoolRecord,
    history: u32,
    is_chosen: impl Fn(&Slice) -> bool,
) -> Option<Explained> {
    let track = usize::try_from(history).ok().filter(|track| *track < record.stake.track_count())?;
    let (mut value, mut inputs) = (0_u128, Vec::new());
    for (slice, left) in record.stake.left_on_track(track).filter(|(slice, _)| is_chosen(slice)) {
        value = value.saturating_add(left.saturating_mul(u128::from(slice.size)));
        inputs.push(slice_of(Key::Pool(id), slice, left));
    }
    Some(Explained::computed(name, value, FACTOR, "sum(slice)", inputs))
}

fn worst_case(state: &State, pool: PoolId) -> Option<Explained> {
    let record = state.pools.get(pool.index())?;
    let next = state.epoch.next();
    let mut inputs = Vec::new();
    for slice in record.stake.slices() {
        let caps = slice.owners.iter().filter(|owner| owner.to >= next).map(|owner| {
            let cap = state.set(owner.set).map_or(Fraction::ZERO, |set| set.window_cap(state.epoch));
            (owner.set, cap)
        });
        let mut own = vec![Explained::stored("parts", slice.size, "parts of 256", Key::Pool(pool))];
        let mut left = Fraction::ONE;
        for (set, cap) in caps {
            left = left.times_down(cap.complement());
            own.push(keep(set, cap));
        }
        let steps = u128::from(left.steps()).saturating_mul(u128::from(slice.size));
        let value = decimal(steps);
        inputs.push(Explained::computed("slice", value, "parts of 256", "parts * product18(keep)", own));
    }
    let formula = format!("1 - floor18(sum(slice) / {PARTS})");
    let value = state.worst_case(pool);
    Some(Explained::computed("pool_worst_case", value, "fraction", &formula, inputs))
}
