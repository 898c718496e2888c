//! The guardian stops something that could make a bad day worse.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Epoch};

record! {
    /// Stops one kind of increase for 7 epochs, after which nothing can be stopped for 21. No clock stops for it, and it can't touch
    /// requests, vetoes, executions, exits, claims or balances.
    pub struct Guard {
        /// What stops.
        pub stop: Stop,
    }
}

record! {
    /// What a guardian may stop.
    #[derive(Copy)]
    pub enum Stop {
        /// New stake in pools.
        Joins,
        /// New assets.
        Listings,
        /// New operator sets.
        Sets,
        /// More parts for sets.
        Allocations,
    }
}

refusals! {
    /// Why a stop is refused.
    {
        NotTheGuardian => "the sender is not the guardian",
        TooSoon { next: Epoch } => "the guardian may stop something again in epoch {next}",
    }
}

const STOPPED_EPOCHS: u32 = 7;
const PAUSE_EPOCHS: u32 = 21;

impl Guard {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        if sender != state.genesis.guardian {
            return Err(Refused::NotTheGuardian);
        }
        let now = state.epoch;
        let is_same_epoch = state.stops.next == now.later(STOPPED_EPOCHS).later(PAUSE_EPOCHS);
        if state.stops.next > now && !is_same_epoch {
            return Err(Refused::TooSoon { next: state.stops.next });
        }

        // From here on nothing can fail.
        let until = now.later(STOPPED_EPOCHS);
        let stops = &mut state.stops;
        match self.stop {
            Stop::Joins => stops.joins = until,
            Stop::Listings => stops.listings = until,
            Stop::Sets => stops.sets = until,
            Stop::Allocations => stops.allocations = until,
        }
        stops.next = until.later(PAUSE_EPOCHS);
        events.push(Event::Stopped { what: self.stop, until });
        Ok(())
    }
}
