//! What can be expected for this epoch if nothing changes, from the payment down to the entry of stake.

use std::collections::BTreeMap;

use super::super::earnings::payments::{Payment, Payments, is_bonded, runs, weights_of};
use super::super::earnings::{Source, earnings_page};
use super::super::positions::entries;
use super::stake::{FACTOR, principal};
use super::{Entry, Explained, Figure, pools, units_of};
use crate::entries::Key;
use crate::state::State;
use crate::state::records::{Row, Set, Stream};
use crate::units::{Address, Amount, AssetId, Epoch, Fraction, OperatorId, PoolId, SetId, StreamId};
use crate::wide::PerUnit;

const UNIT: &str = "2^-128 a unit of principal";
const WEIGHT: &str = "weight";

pub(super) fn of(state: &State, figure: &Figure) -> Option<Explained> {
    let find = |account, position| Entry::find(state, account, position);
    match *figure {
        Figure::ExpectedStream { account, position, stream } => {
            let entry = find(account, position)?;
            Line::of_stream(state, entry.position.pool, stream)?.of_entry("expected_stream", &entry)
        }
        Figure::ExpectedWork { account, position, set, epoch, token } => {
            let entry = find(account, position)?;
            Line::of_work(state, entry.position.pool, set, epoch, token)?.of_entry("expected_work", &entry)
        }
        Figure::ExpectedUnit { account, position, token } => unit_of(state, &find(account, position)?, token),
        Figure::UnitStream { pool, history, stream } => {
            Line::of_stream(state, pool, stream)?.of_unit("unit_stream", history)
        }
        Figure::UnitWork { pool, history, set, epoch, token } => {
            Line::of_work(state, pool, set, epoch, token)?.of_unit("unit_work", history)
        }
        Figure::PoolStream { pool, stream } => Line::of_stream(state, pool, stream)?.of_stake("pool_stream"),
        Figure::PoolWork { pool, set, epoch, token } => {
            Line::of_work(state, pool, set, epoch, token)?.of_stake("pool_work")
        }
        Figure::CommissionStream { pool, stream } => {
            Line::of_stream(state, pool, stream)?.of_operator("commission_stream")
        }
        Figure::CommissionWork { pool, set, epoch, token } => {
            Line::of_work(state, pool, set, epoch, token)?.of_operator("commission_work")
        }
        Figure::Charged { operator, payment } => charged(state, operator, payment),
        Figure::Kept { operator, payment } => kept(state, operator, payment),
        Figure::Expected { account, token } => expected(state, account, token),
        _ => None,
    }
}

/// What a pool gets out of one source: one payment, or several for the same work.
struct Line<'a> {
    state: &'a State,
    operator: OperatorId,
    payments: Vec<Payment>,
    /// The places of the payments among all to the operator.
    places: Vec<usize>,
    /// The stream that pays, where it is one.
    is_stream: Option<StreamId>,
}

impl<'a> Line<'a> {
    fn of_stream(state: &'a State, pool: PoolId, stream: StreamId) -> Option<Self> {
        let record = state.streams.get(&stream)?;
        let source = Source::Stream { stream, to: record.to };
        Self::find(state, pool, record.token, record.set, source)
    }

    fn of_work(state: &'a State, pool: PoolId, set: SetId, epoch: Epoch, token: AssetId) -> Option<Self> {
        Self::find(state, pool, token, set, Source::Work { epoch })
    }

    fn find(state: &'a State, pool: PoolId, token: AssetId, set: SetId, source: Source) -> Option<Self> {
        let operator = state.pools.get(pool.index())?.operator;
        let found = Payments::one_by_one(state, operator).into_iter().enumerate();
        let own = found.filter(|(_, payment)| payment.is_like(pool, token, set, source));
        let (places, payments): (Vec<usize>, Vec<Payment>) = own.unzip();
        (!payments.is_empty()).then_some(Self::new(state, operator, payments, places, source))
    }

    fn new(
        state: &'a State,
        operator: OperatorId,
        payments: Vec<Payment>,
        places: Vec<usize>,
        source: Source,
    ) -> Self {
        let is_stream = match source {
            Source::Stream { stream, .. } => Some(stream),
            Source::Work { .. } => None,
        };
        Self { state, operator, payments, places, is_stream }
    }

    fn first(&self) -> Option<&Payment> {
        self.payments.first()
    }

    /// What an entry of stake gets of it.
    fn of_entry(&self, name: &str, entry: &Entry) -> Option<Explained> {
        let Payment { set, work, token, .. } = *self.first()?;
        let pool = entry.position.pool;
        let mut own = Payments::to(self.state, self.operator);
        let source = self.payments.first()?.source;
        let parts = own.parts_of(self.state, &entry.position);
        let is_this = |line: &&super::super::Expected| {
            let is_same = match (line.source, source) {
                (Source::Stream { stream, .. }, Source::Stream { stream: other, .. }) => stream == other,
                (Source::Work { epoch }, Source::Work { epoch: other }) => epoch == other,
                _ => false,
            };
            is_same && (line.set, line.token) == (set, token)
        };
        let value = parts.iter().find(is_this)?.amount;
        let track = self.state.pool(pool).stake.track_index(entry.position.entered, entry.position.until);
        let history = pools::number(track);
        let by = match self.is_stream {
            Some(stream) => Figure::UnitStream { pool, history, stream },
            None => Figure::UnitWork { pool, history, set, epoch: work, token },
        };
        let unit = self.share(history)?.parts();
        let inputs = vec![principal(self.state, entry), Explained::said("unit", unit, UNIT, &by)];
        let formula = "floor(principal * unit / 2^128)";
        Some(Explained::computed(name, value, &units_of(token), formula, inputs))
    }

    /// What a unit of principal with a history gets of it.
    fn share(&self, history: u32) -> Option<PerUnit> {
        let Payment { pool, token, set, source, .. } = *self.first()?;
        let stake = &self.state.pool(pool).stake;
        let track = usize::try_from(history).ok().filter(|track| *track < stake.track_count())?;
        let mut own = Payments::to(self.state, self.operator);
        let place = own.lines_of(pool).iter().position(|line| line.is_like(pool, token, set, source))?;
        own.shares_of(pool, track).get(place).copied()
    }

    fn of_unit(&self, name: &str, history: u32) -> Option<Explained> {
        let Payment { pool, token, set, work, .. } = *self.first()?;
        let value = self.share(history)?;
        let by = Figure::HistoryOwned { pool, history, set, epoch: work };
        let owned = pools::of(self.state, &by)?;
        let mut inputs = vec![Explained::said("owned", owned.value, FACTOR, &by)];
        let by = match self.is_stream {
            Some(stream) => Figure::PoolStream { pool, stream },
            None => Figure::PoolWork { pool, set, epoch: work, token },
        };
        let rest = self.payments.iter().fold(Amount::ZERO, |sum, own| sum.plus(own.rest).unwrap_or(sum));
        inputs.push(Explained::said("amount", rest, &units_of(token), &by));
        inputs.extend(pools::backing(self.state, pool, set, work));
        let formula = "ceil(2^128 * owned * amount / sum(backing))";
        Some(Explained::computed(name, value.parts(), UNIT, formula, inputs))
    }

    /// What the stake of the pool gets of it.
    fn of_stake(&self, name: &str) -> Option<Explained> {
        let unit = units_of(self.first()?.token);
        let (mut total, mut inputs) = (Amount::ZERO, Vec::new());
        for payment in &self.payments {
            total.grow(payment.rest);
            let own = vec![self.part(payment)?, self.commission(payment)?];
            inputs.push(Explained::computed("rest", payment.rest, &unit, "part - commission", own));
        }
        Some(Explained::computed(name, total, &unit, "sum(rest)", inputs))
    }

    /// What the operator keeps of its commission.
    fn of_operator(&self, name: &str) -> Option<Explained> {
        let unit = units_of(self.first()?.token);
        let (mut total, mut inputs) = (Amount::ZERO, Vec::new());
        for (payment, place) in self.payments.iter().zip(&self.places) {
            total.grow(payment.own);
            let by = Figure::Kept { operator: self.operator, payment: pools::number(*place) };
            inputs.push(Explained::said("kept", payment.own, &unit, &by));
        }
        Some(Explained::computed(name, total, &unit, "sum(kept)", inputs))
    }

    fn commission(&self, payment: &Payment) -> Option<Explained> {
        let rate = *self.state.pool(payment.pool).commission.at(payment.work);
        let own =
            vec![Explained::stored("rate", rate, "fraction", Key::Pool(payment.pool)), self.part(payment)?];
        let unit = units_of(payment.token);
        Some(Explained::computed("commission", payment.commission, &unit, "floor(rate * part)", own))
    }

    /// What of the operator's part goes to the pool, by what its pools contribute to its weight.
    fn part(&self, payment: &Payment) -> Option<Explained> {
        let set = self.state.set(payment.set)?;
        let (from, table) = set.tables.iter().rev().find(|(from, _)| *from <= payment.work)?;
        let at = Key::Table(payment.set, *from);
        let row = table.row(self.operator)?;
        let mut inputs = vec![self.amount(payment, set, at)?];
        let (mut own, mut all) = (Amount::ZERO, Amount::ZERO);
        for (pool, weight) in &row.contributions {
            all.grow(*weight);
            inputs.push(Explained::stored("contribution", weight, WEIGHT, at));
            if *pool == payment.pool {
                own = *weight;
                inputs.push(Explained::stored("own", weight, WEIGHT, at));
            }
        }
        let formula = if own == all { "amount" } else { "floor(amount * own / sum(contribution))" };
        let mut value = payment.rest;
        value.grow(payment.commission);
        Some(Explained::computed("part", value, &units_of(payment.token), formula, inputs))
    }

    /// What the operator gets.
    fn amount(&self, payment: &Payment, set: &Set, at: Key) -> Option<Explained> {
        let unit = units_of(payment.token);
        let Some(id) = self.is_stream else {
            return Some(Explained::stored("amount", payment.amount, &unit, Key::Set(payment.set)));
        };
        let stream = self.state.streams.get(&id)?;
        let table = set.table_of(payment.work)?;
        let (own, all) = weights_of(set, &table.rows, self.operator);
        let mut inputs = vec![paid_by(id, stream, &unit)];
        let weigh = |name: &str, row: &Row| weigh(name, payment.set, set, row, at);
        inputs.push(weigh("own", table.row(self.operator)?));
        inputs.extend(table.rows.iter().map(|row| weigh("operator", row)));
        let formula = if all.is_zero() { "0 * own" } else { "floor(paid * own / sum(operator))" };
        debug_assert!(own <= all, "an operator is one of all");
        Some(Explained::computed("amount", payment.amount, &unit, formula, inputs))
    }
}

/// What a stream pays for an epoch.
fn paid_by(id: StreamId, stream: &Stream, unit: &str) -> Explained {
    let stored = |name: &str, amount: Amount| Explained::stored(name, amount, unit, Key::Stream(id));
    let mut paid = stream.per_epoch.min(stream.locked);
    paid.grow(stream.dust);
    let own = vec![
        stored("per_epoch", stream.per_epoch),
        stored("locked", stream.locked),
        stored("dust", stream.dust),
    ];
    Explained::computed("paid", paid, unit, "min(per_epoch, locked) + dust", own)
}

/// An operator's weight by the performance that the service has reported.
fn weigh(name: &str, id: SetId, set: &Set, row: &Row, at: Key) -> Explained {
    let performance = set.performance.get(&row.operator).copied().unwrap_or(Fraction::ONE);
    let own = vec![
        Explained::stored("performance", performance, "fraction", Key::Set(id)),
        Explained::stored("weight", row.weight, WEIGHT, at),
    ];
    Explained::computed(name, performance.of_down(row.weight), WEIGHT, "floor(performance * weight)", own)
}

/// What the commission is of one payment.
fn charged(state: &State, operator: OperatorId, payment: u32) -> Option<Explained> {
    let all = Payments::one_by_one(state, operator);
    let place = usize::try_from(payment).ok()?;
    let own = *all.get(place)?;
    let explained = Line::new(state, operator, vec![own], vec![place], own.source).commission(&own)?;
    Some(Explained { name: "charged".to_owned(), ..explained })
}

/// What the operator keeps of one commission: what it would of this one alone, as far as something is left of what it keeps of all that
/// the boundary adds.
fn kept(state: &State, operator: OperatorId, payment: u32) -> Option<Explained> {
    let all = Payments::one_by_one(state, operator);
    let place = usize::try_from(payment).ok()?;
    let own = *all.get(place)?;
    let run = runs(&all).into_iter().find(|run| run.contains(&place))?;
    let unit = units_of(own.token);
    let (mut sum, mut earlier) = (Amount::ZERO, Amount::ZERO);
    let (mut added, mut before, mut is_before) = (Vec::new(), Vec::new(), true);
    for index in run {
        let (one, payment) = (all.get(index)?, pools::number(index));
        is_before = is_before && index != place;
        sum.grow(one.commission);
        let by = Figure::Charged { operator, payment };
        added.push(Explained::said("charged", one.commission, &unit, &by));
        if is_before {
            earlier.grow(one.own);
            before.push(Explained::said("earlier", one.own, &unit, &Figure::Kept { operator, payment }));
        }
    }
    let by = Figure::Charged { operator, payment };
    let charged = vec![Explained::said("charged", own.commission, &unit, &by)];
    let mut inputs = vec![
        after_split(state, operator, "alone", (own.commission, charged), &unit)?,
        after_split(state, operator, "together", (sum, added), &unit)?,
    ];
    inputs.extend(before);
    let formula = "min(alone, together - sum(earlier))";
    Some(Explained::computed("kept", own.own, &unit, formula, inputs))
}

/// What the operator keeps of commissions: each other's share of their sum rounds down.
fn after_split(
    state: &State,
    operator: OperatorId,
    name: &str,
    (whole, charged): (Amount, Vec<Explained>),
    unit: &str,
) -> Option<Explained> {
    let (mut kept, mut inputs) = (whole, charged.clone());
    for (_, share) in &state.operator(operator)?.split {
        let given = share.of_down(whole);
        kept = given.room_below(kept);
        let mut own = charged.clone();
        own.push(Explained::stored("share", share, "fraction", Key::Operator(operator)));
        let formula = "floor(share * sum(charged))";
        inputs.push(Explained::computed("given", given, unit, formula, own));
    }
    let formula = "max(0, sum(charged) - sum(given))";
    Some(Explained::computed(name, kept, unit, formula, inputs))
}

/// What a unit of the principal of an entry gets of all payments in a token.
fn unit_of(state: &State, entry: &Entry, token: AssetId) -> Option<Explained> {
    let pool = entry.position.pool;
    let mut own = Payments::to(state, state.pool(pool).operator);
    let units = own.units_of(state, &entry.position);
    let value = units.iter().find(|(known, _)| *known == token)?.1;
    let track = state.pool(pool).stake.track_index(entry.position.entered, entry.position.until);
    let history = pools::number(track);
    let shares = own.shares_of(pool, track).to_vec();
    let mut inputs = Vec::new();
    for (line, share) in own.lines_of(pool).iter().zip(shares) {
        if line.token != token || !is_bonded(&entry.position, line.work) {
            continue;
        }
        let by = match line.source {
            Source::Stream { stream, .. } => Figure::UnitStream { pool, history, stream },
            Source::Work { epoch } => Figure::UnitWork { pool, history, set: line.set, epoch, token },
        };
        inputs.push(Explained::said("unit", share.parts(), UNIT, &by));
    }
    Some(Explained::computed("expected_unit", value.parts(), UNIT, "sum(unit)", inputs))
}

/// What an account gets in a token: of each entry, rounded down once, and of its commissions.
fn expected(state: &State, account: Address, token: AssetId) -> Option<Explained> {
    let owner = state.accounts.find(account)?;
    let answer = earnings_page(state, account, None, 1);
    let value = answer.expected.iter().find(|own| own.token == token)?.amount;
    let unit = units_of(token);
    let mut inputs = Vec::new();
    let mut payments: BTreeMap<OperatorId, Payments> = BTreeMap::new();
    for (id, position) in entries(state, owner) {
        let operator = state.pool(position.pool).operator;
        let own = payments.entry(operator).or_insert_with(|| Payments::to(state, operator));
        let units = own.units_of(state, &position);
        let Some((_, share)) = units.iter().find(|(known, _)| *known == token) else { continue };
        let by = Figure::ExpectedUnit { account, position: id, token };
        let parts = vec![
            principal(state, &Entry { id, account, owner, position }),
            Explained::said("unit", share.parts(), UNIT, &by),
        ];
        let value = Amount::new(share.times_down(position.principal.units()));
        let formula = "floor(principal * unit / 2^128)";
        inputs.push(Explained::computed("entry", value, &unit, formula, parts));
    }
    for line in answer.commission.iter().flat_map(|own| &own.expected).filter(|line| line.token == token) {
        let by = match line.source {
            Source::Stream { stream, .. } => Figure::CommissionStream { pool: line.pool, stream },
            Source::Work { epoch } => Figure::CommissionWork { pool: line.pool, set: line.set, epoch, token },
        };
        inputs.push(Explained::said("commission", line.amount, &unit, &by));
    }
    Some(Explained::computed("expected", value, &unit, "sum(entry) + sum(commission)", inputs))
}
