//! An operator shares its commission.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Fraction};

record! {
    /// Replaces who gets the operator's commission, for payments from the next boundary on; the rest is its own.
    pub struct SetSplit {
        /// The recipients.
        pub recipients: Vec<Recipient>,
    }
}

record! {
    /// Part of a commission.
    pub struct Recipient {
        /// Who gets it.
        pub account: Address,
        /// How much of it.
        pub share: Fraction,
    }
}

refusals! {
    /// Why a split is refused.
    {
        NotAnOperator => "the sender is not an operator",
        TooManyRecipients { count: usize, most: u16 } => "{count} recipients exceed {most}",
        MoreThanAll { shares: u64 } => "the shares sum to {shares} x 10^-18, more than 1",
    }
}

const RECIPIENTS_MAX: u16 = 8;

impl SetSplit {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        let count = self.recipients.len();
        if count > usize::from(RECIPIENTS_MAX) {
            return Err(Refused::TooManyRecipients { count, most: RECIPIENTS_MAX });
        }
        // At most eight times 10^18 fits.
        let shares = self.recipients.iter().fold(0_u64, |sum, part| sum.saturating_add(part.share.steps()));
        if shares > Fraction::STEPS {
            return Err(Refused::MoreThanAll { shares });
        }

        // From here on nothing can fail.
        let mut split = Vec::with_capacity(count);
        for Recipient { account, share } in &self.recipients {
            split.push((state.accounts.open(*account), *share));
        }
        state.operator_mut(operator).split = split;
        events.push(Event::SplitSet { operator });
        Ok(())
    }
}
