//! What was settled, or held back, is paid out, by anyone's call. Nobody can stop it.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::records::Holdback;
use crate::units::{Address, Amount, Epoch, TicketId, VaultId};
use crate::vault::waterfall;

record! {
    /// Pays out what a ticket is owed: of an exit what is settled, of an instant exit what was held back, of first-loss capital all of it.
    pub struct VaultClaim {
        /// The vault.
        pub vault: VaultId,
        /// Which of its tickets.
        pub ticket: TicketId,
    }
}

refusals! {
    /// Why there is nothing to pay.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        TicketNotFound { ticket: TicketId } => "nothing waits in the vault as ticket {ticket}",
        NotSettled { ticket: TicketId } => "nothing of ticket {ticket} is settled that was not paid already",
        HeldBack { ticket: TicketId, from: Epoch } => "ticket {ticket} is held back until epoch {from}",
    }
}

impl VaultClaim {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { vault: id, ticket } = *self;
        state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        if let Some(holdback) = state.vaults.holdbacks.get(&(id, ticket)).copied() {
            let from = holdback.from;
            if from > state.epoch {
                return Err(Refused::HeldBack { ticket, from });
            }
            pay_holdback(state, id, ticket, &holdback, events);
            return Ok(());
        }
        if let Some(exit) = state.vaults.junior_exits.get(&(id, ticket)).copied() {
            let from = exit.from;
            if from > state.epoch {
                return Err(Refused::HeldBack { ticket, from });
            }
            state.pay_junior_exit(id, ticket, &exit, events);
            return Ok(());
        }
        if !state.vaults.exits.contains_key(&(id, ticket)) {
            return Err(Refused::TicketNotFound { ticket });
        }
        if !state.is_claimable(id, ticket) {
            return Err(Refused::NotSettled { ticket });
        }

        // From here on nothing can fail.
        state.touch_vault(id, events);
        state.pay_exit(id, ticket, events);
        Ok(())
    }
}

/// What was held back is paid less what the exit lost since beyond what its price took already; that joins the drip.
fn pay_holdback(
    state: &mut State,
    id: VaultId,
    ticket: TicketId,
    holdback: &Holdback,
    events: &mut Vec<Event>,
) {
    state.touch_vault(id, events);
    let Holdback { owner, amount, worth, borne, left, from } = *holdback;
    state.drop_holdback(id, ticket);
    let (now, left_then) = (state.epoch, state.left_at(id, from.previous()));
    let vault = state.vault_mut(id);
    let lost: Amount = borne.room_below(waterfall::lost_between(worth, left, left_then));
    let kept = lost.min(amount);
    let paid = kept.room_below(amount);
    vault.buckets.holdback.shrink(amount);
    vault.buckets.idle.grow(kept);
    vault.drip.credit(now, vault.terms.drip, kept);
    state.pay_from_vault(id, owner, paid);
    let account = state.accounts.get(owner).address;
    events.push(Event::VaultHoldbackPaid { vault: id, ticket, account, paid, kept });
}
