//! Anyone brings what the light client begins with at the block that the genesis trusts.

use evidence::ethereum::{Bootstrap, BootstrapRefused, LightClient};

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Digest};

record! {
    /// Begins to follow Ethereum. The trusted root stands in the genesis; the committee, which is too large for it, comes by this operation.
    pub struct BeginChain {
        /// Header, execution block and committee of the trusted block.
        pub bootstrap: Bootstrap,
    }
}

refusals! {
    /// Why a beginning is refused.
    {
        NotFollowed => "this ledger follows no Ethereum",
        Begun { slot: u64 } => "the chain is followed already; its newest final slot is {slot}",
        NotProven { refused: BootstrapRefused } => "{refused}",
    }
}

impl BeginChain {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let following = state.ethereum.as_ref().ok_or(Refused::NotFollowed)?;
        if let Some(light) = &following.light {
            return Err(Refused::Begun { slot: light.newest().header().slot });
        }
        let trusted = state.trusted_root().ok_or(Refused::NotFollowed)?;
        let light = LightClient::new(&following.chain, &trusted.0, self.bootstrap.clone())
            .map_err(|refused| Refused::NotProven { refused })?;

        // From here on nothing can fail.
        let newest = light.newest();
        let event = Event::ChainBegun {
            slot: newest.header().slot,
            root: Digest(*newest.root()),
            period: light.period(),
        };
        if let Some(following) = &mut state.ethereum {
            following.set_light(light);
        }
        events.push(event);
        Ok(())
    }
}
