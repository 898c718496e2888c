//! When am I out?

use super::alike::Stakes;
use super::positions::{PositionState, place_of, state_of};
use super::vaults::{VaultExit, VaultTicket, exits_of, tickets_of};
use super::{Loss, Way};
use crate::operation::Kind;
use crate::state::State;
use crate::state::positions::Position;
use crate::state::records::FollowUp;
use crate::units::{Address, Amount, AssetId, Epoch, OperatorId, PoolId, SetId};

answer! {
    /// When an account is out.
    pub struct ExitsAnswer {
        /// Whose.
        pub account: Address,
        /// As of which epoch.
        pub epoch: Epoch,
        /// Entry by entry.
        pub positions: Vec<Exit>,
        /// Shares of vaults, if they were asked back now.
        pub vaults: Vec<VaultExit>,
        /// What it has waiting in vaults.
        pub tickets: Vec<VaultTicket>,
    }
}

answer! {
    /// When an entry of stake is out.
    pub struct Exit {
        /// The entry.
        pub position: u32,
        /// With which operator.
        pub operator: OperatorId,
        /// In which pool.
        pub pool: PoolId,
        /// Of which asset.
        pub asset: AssetId,
        /// What it is worth.
        pub amount: Amount,
        /// How it gets out.
        pub exit: ExitState,
    }
}

answer! {
    /// How an entry of stake gets out.
    pub enum ExitState {
        /// It was never bonded: it comes back at once, whole.
        Joining {
            /// First epoch in which it would be bonded.
            bonded_from: Epoch,
            /// Last epoch in which it may be taken back.
            take_back_until: Epoch,
            /// By which operation.
            cancel: Way,
        },
        /// If it were asked back in this epoch.
        Bonded {
            /// Last epoch in which it would be bonded, earning and liable.
            bonded_through: Epoch,
            /// The epoch at whose start it would be free.
            free_at: Epoch,
            /// What could still be taken of it until then, within one window.
            could_lose: Loss,
            /// Last epoch in which anything could be.
            punishable_until: Epoch,
            /// By which operation.
            leave: Way,
        },
        /// It was asked back.
        Unbonding {
            /// Last epoch in which it was, or is, bonded.
            bonded_through: Epoch,
            /// The epoch at whose start it is free. Nobody can delay it.
            free_at: Epoch,
            /// What happens then.
            follow_up: FollowUp,
            /// What could still be taken of it until then, within one window.
            could_lose: Loss,
            /// Last epoch in which anything could be.
            punishable_until: Epoch,
            /// By whom.
            sets: Vec<SetId>,
            /// What changes the follow-up. Asking back can't be undone; a follow-up can delegate again.
            change: Way,
        },
        /// Nothing can be taken of it any more.
        Free {
            /// Since which epoch.
            since: Epoch,
            /// What happens when it is fetched.
            follow_up: FollowUp,
            /// By which operation.
            fetch: Way,
        },
    }
}

/// When an account is out; empty for an account that nobody knows. Costs as its entries of stake and the slices of their pools.
pub fn exits(state: &State, account: Address) -> ExitsAnswer {
    ExitsAnswer {
        account,
        epoch: state.epoch,
        positions: of_stakes(&Stakes::of(state, account), account),
        vaults: exits_of(state, account),
        tickets: tickets_of(state, account),
    }
}

pub(super) fn of_stakes(stakes: &Stakes<'_>, account: Address) -> Vec<Exit> {
    let mut listed = stakes.entries.clone();
    listed.sort_by_key(|entry| place_of(stakes.state, entry));
    listed.iter().map(|(id, position)| of_position(stakes, account, *id, position)).collect()
}

fn of_position(stakes: &Stakes<'_>, account: Address, id: u32, position: &Position) -> Exit {
    let state = stakes.state;
    let alike = stakes.alike(position);
    let record = alike.liability.record;
    let exit = match state_of(state, position) {
        PositionState::Joining => {
            let until = position.entered.previous();
            ExitState::Joining {
                bonded_from: position.entered,
                take_back_until: until,
                cancel: Way::of(Kind::Undelegate, Some(account), Some(until)),
            }
        }
        PositionState::Bonded => {
            let now = state.epoch;
            ExitState::Bonded {
                bonded_through: now,
                free_at: state.free_at(now),
                could_lose: alike.if_asked_back_now(position),
                punishable_until: state.last_execution_through(now),
                leave: Way::of(Kind::Undelegate, Some(account), None),
            }
        }
        PositionState::Unbonding => {
            let free_at = state.free_at(position.until);
            ExitState::Unbonding {
                bonded_through: position.until,
                free_at,
                follow_up: follow_up(state, id),
                could_lose: alike.worst_case(position),
                punishable_until: state.last_execution_through(position.until),
                sets: alike.threats.iter().map(|threat| threat.set).collect(),
                change: Way::of(Kind::ReplaceFollowUp, Some(account), None),
            }
        }
        PositionState::Free => ExitState::Free {
            since: state.free_at(position.until),
            follow_up: follow_up(state, id),
            fetch: Way::of(Kind::Release, None, None),
        },
    };
    Exit {
        position: id,
        operator: record.operator,
        pool: position.pool,
        asset: record.asset,
        amount: alike.worth(position),
        exit,
    }
}

fn follow_up(state: &State, id: u32) -> FollowUp {
    state.follow_ups.get(&id).cloned().unwrap_or(FollowUp::Free)
}
