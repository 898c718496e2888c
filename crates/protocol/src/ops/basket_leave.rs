//! Shares of a basket become shares of one leg, by prices.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::baskets::{DoorRequest, DoorWay, Unpriced};
use crate::units::{AccountId, Address, BasketId, Shares, VaultId};
use crate::vault::doors;

record! {
    /// Takes shares of one leg, which count at the higher of their prices; the basket counts at the lower.
    pub struct BasketLeave {
        /// The basket.
        pub basket: BasketId,
        /// Shares of which vault.
        pub vault: VaultId,
        /// How many shares of the basket leave.
        pub shares: Shares,
        /// The least shares of the vault.
        #[serde(default)]
        pub shares_min: Shares,
    }
}

refusals! {
    /// Why the door of a leg does not open.
    {
        BasketNotFound { basket: BasketId } => "basket {basket} does not exist",
        NotALeg { vault: VaultId } => "the basket has no shares of vault {vault}",
        SharesAreZero => "it is for no shares",
        ExceedsShares { shares: Shares, there: Shares } => "{shares} shares exceed the sender's {there}",
        NoDoors => "the basket has no single-sided doors; redeem in kind",
        Stale { vault: VaultId } => "the price of vault {vault} is too old, or there is none; redeem in kind",
        TickPending { vault: VaultId } => "the tick of vault {vault} is not done; anyone may go on with it",
        Risen { vault: VaultId } => "the price of vault {vault} rose beyond its bound, and nobody has accepted it yet; redeem in kind",
        LegTooSmall { held: Shares } => "the basket's {held} shares of that vault are not enough; redeem in kind",
        GivesTooFew { shares: Shares, least: Shares } => "it gives {shares} shares of the vault, and {least} were the least",
    }
}

impl From<Unpriced> for Refused {
    fn from(unpriced: Unpriced) -> Self {
        match unpriced {
            Unpriced::Stale { vault } => Self::Stale { vault },
            Unpriced::TickPending { vault } => Self::TickPending { vault },
        }
    }
}

impl BasketLeave {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        if let Some(wait) = state.door_wait(self.basket) {
            return self.ask(state, sender, wait, events);
        }
        let (leg, paid) = self.check(state, Some(sender))?;

        // From here on nothing can fail.
        let owner = state.accounts.open(sender);
        let share = state.basket(self.basket).expect("the basket was checked").share;
        state.take_shares(share, owner, self.shares);
        self.carry_out(state, owner, (leg, paid), events);
        Ok(())
    }

    /// Where requests wait: the shares are put down, and prices that are reported later settle it.
    fn ask(
        &self,
        state: &mut State,
        sender: Address,
        wait: u64,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { basket: id, vault, shares, shares_min } = *self;
        let basket = state.basket(id).ok_or(Refused::BasketNotFound { basket: id })?;
        basket.leg_of(vault).ok_or(Refused::NotALeg { vault })?;
        if shares.is_zero() {
            return Err(Refused::SharesAreZero);
        }
        let there = state.shares_of(basket.share, sender);
        if shares > there {
            return Err(Refused::ExceedsShares { shares, there });
        }

        // From here on nothing can fail.
        let (owner, ready) = (state.accounts.open(sender), state.time.saturating_add(wait));
        let request = DoorRequest { owner, way: DoorWay::Leave, vault, shares, shares_min, ready };
        state.put_door_request(id, request, events);
        Ok(())
    }

    /// Shares that were taken become shares of a leg, as [`BasketLeave::check`] said.
    pub(crate) fn carry_out(
        &self,
        state: &mut State,
        owner: AccountId,
        (leg, paid): (usize, Shares),
        events: &mut Vec<Event>,
    ) {
        let Self { basket: id, vault, shares, .. } = *self;
        let share = state.basket(id).expect("the basket was checked").share;
        state.burn_taken(share, shares);
        state.give_out_of_leg(id, leg, owner, paid);
        let account = state.accounts.get(owner).address;
        events.push(Event::BasketLeft { basket: id, account, vault, shares, paid });
    }

    /// Everything that can refuse it; which leg, and how many shares of it are paid. Without a sender the shares were put down before.
    pub(crate) fn check(&self, state: &State, sender: Option<Address>) -> Result<(usize, Shares), Refused> {
        let Self { basket: id, vault, shares, .. } = *self;
        let basket = state.basket(id).ok_or(Refused::BasketNotFound { basket: id })?;
        let leg = basket.leg_of(vault).ok_or(Refused::NotALeg { vault })?;
        if shares.is_zero() {
            return Err(Refused::SharesAreZero);
        }
        let there = sender.map_or(shares, |sender| state.shares_of(basket.share, sender));
        if shares > there {
            return Err(Refused::ExceedsShares { shares, there });
        }
        let doors = basket.terms_in(state.epoch).doors.as_ref().ok_or(Refused::NoDoors)?;
        let legs = state.priced(basket, doors)?;
        let record = basket.legs.get(leg).ok_or(Refused::NotALeg { vault })?;
        if record.feed.risen.is_some() {
            return Err(Refused::Risen { vault });
        }
        let supply = state.basket_supply(id);
        let paid = doors::left(&legs, leg, shares, (supply, doors.spread));
        let paid = paid.ok_or(Refused::LegTooSmall { held: record.held })?;
        let least = self.shares_min.max(Shares::new(1));
        if paid < least { Err(Refused::GivesTooFew { shares: paid, least }) } else { Ok((leg, paid)) }
    }
}
