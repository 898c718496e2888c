//! What comes in and goes out, rewards, bonds, delegates and governance.

use std::collections::BTreeSet;

use protocol::ops::deposit::Deposit;
use protocol::ops::end_stream::EndStream;
use protocol::ops::govern_asset::GovernAsset;
use protocol::ops::grant::{AssetLimit, Grant};
use protocol::ops::guard::{Guard, Stop};
use protocol::ops::lower_bond::LowerBond;
use protocol::ops::open_stream::OpenStream;
use protocol::ops::pay_work::{PayWork, Payment};
use protocol::ops::propose_parameters::ProposeParameters;
use protocol::ops::raise_bond::RaiseBond;
use protocol::ops::release_bond::ReleaseBond;
use protocol::ops::report_rate::ReportRate;
use protocol::ops::report_validator::ReportValidator;
use protocol::ops::revoke::Revoke;
use protocol::ops::set_claimer::SetClaimer;
use protocol::ops::withdraw::Withdraw;
use protocol::units::{Amount, AssetId, StreamId};
use protocol::{Kind, Operation};

use super::Workload;
use super::world::{LIQUID, NATIVE, REWARD, TOKEN};
use crate::model::{Model, number};
use crate::script::Step;

impl Workload {
    pub(super) fn deposit(&mut self, model: &Model) -> Option<Step> {
        let account = if self.prng.chance(20) { self.operator_account() } else { self.staker() };
        let asset = self.asset(model);
        let amount = Amount::new(self.world.deposit_amount(&mut self.prng));
        let index = if self.prng.chance(5) { Some(3) } else { None };
        let op = Deposit { account: None, asset, amount, index, proof: Default::default() };
        self.ask(account, Operation::Deposit(op))
    }

    pub(super) fn withdraw(&mut self, model: &Model) -> Option<Step> {
        let (account, asset) = (self.staker(), self.asset(model));
        let amount = self.part_of(model.free_of(account, asset) / 4);
        self.ask(account, Operation::Withdraw(Withdraw { asset, amount, to: "0xbeef".to_owned() }))
    }

    pub(super) fn report_rate(&mut self, model: &Model) -> Option<Step> {
        let asset = if self.prng.chance(10) { self.asset(model) } else { LIQUID };
        let rate = model.asset(asset).map_or(1, |asset| asset.rate);
        let percent = u128::from(self.prng.between(70, 110));
        let rate = Amount::new(u128::from(rate) * percent / 100);
        let sender = self.staker();
        self.ask(sender, Operation::ReportRate(ReportRate { asset, rate, proof: Default::default() }))
    }

    pub(super) fn report_validator(&mut self, model: &Model) -> Option<Step> {
        let known = self.prng.pick(&model.validators).cloned().filter(|_| !self.prng.chance(15));
        let owner = self.world.native_owner(&mut self.prng);
        let (number, account, old) = match known {
            Some(known) => (known.number, known.account, known.balance),
            None => (u64::from(self.number_below(4)), owner, 32_000_000_000),
        };
        let balance = match self.prng.below(8) {
            0 => 0,
            1..3 => old,
            3..6 => old / 100 * u128::from(self.prng.between(40, 99)) + u128::from(self.prng.between(0, 99)),
            _ => old + self.prng.amount(old.max(1)),
        };
        let account = if self.prng.chance(5) { self.staker() } else { account };
        let asset = if self.prng.chance(3) { self.asset(model) } else { NATIVE };
        let (balance, proof) = (Amount::new(balance.min(1 << 90)), Default::default());
        let op = ReportValidator { asset, validator: number, account: Some(account), balance, proof };
        let sender = self.staker();
        self.ask(sender, Operation::ReportValidator(op))
    }

    pub(super) fn grant(&mut self, model: &Model) -> Option<Step> {
        let (account, delegate) = (self.staker(), self.staker());
        let all =
            [Kind::Delegate, Kind::Undelegate, Kind::Claim, Kind::Release, Kind::Withdraw, Kind::Compound];
        let count = self.number_below(5);
        let mut kinds: BTreeSet<Kind> = (0..count).filter_map(|_| self.prng.pick(&all).copied()).collect();
        if !self.prng.chance(10) {
            kinds.remove(&Kind::Withdraw);
        }
        let limit = AssetLimit { asset: self.asset(model), amount: Amount::new(self.prng.amount(1 << 40)) };
        let limits = if self.prng.chance(50) { vec![limit] } else { Vec::new() };
        let expires = if self.prng.chance(5) {
            model.epoch.previous()
        } else {
            model.epoch.later(self.prng.between(0, 8))
        };
        let kinds = kinds.into_iter().collect();
        self.ask(account, Operation::Grant(Grant { delegate, kinds, limits, expires }))
    }

    pub(super) fn revoke(&mut self, model: &Model) -> Option<Step> {
        let is_granted = |address: &&protocol::units::Address| {
            model.account(**address).is_some_and(|account| !account.grants.is_empty())
        };
        let granting = self.world.stakers.iter().find(is_granted).copied();
        let account = granting.filter(|_| !self.prng.chance(20)).unwrap_or_else(|| self.staker());
        let known =
            model.account(account).and_then(|account| account.grants.first()).map(|grant| grant.delegate);
        let delegate = known.unwrap_or_else(|| self.staker());
        self.ask(account, Operation::Revoke(Revoke { delegate }))
    }

    pub(super) fn set_claimer(&mut self, _: &Model) -> Option<Step> {
        let account = self.staker();
        let claimer = if self.prng.chance(30) { None } else { Some(self.staker()) };
        self.ask(account, Operation::SetClaimer(SetClaimer { claimer }))
    }

    pub(super) fn raise_bond(&mut self, model: &Model) -> Option<Step> {
        let (account, asset) = self.own_pool(model);
        let amount = self.part_of(model.free_of(account, asset) / 2);
        self.ask(account, Operation::RaiseBond(RaiseBond { asset, amount }))
    }

    pub(super) fn lower_bond(&mut self, model: &Model) -> Option<Step> {
        let bonded: Vec<usize> =
            (0..model.pools.len()).filter(|place| model.pools[*place].standing_bond() > 0).collect();
        let pool = &model.pools[*self.prng.pick(&bonded)?];
        let account = model.operator(pool.operator).map(|operator| operator.account)?;
        let amount = self.part_of(pool.standing_bond());
        self.ask(account, Operation::LowerBond(LowerBond { asset: pool.asset, amount }))
    }

    pub(super) fn release_bond(&mut self, model: &Model) -> Option<Step> {
        let is_leaving = |place: &usize| {
            model.pools[*place].bonds.iter().any(|bond| model.free_at(bond.until) <= model.epoch)
        };
        let leaving: Vec<usize> = (0..model.pools.len()).filter(is_leaving).collect();
        let known =
            self.prng.pick(&leaving).map(|place| (model.pools[*place].operator, model.pools[*place].asset));
        let (operator, asset) = match known {
            Some(known) => known,
            None if self.prng.chance(20) => (self.operator(model), self.asset(model)),
            None => return None,
        };
        let sender = self.staker();
        self.ask(sender, Operation::ReleaseBond(ReleaseBond { operator, asset }))
    }

    pub(super) fn open_stream(&mut self, model: &Model) -> Option<Step> {
        let (set, funder) = (self.set(model), self.staker());
        let token = match self.prng.below(10) {
            0 => self.asset(model),
            1..5 => TOKEN,
            _ => REWARD,
        };
        let fewest = u32::from(!self.prng.chance(2));
        let epochs = self.prng.between(fewest, 8);
        let most = model.free_of(funder, token) / u128::from(epochs.max(1));
        let per_epoch = Amount::new(self.prng.amount(most.clamp(1, 1 << 60)));
        self.ask(funder, Operation::OpenStream(OpenStream { set, token, per_epoch, epochs }))
    }

    pub(super) fn end_stream(&mut self, model: &Model) -> Option<Step> {
        let streams: Vec<StreamId> = model.streams.keys().copied().collect();
        if streams.is_empty() && !self.prng.chance(10) {
            return None;
        }
        let stream = self.prng.pick(&streams).copied().unwrap_or(StreamId::new(99));
        let funder = model.streams.get(&stream).map(|stream| stream.funder).filter(|_| !self.prng.chance(5));
        let sender = funder.unwrap_or_else(|| self.staker());
        self.ask(sender, Operation::EndStream(EndStream { stream }))
    }

    pub(super) fn pay_work(&mut self, model: &Model) -> Option<Step> {
        let (set, funder) = (self.set(model), self.staker());
        let token = if self.prng.chance(20) { self.asset(model) } else { REWARD };
        let epoch = self.recent(model);
        let epoch = if epoch == model.epoch && !self.prng.chance(10) { epoch.previous() } else { epoch };
        let table = model.set(set).and_then(|record| record.tables.get(&epoch)).cloned().unwrap_or_default();
        let free = model.free_of(funder, token).clamp(4, 1 << 60);
        let mut payments = Vec::new();
        for row in table.rows.iter().take(3) {
            let amount = if self.prng.chance(2) { 0 } else { self.prng.amount(free / 4) };
            payments.push(Payment { operator: row.operator, amount: Amount::new(amount) });
        }
        if payments.is_empty() && !self.prng.chance(10) {
            return None;
        }
        if self.prng.chance(3) {
            payments.push(Payment { operator: self.operator(model), amount: Amount::new(1) });
        }
        self.ask(funder, Operation::PayWork(PayWork { set, token, epoch, payments }))
    }

    pub(super) fn propose_parameters(&mut self, model: &Model) -> Option<Step> {
        let mut parameters = model.rules().clone();
        match self.prng.below(6) {
            0 => parameters.slash_window = self.prng.between(0, 3),
            1 => parameters.veto = self.prng.between(0, 3),
            2 => parameters.execution = self.prng.between(1, 3),
            3 => parameters.notice = self.prng.between(1, 3),
            4 => parameters.grace = self.prng.between(1, 3),
            _ => parameters.stale_after = self.prng.between(2, 8),
        }
        let reach = parameters.slash_window + parameters.veto + parameters.execution;
        let shortest = reach.max(3) - u32::from(self.prng.chance(5));
        parameters.unbonding = self.prng.between(shortest, shortest + 3);
        let governor = self.governor();
        self.ask(
            governor,
            Operation::ProposeParameters(ProposeParameters { parameters: Box::new(parameters) }),
        )
    }

    fn governor(&mut self) -> protocol::units::Address {
        if self.prng.chance(5) { self.staker() } else { self.world.genesis.governor }
    }

    pub(super) fn govern_asset(&mut self, model: &Model) -> Option<Step> {
        let asset = self.asset(model);
        let value = if self.prng.chance(60) { Some(self.prng.below(4_000_000_000)) } else { None };
        let supply = model.asset(asset).map_or(0, |asset| asset.supply());
        let cap = if self.prng.chance(10) { Some(Amount::new(supply + (1 << 100))) } else { None };
        let stake_min =
            if self.prng.chance(20) { Some(Amount::new(u128::from(self.prng.below(50)))) } else { None };
        let governor = self.governor();
        self.ask(governor, Operation::GovernAsset(GovernAsset { asset, value, cap, stake_min }))
    }

    pub(super) fn guard(&mut self, _: &Model) -> Option<Step> {
        let stops = [Stop::Joins, Stop::Listings, Stop::Sets, Stop::Allocations];
        let stop = *self.prng.pick(&stops)?;
        let guardian = if self.prng.chance(20) { self.staker() } else { self.world.genesis.guardian };
        self.ask(guardian, Operation::Guard(Guard { stop }))
    }

    /// An asset that was listed when the world began.
    pub(super) fn listed(&mut self, model: &Model) -> AssetId {
        AssetId::new(self.number_below(u64::from(number(model.assets.len()))))
    }
}
