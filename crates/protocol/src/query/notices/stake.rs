//! What concerns an account's stake.

use std::collections::BTreeMap;

use super::super::Way;
use super::super::alike::Stakes;
use super::super::exits::{self, Exit, ExitState};
use super::super::exposure::{self, PositionExposure, RequestAgainst, SetExposure};
use super::super::positions::{Place, PositionState, place_of, state_of};
use super::announced::{commissions, ordered};
use super::{Notice, NoticeKind, Subject, Weight};
use crate::operation::Kind;
use crate::state::State;
use crate::state::positions::Position;
use crate::state::records::Set;
use crate::units::{Address, Epoch, PoolId, RequestId, SetId};

pub(super) fn add(state: &State, account: Address, notices: &mut Vec<Notice>) {
    let stakes = Stakes::of(state, account);
    add_requests(&stakes, notices);
    // What concerns a whole pool is said once, by an entry that stays or else by any; the first of those.
    let mut pools: BTreeMap<PoolId, (bool, Place)> = BTreeMap::new();
    let not_free = |(_, position): &&(u32, Position)| state_of(state, position) != PositionState::Free;
    for entry in stakes.entries.iter().filter(not_free) {
        let new = (entry.1.until != Epoch::NEVER, place_of(state, entry));
        let best = pools.entry(entry.1.pool).or_insert(new);
        *best = new.min(*best);
    }
    let mut spokesmen: Vec<&(u32, Position)> = stakes
        .entries
        .iter()
        .filter(|(id, position)| pools.get(&position.pool).is_some_and(|(_, place)| place.2 == *id))
        .collect();
    spokesmen.sort_by_key(|entry| place_of(state, entry));
    for (id, position) in spokesmen {
        let entry = &exposure::of_position(&stakes, *id, position);
        Own { state, account, entry }.add_pool(notices);
    }
    for exit in exits::of_stakes(&stakes, account) {
        notices.extend(of_exit(&exit));
    }
}

/// What open requests would take of each entry: the soonest, since others may have put many behind many entries.
fn add_requests(stakes: &Stakes<'_>, notices: &mut Vec<Notice>) {
    let state = stakes.state;
    let mut due: Vec<(Epoch, u32, RequestId, usize, u128)> = Vec::new();
    for (place, (id, position)) in stakes.entries.iter().enumerate() {
        for (request_id, lost) in &stakes.alike(position).requests {
            let Some(request) = state.requests.get(request_id) else { continue };
            let (from, _) = state.request_window(request);
            due.push((from, *id, *request_id, place, *lost));
        }
    }
    due.sort_unstable();
    for (_, id, request_id, place, lost) in due.into_iter().take(super::NOTICES_MAX) {
        let Some((_, position)) = stakes.entries.get(place) else { continue };
        let at_most = stakes.alike(position).loss(position, lost);
        if let Some(against) = exposure::against(state, request_id, at_most) {
            notices.push(of_request(state, id, position, &against));
        }
    }
}

fn of_request(state: &State, position: u32, entry: &Position, against: &RequestAgainst) -> Notice {
    let RequestAgainst { request, set, capture, at_most, veto_until, .. } = against;
    let record = state.pool(entry.pool);
    let text = format!(
        "Request {request} of set {set} would take at most {} of entry {position} for epoch {capture}; it may be executed in epochs {} \
         to {}.",
        at_most.amount, against.executable_from, against.lapses_after
    );
    let vetoes = veto_until.map(|until| Way::of(Kind::VetoSlash, None, Some(until)));
    Notice {
        kind: NoticeKind::SlashRequested,
        weight: Weight::Loss,
        subject: Subject {
            operator: Some(record.operator),
            pool: Some(entry.pool),
            asset: Some(record.asset),
            set: Some(*set),
            request: Some(*request),
            position: Some(position),
            ..Subject::default()
        },
        text,
        from: Some(against.executable_from),
        act_by: None,
        ways: vetoes.into_iter().collect(),
    }
}

/// An entry of an account's stake.
struct Own<'a> {
    state: &'a State,
    account: Address,
    entry: &'a PositionExposure,
}

impl Own<'_> {
    fn subject(&self) -> Subject {
        let PositionExposure { operator, pool, asset, .. } = *self.entry;
        Subject { operator: Some(operator), pool: Some(pool), asset: Some(asset), ..Subject::default() }
    }

    /// Asking back is the way out of whatever starts in `from`.
    fn undelegate_before(&self, from: Epoch) -> Way {
        Way::of(Kind::Undelegate, Some(self.account), Some(from.previous()))
    }

    fn operator_account(&self) -> Option<Address> {
        let record = self.state.operator(self.entry.operator)?;
        Some(self.state.address_of(record.account))
    }

    fn service_account(&self, set: SetId) -> Option<Address> {
        super::super::sets::account_of(self.state, self.state.set(set)?)
    }

    fn add_pool(&self, notices: &mut Vec<Notice>) {
        for set in &self.entry.sets {
            notices.extend(self.announced_terms(set));
            notices.extend(self.under_collateralised(set));
        }
        notices.extend(self.compounding());
        if self.entry.mandate.is_none() {
            return;
        }
        notices.extend(self.mandate());
        self.add_allocations(notices);
        self.add_commissions(notices);
        for set in self.entry.sets.iter().filter(|set| set.parts_now > 0) {
            self.add_duty(set.set, notices);
        }
        if self.state.operator(self.entry.operator).is_some_and(|operator| operator.is_retired) {
            let operator = self.entry.operator;
            notices.push(Notice {
                kind: NoticeKind::Retired,
                weight: Weight::Action,
                subject: self.subject(),
                text: format!("Operator {operator} has retired: it takes no new stake and joins no set."),
                from: None,
                act_by: None,
                ways: vec![Way::of(Kind::Undelegate, Some(self.account), None)],
            });
        }
    }

    fn announced_terms(&self, set: &SetExposure) -> Option<Notice> {
        let terms = set.announced.as_ref()?;
        let (id, from, by) = (set.set, terms.from, terms.undelegate_by);
        let text = match (terms.is_worse, terms.consented) {
            (true, true) => format!(
                "Set {id} has announced worse terms for epoch {from}, and the operator has consented. Stake asked back through epoch \
                 {by} is never under them."
            ),
            (true, false) => format!(
                "Set {id} has announced worse terms for epoch {from}. If the operator does not consent by epoch {by} it leaves the set; \
                 stake asked back through epoch {by} is never under them."
            ),
            (false, _) => format!("Set {id} has announced better terms for epoch {from}."),
        };
        let mut ways = vec![Way::of(Kind::WithdrawTerms, self.service_account(id), Some(by))];
        if terms.is_worse {
            ways.insert(0, self.undelegate_before(from));
        }
        Some(Notice {
            kind: NoticeKind::TermsAnnounced,
            weight: if terms.is_worse { Weight::Worse } else { Weight::Info },
            subject: Subject { set: Some(id), service: Some(set.service), ..self.subject() },
            text,
            from: Some(from),
            act_by: terms.is_worse.then_some(by),
            ways,
        })
    }

    fn under_collateralised(&self, set: &SetExposure) -> Option<Notice> {
        let record = self.state.set(set.set)?;
        let since = record.under_since?;
        let late = since.later(self.state.parameters().grace).next();
        let id = set.set;
        let is_kept = self.state.pool(self.entry.pool).mandate.uncertified;
        let rest = if is_kept {
            String::new()
        } else {
            format!("; its parts of this pool run out in epoch {late} if it stays so")
        };
        Some(Notice {
            kind: NoticeKind::UnderCollateralised,
            weight: Weight::Info,
            subject: Subject { set: Some(id), service: Some(set.service), ..self.subject() },
            text: format!("Set {id} secures less than it declares since epoch {since}{rest}."),
            from: (!is_kept && late > self.state.epoch).then_some(late),
            act_by: None,
            ways: Vec::new(),
        })
    }

    fn mandate(&self) -> Option<Notice> {
        let later = self.entry.mandate.as_ref()?.later.as_ref()?;
        let from = later.from;
        let (most, by) = (later.value.worst_case, from.previous());
        let text = format!(
            "The pool's mandate changes in epoch {from}, to a worst case of at most {most}. Stake asked back through epoch {by} is never \
             under it."
        );
        Some(Notice {
            kind: NoticeKind::MandateAnnounced,
            weight: Weight::Worse,
            subject: self.subject(),
            text,
            from: Some(from),
            act_by: Some(by),
            ways: vec![
                self.undelegate_before(from),
                Way::of(Kind::ChangeMandate, self.operator_account(), Some(by)),
            ],
        })
    }

    fn add_allocations(&self, notices: &mut Vec<Notice>) {
        for (set, from, parts) in ordered(self.state, self.entry.pool) {
            let by = from.previous();
            notices.push(Notice {
                kind: NoticeKind::AllocationOrdered,
                weight: Weight::Worse,
                subject: Subject { set: Some(set), ..self.subject() },
                text: format!(
                    "Set {set} owns {parts} parts of 256 more of the pool from epoch {from} on. Stake asked back through epoch {by} is \
                     never behind them."
                ),
                from: Some(from),
                act_by: Some(by),
                ways: vec![
                    self.undelegate_before(from),
                    Way::of(Kind::Allocate, self.operator_account(), Some(by)),
                ],
            });
        }
    }

    fn add_commissions(&self, notices: &mut Vec<Notice>) {
        for (from, before, commission) in commissions(self.state, self.entry.pool) {
            let is_higher = commission > before;
            let by = from.previous();
            let mut ways = vec![Way::of(Kind::SetCommission, self.operator_account(), Some(by))];
            if is_higher {
                ways.insert(0, self.undelegate_before(from));
            }
            notices.push(Notice {
                kind: NoticeKind::CommissionAnnounced,
                weight: if is_higher { Weight::Worse } else { Weight::Info },
                subject: self.subject(),
                text: format!(
                    "The commission of the pool goes from {before} to {commission} in epoch {from}."
                ),
                from: Some(from),
                act_by: is_higher.then_some(by),
                ways,
            });
        }
    }

    /// What makes a set that owns parts pay less or nothing.
    fn add_duty(&self, set: SetId, notices: &mut Vec<Notice>) {
        let Some(record) = self.state.set(set) else { return };
        if let Some(until) = record.members.get(&self.entry.operator).and_then(|member| member.jailed) {
            let operator = self.entry.operator;
            notices.push(Notice {
                kind: NoticeKind::Jailed,
                weight: Weight::Worse,
                subject: Subject { set: Some(set), ..self.subject() },
                text: format!(
                    "Operator {operator} is jailed in set {set}: it earns nothing there, and may return from epoch {until} on."
                ),
                from: None,
                act_by: None,
                ways: vec![Way::of(Kind::Unjail, self.operator_account(), None)],
            });
        }
        self.add_ending_streams(set, record, notices);
    }

    fn add_ending_streams(&self, set: SetId, record: &Set, notices: &mut Vec<Notice>) {
        let soon = self.state.epoch.later(self.state.parameters().notice);
        for id in &record.streams {
            let Some(stream) = self.state.streams.get(id).filter(|stream| stream.to <= soon) else {
                continue;
            };
            let (token, to) = (stream.token, stream.to);
            notices.push(Notice {
                kind: NoticeKind::StreamEnding,
                weight: Weight::Info,
                subject: Subject { set: Some(set), stream: Some(*id), ..self.subject() },
                text: format!("Stream {id} of token {token} pays set {set} through epoch {to}."),
                from: Some(to.next()),
                act_by: None,
                ways: Vec::new(),
            });
        }
    }

    fn compounding(&self) -> Option<Notice> {
        let id = self.state.accounts.find(self.account)?;
        let orders = &self.state.accounts.get(id).extra()?.compounding;
        let order = orders.iter().find(|order| order.pool == self.entry.pool)?;
        let record = self.state.pool(order.pool);
        if record.digest == order.mandate && self.state.worst_case(order.pool) <= order.worst_case {
            return None;
        }
        Some(Notice {
            kind: NoticeKind::CompoundingRests,
            weight: Weight::Action,
            subject: self.subject(),
            text: "The standing order of the pool rests: its mandate or worst case is not what was signed."
                .to_owned(),
            from: None,
            act_by: None,
            ways: vec![Way::of(Kind::SetCompounding, Some(self.account), None)],
        })
    }
}

fn of_exit(exit: &Exit) -> Option<Notice> {
    let Exit { position, operator, pool, asset, amount, .. } = *exit;
    let subject = Subject {
        operator: Some(operator),
        pool: Some(pool),
        asset: Some(asset),
        position: Some(position),
        ..Subject::default()
    };
    let notice = |kind, text, way: &Way| Notice {
        kind,
        weight: Weight::Info,
        subject,
        text,
        from: None,
        act_by: None,
        ways: vec![way.clone()],
    };
    Some(match &exit.exit {
        ExitState::Bonded { .. } => return None,
        ExitState::Joining { bonded_from, take_back_until, cancel } => {
            let text = format!(
                "{amount} is bonded from epoch {bonded_from} on; it may be taken back through epoch {take_back_until}."
            );
            let notice = notice(NoticeKind::Joining, text, cancel);
            Notice { from: Some(*bonded_from), act_by: Some(*take_back_until), ..notice }
        }
        ExitState::Unbonding { free_at, change, .. } => {
            let text = format!("{amount} is free at the start of epoch {free_at}; nobody can delay it.");
            Notice { from: Some(*free_at), ..notice(NoticeKind::Unbonding, text, change) }
        }
        ExitState::Free { since, fetch, .. } => {
            let text = format!("{amount} is free since epoch {since}, and waits to be fetched.");
            Notice { weight: Weight::Action, ..notice(NoticeKind::Free, text, fetch) }
        }
    })
}
