//! What shares of a leg trade for, as a basket's reporter says.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, BasketId, VaultId};
use crate::vault::doors::Reported;

record! {
    /// Reports a price. A fall is never refused: beyond its bound it counts at once for exits and closes entries. A rise beyond its bound
    /// counts for nobody until it is accepted.
    pub struct BasketReport {
        /// The basket.
        pub basket: BasketId,
        /// The leg: shares of which vault.
        pub vault: VaultId,
        /// What `10^18` shares of it are worth, in `10^-18` of the basket's unit.
        pub price: Amount,
    }
}

refusals! {
    /// Why a price is not taken.
    {
        BasketNotFound { basket: BasketId } => "basket {basket} does not exist",
        NotALeg { vault: VaultId } => "the basket has no shares of vault {vault}",
        NoDoors => "the basket has no single-sided doors, and reads no price",
        NotTheReporter { reporter: Address } => "the basket's reporter is {reporter}",
        OutOfRange { price: Amount, most: Amount } => "a price of {price} exceeds {most}",
    }
}

/// No price is higher.
pub(crate) const PRICE_MAX: Amount = Amount::new(1 << 100);

impl BasketReport {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { basket: id, vault, price } = *self;
        let basket = state.basket(id).ok_or(Refused::BasketNotFound { basket: id })?;
        let leg = basket.leg_of(vault).ok_or(Refused::NotALeg { vault })?;
        let terms = basket.terms_in(state.epoch);
        let doors = terms.doors.ok_or(Refused::NoDoors)?;
        let reporter = terms.reporter;
        if sender != reporter {
            return Err(Refused::NotTheReporter { reporter });
        }
        if price > PRICE_MAX {
            return Err(Refused::OutOfRange { price, most: PRICE_MAX });
        }

        // From here on nothing can fail.
        let now = state.time;
        let leg = state.basket_mut(id).legs.get_mut(leg).expect("the leg was checked");
        let reported = leg.feed.report(&doors, price.units(), now);
        let (is_fallen, is_risen) = (reported == Reported::Fallen, reported == Reported::Risen);
        events.push(Event::BasketReported { basket: id, vault, price, is_fallen, is_risen });
        Ok(())
    }
}
