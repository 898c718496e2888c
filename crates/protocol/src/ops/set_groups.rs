//! An operator declares what it runs on.

use super::register_operator::bad_label;
use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::Groups;
use crate::units::Address;

record! {
    /// Replaces what the operator declares. It counts for the group caps from the next boundary on.
    pub struct SetGroups {
        /// What it says it runs on.
        pub groups: Groups,
    }
}

refusals! {
    /// Why a declaration is refused.
    {
        NotAnOperator => "the sender is not an operator",
        LabelTooLong { length: usize } => "a declared group has {length} bytes, and may have 1 to 64",
    }
}

impl SetGroups {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        if let Some(length) = bad_label(&self.groups) {
            return Err(Refused::LabelTooLong { length });
        }

        // From here on nothing can fail.
        state.operator_mut(operator).groups = self.groups.clone();
        events.push(Event::GroupsSet { operator });
        Ok(())
    }
}
