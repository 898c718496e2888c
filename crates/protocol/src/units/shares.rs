//! Shares of vaults and baskets.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Amount;

/// Shares of a vault or a basket: `0 ..= 2^112`. Another type than [`Amount`], so that neither is taken for the other.
///
/// ```
/// use protocol::units::{Amount, Shares};
/// assert_eq!(Amount::new(1).plus(Amount::new(2)), Some(Amount::new(3)));
/// assert_eq!(Shares::new(1).plus(Shares::new(2)), Some(Shares::new(3)));
/// ```
///
/// ```compile_fail,E0308
/// use protocol::units::{Amount, Shares};
/// let sum = Amount::new(1).plus(Shares::new(2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Shares(Amount);

impl Shares {
    /// None.
    pub const ZERO: Self = Self(Amount::ZERO);
    /// The most of one sort.
    pub const LIMIT: Self = Self(Amount::new(1 << 112));

    /// So many.
    pub const fn new(units: u128) -> Self {
        Self(Amount::new(units))
    }

    /// How many.
    pub const fn units(self) -> u128 {
        self.0.units()
    }

    /// Whether there are none.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The sum, `None` past the range.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.plus(other.0).map(Self)
    }

    /// The difference, `None` below zero.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.minus(other.0).map(Self)
    }

    /// The difference, or none where `self` is more than `other`.
    pub fn room_below(self, other: Self) -> Self {
        Self(self.0.room_below(other.0))
    }

    /// Adds in place.
    ///
    /// # Panics
    /// Only on a bug, as [`Amount::grow`].
    pub fn grow(&mut self, other: Self) {
        self.0.grow(other.0);
    }

    /// Subtracts in place.
    ///
    /// # Panics
    /// Only on a bug, as [`Amount::shrink`].
    pub fn shrink(&mut self, other: Self) {
        self.0.shrink(other.0);
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
