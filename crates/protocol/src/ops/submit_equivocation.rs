//! Anyone proves that an operator signed two different things for one slot. It executes at once.

use evidence::{Equivocation, EvidenceRefused, Offence, PublicKey};

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::slashing::accused::{accused, refuses_not_accused};
use crate::slashing::{self, Order};
use crate::state::State;
use crate::state::records::OffenceKey;
use crate::units::{Address, Epoch, OperatorId, SetId};

record! {
    /// Submits evidence of an equivocation.
    pub struct SubmitEquivocation {
        /// The two statements and who signed them.
        pub evidence: Equivocation,
    }
}

refusals! {
    /// Why evidence is refused.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        EpochInFuture { epoch: Epoch, now: Epoch } => "epoch {epoch} is later than the present, {now}",
        TooLate { epoch: Epoch, last: Epoch } => "an offence of epoch {epoch} could be reported until epoch {last}",
        NotPunished { set: SetId } => "the terms of set {set} for that epoch do not punish equivocation",
        KeyNotRegistered { key: PublicKey, set: SetId } => "key {key} was not registered in set {set} in that epoch",
        NotOnDuty { operator: OperatorId, epoch: Epoch } => "operator {operator} was not in the stake table of epoch {epoch}",
        EvidenceRefused { refused: EvidenceRefused } => "{refused}",
        SlashRefused { refused: slashing::Refused } => "{refused}",
    }
}

refuses_not_accused!(Refused);

impl SubmitEquivocation {
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
        let jails =
            state.set(order.set).is_some_and(|record| record.terms_in(order.capture).jail.on_equivocation);
        slashing::carry_out(state, &order, &plan, events);
        if jails && state.set(order.set).is_some_and(|record| record.active_member(order.operator).is_some())
        {
            let until = state.jail(order.set, order.operator);
            events.push(Event::Jailed { set: order.set, operator: order.operator, until });
        }
        Ok(())
    }

    fn order(&self, state: &State) -> Result<Order, Refused> {
        let evidence = &self.evidence;
        let set = SetId::new(evidence.set);
        let capture = Epoch::new(evidence.epoch);
        let accused = accused(state, set, capture, &evidence.key, |offences| offences.equivocation)?;
        let offence = Offence::from_equivocation(&state.genesis.ledger.0, evidence)
            .map_err(|refused| Refused::EvidenceRefused { refused })?;
        Ok(Order {
            set,
            operator: accused.operator,
            capture,
            fraction: accused.fraction,
            offence: OffenceKey::Slot { capture, kind: offence.kind(), slot: offence.slot() },
            reason: format!("equivocation in slot {} of kind {}", offence.slot(), offence.kind()),
            evidence: Some(crate::units::Digest(offence.digest())),
            victims: Vec::new(),
        })
    }
}
