//! A service takes an operator off duty.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::Jailing;
use crate::units::{Address, Epoch, Fraction, OperatorId, SetId};

record! {
    /// The operator is off the table from the next epoch on, until it returns by itself after the terms' period.
    pub struct Jail {
        /// The set.
        pub set: SetId,
        /// The operator.
        pub operator: OperatorId,
    }
}

refusals! {
    /// Why a jailing is refused.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        NotTheService { set: SetId } => "the sender is not the service of set {set}",
        NotAMember { operator: OperatorId, set: SetId } => "operator {operator} is not in set {set}",
        AlreadyJailed { until: Epoch } => "the operator is jailed already, and may return in epoch {until}",
        NotOnDuty { operator: OperatorId } => "operator {operator} is not in this epoch's stake table",
        TooMuchWeight { share: Fraction, jailed: Fraction } => "{share} of the weight on top of the {jailed} jailed within the window is more than a third",
    }
}

impl Jail {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { set, operator } = *self;
        let now = state.epoch;
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        if !state.is_service(record, sender) {
            return Err(Refused::NotTheService { set });
        }
        let member = record.active_member(operator).ok_or(Refused::NotAMember { operator, set })?;
        if let Some(until) = member.jailed {
            return Err(Refused::AlreadyJailed { until });
        }
        if !record.was_on_duty(operator, now) {
            return Err(Refused::NotOnDuty { operator });
        }
        let since = now.next().earlier(state.parameters().reach());
        let recent =
            record.jailings.iter().filter(|jailing| jailing.epoch >= since && jailing.operator != operator);
        let jailed = recent.fold(Fraction::ZERO, |sum, jailing| sum.plus_up_to_one(jailing.share));
        let share = record.table_of(now).map_or(Fraction::ZERO, |table| table.share(operator));
        let third = Fraction::from_steps(Fraction::STEPS.saturating_sub(1).checked_div(3).unwrap_or(0));
        if share.plus_up_to_one(jailed) > third.unwrap_or(Fraction::ZERO) {
            return Err(Refused::TooMuchWeight { share, jailed });
        }

        // From here on nothing can fail.
        let until = state.jail(set, operator);
        state.set_mut(set).jailings.push(Jailing { epoch: now, operator, share });
        events.push(Event::Jailed { set, operator, until });
        Ok(())
    }
}
