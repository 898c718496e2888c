//! A service says how well an operator works in the running epoch.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Fraction, OperatorId, SetId};

record! {
    /// Scales an operator's share of this epoch's streams. What it loses goes to the epoch's other operators, then burns; never back.
    pub struct ReportPerformance {
        /// The set.
        pub set: SetId,
        /// The operator.
        pub operator: OperatorId,
        /// 1 is the full share.
        pub factor: Fraction,
    }
}

refusals! {
    /// Why a report is refused.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        NotTheService { set: SetId } => "the sender is not the service of set {set}",
        NotOnDuty { operator: OperatorId } => "operator {operator} is not in this epoch's stake table",
    }
}

impl ReportPerformance {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { set, operator, factor } = *self;
        let epoch = state.epoch;
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        if !state.is_service(record, sender) {
            return Err(Refused::NotTheService { set });
        }
        if !record.was_on_duty(operator, epoch) {
            return Err(Refused::NotOnDuty { operator });
        }

        // From here on nothing can fail.
        state.set_mut(set).performance.insert(operator, factor);
        events.push(Event::PerformanceReported { set, operator, epoch, factor });
        Ok(())
    }
}
