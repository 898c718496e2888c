//! A service takes announced terms back.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, SetId};

record! {
    /// Withdraws terms that are announced and not yet in force.
    pub struct WithdrawTerms {
        /// The set.
        pub set: SetId,
    }
}

refusals! {
    /// Why a withdrawal is refused.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        NotTheService { set: SetId } => "the sender is not the service of set {set}",
        NothingPending { set: SetId } => "set {set} has announced nothing",
    }
}

impl WithdrawTerms {
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
        if record.pending.is_none() {
            return Err(Refused::NothingPending { set });
        }

        // From here on nothing can fail.
        state.set_mut(set).pending = None;
        state.terms_version = state.terms_version.saturating_add(1);
        events.push(Event::TermsWithdrawn { set });
        Ok(())
    }
}
