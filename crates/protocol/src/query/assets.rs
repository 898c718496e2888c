//! Listed assets.

use super::sets::decimal;
use super::{Page, page_of};
use crate::state::State;
use crate::state::records::{AssetKind, Origin, RateSource};
use crate::units::{Amount, AssetId, Epoch};

answer! {
    /// A listed asset, with what came in and went out of it. Where its units are is [`crate::view::AssetView`], which costs as much as
    /// the state is large.
    pub struct AssetDetail {
        /// Which.
        pub asset: AssetId,
        /// Where it comes from.
        pub origin: Origin,
        /// Decimals, for people: every amount is in base units.
        pub decimals: u8,
        /// Token or native stake.
        pub kind: AssetKind,
        /// Where its exchange rate comes from.
        pub rate_source: RateSource,
        /// The exchange rate, a decimal of up to 18 places.
        pub rate: String,
        /// When the rate was last raised.
        pub rate_raised: Epoch,
        /// Ledger value of `10^9` base units at a rate of one; 0 for an asset that nobody has rated.
        pub value: u64,
        /// The most that may be on the ledger.
        pub cap: Amount,
        /// The least that may be delegated.
        pub stake_min: Amount,
        /// Next deposit to be taken from its origin.
        pub next_deposit: u64,
        /// What the ledger holds of it: `deposited + gained - withdrawn - burnt - lost`.
        pub supply: Amount,
        /// Came in by deposits.
        pub deposited: Amount,
        /// Came in by native gains.
        pub gained: Amount,
        /// Went to its origin.
        pub withdrawn: Amount,
        /// Went to nobody.
        pub burnt: Amount,
        /// Lost on its own chain.
        pub lost: Amount,
    }
}

/// One asset.
pub fn asset(state: &State, id: AssetId) -> Option<AssetDetail> {
    let record = state.asset(id)?;
    Some(AssetDetail {
        asset: id,
        origin: record.origin.clone(),
        decimals: record.decimals,
        kind: record.kind,
        rate_source: record.source,
        rate: decimal(u128::from(record.rate)),
        rate_raised: record.rate_raised,
        value: record.value,
        cap: record.cap,
        stake_min: record.stake_min,
        next_deposit: record.next_deposit,
        supply: record.supply(),
        deposited: record.deposited,
        gained: record.gained,
        withdrawn: record.withdrawn,
        burnt: record.burnt,
        lost: record.lost,
    })
}

/// Assets by their numbers, after one of them.
pub fn assets(state: &State, after: Option<AssetId>, limit: usize) -> Page<AssetDetail> {
    page_of(state.assets.len(), after.map(AssetId::number), limit, |number| {
        asset(state, AssetId::new(number))
    })
}
