//! Operator sets: terms in force and announced, members, and what they secure.

use super::operators::{MemberKeyView, requests_in, show_key};
use super::{Page, Scheduled, page_of};
use crate::certificate;
use crate::state::State;
use crate::state::records::{PendingTerms, Row, Set};
use crate::terms::Terms;
use crate::units::{
    Address, Amount, Digest, Epoch, Fraction, OperatorId, PoolId, RequestId, ServiceId, SetId, StreamId,
};
use crate::wide;

answer! {
    /// An operator set.
    pub struct SetDetail {
        /// Which.
        pub set: SetId,
        /// Of which service.
        pub service: ServiceId,
        /// Whose.
        pub account: Address,
        /// Whether it has ended.
        pub is_closed: bool,
        /// The terms in force.
        pub terms: Terms,
        /// Their digest.
        pub terms_digest: Digest,
        /// How many resolvers it takes to veto; none where nobody can.
        pub veto_threshold: Option<u32>,
        /// Terms that are announced.
        pub pending: Option<PendingTermsView>,
        /// The weight in this epoch's stake table.
        pub weight: Amount,
        /// Of it, what is announced to leave.
        pub leaving: Amount,
        /// Its operators, those that have left included while offences may still be punished.
        pub members: Vec<SetMemberView>,
        /// Operators on its list, where it admits only those.
        pub admitted: Vec<OperatorId>,
        /// Declared profit from corruption, in ledger value.
        pub profit: Amount,
        /// Profits that are announced.
        pub profit_later: Vec<Scheduled<Amount>>,
        /// What it secures by its certificate, in ledger value: figure `secured`.
        pub secured: Amount,
        /// What it would have to secure to declare its profit: figure `needed`.
        pub needed: Amount,
        /// `1 + gamma`, what it secures of its profit, cut to 18 places: figure `slack`. None while it declares no profit.
        pub slack: Option<String>,
        /// Since when it has been under-collateralised.
        pub under_since: Option<Epoch>,
        /// The first boundary at which parts run out in pools of certified sharing, if it stays under-collateralised.
        pub runs_out_in: Option<Epoch>,
        /// The streams that pay it.
        pub streams: Vec<StreamId>,
        /// Open requests of the set.
        pub requests: Vec<RequestId>,
    }
}

answer! {
    /// Announced terms.
    pub struct PendingTermsView {
        /// The first epoch in which they count.
        pub from: Epoch,
        /// The terms.
        pub terms: Terms,
        /// Their digest: what an operator consents to.
        pub digest: Digest,
        /// Whether they are worse for somebody: then who does not consent leaves when they start.
        pub is_worse: bool,
        /// Who has consented.
        pub consents: Vec<OperatorId>,
        /// Who has not, and leaves when they start.
        pub missing: Vec<OperatorId>,
    }
}

answer! {
    /// An operator in a set.
    pub struct SetMemberView {
        /// Which.
        pub operator: OperatorId,
        /// Its weight in this epoch's stake table.
        pub weight: Amount,
        /// The share of the weight that it has.
        pub share: Fraction,
        /// Last epoch on duty, once it has left.
        pub left: Option<Epoch>,
        /// First epoch in which it may return by itself, while it is jailed.
        pub jailed_until: Option<Epoch>,
        /// The factor that the service has reported for this epoch; 1 where it has reported none.
        pub performance: Fraction,
        /// How often the set has slashed it within the windows that the caps count.
        pub slashes_in_window: u32,
        /// Its keys in the set.
        pub keys: Vec<MemberKeyView>,
    }
}

answer! {
    /// The stake table of a set in an epoch.
    pub struct TableView {
        /// The set.
        pub set: SetId,
        /// The epoch that was asked about.
        pub epoch: Epoch,
        /// From which epoch on it has stood so: with the set the key of its entry.
        pub from: Epoch,
        /// All weight.
        pub weight: Amount,
        /// By operator.
        pub rows: Vec<TableRow>,
    }
}

answer! {
    /// An operator in a stake table.
    pub struct TableRow {
        /// Which.
        pub operator: OperatorId,
        /// Its weight, clipped to the largest share.
        pub weight: Amount,
        /// The share of the weight that it has.
        pub share: Fraction,
        /// What each of its pools contributes, unclipped.
        pub contributions: Vec<Contribution>,
    }
}

answer! {
    /// What a pool contributes to a weight.
    pub struct Contribution {
        /// The pool.
        pub pool: PoolId,
        /// Its weight.
        pub weight: Amount,
    }
}

/// The stake table of a set in an epoch that is not later than the present, as long as offences of it can be asked about.
pub fn table(state: &State, set: SetId, epoch: Epoch) -> Option<TableView> {
    let record = state.set(set)?;
    let (from, table) = record.tables.iter().rev().find(|(from, _)| *from <= epoch)?;
    let row = |row: &Row| TableRow {
        operator: row.operator,
        weight: row.weight,
        share: table.share(row.operator),
        contributions: row
            .contributions
            .iter()
            .map(|(pool, weight)| Contribution { pool: *pool, weight: *weight })
            .collect(),
    };
    let rows = table.rows.iter().map(row).collect();
    (epoch <= state.epoch).then_some(TableView { set, epoch, from: *from, weight: table.weight, rows })
}

/// One set. Costs as it has members.
pub fn set(state: &State, id: SetId) -> Option<SetDetail> {
    let record = state.set(id)?;
    let now = state.epoch;
    let table = record.table_of(now);
    let profit = *record.profit.at(now);
    let terms = record.terms_in(now);
    let secured = certificate::secured(state, record);
    let later = |(from, value): (Epoch, &Amount)| Scheduled { from, value: *value };
    Some(SetDetail {
        set: id,
        service: record.service,
        account: account_of(state, record)?,
        is_closed: record.is_closed,
        terms: Terms::clone(terms),
        terms_digest: terms.digest(id),
        veto_threshold: veto_threshold(terms),
        pending: record.pending.as_ref().map(|pending| show_pending(record, pending)),
        weight: table.map_or(Amount::ZERO, |table| table.weight),
        leaving: record.leaving,
        members: record.members.keys().filter_map(|operator| member(state, record, *operator)).collect(),
        admitted: record.admitted.iter().copied().collect(),
        profit,
        profit_later: record.profit.iter().filter(|(from, _)| *from > now).map(later).collect(),
        secured,
        needed: certificate::needed(profit, state.parameters().gamma_min),
        slack: slack(secured, profit).map(decimal),
        under_since: record.under_since,
        runs_out_in: record.under_since.map(|since| since.later(state.parameters().grace).next()),
        streams: record.streams.clone(),
        requests: record.members.keys().flat_map(|operator| requests_in(state, id, *operator)).collect(),
    })
}

/// Sets by their numbers, after one of them.
pub fn sets(state: &State, after: Option<SetId>, limit: usize) -> Page<SetDetail> {
    page_of(state.sets.len(), after.map(SetId::number), limit, |number| set(state, SetId::new(number)))
}

/// Whose a set is.
pub(super) fn account_of(state: &State, record: &Set) -> Option<Address> {
    state.services.get(record.service.index()).map(|service| state.address_of(service.account))
}

/// How many resolvers it takes to veto, where anybody can.
pub(super) fn veto_threshold(terms: &Terms) -> Option<u32> {
    let threshold = || u32::try_from(terms.veto_threshold()).unwrap_or(u32::MAX);
    (!terms.resolvers.is_empty()).then(threshold)
}

/// `floor(secured / profit)` in `10^-18`.
pub(super) fn slack(secured: Amount, profit: Amount) -> Option<u128> {
    let steps = u128::from(Fraction::STEPS);
    (!profit.is_zero())
        .then(|| wide::checked_mul_div_down(secured.units(), steps, profit.units()).unwrap_or(u128::MAX))
}

/// A number of steps of `10^-18` as a decimal.
pub(super) fn decimal(steps: u128) -> String {
    let one = u128::from(Fraction::STEPS);
    let (whole, rest) = (steps.checked_div(one).unwrap_or(0), steps.checked_rem(one).unwrap_or(0));
    let digits = format!("{rest:018}");
    match digits.trim_end_matches('0') {
        "" => whole.to_string(),
        digits => format!("{whole}.{digits}"),
    }
}

fn show_pending(record: &Set, pending: &PendingTerms) -> PendingTermsView {
    let active = record.members.iter().filter(|(_, member)| member.left.is_none());
    let missing = active.map(|(id, _)| *id).filter(|id| pending.is_worse && !pending.consents.contains(id));
    PendingTermsView {
        from: pending.from,
        terms: Terms::clone(&pending.terms),
        digest: pending.digest,
        is_worse: pending.is_worse,
        consents: pending.consents.iter().copied().collect(),
        missing: missing.collect(),
    }
}

fn member(state: &State, record: &Set, operator: OperatorId) -> Option<SetMemberView> {
    let member = record.members.get(&operator)?;
    let table = record.table_of(state.epoch);
    let row = table.and_then(|table| table.row(operator));
    let executed = record.executed.get(&operator).map_or(&[][..], Vec::as_slice);
    Some(SetMemberView {
        operator,
        weight: row.map_or(Amount::ZERO, |row| row.weight),
        share: table.map_or(Fraction::ZERO, |table| table.share(operator)),
        left: member.left,
        jailed_until: member.jailed,
        performance: record.performance.get(&operator).copied().unwrap_or(Fraction::ONE),
        slashes_in_window: executed.iter().fold(0, |sum, executed| sum.saturating_add(executed.count)),
        keys: member.keys.iter().map(show_key).collect(),
    })
}
