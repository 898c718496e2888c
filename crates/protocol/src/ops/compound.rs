//! Carries out a standing order, by anyone's call.

use super::delegate::{self, Delegate};
use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, AssetId, OperatorId};

record! {
    /// Claims what an account's stake in a pool has earned in the pool's asset, and what it has settled of it before, and delegates it
    /// there.
    pub struct Compound {
        /// Whose order; the sender's where it is not given.
        #[serde(default)]
        pub account: Option<Address>,
        /// The operator.
        pub operator: OperatorId,
        /// The asset.
        pub asset: AssetId,
    }
}

refusals! {
    /// Why compounding is refused.
    {
        PoolNotFound { operator: OperatorId, asset: AssetId } => "operator {operator} has no pool of asset {asset}",
        NoOrder => "the account has no standing order for this pool",
        NothingToCompound => "the pool has earned nothing of its own asset for the account",
        DelegationRefused { refused: delegate::Refused } => "the delegation would be refused: {refused}",
    }
}

impl Compound {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { operator, asset, .. } = *self;
        let owner = self.account.unwrap_or(sender);
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { operator, asset })?;
        let account = state.accounts.find(owner).ok_or(Refused::NoOrder)?;
        let extra = state.accounts.get(account).extra().ok_or(Refused::NoOrder)?;
        let order = *extra.compounding.iter().find(|order| order.pool == pool).ok_or(Refused::NoOrder)?;
        let positions = state.positions_in(account, pool);
        let mut amount = state.accounts.get(account).claimable(asset);
        amount.grow(state.due_in(pool, &positions, asset));
        if amount.is_zero() {
            return Err(Refused::NothingToCompound);
        }
        let (mandate, worst_case) = (order.mandate, order.worst_case);
        let delegation = Delegate { operator, asset, amount, validator: None, mandate, worst_case };
        match delegation.check(state, owner) {
            // The rewards are not free yet; everything else must hold.
            Ok(_) | Err(delegate::Refused::ExceedsFree { .. }) => {}
            Err(refused) => return Err(Refused::DelegationRefused { refused }),
        }
        delegation
            .check_beyond_free(state, account)
            .map_err(|refused| Refused::DelegationRefused { refused })?;

        // From here on nothing can fail.
        for (id, _) in positions {
            state.settle(id);
        }
        state.accounts.get_mut(account).change(asset, |balance| {
            balance.claimable.shrink(amount);
            balance.free.grow(amount);
        });
        events.push(Event::Claimed { account: owner, token: asset, amount, to: owner });
        delegation.apply(state, owner, events).expect("everything that can refuse it was checked");
        Ok(())
    }
}
