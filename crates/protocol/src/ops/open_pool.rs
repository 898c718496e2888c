//! An operator offers to take stake of an asset.

use crate::event::Event;
use crate::genesis::History;
use crate::macros::{record, refusals};
use crate::pool::Pool;
use crate::state::State;
use crate::state::records::PoolRecord;
use crate::terms::Mandate;
use crate::units::{Address, Amount, AssetId, Fraction, PoolId};

record! {
    /// Opens the operator's pool of an asset, under a mandate.
    pub struct OpenPool {
        /// The asset.
        pub asset: AssetId,
        /// What its delegators agree to bear.
        pub mandate: Mandate,
        /// The operator's share of rewards.
        #[serde(default)]
        pub commission: Fraction,
    }
}

refusals! {
    /// Why a pool is refused.
    {
        NotAnOperator => "the sender is not an operator",
        OperatorRetired => "the operator has retired",
        AssetNotFound { asset: AssetId } => "asset {asset} is not listed",
        AlreadyOpen { asset: AssetId } => "the operator has a pool of asset {asset} already",
        TooManyPools { count: usize, most: u16 } => "the operator has {count} pools, and may have {most}",
        CommissionExceedsMandate { commission: Fraction, most: Fraction } => "a commission of {commission} exceeds the mandate's {most}",
        DepositMissing { deposit: Amount, free: Amount } => "the deposit of {deposit} exceeds the free balance {free}",
    }
}

impl OpenPool {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let asset = self.asset;
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        let record = state.operator(operator).ok_or(Refused::NotAnOperator)?;
        if record.is_retired {
            return Err(Refused::OperatorRetired);
        }
        if state.asset(asset).is_none() {
            return Err(Refused::AssetNotFound { asset });
        }
        if state.pool_of(operator, asset).is_some() {
            return Err(Refused::AlreadyOpen { asset });
        }
        let (count, most) = (record.pools.len(), state.limits().pools_per_operator);
        if count >= usize::from(most) {
            return Err(Refused::TooManyPools { count, most });
        }
        let (commission, most) = (self.commission, self.mandate.commission);
        if commission > most {
            return Err(Refused::CommissionExceedsMandate { commission, most });
        }
        let deposit = state.parameters().object_deposit;
        state.can_post(sender, deposit).map_err(|free| Refused::DepositMissing { deposit, free })?;

        // From here on nothing can fail.
        let account = state.accounts.open(sender);
        state.post(account, deposit);
        let id = PoolId::at(state.pools.len());
        let digest = self.mandate.digest(operator, asset, None);
        state.pools.push(PoolRecord {
            operator,
            asset,
            stake: Pool::new(),
            mandate: self.mandate,
            digest,
            pending_mandate: None,
            commission: History::new(commission),
            slashed: Amount::ZERO,
            worst_case: (u64::MAX, Fraction::ZERO),
            owned: Vec::new(),
            deposit,
        });
        state.operator_mut(operator).pools.push((asset, id));
        events.push(Event::PoolOpened { pool: id, operator, asset, mandate: digest });
        Ok(())
    }
}
