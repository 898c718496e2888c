//! Anyone lets shares come home that enough verifiers vouch for, as far as the route's meter goes.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::is_reserved;
use crate::state::vaults::routes::Agreed;
use crate::units::{Address, Epoch, RouteId, Shares};

record! {
    /// Lets the next message of a route in, or as much of it as there is room for. What is more than the route has locked never comes.
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
        WindowIsFull { home: Shares, cap: Shares } => "{home} shares net have come home within the window, and the route's cap is {cap}",
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
        let agreed = arrival.and_then(|arrival| arrival.agreed).ok_or(Refused::NotVouched { message })?;
        let Agreed { to, left, ready } = agreed;
        let now = state.epoch;
        if ready > now {
            return Err(Refused::TooEarly { message, ready });
        }
        let (share, window, cap) = (route.share, route.terms.window, route.terms.cap);
        let left = left.min(route.meter.locked);
        if is_reserved(to) {
            send_back(state, id, &agreed, left, events);
            return Ok(());
        }
        let shares = route.meter.room(now, window, cap).min(left);
        if shares.is_zero() && !left.is_zero() {
            return Err(Refused::WindowIsFull { home: route.meter.net_home(now, window), cap });
        }

        // From here on nothing can fail.
        let left = shares.room_below(left);
        let route = state.route_mut(id);
        route.meter.unlock(now, window, shares);
        if left.is_zero() {
            route.next = message.saturating_add(1);
            state.vaults.arrivals.remove(&(id, message));
        } else if let Some(arrival) = state.vaults.arrivals.get_mut(&(id, message)) {
            arrival.agreed = Some(Agreed { left, ..agreed });
        }
        let account = state.accounts.open(to);
        state.give_shares(share, account, shares);
        events.push(Event::SharesReceived { route: id, message, to, shares });
        Ok(())
    }
}

/// What would come home to the account of a vault or a basket, which could never give it back, stays locked, and a message goes out for it: who
/// burnt the shares there can have them there again. The next message is next.
fn send_back(state: &mut State, id: RouteId, agreed: &Agreed, shares: Shares, events: &mut Vec<Event>) {
    let route = state.route_mut(id);
    let (message, back) = (route.next, route.sent);
    route.next = message.saturating_add(1);
    route.sent = back.saturating_add(1);
    state.vaults.arrivals.remove(&(id, message));
    events.push(Event::SharesReturned { route: id, message, to: agreed.to, shares, back });
}
