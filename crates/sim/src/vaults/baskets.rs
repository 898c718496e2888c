//! A basket as a bookkeeper would tell it: who has how many of its shares and of its legs', what each door gives as an exact fraction, and what
//! the reported prices are good for.
//!
//! It reads what the vaults are worth, which the book of vaults checks, and the ledger's events; what each of them must have said follows here.

use std::collections::BTreeMap;

use num_traits::One;
use protocol::ops::create_basket::BasketTerms;
use protocol::query;
use protocol::units::{Address, BasketId, Fraction, ShareId, VaultId};
use protocol::view::VaultBook;
use protocol::{Event, State};

use super::model::{Found, near};
use crate::model::exact::{Ratio, floor, portion_down, portion_up, ratio, whole};

/// Prices are of so many shares.
const PER: u128 = 1_000_000_000_000_000_000;

/// A leg.
#[derive(Clone, Debug)]
struct Leg {
    vault: VaultId,
    share: ShareId,
    per_unit: u128,
    held: u128,
    holders: BTreeMap<Address, u128>,
    /// What was reported, and when; a rise that waits; whether it fell beyond its bound.
    price: (u128, u64),
    risen: Option<(u128, u64)>,
    is_fallen: bool,
}

/// A basket.
#[derive(Clone, Debug)]
pub(super) struct BasketBook {
    id: BasketId,
    account: Address,
    share: ShareId,
    terms: BasketTerms,
    legs: Vec<Leg>,
    supply: u128,
    holders: BTreeMap<Address, u128>,
}

fn holders(state: &State, share: ShareId) -> BTreeMap<Address, u128> {
    let listed = query::holders(state, share, None, query::PAGE_MAX).items;
    let held = listed.into_iter().map(|own| (own.account, own.shares.units()));
    held.filter(|(_, shares)| *shares > 0).collect()
}

fn change(holders: &mut BTreeMap<Address, u128>, account: Address, less: u128, more: u128) -> Found {
    let held = holders.entry(account).or_default();
    let left = held.checked_sub(less).ok_or_else(|| format!("{account} has {held}, and gives {less}"))?;
    *held = left + more;
    if *held == 0 {
        holders.remove(&account);
    }
    Ok(())
}

/// What `10^18` shares of a vault are worth by its own rates, rounded against whoever uses a door.
fn own_price(book: &VaultBook) -> (u128, u128) {
    let shares = book.supply.units() + 1000;
    (portion_down(PER, book.low.units() + 1, shares), portion_up(PER, book.nav.units() + 1, shares))
}

impl BasketBook {
    /// The book of a basket that nobody has used yet.
    pub(super) fn new(state: &State, id: BasketId) -> Self {
        let shown = query::basket(state, id).expect("the basket is there");
        let leg = |leg: &query::LegView| Leg {
            vault: leg.vault,
            share: leg.share,
            per_unit: leg.per_unit.units(),
            held: 0,
            holders: holders(state, leg.share),
            price: (0, 0),
            risen: None,
            is_fallen: false,
        };
        Self {
            id,
            account: shown.account,
            share: shown.share,
            legs: shown.legs.iter().map(leg).collect(),
            terms: shown.terms,
            supply: 0,
            holders: BTreeMap::new(),
        }
    }

    /// Its shares.
    pub(super) const fn share(&self) -> ShareId {
        self.share
    }

    /// What somebody has of it.
    pub(super) fn shares_of(&self, account: Address) -> u128 {
        self.holders.get(&account).copied().unwrap_or(0)
    }

    /// What an event of the basket moves of a sort of shares, said as a transfer.
    pub(super) fn as_transfers(&self, event: &Event, of: ShareId) -> Vec<Event> {
        let Some(place) = self.legs.iter().position(|leg| leg.share == of) else { return Vec::new() };
        let vault = self.legs[place].vault;
        let (from, to, shares) = match event {
            Event::BasketMinted { account, legs, .. } => (*account, self.account, legs[place]),
            Event::BasketRedeemed { account, legs, .. } => (self.account, *account, legs[place]),
            Event::BasketEntered { account, vault: of, paid, .. } if *of == vault => {
                (*account, self.account, *paid)
            }
            Event::BasketLeft { account, vault: of, paid, .. } if *of == vault => {
                (self.account, *account, *paid)
            }
            _ => return Vec::new(),
        };
        vec![Event::SharesMoved { share: of, from, to, shares }]
    }

    /// The prices of a leg, the lower and the higher of both sources.
    fn price(&self, leg: &Leg, books: &[VaultBook]) -> Result<(u128, u128), String> {
        let book = books.iter().find(|book| book.vault == leg.vault);
        let (low, high) = own_price(book.ok_or("a leg of no vault")?);
        Ok((low.min(leg.price.0), high.max(leg.price.0)))
    }

    /// All legs, each rounded, at one of their prices.
    fn worth(&self, books: &[VaultBook], is_high: bool) -> Result<u128, String> {
        let mut sum = 0;
        for leg in &self.legs {
            let (low, high) = self.price(leg, books)?;
            sum += if is_high { portion_up(leg.held, high, PER) } else { portion_down(leg.held, low, PER) };
        }
        Ok(sum)
    }

    fn less_spread(&self, value: u128) -> u128 {
        let spread = self.terms.doors.as_ref().map_or(Fraction::ZERO, |doors| doors.spread);
        floor(&(whole(value) * (Ratio::one() - ratio(spread))))
    }

    /// A step: what the ledger says of it, with what the vaults were worth before and are after, and how everybody stands then.
    ///
    /// # Errors
    /// The first thing that differs.
    pub(super) fn step(
        &mut self,
        state: &State,
        events: &[Event],
        before: &[VaultBook],
        vault: ShareId,
    ) -> Found {
        for event in events {
            self.read(state.time(), event, before)?;
        }
        self.compare(state, vault)
    }

    fn read(&mut self, now: u64, event: &Event, books: &[VaultBook]) -> Found {
        match event {
            Event::BasketMinted { account, shares, legs, .. } => {
                let legs: Vec<u128> = legs.iter().map(|leg| leg.units()).collect();
                self.mint(*account, shares.units(), &legs)
            }
            Event::BasketRedeemed { account, shares, legs, .. } => {
                let legs: Vec<u128> = legs.iter().map(|leg| leg.units()).collect();
                self.redeem(*account, shares.units(), &legs)
            }
            Event::BasketEntered { account, vault, paid, shares, .. } => {
                self.enter(*account, *vault, [paid.units(), shares.units()], (now, books))
            }
            Event::BasketLeft { account, vault, shares, paid, .. } => {
                self.leave(*account, *vault, [shares.units(), paid.units()], (now, books))
            }
            Event::BasketReported { vault, price, is_fallen, is_risen, .. } => {
                self.report(now, *vault, price.units(), [*is_fallen, *is_risen])
            }
            Event::BasketAccepted { vault, price, .. } => self.accept(*vault, price.units()),
            Event::SharesMoved { share, from, to, shares } => {
                self.transfer(*share, *from, *to, shares.units())
            }
            _ => Ok(()),
        }
    }

    fn transfer(&mut self, share: ShareId, from: Address, to: Address, shares: u128) -> Found {
        if share == self.share {
            change(&mut self.holders, from, shares, 0)?;
            return change(&mut self.holders, to, 0, shares);
        }
        for leg in self.legs.iter_mut().filter(|leg| leg.share == share) {
            change(&mut leg.holders, from, shares, 0)?;
            change(&mut leg.holders, to, 0, shares)?;
        }
        Ok(())
    }

    fn add_to_leg(&mut self, place: usize, account: Address, shares: u128) -> Found {
        let basket = self.account;
        let leg = &mut self.legs[place];
        leg.held += shares;
        change(&mut leg.holders, account, shares, 0)?;
        change(&mut leg.holders, basket, 0, shares)
    }

    fn out_of_leg(&mut self, place: usize, account: Address, shares: u128) -> Found {
        let basket = self.account;
        let leg = &mut self.legs[place];
        let held = leg.held;
        leg.held = held.checked_sub(shares).ok_or_else(|| format!("{shares} leave a leg of {held}"))?;
        change(&mut leg.holders, basket, shares, 0)?;
        change(&mut leg.holders, account, 0, shares)
    }

    /// In kind: of each leg the part that the shares are of all, rounded up.
    fn mint(&mut self, account: Address, shares: u128, legs: &[u128]) -> Found {
        for (place, shown) in legs.iter().enumerate() {
            let leg = &self.legs[place];
            let cost = if self.supply == 0 {
                portion_up(leg.per_unit, shares, PER)
            } else {
                portion_up(leg.held, shares, self.supply)
            };
            near("cost of minting", *shown, cost, 0)?;
            self.add_to_leg(place, account, cost)?;
        }
        self.supply += shares;
        change(&mut self.holders, account, 0, shares)
    }

    /// In kind: rounded down.
    fn redeem(&mut self, account: Address, shares: u128, legs: &[u128]) -> Found {
        for (place, shown) in legs.iter().enumerate() {
            let part = portion_down(self.legs[place].held, shares, self.supply);
            near("part of redeeming", *shown, part, 0)?;
            self.out_of_leg(place, account, part)?;
        }
        self.supply -= shares;
        change(&mut self.holders, account, shares, 0)
    }

    /// Whether every price may be used, for entries or for exits.
    fn are_doors_open(&self, now: u64, is_entry: bool, place: usize) -> Found {
        let doors = self.terms.doors.as_ref().ok_or("the basket has no doors")?;
        for (other, leg) in self.legs.iter().enumerate() {
            let (price, at) = leg.price;
            if price == 0 || now - at > doors.age_max {
                return Err(format!("a door is open by a price of {at}, and it is {now}"));
            }
            let is_barred = is_entry && leg.is_fallen || leg.risen.is_some() && (is_entry || other == place);
            if is_barred {
                return Err(format!("a door is open by a price of {price} that nobody has accepted"));
            }
        }
        Ok(())
    }

    fn place_of(&self, vault: VaultId) -> Result<usize, String> {
        let place = self.legs.iter().position(|leg| leg.vault == vault);
        place.ok_or_else(|| format!("vault {vault} is no leg"))
    }

    fn enter(
        &mut self,
        account: Address,
        vault: VaultId,
        [paid, minted]: [u128; 2],
        (now, books): (u64, &[VaultBook]),
    ) -> Found {
        let place = self.place_of(vault)?;
        self.are_doors_open(now, true, place)?;
        let (low, _) = self.price(&self.legs[place], books)?;
        let value = self.less_spread(portion_down(paid, low, PER));
        let shares = portion_down(self.supply, value, self.worth(books, true)?);
        near("shares of an entry by one leg", minted, shares, 0)?;
        self.add_to_leg(place, account, paid)?;
        self.supply += shares;
        change(&mut self.holders, account, 0, shares)
    }

    fn leave(
        &mut self,
        account: Address,
        vault: VaultId,
        [shares, paid]: [u128; 2],
        (now, books): (u64, &[VaultBook]),
    ) -> Found {
        let place = self.place_of(vault)?;
        self.are_doors_open(now, false, place)?;
        let (_, high) = self.price(&self.legs[place], books)?;
        let value = self.less_spread(portion_down(self.worth(books, false)?, shares, self.supply));
        let gets = portion_down(value, PER, high);
        near("shares of an exit by one leg", paid, gets, 0)?;
        self.out_of_leg(place, account, gets)?;
        self.supply -= shares;
        change(&mut self.holders, account, shares, 0)
    }

    /// A fall counts at once; a rise beyond what the time since allows waits.
    fn report(&mut self, now: u64, vault: VaultId, price: u128, shown: [bool; 2]) -> Found {
        let doors = self.terms.doors.ok_or("the basket has no doors")?;
        let place = self.place_of(vault)?;
        let leg = &mut self.legs[place];
        let (known, at) = leg.price;
        let elapsed = u128::from((now - at).min(doors.age_max));
        let steps = u128::from(doors.change_max.steps());
        let change = portion_down(steps, elapsed, u128::from(doors.heartbeat)).min(PER);
        let bound = portion_down(known, change, PER);
        let (is_risen, is_fallen) = (price > known + bound, price < known.saturating_sub(bound));
        if shown != [is_fallen, is_risen] {
            return Err(format!("a report of {price} after {known} with a bound of {bound}: {shown:?}"));
        }
        if is_risen {
            leg.risen = Some((price, now));
        } else {
            (leg.price, leg.risen) = ((price, now), None);
            leg.is_fallen |= is_fallen;
        }
        Ok(())
    }

    fn accept(&mut self, vault: VaultId, price: u128) -> Found {
        let place = self.place_of(vault)?;
        let leg = &mut self.legs[place];
        match leg.risen.take() {
            Some((risen, at)) if risen == price => {
                (leg.price, leg.is_fallen) = ((risen, at), false);
                Ok(())
            }
            waits if leg.is_fallen && leg.price.0 == price => {
                (leg.is_fallen, leg.risen) = (false, waits);
                Ok(())
            }
            _ => Err(format!("a price of {price} is accepted that nobody reported")),
        }
    }

    /// How everybody stands. Shares of the vault of the other book change by its own operations, and are looked up.
    fn compare(&mut self, state: &State, other: ShareId) -> Found {
        let shown = query::basket(state, self.id).ok_or("the basket is gone")?;
        near("shares of the basket", shown.supply.units(), self.supply, 0)?;
        let everybody: u128 = self.holders.values().sum();
        near("shares of its holders", everybody, self.supply, 0)?;
        let found = holders(state, self.share);
        if found != self.holders {
            return Err(format!("the basket has the holders {found:?}, and in the book {:?}", self.holders));
        }
        for (leg, shown) in self.legs.iter_mut().zip(&shown.legs) {
            near("shares of a leg", shown.held.units(), leg.held, 0)?;
            let found = holders(state, leg.share);
            if leg.share != other && found != leg.holders {
                return Err(format!("a leg has the holders {found:?}, and in the book {:?}", leg.holders));
            }
            // Somebody may have given the basket shares that it does not count.
            if found.get(&self.account).copied().unwrap_or(0) < leg.held {
                return Err(format!("the basket counts {} shares and has {found:?}", leg.held));
            }
            leg.holders = found;
        }
        Ok(())
    }
}
