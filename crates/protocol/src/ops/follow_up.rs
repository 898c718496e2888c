//! The owner of leaving stake changes what happens when it is free.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::FollowUp;
use crate::units::{Address, AssetId, Epoch, OperatorId};

record! {
    /// Replaces the follow-up of all the sender's stake that leaves a pool and was asked back in one epoch.
    pub struct ReplaceFollowUp {
        /// The operator.
        pub operator: OperatorId,
        /// The asset.
        pub asset: AssetId,
        /// The epoch in which it was asked back: the last in which it was bonded.
        pub bonded_through: Epoch,
        /// What happens when it is free.
        pub follow_up: FollowUp,
    }
}

refusals! {
    /// Why a follow-up is not replaced.
    {
        PoolNotFound { operator: OperatorId, asset: AssetId } => "operator {operator} has no pool of asset {asset}",
        NothingUnbonding { bonded_through: Epoch } => "the sender has no stake there that was asked back in epoch {bonded_through}",
        BadFollowUp { why: String } => "the follow-up can't be carried out: {why}",
    }
}

impl ReplaceFollowUp {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { operator, asset, bonded_through, .. } = *self;
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { operator, asset })?;
        let nothing = Refused::NothingUnbonding { bonded_through };
        let account = state.accounts.find(sender).ok_or_else(|| nothing.clone())?;
        let mut leaving = state.positions_in(account, pool);
        leaving.retain(|(_, position)| position.until == bonded_through && bonded_through != Epoch::NEVER);
        if leaving.is_empty() {
            return Err(nothing);
        }
        super::release::check_follow_up(state, asset, &self.follow_up)
            .map_err(|why| Refused::BadFollowUp { why })?;

        // From here on nothing can fail.
        for (id, _) in leaving {
            if self.follow_up == FollowUp::Free {
                state.follow_ups.remove(&id);
            } else {
                state.follow_ups.insert(id, self.follow_up.clone());
            }
        }
        events.push(Event::FollowUpReplaced { account: sender, operator, asset, bonded_through });
        Ok(())
    }
}
