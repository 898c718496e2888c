//! Baskets of vault shares: shares over shares. In kind they read no price; single-sided they read two for each leg.

use serde::{Deserialize, Serialize};

use super::super::State;
use crate::event::Event;
use crate::macros::record;
use crate::state::records::RateSource;
use crate::units::{
    AccountId, Address, Amount, BasketId, Epoch, Fraction, ShareId, Shares, TicketId, VaultId,
};
use crate::vault::doors::{DoorTerms, Feed, Inflow, PER_SHARES, Price};
use crate::wide;

record! {
    /// Who may do what in a basket, and when its single-sided doors are open. In-kind doors are always.
    pub struct BasketTerms {
        /// Changes these terms.
        pub council: Address,
        /// Reports what shares of the legs trade for.
        pub reporter: Address,
        /// Accepts what rose or fell beyond its bound.
        pub acceptor: Address,
        /// Single-sided doors; none where there are none.
        #[serde(default)]
        pub doors: Option<DoorTerms>,
        /// What may come in through them, by leg.
        #[serde(default)]
        pub caps: Vec<LegCaps>,
    }
}

record! {
    /// What may come in through the single-sided door of a leg.
    #[derive(Copy)]
    pub struct LegCaps {
        /// The most shares that the basket may hold of it.
        pub shares_max: Shares,
        /// The largest share of the basket's worth that it may be.
        pub share_max: Fraction,
        /// Shares that may come in within a day.
        pub shares_a_day: Shares,
    }
}

/// The most legs of a basket.
pub(crate) const LEGS_MAX: usize = 16;

/// A basket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Basket {
    pub(crate) account: AccountId,
    pub(crate) creator: AccountId,
    pub(crate) share: ShareId,
    pub(crate) legs: Vec<Leg>,
    pub(crate) terms: BasketTerms,
    /// Terms that wait, and from when they hold.
    pub(crate) pending: Option<(Epoch, BasketTerms)>,
    /// The object deposit of whoever created it.
    pub(crate) posted: Amount,
    /// Next request at its single-sided doors that waits.
    pub(crate) tickets: u32,
}

/// Which way through a single-sided door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DoorWay {
    Enter,
    Leave,
}

/// A request at a single-sided door that waits for prices which nobody knew when it was made. Its shares are nobody's until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DoorRequest {
    pub(crate) owner: AccountId,
    pub(crate) way: DoorWay,
    /// The leg.
    pub(crate) vault: VaultId,
    /// Of the leg where it enters, of the basket where it leaves.
    pub(crate) shares: Shares,
    pub(crate) shares_min: Shares,
    /// From when on reported prices settle it, in milliseconds.
    pub(crate) ready: u64,
}

/// Shares of one vault in a basket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Leg {
    pub(crate) vault: VaultId,
    /// How many go into `10^18` shares of an empty basket.
    pub(crate) per_unit: Shares,
    /// How many the basket has. What somebody transferred to its account beside is nobody's.
    pub(crate) held: Shares,
    pub(crate) feed: Feed,
    pub(crate) inflow: Inflow,
}

/// Accounts of baskets begin so.
pub(crate) const BASKET_PREFIX: [u8; 16] = *b"surety basket a:";

/// The account of a basket.
pub(crate) fn basket_address(basket: BasketId) -> Address {
    let mut bytes = [0; 20];
    let (prefix, number) = bytes.split_at_mut(BASKET_PREFIX.len());
    prefix.copy_from_slice(&BASKET_PREFIX);
    number.copy_from_slice(&basket.number().to_be_bytes());
    Address(bytes)
}

impl BasketTerms {
    /// Checks them; the text names the first rule that does not hold.
    pub(crate) fn check(&self, legs: usize) -> Result<(), String> {
        let Some(doors) = &self.doors else {
            let count = self.caps.len();
            return if count == 0 {
                Ok(())
            } else {
                Err(format!("there are caps for {count} legs, and no doors that they could bound"))
            };
        };
        doors.check()?;
        if self.caps.len() != legs {
            return Err(format!("there are caps for {} legs, and the basket has {legs}", self.caps.len()));
        }
        if self.reporter == self.acceptor {
            return Err(format!("{} can't both report and accept", self.reporter));
        }
        Ok(())
    }

    /// Whether `new` lets nothing in that these keep out.
    pub(crate) fn is_tightened_by(&self, new: &Self) -> bool {
        let same_roles =
            self.council == new.council && self.reporter == new.reporter && self.acceptor == new.acceptor;
        let tighter_doors = match (&self.doors, &new.doors) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(old), Some(new)) => old.is_tightened_by(new),
        };
        let is_tighter = |(old, new): (&LegCaps, &LegCaps)| {
            new.shares_max <= old.shares_max
                && new.share_max <= old.share_max
                && new.shares_a_day <= old.shares_a_day
        };
        same_roles
            && tighter_doors
            && (new.doors.is_none() || self.caps.iter().zip(&new.caps).all(is_tighter))
    }
}

impl Basket {
    /// The terms in force in an epoch.
    pub(crate) fn terms_in(&self, now: Epoch) -> &BasketTerms {
        match &self.pending {
            Some((from, terms)) if *from <= now => terms,
            _ => &self.terms,
        }
    }

    /// Which leg the shares of a vault are.
    pub(crate) fn leg_of(&self, vault: VaultId) -> Option<usize> {
        self.legs.iter().position(|leg| leg.vault == vault)
    }
}

/// Why a leg has no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unpriced {
    /// Nothing recent was reported.
    Stale { vault: VaultId },
    /// The vault's tick is not done.
    TickPending { vault: VaultId },
}

impl State {
    pub(crate) fn basket(&self, id: BasketId) -> Option<&Basket> {
        self.vaults.baskets.get(id.index())
    }

    pub(crate) fn basket_mut(&mut self, id: BasketId) -> &mut Basket {
        self.vaults.baskets.get_mut(id.index()).expect("the basket was checked")
    }

    /// All shares of a basket.
    pub(crate) fn basket_supply(&self, id: BasketId) -> Shares {
        let share = self.basket(id).and_then(|basket| self.share(basket.share));
        share.map_or(Shares::ZERO, |share| share.supply)
    }

    /// What the shares of a vault are: the sort that a leg holds.
    pub(crate) fn share_of_vault(&self, vault: VaultId) -> ShareId {
        self.vault(vault).expect("a leg is of a vault").share
    }

    /// What a vault would pay for [`PER_SHARES`] of its shares, at its low and its high price, at the asset's own rate.
    pub(crate) fn own_price(&self, vault: VaultId) -> Option<Price> {
        let asset = self.asset(self.vault(vault)?.asset)?;
        let value = self.value_vault(vault)?;
        let (high, low) = self.vault_rates(vault, &value);
        let one = Shares::new(PER_SHARES);
        let unit = 10_u128.checked_pow(u32::from(asset.decimals))?;
        let rate = match asset.source {
            RateSource::One => PER_SHARES,
            RateSource::Proven => u128::from(asset.rate),
        };
        // The asset's base units in 10^-18 of what it stands for.
        let low = wide::checked_mul_div_down(low.assets_down(one).units(), rate, unit)?;
        let high = wide::checked_mul_div_up(high.assets_up(one).units(), rate, unit)?;
        Some(Price { low, high })
    }

    /// What the basket holds of each leg, at which price.
    ///
    /// # Errors
    /// The first leg that has none.
    pub(crate) fn priced(
        &self,
        basket: &Basket,
        doors: &DoorTerms,
    ) -> Result<Vec<(Shares, Price)>, Unpriced> {
        let of_leg = |leg: &Leg| {
            let vault = leg.vault;
            if !leg.feed.is_fresh(doors, self.time) {
                return Err(Unpriced::Stale { vault });
            }
            let own = self.own_price(vault).filter(|_| self.is_ticked(vault));
            let own = own.ok_or(Unpriced::TickPending { vault })?;
            Ok((leg.held, Price::of(own, &leg.feed)))
        };
        basket.legs.iter().map(of_leg).collect()
    }

    /// How long requests at the single-sided doors of a basket wait; none where they don't, or there are no doors.
    pub(crate) fn door_wait(&self, id: BasketId) -> Option<u64> {
        let doors = self.basket(id)?.terms_in(self.epoch).doors?;
        Some(doors.age_min).filter(|wait| *wait > 0)
    }

    /// Puts a request down; its shares were counted.
    pub(crate) fn put_door_request(&mut self, id: BasketId, request: DoorRequest, events: &mut Vec<Event>) {
        let share = self.share_of_request(id, &request);
        self.take_shares(share, request.owner, request.shares);
        let basket = self.basket_mut(id);
        let ticket = TicketId::new(basket.tickets);
        basket.tickets = basket.tickets.saturating_add(1);
        let DoorRequest { owner, vault, shares, ready, .. } = request;
        self.vaults.door_requests.insert((id, ticket), request);
        let account = self.accounts.get(owner).address;
        events.push(Event::BasketAsked { basket: id, ticket, account, vault, shares, ready });
    }

    /// Which shares a request has put down.
    pub(crate) fn share_of_request(&self, id: BasketId, request: &DoorRequest) -> ShareId {
        match request.way {
            DoorWay::Enter => self.share_of_vault(request.vault),
            DoorWay::Leave => self.basket(id).expect("a request is of a basket").share,
        }
    }

    /// Changes what a basket says that it holds of a leg; of which shares that is, and which account has them.
    fn change_leg(
        &mut self,
        id: BasketId,
        leg: usize,
        change: impl FnOnce(&mut Shares),
    ) -> (ShareId, AccountId) {
        let basket = self.basket_mut(id);
        let account = basket.account;
        let leg = basket.legs.get_mut(leg).expect("the leg was checked");
        change(&mut leg.held);
        let vault = leg.vault;
        (self.share_of_vault(vault), account)
    }

    /// Shares of a leg come into a basket.
    pub(crate) fn take_into_leg(&mut self, id: BasketId, leg: usize, from: AccountId, shares: Shares) {
        let (share, account) = self.change_leg(id, leg, |held| held.grow(shares));
        self.move_shares(share, from, account, shares);
    }

    /// Shares of a leg that were taken from somebody come into a basket.
    pub(crate) fn put_into_leg(&mut self, id: BasketId, leg: usize, shares: Shares) {
        let (share, account) = self.change_leg(id, leg, |held| held.grow(shares));
        self.give_shares(share, account, shares);
    }

    /// Shares of a leg leave a basket. They are fresh: otherwise those of the epoch could be changed for older ones here.
    pub(crate) fn give_out_of_leg(&mut self, id: BasketId, leg: usize, to: AccountId, shares: Shares) {
        let (share, account) = self.change_leg(id, leg, |held| held.shrink(shares));
        self.take_shares(share, account, shares);
        self.give_shares(share, to, shares);
    }

    /// Announced terms hold from their epoch on; the record follows when somebody next writes it.
    pub(crate) fn start_basket_terms(&mut self, id: BasketId) {
        let now = self.epoch;
        if self.basket(id).is_some_and(|basket| basket.pending.as_ref().is_some_and(|(from, _)| *from <= now))
        {
            let basket = self.basket_mut(id);
            if let Some((_, terms)) = basket.pending.take() {
                basket.terms = terms;
            }
        }
    }
}

#[cfg(test)]
mod tests;
