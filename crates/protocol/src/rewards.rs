//! Rewards of an epoch: from streams and for measured work, to operators by the frozen table, to pools by what they contribute, less
//! commission to the units bonded in the epoch. Exact: what is paid and the dust that is carried is what was funded.
//!
//! First everything that is due is split down to pools; then each pool is paid once, for all of its sets together: a pool with fifty
//! sets costs little more than a pool with one.

use crate::event::Event;
use crate::pool::Reward;
use crate::state::State;
use crate::state::records::{Row, Table, Work};
use crate::units::{AccountId, Amount, AssetId, Epoch, Fraction, OperatorId, PoolId, SetId, StreamId};

/// Who pays, and what became of it.
struct Source {
    stream: Option<StreamId>,
    funder: AccountId,
    token: AssetId,
    amount: Amount,
    /// Rounding; it joins the stream's next payment, or goes back.
    dust: Amount,
    /// For pools without units; back to the funder.
    unspent: Amount,
    /// Cut from operators with nobody else to get it.
    burnt: Amount,
}

/// A pool's part of a payment.
struct Share {
    source: usize,
    operator: OperatorId,
    commission: Amount,
    reward: Reward,
}

/// Everything that is paid at one boundary.
#[derive(Default)]
struct Book {
    sources: Vec<Source>,
    /// By pool.
    shares: Vec<Vec<Share>>,
}

impl State {
    /// Pays everything that is due for the epoch that ended.
    pub(crate) fn pay_rewards(&mut self, ended: Epoch, events: &mut Vec<Event>) {
        let mut book = Book::default();
        book.shares.resize_with(self.pools.len(), Vec::new);
        let streams: Vec<StreamId> = self.streams.keys().copied().collect();
        for id in streams {
            self.draw_stream(id, ended, &mut book);
        }
        for index in 0..self.sets.len() {
            let set = SetId::at(index);
            let work = std::mem::take(&mut self.set_mut(set).work);
            for work in work {
                self.draw_work(set, &work, &mut book);
            }
            self.set_mut(set).performance.clear();
        }
        for (index, shares) in std::mem::take(&mut book.shares).into_iter().enumerate() {
            self.pay_pool(PoolId::at(index), &shares, &mut book.sources);
        }
        for source in book.sources {
            self.settle_source(&source, ended, events);
        }
    }

    /// Takes what a stream pays for the epoch and splits it between the operators, by weight and performance.
    fn draw_stream(&mut self, id: StreamId, ended: Epoch, book: &mut Book) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.from <= ended) else { return };
        let mut amount = stream.per_epoch.min(stream.locked);
        stream.locked.shrink(amount);
        amount.grow(std::mem::take(&mut stream.dust));
        let (set, token, funder) = (stream.set, stream.token, stream.funder);
        let (dust, unspent, burnt) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
        let mut source = Source { stream: Some(id), funder, token, amount, dust, unspent, burnt };
        let table = self.set(set).and_then(|record| record.table_of(ended)).cloned();
        let Some(table) = table.filter(|table| !table.weight.is_zero()) else {
            source.unspent = amount;
            book.sources.push(source);
            return;
        };
        let weights = self.performing_weights(set, &table);
        let total = weights.iter().fold(Amount::ZERO, |sum, weight| sum.plus(*weight).unwrap_or(sum));
        if total.is_zero() {
            source.burnt = amount;
            book.sources.push(source);
            return;
        }
        source.dust = amount;
        let index = book.sources.len();
        for (row, weight) in table.rows.iter().zip(weights) {
            let share = amount.portion_down(weight, total);
            let spent = self.split_row(set, ended, token, share, row, index, &mut book.shares);
            source.dust.shrink(spent);
        }
        book.sources.push(source);
    }

    fn performing_weights(&self, set: SetId, table: &Table) -> Vec<Amount> {
        let performance =
            self.set(set).map(|record| &record.performance).filter(|factors| !factors.is_empty());
        let Some(performance) = performance else { return table.rows.iter().map(|row| row.weight).collect() };
        let factor = |operator: OperatorId| performance.get(&operator).copied().unwrap_or(Fraction::ONE);
        table.rows.iter().map(|row| factor(row.operator).of_down(row.weight)).collect()
    }

    /// Pays for measured work of a past epoch, by that epoch's stakes and commission.
    fn draw_work(&mut self, set: SetId, work: &Work, book: &mut Book) {
        let Work { epoch, operator, token, amount, funder } = *work;
        let table = self.set(set).and_then(|record| record.table_of(epoch)).cloned();
        let index = book.sources.len();
        let row = table.as_ref().and_then(|table| table.row(operator));
        let spent = row.map(|row| self.split_row(set, epoch, token, amount, row, index, &mut book.shares));
        let dust = spent.unwrap_or(Amount::ZERO).room_below(amount);
        let (unspent, burnt) = (Amount::ZERO, Amount::ZERO);
        book.sources.push(Source { stream: None, funder, token, amount, dust, unspent, burnt });
    }

    /// Splits an operator's part between its pools by what they contribute, its commission apart; returns what was split.
    #[allow(clippy::too_many_arguments, reason = "what is paid, for what, from where and into which book")]
    fn split_row(
        &self,
        set: SetId,
        work: Epoch,
        token: AssetId,
        amount: Amount,
        row: &Row,
        source: usize,
        shares: &mut [Vec<Share>],
    ) -> Amount {
        let mut spent = Amount::ZERO;
        let mut total = Amount::ZERO;
        for (_, weight) in &row.contributions {
            total.grow(*weight);
        }
        for (pool, weight) in &row.contributions {
            let share = if *weight == total { amount } else { amount.portion_down(*weight, total) };
            let commission = self.pool(*pool).commission.at(work).of_down(share);
            let reward = Reward { set, work, token, amount: commission.room_below(share) };
            if let Some(of_pool) = shares.get_mut(pool.index())
                && !share.is_zero()
            {
                of_pool.push(Share { source, operator: row.operator, commission, reward });
                spent.grow(share);
            }
        }
        spent
    }

    /// Pays a pool; what is for nobody's stake goes back to where it came from, commission and all.
    fn pay_pool(&mut self, pool: PoolId, shares: &[Share], sources: &mut [Source]) {
        let paid_at = self.epoch.next();
        let rewards: Vec<Reward> = shares.iter().map(|share| share.reward).collect();
        let paid = self.pool_mut(pool).stake.reward(&rewards, paid_at);
        let mut commission: Option<(OperatorId, AssetId, Amount)> = None;
        for (share, paid) in shares.iter().zip(paid) {
            let token = share.reward.token;
            if !paid {
                if let Some(source) = sources.get_mut(share.source) {
                    source.unspent.grow(share.reward.amount);
                    source.unspent.grow(share.commission);
                }
                continue;
            }
            match &mut commission {
                Some((_, of_token, sum)) if *of_token == token => sum.grow(share.commission),
                _ => {
                    if let Some((operator, token, sum)) =
                        commission.replace((share.operator, token, share.commission))
                    {
                        self.pay_commission(operator, token, sum);
                    }
                }
            }
        }
        if let Some((operator, token, sum)) = commission {
            self.pay_commission(operator, token, sum);
        }
    }

    fn pay_commission(&mut self, operator: OperatorId, token: AssetId, amount: Amount) {
        if amount.is_zero() {
            return;
        }
        let Some(record) = self.operator(operator) else { return };
        let mut own = amount;
        let mut parts: Vec<(AccountId, Amount)> = Vec::new();
        for (account, share) in &record.split {
            let part = share.of_down(amount);
            own.shrink(part);
            parts.push((*account, part));
        }
        parts.push((record.account, own));
        for (account, part) in parts {
            self.accounts.get_mut(account).add_claimable(token, part);
        }
    }

    /// Returns what could not be paid, keeps the dust of a stream, and closes a stream that has ended.
    fn settle_source(&mut self, source: &Source, ended: Epoch, events: &mut Vec<Event>) {
        let Source { funder, token, amount, dust, unspent, burnt, .. } = *source;
        self.accounts.get_mut(funder).add_free(token, unspent);
        self.asset_mut(token).burnt.grow(burnt);
        let Some(id) = source.stream else {
            self.accounts.get_mut(funder).add_free(token, dust);
            return;
        };
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.dust = dust;
        let is_over = stream.to <= ended;
        let paid = [dust, unspent, burnt].into_iter().fold(amount, |paid, rest| rest.room_below(paid));
        events.push(Event::StreamPaid { stream: id, epoch: ended, paid, unspent, burnt });
        if is_over {
            self.close_stream(id, events);
        }
    }

    fn close_stream(&mut self, id: StreamId, events: &mut Vec<Event>) {
        let Some(stream) = self.streams.remove(&id) else { return };
        let mut returned = stream.locked;
        returned.grow(stream.dust);
        self.accounts.get_mut(stream.funder).add_free(stream.token, returned);
        self.return_deposit(stream.funder, stream.deposit);
        self.set_mut(stream.set).streams.retain(|other| *other != id);
        events.push(Event::StreamClosed { stream: id, returned });
    }
}
