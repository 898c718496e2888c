//! The owner takes free stake out of its pod: the contract there pays it once it is shown this ledger's state.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, Epoch, ValidatorId};

record! {
    /// Lets a pod's contract pay free stake to its owner. What was slashed is released first, to be burned.
    pub struct ReleasePod {
        /// The pod.
        pub validator: ValidatorId,
        /// How much; all that is free where it is not given.
        #[serde(default)]
        pub amount: Option<Amount>,
    }
}

refusals! {
    /// Why a release is refused.
    {
        PodNotFound { validator: ValidatorId } => "{validator} is no pod of the sender",
        NotOurs { pod: Address } => "the contract {pod} is of another system, and takes no orders of this ledger",
        Halted { until: Epoch } => "the chain has contradicted itself, and nothing leaves until epoch {until}",
        Flagged { slot: u64, until: Epoch } => "a state of slot {slot} shows a loss of the pod that is not counted yet: report the pod, or wait until epoch {until}",
        NothingFree => "nothing of the pod is free",
        ExceedsFree { amount: Amount, free: Amount } => "release of {amount} exceeds the free stake {free}",
    }
}

impl ReleasePod {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.validator;
        let unknown = || Refused::PodNotFound { validator: id };
        let record = state.validator(id).ok_or_else(unknown)?;
        let pod = state.pods.get(&id).ok_or_else(unknown)?;
        if state.accounts.get(record.account).address != sender {
            return Err(unknown());
        }
        if !pod.is_own {
            return Err(Refused::NotOurs { pod: pod.address });
        }
        if let Some(until) = state.halt() {
            return Err(Refused::Halted { until });
        }
        // Else what is free would leave before a loss that is to be shared.
        if let Some((slot, until)) = pod.flagged.filter(|(_, due)| *due > state.epoch) {
            return Err(Refused::Flagged { slot, until });
        }
        let free = record.free;
        let amount = self.amount.unwrap_or(free);
        if amount.is_zero() {
            return Err(Refused::NothingFree);
        }
        if amount > free {
            return Err(Refused::ExceedsFree { amount, free });
        }
        let (asset, slashed, address) = (record.asset, record.slashed, pod.address);

        // From here on nothing can fail.
        let record = state.validator_mut(id);
        record.slashed = Amount::ZERO;
        record.free.shrink(amount);
        record.balance.shrink(amount);
        record.balance.shrink(slashed);
        if let Some(pod) = state.pods.get_mut(&id) {
            pod.released.grow(amount);
            pod.burned.grow(slashed);
        }
        state.asset_mut(asset).withdrawn.grow(amount);
        state.asset_mut(asset).burnt.grow(slashed);
        events.push(Event::PodReleased {
            validator: id,
            account: sender,
            pod: address,
            amount,
            burned: slashed,
        });
        Ok(())
    }
}
