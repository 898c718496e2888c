//! The state of the consensus layer after a block: where validators stand.

use super::{Chain, Finalized, Fork, Hash, UnknownFork};

/// The root of a state that is final. To hold one is to hold the proof: it is made from a [`Finalized`] header, or from what a
/// ledger's configuration vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeaconState {
    slot: u64,
    fork: Fork,
    root: Hash,
}

impl Finalized {
    /// The state after the block.
    pub fn state(&self) -> BeaconState {
        BeaconState { slot: self.header().slot, fork: self.fork(), root: self.header().state_root }
    }
}

impl BeaconState {
    /// A state for which the ledger's configuration vouches, as it does for the root that a light client begins with. Nothing
    /// is known of the execution layer at its slot.
    ///
    /// # Refuses
    /// [`UnknownFork`].
    pub fn trusted(chain: &Chain, slot: u64, root: &Hash) -> Result<Self, UnknownFork> {
        Ok(Self { slot, fork: chain.schedule().at_slot(slot)?, root: *root })
    }

    /// Its slot.
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// The fork under whose rules it is laid out.
    pub fn fork(&self) -> Fork {
        self.fork
    }

    /// Its root.
    pub fn root(&self) -> &Hash {
        &self.root
    }
}
