//! Vaults go on: somebody advances them each epoch, and fetches what is settled.

use protocol::query::{self, TicketKind, TicketState};
use protocol::{Operation, ops};

use super::Day;
use crate::days::vaults::tick;
use crate::world::VAULTS;

pub(super) fn tend(day: &mut Day<'_>) {
    for (_, vault) in VAULTS {
        let Some(detail) = query::vault(day.state, *vault) else { continue };
        if !detail.tick.is_done {
            day.ask("wanda", "advances a vault", tick(*vault));
        }
        let tickets = query::tickets(day.state, *vault, None, 8).items;
        let is_due = |ticket: &&query::VaultTicket| {
            ticket.state == TicketState::Claimable && ticket.kind != TicketKind::Deposit
        };
        if let Some(due) = tickets.iter().find(is_due) {
            let claim = ops::vault_claim::VaultClaim { vault: *vault, ticket: due.ticket };
            day.ask("wanda", "fetches for somebody what was settled", Operation::VaultClaim(claim));
        }
    }
}
