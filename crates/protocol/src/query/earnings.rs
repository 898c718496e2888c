//! What do I earn?

pub(super) mod payments;

use std::collections::BTreeMap;

use super::positions::{PositionState, entries, place_of, state_of, unsettled};
use super::vaults::{VaultEarnings, earnings_of};
use super::{PAGE_MAX, Page, TokenAmount, add_token, cut_entries};
use crate::state::State;
use crate::state::positions::Position;
use crate::units::{
    AccountId, Address, Amount, AssetId, Epoch, Fraction, OperatorId, PoolId, SetId, StreamId,
};
use payments::Payments;

answer! {
    /// What an account earns.
    pub struct EarningsAnswer {
        /// Whose.
        pub account: Address,
        /// As of which epoch.
        pub epoch: Epoch,
        /// What it can claim, by token.
        pub claimable: Vec<Claimable>,
        /// Entry by entry, those included that earn no more and have not been settled.
        pub positions: Vec<PositionEarnings>,
        /// What it earns as an operator.
        pub commission: Option<CommissionEarnings>,
        /// Through shares of vaults; in no sum, since it is in what a share is worth.
        pub vaults: Vec<VaultEarnings>,
        /// What it can expect for this epoch if nothing changes, by token: from all of its stake, each entry rounded down once, and as an
        /// operator.
        pub expected: Vec<TokenAmount>,
        /// The epoch at whose start that is credited.
        pub credited_in: Epoch,
        /// After which entry the next page goes on; none on the last page.
        pub next: Option<u32>,
    }
}

answer! {
    /// What an account can claim of a token.
    pub struct Claimable {
        /// The token.
        pub token: AssetId,
        /// Settled: commissions, and what earlier operations have settled.
        pub settled: Amount,
        /// Earned by entries of stake and not settled; a claim that names the operator settles it.
        pub unsettled: Amount,
        /// Both.
        pub total: Amount,
    }
}

answer! {
    /// What an entry of stake earns.
    pub struct PositionEarnings {
        /// The entry.
        pub position: u32,
        /// With which operator.
        pub operator: OperatorId,
        /// In which pool.
        pub pool: PoolId,
        /// Of which asset.
        pub asset: AssetId,
        /// Where it is in its life.
        pub state: PositionState,
        /// Earned and not settled, by token: figure `unsettled`.
        pub unsettled: Vec<TokenAmount>,
        /// What it can expect for this epoch if nothing changes, by source: figure `expected`.
        pub expected: Vec<Expected>,
    }
}

answer! {
    /// What an operator earns beside its own stake.
    pub struct CommissionEarnings {
        /// The operator.
        pub operator: OperatorId,
        /// The share of its commissions that it keeps.
        pub keeps: Fraction,
        /// What it can expect for this epoch if nothing changes, by source and pool, after the split.
        pub expected: Vec<Expected>,
    }
}

answer! {
    /// A reward for this epoch, or for work that was paid in it, if nothing changes before the boundary.
    pub struct Expected {
        /// Who pays.
        pub set: SetId,
        /// Out of what.
        pub source: Source,
        /// From which pool.
        pub pool: PoolId,
        /// In which token.
        pub token: AssetId,
        /// How much, rounded down.
        pub amount: Amount,
    }
}

answer! {
    /// Out of what a reward is paid.
    #[derive(Copy)]
    pub enum Source {
        /// A stream.
        Stream {
            /// Which.
            stream: StreamId,
            /// Last epoch it pays for.
            to: Epoch,
        },
        /// Measured work.
        Work {
            /// Of which epoch.
            epoch: Epoch,
        },
    }
}

/// What an account earns; empty for an account that nobody knows: the sums and the first page of entries. Costs as its entries of stake,
/// what is shown of them, and the streams and the waiting payments of the sets of their operators.
///
/// What is expected is computed as the boundary will compute it, from the frozen tables, the performance reported so far and what is left
/// of the parts; slashes, reports and payments before the boundary change it, and the dust of a pool that had been left is not in it.
/// Commissions that other operators split with the account are claimable once they are paid, and not expected here.
pub fn earnings(state: &State, account: Address) -> EarningsAnswer {
    earnings_page(state, account, None, PAGE_MAX)
}

/// The same, with the entries after one of them, at most so many. An unknown `after` begins at the start.
pub fn earnings_page(state: &State, account: Address, after: Option<u32>, limit: usize) -> EarningsAnswer {
    let id = state.accounts.find(account);
    let entries = id.map_or_else(Vec::new, |id| entries(state, id));
    let mut unsettled: BTreeMap<u32, Vec<TokenAmount>> =
        entries.iter().map(|(id, _)| *id).zip(unsettled(state, &entries)).collect();
    let claimable = id.map_or_else(Vec::new, |id| claimable(state, id, &unsettled));
    let mut payments: BTreeMap<OperatorId, Payments> = BTreeMap::new();
    let mut expected = Vec::new();
    for (_, position) in &entries {
        let operator = state.pool(position.pool).operator;
        let of_operator = payments.entry(operator).or_insert_with(|| Payments::to(state, operator));
        of_operator.add_total_of(state, position, &mut expected);
    }
    let commission = state.operator_of(account).and_then(|operator| {
        let own = payments.entry(operator).or_insert_with(|| Payments::to(state, operator));
        commission(state, operator, own)
    });
    for source in commission.iter().flat_map(|own| &own.expected) {
        add_token(&mut expected, source.token, source.amount);
    }
    let mut listed = entries;
    listed.sort_by_key(|entry| place_of(state, entry));
    let show = |(id, position): &(u32, Position)| {
        let record = state.pool(position.pool);
        let own = payments.get_mut(&record.operator);
        PositionEarnings {
            position: *id,
            operator: record.operator,
            pool: position.pool,
            asset: record.asset,
            state: state_of(state, position),
            unsettled: unsettled.remove(id).unwrap_or_default(),
            expected: own.map_or_else(Vec::new, |own| own.parts_of(state, position)),
        }
    };
    let rows = |entry: &PositionEarnings| entry.unsettled.len().saturating_add(entry.expected.len());
    let Page { items, next } = cut_entries(&listed, after, limit, show, rows);
    let credited_in = state.epoch.next();
    EarningsAnswer {
        account,
        epoch: state.epoch,
        claimable,
        positions: items,
        commission,
        vaults: earnings_of(state, account),
        expected,
        credited_in,
        next,
    }
}

/// What an account can claim by its own stake, settled or not.
pub(super) fn claimable_of(state: &State, account: AccountId) -> Vec<Claimable> {
    let entries = entries(state, account);
    let own = entries.iter().map(|(id, _)| *id).zip(unsettled(state, &entries)).collect();
    claimable(state, account, &own)
}

fn claimable(
    state: &State,
    account: AccountId,
    of_entries: &BTreeMap<u32, Vec<TokenAmount>>,
) -> Vec<Claimable> {
    let mut sums: BTreeMap<AssetId, (Amount, Amount)> = BTreeMap::new();
    for balance in state.accounts.get(account).balances().iter().filter(|own| !own.claimable.is_zero()) {
        sums.entry(balance.asset).or_default().0.grow(balance.claimable);
    }
    for entry in of_entries.values().flatten() {
        sums.entry(entry.token).or_default().1.grow(entry.amount);
    }
    let show = |(token, (settled, unsettled)): (AssetId, (Amount, Amount))| {
        let mut total = settled;
        total.grow(unsettled);
        Claimable { token, settled, unsettled, total }
    };
    sums.into_iter().map(show).collect()
}

fn commission(state: &State, operator: OperatorId, payments: &Payments) -> Option<CommissionEarnings> {
    let record = state.operator(operator)?;
    let keeps = record.split.iter().fold(Fraction::ONE, |kept, (_, share)| kept.above(*share));
    Some(CommissionEarnings { operator, keeps, expected: payments.commissions() })
}
