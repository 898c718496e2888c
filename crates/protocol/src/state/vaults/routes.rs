//! Shares that live on other ledgers: locked here, by route, and let home only as far as the route's meter goes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::super::State;
use crate::macros::record;
use crate::units::{AccountId, Address, Amount, Epoch, RouteId, ShareId, Shares};
use crate::vault::meter::Meter;

record! {
    /// How shares go to another ledger and come home.
    pub struct RouteTerms {
        /// The other ledger, by the number that its own world knows it by.
        pub chain: u64,
        /// The most that may come home within a window, less what went out in it.
        pub cap: Shares,
        /// Epochs of a window, 1 to 128.
        pub window: u32,
        /// Who says what was burnt there: 2 to 16 accounts that prove it to themselves by different means.
        pub verifiers: Vec<Address>,
        /// How many of them must say the same, at least 2.
        pub threshold: u16,
        /// Above so many shares a message waits.
        pub waits_above: Shares,
        /// For so many epochs.
        pub wait: u32,
    }
}

impl RouteTerms {
    /// Checks what no route may be; the text names the first that does not hold.
    pub(crate) fn check(&self) -> Result<(), String> {
        let count = self.verifiers.len();
        if !(2..=16).contains(&count) {
            return Err(format!("{count} verifiers are not 2 to 16"));
        }
        let distinct: BTreeSet<Address> = self.verifiers.iter().copied().collect();
        if distinct.len() < count {
            return Err("a verifier is named twice".to_owned());
        }
        if self.threshold < 2 || usize::from(self.threshold) > count {
            return Err(format!("a threshold of {} is not 2 to {count}", self.threshold));
        }
        if !(1..=128).contains(&self.window) || self.wait > 128 {
            return Err(format!(
                "a window of {} and a wait of {} epochs are not 1 to 128",
                self.window, self.wait
            ));
        }
        Ok(())
    }
}

/// A route of one sort of shares.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Route {
    pub(crate) share: ShareId,
    pub(crate) terms: RouteTerms,
    pub(crate) meter: Meter,
    /// Number of the next message home.
    pub(crate) next: u64,
    /// Number of the next message out.
    pub(crate) sent: u64,
    pub(crate) opener: AccountId,
    pub(crate) posted: Amount,
}

/// A message home that waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arrival {
    /// What each verifier says: to whom, and how many.
    pub(crate) said: Vec<(Address, Address, Shares)>,
    /// Once enough say the same.
    pub(crate) agreed: Option<Agreed>,
}

/// What enough verifiers said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Agreed {
    pub(crate) to: Address,
    /// How many have not come home yet.
    pub(crate) left: Shares,
    /// First epoch in which they may.
    pub(crate) ready: Epoch,
}

impl Arrival {
    /// A verifier says something, or something else than before; returns how many say the same now.
    pub(crate) fn say(&mut self, verifier: Address, to: Address, shares: Shares) -> usize {
        self.said.retain(|(other, _, _)| *other != verifier);
        self.said.push((verifier, to, shares));
        self.said.iter().filter(|(_, other, many)| (*other, *many) == (to, shares)).count()
    }
}

impl State {
    pub(crate) fn route(&self, id: RouteId) -> Option<&Route> {
        self.vaults.routes.get(id.index())
    }

    pub(crate) fn route_mut(&mut self, id: RouteId) -> &mut Route {
        self.vaults.routes.get_mut(id.index()).expect("the route was checked")
    }
}
