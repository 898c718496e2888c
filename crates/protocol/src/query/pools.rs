//! Pools: what is in them, who may slash how much of it, and what their delegators have signed.

use super::{Page, Scheduled, ever, page_of};
use crate::pool::slices::Slice;
use crate::state::State;
use crate::terms::Mandate;
use crate::units::{Amount, Digest, Epoch, Fraction, PoolId, SetId};
use crate::view::{self, PoolView};

answer! {
    /// A pool.
    pub struct PoolDetail {
        /// What it holds and who may slash it.
        #[serde(flatten)]
        pub view: PoolView,
        /// What its delegators agree to bear.
        pub mandate: Mandate,
        /// A wider or narrower mandate that is announced.
        pub mandate_later: Option<Scheduled<Mandate>>,
        /// The digest that a delegation signs: of the mandate and an announced one.
        pub mandate_digest: Digest,
        /// The operator's share of rewards in this epoch.
        pub commission: Fraction,
        /// Commissions that are announced.
        pub commission_later: Vec<Scheduled<Fraction>>,
        /// The operator's bond, by liability.
        pub bonds: Vec<BondView>,
        /// How many different histories of slashes its stake has.
        pub histories: u32,
        /// Below how many of them it takes new stake.
        pub histories_max: u32,
        /// Native stake that was slashed and is still in its validators.
        pub slashed: Amount,
        /// Runs of parts with the same owners, from the left.
        pub slices: Vec<SliceView>,
    }
}

answer! {
    /// A part of a bond with one liability.
    pub struct BondView {
        /// How much.
        pub amount: Amount,
        /// First epoch for whose offences it is liable.
        pub liable_from: Epoch,
        /// Last such epoch, once it has been lowered.
        pub liable_through: Option<Epoch>,
        /// The epoch at whose start it is free, once it has been lowered.
        pub free_at: Option<Epoch>,
    }
}

answer! {
    /// Parts with the same owners.
    pub struct SliceView {
        /// How many of the 256.
        pub parts: u16,
        /// Who owns them, retained ones included.
        pub owners: Vec<OwnerView>,
    }
}

answer! {
    /// A set that owns parts from an epoch to an epoch.
    pub struct OwnerView {
        /// The set.
        pub set: SetId,
        /// First epoch; 0 for one that is old enough that nobody can ask.
        pub from: Epoch,
        /// Last epoch, once it has given the parts back.
        pub through: Option<Epoch>,
        /// First epoch in which another set may own them beyond the capacity rule, once it has given them back.
        pub free_at: Option<Epoch>,
    }
}

/// One pool.
pub fn pool(state: &State, id: PoolId) -> Option<PoolDetail> {
    let record = state.pools.get(id.index())?;
    let now = state.epoch;
    let later = |(from, value): (Epoch, &Fraction)| Scheduled { from, value: *value };
    Some(PoolDetail {
        view: view::pool_of(state, id),
        mandate: record.mandate,
        mandate_later: record.pending_mandate.map(|(from, value)| Scheduled { from, value }),
        mandate_digest: record.digest,
        commission: *record.commission.at(now),
        commission_later: record.commission.iter().filter(|(from, _)| *from > now).map(later).collect(),
        bonds: bonds(state, id),
        histories: u32::try_from(record.stake.track_count()).unwrap_or(u32::MAX),
        histories_max: u32::from(state.limits().tracks_per_pool),
        slashed: record.slashed,
        slices: record.stake.slices().iter().map(show_slice).collect(),
    })
}

/// Pools by their numbers, after one of them.
pub fn pools(state: &State, after: Option<PoolId>, limit: usize) -> Page<PoolDetail> {
    page_of(state.pools.len(), after.map(PoolId::number), limit, |number| pool(state, PoolId::new(number)))
}

pub(super) fn bonds(state: &State, pool: PoolId) -> Vec<BondView> {
    let show = |entry: &crate::pool::bond::Entry| BondView {
        amount: entry.amount,
        liable_from: entry.from,
        liable_through: ever(entry.until),
        free_at: ever(state.free_at(entry.until)),
    };
    state.pool(pool).stake.bond().entries().iter().map(show).collect()
}

fn show_slice(slice: &Slice) -> SliceView {
    let show = |owner: &crate::pool::slices::Owner| OwnerView {
        set: owner.set,
        from: owner.from,
        through: ever(owner.to),
        free_at: ever(owner.free_at),
    };
    SliceView { parts: slice.size, owners: slice.owners.iter().map(show).collect() }
}
