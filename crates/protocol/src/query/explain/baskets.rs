//! Prices and doors of the legs of baskets, and how far the followed Ethereum is.

use super::super::baskets::{LegView, basket};
use super::vaults::PRICE;
use super::{Explained, Figure};
use crate::entries::Key;
use crate::state::State;
use crate::units::{BasketId, VaultId};
use crate::vault::doors::DAY_MS;

pub(super) fn of(state: &State, figure: &Figure) -> Option<Explained> {
    match *figure {
        Figure::LegPriceLow { basket, vault } => price(state, basket, vault, false),
        Figure::LegPriceHigh { basket, vault } => price(state, basket, vault, true),
        Figure::LegInflowRoom { basket, vault } => inflow_room(state, basket, vault),
        Figure::ChainSlot {} => chain_slot(state),
        Figure::ChainAge {} => chain_age(state),
        _ => None,
    }
}

fn leg(state: &State, id: BasketId, vault: VaultId) -> Option<LegView> {
    basket(state, id)?.legs.into_iter().find(|leg| leg.vault == vault)
}

/// None where the doors are closed because the reported price is too old, or the vault's tick is not done.
fn price(state: &State, id: BasketId, vault: VaultId, is_high: bool) -> Option<Explained> {
    let view = leg(state, id, vault)?;
    let (price, own, reported) = (view.price?, view.own?, view.reported?);
    let (name, formula, value, own, by) = if is_high {
        let by = Figure::VaultPriceHigh { vault };
        ("leg_price_high", "max(own, reported)", price.high, own.high, by)
    } else {
        let by = Figure::VaultPriceLow { vault };
        ("leg_price_low", "min(own, reported)", price.low, own.low, by)
    };
    let inputs = vec![
        Explained::said("own", own, PRICE, &by),
        Explained::stored("reported", reported.price, PRICE, Key::Basket(id)),
    ];
    Some(Explained::computed(name, value, PRICE, formula, inputs))
}

fn inflow_room(state: &State, id: BasketId, vault: VaultId) -> Option<Explained> {
    let value = leg(state, id, vault)?.inflow_room;
    let record = state.basket(id)?;
    let place = record.leg_of(vault)?;
    let caps = record.terms_in(state.epoch).caps.get(place);
    let Some(caps) = caps else {
        return Some(Explained::computed("leg_inflow_room", value, "shares", "0", Vec::new()));
    };
    let (level, at) = record.legs.get(place)?.inflow.parts();
    let stored = |name, value: u128, unit| Explained::stored(name, value, unit, Key::Basket(id));
    let time = Explained::stored("time", state.time, "ms since 1970", Key::Network);
    let elapsed = state.time.saturating_sub(at).min(DAY_MS);
    let span = vec![time, stored("at", at.into(), "ms since 1970")];
    let formula = format!("min({DAY_MS}, max(0, time - at))");
    let inputs = vec![
        stored("shares_a_day", caps.shares_a_day.units(), "shares"),
        stored("level", level.units(), "shares"),
        Explained::computed("elapsed", elapsed, "ms", &formula, span),
    ];
    let drained = format!("floor(shares_a_day * elapsed / {DAY_MS})");
    let formula = format!("max(0, shares_a_day - max(0, level - {drained}))");
    Some(Explained::computed("leg_inflow_room", value, "shares", &formula, inputs))
}

/// None where Ethereum is not followed.
fn chain_slot(state: &State) -> Option<Explained> {
    let genesis = state.ethereum.as_ref()?.chain.genesis_time();
    let inputs = vec![
        Explained::stored("time", state.time, "ms since 1970", Key::Network),
        Explained::stored("genesis_time", genesis, "s since 1970", Key::Genesis),
    ];
    let formula = "max(0, floor((time - 1000 * genesis_time) / 12000))";
    Some(Explained::computed("chain_slot", state.chain_slot(), "slot", formula, inputs))
}

/// None while no header is known.
fn chain_age(state: &State) -> Option<Explained> {
    let light = state.ethereum.as_ref()?.light.as_deref()?;
    let (slot, newest) = (state.chain_slot(), light.newest().header().slot);
    let inputs = vec![
        Explained::said("slot", slot, "slot", &Figure::ChainSlot {}),
        Explained::stored("newest", newest, "slot", Key::Header(newest)),
    ];
    let age = slot.saturating_sub(newest);
    Some(Explained::computed("chain_age", age, "slots", "max(0, slot - newest)", inputs))
}
