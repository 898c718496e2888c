//! Anyone has the part of a slash taken that grows with how many offended together.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::slashing::{self, Order};
use crate::state::State;
use crate::state::records::OffenceKey;
use crate::units::{Address, Epoch, Fraction, OperatorId, SetId};

record! {
    /// Takes the part by correlation from an operator that was slashed for an epoch, once, when the window is over.
    pub struct Correlate {
        /// The set.
        pub set: SetId,
        /// The operator.
        pub operator: OperatorId,
        /// The capture epoch.
        pub capture: Epoch,
    }
}

refusals! {
    /// Why it is refused.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        NoCurve { set: SetId } => "the terms of set {set} for that epoch have no correlation curve",
        TooEarly { from: Epoch } => "the window is over in epoch {from}",
        TooLate { last: Epoch } => "it could be taken until epoch {last}",
        NoOffence { operator: OperatorId, epoch: Epoch } => "operator {operator} was not slashed for epoch {epoch}",
        SlashRefused { refused: slashing::Refused } => "{refused}",
    }
}

impl Correlate {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let _ = sender;
        let order = self.order(state)?;
        let plan = slashing::plan(state, &order).map_err(|refused| Refused::SlashRefused { refused })?;

        // From here on nothing can fail.
        slashing::carry_out(state, &order, &plan, events);
        Ok(())
    }

    fn order(&self, state: &State) -> Result<Order, Refused> {
        let Self { set, operator, capture } = *self;
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        let curve = record.terms_in(capture).offences.correlation.as_ref().ok_or(Refused::NoCurve { set })?;
        let window = state.parameters.at(capture).slash_window;
        let (from, last) = (capture.later(window).next(), state.last_execution(capture));
        if state.epoch < from {
            return Err(Refused::TooEarly { from });
        }
        if state.epoch > last {
            return Err(Refused::TooLate { last });
        }
        let is_offence = |key: &OffenceKey| !matches!(key, OffenceKey::Correlation { .. });
        let of = |epoch: Epoch| capture.earlier(window) <= epoch && epoch <= capture.later(window);
        let mut offenders: Vec<(OperatorId, Epoch)> = record
            .punished
            .keys()
            .filter(|(_, key)| is_offence(key) && of(key.capture()))
            .map(|(operator, key)| (*operator, key.capture()))
            .collect();
        if !offenders.contains(&(operator, capture)) {
            return Err(Refused::NoOffence { operator, epoch: capture });
        }
        offenders.sort_unstable();
        offenders.dedup_by_key(|(operator, _)| *operator);
        let share = offenders.iter().fold(Fraction::ZERO, |sum, (operator, epoch)| {
            sum.plus_up_to_one(record.table_of(*epoch).map_or(Fraction::ZERO, |table| table.share(*operator)))
        });
        Ok(Order {
            set,
            operator,
            capture,
            fraction: curve.at(share),
            offence: OffenceKey::Correlation { capture },
            reason: format!("correlation: {share} of the weight offended within {window} epochs"),
            evidence: None,
            victims: Vec::new(),
        })
    }
}
