//! An operator stops for good.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, OperatorId};

record! {
    /// Takes no new stake and gives back all allocations. Stakers leave when they like; the id is never used again.
    pub struct RetireOperator {}
}

refusals! {
    /// Why retiring is refused.
    {
        NotAnOperator => "the sender is not an operator",
        AlreadyRetired { operator: OperatorId } => "operator {operator} has retired already",
    }
}

impl RetireOperator {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        let record = state.operator(operator).ok_or(Refused::NotAnOperator)?;
        if record.is_retired {
            return Err(Refused::AlreadyRetired { operator });
        }

        // From here on nothing can fail.
        let (account, deposit) = (record.account, record.deposit);
        let sets: Vec<_> = record.sets.iter().copied().collect();
        for set in sets {
            if state.set(set).is_some_and(|record| record.active_member(operator).is_some()) {
                events.push(Event::LeftSet { set, operator, replaced_by: None });
            }
            state.leave_set(set, operator, state.epoch);
        }
        let record = state.operator_mut(operator);
        record.is_retired = true;
        record.deposit = Amount::ZERO;
        let pools = record.pools.clone();
        state.return_deposit(account, deposit);
        for (_, pool) in pools {
            let deposit = std::mem::take(&mut state.pool_mut(pool).deposit);
            state.return_deposit(account, deposit);
        }
        events.push(Event::OperatorRetired { operator });
        Ok(())
    }
}
