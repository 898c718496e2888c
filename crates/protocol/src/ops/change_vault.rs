//! A vault's council changes what the vault promises. What is worse for the holders waits until all of them could have left.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::records::VaultTerms;
use crate::units::{Address, Epoch, VaultId};
use crate::vault::defence::{Defence, is_on};

record! {
    /// Announces new terms of a vault; they replace those that wait.
    pub struct ChangeVault {
        /// The vault.
        pub vault: VaultId,
        /// Its new terms.
        pub terms: VaultTerms,
    }
}

refusals! {
    /// Why new terms are refused.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        NotTheCouncil { council: Address } => "the vault's council is {council}",
        BadTerms { why: String } => "{why}",
        Unchanged => "they are the vault's terms already",
    }
}

impl ChangeVault {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.vault;
        let vault = state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let council = vault.terms.council;
        if sender != council {
            return Err(Refused::NotTheCouncil { council });
        }
        self.terms.check(&state.genesis.vaults).map_err(|why| Refused::BadTerms { why })?;
        if vault.terms == self.terms && vault.pending.is_none() {
            return Err(Refused::Unchanged);
        }

        // From here on nothing can fail.
        let from: Epoch = if self.terms.is_no_worse_than(&vault.terms) || !is_on(Defence::Notice) {
            state.epoch.next()
        } else {
            state.epoch.later(state.full_exit())
        };
        state.vault_mut(id).pending = Some((from, self.terms.clone()));
        events.push(Event::VaultTermsAnnounced { vault: id, from });
        Ok(())
    }
}
