//! The governor rates an asset, caps it, or sets its smallest stake.

use super::propose_parameters::PENDING_MAX;
use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::governance::GovernanceChange;
use crate::units::{Address, Amount, AssetId};

record! {
    /// Announces figures of an asset. A lower value and a lower cap count at once, everything else after the notice.
    pub struct GovernAsset {
        /// The asset.
        pub asset: AssetId,
        /// Ledger value of `10^9` base units at a rate of one, at most 2^34; 0 is unrated.
        #[serde(default)]
        pub value: Option<u64>,
        /// The most that may be on the ledger. What is there stays.
        #[serde(default)]
        pub cap: Option<Amount>,
        /// The least that may be delegated.
        #[serde(default)]
        pub stake_min: Option<Amount>,
    }
}

refusals! {
    /// Why figures are refused.
    {
        NotTheGovernor => "the sender is not the governor",
        AssetNotFound { asset: AssetId } => "asset {asset} is not listed",
        NothingToChange => "no figure is given",
        ValueTooLarge { value: u64, most: u64 } => "a value of {value} exceeds {most}",
        AmountTooLarge { amount: Amount, most: Amount } => "{amount} exceeds {most}",
        TooManyPending { count: usize } => "{count} changes of governance are pending",
    }
}

const VALUE_MAX: u64 = 1 << 34;

impl GovernAsset {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let asset = self.asset;
        if sender != state.genesis.governor {
            return Err(Refused::NotTheGovernor);
        }
        let record = state.asset(asset).ok_or(Refused::AssetNotFound { asset })?;
        if self.value.is_none() && self.cap.is_none() && self.stake_min.is_none() {
            return Err(Refused::NothingToChange);
        }
        if let Some(value) = self.value.filter(|value| *value > VALUE_MAX) {
            return Err(Refused::ValueTooLarge { value, most: VALUE_MAX });
        }
        let most = Amount::LIMIT;
        if let Some(amount) = [self.cap, self.stake_min].into_iter().flatten().find(|amount| *amount > most) {
            return Err(Refused::AmountTooLarge { amount, most });
        }
        let count = state.governance.len();
        if count.saturating_add(3) > PENDING_MAX {
            return Err(Refused::TooManyPending { count });
        }

        // From here on nothing can fail.
        let now = state.epoch;
        let later = now.next().later(state.parameters().notice);
        let (value, cap) = (record.value, record.cap);
        if let Some(new) = self.value {
            self.announce(state, new < value, later, GovernanceChange::Value { asset, value: new }, events);
        }
        if let Some(new) = self.cap {
            self.announce(state, new < cap, later, GovernanceChange::Cap { asset, cap: new }, events);
        }
        if let Some(amount) = self.stake_min {
            self.announce(state, false, later, GovernanceChange::StakeMin { asset, amount }, events);
        }
        Ok(())
    }

    fn announce(
        &self,
        state: &mut State,
        at_once: bool,
        later: crate::units::Epoch,
        change: GovernanceChange,
        events: &mut Vec<Event>,
    ) {
        let from = if at_once { state.epoch } else { later };
        // A newer figure replaces one that is announced.
        let is_same = |other: &GovernanceChange| {
            std::mem::discriminant(other) == std::mem::discriminant(&change)
                && other.asset() == Some(self.asset)
        };
        state.governance.retain(|(_, other)| !is_same(other));
        events.push(Event::AssetGoverned { asset: self.asset, from });
        if at_once {
            state.carry_out_governance(&change);
        } else {
            state.governance.push((from, change));
        }
    }
}
