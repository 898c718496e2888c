//! A verifier says what was burnt on the other ledger.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::routes::Arrival;
use crate::units::{Address, RouteId, Shares};

record! {
    /// Says that a message home is for so many shares to somebody. It comes home when enough verifiers say the same.
    pub struct VouchShares {
        /// The route.
        pub route: RouteId,
        /// The number of the message, as the other ledger counts.
        pub message: u64,
        /// To whom.
        pub to: Address,
        /// How many.
        pub shares: Shares,
    }
}

refusals! {
    /// Why a word does not count.
    {
        RouteNotFound { route: RouteId } => "route {route} does not exist",
        NotAVerifier { route: RouteId } => "the sender is no verifier of route {route}",
        OutOfReach { message: u64, next: u64, last: u64 } => "message {message} is not one of {next} to {last}",
        SaidAlready { message: u64 } => "the sender has said what message {message} is, and can't say it again",
    }
}

/// How many messages may be under way.
const AHEAD: u64 = 64;

impl VouchShares {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { route: id, message, to, shares } = *self;
        let route = state.route(id).ok_or(Refused::RouteNotFound { route: id })?;
        if !route.terms.verifiers.contains(&sender) {
            return Err(Refused::NotAVerifier { route: id });
        }
        let (next, last) = (route.next, route.next.saturating_add(AHEAD));
        if !(next..=last).contains(&message) {
            return Err(Refused::OutOfReach { message, next, last });
        }
        let arrival = state.vaults.arrivals.get(&(id, message));
        if arrival.is_some_and(|arrival| arrival.said.iter().any(|(who, _, _)| *who == sender)) {
            return Err(Refused::SaidAlready { message });
        }

        // From here on nothing can fail.
        let (threshold, wait, above) = (route.terms.threshold, route.terms.wait, route.terms.waits_above);
        let mut arrival = arrival.cloned().unwrap_or(Arrival { said: Vec::new(), ready: None });
        arrival.said.push((sender, to, shares));
        if arrival.ready.is_none()
            && let Some((_, agreed)) = arrival.agreed(threshold)
        {
            arrival.ready = Some(state.epoch.later(if agreed > above { wait } else { 0 }));
        }
        let ready = arrival.ready;
        state.vaults.arrivals.insert((id, message), arrival);
        events.push(Event::SharesVouched { route: id, message, by: sender, to, shares, ready });
        Ok(())
    }
}
