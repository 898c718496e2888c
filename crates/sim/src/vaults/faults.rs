//! Mistakes that a ledger could make with vaults. Each is told to the book in place of what the ledger really did, at every step where it
//! makes a difference, and the book has to say in that step that something differs.

use protocol::event::Event;
use protocol::units::{Address, Amount, Shares};
use protocol::view::VaultBook;

use crate::model::exact::portion_down;

/// Below this a difference may be what divisions leave, which the book allows.
const CLEAR: u128 = 1000;

macro_rules! faults {
    ($($(#[doc = $about:literal])* $name:ident,)*) => {
        /// A mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $($(#[doc = $about])* $name,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

faults! {
    /// The shares of a deposit are rounded up.
    EntryRoundsUp,
    /// While a slash is open a deposit comes in at the low price.
    EntryAtLow,
    /// What is settled is rounded up.
    SettlementRoundsUp,
    /// While a slash is open exits are settled at the high price, and nothing is withheld.
    SettlementAtHigh,
    /// The last that could be settled is left to wait.
    SettlementSkipped,
    /// Nothing is held back of what is settled early.
    SettlementHoldsNothingBack,
    /// While a slash is open shares leave at once at the high price.
    LeavingAtHigh,
    /// Nothing is held back of what leaves at once.
    LeavingHoldsNothingBack,
    /// Nobody pays for leaving at once.
    LeavingIsFree,
    /// A claim is paid of what is held back from others.
    ClaimFromHoldback,
    /// A claim is paid by the fund.
    ClaimFromFund,
    /// What is given unasked counts at once.
    GiftsCountAtOnce,
    /// Who waited and takes its shares back keeps what they gained.
    CancelKeepsGains,
    /// The fee is taken twice.
    FeeTwice,
    /// The holders bear a loss that the fund could pay.
    FundIsSpared,
    /// Shares that are given to somebody stay with the giver as well.
    TransferCopies,
    /// Shares that wait to leave stay with their holder as well.
    RequestCopies,
}

/// What is said of a step.
pub(super) struct Told {
    pub(super) events: Vec<Event>,
    pub(super) after: VaultBook,
}

fn plus(amount: &mut Amount, more: u128) {
    *amount = Amount::new(amount.units() + more);
}

fn minus(amount: &mut Amount, less: u128) {
    *amount = Amount::new(amount.units().saturating_sub(less));
}

fn worth(shares: Shares, nav: Amount, supply: Shares) -> u128 {
    portion_down(shares.units(), nav.units() + 1, supply.units() + 1000)
}

impl Told {
    fn give(&mut self, to: Address, shares: u128) {
        match self.after.holders.iter_mut().find(|(account, _)| *account == to) {
            Some((_, held)) => *held = Shares::new(held.units() + shares),
            None => self.after.holders.push((to, Shares::new(shares))),
        }
    }

    fn mint(&mut self, to: Address, shares: u128) {
        self.after.supply = Shares::new(self.after.supply.units() + shares);
        self.give(to, shares);
    }

    /// A gain counts that was to count later.
    fn vest(&mut self, amount: u128) {
        let mut rest = amount;
        for (_, part) in self.after.unvested.iter_mut().rev() {
            let taken = part.units().min(rest);
            minus(part, taken);
            rest -= taken;
        }
    }

    fn worth_more(&mut self, amount: u128) {
        plus(&mut self.after.nav, amount);
        plus(&mut self.after.low, amount);
    }

    fn worth_less(&mut self, amount: u128) {
        minus(&mut self.after.nav, amount);
        minus(&mut self.after.low, amount);
    }
}

impl Fault {
    /// What a ledger with the mistake would have said of a step; none where it makes no difference.
    pub(super) fn tell(self, before: &VaultBook, events: &[Event], after: &VaultBook) -> Option<Told> {
        let mut told = Told { events: events.to_vec(), after: after.clone() };
        if self == Self::FundIsSpared {
            return fund_is_spared(before, events, told);
        }
        if self == Self::SettlementSkipped {
            return settlement_skipped(before, told);
        }
        let is_hit = (0..told.events.len()).rev().any(|place| {
            self.change_exit(before, &mut told, place) || self.change_other(before, &mut told, place)
        });
        is_hit.then_some(told)
    }

    /// Changes what is said of exits; whether there was anything to change.
    fn change_exit(self, before: &VaultBook, told: &mut Told, place: usize) -> bool {
        let mut event = told.events[place].clone();
        match (self, &mut event) {
            (Self::SettlementRoundsUp, Event::VaultSettled { assets, forfeited, .. }) => {
                plus(assets, 1);
                plus(&mut told.after.escrow, 1);
                minus(&mut told.after.idle, 1);
                if forfeited.is_zero() {
                    told.worth_less(1);
                } else {
                    minus(forfeited, 1);
                    told.vest(1);
                }
            }
            (Self::SettlementAtHigh, Event::VaultSettled { assets, withheld, .. })
                if withheld.units() > CLEAR && !before.low.is_zero() =>
            {
                let more = withheld.units();
                plus(assets, more);
                *withheld = Amount::ZERO;
                plus(&mut told.after.escrow, more);
                minus(&mut told.after.contingent, more);
                minus(&mut told.after.low, more);
            }
            (Self::SettlementHoldsNothingBack, Event::VaultSettled { held, .. }) if !held.is_zero() => {
                plus(&mut told.after.escrow, held.units());
                minus(&mut told.after.holdback, held.units());
                *held = Amount::ZERO;
            }
            (Self::LeavingAtHigh, Event::VaultLeft { shares, paid, fee, held, .. }) => {
                let gross = paid.units() + fee.units() + held.units();
                let more = worth(*shares, before.nav, before.supply) - gross;
                if more == 0 {
                    return false;
                }
                plus(paid, more);
                minus(&mut told.after.idle, more);
                told.vest(more);
            }
            (Self::LeavingHoldsNothingBack, Event::VaultLeft { paid, held, .. }) if !held.is_zero() => {
                plus(paid, held.units());
                minus(&mut told.after.holdback, held.units());
                *held = Amount::ZERO;
            }
            (Self::LeavingIsFree, Event::VaultLeft { paid, fee, .. }) if !fee.is_zero() => {
                plus(paid, fee.units());
                minus(&mut told.after.idle, fee.units());
                let to_fund = told.after.fund.units() - before.fund.units();
                minus(&mut told.after.fund, to_fund);
                told.vest(fee.units() - to_fund);
                *fee = Amount::ZERO;
            }
            _ => return false,
        }
        told.events[place] = event;
        true
    }

    /// Changes what is said of the rest; whether there was anything to change.
    fn change_other(self, before: &VaultBook, told: &mut Told, place: usize) -> bool {
        let mut event = told.events[place].clone();
        match (self, &mut event) {
            (Self::EntryRoundsUp, Event::VaultEntered { account, shares, .. }) => {
                *shares = Shares::new(shares.units() + 1);
                told.mint(*account, 1);
            }
            (Self::EntryAtLow, Event::VaultEntered { account, shares, .. })
                if before.low.units() > before.nav.units() / 2 =>
            {
                let at_low = portion_down(shares.units(), before.nav.units() + 1, before.low.units() + 1);
                let more = at_low - shares.units();
                if more == 0 {
                    return false;
                }
                *shares = Shares::new(at_low);
                told.mint(*account, more);
            }
            (Self::ClaimFromHoldback, Event::VaultClaimed { amount, .. })
                if !amount.is_zero() && told.after.holdback >= *amount =>
            {
                plus(&mut told.after.escrow, amount.units());
                minus(&mut told.after.holdback, amount.units());
            }
            (Self::ClaimFromFund, Event::VaultClaimed { amount, .. })
                if !amount.is_zero() && told.after.fund >= *amount =>
            {
                plus(&mut told.after.escrow, amount.units());
                minus(&mut told.after.fund, amount.units());
            }
            (Self::GiftsCountAtOnce, Event::VaultHarvested { given, .. }) if given.units() > CLEAR => {
                told.worth_more(given.units());
                told.vest(given.units());
            }
            (Self::CancelKeepsGains, Event::VaultExitCancelled { account, kept, burnt, forfeited, .. })
                if forfeited.units() > CLEAR =>
            {
                told.mint(*account, burnt.units());
                told.worth_more(forfeited.units());
                told.vest(forfeited.units());
                *kept = Shares::new(kept.units() + burnt.units());
                (*burnt, *forfeited) = (Shares::ZERO, Amount::ZERO);
            }
            (Self::FeeTwice, Event::VaultFeeTaken { shares, value, .. }) => {
                let treasury = super::world::TREASURY;
                told.mint(treasury, shares.units());
                *shares = Shares::new(2 * shares.units());
                *value = Amount::new(2 * value.units());
            }
            (Self::TransferCopies, Event::SharesMoved { share, from, shares, .. })
                if *share == before.share && !shares.is_zero() =>
            {
                told.give(*from, shares.units());
            }
            (Self::RequestCopies, Event::VaultExitRequested { account, shares, .. }) => {
                told.give(*account, shares.units());
            }
            _ => return false,
        }
        told.events[place] = event;
        true
    }
}

/// A slash that nobody of the vault has noticed: the fund pays nothing of it.
fn fund_is_spared(before: &VaultBook, events: &[Event], mut told: Told) -> Option<Told> {
    let is_slash = events.iter().any(|event| matches!(event, Event::Slashed { .. }));
    let loss = before.staked.units().checked_sub(told.after.staked.units()).filter(|_| is_slash)?;
    let borne = before.nav.units().checked_sub(told.after.nav.units())?;
    let by_fund = loss.checked_sub(borne).filter(|part| *part > CLEAR && before.contingent.is_zero())?;
    minus(&mut told.after.idle, by_fund);
    told.worth_less(by_fund);
    Some(told)
}

/// The last settlement of a tick that moved no stake, with nothing that came in after it, is undone.
fn settlement_skipped(before: &VaultBook, mut told: Told) -> Option<Told> {
    let begins = told.after.tick.1 && told.after.tick.0 > before.tick.0;
    let is_tick = matches!(told.events.last(), Some(Event::VaultTicked { .. }));
    let moves = told.events.iter().any(|event| matches!(event, Event::VaultMoved { .. }));
    let last = told
        .events
        .iter()
        .rposition(|event| matches!(event, Event::VaultSettled { .. } | Event::VaultEntered { .. }));
    let place = last.filter(|_| begins && is_tick && !moves)?;
    let Event::VaultSettled { shares, assets, held, withheld, forfeited, .. } = told.events[place] else {
        return None;
    };
    // So much that all of the line's next can't be called a rest of divisions.
    if assets.units() < 8 || shares.units() < 4 {
        return None;
    }
    told.events.remove(place);
    let out = assets.units() + withheld.units();
    let after = &mut told.after;
    after.supply = Shares::new(after.supply.units() + shares.units());
    after.waiting = Shares::new(after.waiting.units() + shares.units());
    plus(&mut after.idle, out);
    minus(&mut after.escrow, assets.units() - held.units());
    minus(&mut after.holdback, held.units());
    minus(&mut after.contingent, withheld.units());
    told.vest(forfeited.units());
    told.worth_more(out + forfeited.units());
    Some(told)
}
