//! Operators: what they offer, where they are on duty, and who gets what they earn.

use evidence::PublicKey;

use super::pools::{PoolDetail, pool};
use super::{Page, ever, page_of};
use crate::state::State;
use crate::state::records::{Groups, MemberKey, RequestState};
use crate::units::{Address, Amount, Digest, Epoch, Fraction, OperatorId, RequestId, ServiceId, SetId};

answer! {
    /// An operator.
    pub struct OperatorDetail {
        /// Which.
        pub operator: OperatorId,
        /// Whose.
        pub account: Address,
        /// Whether it takes no new stake and joins no set any more.
        pub is_retired: bool,
        /// What it says it runs on.
        pub groups: Groups,
        /// Its pools.
        pub pools: Vec<PoolDetail>,
        /// The sets it is in, or was in while offences may still be punished.
        pub sets: Vec<MembershipView>,
        /// Who gets parts of its commission; the rest is its own.
        pub split: Vec<ShareView>,
        /// Open requests to slash it.
        pub requests: Vec<RequestId>,
    }
}

answer! {
    /// An operator in a set.
    pub struct MembershipView {
        /// The set.
        pub set: SetId,
        /// Whose.
        pub service: ServiceId,
        /// Last epoch on duty, once it has left.
        pub left: Option<Epoch>,
        /// First epoch in which it may return by itself, while it is jailed.
        pub jailed_until: Option<Epoch>,
        /// Its weight in this epoch's stake table.
        pub weight: Amount,
        /// The share of the set's weight that it has.
        pub share: Fraction,
        /// The factor that the service has reported for this epoch; 1 where it has reported none.
        pub performance: Fraction,
        /// Its keys in the set, as long as they can be used or punished.
        pub keys: Vec<MemberKeyView>,
        /// The announced terms that it has to consent to, or it leaves when they start.
        pub consent_to: Option<Digest>,
        /// Last epoch in which it can consent.
        pub consent_by: Option<Epoch>,
    }
}

answer! {
    /// A key of an operator in a set.
    pub struct MemberKeyView {
        /// The key.
        pub key: PublicKey,
        /// First epoch in which it counts.
        pub from: Epoch,
        /// Last epoch in which it counts; none while it has not been replaced.
        pub to: Option<Epoch>,
    }
}

answer! {
    /// A part of something that an account gets.
    pub struct ShareView {
        /// Who.
        pub account: Address,
        /// How much of it.
        pub share: Fraction,
    }
}

/// One operator.
pub fn operator(state: &State, id: OperatorId) -> Option<OperatorDetail> {
    let record = state.operator(id)?;
    let shares = record.split.iter();
    Some(OperatorDetail {
        operator: id,
        account: state.address_of(record.account),
        is_retired: record.is_retired,
        groups: record.groups.clone(),
        pools: record.pools.iter().filter_map(|(_, id)| pool(state, *id)).collect(),
        sets: record.sets.iter().filter_map(|set| membership(state, *set, id)).collect(),
        split: shares
            .map(|(account, share)| ShareView { account: state.address_of(*account), share: *share })
            .collect(),
        requests: open_requests(state, id),
    })
}

/// Operators by their numbers, after one of them.
pub fn operators(state: &State, after: Option<OperatorId>, limit: usize) -> Page<OperatorDetail> {
    let read = |number| operator(state, OperatorId::new(number));
    page_of(state.operators.len(), after.map(OperatorId::number), limit, read)
}

fn membership(state: &State, set: SetId, operator: OperatorId) -> Option<MembershipView> {
    let record = state.set(set)?;
    let member = record.members.get(&operator)?;
    let table = record.table_of(state.epoch);
    let row = table.and_then(|table| table.row(operator));
    let pending = record
        .pending
        .as_ref()
        .filter(|pending| pending.is_worse && member.left.is_none() && !pending.consents.contains(&operator));
    Some(MembershipView {
        set,
        service: record.service,
        left: member.left,
        jailed_until: member.jailed,
        weight: row.map_or(Amount::ZERO, |row| row.weight),
        share: table.map_or(Fraction::ZERO, |table| table.share(operator)),
        performance: record.performance.get(&operator).copied().unwrap_or(Fraction::ONE),
        keys: member.keys.iter().map(show_key).collect(),
        consent_to: pending.map(|pending| pending.digest),
        consent_by: pending.map(|pending| pending.from.previous()),
    })
}

pub(super) fn show_key(key: &MemberKey) -> MemberKeyView {
    MemberKeyView { key: key.key.clone(), from: key.from, to: ever(key.to) }
}

/// Open requests against an operator, by set and capture epoch. Costs as its sets and the captures still open.
pub(super) fn open_requests(state: &State, operator: OperatorId) -> Vec<RequestId> {
    let sets = state.operator(operator).map(|record| record.sets.clone()).unwrap_or_default();
    sets.into_iter().flat_map(|set| requests_in(state, set, operator)).collect()
}

/// Open requests of a set against an operator, by capture epoch.
pub(super) fn requests_in(state: &State, set: SetId, operator: OperatorId) -> Vec<RequestId> {
    let is_open =
        |id: &RequestId| state.requests.get(id).is_some_and(|request| request.state == RequestState::Open);
    state.requests_against(set, operator).map(|(_, id)| id).filter(is_open).collect()
}
