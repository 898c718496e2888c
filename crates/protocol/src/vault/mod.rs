//! The arithmetic of vaults: what shares are worth, what vests, who waits, who pays for a loss.
//!
//! Exact and directed: what is paid or minted rounds down, what is owed to the vault rounds up. Nothing here knows an account, a pool or
//! an operation; those are [`crate::state::vaults`].

pub(crate) mod caps;
pub(crate) mod defence;
pub(crate) mod doors;
pub(crate) mod drip;
pub(crate) mod fee;
pub(crate) mod instant;
pub(crate) mod meter;
pub(crate) mod portfolio;
pub(crate) mod queue;
pub(crate) mod rate;
pub(crate) mod route;
pub(crate) mod waterfall;
