//! Vaults under random histories: a seed becomes a history of deposits, requests, cancellations, claims, exits at once, slashes that are asked
//! for, vetoed and carried out, donations and harvests, guards, rebalancing and transfers, a basket's doors in kind and by one leg, reported
//! prices, and after every step the ledger and the books ([`model::Book`] of the vault, `baskets` of the basket) say the same of every
//! figure and every holder, and the ledger's own invariants hold, those about a step too.
//!
//! The basket holds shares of two vaults: the one that all of this happens to, and one to which nothing happens.
//!
//! [`faults`] are mistakes that are told to the book of the vault, which has to notice.
//!
//! # What it does not ask
//! Routes, announced terms, junior tranches; ticks that stop half way over a boundary.

mod baskets;
mod drawers;
pub mod faults;
pub mod model;
pub mod run;
mod turns;
mod world;

use std::collections::BTreeSet;

use protocol::units::{Address, BasketId, RequestId, VaultId};
use protocol::view::VaultBook;
use protocol::{Authority, Event, Operation, Signer, State, apply, invariants};

use crate::prng::Prng;
use baskets::BasketBook;
use faults::Fault;
use model::Book;

const VAULT: VaultId = VaultId::new(0);
/// The vault that nothing happens to.
const QUIET: VaultId = VaultId::new(1);
const BASKET: BasketId = BasketId::new(0);

/// What became of the steps of a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations that were carried out.
    pub applied: u64,
    /// Operations that were refused.
    pub refused: u64,
    /// Epochs that began.
    pub epochs: u64,
}

impl Counts {
    /// Adds those of another history.
    pub const fn add(&mut self, other: &Self) {
        self.applied += other.applied;
        self.refused += other.refused;
        self.epochs += other.epochs;
    }
}

/// How often a mistake was told to the book, and how often it said that something differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planted {
    /// Steps at which the mistake makes a difference.
    pub told: u64,
    /// Of them, those at which the book noticed.
    pub noticed: u64,
    /// What the book let pass first.
    pub passed: Option<String>,
    /// What it said first.
    pub said: Option<String>,
}

struct Player {
    prng: Prng,
    state: State,
    book: Book,
    basket: BasketBook,
    quiet: VaultBook,
    counts: Counts,
    requests: Vec<RequestId>,
    reached: BTreeSet<&'static str>,
    checks: bool,
    fault: Option<Fault>,
    planted: Planted,
}

/// Plays the history of a seed. The invariants are checked after every step where `checks` says so, and at the end.
///
/// # Errors
/// What differs, after which operation.
pub fn play(seed: u64, operations: u64, checks: bool) -> Result<Counts, String> {
    Ok(played(seed, operations, checks, None)?.counts)
}

/// The kinds of operations that were carried out in the history of a seed.
///
/// # Errors
/// As of [`play`].
pub fn reached(seed: u64, operations: u64) -> Result<BTreeSet<&'static str>, String> {
    Ok(played(seed, operations, false, None)?.reached)
}

/// Plays the history of a seed and tells the book the mistake instead, at each step where it makes a difference. The history itself goes on
/// without it.
///
/// # Errors
/// What differs where no mistake was made.
pub fn plant(fault: Fault, seed: u64, operations: u64) -> Result<Planted, String> {
    Ok(played(seed, operations, false, Some(fault))?.planted)
}

/// Plays the history of a seed and looks at the ledger after every turn.
///
/// # Errors
/// What differs.
pub fn watch(seed: u64, operations: u64, look: &mut dyn FnMut(&State)) -> Result<(), String> {
    let mut player = Player::new(seed, false, None);
    for _ in 0..operations {
        player.next()?;
        look(&player.state);
    }
    Ok(())
}

fn played(seed: u64, operations: u64, checks: bool, fault: Option<Fault>) -> Result<Player, String> {
    let mut player = Player::new(seed, checks, fault);
    for _ in 0..operations {
        player.next()?;
    }
    invariants::check(&player.state).map_err(|why| format!("invariant: {why}"))?;
    Ok(player)
}

/// The vault, and the one that nothing happens to.
fn views(state: &State) -> (VaultBook, VaultBook) {
    let mut books = protocol::view::vault_books(state).into_iter();
    let (vault, quiet) = (books.next(), books.next());
    (vault.expect("the first vault"), quiet.expect("the second"))
}

impl Player {
    fn new(seed: u64, checks: bool, fault: Option<Fault>) -> Self {
        let mut prng = Prng::new(seed);
        let (state, terms) = world::build(&mut prng);
        let (vault, quiet) = views(&state);
        Self {
            prng,
            book: Book::new(vault, terms, world::HARMLESS),
            basket: BasketBook::new(&state, BASKET),
            quiet,
            state,
            counts: Counts::default(),
            requests: Vec::new(),
            reached: BTreeSet::new(),
            checks,
            fault,
            planted: Planted::default(),
        }
    }

    fn act(&mut self, account: Address, operation: &Operation) -> Result<Vec<Event>, String> {
        let before = self.checks.then(|| self.state.clone());
        let authority = Authority { account, signer: Signer::Plain, expires: u64::MAX };
        let outcome = apply(&mut self.state, &authority, operation);
        if outcome.is_ok() {
            self.counts.applied += 1;
            self.reached.insert(operation.kind().name());
        }
        self.counts.refused += u64::from(outcome.is_err());
        let events = outcome.unwrap_or_default();
        let text = |why: &dyn std::fmt::Display| format!("after {operation:?}: {why}");
        if let Some(before) = before {
            invariants::check(&self.state).map_err(|why| text(&why))?;
            invariants::check_step(&before, &self.state, Some(operation.kind())).map_err(|why| text(&why))?;
        }
        self.compare(Some(operation), &events).map_err(|why| text(&why))?;
        Ok(events)
    }

    /// Both books hear of a step, each of what concerns it.
    fn compare(&mut self, operation: Option<&Operation>, events: &[Event]) -> Result<(), String> {
        let before = [self.book.seen().clone(), self.quiet.clone()];
        let (after, quiet) = views(&self.state);
        let share = after.share;
        let is_quiet = matches!(operation, Some(Operation::VaultTick(tick)) if tick.vault == QUIET);
        let (operation, mut told) = if is_quiet { (None, Vec::new()) } else { (operation, events.to_vec()) };
        told.extend(events.iter().flat_map(|event| self.basket.as_transfers(event, share)));
        if let Some(operation) = operation {
            self.plant(operation, &told, &after);
        }
        self.basket.step(&self.state, events, &before, share)?;
        self.book.step(self.state.epoch(), operation, &told, after)?;
        self.quiet = quiet;
        Ok(())
    }

    /// Tells a copy of the book the mistake.
    fn plant(&mut self, operation: &Operation, events: &[Event], after: &VaultBook) {
        let told = self.fault.and_then(|fault| fault.tell(self.book.seen(), events, after));
        let Some(told) = told else { return };
        self.planted.told += 1;
        let said = self.book.clone().step(self.state.epoch(), Some(operation), &told.events, told.after);
        match said {
            Err(why) => {
                self.planted.noticed += 1;
                self.planted.said.get_or_insert(why);
            }
            Ok(()) => {
                self.planted.passed.get_or_insert(format!("{operation:?}: {:?}", told.events));
            }
        }
    }
}
