//! A light client in parts, for a ledger that keeps each part by itself: committees change once a period, headers every few
//! minutes.

use std::fmt;

use super::{Candidate, Finalized, LightClient};
use crate::ethereum::SyncCommittee;

/// The parts of a light client, as a ledger's state holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightParts {
    /// The period of the present committee.
    pub period: u64,
    /// The committee of that period.
    pub current: SyncCommittee,
    /// That of the period after, once it is known.
    pub next: Option<SyncCommittee>,
    /// The best update seen without finality.
    pub best: Option<Candidate>,
    /// The headers that are remembered, in ascending order of slots; at least one.
    pub finalized: Vec<Finalized>,
}

impl LightClient {
    /// Puts together what a ledger has written. It is believed: who can write a ledger's state needs no forged header.
    ///
    /// # Refuses
    /// [`PartsError`], in its order.
    pub fn from_parts(parts: LightParts) -> Result<Self, PartsError> {
        let LightParts { period, current, next, best, finalized } = parts;
        let slots = || finalized.iter().map(|header| header.header().slot);
        if finalized.is_empty() || !slots().is_sorted_by(|earlier, later| earlier < later) {
            return Err(PartsError::Order);
        }
        let wanted = period.saturating_add(u64::from(next.is_some()));
        if let Some(best) = best.as_ref().filter(|best| best.period != wanted) {
            return Err(PartsError::Best { period: best.period, wanted });
        }
        Ok(Self { period, current, next, best, finalized })
    }

    /// The best update seen without finality. See [`LightClient::advance`].
    pub fn best(&self) -> Option<&Candidate> {
        self.best.as_ref()
    }
}

/// Why parts make no light client. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartsError {
    /// There are no headers, or they are not in strictly ascending order.
    Order,
    /// The best update is of another period than the one whose next committee is missing.
    Best {
        /// Its period.
        period: u64,
        /// The period that it should be of.
        wanted: u64,
    },
}

impl fmt::Display for PartsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order => write!(f, "finalized headers are not in strictly ascending order"),
            Self::Best { period, wanted } => {
                write!(f, "best update is of period {period} instead of {wanted}")
            }
        }
    }
}

impl std::error::Error for PartsError {}
