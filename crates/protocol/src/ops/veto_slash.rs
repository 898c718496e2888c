//! A resolver of the capture epoch objects to a request.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::RequestState;
use crate::units::{Address, Epoch, RequestId};

record! {
    /// Counts the sender's veto. When the threshold of the terms is reached the request is dead for good and its deposit is burnt.
    pub struct VetoSlash {
        /// The request.
        pub request: RequestId,
    }
}

refusals! {
    /// Why a veto is refused.
    {
        RequestNotFound { request: RequestId } => "request {request} does not exist",
        NotOpen { request: RequestId } => "request {request} is not open",
        NotAResolver { request: RequestId } => "the sender is not a resolver of the capture epoch of request {request}",
        IsTheOperator => "the sender is the operator that would be slashed",
        TooLate { last: Epoch } => "the request could be vetoed until epoch {last}",
        AlreadyVetoed => "the sender has vetoed it already",
    }
}

impl VetoSlash {
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
        let terms = terms.filter(|terms| terms.resolvers.contains(&sender));
        let threshold = terms.ok_or(Refused::NotAResolver { request: id })?.veto_threshold();
        if state.operator_of(sender) == Some(request.operator) {
            return Err(Refused::IsTheOperator);
        }
        let (executable_from, _) = state.request_window(request);
        if state.epoch >= executable_from {
            return Err(Refused::TooLate { last: executable_from.previous() });
        }
        if request.vetoes.contains(&sender) {
            return Err(Refused::AlreadyVetoed);
        }

        // From here on nothing can fail.
        let Some(request) = state.requests.get_mut(&id) else { return Ok(()) };
        request.vetoes.insert(sender);
        let vetoes = request.vetoes.len();
        let is_vetoed = vetoes >= threshold;
        events.push(Event::VetoCounted { request: id, resolver: sender, vetoes, threshold });
        if is_vetoed {
            request.state = RequestState::Vetoed;
            let deposit = std::mem::take(&mut request.deposit);
            state.burn_deposit(deposit);
            state.note_ended(id, Vec::new());
            events.push(Event::SlashVetoed { request: id });
        }
        Ok(())
    }
}
