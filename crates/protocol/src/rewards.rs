//! Rewards of an epoch: from streams and for measured work, to operators by the frozen table, to pools by what they contribute, less
//! commission to the units bonded in the epoch. Exact: what is paid and the dust that is carried is what was funded.

use crate::event::Event;
use crate::state::State;
use crate::state::records::{Row, Stream, Table, Work};
use crate::units::{AccountId, Amount, AssetId, Epoch, Fraction, OperatorId, SetId, StreamId};

/// What became of a payment: parts that could not be paid out and belong elsewhere.
#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    /// Rounding; it joins the next payment.
    dust: Amount,
    /// For pools without units; back to the funder.
    unspent: Amount,
    /// Cut from operators with nobody else to get it.
    burnt: Amount,
}

impl State {
    /// Pays everything that is due for the epoch that ended.
    pub(crate) fn pay_rewards(&mut self, ended: Epoch, events: &mut Vec<Event>) {
        let streams: Vec<StreamId> = self.streams.keys().copied().collect();
        for id in streams {
            self.pay_stream(id, ended, events);
        }
        for index in 0..self.sets.len() {
            let set = SetId::at(index);
            let work = std::mem::take(&mut self.set_mut(set).work);
            for work in work {
                self.pay_for_work(set, &work);
            }
            self.set_mut(set).performance.clear();
        }
    }

    fn pay_stream(&mut self, id: StreamId, ended: Epoch, events: &mut Vec<Event>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.from > ended {
            return;
        }
        let amount = stream.per_epoch.min(stream.locked);
        stream.locked.shrink(amount);
        let mut due = std::mem::take(&mut stream.dust);
        due.grow(amount);
        let Stream { set, token, funder, to, .. } = *stream;
        let rest = self.pay_set(set, ended, token, due);
        self.accounts.get_mut(funder).add_free(token, rest.unspent);
        self.asset_mut(token).burnt.grow(rest.burnt);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.dust = rest.dust;
        let paid =
            [rest.dust, rest.unspent, rest.burnt].into_iter().fold(due, |paid, rest| rest.room_below(paid));
        events.push(Event::StreamPaid {
            stream: id,
            epoch: ended,
            paid,
            unspent: rest.unspent,
            burnt: rest.burnt,
        });
        if to <= ended {
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

    /// Pays the operators of a set for `epoch`, by weight and performance.
    fn pay_set(&mut self, set: SetId, epoch: Epoch, token: AssetId, amount: Amount) -> Rest {
        let table = self.set(set).and_then(|record| record.table_of(epoch)).cloned();
        let Some(table) = table.filter(|table| !table.weight.is_zero()) else {
            return Rest { unspent: amount, ..Rest::default() };
        };
        let weights = self.performing_weights(set, &table);
        let total = weights.iter().fold(Amount::ZERO, |sum, weight| sum.plus(*weight).unwrap_or(sum));
        if total.is_zero() {
            return Rest { burnt: amount, ..Rest::default() };
        }
        let mut rest = Rest { dust: amount, ..Rest::default() };
        for (row, weight) in table.rows.iter().zip(weights) {
            let share = amount.portion_down(weight, total);
            rest.dust.shrink(share);
            let of_row = self.pay_row(set, epoch, token, share, row);
            rest.dust.grow(of_row.dust);
            rest.unspent.grow(of_row.unspent);
        }
        rest
    }

    fn performing_weights(&self, set: SetId, table: &Table) -> Vec<Amount> {
        let performance = self.set(set).map(|record| &record.performance);
        let factor = |operator: OperatorId| performance.and_then(|factors| factors.get(&operator)).copied();
        table
            .rows
            .iter()
            .map(|row| factor(row.operator).unwrap_or(Fraction::ONE).of_down(row.weight))
            .collect()
    }

    /// Pays one operator: its pools by what they contribute, its commission first.
    fn pay_row(&mut self, set: SetId, epoch: Epoch, token: AssetId, amount: Amount, row: &Row) -> Rest {
        let mut rest = Rest { dust: amount, ..Rest::default() };
        let mut total = Amount::ZERO;
        for (_, weight) in &row.contributions {
            total.grow(*weight);
        }
        let paid = self.epoch.next();
        for (pool, weight) in &row.contributions {
            let share = if *weight == total { amount } else { amount.portion_down(*weight, total) };
            rest.dust.shrink(share);
            let record = self.pool_mut(*pool);
            let commission = record.commission.at(epoch).of_down(share);
            let to_stakers = commission.room_below(share);
            if to_stakers.is_zero() || record.stake.reward(set, epoch, paid, token, to_stakers) {
                self.pay_commission(row.operator, token, commission);
            } else {
                rest.unspent.grow(share);
            }
        }
        rest
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

    /// Pays for measured work of a past epoch, by that epoch's stakes and commission.
    fn pay_for_work(&mut self, set: SetId, work: &Work) {
        let table = self.set(set).and_then(|record| record.table_of(work.epoch)).cloned();
        let row = table.as_ref().and_then(|table| table.row(work.operator));
        let mut back = work.amount;
        if let Some(row) = row {
            let rest = self.pay_row(set, work.epoch, work.token, work.amount, row);
            back = rest.dust;
            back.grow(rest.unspent);
        }
        self.accounts.get_mut(work.funder).add_free(work.token, back);
    }
}
