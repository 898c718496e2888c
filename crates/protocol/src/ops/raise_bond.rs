//! An operator puts up a first loss for a pool.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, AssetId, Epoch};

record! {
    /// Adds free balance to the bond of a pool. It is liable from the next epoch on, weighs nothing and loses first.
    pub struct RaiseBond {
        /// The asset of the pool.
        pub asset: AssetId,
        /// How much.
        pub amount: Amount,
    }
}

refusals! {
    /// Why a bond is refused.
    {
        AmountIsZero => "the amount is zero",
        ChainHalted { until: Epoch } => "the asset's chain has contradicted itself, and nothing joins until epoch {until}",
        NotAnOperator => "the sender is not an operator",
        PoolNotFound { asset: AssetId } => "the operator has no pool of asset {asset}",
        NativeStake { asset: AssetId } => "asset {asset} is native stake, which can't be a bond",
        ExceedsFree { amount: Amount, free: Amount } => "a bond of {amount} exceeds free balance {free}",
    }
}

impl RaiseBond {
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
        if let Some(until) = state.halted(asset) {
            return Err(Refused::ChainHalted { until });
        }
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { asset })?;
        if state.is_native(asset) {
            return Err(Refused::NativeStake { asset });
        }
        let free = state.free_of(sender, asset);
        let account = state.accounts.find(sender).filter(|_| amount <= free);
        let account = account.ok_or(Refused::ExceedsFree { amount, free })?;

        // From here on nothing can fail.
        let now = state.epoch;
        state.accounts.get_mut(account).take_free(asset, amount);
        state.pool_mut(pool).stake.bond_mut().raise(now, amount);
        events.push(Event::BondRaised { operator, asset, amount, liable_from: now.next() });
        Ok(())
    }
}
