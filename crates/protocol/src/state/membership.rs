//! Operators in sets, and what sets do in pools: what several operations and the boundary ask and do.

use std::collections::BTreeMap;

use super::State;
use super::governance::GovernanceChange;
use super::records::{PoolRecord, Request, Set};
use crate::terms::Terms;
use crate::units::{Address, Amount, Epoch, Fraction, OperatorId, PoolId, ServiceId, SetId};

impl Terms {
    /// Whether harmed users get a part of what is slashed.
    pub(crate) fn compensates(&self) -> bool {
        self.destinations.iter().any(|destination| destination.to == crate::terms::Beneficiary::Compensate)
    }
}

impl Set {
    /// The highest profit declared for now or later: an announced lower one does not count yet.
    pub(crate) fn highest_profit(&self, now: Epoch) -> Amount {
        let later = self.profit.iter().filter(|(from, _)| *from > now).map(|(_, profit)| *profit);
        later.fold(*self.profit.at(now), Amount::max)
    }
}

impl State {
    /// The service that an address has registered.
    pub(crate) fn service_of(&self, address: Address) -> Option<ServiceId> {
        let account = self.accounts.find(address)?;
        self.accounts.get(account).extra()?.service
    }

    /// The epochs from and through which a request may be executed.
    pub(crate) fn request_window(&self, request: &Request) -> (Epoch, Epoch) {
        let rules = self.parameters.at(request.capture);
        let veto =
            self.set(request.set).map_or(0, |record| record.terms_in(request.capture).veto.min(rules.veto));
        let last_veto = request.requested.later(veto);
        (last_veto.next(), last_veto.later(rules.execution))
    }

    /// Gives back all that a set owns of an operator's pools; the record stays while offences are punishable. `last` is the last epoch
    /// on duty.
    pub(crate) fn leave_set(&mut self, set: SetId, operator: OperatorId, last: Epoch) {
        let pools = self.operator(operator).map(|record| record.pools.clone()).unwrap_or_default();
        for (_, pool) in pools {
            let parts = self.pool(pool).stake.parts_of(set);
            if parts > 0 {
                self.give_back(set, pool, parts, last);
            }
        }
        if let Some(member) = self.set_mut(set).members.get_mut(&operator) {
            member.left = member.left.or(Some(last));
            for key in member.keys.iter_mut().filter(|key| key.to == Epoch::NEVER) {
                key.to = last;
            }
        }
    }

    /// Takes an operator off the table from the next epoch on; returns when it may return.
    pub(crate) fn jail(&mut self, set: SetId, operator: OperatorId) -> Epoch {
        let now = self.epoch;
        let Some(record) = self.set(set) else { return now };
        let until = now.next().later(record.terms_in(now).jail.period);
        let weight = record.table_of(now).and_then(|table| table.row(operator)).map(|row| row.weight);
        let record = self.set_mut(set);
        if let Some(member) = record.members.get_mut(&operator)
            && member.jailed.replace(until).is_none()
        {
            record.leaving = weight.and_then(|weight| record.leaving.plus(weight)).unwrap_or(record.leaving);
        }
        until
    }

    /// Weight of an operator's own stake in a set, where the terms ask for it, and the weight that its bonds would have as stake.
    pub(crate) fn own_weights(&self, operator: OperatorId, set: &Set) -> (Amount, Amount) {
        let (mut own, mut bonds) = (Amount::ZERO, Amount::ZERO);
        let Some(record) = self.operator(operator) else { return (own, bonds) };
        let terms = set.terms_in(self.epoch);
        for (asset, pool) in &record.pools {
            if !terms.admission.self_stake_min.is_zero() {
                own.grow(self.weight(terms, *asset, self.staying_worth(record.account, *pool)));
            }
            bonds.grow(self.weight(terms, *asset, self.pool(*pool).stake.bond().standing()));
        }
        (own, bonds)
    }

    /// Whether a set burns all that it slashes.
    pub(crate) fn is_burning(&self, set: SetId) -> bool {
        self.set(set).is_none_or(|record| record.terms_in(self.epoch).is_burning())
    }

    /// Whether a pool of certified sharing only keeps a set out: it is under-collateralised, and shares its slices or has used up its
    /// grace.
    pub(crate) fn is_uncertified(&self, set: SetId) -> bool {
        let Some(record) = self.set(set) else { return false };
        let is_late = |since: Epoch| self.epoch.since(since) > self.parameters().grace;
        record.under_since.is_some_and(|since| record.terms_in(self.epoch).is_sharing() || is_late(since))
    }

    /// The risk weights of a set and of all that own parts of a pool, so that the pool can be changed while they are asked.
    pub(crate) fn risk_weights_of(&self, pool: PoolId, set: SetId) -> BTreeMap<SetId, Fraction> {
        let owners =
            self.pool(pool).stake.slices().iter().flat_map(|slice| &slice.owners).map(|owner| owner.set);
        owners.chain([set]).map(|set| (set, self.risk_weight(set))).collect()
    }

    /// The first operator with a slice that a higher risk weight of a set would fill beyond 1.
    pub(crate) fn first_overfull(&self, set: SetId, weight: Fraction) -> Option<OperatorId> {
        let weight_of = |other: SetId| if other == set { weight } else { self.risk_weight(other) };
        let is_overfull = |record: &&PoolRecord| {
            let mut slices = record.stake.slices().iter();
            slices.any(|slice| slice.owners.iter().any(|owner| owner.set == set) && !slice.fits(&weight_of))
        };
        let members = self.set(set)?.members.keys();
        let mut pools =
            members.filter_map(|operator| self.operator(*operator)).flat_map(|record| &record.pools);
        let overfull = pools.find(|(_, pool)| is_overfull(&self.pool(*pool)))?;
        Some(self.pool(overfull.1).operator)
    }

    /// Whether more parts for a set would exceed the mandate of a pool.
    pub(crate) fn exceeds_mandate(&self, pool: PoolId, set: SetId, parts: u16) -> bool {
        let record = self.pool(pool);
        let mut layout = record.stake.layout();
        layout.take(set, parts, Some(self.epoch), self.epoch.next(), &|set| self.risk_weight(set));
        let worst_case = self.worst_case_of(layout.slices(), |_| None);
        let elsewhere = self.share_owned_of(layout.slices(), |set| !self.is_burning(set));
        worst_case > record.mandate.worst_case || elsewhere > record.mandate.elsewhere
    }

    /// How many streams of the service, or of anybody else, pay a set, and how many may: neither can keep the other out.
    pub(crate) fn streams_of(&self, set: &Set, sender: Address) -> (usize, u16) {
        let service = self.services.get(set.service.index()).map(|service| service.account);
        let is_own = self.is_service(set, sender);
        let of = |id: &crate::units::StreamId| self.streams.get(id).map(|stream| stream.funder);
        let count = set.streams.iter().filter(|id| (of(id) == service) == is_own).count();
        (count, self.limits().streams_per_set.div_ceil(2))
    }

    /// How many payments for work of the service, or of anybody else, wait for the boundary, and how many may.
    pub(crate) fn work_of(&self, set: &Set, sender: Address) -> (usize, usize) {
        let service = self.services.get(set.service.index()).map(|service| service.account);
        let is_own = self.is_service(set, sender);
        let count = set.work.iter().filter(|work| (Some(work.funder) == service) == is_own).count();
        (count, usize::from(self.limits().operators_per_set).saturating_mul(4))
    }

    /// Accounts that terms name can't change owners behind them.
    pub(crate) fn count_roles(&mut self, terms: &Terms) {
        let beneficiaries = terms.destinations.iter().filter_map(|destination| match destination.to {
            crate::terms::Beneficiary::Redistribute(address) => Some(address),
            _ => None,
        });
        let named: Vec<Address> =
            terms.resolvers.iter().copied().chain([terms.slasher]).chain(beneficiaries).collect();
        for address in named {
            let account = self.accounts.open(address);
            let extra = self.accounts.get_mut(account).extra_mut();
            extra.roles = extra.roles.saturating_add(1);
        }
    }

    /// A change of governance starts.
    pub(crate) fn carry_out_governance(&mut self, change: &GovernanceChange) {
        match change {
            // The history of parameters has known it since it was announced.
            GovernanceChange::Parameters(_) => {}
            GovernanceChange::Value { asset, value } => self.asset_mut(*asset).value = *value,
            GovernanceChange::Cap { asset, cap } => self.asset_mut(*asset).cap = *cap,
            GovernanceChange::StakeMin { asset, amount } => self.asset_mut(*asset).stake_min = *amount,
            GovernanceChange::Schedule(schedule) => {
                if let Some(following) = &mut self.ethereum {
                    following.set_schedule(schedule.clone());
                }
            }
            GovernanceChange::Trusted(root) => {
                if let Some(following) = &mut self.ethereum {
                    following.restart(*root);
                }
            }
        }
    }
}
