//! What other chains say: the door through which their light clients come.
//!
//! A [`Fact`] is a claim. [`verify_fact`] turns it into a [`Verified`] one, or refuses. The ledger takes facts in the
//! verified form only, so a chain is added here, as a variant of [`Proof`] and what [`Sources`] must know to check it
//! (for Ethereum: a sync committee and its finalised header, then SSZ and Merkle-Patricia branches), and nowhere else.
//!
//! Ethereum is followed. What its contracts say is in [`custody`], what is behind a withdrawal address in [`pod`]; each takes a
//! state or a block that only a light client, or what a ledger's genesis vouches for, can have made. A development ledger also
//! believes whoever submits a fact; a live ledger refuses that.
//!
//! Source: `protocol.md`, 10 (base chains).

pub mod custody;
pub mod pod;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ethereum::StateNodes;

/// A claim about another chain. Accounts are Ethereum-style addresses; amounts are base units of the asset; assets
/// have their index on this ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The custody contract took a deposit.
    Deposit {
        /// Number of the deposit in the custody contract.
        index: u64,
        /// Who is credited.
        account: [u8; 20],
        /// The asset's index on this ledger.
        asset: u32,
        /// Base units deposited.
        amount: u128,
    },
    /// What the asset's origin says one unit is worth.
    Rate {
        /// The asset's index on this ledger.
        asset: u32,
        /// Worth of one unit, as a fixed-point number with 18 decimals.
        rate: u128,
    },
    /// The balance of a native staking validator.
    Validator {
        /// The asset's index on this ledger.
        asset: u32,
        /// The validator's index on its chain.
        validator: u64,
        /// Who owns its stake.
        account: [u8; 20],
        /// Base units that the validator has.
        balance: u128,
    },
    /// Custody holds less of an asset than the ledger owes.
    Shortfall {
        /// The asset's index on this ledger.
        asset: u32,
        /// What is left of every holding, in parts of 10^18.
        kept: u128,
    },
}

/// Why a [`Fact`] should be believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Because somebody says so. Believed on development ledgers only.
    #[default]
    Development,
    /// Because the contracts of the asset say so, after the execution block that the finalized header of a slot names. Rates only.
    Storage {
        /// The slot.
        slot: u64,
        /// The nodes of the tries.
        nodes: StateNodes,
    },
}

/// What a ledger believes, from its genesis and state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sources {
    /// Whether this is a development ledger, which believes whatever it is told.
    pub development: bool,
}

/// A claim that was verified. To hold one is to hold the proof: only this crate makes them.
///
/// ```compile_fail,E0423
/// let forged = evidence::Verified(evidence::Fact::Rate { asset: 0, rate: 1 });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// The claim.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The claim, without the proof that it was verified.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Verifies `fact` by `proof` against what the ledger believes.
///
/// Only the claim is judged here. Whether it can be used (a deposit counted already, a rate that rises too fast) is for
/// the ledger's rules.
///
/// # Refuses
/// [`FactRefused::DevelopmentProofOnLiveLedger`]; [`FactRefused::NoStorage`], since what contracts say is verified against a block, by
/// [`custody::verify_rate`].
pub fn verify_fact(fact: Fact, proof: &Proof, sources: &Sources) -> Result<Verified<Fact>, FactRefused> {
    match proof {
        Proof::Development if sources.development => Ok(Verified(fact)),
        Proof::Development => Err(FactRefused::DevelopmentProofOnLiveLedger),
        Proof::Storage { .. } => Err(FactRefused::NoStorage),
    }
}

/// Why a fact is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactRefused {
    /// The proof is somebody's word, and this is not a development ledger.
    DevelopmentProofOnLiveLedger,
    /// The fact is none that a contract's storage could prove.
    NoStorage,
}

impl fmt::Display for FactRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DevelopmentProofOnLiveLedger => {
                write!(f, "proof is for development and the ledger is live")
            }
            Self::NoStorage => write!(f, "a storage proof says nothing about this"),
        }
    }
}

impl std::error::Error for FactRefused {}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> [Fact; 4] {
        [
            Fact::Deposit { index: 1, account: [2; 20], asset: 3, amount: 4 },
            Fact::Rate { asset: 1, rate: 1_000_000_000_000_000_000 },
            Fact::Validator { asset: 1, validator: 2, account: [3; 20], balance: 4 },
            Fact::Shortfall { asset: 1, kept: 999_999_999_999_999_999 },
        ]
    }

    #[test]
    fn a_development_ledger_believes_and_a_live_one_refuses() {
        for fact in facts() {
            let verified =
                verify_fact(fact.clone(), &Proof::Development, &Sources { development: true }).unwrap();
            assert_eq!(verified.get(), &fact);
            assert_eq!(verified.into_inner(), fact);
            assert_eq!(
                verify_fact(fact, &Proof::Development, &Sources { development: false }),
                Err(FactRefused::DevelopmentProofOnLiveLedger)
            );
        }
    }

    #[test]
    fn the_text_of_a_proof_is_frozen() {
        assert_eq!(serde_json::to_string(&Proof::default()).unwrap(), "\"development\"");
        assert_eq!(serde_json::from_str::<Proof>("\"development\"").unwrap(), Proof::Development);
        assert!(serde_json::from_str::<Proof>("\"Development\"").is_err());
    }
}
