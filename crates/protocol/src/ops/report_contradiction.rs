//! Anyone proves that a sync committee has signed against what was accepted. Until governance decides, nothing of the chain joins or
//! leaves.

use evidence::ethereum::{ContradictionRefused, Disputed, RememberedRoot, Update};

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::ethereum::Halt;
use crate::units::{Address, Digest, Epoch};

record! {
    /// Shows an update that contradicts an accepted one. Joins and releases of the chain's assets stop until governance decides, at most
    /// for as many epochs as the genesis says.
    pub struct ReportContradiction {
        /// What two thirds of the committee have signed as well.
        pub update: Update,
        /// The root of the accepted block, as a later accepted state remembers it, where that block itself was never accepted.
        #[serde(default)]
        pub remembered: Option<RememberedRoot>,
    }
}

refusals! {
    /// Why a contradiction is refused.
    {
        NotFollowed => "this ledger follows no Ethereum",
        NotBegun => "the chain is not followed yet, so nothing can contradict",
        Halted { until: Epoch } => "the chain is stopped until epoch {until} already",
        NotProven { refused: ContradictionRefused } => "{refused}",
        Known { period: u64 } => "the committees up to period {period} were shown to contradict themselves before",
    }
}

impl ReportContradiction {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let now = state.chain_slot();
        let epochs = state.genesis.ethereum.as_ref().ok_or(Refused::NotFollowed)?.halt_epochs;
        let following = state.ethereum.as_ref().ok_or(Refused::NotFollowed)?;
        let light = following.light.as_deref().ok_or(Refused::NotBegun)?;
        if let Some(until) = state.halt() {
            return Err(Refused::Halted { until });
        }
        let contradiction = light
            .contradiction(&following.chain, &self.update, now, self.remembered.as_ref())
            .map_err(|refused| Refused::NotProven { refused })?;
        let period = evidence::ethereum::period_of(self.update.signature_slot);
        if let Some(period) = following.record.contradicted.filter(|last| *last >= period) {
            return Err(Refused::Known { period });
        }
        let until = state.epoch.later(epochs.min(state.parameters().unbonding));
        let slot = match contradiction.about() {
            Disputed::Block { slot } => slot,
            Disputed::Committee { .. } => self.update.attested.slot,
        };
        let (accepted, claimed) = (Digest(*contradiction.accepted()), Digest(*contradiction.claimed()));

        // From here on nothing can fail.
        if let Some(following) = &mut state.ethereum {
            let record = following.record_mut();
            record.halt = Some(Halt { until, slot, accepted, claimed });
            record.contradicted = Some(period);
        }
        events.push(Event::ChainHalted { until, slot, accepted, claimed });
        Ok(())
    }
}
