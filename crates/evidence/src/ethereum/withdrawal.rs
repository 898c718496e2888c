//! Withdrawals that the consensus layer has deducted and the execution layer has not yet paid.
//!
//! Until Fulu a block's payload pays what its state has deducted, so there are none. From Gloas on the state lists them: a
//! payload to come has to pay exactly those.
//!
//! Source: consensus-specs at a08d8a6e, `specs/gloas/beacon-chain.md`, `process_withdrawals`.

use serde::{Deserialize, Serialize};

use super::hash::{chunk_of, merkleize};
use super::wire::{decimal, fixed};
use super::{BeaconState, Branch, Fork, Hash, Limited, ListTree, ProofError};

/// Withdrawals under way at most. A payload has 16.
pub const UNDER_WAY_MAX: usize = 64;

/// A payment out of a validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// Its number among all.
    #[serde(with = "decimal")]
    pub index: u64,
    /// The validator that pays.
    #[serde(with = "decimal")]
    pub validator_index: u64,
    /// Who is paid.
    #[serde(with = "fixed")]
    pub address: [u8; 20],
    /// How much, in gwei.
    #[serde(with = "decimal")]
    pub amount: u64,
}

/// All withdrawals that a state holds under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnderWay {
    /// The whole list.
    pub withdrawals: Limited<Withdrawal, UNDER_WAY_MAX>,
    /// Siblings of its root up to the state.
    pub branch: Branch,
}

impl Withdrawal {
    /// The root of the withdrawal.
    pub fn root(&self) -> Hash {
        let mut address = [0; 32];
        for (place, byte) in address.iter_mut().zip(self.address) {
            *place = byte;
        }
        merkleize(&[chunk_of(self.index), chunk_of(self.validator_index), address, chunk_of(self.amount)], 2)
    }
}

impl BeaconState {
    /// Whether a state of this fork may have deducted what was not yet paid.
    pub fn has_withdrawals_under_way(&self) -> bool {
        self.fork().withdrawals_under_way().is_some()
    }

    /// What an address will be paid of what the state has deducted, in gwei. Zero where the fork has no such list, whatever is
    /// given.
    ///
    /// # Refuses
    /// As [`Branch::verify`].
    pub fn under_way(&self, address: &[u8; 20], list: &UnderWay) -> Result<u128, ProofError> {
        let Some(at) = self.fork().withdrawals_under_way() else { return Ok(0) };
        let withdrawals = list.withdrawals.as_slice();
        let roots = withdrawals.iter().map(Withdrawal::root).collect();
        // A progressive list is one, whatever it holds.
        let root = ListTree::of_validators(Fork::Gloas, roots).root();
        list.branch.verify(&root, at, self.root())?;
        let own = withdrawals.iter().filter(|withdrawal| withdrawal.address == *address);
        Ok(own.fold(0, |sum: u128, withdrawal| sum.saturating_add(u128::from(withdrawal.amount))))
    }
}
