//! Shares of every leg become shares of a basket. Reads no price, and is always open.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, BasketId, Shares, VaultId};
use crate::vault::doors::{PER_SHARES, part_up};

record! {
    /// Pays for shares of a basket in kind: of each leg what the shares are of all, rounded up.
    pub struct BasketMint {
        /// The basket.
        pub basket: BasketId,
        /// How many shares of it.
        pub shares: Shares,
        /// The most of each leg, in the order of the legs; none for no bound.
        #[serde(default)]
        pub legs_max: Vec<Shares>,
    }
}

refusals! {
    /// Why shares are not minted.
    {
        BasketNotFound { basket: BasketId } => "basket {basket} does not exist",
        SharesAreZero => "it is for no shares",
        OutOfRange { shares: Shares } => "{shares} shares are more than there can be, or take more of a leg than there can be",
        WrongBounds { count: usize, legs: usize } => "there are {count} bounds, and the basket has {legs} legs",
        CostsTooMuch { vault: VaultId, shares: Shares, most: Shares } => "it takes {shares} shares of vault {vault}, and {most} were the most",
        ExceedsShares { vault: VaultId, shares: Shares, there: Shares } => "it takes {shares} shares of vault {vault}, and the sender has {there}",
    }
}

/// What each leg is asked for, or gives.
pub(crate) fn cost(state: &State, id: BasketId, shares: Shares) -> Option<Vec<Shares>> {
    let basket = state.basket(id)?;
    let supply = state.basket_supply(id);
    let of_leg = |leg: &crate::state::vaults::baskets::Leg| {
        if supply.is_zero() {
            return part_up(leg.per_unit, shares, Shares::new(PER_SHARES));
        }
        part_up(leg.held, shares, supply)
    };
    basket.legs.iter().map(of_leg).collect()
}

impl BasketMint {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let (id, shares) = (self.basket, self.shares);
        let costs = self.check(state, sender)?;

        // From here on nothing can fail.
        let owner = state.accounts.open(sender);
        for (leg, cost) in costs.iter().enumerate() {
            state.take_into_leg(id, leg, owner, *cost);
        }
        let share = state.basket(id).expect("the basket was checked").share;
        state.mint(share, owner, shares);
        events.push(Event::BasketMinted { basket: id, account: sender, shares, legs: costs });
        Ok(())
    }

    fn check(&self, state: &State, sender: Address) -> Result<Vec<Shares>, Refused> {
        let (id, shares) = (self.basket, self.shares);
        let basket = state.basket(id).ok_or(Refused::BasketNotFound { basket: id })?;
        if shares.is_zero() {
            return Err(Refused::SharesAreZero);
        }
        let costs = cost(state, id, shares).ok_or(Refused::OutOfRange { shares })?;
        state.can_mint(basket.share, shares).map_err(|_| Refused::OutOfRange { shares })?;
        let (count, legs) = (self.legs_max.len(), basket.legs.len());
        if count != 0 && count != legs {
            return Err(Refused::WrongBounds { count, legs });
        }
        for ((leg, cost), most) in basket.legs.iter().zip(&costs).zip(&self.legs_max) {
            if cost > most {
                return Err(Refused::CostsTooMuch { vault: leg.vault, shares: *cost, most: *most });
            }
        }
        for (leg, cost) in basket.legs.iter().zip(&costs) {
            let (vault, shares) = (leg.vault, *cost);
            let there = state.shares_of(state.share_of_vault(vault), sender);
            if shares > there {
                return Err(Refused::ExceedsShares { vault, shares, there });
            }
        }
        Ok(costs)
    }
}
