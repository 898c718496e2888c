//! A service declares what corrupting it would be worth.

use crate::certificate;
use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, Epoch, SetId};

record! {
    /// Declares `pi`. It may rise only while the set's security exceeds it by the least slack; lowering it only helps the declarer, so it
    /// takes the notice.
    pub struct DeclareProfit {
        /// The set.
        pub set: SetId,
        /// `pi`, in ledger value.
        pub profit: Amount,
    }
}

refusals! {
    /// Why a declaration is refused.
    {
        SetNotFound { set: SetId } => "set {set} does not exist",
        NotTheService { set: SetId } => "the sender is not the service of set {set}",
        SetClosed { set: SetId } => "set {set} is closed",
        Unchanged { profit: Amount } => "the declared profit is {profit} already",
        TooLarge { profit: Amount, most: Amount } => "a profit of {profit} exceeds {most}",
        UnderCollateralised { since: Epoch } => "the set is under-collateralised since epoch {since}",
        Uncertified { secured: Amount, needed: Amount, short: Amount } => "the set secures {secured} of the {needed} that this profit needs, {short} too little",
    }
}

impl DeclareProfit {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let Self { set, profit } = *self;
        let now = state.epoch;
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        if !state.is_service(record, sender) {
            return Err(Refused::NotTheService { set });
        }
        if record.is_closed {
            return Err(Refused::SetClosed { set });
        }
        let highest = record.highest_profit(now);
        if profit == *record.profit.at(now) && profit == highest {
            return Err(Refused::Unchanged { profit });
        }
        if profit > Amount::LIMIT {
            return Err(Refused::TooLarge { profit, most: Amount::LIMIT });
        }
        if profit > *record.profit.at(now) {
            if let Some(since) = record.under_since {
                return Err(Refused::UnderCollateralised { since });
            }
            certificate::check_raise(state, set, record, profit).map_err(|(secured, needed)| {
                Refused::Uncertified { secured, needed, short: secured.room_below(needed) }
            })?;
        }

        // From here on nothing can fail.
        let notice = state.parameters().notice;
        let record = state.set_mut(set);
        let is_raise = profit >= *record.profit.at(now);
        let from = if is_raise { now } else { now.next().later(notice) };
        record.profit.set(from, profit);
        events.push(Event::ProfitDeclared { set, profit, from });
        Ok(())
    }
}
