//! Stakers: what they bring, move, claim and fetch.

use protocol::ops;
use protocol::query::{self, ExitState, PositionState};
use protocol::units::{Amount, AssetId, OperatorId, PoolId};
use protocol::{FollowUp, Operation};

use super::Day;
use crate::days::{claim, release, report_rate, report_validator, undelegate};
use crate::people::{TREASURY, address, everybody};
use crate::world::{ETH, HUGO, OLGA, PETRA, QUENTIN, ROSA, SETH, whole};

/// Who stakes what with whom.
const STAKERS: [(&str, AssetId, &[OperatorId]); 6] = [
    ("alice", ETH, &[OLGA, PETRA, HUGO]),
    ("bob", ETH, &[PETRA, QUENTIN, ROSA]),
    ("carol", SETH, &[HUGO, OLGA, QUENTIN]),
    ("erin", ETH, &[HUGO, OLGA, QUENTIN]),
    (TREASURY, ETH, &[OLGA, HUGO, ROSA, QUENTIN]),
    ("uma", ETH, &[OLGA, ROSA]),
];

/// Some stakers claim, before anything else touches their stake.
pub(super) fn claims(day: &mut Day<'_>) {
    for (staker, _, _) in STAKERS {
        if day.picks.chance(20) {
            collect(day, staker);
        }
    }
}

/// What is free is fetched, by whoever watches.
pub(super) fn fetch(day: &mut Day<'_>) {
    for (name, account) in everybody() {
        let exits = query::exits(day.state, account).positions;
        let free = exits.iter().filter(|exit| matches!(exit.exit, ExitState::Free { .. }));
        let mut pools: Vec<_> = free.map(|exit| (exit.operator, exit.asset)).collect();
        pools.sort_unstable();
        pools.dedup();
        for (operator, asset) in pools {
            day.ask("wanda", "fetches what is free", release(name, operator, asset));
        }
    }
    let now = day.state.epoch();
    let held = query::slashes(day.state, None, query::PAGE_MAX).items;
    for slash in held.iter().filter(|slash| slash.released_from <= now) {
        let release = ops::release_proceeds::ReleaseProceeds { slash: slash.slash };
        day.ask("wanda", "has slashed stake paid out", Operation::ReleaseProceeds(release));
    }
}

/// The most to which the rate of staked ether rises here, in 10^-18.
const RATE_MOST: u128 = 1_500_000_000_000_000_000;

/// Validators earn, and the rate of staked ether rises.
pub(super) fn validators(day: &mut Day<'_>) {
    if day.is_day(7, 0)
        && let Some(asset) = query::asset(day.state, SETH)
        && let Some(rate) = steps_of(&asset.rate)
        && rate < RATE_MOST
    {
        let rate = Amount::new(rate + 500_000_000_000_000);
        day.ask("wanda", "proves a higher rate", report_rate(SETH, rate));
    }
    if day.is_day(10, 4) {
        let own = query::account(day.state, address("dave")).map_or_else(Vec::new, |dave| dave.validators);
        for (validator, number) in own.iter().zip(crate::days::VALIDATORS) {
            let balance = Amount::new(validator.balance.units() + 2_000_000);
            day.ask("dave", "reports what a validator earned", report_validator("dave", number, balance));
        }
    }
}

/// A decimal with up to 18 places in steps of 10^-18.
fn steps_of(decimal: &str) -> Option<u128> {
    let (whole, places) = decimal.split_once('.').unwrap_or((decimal, ""));
    format!("{whole}{places:0<18}").parse().ok()
}

/// Two stakers stake, and somebody asks a part back.
pub(super) fn stakers(day: &mut Day<'_>) {
    let first = day.picks.below(6);
    let second = first + 1 + day.picks.below(5);
    for place in [first, second % 6] {
        let place = usize::try_from(place).expect("a place among few");
        let (staker, asset, operators) = STAKERS[place];
        if let Some(operator) = day.picks.one(operators) {
            stake(day, staker, asset, operator);
        }
    }
    for (staker, asset, _) in STAKERS {
        if day.picks.chance(25) {
            leave(day, staker, asset);
        }
    }
}

fn pool_of(day: &Day<'_>, operator: OperatorId, asset: AssetId) -> Option<query::PoolDetail> {
    let operator = query::operator(day.state, operator).filter(|operator| !operator.is_retired)?;
    operator.pools.into_iter().find(|pool| pool.view.asset == asset)
}

/// What a delegation to a pool signs, if the pool takes new stake.
fn open_pool(day: &Day<'_>, operator: OperatorId, asset: AssetId) -> Option<query::PoolDetail> {
    let pool = pool_of(day, operator, asset)?;
    let is_stopped = query::ledger(day.state).stops.joins.is_some();
    (!is_stopped && pool.histories < pool.histories_max).then_some(pool)
}

fn stake(day: &mut Day<'_>, staker: &'static str, asset: AssetId, operator: OperatorId) {
    let Some(pool) = open_pool(day, operator, asset) else { return };
    let amount = whole(u128::from(5 + day.picks.below(30)));
    day.bring(staker, asset, amount);
    let delegate = ops::delegate::Delegate {
        operator,
        asset,
        amount,
        validator: None,
        mandate: pool.mandate_digest,
        worst_case: pool.view.worst_case,
    };
    day.ask(staker, "stakes", Operation::Delegate(delegate));
}

/// The least that is worth asking a part of back.
const SMALL: u128 = 40_000_000_000_000_000_000;

/// A staker asks a tenth to a quarter of what it has in one pool back.
fn leave(day: &mut Day<'_>, staker: &'static str, asset: AssetId) {
    let mut stakes: Vec<(OperatorId, PoolId, u128)> = Vec::new();
    for entry in query::positions(day.state, address(staker)) {
        if entry.state != PositionState::Bonded || entry.asset != asset {
            continue;
        }
        match stakes.iter_mut().find(|(_, pool, _)| *pool == entry.pool) {
            Some((_, _, worth)) => *worth += entry.worth.units(),
            None => stakes.push((entry.operator, entry.pool, entry.worth.units())),
        }
    }
    stakes.retain(|(_, _, worth)| *worth > SMALL);
    let Some((operator, _, worth)) = day.picks.one(&stakes) else { return };
    let percent = u128::from(10 + day.picks.below(16));
    let amount = Some(Amount::new(worth * percent / 100));
    let follow_up = follow_up(day, staker, asset);
    day.ask(staker, "asks a part back", undelegate(operator, asset, amount, follow_up));
}

/// Now and then stake is to move on to another operator.
fn follow_up(day: &mut Day<'_>, staker: &str, asset: AssetId) -> FollowUp {
    let known = STAKERS.iter().find(|(name, _, _)| *name == staker);
    let operators = known.map_or(&[][..], |(_, _, operators)| operators);
    let next = day.picks.one(operators).filter(|_| day.picks.chance(25));
    let pool = next.and_then(|operator| Some((operator, pool_of(day, operator, asset)?)));
    match pool {
        None => FollowUp::Free,
        Some((operator, pool)) => {
            let worst_case = pool.mandate.worst_case;
            FollowUp::Delegate { operator, mandate: pool.mandate_digest, worst_case }
        }
    }
}

/// A staker claims with every operator with which it has earned something.
fn collect(day: &mut Day<'_>, staker: &'static str) {
    let earnings = query::earnings(day.state, address(staker));
    let earning = earnings.positions.iter().filter(|entry| !entry.unsettled.is_empty());
    let mut operators: Vec<OperatorId> = earning.map(|entry| entry.operator).collect();
    operators.sort_unstable();
    operators.dedup();
    for operator in operators {
        day.ask(staker, "claims", claim(operator));
    }
}
