//! A verifier says what was burnt on the other ledger.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::routes::Agreed;
use crate::units::{Address, RouteId, Shares};

record! {
    /// Says that a message home is for so many shares to somebody. It comes home when enough verifiers say the same; until then each may say
    /// something else.
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
        SaidAlready { message: u64 } => "the sender has said just that of message {message}",
        IsAgreed { message: u64 } => "enough verifiers said the same of message {message} already",
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
        let mut arrival = state.vaults.arrivals.get(&(id, message)).cloned().unwrap_or_default();
        if arrival.said.contains(&(sender, to, shares)) {
            return Err(Refused::SaidAlready { message });
        }
        if arrival.agreed.is_some() {
            return Err(Refused::IsAgreed { message });
        }

        // From here on nothing can fail.
        let (threshold, wait, above) = (route.terms.threshold, route.terms.wait, route.terms.waits_above);
        if arrival.say(sender, to, shares) >= usize::from(threshold) {
            let ready = state.epoch.later(if shares > above { wait } else { 0 });
            arrival.agreed = Some(Agreed { to, left: shares, ready });
        }
        let ready = arrival.agreed.map(|agreed| agreed.ready);
        state.vaults.arrivals.insert((id, message), arrival);
        events.push(Event::SharesVouched { route: id, message, by: sender, to, shares, ready });
        Ok(())
    }
}
