//! Vaults under random histories: a seed becomes a history of deposits, requests, cancellations, claims, exits at once, slashes that are asked
//! for, vetoed and carried out, donations and harvests, guards, rebalancing and transfers, and after every step the ledger and the
//! [`model::Book`] say the same of every figure and every holder, and the ledger's own invariants hold, those about a step too.
//!
//! # What it does not ask
//! Baskets, routes, announced terms, junior tranches; ticks that stop half way over a boundary.

mod drawers;
pub mod faults;
pub mod model;
pub mod run;
mod world;

use std::collections::BTreeSet;

use protocol::ops;
use protocol::ops::vault_guard::GuardAction;
use protocol::units::{Address, Amount, Epoch, OperatorId, RequestId, SetId, Shares, VaultId};
use protocol::view::VaultBook;
use protocol::{Authority, Event, Operation, Signer, State, advance_epoch, apply, invariants};

use crate::prng::Prng;
use faults::Fault;
use model::Book;
use world::{COUNCIL, GUARDIAN, HOLDERS, RESOLVER, SERVICE, holder};

const VAULT: VaultId = VaultId::new(0);

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

fn played(seed: u64, operations: u64, checks: bool, fault: Option<Fault>) -> Result<Player, String> {
    let mut prng = Prng::new(seed);
    let (state, terms) = world::build(&mut prng);
    let book = Book::new(view(&state), terms, world::HARMLESS);
    let (counts, requests, reached) = (Counts::default(), Vec::new(), BTreeSet::new());
    let planted = Planted::default();
    let mut player = Player { prng, state, book, counts, requests, reached, checks, fault, planted };
    for _ in 0..operations {
        player.next()?;
    }
    invariants::check(&player.state).map_err(|why| format!("invariant: {why}"))?;
    Ok(player)
}

fn view(state: &State) -> VaultBook {
    protocol::view::vault_books(state).swap_remove(0)
}

impl Player {
    fn next(&mut self) -> Result<(), String> {
        match self.prng.below(100) {
            0..24 => self.deposit(),
            24..38 => self.request(),
            38..44 => self.ticket(false),
            44..56 => self.ticket(true),
            56..62 => self.leave(),
            62..66 => self.transfer(),
            66..71 => self.donate(),
            71..77 => self.slash(),
            77..79 => self.guard(),
            79..81 => self.fund(),
            _ => self.boundary(),
        }
    }

    fn someone(&mut self) -> Address {
        holder(u8::try_from(self.prng.below(u64::from(HOLDERS))).expect("few"))
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
        let after = view(&self.state);
        self.plant(operation, &events, &after);
        self.book.step(self.state.epoch(), Some(operation), &events, after).map_err(|why| text(&why))?;
        Ok(events)
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

    fn tick(&mut self) -> Result<(), String> {
        let steps = self.prng.chance(20).then(|| 1 + u16::try_from(self.prng.below(4)).expect("few"));
        for steps in [steps, None, None] {
            if !self.book.seen().tick.1 || self.book.seen().tick.0 < self.state.epoch() {
                let tick = Operation::VaultTick(ops::vault_tick::VaultTick { vault: VAULT, steps });
                self.act(COUNCIL, &tick)?;
            }
        }
        Ok(())
    }

    /// A tick that was begun is done before the epoch ends, so that nobody has to guess what came first.
    fn boundary(&mut self) -> Result<(), String> {
        if !self.book.seen().tick.1 || self.prng.chance(70) {
            self.tick()?;
        }
        let before = self.checks.then(|| self.state.clone());
        advance_epoch(&mut self.state);
        self.counts.epochs += 1;
        if let Some(before) = before {
            invariants::check_step(&before, &self.state, None)
                .map_err(|why| format!("after a boundary: {why}"))?;
        }
        let after = view(&self.state);
        self.book
            .step(self.state.epoch(), None, &[], after)
            .map_err(|why| format!("after a boundary: {why}"))?;
        if self.prng.chance(50) { self.tick() } else { Ok(()) }
    }

    fn deposit(&mut self) -> Result<(), String> {
        let (account, amount) = (self.someone(), Amount::new(self.prng.amount(1 << 60)));
        let deadline = if self.prng.chance(80) { Epoch::NEVER } else { self.state.epoch().next() };
        let shares_min = if self.prng.chance(90) { Shares::ZERO } else { Shares::new(amount.units() * 1000) };
        let put = ops::vault_deposit::VaultDeposit { vault: VAULT, amount, shares_min, deadline };
        self.act(account, &Operation::VaultDeposit(put)).map(drop)
    }

    fn part(&mut self, account: Address) -> Shares {
        let all = self.book.shares_of(account).units();
        Shares::new(match self.prng.below(4) {
            0 => all,
            1 => all / 2,
            2 => self.prng.amount(all.max(1)),
            _ => all + 1,
        })
    }

    fn request(&mut self) -> Result<(), String> {
        let account = self.someone();
        let shares = if self.prng.chance(30) { None } else { Some(self.part(account)) };
        let request = ops::vault_request::VaultRequest { vault: VAULT, shares };
        self.act(account, &Operation::VaultRequest(request)).map(drop)
    }

    /// Claims a ticket, or has its owner take it back.
    fn ticket(&mut self, claims: bool) -> Result<(), String> {
        let Some(ticket) = self.prng.pick(&self.book.tickets()).copied() else { return Ok(()) };
        if claims {
            let claim = ops::vault_claim::VaultClaim { vault: VAULT, ticket };
            return self.act(COUNCIL, &Operation::VaultClaim(claim)).map(drop);
        }
        let cancel = Operation::VaultCancel(ops::vault_cancel::VaultCancel { vault: VAULT, ticket });
        for number in 0..HOLDERS {
            let applied = self.counts.applied;
            self.act(holder(number), &cancel)?;
            if self.counts.applied > applied {
                break;
            }
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<(), String> {
        let account = self.someone();
        let shares = Shares::new(self.prng.amount(self.book.shares_of(account).units().max(1)));
        let leave = ops::vault_instant::VaultInstant { vault: VAULT, shares, amount_min: Amount::ZERO };
        self.act(account, &Operation::VaultInstant(leave)).map(drop)
    }

    fn transfer(&mut self) -> Result<(), String> {
        let (from, to) = (self.someone(), self.someone());
        let (share, shares) = (self.book.seen().share, self.part(from));
        let transfer = ops::transfer_shares::TransferShares { share, owner: None, to, shares };
        self.act(from, &Operation::TransferShares(transfer)).map(drop)
    }

    /// Somebody gives the vault's account something, and mostly it is harvested at once.
    fn donate(&mut self) -> Result<(), String> {
        let amount = self.prng.amount(self.book.seen().nav.units() / 8 + 1);
        let account = self.book.seen().account;
        self.act(COUNCIL, &world::deposit_to(Some(account), amount))?;
        if self.prng.chance(80) {
            let harvest = ops::vault_harvest::VaultHarvest { vault: VAULT, operator: None };
            self.act(COUNCIL, &Operation::VaultHarvest(harvest))?;
        }
        Ok(())
    }

    fn fund(&mut self) -> Result<(), String> {
        let (account, amount) = (self.someone(), Amount::new(self.prng.amount(1 << 40)));
        let fund = ops::vault_fund::VaultFund { vault: VAULT, amount };
        self.act(account, &Operation::VaultFund(fund)).map(drop)
    }

    fn guard(&mut self) -> Result<(), String> {
        let operator = OperatorId::new(u32::from(self.prng.chance(50)));
        let amount = Some(Amount::new(self.prng.amount(1 << 58)));
        let action = match self.prng.below(8) {
            0 => GuardAction::StopDeposits,
            1 => GuardAction::CutCap { cap: Amount::new(1 << 80) },
            _ => GuardAction::Undelegate { operator, amount },
        };
        self.act(GUARDIAN, &Operation::VaultGuard(ops::vault_guard::VaultGuard { vault: VAULT, action }))
            .map(drop)
    }

    /// A slash is asked for, vetoed or carried out.
    fn slash(&mut self) -> Result<(), String> {
        let known = self.prng.pick(&self.requests).copied();
        if let Some(request) = known.filter(|_| self.prng.chance(70)) {
            let (account, operation) = if self.prng.chance(15) {
                (RESOLVER, Operation::VetoSlash(ops::veto_slash::VetoSlash { request }))
            } else {
                (COUNCIL, Operation::ExecuteSlash(ops::execute_slash::ExecuteSlash { request }))
            };
            return self.act(account, &operation).map(drop);
        }
        let back = u32::try_from(self.prng.below(3)).expect("few");
        let steps = [10_u8, 50, 1, 25, 100];
        let fraction = world::percent(*self.prng.pick(&steps).expect("some"));
        let request = ops::request_slash::RequestSlash {
            set: SetId::new(0),
            operator: OperatorId::new(u32::from(self.prng.chance(50))),
            capture: self.state.epoch().earlier(back),
            fraction,
            reason: "a history".to_owned(),
            victims: Vec::new(),
        };
        let events = self.act(SERVICE, &Operation::RequestSlash(request))?;
        self.requests.extend(events.iter().filter_map(|event| match event {
            Event::SlashRequested { request, .. } => Some(*request),
            _ => None,
        }));
        Ok(())
    }
}
