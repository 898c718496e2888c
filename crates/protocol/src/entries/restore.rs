//! From entries to a state.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::Arc;

use super::vaults::VaultParts;
use super::{AccountEntry, Key, Network, PositionEntry};
use crate::certificate::Exposure;
use crate::codec::from_bytes;
use crate::genesis::Genesis;
use crate::state::State;
use crate::state::accounts::Account;
use crate::state::ethereum::{HeaderEntry, Pod, Restored};
use crate::state::keys::{KeyName, Registered};
use crate::state::records::{
    Asset, Operator, PoolRecord, Request, Service, Set, Slash, Stream, Table, Validator,
};
use crate::state::value::Values;
use crate::units::{
    AccountId, Address, AssetId, Epoch, OperatorId, PoolId, RequestId, ServiceId, SetId, SlashId, StreamId,
    ValidatorId,
};

impl State {
    /// The state of those entries, in any order.
    ///
    /// # Errors
    /// The first entry that can't be read or does not fit the others. Entries that a state wrote always do.
    pub fn restore(entries: impl IntoIterator<Item = (Key, Vec<u8>)>) -> Result<Self, String> {
        let mut parts = Parts::default();
        for (key, bytes) in entries {
            parts.add(key, &bytes).map_err(|why| format!("entry {key}: {why}"))?;
        }
        parts.assemble()
    }
}

/// The records of a state while they are read.
#[derive(Default)]
struct Parts {
    genesis: Option<Genesis>,
    network: Option<Network>,
    values: Values,
    exposure: Exposure,
    accounts: BTreeMap<AccountId, Account>,
    /// With the address that the key names.
    positions: BTreeMap<u32, (Address, PositionEntry)>,
    assets: BTreeMap<AssetId, Asset>,
    operators: BTreeMap<OperatorId, Operator>,
    pools: BTreeMap<PoolId, PoolRecord>,
    validators: BTreeMap<ValidatorId, Validator>,
    services: BTreeMap<ServiceId, Service>,
    sets: BTreeMap<SetId, Set>,
    tables: BTreeMap<(SetId, Epoch), Table>,
    requests: BTreeMap<RequestId, Request>,
    slashes: BTreeMap<SlashId, Slash>,
    streams: BTreeMap<StreamId, Stream>,
    key_owners: Vec<(KeyName, Registered)>,
    pods: BTreeMap<ValidatorId, Pod>,
    ethereum: Restored,
    vaults: VaultParts,
}

impl Parts {
    fn add(&mut self, key: Key, bytes: &[u8]) -> Result<(), String> {
        match key {
            Key::Genesis => self.genesis = Some(from_bytes(bytes)?),
            Key::Network => self.network = Some(from_bytes(bytes)?),
            Key::Values => self.values = from_bytes(bytes)?,
            Key::Exposure => self.exposure = from_bytes(bytes)?,
            Key::Asset(id) => drop(self.assets.insert(id, from_bytes(bytes)?)),
            Key::Account(address) => {
                let entry: AccountEntry<Account> = from_bytes(bytes)?;
                let found = entry.account.address;
                if found != address {
                    return Err(format!("it is the account of {found}"));
                }
                self.accounts.insert(entry.id, entry.account);
            }
            Key::Position { account, pool, slot } => {
                let entry: PositionEntry = from_bytes(bytes)?;
                if entry.position.pool != pool {
                    return Err(format!("it is a position in pool {}", entry.position.pool));
                }
                self.positions.insert(slot, (account, entry));
            }
            Key::Operator(id) => drop(self.operators.insert(id, from_bytes(bytes)?)),
            Key::Pool(id) => drop(self.pools.insert(id, from_bytes(bytes)?)),
            Key::Validator(id) => drop(self.validators.insert(id, from_bytes(bytes)?)),
            Key::Service(id) => drop(self.services.insert(id, from_bytes(bytes)?)),
            Key::Set(id) => drop(self.sets.insert(id, from_bytes(bytes)?)),
            Key::Table(id, epoch) => drop(self.tables.insert((id, epoch), from_bytes(bytes)?)),
            Key::Request(id) => drop(self.requests.insert(id, from_bytes(bytes)?)),
            Key::Slash(id) => drop(self.slashes.insert(id, from_bytes(bytes)?)),
            Key::Stream(id) => drop(self.streams.insert(id, from_bytes(bytes)?)),
            Key::KeyOwner(name) => self.key_owners.push((KeyName(name), from_bytes(bytes)?)),
            Key::Pod(id) => drop(self.pods.insert(id, from_bytes(bytes)?)),
            Key::Chain => self.ethereum.record = from_bytes(bytes)?,
            Key::Committee(period) => drop(self.ethereum.committees.insert(period, from_bytes(bytes)?)),
            Key::Candidate => self.ethereum.candidate = Some(from_bytes(bytes)?),
            Key::Header(slot) => {
                let entry: HeaderEntry = from_bytes(bytes)?;
                let found = entry.header.header().slot;
                if found != slot {
                    return Err(format!("it is the header of slot {found}"));
                }
                self.ethereum.headers.insert(slot, entry);
            }
            of_vaults => self.vaults.add(of_vaults, bytes)?,
        }
        Ok(())
    }

    fn assemble(mut self) -> Result<State, String> {
        let genesis = self.genesis.take().ok_or("there is no entry genesis")?;
        let network = self.network.take().ok_or("there is no entry network")?;
        let mut state = State::new(genesis)?;
        state.epoch = network.epoch;
        state.time = network.time;
        state.parameters = network.parameters;
        state.governance = network.governance;
        state.stops = network.stops;
        state.deposits = network.deposits;
        state.terms_version = network.terms_version;
        (state.request_count, state.slash_count, state.stream_count) =
            (network.requests, network.slashes, network.streams);
        *state.values = take(&mut self.values);
        *state.exposure = take(&mut self.exposure);
        self.put_stake(&mut state)?;
        self.put_duties(&mut state)?;
        if let Some(following) = &mut state.ethereum {
            following.restore(take(&mut self.ethereum))?;
        }
        self.vaults.put(&mut state)?;
        Ok(state)
    }

    /// Assets, and who has what of them where.
    fn put_stake(&mut self, state: &mut State) -> Result<(), String> {
        for (place, (id, asset)) in take(&mut self.assets).into_iter().enumerate() {
            check_place("asset", place, id.index())?;
            state.asset_ids.insert((asset.origin.clone(), asset.kind), id);
            state.assets.push(asset);
        }
        for (place, (id, account)) in take(&mut self.accounts).into_iter().enumerate() {
            check_place("account", place, id.index())?;
            state.accounts.restore(account);
        }
        for (slot, (address, entry)) in take(&mut self.positions) {
            if state.accounts.find(address) != Some(entry.position.account) {
                return Err(format!(
                    "position {slot} is of account {} and not of {address}",
                    entry.position.account
                ));
            }
            state.positions.restore(slot, entry.position);
            if let Some(follow_up) = entry.follow_up {
                state.follow_ups.insert(slot, follow_up);
            }
        }
        for (place, (id, operator)) in take(&mut self.operators).into_iter().enumerate() {
            check_place("operator", place, id.index())?;
            state.operators.push(operator);
        }
        for (place, (id, pool)) in take(&mut self.pools).into_iter().enumerate() {
            check_place("pool", place, id.index())?;
            state.pools.push(pool);
        }
        for (place, (id, validator)) in take(&mut self.validators).into_iter().enumerate() {
            check_place("validator", place, id.index())?;
            state.validators.push(validator);
        }
        for (id, pod) in take(&mut self.pods) {
            state.pods.insert(id, pod);
        }
        Ok(())
    }

    /// Services, what they ask for and what they pay.
    fn put_duties(&mut self, state: &mut State) -> Result<(), String> {
        for (place, (id, service)) in take(&mut self.services).into_iter().enumerate() {
            check_place("service", place, id.index())?;
            state.services.push(service);
        }
        for (place, (id, set)) in take(&mut self.sets).into_iter().enumerate() {
            check_place("set", place, id.index())?;
            state.push_set(set);
        }
        for ((set, epoch), table) in take(&mut self.tables) {
            let missing = || format!("entry table/{set}/{epoch} has no set");
            let record = state.sets.get_mut(set.index()).ok_or_else(missing)?;
            record.tables.push((epoch, Arc::new(table)));
        }
        for (id, request) in take(&mut self.requests) {
            state.request_ids.insert((request.set, request.operator, request.capture), id);
            state.requests.insert(id, request);
        }
        for (id, slash) in take(&mut self.slashes) {
            state.slashes.insert(id, slash);
        }
        for (id, stream) in take(&mut self.streams) {
            state.streams.insert(id, stream);
        }
        for (name, registered) in take(&mut self.key_owners) {
            state.key_owners.insert(name, registered);
        }
        Ok(())
    }
}

/// Dense records come without gaps.
pub(super) fn check_place(sort: &str, place: usize, index: usize) -> Result<(), String> {
    if place == index {
        Ok(())
    } else {
        Err(format!("entry {sort}/{place} is missing before {sort}/{index}"))
    }
}
