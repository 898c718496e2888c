//! A service keeps the list of whom it lets join.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, OperatorId, SetId};

record! {
    /// Puts an operator on the list of a set, or takes it off. Who is in the set already stays.
    pub struct Admit {
        /// The set.
        pub set: SetId,
        /// The operator.
        pub operator: OperatorId,
        /// Whether it may join.
        pub admitted: bool,
    }
}

refusals! {
    /// Why a change of the list is refused.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        NotTheService { set: SetId } => "the sender is not the service of set {set}",
        OperatorNotFound { operator: OperatorId } => "operator {operator} is not registered",
        Unchanged => "that is so already",
        ListFull { count: usize, most: usize } => "the list has {count} operators, and may have {most}",
    }
}

impl Admit {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { set, operator, admitted } = *self;
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        if !state.is_service(record, sender) {
            return Err(Refused::NotTheService { set });
        }
        if state.operator(operator).is_none() {
            return Err(Refused::OperatorNotFound { operator });
        }
        if record.admitted.contains(&operator) == admitted {
            return Err(Refused::Unchanged);
        }
        let (count, most) =
            (record.admitted.len(), usize::from(state.limits().operators_per_set).saturating_mul(4));
        if admitted && count >= most {
            return Err(Refused::ListFull { count, most });
        }

        // From here on nothing can fail.
        let list = &mut state.set_mut(set).admitted;
        if admitted {
            list.insert(operator);
        } else {
            list.remove(&operator);
        }
        events.push(Event::Admitted { set, operator, admitted });
        Ok(())
    }
}
