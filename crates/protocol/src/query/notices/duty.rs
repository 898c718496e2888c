//! What concerns an account as an operator, as a service, and as one who may slash or veto.

use super::super::Way;
use super::super::operators::open_requests;
use super::super::pools::bonds;
use super::super::slashes::veto_until;
use super::{Notice, NoticeKind, Subject, Weight};
use crate::operation::Kind;
use crate::state::State;
use crate::state::records::{Request, RequestState};
use crate::units::{AccountId, Address, OperatorId, RequestId};

pub(super) fn add(state: &State, account: Address, id: AccountId, notices: &mut Vec<Notice>) {
    if let Some(operator) = state.operator_of(account) {
        Duty { state, account, operator }.add(notices);
    }
    let has_roles = state.accounts.get(id).extra().is_some_and(|extra| extra.roles > 0);
    if has_roles {
        for (request_id, request) in state.requests.iter() {
            if request.state == RequestState::Open {
                notices.extend(as_resolver(state, account, *request_id, request));
                notices.extend(as_slasher(state, account, *request_id, request));
            }
        }
    }
}

struct Duty<'a> {
    state: &'a State,
    account: Address,
    operator: OperatorId,
}

impl Duty<'_> {
    fn subject(&self) -> Subject {
        Subject { operator: Some(self.operator), ..Subject::default() }
    }

    fn add(&self, notices: &mut Vec<Notice>) {
        let Some(record) = self.state.operator(self.operator) else { return };
        for id in open_requests(self.state, self.operator) {
            notices.extend(self.request(id));
        }
        for set in &record.sets {
            let Some(set_record) = self.state.set(*set) else { continue };
            let Some(member) = set_record.active_member(self.operator) else { continue };
            let subject = Subject { set: Some(*set), service: Some(set_record.service), ..self.subject() };
            if let Some(pending) = set_record
                .pending
                .as_ref()
                .filter(|pending| pending.is_worse && !pending.consents.contains(&self.operator))
            {
                let (from, by) = (pending.from, pending.from.previous());
                notices.push(Notice {
                    kind: NoticeKind::ConsentNeeded,
                    weight: Weight::Action,
                    subject: subject.clone(),
                    text: format!(
                        "Worse terms of set {set} start in epoch {from}. Without a consent by epoch {by} the operator leaves the set."
                    ),
                    from: Some(from),
                    act_by: Some(by),
                    ways: vec![Way::of(Kind::Consent, Some(self.account), Some(by))],
                });
            }
            if let Some(until) = member.jailed {
                notices.push(Notice {
                    kind: NoticeKind::Jailed,
                    weight: Weight::Action,
                    subject,
                    text: format!(
                        "The operator is jailed in set {set}, and may return from epoch {until} on."
                    ),
                    from: Some(until),
                    act_by: None,
                    ways: vec![Way::of(Kind::Unjail, Some(self.account), None)],
                });
            }
        }
        self.add_bonds(notices);
        super::announced::add(self.state, self.account, self.operator, notices);
    }

    fn request(&self, id: RequestId) -> Option<Notice> {
        let request = self.state.requests.get(&id)?;
        let (from, last) = self.state.request_window(request);
        let (set, fraction, capture) = (request.set, request.fraction, request.capture);
        let veto = veto_until(self.state, request).map(|until| Way::of(Kind::VetoSlash, None, Some(until)));
        Some(Notice {
            kind: NoticeKind::SlashRequested,
            weight: Weight::Loss,
            subject: Subject { set: Some(set), request: Some(id), ..self.subject() },
            text: format!(
                "Request {id} of set {set} asks for {fraction} of the operator's parts for epoch {capture}; it may be executed in epochs \
                 {from} to {last}."
            ),
            from: Some(from),
            act_by: None,
            ways: veto.into_iter().collect(),
        })
    }

    fn add_bonds(&self, notices: &mut Vec<Notice>) {
        let pools = self.state.operator(self.operator).map(|record| record.pools.clone()).unwrap_or_default();
        for (asset, pool) in pools {
            for bond in bonds(self.state, pool) {
                let Some(free_at) = bond.free_at else { continue };
                let is_free = free_at <= self.state.epoch;
                let amount = bond.amount;
                let text = if is_free {
                    format!("A bond of {amount} is free since epoch {free_at}, and waits to be fetched.")
                } else {
                    format!("A bond of {amount} is free at the start of epoch {free_at}.")
                };
                notices.push(Notice {
                    kind: NoticeKind::BondLeaving,
                    weight: if is_free { Weight::Action } else { Weight::Info },
                    subject: Subject { pool: Some(pool), asset: Some(asset), ..self.subject() },
                    text,
                    from: (!is_free).then_some(free_at),
                    act_by: None,
                    ways: vec![Way::of(Kind::ReleaseBond, None, None)],
                });
            }
        }
    }
}

fn subject_of(id: RequestId, request: &Request) -> Subject {
    let (set, operator) = (Some(request.set), Some(request.operator));
    Subject { set, operator, request: Some(id), ..Subject::default() }
}

fn as_resolver(state: &State, account: Address, id: RequestId, request: &Request) -> Option<Notice> {
    let terms = state.set(request.set)?.terms_in(request.capture);
    let until = veto_until(state, request).filter(|until| *until >= state.epoch)?;
    if !terms.resolvers.contains(&account)
        || request.vetoes.contains(&account)
        || state.operator_of(account) == Some(request.operator)
    {
        return None;
    }
    let (vetoes, threshold) = (request.vetoes.len(), terms.veto_threshold());
    Some(Notice {
        kind: NoticeKind::VetoOpen,
        weight: Weight::Action,
        subject: subject_of(id, request),
        text: format!(
            "Request {id} may be vetoed through epoch {until}; {vetoes} of {threshold} vetoes are there."
        ),
        from: None,
        act_by: Some(until),
        ways: vec![Way::of(Kind::VetoSlash, Some(account), Some(until))],
    })
}

fn as_slasher(state: &State, account: Address, id: RequestId, request: &Request) -> Option<Notice> {
    let terms = state.set(request.set)?.terms_in(request.capture);
    if terms.slasher != account {
        return None;
    }
    let (from, last) = state.request_window(request);
    Some(Notice {
        kind: NoticeKind::RequestOpen,
        weight: Weight::Action,
        subject: subject_of(id, request),
        text: format!("Request {id} may be executed in epochs {from} to {last}, and lapses after that."),
        from: Some(from),
        act_by: Some(last),
        ways: vec![Way::of(Kind::ExecuteSlash, None, Some(last))],
    })
}
