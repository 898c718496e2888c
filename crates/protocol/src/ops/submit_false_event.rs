//! Anyone proves that an operator has signed something about Ethereum that is not so. It executes at once.

use evidence::ethereum::{HeaderBytes, OpeningError, StateNodes};
use evidence::{EvidenceRefused, FalseEvent, Offence, PublicKey};

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::slashing::accused::{accused, refuses_not_accused};
use crate::slashing::{self, Order};
use crate::state::State;
use crate::state::records::OffenceKey;
use crate::units::{Address, Digest, Epoch, OperatorId, SetId};

record! {
    /// Submits a signed statement about an event on Ethereum with the receipt that says otherwise.
    pub struct SubmitFalseEvent {
        /// The slot of the finalized header whose execution block is open.
        pub slot: u64,
        /// The statement, who signed it, and what is so.
        pub evidence: FalseEvent,
        /// The block of the event, where it is an earlier one.
        #[serde(default)]
        pub earlier: Option<EarlierBlock>,
    }
}

record! {
    /// One of the 8191 blocks before an open one: its state remembers the hash (EIP-2935).
    pub struct EarlierBlock {
        /// The block's header in RLP.
        pub header: HeaderBytes,
        /// The nodes that prove the hash.
        pub nodes: StateNodes,
    }
}

refusals! {
    /// Why evidence is refused.
    {
        NotFollowed => "this ledger follows no Ethereum",
        SetNotFound { set: SetId } => "set {set} does not exist",
        EpochInFuture { epoch: Epoch, now: Epoch } => "epoch {epoch} is later than the present, {now}",
        TooLate { epoch: Epoch, last: Epoch } => "an offence of epoch {epoch} could be reported until epoch {last}",
        NotPunished { set: SetId } => "the terms of set {set} for that epoch do not punish false events",
        KeyNotRegistered { key: PublicKey, set: SetId } => "key {key} was not registered in set {set} in that epoch",
        NotOnDuty { operator: OperatorId, epoch: Epoch } => "operator {operator} was not in the stake table of epoch {epoch}",
        BlockNotOpened { slot: u64 } => "no execution block of a finalized header of slot {slot} is open; open it first",
        NotRemembered { refused: OpeningError } => "the earlier block: {refused}",
        EvidenceRefused { refused: EvidenceRefused } => "{refused}",
        SlashRefused { refused: slashing::Refused } => "{refused}",
    }
}

refuses_not_accused!(Refused);

impl SubmitFalseEvent {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let order = self.order(state)?;
        let plan = slashing::plan(state, &order).map_err(|refused| Refused::SlashRefused { refused })?;

        // From here on nothing can fail.
        slashing::carry_out(state, &order, &plan, events);
        Ok(())
    }

    fn order(&self, state: &State) -> Result<Order, Refused> {
        let (slot, evidence) = (self.slot, &self.evidence);
        let following = state.ethereum.as_ref().ok_or(Refused::NotFollowed)?;
        let (set, capture) = (SetId::new(evidence.set), Epoch::new(evidence.epoch));
        let accused = accused(state, set, capture, &evidence.key, |offences| offences.false_event)?;
        let opened = following.execution(slot).ok_or(Refused::BlockNotOpened { slot })?;
        let earlier = self.earlier.as_ref().map(|earlier| opened.remembered(&earlier.header, &earlier.nodes));
        let earlier = earlier.transpose().map_err(|refused| Refused::NotRemembered { refused })?;
        let block = earlier.as_ref().unwrap_or(opened);
        let offence = Offence::from_false_event(&state.genesis.ledger.0, &following.chain, block, evidence)
            .map_err(|refused| Refused::EvidenceRefused { refused })?;
        let claim = &evidence.claim;
        Ok(Order {
            set,
            operator: accused.operator,
            capture,
            fraction: accused.fraction,
            offence: OffenceKey::Slot { capture, kind: offence.kind(), slot: offence.slot() },
            reason: format!(
                "false statement about log {} of transaction {} of block {} of Ethereum",
                claim.log, claim.transaction, claim.number
            ),
            evidence: Some(Digest(offence.digest())),
            victims: Vec::new(),
        })
    }
}
