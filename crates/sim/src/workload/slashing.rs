//! What slashers, resolvers and anybody ask.

use evidence::{Equivocation, Signed, Statement};
use protocol::ops::approve_slash::ApproveSlash;
use protocol::ops::correlate::Correlate;
use protocol::ops::execute_slash::ExecuteSlash;
use protocol::ops::release_proceeds::ReleaseProceeds;
use protocol::ops::request_slash::RequestSlash;
use protocol::ops::submit_equivocation::SubmitEquivocation;
use protocol::ops::veto_slash::VetoSlash;
use protocol::terms::Beneficiary;
use protocol::units::{Amount, Epoch, Fraction, OperatorId, RequestId, SetId, SlashId};
use protocol::{Operation, Victim};

use super::Workload;
use crate::model::records::{Offence, Request, RequestState};
use crate::model::{Model, number};
use crate::script::Step;

impl Workload {
    /// Somebody on duty in an epoch of the recent past, most often.
    fn on_duty(&mut self, model: &Model) -> (SetId, OperatorId, Epoch) {
        let (set, capture) = (self.set(model), self.recent(model));
        let table = model.set(set).and_then(|record| record.tables.get(&capture));
        let rows: Vec<OperatorId> =
            table.map(|table| table.rows.iter().map(|row| row.operator).collect()).unwrap_or_default();
        let operator = match self.prng.pick(&rows) {
            Some(operator) if !self.prng.chance(4) => *operator,
            _ => self.operator(model),
        };
        (set, operator, capture)
    }

    pub(super) fn request_slash(&mut self, model: &Model) -> Option<Step> {
        let (set, operator, capture) = self.on_duty(model);
        let record = model.set(set);
        let terms = record.map(|record| record.terms_in(capture));
        let is_on_duty = record.is_some_and(|record| record.is_on_duty(operator, capture));
        if !is_on_duty && !self.prng.chance(15) {
            return None;
        }
        let most = terms.and_then(|terms| terms.offences.subjective).unwrap_or(Fraction::ONE);
        let fraction = match self.prng.below(12) {
            0 => Fraction::ZERO,
            1..4 => most,
            4 => self.fraction(),
            _ => self.fraction().min(most),
        };
        let slasher = terms.map(|terms| terms.slasher).filter(|_| !self.prng.chance(3));
        let sender = slasher.unwrap_or_else(|| self.staker());
        let compensates =
            terms.is_some_and(|terms| terms.destinations.iter().any(|d| d.to == Beneficiary::Compensate));
        let mut victims = Vec::new();
        if self.prng.chance(if compensates { 60 } else { 2 }) {
            for _ in 0..2 {
                let (account, asset) = (self.staker(), self.listed(model));
                victims.push(Victim { account, asset, amount: Amount::new(self.prng.amount(1 << 60)) });
            }
        }
        let reason = "late".to_owned();
        self.ask(
            sender,
            Operation::RequestSlash(RequestSlash { set, operator, capture, fraction, reason, victims }),
        )
    }

    fn some_request<'a>(
        &mut self,
        model: &'a Model,
        wanted: impl Fn(&Request) -> bool,
    ) -> Option<(RequestId, &'a Request)> {
        let places: Vec<usize> =
            (0..model.requests.len()).filter(|place| wanted(&model.requests[*place])).collect();
        let place = match self.prng.pick(&places) {
            Some(place) if !self.prng.chance(4) => *place,
            _ => usize::try_from(self.number_below(model.requests.len() as u64)).ok()?,
        };
        Some((RequestId::new(number(place)), model.requests.get(place)?))
    }

    fn resolver(&mut self, model: &Model, request: &Request) -> protocol::units::Address {
        let terms = model.set(request.asked.set).map(|set| set.terms_in(request.asked.capture));
        let resolvers = terms.map(|terms| terms.resolvers.clone()).unwrap_or_default();
        let known = self.prng.pick(&resolvers).copied().filter(|_| !self.prng.chance(8));
        known.unwrap_or_else(|| self.world.resolvers[0])
    }

    pub(super) fn veto_slash(&mut self, model: &Model) -> Option<Step> {
        let is_wanted = |request: &Request| {
            request.state == RequestState::Open && model.epoch < model.request_window(request).0
        };
        let (request, record) = self.some_request(model, is_wanted)?;
        let sender = self.resolver(model, record);
        self.ask(sender, Operation::VetoSlash(VetoSlash { request }))
    }

    pub(super) fn approve_slash(&mut self, model: &Model) -> Option<Step> {
        let (request, record) = self.some_request(model, |request| request.state == RequestState::Open)?;
        let sender = self.resolver(model, record);
        self.ask(sender, Operation::ApproveSlash(ApproveSlash { request }))
    }

    pub(super) fn execute_slash(&mut self, model: &Model) -> Option<Step> {
        let is_wanted = |request: &Request| {
            request.state == RequestState::Open && model.epoch >= model.request_window(request).0
        };
        let is_there = model.requests.iter().any(is_wanted);
        if !is_there && !self.prng.chance(10) {
            return None;
        }
        let (request, _) = self.some_request(model, is_wanted)?;
        let sender = self.staker();
        self.ask(sender, Operation::ExecuteSlash(ExecuteSlash { request }))
    }

    /// Executes a request that waits for it.
    pub(super) fn execute_ripe(&mut self, model: &Model) -> Option<Step> {
        let ripe = (0..model.requests.len()).filter(|place| {
            let request = &model.requests[*place];
            request.state == RequestState::Open && model.epoch >= model.request_window(request).0
        });
        let request = RequestId::new(number(*self.prng.pick(&ripe.collect::<Vec<_>>())?));
        let sender = self.staker();
        self.ask(sender, Operation::ExecuteSlash(ExecuteSlash { request }))
    }

    pub(super) fn submit_equivocation(&mut self, model: &Model) -> Option<Step> {
        let (set, operator, capture) = self.on_duty(model);
        let record = model.set(set)?;
        let had_key = record
            .members
            .get(&operator)
            .is_some_and(|member| member.keys.iter().any(|(_, from, to)| *from <= capture && capture <= *to));
        if !had_key && !self.prng.chance(8) {
            return None;
        }
        let secret = (0..4).map(|_| self.some_key(set, operator)).find(|secret| {
            let key = secret.public_key();
            record
                .members
                .get(&operator)
                .is_some_and(|member| member.keys.iter().any(|(own, ..)| *own == key))
        });
        let secret = secret.unwrap_or_else(|| self.some_key(set, operator));
        let kind = u16::try_from(self.number_below(2)).unwrap_or(0);
        let slot = self.prng.below(3);
        let contents = if self.prng.chance(3) { [[7; 32], [7; 32]] } else { [[7; 32], [8; 32]] };
        let ledger = model.genesis.ledger.0;
        let [first, second] = contents.map(|content| {
            let (set, epoch) = (set.number(), capture.number());
            let statement = Statement { ledger, set, epoch, kind, slot, content };
            Signed { content, signature: secret.sign(&statement.signing_bytes()) }
        });
        let key = secret.public_key();
        let (set, epoch) = (set.number(), capture.number());
        let evidence = Equivocation { key, set, epoch, kind, slot, first, second };
        let sender = self.staker();
        self.ask(sender, Operation::SubmitEquivocation(SubmitEquivocation { evidence }))
    }

    /// Offences for which the part by correlation may be taken.
    fn correlated(model: &Model) -> Vec<(SetId, OperatorId, Epoch)> {
        let mut known = Vec::new();
        for set in model.set_ids() {
            let Some(record) = model.set(set) else { continue };
            let open = record.punished.keys().filter(|(_, capture, offence)| {
                let is_over = capture.later(model.rules_in(*capture).slash_window) < model.epoch;
                let has_curve = record.terms_in(*capture).offences.correlation.is_some();
                let is_open = is_over && model.last_execution(*capture) >= model.epoch;
                *offence != Offence::Correlation && has_curve && is_open
            });
            known.extend(open.map(|(operator, capture, _)| (set, *operator, *capture)));
        }
        known
    }

    /// Takes a part by correlation that waits for it.
    pub(super) fn correlate_ripe(&mut self, model: &Model) -> Option<Step> {
        let (set, operator, capture) = *self.prng.pick(&Self::correlated(model))?;
        let sender = self.staker();
        self.ask(sender, Operation::Correlate(Correlate { set, operator, capture }))
    }

    pub(super) fn correlate(&mut self, model: &Model) -> Option<Step> {
        let (set, operator, capture) = match self.prng.pick(&Self::correlated(model)) {
            Some(known) => *known,
            None if self.prng.chance(10) => self.on_duty(model),
            None => return None,
        };
        let sender = self.staker();
        self.ask(sender, Operation::Correlate(Correlate { set, operator, capture }))
    }

    pub(super) fn release_proceeds(&mut self, model: &Model) -> Option<Step> {
        let held: Vec<SlashId> = model.proceeds.keys().copied().collect();
        let slash = match self.prng.pick(&held) {
            Some(slash) => *slash,
            None if self.prng.chance(10) => SlashId::new(0),
            None => return None,
        };
        let sender = self.staker();
        self.ask(sender, Operation::ReleaseProceeds(ReleaseProceeds { slash }))
    }
}
