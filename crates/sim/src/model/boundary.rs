//! What happens between two epochs, in two halves: what the semantics alone decide, and the stake tables, which weigh whole units.

use protocol::Event;
use protocol::units::{Epoch, OperatorId, SetId};
use protocol::view::View;

use super::records::{RequestState, Row, Set};
use super::{Fault, Model, exact, plan};

impl Model {
    /// Ends the current epoch and begins the next; `seen` is what the ledger shows then.
    pub(crate) fn advance(&mut self, seen: &View, events: &[Event]) {
        let ended = self.epoch;
        self.lapse_requests(ended);
        self.pay_rewards(ended);
        self.epoch = ended.next();
        self.start_changes();
        self.start_terms(ended, events);
        self.start_mandates();
        self.freeze_tables(seen);
        self.check_certificates();
        self.return_set_deposits();
    }

    fn lapse_requests(&mut self, ended: Epoch) {
        for place in 0..self.requests.len() {
            let request = &self.requests[place];
            if request.state == RequestState::Open && self.request_window(request).1 <= ended {
                let request = &mut self.requests[place];
                request.state = RequestState::Lapsed;
                let deposit = std::mem::take(&mut request.deposit);
                self.burn_deposit(deposit);
            }
        }
    }

    /// Announced terms start. Who did not consent to worse ones leaves: its last epoch on duty is the one that ended.
    fn start_terms(&mut self, ended: Epoch, events: &[Event]) {
        let mut started = 0;
        for set in self.set_ids() {
            let now = self.epoch;
            let Some(pending) = self.set_mut(set).pending.take_if(|pending| pending.from <= now) else {
                continue;
            };
            started += 1;
            plan(&mut self.set_mut(set).terms, now, pending.terms);
            let members = self.set(set).map(|record| record.members.clone()).unwrap_or_default();
            for (operator, member) in members {
                let consents = !pending.is_worse || pending.consents.contains(&operator);
                if member.left.is_none() && !consents && !self.has(Fault::ConsentAssumed) {
                    self.leave(set, operator, ended);
                }
            }
        }
        let announced = events.iter().filter(|event| matches!(event, Event::TermsStarted { .. })).count();
        if announced != started {
            self.object(|| format!("terms of {started} sets start, and {announced} are announced"));
        }
    }

    fn start_mandates(&mut self) {
        let now = self.epoch;
        for pool in &mut self.pools {
            if let Some((_, mandate)) = pool.pending_mandate.take_if(|(from, _)| *from <= now) {
                pool.mandate = mandate;
            }
        }
    }

    /// Compares what every set could slash with the ledger's whole units, and freezes the tables by those.
    fn freeze_tables(&mut self, seen: &View) {
        let now = self.epoch;
        self.seen = seen.clone();
        for (pool, shown) in self.pool_ids().zip(&seen.pools) {
            let sets = self.pool(pool).sets_in(now);
            self.pool_mut(pool).owned.clear();
            for set in sets {
                let shown = shown.allocations.iter().find(|allocation| allocation.set == set);
                let units = shown.map_or(0, |allocation| allocation.slashable.units());
                let amount = exact::floor(&self.slashable(pool, set, now));
                if !(amount.saturating_sub(1)..=amount + 1).contains(&units) {
                    self.object(|| {
                        format!("set {set} could slash {amount} of pool {pool}, and the ledger shows {units}")
                    });
                }
                self.pool_mut(pool).owned.insert(set, units);
            }
        }
        for set in self.set_ids() {
            let table = self.table(set);
            let record = self.set_mut(set);
            record.leaving = (0, 0);
            record.tables.insert(now, table);
        }
    }

    /// The row of an operator in the table of a set, if it is on duty.
    pub(crate) fn row(&self, id: SetId, set: &Set, operator: OperatorId) -> Option<Row> {
        let member = set.active_member(operator)?;
        if member.jailed.is_some() && !self.has(Fault::JailedStayOnDuty) {
            return None;
        }
        let mut row = Row { operator, weight: 0, contributions: Vec::new() };
        for pool in self.pools_of(operator) {
            let record = self.pool(pool);
            let owned = record.owned.get(&id).copied().unwrap_or(0);
            let weight = self.weight_in(id, record.asset, owned);
            if weight > 0 {
                row.weight += weight;
                row.contributions.push((pool, weight));
            }
        }
        let admission = &set.terms_in(self.epoch).admission;
        let (own, bonds) = self.own_weights(operator, id);
        let is_large = row.weight > 0 && row.weight >= admission.stake_min.units();
        let is_backed = own >= admission.self_stake_min.units() && bonds >= admission.bond_min.units();
        (is_large && is_backed).then_some(row)
    }

    /// The deposit of a closed set returns when no offence of a member can be punished any more.
    fn return_set_deposits(&mut self) {
        for set in self.set_ids() {
            let Some(record) = self.set(set).filter(|record| record.is_closed && record.deposit > 0) else {
                continue;
            };
            let lasts: Vec<Epoch> = record.members.values().filter_map(|member| member.left).collect();
            let oldest = self.oldest_open();
            if lasts.iter().all(|last| *last < oldest) {
                let service = self.services[super::index(record.service.number())];
                let deposit = std::mem::take(&mut self.set_mut(set).deposit);
                self.return_deposit(service, deposit);
            }
        }
    }
}
