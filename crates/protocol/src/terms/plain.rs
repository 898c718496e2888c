//! Terms to start from.

use super::{AcceptedAsset, Admission, JailTerms, Offences, Terms, burn_all};
use crate::units::{Address, Amount, AssetId, Fraction};

impl Terms {
    /// Terms to start from: they accept these assets by so much weight of `10^9` base units and admit anybody, 16 operators at most; they
    /// punish nothing, nobody can veto, what is slashed is burnt, all that the set owns may be taken within a window, and rewards come in the
    /// assets themselves.
    pub fn plain(slasher: Address, assets: &[(AssetId, u64)]) -> Self {
        Self {
            assets: assets
                .iter()
                .map(|(asset, weight)| AcceptedAsset { asset: *asset, weight: *weight })
                .collect(),
            admission: Admission {
                list_only: false,
                operators_max: 16,
                stake_min: Amount::ZERO,
                self_stake_min: Amount::ZERO,
                bond_min: Amount::ZERO,
            },
            operator_share_max: Fraction::ONE,
            offences: Offences { equivocation: None, subjective: None, false_event: None, correlation: None },
            window_cap: Fraction::ONE,
            veto: 0,
            resolvers: Vec::new(),
            threshold: None,
            slasher,
            destinations: burn_all(),
            reward_tokens: assets.iter().map(|(asset, _)| *asset).collect(),
            warm_up: 0,
            jail: JailTerms::default(),
            mass_slash_max: Fraction::ONE,
            risk_weight: Fraction::ONE,
            corruption_share: Fraction::ONE,
            quorum: None,
        }
    }
}
