//! Somebody gives a vault assets that pay for its losses before the holders do.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, VaultId};

record! {
    /// Free assets join the vault's fund, for good: it pays for losses after the operator's bond.
    pub struct VaultFund {
        /// The vault.
        pub vault: VaultId,
        /// How much of its asset.
        pub amount: Amount,
    }
}

refusals! {
    /// Why the gift is refused.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        AmountIsZero => "the amount is zero",
        ExceedsFree { amount: Amount, free: Amount } => "a gift of {amount} exceeds the free balance {free}",
    }
}

impl VaultFund {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { vault: id, amount } = *self;
        let asset = state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?.asset;
        if amount.is_zero() {
            return Err(Refused::AmountIsZero);
        }
        let free = state.free_of(sender, asset);
        if amount > free {
            return Err(Refused::ExceedsFree { amount, free });
        }

        // From here on nothing can fail.
        // A loss that nobody has noticed yet is older than this gift.
        state.touch_vault(id, events);
        let giver = state.accounts.open(sender);
        let vault = state.vault_mut(id);
        let account = vault.account;
        vault.buckets.fund.grow(amount);
        state.accounts.get_mut(giver).take_free(asset, amount);
        state.accounts.get_mut(account).add_free(asset, amount);
        events.push(Event::VaultFunded { vault: id, account: sender, amount });
        Ok(())
    }
}
