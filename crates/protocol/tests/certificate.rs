//! Gamma against instances computed by exhaustive enumeration (shared folder; the test skips without it).

#![allow(clippy::print_stdout, reason = "a skipped test says so")]
#![allow(clippy::disallowed_methods, reason = "sums of a test are small")]

use std::path::PathBuf;

use protocol::certificate::Exposure;
use protocol::units::{Amount, Fraction, SetId};
use serde_json::Value;

fn shared(path: &str) -> Option<String> {
    let root = std::env::var_os("SURETY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    std::fs::read_to_string(root.join(path)).ok()
}

fn rational(value: &Value) -> (i128, i128) {
    let text = value.as_str().expect("a rational");
    match text.split_once('/') {
        Some((n, d)) => (n.parse().expect("a number"), d.parse().expect("a number")),
        None => (text.parse().expect("a number"), 1),
    }
}

/// A unit of the instance, in base units: divisible by every denominator that occurs.
const UNIT: i128 = 330_000_000_000_000_000_000;

fn amount(value: &Value) -> Amount {
    let (n, d) = rational(value);
    assert_eq!(UNIT * n % d, 0, "{value} is not a whole number of base units");
    Amount::new(u128::try_from(UNIT * n / d).expect("an amount"))
}

#[test]
fn gamma_of_the_network_is_that_of_the_golden_instances() {
    let Some(text) = shared("data/risk/golden_vectors.json") else {
        println!("skipped: the shared folder with the instances is missing");
        return;
    };
    let file: Value = serde_json::from_str(&text).expect("the instances");
    let vectors = file["vectors"].as_array().expect("vectors");
    assert_eq!(vectors.len(), 14, "every instance was opened");
    for vector in vectors {
        let edges: Vec<(usize, usize)> = vector["edges_service_validator"]
            .as_array()
            .expect("edges")
            .iter()
            .map(|edge| {
                let end =
                    |index: usize| usize::try_from(edge[index].as_u64().expect("an index")).expect("small");
                (end(0), end(1))
            })
            .collect();
        let mut exposure = Exposure::default();
        for (validator, stake) in vector["stake"].as_array().expect("stakes").iter().enumerate() {
            // Full restaking: every set of a validator may slash all of its stake.
            let own = edges.iter().filter(|(_, v)| *v == validator);
            let slashable: Vec<(SetId, Amount)> = own
                .map(|(set, _)| (SetId::new(u32::try_from(*set).expect("small")), amount(stake)))
                .collect();
            exposure.add_operator(amount(stake), &slashable);
        }
        let profits = vector["profit"].as_array().expect("profits").iter();
        let alphas = vector["alpha"].as_array().expect("alphas").iter();
        let sets: Vec<(Amount, Fraction)> = profits
            .zip(alphas)
            .map(|(profit, alpha)| {
                let (n, d) = rational(alpha);
                let steps = u64::try_from(i128::from(Fraction::STEPS) * n / d).expect("a fraction");
                (amount(profit), Fraction::from_steps(steps).expect("a fraction"))
            })
            .collect();
        let (n, d) = rational(&vector["gamma_cor2"]);
        let one = i128::from(Fraction::STEPS);
        let expected = one + one * n / d;
        let ours =
            i128::try_from(exposure.certified(&sets).expect("somebody declares a profit")).expect("a ratio");
        // A heat has 60 places, a corruption share 18 decimals.
        assert!((ours - expected).abs() <= 200, "{}: {ours} is not {expected}", vector["id"]);
    }
}

#[test]
fn a_network_without_declared_profit_has_nothing_to_attack() {
    assert_eq!(Exposure::default().certified(&[]), None);
    assert_eq!(Exposure::default().certified(&[(Amount::ZERO, Fraction::ONE)]), None);
}

#[test]
fn a_declared_profit_without_stake_is_as_bad_as_it_can_be_told() {
    let gamma = Exposure::default().certified(&[(Amount::new(1), Fraction::ONE)]).expect("a profit");
    assert!(gamma <= u128::from(Fraction::STEPS) / 16 + 1, "{gamma}");
}
