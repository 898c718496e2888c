//! First-loss capital is asked back. It stays at risk until no slash of the stake of its time can be executed.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::records::JuniorExit;
use crate::units::{Address, ShareId, Shares, VaultId};

record! {
    /// Shares of a vault's junior tranche wait to be paid out. Until then they bear losses like all others, and get no gains.
    pub struct VaultJuniorLeave {
        /// The vault.
        pub vault: VaultId,
        /// How many; all that the sender has where it is not given.
        #[serde(default)]
        pub shares: Option<Shares>,
    }
}

refusals! {
    /// Why nothing is asked back.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        NobodyJoined { vault: VaultId } => "the junior tranche of vault {vault} has no shares, or losses have used them up",
        SharesAreZero { share: ShareId } => "it asks back none of shares {share}",
        ExceedsShares { shares: Shares, held: Shares } => "{shares} shares exceed the {held} that the sender has",
    }
}

impl VaultJuniorLeave {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.vault;
        let standing = state.junior_of(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let share = standing.share.ok_or(Refused::NobodyJoined { vault: id })?;
        let held = state.shares_of(share, sender);
        let shares = self.shares.unwrap_or(held);
        if shares.is_zero() {
            return Err(Refused::SharesAreZero { share });
        }
        if shares > held {
            return Err(Refused::ExceedsShares { shares, held });
        }

        // From here on nothing can fail.
        state.touch_vault(id, events);
        let owner = state.accounts.open(sender);
        let ticket = state.next_ticket(id);
        let worth = standing.rate().assets_down(shares);
        let from = state.harmless_from(state.epoch);
        state.take_shares(share, owner, shares);
        state.put_junior_exit(id, ticket, JuniorExit { owner, share, shares, asked: worth, from });
        events.push(Event::VaultJuniorAsked { vault: id, ticket, account: sender, shares, worth, from });
        Ok(())
    }
}
