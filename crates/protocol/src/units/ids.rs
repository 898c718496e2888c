//! Numbers that name things.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The id of that number.
            pub const fn new(number: u32) -> Self {
                Self(number)
            }

            /// Its number: counted from zero, never used twice.
            pub const fn number(self) -> u32 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A listed asset.
    AssetId,
    /// An account that the ledger has seen, by order of appearance. Internal: operations name addresses.
    AccountId,
    /// A registered operator.
    OperatorId,
    /// A registered service.
    ServiceId,
    /// An operator set of a service.
    SetId,
    /// The stake of one asset delegated to one operator.
    PoolId,
    /// A stream of rewards.
    StreamId,
    /// A request to slash.
    RequestId,
    /// An executed slash.
    SlashId,
    /// A validator of a base chain whose balance is restaked.
    ValidatorId,
    /// A vault.
    VaultId,
    /// The shares of a vault or of a basket.
    ShareId,
    /// A basket.
    BasketId,
    /// A route of shares to another ledger.
    RouteId,
    /// What waits in a vault: a deposit, an exit, the rest of an instant exit. Counted within the vault.
    TicketId,
}

/// Ids of what stands in a vector and is never removed.
macro_rules! dense {
    ($($name:ident),* $(,)?) => {$(
        impl $name {
            /// Where it stands in a vector.
            pub(crate) fn index(self) -> usize {
                usize::try_from(self.0).expect("an index fits a word")
            }

            /// The id of the element at this place of a vector.
            pub(crate) fn at(index: usize) -> Self {
                Self(u32::try_from(index).expect("fewer than 2^32 of a kind"))
            }
        }
    )*};
}

dense!(
    AssetId,
    AccountId,
    OperatorId,
    ServiceId,
    SetId,
    PoolId,
    ValidatorId,
    VaultId,
    ShareId,
    BasketId,
    RouteId
);
