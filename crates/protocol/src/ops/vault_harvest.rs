//! What a vault's stake has earned begins to count, by anyone's call.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, OperatorId, VaultId};

record! {
    /// Claims rewards in the vault's asset into its drip, with whatever was given to its account unasked.
    pub struct VaultHarvest {
        /// The vault.
        pub vault: VaultId,
        /// Settle the stake with this operator first; without it only what is settled already counts.
        #[serde(default)]
        pub operator: Option<OperatorId>,
    }
}

refusals! {
    /// Why a harvest is refused.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        OperatorNotFound { operator: OperatorId } => "operator {operator} is not registered",
        NothingToHarvest => "there is nothing to harvest",
    }
}

impl VaultHarvest {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.vault;
        let vault = state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let (account, asset) = (vault.account, vault.asset);
        if let Some(operator) = self.operator
            && state.operator(operator).is_none()
        {
            return Err(Refused::OperatorNotFound { operator });
        }
        let pool = self.operator.and_then(|operator| state.pool_of(operator, asset));
        let positions = pool.map(|pool| state.positions_in(account, pool)).unwrap_or_default();
        let due = pool.map_or(Amount::ZERO, |pool| state.due_in(pool, &positions, asset));
        if due.is_zero()
            && state.quarantine(id).is_zero()
            && state.accounts.get(account).claimable(asset).is_zero()
        {
            return Err(Refused::NothingToHarvest);
        }

        // From here on nothing can fail.
        let value = state.touch_vault(id, events);
        for (entry, _) in positions {
            state.settle(entry);
        }
        let earned = state.accounts.get(account).claimable(asset);
        let given = state.quarantine(id);
        state.accounts.get_mut(account).change(asset, |balance| {
            balance.claimable.shrink(earned);
            balance.free.grow(earned);
        });
        let junior = state.junior_part(id, earned, value.nav);
        state.earn_junior(id, junior, events);
        let (mut gain, now) = (junior.room_below(earned), state.epoch);
        gain.grow(given);
        let vault = state.vault_mut(id);
        vault.buckets.idle.grow(gain);
        vault.drip.credit(now, vault.terms.drip, gain);
        events.push(Event::VaultHarvested { vault: id, earned, given });
        Ok(())
    }
}
