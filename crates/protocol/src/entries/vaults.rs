//! The entries of vaults.

use super::Key;
use crate::codec::{from_bytes, to_bytes};
use crate::state::State;
use crate::state::vaults::baskets::Basket;
use crate::state::vaults::records::{Holding, ShareRecord, Vault};
use crate::state::vaults::routes::Route;
use crate::units::{AccountId, Address, BasketId, RouteId, ShareId, VaultId};
use std::collections::BTreeMap;
use std::mem::take;

impl State {
    /// From now on touched entries of vaults are noted.
    pub(super) fn track_vaults(&mut self) {
        let vaults = &mut self.vaults;
        vaults.list.touched().start();
        vaults.baskets.touched().start();
        vaults.shares.touched().start();
        vaults.holdings.touched().start();
        vaults.deposits.touched().start();
        vaults.exits.touched().start();
        vaults.holdbacks.touched().start();
        vaults.junior_exits.touched().start();
        vaults.door_requests.touched().start();
        vaults.cohorts.touched().start();
        vaults.batches.touched().start();
        vaults.gaps.touched().start();
        vaults.contingents.touched().start();
        vaults.verdicts.touched().start();
        vaults.outcomes.touched().start();
        vaults.losses.touched().start();
        vaults.routes.touched().start();
        vaults.arrivals.touched().start();
    }

    /// The entries of vaults that were touched, in no order.
    pub(super) fn take_touched_vaults(&mut self) -> Vec<Key> {
        let vaults = &mut self.vaults;
        let mut keys: Vec<Key> =
            vaults.list.touched().take().into_iter().map(|id| Key::Vault(VaultId::new(id))).collect();
        keys.extend(vaults.baskets.touched().take().into_iter().map(|id| Key::Basket(BasketId::new(id))));
        keys.extend(vaults.shares.touched().take().into_iter().map(|id| Key::Share(ShareId::new(id))));
        let holdings = vaults.holdings.touched().take();
        keys.extend(vaults.deposits.touched().take().into_iter().map(|(id, at)| Key::VaultDeposit(id, at)));
        keys.extend(vaults.exits.touched().take().into_iter().map(|(id, at)| Key::VaultExit(id, at)));
        keys.extend(vaults.holdbacks.touched().take().into_iter().map(|(id, at)| Key::VaultHoldback(id, at)));
        let requests = vaults.door_requests.touched().take();
        keys.extend(requests.into_iter().map(|(id, at)| Key::BasketRequest(id, at)));
        let juniors = vaults.junior_exits.touched().take();
        keys.extend(juniors.into_iter().map(|(id, at)| Key::VaultJunior(id, at)));
        keys.extend(vaults.cohorts.touched().take().into_iter().map(|(id, at)| Key::VaultCohort(id, at)));
        keys.extend(vaults.batches.touched().take().into_iter().map(|(id, at)| Key::VaultBatch(id, at)));
        keys.extend(vaults.gaps.touched().take().into_iter().map(|(id, at)| Key::VaultGap(id, at)));
        let contingents = vaults.contingents.touched().take();
        keys.extend(contingents.into_iter().map(|(id, request)| Key::VaultContingent(id, request)));
        keys.extend(vaults.verdicts.touched().take().into_iter().map(Key::Verdict));
        let outcomes = vaults.outcomes.touched().take();
        keys.extend(outcomes.into_iter().map(|(id, request)| Key::VaultOutcome(id, request)));
        keys.extend(vaults.routes.touched().take().into_iter().map(|id| Key::Route(RouteId::new(id))));
        keys.extend(vaults.arrivals.touched().take().into_iter().map(|(id, at)| Key::Arrival(id, at)));
        keys.extend(vaults.losses.touched().take().into_iter().map(|(id, epoch)| Key::VaultLoss(id, epoch)));
        keys.extend(holdings.into_iter().map(|(share, account)| self.holding_key(share, account)));
        keys
    }

    fn holding_key(&self, share: ShareId, account: AccountId) -> Key {
        Key::Holding { share, account: self.accounts.get(account).address }
    }

    /// The key of every entry of vaults, in no order.
    pub(super) fn keys_of_vaults(&self) -> Vec<Key> {
        let vaults = &self.vaults;
        let mut keys: Vec<Key> = (0..vaults.list.len()).map(|at| Key::Vault(VaultId::at(at))).collect();
        keys.extend((0..vaults.baskets.len()).map(|at| Key::Basket(BasketId::at(at))));
        keys.extend((0..vaults.shares.len()).map(|at| Key::Share(ShareId::at(at))));
        keys.extend(vaults.holdings.keys().map(|(share, account)| self.holding_key(*share, *account)));
        keys.extend(vaults.deposits.keys().map(|(id, at)| Key::VaultDeposit(*id, *at)));
        keys.extend(vaults.exits.keys().map(|(id, at)| Key::VaultExit(*id, *at)));
        keys.extend(vaults.holdbacks.keys().map(|(id, at)| Key::VaultHoldback(*id, *at)));
        keys.extend(vaults.door_requests.keys().map(|(id, at)| Key::BasketRequest(*id, *at)));
        keys.extend(vaults.junior_exits.keys().map(|(id, at)| Key::VaultJunior(*id, *at)));
        keys.extend(vaults.cohorts.keys().map(|(id, at)| Key::VaultCohort(*id, *at)));
        keys.extend(vaults.batches.keys().map(|(id, at)| Key::VaultBatch(*id, *at)));
        keys.extend(vaults.gaps.keys().map(|(id, at)| Key::VaultGap(*id, *at)));
        keys.extend(vaults.contingents.keys().map(|(id, request)| Key::VaultContingent(*id, *request)));
        keys.extend(vaults.verdicts.keys().copied().map(Key::Verdict));
        keys.extend(vaults.outcomes.keys().map(|(id, request)| Key::VaultOutcome(*id, *request)));
        keys.extend((0..vaults.routes.len()).map(|at| Key::Route(RouteId::at(at))));
        keys.extend(vaults.arrivals.keys().map(|(id, at)| Key::Arrival(*id, *at)));
        keys.extend(vaults.losses.keys().map(|(id, epoch)| Key::VaultLoss(*id, *epoch)));
        keys
    }

    /// The bytes of an entry of vaults; `None` where there is none.
    pub(super) fn entry_of_vaults(&self, key: &Key) -> Option<Vec<u8>> {
        let vaults = &self.vaults;
        match key {
            Key::Vault(id) => self.vault(*id).map(to_bytes),
            Key::Basket(id) => self.basket(*id).map(to_bytes),
            Key::Share(id) => self.share(*id).map(to_bytes),
            Key::Holding { share, account } => {
                let account = self.accounts.find(*account)?;
                vaults.holdings.get(&(*share, account)).map(to_bytes)
            }
            Key::VaultDeposit(id, at) => vaults.deposits.get(&(*id, *at)).map(to_bytes),
            Key::VaultExit(id, at) => vaults.exits.get(&(*id, *at)).map(to_bytes),
            Key::VaultHoldback(id, at) => vaults.holdbacks.get(&(*id, *at)).map(to_bytes),
            Key::BasketRequest(id, at) => vaults.door_requests.get(&(*id, *at)).map(to_bytes),
            Key::VaultJunior(id, at) => vaults.junior_exits.get(&(*id, *at)).map(to_bytes),
            Key::VaultCohort(id, at) => vaults.cohorts.get(&(*id, *at)).map(to_bytes),
            Key::VaultBatch(id, at) => vaults.batches.get(&(*id, *at)).map(to_bytes),
            Key::VaultGap(id, at) => vaults.gaps.get(&(*id, *at)).map(to_bytes),
            Key::VaultContingent(id, request) => vaults.contingents.get(&(*id, *request)).map(to_bytes),
            Key::Verdict(id) => vaults.verdicts.get(id).map(to_bytes),
            Key::VaultOutcome(id, request) => vaults.outcomes.get(&(*id, *request)).map(to_bytes),
            Key::Route(id) => self.route(*id).map(to_bytes),
            Key::Arrival(id, at) => vaults.arrivals.get(&(*id, *at)).map(to_bytes),
            Key::VaultLoss(id, epoch) => vaults.losses.get(&(*id, *epoch)).map(to_bytes),
            _ => None,
        }
    }
}

/// The records of vaults while they are read. Those that name nothing else are in the state already.
#[derive(Default)]
pub(super) struct VaultParts {
    list: BTreeMap<VaultId, Vault>,
    baskets: BTreeMap<BasketId, Basket>,
    shares: BTreeMap<ShareId, ShareRecord>,
    routes: BTreeMap<RouteId, Route>,
    holdings: Vec<(ShareId, Address, Holding)>,
    books: crate::state::vaults::Vaults,
}

impl VaultParts {
    /// Takes an entry of vaults.
    pub(super) fn add(&mut self, key: Key, bytes: &[u8]) -> Result<(), String> {
        let books = &mut self.books;
        match key {
            Key::Vault(id) => drop(self.list.insert(id, from_bytes(bytes)?)),
            Key::Basket(id) => drop(self.baskets.insert(id, from_bytes(bytes)?)),
            Key::Share(id) => drop(self.shares.insert(id, from_bytes(bytes)?)),
            Key::Holding { share, account } => self.holdings.push((share, account, from_bytes(bytes)?)),
            Key::VaultDeposit(id, at) => books.deposits.insert((id, at), from_bytes(bytes)?),
            Key::VaultExit(id, at) => books.exits.insert((id, at), from_bytes(bytes)?),
            Key::VaultHoldback(id, at) => books.holdbacks.insert((id, at), from_bytes(bytes)?),
            Key::BasketRequest(id, at) => books.door_requests.insert((id, at), from_bytes(bytes)?),
            Key::VaultJunior(id, at) => books.junior_exits.insert((id, at), from_bytes(bytes)?),
            Key::VaultCohort(id, at) => books.cohorts.insert((id, at), from_bytes(bytes)?),
            Key::VaultBatch(id, at) => books.batches.insert((id, at), from_bytes(bytes)?),
            Key::VaultGap(id, at) => books.gaps.insert((id, at), from_bytes(bytes)?),
            Key::VaultContingent(id, request) => books.contingents.insert((id, request), from_bytes(bytes)?),
            Key::Verdict(id) => books.verdicts.insert(id, from_bytes(bytes)?),
            Key::VaultOutcome(id, request) => books.outcomes.insert((id, request), from_bytes(bytes)?),
            Key::Route(id) => drop(self.routes.insert(id, from_bytes(bytes)?)),
            Key::Arrival(id, at) => books.arrivals.insert((id, at), from_bytes(bytes)?),
            Key::VaultLoss(id, epoch) => books.losses.insert((id, epoch), from_bytes(bytes)?),
            _ => return Err("it is no entry of vaults".to_owned()),
        }
        Ok(())
    }

    /// Puts them into a state that has its accounts and its requests already.
    pub(super) fn put(&mut self, state: &mut State) -> Result<(), String> {
        state.vaults = take(&mut self.books);
        for (place, (id, vault)) in take(&mut self.list).into_iter().enumerate() {
            super::restore::check_place("vault", place, id.index())?;
            state.vaults.list.push(vault);
        }
        for (place, (id, basket)) in take(&mut self.baskets).into_iter().enumerate() {
            super::restore::check_place("basket", place, id.index())?;
            state.vaults.baskets.push(basket);
        }
        for (place, (id, share)) in take(&mut self.shares).into_iter().enumerate() {
            super::restore::check_place("share", place, id.index())?;
            state.vaults.shares.push(share);
        }
        for (place, (id, route)) in take(&mut self.routes).into_iter().enumerate() {
            super::restore::check_place("route", place, id.index())?;
            state.vaults.routes.push(route);
        }
        for (share, address, holding) in take(&mut self.holdings) {
            let account = state
                .accounts
                .find(address)
                .ok_or_else(|| format!("{address} holds shares and is no account"))?;
            state.vaults.holdings.insert((share, account), holding);
        }
        state.index_vaults();
        Ok(())
    }
}
