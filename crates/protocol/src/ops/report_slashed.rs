//! Anyone proves that Ethereum has slashed a validator of a pod: until the pod is reported again, nothing of it is delegated.

use evidence::ethereum::ValidatorsProof;
use evidence::fact::pod::{PodRefused, verify_slashed};

use super::report_pod::pay_reward;
use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, AssetId, Epoch};

record! {
    /// Shows one slashed validator of a pod. What was lost is for the next report to say, which is due in as many epochs as the genesis
    /// says; later the pod is stale.
    pub struct ReportSlashed {
        /// The native asset.
        pub asset: AssetId,
        /// Whose pod it is; the sender's where it is not given.
        #[serde(default)]
        pub account: Option<Address>,
        /// The slot of the finalized header.
        pub slot: u64,
        /// The validator.
        pub validators: ValidatorsProof,
    }
}

refusals! {
    /// Why a report is refused.
    {
        PodNotFound { account: Address, asset: AssetId } => "account {account} has no pod of asset {asset} on this ledger",
        StateNotFound { slot: u64 } => "no finalized header of slot {slot} is remembered, nor does the genesis vouch for its state",
        NotLater { slot: u64, last: u64 } => "slot {slot} is not later than {last}, of which the pod was last reported",
        Flagged { slot: u64 } => "a slashed validator of slot {slot} was shown already; report the pod",
        NotProven { refused: PodRefused } => "{refused}",
        KnownLoss { validator: u64 } => "validator {validator} is none that the last report has counted without a slashing",
    }
}

impl ReportSlashed {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let (asset, slot) = (self.asset, self.slot);
        let account = self.account.unwrap_or(sender);
        let found = state.pod_of_account(asset, account);
        let (id, pod) = found.ok_or(Refused::PodNotFound { account, asset })?;
        let source = state.source(slot).ok_or(Refused::StateNotFound { slot })?;
        if slot <= pod.slot {
            return Err(Refused::NotLater { slot, last: pod.slot });
        }
        if let Some((slot, _)) = pod.flagged {
            return Err(Refused::Flagged { slot });
        }
        let slashed = verify_slashed(&source.state, &pod.address.0, &self.validators)
            .map_err(|refused| Refused::NotProven { refused })?
            .into_inner();
        // Each is worth one reward: of one that is known to be slashed reports tell the rest.
        if pod.validator(slashed.index).is_none_or(|known| known.is_slashed) {
            return Err(Refused::KnownLoss { validator: slashed.index });
        }
        let epochs = state.genesis.ethereum.as_ref().map_or(1, |config| config.due_epochs);
        let due: Epoch = state.epoch.later(epochs);

        // From here on nothing can fail.
        if let Some(pod) = state.pods.get_mut(&id) {
            pod.flagged = Some((slot, due));
        }
        events.push(Event::PodFlagged { validator: id, account, slot, due });
        pay_reward(state, id, sender, events);
        Ok(())
    }
}
