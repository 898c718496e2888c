//! Shares leave for another ledger.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::ops::release::check_destination;
use crate::state::State;
use crate::units::{Address, RouteId, Shares};

record! {
    /// Locks shares in a route, so that as many may be there.
    pub struct SendShares {
        /// The route.
        pub route: RouteId,
        /// How many.
        pub shares: Shares,
        /// To whom there.
        pub to: String,
    }
}

refusals! {
    /// Why shares don't leave.
    {
        RouteNotFound { route: RouteId } => "route {route} does not exist",
        SharesAreZero => "it is for no shares",
        BadDestination { why: String } => "{why}",
        ExceedsShares { shares: Shares, held: Shares } => "{shares} shares exceed the {held} that the sender has",
    }
}

impl SendShares {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { route: id, shares, .. } = *self;
        let share = state.route(id).ok_or(Refused::RouteNotFound { route: id })?.share;
        if shares.is_zero() {
            return Err(Refused::SharesAreZero);
        }
        check_destination(&self.to).map_err(|why| Refused::BadDestination { why })?;
        let held = state.shares_of(share, sender);
        if shares > held {
            return Err(Refused::ExceedsShares { shares, held });
        }

        // From here on nothing can fail.
        let account = state.accounts.open(sender);
        state.take_shares(share, account, shares);
        let now = state.epoch;
        let route = state.route_mut(id);
        let message = route.sent;
        route.sent = message.saturating_add(1);
        let window = route.terms.window;
        route.meter.lock(now, window, shares);
        let to = self.to.clone();
        events.push(Event::SharesSent { route: id, message, account: sender, shares, to });
        Ok(())
    }
}
