//! A service's slasher asks for a slash, for a reason. It can be vetoed before it executes.

use std::collections::BTreeSet;

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::{OffenceKey, Request, RequestState, Victim};
use crate::units::{Address, Amount, Epoch, Fraction, OperatorId, RequestId, SetId};

record! {
    /// Opens a request. Vetoed or lapsed is final for the operator and the capture epoch.
    pub struct RequestSlash {
        /// The set.
        pub set: SetId,
        /// The operator.
        pub operator: OperatorId,
        /// When the offence happened.
        pub capture: Epoch,
        /// How much of what the set owned then.
        pub fraction: Fraction,
        /// What happened, for people.
        pub reason: String,
        /// The users harmed, where the terms compensate them.
        #[serde(default)]
        pub victims: Vec<Victim>,
    }
}

refusals! {
    /// Why a request is refused.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        EpochInFuture { epoch: Epoch, now: Epoch } => "epoch {epoch} is later than the present, {now}",
        TooLate { epoch: Epoch, last: Epoch } => "an offence of epoch {epoch} could be reported until epoch {last}",
        NotTheSlasher { set: SetId } => "the sender is not the slasher of set {set} in that epoch",
        FractionIsZero => "the fraction is zero",
        ExceedsTerms { fraction: Fraction, most: Fraction } => "a fraction of {fraction} exceeds the {most} of the terms of that epoch",
        ReasonLength { length: usize, most: usize } => "the reason has {length} bytes, and needs 1 to {most}",
        BadVictims { why: String } => "{why}",
        NotOnDuty { operator: OperatorId, epoch: Epoch } => "operator {operator} was not in the stake table of epoch {epoch}",
        AlreadyRequested { request: RequestId } => "request {request} is for the same operator and epoch",
        TooManyOpen { open: usize } => "{open} requests against the operator are open, and two may be",
        DepositMissing { deposit: Amount, free: Amount } => "the deposit of {deposit} exceeds the free balance {free}",
    }
}

const REASON_LENGTH_MAX: usize = 512;
const OPEN_MAX: usize = 2;

impl RequestSlash {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        self.check(state, sender)?;
        let deposit = state.parameters().request_deposit;
        state.can_post(sender, deposit).map_err(|free| Refused::DepositMissing { deposit, free })?;

        // From here on nothing can fail.
        let Self { set, operator, capture, fraction, .. } = *self;
        let now = state.epoch;
        let requester = state.accounts.open(sender);
        state.post(requester, deposit);
        let id = RequestId::new(state.request_count);
        state.request_count = state.request_count.saturating_add(1);
        let request = Request {
            set,
            operator,
            capture,
            fraction,
            reason: self.reason.clone(),
            victims: self.victims.clone(),
            requested: now,
            requester,
            deposit,
            vetoes: BTreeSet::new(),
            approvals: BTreeSet::new(),
            state: RequestState::Open,
        };
        let (executable_from, lapses_after) = state.request_window(&request);
        state.requests.insert(id, request);
        state.request_ids.insert((set, operator, capture), id);
        state.note_open(id);
        let reason = self.reason.clone();
        events.push(Event::SlashRequested {
            request: id,
            set,
            operator,
            capture,
            fraction,
            reason,
            executable_from,
            lapses_after,
        });
        Ok(())
    }

    fn check(&self, state: &State, sender: Address) -> Result<(), Refused> {
        let Self { set, operator, capture, fraction, .. } = *self;
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        let now = state.epoch;
        if capture > now {
            return Err(Refused::EpochInFuture { epoch: capture, now });
        }
        let last = capture.later(state.parameters.at(capture).slash_window);
        if now > last {
            return Err(Refused::TooLate { epoch: capture, last });
        }
        let terms = record.terms_in(capture);
        if terms.slasher != sender {
            return Err(Refused::NotTheSlasher { set });
        }
        if fraction.is_zero() {
            return Err(Refused::FractionIsZero);
        }
        let most = terms.offences.subjective.unwrap_or(Fraction::ZERO);
        if fraction > most {
            return Err(Refused::ExceedsTerms { fraction, most });
        }
        let (length, most) = (self.reason.len(), REASON_LENGTH_MAX);
        if !(1..=most).contains(&length) {
            return Err(Refused::ReasonLength { length, most });
        }
        self.check_victims(state, terms.compensates())?;
        if !record.was_on_duty(operator, capture) {
            return Err(Refused::NotOnDuty { operator, epoch: capture });
        }
        self.check_others(state)
    }

    fn check_victims(&self, state: &State, compensates: bool) -> Result<(), Refused> {
        let bad = |why: String| Refused::BadVictims { why };
        let (count, most) = (self.victims.len(), usize::from(state.limits().items_per_operation));
        if count > most {
            return Err(bad(format!("{count} victims exceed {most}")));
        }
        if count > 0 && !compensates {
            return Err(bad("the terms compensate nobody".to_owned()));
        }
        match self.victims.iter().find(|victim| victim.amount.is_zero() || victim.amount > Amount::LIMIT) {
            Some(victim) => Err(bad(format!("a victim is owed {}", victim.amount))),
            None => Ok(()),
        }
    }

    fn check_others(&self, state: &State) -> Result<(), Refused> {
        let mut open = 0_usize;
        for (capture, request) in state.requests_against(self.set, self.operator) {
            if capture == self.capture {
                return Err(Refused::AlreadyRequested { request });
            }
            if state.requests.get(&request).is_some_and(|request| request.state == RequestState::Open) {
                open = open.saturating_add(1);
            }
        }
        if open >= OPEN_MAX {
            return Err(Refused::TooManyOpen { open });
        }
        Ok(())
    }
}

impl Request {
    /// What makes it the same offence as another report.
    pub(crate) fn offence(&self) -> OffenceKey {
        OffenceKey::Reason { capture: self.capture }
    }
}
