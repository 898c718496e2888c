//! What curates vaults and what baskets do.

use protocol::ops::allocate_vault::{AllocateVault, Way};
use protocol::ops::basket_accept::BasketAccept;
use protocol::ops::basket_enter::BasketEnter;
use protocol::ops::basket_leave::BasketLeave;
use protocol::ops::basket_mint::BasketMint;
use protocol::ops::basket_redeem::BasketRedeem;
use protocol::ops::basket_report::BasketReport;
use protocol::ops::basket_settle::BasketSettle;
use protocol::ops::change_basket::ChangeBasket;
use protocol::ops::create_basket::{BasketTerms, CreateBasket, DoorTerms, LegCaps};
use protocol::ops::set_bands::{Band, Policy, ServiceBand, SetBands, VaultCaps};
use protocol::units::Shares;

use super::operator::agreed;
use super::words::{list, maybe};

pub(super) fn set_bands(op: &SetBands) -> String {
    let SetBands { vault, policy } = op;
    let Policy { mandate, caps, bands, services, move_min } = policy;
    let bands = bands.iter().map(|band| {
        let Band { operator, owner, min, target, max } = band;
        let owner = maybe(" of owner ", owner.as_ref());
        format!("operator {operator}{owner} {min} to {max} around {target}")
    });
    let services = services.iter().map(|band| {
        let ServiceBand { service, min, target, max } = band;
        format!("service {service} {min} to {max} around {target}")
    });
    format!(
        "Announce a policy for vault {vault}: bands of {}; bands of services: {}; at least {move_min} base units delegated at once; {}; \
         pools with a mandate of at most {}",
        list(bands),
        list(services),
        capped(caps),
        agreed(mandate)
    )
}

fn capped(caps: &VaultCaps) -> String {
    let VaultCaps { operator, owner, service, slasher, group, event, two_events, .. } = caps;
    let VaultCaps {
        bond_multiples: [first, last], ramp, freeze, gamma, ladder, slow, turnover, slack, ..
    } = caps;
    let ladder = ladder.iter().map(|rung| format!("{} back in {} epochs", rung.share, rung.epochs));
    format!(
        "caps of {operator} an operator, {owner} an owner, {service} a service, {slasher} a slasher, {group} a group, {event} lost by one \
         event and {two_events} by two; pools of {first} to {last} times their bond; a ramp of {ramp} epochs; a freeze of {freeze} epochs; \
         attacks dearer than their profit by {gamma}; a ladder of {}, with at most {} slower than {} epochs; a turnover of {turnover} an \
         epoch; a slack of {slack}",
        list(ladder),
        slow.share,
        slow.epochs
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
    format!("Announce other terms of basket {}: {}", op.basket, told(&op.terms))
}

fn told(terms: &BasketTerms) -> String {
    let BasketTerms { council, reporter, acceptor, doors, caps } = terms;
    let doors = doors.as_ref().map_or_else(|| "no single-sided doors".to_owned(), opened);
    let caps = caps.iter().map(|caps| {
        let LegCaps { shares_max, share_max, shares_a_day } = caps;
        format!("{shares_max} shares, {share_max} of the worth and {shares_a_day} shares a day")
    });
    let caps = list(caps);
    format!(
        "council {council}, prices reported by {reporter} and accepted by {acceptor}, {doors}; caps by leg: {caps}"
    )
}

fn opened(doors: &DoorTerms) -> String {
    let DoorTerms { heartbeat, age_max, change_max, divergence_max, spread, age_min } = doors;
    format!(
        "single-sided doors at a spread of {spread}, with prices every {heartbeat} ms and at most {age_max} ms old that change by at most \
         {change_max} and differ by at most {divergence_max}; requests wait {age_min} ms for a later price"
    )
}

fn bounds(words: &str, bounds: &[Shares], without: &str) -> String {
    if bounds.is_empty() {
        return format!("for {without}");
    }
    format!("for {words} {} shares of its legs, in their order", list(bounds))
}

pub(super) fn basket_mint(op: &BasketMint) -> String {
    let bounds = bounds("at most", &op.legs_max, "however many shares of its legs that takes");
    format!("Mint {} shares of basket {} in kind {bounds}", op.shares, op.basket)
}

pub(super) fn basket_redeem(op: &BasketRedeem) -> String {
    let bounds = bounds("at least", &op.legs_min, "however many shares of its legs that gives");
    format!("Give up {} shares of basket {} in kind {bounds}", op.shares, op.basket)
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

pub(super) fn basket_settle(op: &BasketSettle) -> String {
    let BasketSettle { basket, ticket } = op;
    format!("Settle request {ticket} at the doors of basket {basket}, for whoever made it")
}
