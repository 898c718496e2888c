//! The state for readers: who has what where, in the words of the field, with the sums that must hold.

mod vault_books;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::invariants::conservation;
use crate::query::{Earned, VaultDetail, add_token, vault};
use crate::state::State;
use crate::state::positions::Position;
use crate::state::records::{RequestState, Stream};
use crate::units::{
    AccountId, Address, Amount, AssetId, Epoch, Fraction, OperatorId, PoolId, RequestId, SetId, StreamId,
    VaultId,
};

pub use vault_books::{VaultBook, vault_books};

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct View {
    /// The current epoch.
    pub epoch: Epoch,
    /// Who has what, by order of appearance.
    pub accounts: Vec<AccountView>,
    /// The stake of one asset with one operator.
    pub pools: Vec<PoolView>,
    /// The operator sets.
    pub sets: Vec<SetView>,
    /// Requests to slash that are open.
    pub requests: Vec<RequestView>,
    /// Streams of rewards.
    pub streams: Vec<StreamView>,
    /// Where the network stands.
    pub network: NetworkView,
    /// Where every unit of each asset is.
    pub assets: Vec<AssetView>,
    /// The vaults, where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vaults: Vec<VaultDetail>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountView {
    /// Who.
    pub account: Address,
    /// What it has outside of pools.
    pub balances: Vec<BalanceView>,
    /// What it has in pools, by operator and asset.
    pub stakes: Vec<StakeView>,
}

/// What an account has of one asset outside of pools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BalanceView {
    /// The asset.
    pub asset: AssetId,
    /// Free; of native stake, what its validators have free.
    pub free: Amount,
    /// Rewards settled and not yet claimed.
    pub claimable: Amount,
}

/// What an account has in one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StakeView {
    /// With which operator.
    pub operator: OperatorId,
    /// Of which asset.
    pub asset: AssetId,
    /// Bonded from the next epoch on; may be taken back until then.
    pub joining: Amount,
    /// Bonded now, at its worth.
    pub bonded: Amount,
    /// Asked back: by the epoch in which it is free.
    pub unbonding: Vec<UnbondingView>,
    /// Rewards earned here and not yet settled, by token.
    pub claimable: Vec<RewardView>,
}

/// Stake that leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnbondingView {
    /// What it is worth.
    pub amount: Amount,
    /// Last epoch in which it was bonded.
    pub bonded_through: Epoch,
    /// The epoch at whose start it is free.
    pub free_at: Epoch,
}

/// Rewards in a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RewardView {
    /// The token.
    pub token: AssetId,
    /// How much.
    pub amount: Amount,
}

/// One pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolView {
    /// The pool.
    pub pool: PoolId,
    /// Whose.
    pub operator: OperatorId,
    /// Of which asset.
    pub asset: AssetId,
    /// Everything it holds for stakers.
    pub held: Amount,
    /// Of it, joining.
    pub joining: Amount,
    /// Of it, bonded.
    pub bonded: Amount,
    /// Of it, leaving or free and not yet fetched.
    pub leaving: Amount,
    /// The operator's bond.
    pub bond: Amount,
    /// The worst case that a delegation must accept.
    pub worst_case: Fraction,
    /// The sets that own parts of it now or later.
    pub allocations: Vec<AllocationView>,
}

/// Parts of a pool that a set owns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AllocationView {
    /// The set.
    pub set: SetId,
    /// Parts of 256 that it owns in this epoch.
    pub parts: u16,
    /// Parts that it owns once everything ordered has started.
    pub ordered: u16,
    /// What it could slash for this epoch.
    pub slashable: Amount,
}

/// One operator set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetView {
    /// The set.
    pub set: SetId,
    /// The weight in this epoch's stake table.
    pub weight: Amount,
    /// Its operators.
    pub operators: Vec<OperatorView>,
    /// Declared profit from corruption.
    pub profit: Amount,
    /// What the set secures by its certificate.
    pub secured: Amount,
    /// Whether the profit exceeds it.
    pub under_collateralised: bool,
}

/// One row of a stake table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OperatorView {
    /// The operator.
    pub operator: OperatorId,
    /// Its weight.
    pub weight: Amount,
}

/// A request to slash that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestView {
    /// The request.
    pub request: RequestId,
    /// For which set.
    pub set: SetId,
    /// Against whom.
    pub operator: OperatorId,
    /// When the offence happened.
    pub capture: Epoch,
    /// How much of what the set owned then.
    pub fraction: Fraction,
    /// First epoch in which it may be executed.
    pub executable_from: Epoch,
    /// Last epoch in which it may be.
    pub lapses_after: Epoch,
}

/// A stream of rewards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StreamView {
    /// The stream.
    pub stream: StreamId,
    /// Whom it pays.
    pub set: SetId,
    /// In which token.
    pub token: AssetId,
    /// How much an epoch.
    pub per_epoch: Amount,
    /// Last epoch it pays for.
    pub to: Epoch,
    /// What is locked in it.
    pub locked: Amount,
}

/// How much more an attack costs than it brings; as `1 + gamma`, cut to 18 places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NetworkView {
    /// The slack of the whole network over all choices of risk weights; none while no set declares a profit.
    pub certified: Option<String>,
    /// The slack at the declared risk weights.
    pub declared: Option<String>,
    /// `D`: what the sets together fall short of the least slack. The bound on a loss is `(1 + 1/gamma) psi + D / gamma`.
    pub shortfall: Amount,
}

/// Where every unit of an asset is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(missing_docs, reason = "the fields are those of `Conservation`")]
pub struct AssetView {
    pub asset: AssetId,
    pub decimals: u8,
    pub deposited: Amount,
    pub gained: Amount,
    pub withdrawn: Amount,
    pub burnt: Amount,
    pub lost: Amount,
    pub free: Amount,
    pub pooled: Amount,
    pub claimable: Amount,
    pub rewards: Amount,
    pub streams: Amount,
    pub bonds: Amount,
    pub deposits: Amount,
    pub held: Amount,
    /// Whether what came in less what went out is what is there, to the unit.
    pub conserved: bool,
}

/// Everything at one moment. Costs as much as the state is large.
pub fn view(state: &State) -> View {
    View {
        epoch: state.epoch,
        accounts: state.accounts.iter().map(|(id, _)| account_of(state, id)).collect(),
        pools: (0..state.pools.len()).map(|index| pool_of(state, PoolId::at(index))).collect(),
        sets: (0..state.sets.len()).filter_map(|index| set_of(state, SetId::at(index))).collect(),
        requests: open_requests(state),
        streams: streams(state),
        network: network(state),
        assets: (0..state.assets.len()).map(|index| asset_of(state, AssetId::at(index))).collect(),
        vaults: (0..state.vaults.list.len()).filter_map(|index| vault(state, VaultId::at(index))).collect(),
    }
}

/// What one account has outside of pools, by asset. Looks at nothing but the account and its validators.
pub(crate) fn balances_of(state: &State, id: AccountId) -> Vec<BalanceView> {
    let own = state.accounts.get(id).balances().iter();
    let mut balances: BTreeMap<AssetId, BalanceView> = own
        .map(|own| (own.asset, BalanceView { asset: own.asset, free: own.free, claimable: own.claimable }))
        .collect();
    for (_, validator) in state.validators.of(id).filter(|(_, validator)| !validator.free.is_zero()) {
        let asset = validator.asset;
        let none = || BalanceView { asset, free: Amount::ZERO, claimable: Amount::ZERO };
        balances.entry(asset).or_insert_with(none).free.grow(validator.free);
    }
    balances.into_values().collect()
}

/// What one account has.
pub(crate) fn account_of(state: &State, id: AccountId) -> AccountView {
    let record = state.accounts.get(id);
    let mut stakes: Vec<StakeView> = Vec::new();
    let mut earned = Earned::default();
    for (_, position) in state.positions.list(record.first_position) {
        add_position(state, &mut stakes, &mut earned, position);
    }
    stakes.sort_by_key(|stake| (stake.operator, stake.asset));
    for stake in &mut stakes {
        stake.unbonding.sort_by_key(|unbonding| unbonding.bonded_through);
    }
    AccountView { account: record.address, balances: balances_of(state, id), stakes }
}

fn add_position(state: &State, stakes: &mut Vec<StakeView>, earned: &mut Earned, position: &Position) {
    let record = state.pool(position.pool);
    let (operator, asset) = (record.operator, record.asset);
    let index = stakes.iter().position(|stake| stake.operator == operator && stake.asset == asset);
    let index = index.unwrap_or_else(|| {
        let (joining, bonded) = (Amount::ZERO, Amount::ZERO);
        stakes.push(StakeView {
            operator,
            asset,
            joining,
            bonded,
            unbonding: Vec::new(),
            claimable: Vec::new(),
        });
        stakes.len().saturating_sub(1)
    });
    let Some(stake) = stakes.get_mut(index) else { return };
    let Position { principal, entered, until, .. } = *position;
    let worth = record.stake.worth(principal, entered, until);
    if until != Epoch::NEVER {
        match stake.unbonding.iter_mut().find(|unbonding| unbonding.bonded_through == until) {
            Some(unbonding) => unbonding.amount.grow(worth),
            None => {
                let free_at = state.free_at(until);
                stake.unbonding.push(UnbondingView { amount: worth, bonded_through: until, free_at });
            }
        }
    } else if entered > state.epoch {
        stake.joining.grow(worth);
    } else {
        stake.bonded.grow(worth);
    }
    for (reserve, amount) in earned.by(state, position) {
        let Some(reserve) = record.stake.reserves().get(reserve) else { continue };
        add_token(&mut stake.claimable, reserve.token, amount.min(reserve.amount));
    }
}

/// What one pool holds.
pub(crate) fn pool_of(state: &State, id: PoolId) -> PoolView {
    let record = state.pool(id);
    let now = state.epoch;
    let mut sets = record.stake.open_sets();
    sets.extend(record.owned.iter().map(|(set, _)| *set));
    sets.sort_unstable();
    sets.dedup();
    let allocation = |set: SetId| AllocationView {
        set,
        parts: record.stake.parts_in(set, now),
        ordered: record.stake.parts_of(set),
        slashable: record.stake.slashable(set, now),
    };
    PoolView {
        pool: id,
        operator: record.operator,
        asset: record.asset,
        held: record.stake.held(),
        joining: record.stake.joining(now),
        bonded: record.stake.worth_where(|cohort| cohort.is_bonded_in(now) && cohort.until == Epoch::NEVER),
        leaving: record.stake.worth_where(|cohort| cohort.until != Epoch::NEVER),
        bond: record.stake.bond().total(),
        worst_case: state.worst_case(id),
        allocations: sets.into_iter().map(allocation).collect(),
    }
}

/// Where one set stands.
pub(crate) fn set_of(state: &State, id: SetId) -> Option<SetView> {
    let record = state.set(id)?;
    let table = record.table_of(state.epoch);
    let rows = table.map_or(&[][..], |table| &table.rows);
    Some(SetView {
        set: id,
        weight: table.map_or(Amount::ZERO, |table| table.weight),
        operators: rows
            .iter()
            .map(|row| OperatorView { operator: row.operator, weight: row.weight })
            .collect(),
        profit: *record.profit.at(state.epoch),
        secured: crate::certificate::secured(state, record),
        under_collateralised: record.under_since.is_some(),
    })
}

fn open_requests(state: &State) -> Vec<RequestView> {
    let open = state.requests.iter().filter(|(_, request)| request.state == RequestState::Open);
    open.map(|(id, request)| {
        let (executable_from, lapses_after) = state.request_window(request);
        RequestView {
            request: *id,
            set: request.set,
            operator: request.operator,
            capture: request.capture,
            fraction: request.fraction,
            executable_from,
            lapses_after,
        }
    })
    .collect()
}

fn streams(state: &State) -> Vec<StreamView> {
    let view = |(id, stream): (&StreamId, &Stream)| StreamView {
        stream: *id,
        set: stream.set,
        token: stream.token,
        per_epoch: stream.per_epoch,
        to: stream.to,
        locked: stream.locked,
    };
    state.streams.iter().map(view).collect()
}

/// Where the network stands.
pub(crate) fn network(state: &State) -> NetworkView {
    let gamma = state.gamma();
    let text = |steps: u128| {
        let one = u128::from(Fraction::STEPS);
        let (whole, rest) = (steps.checked_div(one).unwrap_or(0), steps.checked_rem(one).unwrap_or(0));
        format!("{whole}.{rest:018}")
    };
    NetworkView {
        certified: gamma.certified.map(text),
        declared: gamma.declared.map(text),
        shortfall: gamma.shortfall,
    }
}

/// Where every unit of one asset is. Costs as much as the state is large.
pub fn asset_of(state: &State, id: AssetId) -> AssetView {
    let sum = conservation(state, id);
    AssetView {
        asset: id,
        decimals: state.asset(id).map_or(0, |asset| asset.decimals),
        deposited: sum.deposited,
        gained: sum.gained,
        withdrawn: sum.withdrawn,
        burnt: sum.burnt,
        lost: sum.lost,
        free: sum.free,
        pooled: sum.pooled,
        claimable: sum.claimable,
        rewards: sum.rewards,
        streams: sum.streams,
        bonds: sum.bonds,
        deposits: sum.deposits,
        held: sum.held,
        conserved: sum.supply().is_some() && sum.supply() == sum.holdings(),
    }
}
