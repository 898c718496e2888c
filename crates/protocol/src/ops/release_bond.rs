//! A bond that is free returns to its operator, by anyone's call.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, AssetId, OperatorId};

record! {
    /// Fetches the part of a bond that is free.
    pub struct ReleaseBond {
        /// The operator.
        pub operator: OperatorId,
        /// The asset of the pool.
        pub asset: AssetId,
    }
}

refusals! {
    /// Why a release is refused.
    {
        PoolNotFound { operator: OperatorId, asset: AssetId } => "operator {operator} has no pool of asset {asset}",
        NothingFree => "no part of the bond is free",
    }
}

impl ReleaseBond {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { operator, asset } = *self;
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { operator, asset })?;
        let account = state.operator(operator).map(|record| record.account);
        let account = account.ok_or(Refused::PoolNotFound { operator, asset })?;
        let bond = state.pool(pool).stake.bond();
        let free: Vec<_> =
            bond.entries().iter().map(|entry| entry.until).filter(|u| state.is_free(*u)).collect();
        if free.is_empty() {
            return Err(Refused::NothingFree);
        }

        // From here on nothing can fail.
        let amount = state.pool_mut(pool).stake.bond_mut().release(|until| free.contains(&until));
        state.accounts.get_mut(account).add_free(asset, amount);
        events.push(Event::BondReleased { operator, asset, amount });
        Ok(())
    }
}
