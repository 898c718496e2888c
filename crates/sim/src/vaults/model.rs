//! Vaults as a bookkeeper would tell them: every holder by name, every ticket on its own, prices as exact fractions.
//!
//! The model shares nothing with the ledger's cohorts, batches, gaps and lazy losses. It reads what the vault's stake is worth, which the
//! model of the ledger checks elsewhere, and says what every event and every figure of the vault must be then: to the unit where one division
//! is cut, within a unit for each cut where several are.

use std::collections::BTreeMap;

use num_traits::Zero;
use protocol::ops::create_vault::VaultTerms;
use protocol::units::{Address, Epoch, Shares, TicketId};
use protocol::view::VaultBook;
use protocol::{Event, Operation};

use super::drawers::Drawers;
use crate::model::exact::{Ratio, floor, ratio, whole};

/// Somebody who waits to leave.
#[derive(Clone, Debug)]
struct Waiter {
    ticket: TicketId,
    shares: u128,
    asked: Ratio,
    epoch: Epoch,
}

/// What a ticket may be paid in all, what it was, and how often it was cut.
#[derive(Clone, Debug)]
struct Owed {
    most: Ratio,
    paid: u128,
    pieces: u128,
}

/// A vault.
#[derive(Clone, Debug)]
pub struct Book {
    now: VaultBook,
    drawers: Drawers,
    holders: BTreeMap<Address, u128>,
    supply: u128,
    waiting: u128,
    nav: u128,
    line: Vec<Waiter>,
    owed: BTreeMap<TicketId, Owed>,
    held: BTreeMap<TicketId, u128>,
    deposits: BTreeMap<TicketId, u128>,
    gains: Vec<(Epoch, u128)>,
    high_water: Ratio,
    price: Ratio,
    /// Moves of stake in the step: each may cut entries, and a cut takes a unit at most.
    moved: u128,
    /// Whether anything was ever slashed: without it who leaves gets all of what it may get.
    is_spared: bool,
}

/// Units by which the rate of an epoch may rise with what roundings of its operations leave, on all shares together.
const DUST: u128 = 64;

/// What differs.
pub type Found = Result<(), String>;

pub(super) fn rate(nav: u128, supply: u128) -> Ratio {
    whole(nav + 1) / whole(supply + 1000)
}

pub(super) fn near(what: &str, shown: u128, known: u128, slack: u128) -> Found {
    if shown.abs_diff(known) <= slack {
        Ok(())
    } else {
        Err(format!("{what}: the ledger has {shown}, the book {known} and {slack} roundings"))
    }
}

impl Book {
    /// The book of a vault that nobody has used yet. Nothing can be slashed so many epochs after it was bonded last.
    pub fn new(now: VaultBook, terms: VaultTerms, harmless: u32) -> Self {
        Self {
            now,
            drawers: Drawers::new(terms, harmless),
            holders: BTreeMap::new(),
            supply: 0,
            waiting: 0,
            nav: 0,
            line: Vec::new(),
            owed: BTreeMap::new(),
            held: BTreeMap::new(),
            deposits: BTreeMap::new(),
            gains: Vec::new(),
            high_water: rate(0, 0),
            price: rate(0, 0),
            moved: 0,
            is_spared: true,
        }
    }

    /// The vault as it was seen last.
    pub const fn seen(&self) -> &VaultBook {
        &self.now
    }

    fn credit(&mut self, epoch: Epoch, gain: u128) {
        let drip = self.drawers.terms().drip;
        let part = gain / u128::from(drip);
        for step in 1..=drip {
            let rest = gain - part * u128::from(drip);
            let amount = if step == drip { part + rest } else { part };
            self.gains.push((epoch.later(step), amount));
        }
    }

    /// A gain of which nothing is left after a loss does not count later: what would count last goes first.
    fn forget_lost(&mut self, gross: u128) {
        let mut over = self.unvested().saturating_sub(gross);
        for (_, amount) in self.gains.iter_mut().rev() {
            let cut = over.min(*amount);
            *amount -= cut;
            over -= cut;
        }
    }

    fn unvested(&self) -> u128 {
        self.gains.iter().map(|(_, amount)| amount).sum()
    }

    /// A step was taken in an epoch: what the ledger says of it, and how the vault is afterwards.
    ///
    /// # Errors
    /// The first thing that differs.
    pub fn step(
        &mut self,
        epoch: Epoch,
        operation: Option<&Operation>,
        events: &[Event],
        after: VaultBook,
    ) -> Found {
        let before = self.now.clone();
        self.is_spared &= after.staked >= before.staked || operation.is_some_and(is_of_vaults);
        let is_slash = after.staked < before.staked && !operation.is_some_and(is_of_vaults);
        let mut slack = 2 + after.unvested.len() as u128;
        self.drawers.start(&before);
        if is_slash {
            self.lose(&before, &after)?;
        }
        if operation.is_some_and(is_of_vaults) {
            self.forget_lost(before.idle.units() + before.staked.units());
        }
        let begins = after.tick.0 > before.tick.0;
        if begins {
            self.begin(epoch);
        }
        // Each settlement ends a ticket, or what is idle; anything more would settle somebody for nothing.
        let settled = events.iter().filter(|event| matches!(event, Event::VaultSettled { .. })).count();
        if settled > 4 * self.line.len() + 4 {
            return Err(format!("{settled} settlements of {} who wait", self.line.len()));
        }
        self.moved = events.iter().filter(|event| matches!(event, Event::VaultMoved { .. })).count() as u128;
        for event in events {
            slack += 2;
            self.drawers.read(event, &before)?;
            self.read(epoch, event, &after)?;
        }
        self.drawers.compare(epoch, &before, &after)?;
        if begins && self.moved == 0 && matches!(operation, Some(Operation::VaultTick(_))) && after.tick.1 {
            self.nobody_waits_in_vain(epoch, &after)?;
        }
        self.compare(&before, &after, slack)?;
        self.now = after;
        Ok(())
    }

    /// A slash: the fund, and what was withheld for it, pay first. Losses that nobody has touched the vault since are shared together, so what was
    /// withheld for this one may also pay for an earlier one.
    fn lose(&mut self, before: &VaultBook, after: &VaultBook) -> Found {
        let loss = before.staked.units() - after.staked.units();
        let (withheld, fund) = (before.contingent.units(), before.fund.units());
        let least = self.nav.saturating_sub(loss);
        let most = (self.nav + withheld + fund).saturating_sub(loss).min(self.nav + withheld);
        let shown = after.nav.units();
        if shown + 1 < least || shown > most + 1 {
            return Err(format!("after a loss of {loss} it is worth {shown}, not {least} to {most}"));
        }
        if let Some(borne) = self.drawers.lose(loss, before) {
            near("value after a loss", shown, self.nav.saturating_sub(borne), 1)?;
        }
        self.nav = shown;
        self.price = self.price.clone().min(rate(self.nav, self.supply));
        Ok(())
    }

    /// A tick that settled all it could leaves less idle than the first in the line would be paid with.
    fn nobody_waits_in_vain(&self, epoch: Epoch, after: &VaultBook) -> Found {
        let Some(waiter) = self.line.first().filter(|waiter| waiter.epoch < epoch) else { return Ok(()) };
        let price = waiter.asked.clone().min(rate(self.nav, self.supply));
        if whole(after.idle.units()) > price + whole(2) {
            return Err(format!("ticket {} waits, and {} are idle", waiter.ticket, after.idle));
        }
        Ok(())
    }

    /// The vault's own clock moves: what is due counts, and the price of deposits is fixed. The fee comes as an event.
    fn begin(&mut self, epoch: Epoch) {
        self.high_water = self.high_water.clone().max(rate(self.nav, self.supply));
        let due: u128 = self.gains.iter().filter(|(at, _)| *at <= epoch).map(|(_, amount)| amount).sum();
        self.gains.retain(|(at, _)| *at > epoch);
        self.nav += due;
        self.price = rate(self.nav, self.supply);
        self.drawers.begin(self.nav);
    }

    fn read(&mut self, epoch: Epoch, event: &Event, after: &VaultBook) -> Found {
        match event {
            Event::VaultFeeTaken { shares, value, .. } => self.take_fee(shares.units(), value.units())?,
            Event::VaultDepositQueued { ticket, amount, .. } => {
                self.deposits.insert(*ticket, amount.units());
            }
            Event::VaultDepositReturned { ticket, amount, .. } => {
                let queued = self.deposits.remove(ticket).filter(|queued| *queued == amount.units());
                queued.ok_or_else(|| format!("deposit {ticket} of {amount} returns, and was none"))?;
            }
            Event::VaultEntered { ticket, account, amount, shares, .. } => {
                self.enter(*ticket, *account, amount.units(), shares.units())?;
            }
            Event::VaultExitRequested { ticket, account, shares, worth, .. } => {
                let (shares, asked) = (shares.units(), rate(self.nav, self.supply));
                near(
                    "worth of a request",
                    worth.units(),
                    floor(&(asked.clone() * whole(shares))),
                    self.moved,
                )?;
                self.take(*account, shares)?;
                self.waiting += shares;
                self.line.push(Waiter { ticket: *ticket, shares, asked, epoch });
            }
            Event::VaultExitCancelled { ticket, account, kept, burnt, forfeited, .. } => {
                self.cancel(*ticket, *account, [kept.units(), burnt.units(), forfeited.units()])?;
                self.credit(epoch, forfeited.units());
                self.nav -= forfeited.units();
            }
            Event::VaultSettled { shares, assets, held, withheld, forfeited, .. } => {
                let [shares, assets, withheld, forfeited] =
                    [shares.units(), assets.units(), withheld.units(), forfeited.units()];
                let asked = self.line.first().map_or(epoch, |waiter| waiter.epoch);
                let tickets = self.settle(epoch, [shares, assets, withheld, forfeited])?;
                self.drawers.settle(epoch, (asked, tickets), [assets, held.units(), withheld])?;
            }
            Event::VaultClaimed { ticket, amount, is_closed, .. } => {
                self.pay(*ticket, amount.units(), *is_closed)?;
            }
            Event::VaultLeft { account, shares, paid, fee, held, ticket, .. } => {
                let gross = paid.units() + fee.units() + held.units();
                let low = self.drawers.low(self.nav, self.supply).unwrap_or_else(|| rate(0, self.supply));
                near("price of leaving at once", gross, floor(&(low * whole(shares.units()))), 0)?;
                let worth = floor(&(rate(self.nav, self.supply) * whole(shares.units())));
                self.take(*account, shares.units())?;
                self.supply -= shares.units();
                self.nav -= worth;
                if !held.is_zero() {
                    self.held.insert(*ticket, held.units());
                }
                let gain = self.drawers.leave(gross, fee.units(), held.units())?;
                self.credit(epoch, worth - gross + gain);
            }
            Event::VaultHoldbackPaid { ticket, paid, kept, .. } => {
                if self.held.remove(ticket) != Some(paid.units() + kept.units()) {
                    return Err(format!("{paid} and {kept} are not what ticket {ticket} had held back"));
                }
                self.credit(epoch, kept.units());
            }
            Event::VaultHarvested { earned, given, .. } => self.credit(epoch, earned.units() + given.units()),
            Event::SharesMoved { share, from, to, shares } if *share == after.share => {
                self.take(*from, shares.units())?;
                *self.holders.entry(*to).or_default() += shares.units();
            }
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, account: Address, shares: u128) -> Found {
        let held = self.holders.entry(account).or_default();
        *held = held.checked_sub(shares).ok_or_else(|| format!("{account} has no {shares} shares"))?;
        Ok(())
    }

    fn take_fee(&mut self, shares: u128, value: u128) -> Found {
        let base = self.high_water.clone() * whole(self.supply + 1000);
        let gain = whole(self.nav + 1) - base;
        if whole(value) > gain.clone() * ratio(self.drawers.terms().fee) || gain < Ratio::zero() {
            return Err(format!("a fee of {value} on a gain of {}", floor(&gain.max(Ratio::zero()))));
        }
        self.supply += shares;
        *self.holders.entry(self.drawers.terms().fee_to).or_default() += shares;
        let worth = rate(self.nav, self.supply) * whole(shares);
        if worth > whole(value) {
            return Err(format!("shares of a fee of {value} are worth {}", floor(&worth)));
        }
        self.price = rate(self.nav, self.supply);
        self.high_water = self.high_water.clone().max(self.price.clone());
        Ok(())
    }

    fn enter(&mut self, ticket: TicketId, account: Address, amount: u128, shares: u128) -> Found {
        if self.deposits.remove(&ticket) != Some(amount) {
            return Err(format!("deposit {ticket} of {amount} comes in, and was none"));
        }
        let price = self.price.clone().max(rate(self.nav, self.supply));
        near("shares of a deposit", shares, floor(&(whole(amount) / price)), 0)?;
        *self.holders.entry(account).or_default() += shares;
        self.supply += shares;
        self.nav += amount;
        Ok(())
    }

    /// Whoever is first in the line is settled first, each at the lesser of what it asked for and what there is. Who that was.
    fn settle(
        &mut self,
        epoch: Epoch,
        [shares, assets, withheld, forfeited]: [u128; 4],
    ) -> Result<Vec<TicketId>, String> {
        let high = rate(self.nav, self.supply);
        let low = self.drawers.low(self.nav, self.supply);
        let (mut left, mut most, mut at_low, mut pieces) = (shares, Ratio::zero(), Ratio::zero(), 0);
        let mut tickets = Vec::new();
        while left > 0 {
            let Some(waiter) = self.line.first_mut() else {
                return Err(format!("{left} shares are settled of nobody"));
            };
            if waiter.epoch >= epoch {
                return Err(format!("ticket {} is settled in the epoch in which it was made", waiter.ticket));
            }
            tickets.push(waiter.ticket);
            let part = left.min(waiter.shares);
            let gets = waiter.asked.clone().min(high.clone()) * whole(part);
            at_low +=
                low.iter().map(|low| waiter.asked.clone().min(low.clone()) * whole(part)).sum::<Ratio>();
            let owed = self.owed.entry(waiter.ticket).or_insert_with(|| Owed {
                most: Ratio::zero(),
                paid: 0,
                pieces: 0,
            });
            owed.most += &gets;
            owed.pieces += 1;
            most += gets;
            pieces += 1;
            waiter.shares -= part;
            left -= part;
            if waiter.shares == 0 {
                self.line.remove(0);
            }
        }
        // Tickets of one epoch go by the lowest price of any of them, which rounding alone tells apart.
        let out = assets + withheld;
        if whole(out) > most || whole(out + DUST + 2 * pieces) < most {
            return Err(format!("{shares} shares are settled for {out}, and are worth {}", floor(&most)));
        }
        if low.is_some() && (whole(assets) > at_low || whole(assets + DUST + 2 * pieces) < at_low) {
            return Err(format!("{assets} are paid at once, and at the low price {}", floor(&at_low)));
        }
        near("forfeited", forfeited, floor(&(high * whole(shares))) - out, 0)?;
        self.supply -= shares;
        self.waiting -= shares;
        self.nav -= out + forfeited;
        self.credit(epoch, forfeited);
        Ok(tickets)
    }

    fn cancel(&mut self, ticket: TicketId, account: Address, [kept, burnt, forfeited]: [u128; 3]) -> Found {
        let Some(place) = self.line.iter().position(|waiter| waiter.ticket == ticket) else {
            return Err(format!("ticket {ticket} is cancelled and does not wait"));
        };
        let waiter = self.line.remove(place);
        near("shares of a cancelled exit", kept + burnt, waiter.shares, 0)?;
        let now = rate(self.nav, self.supply);
        let most = waiter.asked * whole(waiter.shares);
        if now.clone() * whole(kept) > most {
            return Err(format!(
                "{kept} shares are kept, worth more than the {} that was asked back",
                floor(&most)
            ));
        }
        near("forfeited by changing one's mind", forfeited, floor(&(now * whole(burnt))), 0)?;
        *self.holders.entry(account).or_default() += kept;
        self.supply -= burnt;
        self.waiting -= kept + burnt;
        Ok(())
    }

    fn pay(&mut self, ticket: TicketId, amount: u128, is_closed: bool) -> Found {
        let Some(owed) = self.owed.get_mut(&ticket) else {
            return Err(format!("ticket {ticket} is paid, and is owed nothing"));
        };
        owed.paid += amount;
        if whole(owed.paid) > owed.most {
            return Err(format!("ticket {ticket} was paid {}, and may get {}", owed.paid, floor(&owed.most)));
        }
        if is_closed {
            if self.is_spared && whole(owed.paid + DUST + 4 * owed.pieces) < owed.most {
                return Err(format!("ticket {ticket} was paid {} of {}", owed.paid, floor(&owed.most)));
            }
            self.owed.remove(&ticket);
        }
        Ok(())
    }

    fn compare(&mut self, before: &VaultBook, after: &VaultBook, slack: u128) -> Found {
        near("supply", after.supply.units(), self.supply, 0)?;
        near("shares that wait", after.waiting.units(), self.waiting, 0)?;
        near("shares in the line", self.line.iter().map(|waiter| waiter.shares).sum(), self.waiting, 0)?;
        near("deposits that wait", after.deposits.units(), self.deposits.values().sum(), 0)?;
        let holders: BTreeMap<Address, u128> =
            after.holders.iter().map(|(account, shares)| (*account, shares.units())).collect();
        self.holders.retain(|_, shares| *shares > 0);
        if holders != self.holders {
            return Err(format!("the ledger has the holders {holders:?}, the book {:?}", self.holders));
        }
        near("shares of everybody", holders.values().sum::<u128>() + self.waiting, self.supply, 0)?;
        near("value", after.nav.units(), self.nav, slack)?;
        // What was withheld or held back and is not paid joins the gains in the same call.
        let released = (before.contingent.units() + before.holdback.units() + before.escrow.units())
            .saturating_sub(after.contingent.units() + after.holdback.units() + after.escrow.units());
        let shown: u128 = after.unvested.iter().map(|(_, amount)| amount.units()).sum();
        let cut = if self.is_spared { 0 } else { u128::MAX / 4 };
        near("gains that do not count yet", shown, self.unvested(), slack + released + cut)?;
        let gross = after.idle.units() + after.staked.units();
        near(
            "value by drawers",
            after.nav.units(),
            gross.saturating_sub(shown),
            if self.is_spared { slack } else { cut },
        )?;
        if after.low > after.nav {
            return Err(format!("the low value {} is above the high one {}", after.low, after.nav));
        }
        self.nav = after.nav.units();
        self.gains = after.unvested.iter().map(|(at, amount)| (*at, amount.units())).collect();
        Ok(())
    }

    /// What a holder has.
    pub fn shares_of(&self, account: Address) -> Shares {
        Shares::new(self.holders.get(&account).copied().unwrap_or(0))
    }

    /// Tickets that wait or are owed something.
    pub fn tickets(&self) -> Vec<TicketId> {
        let waiting = self.line.iter().map(|waiter| waiter.ticket);
        let mut all: Vec<TicketId> = waiting
            .chain(self.owed.keys().copied())
            .chain(self.held.keys().copied())
            .chain(self.deposits.keys().copied())
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn is_of_vaults(operation: &Operation) -> bool {
    operation.kind().name().contains("vault")
}
