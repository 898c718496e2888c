//! Shares of one leg become shares of a basket, by prices.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::baskets::{Basket, DoorRequest, DoorWay, Unpriced};
use crate::units::{AccountId, Address, BasketId, Fraction, Shares, VaultId};
use crate::vault::doors::{self, DoorTerms, Priced};

record! {
    /// Brings shares of one leg, which count at the lower of their prices; the basket counts at the higher.
    pub struct BasketEnter {
        /// The basket.
        pub basket: BasketId,
        /// Shares of which vault.
        pub vault: VaultId,
        /// How many of them.
        pub shares: Shares,
        /// The least shares of the basket.
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
        NoDoors => "the basket has no single-sided doors; mint in kind",
        TooSmall { supply: Shares, least: Shares } => "the basket has {supply} shares, and single-sided entries need {least}; mint in kind",
        Stale { vault: VaultId } => "the price of vault {vault} is too old, or there is none; mint in kind",
        TickPending { vault: VaultId } => "the tick of vault {vault} is not done; anyone may go on with it",
        Fallen { vault: VaultId } => "the price of vault {vault} fell beyond its bound, and nobody has accepted it yet; mint in kind",
        Risen { vault: VaultId } => "the price of vault {vault} rose beyond its bound, and nobody has accepted it yet; mint in kind",
        SourcesDiverge { vault: VaultId, divergence: Fraction, most: Fraction } => "the two prices of vault {vault} differ by {divergence}, more than {most}; mint in kind",
        ExceedsShares { shares: Shares, there: Shares } => "{shares} shares exceed the sender's {there}",
        OverAbsolute { shares: Shares, most: Shares } => "the basket would have {shares} shares of that vault, more than {most}",
        OverShare { share: Fraction, most: Fraction } => "they would be {share} of the basket's worth, more than {most}",
        OverInflow { shares: Shares, room: Shares } => "{shares} shares exceed the {room} that may come in at present",
        GivesTooFew { shares: Shares, least: Shares } => "it gives {shares} shares of the basket, and {least} were the least",
    }
}

/// Below it rounding a share down could cost whoever enters a part that others would get.
const SUPPLY_MIN: Shares = Shares::new(1_000_000);

impl From<Unpriced> for Refused {
    fn from(unpriced: Unpriced) -> Self {
        match unpriced {
            Unpriced::Stale { vault } => Self::Stale { vault },
            Unpriced::TickPending { vault } => Self::TickPending { vault },
        }
    }
}

impl BasketEnter {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        if let Some(wait) = state.door_wait(self.basket) {
            return self.ask(state, sender, wait, events);
        }
        let (leg, minted) = self.check(state, Some(sender))?;

        // From here on nothing can fail.
        let owner = state.accounts.open(sender);
        let share = state.share_of_vault(self.vault);
        state.take_shares(share, owner, self.shares);
        self.carry_out(state, owner, (leg, minted), events);
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
        let there = state.shares_of(state.share_of_vault(vault), sender);
        if shares > there {
            return Err(Refused::ExceedsShares { shares, there });
        }

        // From here on nothing can fail.
        let (owner, ready) = (state.accounts.open(sender), state.time.saturating_add(wait));
        let request = DoorRequest { owner, way: DoorWay::Enter, vault, shares, shares_min, ready };
        state.put_door_request(id, request, events);
        Ok(())
    }

    /// Shares that were taken become shares of the basket, as [`BasketEnter::check`] said.
    pub(crate) fn carry_out(
        &self,
        state: &mut State,
        owner: AccountId,
        (leg, minted): (usize, Shares),
        events: &mut Vec<Event>,
    ) {
        let Self { basket: id, vault, shares, .. } = *self;
        state.start_basket_terms(id);
        let now = state.time;
        state.put_into_leg(id, leg, shares);
        let basket = state.basket_mut(id);
        let share = basket.share;
        let per_day = basket.terms.caps.get(leg).map_or(Shares::ZERO, |caps| caps.shares_a_day);
        if let Some(leg) = basket.legs.get_mut(leg) {
            leg.inflow.add(now, per_day, shares);
        }
        state.mint(share, owner, minted);
        let account = state.accounts.get(owner).address;
        events.push(Event::BasketEntered { basket: id, account, vault, paid: shares, shares: minted });
    }

    /// Everything that can refuse it; which leg, and how many shares it gives. Without a sender the shares were put down before.
    pub(crate) fn check(&self, state: &State, sender: Option<Address>) -> Result<(usize, Shares), Refused> {
        let Self { basket: id, vault, shares, .. } = *self;
        let basket = state.basket(id).ok_or(Refused::BasketNotFound { basket: id })?;
        let leg = basket.leg_of(vault).ok_or(Refused::NotALeg { vault })?;
        if shares.is_zero() {
            return Err(Refused::SharesAreZero);
        }
        let terms = basket.terms_in(state.epoch);
        let doors = terms.doors.as_ref().ok_or(Refused::NoDoors)?;
        let supply = state.basket_supply(id);
        if supply < SUPPLY_MIN {
            return Err(Refused::TooSmall { supply, least: SUPPLY_MIN });
        }
        let legs = state.priced(basket, doors)?;
        check_prices(basket, doors, &legs)?;
        let share = state.share_of_vault(vault);
        let there = sender.map_or(shares, |sender| state.shares_of(share, sender));
        if shares > there {
            return Err(Refused::ExceedsShares { shares, there });
        }
        self.check_caps(state, basket, leg, &legs)?;
        let minted = doors::entered(&legs, leg, shares, (supply, doors.spread)).unwrap_or(Shares::ZERO);
        let least = self.shares_min.max(Shares::new(1));
        if minted < least || state.can_mint(basket.share, minted).is_err() {
            return Err(Refused::GivesTooFew { shares: minted, least });
        }
        Ok((leg, minted))
    }

    fn check_caps(&self, state: &State, basket: &Basket, leg: usize, legs: &Priced) -> Result<(), Refused> {
        let shares = self.shares;
        let terms = basket.terms_in(state.epoch);
        let (Some(caps), Some(record)) = (terms.caps.get(leg), basket.legs.get(leg)) else {
            return Err(Refused::NoDoors);
        };
        let most = caps.shares_max;
        let held = record.held.plus(shares).filter(|held| *held <= Shares::LIMIT);
        let held = held.ok_or(Refused::OverAbsolute { shares: Shares::LIMIT, most })?;
        if held > most {
            return Err(Refused::OverAbsolute { shares: held, most });
        }
        let share = doors::share_after(legs, leg, held);
        if share > caps.share_max {
            return Err(Refused::OverShare { share, most: caps.share_max });
        }
        let room = record.inflow.room(state.time, caps.shares_a_day);
        if shares > room { Err(Refused::OverInflow { shares, room }) } else { Ok(()) }
    }
}

/// Whether every leg's prices are such that the basket can be valued at the higher ones.
fn check_prices(basket: &Basket, doors: &DoorTerms, legs: &Priced) -> Result<(), Refused> {
    for leg in &basket.legs {
        let vault = leg.vault;
        if leg.feed.is_fallen {
            return Err(Refused::Fallen { vault });
        }
        if leg.feed.risen.is_some() {
            return Err(Refused::Risen { vault });
        }
    }
    for (leg, (_, price)) in basket.legs.iter().zip(legs) {
        let (divergence, most) = (price.divergence(), doors.divergence_max);
        if divergence > most {
            return Err(Refused::SourcesDiverge { vault: leg.vault, divergence, most });
        }
    }
    Ok(())
}
