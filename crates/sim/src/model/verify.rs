//! What the ledger shows against what the model knows.
//!
//! # The bound
//! The ledger cuts the worth of each entry, each settlement and each payout to whole units, once, downwards; its factors are off by at
//! most `2^-112` per slash and slice, which can only matter where the exact number is next to a whole one. So a sum of `n` numbers that
//! were cut lies at most [`ROUNDING`]` * n` below the sum that the model cuts, and so much above where the ledger sums first and cuts
//! once. Free balances, bonds, deposits, streams, what pools hold and what was burnt are whole units on both sides: equal to the unit.

use std::collections::BTreeMap;
use std::fmt;

use num_traits::ToPrimitive;
use protocol::units::{Address, AssetId, Epoch, OperatorId};
use protocol::view::{AccountView, AssetView, PoolView, SetView, StakeView, View};

use super::records::EARNED_BITS;
use super::{Model, exact, in_force, index};

/// Units by which one number that was cut may differ.
const ROUNDING: u128 = 1;

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference(pub String);

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

type Found<T = ()> = Result<T, Difference>;

/// A sum of whole units, and how many roundings are in it.
#[derive(Clone, Copy, Default)]
struct Sum {
    units: u128,
    roundings: u128,
}

impl Sum {
    fn add(&mut self, units: u128) {
        self.units += units;
        self.roundings += ROUNDING;
    }

    fn covers(self, shown: u128) -> bool {
        shown.abs_diff(self.units) <= self.roundings
    }
}

/// The stake of an account in a pool.
#[derive(Clone, Default)]
struct Held {
    joining: u128,
    bonded: Sum,
    unbonding: BTreeMap<Epoch, Sum>,
    due: BTreeMap<AssetId, Sum>,
}

/// The stake in a pool.
#[derive(Clone, Copy, Default)]
struct Pooled {
    joining: u128,
    bonded: Sum,
    leaving: Sum,
}

type Holdings = BTreeMap<(Address, OperatorId, AssetId), Held>;

fn equal<T: PartialEq + fmt::Debug>(what: impl fmt::Display, shown: &T, known: &T) -> Found {
    if shown == known {
        Ok(())
    } else {
        Err(Difference(format!("{what}: the ledger has {shown:?}, the model {known:?}")))
    }
}

fn near(what: impl fmt::Display, shown: u128, known: Sum) -> Found {
    let Sum { units, roundings } = known;
    let bound = || {
        Difference(format!("{what}: the ledger has {shown}, the model {units} with {roundings} roundings"))
    };
    if known.covers(shown) { Ok(()) } else { Err(bound()) }
}

impl Model {
    /// Compares everything that the ledger shows, and takes over its whole units where they lie within the bound.
    ///
    /// # Errors
    /// The first difference.
    pub fn verify(&mut self, view: View) -> Result<(), Difference> {
        if let Some(objection) = self.objection.take() {
            return Err(Difference(objection));
        }
        equal("epoch", &view.epoch, &self.epoch)?;
        let (holdings, pooled) = self.holdings();
        self.verify_accounts(&view, &holdings)?;
        equal("pools", &view.pools.len(), &self.pools.len())?;
        for (shown, pooled) in view.pools.iter().zip(pooled) {
            self.verify_pool(shown, pooled)?;
        }
        equal("sets", &view.sets.len(), &self.sets.len())?;
        for shown in &view.sets {
            self.verify_set(shown)?;
        }
        equal("assets", &view.assets.len(), &self.assets.len())?;
        for shown in &view.assets {
            self.verify_asset(shown)?;
        }
        self.seen = view;
        Ok(())
    }

    fn holdings(&self) -> (Holdings, Vec<Pooled>) {
        let mut holdings = Holdings::new();
        let mut pooled = vec![Pooled::default(); self.pools.len()];
        for stake in &self.stakes {
            let pool = self.pool(stake.pool);
            let held = holdings.entry((stake.account, pool.operator, pool.asset)).or_default();
            let in_pool = &mut pooled[index(stake.pool.number())];
            let worth = self.worth(stake);
            if !stake.is_staying() {
                held.unbonding.entry(stake.until).or_default().add(worth);
                in_pool.leaving.add(worth);
            } else if stake.entered > self.epoch {
                held.joining += worth;
                in_pool.joining += worth;
            } else {
                held.bonded.add(worth);
                in_pool.bonded.add(worth);
            }
            for (token, earned) in &stake.earned {
                let units = (earned >> EARNED_BITS).to_u128().expect("what is earned was funded");
                held.due.entry(*token).or_default().add(units);
            }
        }
        (holdings, pooled)
    }

    fn verify_accounts(&mut self, view: &View, holdings: &Holdings) -> Found {
        let mut stakes = 0;
        for shown in &view.accounts {
            self.verify_balances(shown)?;
            for stake in &shown.stakes {
                let key = (shown.account, stake.operator, stake.asset);
                let held = holdings.get(&key).cloned().unwrap_or_default();
                verify_stake(self, shown.account, stake, &held)?;
                stakes += 1;
            }
        }
        equal("stakes of all accounts", &stakes, &holdings.len())?;
        let is_shown = |address: &Address| view.accounts.iter().any(|shown| shown.account == *address);
        let hidden = self.accounts.iter().find(|(address, account)| {
            !is_shown(address)
                && account.free.values().chain(account.claimable.values()).any(|units| *units > 0)
        });
        equal(
            "account with a balance that the ledger does not show",
            &None,
            &hidden.map(|(address, _)| address),
        )
    }

    fn verify_balances(&mut self, shown: &AccountView) -> Found {
        let owner = shown.account;
        for asset in (0..super::number(self.assets.len())).map(AssetId::new) {
            let balance = shown.balances.iter().find(|balance| balance.asset == asset);
            let (free, claimable) = balance.map_or((0, 0), |b| (b.free.units(), b.claimable.units()));
            let of_validators =
                self.validators.iter().filter(|v| v.account == owner && v.asset == asset).map(|v| v.free);
            let known = self.free_of(owner, asset) + of_validators.sum::<u128>();
            equal(format_args!("free balance of {owner} in asset {asset}"), &free, &known)?;
            let settled =
                self.account(owner).and_then(|account| account.claimable.get(&asset)).copied().unwrap_or(0);
            if settled != claimable {
                let entries = self.stakes.iter().filter(|stake| stake.account == owner).count();
                // One entry may be gone by the operation that settled it.
                let bound = Sum { units: settled, roundings: ROUNDING * (entries as u128 + 1) };
                near(format_args!("claimable of {owner} in token {asset}"), claimable, bound)?;
                self.adopt_claimable(owner, asset, claimable);
            }
        }
        Ok(())
    }

    fn verify_pool(&mut self, shown: &PoolView, pooled: Pooled) -> Found {
        let (id, now) = (shown.pool, self.epoch);
        let what = |what: &str| format!("{what} of pool {id}");
        let pool = self.pool(id);
        equal(what("joining"), &shown.joining.units(), &pooled.joining)?;
        near(what("bonded"), shown.bonded.units(), pooled.bonded)?;
        near(what("leaving"), shown.leaving.units(), pooled.leaving)?;
        equal(what("bond"), &shown.bond.units(), &pool.bonds.iter().map(|bond| bond.amount).sum())?;
        let worst_case = exact::fraction_down(&self.worst_case(pool));
        let is_near = worst_case.steps().abs_diff(shown.worst_case.steps()) <= WORST_CASE_STEPS;
        equal(what("worst case"), &shown.worst_case, &if is_near { shown.worst_case } else { worst_case })?;
        let mut sets = pool.open_sets();
        sets.extend(pool.owned.keys());
        equal(what("owners"), &shown.allocations.len(), &sets.len())?;
        for (set, shown) in sets.into_iter().zip(&shown.allocations) {
            let known = (set, pool.parts_in(set, now), pool.parts_of(set));
            equal(what("allocation"), &(shown.set, shown.parts, shown.ordered), &known)?;
            let slashable = Sum { units: exact::floor(&self.slashable(id, set, now)), roundings: ROUNDING };
            near(format_args!("slashable of set {set} in pool {id}"), shown.slashable.units(), slashable)?;
        }
        if self.is_native(shown.asset) {
            // A native loss is cut once per entry, and the ledger does not say how each was cut.
            let entries = self.stakes.iter().filter(|stake| stake.pool == id).count() + 1;
            let (known, shown) = (pool.held, shown.held.units());
            near(what("held"), shown, Sum { units: known, roundings: ROUNDING * entries as u128 })?;
            let pool = self.pool_mut(id);
            pool.held = shown;
            pool.slashed = (pool.slashed + known).saturating_sub(shown);
            return Ok(());
        }
        equal(what("held"), &shown.held.units(), &pool.held)
    }

    fn verify_set(&self, shown: &SetView) -> Found {
        let set = self.set(shown.set).ok_or_else(|| Difference(format!("set {} is not known", shown.set)))?;
        let id = shown.set;
        let table = set.tables.get(&self.epoch).cloned().unwrap_or_default();
        let rows: Vec<(OperatorId, u128)> =
            shown.operators.iter().map(|row| (row.operator, row.weight.units())).collect();
        let known: Vec<(OperatorId, u128)> =
            table.rows.iter().map(|row| (row.operator, row.weight)).collect();
        equal(format_args!("stake table of set {id}"), &rows, &known)?;
        equal(format_args!("weight of set {id}"), &shown.weight.units(), &table.weight)?;
        equal(format_args!("profit of set {id}"), &shown.profit.units(), &in_force(&set.profit, self.epoch))?;
        let is_under = set.under_since.is_some();
        equal(format_args!("under-collateralisation of set {id}"), &shown.under_collateralised, &is_under)?;
        let (low, high) = self.secured(set);
        let bound =
            Difference(format!("set {id} secures {}, and the model says {low} to {high}", shown.secured));
        if (low..=high).contains(&shown.secured.units()) { Ok(()) } else { Err(bound) }
    }

    fn verify_asset(&self, shown: &AssetView) -> Found {
        let id = shown.asset;
        let asset = &self.assets[index(id.number())];
        let what = |what: &str| format!("{what} of asset {id}");
        equal(what("conservation"), &shown.conserved, &true)?;
        equal(what("deposited"), &shown.deposited.units(), &asset.deposited)?;
        equal(what("gained"), &shown.gained.units(), &asset.gained)?;
        equal(what("withdrawn"), &shown.withdrawn.units(), &asset.withdrawn)?;
        equal(what("burnt"), &shown.burnt.units(), &asset.burnt)?;
        equal(what("lost"), &shown.lost.units(), &asset.lost)?;
        let streams = self
            .streams
            .values()
            .filter(|stream| stream.token == id)
            .map(|stream| stream.locked + stream.dust);
        let work = self
            .sets
            .iter()
            .flat_map(|set| &set.work)
            .filter(|work| work.token == id)
            .map(|work| work.amount);
        equal(what("streams"), &shown.streams.units(), &streams.chain(work).sum())?;
        let is_deposit = id == self.genesis.deposit_asset;
        equal(what("deposits"), &shown.deposits.units(), &if is_deposit { self.deposits } else { 0 })?;
        let reserves = self.pools.iter().flat_map(|pool| pool.reserves.iter().chain(&pool.carried));
        let rewards: i128 = reserves.filter(|(token, _)| **token == id).map(|(_, units)| units).sum();
        equal(what("rewards in pools"), &exact::signed(shown.rewards.units()), &rewards)?;
        if self.is_native(id) {
            return Ok(());
        }
        let held =
            self.proceeds.values().flat_map(|proceeds| &proceeds.held).filter(|(asset, ..)| *asset == id);
        equal(what("held proceeds"), &shown.held.units(), &held.map(|(_, amount, _)| amount).sum())
    }
}

/// A worst case is a sum of products that were cut to the steps of a fraction.
const WORST_CASE_STEPS: u64 = 1024;

fn verify_stake(model: &Model, account: Address, shown: &StakeView, held: &Held) -> Found {
    let (operator, asset) = (shown.operator, shown.asset);
    let what = |what: &str| format!("{what} of {account} with operator {operator} in asset {asset}");
    equal(what("joining"), &shown.joining.units(), &held.joining)?;
    near(what("bonded"), shown.bonded.units(), held.bonded)?;
    // The ledger forgets old parameters, and with them since when stake that nobody fetches has been free.
    let free_at = |epoch: Epoch| epoch.max(model.epoch);
    let leaving = shown.unbonding.iter().map(|part| (part.bonded_through, free_at(part.free_at)));
    let known = held.unbonding.keys().map(|until| (*until, free_at(model.free_at(*until))));
    let (leaving, known): (Vec<_>, Vec<_>) = (leaving.collect(), known.collect());
    equal(what("leaving"), &leaving, &known)?;
    for (shown, known) in shown.unbonding.iter().zip(held.unbonding.values()) {
        near(what("leaving"), shown.amount.units(), *known)?;
    }
    for reward in &shown.claimable {
        let mut known = held.due.get(&reward.token).copied().unwrap_or_default();
        // A unit of dust may have been carried in another pool of the same token.
        known.roundings += ROUNDING;
        near(what("unsettled rewards"), reward.amount.units(), known)?;
    }
    let is_shown = |token: &AssetId| shown.claimable.iter().any(|reward| reward.token == *token);
    let hidden = held.due.iter().find(|(token, sum)| !is_shown(token) && sum.units > sum.roundings);
    equal(what("token of rewards that the ledger does not show"), &None, &hidden.map(|(token, _)| token))
}
