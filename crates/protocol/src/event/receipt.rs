//! What an allocation gained and what a slash took, line by line.

use serde::{Deserialize, Serialize};

use crate::units::{Amount, AssetId, Epoch, Fraction};

/// What a set gets with more parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gained {
    /// Parts more.
    pub parts: u16,
    /// How much of them is left for the stake bonded at present: slashes of earlier owners stay.
    pub left: Fraction,
    /// What they are worth at present.
    pub backing: Amount,
}

/// What a slash took from one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolReceipt {
    /// The asset of the pool.
    pub asset: AssetId,
    /// Taken from stakers.
    pub stake: Amount,
    /// Paid by the operator's bond.
    pub bond: Amount,
    /// What the set can still slash for the same capture epoch.
    pub remains: Amount,
    /// Who lost: every position belongs to one line and lost the same share of its principal.
    pub losses: Vec<Loss>,
}

/// What positions of one liability lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Loss {
    /// First epoch in which the earliest of them was bonded; 0 for all that is old enough.
    pub bonded_from: Epoch,
    /// First epoch in which the latest of them was bonded.
    pub bonded_upto: Epoch,
    /// Last epoch in which they are bonded, if they have asked to leave.
    pub bonded_through: Option<Epoch>,
    /// All their principal.
    pub principal: Amount,
    /// What a unit of it was worth.
    pub worth_before: Fraction,
    /// What a unit of it is worth.
    pub worth_after: Fraction,
}
