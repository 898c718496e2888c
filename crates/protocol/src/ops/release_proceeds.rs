//! Proceeds of a slash go where the set's destinations say, by anyone's call.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::{Held, Victim};
use crate::units::{Address, Amount, Epoch, SlashId};

record! {
    /// Pays out what a slash holds, once no other slash of the same capture epoch can be executed.
    pub struct ReleaseProceeds {
        /// The slash.
        pub slash: SlashId,
    }
}

refusals! {
    /// Why a release is refused.
    {
        NothingHeld { slash: SlashId } => "slash {slash} holds nothing",
        TooEarly { from: Epoch } => "the proceeds are held until epoch {from}",
    }
}

impl ReleaseProceeds {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.slash;
        let slash = state.slashes.get(&id).cloned().ok_or(Refused::NothingHeld { slash: id })?;
        let from = state.last_execution(slash.capture).next();
        if state.epoch < from {
            return Err(Refused::TooEarly { from });
        }

        // From here on nothing can fail.
        for held in &slash.held {
            match held.to {
                Some(to) => pay(state, id, held, to, held.amount, events),
                None => compensate(state, id, held, &slash.victims, events),
            }
        }
        state.slashes.remove(&id);
        Ok(())
    }
}

fn pay(state: &mut State, slash: SlashId, held: &Held, to: Address, amount: Amount, events: &mut Vec<Event>) {
    if amount.is_zero() {
        return;
    }
    let account = state.accounts.open(to);
    state.accounts.get_mut(account).add_free(held.asset, amount);
    events.push(Event::ProceedsReleased { slash, asset: held.asset, amount, to });
}

/// Pays the victims pro rata, each at most what it is owed; burns the rest.
fn compensate(state: &mut State, slash: SlashId, held: &Held, victims: &[Victim], events: &mut Vec<Event>) {
    let owed_in = victims.iter().filter(|victim| victim.asset == held.asset);
    let total = Amount::total(owed_in.clone().map(|victim| victim.amount)).unwrap_or(Amount::ZERO);
    let mut rest = held.amount;
    for victim in owed_in {
        let share =
            if total > held.amount { held.amount.portion_down(victim.amount, total) } else { victim.amount };
        rest.shrink(share);
        pay(state, slash, held, victim.account, share, events);
    }
    state.asset_mut(held.asset).burnt.grow(rest);
}
