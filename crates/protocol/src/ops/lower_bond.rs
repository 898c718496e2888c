//! An operator takes a first loss back, after notice.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, AssetId};

record! {
    /// Lowers the bond of a pool: it stays liable through the notice, and is free `U` epochs after that.
    pub struct LowerBond {
        /// The asset of the pool.
        pub asset: AssetId,
        /// How much.
        pub amount: Amount,
    }
}

refusals! {
    /// Why lowering is refused.
    {
        AmountIsZero => "the amount is zero",
        NotAnOperator => "the sender is not an operator",
        PoolNotFound { asset: AssetId } => "the operator has no pool of asset {asset}",
        ExceedsBond { amount: Amount, bond: Amount } => "{amount} exceeds the bond {bond} that was not yet lowered",
    }
}

impl LowerBond {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { asset, amount } = *self;
        if amount.is_zero() {
            return Err(Refused::AmountIsZero);
        }
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { asset })?;
        let bond = state.pool(pool).stake.bond().standing();
        if amount > bond {
            return Err(Refused::ExceedsBond { amount, bond });
        }

        // From here on nothing can fail.
        let until = state.epoch.later(state.parameters().notice);
        let free_at = state.free_at(until);
        state.pool_mut(pool).stake.bond_mut().lower(until, amount);
        events.push(Event::BondLowered { operator, asset, amount, liable_through: until, free_at });
        Ok(())
    }
}
