//! The governor announces forks of Ethereum, decides on a contradiction, or names another block to begin at.

use evidence::ethereum::Schedule;

use super::propose_parameters::PENDING_MAX;
use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::governance::GovernanceChange;
use crate::units::{Address, Digest};

record! {
    /// Changes how Ethereum is followed. A schedule takes the notice; so does another trusted root, unless a contradiction has stopped the
    /// chain: then it counts at once, and so does the decision to go on with what was accepted.
    pub struct GovernChain {
        /// From when on which fork rules.
        #[serde(default)]
        pub schedule: Option<Schedule>,
        /// The block to begin at again. What was accepted is forgotten; stake stays as it was last proven.
        #[serde(default)]
        pub trusted: Option<Digest>,
        /// Whether the chain goes on as it was accepted, although it was contradicted.
        #[serde(default)]
        pub resume: bool,
    }
}

refusals! {
    /// Why a change is refused.
    {
        NotFollowed => "this ledger follows no Ethereum",
        NotTheGovernor => "the sender is not the governor",
        NothingToChange => "neither a schedule nor a root is given, and nothing is to be resumed",
        NotHalted => "the chain is not stopped, so there is nothing to resume",
        TooManyPending { count: usize } => "{count} changes of governance are pending",
    }
}

impl GovernChain {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        if state.ethereum.is_none() {
            return Err(Refused::NotFollowed);
        }
        if sender != state.genesis.governor {
            return Err(Refused::NotTheGovernor);
        }
        if self.schedule.is_none() && self.trusted.is_none() && !self.resume {
            return Err(Refused::NothingToChange);
        }
        let is_halted = state.halt().is_some();
        if self.resume && !is_halted {
            return Err(Refused::NotHalted);
        }
        let count = state.governance.len();
        if count.saturating_add(2) > PENDING_MAX {
            return Err(Refused::TooManyPending { count });
        }

        // From here on nothing can fail.
        let later = state.epoch.next().later(state.parameters().notice);
        if self.resume
            && let Some(following) = &mut state.ethereum
        {
            following.record_mut().halt = None;
        }
        if let Some(schedule) = self.schedule.clone() {
            state.governance.retain(|(_, other)| !matches!(other, GovernanceChange::Schedule(_)));
            state.governance.push((later, GovernanceChange::Schedule(schedule)));
        }
        let mut from = if self.schedule.is_some() { later } else { state.epoch };
        if let Some(trusted) = self.trusted {
            state.governance.retain(|(_, other)| !matches!(other, GovernanceChange::Trusted(_)));
            if is_halted {
                state.carry_out_governance(&GovernanceChange::Trusted(trusted));
            } else {
                state.governance.push((later, GovernanceChange::Trusted(trusted)));
                from = later;
            }
        }
        events.push(Event::ChainGoverned { from, trusted: self.trusted, resumed: self.resume });
        Ok(())
    }
}
