//! A staker asks stake back. Nobody can stop it.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::pool;
use crate::state::State;
use crate::state::positions::Position;
use crate::state::records::FollowUp;
use crate::units::{AccountId, Address, Amount, AssetId, Epoch, OperatorId, PoolId, ValidatorId};

record! {
    /// Stake stays bonded through this epoch and is free `U` epochs after it. The oldest entry leaves first.
    pub struct Undelegate {
        /// The operator.
        pub operator: OperatorId,
        /// The asset.
        pub asset: AssetId,
        /// How much, by worth; all of it where it is not given. A rest below the smallest stake leaves as well.
        #[serde(default)]
        pub amount: Option<Amount>,
        /// For native stake, take only the balance of this validator.
        #[serde(default)]
        pub validator: Option<ValidatorId>,
        /// What happens when it is free.
        #[serde(default = "free")]
        pub follow_up: FollowUp,
    }
}

fn free() -> FollowUp {
    FollowUp::Free
}

refusals! {
    /// Why an undelegation is refused.
    {
        AmountIsZero => "the amount is zero",
        PoolNotFound { operator: OperatorId, asset: AssetId } => "operator {operator} has no pool of asset {asset}",
        NothingDelegated { operator: OperatorId, asset: AssetId } => "the sender has no stake of asset {asset} with operator {operator} that it has not asked back",
        ExceedsStake { amount: Amount, stake: Amount } => "undelegation of {amount} exceeds the stake's worth {stake}",
        BadFollowUp { why: String } => "the follow-up can't be carried out: {why}",
    }
}

/// Part of a position that leaves.
pub(crate) struct Part {
    id: u32,
    position: Position,
    principal: Amount,
}

impl Undelegate {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { operator, asset, .. } = *self;
        let (account, parts) = self.check(state, sender)?;
        super::release::check_follow_up(state, asset, &self.follow_up)
            .map_err(|why| Refused::BadFollowUp { why })?;
        let (count, most) =
            (state.accounts.get(account).position_count, u32::from(state.limits().positions_per_account));
        if self.follow_up != FollowUp::Free && count >= most {
            let why =
                format!("the account has {count} entries of stake, and may give follow-ups below {most}");
            return Err(Refused::BadFollowUp { why });
        }

        // From here on nothing can fail.
        let pool = state.pool_of(operator, asset).expect("it was checked");
        let mut leaving = Amount::ZERO;
        let mut returned = Amount::ZERO;
        for part in parts {
            let worth = state.pool(pool).stake.worth(part.principal, part.position.entered, Epoch::NEVER);
            if part.position.entered > state.epoch {
                take_back(state, &part, asset);
                returned.grow(worth);
            } else {
                self.leave(state, &part);
                leaving.grow(worth);
            }
        }
        events.push(Event::Undelegated {
            account: sender,
            operator,
            asset,
            leaving,
            returned,
            bonded_through: state.epoch,
            free_at: state.free_at(state.epoch),
        });
        Ok(())
    }

    /// Everything that can refuse it but the follow-up; who it is and what leaves.
    pub(crate) fn check(&self, state: &State, sender: Address) -> Result<(AccountId, Vec<Part>), Refused> {
        let Self { operator, asset, .. } = *self;
        if self.amount.is_some_and(Amount::is_zero) {
            return Err(Refused::AmountIsZero);
        }
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { operator, asset })?;
        let account = state.accounts.find(sender).ok_or(Refused::NothingDelegated { operator, asset })?;
        let parts = self.parts(state, account, pool)?;
        Ok((account, parts))
    }

    /// What leaves, the oldest entry first: each part whole but the last.
    fn parts(&self, state: &State, account: AccountId, pool: PoolId) -> Result<Vec<Part>, Refused> {
        let Self { operator, asset, .. } = *self;
        let stake = &state.pool(pool).stake;
        let mut entries = state.positions_in(account, pool);
        entries.retain(|(_, position)| {
            position.until == Epoch::NEVER
                && self.validator.is_none_or(|wanted| position.validator() == Some(wanted))
        });
        entries.sort_by_key(|(id, position)| (position.entered, position.settled, *id));
        if entries.is_empty() {
            return Err(Refused::NothingDelegated { operator, asset });
        }
        let mut worth = Amount::ZERO;
        for (_, position) in &entries {
            worth.grow(stake.worth(position.principal, position.entered, Epoch::NEVER));
        }
        let least = state.asset(asset).map_or(Amount::ZERO, |asset| asset.stake_min);
        let asked = match self.amount {
            Some(amount) if amount > worth => return Err(Refused::ExceedsStake { amount, stake: worth }),
            Some(amount) if worth.minus(amount).is_none_or(|rest| rest < least) => worth,
            Some(amount) => amount,
            None => worth,
        };
        let is_all = asked == worth;
        let mut missing = asked;
        let mut parts = Vec::new();
        for (id, position) in entries {
            if missing.is_zero() && !is_all {
                break;
            }
            let factor = stake.factor(position.entered, Epoch::NEVER);
            let whole = pool::worth(position.principal, factor);
            let principal = if is_all || missing >= whole {
                position.principal
            } else {
                pool::principal_for(missing, factor, position.principal)
            };
            missing = whole.room_below(missing);
            parts.push(Part { id, position, principal });
        }
        Ok(parts)
    }

    fn leave(&self, state: &mut State, part: &Part) {
        let now = state.epoch;
        let Position { entered, pool, .. } = part.position;
        state.settle(part.id);
        state.announce_leave(pool, entered, part.principal);
        state.pool_mut(pool).stake.leave(now, entered, part.principal);
        let settled = *state.positions.get(part.id);
        state.shrink_position(part.id, part.principal);
        let leaving = Position { principal: part.principal, until: now, ..settled };
        let id = state.add_position(leaving, self.follow_up != FollowUp::Free);
        if self.follow_up != FollowUp::Free {
            state.follow_ups.insert(id, self.follow_up.clone());
        }
    }
}

/// Stake that was never bonded comes back at once.
fn take_back(state: &mut State, part: &Part, asset: AssetId) {
    let operator = state.pool(part.position.pool).operator;
    state.take_back_operator_value(operator, asset, part.principal);
    state.pool_mut(part.position.pool).stake.take_back(part.position.entered, part.principal);
    state.shrink_position(part.id, part.principal);
    state.add_released(&part.position, part.principal, part.principal, asset);
}
