//! What governance has announced, and what its guardian has stopped.

use serde::{Deserialize, Serialize};

use crate::genesis::Parameters;
use crate::units::{Amount, AssetId, Digest, Epoch};

/// A change that governance has announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum GovernanceChange {
    Parameters(Box<Parameters>),
    Value {
        asset: AssetId,
        value: u64,
    },
    Cap {
        asset: AssetId,
        cap: Amount,
    },
    StakeMin {
        asset: AssetId,
        amount: Amount,
    },
    /// Forks of Ethereum.
    Schedule(evidence::ethereum::Schedule),
    /// The block of Ethereum to begin at again.
    Trusted(Digest),
}

impl GovernanceChange {
    /// The asset whose figures it changes.
    pub(crate) fn asset(&self) -> Option<AssetId> {
        match self {
            Self::Parameters(_) | Self::Schedule(_) | Self::Trusted(_) => None,
            Self::Value { asset, .. } | Self::Cap { asset, .. } | Self::StakeMin { asset, .. } => {
                Some(*asset)
            }
        }
    }
}

/// What a guardian may stop.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stops {
    /// First epoch in which each is allowed again.
    pub(crate) joins: Epoch,
    pub(crate) listings: Epoch,
    pub(crate) sets: Epoch,
    pub(crate) allocations: Epoch,
    /// First epoch in which the guardian may stop something again.
    pub(crate) next: Epoch,
}
