//! What holds between any two operations, as code that runs on any state: in tests after every operation, and on demand.

mod caps;
mod steps;
mod vaults;

use std::fmt;

use crate::state::State;
use crate::state::positions::Position;
use crate::state::records::Set;
use crate::units::{Amount, AssetId, Epoch};

#[cfg(test)]
pub(crate) use caps::staying;
pub use steps::check_step;

/// Something that must hold and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Violation {}

/// By how much the dues of a pool may exceed its reserve; who settles last gets what is there.
const ROUNDED_UP_MAX: Amount = Amount::new(1024);

/// Where every unit of one asset is. The left side and the right side are equal to the unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conservation {
    /// Came in: deposits, native gains.
    pub deposited: Amount,
    /// Native gains.
    pub gained: Amount,
    /// Left to the origin.
    pub withdrawn: Amount,
    /// Burnt.
    pub burnt: Amount,
    /// Lost on its own chain.
    pub lost: Amount,
    /// Free balances.
    pub free: Amount,
    /// In pools: joining, bonded, unbonding and free but not fetched.
    pub pooled: Amount,
    /// Settled rewards.
    pub claimable: Amount,
    /// Rewards in pools that nobody has settled yet, and their dust.
    pub rewards: Amount,
    /// Locked in streams, or waiting for the boundary.
    pub streams: Amount,
    /// Bonds of operators.
    pub bonds: Amount,
    /// Deposits for requests and stored objects.
    pub deposits: Amount,
    /// Slashed and held: proceeds that wait, and native stake still in its validators.
    pub held: Amount,
}

impl Conservation {
    /// What the ledger holds, by what came in and went out.
    pub fn supply(&self) -> Option<Amount> {
        let came = self.deposited.plus(self.gained)?;
        [self.withdrawn, self.burnt, self.lost].into_iter().try_fold(came, Amount::minus)
    }

    /// What the ledger holds, by where it is.
    pub fn holdings(&self) -> Option<Amount> {
        Amount::total([
            self.free,
            self.pooled,
            self.claimable,
            self.rewards,
            self.streams,
            self.bonds,
            self.deposits,
            self.held,
        ])
    }
}

/// Where every unit of an asset is, by looking at everything.
pub fn conservation(state: &State, asset: AssetId) -> Conservation {
    let mut sum = Conservation::default();
    let Some(record) = state.asset(asset) else { return sum };
    sum.deposited = record.deposited;
    sum.gained = record.gained;
    sum.withdrawn = record.withdrawn;
    sum.burnt = record.burnt;
    sum.lost = record.lost;
    for (_, account) in state.accounts.iter() {
        sum.free.grow(account.free(asset));
        sum.claimable.grow(account.claimable(asset));
    }
    for validator in state.validators.iter().filter(|validator| validator.asset == asset) {
        sum.free.grow(validator.free);
        sum.held.grow(validator.slashed);
    }
    for pool in state.pools.iter() {
        for reserve in pool.stake.reserves().iter().filter(|reserve| reserve.token == asset) {
            sum.rewards.grow(reserve.amount);
            sum.rewards.grow(reserve.carried);
        }
        if pool.asset == asset {
            sum.pooled.grow(pool.stake.held());
            sum.bonds.grow(pool.stake.bond().total());
            sum.held.grow(pool.slashed);
        }
    }
    for stream in state.streams.values().filter(|stream| stream.token == asset) {
        sum.streams.grow(stream.locked);
        sum.streams.grow(stream.dust);
    }
    for work in state.sets.iter().flat_map(|set| &set.work).filter(|work| work.token == asset) {
        sum.streams.grow(work.amount);
    }
    for held in state.slashes.values().flat_map(|slash| &slash.held).filter(|held| held.asset == asset) {
        sum.held.grow(held.amount);
    }
    if asset == state.genesis.deposit_asset {
        sum.deposits = state.deposits;
    }
    sum
}

/// Checks everything that must hold between two operations. Costs as much as the state is large.
///
/// # Errors
/// The first invariant that does not hold, with the values.
pub fn check(state: &State) -> Result<(), Violation> {
    check_conservation(state)?;
    check_pools(state)?;
    check_capacity(state)?;
    check_consent(state)?;
    check_positions(state)?;
    check_validators(state)?;
    check_chain(state)?;
    check_exits(state)?;
    vaults::check(state)?;
    caps::check_baskets(state)
}

fn check_conservation(state: &State) -> Result<(), Violation> {
    for index in 0..state.assets.len() {
        let asset = AssetId::at(index);
        let sum = conservation(state, asset);
        if sum.supply().is_none() || sum.supply() != sum.holdings() {
            return Err(Violation(format!("asset {asset} is not conserved: {sum:?}")));
        }
    }
    Ok(())
}

/// What is known of headers is of those that the light client remembers, and a pod has a record of its stake.
fn check_chain(state: &State) -> Result<(), Violation> {
    if let Some(following) = &state.ethereum {
        let known: Vec<u64> = following.headers.keys().copied().collect();
        let light = following.light.iter().flat_map(|light| light.finalized());
        let remembered: Vec<u64> = light.map(|header| header.header().slot).collect();
        if known != remembered {
            return Err(Violation(format!("headers {known:?} are known, and {remembered:?} remembered")));
        }
    }
    for (id, pod) in state.pods.iter() {
        let is_ordered = pod.validators.is_sorted_by(|one, next| one.index < next.index);
        if state.validator(*id).is_none() || !is_ordered {
            return Err(Violation(format!("pod {id} has no record, or its validators are not in order")));
        }
    }
    Ok(())
}

/// Every pool is solvent and its cohorts hold exactly the principal of its positions: no orphan.
fn check_pools(state: &State) -> Result<(), Violation> {
    let mut principal = vec![Amount::ZERO; state.pools.len()];
    let mut free = vec![Amount::ZERO; state.pools.len()];
    let mut due: Vec<Vec<Amount>> =
        state.pools.iter().map(|p| vec![Amount::ZERO; p.stake.reserves().len()]).collect();
    for (_, account) in state.accounts.iter() {
        for (_, position) in state.positions.list(account.first_position) {
            let index = position.pool.index();
            if let Some(sum) = principal.get_mut(index) {
                sum.grow(position.principal);
            }
            let stake = &state.pool(position.pool).stake;
            if state.is_free(position.until)
                && let Some(sum) = free.get_mut(index)
            {
                sum.grow(stake.worth(position.principal, position.entered, position.until));
            }
            let Position { principal, entered, until, settled, .. } = *position;
            for (reserve, amount) in stake.due(principal, entered, until, settled) {
                if let Some(sum) = due.get_mut(index).and_then(|due| due.get_mut(reserve)) {
                    sum.grow(amount);
                }
            }
        }
    }
    for (index, record) in state.pools.iter().enumerate() {
        record.stake.check().map_err(|why| Violation(format!("pool {index}: {why}")))?;
        if free.get(index).is_some_and(|owed| record.stake.free() < *owed) {
            let (held, owed) = (record.stake.free(), free.get(index));
            return Err(Violation(format!("pool {index}: holds {held} of {owed:?} that is free")));
        }
        let cohorts =
            record.stake.all_cohorts().fold(Amount::ZERO, |sum, c| sum.plus(c.principal).unwrap_or(sum));
        if Some(&cohorts) != principal.get(index) {
            return Err(Violation(format!(
                "pool {index}: cohorts hold {cohorts}, positions {:?}",
                principal.get(index)
            )));
        }
        let native = record.stake.held().plus(record.slashed);
        if state.is_native(record.asset) && native != Some(cohorts) {
            return Err(Violation(format!(
                "pool {index}: {native:?} of native stake is not its principal {cohorts}"
            )));
        }
        for (reserve, due) in record.stake.reserves().iter().zip(due.get(index).into_iter().flatten()) {
            // Shares of a reward round up by 2^-128 of a unit a unit of principal; only tens of millions of payments could add up to one.
            if *due > reserve.amount && due.minus(reserve.amount).is_none_or(|more| more > ROUNDED_UP_MAX) {
                return Err(Violation(format!(
                    "pool {index}: {due} is due of a reserve of {}",
                    reserve.amount
                )));
            }
        }
    }
    Ok(())
}

/// The risk weights of the owners of every slice sum to at most one: of everything, and so of every single unit of stake.
fn check_capacity(state: &State) -> Result<(), Violation> {
    for (index, record) in state.pools.iter().enumerate() {
        for slice in record.stake.slices() {
            if !slice.fits(&|set| state.risk_weight(set)) {
                return Err(Violation(format!(
                    "pool {index}: a slice of {} parts carries more than 1",
                    slice.size
                )));
            }
        }
    }
    Ok(())
}

/// Whoever's parts a set holds is in the set: it has agreed to the terms, by joining or by consent. Who did not has left, and holds nothing
/// open.
fn check_consent(state: &State) -> Result<(), Violation> {
    for (index, record) in state.pools.iter().enumerate() {
        for set in record.stake.open_sets() {
            let is_in = |set: &Set| !set.is_closed && set.active_member(record.operator).is_some();
            if !state.set(set).is_some_and(is_in) {
                let operator = record.operator;
                return Err(Violation(format!(
                    "pool {index}: set {set} holds parts of operator {operator}, who is not in it"
                )));
            }
        }
    }
    Ok(())
}

fn check_positions(state: &State) -> Result<(), Violation> {
    let mut listed = 0_u32;
    for (id, account) in state.accounts.iter() {
        let mut count = 0_u32;
        for (_, position) in state.positions.list(account.first_position) {
            count = count.saturating_add(1);
            if position.account != id {
                return Err(Violation(format!("a position of {} stands in another list", account.address)));
            }
        }
        if count != account.position_count {
            return Err(Violation(format!(
                "{} has {count} positions, not {}",
                account.address, account.position_count
            )));
        }
        listed = listed.saturating_add(count);
    }
    if listed != state.positions.count() {
        return Err(Violation(format!("{listed} of {} positions are in a list", state.positions.count())));
    }
    Ok(())
}

/// The balance of every validator is where it should be.
fn check_validators(state: &State) -> Result<(), Violation> {
    for (index, validator) in state.validators.iter().enumerate() {
        let first = state.accounts.get(validator.account).first_position;
        let own = state
            .positions
            .list(first)
            .filter(|(_, position)| position.validator().is_some_and(|id| id.index() == index));
        let staked = own.fold(Amount::ZERO, |sum, (_, position)| sum.plus(position.principal).unwrap_or(sum));
        let total = Amount::total([validator.free, staked, validator.slashed]);
        if total != Some(validator.balance) {
            let crate::state::records::Validator { balance, free, slashed, .. } = validator;
            return Err(Violation(format!(
                "validator {index}: {balance} is not {free} + {staked} + {slashed}"
            )));
        }
    }
    Ok(())
}

/// No stake that leaves can be slashed after it is free: every capture in which it was bonded is closed by then.
fn check_exits(state: &State) -> Result<(), Violation> {
    for record in state.pools.iter() {
        for cohort in record.stake.cohorts().filter(|cohort| cohort.until != Epoch::NEVER) {
            let (free_at, last) = (state.free_at(cohort.until), state.last_execution(cohort.until));
            if last >= free_at {
                let until = cohort.until;
                let text =
                    format!("stake bonded through {until} is free at {free_at} and slashable until {last}");
                return Err(Violation(text));
            }
        }
    }
    Ok(())
}
