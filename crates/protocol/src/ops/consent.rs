//! An operator agrees to announced terms.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Digest, Epoch, SetId};

record! {
    /// Consents to the announced terms of one set, named by their digest. Nothing else is consent.
    pub struct Consent {
        /// The set.
        pub set: SetId,
        /// The digest of the announced terms.
        pub terms: Digest,
    }
}

refusals! {
    /// Why a consent is refused.
    {
        NotAnOperator => "the sender is not an operator",
        SetNotFound { set: SetId } => "set {set} does not exist",
        NotAMember { set: SetId } => "the operator is not in set {set}",
        NothingPending { set: SetId } => "set {set} has announced nothing that needs consent",
        TermsDiffer { signed: Digest, announced: Digest, from: Epoch } => "the signed terms {signed} are not the terms {announced} announced for epoch {from}",
    }
}

impl Consent {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let set = self.set;
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        if record.active_member(operator).is_none() {
            return Err(Refused::NotAMember { set });
        }
        let pending = record.pending.as_ref().filter(|pending| pending.is_worse);
        let pending = pending.ok_or(Refused::NothingPending { set })?;
        if pending.digest != self.terms {
            return Err(Refused::TermsDiffer {
                signed: self.terms,
                announced: pending.digest,
                from: pending.from,
            });
        }

        // From here on nothing can fail.
        if let Some(pending) = &mut state.set_mut(set).pending {
            pending.consents.insert(operator);
        }
        events.push(Event::Consented { set, operator, terms: self.terms });
        Ok(())
    }
}
