//! A service ends a set.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, SetId};

record! {
    /// Closes a set: all allocations are given back. Requests for earlier captures live on; the deposit returns when no
    /// offence can be punished any more.
    pub struct CloseSet {
        /// The set.
        pub set: SetId,
    }
}

refusals! {
    /// Why closing is refused.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        NotTheService { set: SetId } => "the sender is not the service of set {set}",
        AlreadyClosed { set: SetId } => "set {set} is closed already",
    }
}

impl CloseSet {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let set = self.set;
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        if !state.is_service(record, sender) {
            return Err(Refused::NotTheService { set });
        }
        if record.is_closed {
            return Err(Refused::AlreadyClosed { set });
        }

        // From here on nothing can fail.
        let active = record.members.iter().filter(|(_, member)| member.left.is_none());
        let members: Vec<_> = active.map(|(operator, _)| *operator).collect();
        for operator in members {
            state.leave_set(set, operator, state.epoch);
            events.push(Event::LeftSet { set, operator, replaced_by: None });
        }
        let record = state.set_mut(set);
        record.is_closed = true;
        record.pending = None;
        state.terms_version = state.terms_version.saturating_add(1);
        events.push(Event::SetClosed { set });
        Ok(())
    }
}
