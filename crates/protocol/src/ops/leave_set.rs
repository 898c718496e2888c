//! An operator leaves a set.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, SetId};

record! {
    /// Gives back every part that the set owns. Offences on duty stay punishable with the same stake.
    pub struct LeaveSet {
        /// The set.
        pub set: SetId,
    }
}

refusals! {
    /// Why leaving is refused.
    {
        NotAnOperator => "the sender is not an operator",
        NotAMember { set: SetId } => "the operator is not in set {set}",
    }
}

impl LeaveSet {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let set = self.set;
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        let is_in = state.set(set).is_some_and(|record| record.active_member(operator).is_some());
        if !is_in {
            return Err(Refused::NotAMember { set });
        }

        // From here on nothing can fail.
        state.leave_set(set, operator, state.epoch);
        events.push(Event::LeftSet { set, operator, replaced_by: None });
        Ok(())
    }
}
