//! What waits in vaults, with the index of whose it is.

use super::super::State;
use super::records::{DepositTicket, ExitTicket, Holdback};
use crate::units::{AccountId, ShareId, TicketId, VaultId};

impl State {
    pub(crate) fn put_deposit(&mut self, id: VaultId, ticket: TicketId, deposit: DepositTicket) {
        self.vaults.owned.insert((deposit.owner, id, ticket), ());
        self.vaults.deposits.insert((id, ticket), deposit);
    }

    pub(crate) fn drop_deposit(&mut self, id: VaultId, ticket: TicketId) {
        if let Some(deposit) = self.vaults.deposits.remove(&(id, ticket)) {
            self.vaults.owned.remove(&(deposit.owner, id, ticket));
        }
    }

    pub(crate) fn put_exit(&mut self, id: VaultId, ticket: TicketId, exit: ExitTicket) {
        self.vaults.owned.insert((exit.owner, id, ticket), ());
        self.vaults.exits.insert((id, ticket), exit);
    }

    pub(crate) fn drop_exit(&mut self, id: VaultId, ticket: TicketId) {
        if let Some(exit) = self.vaults.exits.remove(&(id, ticket)) {
            self.vaults.owned.remove(&(exit.owner, id, ticket));
        }
    }

    pub(crate) fn put_holdback(&mut self, id: VaultId, ticket: TicketId, holdback: Holdback) {
        self.vaults.owned.insert((holdback.owner, id, ticket), ());
        self.vaults.holdbacks.insert((id, ticket), holdback);
    }

    pub(crate) fn drop_holdback(&mut self, id: VaultId, ticket: TicketId) {
        if let Some(holdback) = self.vaults.holdbacks.remove(&(id, ticket)) {
            self.vaults.owned.remove(&(holdback.owner, id, ticket));
        }
    }

    /// The tickets of an account, by vault.
    pub(crate) fn tickets_of(&self, account: AccountId) -> impl Iterator<Item = (VaultId, TicketId)> {
        let listed = self.vaults.owned.starting_at((account, VaultId::new(0), TicketId::new(0)));
        listed.take_while(move |((of, _, _), ())| *of == account).map(|((_, id, ticket), ())| (*id, *ticket))
    }

    /// The sorts of shares that an account has.
    pub(crate) fn shares_held_by(&self, account: AccountId) -> impl Iterator<Item = ShareId> {
        let listed = self.vaults.held.starting_at((account, ShareId::new(0)));
        listed.take_while(move |((of, _), ())| *of == account).map(|((_, share), ())| *share)
    }

    /// Builds the indexes that follow from the records.
    pub(crate) fn index_vaults(&mut self) {
        let vaults = &self.vaults;
        let deposits = vaults.deposits.iter().map(|((id, ticket), deposit)| (deposit.owner, *id, *ticket));
        let exits = vaults.exits.iter().map(|((id, ticket), exit)| (exit.owner, *id, *ticket));
        let holdbacks =
            vaults.holdbacks.iter().map(|((id, ticket), holdback)| (holdback.owner, *id, *ticket));
        let owned: Vec<_> = deposits.chain(exits).chain(holdbacks).collect();
        let held: Vec<_> = vaults.holdings.keys().map(|(share, account)| (*account, *share)).collect();
        let open: Vec<_> =
            self.requests.iter().filter(|(_, request)| request.is_open()).map(|(id, _)| *id).collect();
        for key in owned {
            self.vaults.owned.insert(key, ());
        }
        for key in held {
            self.vaults.held.insert(key, ());
        }
        for id in open {
            self.note_open(id);
        }
    }
}
