//! Who owns what: accounts by address, their balances, keys and delegates.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use evidence::PublicKey;
use hashbrown::HashTable;

use serde::{Deserialize, Serialize};

use super::shelf::{Shelf, Touched};
use crate::operation::Kind;
use crate::units::{
    AccountId, Address, Amount, AssetId, Digest, Epoch, Fraction, OperatorId, PoolId, ServiceId,
};

/// Accounts by dense id. The address index is never iterated, so nothing depends on its order; its seed is the process's own, so that
/// nobody can choose addresses that collide.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    /// In shards that clones share until one of them writes.
    index: Vec<Arc<HashTable<(Address, AccountId)>>>,
    /// Hashes an address, once for its shard and its place in it.
    seed: RandomState,
    list: Shelf<Account, 4>,
}

/// Shards of the address index: a write after a clone copies one.
const SHARDS: u64 = 1024;

/// By bits of the hash that the shard itself does not go by.
fn shard(hash: u64) -> usize {
    let shard = (hash >> 32).checked_rem(SHARDS);
    shard.and_then(|shard| usize::try_from(shard).ok()).expect("there are shards, and few")
}

impl Default for Accounts {
    fn default() -> Self {
        let shard = Arc::new(HashTable::new());
        Self {
            index: (0..SHARDS).map(|_| shard.clone()).collect(),
            seed: RandomState::new(),
            list: Shelf::default(),
        }
    }
}

impl Accounts {
    pub(crate) fn find(&self, address: Address) -> Option<AccountId> {
        let hash = self.seed.hash_one(address);
        let found = self.index.get(shard(hash))?.find(hash, |(known, _)| *known == address);
        found.map(|(_, id)| *id)
    }

    fn index(&mut self, address: Address, id: AccountId) {
        let (hash, seed) = (self.seed.hash_one(address), &self.seed);
        let shard = self.index.get_mut(shard(hash)).expect("a shard is below their number");
        Arc::make_mut(shard).insert_unique(hash, (address, id), |(known, _)| seed.hash_one(known));
    }

    /// The account of an address, from its first mention on.
    pub(crate) fn open(&mut self, address: Address) -> AccountId {
        if let Some(id) = self.find(address) {
            return id;
        }
        let next = AccountId::at(self.list.len());
        self.index(address, next);
        self.list.push(Account::new(address));
        next
    }

    /// Puts back an account with the id that it had.
    pub(crate) fn restore(&mut self, account: Account) {
        self.index(account.address, AccountId::at(self.list.len()));
        self.list.push(account);
    }

    /// What notes the touched ids.
    pub(crate) fn touched(&mut self) -> &mut Touched<u32> {
        self.list.touched()
    }

    pub(crate) fn get(&self, id: AccountId) -> &Account {
        self.list.get(id.index()).expect("an account id is handed out once the account is there")
    }

    pub(crate) fn get_mut(&mut self, id: AccountId) -> &mut Account {
        self.list.get_mut(id.index()).expect("an account id is handed out once the account is there")
    }

    /// How many were ever mentioned.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// By order of appearance.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.list.iter().enumerate().map(|(index, account)| (AccountId::at(index), account))
    }
}

/// One account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) address: Address,
    /// Head of its list of positions; [`super::positions::NONE`] for none.
    pub(crate) first_position: u32,
    /// How many entries of stake it has.
    pub(crate) position_count: u32,
    /// Only what is not zero, by asset.
    balances: Vec<Balance>,
    /// What most accounts don't have.
    extra: Option<Box<Extra>>,
    /// Once somebody has signed for it.
    nonces: Option<Box<Nonces>>,
}

/// How far a nonce of the windowed class may be from the ledger's time: a day, in milliseconds.
pub(crate) const NONCE_WINDOW_MS: u64 = 24 * 60 * 60 * 1000;
/// How many of the highest nonces of that class are kept for a key.
pub(crate) const NONCES_MAX: usize = 64;

/// The nonces of an account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Nonces {
    /// Of each key, where one suffices: by first use.
    keys: Vec<(PublicKey, KeyNonces)>,
    /// Of all keys together, where it takes several or ever did.
    together: KeyNonces,
    /// Whether it ever took several. Then the keys keep to the account's numbers also where one suffices: seals that were made together
    /// would be an operation each otherwise.
    is_shared: bool,
    /// The ordered number from which a key starts that is not among `keys`: no lower one can be left over from its earlier days.
    floor: u64,
}

/// What has been signed with, by one key or by all of an account together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyNonces {
    /// The next of the ordered class.
    pub(crate) next: u64,
    /// Used ones of the windowed class, ascending: the highest, and none that is too old to come again.
    pub(crate) used: Vec<u64>,
}

/// Whose numbers count: of a key that suffices; or of the account, where it takes several or ever did.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signing<'a> {
    Alone(&'a PublicKey),
    Together,
}

impl Nonces {
    /// From now on the keys keep to the account's numbers.
    pub(crate) fn share(&mut self) {
        self.is_shared = true;
    }

    fn of(&self, key: &PublicKey) -> Option<&KeyNonces> {
        self.keys.iter().find(|(known, _)| known == key).map(|(_, nonces)| nonces)
    }

    /// Those that what is signed now must not repeat: a signature made while one key sufficed is none of several, and the other way round.
    pub(crate) fn against<'a>(&'a self, signing: Signing<'a>) -> impl Iterator<Item = &'a KeyNonces> {
        let counts = move |key: &PublicKey| match signing {
            Signing::Alone(alone) => alone == key,
            Signing::Together => true,
        };
        let keys = self.keys.iter().filter(move |(key, _)| counts(key)).map(|(_, nonces)| nonces);
        keys.chain([&self.together])
    }

    /// The next of the ordered class.
    pub(crate) fn next(&self, signing: Signing<'_>) -> u64 {
        let next = self.against(signing).map(|nonces| nonces.next).max().unwrap_or(0);
        match signing {
            Signing::Alone(key) if self.of(key).is_some() => next,
            _ => next.max(self.floor),
        }
    }

    /// Of each key that has signed alone, by first use.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter().map(|(key, _)| key)
    }

    /// Counts a number of the ordered class.
    pub(crate) fn count_ordered(&mut self, signing: Signing<'_>) {
        let next = self.next(signing).saturating_add(1);
        self.place(signing).next = next;
    }

    /// Counts a number of the windowed class; what lies before `oldest` can't come again.
    pub(crate) fn count_windowed(&mut self, signing: Signing<'_>, nonce: u64, oldest: u64) {
        self.place(signing).count(nonce, oldest);
    }

    fn place(&mut self, signing: Signing<'_>) -> &mut KeyNonces {
        let Signing::Alone(key) = signing else { return &mut self.together };
        let place = self.keys.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
            let nonces = KeyNonces { next: self.floor, used: Vec::new() };
            self.keys.push((key.clone(), nonces));
            self.keys.len().saturating_sub(1)
        });
        &mut self.keys.get_mut(place).expect("it was found or added").1
    }

    /// Forgets the keys that act no more and whose numbers can't come again.
    pub(crate) fn forget(&mut self, acts: impl Fn(&PublicKey) -> bool, oldest: u64) {
        let mut floor = self.floor;
        self.keys.retain(|(key, nonces)| {
            let is_kept = acts(key) || nonces.can_come_again(oldest);
            if !is_kept {
                floor = floor.max(nonces.next);
            }
            is_kept
        });
        self.floor = floor;
    }

    /// How many keys that act no more [`Nonces::forget`] would keep.
    pub(crate) fn lingering(&self, acts: impl Fn(&PublicKey) -> bool, oldest: u64) -> usize {
        self.keys.iter().filter(|(key, nonces)| !acts(key) && nonces.can_come_again(oldest)).count()
    }
}

impl KeyNonces {
    /// Whether one of the windowed class is not older than `oldest`.
    fn can_come_again(&self, oldest: u64) -> bool {
        self.used.last().is_some_and(|newest| *newest >= oldest)
    }

    /// Counts one of the windowed class; what lies before `oldest` can't come again.
    pub(crate) fn count(&mut self, nonce: u64, oldest: u64) {
        let place = self.used.partition_point(|used| *used < nonce);
        self.used.insert(place, nonce);
        let stale = self.used.partition_point(|used| *used < oldest);
        let surplus = self.used.len().saturating_sub(NONCES_MAX);
        self.used.drain(..stale.max(surplus));
    }
}

/// What an account has of one asset outside of pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Balance {
    pub(crate) asset: AssetId,
    /// Free to delegate or to withdraw.
    pub(crate) free: Amount,
    /// Rewards that were settled and not yet claimed.
    pub(crate) claimable: Amount,
}

/// What most accounts don't have.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Extra {
    /// The operator and the service that it has registered.
    pub(crate) operator: Option<OperatorId>,
    pub(crate) service: Option<ServiceId>,
    pub(crate) keys: Option<KeySet>,
    pub(crate) pending_keys: Option<(Epoch, KeySet)>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) claimer: Option<Address>,
    pub(crate) compounding: Vec<Compounding>,
    /// How many terms name it as slasher, resolver or beneficiary: then new owners are a change of terms.
    pub(crate) roles: u32,
}

/// The keys of an account and how many of them must sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeySet {
    pub(crate) keys: Vec<PublicKey>,
    /// `k`.
    pub(crate) threshold: u16,
}

/// What a delegate may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) delegate: Address,
    pub(crate) kinds: Vec<Kind>,
    /// The most of each asset it may move per epoch; an asset that is not named is not limited.
    pub(crate) limits: Vec<(AssetId, Amount)>,
    /// What it moved in the epoch `spent_in`.
    pub(crate) spent: Vec<(AssetId, Amount)>,
    pub(crate) spent_in: Epoch,
    /// Last epoch in which it holds.
    pub(crate) expires: Epoch,
}

/// A standing order: what a pool earns in its own asset is claimed and delegated again by anyone's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Compounding {
    pub(crate) pool: PoolId,
    pub(crate) mandate: Digest,
    pub(crate) worst_case: Fraction,
}

impl Account {
    fn new(address: Address) -> Self {
        Self {
            address,
            first_position: super::positions::NONE,
            position_count: 0,
            balances: Vec::new(),
            extra: None,
            nonces: None,
        }
    }

    pub(crate) fn balances(&self) -> &[Balance] {
        &self.balances
    }

    pub(crate) fn free(&self, asset: AssetId) -> Amount {
        self.balance(asset).map_or(Amount::ZERO, |balance| balance.free)
    }

    pub(crate) fn claimable(&self, asset: AssetId) -> Amount {
        self.balance(asset).map_or(Amount::ZERO, |balance| balance.claimable)
    }

    fn balance(&self, asset: AssetId) -> Option<&Balance> {
        let index = self.balances.binary_search_by_key(&asset, |balance| balance.asset).ok()?;
        self.balances.get(index)
    }

    /// Changes one balance; what is empty afterwards takes no room.
    pub(crate) fn change(&mut self, asset: AssetId, change: impl FnOnce(&mut Balance)) {
        let index = match self.balances.binary_search_by_key(&asset, |balance| balance.asset) {
            Ok(index) => index,
            Err(index) => {
                let (free, claimable) = (Amount::ZERO, Amount::ZERO);
                self.balances.insert(index, Balance { asset, free, claimable });
                index
            }
        };
        let balance = self.balances.get_mut(index).expect("the balance was just found or added");
        change(balance);
        if balance.free.is_zero() && balance.claimable.is_zero() {
            self.balances.remove(index);
            if self.balances.is_empty() {
                self.balances = Vec::new();
            }
        }
    }

    pub(crate) fn add_free(&mut self, asset: AssetId, amount: Amount) {
        self.change(asset, |balance| balance.free.grow(amount));
    }

    pub(crate) fn take_free(&mut self, asset: AssetId, amount: Amount) {
        self.change(asset, |balance| balance.free.shrink(amount));
    }

    pub(crate) fn add_claimable(&mut self, asset: AssetId, amount: Amount) {
        self.change(asset, |balance| balance.claimable.grow(amount));
    }

    pub(crate) fn extra(&self) -> Option<&Extra> {
        self.extra.as_deref()
    }

    pub(crate) fn nonces(&self) -> Option<&Nonces> {
        self.nonces.as_deref()
    }

    pub(crate) fn nonces_mut(&mut self) -> &mut Nonces {
        self.nonces.get_or_insert_default()
    }

    pub(crate) fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    pub(crate) fn grants(&self) -> &[Grant] {
        self.extra().map_or(&[], |extra| &extra.grants)
    }
}

impl Account {
    /// Whether its keys keep to one number in `epoch`: it takes several, or ever did.
    pub(crate) fn shares_numbers(&self, epoch: Epoch) -> bool {
        let own = self.extra().and_then(|extra| KeySet::in_force(extra, epoch));
        own.is_some_and(|own| own.threshold > 1) || self.nonces().is_some_and(|nonces| nonces.is_shared)
    }

    /// Whose numbers count of what is signed in `epoch`.
    pub(crate) fn signing<'a>(&self, alone: &'a PublicKey, epoch: Epoch) -> Signing<'a> {
        if self.shares_numbers(epoch) { Signing::Together } else { Signing::Alone(alone) }
    }
}

impl KeySet {
    /// The keys in force in `epoch`.
    pub(crate) fn in_force(extra: &Extra, epoch: Epoch) -> Option<&Self> {
        match &extra.pending_keys {
            Some((from, keys)) if *from <= epoch => Some(keys),
            _ => extra.keys.as_ref(),
        }
    }
}
