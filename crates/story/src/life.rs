//! How the network lives on: a few requests an epoch, for as long as somebody asks.

mod duty;
mod stake;
mod vaults;

use protocol::query;
use protocol::units::{Amount, AssetId, Epoch, OperatorId, SetId};
use protocol::{Operation, State};

use crate::days::{Step, deposit};
use crate::people::address;
use crate::pick::Picks;

/// What happens in the epoch of a state: a function of the state alone. Meant to be asked once an epoch; every step is carried out if
/// nothing else happens before it.
///
/// Stakers come, move and leave, rewards are paid and claimed, services keep their streams funded, operators consent to what is announced,
/// accusations are made, and vetoed or carried out.
pub fn life(state: &State) -> Vec<Step> {
    let epoch = state.epoch().number();
    let mut day = Day { state, epoch, picks: Picks::new(epoch), steps: Vec::new() };
    stake::claims(&mut day);
    stake::fetch(&mut day);
    duty::operators(&mut day);
    duty::services(&mut day);
    duty::judges(&mut day);
    stake::validators(&mut day);
    stake::stakers(&mut day);
    vaults::tend(&mut day);
    day.steps
}

/// An epoch while it is told.
struct Day<'a> {
    state: &'a State,
    epoch: u32,
    picks: Picks,
    steps: Vec<Step>,
}

impl Day<'_> {
    fn ask(&mut self, account: &'static str, note: &'static str, operation: Operation) {
        self.steps.push(Step { epoch: self.epoch, account, delegate: None, operation, note });
    }

    fn free(&self, account: &str, asset: AssetId) -> Amount {
        let account = query::account(self.state, address(account));
        let balances = account.map_or_else(Vec::new, |account| account.balances);
        balances.iter().find(|own| own.asset == asset).map_or(Amount::ZERO, |own| own.free)
    }

    /// Brings what is missing for a payment, and as much again.
    fn bring(&mut self, account: &'static str, asset: AssetId, needed: Amount) {
        if self.free(account, asset) < needed {
            let amount = Amount::new(needed.units() * 2);
            self.ask(account, "brings more", deposit(asset, amount));
        }
    }

    /// Whether it is time for something that happens every so many epochs, at a place of its own.
    fn is_day(&self, every: u32, place: u32) -> bool {
        self.epoch % every == place % every
    }

    /// Who was on duty in the epoch before.
    fn on_duty(&self, set: SetId) -> Vec<OperatorId> {
        let before = Epoch::new(self.epoch.saturating_sub(1));
        let table = query::table(self.state, set, before);
        table.map_or_else(Vec::new, |table| table.rows.iter().map(|row| row.operator).collect())
    }
}
