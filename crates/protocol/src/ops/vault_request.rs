//! A holder asks shares back. Nobody can stop it.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::records::ExitTicket;
use crate::units::{Address, Amount, ShareId, Shares, VaultId};
use crate::vault::queue::{Cohort, between};
use crate::vault::rate::Rate;

record! {
    /// Shares take their place in the vault's line. They bear losses like all others until they are settled, and get no gains.
    pub struct VaultRequest {
        /// The vault.
        pub vault: VaultId,
        /// How many; all that the sender has where it is not given.
        #[serde(default)]
        pub shares: Option<Shares>,
    }
}

refusals! {
    /// Why a request is refused.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        SharesAreZero { share: ShareId } => "it asks back none of shares {share}",
        ExceedsShares { shares: Shares, held: Shares } => "{shares} shares exceed the {held} that the sender has",
        LineIsFull { end: u128 } => "the vault's line has counted {end} shares and can't count these; it can when who waits has left",
        BelowMinimum { worth: Amount, least: Amount } => "shares worth {worth} are below the smallest exit, {least}; all that the sender has may leave",
    }
}

impl VaultRequest {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.vault;
        let vault = state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let (share, least) = (vault.share, vault.terms.deposit_min);
        let held = state.shares_of(share, sender);
        let shares = self.shares.unwrap_or(held);
        if shares.is_zero() {
            return Err(Refused::SharesAreZero { share });
        }
        if shares > held {
            return Err(Refused::ExceedsShares { shares, held });
        }
        let (start, end) = self.places(state, shares)?;
        let value = state.value_vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let worth = Rate::of(value.nav, state.supply_of(id)).assets_up(shares);
        if shares < held && worth < least {
            return Err(Refused::BelowMinimum { worth, least });
        }

        // From here on nothing can fail.
        let value = state.wake_vault(id, events);
        let owner = state.accounts.open(sender);
        state.take_shares(share, owner, shares);
        let rate = Rate::of(value.nav, state.supply_of(id));
        let (ticket, epoch) = (state.next_ticket(id), state.epoch);
        let line = &mut state.vault_mut(id).queue;
        line.end = end;
        line.waiting.grow(shares);
        state.extend_cohort(id, start, end, Cohort { epoch, rate, start });
        let exit = ExitTicket { owner, epoch, start, end, paid: start, closed: start };
        state.put_exit(id, ticket, exit);
        let worth = rate.assets_down(between(start, end));
        events.push(Event::VaultExitRequested { vault: id, ticket, account: sender, shares, worth });
        Ok(())
    }

    /// Its places in the line.
    fn places(&self, state: &State, shares: Shares) -> Result<(u128, u128), Refused> {
        let start = state.vault(self.vault).map_or(0, |vault| vault.queue.end);
        let end = start.checked_add(shares.units()).ok_or(Refused::LineIsFull { end: start })?;
        Ok((start, end))
    }
}
