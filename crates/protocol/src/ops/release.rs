//! Stake that is free leaves its pool, by anyone's call, and its follow-up is carried out.

use super::delegate::Delegate;
use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::positions::Position;
use crate::state::records::FollowUp;
use crate::units::{AccountId, Address, Amount, AssetId, Epoch, OperatorId};

record! {
    /// Fetches an account's stake that is free.
    pub struct Release {
        /// Whose stake; the sender's where it is not given.
        #[serde(default)]
        pub account: Option<Address>,
        /// The operator.
        pub operator: OperatorId,
        /// The asset.
        pub asset: AssetId,
    }
}

refusals! {
    /// Why a release is refused.
    {
        PoolNotFound { operator: OperatorId, asset: AssetId } => "operator {operator} has no pool of asset {asset}",
        NothingUnbonding { operator: OperatorId, asset: AssetId } => "the account has no stake of asset {asset} leaving operator {operator}",
        NotYetFree { free_at: Epoch } => "the first of it is free in epoch {free_at}",
    }
}

/// The longest address on another chain, in bytes of text.
const ADDRESS_LENGTH_MAX: usize = 128;

/// Whether a follow-up can be carried out at all; the text says why not.
pub(crate) fn check_follow_up(state: &State, asset: AssetId, follow_up: &FollowUp) -> Result<(), String> {
    match follow_up {
        FollowUp::Free => Ok(()),
        FollowUp::Withdraw { to } => {
            if state.is_native(asset) {
                return Err("native stake leaves by its validator's exit".to_owned());
            }
            check_destination(to)
        }
        FollowUp::Delegate { operator, .. } => match state.pool_of(*operator, asset) {
            Some(_) => Ok(()),
            None => Err(format!("operator {operator} has no pool of asset {asset}")),
        },
    }
}

/// Whether a text can be an address on another chain.
pub(crate) fn check_destination(to: &str) -> Result<(), String> {
    let is_plain = to.bytes().all(|byte| byte.is_ascii_graphic());
    if to.is_empty() || to.len() > ADDRESS_LENGTH_MAX || !is_plain {
        return Err(format!(
            "an address has 1 to {ADDRESS_LENGTH_MAX} visible characters, this has {}",
            to.len()
        ));
    }
    Ok(())
}

impl Release {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { operator, asset, .. } = *self;
        let owner = self.account.unwrap_or(sender);
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { operator, asset })?;
        let account = state.accounts.find(owner).ok_or(Refused::NothingUnbonding { operator, asset })?;
        let mut leaving = state.positions_in(account, pool);
        leaving.retain(|(_, position)| position.until != Epoch::NEVER);
        let first = leaving.iter().map(|(_, position)| state.free_at(position.until)).min();
        let free_at = first.ok_or(Refused::NothingUnbonding { operator, asset })?;
        if free_at > state.epoch {
            return Err(Refused::NotYetFree { free_at });
        }

        // From here on nothing can fail.
        leaving.sort_by_key(|(id, position)| (position.until, position.entered, *id));
        for (id, position) in leaving {
            if state.is_free(position.until) {
                release(state, account, id, &position, asset, events);
            }
        }
        Ok(())
    }
}

/// Fetches one entry that is free.
pub(crate) fn release_entry(state: &mut State, id: u32, events: &mut Vec<Event>) {
    let position = *state.positions.get(id);
    let asset = state.pool(position.pool).asset;
    release(state, position.account, id, &position, asset, events);
}

fn release(
    state: &mut State,
    account: AccountId,
    id: u32,
    position: &Position,
    asset: AssetId,
    events: &mut Vec<Event>,
) {
    let follow_up = state.follow_ups.get(&id).cloned().unwrap_or(FollowUp::Free);
    state.settle(id);
    let Position { principal, entered, until, pool, .. } = *position;
    let worth = state.pool_mut(pool).stake.pay_out(principal, entered, until);
    if position.validator().is_some() {
        state.pool_mut(pool).forward_slashed(worth.room_below(principal));
    }
    state.shrink_position(id, principal);
    state.add_released(position, principal, worth, asset);
    let owner = state.accounts.get(account).address;
    let operator = state.pool(pool).operator;
    events.push(Event::Released { account: owner, operator, asset, principal, worth });
    carry_out(state, owner, position, asset, worth, &follow_up, events);
}

/// Carries out a follow-up, or says why the stake stays free.
fn carry_out(
    state: &mut State,
    owner: Address,
    position: &Position,
    asset: AssetId,
    worth: Amount,
    follow_up: &FollowUp,
    events: &mut Vec<Event>,
) {
    let outcome = match follow_up {
        FollowUp::Free => Ok(()),
        FollowUp::Withdraw { to } => {
            let withdrawal = super::withdraw::Withdraw { asset, amount: worth, to: to.clone() };
            withdrawal.apply(state, owner, events).map_err(|refused| refused.to_string())
        }
        FollowUp::Delegate { operator, mandate, worst_case } => {
            let delegation = Delegate {
                operator: *operator,
                asset,
                amount: worth,
                validator: position.validator(),
                mandate: *mandate,
                worst_case: *worst_case,
            };
            delegation.apply(state, owner, events).map_err(|refused| refused.to_string())
        }
    };
    if let Err(why) = outcome {
        events.push(Event::FollowUpFellBack { account: owner, asset, amount: worth, why });
    }
}
