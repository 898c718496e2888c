//! A service sends an operator away.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, OperatorId, SetId};

record! {
    /// Gives back every part that the set owns of the operator's pools, as if the operator had left.
    pub struct Eject {
        /// The set.
        pub set: SetId,
        /// The operator.
        pub operator: OperatorId,
    }
}

refusals! {
    /// Why an ejection is refused.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        NotTheService { set: SetId } => "the sender is not the service of set {set}",
        NotAMember { operator: OperatorId, set: SetId } => "operator {operator} is not in set {set}",
    }
}

impl Eject {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { set, operator } = *self;
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        if !state.is_service(record, sender) {
            return Err(Refused::NotTheService { set });
        }
        if record.active_member(operator).is_none() {
            return Err(Refused::NotAMember { operator, set });
        }

        // From here on nothing can fail.
        state.leave_set(set, operator, state.epoch);
        events.push(Event::LeftSet { set, operator, replaced_by: None });
        Ok(())
    }
}
