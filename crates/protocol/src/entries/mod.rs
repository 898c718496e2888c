//! The state as entries: every record under a key of 32 bytes, in canonical bytes, so that a store can commit to them and prove each.
//!
//! What is here names and copies; it decides nothing. An entry holds exactly what the rules read: a state that was restored from its
//! entries goes on as the one that wrote them.

mod fields;
mod key;
mod restore;
mod show;
mod vaults;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::codec::to_bytes;
use crate::genesis::{History, Parameters};
use crate::state::State;
use crate::state::ethereum::{HeaderEntry, Part};
use crate::state::governance::{GovernanceChange, Stops};
use crate::state::keys::KeyName;
use crate::state::positions::Position;
use crate::state::records::FollowUp;
use crate::units::{AccountId, Amount, AssetId, Epoch, OperatorId, PoolId, ServiceId, SetId, ValidatorId};

pub use fields::Field;
pub use key::{KEY_BYTES, Key};
pub use show::show;

/// The entry of the network.
#[derive(Serialize, Deserialize)]
struct Network {
    epoch: Epoch,
    time: u64,
    parameters: History<Parameters>,
    governance: Vec<(Epoch, GovernanceChange)>,
    stops: Stops,
    deposits: Amount,
    terms_version: u64,
    requests: u32,
    slashes: u32,
    streams: u32,
}

/// The entry of an account: its own number comes first.
#[derive(Serialize, Deserialize)]
struct AccountEntry<A> {
    id: AccountId,
    account: A,
}

/// The entry of a position.
#[derive(Serialize, Deserialize)]
struct PositionEntry {
    position: Position,
    follow_up: Option<FollowUp>,
}

/// What names a part of the followed chain.
fn part_key(part: Part) -> Key {
    match part {
        Part::Record => Key::Chain,
        Part::Committee(period) => Key::Committee(period),
        Part::Candidate => Key::Candidate,
    }
}

impl State {
    /// From now on it notes which entries are touched.
    pub fn track(&mut self) {
        self.values.take();
        self.exposure.take();
        self.assets.touched().start();
        self.accounts.touched().start();
        self.positions.touched().start();
        self.positions.removed().start();
        self.operators.touched().start();
        self.pools.touched().start();
        self.follow_ups.touched().start();
        self.validators.touched().start();
        self.services.touched().start();
        self.sets.touched().start();
        self.touched_tables.start();
        self.requests.touched().start();
        self.slashes.touched().start();
        self.streams.touched().start();
        self.key_owners.touched().start();
        self.pods.touched().start();
        if let Some(following) = &mut self.ethereum {
            following.touched.start();
            following.headers.touched().start();
        }
        self.track_vaults();
    }

    /// The entries that may have changed since this was last asked, ascending, each once; the network's always: it holds the time.
    pub fn take_touched(&mut self) -> Vec<Key> {
        let mut keys = vec![Key::Network];
        keys.extend(self.values.take().then_some(Key::Values));
        keys.extend(self.exposure.take().then_some(Key::Exposure));
        keys.extend(self.assets.touched().take().into_iter().map(|id| Key::Asset(AssetId::new(id))));
        let accounts = self.accounts.touched().take();
        keys.extend(accounts.into_iter().map(|id| self.account_key(AccountId::new(id))));
        let removed = self.positions.removed().take();
        keys.extend(removed.into_iter().map(|(account, pool, slot)| self.position_key(account, pool, slot)));
        let mut slots = self.positions.touched().take();
        slots.extend(self.follow_ups.touched().take());
        let there = slots.into_iter().filter_map(|slot| Some((slot, *self.positions.find(slot)?)));
        let there: Vec<Key> =
            there.map(|(slot, position)| self.position_key(position.account, position.pool, slot)).collect();
        keys.extend(there);
        let operators = self.operators.touched().take();
        keys.extend(operators.into_iter().map(|id| Key::Operator(OperatorId::new(id))));
        keys.extend(self.pools.touched().take().into_iter().map(|id| Key::Pool(PoolId::new(id))));
        let validators = self.validators.touched().take();
        keys.extend(validators.into_iter().map(|id| Key::Validator(ValidatorId::new(id))));
        keys.extend(self.services.touched().take().into_iter().map(|id| Key::Service(ServiceId::new(id))));
        keys.extend(self.sets.touched().take().into_iter().map(|id| Key::Set(SetId::new(id))));
        keys.extend(self.touched_tables.take().into_iter().map(|(set, epoch)| Key::Table(set, epoch)));
        keys.extend(self.requests.touched().take().into_iter().map(Key::Request));
        keys.extend(self.slashes.touched().take().into_iter().map(Key::Slash));
        keys.extend(self.streams.touched().take().into_iter().map(Key::Stream));
        keys.extend(self.key_owners.touched().take().into_iter().map(|name| Key::KeyOwner(name.0)));
        keys.extend(self.pods.touched().take().into_iter().map(Key::Pod));
        if let Some(following) = &mut self.ethereum {
            keys.extend(following.touched.take().into_iter().map(part_key));
            keys.extend(following.headers.touched().take().into_iter().map(Key::Header));
        }
        keys.extend(self.take_touched_vaults());
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn account_key(&self, id: AccountId) -> Key {
        Key::Account(self.accounts.get(id).address)
    }

    fn position_key(&self, account: AccountId, pool: PoolId, slot: u32) -> Key {
        Key::Position { account: self.accounts.get(account).address, pool, slot }
    }

    /// Every entry's key, ascending.
    pub fn keys(&self) -> Vec<Key> {
        fn dense(count: usize, key: impl Fn(u32) -> Key) -> impl Iterator<Item = Key> {
            (0..u32::try_from(count).unwrap_or(u32::MAX)).map(key)
        }
        let mut keys = vec![Key::Genesis, Key::Network, Key::Values, Key::Exposure];
        keys.extend(dense(self.assets.len(), |id| Key::Asset(AssetId::new(id))));
        keys.extend(self.accounts.iter().map(|(_, account)| Key::Account(account.address)));
        keys.extend(self.positions.iter().map(|(slot, p)| self.position_key(p.account, p.pool, slot)));
        keys.extend(dense(self.operators.len(), |id| Key::Operator(OperatorId::new(id))));
        keys.extend(dense(self.pools.len(), |id| Key::Pool(PoolId::new(id))));
        keys.extend(dense(self.validators.len(), |id| Key::Validator(ValidatorId::new(id))));
        keys.extend(dense(self.services.len(), |id| Key::Service(ServiceId::new(id))));
        keys.extend(dense(self.sets.len(), |id| Key::Set(SetId::new(id))));
        for (index, set) in self.sets.iter().enumerate() {
            keys.extend(set.tables.iter().map(|(epoch, _)| Key::Table(SetId::at(index), *epoch)));
        }
        keys.extend(self.requests.keys().copied().map(Key::Request));
        keys.extend(self.slashes.keys().copied().map(Key::Slash));
        keys.extend(self.streams.keys().copied().map(Key::Stream));
        keys.extend(self.key_owners.keys().map(|name| Key::KeyOwner(name.0)));
        keys.extend(self.pods.keys().map(|id| Key::Pod(*id)));
        if let Some(following) = &self.ethereum {
            keys.extend(following.parts().into_iter().map(part_key));
            keys.extend(following.headers.keys().map(|slot| Key::Header(*slot)));
        }
        keys.extend(self.keys_of_vaults());
        keys.sort_unstable();
        keys
    }

    /// The bytes of an entry; `None` where there is none.
    pub fn entry(&self, key: &Key) -> Option<Vec<u8>> {
        match key {
            Key::Genesis => Some(to_bytes(&self.genesis)),
            Key::Network => Some(to_bytes(&self.network())),
            Key::Values => Some(to_bytes(&*self.values)),
            Key::Exposure => Some(to_bytes(&*self.exposure)),
            Key::Asset(id) => self.asset(*id).map(to_bytes),
            Key::Account(address) => {
                let id = self.accounts.find(*address)?;
                Some(to_bytes(&AccountEntry { id, account: self.accounts.get(id) }))
            }
            Key::Position { account, pool, slot } => {
                let position = *self.positions.find(*slot)?;
                let is_this =
                    position.pool == *pool && self.accounts.get(position.account).address == *account;
                let follow_up = self.follow_ups.get(slot).cloned();
                is_this.then(|| to_bytes(&PositionEntry { position, follow_up }))
            }
            Key::Operator(id) => self.operator(*id).map(to_bytes),
            Key::Pool(id) => self.pools.get(id.index()).map(to_bytes),
            Key::Validator(id) => self.validator(*id).map(to_bytes),
            Key::Service(id) => self.services.get(id.index()).map(to_bytes),
            Key::Set(id) => self.set(*id).map(to_bytes),
            Key::Table(id, epoch) => {
                let tables = &self.set(*id)?.tables;
                let index = tables.binary_search_by_key(epoch, |(from, _)| *from).ok()?;
                tables.get(index).map(|(_, table)| to_bytes(table))
            }
            Key::Request(id) => self.requests.get(id).map(to_bytes),
            Key::Slash(id) => self.slashes.get(id).map(to_bytes),
            Key::Stream(id) => self.streams.get(id).map(to_bytes),
            Key::KeyOwner(name) => self.key_owners.get(&KeyName(*name)).map(to_bytes),
            Key::Pod(id) => self.pods.get(id).map(to_bytes),
            Key::Chain | Key::Committee(_) | Key::Candidate | Key::Header(_) => self.chain_entry(key),
            of_vaults => self.entry_of_vaults(of_vaults),
        }
    }

    fn chain_entry(&self, key: &Key) -> Option<Vec<u8>> {
        let following = self.ethereum.as_ref()?;
        match key {
            Key::Chain => Some(to_bytes(&following.record)),
            Key::Committee(period) => following.committee(*period).map(to_bytes),
            Key::Candidate => following.light.as_deref()?.best().map(to_bytes),
            Key::Header(slot) => {
                let (header, opened) =
                    (following.header(*slot)?.clone(), following.headers.get(slot)?.clone());
                Some(to_bytes(&HeaderEntry { header, opened }))
            }
            _ => None,
        }
    }

    fn network(&self) -> Network {
        Network {
            epoch: self.epoch,
            time: self.time,
            parameters: self.parameters.clone(),
            governance: self.governance.clone(),
            stops: self.stops,
            deposits: self.deposits,
            terms_version: self.terms_version,
            requests: self.request_count,
            slashes: self.slash_count,
            streams: self.stream_count,
        }
    }
}
