//! Rewards at the boundary, and how they are claimed.

use protocol::Event;
use protocol::ops::claim::Claim;
use protocol::ops::compound::Compound;
use protocol::ops::compounding::SetCompounding;
use protocol::ops::delegate::Delegate;
use protocol::units::{Address, Amount, AssetId, Epoch, Fraction, OperatorId, SetId, StreamId};

use super::records::{Row, Work};
use super::{Fault, Model, Verdict, ensure, exact};

/// What of a payment could not be paid out: rounding, parts for pools without units, and what was cut from everybody.
#[derive(Clone, Copy, Default)]
struct Rest {
    dust: u128,
    unspent: u128,
    burnt: u128,
}

impl Model {
    /// Pays everything that is due for the epoch that ended.
    pub(crate) fn pay_rewards(&mut self, ended: Epoch) {
        let streams: Vec<StreamId> = self.streams.keys().copied().collect();
        for id in streams {
            self.pay_stream(id, ended);
        }
        for set in self.set_ids() {
            for work in std::mem::take(&mut self.set_mut(set).work) {
                self.pay_for_work(set, &work);
            }
            self.set_mut(set).performance.clear();
        }
    }

    fn pay_stream(&mut self, id: StreamId, ended: Epoch) {
        let Some(mut stream) = self.streams.get(&id).cloned().filter(|stream| stream.from <= ended) else { return };
        let amount = stream.per_epoch.min(stream.locked);
        stream.locked -= amount;
        let rest = self.pay_set(stream.set, ended, stream.token, stream.dust + amount);
        stream.dust = rest.dust;
        self.add_free(stream.funder, stream.token, rest.unspent);
        self.asset_mut(stream.token).burnt += rest.burnt;
        if stream.to <= ended {
            self.add_free(stream.funder, stream.token, stream.locked + stream.dust);
            self.return_deposit(stream.funder, stream.deposit);
            self.streams.remove(&id);
        } else {
            self.streams.insert(id, stream);
        }
    }

    /// Pays the operators of a set for an epoch by weight and performance.
    fn pay_set(&mut self, set: SetId, epoch: Epoch, token: AssetId, amount: u128) -> Rest {
        let record = self.set(set).expect("a stream has a set");
        let table = record.tables.get(&epoch).cloned().unwrap_or_default();
        if table.weight == 0 {
            return Rest { unspent: amount, ..Rest::default() };
        }
        let factor = |operator: OperatorId| record.performance.get(&operator).copied().unwrap_or(Fraction::ONE);
        let weights: Vec<u128> = table.rows.iter().map(|row| exact::share_down(row.weight, factor(row.operator))).collect();
        let total: u128 = weights.iter().sum();
        if total == 0 {
            return Rest { burnt: amount, ..Rest::default() };
        }
        let mut rest = Rest { dust: amount, ..Rest::default() };
        for (row, weight) in table.rows.iter().zip(weights) {
            let share = exact::portion_down(amount, weight, total);
            let of_row = self.pay_row(set, epoch, token, share, row);
            rest.dust = rest.dust - share + of_row.dust;
            rest.unspent += of_row.unspent;
        }
        rest
    }

    /// Pays one operator: its pools by what they contribute, its commission first.
    fn pay_row(&mut self, set: SetId, epoch: Epoch, token: AssetId, amount: u128, row: &Row) -> Rest {
        let total: u128 = row.contributions.iter().map(|(_, weight)| weight).sum();
        let mut rest = Rest { dust: amount, ..Rest::default() };
        for (pool, weight) in &row.contributions {
            let share = exact::portion_down(amount, *weight, total);
            rest.dust -= share;
            let known = !self.has(Fault::CommissionForgotten);
            let commission_now = self.pool(*pool).commission_in(if known { epoch } else { self.epoch });
            let commission = exact::share_down(share, commission_now);
            let to_stakers = share - commission;
            if to_stakers == 0 || self.reward(*pool, set, epoch, token, to_stakers) {
                self.pay_commission(row.operator, token, commission);
            } else {
                rest.unspent += share;
            }
        }
        rest
    }

    fn pay_commission(&mut self, operator: OperatorId, token: AssetId, amount: u128) {
        let Some(record) = self.operator(operator).cloned() else { return };
        let mut own = amount;
        for (account, share) in record.split {
            let part = exact::share_down(amount, share);
            own -= part;
            *self.account_mut(account).claimable.entry(token).or_default() += part;
        }
        *self.account_mut(record.account).claimable.entry(token).or_default() += own;
    }

    fn pay_for_work(&mut self, set: SetId, work: &Work) {
        let table = self.set(set).and_then(|record| record.tables.get(&work.epoch));
        let mut back = work.amount;
        if let Some(row) = table.and_then(|table| table.row(work.operator)).cloned() {
            let rest = self.pay_row(set, work.epoch, work.token, work.amount, &row);
            back = rest.dust + rest.unspent;
        }
        self.add_free(work.funder, work.token, back);
    }

    pub(crate) fn claim(&mut self, op: &Claim, sender: Address, events: &[Event]) -> Verdict {
        let owner = op.account.unwrap_or(sender);
        let claimer = self.account(owner).and_then(|account| account.claimer);
        ensure!(owner == sender || claimer == Some(sender), "NotTheClaimer");
        ensure!(op.operator.is_none_or(|operator| self.operator(operator).is_some()), "OperatorNotFound");
        ensure!(self.is_anything_due(op, owner), "NothingToClaim");
        if let Some(operator) = op.operator {
            for place in 0..self.stakes.len() {
                let stake = &self.stakes[place];
                let pool = self.pool(stake.pool);
                let is_meant = pool.operator == operator && op.asset.is_none_or(|asset| asset == pool.asset);
                if stake.account == owner && is_meant {
                    self.settle(place);
                }
            }
        }
        self.adopt_claims(owner, events);
        let to = op.to.unwrap_or(owner);
        let claimable = std::mem::take(&mut self.account_mut(owner).claimable);
        for (token, amount) in claimable {
            if op.token.is_none_or(|wanted| wanted == token) {
                self.add_free(to, token, amount);
            } else {
                self.account_mut(owner).claimable.insert(token, amount);
            }
        }
        Ok(())
    }

    /// Whether there is a whole unit to claim, as the ledger cuts it.
    fn is_anything_due(&self, op: &Claim, owner: Address) -> bool {
        let is_wanted = |token: AssetId| op.token.is_none_or(|wanted| wanted == token);
        let Some(seen) = self.seen.accounts.iter().find(|seen| seen.account == owner) else { return false };
        let is_settled = seen.balances.iter().any(|b| is_wanted(b.asset) && !b.claimable.is_zero());
        let mut meant = seen.stakes.iter().filter(|stake| {
            op.operator == Some(stake.operator) && op.asset.is_none_or(|asset| asset == stake.asset)
        });
        is_settled || meant.any(|stake| stake.claimable.iter().any(|due| is_wanted(due.token) && !due.amount.is_zero()))
    }

    /// What is paid is cut to whole units once per entry that was settled; the ledger's whole units count from here on.
    fn adopt_claims(&mut self, owner: Address, events: &[Event]) {
        let slack = self.stakes.iter().filter(|stake| stake.account == owner).count() as u128 + 1;
        for event in events {
            let Event::Claimed { token, amount, .. } = event else { continue };
            let paid = amount.units();
            let expected = self.account(owner).and_then(|account| account.claimable.get(token)).copied().unwrap_or(0);
            if expected.abs_diff(paid) > slack {
                self.object(|| format!("{owner} is paid {paid} of token {token} and has earned {expected}"));
            }
            self.adopt_claimable(owner, *token, paid);
        }
    }

    /// Settled rewards are so many whole units; a difference goes to or comes from the dust of the account's pools.
    pub(crate) fn adopt_claimable(&mut self, owner: Address, token: AssetId, units: u128) {
        let known = self.account_mut(owner).claimable.insert(token, units).unwrap_or(0);
        let pool = self.stakes.iter().filter(|stake| stake.account == owner).map(|stake| stake.pool);
        let mut reserved = pool.filter(|pool| self.pool(*pool).reserves.contains_key(&token));
        if let Some(pool) = reserved.next() {
            let reserve = self.pool_mut(pool).reserves.entry(token).or_default();
            *reserve = (*reserve + known).saturating_sub(units);
        }
    }

    pub(crate) fn set_compounding(&mut self, op: &SetCompounding, sender: Address) -> Verdict {
        let pool = self.pool_of(op.operator, op.asset).ok_or("PoolNotFound")?;
        ensure!(!self.is_native(op.asset), "NativeStake");
        let has_order = self.account(sender).is_some_and(|account| account.orders.contains_key(&pool));
        ensure!(op.order.is_some() || has_order, "NoOrder");
        let orders = &mut self.account_mut(sender).orders;
        match &op.order {
            Some(order) => drop(orders.insert(pool, (order.mandate, order.worst_case))),
            None => drop(orders.remove(&pool)),
        }
        Ok(())
    }

    pub(crate) fn compound(&mut self, op: &Compound, sender: Address, events: &[Event]) -> Verdict {
        let owner = op.account.unwrap_or(sender);
        let pool = self.pool_of(op.operator, op.asset).ok_or("PoolNotFound")?;
        let order = self.account(owner).and_then(|account| account.orders.get(&pool)).copied();
        let (mandate, worst_case) = order.ok_or("NoOrder")?;
        let settled = self.account(owner).and_then(|account| account.claimable.get(&op.asset)).copied().unwrap_or(0);
        let seen = self.seen_stake(owner, op.operator, op.asset).map_or(&[][..], |stake| &stake.claimable);
        let due: u128 = seen.iter().filter(|due| due.token == op.asset).map(|due| due.amount.units()).sum();
        let units = settled + due;
        ensure!(units > 0, "NothingToCompound");
        let (operator, asset, amount) = (op.operator, op.asset, Amount::new(units));
        let delegation = Delegate { operator, asset, amount, validator: None, mandate, worst_case };
        self.can_delegate(&delegation, owner, units).map_err(|_| "DelegationRefused")?;
        for place in 0..self.stakes.len() {
            if self.stakes[place].account == owner && self.stakes[place].pool == pool {
                self.settle(place);
            }
        }
        self.adopt_claims(owner, events);
        let claimed = self.account_mut(owner).claimable.remove(&asset).unwrap_or(0);
        self.add_free(owner, asset, claimed);
        self.delegate(&delegation, owner).map_err(|_| "DelegationRefused")
    }
}
