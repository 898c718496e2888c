//! A resolver of the capture epoch says yes to a request that needs it.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::RequestState;
use crate::units::{Address, RequestId};

record! {
    /// Counts the sender's yes: a slash that takes the set past its mass bound needs the resolvers' yes, not only their silence.
    pub struct ApproveSlash {
        /// The request.
        pub request: RequestId,
    }
}

refusals! {
    /// Why an approval is refused.
    {
        RequestNotFound { request: RequestId } => "request {request} does not exist",
        NotOpen { request: RequestId } => "request {request} is not open",
        NotAResolver { request: RequestId } => "the sender is not a resolver of the capture epoch of request {request}",
        IsTheOperator => "the sender is the operator that would be slashed",
        AlreadyApproved => "the sender has approved it already",
    }
}

impl ApproveSlash {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.request;
        let request = state.requests.get(&id).ok_or(Refused::RequestNotFound { request: id })?;
        if request.state != RequestState::Open {
            return Err(Refused::NotOpen { request: id });
        }
        let terms = state.set(request.set).map(|record| record.terms_in(request.capture));
        if !terms.is_some_and(|terms| terms.resolvers.contains(&sender)) {
            return Err(Refused::NotAResolver { request: id });
        }
        if state.operator_of(sender) == Some(request.operator) {
            return Err(Refused::IsTheOperator);
        }
        if request.approvals.contains(&sender) {
            return Err(Refused::AlreadyApproved);
        }

        // From here on nothing can fail.
        let Some(request) = state.requests.get_mut(&id) else { return Ok(()) };
        request.approvals.insert(sender);
        let approvals = request.approvals.len();
        events.push(Event::SlashApproved { request: id, resolver: sender, approvals });
        Ok(())
    }
}
