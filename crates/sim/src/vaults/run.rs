//! A run on a vault: 19.6 % of the supply asks out within 33 days, most of it at the start, as after the event of April 2026, when ether.fi
//! redeemed 19.6 % of its value in 33 days with a median of 4.9 and at most 17 days of waiting (`docs/explanation/vaults.md` names the source).
//!
//! An epoch is a day, `U` is 14. The vault starts with ten operators at 9.8 % each, 2 % idle, and the caps of the first table of the docs.

use std::collections::BTreeMap;

use protocol::event::MoveReason;
use protocol::ops;
use protocol::ops::set_bands::Rung;
use protocol::units::{Amount, Fraction, OperatorId, Shares, TicketId, VaultId};
use protocol::{Authority, Event, Genesis, Operation, Signer, advance_epoch, apply, invariants};

use super::world;
use crate::prng::Prng;

/// Shares asked back, in thousandths of the supply, by day.
pub const DAYS: [u128; 33] =
    [30, 24, 18, 14, 12, 10, 9, 8, 7, 6, 6, 5, 5, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 0];
/// Tickets of a day.
const TICKETS: u128 = 20;
const OPERATORS: u8 = 10;
const VAULT: VaultId = VaultId::new(0);

/// How it went.
#[derive(Clone, Debug)]
pub struct Run {
    /// How many epochs each ticket waited until all of it but what was held back was paid, ascending.
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

/// Plays it.
///
/// # Panics
/// If an invariant breaks, or a request is refused.
pub fn run() -> Run {
    let mut prng = Prng::new(1);
    let mut set_terms = world::set_terms();
    set_terms.window_cap = world::percent(25);
    let mut state = world::start(Genesis::development(), &set_terms);
    for number in 0..OPERATORS {
        // A fifth of each pool can be slashed by the set.
        world::add_operator(&mut state, protocol::units::Address([0x20 + number; 20]), 51);
    }
    let mut policy = world::policy(&mut prng);
    let band = policy.bands[0];
    let target = Fraction::from_steps(98_000_000_000_000_000).expect("9.8 %");
    let of = |number| ops::set_bands::Band {
        operator: OperatorId::new(number),
        target,
        max: world::percent(15),
        ..band
    };
    policy.bands = (0..u32::from(OPERATORS)).map(of).collect();
    let caps = &mut policy.caps;
    (caps.operator, caps.owner, caps.service) = (world::percent(15), world::percent(20), world::percent(25));
    (caps.slasher, caps.event, caps.two_events) = (world::percent(25), world::percent(5), world::percent(10));
    caps.turnover = world::percent(5);
    caps.ladder =
        vec![Rung { epochs: 0, share: world::percent(2) }, Rung { epochs: 16, share: world::percent(50) }];
    let mut terms = world::vault_terms(&mut prng);
    (terms.drip, terms.fee) = (7, world::percent(10));
    terms.instant.watermark = Fraction::ZERO;
    world::open_vault(&mut state, &terms, policy);

    let mut run = Run { waits: Vec::new(), unpaid: 0, forced: 0 };
    let mut waiting: BTreeMap<TicketId, (u32, u128)> = BTreeMap::new();
    let act = |state: &mut protocol::State, account, operation: Operation| {
        let authority = Authority { account, signer: Signer::Plain, expires: u64::MAX };
        apply(state, &authority, &operation).unwrap_or_default()
    };
    for number in 0..world::HOLDERS {
        let amount = Amount::new(1 << 60);
        let (shares_min, deadline) = (Shares::ZERO, protocol::units::Epoch::NEVER);
        let put = ops::vault_deposit::VaultDeposit { vault: VAULT, amount, shares_min, deadline };
        act(&mut state, world::holder(number), Operation::VaultDeposit(put));
    }
    for day in 0..3 + DAYS.len() + 40 {
        advance_epoch(&mut state);
        let tick = Operation::VaultTick(ops::vault_tick::VaultTick { vault: VAULT, steps: None });
        let events = act(&mut state, world::COUNCIL, tick);
        run.forced += events.iter().filter(|event| is_forced(event)).count();
        invariants::check(&state).unwrap_or_else(|why| panic!("day {day}: {why}"));
        let now = state.epoch().number();
        let claims: Vec<TicketId> = waiting.keys().copied().collect();
        for ticket in claims {
            let claim = ops::vault_claim::VaultClaim { vault: VAULT, ticket };
            for event in act(&mut state, world::COUNCIL, Operation::VaultClaim(claim)) {
                let Event::VaultClaimed { amount, is_closed, .. } = event else { continue };
                let (asked, left) = waiting.get_mut(&ticket).expect("it waits");
                *left = left.saturating_sub(amount.units());
                // A tenth at most is held back of what is settled early.
                if is_closed || *left < (1 << 60) / 1000 / TICKETS / 5 {
                    run.waits.push(now - *asked);
                    waiting.remove(&ticket);
                }
            }
        }
        let Some(part) = day.checked_sub(3).and_then(|day| DAYS.get(day)) else { continue };
        let supply = protocol::view::vault_books(&state)[0].supply.units();
        for number in 0..if *part == 0 { 0 } else { TICKETS } {
            let holder = world::holder(u8::try_from(number % u128::from(world::HOLDERS)).expect("few"));
            let shares = Some(Shares::new((5 << 60) * part / TICKETS));
            assert!(shares < Some(Shares::new(supply)));
            let request = ops::vault_request::VaultRequest { vault: VAULT, shares };
            for event in act(&mut state, holder, Operation::VaultRequest(request)) {
                if let Event::VaultExitRequested { ticket, worth, .. } = event {
                    waiting.insert(ticket, (now, worth.units()));
                }
            }
        }
    }
    run.unpaid = waiting.len();
    run.waits.sort_unstable();
    run
}

fn is_forced(event: &Event) -> bool {
    matches!(event, Event::VaultMoved { why: MoveReason::Cap | MoveReason::Band | MoveReason::Mandate, .. })
}
