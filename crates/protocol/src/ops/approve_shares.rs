//! A holder lets somebody else transfer some of its shares. Signed, it is a permit: anyone may hand it in until it expires.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, ShareId, Shares};

record! {
    /// Sets an allowance.
    pub struct ApproveShares {
        /// Which shares.
        pub share: ShareId,
        /// Who may transfer them.
        pub spender: Address,
        /// How many, in place of what it was; none to end it. All that there can be is not used up by transfers.
        pub shares: Shares,
    }
}

refusals! {
    /// Why an allowance is refused.
    {
        ShareNotFound { share: ShareId } => "there are no shares {share}",
        IsTheHolder => "the sender needs no allowance for its own shares",
        NoneToEnd { spender: Address } => "{spender} has no allowance",
        TooManyAllowances { count: usize, most: u16 } => "there are {count} allowances, and may be {most}",
    }
}

/// An allowance that transfers don't use up.
pub(crate) const UNLIMITED: Shares = Shares::new(u128::MAX);

impl ApproveShares {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { share, spender, shares } = *self;
        if state.share(share).is_none() {
            return Err(Refused::ShareNotFound { share });
        }
        if spender == sender {
            return Err(Refused::IsTheHolder);
        }
        let holding =
            state.accounts.find(sender).map(|account| state.holding(share, account)).unwrap_or_default();
        let is_there = holding.allowances.iter().any(|(other, _)| *other == spender);
        if shares.is_zero() && !is_there {
            return Err(Refused::NoneToEnd { spender });
        }
        let (count, most) = (holding.allowances.len(), state.genesis.vaults.allowances_per_holding);
        if !is_there && count >= usize::from(most) {
            return Err(Refused::TooManyAllowances { count, most });
        }

        // From here on nothing can fail.
        let account = state.accounts.open(sender);
        state.change_holding(share, account, |holding| holding.allow(spender, shares));
        events.push(Event::SharesApproved { share, owner: sender, spender, shares });
        Ok(())
    }
}
