//! Anyone advances a vault. Nobody can stop it.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Epoch, VaultId};

record! {
    /// Takes steps of a vault's tick for the epoch.
    pub struct VaultTick {
        /// The vault.
        pub vault: VaultId,
        /// How many; as many as an operation may where it is not given.
        #[serde(default)]
        pub steps: Option<u16>,
    }
}

refusals! {
    /// Why there is nothing to do.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        TooManySteps { steps: u16, most: u16 } => "{steps} steps exceed the {most} of an operation",
        IsTicked { epoch: Epoch } => "the vault's tick of epoch {epoch} is done",
    }
}

impl VaultTick {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.vault;
        state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let most = state.genesis.vaults.steps_per_tick;
        let steps = self.steps.unwrap_or(most);
        if steps > most {
            return Err(Refused::TooManySteps { steps, most });
        }
        if state.is_ticked(id) {
            return Err(Refused::IsTicked { epoch: state.epoch });
        }

        // From here on nothing can fail.
        state.advance_vault(id, u32::from(steps), events);
        Ok(())
    }
}
