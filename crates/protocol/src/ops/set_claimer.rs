//! An account lets another claim its rewards.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::Address;

record! {
    /// Names who may claim the sender's rewards, to any address; none ends it.
    pub struct SetClaimer {
        /// Who may claim.
        #[serde(default)]
        pub claimer: Option<Address>,
    }
}

refusals! {
    /// Why a claimer is refused.
    {
        Unchanged => "that is the claimer already",
    }
}

impl SetClaimer {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let extra = state.accounts.find(sender).and_then(|account| state.accounts.get(account).extra());
        if extra.and_then(|extra| extra.claimer) == self.claimer {
            return Err(Refused::Unchanged);
        }

        // From here on nothing can fail.
        let account = state.accounts.open(sender);
        if let Some(claimer) = self.claimer {
            // Its nonces are counted from the start.
            state.accounts.open(claimer);
        }
        state.accounts.get_mut(account).extra_mut().claimer = self.claimer;
        events.push(Event::ClaimerSet { account: sender, claimer: self.claimer });
        Ok(())
    }
}
