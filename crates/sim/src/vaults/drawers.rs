//! What is in the drawers of a vault that no holder owns: owed, withheld, held back, the fund, and how much may leave at once.
//!
//! Each is followed by what happened, so that money paid from the wrong drawer, or kept where it was to be held back, differs.

use protocol::Event;
use protocol::ops::create_vault::VaultTerms;
use protocol::units::{Epoch, Fraction, TicketId};
use protocol::view::VaultBook;

use super::model::{Found, near, rate};
use crate::model::exact::{Ratio, floor, ratio, times_up, whole};

/// What is held back of what is settled early or leaves at once, and the fee of the latter.
#[derive(Clone, Debug)]
pub(super) struct Drawers {
    terms: VaultTerms,
    /// Epochs after which nothing that was bonded can be slashed for it any more.
    harmless: u32,
    /// What may leave at once in the epoch, what did, and what the vault was worth at its tick.
    bucket: [u128; 3],
    fund: u128,
    /// What batches hold back, from which epoch on it may be fetched, and by which tickets.
    holds: Vec<(Epoch, u128, Vec<TicketId>)>,
    /// What the stake lost since an operation of the vault noticed.
    unnoticed: u128,
    /// What the open requests may cost, while it is known.
    pending: Option<u128>,
    /// The ticket that was claimed in the step.
    claimed: Option<TicketId>,
    /// What went into and out of escrow, holdback and contingent in the step.
    held: [u128; 2],
    owed: [u128; 2],
}

/// What is left of `number` once `taken` is gone, where that must not be more.
fn less(what: &str, number: u128, taken: u128) -> Result<u128, String> {
    number.checked_sub(taken).ok_or_else(|| format!("{what}: {taken} of {number}"))
}

fn all_owed(book: &VaultBook) -> u128 {
    book.escrow.units() + book.contingent.units() + book.holdback.units()
}

impl Drawers {
    pub(super) const fn new(terms: VaultTerms, harmless: u32) -> Self {
        Self {
            terms,
            harmless,
            bucket: [0; 3],
            fund: 0,
            holds: Vec::new(),
            unnoticed: 0,
            pending: None,
            claimed: None,
            held: [0; 2],
            owed: [0; 2],
        }
    }

    pub(super) const fn terms(&self) -> &VaultTerms {
        &self.terms
    }

    /// A step begins. What open requests may cost is the difference of the two prices, as long as the low one is above nothing.
    pub(super) fn start(&mut self, before: &VaultBook) {
        let (nav, low) = (before.nav.units(), before.low.units());
        self.pending = (low > 0 || nav == 0).then(|| nav - low);
        (self.held, self.owed, self.claimed) = ([0; 2], [0; 2], None);
    }

    /// The stake lost something, and nobody has noticed: what the pool bears of it, where nothing is withheld that might pay.
    pub(super) fn lose(&mut self, loss: u128, before: &VaultBook) -> Option<u128> {
        let known = self.unnoticed;
        self.unnoticed += loss;
        let bears = |loss: u128| loss.saturating_sub(self.fund);
        before.contingent.is_zero().then(|| bears(self.unnoticed) - bears(known))
    }

    /// The vault's own clock moves: so much may leave at once.
    pub(super) fn begin(&mut self, nav: u128) {
        self.bucket = [floor(&(ratio(self.terms.instant.bucket) * whole(nav))), 0, nav];
    }

    /// The price at which shares leave, given the high one's value.
    pub(super) fn low(&self, nav: u128, supply: u128) -> Option<Ratio> {
        self.pending.map(|pending| rate(nav.saturating_sub(pending), supply))
    }

    /// Somebody left at once: the fee, what is held back, and what of the fee is a gain.
    pub(super) fn leave(&mut self, gross: u128, fee: u128, held: u128) -> Result<u128, String> {
        let terms = self.terms.instant;
        let [size, used, nav] = self.bucket;
        if gross + used > size {
            return Err(format!("{gross} leave at once after {used}, and {size} may"));
        }
        let range = ratio(terms.fee_high) - ratio(terms.fee_low);
        let part = range * whole(2 * used + gross) / whole((2 * size).max(1));
        // The fee's share is cut up to a step of a fraction.
        let steps = times_up(u128::from(Fraction::STEPS), &part);
        let share = ratio(terms.fee_low) + whole(steps) / whole(u128::from(Fraction::STEPS));
        near("fee of leaving at once", fee, times_up(gross, &share).min(gross), 0)?;
        let hold = times_up(gross, &ratio(terms.holdback)).min(gross - fee);
        near("held back of leaving at once", held, hold, 0)?;
        self.bucket[1] += gross;
        let target = floor(&(ratio(self.terms.fund_target) * whole(nav)));
        let to_fund = fee.min(target.saturating_sub(self.fund));
        self.fund += to_fund;
        self.held[0] += held;
        self.owed[0] += held;
        Ok(fee - to_fund)
    }

    /// What is settled of who asked in an epoch: what is held back while a slash of that epoch may come.
    pub(super) fn settle(
        &mut self,
        now: Epoch,
        (asked, tickets): (Epoch, Vec<TicketId>),
        [assets, held, withheld]: [u128; 3],
    ) -> Found {
        let until = asked.later(self.harmless);
        let hold = if now < until { times_up(assets, &ratio(self.terms.instant.holdback)) } else { 0 };
        near("held back of a settlement", held, hold, 0)?;
        if held > 0 {
            self.holds.push((until, held, tickets));
        }
        self.pending = self.pending.map(|pending| pending.saturating_sub(withheld));
        self.held[0] += held;
        self.owed[0] += assets + withheld;
        Ok(())
    }

    /// Events that only move money between drawers.
    pub(super) fn read(&mut self, event: &Event, before: &VaultBook) -> Found {
        match event {
            Event::VaultClaimed { ticket, amount, .. } => {
                self.claimed = Some(*ticket);
                self.owed[1] += amount.units();
            }
            Event::VaultHoldbackPaid { paid, kept, .. } => {
                self.held[1] += paid.units() + kept.units();
                self.owed[1] += paid.units() + kept.units();
            }
            Event::VaultFunded { amount, .. } => self.fund += amount.units(),
            Event::VaultLost { loss, withheld, fund, junior, pool, .. } => {
                let rest = less("withheld for a loss", loss.units(), withheld.units())?;
                less("withheld in all", before.contingent.units(), withheld.units())?;
                near("the fund's part of a loss", fund.units(), rest.min(self.fund), 0)?;
                let rest = less("the fund's part", rest, fund.units())?;
                near("the pool's part of a loss", pool.units(), less("junior", rest, junior.units())?, 0)?;
                near("a loss", loss.units(), self.unnoticed, 64)?;
                self.fund -= fund.units();
                self.unnoticed = 0;
            }
            _ => {}
        }
        Ok(())
    }

    /// The drawers after the step.
    pub(super) fn compare(&mut self, epoch: Epoch, before: &VaultBook, after: &VaultBook) -> Found {
        near("fund", after.fund.units(), self.fund, 0)?;
        let owed = less("owed to exits", all_owed(before) + self.owed[0], self.owed[1])?;
        less("owed, withheld and held back", owed, all_owed(after))?;
        // Batches whose time has come are released when somebody claims from them.
        let held = less("held back", before.holdback.units() + self.held[0], self.held[1])?;
        let released = less("what is held back grew by more than was", held, after.holdback.units())?;
        self.release(epoch, released)
    }

    /// So much is no longer held back: of batches of the claimed ticket whose time has come, each whole, which lie side by side in the line.
    fn release(&mut self, epoch: Epoch, released: u128) -> Found {
        if released == 0 {
            return Ok(());
        }
        for first in 0..self.holds.len() {
            let mut sum = 0;
            for last in first..self.holds.len() {
                let (from, held, tickets) = &self.holds[last];
                sum += held;
                let is_own = self.claimed.is_some_and(|claimed| tickets.contains(&claimed));
                if *from > epoch || sum > released || !is_own {
                    break;
                }
                if sum == released {
                    self.holds.drain(first..=last);
                    return Ok(());
                }
            }
        }
        Err(format!("{released} are no longer held back, and no settlements held that back until {epoch}"))
    }
}
