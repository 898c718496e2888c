//! A vault's stake as its caps and bands see it, and what may be added where.

use sha2::{Digest as _, Sha256};

use super::super::State;
use super::bands::Policy;
use super::nav::Valuation;
use crate::certificate;
use crate::state::positions::Position;
use crate::state::records::PoolRecord;
use crate::units::{AccountId, Amount, Epoch, Fraction, OperatorId, PoolId, ServiceId, SetId, VaultId};
use crate::vault::caps::{VaultCaps, multiple, ramped};
use crate::vault::portfolio::{Cell, Portfolio, Slot};
use crate::vault::route::Place;

/// The stake of a vault with one operator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holding {
    pub(crate) operator: OperatorId,
    pub(crate) pool: PoolId,
    /// Worth of what it has not asked back, and of that with what is on its way and can be slashed.
    pub(crate) staying: Amount,
    pub(crate) all: Amount,
    /// The same of the principal.
    principal_staying: Amount,
    pub(super) principal: Amount,
}

impl Holding {
    /// Nothing with an operator.
    pub(super) fn of(operator: OperatorId, pool: PoolId) -> Self {
        let [staying, all, principal_staying, principal] = [Amount::ZERO; 4];
        Self { operator, pool, staying, all, principal_staying, principal }
    }

    /// An entry more.
    pub(super) fn add(&mut self, worth: Amount, principal: Amount, is_staying: bool) {
        self.all.grow(worth);
        self.principal.grow(principal);
        if is_staying {
            self.staying.grow(worth);
            self.principal_staying.grow(principal);
        }
    }
}

/// Which stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// What has not been asked back.
    Staying,
    /// What can be slashed.
    All,
    /// The same as additions see it: what is new has only its ramp, and each operator its band and its bond.
    Added,
}

/// For how long something has been so: for ever, where it was there before the vault began.
fn age(now: Epoch, since: Epoch) -> u32 {
    if since == Epoch::ZERO { u32::MAX } else { now.since(since) }
}

impl State {
    /// By operator: those of the bands first, then those that the vault has stake with beside.
    pub(crate) fn holdings_of(&self, id: VaultId, policy: &Policy) -> Vec<Holding> {
        let Some(vault) = self.vault(id) else { return Vec::new() };
        let of_band = |operator| Some(Holding::of(operator, self.pool_of(operator, vault.asset)?));
        let mut holdings: Vec<Holding> =
            policy.bands.iter().filter_map(|band| of_band(band.operator)).collect();
        for (_, position) in self.positions.list(self.accounts.get(vault.account).first_position) {
            let record = self.pool(position.pool);
            if record.asset != vault.asset || self.is_free(position.until) {
                continue;
            }
            let place = holdings.iter().position(|holding| holding.operator == record.operator);
            let place = place.unwrap_or_else(|| {
                holdings.push(Holding::of(record.operator, position.pool));
                holdings.len().saturating_sub(1)
            });
            let worth = record.stake.worth(position.principal, position.entered, position.until);
            let Some(holding) = holdings.get_mut(place) else { continue };
            holding.add(worth, position.principal, position.until == Epoch::NEVER);
        }
        holdings
    }

    /// All of it with what can slash it, under a policy.
    pub(crate) fn portfolio_of(
        &self,
        id: VaultId,
        policy: &Policy,
        holdings: &[Holding],
        (nav, which): (Amount, Which),
    ) -> Portfolio {
        let slots = holdings.iter().map(|holding| {
            let (stake, principal, most) = match which {
                Which::Staying => (holding.staying, holding.principal_staying, None),
                Which::All => (holding.all, holding.principal, None),
                Which::Added => (holding.all, holding.principal, self.most_with(id, policy, holding, nav)),
            };
            let groups = self.operator(holding.operator).map(|record| record.groups.labels());
            let groups = groups.into_iter().flatten().map(|(dimension, label)| (dimension, label.clone()));
            Slot {
                operator: holding.operator,
                owner: policy.band(holding.operator).and_then(|band| band.owner),
                groups: groups.collect(),
                stake,
                principal,
                cells: self.cells_of(holding.pool),
                most,
            }
        });
        let slots: Vec<Slot> = slots.collect();
        let mut services: Vec<ServiceId> =
            slots.iter().flat_map(|slot| &slot.cells).map(|cell| cell.service).collect();
        services.sort_unstable();
        services.dedup();
        let services =
            services.into_iter().map(|service| (service, self.service_cap(id, policy, service, which)));
        Portfolio { nav, services: services.collect(), slots }
    }

    /// What each set that can still slash stake of a pool may take of it, announced terms and allocations included.
    pub(crate) fn cells_of(&self, pool: PoolId) -> Vec<Cell> {
        let now = self.epoch;
        let mut cells: Vec<Cell> = Vec::new();
        for slice in self.pool(pool).stake.slices() {
            for (place, owner) in slice.owners.iter().enumerate() {
                let is_twice = slice.owners.iter().take(place).any(|other| other.set == owner.set);
                if owner.free_at <= now || is_twice {
                    continue;
                }
                if let Some(cell) = cells.iter_mut().find(|cell| cell.set == owner.set) {
                    cell.parts = cell.parts.saturating_add(slice.size);
                    continue;
                }
                let Some(set) = self.set(owner.set) else { continue };
                cells.push(Cell {
                    set: owner.set,
                    service: set.service,
                    slasher: set.terms_in(now).slasher,
                    parts: slice.size,
                    fraction: set.window_cap(now),
                });
            }
        }
        cells
    }

    /// The sets of [`State::cells_of`], some more than once.
    pub(super) fn open_owners(&self, pool: PoolId) -> impl Iterator<Item = SetId> {
        let now = self.epoch;
        let owners = self.pool(pool).stake.slices().iter().flat_map(|slice| &slice.owners);
        owners.filter(move |owner| owner.free_at > now).map(|owner| owner.set)
    }

    /// The most that may be with an operator by its band, its ramp and its bond.
    pub(super) fn most_with(
        &self,
        id: VaultId,
        policy: &Policy,
        holding: &Holding,
        nav: Amount,
    ) -> Option<Amount> {
        let curation = &self.vault(id)?.curation;
        let (since, struck) = curation.since(holding.operator);
        let max = policy.band(holding.operator).map_or(Fraction::ZERO, |band| band.max);
        let (age, since_struck) = (age(self.epoch, since), age(self.epoch, struck));
        let cap = ramped(max.min(policy.caps.operator), age, policy.caps.ramp);
        let mut most = cap.of_down(nav);
        if policy.caps.bond_multiples != [0, 0] {
            let k = multiple(policy.caps.bond_multiples, age.min(since_struck), policy.caps.ramp);
            let PoolRecord { stake, .. } = self.pool(holding.pool);
            let bonded = stake.bond().standing().units().saturating_mul(u128::from(k));
            // The bond stands for all of the pool: what others have there is not there for the vault.
            let others = holding.all.room_below(stake.held());
            most = most.min(others.room_below(Amount::new(bonded)));
        }
        Some(most)
    }

    /// The share cap of a service: its band, and when something is to be added, its ramp.
    fn service_cap(&self, id: VaultId, policy: &Policy, service: ServiceId, which: Which) -> Fraction {
        let band = policy.services.iter().find(|band| band.service == service);
        let cap = band.map_or(policy.caps.service, |band| band.max.min(policy.caps.service));
        if which != Which::Added {
            return cap;
        }
        ramped(cap, self.age_of_service(id, service), policy.caps.ramp)
    }

    /// For how many epochs a service has been able to slash something of a vault.
    pub(super) fn age_of_service(&self, id: VaultId, service: ServiceId) -> u32 {
        let known = self.vault(id).and_then(|vault| {
            vault.curation.services.iter().find(|(known, _)| *known == service).map(|(_, since)| *since)
        });
        known.map_or(0, |since| age(self.epoch, since))
    }

    /// Notes what is new since the vault last looked: services, worse terms, slashes.
    pub(crate) fn look_at_terms(&mut self, id: VaultId, holdings: &[Holding]) {
        let now = self.epoch;
        let Some(vault) = self.vault(id) else { return };
        let looked = vault.curation.looked;
        let is_empty = self.supply_of(id).is_zero();
        let sets = self.sets_with(holdings);
        let mut services: Vec<ServiceId> = Vec::new();
        let mut worsened = Vec::new();
        for id in &sets {
            let Some(set) = self.set(*id) else { continue };
            if !services.contains(&set.service) {
                services.push(set.service);
            }
            let announced = set.pending.as_ref().is_some_and(|pending| pending.is_worse);
            let mut changes = set.terms.iter().zip(set.terms.iter().skip(1));
            let is_worse = changes.any(|((_, old), (from, new))| from > looked && old.is_worsened_by(new));
            if announced || is_worse {
                worsened.push(*id);
            }
        }
        let struck = |holding: &Holding| Some((holding.operator, self.last_struck(holding.operator)?));
        let struck: Vec<(OperatorId, Epoch)> = holdings.iter().filter_map(struck).collect();
        let curation = &mut self.vault_mut(id).curation;
        curation.looked = now;
        let since = if is_empty { Epoch::ZERO } else { now };
        // What can't slash anything of the vault any more is forgotten, and new when it comes again.
        curation.services.retain(|(known, _)| services.contains(known));
        curation.worsened.retain(|known| sets.contains(known));
        for service in services {
            if !curation.services.iter().any(|(known, _)| *known == service) {
                curation.services.push((service, since));
            }
        }
        for set in worsened {
            if !curation.worsened.contains(&set) {
                curation.worsened.push(set);
            }
        }
        for (operator, epoch) in struck {
            for known in curation.operators.iter_mut().filter(|(id, _, _)| *id == operator) {
                known.2 = known.2.max(epoch);
            }
        }
    }

    /// The sets that can slash something of holdings, each once, in the order of appearance.
    pub(super) fn sets_with(&self, holdings: &[Holding]) -> Vec<SetId> {
        let mut sets = Vec::new();
        let mut is_seen = vec![false; self.sets.len()];
        for set in holdings.iter().flat_map(|holding| self.open_owners(holding.pool)) {
            match is_seen.get_mut(set.index()) {
                Some(seen) if !*seen => {
                    *seen = true;
                    sets.push(set);
                }
                _ => {}
            }
        }
        sets
    }

    /// When an operator was slashed last, as long as window caps remember.
    fn last_struck(&self, operator: OperatorId) -> Option<Epoch> {
        let sets = &self.operator(operator)?.sets;
        let executed = sets.iter().filter_map(|set| self.set(*set)?.executed.get(&operator));
        executed.flatten().map(|slash| slash.executed).max()
    }

    /// Whether something happened to an operator because of which nothing is added to it and to those that share something with it.
    pub(super) fn is_struck(&self, operator: OperatorId, freeze: u32) -> bool {
        let recent = |epoch: Epoch| self.epoch < epoch.later(freeze);
        freeze > 0
            && (self.open_requests_against(operator).next().is_some()
                || self.last_struck(operator).is_some_and(recent))
    }

    /// For each slot, why nothing may be added to it whatever its caps; `None` where something may.
    pub(crate) fn closed_slots(
        &self,
        id: VaultId,
        policy: &Policy,
        portfolio: &Portfolio,
    ) -> Vec<Option<&'static str>> {
        let freeze = policy.caps.freeze;
        let struck: Vec<&Slot> =
            portfolio.slots.iter().filter(|slot| self.is_struck(slot.operator, freeze)).collect();
        let worsened = self.vault(id).map(|vault| vault.curation.worsened.clone()).unwrap_or_default();
        let why = |slot: &Slot| {
            let asset = self.vault(id)?.asset;
            let shares = |other: &&&Slot| {
                let is_owner = other.owner.is_some() && other.owner == slot.owner;
                let is_group = slot.groups.iter().any(|group| other.groups.contains(group));
                other.operator == slot.operator || is_owner || is_group
            };
            if policy.band(slot.operator).is_none_or(|band| band.max.is_zero()) {
                return Some("it has no band");
            }
            if self.operator(slot.operator).is_none_or(|record| record.is_retired) {
                return Some("it has retired");
            }
            if struck.iter().find(shares).is_some() {
                return Some("it, or one that shares something with it, was slashed or is to be");
            }
            let is_announced = |cell: &Cell| {
                let pending = self.set(cell.set).and_then(|set| set.pending.as_ref());
                pending.is_some_and(|pending| pending.is_worse)
            };
            if slot.cells.iter().any(|cell| worsened.contains(&cell.set) || is_announced(cell)) {
                return Some("the terms of a set that can slash it have become worse");
            }
            if !self.is_within_mandate(slot.operator, asset, policy) {
                return Some("its mandate goes beyond the vault's");
            }
            let is_weak = |cell: &Cell| self.is_worth_attacking(cell.set, &policy.caps);
            slot.cells.iter().any(is_weak).then_some("a set that can slash it is worth attacking")
        };
        portfolio.slots.iter().map(why).collect()
    }

    /// Whether what a pool promises, and what is announced, lies within the vault's mandate.
    pub(crate) fn is_within_mandate(
        &self,
        operator: OperatorId,
        asset: crate::units::AssetId,
        policy: &Policy,
    ) -> bool {
        self.pool_of(operator, asset).is_some_and(|pool| self.is_pool_within_mandate(pool, policy))
    }

    /// The same of a pool.
    pub(super) fn is_pool_within_mandate(&self, pool: PoolId, policy: &Policy) -> bool {
        let record = self.pool(pool);
        let announced = record.pending_mandate.as_ref().map(|(_, mandate)| mandate);
        policy.mandate.covers(&record.mandate)
            && announced.is_none_or(|mandate| policy.mandate.covers(mandate))
    }

    /// Whether an attack on a set costs too little beside what it brings.
    pub(super) fn is_worth_attacking(&self, set: SetId, caps: &VaultCaps) -> bool {
        let Some(set) = self.set(set) else { return false };
        let profit = set.highest_profit(self.epoch);
        set.under_since.is_some()
            || (!profit.is_zero()
                && certificate::secured(self, set) < certificate::needed(profit, caps.gamma))
    }

    /// What a unit earns an epoch in the vault's own asset, by what it may lose: in `10^-18` of both.
    pub(super) fn merit(&self, holding: &Holding) -> u128 {
        let now = self.epoch;
        let record = self.pool(holding.pool);
        let mut pay = Amount::ZERO;
        for set in record.stake.open_sets() {
            let Some(set) = self.set(set) else { continue };
            if set.streams.is_empty() {
                continue;
            }
            let Some(table) = set.table_of(now).filter(|table| !table.weight.is_zero()) else { continue };
            let row = table.row(record.operator);
            let own = row.and_then(|row| row.contributions.iter().find(|(pool, _)| *pool == holding.pool));
            let Some((_, weight)) = own else { continue };
            for stream in set.streams.iter().filter_map(|id| self.streams.get(id)) {
                if stream.token == record.asset && stream.to >= now {
                    let part = stream.per_epoch.portion_down((*weight).min(table.weight), table.weight);
                    pay = pay.plus(part).unwrap_or(pay);
                }
            }
        }
        let pay = record.commission.at(now).complement().of_down(pay);
        let bonded = record.stake.worth_in(now);
        let per_unit = Fraction::ratio_down(pay, bonded);
        let per_unit = if bonded.is_zero() { Fraction::ZERO } else { per_unit };
        let risk = self.worst_case(holding.pool).max(Fraction::STEP);
        let (pay, risk) = (u128::from(per_unit.steps()), u128::from(risk.steps()));
        crate::wide::checked_mul_div_down(pay, u128::from(Fraction::STEPS), risk).unwrap_or(u128::MAX)
    }

    /// The places of a vault, nothing of them open yet.
    pub(crate) fn places_of(
        &self,
        id: VaultId,
        policy: &Policy,
        holdings: &[Holding],
        nav: Amount,
    ) -> Vec<Place> {
        let staying = self.portfolio_of(id, policy, holdings, (nav, Which::Staying));
        let low = |place: usize| self.low_by_services(policy, &staying, place);
        let of = |(place, holding): (usize, &Holding)| {
            let band = policy.band(holding.operator);
            let part =
                |share: fn(&super::bands::Band) -> Fraction| band.map_or(Fraction::ZERO, share).of_down(nav);
            Place {
                operator: holding.operator,
                stake: holding.staying,
                min: part(|band| band.min).max(low(place)).min(holding.staying.max(part(|band| band.min))),
                target: part(|band| band.target),
                max: part(|band| band.max),
                room: Amount::ZERO,
                merit: self.merit(holding),
                lot: self.lot(id, holding.operator),
            }
        };
        holdings.iter().enumerate().map(of).collect()
    }

    /// How much has to stay in a place so that no service falls below the lower end of its band.
    fn low_by_services(&self, policy: &Policy, staying: &Portfolio, place: usize) -> Amount {
        let Some(slot) = staying.slots.get(place) else { return Amount::ZERO };
        let mut may_leave = slot.stake;
        for band in policy.services.iter().filter(|band| !band.min.is_zero()) {
            let least = band.min.of_down(staying.nav);
            if let Some(slack) = staying.slack_above(band.service, place, least) {
                may_leave = may_leave.min(slack);
            }
        }
        may_leave.room_below(slot.stake)
    }

    /// Decides between places that are alike; nobody can choose it.
    pub(super) fn lot(&self, id: VaultId, operator: OperatorId) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.genesis.ledger.0);
        for number in [id.number(), self.epoch.number(), operator.number()] {
            hash.update(number.to_be_bytes());
        }
        let digest: [u8; 32] = hash.finalize().into();
        digest.first_chunk::<8>().copied().map_or(0, u64::from_be_bytes)
    }

    /// In how many epochs how much comes back to an account.
    pub(super) fn returning_to(&self, account: AccountId) -> Vec<(u32, Amount)> {
        let listed = self.positions.list(self.accounts.get(account).first_position);
        let leaving = listed.filter(|(_, position)| position.until != Epoch::NEVER);
        let of = |(_, position): (u32, &Position)| {
            let stake = &self.pool(position.pool).stake;
            let worth = stake.worth(position.principal, position.entered, position.until);
            (self.free_at(position.until).since(self.epoch), worth)
        };
        leaving.map(of).collect()
    }

    /// How much of what is idle may be delegated: what the ladder, the watermark and who waits leave of it.
    pub(crate) fn deployable(
        &self,
        id: VaultId,
        policy: &Policy,
        holdings: &[Holding],
        value: &Valuation,
    ) -> Amount {
        let Some(vault) = self.vault(id) else { return Amount::ZERO };
        let now = self.epoch;
        let (high, _) = self.vault_rates(id, value);
        let owed = high.assets_down(vault.queue.waiting);
        let idle = owed.room_below(vault.buckets.idle);
        let kept = vault.terms.instant.watermark.of_up(value.nav);
        let returning = self.returning_to(vault.account);
        let staked = holdings.iter().fold(Amount::ZERO, |sum, held| sum.plus(held.all).unwrap_or(sum));
        let exit_time = self.free_at(now).since(now);
        let room =
            crate::vault::caps::ladder_room(&policy.caps, (value.nav, idle, staked), &returning, exit_time);
        room.min(kept.room_below(idle))
    }
}

#[cfg(test)]
mod tests;
