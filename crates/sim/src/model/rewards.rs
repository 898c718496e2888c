//! Rewards at the boundary, and how they are claimed.

use std::collections::BTreeMap;

use protocol::Event;
use protocol::ops::claim::Claim;
use protocol::ops::compound::Compound;
use protocol::ops::compounding::SetCompounding;
use protocol::ops::delegate::Delegate;
use protocol::units::{Address, Amount, AssetId, Epoch, Fraction, OperatorId, PoolId, SetId, StreamId};

use super::pool::Pool;
use super::records::{Row, Work};
use super::{Fault, Model, Verdict, ensure, exact};

/// Who pays, and what became of it.
struct Payment {
    stream: Option<StreamId>,
    funder: Address,
    token: AssetId,
    /// Rounding; it joins the stream's next payment, or goes back.
    dust: u128,
    /// For pools without units; back to the funder.
    unspent: u128,
    /// Cut from operators with nobody else to get it.
    burnt: u128,
}

/// A pool's part of a payment.
struct Share {
    payment: usize,
    operator: OperatorId,
    set: SetId,
    work: Epoch,
    token: AssetId,
    commission: u128,
    to_stakers: u128,
}

/// Everything that is due at one boundary: who pays, and which pools get what.
#[derive(Default)]
struct Due {
    payments: Vec<Payment>,
    shares: BTreeMap<PoolId, Vec<Share>>,
}

impl Model {
    /// Pays everything that is due for the epoch that ended: first it is split down to pools, then each pool is paid.
    pub(crate) fn pay_rewards(&mut self, ended: Epoch) {
        let mut due = Due::default();
        let streams: Vec<StreamId> = self.streams.keys().copied().collect();
        for id in streams {
            self.draw_stream(id, ended, &mut due);
        }
        for set in self.set_ids() {
            for work in std::mem::take(&mut self.set_mut(set).work) {
                self.draw_work(set, &work, &mut due);
            }
            self.set_mut(set).performance.clear();
        }
        for (pool, shares) in due.shares {
            self.pay_pool(pool, &shares, &mut due.payments);
        }
        for payment in due.payments {
            self.close_payment(&payment, ended);
        }
    }

    /// Takes what a stream pays and splits it between the operators by weight and performance.
    fn draw_stream(&mut self, id: StreamId, ended: Epoch, due: &mut Due) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.from <= ended) else { return };
        let drawn = stream.per_epoch.min(stream.locked);
        stream.locked -= drawn;
        let amount = drawn + std::mem::take(&mut stream.dust);
        let (set, token, funder) = (stream.set, stream.token, stream.funder);
        let mut payment = Payment { stream: Some(id), funder, token, dust: 0, unspent: 0, burnt: 0 };
        let record = self.set(set).expect("a stream has a set");
        let table = record.tables.get(&ended).cloned().unwrap_or_default();
        let factor =
            |operator: OperatorId| record.performance.get(&operator).copied().unwrap_or(Fraction::ONE);
        let weights: Vec<u128> =
            table.rows.iter().map(|row| exact::share_down(row.weight, factor(row.operator))).collect();
        let total: u128 = weights.iter().sum();
        if table.weight == 0 {
            payment.unspent = amount;
        } else if total == 0 {
            payment.burnt = amount;
        } else {
            payment.dust = amount;
            for (row, weight) in table.rows.iter().zip(weights) {
                let share = exact::portion_down(amount, weight, total);
                payment.dust -= self.split_row(set, ended, token, share, row, due);
            }
        }
        due.payments.push(payment);
    }

    fn draw_work(&mut self, set: SetId, work: &Work, due: &mut Due) {
        let Work { epoch, operator, token, amount, funder } = *work;
        let table = self.set(set).and_then(|record| record.tables.get(&epoch));
        let row = table.and_then(|table| table.row(operator)).cloned();
        let spent = row.map_or(0, |row| self.split_row(set, epoch, token, amount, &row, due));
        due.payments.push(Payment {
            stream: None,
            funder,
            token,
            dust: amount - spent,
            unspent: 0,
            burnt: 0,
        });
    }

    /// Splits an operator's part between its pools by what they contribute, its commission apart; returns what was split.
    fn split_row(
        &self,
        set: SetId,
        work: Epoch,
        token: AssetId,
        amount: u128,
        row: &Row,
        due: &mut Due,
    ) -> u128 {
        let total: u128 = row.contributions.iter().map(|(_, weight)| weight).sum();
        let mut spent = 0;
        for (pool, weight) in &row.contributions {
            let share = exact::portion_down(amount, *weight, total);
            if share == 0 {
                continue;
            }
            let judged = if self.has(Fault::CommissionOfToday) { self.epoch } else { work };
            let commission = exact::share_down(share, self.pool(*pool).commission_in(judged));
            let (payment, operator, to_stakers) = (due.payments.len(), row.operator, share - commission);
            let share_of_pool = Share { payment, operator, set, work, token, commission, to_stakers };
            due.shares.entry(*pool).or_default().push(share_of_pool);
            spent += share;
        }
        spent
    }

    /// Pays a pool, the oldest work first; what is for nobody's stake goes back, commission and all. The commissions that follow one
    /// another in one token are cut between its recipients together.
    fn pay_pool(&mut self, pool: PoolId, shares: &[Share], payments: &mut [Payment]) {
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by_key(|place| (shares[*place].work, shares[*place].token));
        let mut is_paid = vec![false; shares.len()];
        for place in order {
            let Share { set, work, token, to_stakers, .. } = shares[place];
            is_paid[place] = self.reward(pool, set, work, token, to_stakers);
        }
        let mut commissions: Vec<(OperatorId, AssetId, u128)> = Vec::new();
        for (share, is_paid) in shares.iter().zip(is_paid) {
            match commissions.last_mut() {
                _ if !is_paid => payments[share.payment].unspent += share.to_stakers + share.commission,
                Some((_, token, sum)) if *token == share.token => *sum += share.commission,
                _ => commissions.push((share.operator, share.token, share.commission)),
            }
        }
        for (operator, token, amount) in commissions {
            self.pay_commission(operator, token, amount);
        }
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

    /// Returns what could not be paid, keeps the dust of a stream, and closes a stream that has ended.
    fn close_payment(&mut self, payment: &Payment, ended: Epoch) {
        let Payment { funder, token, dust, unspent, burnt, .. } = *payment;
        self.add_free(funder, token, unspent);
        self.asset_mut(token).burnt += burnt;
        let Some(stream) = payment.stream.and_then(|id| self.streams.get_mut(&id)) else {
            self.add_free(funder, token, dust);
            return;
        };
        stream.dust = dust;
        if stream.to <= ended {
            let (rest, deposit) = (stream.locked + dust, stream.deposit);
            self.streams.retain(|id, _| Some(*id) != payment.stream);
            self.add_free(funder, token, rest);
            self.return_deposit(funder, deposit);
        }
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
        is_settled
            || meant
                .any(|stake| stake.claimable.iter().any(|due| is_wanted(due.token) && !due.amount.is_zero()))
    }

    /// What is paid is cut to whole units once per entry that was settled; the ledger's whole units count from here on.
    fn adopt_claims(&mut self, owner: Address, events: &[Event]) {
        let slack = self.stakes.iter().filter(|stake| stake.account == owner).count() as u128 + 1;
        for event in events {
            let Event::Claimed { token, amount, .. } = event else { continue };
            let paid = amount.units();
            let expected =
                self.account(owner).and_then(|account| account.claimable.get(token)).copied().unwrap_or(0);
            if expected.abs_diff(paid) > slack {
                self.object(|| format!("{owner} is paid {paid} of token {token} and has earned {expected}"));
            }
            self.adopt_claimable(owner, *token, paid);
        }
    }

    /// Settled rewards are so many whole units; a difference goes to or comes from the dust of a pool that was settled.
    pub(crate) fn adopt_claimable(&mut self, owner: Address, token: AssetId, units: u128) {
        let known = self.account_mut(owner).claimable.insert(token, units).unwrap_or(0);
        let pools = self.pool_ids().filter(|pool| self.pool(*pool).is_settled).chain(self.pool_ids());
        let has_dust = |pool: &PoolId| {
            let Pool { reserves, carried, .. } = self.pool(*pool);
            reserves.contains_key(&token) || carried.contains_key(&token)
        };
        let Some(pool) = pools.into_iter().find(has_dust) else { return };
        // Whoever was the last to leave has left the dust to be carried.
        let Pool { reserves, carried, .. } = self.pool_mut(pool);
        let dust = reserves.get_mut(&token).or(carried.get_mut(&token));
        if let Some(dust) = dust {
            *dust += exact::signed(known) - exact::signed(units);
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
        let settled =
            self.account(owner).and_then(|account| account.claimable.get(&op.asset)).copied().unwrap_or(0);
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
