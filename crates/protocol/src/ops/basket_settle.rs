//! Anyone settles a request that waits at a single-sided door, by prices that nobody knew when it was made.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::ops::basket_enter::{self, BasketEnter};
use crate::ops::basket_leave::{self, BasketLeave};
use crate::state::State;
use crate::state::vaults::baskets::{DoorRequest, DoorWay};
use crate::units::{Address, BasketId, TicketId, VaultId};

record! {
    /// Carries a request out, or gives its shares back where the door would refuse it.
    pub struct BasketSettle {
        /// The basket.
        pub basket: BasketId,
        /// Which of its requests.
        pub ticket: TicketId,
    }
}

refusals! {
    /// Why a request goes on waiting.
    {
        BasketNotFound { basket: BasketId } => "basket {basket} does not exist",
        RequestNotFound { ticket: TicketId } => "no request {ticket} waits at the doors of the basket",
        TooEarly { ticket: TicketId, ready: u64, now: u64 } => "request {ticket} waits until {ready}, and it is {now} (milliseconds since 1970)",
        AwaitsPrice { vault: VaultId, since: u64, until: u64 } => "the price of vault {vault} has not been reported since {since}; if it is not until {until}, the shares go back (milliseconds since 1970)",
        TickPending { vault: VaultId } => "the tick of vault {vault} is not done; anyone may go on with it",
    }
}

/// What becomes of a request.
enum Verdict {
    Enter(BasketEnter, (usize, crate::units::Shares)),
    Leave(BasketLeave, (usize, crate::units::Shares)),
    Return(String),
}

impl BasketSettle {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { basket: id, ticket } = *self;
        state.basket(id).ok_or(Refused::BasketNotFound { basket: id })?;
        let request = state.vaults.door_requests.get(&(id, ticket)).copied();
        let request = request.ok_or(Refused::RequestNotFound { ticket })?;
        self.check_age(state, &request)?;
        let verdict = self.verdict(state, &request)?;

        // From here on nothing can fail.
        state.vaults.door_requests.remove(&(id, ticket));
        let DoorRequest { owner, vault, shares, .. } = request;
        match verdict {
            Verdict::Enter(enter, moved) => enter.carry_out(state, owner, moved, events),
            Verdict::Leave(leave, moved) => leave.carry_out(state, owner, moved, events),
            Verdict::Return(why) => {
                let share = state.share_of_request(id, &request);
                state.give_shares(share, owner, shares);
                let account = state.accounts.get(owner).address;
                events.push(Event::BasketReturned { basket: id, ticket, account, vault, shares, why });
            }
        }
        Ok(())
    }

    /// Whether it has waited long enough, and every leg has been reported since; without a report for as long as a price may be old it waits no
    /// longer.
    fn check_age(&self, state: &State, request: &DoorRequest) -> Result<(), Refused> {
        let Self { basket: id, ticket } = *self;
        let (now, basket) = (state.time, state.basket(id).ok_or(Refused::BasketNotFound { basket: id })?);
        // Without doors there is nothing to wait for.
        let Some(doors) = basket.terms_in(state.epoch).doors else { return Ok(()) };
        let ready = request.ready;
        if now < ready {
            return Err(Refused::TooEarly { ticket, ready, now });
        }
        let until = ready.saturating_add(doors.age_max);
        let older = basket.legs.iter().find(|leg| leg.feed.at < ready);
        match older {
            Some(leg) if now <= until => Err(Refused::AwaitsPrice { vault: leg.vault, since: ready, until }),
            _ => Ok(()),
        }
    }

    fn verdict(&self, state: &State, request: &DoorRequest) -> Result<Verdict, Refused> {
        let DoorRequest { way, vault, shares, shares_min, .. } = *request;
        let basket = self.basket;
        match way {
            DoorWay::Enter => {
                let enter = BasketEnter { basket, vault, shares, shares_min };
                match enter.check(state, None) {
                    Ok(moved) => Ok(Verdict::Enter(enter, moved)),
                    Err(basket_enter::Refused::TickPending { vault }) => Err(Refused::TickPending { vault }),
                    Err(why) => Ok(Verdict::Return(why.to_string())),
                }
            }
            DoorWay::Leave => {
                let leave = BasketLeave { basket, vault, shares, shares_min };
                match leave.check(state, None) {
                    Ok(moved) => Ok(Verdict::Leave(leave, moved)),
                    Err(basket_leave::Refused::TickPending { vault }) => Err(Refused::TickPending { vault }),
                    Err(why) => Ok(Verdict::Return(why.to_string())),
                }
            }
        }
    }
}
