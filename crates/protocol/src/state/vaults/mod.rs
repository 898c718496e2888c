//! Vaults: their records, and what several of their operations do with them.
//!
//! A vault's account is an ordinary account; what it does with stake are the moves of any staker ([`moves`]). What only vaults have is here.

pub(crate) mod allocate;
pub(crate) mod bands;
pub(crate) mod baskets;
pub(crate) mod claims;
pub(crate) mod curate;
mod desk;
mod fill;
pub(crate) mod junior;
pub(crate) mod moves;
pub(crate) mod nav;
pub(crate) mod records;
pub(crate) mod routes;
pub(crate) mod settle;
pub(crate) mod shares;
pub(crate) mod terms;
pub(crate) mod tick;
pub(crate) mod tickets;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod grant_tests;
#[cfg(test)]
mod junior_tests;
#[cfg(test)]
mod share_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[path = "../../../tests/vaults/world.rs"]
mod world;

use super::State;
use super::shelf::{Book, Shelf};
use crate::units::{
    AccountId, Address, BasketId, Epoch, OperatorId, RequestId, RouteId, ShareId, TicketId, VaultId,
};
use crate::vault::queue::{Batch, Cohort};
use records::{
    Contingent, ContingentKey, DepositTicket, ExitTicket, Holdback, Holding, JuniorExit, Outcome,
    ShareRecord, Vault, Verdict,
};
use routes::{Arrival, Route};

/// Everything about vaults.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vaults {
    pub(crate) list: Shelf<Vault, 1>,
    pub(crate) baskets: Shelf<baskets::Basket, 1>,
    pub(crate) shares: Shelf<ShareRecord, 16>,
    pub(crate) holdings: Book<(ShareId, AccountId), Holding>,
    pub(crate) deposits: Book<(VaultId, TicketId), DepositTicket>,
    pub(crate) exits: Book<(VaultId, TicketId), ExitTicket>,
    pub(crate) holdbacks: Book<(VaultId, TicketId), Holdback>,
    pub(crate) junior_exits: Book<(VaultId, TicketId), JuniorExit>,
    /// By the place after their last.
    pub(crate) cohorts: Book<(VaultId, u128), Cohort>,
    /// By the place after their last.
    pub(crate) batches: Book<(VaultId, u128), Batch>,
    /// Cancelled ranges that the mark has not passed: by first place, the place after the last.
    pub(crate) gaps: Book<(VaultId, u128), u128>,
    pub(crate) contingents: Book<ContingentKey, Contingent>,
    pub(crate) outcomes: Book<ContingentKey, Outcome>,
    /// What was left of a share after the losses of an epoch.
    pub(crate) losses: Book<(VaultId, Epoch), u128>,
    pub(crate) verdicts: Book<RequestId, Verdict>,
    pub(crate) routes: Shelf<Route, 4>,
    /// Messages home that wait, by route and number.
    pub(crate) arrivals: Book<(RouteId, u64), Arrival>,
    /// Requests at single-sided doors of baskets that wait.
    pub(crate) door_requests: Book<(BasketId, TicketId), baskets::DoorRequest>,
    /// Requests that are open, by operator; follows from the requests.
    pub(crate) open_requests: Book<(OperatorId, RequestId), ()>,
    /// Whose tickets there are; follows from them.
    pub(crate) owned: Book<(AccountId, VaultId, TicketId), ()>,
    /// Who has which shares; follows from the holdings.
    pub(crate) held: Book<(AccountId, ShareId), ()>,
}

/// Accounts of vaults begin so; nobody can act for one ([`crate::authority`]).
const ACCOUNT_PREFIX: [u8; 16] = *b"surety vault ac:";

/// The account of a vault.
pub(crate) fn address_of(vault: VaultId) -> Address {
    let mut bytes = [0; 20];
    let (prefix, number) = bytes.split_at_mut(ACCOUNT_PREFIX.len());
    prefix.copy_from_slice(&ACCOUNT_PREFIX);
    number.copy_from_slice(&vault.number().to_be_bytes());
    Address(bytes)
}

/// Whether an address is kept for vaults, whether or not there is one of that number.
pub(crate) fn is_reserved(address: Address) -> bool {
    address.0.starts_with(&ACCOUNT_PREFIX) || address.0.starts_with(&baskets::BASKET_PREFIX)
}

impl State {
    /// A vault by its number.
    pub(crate) fn vault(&self, id: VaultId) -> Option<&Vault> {
        self.vaults.list.get(id.index())
    }

    pub(crate) fn vault_mut(&mut self, id: VaultId) -> &mut Vault {
        self.vaults.list.get_mut(id.index()).expect("the vault was checked")
    }

    /// The vault whose account that is.
    pub(crate) fn vault_of(&self, account: AccountId) -> Option<VaultId> {
        let address = self.accounts.get(account).address;
        if !address.0.starts_with(&ACCOUNT_PREFIX) {
            return None;
        }
        let number = address.0.last_chunk::<4>().copied().map(u32::from_be_bytes)?;
        let id = VaultId::new(number);
        self.vault(id).is_some().then_some(id)
    }

    /// The next ticket of a vault.
    pub(crate) fn next_ticket(&mut self, vault: VaultId) -> TicketId {
        let record = self.vault_mut(vault);
        let id = TicketId::new(record.tickets);
        record.tickets = record.tickets.saturating_add(1);
        id
    }
}
