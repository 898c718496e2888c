//! Vaults on random histories: the ledger and the book of `sim::vaults` say the same after every step. The long run is
//! `cargo run --release -p sim --bin vault_run`.

#[test]
fn the_book_and_the_ledger_agree_on_short_histories() {
    for seed in 0..60 {
        sim::vaults::play(seed, 60, seed % 8 == 0).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
}

#[test]
fn the_book_and_the_ledger_agree_on_long_histories() {
    for seed in 1000..1004 {
        sim::vaults::play(seed, 800, false).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
}

#[test]
fn a_run_is_settled_with_no_forced_breach_of_a_cap() {
    let run = sim::vaults::run::run();
    assert_eq!(sim::vaults::run::DAYS.iter().sum::<u128>(), 196, "19.6 %");
    assert_eq!((run.unpaid, run.forced), (0, 0), "{run:?}");
    assert_eq!(run.waits.len(), 32 * 20);
    assert!(run.percentile(100) <= 17, "{run:?}");
}

#[test]
fn every_operation_of_a_vault_succeeds_somewhere() {
    let mut reached = std::collections::BTreeSet::new();
    for seed in 0..20 {
        reached.extend(sim::vaults::reached(seed, 200).unwrap_or_else(|why| panic!("seed {seed}: {why}")));
    }
    for name in [
        "vault_deposit",
        "vault_request",
        "vault_cancel",
        "vault_claim",
        "vault_instant",
        "vault_tick",
        "vault_harvest",
        "vault_fund",
        "vault_guard",
        "transfer_shares",
        "request_slash",
        "veto_slash",
        "execute_slash",
    ] {
        assert!(reached.contains(name), "{name} was never carried out");
    }
}
