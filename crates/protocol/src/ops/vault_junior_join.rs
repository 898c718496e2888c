//! An account puts in first-loss capital: it pays for a vault's losses before the holders do, and earns a part of the rewards for it.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, Epoch, Shares, VaultId};
use crate::vault::rate::VIRTUAL_SHARES;

record! {
    /// Free assets join the junior tranche of a vault, at once, at what its shares are worth.
    pub struct VaultJuniorJoin {
        /// The vault.
        pub vault: VaultId,
        /// How much of its asset.
        pub amount: Amount,
        /// The fewest shares of the tranche for it.
        #[serde(default)]
        pub shares_min: Shares,
    }
}

refusals! {
    /// Why capital does not join.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        NoTranche { vault: VaultId } => "the terms of vault {vault} have no junior tranche",
        JoinsStopped { until: Epoch } => "the guardian of the ledger has stopped joins until epoch {until}",
        WindingDown { vault: VaultId } => "vault {vault} is winding down",
        BelowMinimum { amount: Amount, least: Amount } => "{amount} is below the smallest deposit, {least}",
        ExceedsFree { amount: Amount, free: Amount } => "{amount} exceeds the free balance {free}",
        TooFewShares { shares: Shares, least: Shares } => "it would be {shares} shares of the tranche, and {least} are the least",
        OutOfRange { shares: Shares } => "{shares} shares of the tranche, with those that there are, are more than there can be",
    }
}

impl VaultJuniorJoin {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { vault: id, amount, .. } = *self;
        let shares = self.check(state, sender)?;

        // From here on nothing can fail.
        // A loss that nobody has noticed yet is older than this capital.
        state.touch_vault(id, events);
        let share = state.junior_share(id);
        let owner = state.accounts.open(sender);
        let vault = state.vault_mut(id);
        let (account, asset) = (vault.account, vault.asset);
        vault.buckets.junior.grow(amount);
        state.accounts.get_mut(owner).take_free(asset, amount);
        state.accounts.get_mut(account).add_free(asset, amount);
        state.mint(share, owner, shares);
        events.push(Event::VaultJuniorJoined { vault: id, account: sender, share, amount, shares });
        Ok(())
    }

    /// Everything that can refuse it; how many shares it is.
    fn check(&self, state: &State, sender: Address) -> Result<Shares, Refused> {
        let Self { vault: id, amount, shares_min } = *self;
        let vault = state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        if vault.terms.junior.is_none() {
            return Err(Refused::NoTranche { vault: id });
        }
        let until = state.stops.joins;
        if until > state.epoch {
            return Err(Refused::JoinsStopped { until });
        }
        if vault.is_winding_down {
            return Err(Refused::WindingDown { vault: id });
        }
        let least = vault.terms.deposit_min.max(Amount::new(1));
        if amount < least {
            return Err(Refused::BelowMinimum { amount, least });
        }
        let free = state.free_of(sender, vault.asset);
        if amount > free {
            return Err(Refused::ExceedsFree { amount, free });
        }
        let standing = state.junior_of(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let shares = standing.rate().shares_down(amount).unwrap_or(Shares::LIMIT);
        // Fewer than the virtual ones, and rounding alone could take more than a thousandth.
        let least = shares_min.max(Shares::new(VIRTUAL_SHARES));
        if shares < least {
            return Err(Refused::TooFewShares { shares, least });
        }
        if standing.supply.plus(shares).is_none_or(|supply| supply > Shares::LIMIT) {
            return Err(Refused::OutOfRange { shares });
        }
        Ok(shares)
    }
}
