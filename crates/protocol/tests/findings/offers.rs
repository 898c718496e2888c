//! What operators and services offer in these tests, and how accounts are named.

use protocol::terms::{Beneficiary, Destination, Mandate, Terms};
use protocol::units::{Address, AssetId, Fraction};

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
    let assets: Vec<(AssetId, u64)> = assets.iter().map(|asset| (*asset, 1_000_000_000)).collect();
    let mut terms = Terms::plain(address(SERVICE), &assets);
    terms.admission.operators_max = 64;
    terms.offences.equivocation = Some(Fraction::ONE);
    terms.offences.subjective = Some(Fraction::ONE);
    terms.reward_tokens = vec![ETH];
    terms
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
