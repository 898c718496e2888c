//! What operators and services offer in these tests, and how accounts are named.

use protocol::terms::{
    AcceptedAsset, Admission, Beneficiary, Destination, JailTerms, Mandate, Offences, Terms,
};
use protocol::units::{Address, Amount, AssetId, Fraction};

/// The asset that every world has.
pub(crate) const ETH: AssetId = AssetId::new(0);
/// Base units of one ETH.
pub(crate) const ONE: u128 = 1_000_000_000_000_000_000;
/// The account of the service that owns the sets, and slashes.
pub(crate) const SERVICE: &str = "service";

pub(crate) const fn percent(percent: u8) -> Fraction {
    Fraction::from_percent(percent)
}

/// The account of a name.
pub(crate) fn address(name: &str) -> Address {
    let mut bytes = [0; 20];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Address(bytes)
}

/// A mandate that admits everything: the defence switched off.
pub(crate) const fn any_mandate() -> Mandate {
    Mandate {
        worst_case: Fraction::ONE,
        elsewhere: Fraction::ONE,
        own_verifiers: Fraction::ONE,
        uncertified: true,
        commission: Fraction::ONE,
    }
}

/// Terms of a set that burns, may take everything for a reason, and has no veto.
pub(crate) fn terms(assets: &[AssetId]) -> Terms {
    Terms {
        assets: assets.iter().map(|asset| AcceptedAsset { asset: *asset, weight: 1_000_000_000 }).collect(),
        admission: Admission {
            list_only: false,
            operators_max: 64,
            stake_min: Amount::ZERO,
            self_stake_min: Amount::ZERO,
            bond_min: Amount::ZERO,
        },
        operator_share_max: Fraction::ONE,
        offences: Offences {
            equivocation: Some(Fraction::ONE),
            subjective: Some(Fraction::ONE),
            false_event: None,
            correlation: None,
        },
        window_cap: Fraction::ONE,
        veto: 0,
        resolvers: Vec::new(),
        threshold: None,
        slasher: address(SERVICE),
        destinations: vec![Destination { to: Beneficiary::Burn, share: Fraction::ONE }],
        reward_tokens: vec![ETH],
        warm_up: 0,
        jail: JailTerms::default(),
        mass_slash_max: Fraction::ONE,
        risk_weight: Fraction::ONE,
        corruption_share: Fraction::ONE,
        quorum: None,
    }
}

/// The terms of [`terms`] for ETH, changed.
pub(crate) fn eth_terms(change: impl FnOnce(&mut Terms)) -> Terms {
    let mut terms = terms(&[ETH]);
    change(&mut terms);
    terms
}

/// Everything slashed goes to one account.
pub(crate) fn all_to(name: &str) -> Vec<Destination> {
    vec![Destination { to: Beneficiary::Redistribute(address(name)), share: Fraction::ONE }]
}
