//! A holder-to-be puts in assets. They wait for the boundary and come in at its price.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::records::DepositTicket;
use crate::units::{Address, Amount, Epoch, Shares, VaultId};

record! {
    /// Free assets wait in a vault for its next tick, at which they become shares at the high price.
    pub struct VaultDeposit {
        /// The vault.
        pub vault: VaultId,
        /// How much of its asset.
        pub amount: Amount,
        /// The fewest shares for it; for fewer it is returned.
        #[serde(default)]
        pub shares_min: Shares,
        /// Last epoch in which it comes in; later it is returned. However late it may be where it is not given.
        #[serde(default = "whenever")]
        pub deadline: Epoch,
    }
}

fn whenever() -> Epoch {
    Epoch::NEVER
}

refusals! {
    /// Why a deposit is refused.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        JoinsStopped { until: Epoch } => "the guardian of the ledger has stopped joins until epoch {until}",
        DepositsStopped { until: Epoch } => "the vault's deposits are stopped until epoch {until}",
        WindingDown { vault: VaultId } => "vault {vault} is winding down",
        BelowMinimum { amount: Amount, least: Amount } => "a deposit of {amount} is below the smallest, {least}",
        DeadlineTooEarly { deadline: Epoch, first: Epoch } => "it can come in from epoch {first} on, and its deadline is epoch {deadline}",
        ExceedsFree { amount: Amount, free: Amount } => "a deposit of {amount} exceeds the free balance {free}",
        LostEverything { vault: VaultId } => "vault {vault} has lost everything, and its shares have no price",
        OverCap { there: Amount, amount: Amount, cap: Amount } => "{there} that is in the vault or waits, and {amount} more, exceed its cap {cap}",
    }
}

impl VaultDeposit {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        self.check(state, sender)?;

        // From here on nothing can fail.
        let Self { vault: id, amount, shares_min, deadline } = *self;
        state.wake_vault(id, events);
        let owner = state.accounts.open(sender);
        let ticket = state.next_ticket(id);
        let vault = state.vault_mut(id);
        let (account, asset) = (vault.account, vault.asset);
        vault.buckets.deposits.grow(amount);
        state.accounts.get_mut(owner).take_free(asset, amount);
        state.accounts.get_mut(account).add_free(asset, amount);
        let epoch = state.epoch;
        state.put_deposit(id, ticket, DepositTicket { owner, amount, epoch, shares_min, deadline });
        events.push(Event::VaultDepositQueued { vault: id, ticket, account: sender, amount });
        Ok(())
    }

    fn check(&self, state: &State, sender: Address) -> Result<(), Refused> {
        let Self { vault: id, amount, deadline, .. } = *self;
        let vault = state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let until = state.stops.joins;
        if until > state.epoch {
            return Err(Refused::JoinsStopped { until });
        }
        let until = vault.stop.until;
        if until > state.epoch {
            return Err(Refused::DepositsStopped { until });
        }
        if vault.is_winding_down {
            return Err(Refused::WindingDown { vault: id });
        }
        let least = vault.terms.deposit_min.max(Amount::new(1));
        if amount < least {
            return Err(Refused::BelowMinimum { amount, least });
        }
        let first = state.epoch.next();
        if deadline < first {
            return Err(Refused::DeadlineTooEarly { deadline, first });
        }
        let free = state.free_of(sender, vault.asset);
        if amount > free {
            return Err(Refused::ExceedsFree { amount, free });
        }
        let mut there = state.value_vault(id).map_or(Amount::ZERO, |value| value.nav);
        if there.is_zero() && !state.supply_of(id).is_zero() {
            return Err(Refused::LostEverything { vault: id });
        }
        there.grow(vault.buckets.deposits);
        let cap = vault.terms.cap;
        if there.plus(amount).is_none_or(|there| there > cap) {
            return Err(Refused::OverCap { there, amount, cap });
        }
        Ok(())
    }
}
