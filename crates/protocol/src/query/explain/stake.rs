//! What an entry of stake is worth, what can be lost of it, and what an account has in a pool.

use super::super::liability::{Liability, SliceAtWorst, lost_of};
use super::super::positions::{PositionState, entries, state_of, worth as worth_of};
use super::{Entry, Explained, Figure, units_of};
use crate::entries::Key;
use crate::pool::slices::Slice;
use crate::state::State;
use crate::state::positions::Position;
use crate::units::{Address, Amount, AssetId, Epoch, Fraction, PoolId, SetId};

pub(super) const LEFT: &str = "2^-112";
pub(super) const FACTOR: &str = "2^-120";

pub(super) fn of(state: &State, figure: &Figure) -> Option<Explained> {
    let find = |account, position| Entry::find(state, account, position);
    let staying = |position: &Position| position.until == Epoch::NEVER;
    match *figure {
        Figure::PositionWorth { account, position } => Some(worth(state, &find(account, position)?)),
        Figure::PositionWorstCase { account, position } => Some(worst_case(state, &find(account, position)?)),
        Figure::CouldLose { account, position } => Some(could_lose(state, &find(account, position)?)),
        Figure::SetExposure { account, position, set } => set_exposure(state, &find(account, position)?, set),
        Figure::AnnouncedExposure { account, position, set } => {
            announced_exposure(state, &find(account, position)?, set)
        }
        Figure::StakeJoining { account, pool } => {
            let is_joining = |position: &Position| state_of(state, position) == PositionState::Joining;
            in_pool(state, "stake_joining", account, pool, is_joining)
        }
        Figure::StakeBonded { account, pool } => {
            let is_bonded = |position: &Position| staying(position) && position.entered <= state.epoch;
            in_pool(state, "stake_bonded", account, pool, is_bonded)
        }
        Figure::StakeUnbonding { account, pool, epoch } => {
            in_pool(state, "stake_unbonding", account, pool, |position| {
                !staying(position) && position.until == epoch
            })
        }
        Figure::StakeClaimable { account, pool, token } => claimable(state, account, pool, token),
        _ => None,
    }
}

pub(super) fn principal(state: &State, entry: &Entry) -> Explained {
    let unit = units_of(state.pool(entry.position.pool).asset);
    Explained::stored("principal", entry.position.principal, &unit, entry.key())
}

/// Parts and what is left of them: what a unit has of a slice.
pub(super) fn slice(at: Key, slice: &Slice, left: u128) -> Explained {
    let value = left.saturating_mul(u128::from(slice.size));
    let own = vec![
        Explained::stored("parts", slice.size, "parts of 256", at),
        Explained::stored("left", left, LEFT, at),
    ];
    Explained::computed("slice", value, FACTOR, "parts * left", own)
}

pub(super) fn worth(state: &State, entry: &Entry) -> Explained {
    let position = &entry.position;
    let record = state.pool(position.pool);
    let at = Key::Pool(position.pool);
    let mut inputs = vec![principal(state, entry)];
    let slices = record.stake.left_of_slices(position.entered, position.until);
    inputs.extend(slices.map(|(own, left)| slice(at, own, left)));
    let value = worth_of(record, position);
    let formula = "floor(principal * sum(slice) / 2^120)";
    Explained::computed("position_worth", value, &units_of(record.asset), formula, inputs)
}

fn window_cap(set: SetId, cap: Fraction) -> Explained {
    Explained::stored("window_cap", cap, "fraction", Key::Set(set))
}

/// What a set leaves of a slice at worst.
pub(super) fn keep(set: SetId, cap: Fraction) -> Explained {
    let own = vec![window_cap(set, cap)];
    Explained::computed("keep", cap.complement(), "fraction", "1 - window_cap", own)
}

/// What a slice loses, where the rest is kept.
pub(super) fn lost(at: Key, parts: u16, left: u128, kept: Explained, value: Fraction) -> Explained {
    let inputs = vec![
        Explained::stored("parts", parts, "parts of 256", at),
        Explained::stored("left", left, LEFT, at),
        kept,
    ];
    let formula = "parts * (left - ceil(left * kept))";
    Explained::computed("slice", lost_of(parts, left, value), FACTOR, formula, inputs)
}

pub(super) const AT_WORST: &str = "min(worth, ceil(principal * sum(slice) / 2^120))";

/// What an entry is of which something is lost.
pub(super) fn whole(state: &State, entry: &Entry) -> Vec<Explained> {
    vec![principal(state, entry), worth(state, entry).under("worth")]
}

fn at_worst(name: &str, state: &State, entry: &Entry, liability: &Liability<'_>) -> Explained {
    let at = Key::Pool(entry.position.pool);
    let mut inputs = whole(state, entry);
    for SliceAtWorst { parts, left, caps, kept } in liability.at_worst() {
        let keeps = caps.iter().map(|(set, cap)| keep(*set, *cap)).collect();
        let node = Explained::computed("kept", kept, "fraction", "product18(keep)", keeps);
        inputs.push(lost(at, parts, left, node, kept));
    }
    let unit = units_of(liability.record.asset);
    let amount = liability.loss(liability.lost_at_worst()).amount;
    Explained::computed(name, amount, &unit, AT_WORST, inputs)
}

pub(super) fn worst_case(state: &State, entry: &Entry) -> Explained {
    at_worst("position_worst_case", state, entry, &Liability::of(state, &entry.position))
}

pub(super) fn could_lose(state: &State, entry: &Entry) -> Explained {
    let until = entry.position.until.min(state.epoch);
    at_worst("could_lose", state, entry, &Liability::leaving(state, &entry.position, until))
}

pub(super) fn set_exposure(state: &State, entry: &Entry, set: SetId) -> Option<Explained> {
    let liability = Liability::of(state, &entry.position);
    let threat = liability.threats().into_iter().find(|threat| threat.set == set)?;
    Some(capped("set_exposure", state, entry, &liability, (set, threat.cap, threat.lost)))
}

pub(super) fn announced_exposure(state: &State, entry: &Entry, set: SetId) -> Option<Explained> {
    let liability = Liability::of(state, &entry.position);
    let threat = liability.threats().into_iter().find(|threat| threat.set == set)?;
    let pending = state.set(set)?.pending.as_ref().filter(|pending| pending.from <= threat.last)?;
    let cap = pending.terms.window_cap;
    Some(capped("announced_exposure", state, entry, &liability, (set, cap, threat.lost_announced)))
}

fn capped(
    name: &str,
    state: &State,
    entry: &Entry,
    liability: &Liability<'_>,
    (set, cap, of_unit): (SetId, Fraction, u128),
) -> Explained {
    let at = Key::Pool(entry.position.pool);
    let mut inputs = whole(state, entry);
    for SliceAtWorst { parts, left, caps, .. } in liability.at_worst() {
        if !caps.iter().any(|(owner, _)| *owner == set) {
            continue;
        }
        let own = vec![window_cap(set, cap)];
        let node = Explained::computed("kept", cap.complement(), "fraction", "1 - window_cap", own);
        inputs.push(lost(at, parts, left, node, cap.complement()));
    }
    let unit = units_of(liability.record.asset);
    Explained::computed(name, liability.loss(of_unit).amount, &unit, AT_WORST, inputs)
}

/// The entries of an account in a pool.
fn those_in(state: &State, account: Address, pool: PoolId) -> Option<Vec<Entry>> {
    let owner = state.accounts.find(account)?;
    state.pools.get(pool.index())?;
    let own = entries(state, owner).into_iter().filter(|(_, position)| position.pool == pool);
    Some(own.map(|(id, position)| Entry { id, account, owner, position }).collect())
}

/// What some of an account's stake in a pool is worth; none where it has no such stake.
fn in_pool(
    state: &State,
    name: &str,
    account: Address,
    pool: PoolId,
    is_chosen: impl Fn(&Position) -> bool,
) -> Option<Explained> {
    let record = state.pools.get(pool.index())?;
    let unit = units_of(record.asset);
    let (mut total, mut inputs) = (Amount::ZERO, Vec::new());
    for entry in those_in(state, account, pool)?.iter().filter(|entry| is_chosen(&entry.position)) {
        let value = worth_of(record, &entry.position);
        total.grow(value);
        inputs.push(Explained::said(
            "worth",
            value,
            &unit,
            &Figure::PositionWorth { account, position: entry.id },
        ));
    }
    Some(Explained::computed(name, total, &unit, "sum(worth)", inputs))
}

fn claimable(state: &State, account: Address, pool: PoolId, token: AssetId) -> Option<Explained> {
    let stake = &state.pools.get(pool.index())?.stake;
    let reserve = stake.reserves().iter().position(|reserve| reserve.token == token)?;
    let held = stake.reserves().get(reserve)?.amount;
    let unit = units_of(token);
    let (mut total, mut inputs) = (Amount::ZERO, Vec::new());
    for entry in those_in(state, account, pool)? {
        let Position { principal: own, entered, until, settled, .. } = entry.position;
        let earned = stake.earned_between(reserve, entered, until, settled);
        let value = Amount::new(earned.times_down(own.units())).min(held);
        total.grow(value);
        let (whole, part) = earned.places();
        let parts = vec![
            principal(state, &entry),
            Explained::stored("whole", whole, &format!("{unit} a unit of principal"), Key::Pool(pool)),
            Explained::stored("part", part, "2^-128 of the same", Key::Pool(pool)),
            Explained::stored("reserve", held, &unit, Key::Pool(pool)),
        ];
        let formula = "min(floor(principal * (whole + part / 2^128)), reserve)";
        inputs.push(Explained::computed("earned", value, &unit, formula, parts));
    }
    Some(Explained::computed("stake_claimable", total, &unit, "sum(earned)", inputs))
}
