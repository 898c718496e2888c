//! The governor announces new parameters.

use crate::event::Event;
use crate::genesis::Parameters;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::governance::GovernanceChange;
use crate::units::{Address, Epoch, Fraction};

record! {
    /// Announces parameters. They count after the notice, inside the bounds of the genesis, and safely for what is in flight: offences of
    /// an epoch are governed by that epoch's windows, and whoever leaves later stays long enough for every capture still open.
    pub struct ProposeParameters {
        /// The new parameters.
        pub parameters: Box<Parameters>,
    }
}

refusals! {
    /// Why parameters are refused.
    {
        NotTheGovernor => "the sender is not the governor",
        OutOfBounds { why: String } => "{why}",
        BadCaps { cap: Fraction } => "a cap of {cap} refuses everything",
        ExitsTooShort { unbonding: u32, needed: u32 } => "unbonding of {unbonding} epochs does not cover captures still open when it starts, which need {needed}",
        TooManyPending { count: usize } => "{count} changes of governance are pending",
    }
}

/// Changes of governance that may wait at the same time.
pub(crate) const PENDING_MAX: usize = 64;

impl ProposeParameters {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        if sender != state.genesis.governor {
            return Err(Refused::NotTheGovernor);
        }
        let new = &self.parameters;
        new.check(&state.genesis.bounds).map_err(|why| Refused::OutOfBounds { why })?;
        let caps = &new.caps;
        let shares = [caps.operator, caps.service, caps.group, caps.undeclared, caps.event];
        if let Some(cap) = shares.into_iter().find(|cap| cap.is_zero()) {
            return Err(Refused::BadCaps { cap });
        }
        let from = state.epoch.next().later(state.parameters().notice);
        let needed = needed_unbonding(state, from);
        if new.unbonding < needed {
            return Err(Refused::ExitsTooShort { unbonding: new.unbonding, needed });
        }
        let count = state.governance.len();
        if count >= PENDING_MAX {
            return Err(Refused::TooManyPending { count });
        }

        // From here on nothing can fail.
        // The history knows it from now on, so that whatever is computed for later epochs is right; it counts from its epoch.
        state.parameters.forget_after(state.epoch);
        state.parameters.set(from, (**new).clone());
        state.governance.retain(|(_, change)| !matches!(change, GovernanceChange::Parameters(_)));
        state.governance.push((from, GovernanceChange::Parameters(self.parameters.clone())));
        events.push(Event::ParametersAnnounced { from });
        Ok(())
    }
}

/// What a leaver of `from` must stay so that every capture of earlier rules that is still open then can be executed.
fn needed_unbonding(state: &State, from: Epoch) -> u32 {
    let mut needed = 0;
    let mut until = from;
    for (start, rules) in state.parameters.iter().rev() {
        // What was announced before and has not started is replaced.
        if start > state.epoch {
            continue;
        }
        let last_capture = until.previous();
        needed = needed.max(last_capture.later(rules.reach()).since(from));
        until = start;
    }
    needed
}
