//! A service opens an operator set.

use std::sync::Arc;

use crate::event::Event;
use crate::genesis::History;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::Set;
use crate::terms::Terms;
use crate::units::{Address, Amount, AssetId, Epoch};

record! {
    /// Creates an operator set of the sender's service. Its destinations can never change.
    pub struct CreateSet {
        /// Its terms.
        pub terms: Terms,
    }
}

refusals! {
    /// Why a set is refused.
    {
        SetsStopped { until: Epoch } => "the guardian has stopped new sets until epoch {until}",
        NotAService => "the sender is not a service",
        BadTerms { why: String } => "{why}",
        AssetNotFound { asset: AssetId } => "asset {asset} is not listed",
        NativeStakeMustBurn { asset: AssetId } => "asset {asset} is native stake, which stays in its validators; a set that accepts it burns all it slashes",
        DepositMissing { deposit: Amount, free: Amount } => "the deposit of {deposit} exceeds the free balance {free}",
    }
}

/// Assets that terms name and that are not listed, or can't go where the terms send what is slashed.
pub(crate) fn check_assets(state: &State, terms: &Terms) -> Result<(), Refused> {
    let named = terms.assets.iter().map(|accepted| accepted.asset).chain(terms.reward_tokens.iter().copied());
    for asset in named {
        if state.asset(asset).is_none() {
            return Err(Refused::AssetNotFound { asset });
        }
    }
    let native = terms.assets.iter().map(|accepted| accepted.asset).find(|asset| state.is_native(*asset));
    match native {
        Some(asset) if !terms.is_burning() => Err(Refused::NativeStakeMustBurn { asset }),
        _ => Ok(()),
    }
}

impl CreateSet {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let until = state.stops.sets;
        if until > state.epoch {
            return Err(Refused::SetsStopped { until });
        }
        let service = state.service_of(sender).ok_or(Refused::NotAService)?;
        let parameters = state.parameters();
        self.terms.check(&state.genesis, parameters).map_err(|why| Refused::BadTerms { why })?;
        check_assets(state, &self.terms)?;
        let deposit = parameters.object_deposit;
        state.can_post(sender, deposit).map_err(|free| Refused::DepositMissing { deposit, free })?;

        // From here on nothing can fail.
        let account = state.accounts.open(sender);
        state.post(account, deposit);
        state.count_roles(&self.terms);
        let id = state.push_set(Set {
            service,
            terms: History::new(Arc::new(self.terms.clone())),
            pending: None,
            members: Default::default(),
            admitted: Default::default(),
            tables: Vec::new(),
            profit: History::new(Amount::ZERO),
            leaving: Amount::ZERO,
            under_since: None,
            is_closed: false,
            punished: Default::default(),
            executed: Default::default(),
            jailings: Vec::new(),
            performance: Default::default(),
            work: Vec::new(),
            streams: Vec::new(),
            deposit,
        });
        events.push(Event::SetCreated { set: id, service, terms: self.terms.digest(id) });
        Ok(())
    }
}
