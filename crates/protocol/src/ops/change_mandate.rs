//! An operator changes what its delegators agree to bear.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::terms::Mandate;
use crate::units::{Address, AssetId, Fraction};

record! {
    /// A narrower mandate counts at once, any other after the notice. It replaces one that is announced.
    pub struct ChangeMandate {
        /// The asset of the pool.
        pub asset: AssetId,
        /// The new mandate.
        pub mandate: Mandate,
    }
}

refusals! {
    /// Why a mandate is refused.
    {
        NotAnOperator => "the sender is not an operator",
        PoolNotFound { asset: AssetId } => "the operator has no pool of asset {asset}",
        WorstCaseExceeds { worst_case: Fraction, mandate: Fraction } => "the pool's worst case {worst_case} exceeds the mandate's {mandate}",
        ElsewhereExceeds { share: Fraction, mandate: Fraction } => "{share} of the pool may go elsewhere than burn, more than the mandate's {mandate}",
        SharingUncertified => "the pool shares parts without a certificate",
        CommissionExceeds { commission: Fraction, mandate: Fraction } => "the commission {commission} exceeds the mandate's {mandate}",
    }
}

impl ChangeMandate {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let (asset, mandate) = (self.asset, self.mandate);
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { asset })?;
        let record = state.pool(pool);
        let worst_case = state.worst_case(pool);
        if worst_case > mandate.worst_case {
            return Err(Refused::WorstCaseExceeds { worst_case, mandate: mandate.worst_case });
        }
        let share = state.share_owned(pool, |set| !state.is_burning(set));
        if share > mandate.elsewhere {
            return Err(Refused::ElsewhereExceeds { share, mandate: mandate.elsewhere });
        }
        if !mandate.uncertified && record.stake.open_sets().into_iter().any(|set| state.is_uncertified(set)) {
            return Err(Refused::SharingUncertified);
        }
        let highest =
            record.commission.iter().map(|(_, commission)| *commission).max().unwrap_or(Fraction::ZERO);
        if highest > mandate.commission {
            return Err(Refused::CommissionExceeds { commission: highest, mandate: mandate.commission });
        }

        // From here on nothing can fail.
        let now = state.epoch;
        let from =
            if record.mandate.covers(&mandate) { now } else { now.next().later(state.parameters().notice) };
        let record = state.pool_mut(pool);
        if from == now {
            record.mandate = mandate;
            record.pending_mandate = None;
        } else {
            record.pending_mandate = Some((from, mandate));
        }
        record.digest = record.mandate.digest(operator, asset, record.pending_mandate);
        let digest = record.digest;
        events.push(Event::MandateChanged { operator, asset, mandate: digest, from });
        Ok(())
    }
}
