//! The ledger as a whole: its rules in force and announced, what is stopped, and how much of everything there is.

use super::Scheduled;
use crate::genesis::{Genesis, Parameters};
use crate::state::State;
use crate::state::governance::GovernanceChange;
use crate::units::{Amount, AssetId, Epoch};
use crate::view::{self, NetworkView};

answer! {
    /// The ledger as a whole.
    pub struct LedgerView {
        /// The current epoch.
        pub epoch: Epoch,
        /// What was fixed when it started, with the parameters of the first epoch.
        pub genesis: Genesis,
        /// The parameters in force.
        pub parameters: Parameters,
        /// Parameters that are announced.
        pub parameters_later: Vec<Scheduled<Parameters>>,
        /// Figures of assets that are announced.
        pub assets_later: Vec<Scheduled<Governed>>,
        /// What the guardian has stopped.
        pub stops: StopsView,
        /// The oldest capture epoch for which a slash may still be executed.
        pub oldest_open: Epoch,
        /// How much of everything there is.
        pub counts: Counts,
    }
}

answer! {
    /// A figure of an asset that governance has announced.
    pub struct Governed {
        /// The asset.
        pub asset: AssetId,
        /// Its ledger value.
        pub value: Option<u64>,
        /// The most that may be on the ledger.
        pub cap: Option<Amount>,
        /// The least that may be delegated.
        pub stake_min: Option<Amount>,
    }
}

answer! {
    /// What the guardian has stopped: the first epoch in which each is allowed again; none where it is.
    pub struct StopsView {
        /// New stake in pools.
        pub joins: Option<Epoch>,
        /// New assets.
        pub listings: Option<Epoch>,
        /// New sets.
        pub sets: Option<Epoch>,
        /// More parts for sets.
        pub allocations: Option<Epoch>,
        /// The first epoch in which the guardian may stop something again.
        pub next: Epoch,
    }
}

answer! {
    /// How much of everything there is.
    pub struct Counts {
        /// Accounts that were ever mentioned.
        pub accounts: u32,
        /// Entries of stake.
        pub positions: u32,
        /// Assets.
        pub assets: u32,
        /// Operators.
        pub operators: u32,
        /// Pools.
        pub pools: u32,
        /// Services.
        pub services: u32,
        /// Sets.
        pub sets: u32,
        /// Streams that run.
        pub streams: u32,
        /// Requests that can be asked about.
        pub requests: u32,
        /// Requests ever made.
        pub requests_ever: u32,
        /// Slashes ever executed.
        pub slashes_ever: u32,
    }
}

/// The ledger as a whole. Costs the same at every size.
pub fn ledger(state: &State) -> LedgerView {
    let now = state.epoch;
    let later = state.parameters.iter().filter(|(from, _)| *from > now);
    LedgerView {
        epoch: now,
        genesis: state.genesis.clone(),
        parameters: state.parameters().clone(),
        parameters_later: later.map(|(from, value)| Scheduled { from, value: value.clone() }).collect(),
        assets_later: state.governance.iter().filter_map(|(from, change)| governed(*from, change)).collect(),
        stops: stops(state),
        oldest_open: state.oldest_open(now),
        counts: counts(state),
    }
}

/// Where the network stands: how much more an attack costs than it brings. Costs as there are operators and sets.
pub fn network(state: &State) -> NetworkView {
    view::network(state)
}

pub(super) fn governed(from: Epoch, change: &GovernanceChange) -> Option<Scheduled<Governed>> {
    let mut governed = Governed { asset: change.asset()?, value: None, cap: None, stake_min: None };
    match change {
        GovernanceChange::Parameters(_) | GovernanceChange::Schedule(_) | GovernanceChange::Trusted(_) => {
            return None;
        }
        GovernanceChange::Value { value, .. } => governed.value = Some(*value),
        GovernanceChange::Cap { cap, .. } => governed.cap = Some(*cap),
        GovernanceChange::StakeMin { amount, .. } => governed.stake_min = Some(*amount),
    }
    Some(Scheduled { from, value: governed })
}

fn stops(state: &State) -> StopsView {
    let stops = &state.stops;
    let until = |epoch: Epoch| (epoch > state.epoch).then_some(epoch);
    StopsView {
        joins: until(stops.joins),
        listings: until(stops.listings),
        sets: until(stops.sets),
        allocations: until(stops.allocations),
        next: stops.next,
    }
}

fn counts(state: &State) -> Counts {
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    Counts {
        accounts: count(state.accounts.len()),
        positions: state.positions.count(),
        assets: count(state.assets.len()),
        operators: count(state.operators.len()),
        pools: count(state.pools.len()),
        services: count(state.services.len()),
        sets: count(state.sets.len()),
        streams: count(state.streams.len()),
        requests: count(state.requests.len()),
        requests_ever: state.request_count,
        slashes_ever: state.slash_count,
    }
}
