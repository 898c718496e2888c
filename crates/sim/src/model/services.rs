//! Services, their sets, and the terms of those.

use protocol::ops::admit::Admit;
use protocol::ops::change_terms::ChangeTerms;
use protocol::ops::close_set::CloseSet;
use protocol::ops::consent::Consent;
use protocol::ops::create_set::CreateSet;
use protocol::ops::eject::Eject;
use protocol::ops::withdraw_terms::WithdrawTerms;
use protocol::terms::{Beneficiary, Terms};
use protocol::units::{Address, Digest, Fraction, OperatorId, ServiceId, SetId};

use super::records::{Pending, Set};
use super::{Model, Verdict, certificate, ensure};

impl Model {
    pub(crate) fn create_service(&mut self, sender: Address) -> Verdict {
        ensure!(self.account(sender).is_none_or(|account| account.service.is_none()), "AlreadyRegistered");
        let id = ServiceId::new(super::number(self.services.len()));
        self.services.push(sender);
        self.account_mut(sender).service = Some(id);
        Ok(())
    }

    pub(crate) fn create_set(&mut self, op: &CreateSet, sender: Address) -> Verdict {
        ensure!(self.stops.sets <= self.epoch, "SetsStopped");
        let service = self.account(sender).and_then(|account| account.service).ok_or("NotAService")?;
        ensure!(op.terms.check(&self.genesis, self.rules()).is_ok(), "BadTerms");
        self.check_assets(&op.terms)?;
        let deposit = self.post_object_deposit(sender)?;
        self.sets.push(Set {
            service,
            terms: vec![(protocol::units::Epoch::ZERO, op.terms.clone())],
            pending: None,
            members: Default::default(),
            admitted: Default::default(),
            tables: Default::default(),
            profit: vec![(protocol::units::Epoch::ZERO, 0)],
            leaving: (0, 0),
            under_since: None,
            is_closed: false,
            punished: Default::default(),
            executed: Vec::new(),
            jailings: Vec::new(),
            performance: Default::default(),
            work: Vec::new(),
            deposit,
        });
        Ok(())
    }

    fn check_assets(&self, terms: &Terms) -> Verdict {
        let mut named =
            terms.assets.iter().map(|accepted| accepted.asset).chain(terms.reward_tokens.iter().copied());
        ensure!(named.all(|asset| self.asset(asset).is_some()), "AssetNotFound");
        let is_burning = terms.destinations.iter().all(|destination| destination.to == Beneficiary::Burn);
        let takes_native = terms.assets.iter().any(|accepted| self.is_native(accepted.asset));
        ensure!(is_burning || !takes_native, "NativeStakeMustBurn");
        Ok(())
    }

    /// A set, if the sender is its service.
    pub(crate) fn own_set(&self, id: SetId, sender: Address) -> Verdict<&Set> {
        let set = self.set(id).ok_or("SetNotFound")?;
        ensure!(self.is_service(set, sender), "NotTheService");
        Ok(set)
    }

    pub(crate) fn change_terms(&mut self, op: &ChangeTerms, sender: Address) -> Verdict {
        let (id, new) = (op.set, &op.terms);
        let set = self.own_set(id, sender)?;
        ensure!(!set.is_closed, "SetClosed");
        ensure!(set.pending.is_none(), "ChangePending");
        let current = set.terms_in(self.epoch);
        ensure!(current != new, "Unchanged");
        ensure!(new.check(&self.genesis, self.rules()).is_ok(), "BadTerms");
        ensure!(self.check_assets(new).is_ok(), "AssetRefused");
        ensure!(new.destinations == current.destinations, "DestinationsFixed");
        if new.risk_weight > current.risk_weight {
            let weight = |other: SetId| if other == id { new.risk_weight } else { self.risk_weight(other) };
            let is_overfull = self.pools.iter().any(|pool| pool.is_overfull(id, self.epoch, &weight));
            ensure!(!is_overfull, "SliceTooFull");
        }
        let profit = self.highest_profit(set);
        if profit > 0 && certificate::is_weakened(current, new) {
            let needed = certificate::needed(profit, self.rules().gamma_min);
            ensure!(self.secured_under(id, set, new).0 >= needed, "Uncertified");
        }
        let is_worse = is_worse(current, new);
        let next = self.epoch.next();
        let from = if is_worse { next.later(self.rules().notice) } else { next };
        let pending = Pending { from, terms: new.clone(), is_worse, consents: Default::default() };
        self.set_mut(id).pending = Some(pending);
        Ok(())
    }

    pub(crate) fn withdraw_terms(&mut self, op: &WithdrawTerms, sender: Address) -> Verdict {
        ensure!(self.own_set(op.set, sender)?.pending.is_some(), "NothingPending");
        self.set_mut(op.set).pending = None;
        Ok(())
    }

    pub(crate) fn close_set(&mut self, op: &CloseSet, sender: Address) -> Verdict {
        let set = self.own_set(op.set, sender)?;
        ensure!(!set.is_closed, "AlreadyClosed");
        let members: Vec<OperatorId> = set.members.keys().copied().collect();
        for operator in members {
            self.leave(op.set, operator, self.epoch);
        }
        let set = self.set_mut(op.set);
        set.is_closed = true;
        set.pending = None;
        Ok(())
    }

    pub(crate) fn admit(&mut self, op: &Admit, sender: Address) -> Verdict {
        let set = self.own_set(op.set, sender)?;
        ensure!(self.operator(op.operator).is_some(), "OperatorNotFound");
        ensure!(set.admitted.contains(&op.operator) != op.admitted, "Unchanged");
        let list = &mut self.set_mut(op.set).admitted;
        if op.admitted {
            list.insert(op.operator)
        } else {
            list.remove(&op.operator)
        };
        Ok(())
    }

    pub(crate) fn eject(&mut self, op: &Eject, sender: Address) -> Verdict {
        let set = self.own_set(op.set, sender)?;
        ensure!(set.active_member(op.operator).is_some(), "NotAMember");
        self.leave(op.set, op.operator, self.epoch);
        Ok(())
    }

    pub(crate) fn consent(&mut self, op: &Consent, sender: Address) -> Verdict {
        let operator = self.operator_of(sender).ok_or("NotAnOperator")?;
        let set = self.set(op.set).ok_or("SetNotFound")?;
        ensure!(set.active_member(operator).is_some(), "NotAMember");
        let pending = set.pending.as_ref().filter(|pending| pending.is_worse).ok_or("NothingPending")?;
        ensure!(pending.terms.digest(op.set) == op.terms, "TermsDiffer");
        if let Some(pending) = &mut self.set_mut(op.set).pending {
            pending.consents.insert(operator);
        }
        Ok(())
    }

    /// What an operator signs when it joins: the announced terms, otherwise those in force.
    pub(crate) fn terms_digest(&self, set: SetId) -> Option<Digest> {
        let record = self.set(set)?;
        let terms = record.pending.as_ref().map_or(record.terms_in(self.epoch), |pending| &pending.terms);
        Some(terms.digest(set))
    }
}

/// Whether new terms are worse for somebody. Better is: less of an offence, a lower cap, a longer veto, a lower mass bound, less jail;
/// whatever else changes is worse.
fn is_worse(old: &Terms, new: &Terms) -> bool {
    let is_more =
        |old: Option<Fraction>, new: Option<Fraction>| new.unwrap_or_default() > old.unwrap_or_default();
    let is_harder = is_more(old.offences.equivocation, new.offences.equivocation)
        || is_more(old.offences.subjective, new.offences.subjective)
        || (new.offences.correlation.is_some() && new.offences.correlation != old.offences.correlation)
        || new.window_cap > old.window_cap
        || new.veto < old.veto
        || new.mass_slash_max > old.mass_slash_max
        || new.jail.period > old.jail.period
        || (new.jail.on_equivocation && !old.jail.on_equivocation);
    let is_other = new.assets != old.assets
        || new.admission != old.admission
        || new.operator_share_max != old.operator_share_max
        || new.resolvers != old.resolvers
        || new.threshold != old.threshold
        || new.slasher != old.slasher
        || new.destinations != old.destinations
        || new.reward_tokens != old.reward_tokens
        || new.warm_up != old.warm_up
        || new.risk_weight != old.risk_weight
        || new.corruption_share != old.corruption_share
        || new.quorum != old.quorum;
    is_harder || is_other
}
