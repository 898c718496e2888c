//! A vault's council sets within what the vault is curated. Less risk holds at once, more of it waits until every holder could have left.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Epoch, OperatorId, ServiceId, VaultId};

pub use crate::state::vaults::bands::{Band, Policy, ServiceBand};
pub use crate::vault::caps::{Rung, VaultCaps};

record! {
    /// Announces bands, caps and a mandate for a vault; they replace those that wait.
    pub struct SetBands {
        /// The vault.
        pub vault: VaultId,
        /// Its new policy.
        pub policy: Policy,
    }
}

refusals! {
    /// Why a policy is refused.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        NotTheCouncil { council: Address } => "the vault's council is {council}",
        BadPolicy { why: String } => "{why}",
        NoPool { operator: OperatorId } => "operator {operator} has no pool of the vault's asset",
        NoService { service: ServiceId } => "service {service} does not exist",
        Unchanged => "it is the vault's policy already",
    }
}

impl SetBands {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let (id, new) = (self.vault, &self.policy);
        let vault = state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let council = vault.terms.council;
        if sender != council {
            return Err(Refused::NotTheCouncil { council });
        }
        let exit_time = state.free_at(state.epoch).since(state.epoch);
        new.check(exit_time).map_err(|why| Refused::BadPolicy { why })?;
        for band in &new.bands {
            let operator = band.operator;
            state.pool_of(operator, vault.asset).ok_or(Refused::NoPool { operator })?;
        }
        for band in &new.services {
            let service = band.service;
            state.services.get(service.index()).ok_or(Refused::NoService { service })?;
        }
        let curation = &vault.curation;
        let is_looked_at = curation.worsened.is_empty();
        if curation.policy.as_ref() == Some(new) && curation.pending.is_none() && is_looked_at {
            return Err(Refused::Unchanged);
        }

        // From here on nothing can fail.
        let now = state.epoch;
        // Whoever deposits into an empty vault has read what it begins with.
        let is_empty = state.supply_of(id).is_zero() && state.first_deposit(id).is_none();
        let from = if is_empty { now } else { now.later(state.full_exit()) };
        let curation = &mut state.vault_mut(id).curation;
        curation.pending = None;
        match curation.policy.clone() {
            _ if is_empty => curation.start(new.clone(), Epoch::ZERO),
            None => curation.pending = Some((from, new.clone())),
            Some(old) => {
                let tighter = old.tighter(new);
                if tighter != *new || !is_looked_at {
                    curation.pending = Some((from, new.clone()));
                }
                curation.start(tighter, now);
            }
        }
        if is_empty {
            // The services that the operators have at present are no news to it.
            let holdings = state.holdings_of(id, new);
            state.look_at_terms(id, &holdings);
            state.vault_mut(id).curation.worsened.clear();
        }
        let from =
            state.vault(id).and_then(|vault| vault.curation.pending.as_ref()).map_or(now, |(from, _)| *from);
        events.push(Event::VaultBandsSet { vault: id, from });
        Ok(())
    }
}
