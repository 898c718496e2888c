//! A run on a vault: 19.6 % of the supply asks out within 33 days, most of it at the start, as after the event of April 2026, when ether.fi
//! redeemed 19.6 % of its value in 33 days with a median of 4.9 and at most 17 days of waiting (`docs/explanation/vaults.md` names the source).
//!
//! An epoch is a day, `U` is 14. The vault starts with ten operators at 9.8 % each, 2 % idle, and the caps of the first table of the docs.

use std::collections::BTreeMap;

use protocol::event::MoveReason;
use protocol::ops;
use protocol::ops::set_bands::{Band, Rung};
use protocol::units::{Address, Amount, Epoch, Fraction, OperatorId, Shares, TicketId, VaultId};
use protocol::{Authority, Event, Genesis, Operation, Signer, State, advance_epoch, apply, invariants};

use super::world;
use crate::prng::Prng;

/// Shares asked back, in thousandths of the supply, by day.
pub const DAYS: [u128; 33] =
    [30, 24, 18, 14, 12, 10, 9, 8, 7, 6, 6, 5, 5, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 0];
/// Tickets of a day.
const TICKETS: u128 = 20;
const OPERATORS: u8 = 10;
const DEPOSIT: u128 = 1 << 60;
/// Epochs before the run, in which everything is delegated, and after it.
const BEFORE: usize = 3;
const AFTER: usize = 40;
const VAULT: VaultId = VaultId::new(0);

/// How it went.
#[derive(Clone, Debug)]
pub struct Run {
    /// How many epochs each ticket waited until all of it was paid, what was held back too, ascending.
    pub waits: Vec<u32>,
    /// Tickets that were never paid.
    pub unpaid: usize,
    /// Moves that the vault was forced to because something exceeded a cap, a band or the mandate.
    pub forced: usize,
}

impl Run {
    /// The wait that so many in a hundred don't exceed.
    pub fn percentile(&self, percent: usize) -> u32 {
        let place = (self.waits.len() * percent).div_ceil(100).saturating_sub(1);
        self.waits.get(place).copied().unwrap_or(0)
    }
}

/// A run under way.
struct Play {
    state: State,
    run: Run,
    /// Since when each ticket waits, and what it has not been paid.
    waiting: BTreeMap<TicketId, (u32, u128)>,
}

/// Plays it.
///
/// # Panics
/// If an invariant breaks.
pub fn run() -> Run {
    let run = Run { waits: Vec::new(), unpaid: 0, forced: 0 };
    let mut play = Play { state: start(), run, waiting: BTreeMap::new() };
    for number in 0..world::HOLDERS {
        let (amount, shares_min, deadline) = (Amount::new(DEPOSIT), Shares::ZERO, Epoch::NEVER);
        let put = ops::vault_deposit::VaultDeposit { vault: VAULT, amount, shares_min, deadline };
        play.act(world::holder(number), Operation::VaultDeposit(put));
    }
    for day in 0..BEFORE + DAYS.len() + AFTER {
        play.boundary();
        play.claim();
        let part = day.checked_sub(BEFORE).and_then(|day| DAYS.get(day)).copied().unwrap_or(0);
        if part > 0 {
            play.ask_back(part);
        }
    }
    play.run.unpaid = play.waiting.len();
    play.run.waits.sort_unstable();
    play.run
}

/// Ten operators, and a vault under the caps of the docs that nobody is in.
fn start() -> State {
    let mut prng = Prng::new(1);
    let mut set_terms = world::set_terms();
    set_terms.window_cap = world::percent(25);
    let mut state = world::start(Genesis::development(), &set_terms);
    for number in 0..OPERATORS {
        // A fifth of each pool can be slashed by the set.
        world::add_operator(&mut state, Address([0x20 + number; 20]), 51);
    }
    let mut policy = world::policy(&mut prng);
    let band = policy.bands[0];
    let target = Fraction::from_steps(98_000_000_000_000_000).expect("9.8 %");
    let max = world::percent(15);
    let of = |number| Band { operator: OperatorId::new(number), target, max, ..band };
    policy.bands = (0..u32::from(OPERATORS)).map(of).collect();
    let caps = &mut policy.caps;
    (caps.operator, caps.owner, caps.service) = (max, world::percent(20), world::percent(25));
    (caps.slasher, caps.event, caps.two_events) = (world::percent(25), world::percent(5), world::percent(10));
    caps.turnover = world::percent(5);
    let rung = |epochs, share| Rung { epochs, share: world::percent(share) };
    caps.ladder = vec![rung(0, 2), rung(16, 50)];
    let mut terms = world::vault_terms(&mut prng);
    (terms.drip, terms.fee) = (7, world::percent(10));
    terms.instant.watermark = Fraction::ZERO;
    world::open_vault(&mut state, &terms, policy);
    state
}

impl Play {
    fn act(&mut self, account: Address, operation: Operation) -> Vec<Event> {
        let authority = Authority { account, signer: Signer::Plain, expires: u64::MAX };
        apply(&mut self.state, &authority, &operation).unwrap_or_default()
    }

    /// An epoch ends, and somebody ticks.
    fn boundary(&mut self) {
        advance_epoch(&mut self.state);
        let tick = Operation::VaultTick(ops::vault_tick::VaultTick { vault: VAULT, steps: None });
        let events = self.act(world::COUNCIL, tick);
        self.run.forced += events.iter().filter(|event| is_forced(event)).count();
        invariants::check(&self.state).unwrap_or_else(|why| panic!("epoch {}: {why}", self.state.epoch()));
    }

    /// Everybody fetches what there is.
    fn claim(&mut self) {
        let now = self.state.epoch().number();
        let tickets: Vec<TicketId> = self.waiting.keys().copied().collect();
        for ticket in tickets {
            let claim = ops::vault_claim::VaultClaim { vault: VAULT, ticket };
            for event in self.act(world::COUNCIL, Operation::VaultClaim(claim)) {
                let Event::VaultClaimed { amount, is_closed, .. } = event else { continue };
                let Some((asked, left)) = self.waiting.get_mut(&ticket) else { continue };
                *left = left.saturating_sub(amount.units());
                if is_closed {
                    self.run.waits.push(now - *asked);
                    self.waiting.remove(&ticket);
                }
            }
        }
    }

    /// So many thousandths of all shares are asked back, in tickets of equal size.
    fn ask_back(&mut self, part: u128) {
        let now = self.state.epoch().number();
        // A unit was a thousand shares when all of them came in.
        let shares = Some(Shares::new(u128::from(world::HOLDERS) * DEPOSIT * part / TICKETS));
        for number in 0..TICKETS {
            let holder = u8::try_from(number % u128::from(world::HOLDERS)).expect("few");
            let request = ops::vault_request::VaultRequest { vault: VAULT, shares };
            for event in self.act(world::holder(holder), Operation::VaultRequest(request)) {
                if let Event::VaultExitRequested { ticket, worth, .. } = event {
                    self.waiting.insert(ticket, (now, worth.units()));
                }
            }
        }
    }
}

fn is_forced(event: &Event) -> bool {
    matches!(event, Event::VaultMoved { why: MoveReason::Cap | MoveReason::Band | MoveReason::Mandate, .. })
}
