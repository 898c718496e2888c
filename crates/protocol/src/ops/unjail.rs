//! A jailed operator returns to duty.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Epoch, SetId};

record! {
    /// Ends the operator's jail after the terms' period. It is on the table from the next epoch on.
    pub struct Unjail {
        /// The set.
        pub set: SetId,
    }
}

refusals! {
    /// Why a return is refused.
    {
        NotAnOperator => "the sender is not an operator",
        NotAMember { set: SetId } => "the operator is not in set {set}",
        NotJailed { set: SetId } => "the operator is not jailed in set {set}",
        TooEarly { until: Epoch } => "the operator may return in epoch {until}",
    }
}

impl Unjail {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let set = self.set;
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        let member = state.set(set).and_then(|record| record.active_member(operator));
        let member = member.ok_or(Refused::NotAMember { set })?;
        let until = member.jailed.ok_or(Refused::NotJailed { set })?;
        if state.epoch < until {
            return Err(Refused::TooEarly { until });
        }

        // From here on nothing can fail.
        if let Some(member) = state.set_mut(set).members.get_mut(&operator) {
            member.jailed = None;
        }
        events.push(Event::Unjailed { set, operator, from: state.epoch.next() });
        Ok(())
    }
}
