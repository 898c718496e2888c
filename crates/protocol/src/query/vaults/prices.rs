//! Rates, conversions, limits and previews.

use super::super::Loss;
use crate::event::Event;
use crate::ops::vault_claim::VaultClaim;
use crate::ops::vault_instant::{self, VaultInstant};
use crate::state::State;
use crate::state::vaults::nav::Valuation;
use crate::state::vaults::records::Vault;
use crate::units::{
    Address, Amount, AssetId, Epoch, OperatorId, RequestId, SetId, ShareId, Shares, TicketId, VaultId,
};
use crate::vault::rate::Rate;

answer! {
    /// A rate, exactly: `shares` shares are worth `assets` base units of the asset.
    #[derive(Copy)]
    pub struct RateView {
        /// Net asset value and the virtual unit.
        pub assets: Amount,
        /// All shares and the virtual thousand.
        pub shares: Shares,
    }
}

answer! {
    /// What a vault is worth, and at which rates. Everything in it follows from entries of the state: [`super::vault_stands_on`].
    pub struct RateFeed {
        /// The vault.
        pub vault: VaultId,
        /// Its asset.
        pub asset: AssetId,
        /// Its shares.
        pub share: ShareId,
        /// As of which epoch.
        pub epoch: Epoch,
        /// Net asset value if every open request to slash takes the most that it may, beyond what was withheld for it.
        pub nav_low: Amount,
        /// Net asset value; losses are in it at once, gains when they have vested. It is the high one too: `NAV_hi`.
        pub nav: Amount,
        /// The same, by the name that it has beside `nav_low`.
        pub nav_high: Amount,
        /// All shares, those that wait to leave included.
        pub supply: Shares,
        /// At which deposits come in.
        pub high: RateView,
        /// At which exits go out.
        pub low: RateView,
        /// What the open requests would take, the most first; beyond 32 the least are not counted.
        pub pending: Vec<PendingSlash>,
        /// All of it.
        pub pending_total: Amount,
        /// A loss that the next operation of the vault writes down, who pays for it, and of which epoch's price `nav` is already.
        pub unwritten_loss: Amount,
        /// Whether the tick of this epoch is done: before, gains that are due do not count yet.
        pub is_ticked: bool,
    }
}

answer! {
    /// An open request against an operator that the vault is with.
    #[derive(Copy)]
    pub struct PendingSlash {
        /// The request.
        pub request: RequestId,
        /// The operator.
        pub operator: OperatorId,
        /// For which set.
        pub set: SetId,
        /// What it would take of the vault at most beyond what was withheld for it.
        pub amount: Amount,
        /// First epoch in which it may be executed.
        pub executable_from: Epoch,
        /// Last epoch in which it may be.
        pub lapses_after: Epoch,
    }
}

answer! {
    /// Assets and the shares they are, or shares and the assets they are, at the high rate, rounded down. No fees, no limits, whoever asks.
    #[derive(Copy)]
    pub struct Converted {
        /// The vault.
        pub vault: VaultId,
        /// Its asset.
        pub asset: AssetId,
        /// Base units of it.
        pub assets: Amount,
        /// Shares.
        pub shares: Shares,
        /// At this rate.
        pub rate: RateView,
    }
}

answer! {
    /// What would be accepted now, and never more.
    #[derive(Copy)]
    pub struct VaultMaxima {
        /// The vault.
        pub vault: VaultId,
        /// Its asset.
        pub asset: AssetId,
        /// Whose limits; anybody's where it is not given: then what somebody has does not bound them.
        pub account: Option<Address>,
        /// The largest deposit.
        pub max_deposit: Amount,
        /// The smallest deposit; a larger figure than `max_deposit` means that none is accepted.
        pub min_deposit: Amount,
        /// The most shares that may be asked back. Nobody can stop it.
        pub max_request: Shares,
        /// The most shares that may leave at once.
        pub max_instant: Shares,
    }
}

answer! {
    /// What something gets.
    pub struct VaultPreview {
        /// The vault.
        pub vault: VaultId,
        /// Its asset.
        pub asset: AssetId,
        /// What is put in, or would be paid at least: a deposit's own amount, an exit's at the low price.
        pub assets: Amount,
        /// What an exit is paid at most: the rest is withheld until open requests have ended. A deposit's own amount.
        pub assets_most: Amount,
        /// What is asked back, or would be minted.
        pub shares: Shares,
        /// The epoch at whose tick it is priced; a deposit comes in then, an exit when there is enough for all before it.
        pub priced_in: Epoch,
        /// Whether it is what happens for certain. What waits for a boundary is not: slashes, gains that are paid in and announced terms come before.
        pub is_binding: bool,
        /// Why it would be refused, or returned at the boundary.
        pub refused: Option<String>,
    }
}

answer! {
    /// What leaving at once gets now, exactly.
    pub struct InstantPreview {
        /// The vault.
        pub vault: VaultId,
        /// Its asset.
        pub asset: AssetId,
        /// Shares that leave.
        pub shares: Shares,
        /// What they are worth at the low price.
        pub gross: Amount,
        /// Of it, the fee.
        pub fee: Loss,
        /// Of it, what is held back.
        pub held: Amount,
        /// First epoch in which that may be fetched.
        pub held_until: Epoch,
        /// Of it, what is paid at once.
        pub paid: Amount,
        /// Why it would be refused.
        pub refused: Option<String>,
    }
}

/// What a vault is worth, and at which rates. Costs as it has entries of stake.
pub fn rate_feed(state: &State, id: VaultId) -> Option<RateFeed> {
    Some(feed_of(state, id, state.vault(id)?, &state.value_vault(id)?))
}

pub(super) fn feed_of(state: &State, id: VaultId, vault: &Vault, value: &Valuation) -> RateFeed {
    let (high, low) = state.vault_rates(id, value);
    let pending = value.pending.iter().filter_map(|(request, amount)| {
        let record = state.requests.get(request)?;
        let (executable_from, lapses_after) = state.request_window(record);
        Some(PendingSlash {
            request: *request,
            operator: record.operator,
            set: record.set,
            amount: *amount,
            executable_from,
            lapses_after,
        })
    });
    RateFeed {
        vault: id,
        asset: vault.asset,
        share: vault.share,
        epoch: state.epoch,
        nav_low: value.low(),
        nav: value.nav,
        nav_high: value.nav,
        supply: state.supply_of(id),
        high: RateView::of(high),
        low: RateView::of(low),
        pending: pending.collect(),
        pending_total: value.pending_total(),
        unwritten_loss: value.recognised.loss,
        is_ticked: state.is_ticked(id),
    }
}

/// How many shares assets are. Rounds down, as ERC-4626 wants it.
pub fn convert_to_shares(state: &State, id: VaultId, assets: Amount) -> Option<Converted> {
    let (vault, high) = priced(state, id)?;
    let shares = high.shares_down(assets).unwrap_or(Shares::LIMIT).min(Shares::LIMIT);
    Some(Converted { vault: id, asset: vault.asset, assets, shares, rate: RateView::of(high) })
}

/// What shares are worth. Rounds down, as ERC-4626 wants it.
pub fn convert_to_assets(state: &State, id: VaultId, shares: Shares) -> Option<Converted> {
    let (vault, high) = priced(state, id)?;
    let assets = high.assets_down(shares);
    Some(Converted { vault: id, asset: vault.asset, assets, shares, rate: RateView::of(high) })
}

fn priced(state: &State, id: VaultId) -> Option<(&Vault, Rate)> {
    let vault = state.vault(id)?;
    let value = state.value_vault(id)?;
    Some((vault, state.vault_rates(id, &value).0))
}

/// What would be accepted now, of an account or of anybody.
pub fn limits(state: &State, id: VaultId, account: Option<Address>) -> Option<VaultMaxima> {
    let vault = state.vault(id)?;
    let value = state.value_vault(id)?;
    let free = account.map_or(Amount::LIMIT, |account| state.free_of(account, vault.asset));
    let owner = account.and_then(|account| state.accounts.find(account));
    let holding = owner.map(|owner| state.holding(vault.share, owner)).unwrap_or_default();
    let supply = state.supply_of(id);
    let (held, ripe) = match account {
        Some(_) => (holding.shares, holding.ripe(state.epoch)),
        None => (supply, supply),
    };
    let least = vault.terms.deposit_min.max(Amount::new(1));
    let most = deposit_room(state, vault, &value, supply).min(free);
    let room = instant_room(state, id, vault, &value);
    let (_, low) = state.vault_rates(id, &value);
    Some(VaultMaxima {
        vault: id,
        asset: vault.asset,
        account,
        max_deposit: if most < least { Amount::ZERO } else { most },
        min_deposit: least,
        max_request: held,
        max_instant: shares_within(low, room).min(ripe),
    })
}

/// How much more a vault takes in.
fn deposit_room(state: &State, vault: &Vault, value: &Valuation, supply: Shares) -> Amount {
    let is_closed = state.stops.joins > state.epoch
        || vault.stop.until > state.epoch
        || vault.is_winding_down
        || (value.nav.is_zero() && !supply.is_zero());
    if is_closed {
        return Amount::ZERO;
    }
    let mut there = value.nav;
    there.grow(vault.buckets.deposits);
    there.room_below(vault.terms.cap)
}

/// How much may leave at once, at the low price: none before the tick of the epoch is done.
pub(in crate::query) fn instant_room(state: &State, id: VaultId, vault: &Vault, value: &Valuation) -> Amount {
    if !state.is_ticked(id) {
        return Amount::ZERO;
    }
    let mut idle = vault.buckets.idle;
    idle.grow(value.recognised.inflow());
    let watermark = vault.terms.instant.watermark.of_up(vault.tick.nav);
    watermark.room_below(idle).min(vault.bucket.left())
}

/// The most shares that are worth no more than that, rounded down: `floor(s * a / b) <= room` is `s <= ceil((room + 1) * b / a) - 1`.
fn shares_within(rate: Rate, room: Amount) -> Shares {
    if room.is_zero() {
        return Shares::ZERO;
    }
    let more = room.plus(Amount::new(1)).and_then(|more| rate.shares_up(more));
    more.map_or(Shares::LIMIT, |more| Shares::new(1).room_below(more)).min(Shares::LIMIT)
}

/// What a deposit gets at the next boundary if nothing but time passes: what vests then is counted, a fee that makes shares cheaper is not.
pub fn preview_deposit(
    state: &State,
    id: VaultId,
    assets: Amount,
    account: Option<Address>,
) -> Option<VaultPreview> {
    let vault = state.vault(id)?;
    let value = state.value_vault(id)?;
    let next = state.epoch.next();
    let (first, parts) = vault.drip.schedule();
    let due =
        (0..).zip(parts).take_while(|(place, _)| first.later(*place) <= next).map(|(_, amount)| *amount);
    let mut nav = value.nav;
    nav.grow(Amount::total(due).unwrap_or(Amount::ZERO));
    let rate = Rate::of(nav, state.supply_of(id));
    let shares = rate.shares_down(assets).unwrap_or(Shares::LIMIT).min(Shares::LIMIT);
    let bound = limits(state, id, account)?;
    let refused = if bound.max_deposit.is_zero() {
        Some("the vault takes no deposit now, or the account has not enough".to_owned())
    } else if assets < bound.min_deposit {
        Some(format!("the smallest deposit is {}", bound.min_deposit))
    } else if assets > bound.max_deposit {
        Some(format!("the largest deposit is {}", bound.max_deposit))
    } else if shares.is_zero() {
        Some("it would be no shares at all".to_owned())
    } else {
        None
    };
    let asset = vault.asset;
    Some(VaultPreview {
        vault: id,
        asset,
        assets,
        assets_most: assets,
        shares,
        priced_in: next,
        is_binding: false,
        refused,
    })
}

/// What shares that are asked back now are paid at least and at most, if nothing but time passes: at least if every open request takes the most
/// that it may.
pub fn preview_request(state: &State, id: VaultId, shares: Shares) -> Option<VaultPreview> {
    let vault = state.vault(id)?;
    let value = state.value_vault(id)?;
    let (high, low) = state.vault_rates(id, &value);
    let refused = if shares.is_zero() { Some("it is for no shares".to_owned()) } else { None };
    Some(VaultPreview {
        vault: id,
        asset: vault.asset,
        assets: low.assets_down(shares),
        assets_most: high.assets_down(shares),
        shares,
        priced_in: state.epoch.next(),
        is_binding: false,
        refused,
    })
}

/// What leaving at once gets now, of an account or of anybody.
pub fn preview_instant(
    state: &State,
    id: VaultId,
    shares: Shares,
    account: Option<Address>,
) -> Option<InstantPreview> {
    let vault = state.vault(id)?;
    let value = state.value_vault(id)?;
    let exit = vault_instant::quote(state, id, shares, &value)?;
    let refused = match account {
        Some(account) => {
            let leave = VaultInstant { vault: id, shares, amount_min: Amount::ZERO };
            leave.apply(&mut state.clone(), account, &mut Vec::new()).err().map(|why| why.to_string())
        }
        None if exit.gross > instant_room(state, id, vault, &value) => {
            Some("it is more than may leave at once now".to_owned())
        }
        None => None,
    };
    let now = state.epoch;
    Some(InstantPreview {
        vault: id,
        asset: vault.asset,
        shares,
        gross: exit.gross,
        fee: Loss::of(exit.fee, exit.gross),
        held: exit.held,
        held_until: state.harmless_from(now),
        paid: exit.paid,
        refused,
    })
}

/// What a claim of a ticket pays now: nothing where it would be refused. It is carried out on a copy.
pub fn preview_claim(state: &State, id: VaultId, ticket: TicketId) -> Amount {
    let mut events = Vec::new();
    let claim = VaultClaim { vault: id, ticket };
    if claim.apply(&mut state.clone(), Address([0; 20]), &mut events).is_err() {
        return Amount::ZERO;
    }
    let paid = events.iter().find_map(|event| match event {
        Event::VaultClaimed { amount, .. } => Some(*amount),
        Event::VaultHoldbackPaid { paid, .. } | Event::VaultJuniorPaid { paid, .. } => Some(*paid),
        _ => None,
    });
    paid.unwrap_or(Amount::ZERO)
}
