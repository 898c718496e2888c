//! Someone pays operators for measured work of a past epoch.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::Work;
use crate::units::{Address, Amount, AssetId, Epoch, OperatorId, SetId};

record! {
    /// Pays operators, and whoever was bonded with them then, for the work of an epoch that is over. It is credited at the next boundary.
    pub struct PayWork {
        /// The set.
        pub set: SetId,
        /// The token, one that the terms name.
        pub token: AssetId,
        /// The epoch worked in: at most `W` back, so that nobody can join for it.
        pub epoch: Epoch,
        /// Who gets how much.
        pub payments: Vec<Payment>,
    }
}

record! {
    /// A payment for work.
    pub struct Payment {
        /// The operator.
        pub operator: OperatorId,
        /// How much.
        pub amount: Amount,
    }
}

refusals! {
    /// Why a payment is refused.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        TokenNotNamed { token: AssetId } => "the terms of the set for that epoch do not name reward token {token}",
        EpochNotOver { epoch: Epoch, now: Epoch } => "epoch {epoch} is not over; it is epoch {now}",
        TooLate { epoch: Epoch, last: Epoch } => "work of epoch {epoch} could be paid until epoch {last}",
        PaymentCount { count: usize, most: u16 } => "{count} payments are outside 1 to {most}",
        AmountIsZero { operator: OperatorId } => "the payment to operator {operator} is zero",
        NotOnDuty { operator: OperatorId, epoch: Epoch } => "operator {operator} was not in the stake table of epoch {epoch}",
        TooMuchWaiting { count: usize, most: usize } => "{count} payments of the kind wait for the boundary, and {most} may: half of the places are the service's own",
        ExceedsFree { amount: Amount, free: Amount } => "payments of {amount} exceed free balance {free}",
    }
}

impl PayWork {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let total = self.check(state, sender)?;

        // From here on nothing can fail.
        let Self { set, token, epoch, .. } = *self;
        let funder = state.accounts.open(sender);
        state.accounts.get_mut(funder).take_free(token, total);
        for Payment { operator, amount } in &self.payments {
            let work = Work { epoch, operator: *operator, token, amount: *amount, funder };
            state.set_mut(set).work.push(work);
        }
        events.push(Event::WorkPaid { set, token, epoch, amount: total });
        Ok(())
    }

    fn check(&self, state: &State, sender: Address) -> Result<Amount, Refused> {
        let Self { set, token, epoch, .. } = *self;
        let now = state.epoch;
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        if !record.terms_in(epoch).reward_tokens.contains(&token) || state.is_native(token) {
            return Err(Refused::TokenNotNamed { token });
        }
        if epoch >= now {
            return Err(Refused::EpochNotOver { epoch, now });
        }
        let last = epoch.later(state.parameters.at(epoch).slash_window);
        if now > last {
            return Err(Refused::TooLate { epoch, last });
        }
        let (count, most) = (self.payments.len(), state.limits().items_per_operation);
        if !(1..=usize::from(most)).contains(&count) {
            return Err(Refused::PaymentCount { count, most });
        }
        let mut total = Some(Amount::ZERO);
        for Payment { operator, amount } in &self.payments {
            if amount.is_zero() {
                return Err(Refused::AmountIsZero { operator: *operator });
            }
            if !record.was_on_duty(*operator, epoch) {
                return Err(Refused::NotOnDuty { operator: *operator, epoch });
            }
            total = total.and_then(|total| total.plus(*amount));
        }
        let (waiting, most) = state.work_of(record, sender);
        if waiting.saturating_add(count) > most {
            return Err(Refused::TooMuchWaiting { count: waiting, most });
        }
        let free = state.free_of(sender, token);
        let amount = total.unwrap_or(Amount::new(u128::MAX));
        if amount > free {
            return Err(Refused::ExceedsFree { amount, free });
        }
        Ok(amount)
    }
}
