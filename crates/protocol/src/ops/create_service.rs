//! An account becomes a service.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::Service;
use crate::units::{Address, ServiceId};

record! {
    /// Registers the sender as a service. What is secured are its operator sets.
    pub struct CreateService {}
}

refusals! {
    /// Why a service is refused.
    {
        AlreadyRegistered { service: ServiceId } => "the sender is service {service} already",
    }
}

impl CreateService {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        if let Some(service) = state.service_of(sender) {
            return Err(Refused::AlreadyRegistered { service });
        }

        // From here on nothing can fail.
        let account = state.accounts.open(sender);
        let id = ServiceId::at(state.services.len());
        state.services.push(Service { account });
        state.accounts.get_mut(account).extra_mut().service = Some(id);
        events.push(Event::ServiceCreated { service: id, account: sender });
        Ok(())
    }
}
