//! The naive model: the semantics of the ledger, said a second time and as simply as possible. It loops over every staker, keeps
//! every slash and every owner of every part for ever, and counts in exact rationals.
//!
//! # What the two share, and what not
//! The model knows operations, terms, digests and views by the protocol's public types, and nothing of its pools, cohorts, tracks or
//! positions. Where the protocol cuts a number to whole units (a payout, a weight) the model computes the exact number, checks that the
//! whole one lies within the bound, and goes on with the whole one: from there on both argue about the same units, and refusals can be
//! equal to the letter.
//!
//! # What it does not predict
//! Refusals for the shape of an operation (labels, addresses on other chains, counts beyond limits) and caps on concentration, which the
//! workload does not produce. Whether terms and parameters are well formed, and whether a key is possessed, it asks the protocol's and the
//! evidence crate's own functions.

mod accounts;
mod assets;
mod bonds;
mod boundary;
mod certificate;
pub(crate) mod exact;
mod governance;
mod jail;
mod offences;
pub(crate) mod pool;
pub(crate) mod records;
mod rewards;
mod services;
mod sets;
mod slashing;
mod stake;
mod step;
mod streams;
mod undelegate;
mod verify;

use std::collections::BTreeMap;

use protocol::genesis::Parameters;
use protocol::units::{Address, AssetId, Epoch, Fraction, OperatorId, PoolId, SetId, SlashId};
use protocol::view::View;
use protocol::{AssetKind, Genesis};

use pool::Pool;
use records::{
    Account, Asset, Change, Operator, Proceeds, Request, Rules, Set, Stake, Stops, Streams, Validator,
};

pub use verify::Difference;

/// Fails with the name of a refusal unless a condition holds.
macro_rules! ensure {
    ($holds:expr, $name:literal) => {
        if !$holds {
            return Err($name);
        }
    };
}
pub(crate) use ensure;

/// What becomes of an operation: nothing to object, or the name of the refusal.
pub(crate) type Verdict<T = ()> = Result<T, &'static str>;

/// A rule that the model gets wrong on purpose, to see whether anybody notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say what is wrong")]
pub enum Fault {
    NewcomerLiable,
    LeaversEscape,
    SlashesAdd,
    RetainedUncounted,
    RewardByPresentStake,
    WindowCapIgnored,
    BondPaysLast,
    VetoIgnored,
    ConsentAssumed,
    YoungestLeavesFirst,
    FreeOneEpochEarly,
    CommissionOfToday,
    JailedStayOnDuty,
    NativeLossSparesLeavers,
    GraverReportTakesAll,
    CorrelationCountsEpochOnly,
}

impl Fault {
    /// Every one of them.
    pub const ALL: [Self; 16] = [
        Self::NewcomerLiable,
        Self::LeaversEscape,
        Self::SlashesAdd,
        Self::RetainedUncounted,
        Self::RewardByPresentStake,
        Self::WindowCapIgnored,
        Self::BondPaysLast,
        Self::VetoIgnored,
        Self::ConsentAssumed,
        Self::YoungestLeavesFirst,
        Self::FreeOneEpochEarly,
        Self::CommissionOfToday,
        Self::JailedStayOnDuty,
        Self::NativeLossSparesLeavers,
        Self::GraverReportTakesAll,
        Self::CorrelationCountsEpochOnly,
    ];
}

/// The model of one ledger.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) fault: Option<Fault>,
    pub(crate) genesis: Genesis,
    pub(crate) epoch: Epoch,
    pub(crate) parameters: Rules,
    pub(crate) assets: Vec<Asset>,
    pub(crate) accounts: BTreeMap<Address, Account>,
    pub(crate) operators: Vec<Operator>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) stakes: Vec<Stake>,
    pub(crate) validators: Vec<Validator>,
    pub(crate) services: Vec<Address>,
    pub(crate) sets: Vec<Set>,
    pub(crate) requests: Vec<Request>,
    pub(crate) slash_count: u32,
    pub(crate) proceeds: BTreeMap<SlashId, Proceeds>,
    pub(crate) streams: Streams,
    pub(crate) stream_count: u32,
    pub(crate) keys: BTreeMap<evidence::PublicKey, (SetId, OperatorId)>,
    pub(crate) changes: Vec<(Epoch, Change)>,
    pub(crate) stops: Stops,
    pub(crate) deposits: u128,
    /// The ledger's whole units after the last operation, all of them verified.
    pub(crate) seen: View,
    /// What did not agree while the last operation was carried out.
    pub(crate) objection: Option<String>,
}

impl Model {
    /// The model of a ledger in its first epoch.
    pub fn new(genesis: Genesis, seen: View, fault: Option<Fault>) -> Self {
        Self {
            fault,
            epoch: Epoch::ZERO,
            parameters: vec![(Epoch::ZERO, genesis.parameters.clone())],
            genesis,
            assets: Vec::new(),
            accounts: BTreeMap::new(),
            operators: Vec::new(),
            pools: Vec::new(),
            stakes: Vec::new(),
            validators: Vec::new(),
            services: Vec::new(),
            sets: Vec::new(),
            requests: Vec::new(),
            slash_count: 0,
            proceeds: BTreeMap::new(),
            streams: Streams::new(),
            stream_count: 0,
            keys: BTreeMap::new(),
            changes: Vec::new(),
            stops: Stops::default(),
            deposits: 0,
            seen,
            objection: None,
        }
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    pub(crate) fn rules(&self) -> &Parameters {
        self.rules_in(self.epoch)
    }

    /// The parameters that govern an epoch.
    pub(crate) fn rules_in(&self, epoch: Epoch) -> &Parameters {
        let known = self.parameters.iter().rev().find(|(from, _)| *from <= epoch);
        &known.unwrap_or(&self.parameters[0]).1
    }

    /// The last epoch in which a slash for `capture` may be executed.
    pub(crate) fn last_execution(&self, capture: Epoch) -> Epoch {
        let rules = self.rules_in(capture);
        capture.later(rules.slash_window + rules.veto + rules.execution)
    }

    /// First epoch in which nothing can be executed any more for any capture through `last`.
    pub(crate) fn closed_from(&self, last: Epoch) -> Epoch {
        let captures = (last.earlier(LONGEST_REACH).number()..=last.number()).map(Epoch::new);
        captures.map(|capture| self.last_execution(capture).next()).max().unwrap_or(Epoch::ZERO)
    }

    /// The epoch at whose start stake that was bonded through `until` is free.
    pub(crate) fn free_at(&self, until: Epoch) -> Epoch {
        if until == Epoch::NEVER {
            return Epoch::NEVER;
        }
        let early = u32::from(self.has(Fault::FreeOneEpochEarly));
        until.later(self.rules_in(until).unbonding + 1 - early)
    }

    pub(crate) fn is_free(&self, until: Epoch) -> bool {
        until != Epoch::NEVER && self.free_at(until) <= self.epoch
    }

    pub(crate) fn asset(&self, id: AssetId) -> Option<&Asset> {
        self.assets.get(index(id.number()))
    }

    pub(crate) fn asset_mut(&mut self, id: AssetId) -> &mut Asset {
        &mut self.assets[index(id.number())]
    }

    pub(crate) fn is_native(&self, id: AssetId) -> bool {
        self.asset(id).is_some_and(|asset| asset.kind == AssetKind::Native)
    }

    pub(crate) fn account(&self, address: Address) -> Option<&Account> {
        self.accounts.get(&address)
    }

    pub(crate) fn account_mut(&mut self, address: Address) -> &mut Account {
        self.accounts.entry(address).or_default()
    }

    pub(crate) fn free_of(&self, address: Address, asset: AssetId) -> u128 {
        self.account(address).and_then(|account| account.free.get(&asset)).copied().unwrap_or(0)
    }

    pub(crate) fn add_free(&mut self, address: Address, asset: AssetId, amount: u128) {
        *self.account_mut(address).free.entry(asset).or_default() += amount;
    }

    pub(crate) fn take_free(&mut self, address: Address, asset: AssetId, amount: u128) {
        *self.account_mut(address).free.entry(asset).or_default() -= amount;
    }

    pub(crate) fn operator_of(&self, address: Address) -> Option<OperatorId> {
        self.account(address)?.operator
    }

    pub(crate) fn operator(&self, id: OperatorId) -> Option<&Operator> {
        self.operators.get(index(id.number()))
    }

    pub(crate) fn set(&self, id: SetId) -> Option<&Set> {
        self.sets.get(index(id.number()))
    }

    pub(crate) fn set_mut(&mut self, id: SetId) -> &mut Set {
        &mut self.sets[index(id.number())]
    }

    pub(crate) fn is_service(&self, set: &Set, address: Address) -> bool {
        self.services.get(index(set.service.number())) == Some(&address)
    }

    pub(crate) fn pool(&self, id: PoolId) -> &Pool {
        &self.pools[index(id.number())]
    }

    pub(crate) fn pool_mut(&mut self, id: PoolId) -> &mut Pool {
        &mut self.pools[index(id.number())]
    }

    pub(crate) fn pool_of(&self, operator: OperatorId, asset: AssetId) -> Option<PoolId> {
        let place = self.pools.iter().position(|pool| pool.operator == operator && pool.asset == asset)?;
        Some(PoolId::new(number(place)))
    }

    /// The pools of an operator, in the order in which they were opened.
    pub(crate) fn pools_of(&self, operator: OperatorId) -> Vec<PoolId> {
        let pools = self.pools.iter().enumerate().filter(|(_, pool)| pool.operator == operator);
        pools.map(|(place, _)| PoolId::new(number(place))).collect()
    }

    pub(crate) fn set_ids(&self) -> impl Iterator<Item = SetId> + use<> {
        (0..number(self.sets.len())).map(SetId::new)
    }

    pub(crate) fn pool_ids(&self) -> impl Iterator<Item = PoolId> + use<> {
        (0..number(self.pools.len())).map(PoolId::new)
    }

    pub(crate) fn risk_weight(&self, set: SetId) -> Fraction {
        self.set(set).map_or(Fraction::ONE, |record| record.risk_weight(self.epoch))
    }

    /// Notes the first thing that does not agree.
    pub(crate) fn object(&mut self, what: impl FnOnce() -> String) {
        if self.objection.is_none() {
            self.objection = Some(what());
        }
    }
}

/// Longer than any reach that a development genesis admits.
const LONGEST_REACH: u32 = 92;

/// What is in force in an epoch of something that changed.
pub(crate) fn in_force<T: Copy>(history: &[(Epoch, T)], epoch: Epoch) -> T {
    history.iter().rev().find(|(from, _)| *from <= epoch).unwrap_or(&history[0]).1
}

/// From `epoch` on it is `value`; what was planned for later is dropped.
pub(crate) fn plan<T>(history: &mut Vec<(Epoch, T)>, epoch: Epoch, value: T) {
    history.retain(|(from, _)| *from < epoch);
    history.push((epoch, value));
}

pub(crate) fn index(id: u32) -> usize {
    usize::try_from(id).expect("an index fits a word")
}

pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 of a kind")
}
