//! What comes in from other chains and goes out to them.

use protocol::ops::deposit::Deposit;
use protocol::ops::list_asset::ListAsset;
use protocol::ops::report_rate::ReportRate;
use protocol::ops::report_validator::ReportValidator;
use protocol::ops::withdraw::Withdraw;
use protocol::units::{Address, Amount};
use protocol::{AssetKind, RateSource};

use super::records::{Asset, Validator};
use super::{Fault, Model, Verdict, ensure, exact};

/// An exchange rate of one.
const RATE_ONE: u64 = 1_000_000_000_000_000_000;

impl Model {
    pub(crate) fn list_asset(&mut self, op: &ListAsset, sender: Address) -> Verdict {
        ensure!(self.stops.listings <= self.epoch, "ListingsStopped");
        let is_same = |asset: &Asset| asset.origin == op.origin && asset.kind == op.kind;
        ensure!(!self.assets.iter().any(is_same), "AlreadyListed");
        // Nobody can have any of the deposit asset before it is listed.
        if super::index(self.genesis.deposit_asset.number()) != self.assets.len() {
            self.post_object_deposit(sender)?;
        }
        self.assets.push(Asset {
            origin: op.origin.clone(),
            kind: op.kind,
            source: op.rate,
            rate: RATE_ONE,
            rate_raised: self.epoch,
            value: 0,
            cap: Amount::LIMIT.units(),
            stake_min: 0,
            next_deposit: 0,
            deposited: 0,
            gained: 0,
            withdrawn: 0,
            burnt: 0,
            lost: 0,
        });
        Ok(())
    }

    /// Posts the deposit for a stored object, if the sender has it.
    pub(crate) fn post_object_deposit(&mut self, sender: Address) -> Verdict<u128> {
        let deposit = self.rules().object_deposit.units();
        self.post(sender, deposit)?;
        Ok(deposit)
    }

    pub(crate) fn post(&mut self, sender: Address, deposit: u128) -> Verdict {
        let asset = self.genesis.deposit_asset;
        ensure!(deposit <= self.free_of(sender, asset), "DepositMissing");
        if deposit > 0 {
            self.take_free(sender, asset, deposit);
            self.deposits += deposit;
        }
        Ok(())
    }

    pub(crate) fn return_deposit(&mut self, account: Address, deposit: u128) {
        if deposit > 0 {
            self.deposits -= deposit;
            self.add_free(account, self.genesis.deposit_asset, deposit);
        }
    }

    pub(crate) fn burn_deposit(&mut self, deposit: u128) {
        if deposit > 0 {
            self.deposits -= deposit;
            let asset = self.genesis.deposit_asset;
            self.asset_mut(asset).burnt += deposit;
        }
    }

    pub(crate) fn deposit(&mut self, op: &Deposit, sender: Address) -> Verdict {
        ensure!(!op.amount.is_zero(), "AmountIsZero");
        let asset = self.asset(op.asset).ok_or("AssetNotFound")?;
        ensure!(asset.kind == AssetKind::Token, "NativeStake");
        ensure!(op.index.is_none_or(|index| index == asset.next_deposit), "OutOfOrder");
        let amount = op.amount.units();
        let total = asset.supply().checked_add(amount);
        let is_countable = asset.deposited.checked_add(amount).is_some_and(|gross| gross <= u128::MAX >> 1);
        ensure!(total.is_some_and(|total| total <= asset.cap) && is_countable, "ExceedsCap");
        let record = self.asset_mut(op.asset);
        record.deposited += amount;
        record.next_deposit += 1;
        self.add_free(op.account.unwrap_or(sender), op.asset, amount);
        Ok(())
    }

    pub(crate) fn withdraw(&mut self, op: &Withdraw, sender: Address) -> Verdict {
        ensure!(!op.amount.is_zero(), "AmountIsZero");
        let asset = self.asset(op.asset).ok_or("AssetNotFound")?;
        ensure!(asset.kind == AssetKind::Token, "NativeStake");
        ensure!(op.amount.units() <= self.free_of(sender, op.asset), "ExceedsFree");
        self.take_free(sender, op.asset, op.amount.units());
        self.asset_mut(op.asset).withdrawn += op.amount.units();
        Ok(())
    }

    pub(crate) fn report_rate(&mut self, op: &ReportRate) -> Verdict {
        let asset = self.asset(op.asset).ok_or("AssetNotFound")?;
        ensure!(asset.source == RateSource::Proven, "RateIsOne");
        let (low, high) = (u128::from(RATE_ONE / 1000), u128::from(RATE_ONE) * 16);
        ensure!((low..=high).contains(&op.rate.units()), "OutOfBounds");
        let step = exact::share_down(u128::from(asset.rate), self.rules().rate_rise_max);
        let may_rise = self.epoch > asset.rate_raised;
        let highest = u128::from(asset.rate) + if may_rise { step } else { 0 };
        let rate = u64::try_from(op.rate.units().min(highest)).expect("at most sixteen");
        ensure!(rate != asset.rate, "Unchanged");
        let now = self.epoch;
        let asset = self.asset_mut(op.asset);
        if rate > asset.rate {
            asset.rate_raised = now;
        }
        asset.rate = rate;
        Ok(())
    }

    pub(crate) fn report_validator(&mut self, op: &ReportValidator, sender: Address) -> Verdict {
        let asset = self.asset(op.asset).ok_or("AssetNotFound")?;
        ensure!(asset.kind == AssetKind::Native, "NotNative");
        let account = op.account.unwrap_or(sender);
        let balance = op.balance.units();
        let known =
            self.validators.iter().position(|known| known.asset == op.asset && known.number == op.validator);
        match known {
            Some(place) => ensure!(self.validators[place].account == account, "OtherOwner"),
            None => ensure!(balance > 0, "NoBalance"),
        }
        let old = known.map_or(0, |place| self.validators[place].balance);
        let gain = balance.saturating_sub(old);
        let is_countable = asset.gained.checked_add(gain).is_some_and(|gross| gross <= u128::MAX >> 1);
        // A gain of what is known already is there, whatever the cap.
        let cap = if known.is_some() { Amount::LIMIT.units() } else { asset.cap };
        ensure!(gain == 0 || (asset.supply() + gain <= cap && is_countable), "ExceedsCap");
        let place = known.unwrap_or_else(|| {
            let (asset, number, proven) = (op.asset, op.validator, self.epoch);
            self.validators.push(Validator {
                asset,
                number,
                account,
                balance: 0,
                free: 0,
                slashed: 0,
                proven,
            });
            self.validators.len() - 1
        });
        self.validators[place].proven = self.epoch;
        if balance < old {
            self.lose(place, balance);
        } else {
            self.validators[place].balance = balance;
            self.validators[place].free += gain;
            self.asset_mut(op.asset).gained += gain;
        }
        Ok(())
    }

    /// All that was the validator's balance shrinks by new/old: free, staked, leaving, and slashed but still there.
    fn lose(&mut self, place: usize, balance: u128) {
        let Validator { balance: old, slashed, asset, .. } = self.validators[place].clone();
        let kept = |amount: u128| exact::portion_down(amount, balance, old);
        let mut staked = 0;
        for index in 0..self.stakes.len() {
            let stake = &self.stakes[index];
            let is_own = stake.validator.is_some_and(|id| super::index(id.number()) == place);
            if !is_own {
                continue;
            }
            if self.has(Fault::NativeLossSparesLeavers) && !stake.is_staying() {
                staked += stake.principal;
                continue;
            }
            self.settle(index);
            let stake = &mut self.stakes[index];
            let left = kept(stake.principal);
            let mut lost = stake.clone();
            lost.principal -= left;
            stake.principal = left;
            staked += left;
            // What of it was slashed before is still in the validator and shrinks alike.
            let worth = self.worth(&lost);
            let pool = self.pool_mut(lost.pool);
            let slashed = (lost.principal - worth).min(pool.slashed);
            pool.slashed -= slashed;
            pool.held -= lost.principal - slashed;
        }
        self.drop_empty_stakes();
        let validator = &mut self.validators[place];
        validator.balance = balance;
        validator.slashed = kept(slashed);
        validator.free = balance.saturating_sub(staked + validator.slashed);
        self.asset_mut(asset).lost += old - balance;
    }
}
