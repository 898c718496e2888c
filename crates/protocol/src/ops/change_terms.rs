//! A service changes the terms of a set.

use std::sync::Arc;

use super::create_set;
use crate::certificate;
use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::PendingTerms;
use crate::terms::Terms;
use crate::units::{Address, Amount, Epoch, Fraction, OperatorId, SetId};

record! {
    /// Announces new terms. Better ones count from the next epoch on; worse ones after the notice, and only for operators that consent:
    /// the allocations of the others run out instead.
    pub struct ChangeTerms {
        /// The set.
        pub set: SetId,
        /// The new terms.
        pub terms: Terms,
    }
}

refusals! {
    /// Why new terms are refused.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        NotTheService { set: SetId } => "the sender is not the service of set {set}",
        SetClosed { set: SetId } => "set {set} is closed",
        ChangePending { from: Epoch } => "a change from epoch {from} on is pending; withdraw it first",
        Unchanged => "these are the terms already",
        BadTerms { why: String } => "{why}",
        AssetRefused { refused: create_set::Refused } => "{refused}",
        DestinationsFixed => "the destinations were fixed when the set was created",
        SliceTooFull { operator: OperatorId, weight: Fraction } => "with a risk weight of {weight} a slice of operator {operator} would carry more than 1",
        Uncertified { secured: Amount, needed: Amount, short: Amount } => "the terms would secure {secured} of the {needed} that the declared profit needs, {short} too little",
    }
}

impl ChangeTerms {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        self.check(state, sender)?;

        // From here on nothing can fail.
        let set = self.set;
        let next = state.epoch.next();
        let notice = state.parameters().notice;
        let digest = self.terms.digest(set);
        state.count_roles(&self.terms);
        let record = state.set_mut(set);
        let is_worse = record.terms_in(next).is_worsened_by(&self.terms);
        let from = if is_worse { next.later(notice) } else { next };
        let terms = Arc::new(self.terms.clone());
        record.pending = Some(PendingTerms { from, terms, digest, is_worse, consents: Default::default() });
        state.terms_version = state.terms_version.saturating_add(1);
        events.push(Event::TermsAnnounced { set, terms: digest, from, needs_consent: is_worse });
        Ok(())
    }

    fn check(&self, state: &State, sender: Address) -> Result<(), Refused> {
        let set = self.set;
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        if !state.is_service(record, sender) {
            return Err(Refused::NotTheService { set });
        }
        if record.is_closed {
            return Err(Refused::SetClosed { set });
        }
        if let Some(pending) = &record.pending {
            return Err(Refused::ChangePending { from: pending.from });
        }
        let current = record.terms_in(state.epoch);
        if **current == self.terms {
            return Err(Refused::Unchanged);
        }
        self.terms.check(&state.genesis, state.parameters()).map_err(|why| Refused::BadTerms { why })?;
        create_set::check_assets(state, &self.terms).map_err(|refused| Refused::AssetRefused { refused })?;
        if self.terms.destinations != current.destinations {
            return Err(Refused::DestinationsFixed);
        }
        let weight = self.terms.risk_weight;
        if weight > current.risk_weight
            && let Some(operator) = state.first_overfull(set, weight)
        {
            return Err(Refused::SliceTooFull { operator, weight });
        }
        let profit = record.highest_profit(state.epoch);
        if profit.is_zero() || !certificate::is_weakened(current, &self.terms) {
            return Ok(());
        }
        let secured = certificate::secured_under(state, set, record, &self.terms);
        let needed = certificate::needed(profit, state.parameters().gamma_min);
        if secured < needed {
            return Err(Refused::Uncertified { secured, needed, short: secured.room_below(needed) });
        }
        Ok(())
    }
}
