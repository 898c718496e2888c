//! What waits in vaults, with the index of whose it is.

use super::super::State;
use super::records::{DepositTicket, ExitTicket, Holdback, JuniorExit};
use crate::units::{AccountId, ShareId, TicketId, VaultId};

impl State {
    pub(crate) fn put_deposit(&mut self, id: VaultId, ticket: TicketId, deposit: DepositTicket) {
        self.vaults.owned.insert((deposit.owner, id, ticket), ());
        if self.vaults.deposits.get(&(id, ticket)).is_none() {
            let vault = self.vault_mut(id);
            vault.deposits = vault.deposits.saturating_add(1);
        }
        self.vaults.deposits.insert((id, ticket), deposit);
    }

    pub(crate) fn drop_deposit(&mut self, id: VaultId, ticket: TicketId) {
        if let Some(deposit) = self.vaults.deposits.remove(&(id, ticket)) {
            self.vaults.owned.remove(&(deposit.owner, id, ticket));
            let vault = self.vault_mut(id);
            vault.deposits = vault.deposits.saturating_sub(1);
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

    pub(crate) fn put_junior_exit(&mut self, id: VaultId, ticket: TicketId, exit: JuniorExit) {
        self.vaults.owned.insert((exit.owner, id, ticket), ());
        self.vaults.junior_exits.insert((id, ticket), exit);
    }

    pub(crate) fn drop_junior_exit(&mut self, id: VaultId, ticket: TicketId) {
        if let Some(exit) = self.vaults.junior_exits.remove(&(id, ticket)) {
            self.vaults.owned.remove(&(exit.owner, id, ticket));
        }
    }

    /// Whose a ticket is; `None` where nothing waits under that number.
    pub(crate) fn owner_of_ticket(&self, id: VaultId, ticket: TicketId) -> Option<AccountId> {
        let (key, vaults) = ((id, ticket), &self.vaults);
        let deposit = vaults.deposits.get(&key).map(|deposit| deposit.owner);
        let exit = || vaults.exits.get(&key).map(|exit| exit.owner);
        let holdback = || vaults.holdbacks.get(&key).map(|holdback| holdback.owner);
        let junior = || vaults.junior_exits.get(&key).map(|exit| exit.owner);
        deposit.or_else(exit).or_else(holdback).or_else(junior)
    }

    /// Whatever waits under that number is somebody else's from now on.
    pub(crate) fn give_ticket(&mut self, id: VaultId, ticket: TicketId, owner: AccountId) {
        let (key, vaults) = ((id, ticket), &self.vaults);
        if let Some(mut deposit) = vaults.deposits.get(&key).copied() {
            self.drop_deposit(id, ticket);
            deposit.owner = owner;
            self.put_deposit(id, ticket, deposit);
        } else if let Some(mut exit) = vaults.exits.get(&key).copied() {
            self.drop_exit(id, ticket);
            exit.owner = owner;
            self.put_exit(id, ticket, exit);
        } else if let Some(mut holdback) = vaults.holdbacks.get(&key).copied() {
            self.drop_holdback(id, ticket);
            holdback.owner = owner;
            self.put_holdback(id, ticket, holdback);
        } else if let Some(mut exit) = vaults.junior_exits.get(&key).copied() {
            self.drop_junior_exit(id, ticket);
            exit.owner = owner;
            self.put_junior_exit(id, ticket, exit);
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
        let juniors = vaults.junior_exits.iter().map(|((id, ticket), exit)| (exit.owner, *id, *ticket));
        let owned: Vec<_> = deposits.chain(exits).chain(holdbacks).chain(juniors).collect();
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
