//! The supply meter of a route to another ledger: what is out there never exceeds what is locked here, and what comes home in a window
//! never exceeds the route's cap, whoever says what.

use serde::{Deserialize, Serialize};

use crate::units::{Epoch, Shares};

/// Shares of one sort that left by one route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meter {
    /// Locked at home: what may be out there.
    pub(crate) locked: Shares,
    /// What came home and went out, by epoch, the oldest first: only those of the window.
    pub(crate) flows: Vec<Flow>,
}

/// What moved in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flow {
    pub(crate) epoch: Epoch,
    pub(crate) out: Shares,
    pub(crate) home: Shares,
}

impl Meter {
    /// Net flow home within the window that ends with `now`: what went out in it offsets what came home.
    pub(crate) fn net_home(&self, now: Epoch, window: u32) -> Shares {
        let first = now.next().earlier(window.max(1));
        let (mut home, mut out) = (Shares::ZERO, Shares::ZERO);
        for flow in self.flows.iter().filter(|flow| flow.epoch >= first) {
            home = home.plus(flow.home).unwrap_or(home);
            out = out.plus(flow.out).unwrap_or(out);
        }
        out.room_below(home)
    }

    /// Shares leave.
    pub(crate) fn lock(&mut self, now: Epoch, window: u32, shares: Shares) {
        self.locked.grow(shares);
        self.flow(now, window).out.grow(shares);
    }

    /// How many shares may come home.
    pub(crate) fn room(&self, now: Epoch, window: u32, cap: Shares) -> Shares {
        self.net_home(now, window).room_below(cap).min(self.locked)
    }

    /// Shares for which there is [`Meter::room`] come home.
    pub(crate) fn unlock(&mut self, now: Epoch, window: u32, shares: Shares) {
        self.locked.shrink(shares);
        self.flow(now, window).home.grow(shares);
    }

    /// The flow of the epoch; forgets what lies before the window.
    fn flow(&mut self, now: Epoch, window: u32) -> &mut Flow {
        let first = now.next().earlier(window.max(1));
        self.flows.retain(|flow| flow.epoch >= first);
        if self.flows.last().is_none_or(|flow| flow.epoch != now) {
            self.flows.push(Flow { epoch: now, out: Shares::ZERO, home: Shares::ZERO });
        }
        self.flows.last_mut().expect("it was just added")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A forged message can say what it likes: within a window the cap of 5 of 1000 is all that it gets.
    #[test]
    fn a_forged_message_gets_the_cap_of_a_window_at_most() {
        let (mut meter, cap, window) = (Meter::default(), Shares::new(5), 3);
        meter.lock(Epoch::new(0), window, Shares::new(1000));
        let mut stolen = 0;
        for epoch in 10..13 {
            let now = Epoch::new(epoch);
            for shares in [1000, 6, 3, 2, 1] {
                let shares = meter.room(now, window, cap).min(Shares::new(shares));
                meter.unlock(now, window, shares);
                stolen += shares.units();
            }
        }
        assert_eq!(stolen, 5);
        let later = Epoch::new(13);
        assert_eq!(meter.room(later, window, cap), Shares::new(5), "the window has passed");
        assert_eq!(meter.room(later, window, Shares::LIMIT), Shares::new(995), "no more than was locked");
        meter.lock(later, window, Shares::new(100));
        assert_eq!(
            meter.room(later, window, cap),
            Shares::new(5),
            "what went out makes no room beyond itself"
        );
        meter.unlock(later, window, Shares::new(5));
        assert_eq!(meter.room(later, window, cap), Shares::new(5));
    }
}
