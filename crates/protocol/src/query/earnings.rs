//! What do I earn?

use super::positions::{PositionState, entries, state_of, unsettled};
use super::{TokenAmount, add_token};
use crate::state::State;
use crate::state::positions::Position;
use crate::state::records::Table;
use crate::units::{
    AccountId, Address, Amount, AssetId, Epoch, Fraction, OperatorId, PoolId, SetId, StreamId,
};

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
        /// What it can expect for this epoch if nothing changes, by token: from its stake and as an operator.
        pub expected: Vec<TokenAmount>,
        /// The epoch at whose start that is credited.
        pub credited_in: Epoch,
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

/// What an account earns; empty for an account that nobody knows. Costs as its entries of stake, and the streams and the waiting payments
/// of the sets of their operators.
///
/// What is expected is computed as the boundary will compute it, from the frozen tables, the performance reported so far and what is left
/// of the parts; slashes, reports and payments before the boundary change it, and the dust of a pool that had been left is not in it.
/// Commissions that other operators split with the account are claimable once they are paid, and not expected here.
pub fn earnings(state: &State, account: Address) -> EarningsAnswer {
    let id = state.accounts.find(account);
    let entries = id.map_or_else(Vec::new, |id| entries(state, id));
    let mut positions = positions(state, &entries);
    let commission = state.operator_of(account).and_then(|operator| commission(state, operator));
    let mut expected = Vec::new();
    let of_positions = positions.iter().flat_map(|entry| &entry.expected);
    for source in of_positions.chain(commission.iter().flat_map(|own| &own.expected)) {
        add_token(&mut expected, source.token, source.amount);
    }
    positions.sort_by_key(|entry| (entry.operator, entry.asset, entry.position));
    EarningsAnswer {
        account,
        epoch: state.epoch,
        claimable: id.map_or_else(Vec::new, |id| claimable(state, id, &positions)),
        positions,
        commission,
        expected,
        credited_in: state.epoch.next(),
    }
}

fn claimable(state: &State, account: AccountId, positions: &[PositionEarnings]) -> Vec<Claimable> {
    let mut settled = Vec::new();
    for balance in state.accounts.get(account).balances() {
        add_token(&mut settled, balance.asset, balance.claimable);
    }
    let mut unsettled = Vec::new();
    for entry in positions.iter().flat_map(|entry| &entry.unsettled) {
        add_token(&mut unsettled, entry.token, entry.amount);
    }
    let mut tokens: Vec<AssetId> = settled.iter().chain(&unsettled).map(|entry| entry.token).collect();
    tokens.sort_unstable();
    tokens.dedup();
    let of = |list: &[TokenAmount], token: AssetId| {
        list.iter().find(|entry| entry.token == token).map_or(Amount::ZERO, |entry| entry.amount)
    };
    let show = |token: AssetId| {
        let (settled, unsettled) = (of(&settled, token), of(&unsettled, token));
        let mut total = settled;
        total.grow(unsettled);
        Claimable { token, settled, unsettled, total }
    };
    tokens.into_iter().map(show).collect()
}

fn positions(state: &State, entries: &[(u32, Position)]) -> Vec<PositionEarnings> {
    let unsettled = unsettled(state, entries);
    let mut payments: Vec<(OperatorId, Vec<Payment>)> = Vec::new();
    let mut shown = Vec::with_capacity(entries.len());
    for ((id, position), unsettled) in entries.iter().zip(unsettled) {
        let record = state.pool(position.pool);
        let operator = record.operator;
        if !payments.iter().any(|(known, _)| *known == operator) {
            payments.push((operator, payments_to(state, operator)));
        }
        let own = payments.iter().find(|(known, _)| *known == operator).map_or(&[][..], |(_, own)| own);
        shown.push(PositionEarnings {
            position: *id,
            operator,
            pool: position.pool,
            asset: record.asset,
            state: state_of(state, position),
            unsettled,
            expected: own.iter().filter_map(|payment| payment.part_of(state, position)).collect(),
        });
    }
    shown
}

/// A part of a reward that goes to a pool at the next boundary.
#[derive(Clone, Copy)]
pub(super) struct Payment {
    pub(super) set: SetId,
    pub(super) source: Source,
    pub(super) work: Epoch,
    pub(super) pool: PoolId,
    pub(super) token: AssetId,
    /// With the commission.
    pub(super) amount: Amount,
    pub(super) commission: Amount,
}

impl Payment {
    /// What an entry of stake gets of it.
    fn part_of(&self, state: &State, position: &Position) -> Option<Expected> {
        if self.pool != position.pool {
            return None;
        }
        let Position { principal, entered, until, .. } = *position;
        let rest = self.commission.room_below(self.amount);
        let stake = &state.pool(self.pool).stake;
        let amount = stake.part_of_reward(self.set, self.work, rest, (principal, entered, until));
        self.expected(amount)
    }

    fn expected(&self, amount: Amount) -> Option<Expected> {
        let Self { set, source, pool, token, .. } = *self;
        (!amount.is_zero()).then_some(Expected { set, source, pool, token, amount })
    }
}

/// What the pools of an operator get at the next boundary, by set and source.
pub(super) fn payments_to(state: &State, operator: OperatorId) -> Vec<Payment> {
    let now = state.epoch;
    let mut payments = Vec::new();
    let Some(record) = state.operator(operator) else { return payments };
    for id in &record.sets {
        let Some(set) = state.set(*id) else { continue };
        for stream in &set.streams {
            let Some(record) = state.streams.get(stream).filter(|record| record.from <= now) else {
                continue;
            };
            let Some(table) = set.table_of(now) else { continue };
            let mut amount = record.per_epoch.min(record.locked);
            amount.grow(record.dust);
            let performance = |operator| set.performance.get(&operator).copied().unwrap_or(Fraction::ONE);
            let share = share_of_row(table, operator, amount, performance);
            let source = Source::Stream { stream: *stream, to: record.to };
            split(state, table, operator, (*id, source, now, record.token, share), &mut payments);
        }
        for work in set.work.iter().filter(|work| work.operator == operator) {
            let Some(table) = set.table_of(work.epoch) else { continue };
            let source = Source::Work { epoch: work.epoch };
            split(state, table, operator, (*id, source, work.epoch, work.token, work.amount), &mut payments);
        }
    }
    payments
}

/// What an operator gets of a stream's payment: by weight and performance, rounded down.
fn share_of_row(
    table: &Table,
    operator: OperatorId,
    amount: Amount,
    performance: impl Fn(OperatorId) -> Fraction,
) -> Amount {
    let mut total = Amount::ZERO;
    let mut own = Amount::ZERO;
    for row in &table.rows {
        let weight = performance(row.operator).of_down(row.weight);
        total = total.plus(weight).unwrap_or(total);
        if row.operator == operator {
            own = weight;
        }
    }
    if total.is_zero() { Amount::ZERO } else { amount.portion_down(own, total) }
}

/// Splits an operator's part between its pools by what they contribute, its commission apart.
fn split(
    state: &State,
    table: &Table,
    operator: OperatorId,
    (set, source, work, token, amount): (SetId, Source, Epoch, AssetId, Amount),
    payments: &mut Vec<Payment>,
) {
    let Some(row) = table.row(operator) else { return };
    let contributed = row.contributions.iter().map(|(_, weight)| *weight);
    let total = Amount::total(contributed).unwrap_or(Amount::ZERO);
    for (pool, weight) in &row.contributions {
        let share = if *weight == total { amount } else { amount.portion_down(*weight, total) };
        if share.is_zero() || !state.pool(*pool).stake.is_backed(set, work) {
            continue;
        }
        let commission = state.pool(*pool).commission.at(work).of_down(share);
        payments.push(Payment { set, source, work, pool: *pool, token, amount: share, commission });
    }
}

fn commission(state: &State, operator: OperatorId) -> Option<CommissionEarnings> {
    let record = state.operator(operator)?;
    let kept = |amount: Amount| {
        let mut own = amount;
        for (_, share) in &record.split {
            own = share.of_down(amount).room_below(own);
        }
        own
    };
    let keeps = record.split.iter().fold(Fraction::ONE, |kept, (_, share)| kept.above(*share));
    let payments = payments_to(state, operator);
    let expected = payments.iter().filter_map(|payment| payment.expected(kept(payment.commission)));
    Some(CommissionEarnings { operator, keeps, expected: expected.collect() })
}
