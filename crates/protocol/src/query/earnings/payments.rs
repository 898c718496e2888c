//! What the pools of an operator get at the next boundary, as the boundary will split it.

use std::collections::BTreeMap;

use super::{Expected, Source};
use crate::pool::reading::Bonded;
use crate::query::TokenAmount;
use crate::query::add_token;
use crate::state::State;
use crate::state::positions::Position;
use crate::state::records::{Operator, Row, Set};
use crate::units::{Amount, AssetId, Epoch, Fraction, OperatorId, PoolId, SetId};
use crate::wide::PerUnit;

/// A part of a reward that goes to a pool at the next boundary.
#[derive(Clone, Copy)]
pub(in crate::query) struct Payment {
    pub(in crate::query) set: SetId,
    pub(in crate::query) source: Source,
    pub(in crate::query) work: Epoch,
    pub(in crate::query) pool: PoolId,
    pub(in crate::query) token: AssetId,
    /// What the operator gets in all of its pools.
    pub(in crate::query) amount: Amount,
    /// For the stake.
    pub(in crate::query) rest: Amount,
    pub(in crate::query) commission: Amount,
    /// What the operator keeps of the commission.
    pub(in crate::query) own: Amount,
}

impl Payment {
    fn expected(&self, amount: Amount) -> Option<Expected> {
        let Self { set, source, pool, token, .. } = *self;
        (!amount.is_zero()).then_some(Expected { set, source, pool, token, amount })
    }

    /// The streams first, by number; then work, by set and as it was reported.
    fn order(&self) -> (bool, u32) {
        match self.source {
            Source::Stream { stream, .. } => (false, stream.number()),
            Source::Work { .. } => (true, 0),
        }
    }

    /// What it divides between the histories of a pool's stake as: payments for one epoch's work stand together.
    pub(in crate::query) fn is_like(&self, pool: PoolId, token: AssetId, set: SetId, source: Source) -> bool {
        let is_same = match (self.source, source) {
            (Source::Stream { stream, .. }, Source::Stream { stream: other, .. }) => stream == other,
            (Source::Work { epoch }, Source::Work { epoch: other }) => epoch == other,
            _ => false,
        };
        is_same && (self.pool, self.token, self.set) == (pool, token, set)
    }

    /// What one line of an answer shows: payments for the same work in the same token stand together.
    fn line(&self) -> (PoolId, SetId, (bool, u32), Epoch, AssetId) {
        (self.pool, self.set, self.order(), self.work, self.token)
    }
}

/// What the pools of an operator get, and how it divides between the histories of their stake.
pub(in crate::query) struct Payments {
    /// By pool, then by set and source.
    of_pools: BTreeMap<PoolId, Vec<Payment>>,
    bonded: BTreeMap<(PoolId, Epoch), Bonded>,
    /// What a unit of principal on a track gets of each payment to the pool.
    shares: BTreeMap<(PoolId, usize), Vec<PerUnit>>,
    /// What a unit gets in all, by token, of principal that entered and leaves together.
    sums: BTreeMap<(PoolId, Epoch, Epoch), Vec<(AssetId, PerUnit)>>,
}

impl Payments {
    /// Those of an operator. Costs as there are of them, and as the stake of its pools has histories for each epoch that is paid for.
    pub(in crate::query) fn to(state: &State, operator: OperatorId) -> Self {
        let found = Found::of(state, operator);
        let of_pools = lines(found.payments);
        Self { of_pools, bonded: found.bonded, shares: BTreeMap::new(), sums: BTreeMap::new() }
    }

    /// Each payment by itself, before those that are shown as one are put together.
    pub(in crate::query) fn one_by_one(state: &State, operator: OperatorId) -> Vec<Payment> {
        Found::of(state, operator).payments
    }

    /// Those to a pool, as they are shown.
    pub(in crate::query) fn lines_of(&self, pool: PoolId) -> &[Payment] {
        self.of_pools.get(&pool).map_or(&[][..], Vec::as_slice)
    }

    /// What the operator keeps of its commissions, by pool, set and source.
    pub(in crate::query) fn commissions(&self) -> Vec<Expected> {
        self.of_pools.values().flatten().filter_map(|payment| payment.expected(payment.own)).collect()
    }

    /// What an entry of stake gets, by set and source: each part rounded down.
    pub(in crate::query) fn parts_of(&mut self, state: &State, position: &Position) -> Vec<Expected> {
        let Position { principal, entered, until, pool, .. } = *position;
        let track = state.pool(pool).stake.track_index(entered, until);
        self.divide(pool, track);
        let payments = self.of_pools.get(&pool).map_or(&[][..], Vec::as_slice);
        let shares = self.shares.get(&(pool, track)).map_or(&[][..], Vec::as_slice);
        let bonded = payments.iter().zip(shares).filter(|(payment, _)| is_bonded(position, payment.work));
        bonded
            .filter_map(|(payment, share)| payment.expected(Amount::new(share.times_down(principal.units()))))
            .collect()
    }

    /// What an entry of stake gets in all, by token: rounded down once, as a claim will.
    pub(super) fn add_total_of(&mut self, state: &State, position: &Position, totals: &mut Vec<TokenAmount>) {
        for (token, share) in self.units_of(state, position) {
            add_token(totals, *token, Amount::new(share.times_down(position.principal.units())));
        }
    }

    /// What a unit of the principal of an entry gets in all, by token.
    pub(in crate::query) fn units_of(&mut self, state: &State, position: &Position) -> &[(AssetId, PerUnit)] {
        let key = (position.pool, position.entered, position.until);
        if !self.sums.contains_key(&key) {
            let sum = self.sum(state, position);
            self.sums.insert(key, sum);
        }
        self.sums.get(&key).map_or(&[][..], Vec::as_slice)
    }

    /// What a unit of principal on a track gets of each payment to a pool, in the order of the [lines](Self::lines_of).
    pub(in crate::query) fn shares_of(&mut self, pool: PoolId, track: usize) -> &[PerUnit] {
        self.divide(pool, track);
        self.shares.get(&(pool, track)).map_or(&[][..], Vec::as_slice)
    }

    fn sum(&mut self, state: &State, position: &Position) -> Vec<(AssetId, PerUnit)> {
        let Position { entered, until, pool, .. } = *position;
        let track = state.pool(pool).stake.track_index(entered, until);
        self.divide(pool, track);
        let payments = self.of_pools.get(&pool).into_iter().flatten();
        let mut sums: BTreeMap<AssetId, PerUnit> = BTreeMap::new();
        for (payment, share) in payments.zip(self.shares.get(&(pool, track)).into_iter().flatten()) {
            if is_bonded(position, payment.work) {
                let sum = sums.entry(payment.token).or_default();
                // What does not fit is not paid.
                *sum = sum.plus(*share).unwrap_or(*sum);
            }
        }
        sums.into_iter().collect()
    }

    /// Works out what a unit on a track gets of each payment to a pool, if nobody has asked yet.
    fn divide(&mut self, pool: PoolId, track: usize) {
        let (of_pools, bonded) = (&self.of_pools, &self.bonded);
        self.shares.entry((pool, track)).or_insert_with(|| {
            let payments = of_pools.get(&pool).into_iter().flatten();
            let share = |payment: &Payment| {
                let bonded = bonded.get(&(pool, payment.work));
                bonded.map_or(PerUnit::ZERO, |bonded| bonded.share(track, payment.set, payment.rest))
            };
            payments.map(share).collect()
        });
    }
}

/// Whether an entry of stake is paid for work in an epoch.
pub(in crate::query) fn is_bonded(position: &Position, work: Epoch) -> bool {
    position.entered <= work && work <= position.until
}

/// Payments as they are found, set by set.
struct Found<'a> {
    state: &'a State,
    payments: Vec<Payment>,
    bonded: BTreeMap<(PoolId, Epoch), Bonded>,
}

impl<'a> Found<'a> {
    /// Those of an operator.
    fn of(state: &'a State, operator: OperatorId) -> Self {
        let mut found = Self { state, payments: Vec::new(), bonded: BTreeMap::new() };
        if let Some(record) = state.operator(operator) {
            for id in &record.sets {
                if let Some(set) = state.set(*id) {
                    found.add_streams(*id, set, operator);
                    found.add_work(*id, set, operator);
                }
            }
            keep(&mut found.payments, record);
        }
        found
    }

    fn add_streams(&mut self, id: SetId, set: &Set, operator: OperatorId) {
        let (state, now) = (self.state, self.state.epoch);
        let Some(table) = set.table_of(now) else { return };
        let Some(row) = table.row(operator) else { return };
        let mut weights = None;
        for stream in &set.streams {
            let Some(record) = state.streams.get(stream).filter(|record| record.from <= now) else {
                continue;
            };
            let (own, total) = *weights.get_or_insert_with(|| weights_of(set, &table.rows, operator));
            let mut amount = record.per_epoch.min(record.locked);
            amount.grow(record.dust);
            let share = if total.is_zero() { Amount::ZERO } else { amount.portion_down(own, total) };
            let source = Source::Stream { stream: *stream, to: record.to };
            self.split(row, (id, source, now, record.token, share));
        }
    }

    fn add_work(&mut self, id: SetId, set: &Set, operator: OperatorId) {
        for work in set.work.iter().filter(|work| work.operator == operator) {
            let Some(row) = set.table_of(work.epoch).and_then(|table| table.row(operator)) else { continue };
            let source = Source::Work { epoch: work.epoch };
            self.split(row, (id, source, work.epoch, work.token, work.amount));
        }
    }

    /// Splits an operator's part between its pools by what they contribute, its commission apart.
    fn split(
        &mut self,
        row: &Row,
        (set, source, work, token, amount): (SetId, Source, Epoch, AssetId, Amount),
    ) {
        let total =
            Amount::total(row.contributions.iter().map(|(_, weight)| *weight)).unwrap_or(Amount::ZERO);
        for (pool, weight) in &row.contributions {
            let share = if *weight == total { amount } else { amount.portion_down(*weight, total) };
            let record = self.state.pool(*pool);
            let bonded = self.bonded.entry((*pool, work)).or_insert_with(|| record.stake.bonded_in(work));
            if share.is_zero() || !bonded.is_backed(set) {
                continue;
            }
            let commission = record.commission.at(work).of_down(share);
            let (rest, own) = (commission.room_below(share), Amount::ZERO);
            let pool = *pool;
            self.payments.push(Payment { set, source, work, pool, token, amount, rest, commission, own });
        }
    }
}

/// An operator's weight by performance, and that of all.
pub(in crate::query) fn weights_of(set: &Set, rows: &[Row], operator: OperatorId) -> (Amount, Amount) {
    let (mut own, mut total) = (Amount::ZERO, Amount::ZERO);
    for row in rows {
        let factor = set.performance.get(&row.operator).copied().unwrap_or(Fraction::ONE);
        let weight = factor.of_down(row.weight);
        total = total.plus(weight).unwrap_or(total);
        if row.operator == operator {
            own = weight;
        }
    }
    (own, total)
}

/// Works out what the operator keeps of each commission. The boundary adds the commissions of a pool in a token, those that follow one
/// another, and then rounds what goes to others down; so what is kept of them together is known, and a payment has no more of it than it
/// would have alone.
fn keep(payments: &mut [Payment], record: &Operator) {
    let kept = |amount: Amount| {
        record.split.iter().fold(amount, |own, (_, share)| share.of_down(amount).room_below(own))
    };
    for run in runs(payments) {
        let sum = |sum: Amount, index: &usize| {
            payments.get(*index).and_then(|payment| sum.plus(payment.commission)).unwrap_or(sum)
        };
        let mut left = kept(run.iter().fold(Amount::ZERO, sum));
        for index in run {
            let Some(payment) = payments.get_mut(index) else { continue };
            payment.own = kept(payment.commission).min(left);
            left.shrink(payment.own);
        }
    }
}

/// The commissions that the boundary adds: those of a pool in a token that follow one another, by their places.
pub(in crate::query) fn runs(payments: &[Payment]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..payments.len()).collect();
    order.sort_by_key(|index| payments.get(*index).map(|payment| (payment.pool, payment.order())));
    let run = |index: &usize| payments.get(*index).map(|payment| (payment.pool, payment.token));
    order.chunk_by(|a, b| run(a) == run(b)).map(<[usize]>::to_vec).collect()
}

/// Puts payments together that are shown as one, by pool.
fn lines(payments: Vec<Payment>) -> BTreeMap<PoolId, Vec<Payment>> {
    let mut places = BTreeMap::new();
    let mut of_pools: BTreeMap<PoolId, Vec<Payment>> = BTreeMap::new();
    for payment in payments {
        let list = of_pools.entry(payment.pool).or_default();
        let place = *places.entry(payment.line()).or_insert(list.len());
        match list.get_mut(place) {
            Some(line) => {
                line.rest.grow(payment.rest);
                line.commission.grow(payment.commission);
                line.own.grow(payment.own);
            }
            None => list.push(payment),
        }
    }
    of_pools
}
