//! Baskets of vault shares: what is in them, what their doors are at, and what a share takes and gives in kind.

use super::{Page, Scheduled, page_of};
use crate::ops::{basket_mint, basket_redeem};
use crate::state::State;
use crate::state::vaults::baskets::{Basket, BasketTerms, Leg};
use crate::units::{Address, Amount, BasketId, ShareId, Shares, VaultId};
use crate::vault::doors::{self, Price};

answer! {
    /// A basket.
    pub struct BasketDetail {
        /// Its number.
        pub basket: BasketId,
        /// Its account, for which nobody signs.
        pub account: Address,
        /// Who opened it.
        pub creator: Address,
        /// Its shares.
        pub share: ShareId,
        /// All of them.
        pub supply: Shares,
        /// Its roles and doors.
        pub terms: BasketTerms,
        /// Terms that are announced.
        pub announced: Option<Scheduled<BasketTerms>>,
        /// What is in it.
        pub legs: Vec<LegView>,
        /// The deposit of whoever opened it.
        pub posted: Amount,
    }
}

answer! {
    /// Shares of one vault in a basket.
    pub struct LegView {
        /// The vault.
        pub vault: VaultId,
        /// Its shares.
        pub share: ShareId,
        /// How many go into `10^18` shares of the empty basket.
        pub per_unit: Shares,
        /// How many the basket has.
        pub held: Shares,
        /// What the vault would pay for `10^18` of them, in `10^-18` of the basket's unit, at its lower and at its higher rate.
        pub own: Option<PriceView>,
        /// What they were reported to trade for.
        pub reported: Option<ReportedView>,
        /// What the doors go by; none where they are closed because the reported price is too old.
        pub price: Option<PriceView>,
        /// How many may come in by their door at present, as the inflow of a day bounds it.
        pub inflow_room: Shares,
    }
}

answer! {
    /// What `10^18` shares are worth, in `10^-18` of the basket's unit.
    #[derive(Copy)]
    pub struct PriceView {
        /// At least.
        pub low: Amount,
        /// At most.
        pub high: Amount,
    }
}

answer! {
    /// A reported price.
    #[derive(Copy)]
    pub struct ReportedView {
        /// The price that counts; zero before the first was accepted.
        pub price: Amount,
        /// When it was reported, in milliseconds since 1970.
        pub at: u64,
        /// Whether it fell beyond its bound and closes entries.
        pub is_fallen: bool,
        /// A rise beyond its bound that waits to be accepted.
        pub risen: Option<Amount>,
    }
}

answer! {
    /// What shares of a basket take and give in kind, by leg in the order of the legs.
    pub struct InKind {
        /// The shares.
        pub shares: Shares,
        /// What minting them takes; none where it is more than there can be.
        pub mint: Option<Vec<Shares>>,
        /// What redeeming them gives; none where there are not so many.
        pub redeem: Option<Vec<Shares>>,
    }
}

/// A basket by its number.
pub fn basket(state: &State, id: BasketId) -> Option<BasketDetail> {
    let record = state.basket(id)?;
    let now = state.epoch;
    let waits = record.pending.as_ref().filter(|(from, _)| *from > now);
    let terms = record.terms_in(now);
    Some(BasketDetail {
        basket: id,
        account: state.accounts.get(record.account).address,
        creator: state.accounts.get(record.creator).address,
        share: record.share,
        supply: state.basket_supply(id),
        terms: terms.clone(),
        announced: waits.map(|(from, value)| Scheduled { from: *from, value: value.clone() }),
        legs: record
            .legs
            .iter()
            .enumerate()
            .map(|(place, leg)| leg_view(state, record, place, leg))
            .collect(),
        posted: record.posted,
    })
}

/// Baskets in the order of their numbers, after one of them.
pub fn baskets(state: &State, after: Option<BasketId>, limit: usize) -> Page<BasketDetail> {
    let after = after.map(BasketId::number);
    page_of(state.vaults.baskets.len(), after, limit, |number| basket(state, BasketId::new(number)))
}

/// What shares of a basket take and give in kind.
pub fn in_kind(state: &State, id: BasketId, shares: Shares) -> Option<InKind> {
    state.basket(id)?;
    let redeem =
        (shares <= state.basket_supply(id)).then(|| basket_redeem::parts(state, id, shares)).flatten();
    Some(InKind { shares, mint: basket_mint::cost(state, id, shares), redeem })
}

fn leg_view(state: &State, basket: &Basket, place: usize, leg: &Leg) -> LegView {
    let terms = basket.terms_in(state.epoch);
    let own = state.own_price(leg.vault).filter(|_| state.is_ticked(leg.vault));
    let show = |price: Price| PriceView { low: Amount::new(price.low), high: Amount::new(price.high) };
    let feed = leg.feed;
    let is_fresh = terms.doors.as_ref().is_some_and(|doors| feed.is_fresh(doors, state.time));
    let per_day = terms.caps.get(place).map_or(Shares::ZERO, |caps| caps.shares_a_day);
    let is_reported = feed != doors::Feed::default();
    LegView {
        vault: leg.vault,
        share: state.share_of_vault(leg.vault),
        per_unit: leg.per_unit,
        held: leg.held,
        own: own.map(show),
        reported: is_reported.then(|| ReportedView {
            price: Amount::new(feed.price),
            at: feed.at,
            is_fallen: feed.is_fallen,
            risen: feed.risen.map(|(price, _)| Amount::new(price)),
        }),
        price: own.filter(|_| is_fresh).map(|own| show(Price::of(own, &feed))),
        inflow_room: leg.inflow.room(state.time, per_day),
    }
}
