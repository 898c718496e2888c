//! The state: records with their invariants, and the questions that several operations ask of them.
//!
//! Everything is reached by dense ids into vectors; the index from addresses to accounts is the only hash map, and it is never
//! iterated. Facts are stored, ratios are derived.

pub(crate) mod accounts;
pub(crate) mod ethereum;
pub(crate) mod governance;
pub(crate) mod keys;
mod membership;
pub(crate) mod positions;
pub(crate) mod records;
pub(crate) mod shelf;
pub(crate) mod stake;
pub(crate) mod validators;
pub(crate) mod value;
pub(crate) mod vaults;

use std::collections::BTreeMap;

use crate::genesis::{Genesis, History, Limits, Parameters};
use crate::units::{
    AccountId, Address, Amount, AssetId, Epoch, OperatorId, PoolId, RequestId, ServiceId, SetId, SlashId,
    StreamId, ValidatorId,
};
use accounts::Accounts;
use evidence::PublicKey;
use governance::{GovernanceChange, Stops};
use keys::{KeyName, Registered};
use positions::Positions;
use records::{
    Asset, AssetKind, FollowUp, Operator, Origin, PoolRecord, Request, Service, Set, Slash, Stream, Validator,
};
use shelf::{Book, Noted, Shelf, Touched};

/// The whole state of the ledger.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) genesis: Genesis,
    pub(crate) epoch: Epoch,
    pub(crate) parameters: History<Parameters>,
    pub(crate) assets: Shelf<Asset, 16>,
    /// Which asset has which origin.
    pub(crate) asset_ids: BTreeMap<(Origin, AssetKind), AssetId>,
    pub(crate) accounts: Accounts,
    pub(crate) operators: Shelf<Operator, 4>,
    pub(crate) pools: Shelf<PoolRecord, 1>,
    pub(crate) positions: Positions,
    pub(crate) follow_ups: Book<u32, FollowUp>,
    pub(crate) validators: validators::Validators,
    /// What is behind the withdrawal addresses that have records among the validators.
    pub(crate) pods: Book<ValidatorId, ethereum::Pod>,
    pub(crate) services: Shelf<Service, 32>,
    pub(crate) sets: Shelf<Set, 1>,
    /// Which sets are of which service; follows from the sets.
    pub(crate) set_ids: Book<(ServiceId, SetId), ()>,
    pub(crate) requests: Book<RequestId, Request>,
    /// What each operator of each set is, or was, accused of for each capture epoch.
    pub(crate) request_ids: Book<(SetId, OperatorId, Epoch), RequestId>,
    pub(crate) request_count: u32,
    pub(crate) slashes: Book<SlashId, Slash>,
    pub(crate) slash_count: u32,
    pub(crate) streams: Book<StreamId, Stream>,
    pub(crate) stream_count: u32,
    /// Every key ever registered belongs to one operator of one set.
    pub(crate) key_owners: Book<KeyName, Registered>,
    pub(crate) governance: Vec<(Epoch, GovernanceChange)>,
    pub(crate) stops: Stops,
    /// Deposits for stored objects, in the deposit asset.
    pub(crate) deposits: Amount,
    /// Moves with every change of terms, so that a pool knows when its worst case is old.
    pub(crate) terms_version: u64,
    pub(crate) values: Noted<value::Values>,
    pub(crate) exposure: Noted<crate::certificate::Exposure>,
    /// The time of the block that is executed, in milliseconds since 1970; only nonces and expiries go by it.
    pub(crate) time: u64,
    /// The chain that is followed.
    pub(crate) ethereum: Option<ethereum::Following>,
    /// Stake tables that came or went.
    pub(crate) touched_tables: Touched<(SetId, Epoch)>,
    pub(crate) vaults: vaults::Vaults,
}

impl State {
    /// The state of the first epoch.
    ///
    /// # Errors
    /// The first rule of [`Genesis::check`] that does not hold.
    pub fn new(genesis: Genesis) -> Result<Self, String> {
        genesis.check()?;
        Ok(Self {
            epoch: Epoch::ZERO,
            parameters: History::new(genesis.parameters.clone()),
            assets: Shelf::default(),
            asset_ids: BTreeMap::new(),
            accounts: Accounts::default(),
            operators: Shelf::default(),
            pools: Shelf::default(),
            positions: Positions::default(),
            follow_ups: Book::default(),
            validators: Default::default(),
            pods: Book::default(),
            services: Shelf::default(),
            sets: Shelf::default(),
            set_ids: Book::default(),
            requests: Book::default(),
            request_ids: Book::default(),
            request_count: 0,
            slashes: Book::default(),
            slash_count: 0,
            streams: Book::default(),
            stream_count: 0,
            key_owners: Book::default(),
            governance: Vec::new(),
            stops: Stops::default(),
            deposits: Amount::ZERO,
            terms_version: 0,
            values: Noted::default(),
            exposure: Default::default(),
            time: 0,
            ethereum: genesis.ethereum.as_deref().map(ethereum::Following::new),
            touched_tables: Touched::default(),
            vaults: Default::default(),
            genesis,
        })
    }

    /// Begins a block: nonces and expiries go by its time from now on. Times never go back; an earlier one changes nothing.
    pub fn begin_block(&mut self, time_ms: u64) {
        self.time = self.time.max(time_ms);
    }

    /// The time of the newest block, in milliseconds since 1970.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// The current epoch.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// What was fixed when the ledger started.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The parameters of the current epoch.
    pub fn parameters(&self) -> &Parameters {
        self.parameters.at(self.epoch)
    }

    /// Whether the ledger has heard of an address.
    pub fn knows(&self, address: Address) -> bool {
        self.accounts.find(address).is_some()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.genesis.limits
    }

    /// The last epoch in which a slash for `capture` may be executed.
    pub(crate) fn last_execution(&self, capture: Epoch) -> Epoch {
        capture.later(self.parameters.at(capture).reach())
    }

    /// The last epoch in which a slash for `capture` or any epoch before it may be executed: an older rule may reach further.
    pub(crate) fn last_execution_through(&self, capture: Epoch) -> Epoch {
        let mut last = Epoch::ZERO;
        let mut until = capture;
        for (from, rules) in self.parameters.iter().rev().filter(|(from, _)| *from <= capture) {
            last = last.max(until.later(rules.reach()));
            until = from.previous();
        }
        last
    }

    /// The longest that a slash may take under any rule that counts or is announced.
    pub(crate) fn longest_reach(&self) -> u32 {
        self.parameters.iter().map(|(_, rules)| rules.reach()).max().unwrap_or(0)
    }

    /// The oldest capture epoch for which a slash may still be executed in `now`.
    pub(crate) fn oldest_open(&self, now: Epoch) -> Epoch {
        let mut oldest = now;
        // Newest rule first; an older rule with a longer reach may still keep older captures open.
        let mut until = now;
        for (from, parameters) in self.parameters.iter().rev() {
            if from > now {
                continue;
            }
            let first = now.earlier(parameters.reach()).max(from);
            if first <= until {
                oldest = oldest.min(first);
            }
            until = from.previous();
            if from == Epoch::ZERO {
                break;
            }
        }
        oldest
    }

    /// The epoch at whose start stake that was bonded through `until` is free.
    pub(crate) fn free_at(&self, until: Epoch) -> Epoch {
        if until == Epoch::NEVER {
            return Epoch::NEVER;
        }
        until.later(self.parameters.at(until).unbonding).next()
    }

    /// Whether stake that was bonded through `until` is free now.
    pub(crate) fn is_free(&self, until: Epoch) -> bool {
        until != Epoch::NEVER && self.free_at(until) <= self.epoch
    }

    pub(crate) fn asset(&self, id: AssetId) -> Option<&Asset> {
        self.assets.get(id.index())
    }

    pub(crate) fn asset_mut(&mut self, id: AssetId) -> &mut Asset {
        self.assets.get_mut(id.index()).expect("the asset was checked")
    }

    pub(crate) fn operator(&self, id: OperatorId) -> Option<&Operator> {
        self.operators.get(id.index())
    }

    pub(crate) fn operator_mut(&mut self, id: OperatorId) -> &mut Operator {
        self.operators.get_mut(id.index()).expect("the operator was checked")
    }

    /// The operator that an address has registered.
    pub(crate) fn operator_of(&self, address: Address) -> Option<OperatorId> {
        let account = self.accounts.find(address)?;
        self.accounts.get(account).extra()?.operator
    }

    pub(crate) fn pool(&self, id: PoolId) -> &PoolRecord {
        self.pools.get(id.index()).expect("a pool id is handed out once the pool is there")
    }

    pub(crate) fn pool_mut(&mut self, id: PoolId) -> &mut PoolRecord {
        self.pools.get_mut(id.index()).expect("a pool id is handed out once the pool is there")
    }

    /// The pool of an asset with an operator.
    pub(crate) fn pool_of(&self, operator: OperatorId, asset: AssetId) -> Option<PoolId> {
        let pools = &self.operator(operator)?.pools;
        pools.iter().find(|(listed, _)| *listed == asset).map(|(_, pool)| *pool)
    }

    /// Adds a set, which stays with its service for good.
    pub(crate) fn push_set(&mut self, set: Set) -> SetId {
        let id = SetId::at(self.sets.len());
        self.set_ids.insert((set.service, id), ());
        self.sets.push(set);
        id
    }

    /// The sets of a service, closed ones included, ascending. Costs as there are of them.
    pub(crate) fn sets_of(&self, service: ServiceId) -> impl Iterator<Item = SetId> {
        let listed = self.set_ids.starting_at((service, SetId::new(0)));
        listed.take_while(move |((of, _), ())| *of == service).map(|((_, id), ())| *id)
    }

    pub(crate) fn set(&self, id: SetId) -> Option<&Set> {
        self.sets.get(id.index())
    }

    pub(crate) fn set_mut(&mut self, id: SetId) -> &mut Set {
        self.sets.get_mut(id.index()).expect("the set was checked")
    }

    pub(crate) fn validator(&self, id: ValidatorId) -> Option<&Validator> {
        self.validators.get(id)
    }

    pub(crate) fn validator_mut(&mut self, id: ValidatorId) -> &mut Validator {
        self.validators.get_mut(id).expect("the validator was checked")
    }

    /// Requests against an operator of a set, by ascending capture epoch.
    pub(crate) fn requests_against(
        &self,
        set: SetId,
        operator: OperatorId,
    ) -> impl Iterator<Item = (Epoch, RequestId)> {
        let listed = self.request_ids.starting_at((set, operator, Epoch::ZERO));
        let alike = listed.take_while(move |((s, o, _), _)| (*s, *o) == (set, operator));
        alike.map(|((_, _, capture), id)| (*capture, *id))
    }

    /// What an address has free of an asset, whether or not the ledger knows it.
    pub(crate) fn free_of(&self, address: Address, asset: AssetId) -> Amount {
        self.accounts.find(address).map_or(Amount::ZERO, |account| self.accounts.get(account).free(asset))
    }

    pub(crate) fn is_service(&self, set: &Set, address: Address) -> bool {
        let service = self.services.get(set.service.index());
        service.is_some_and(|service| self.accounts.get(service.account).address == address)
    }

    /// Whose a registered key is.
    pub(crate) fn key_owner(&self, key: &PublicKey) -> Option<(SetId, OperatorId)> {
        self.key_owners.get(&KeyName::of(key)).map(|registered| (registered.set, registered.operator))
    }

    /// Registers a key, for ever.
    pub(crate) fn own_key(&mut self, key: &PublicKey, set: SetId, operator: OperatorId) {
        self.key_owners.insert(KeyName::of(key), Registered { key: key.clone(), set, operator });
    }

    /// Whether an address can post `deposit` of the deposit asset; otherwise what it has.
    pub(crate) fn can_post(&self, address: Address, deposit: Amount) -> Result<(), Amount> {
        let free = self.free_of(address, self.genesis.deposit_asset);
        if deposit.is_zero() || deposit <= free { Ok(()) } else { Err(free) }
    }

    /// Posts a deposit that [`State::can_post`] has checked.
    pub(crate) fn post(&mut self, account: AccountId, deposit: Amount) {
        if !deposit.is_zero() {
            self.accounts.get_mut(account).take_free(self.genesis.deposit_asset, deposit);
            self.deposits.grow(deposit);
        }
    }

    /// Returns a deposit, or a part of it, to an account.
    pub(crate) fn return_deposit(&mut self, account: AccountId, deposit: Amount) {
        if !deposit.is_zero() {
            self.deposits.shrink(deposit);
            self.accounts.get_mut(account).add_free(self.genesis.deposit_asset, deposit);
        }
    }

    /// Burns a deposit.
    pub(crate) fn burn_deposit(&mut self, deposit: Amount) {
        if !deposit.is_zero() {
            self.deposits.shrink(deposit);
            self.asset_mut(self.genesis.deposit_asset).burnt.grow(deposit);
        }
    }
}
