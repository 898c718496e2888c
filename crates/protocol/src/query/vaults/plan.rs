//! What the ledger's own allocator would move in a vault: a plan that its curator may hand in, or change first.
//!
//! The tick delegates what is idle and asks back what exceeds a bound; it leaves stake alone that is inside its band. A plan goes on from there: what
//! is above a target is asked back for those that lack most, as far as the epoch's turnover allows. It is computed on copies, with the same
//! functions, and tried as the operation that it is.

use super::curation::{PlaceView, curation};
use crate::event::{Event, MoveReason};
use crate::ops::allocate_vault::{AllocateVault, Move, Way};
use crate::state::State;
use crate::state::vaults::curate::Which;
use crate::state::vaults::records::Phase;
use crate::units::{Address, Amount, AssetId, Epoch, OperatorId, VaultId};
use crate::vault::route;

/// Times the steps of an operation that the tick is run on the copy, at most.
const TICKS: u32 = 8;

answer! {
    /// What the allocator would move.
    pub struct VaultPlan {
        /// The vault.
        pub vault: VaultId,
        /// Its asset.
        pub asset: AssetId,
        /// Who may hand in a plan.
        pub curator: Address,
        /// As of which epoch.
        pub epoch: Epoch,
        /// Whether the tick of this epoch is done; a plan is refused before.
        pub is_ticked: bool,
        /// What the rest of the tick does by itself, whoever advances it.
        pub by_tick: Vec<TickMove>,
        /// The plan: what `allocate_vault` takes.
        pub moves: Vec<Move>,
        /// What each operator has before and after, with its band.
        pub places: Vec<PlannedPlace>,
        /// What of idle assets may still be delegated once all of it is done.
        pub left_idle: Amount,
        /// What a plan may ask back in this epoch, before this one.
        pub turnover_left: Amount,
        /// Why the ledger would refuse the plan as things are; none where it would not, or there is nothing to move.
        pub refused: Option<String>,
    }
}

answer! {
    /// A move of the tick.
    #[derive(Copy)]
    pub struct TickMove {
        /// The operator.
        pub operator: OperatorId,
        /// Whether stake goes there or is asked back.
        pub way: Way,
        /// How much.
        pub amount: Amount,
        /// Why.
        pub why: MoveReason,
    }
}

answer! {
    /// An operator before and after a plan.
    pub struct PlannedPlace {
        /// The operator.
        pub operator: OperatorId,
        /// Stake that was not asked back, once the tick is done.
        pub before: Amount,
        /// The same after the plan.
        pub after: Amount,
        /// Lower end of its band.
        pub min: Amount,
        /// Target.
        pub target: Amount,
        /// Upper end.
        pub max: Amount,
        /// Why nothing may be added to it.
        pub closed: Option<String>,
    }
}

/// What the allocator would move in a vault; `None` where there is no such vault. Without bands, and while a vault winds down, nothing.
/// Costs as a few ticks of the vault.
pub fn plan(state: &State, id: VaultId) -> Option<VaultPlan> {
    let vault = state.vault(id)?;
    let mut trial = state.clone();
    let by_tick = finish_tick(&mut trial, id);
    let is_free = trial.is_ticked(id) && !vault.is_winding_down;
    let before = curation(&trial, id)?;
    let mut moves = Vec::new();
    if is_free && before.policy.is_some() {
        moves = entries(&mut trial, id);
        moves.extend(leaves(&trial, id, &moves));
        moves.sort_by_key(|part| (part.way == Way::Delegate, part.operator));
    }
    let refused = (!moves.is_empty()).then(|| try_out(state, id, &moves)).flatten();
    let show = |place: &PlaceView| {
        let part = moves.iter().find(|part| part.operator == place.operator);
        let mut after = place.stake;
        match part {
            Some(part) if part.way == Way::Delegate => after.grow(part.amount),
            Some(part) => after = part.amount.room_below(after),
            None => {}
        }
        let PlaceView { operator, stake, min, target, max, .. } = *place;
        PlannedPlace { operator, before: stake, after, min, target, max, closed: place.closed.clone() }
    };
    Some(VaultPlan {
        vault: id,
        asset: vault.asset,
        curator: vault.terms.curator,
        epoch: state.epoch,
        is_ticked: state.is_ticked(id),
        by_tick,
        places: before.places.iter().map(show).collect(),
        left_idle: curation(&trial, id).map_or(Amount::ZERO, |after| after.deployable),
        turnover_left: before.turnover_left,
        moves,
        refused,
    })
}

/// The rest of the tick, and what it moves.
fn finish_tick(trial: &mut State, id: VaultId) -> Vec<TickMove> {
    let mut events = Vec::new();
    for _ in 0..TICKS {
        if trial.is_ticked(id) {
            break;
        }
        trial.advance_vault(id, u32::from(trial.genesis.vaults.steps_per_operation), &mut events);
    }
    moved(&events)
}

fn moved(events: &[Event]) -> Vec<TickMove> {
    let show = |event: &Event| match event {
        Event::VaultMoved { operator, amount, why, .. } => {
            let way = if *why == MoveReason::Deficit { Way::Delegate } else { Way::AskBack };
            Some(TickMove { operator: *operator, way, amount: *amount, why: *why })
        }
        _ => None,
    };
    events.iter().filter_map(show).collect()
}

/// What became idle since the tick is delegated as a tick would, on the copy.
fn entries(trial: &mut State, id: VaultId) -> Vec<Move> {
    let steps = u32::from(trial.genesis.vaults.steps_per_operation);
    let mut events = Vec::new();
    let mut after = trial.clone();
    after.vault_mut(id).tick.phase = Phase::Allocate;
    after.advance_vault(id, steps, &mut events);
    let mut moves: Vec<Move> = Vec::new();
    for step in moved(&events) {
        // What is asked back by itself is the next tick's; a plan that delegates meanwhile would be refused.
        if step.way == Way::AskBack {
            return Vec::new();
        }
        match moves.iter_mut().find(|part| part.operator == step.operator) {
            Some(part) => part.amount.grow(step.amount),
            None => moves.push(Move { operator: step.operator, way: step.way, amount: step.amount }),
        }
    }
    *trial = after;
    moves
}

/// What is above its target is asked back for those that lack something and may be given it, from the largest surplus down.
fn leaves(trial: &State, id: VaultId, entries: &[Move]) -> Vec<Move> {
    let (Some(vault), Some(value)) = (trial.vault(id), trial.value_vault(id)) else { return Vec::new() };
    let Some(policy) = vault.curation.policy.clone() else { return Vec::new() };
    let holdings = trial.holdings_of(id, &policy);
    let all = trial.portfolio_of(id, &policy, &holdings, (value.nav, Which::All));
    if !all.limits(&policy.caps).exceeded().is_empty() {
        return Vec::new();
    }
    let portfolio = trial.portfolio_of(id, &policy, &holdings, (value.nav, Which::Added));
    let closed = trial.closed_slots(id, &policy, &portfolio);
    let limits = portfolio.limits(&policy.caps);
    let mut places = trial.places_of(id, &policy, &holdings, value.nav);
    let mut lacking = Amount::ZERO;
    for (slot, place) in places.iter().enumerate() {
        if closed.get(slot).is_some_and(Option::is_none) {
            let lack = place.stake.room_below(place.target);
            lacking.grow(lack.min(limits.room(slot, lack)));
        }
    }
    // What is idle already, and what is on its way back beyond what who waits is owed, comes first.
    let staying = Amount::total(holdings.iter().map(|holding| holding.staying)).unwrap_or(value.staked);
    let mut coming = staying.room_below(value.staked);
    coming.grow(trial.deployable(id, &policy, &holdings, &value));
    let (high, _) = trial.vault_rates(id, &value);
    let owed = vault.buckets.idle.room_below(high.assets_up(vault.queue.waiting));
    let spare = owed.room_below(coming);
    let turnover = vault.curation.turnover_left(trial.epoch, value.nav);
    let mut left = spare.room_below(lacking).min(turnover);
    let least = policy.move_min.max(Amount::new(1));
    places.retain(|place| entries.iter().all(|part| part.operator != place.operator));
    let mut moves: Vec<Move> = Vec::new();
    while left >= least && places.iter().any(|place| place.stake > place.target) {
        let Some((operator, amount)) = route::out_of(&places, left) else { break };
        let Some(place) = places.iter_mut().find(|place| place.operator == operator) else { break };
        place.stake = amount.room_below(place.stake);
        left = amount.room_below(left);
        match moves.iter_mut().find(|part| part.operator == operator) {
            Some(part) => part.amount.grow(amount),
            None => moves.push(Move { operator, way: Way::AskBack, amount }),
        }
    }
    moves.retain(|part| {
        part.amount >= least && trial.check_vault_leave(id, part.operator, Some(part.amount)).is_ok()
    });
    moves
}

/// Why the ledger would refuse the plan of the curator now.
fn try_out(state: &State, id: VaultId, moves: &[Move]) -> Option<String> {
    let curator = state.vault(id)?.terms.curator;
    let operation = AllocateVault { vault: id, moves: moves.to_vec() };
    operation.apply(&mut state.clone(), curator, &mut Vec::new()).err().map(|why| why.to_string())
}
