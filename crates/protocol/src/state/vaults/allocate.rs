//! The last phase of a tick: stake is asked back for who waits and for what exceeds its bounds, and what is idle is delegated.

use super::super::State;
use super::address_of;
use super::bands::Policy;
use super::curate::{Holding, Which};
use super::fill::Fill;
use super::nav::Valuation;
use crate::event::{Event, MoveReason};
use crate::ops::delegate::{self, Delegate};
use crate::units::{Amount, Epoch, OperatorId, VaultId};
use crate::vault::portfolio::Limit;
use crate::vault::route::{self, Place};

/// A move of the tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) operator: OperatorId,
    pub(super) amount: Amount,
    pub(super) why: MoveReason,
}

impl State {
    /// The last phase, as many moves as there are steps left, which it takes off; `false` where nothing is left to do.
    pub(crate) fn allocate(
        &mut self,
        id: VaultId,
        left: &mut u32,
        value: &Valuation,
        events: &mut Vec<Event>,
    ) -> bool {
        self.start_policy(id);
        let curation = &self.vault(id).expect("the vault was checked").curation;
        let (policy, is_new) = (curation.policy.clone(), curation.looked < self.epoch);
        let read = |state: &Self| policy.as_ref().and_then(|policy| state.desk_of(id, policy, value.nav));
        let mut desk = read(self);
        if let Some(desk) = desk.as_ref().filter(|_| is_new) {
            self.look_at_terms(id, &desk.holdings);
        }
        while *left > 0 {
            if let (Some(policy), Some(desk)) = (&policy, &mut desk) {
                match self.fill(id, policy, desk, (left, value), events) {
                    Fill::Done => {
                        debug_assert_eq!(self.next_step(id, Some(policy), value), None, "nothing is left");
                        return false;
                    }
                    Fill::Ask if *left > 0 => {}
                    Fill::Ask | Fill::Spent => return true,
                }
            }
            let Some(step) = self.next_step(id, policy.as_ref(), value) else { return false };
            *left = left.saturating_sub(1);
            if !self.carry_out(id, policy.as_ref(), step, events) {
                return false;
            }
            desk = read(self);
        }
        true
    }

    fn carry_out(
        &mut self,
        id: VaultId,
        policy: Option<&Policy>,
        step: Step,
        events: &mut Vec<Event>,
    ) -> bool {
        let Step { operator, amount, why } = step;
        let did = match (why, policy) {
            (MoveReason::Deficit, Some(policy)) => {
                let signed = self.signed_for(id, operator, policy);
                signed.is_some_and(|signed| self.vault_delegate(id, operator, amount, signed, events).is_ok())
            }
            _ => {
                let staying = self.staying_with(id, operator);
                let part = (amount < staying).then_some(amount);
                self.vault_undelegate(id, operator, part, events).is_ok()
            }
        };
        self.remark_vault(id);
        if did {
            events.push(Event::VaultMoved { vault: id, operator, amount, why });
        }
        did
    }

    /// The pool's mandate as it is, and the worst case that the vault bears.
    pub(crate) fn signed_for(
        &self,
        id: VaultId,
        operator: OperatorId,
        policy: &Policy,
    ) -> Option<(crate::units::Digest, crate::units::Fraction)> {
        let pool = self.pool_of(operator, self.vault(id)?.asset)?;
        Some((self.pool(pool).digest, policy.mandate.worst_case))
    }

    fn staying_with(&self, id: VaultId, operator: OperatorId) -> Amount {
        let Some(vault) = self.vault(id) else { return Amount::ZERO };
        let pool = self.pool_of(operator, vault.asset);
        pool.map_or(Amount::ZERO, |pool| self.staying_worth(vault.account, pool))
    }

    /// What is to be done next, in order: who waits, who left the mandate, what exceeds a cap, what exceeds a band, what is idle.
    pub(super) fn next_step(&self, id: VaultId, policy: Option<&Policy>, value: &Valuation) -> Option<Step> {
        let missing = self.missing(id, value);
        let Some(policy) = policy.filter(|_| self.vault(id).is_some_and(|vault| !vault.is_winding_down))
        else {
            let (operator, stake) = self.largest_stake(id).filter(|_| !missing.is_zero())?;
            return Some(Step { operator, amount: missing.min(stake), why: MoveReason::Exits });
        };
        let holdings = self.holdings_of(id, policy);
        if !missing.is_zero() {
            let places = self.places_of(id, policy, &holdings, value.nav);
            let (operator, amount) = route::out_of(&places, missing)?;
            return Some(Step { operator, amount, why: MoveReason::Exits });
        }
        self.leave_mandate(id, policy, &holdings)
            .or_else(|| self.leave_caps(id, policy, &holdings, value))
            .or_else(|| self.leave_bands(id, policy, &holdings, value))
            .or_else(|| self.enter(id, policy, &holdings, value))
    }

    /// From whom everything is asked back: it has retired, or promises more than the vault's mandate allows, at present or as announced.
    fn leave_mandate(&self, id: VaultId, policy: &Policy, holdings: &[Holding]) -> Option<Step> {
        let asset = self.vault(id)?.asset;
        let is_out = |holding: &&Holding| {
            let is_retired = self.operator(holding.operator).is_none_or(|record| record.is_retired);
            is_retired || !self.is_within_mandate(holding.operator, asset, policy)
        };
        let holding = holdings.iter().filter(|holding| !holding.staying.is_zero()).find(is_out)?;
        Some(Step { operator: holding.operator, amount: holding.staying, why: MoveReason::Mandate })
    }

    /// From whom stake is asked back because a cap is exceeded: by drift, by more than the slack; by worse terms or a slash, by anything.
    fn leave_caps(
        &self,
        id: VaultId,
        policy: &Policy,
        holdings: &[Holding],
        value: &Valuation,
    ) -> Option<Step> {
        if policy.caps.bounds_nothing() && policy.services.is_empty() {
            return None;
        }
        let staying = self.portfolio_of(id, policy, holdings, (value.nav, Which::Staying));
        let is_drift = self.vault(id)?.curation.worsened.is_empty();
        let slack = if is_drift { policy.caps.slack.of_down(value.nav) } else { Amount::ZERO };
        let limits = staying.limits(&policy.caps);
        let worst = limits.exceeded().into_iter().filter(|limit| limit.excess() > slack);
        let worst: Limit = worst.max_by_key(Limit::excess)?;
        let mut places = self.places_of(id, policy, holdings, value.nav);
        let needed = |operator: OperatorId| {
            let slot = holdings.iter().position(|holding| holding.operator == operator);
            slot.map_or(Amount::ZERO, |slot| worst.to_leave(slot))
        };
        places.retain(|place| !place.stake.is_zero() && !needed(place.operator).is_zero());
        let (operator, _) = route::out_of(&places, Amount::LIMIT)?;
        let stake = places.iter().find(|place| place.operator == operator)?.stake;
        Some(Step { operator, amount: needed(operator).min(stake), why: MoveReason::Cap })
    }

    fn leave_bands(
        &self,
        id: VaultId,
        policy: &Policy,
        holdings: &[Holding],
        value: &Valuation,
    ) -> Option<Step> {
        let is_beyond = |holding: &Holding| {
            let band = policy.band(holding.operator);
            holding.staying > band.map_or(Amount::ZERO, |band| band.max.of_down(value.nav))
        };
        if !holdings.iter().any(is_beyond) {
            return None;
        }
        let places = self.places_of(id, policy, holdings, value.nav);
        let (operator, amount) = route::beyond(&places)?;
        Some(Step { operator, amount, why: MoveReason::Band })
    }

    /// Where the next of what is idle goes; nowhere while a cap is exceeded.
    fn enter(&self, id: VaultId, policy: &Policy, holdings: &[Holding], value: &Valuation) -> Option<Step> {
        let vault = self.vault(id)?;
        let stake_min = self.asset(vault.asset).map_or(Amount::ZERO, |asset| asset.stake_min);
        let least = policy.move_min.max(stake_min).max(Amount::new(1));
        let free = self.deployable(id, policy, holdings, value);
        if free < least {
            return None;
        }
        // The usual case, and the cheap one: everybody has its target.
        let lacks = |holding: &Holding| {
            let target =
                policy.band(holding.operator).map_or(Amount::ZERO, |band| band.target.of_down(value.nav));
            holding.staying.plus(least).is_some_and(|stake| stake <= target)
        };
        if !holdings.iter().any(lacks) {
            return None;
        }
        let mut places = self.rooms(id, policy, holdings, value, free)?;
        // Each round closes a place that the ledger itself refuses.
        for _ in 0..=places.len() {
            let (operator, amount) = route::into(&places, free, least)?;
            if self.check_entry(id, operator, amount, policy).is_ok() {
                return Some(Step { operator, amount, why: MoveReason::Deficit });
            }
            for place in places.iter_mut().filter(|place| place.operator == operator) {
                place.room = Amount::ZERO;
            }
        }
        None
    }

    /// The places with what may be added to each: up to the targets of services, or where that is nowhere, up to all caps. `None` where a
    /// cap is exceeded already, by whatever happened.
    fn rooms(
        &self,
        id: VaultId,
        policy: &Policy,
        holdings: &[Holding],
        value: &Valuation,
        wanted: Amount,
    ) -> Option<Vec<Place>> {
        let all = self.portfolio_of(id, policy, holdings, (value.nav, Which::All));
        if !all.limits(&policy.caps).exceeded().is_empty() {
            return None;
        }
        let mut added = self.portfolio_of(id, policy, holdings, (value.nav, Which::Added));
        let closed = self.closed_slots(id, policy, &added);
        let mut places = self.places_of(id, policy, holdings, value.nav);
        let caps = added.services.clone();
        let targets = caps.iter().map(|(service, cap)| {
            let band = policy.services.iter().find(|band| band.service == *service);
            (*service, band.map_or(*cap, |band| band.target.min(*cap)))
        });
        for services in [targets.collect(), caps.clone()] {
            added.services = services;
            let limits = added.limits(&policy.caps);
            for (slot, place) in places.iter_mut().enumerate() {
                let is_open = closed.get(slot).is_some_and(Option::is_none);
                place.room = if is_open { limits.room(slot, wanted) } else { Amount::ZERO };
            }
            if places.iter().any(|place| !place.room.is_zero() && place.stake < place.target) {
                break;
            }
        }
        Some(places)
    }

    /// Whether the ledger lets a vault delegate that.
    ///
    /// # Errors
    /// As of any delegation.
    pub(crate) fn check_entry(
        &self,
        id: VaultId,
        operator: OperatorId,
        amount: Amount,
        policy: &Policy,
    ) -> Result<(), delegate::Refused> {
        let asset = self.vault(id).expect("the vault was checked").asset;
        let missing = delegate::Refused::PoolNotFound { operator, asset };
        let (mandate, worst_case) = self.signed_for(id, operator, policy).ok_or(missing)?;
        let delegation = Delegate { operator, asset, amount, validator: None, mandate, worst_case };
        delegation.check(self, address_of(id)).map(drop)
    }

    /// What who waits is worth beyond what is idle and what is on its way back.
    pub(crate) fn missing(&self, id: VaultId, value: &Valuation) -> Amount {
        let vault = self.vault(id).expect("the vault was checked");
        let (high, _) = self.vault_rates(id, value);
        let mut there = vault.buckets.idle;
        let mut staying = Amount::ZERO;
        for (_, position) in self.positions.list(self.accounts.get(vault.account).first_position) {
            let worth =
                self.pool(position.pool).stake.worth(position.principal, position.entered, position.until);
            if position.until == Epoch::NEVER { staying.grow(worth) } else { there.grow(worth) }
        }
        if vault.is_winding_down {
            return staying;
        }
        there.room_below(high.assets_down(vault.queue.waiting)).min(staying)
    }

    /// The operator with which the vault has most that it has not asked back.
    fn largest_stake(&self, id: VaultId) -> Option<(OperatorId, Amount)> {
        let account = self.vault(id)?.account;
        let mut stakes: Vec<(OperatorId, Amount)> = Vec::new();
        for (_, position) in self.positions.list(self.accounts.get(account).first_position) {
            if position.until != Epoch::NEVER {
                continue;
            }
            let pool = self.pool(position.pool);
            let worth = pool.stake.worth(position.principal, position.entered, position.until);
            match stakes.iter_mut().find(|(operator, _)| *operator == pool.operator) {
                Some((_, sum)) => sum.grow(worth),
                None => stakes.push((pool.operator, worth)),
            }
        }
        stakes.into_iter().max_by_key(|(operator, worth)| (*worth, std::cmp::Reverse(*operator)))
    }
}
