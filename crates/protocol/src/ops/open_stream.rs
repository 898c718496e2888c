//! Someone pays a set's operators and stakers, epoch by epoch.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::Stream;
use crate::units::{Address, Amount, AssetId, SetId, StreamId};

record! {
    /// Opens a stream of rewards, funded for so many epochs at once. It pays from the next epoch on.
    pub struct OpenStream {
        /// The set.
        pub set: SetId,
        /// The token, one that the terms name.
        pub token: AssetId,
        /// How much per epoch.
        pub per_epoch: Amount,
        /// For how many epochs.
        pub epochs: u32,
    }
}

refusals! {
    /// Why a stream is refused.
    {
        AmountIsZero => "the amount or the number of epochs is zero",
        SetNotFound { set: SetId } => "set {set} does not exist",
        SetClosed { set: SetId } => "set {set} is closed",
        TokenNotNamed { token: AssetId } => "the terms of the set do not name reward token {token}",
        TooManyStreams { count: usize, most: u16 } => "{count} streams of the kind pay the set, and {most} may: half of the places are the service's own",
        BelowMinimum { amount: Amount, least: Amount } => "{amount} per epoch is below the smallest stake {least} of the token",
        ExceedsFree { amount: Amount, free: Amount } => "funding, and deposit in the same token, of {amount} exceed free balance {free}",
        DepositMissing { deposit: Amount, free: Amount } => "the deposit of {deposit} exceeds the free balance {free}",
    }
}

impl OpenStream {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { set, token, per_epoch, epochs } = *self;
        let amount = self.check(state, sender)?;
        let deposit = state.parameters().object_deposit;
        state.can_post(sender, deposit).map_err(|free| Refused::DepositMissing { deposit, free })?;

        // From here on nothing can fail.
        let funder = state.accounts.open(sender);
        state.accounts.get_mut(funder).take_free(token, amount);
        state.post(funder, deposit);
        let id = StreamId::new(state.stream_count);
        state.stream_count = state.stream_count.saturating_add(1);
        let from = state.epoch.next();
        let to = from.later(epochs.saturating_sub(1));
        let dust = Amount::ZERO;
        let stream = Stream { set, token, per_epoch, from, to, locked: amount, dust, funder, deposit };
        state.streams.insert(id, stream);
        state.set_mut(set).streams.push(id);
        events.push(Event::StreamOpened { stream: id, set, token, per_epoch, from, to });
        Ok(())
    }

    fn check(&self, state: &State, sender: Address) -> Result<Amount, Refused> {
        let Self { set, token, per_epoch, epochs } = *self;
        if per_epoch.is_zero() || epochs == 0 {
            return Err(Refused::AmountIsZero);
        }
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        if record.is_closed {
            return Err(Refused::SetClosed { set });
        }
        if !record.terms_in(state.epoch).reward_tokens.contains(&token) || state.is_native(token) {
            return Err(Refused::TokenNotNamed { token });
        }
        let (count, most) = state.streams_of(record, sender);
        if count >= usize::from(most) {
            return Err(Refused::TooManyStreams { count, most });
        }
        let least = state.asset(token).map_or(Amount::ZERO, |asset| asset.stake_min);
        if per_epoch < least {
            return Err(Refused::BelowMinimum { amount: per_epoch, least });
        }
        let free = state.free_of(sender, token);
        let amount = per_epoch.units().checked_mul(u128::from(epochs)).map(Amount::new);
        let amount = amount.unwrap_or(Amount::new(u128::MAX));
        let of_deposit = if token == state.genesis.deposit_asset {
            state.parameters().object_deposit
        } else {
            Amount::ZERO
        };
        let needed = amount.plus(of_deposit).unwrap_or(amount);
        if needed > free {
            return Err(Refused::ExceedsFree { amount: needed, free });
        }
        Ok(amount)
    }
}
