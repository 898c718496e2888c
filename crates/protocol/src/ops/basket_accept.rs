//! A basket's second role accepts a price that moved beyond its bound.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, BasketId, VaultId};

record! {
    /// Accepts a price that was reported: one that rose counts from now on, and one that fell no longer closes entries.
    pub struct BasketAccept {
        /// The basket.
        pub basket: BasketId,
        /// The leg: shares of which vault.
        pub vault: VaultId,
        /// The price, as it was reported.
        pub price: Amount,
    }
}

refusals! {
    /// Why there is nothing to accept.
    {
        BasketNotFound { basket: BasketId } => "basket {basket} does not exist",
        NotALeg { vault: VaultId } => "the basket has no shares of vault {vault}",
        NotTheAcceptor { acceptor: Address } => "whoever accepts prices for the basket is {acceptor}",
        NothingWaits { price: Amount } => "no price of {price} waits to be accepted",
    }
}

impl BasketAccept {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { basket: id, vault, price } = *self;
        let basket = state.basket(id).ok_or(Refused::BasketNotFound { basket: id })?;
        let leg = basket.leg_of(vault).ok_or(Refused::NotALeg { vault })?;
        let acceptor = basket.terms_in(state.epoch).acceptor;
        if sender != acceptor {
            return Err(Refused::NotTheAcceptor { acceptor });
        }
        let mut feed = basket.legs.get(leg).map(|leg| leg.feed).unwrap_or_default();
        if !feed.accept(price.units()) {
            return Err(Refused::NothingWaits { price });
        }

        // From here on nothing can fail.
        let leg = state.basket_mut(id).legs.get_mut(leg).expect("the leg was checked");
        leg.feed = feed;
        events.push(Event::BasketAccepted { basket: id, vault, price });
        Ok(())
    }
}
