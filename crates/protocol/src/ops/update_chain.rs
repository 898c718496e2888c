//! Anyone tells which block of Ethereum is final, as a sync committee has signed it.

use evidence::ethereum::{Update, UpdateRefused};

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::Address;

record! {
    /// Follows Ethereum by an update: a finalized header, the committee of the next period, or both.
    pub struct UpdateChain {
        /// What two thirds of a committee have signed.
        pub update: Update,
    }
}

refusals! {
    /// Why an update is refused.
    {
        NotFollowed => "this ledger follows no Ethereum",
        NotBegun => "the chain is not followed yet; bring its trusted block by begin_chain first",
        NotProven { refused: UpdateRefused } => "{refused}",
    }
}

impl UpdateChain {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let now = state.chain_slot();
        let following = state.ethereum.as_mut().ok_or(Refused::NotFollowed)?;
        let updated = following.updated(&self.update, now).ok_or(Refused::NotBegun)?;
        let (light, progress) = updated.map_err(|refused| Refused::NotProven { refused })?;

        // From here on nothing can fail.
        let event = Event::ChainUpdated {
            finalized: progress.finalized,
            committee: progress.committee,
            period: light.period(),
        };
        following.set_light(light);
        events.push(event);
        Ok(())
    }
}
