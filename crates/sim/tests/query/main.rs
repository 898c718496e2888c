//! What the query layer says, against what really happens: on clones of ledgers with random histories the slashes, exits and claims that
//! an answer speaks of are carried out, and compared.

mod compare;
mod explained;
mod formulas;
mod futures;
mod records;
mod shown;
mod stands;

use protocol::units::Address;
use protocol::{Authority, Event, Operation, Signer, State, advance_epoch, apply};
use sim::history::Effort;
use sim::prng::Prng;
use sim::script::{Script, Step};
use sim::workload::play;

/// Histories of each test.
const SEEDS: u64 = 24;
/// Operations of each history.
const OPERATIONS: u64 = 160;
/// Moments of each history at which something is asked.
const MOMENTS: u64 = 16;

/// Applies an operation of an account that is named plainly.
pub(crate) fn act(state: &mut State, account: Address, operation: Operation) -> Result<Vec<Event>, String> {
    let authority = Authority { account, signer: Signer::Plain, expires: u64::MAX };
    apply(state, &authority, &operation).map_err(|refusal| format!("{}: {refusal}", refusal.code()))
}

/// Ends so many epochs.
pub(crate) fn advance(state: &mut State, epochs: u32) {
    for _ in 0..epochs {
        advance_epoch(state);
    }
}

/// Everybody whom a ledger knows.
pub(crate) fn everybody(state: &State) -> Vec<Address> {
    protocol::view::view(state).accounts.into_iter().map(|account| account.account).collect()
}

/// Looks at a few histories after every step; it is said which one is the first of its history.
pub(crate) fn at_every_step(first_seed: u64, mut look: impl FnMut(&State, bool, &str)) {
    for seed in first_seed..first_seed + 2 {
        let Script { genesis, steps } = play(seed, OPERATIONS, None, Effort { check_every: 1000 }).script;
        let mut state = State::new(genesis).expect("the genesis holds together");
        for (index, step) in steps.iter().enumerate() {
            take(&mut state, step);
            look(&state, index == 0, &format!("seed {seed}, after step {index}"));
        }
    }
}

fn take(state: &mut State, step: &Step) {
    match step {
        Step::Advance => {
            advance_epoch(state);
        }
        Step::Apply(authority, operation) => {
            let _ = apply(state, authority, operation);
        }
    }
}

/// Looks at many moments of many histories.
pub(crate) fn at_many_moments(first_seed: u64, mut look: impl FnMut(&State, &mut Prng, &str)) {
    for seed in first_seed..first_seed + SEEDS {
        let Script { genesis, steps } = play(seed, OPERATIONS, None, Effort { check_every: 1000 }).script;
        let mut state = State::new(genesis).expect("the genesis holds together");
        let mut prng = Prng::new(seed ^ 0x51ac_e5ed);
        let every = (steps.len() as u64).div_ceil(MOMENTS).max(1);
        for (index, step) in steps.iter().enumerate() {
            take(&mut state, step);
            // The first moments have nothing to show.
            if index > 40 && prng.below(every) == 0 {
                look(&state, &mut prng, &format!("seed {seed}, after step {index}"));
            }
        }
    }
}
