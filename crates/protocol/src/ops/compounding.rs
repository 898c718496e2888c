//! A standing order to delegate again what a pool earns in its own asset.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::accounts::Compounding;
use crate::units::{Address, AssetId, Digest, Fraction, OperatorId};

record! {
    /// Sets or ends the standing order of the sender for a pool.
    pub struct SetCompounding {
        /// The operator.
        pub operator: OperatorId,
        /// The asset.
        pub asset: AssetId,
        /// What each delegation signs; none ends the order.
        #[serde(default)]
        pub order: Option<Order>,
    }
}

record! {
    /// What a standing order signs.
    pub struct Order {
        /// The digest of the pool's mandate. When it changes the order rests.
        pub mandate: Digest,
        /// The largest worst case it will bear.
        pub worst_case: Fraction,
    }
}

refusals! {
    /// Why a standing order is refused.
    {
        PoolNotFound { operator: OperatorId, asset: AssetId } => "operator {operator} has no pool of asset {asset}",
        NativeStake { asset: AssetId } => "asset {asset} is native stake; rewards can't join it",
        TooManyOrders { count: u32, most: u32 } => "the account has {count} standing orders, and may have {most}",
        NoOrder => "there is no order to end",
    }
}

impl SetCompounding {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { operator, asset, .. } = *self;
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { operator, asset })?;
        if state.is_native(asset) {
            return Err(Refused::NativeStake { asset });
        }
        let extra = state.accounts.find(sender).and_then(|account| state.accounts.get(account).extra());
        let orders = extra.map_or(&[][..], |extra| &extra.compounding);
        let has_order = orders.iter().any(|order| order.pool == pool);
        let (count, most) = (
            u32::try_from(orders.len()).unwrap_or(u32::MAX),
            u32::from(state.limits().positions_per_account),
        );
        if self.order.is_some() && !has_order && count >= most {
            return Err(Refused::TooManyOrders { count, most });
        }
        if self.order.is_none() && !has_order {
            return Err(Refused::NoOrder);
        }

        // From here on nothing can fail.
        let account = state.accounts.open(sender);
        let orders = &mut state.accounts.get_mut(account).extra_mut().compounding;
        orders.retain(|order| order.pool != pool);
        if let Some(Order { mandate, worst_case }) = self.order {
            orders.push(Compounding { pool, mandate, worst_case });
        }
        events.push(Event::CompoundingSet { account: sender, operator, asset, on: self.order.is_some() });
        Ok(())
    }
}
