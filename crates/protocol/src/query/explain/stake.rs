//! What an entry of stake is worth, what can be lost of it, and when it is free.

use super::super::liability::{Liability, SliceAtWorst, lost_of};
use super::{Entry, Explained, units_of};
use crate::entries::Key;
use crate::pool::PARTS;
use crate::state::State;
use crate::units::{Epoch, Fraction, PoolId, SetId};

const LEFT: &str = "2^-112";
const FACTOR: &str = "2^-120";

fn principal(state: &State, entry: &Entry) -> Explained {
    let unit = units_of(state.pool(entry.position.pool).asset);
    Explained::stored("principal", entry.position.principal, &unit, entry.key())
}

pub(super) fn worth(state: &State, entry: &Entry) -> Explained {
    let position = &entry.position;
    let record = state.pool(position.pool);
    let at = Key::Pool(position.pool);
    let mut inputs = vec![principal(state, entry)];
    for (slice, left) in record.stake.left_of_slices(position.entered, position.until) {
        let value = left.saturating_mul(u128::from(slice.size));
        let own = vec![
            Explained::stored("parts", slice.size, "parts of 256", at),
            Explained::stored("left", left, LEFT, at),
        ];
        inputs.push(Explained::computed("slice", value, FACTOR, "parts * left", own));
    }
    let value = super::super::positions::worth(record, position);
    let formula = "floor(principal * sum(slice) / 2^120)";
    Explained::computed("worth", value, &units_of(record.asset), formula, inputs).titled("position_worth")
}

fn as_worth(state: &State, entry: &Entry) -> Explained {
    Explained { name: "worth".to_owned(), ..worth(state, entry) }
}

fn window_cap(set: SetId, cap: Fraction) -> Explained {
    Explained::stored("window_cap", cap, "fraction", Key::Set(set))
}

/// What a set leaves of a slice at worst.
fn keep(set: SetId, cap: Fraction) -> Explained {
    let own = vec![window_cap(set, cap)];
    Explained::computed("keep", cap.complement(), "fraction", "1 - window_cap", own)
}

/// What a slice loses, where the rest is kept.
fn lost(at: Key, parts: u16, left: u128, kept: Explained, value: Fraction) -> Explained {
    let inputs = vec![
        Explained::stored("parts", parts, "parts of 256", at),
        Explained::stored("left", left, LEFT, at),
        kept,
    ];
    let formula = "parts * (left - ceil(left * kept))";
    Explained::computed("slice", lost_of(parts, left, value), FACTOR, formula, inputs)
}

pub(super) fn worst_case(state: &State, entry: &Entry) -> Explained {
    let liability = Liability::of(state, &entry.position);
    let at = Key::Pool(entry.position.pool);
    let mut inputs = vec![principal(state, entry), as_worth(state, entry)];
    for SliceAtWorst { parts, left, caps, kept } in liability.at_worst() {
        let keeps = caps.iter().map(|(set, cap)| keep(*set, *cap)).collect();
        let node = Explained::computed("kept", kept, "fraction", "product18(keep)", keeps);
        inputs.push(lost(at, parts, left, node, kept));
    }
    let unit = units_of(liability.record.asset);
    let amount = liability.loss(liability.lost_at_worst()).amount;
    Explained::computed("", amount, &unit, AT_WORST, inputs).titled("position_worst_case")
}

const AT_WORST: &str = "min(worth, ceil(principal * sum(slice) / 2^120))";

pub(super) fn set_exposure(state: &State, entry: &Entry, set: SetId) -> Option<Explained> {
    let liability = Liability::of(state, &entry.position);
    let threat = liability.threats().into_iter().find(|threat| threat.set == set)?;
    let at = Key::Pool(entry.position.pool);
    let mut inputs = vec![principal(state, entry), as_worth(state, entry)];
    for SliceAtWorst { parts, left, caps, .. } in liability.at_worst() {
        if !caps.iter().any(|(owner, _)| *owner == set) {
            continue;
        }
        let cap = threat.cap;
        let own = vec![window_cap(set, cap)];
        let node = Explained::computed("kept", cap.complement(), "fraction", "1 - window_cap", own);
        inputs.push(lost(at, parts, left, node, cap.complement()));
    }
    let amount = liability.loss(threat.lost).amount;
    let unit = units_of(liability.record.asset);
    Some(Explained::computed("", amount, &unit, AT_WORST, inputs).titled("set_exposure"))
}

pub(super) fn free_at(state: &State, entry: &Entry) -> Explained {
    let until = entry.position.until;
    let through = if until == Epoch::NEVER { state.epoch } else { until };
    let at = if until == Epoch::NEVER { Key::Network } else { entry.key() };
    let inputs = vec![
        Explained::stored("bonded_through", through, "epoch", at),
        Explained::stored("unbonding", state.parameters.at(through).unbonding, "epochs", Key::Network),
    ];
    let formula = "bonded_through + unbonding + 1";
    Explained::computed("", state.free_at(through), "epoch", formula, inputs).titled("free_at")
}

pub(super) fn pool_worst_case(state: &State, pool: PoolId) -> Option<Explained> {
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
        let value = super::super::sets::decimal(steps);
        inputs.push(Explained::computed("slice", value, "parts of 256", "parts * product18(keep)", own));
    }
    let formula = format!("1 - floor18(sum(slice) / {PARTS})");
    let value = state.worst_case(pool);
    Some(Explained::computed("", value, "fraction", &formula, inputs).titled("pool_worst_case"))
}
