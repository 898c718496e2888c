//! Vaults on random histories: the ledger and the book of `sim::vaults` say the same after every step. The long run is
//! `cargo run --release -p sim --bin vault_run`. And can the book fail? Mistakes that are planted must all be noticed.

use sim::vaults::Planted;
use sim::vaults::faults::Fault;

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
        "basket_mint",
        "basket_redeem",
        "basket_enter",
        "basket_leave",
        "basket_report",
        "basket_accept",
    ] {
        assert!(reached.contains(name), "{name} was never carried out");
    }
}

/// Histories in which every planted mistake must be noticed.
const SEEDS: u64 = 80;
const OPERATIONS: u64 = 160;

fn noticed(fault: Fault) {
    let mut all = Planted::default();
    for seed in 0..SEEDS {
        let planted =
            sim::vaults::plant(fault, seed, OPERATIONS).unwrap_or_else(|why| panic!("{seed}: {why}"));
        all.told += planted.told;
        all.noticed += planted.noticed;
        all.passed = all.passed.or(planted.passed);
        all.said = all.said.or(planted.said);
    }
    assert!(all.told >= 3, "{fault:?} makes a difference {} times in {SEEDS} histories", all.told);
    assert_eq!(all.noticed, all.told, "{fault:?} is not noticed: {:?}", all.passed);
}

macro_rules! faults {
    ($($name:ident: $fault:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            noticed(Fault::$fault);
        }
    )*};
}

faults! {
    a_deposit_that_rounds_up_is_noticed: EntryRoundsUp,
    a_deposit_at_the_low_price_is_noticed: EntryAtLow,
    a_settlement_that_rounds_up_is_noticed: SettlementRoundsUp,
    a_settlement_at_the_high_price_is_noticed: SettlementAtHigh,
    a_settlement_that_is_skipped_is_noticed: SettlementSkipped,
    a_settlement_that_holds_nothing_back_is_noticed: SettlementHoldsNothingBack,
    leaving_at_the_high_price_is_noticed: LeavingAtHigh,
    leaving_with_nothing_held_back_is_noticed: LeavingHoldsNothingBack,
    leaving_for_nothing_is_noticed: LeavingIsFree,
    a_claim_from_what_is_held_back_is_noticed: ClaimFromHoldback,
    a_claim_from_the_fund_is_noticed: ClaimFromFund,
    gifts_that_count_at_once_are_noticed: GiftsCountAtOnce,
    gains_that_who_changes_its_mind_keeps_are_noticed: CancelKeepsGains,
    a_fee_that_is_taken_twice_is_noticed: FeeTwice,
    a_fund_that_is_spared_is_noticed: FundIsSpared,
    shares_that_are_given_and_kept_are_noticed: TransferCopies,
    shares_that_wait_and_are_kept_are_noticed: RequestCopies,
}

#[test]
fn every_planted_fault_of_vaults_has_a_test() {
    let tests = include_str!("vaults.rs");
    let missing = Fault::ALL.iter().find(|fault| !tests.contains(&format!(": {fault:?},")));
    assert_eq!(missing, None);
}
