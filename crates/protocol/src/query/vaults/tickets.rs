//! What waits in a vault: the requests of ERC-7540, which are pending, then claimable, then gone.

use super::super::Page;
use super::junior::{leaving_from, worth_of};
use super::prices::preview_claim;
use crate::state::State;
use crate::state::vaults::records::{DepositTicket, ExitTicket, Holdback, JuniorExit};
use crate::units::{AccountId, Address, Amount, AssetId, Epoch, RequestId, Shares, TicketId, VaultId};
use crate::vault::queue::{self, between};

answer! {
    /// What kind of ticket.
    #[derive(Copy, PartialOrd, Ord)]
    pub enum TicketKind {
        /// A deposit that waits for the boundary. It needs no claim: its shares, or itself, come by the tick.
        Deposit,
        /// Shares that leave by the line.
        Exit,
        /// The rest of an instant exit.
        Holdback,
        /// First-loss capital that leaves.
        Junior,
    }
}

answer! {
    /// Where a ticket is in its life. Of a large exit a part may be claimable while the rest is pending.
    #[derive(Copy, PartialOrd, Ord)]
    pub enum TicketState {
        /// Nothing can be fetched yet.
        Pending,
        /// Something can be fetched, by anybody's call.
        Claimable,
        /// All that was settled was fetched; a part is withheld until requests to slash have ended, or held back.
        Withheld,
    }
}

answer! {
    /// What is withheld from an exit because of a request.
    #[derive(Copy)]
    pub struct WithheldPart {
        /// The request.
        pub request: RequestId,
        /// What is paid if it ends without a slash; how much of it the slash takes, it takes of this.
        pub amount: Amount,
    }
}

answer! {
    /// Something that waits in a vault.
    pub struct VaultTicket {
        /// The vault.
        pub vault: VaultId,
        /// Its number in the vault.
        pub ticket: TicketId,
        /// What it is.
        pub kind: TicketKind,
        /// Where it is in its life.
        pub state: TicketState,
        /// Whose.
        pub owner: Address,
        /// The vault's asset.
        pub asset: AssetId,
        /// The epoch of the request; none of what was held back.
        pub requested: Option<Epoch>,
        /// A deposit's amount, what is held back, what first-loss capital is paid if it loses nothing more; of an exit what one claim pays now.
        pub assets: Amount,
        /// Of an exit, shares that are not settled: `pendingRedeemRequest`; of first-loss capital, shares of the tranche.
        pub pending_shares: Shares,
        /// Of an exit, shares that are settled and not fetched: `claimableRedeemRequest`.
        pub claimable_shares: Shares,
        /// Of an exit, shares that were paid.
        pub paid_shares: Shares,
        /// Of an exit, shares that wait in front of it.
        pub ahead: Shares,
        /// Of an exit, the most that its pending shares are paid: what they were worth when they were asked back, or are now if that is less.
        pub pending_at_most: Amount,
        /// Of an exit, what is withheld for which request.
        pub withheld: Vec<WithheldPart>,
        /// Of an exit that was settled early, what is held back until a slash of its stake is possible no more.
        pub held_back: Amount,
        /// First epoch in which all of that may be fetched.
        pub held_back_until: Option<Epoch>,
        /// Of a deposit, the fewest shares that it comes in for.
        pub shares_min: Shares,
        /// Of a deposit, the last epoch in which it comes in; of what is held back, and of first-loss capital, the first in which it can be fetched.
        pub due: Option<Epoch>,
    }
}

/// How many pieces of an exit are looked at for what is withheld of it.
const PIECES_MAX: usize = 256;

/// One ticket; none of that number, or if nothing of it is left.
pub fn ticket(state: &State, vault: VaultId, ticket: TicketId) -> Option<VaultTicket> {
    let key = (vault, ticket);
    let records = &state.vaults;
    if let Some(deposit) = records.deposits.get(&key) {
        return of_deposit(state, vault, ticket, deposit);
    }
    if let Some(exit) = records.exits.get(&key) {
        return of_exit(state, vault, ticket, exit);
    }
    if let Some(exit) = records.junior_exits.get(&key) {
        return of_junior(state, vault, ticket, exit);
    }
    of_holdback(state, vault, ticket, records.holdbacks.get(&key)?)
}

/// The tickets of a vault by number, after one of them.
pub fn tickets(state: &State, vault: VaultId, after: Option<TicketId>, limit: usize) -> Page<VaultTicket> {
    let first = TicketId::new(after.map_or(0, |after| after.number().saturating_add(1)));
    let limit = limit.clamp(1, super::super::PAGE_MAX);
    let most = limit.saturating_add(1);
    let records = &state.vaults;
    let from = (vault, first);
    let mut found: Vec<TicketId> = Vec::new();
    let deposits = records.deposits.starting_at(from).map(|(key, _)| *key);
    found.extend(deposits.take_while(|(of, _)| *of == vault).map(|(_, id)| id).take(most));
    let exits = records.exits.starting_at(from).map(|(key, _)| *key);
    found.extend(exits.take_while(|(of, _)| *of == vault).map(|(_, id)| id).take(most));
    let holdbacks = records.holdbacks.starting_at(from).map(|(key, _)| *key);
    found.extend(holdbacks.take_while(|(of, _)| *of == vault).map(|(_, id)| id).take(most));
    found.extend(leaving_from(state, from).take(most));
    found.sort_unstable();
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|last| last.number());
    Page { items: found.into_iter().filter_map(|id| ticket(state, vault, id)).collect(), next }
}

/// The tickets of an account in all vaults, by vault and number.
pub fn tickets_of(state: &State, account: Address) -> Vec<VaultTicket> {
    let Some(owner) = state.accounts.find(account) else { return Vec::new() };
    state.tickets_of(owner).filter_map(|(vault, id)| ticket(state, vault, id)).collect()
}

fn empty(
    state: &State,
    vault: VaultId,
    ticket: TicketId,
    owner: AccountId,
    kind: TicketKind,
) -> Option<VaultTicket> {
    Some(VaultTicket {
        vault,
        ticket,
        kind,
        state: TicketState::Pending,
        owner: state.address_of(owner),
        asset: state.vault(vault)?.asset,
        requested: None,
        assets: Amount::ZERO,
        pending_shares: Shares::ZERO,
        claimable_shares: Shares::ZERO,
        paid_shares: Shares::ZERO,
        ahead: Shares::ZERO,
        pending_at_most: Amount::ZERO,
        withheld: Vec::new(),
        held_back: Amount::ZERO,
        held_back_until: None,
        shares_min: Shares::ZERO,
        due: None,
    })
}

fn of_deposit(
    state: &State,
    vault: VaultId,
    ticket: TicketId,
    deposit: &DepositTicket,
) -> Option<VaultTicket> {
    let base = empty(state, vault, ticket, deposit.owner, TicketKind::Deposit)?;
    Some(VaultTicket {
        requested: Some(deposit.epoch),
        assets: deposit.amount,
        shares_min: deposit.shares_min,
        due: super::super::ever(deposit.deadline),
        ..base
    })
}

fn of_holdback(state: &State, vault: VaultId, ticket: TicketId, held: &Holdback) -> Option<VaultTicket> {
    let base = empty(state, vault, ticket, held.owner, TicketKind::Holdback)?;
    let is_due = held.from <= state.epoch;
    let state_of = if is_due { TicketState::Claimable } else { TicketState::Pending };
    let assets = if is_due { preview_claim(state, vault, ticket) } else { held.amount };
    Some(VaultTicket { state: state_of, assets, due: Some(held.from), ..base })
}

fn of_junior(state: &State, vault: VaultId, ticket: TicketId, exit: &JuniorExit) -> Option<VaultTicket> {
    let base = empty(state, vault, ticket, exit.owner, TicketKind::Junior)?;
    let state_of = if exit.from <= state.epoch { TicketState::Claimable } else { TicketState::Pending };
    let assets = worth_of(state, vault, exit);
    Some(VaultTicket { state: state_of, assets, pending_shares: exit.shares, due: Some(exit.from), ..base })
}

fn of_exit(state: &State, vault: VaultId, ticket: TicketId, exit: &ExitTicket) -> Option<VaultTicket> {
    let base = empty(state, vault, ticket, exit.owner, TicketKind::Exit)?;
    let record = state.vault(vault)?;
    let value = state.value_vault(vault)?;
    let (high, _) = state.vault_rates(vault, &value);
    let settled = record.queue.settled;
    let reached = settled.min(exit.end);
    let pending_from = settled.max(exit.start).min(exit.end);
    let pending_shares = between(pending_from, exit.end);
    let rate = state.cohort_at(vault, pending_from).map_or(high, |(_, cohort)| cohort.rate.min(high));
    let claimable_shares = between(exit.paid, reached);
    let assets = preview_claim(state, vault, ticket);
    let withheld = withheld_of(state, vault, exit, reached);
    let (held_back, held_back_until) = held_of(state, vault, exit, reached);
    let state_of = if !assets.is_zero() || !claimable_shares.is_zero() {
        TicketState::Claimable
    } else if pending_shares.is_zero() {
        TicketState::Withheld
    } else {
        TicketState::Pending
    };
    Some(VaultTicket {
        state: state_of,
        requested: Some(exit.epoch),
        assets,
        pending_shares,
        claimable_shares,
        paid_shares: between(exit.start, exit.paid),
        ahead: ahead_of(state, vault, settled, exit.start),
        pending_at_most: rate.assets_down(pending_shares),
        withheld,
        held_back,
        held_back_until,
        ..base
    })
}

/// Shares that wait between the mark and a place: gaps are passed over, as many as are looked at.
fn ahead_of(state: &State, vault: VaultId, settled: u128, start: u128) -> Shares {
    let gaps = state.vaults.gaps.starting_at((vault, settled));
    let gaps = gaps.take_while(|((of, first), _)| *of == vault && *first < start).take(PIECES_MAX);
    let empty = gaps
        .fold(0_u128, |sum, ((_, first), end)| sum.saturating_add(end.min(&start).saturating_sub(*first)));
    Shares::new(start.saturating_sub(settled).saturating_sub(empty))
}

/// What is held back of the pieces of an exit that are settled and not closed, and until when.
fn held_of(state: &State, vault: VaultId, exit: &ExitTicket, reached: u128) -> (Amount, Option<Epoch>) {
    let (mut held, mut until, mut place) = (Amount::ZERO, None, exit.closed);
    for _ in 0..PIECES_MAX {
        let Some((end, batch)) = state.batch_at(vault, place).filter(|_| place < reached) else { break };
        if !batch.held.is_zero() {
            held.grow(queue::part(batch.held, between(place, end.min(exit.end)), between(batch.start, end)));
            until = until.max(Some(batch.held_until));
        }
        place = end;
    }
    (held, until)
}

/// What is withheld of the pieces of an exit that are settled and not closed.
fn withheld_of(state: &State, vault: VaultId, exit: &ExitTicket, reached: u128) -> Vec<WithheldPart> {
    let mut parts: Vec<WithheldPart> = Vec::new();
    let mut place = exit.closed;
    for _ in 0..PIECES_MAX {
        let Some((end, batch)) = state.batch_at(vault, place).filter(|_| place < reached) else { break };
        let all = between(batch.start, end);
        let shares = between(place, end.min(exit.end));
        for (request, amount) in &batch.withheld {
            let amount = queue::part(*amount, shares, all);
            match parts.iter_mut().find(|part| part.request == *request) {
                Some(part) => part.amount.grow(amount),
                None => parts.push(WithheldPart { request: *request, amount }),
            }
        }
        place = end;
    }
    parts.retain(|part| !part.amount.is_zero());
    parts
}
