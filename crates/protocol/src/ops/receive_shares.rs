//! Anyone lets shares come home that enough verifiers vouch for, as far as the route's meter goes.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Epoch, RouteId};
use crate::vault::meter;

record! {
    /// Lets the next message of a route in.
    pub struct ReceiveShares {
        /// The route.
        pub route: RouteId,
    }
}

refusals! {
    /// Why it must wait.
    {
        RouteNotFound { route: RouteId } => "route {route} does not exist",
        NotVouched { message: u64 } => "too few verifiers say the same of message {message}",
        TooEarly { message: u64, ready: Epoch } => "message {message} waits until epoch {ready}",
        MeterRefused { refused: meter::Refused } => "{refused}",
    }
}

impl ReceiveShares {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.route;
        let route = state.route(id).ok_or(Refused::RouteNotFound { route: id })?;
        let message = route.next;
        let arrival = state.vaults.arrivals.get(&(id, message));
        let agreed =
            arrival.and_then(|arrival| Some((arrival.agreed(route.terms.threshold)?, arrival.ready?)));
        let ((to, shares), ready) = agreed.ok_or(Refused::NotVouched { message })?;
        let now = state.epoch;
        if ready > now {
            return Err(Refused::TooEarly { message, ready });
        }
        let (share, window, cap) = (route.share, route.terms.window, route.terms.cap);
        route
            .meter
            .check_home(now, window, cap, shares)
            .map_err(|refused| Refused::MeterRefused { refused })?;

        // From here on nothing can fail.
        state.vaults.arrivals.remove(&(id, message));
        let route = state.route_mut(id);
        route.next = message.saturating_add(1);
        route.meter.unlock(now, window, shares);
        let account = state.accounts.open(to);
        state.give_shares(share, account, shares);
        events.push(Event::SharesReceived { route: id, message, to, shares });
        Ok(())
    }
}
