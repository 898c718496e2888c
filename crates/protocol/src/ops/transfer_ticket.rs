//! What waits in a vault changes hands.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::is_reserved;
use crate::units::{Address, TicketId, VaultId};

record! {
    /// Gives a ticket to somebody else, with everything that it is owed from now on.
    pub struct TransferTicket {
        /// The vault.
        pub vault: VaultId,
        /// Which of its tickets.
        pub ticket: TicketId,
        /// To whom.
        pub to: Address,
    }
}

refusals! {
    /// Why a ticket stays where it is.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        TicketNotFound { ticket: TicketId } => "nothing waits in the vault as ticket {ticket}",
        NotYours { ticket: TicketId, owner: Address } => "ticket {ticket} is of {owner}",
        IsYours { ticket: TicketId } => "ticket {ticket} is the sender's already",
        BadReceiver { to: Address } => "{to} is the account of a vault or a basket, which could never give it back",
        TooManyTickets { to: Address, most: usize } => "{to} has {most} tickets or more, and is given no others",
    }
}

/// Who has so many tickets is given no more: nobody fills the list of somebody else.
const GIVEN_MAX: usize = 256;

impl TransferTicket {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { vault: id, ticket, to } = *self;
        state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let owner = state.owner_of_ticket(id, ticket).ok_or(Refused::TicketNotFound { ticket })?;
        let owner = state.accounts.get(owner).address;
        if owner != sender {
            return Err(Refused::NotYours { ticket, owner });
        }
        if to == sender {
            return Err(Refused::IsYours { ticket });
        }
        if is_reserved(to) {
            return Err(Refused::BadReceiver { to });
        }
        let receiver = state.accounts.find(to);
        let has = receiver.map_or(0, |receiver| state.tickets_of(receiver).take(GIVEN_MAX).count());
        if has >= GIVEN_MAX {
            return Err(Refused::TooManyTickets { to, most: GIVEN_MAX });
        }

        // From here on nothing can fail.
        let receiver = state.accounts.open(to);
        state.give_ticket(id, ticket, receiver);
        events.push(Event::VaultTicketGiven { vault: id, ticket, from: sender, to });
        Ok(())
    }
}
