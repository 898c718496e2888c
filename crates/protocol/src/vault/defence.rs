//! What vaults defend themselves with, by name. Tests switch one off to show that the attack which it stops works without it; in a build
//! that is no test there is no switch.

/// A defence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defence {
    /// A thousand virtual shares; without it one.
    VirtualShares,
    /// One ratio for entry and exit; without it exits go by `NAV / S`.
    OneRatio,
    /// What nobody counted does not count.
    Quarantine,
    /// Gains count little by little.
    Drip,
    /// Shares of the epoch don't leave at once.
    Freshness,
    /// Exits are at the low price.
    LowPrice,
    /// Part of an instant exit is held back.
    Holdback,
    /// Who waits bears losses.
    WaitersLose,
    /// Who waits and changes its mind forfeits the gains.
    CancelForfeits,
    /// Losses are noticed on touch.
    Recognition,
    /// What is paid rounds down.
    Rounding,
    /// What a claim gets does not depend on who claimed before.
    FixedBatches,
    /// Stake that anybody releases is idle in the same call.
    CountReleased,
    /// The scale of the fee; without it a million times too much.
    FeeScale,
    /// The check of a fee before it is minted; without it and [`Defence::FeeScale`] the wrong one is minted.
    FeeCheck,
    /// Worse terms wait for a full exit.
    Notice,
    /// Whoever uses a vault advances it.
    Wake,
    /// A price that fell beyond its bound counts at once.
    TakeFalls,
    /// Entries at the lower, exits at the higher of two prices; without it at the reported one.
    TwoSources,
    /// Old prices don't count.
    FeedAge,
}

/// Whether it is on.
#[cfg(not(test))]
pub(crate) const fn is_on(_: Defence) -> bool {
    true
}

#[cfg(test)]
pub(crate) use switch::{is_on, without};

#[cfg(test)]
mod switch {
    use std::cell::Cell;

    use super::Defence;

    thread_local! {
        static OFF: Cell<Option<Defence>> = const { Cell::new(None) };
    }

    /// Whether it is on, on this thread.
    pub(crate) fn is_on(defence: Defence) -> bool {
        let off = OFF.get();
        // The wrong scale is what the check is for.
        let is_scale_of_check = defence == Defence::FeeScale && off == Some(Defence::FeeCheck);
        off != Some(defence) && !is_scale_of_check
    }

    /// Does something without a defence.
    pub(crate) fn without<T>(defence: Option<Defence>, act: impl FnOnce() -> T) -> T {
        OFF.set(defence);
        let done = act();
        OFF.set(None);
        done
    }
}
