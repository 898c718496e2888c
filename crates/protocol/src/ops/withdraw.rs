//! A free balance leaves the ledger.

use super::release::check_destination;
use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, AssetId, Epoch};

record! {
    /// Takes a free balance out of the ledger, to an address on the asset's origin.
    pub struct Withdraw {
        /// The asset.
        pub asset: AssetId,
        /// How much.
        pub amount: Amount,
        /// Where to.
        pub to: String,
    }
}

refusals! {
    /// Why a withdrawal is refused.
    {
        AmountIsZero => "the amount is zero",
        AssetNotFound { asset: AssetId } => "asset {asset} is not listed",
        NativeStake { asset: AssetId } => "asset {asset} is native stake; it leaves by its validator's exit, proven on its chain",
        ChainHalted { until: Epoch } => "the asset's chain has contradicted itself, and nothing leaves until epoch {until}",
        BadAddress { why: String } => "{why}",
        ExceedsFree { amount: Amount, free: Amount } => "withdrawal of {amount} exceeds free balance {free}",
    }
}

impl Withdraw {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { asset, amount, .. } = *self;
        if amount.is_zero() {
            return Err(Refused::AmountIsZero);
        }
        if state.asset(asset).is_none() {
            return Err(Refused::AssetNotFound { asset });
        }
        if state.is_native(asset) {
            return Err(Refused::NativeStake { asset });
        }
        if let Some(until) = state.halted(asset) {
            return Err(Refused::ChainHalted { until });
        }
        check_destination(&self.to).map_err(|why| Refused::BadAddress { why })?;
        let free = state.free_of(sender, asset);
        let account = state.accounts.find(sender).filter(|_| amount <= free);
        let account = account.ok_or(Refused::ExceedsFree { amount, free })?;

        // From here on nothing can fail.
        state.accounts.get_mut(account).take_free(asset, amount);
        state.asset_mut(asset).withdrawn.grow(amount);
        events.push(Event::Withdrawn { account: sender, asset, amount, to: self.to.clone() });
        Ok(())
    }
}
