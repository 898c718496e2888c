//! Anyone shows the execution block that a finalized header names: accounts, storage and receipts are proven against it.

use evidence::ethereum::{Opening, OpeningError};

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Digest};

record! {
    /// Opens the execution block that the finalized header of a slot names.
    pub struct OpenBlock {
        /// The slot of the header.
        pub slot: u64,
        /// The block's header in RLP, or its payload where the fork has one in the body.
        pub opening: Opening,
    }
}

refusals! {
    /// Why a block is not opened.
    {
        NotFollowed => "this ledger follows no Ethereum",
        HeaderNotFound { slot: u64 } => "no finalized header of slot {slot} is remembered",
        Opened { slot: u64, number: u64 } => "the header of slot {slot} names block {number}, which is open",
        NotProven { refused: OpeningError } => "{refused}",
    }
}

impl OpenBlock {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let slot = self.slot;
        let following = state.ethereum.as_mut().ok_or(Refused::NotFollowed)?;
        let header = following.header(slot).ok_or(Refused::HeaderNotFound { slot })?;
        if let Some(execution) = following.execution(slot) {
            return Err(Refused::Opened { slot, number: execution.number() });
        }
        let execution = header.open(&self.opening).map_err(|refused| Refused::NotProven { refused })?;

        // From here on nothing can fail.
        events.push(Event::BlockOpened { slot, number: execution.number(), hash: Digest(*execution.hash()) });
        if let Some(opened) = following.headers.get_mut(&slot) {
            opened.execution = Some(execution);
        }
        Ok(())
    }
}
