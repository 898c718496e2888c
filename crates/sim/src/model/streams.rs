//! Who pays whom, and what of it is refused.

use protocol::ops::end_stream::EndStream;
use protocol::ops::open_stream::OpenStream;
use protocol::ops::pay_work::PayWork;
use protocol::units::{Address, AssetId, Epoch, SetId, StreamId};

use super::records::{Stream, Work};
use super::{Model, Verdict, ensure};

impl Model {
    pub(crate) fn open_stream(&mut self, op: &OpenStream, sender: Address) -> Verdict {
        ensure!(!op.per_epoch.is_zero() && op.epochs > 0, "AmountIsZero");
        let set = self.set(op.set).ok_or("SetNotFound")?;
        ensure!(!set.is_closed, "SetClosed");
        ensure!(self.is_reward_token(op.set, op.token, self.epoch), "TokenNotNamed");
        // Half of the places are the service's own.
        let service = self.services[super::index(set.service.number())];
        let of_kind =
            |stream: &&Stream| stream.set == op.set && (stream.funder == service) == (sender == service);
        let streams = self.streams.values().filter(of_kind).count();
        let most = self.genesis.limits.streams_per_set.div_ceil(2);
        ensure!(streams < usize::from(most), "TooManyStreams");
        let least = self.asset(op.token).map_or(0, |asset| asset.stake_min);
        ensure!(op.per_epoch.units() >= least, "BelowMinimum");
        let deposit = self.rules().object_deposit.units();
        let of_token = if op.token == self.genesis.deposit_asset { deposit } else { 0 };
        let amount = op.per_epoch.units().checked_mul(u128::from(op.epochs));
        let total = amount.and_then(|amount| amount.checked_add(of_token));
        ensure!(total.is_some_and(|total| total <= self.free_of(sender, op.token)), "ExceedsFree");
        let locked = amount.unwrap_or(0);
        self.post(sender, deposit)?;
        self.take_free(sender, op.token, locked);
        let id = StreamId::new(self.stream_count);
        self.stream_count += 1;
        let from = self.epoch.next();
        let stream = Stream {
            set: op.set,
            token: op.token,
            per_epoch: op.per_epoch.units(),
            from,
            to: from.later(op.epochs - 1),
            locked,
            dust: 0,
            funder: sender,
            deposit,
        };
        self.streams.insert(id, stream);
        Ok(())
    }

    fn is_reward_token(&self, set: SetId, token: AssetId, epoch: Epoch) -> bool {
        let is_named = self.set(set).is_some_and(|set| set.terms_in(epoch).reward_tokens.contains(&token));
        is_named && !self.is_native(token)
    }

    pub(crate) fn end_stream(&mut self, op: &EndStream, sender: Address) -> Verdict {
        let to = self.epoch.later(self.rules().notice);
        let stream = self.streams.get_mut(&op.stream).ok_or("StreamNotFound")?;
        ensure!(stream.funder == sender, "NotTheFunder");
        ensure!(stream.to > to, "EndsAlready");
        stream.to = to;
        Ok(())
    }

    pub(crate) fn pay_work(&mut self, op: &PayWork, sender: Address) -> Verdict {
        let set = self.set(op.set).ok_or("SetNotFound")?;
        ensure!(self.is_reward_token(op.set, op.token, op.epoch), "TokenNotNamed");
        ensure!(op.epoch < self.epoch, "EpochNotOver");
        ensure!(self.epoch <= op.epoch.later(self.rules_in(op.epoch).slash_window), "TooLate");
        let most = usize::from(self.genesis.limits.items_per_operation);
        ensure!((1..=most).contains(&op.payments.len()), "PaymentCount");
        let mut total = 0_u128;
        for payment in &op.payments {
            ensure!(!payment.amount.is_zero(), "AmountIsZero");
            ensure!(set.is_on_duty(payment.operator, op.epoch), "NotOnDuty");
            total = total.saturating_add(payment.amount.units());
        }
        ensure!(total <= self.free_of(sender, op.token), "ExceedsFree");
        self.take_free(sender, op.token, total);
        let (epoch, token, funder) = (op.epoch, op.token, sender);
        let work = op.payments.iter().map(|payment| {
            let (operator, amount) = (payment.operator, payment.amount.units());
            Work { epoch, operator, token, amount, funder }
        });
        self.set_mut(op.set).work.extend(work);
        Ok(())
    }
}
