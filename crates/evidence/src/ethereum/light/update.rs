//! What light clients are told: bootstraps and updates, in one form for all forks.

use serde::{Deserialize, Serialize};

use crate::ethereum::wire::{decimal, fixed};
use crate::ethereum::{BeaconHeader, Branch, ExecutionClaim, Hash, Participation, SyncCommittee};

/// What a light client begins with: a block whose root is trusted, and the committee of its period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap {
    /// The trusted block.
    pub header: BeaconHeader,
    /// The execution block that it names.
    pub execution: ExecutionClaim,
    /// The committee of its period.
    pub committee: SyncCommittee,
    /// Siblings of the committee up to the state of the block.
    pub committee_branch: Branch,
}

/// What a sync committee has signed: a block that somebody saw (*attested*), whose state holds another block final.
///
/// It covers the updates, finality updates and optimistic updates of the specification. The execution block of the
/// attested header is left out, since nothing follows from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// The block that was signed.
    pub attested: BeaconHeader,
    /// The block that its state holds final.
    pub finalized: BeaconHeader,
    /// Siblings of the finalized block's root up to the state of the attested block.
    pub finality_branch: Branch,
    /// The execution block that the finalized block names.
    pub execution: ExecutionClaim,
    /// The committee of the period after that of the attested block, if this update is to tell it.
    pub next: Option<NextCommittee>,
    /// Who signed.
    pub participation: Participation,
    /// The sum of the signatures.
    #[serde(with = "fixed")]
    pub signature: [u8; 96],
    /// The slot in which the signatures were published; its period tells the committee.
    #[serde(with = "decimal")]
    pub signature_slot: u64,
}

/// The committee of the period to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextCommittee {
    /// The committee.
    pub committee: SyncCommittee,
    /// Siblings of its root up to the state of the attested block.
    pub branch: Branch,
}

/// The root of the newest block up to a slot, as a later state remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RememberedRoot {
    /// Slot of the accepted header whose state remembers: more than the slot asked for, by at most 8192.
    #[serde(with = "decimal")]
    pub remembered_by: u64,
    /// The root.
    #[serde(with = "fixed")]
    pub root: Hash,
    /// Siblings of the root up to that state.
    pub branch: Branch,
}
