//! Who waits in a vault changes its mind.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{AccountId, Address, Shares, TicketId, VaultId};
use crate::vault::defence::{Defence, is_on};
use crate::vault::queue::between;
use crate::vault::rate::Rate;

record! {
    /// Takes back a deposit that has not come in, or what is not settled of an exit. Gains since the request are forfeited either way.
    pub struct VaultCancel {
        /// The vault.
        pub vault: VaultId,
        /// Which of its tickets.
        pub ticket: TicketId,
    }
}

refusals! {
    /// Why it is too late, or was never possible.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        TicketNotFound { ticket: TicketId } => "nothing waits in the vault as ticket {ticket}",
        NotYours { ticket: TicketId, owner: Address } => "ticket {ticket} is of {owner}",
        IsSettled { ticket: TicketId } => "all of ticket {ticket} is settled; claim it",
    }
}

impl VaultCancel {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { vault: id, ticket } = *self;
        state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let deposit = state.vaults.deposits.get(&(id, ticket)).copied();
        let exit = state.vaults.exits.get(&(id, ticket)).copied();
        let owner = deposit.map(|deposit| deposit.owner).or(exit.map(|exit| exit.owner));
        let owner = owner.ok_or(Refused::TicketNotFound { ticket })?;
        let address = state.accounts.get(owner).address;
        if address != sender {
            return Err(Refused::NotYours { ticket, owner: address });
        }
        let settled = state.vault(id).map_or(0, |vault| vault.queue.settled);
        if exit.is_some_and(|exit| exit.end <= settled) {
            return Err(Refused::IsSettled { ticket });
        }

        // From here on nothing can fail.
        match deposit {
            Some(deposit) => {
                state.drop_deposit(id, ticket);
                state.vault_mut(id).buckets.deposits.shrink(deposit.amount);
                state.pay_from_vault(id, owner, deposit.amount);
                let (amount, asset) = (deposit.amount, state.vault_mut(id).asset);
                let why = "its owner took it back".to_owned();
                events.push(Event::VaultDepositReturned {
                    vault: id,
                    ticket,
                    account: sender,
                    asset,
                    amount,
                    why,
                });
            }
            None => leave_line(state, id, ticket, owner, events),
        }
        Ok(())
    }
}

/// What is not settled of an exit leaves the line. Who waited gets as many shares as are worth now what it asked back, or all of them if
/// they are worth less; what the others are worth joins the drip.
fn leave_line(state: &mut State, id: VaultId, ticket: TicketId, owner: AccountId, events: &mut Vec<Event>) {
    let value = state.touch_vault(id, events);
    let rate = Rate::of(value.nav, state.supply_of(id));
    let Some(mut exit) = state.vaults.exits.get(&(id, ticket)).copied() else { return };
    let vault = state.vault_mut(id);
    let (share, start) = (vault.share, vault.queue.settled.max(exit.start));
    let shares = between(start, exit.end);
    vault.queue.waiting.shrink(shares);
    let asked = state.cohort_at(id, start).map_or(rate, |(_, cohort)| cohort.rate);
    let kept = if asked >= rate || !is_on(Defence::CancelForfeits) {
        shares
    } else {
        rate.shares_down(asked.assets_down(shares)).unwrap_or(shares).min(shares)
    };
    let burnt = kept.room_below(shares);
    let forfeited = rate.assets_down(burnt).min(value.nav);
    state.open_gap(id, start, exit.end);
    state.burn_taken(share, burnt);
    state.give_shares(share, owner, kept);
    let now = state.epoch;
    let vault = state.vault_mut(id);
    vault.drip.credit(now, vault.terms.drip, forfeited);
    exit.end = start;
    if exit.closed >= exit.end {
        state.drop_exit(id, ticket);
    } else {
        state.put_exit(id, ticket, exit);
    }
    let account = state.accounts.get(owner).address;
    let kept: Shares = kept;
    events.push(Event::VaultExitCancelled { vault: id, ticket, account, kept, burnt, forfeited });
}
