//! Can these tests fail? A model that gets one rule wrong on purpose must be found out, each of them by a few histories.

use sim::history::{Effort, run};
use sim::model::Fault;
use sim::workload::play;

/// Histories within which every planted fault must be noticed.
const SEEDS: u64 = 160;
const OPERATIONS: u64 = 220;

/// The first history on which a wrong model is found out and the right one is not.
fn first_noticed(fault: Fault) -> Option<u64> {
    let effort = Effort { check_every: 64 };
    (0..SEEDS).find(|seed| {
        let played = play(*seed, OPERATIONS, Some(fault), effort);
        played.result.is_err() && run(&played.script, None, effort).is_ok()
    })
}

macro_rules! faults {
    ($($name:ident: $fault:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            let seed = first_noticed(Fault::$fault);
            assert!(seed.is_some(), "{:?} is not noticed in {SEEDS} histories", Fault::$fault);
        }
    )*};
}

faults! {
    newcomers_that_pay_for_the_past_are_noticed: NewcomerLiable,
    leavers_that_escape_are_noticed: LeaversEscape,
    slashes_that_add_are_noticed: SlashesAdd,
    retained_parts_that_do_not_count_are_noticed: RetainedUncounted,
    rewards_by_present_stake_are_noticed: RewardByPresentStake,
    a_window_cap_that_is_ignored_is_noticed: WindowCapIgnored,
    a_bond_that_does_not_pay_first_is_noticed: BondPaysLast,
    a_veto_that_is_ignored_is_noticed: VetoIgnored,
    a_consent_that_nobody_gave_is_noticed: ConsentAssumed,
    the_youngest_leaving_first_is_noticed: YoungestLeavesFirst,
    freedom_an_epoch_too_early_is_noticed: FreeOneEpochEarly,
    the_commission_of_today_for_past_work_is_noticed: CommissionOfToday,
    the_jailed_on_duty_are_noticed: JailedStayOnDuty,
    native_losses_that_spare_leavers_are_noticed: NativeLossSparesLeavers,
    a_graver_report_that_takes_all_is_noticed: GraverReportTakesAll,
    a_correlation_that_counts_one_epoch_is_noticed: CorrelationCountsEpochOnly,
}

#[test]
fn every_planted_fault_has_a_test() {
    let tests = include_str!("faults.rs");
    let missing = Fault::ALL.iter().find(|fault| !tests.contains(&format!(": {fault:?},")));
    assert_eq!(missing, None);
}
