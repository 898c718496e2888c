//! Slashes that need no request: proven equivocations, and what grows with how many offended together.

use std::collections::BTreeMap;

use protocol::Event;
use protocol::ops::correlate::Correlate;
use protocol::ops::submit_equivocation::SubmitEquivocation;
use protocol::units::{Epoch, Fraction, OperatorId, SetId};

use super::records::Offence;
use super::slashing::Order;
use super::{Fault, Model, Verdict, ensure, exact};

impl Model {
    pub(crate) fn submit_equivocation(&mut self, op: &SubmitEquivocation, events: &[Event]) -> Verdict {
        let evidence = &op.evidence;
        let (id, capture) = (SetId::new(evidence.set), Epoch::new(evidence.epoch));
        let set = self.set(id).ok_or("SetNotFound")?;
        ensure!(capture <= self.epoch, "EpochInFuture");
        ensure!(self.epoch <= capture.later(self.rules_in(capture).slash_window), "TooLate");
        let terms = set.terms_in(capture);
        let fraction = terms.offences.equivocation.ok_or("NotPunished")?;
        let is_jailed = terms.jail.on_equivocation;
        let (owner, operator) = *self.keys.get(&evidence.key).ok_or("KeyNotRegistered")?;
        let counted = |(key, from, to): &(evidence::PublicKey, Epoch, Epoch)| {
            *key == evidence.key && *from <= capture && capture <= *to
        };
        let had_key = set.members.get(&operator).is_some_and(|member| member.keys.iter().any(counted));
        ensure!(owner == id && had_key, "KeyNotRegistered");
        ensure!(set.is_on_duty(operator, capture), "NotOnDuty");
        ensure!(evidence.first.content != evidence.second.content, "EvidenceRefused");
        let offence = Offence::Slot(evidence.kind, evidence.slot);
        let order = Order { set: id, operator, capture, fraction, offence, victims: Vec::new() };
        let plan = self.plan_slash(&order).map_err(|_| "SlashRefused")?;
        self.slash(&order, plan, events);
        let is_member = self.set(id).is_some_and(|set| set.active_member(operator).is_some());
        if is_jailed && is_member {
            self.put_in_jail(id, operator);
        }
        Ok(())
    }

    pub(crate) fn correlate(&mut self, op: &Correlate, events: &[Event]) -> Verdict {
        let Correlate { set: id, operator, capture } = *op;
        let set = self.set(id).ok_or("SetNotFound")?;
        let curve = set.terms_in(capture).offences.correlation.clone().ok_or("NoCurve")?;
        let window = self.rules_in(capture).slash_window;
        ensure!(self.epoch > capture.later(window), "TooEarly");
        ensure!(self.epoch <= self.last_execution(capture), "TooLate");
        let (first, last) = match self.fault {
            Some(Fault::CorrelationCountsEpochOnly) => (capture, capture),
            _ => (capture.earlier(window), capture.later(window)),
        };
        // Each offender counts once, with its share in the first of its offences in the window.
        let mut offenders: BTreeMap<OperatorId, Epoch> = BTreeMap::new();
        let mut is_offender = false;
        for (who, epoch, _) in set.punished.keys().filter(|(_, _, offence)| *offence != Offence::Correlation)
        {
            if first <= *epoch && *epoch <= last {
                let earliest = offenders.entry(*who).or_insert(*epoch);
                *earliest = (*earliest).min(*epoch);
                is_offender |= *who == operator && *epoch == capture;
            }
        }
        ensure!(is_offender, "NoOffence");
        let shares = offenders
            .iter()
            .map(|(who, epoch)| set.tables.get(epoch).map_or(Fraction::ZERO, |table| table.share(*who)));
        let share = exact::ratio(exact::sum_up_to_one(shares));
        let power =
            if curve.exponent == 2 { exact::ratio(exact::fraction_down(&(&share * &share))) } else { share };
        let fraction = exact::fraction_down(&(power * exact::whole(u128::from(curve.multiplier))));
        let offence = Offence::Correlation;
        let order = Order { set: id, operator, capture, fraction, offence, victims: Vec::new() };
        let plan = self.plan_slash(&order).map_err(|_| "SlashRefused")?;
        self.slash(&order, plan, events);
        Ok(())
    }
}
