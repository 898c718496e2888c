//! An operator changes its share of rewards.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, AssetId, Fraction};

record! {
    /// A lower commission counts for the work of the next epoch, a higher one after the notice, and never beyond the mandate.
    pub struct SetCommission {
        /// The asset of the pool.
        pub asset: AssetId,
        /// The operator's share of rewards.
        pub commission: Fraction,
    }
}

refusals! {
    /// Why a commission is refused.
    {
        NotAnOperator => "the sender is not an operator",
        PoolNotFound { asset: AssetId } => "the operator has no pool of asset {asset}",
        ExceedsMandate { commission: Fraction, most: Fraction } => "a commission of {commission} exceeds the mandate's {most}; widen the mandate first",
    }
}

impl SetCommission {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let (asset, commission) = (self.asset, self.commission);
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { asset })?;
        let record = state.pool(pool);
        let pending = record.pending_mandate.map_or(Fraction::ONE, |(_, mandate)| mandate.commission);
        let most = record.mandate.commission.min(pending);
        if commission > most {
            return Err(Refused::ExceedsMandate { commission, most });
        }

        // From here on nothing can fail.
        let next = state.epoch.next();
        let is_higher = commission > *record.commission.at(state.epoch);
        let from = if is_higher { next.later(state.parameters().notice) } else { next };
        state.pool_mut(pool).commission.set(from, commission);
        events.push(Event::CommissionSet { operator, asset, commission, from });
        Ok(())
    }
}
