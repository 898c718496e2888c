//! What there is: assets, operators, services and sets by the numbers that the ledger will give them, with their terms and mandates.

use evidence::Scheme;
use protocol::genesis::Genesis;
use protocol::terms::{Beneficiary, Correlation, Destination, JailTerms, Mandate, Offences, Terms};
use protocol::units::{Address, Amount, AssetId, Digest, Fraction, OperatorId, ServiceId, SetId, VaultId};
use sha2::{Digest as _, Sha256};

use crate::people::{DemoKey, Role, address};

/// What the ledger is called.
pub const LEDGER_NAME: &str = "demo";

/// The chain on which wallets sign for it.
pub const CHAIN_ID: u64 = 7_357;

/// Ether, 18 decimals: stake, and what deposits are posted in.
pub const ETH: AssetId = AssetId::new(0);
/// Staked ether that others hold in a token, 18 decimals; its rate rises.
pub const SETH: AssetId = AssetId::new(1);
/// A dollar token, 6 decimals: rewards.
pub const USD: AssetId = AssetId::new(2);
/// The oracle's own token, 18 decimals: rewards.
pub const MER: AssetId = AssetId::new(3);
/// Ether in the staker's own validators, 9 decimals.
pub const BEACON: AssetId = AssetId::new(4);

/// The assets with the names that people know and their decimals.
pub const ASSETS: &[(&str, AssetId, u8)] =
    &[("eth", ETH, 18), ("seth", SETH, 18), ("usd", USD, 6), ("mer", MER, 18), ("beacon", BEACON, 9)];

/// The operators.
pub const OPERATORS: &[(&str, OperatorId)] =
    &[("olga", OLGA), ("hugo", HUGO), ("petra", PETRA), ("quentin", QUENTIN), ("rosa", ROSA)];
/// Runs in all three services.
pub const OLGA: OperatorId = OperatorId::new(0);
/// Shares its stake between the bridge and the data service.
pub const HUGO: OperatorId = OperatorId::new(1);
/// Only for the oracle.
pub const PETRA: OperatorId = OperatorId::new(2);
/// For the oracle and the data service.
pub const QUENTIN: OperatorId = OperatorId::new(3);
/// For the bridge and the data service.
pub const ROSA: OperatorId = OperatorId::new(4);

/// The services.
pub const SERVICES: &[(&str, ServiceId)] =
    &[("meridian", ServiceId::new(0)), ("harbor", ServiceId::new(1)), ("stratum", ServiceId::new(2))];

/// The vaults.
pub const VAULTS: &[(&str, VaultId)] = &[("calm", CALM), ("brisk", BRISK)];
/// With three operators whom nothing happens to.
pub const CALM: VaultId = VaultId::new(0);
/// With petra, who is slashed, and quentin, who is accused.
pub const BRISK: VaultId = VaultId::new(1);

/// The sets.
pub const SETS: &[(&str, SetId)] = &[("prices", PRICES), ("relay", RELAY), ("sampling", SAMPLING)];
/// The oracle's: alone on its parts.
pub const PRICES: SetId = SetId::new(0);
/// The bridge's: shares its parts.
pub const RELAY: SetId = SetId::new(1);
/// The data service's: shares its parts.
pub const SAMPLING: SetId = SetId::new(2);

/// An operator, a set, and the parts that the one gives the other, by asset.
pub type Allocation = (&'static str, SetId, &'static [(AssetId, u16)]);

/// The parts that each operator gives each set at the start.
pub const ALLOCATIONS: &[Allocation] = &[
    ("olga", PRICES, &[(ETH, 96), (SETH, 96)]),
    ("olga", RELAY, &[(ETH, 128), (SETH, 128)]),
    ("olga", SAMPLING, &[(ETH, 128), (BEACON, 192)]),
    ("hugo", RELAY, &[(ETH, 160), (SETH, 160)]),
    ("hugo", SAMPLING, &[(ETH, 160)]),
    ("petra", PRICES, &[(ETH, 128)]),
    ("quentin", PRICES, &[(ETH, 64), (SETH, 128)]),
    ("quentin", SAMPLING, &[(ETH, 128)]),
    ("rosa", RELAY, &[(ETH, 96)]),
    ("rosa", SAMPLING, &[(ETH, 160), (BEACON, 256)]),
];

/// The keys of operators on duty, one for each set they are in.
const DUTY_KEYS: &[(&str, SetId)] = &[
    ("olga.prices", PRICES),
    ("olga.relay", RELAY),
    ("olga.sampling", SAMPLING),
    ("hugo.relay", RELAY),
    ("hugo.sampling", SAMPLING),
    ("petra.prices", PRICES),
    ("quentin.prices", PRICES),
    ("quentin.sampling", SAMPLING),
    ("rosa.relay", RELAY),
    ("rosa.sampling", SAMPLING),
];

pub(crate) fn duty_keys() -> impl Iterator<Item = DemoKey> {
    DUTY_KEYS.iter().map(|(name, set)| {
        // The bridge aggregates signatures, the others don't.
        let scheme = if *set == RELAY { Scheme::Bls12381 } else { Scheme::Ed25519 };
        DemoKey { name, role: Role::Duty, scheme }
    })
}

/// The key of an operator in a set.
pub(crate) fn duty_key(operator: &str, set: SetId) -> DemoKey {
    let own = DUTY_KEYS.iter().zip(duty_keys());
    let mut own = own.filter(|((name, of), _)| *of == set && name.split('.').next() == Some(operator));
    own.next().map(|(_, key)| key).expect("the operator is in the set")
}

/// The number of a name in one of the lists of this module.
///
/// # Panics
/// If the list has nothing of that name: the names are part of this crate.
pub(crate) fn id_of<T: Copy>(list: &[(&str, T)], name: &str) -> T {
    let found = list.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("the story has nothing that is called {name}")).1
}

/// So many ten-thousandths.
///
/// # Panics
/// Past the whole: the figures are part of this crate.
pub(crate) fn fraction(ten_thousandths: u64) -> Fraction {
    Fraction::from_steps(ten_thousandths * (Fraction::STEPS / 10_000)).expect("a fraction of at most one")
}

/// So many thousandths of a unit of 18 decimals.
pub(crate) const fn milli(thousandths: u128) -> Amount {
    Amount::new(thousandths * 1_000_000_000_000_000)
}

/// So many units of 18 decimals.
pub(crate) const fn whole(units: u128) -> Amount {
    milli(units * 1000)
}

/// So many dollars.
pub(crate) const fn usd(dollars: u128) -> Amount {
    Amount::new(dollars * 1_000_000)
}

/// So many billionths of an ether of a validator.
pub(crate) const fn gwei(gwei: u128) -> Amount {
    Amount::new(gwei)
}

/// What the ledger starts with: a development ledger (U 14, W 7, V 5, X 2, N 7 epochs) with a deposit for requests to slash.
pub fn genesis() -> Genesis {
    let mut genesis = Genesis::development();
    genesis.ledger = Digest(Sha256::digest("surety demo ledger").into());
    genesis.governor = address("governor");
    genesis.guardian = address("guardian");
    genesis.deposit_asset = ETH;
    genesis.parameters.request_deposit = whole(1);
    genesis
}

/// The custody contract that wallets see: nobody's.
pub fn custody() -> Address {
    let digest: [u8; 32] = Sha256::digest("surety demo custody").into();
    let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
    Address(*first)
}

/// The terms of a set as it is created.
///
/// # Panics
/// If the story has no such set.
pub fn terms(set: SetId) -> Terms {
    match set {
        PRICES => prices(),
        RELAY => relay(),
        SAMPLING => sampling(),
        _ => panic!("the story has no set {set}"),
    }
}

fn base(service: &str, assets: &[(AssetId, u64)]) -> Terms {
    Terms {
        veto: 3,
        resolvers: ["ines", "jonas", "kira"].map(address).to_vec(),
        threshold: Some(2),
        reward_tokens: vec![USD],
        ..Terms::plain(address(service), assets)
    }
}

/// Weight of `10^9` base units; ether of validators has 9 decimals instead of 18.
const ETHER_WEIGHT: u64 = 10;
const BEACON_WEIGHT: u64 = 10_000_000_000;

/// Prices: a key that signs two prices for one round loses a tenth of what it stood for; half of what is slashed compensates users.
fn prices() -> Terms {
    let half = fraction(5_000);
    Terms {
        offences: Offences {
            equivocation: Some(fraction(1_000)),
            subjective: Some(fraction(500)),
            false_event: None,
            correlation: None,
        },
        window_cap: fraction(2_000),
        destinations: vec![
            Destination { to: Beneficiary::Compensate, share: half },
            Destination { to: Beneficiary::Burn, share: half },
        ],
        reward_tokens: vec![USD, MER],
        jail: JailTerms { on_equivocation: true, period: 3 },
        ..base("meridian", &[(ETH, ETHER_WEIGHT), (SETH, ETHER_WEIGHT)])
    }
}

/// The bridge: two thirds of the weight sign what it releases; it shares its parts, and so burns what it slashes.
fn relay() -> Terms {
    Terms {
        offences: Offences {
            equivocation: Some(fraction(5_000)),
            subjective: Some(fraction(2_000)),
            false_event: None,
            correlation: None,
        },
        window_cap: fraction(5_000),
        risk_weight: fraction(5_000),
        corruption_share: "0.333333333333333333".parse().expect("a third is a fraction"),
        quorum: Some("0.666666666666666667".parse().expect("two thirds are a fraction")),
        ..base("harbor", &[(ETH, ETHER_WEIGHT), (SETH, ETHER_WEIGHT)])
    }
}

/// Sampling: small slashes, which grow with how many offend together; validators' ether counts.
fn sampling() -> Terms {
    Terms {
        offences: Offences {
            equivocation: Some(fraction(500)),
            subjective: Some(fraction(1_000)),
            false_event: None,
            correlation: Some(Correlation { multiplier: 3, exponent: 2 }),
        },
        window_cap: fraction(2_500),
        reward_tokens: vec![USD, MER],
        risk_weight: fraction(5_000),
        ..base("stratum", &[(ETH, ETHER_WEIGHT), (BEACON, BEACON_WEIGHT)])
    }
}

/// The terms that the bridge announces near the end: worse ones.
pub fn worse_relay() -> Terms {
    let mut terms = relay();
    terms.offences.subjective = Some(fraction(3_000));
    terms.window_cap = fraction(6_000);
    terms
}

/// What the delegators of every pool agree to bear.
pub fn mandate() -> Mandate {
    Mandate {
        worst_case: fraction(6_000),
        elsewhere: fraction(5_000),
        own_verifiers: Fraction::ZERO,
        uncertified: false,
        commission: fraction(1_000),
    }
}

/// The largest worst case that the stakers of the story sign.
pub fn bound() -> Fraction {
    fraction(6_000)
}
