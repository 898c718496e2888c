//! An account ends what it let another do.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::Address;

record! {
    /// Ends a grant at once.
    pub struct Revoke {
        /// Who may no longer act.
        pub delegate: Address,
    }
}

refusals! {
    /// Why a revocation is refused.
    {
        NoSuchDelegate { delegate: Address } => "{delegate} is not a delegate of the sender",
    }
}

impl Revoke {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let delegate = self.delegate;
        let account = state.accounts.find(sender).ok_or(Refused::NoSuchDelegate { delegate })?;
        let grants = state.accounts.get(account).grants();
        if !grants.iter().any(|grant| grant.delegate == delegate) {
            return Err(Refused::NoSuchDelegate { delegate });
        }

        // From here on nothing can fail.
        state.accounts.get_mut(account).extra_mut().grants.retain(|grant| grant.delegate != delegate);
        events.push(Event::Revoked { account: sender, delegate });
        Ok(())
    }
}
