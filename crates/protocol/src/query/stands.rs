//! On which entries of the state an answer stands: whoever has these, with proofs, has all that the answer was made of.
//!
//! What it can't say is that nothing is missing: entries are found by their keys, so a proof shows an entry or that it is absent, and not that an
//! account has no other entry of stake than those shown.

use std::collections::BTreeSet;

use super::operators::open_requests;
use super::positions::entries;
use crate::entries::Key;
use crate::state::State;
use crate::state::records::Set;
use crate::state::vaults::records::Issuer;
use crate::units::{
    AccountId, Address, AssetId, Epoch, OperatorId, PoolId, RequestId, ServiceId, SetId, StreamId,
    ValidatorId,
};

/// A read, by what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// [`super::account`].
    Account(Address),
    /// [`super::positions`].
    Positions(Address),
    /// [`super::asset`].
    Asset(AssetId),
    /// [`super::operator`].
    Operator(OperatorId),
    /// [`super::pool`].
    Pool(PoolId),
    /// [`super::service`].
    Service(ServiceId),
    /// [`super::set`].
    Set(SetId),
    /// [`super::table`].
    Table(SetId, Epoch),
    /// [`super::request`].
    Request(RequestId),
    /// [`super::stream`].
    Stream(StreamId),
    /// [`super::pod`].
    Pod(ValidatorId),
    /// [`super::exposure`].
    Exposure(Address),
    /// [`super::earnings`].
    Rewards(Address),
    /// [`super::exits`].
    Exits(Address),
}

/// The entries that the answer to a read is made of, ascending. Of what does not exist, the entry that would be there. Costs as the answer.
pub fn stands_on(state: &State, read: &Read) -> Vec<Key> {
    let mut found = Found { state, keys: BTreeSet::new() };
    match *read {
        Read::Account(account) => found.account(account),
        Read::Positions(account) => found.positions(account),
        Read::Asset(asset) => found.add(Key::Asset(asset)),
        Read::Operator(operator) => found.operator(operator),
        Read::Pool(pool) => found.pool(pool),
        Read::Service(service) => found.service(service),
        Read::Set(set) => found.set(set),
        Read::Table(set, epoch) => found.table(set, epoch),
        Read::Request(request) => found.request(request),
        Read::Stream(stream) => found.stream(stream),
        Read::Pod(pod) => found.pod(pod),
        Read::Exposure(account) => found.exposure(account),
        Read::Rewards(account) => found.rewards(account),
        Read::Exits(account) => found.exits(account),
    }
    found.keys.into_iter().collect()
}

/// Why [`stands_on`] can't name all that the answer to a read is made of; none where it can. What waits in a vault stands on the line in front of it,
/// which has no bound.
pub fn unbounded(state: &State, read: &Read) -> Option<&'static str> {
    let waits = |account: Address| !super::tickets_of(state, account).is_empty();
    let holds = |account: Address| {
        let owner = state.accounts.find(account);
        owner.is_some_and(|owner| state.shares_held_by(owner).next().is_some())
    };
    match *read {
        Read::Exposure(account) if waits(account) => {
            Some("the account waits in a vault, and what it is owed stands on the whole line in front of it")
        }
        Read::Exits(account) if waits(account) || holds(account) => {
            Some("the account has a part of a vault, and when that is paid stands on the vault's whole line")
        }
        _ => None,
    }
}

struct Found<'a> {
    state: &'a State,
    keys: BTreeSet<Key>,
}

impl Found<'_> {
    fn add(&mut self, key: Key) {
        self.keys.insert(key);
    }

    fn owner(&mut self, account: AccountId) {
        self.add(Key::Account(self.state.address_of(account)));
    }

    fn positions(&mut self, account: Address) {
        self.add(Key::Network);
        self.add(Key::Account(account));
        let Some(owner) = self.state.accounts.find(account) else { return };
        for (slot, position) in entries(self.state, owner) {
            self.add(Key::Position { account, pool: position.pool, slot });
            self.add(Key::Pool(position.pool));
        }
    }

    fn account(&mut self, account: Address) {
        self.positions(account);
        let Some(owner) = self.state.accounts.find(account) else { return };
        let validators = self.state.validators.of(owner).map(|(id, _)| Key::Validator(id));
        self.keys.extend(validators);
        let orders = self.state.accounts.get(owner).extra().map_or(&[][..], |extra| &extra.compounding);
        for order in orders {
            self.pool(order.pool);
        }
    }

    fn pod(&mut self, id: ValidatorId) {
        self.add(Key::Network);
        self.add(Key::Pod(id));
        self.add(Key::Validator(id));
        let Some(record) = self.state.validator(id) else { return };
        self.owner(record.account);
    }

    /// A pool with the sets whose caps are in its worst case.
    fn pool(&mut self, id: PoolId) {
        self.add(Key::Network);
        self.add(Key::Pool(id));
        let Some(record) = self.state.pools.get(id.index()) else { return };
        let owners = record.stake.slices().iter().flat_map(|slice| &slice.owners);
        self.keys.extend(owners.map(|owner| Key::Set(owner.set)));
    }

    fn operator(&mut self, id: OperatorId) {
        self.add(Key::Network);
        self.add(Key::Operator(id));
        let Some(record) = self.state.operator(id) else { return };
        self.owner(record.account);
        for (account, _) in &record.split {
            self.owner(*account);
        }
        for (_, pool) in &record.pools {
            self.pool(*pool);
        }
        for set in &record.sets {
            self.table(*set, self.state.epoch);
        }
        self.keys.extend(open_requests(self.state, id).into_iter().map(Key::Request));
    }

    fn service(&mut self, id: ServiceId) {
        self.add(Key::Network);
        self.add(Key::Service(id));
        let Some(record) = self.state.services.get(id.index()) else { return };
        self.owner(record.account);
        self.keys.extend(self.state.sets_of(id).map(Key::Set));
    }

    fn set(&mut self, id: SetId) {
        self.table(id, self.state.epoch);
        let Some(record) = self.state.set(id) else { return };
        self.add(Key::Service(record.service));
        if let Some(service) = self.state.services.get(record.service.index()) {
            self.owner(service.account);
        }
        let assets = record.terms_in(self.state.epoch).assets.iter();
        self.keys.extend(assets.map(|accepted| Key::Asset(accepted.asset)));
        let open =
            record.members.keys().flat_map(|member| super::operators::requests_in(self.state, id, *member));
        self.keys.extend(open.map(Key::Request));
    }

    /// A set, with the table of an epoch.
    fn table(&mut self, id: SetId, epoch: Epoch) {
        self.add(Key::Network);
        self.add(Key::Set(id));
        let from =
            |record: &Set| record.tables.iter().map(|(from, _)| *from).rev().find(|from| *from <= epoch);
        if let Some(from) = self.state.set(id).and_then(from) {
            self.add(Key::Table(id, from));
        }
    }

    fn request(&mut self, id: RequestId) {
        self.add(Key::Network);
        self.add(Key::Request(id));
        let Some(request) = self.state.requests.get(&id) else { return };
        self.owner(request.requester);
        self.add(Key::Set(request.set));
        self.add(Key::Operator(request.operator));
        if let Some(operator) = self.state.operator(request.operator) {
            self.keys.extend(operator.pools.iter().map(|(_, pool)| Key::Pool(*pool)));
        }
    }

    /// What can slash an account, by its own stake and by shares of vaults.
    fn exposure(&mut self, account: Address) {
        self.exits(account);
        let Some(owner) = self.state.accounts.find(account) else { return };
        for (_, position) in entries(self.state, owner) {
            let operator = self.state.pool(position.pool).operator;
            self.add(Key::Operator(operator));
            for request in open_requests(self.state, operator) {
                self.add(Key::Request(request));
                self.keys.extend(self.state.requests.get(&request).map(|request| Key::Set(request.set)));
            }
        }
        for vault in self.shares(account, owner) {
            self.exposure(vault);
        }
    }

    /// When an account's own stake is out, and what can be taken of it until then.
    fn exits(&mut self, account: Address) {
        self.positions(account);
        let Some(owner) = self.state.accounts.find(account) else { return };
        for (_, position) in entries(self.state, owner) {
            self.pool(position.pool);
        }
    }

    /// What an account earns: by its stake, as an operator, and by shares of vaults.
    fn rewards(&mut self, account: Address) {
        self.positions(account);
        let Some(owner) = self.state.accounts.find(account) else { return };
        let positions = entries(self.state, owner);
        let mut operators: BTreeSet<OperatorId> =
            positions.iter().map(|(_, position)| self.state.pool(position.pool).operator).collect();
        operators.extend(self.state.operator_of(account));
        for operator in operators {
            self.payments(operator);
        }
        for vault in self.shares(account, owner) {
            self.positions(vault);
        }
    }

    /// What an operator's pools are paid of.
    fn payments(&mut self, id: OperatorId) {
        self.add(Key::Operator(id));
        let Some(record) = self.state.operator(id) else { return };
        for set in &record.sets {
            self.table(*set, self.state.epoch);
            let Some(own) = self.state.set(*set) else { continue };
            self.keys.extend(own.streams.iter().map(|stream| Key::Stream(*stream)));
            for work in own.work.iter().filter(|work| work.operator == id) {
                self.table(*set, work.epoch);
            }
            let epochs = own.work.iter().map(|work| work.epoch).chain([self.state.epoch]);
            let rows = epochs.filter_map(|epoch| own.table_of(epoch)?.row(id));
            let pools: Vec<PoolId> =
                rows.flat_map(|row| row.contributions.iter().map(|(pool, _)| *pool)).collect();
            self.keys.extend(pools.into_iter().map(Key::Pool));
        }
    }

    /// An account's shares with what the vaults are worth that issue them; the accounts of these.
    fn shares(&mut self, account: Address, owner: AccountId) -> Vec<Address> {
        let mut vaults = Vec::new();
        for share in self.state.shares_held_by(owner) {
            self.keys.extend([Key::Holding { share, account }, Key::Share(share)]);
            let Some(Issuer::Vault(id)) = self.state.share(share).map(|share| share.issuer) else { continue };
            self.keys.extend(super::vault_stands_on(self.state, id));
            vaults.extend(super::vault_account(self.state, id));
        }
        vaults
    }

    fn stream(&mut self, id: StreamId) {
        self.add(Key::Stream(id));
        if let Some(stream) = self.state.streams.get(&id) {
            self.owner(stream.funder);
        }
    }
}
