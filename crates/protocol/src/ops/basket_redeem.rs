//! Shares of a basket become shares of every leg. Reads no price, and is always open.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, BasketId, Shares, VaultId};
use crate::vault::doors::part_down;

record! {
    /// Takes the part of each leg that the shares are of all, rounded down.
    pub struct BasketRedeem {
        /// The basket.
        pub basket: BasketId,
        /// How many shares of it.
        pub shares: Shares,
        /// The least of each leg, in the order of the legs; none for no bound.
        #[serde(default)]
        pub legs_min: Vec<Shares>,
    }
}

refusals! {
    /// Why shares are not redeemed.
    {
        BasketNotFound { basket: BasketId } => "basket {basket} does not exist",
        SharesAreZero => "it is for no shares",
        ExceedsShares { shares: Shares, there: Shares } => "{shares} shares exceed the sender's {there}",
        WrongBounds { count: usize, legs: usize } => "there are {count} bounds, and the basket has {legs} legs",
        PaysTooLittle { vault: VaultId, shares: Shares, least: Shares } => "it gives {shares} shares of vault {vault}, and {least} were the least",
    }
}

/// What each leg gives for shares.
pub(crate) fn parts(state: &State, id: BasketId, shares: Shares) -> Option<Vec<Shares>> {
    let supply = state.basket_supply(id);
    let basket = state.basket(id)?;
    Some(basket.legs.iter().map(|leg| part_down(leg.held, shares, supply)).collect())
}

impl BasketRedeem {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let (id, shares) = (self.basket, self.shares);
        let basket = state.basket(id).ok_or(Refused::BasketNotFound { basket: id })?;
        if shares.is_zero() {
            return Err(Refused::SharesAreZero);
        }
        let share = basket.share;
        let there = state.shares_of(share, sender);
        if shares > there {
            return Err(Refused::ExceedsShares { shares, there });
        }
        let (count, legs) = (self.legs_min.len(), basket.legs.len());
        if count != 0 && count != legs {
            return Err(Refused::WrongBounds { count, legs });
        }
        let parts = parts(state, id, shares).ok_or(Refused::BasketNotFound { basket: id })?;
        for ((leg, part), least) in basket.legs.iter().zip(&parts).zip(&self.legs_min) {
            if part < least {
                return Err(Refused::PaysTooLittle { vault: leg.vault, shares: *part, least: *least });
            }
        }

        // From here on nothing can fail.
        let owner = state.accounts.open(sender);
        state.take_shares(share, owner, shares);
        state.burn_taken(share, shares);
        for (leg, part) in parts.iter().enumerate() {
            state.give_out_of_leg(id, leg, owner, *part);
        }
        events.push(Event::BasketRedeemed { basket: id, account: sender, shares, legs: parts });
        Ok(())
    }
}
