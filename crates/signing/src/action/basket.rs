//! What curates vaults and what baskets do.

use protocol::ops::allocate_vault::{AllocateVault, Way};
use protocol::ops::basket_accept::BasketAccept;
use protocol::ops::basket_enter::BasketEnter;
use protocol::ops::basket_leave::BasketLeave;
use protocol::ops::basket_mint::BasketMint;
use protocol::ops::basket_redeem::BasketRedeem;
use protocol::ops::basket_report::BasketReport;
use protocol::ops::change_basket::ChangeBasket;
use protocol::ops::create_basket::{BasketTerms, CreateBasket};
use protocol::ops::set_bands::SetBands;
use protocol::units::Shares;

use super::words::list;

pub(super) fn set_bands(op: &SetBands) -> String {
    let SetBands { vault, policy } = op;
    let bands = policy.bands.iter().map(|band| {
        format!("operator {} {} to {} around {}", band.operator, band.min, band.max, band.target)
    });
    let caps = &policy.caps;
    format!(
        "Set the bands of vault {vault} to {}; its caps to {} an operator, {} a service, {} a group, {} lost by one event and {} by two",
        list(bands),
        caps.operator,
        caps.service,
        caps.group,
        caps.event,
        caps.two_events
    )
}

pub(super) fn allocate_vault(op: &AllocateVault) -> String {
    let moves = op.moves.iter().map(|part| match part.way {
        Way::Delegate => format!("{} to operator {}", part.amount, part.operator),
        Way::AskBack => format!("{} back from operator {}", part.amount, part.operator),
    });
    format!("Move base units of vault {}'s stake: {}", op.vault, list(moves))
}

pub(super) fn create_basket(op: &CreateBasket) -> String {
    let legs = op.legs.iter().map(|leg| format!("{} shares of vault {}", leg.per_unit, leg.vault));
    format!("Open a basket of which 10^18 shares begin as {}, with {}", list(legs), told(&op.terms))
}

pub(super) fn change_basket(op: &ChangeBasket) -> String {
    format!("Change the terms of basket {} to {}", op.basket, told(&op.terms))
}

fn told(terms: &BasketTerms) -> String {
    let BasketTerms { council, reporter, acceptor, doors, .. } = terms;
    let doors = doors.map_or_else(
        || "no single-sided doors".to_owned(),
        |doors| format!("single-sided doors at a spread of {}", doors.spread),
    );
    format!("council {council}, prices reported by {reporter} and accepted by {acceptor}, {doors}")
}

fn bounds(words: &str, bounds: &[Shares]) -> String {
    if bounds.is_empty() { String::new() } else { format!(" for {words} {} of its legs", list(bounds)) }
}

pub(super) fn basket_mint(op: &BasketMint) -> String {
    let bounds = bounds("at most", &op.legs_max);
    format!("Mint {} shares of basket {} in kind{bounds}", op.shares, op.basket)
}

pub(super) fn basket_redeem(op: &BasketRedeem) -> String {
    let bounds = bounds("at least", &op.legs_min);
    format!("Redeem {} shares of basket {} in kind{bounds}", op.shares, op.basket)
}

pub(super) fn basket_enter(op: &BasketEnter) -> String {
    let BasketEnter { basket, vault, shares, shares_min } = op;
    format!("Give {shares} shares of vault {vault} for at least {shares_min} shares of basket {basket}")
}

pub(super) fn basket_leave(op: &BasketLeave) -> String {
    let BasketLeave { basket, vault, shares, shares_min } = op;
    format!("Give {shares} shares of basket {basket} for at least {shares_min} shares of vault {vault}")
}

pub(super) fn basket_report(op: &BasketReport) -> String {
    let BasketReport { basket, vault, price } = op;
    format!("Report to basket {basket} that 10^18 shares of vault {vault} are worth {price} of 10^-18 units")
}

pub(super) fn basket_accept(op: &BasketAccept) -> String {
    let BasketAccept { basket, vault, price } = op;
    format!("Accept for basket {basket} that 10^18 shares of vault {vault} are worth {price} of 10^-18 units")
}
