//! Shares change hands.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::ops::approve_shares::UNLIMITED;
use crate::state::State;
use crate::state::vaults::is_reserved;
use crate::units::{Address, ShareId, Shares};

record! {
    /// Transfers shares of the sender, or of who has let it.
    pub struct TransferShares {
        /// Which shares.
        pub share: ShareId,
        /// Whose; the sender's where it is not given.
        #[serde(default)]
        pub owner: Option<Address>,
        /// To whom.
        pub to: Address,
        /// How many.
        pub shares: Shares,
    }
}

refusals! {
    /// Why a transfer is refused.
    {
        ShareNotFound { share: ShareId } => "there are no shares {share}",
        SharesAreZero => "it is for no shares",
        BadReceiver { to: Address } => "{to} is the account of a vault or a basket, which could never give them back",
        ExceedsAllowance { shares: Shares, allowed: Shares } => "{shares} shares exceed the allowance of {allowed}",
        ExceedsShares { shares: Shares, held: Shares } => "{shares} shares exceed the {held} that there are",
    }
}

impl TransferShares {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { share, to, shares, .. } = *self;
        let from = self.owner.unwrap_or(sender);
        if state.share(share).is_none() {
            return Err(Refused::ShareNotFound { share });
        }
        if shares.is_zero() {
            return Err(Refused::SharesAreZero);
        }
        if is_reserved(to) {
            return Err(Refused::BadReceiver { to });
        }
        let owner = state.accounts.find(from);
        let holding = owner.map(|owner| state.holding(share, owner)).unwrap_or_default();
        let allowed = if from == sender { UNLIMITED } else { holding.allowance(sender) };
        if shares > allowed {
            return Err(Refused::ExceedsAllowance { shares, allowed });
        }
        let held = holding.shares;
        let Some(owner) = owner.filter(|_| shares <= held) else {
            return Err(Refused::ExceedsShares { shares, held });
        };

        // From here on nothing can fail.
        let receiver = state.accounts.open(to);
        state.move_shares(share, owner, receiver, shares);
        if allowed != UNLIMITED {
            let rest = shares.room_below(allowed);
            state.change_holding(share, owner, |holding| holding.allow(sender, rest));
        }
        events.push(Event::SharesMoved { share, from, to, shares });
        Ok(())
    }
}
