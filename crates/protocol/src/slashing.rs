//! The one way in which stake is slashed, whoever asked for it.
//!
//! A slash names a set, an operator, a capture epoch and a fraction. It scales what is left of the slices that the set owned in the
//! capture epoch, of the stake that was bonded then, and of nothing else. The bond pays first; what a window cap cuts is not taken.

pub(crate) mod accused;

use std::collections::BTreeSet;

use crate::event::{Event, Loss, PoolReceipt};
use crate::macros::refusals;
use crate::pool::Keep;
use crate::state::State;
use crate::state::records::{Executed, Held, OffenceKey, PoolLoss, Set, Slash, Victim};
use crate::terms::{Beneficiary, Terms};
use crate::units::{Amount, AssetId, Digest, Epoch, Fraction, OperatorId, PoolId, SetId, SlashId};
use crate::wide;

refusals! {
    /// Why a slash is refused whose reason is accepted.
    {
        AlreadyPunished { fraction: Fraction, asked: Fraction } => "the offence was punished with {fraction} already, and {asked} is not graver",
        CapReached { cap: Fraction } => "slashes within the window have reached the cap {cap}; nothing more may be taken",
    }
}

/// What is to be slashed, and why.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) set: SetId,
    pub(crate) operator: OperatorId,
    pub(crate) capture: Epoch,
    pub(crate) fraction: Fraction,
    pub(crate) offence: OffenceKey,
    pub(crate) reason: String,
    pub(crate) evidence: Option<Digest>,
    pub(crate) victims: Vec<Victim>,
}

/// What may be taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Of what is left.
    pub(crate) fraction: Fraction,
    /// Of what there was before the offence's first report: what the window caps count.
    pub(crate) counted: Fraction,
}

/// What may be taken for an order: the difference to what the offence has cost already, cut to what the window caps leave.
pub(crate) fn plan(state: &State, order: &Order) -> Result<Plan, Refused> {
    let Some(record) = state.set(order.set) else {
        return Ok(Plan { fraction: Fraction::ZERO, counted: Fraction::ZERO });
    };
    let prior = record.punished.get(&(order.operator, order.offence)).copied().unwrap_or_default();
    if order.fraction <= prior.asked {
        return Err(Refused::AlreadyPunished { fraction: prior.asked, asked: order.fraction });
    }
    let cap = record.terms_in(order.capture).window_cap;
    let reach = state.parameters.at(order.capture).reach().max(1);
    let own = record.executed.get(&order.operator).map_or(&[][..], Vec::as_slice);
    let room = cap.above(heaviest_window(own, |executed| executed.executed, state.epoch, reach));
    let room = room.min(cap.above(heaviest_window(own, |executed| executed.capture, order.capture, reach)));
    let counted = order.fraction.above(prior.asked).min(room);
    if counted.is_zero() {
        return Err(Refused::CapReached { cap });
    }
    // After f, g takes (g - f) / (1 - f) of what is left; where a cap has cut f, 1 less what was really taken is left.
    let part = Amount::new(u128::from(counted.steps()));
    let fraction = Fraction::ratio_down(part, Amount::new(u128::from(prior.counted.complement().steps())));
    Ok(Plan { fraction, counted })
}

/// The largest sum of counted fractions over any window of `reach` epochs that contains `epoch`.
fn heaviest_window(
    own: &[Executed],
    when: impl Fn(&Executed) -> Epoch,
    epoch: Epoch,
    reach: u32,
) -> Fraction {
    let mut heaviest = Fraction::ZERO;
    // A window that starts with one of the slashes, or with the epoch itself, is as heavy as any.
    let earliest = epoch.next().earlier(reach);
    let starts: BTreeSet<Epoch> = own.iter().map(&when).chain([epoch]).collect();
    for start in starts.range(earliest..=epoch) {
        let last = start.later(reach).previous();
        let within = own.iter().filter(|executed| *start <= when(executed) && when(executed) <= last);
        let sum = within.fold(Fraction::ZERO, |sum, executed| sum.plus_up_to_one(executed.fraction));
        heaviest = heaviest.max(sum);
    }
    heaviest
}

impl Set {
    /// Counts an executed slash for the window caps.
    fn count_executed(&mut self, operator: OperatorId, new: Executed) {
        let executed = self.executed.entry(operator).or_default();
        let is_same = |other: &&mut Executed| {
            (other.executed, other.capture, other.is_subjective)
                == (new.executed, new.capture, new.is_subjective)
        };
        match executed.iter_mut().find(is_same) {
            Some(other) => {
                other.fraction = other.fraction.plus_up_to_one(new.fraction);
                other.count = other.count.saturating_add(1);
            }
            None => executed.push(new),
        }
    }
}

/// Takes what the plan says and sends it where the set's destinations say. Cannot fail.
pub(crate) fn carry_out(state: &mut State, order: &Order, plan: &Plan, events: &mut Vec<Event>) -> SlashId {
    let Order { set, operator, capture, .. } = *order;
    let pools: Vec<(AssetId, PoolId)> =
        state.operator(operator).map(|record| record.pools.to_vec()).unwrap_or_default();
    let id = SlashId::new(state.slash_count);
    state.slash_count = state.slash_count.saturating_add(1);
    let terms = state.set(set).map(|record| record.terms_in(capture).clone());
    let mut held = Vec::new();
    let mut receipts = Vec::new();
    for (asset, pool) in pools {
        if state.pool(pool).stake.parts_in(set, capture) == 0 {
            continue;
        }
        let loss = slash_pool(state, pool, set, capture, plan.fraction);
        if let Some(terms) = &terms {
            send(state, terms, asset, &loss, &mut held);
        }
        let remains = state.pool(pool).stake.slashable(set, capture);
        receipts.push(receipt(asset, &loss, remains));
    }
    let now = state.epoch;
    let is_subjective = matches!(order.offence, OffenceKey::Reason { .. });
    let record = state.set_mut(set);
    let punished = record.punished.entry((operator, order.offence)).or_default();
    punished.asked = order.fraction.max(punished.asked);
    punished.counted = punished.counted.plus_up_to_one(plan.counted);
    record.count_executed(
        operator,
        Executed { executed: now, capture, is_subjective, fraction: plan.counted, count: 1 },
    );
    if !held.is_empty() {
        let slash = Slash { capture, victims: order.victims.clone(), held };
        state.slashes.insert(id, slash);
    }
    events.push(Event::Slashed {
        slash: id,
        set,
        operator,
        capture,
        asked: order.fraction,
        taken: plan.fraction,
        reason: order.reason.clone(),
        evidence: order.evidence,
        pools: receipts,
        released_from: state.last_execution(capture).next(),
    });
    id
}

fn slash_pool(state: &mut State, pool: PoolId, set: SetId, capture: Epoch, fraction: Fraction) -> PoolLoss {
    let stake = &mut state.pool_mut(pool).stake;
    let owed = stake.assess(set, capture, fraction);
    let bond = stake.bond().liable(capture).min(owed);
    let keep = if bond.is_zero() {
        Keep::all_but(fraction)
    } else {
        Keep::all_but_share(fraction, bond.room_below(owed), owed)
    };
    stake.bond_mut().pay(capture, bond);
    let (taken, hits) = stake.slash(set, capture, keep, bond.room_below(owed));
    PoolLoss { pool, bond, stake: taken, hits }
}

/// Divides what was taken of an asset: burnt at once, or held for a beneficiary. Shares round down; the rest is burnt.
fn send(state: &mut State, terms: &Terms, asset: AssetId, loss: &PoolLoss, held: &mut Vec<Held>) {
    if state.is_native(asset) {
        // It stays in its validators, which alone can burn it; the sets that accept native stake burn.
        state.pool_mut(loss.pool).slashed.grow(loss.stake);
        return;
    }
    let mut rest = loss.stake;
    rest.grow(loss.bond);
    let all = rest;
    for destination in &terms.destinations {
        let to = match destination.to {
            Beneficiary::Burn => continue,
            Beneficiary::Redistribute(address) => Some(address),
            Beneficiary::Compensate => None,
        };
        let amount = destination.share.of_down(all);
        rest.shrink(amount);
        if !amount.is_zero() {
            held.push(Held { asset, amount, to });
        }
    }
    state.asset_mut(asset).burnt.grow(rest);
}

fn receipt(asset: AssetId, loss: &PoolLoss, remains: Amount) -> PoolReceipt {
    let of_one = |factor: u128| {
        let steps = wide::mul_shift_down(factor, u128::from(Fraction::STEPS), crate::pool::FACTOR_BITS);
        u64::try_from(steps).ok().and_then(Fraction::from_steps).unwrap_or(Fraction::ONE)
    };
    let losses = loss.hits.iter().map(|hit| Loss {
        bonded_from: hit.from,
        bonded_upto: hit.upto,
        bonded_through: (hit.until != Epoch::NEVER).then_some(hit.until),
        principal: hit.principal,
        worth_before: of_one(hit.before),
        worth_after: of_one(hit.after),
    });
    PoolReceipt { asset, stake: loss.stake, bond: loss.bond, remains, losses: losses.collect() }
}
