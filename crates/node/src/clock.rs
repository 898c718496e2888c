//! The time of the ledger: that of the machine, or one that stands still while the node is off.
//!
//! It is the only clock of the node. Times never go back: a machine whose clock is set back makes blocks of the newest time until it has
//! caught up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::ClockPolicy;

/// Tells the time of the ledger in milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// The clock of the machine, less what the ledger has rested.
    Machine { rested_ms: u64 },
    /// Whatever a test or a demonstration sets.
    Set(Arc<AtomicU64>),
}

impl Clock {
    /// The clock for a ledger whose newest block has the time `newest_ms`.
    pub fn of_machine(policy: ClockPolicy, newest_ms: u64) -> Self {
        let rested_ms = match policy {
            ClockPolicy::Wall => 0,
            ClockPolicy::PausedWhileOff => machine_ms().saturating_sub(newest_ms),
        };
        Self(Source::Machine { rested_ms })
    }

    /// A clock that stands until [`Clock::set`] moves it.
    pub fn set_by_hand(start_ms: u64) -> Self {
        Self(Source::Set(Arc::new(AtomicU64::new(start_ms))))
    }

    /// The time of the ledger.
    pub fn now_ms(&self) -> u64 {
        match &self.0 {
            Source::Machine { rested_ms } => machine_ms().saturating_sub(*rested_ms),
            Source::Set(time) => time.load(Ordering::Acquire),
        }
    }

    /// Moves a clock that is set by hand forward; others stay as they are.
    pub fn set(&self, time_ms: u64) {
        if let Source::Set(time) = &self.0 {
            time.fetch_max(time_ms, Ordering::AcqRel);
        }
    }

    /// Whether it is set by hand: nobody can wait for it.
    pub(crate) fn is_set_by_hand(&self) -> bool {
        matches!(self.0, Source::Set(_))
    }

    /// The machine's time at which the ledger's will be `ledger_ms`, if the node is never off.
    pub fn machine_time_of(&self, ledger_ms: u64) -> u64 {
        match &self.0 {
            Source::Machine { rested_ms } => ledger_ms.saturating_add(*rested_ms),
            Source::Set(_) => ledger_ms,
        }
    }
}

/// The machine's clock, in milliseconds since 1970; 0 before.
fn machine_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_clock_goes_on_where_the_newest_block_stands() {
        let newest = 1_000_000_000_000;
        let now = Clock::of_machine(ClockPolicy::PausedWhileOff, newest).now_ms();
        assert!((newest..newest + 60_000).contains(&now), "{now}");
        assert!(Clock::of_machine(ClockPolicy::Wall, newest).now_ms() > 1_700_000_000_000);
    }

    #[test]
    fn a_paused_clock_tells_the_time_on_the_wall() {
        let clock = Clock::of_machine(ClockPolicy::PausedWhileOff, 1_000_000_000_000);
        let wall = Clock::of_machine(ClockPolicy::Wall, 0).now_ms();
        assert!(clock.machine_time_of(clock.now_ms()).abs_diff(wall) < 60_000);
    }

    #[test]
    fn a_clock_that_is_set_never_goes_back() {
        let clock = Clock::set_by_hand(50);
        clock.set(70);
        clock.set(60);
        assert_eq!(clock.now_ms(), 70);
    }
}
