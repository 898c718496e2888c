//! Native stake whose balance nobody has proven for long stops weighing and earning.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::ops::undelegate::Undelegate;
use crate::state::State;
use crate::state::records::FollowUp;
use crate::units::{Address, Epoch, ValidatorId};

record! {
    /// Anyone asks back the stake of a validator that was not proven for `K` epochs: from the next epoch on it weighs and earns nothing.
    pub struct DeclareStale {
        /// The validator.
        pub validator: ValidatorId,
    }
}

refusals! {
    /// Why a declaration is refused.
    {
        ValidatorNotFound { validator: ValidatorId } => "validator {validator} is not known",
        StillFresh { proven: Epoch, stale_from: Epoch } => "its balance was proven in epoch {proven} and is stale from epoch {stale_from}",
        NothingDelegated { validator: ValidatorId } => "validator {validator} has no stake that was not asked back",
    }
}

impl DeclareStale {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.validator;
        let validator = state.validator(id).cloned().ok_or(Refused::ValidatorNotFound { validator: id })?;
        let stale_from = state.stale_from(id, &validator);
        if state.epoch < stale_from {
            return Err(Refused::StillFresh { proven: validator.proven, stale_from });
        }
        let first = state.accounts.get(validator.account).first_position;
        let staying = state
            .positions
            .list(first)
            .filter(|(_, position)| position.validator() == Some(id) && position.until == Epoch::NEVER);
        let mut pools: Vec<_> = staying.map(|(_, position)| position.pool).collect();
        pools.sort_unstable();
        pools.dedup();
        if pools.is_empty() {
            return Err(Refused::NothingDelegated { validator: id });
        }

        // From here on nothing can fail.
        let owner = state.accounts.get(validator.account).address;
        events.push(Event::DeclaredStale { validator: id, account: owner });
        for pool in pools {
            let record = state.pool(pool);
            let (operator, asset) = (record.operator, record.asset);
            let leave =
                Undelegate { operator, asset, amount: None, validator: Some(id), follow_up: FollowUp::Free };
            leave.apply(state, owner, events).expect("there is stake, and an exit can't be refused");
        }
        Ok(())
    }
}
