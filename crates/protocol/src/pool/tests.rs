//! The engine of liability alone: the formula, its orders, what is merged and forgotten.

use super::*;
use crate::units::{AssetId, Fraction, SetId};

const A: SetId = SetId::new(0);
const B: SetId = SetId::new(1);
const TOKEN: AssetId = AssetId::new(9);

fn amount(units: u128) -> Amount {
    Amount::new(units)
}

fn epoch(number: u32) -> Epoch {
    Epoch::new(number)
}

fn percent(percent: u8) -> Fraction {
    Fraction::from_percent(percent)
}

/// A pool in which two sets own so many parts from epoch 1 on, each of full risk weight.
fn pool(of_a: u16, of_b: u16) -> Pool {
    let mut pool = Pool::new();
    let whole = |_| Fraction::ONE;
    pool.take(A, of_a, None, epoch(1), &whole);
    pool.take(B, of_b, None, epoch(1), &whole);
    pool
}

fn slash(pool: &mut Pool, set: SetId, capture: u32, fraction: Fraction) -> u128 {
    let owed = pool.assess(set, epoch(capture), fraction);
    let (taken, _) = pool.slash(set, epoch(capture), Keep::all_but(fraction), owed);
    pool.check().expect("the pool is solvent");
    taken.units()
}

fn worth(pool: &Pool, principal: u128, entered: u32, until: Epoch) -> u128 {
    pool.worth(amount(principal), epoch(entered), until).units()
}

/// 200 bonded since epoch 1, 200 since epoch 6, halves owned by A and B.
fn old_and_new() -> Pool {
    let mut pool = pool(128, 128);
    pool.join(epoch(0), amount(200));
    pool.join(epoch(5), amount(200));
    pool
}

#[test]
fn an_old_offence_leaves_newcomers_and_other_sets_alone() {
    let mut pool = old_and_new();
    assert_eq!(pool.slashable(B, epoch(6)), amount(200));
    assert_eq!(slash(&mut pool, A, 3, Fraction::ONE), 100);
    assert_eq!(worth(&pool, 200, 1, Epoch::NEVER), 100, "the old lose what A owned");
    assert_eq!(worth(&pool, 200, 6, Epoch::NEVER), 200, "newcomers enter whole");
    assert_eq!(pool.slashable(B, epoch(6)), amount(200), "what B can slash did not change");
    assert_eq!(pool.slashable(A, epoch(6)), amount(100), "A keeps the newcomers' half");
}

#[test]
fn slashes_commute() {
    let slashes = [(A, 3, percent(30)), (B, 3, percent(50)), (A, 7, percent(20)), (B, 7, Fraction::ONE)];
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]];
    let ends = orders.map(|order| {
        let mut pool = old_and_new();
        for index in order {
            let (set, capture, fraction) = slashes[index];
            slash(&mut pool, set, capture, fraction);
        }
        (worth(&pool, 200, 1, Epoch::NEVER), worth(&pool, 200, 6, Epoch::NEVER), pool.held())
    });
    assert_eq!(ends[0], (56, 80, amount(136)));
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
}

#[test]
fn who_leaves_is_liable_through_its_last_bonded_epoch_and_no_longer() {
    let mut pool = pool(256, 0);
    pool.join(epoch(0), amount(100));
    pool.join(epoch(0), amount(100));
    pool.leave(epoch(4), epoch(1), amount(100));
    assert_eq!(slash(&mut pool, A, 5, percent(50)), 50, "only what stayed was bonded in 5");
    assert_eq!(worth(&pool, 100, 1, epoch(4)), 100);
    assert_eq!(slash(&mut pool, A, 4, percent(50)), 75, "both were bonded in 4");
    assert_eq!(worth(&pool, 100, 1, epoch(4)), 50);
    assert_eq!(worth(&pool, 100, 1, Epoch::NEVER), 25);
}

#[test]
fn round_numbers_stay_round() {
    let mut pool = pool(256, 0);
    pool.join(epoch(0), amount(1000));
    assert_eq!(slash(&mut pool, A, 1, percent(30)), 300);
    assert_eq!(worth(&pool, 1000, 1, Epoch::NEVER), 700);
    assert_eq!(slash(&mut pool, A, 1, percent(30)), 210);
    assert_eq!(worth(&pool, 1000, 1, Epoch::NEVER), 490);
    assert_eq!(pool.held(), amount(490));
}

#[test]
fn dust_holders_together_never_get_more_than_the_pool_holds() {
    let mut pool = pool(85, 171);
    for _ in 0..7 {
        pool.join(epoch(0), amount(1));
    }
    for (set, steps) in [(A, 1), (B, 333_333_333_333_333_333), (A, 999_999_999_999_999_999)] {
        slash(&mut pool, set, 1, Fraction::from_steps(steps).expect("a fraction"));
    }
    assert!(worth(&pool, 7, 1, Epoch::NEVER) <= pool.held().units());
    pool.leave(epoch(2), epoch(1), amount(7));
    pool.roll(epoch(10), epoch(5), |until| until <= epoch(2));
    let mut paid = 0;
    for _ in 0..7 {
        paid += pool.pay_out(amount(1), epoch(1), epoch(2)).units();
    }
    assert!(paid <= 7);
    pool.check().expect("the pool is solvent");
}

#[test]
fn what_can_no_longer_differ_is_one_cohort() {
    let mut pool = pool(256, 0);
    for joined in 0..50 {
        pool.join(epoch(joined), amount(10));
        pool.roll(epoch(joined + 1), epoch(joined.saturating_sub(5)), |_| false);
    }
    assert!(pool.cohorts().count() <= 8, "{} cohorts", pool.cohorts().count());
    assert_eq!(worth(&pool, 10, 3, Epoch::NEVER), 10, "a merged position still finds its cohort");
    assert_eq!(slash(&mut pool, A, 48, percent(50)), 48 * 5, "who joined for 49 or later is spared");
    assert_eq!(pool.track_count(), 2);
}

#[test]
fn parts_given_back_in_an_epoch_and_taken_again_were_never_given_back() {
    let mut pool = pool(200, 0);
    let whole = |_: SetId| Fraction::ONE;
    pool.give_back(A, 120, epoch(7), epoch(12));
    assert_eq!((pool.parts_of(A), pool.parts_in(A, epoch(8))), (80, 80));
    pool.take(A, 120, Some(epoch(7)), epoch(20), &whole);
    assert_eq!((pool.parts_of(A), pool.parts_in(A, epoch(8))), (200, 200));
    assert!(pool.can_take(B, 57, &whole).is_err(), "a set of full weight is alone on its slices");
    assert!(pool.can_take(B, 56, &whole).is_ok());
}

#[test]
fn retained_parts_stay_taken_until_no_offence_on_them_can_be_punished() {
    let mut pool = pool(256, 0);
    let whole = |_: SetId| Fraction::ONE;
    pool.give_back(A, 256, epoch(7), epoch(12));
    assert_eq!(pool.can_take(B, 1, &whole), Err(slices::Short { admissible: 0 }));
    pool.roll(epoch(11), epoch(6), |_| false);
    assert!(pool.can_take(B, 1, &whole).is_err());
    pool.roll(epoch(12), epoch(7), |_| false);
    assert!(pool.can_take(B, 256, &whole).is_ok());
}

fn pay(pool: &mut Pool, set: SetId, work: u32, paid: u32, units: u128) -> bool {
    let reward = Reward { set, work: epoch(work), token: TOKEN, amount: amount(units) };
    pool.reward(&[reward], epoch(paid)) == [true]
}

fn due(pool: &Pool, principal: u128, entered: u32, until: Epoch, settled: u32) -> u128 {
    let due = pool.due(amount(principal), epoch(entered), until, epoch(settled));
    Amount::total(due.into_iter().map(|(_, amount)| amount)).expect("a sum").units()
}

#[test]
fn rewards_go_to_the_epoch_worked_in_whenever_they_are_paid() {
    let mut pool = pool(256, 0);
    pool.join(epoch(0), amount(100));
    pool.add_mark(epoch(0));
    assert!(pay(&mut pool, A, 1, 2, 10));
    pool.join(epoch(2), amount(300));
    assert!(pay(&mut pool, A, 3, 4, 40), "shared by both");
    assert!(pay(&mut pool, A, 2, 4, 7), "late, for an epoch in which only the first was bonded");
    assert_eq!(due(&pool, 100, 1, Epoch::NEVER, 0), 10 + 10 + 7);
    assert_eq!(due(&pool, 300, 3, Epoch::NEVER, 2), 30);
    assert_eq!(due(&pool, 100, 1, Epoch::NEVER, 3), 17, "settled before the late payment came");
    assert_eq!(due(&pool, 100, 1, Epoch::NEVER, 4), 0);
}

#[test]
fn who_leaves_earns_through_its_last_bonded_epoch() {
    let mut pool = pool(256, 0);
    pool.join(epoch(0), amount(200));
    pool.leave(epoch(2), epoch(1), amount(100));
    assert!(pay(&mut pool, A, 2, 3, 20));
    assert!(pay(&mut pool, A, 3, 4, 20));
    assert!(pay(&mut pool, A, 1, 4, 20), "late");
    assert_eq!(due(&pool, 100, 1, epoch(2), 0), 10 + 10);
    assert_eq!(due(&pool, 100, 1, Epoch::NEVER, 0), 10 + 20 + 10);
    assert_eq!(
        due(&pool, 100, 1, epoch(2), 3),
        10,
        "settled when it left; the late payment is still its own"
    );
}

#[test]
fn a_reward_for_nobody_is_not_taken() {
    let mut pool = pool(128, 128);
    assert!(!pay(&mut pool, A, 1, 2, 10), "no stake");
    pool.join(epoch(0), amount(100));
    slash(&mut pool, A, 1, Fraction::ONE);
    assert!(!pay(&mut pool, A, 1, 2, 10), "nothing is left of its slices");
    assert!(pay(&mut pool, B, 1, 2, 10));
    assert_eq!(pool.reserves()[0].amount, amount(10));
}

#[test]
fn damaged_stake_earns_by_what_is_left_of_it() {
    let mut pool = pool(256, 0);
    pool.join(epoch(0), amount(100));
    pool.join(epoch(4), amount(100));
    slash(&mut pool, A, 2, percent(50));
    assert!(pay(&mut pool, A, 6, 7, 30));
    assert_eq!(due(&pool, 100, 1, Epoch::NEVER, 6), 10);
    assert_eq!(due(&pool, 100, 5, Epoch::NEVER, 6), 20);
}

#[test]
fn forgetting_rows_that_nobody_asks_for_changes_no_due() {
    let mut pool = pool(256, 0);
    pool.join(epoch(0), amount(100));
    pool.add_mark(epoch(0));
    let mut kept = pool.clone();
    for work in 1..600 {
        for pool in [&mut pool, &mut kept] {
            assert!(pay(pool, A, work, work + 1, u128::from(work)));
            if work % 3 == 0 && work > 3 {
                assert!(pay(pool, A, work - 2, work + 1, 5));
            }
        }
        pool.add_mark(epoch(work));
        pool.drop_mark(epoch(work.saturating_sub(200).max(1)).min(epoch(work)));
        pool.add_mark(epoch(work.saturating_sub(200).max(1)).min(epoch(work)));
        pool.roll(epoch(work + 1), epoch(work.saturating_sub(5)), |_| false);
    }
    for settled in [1, 2, 100, 399, 598, 600] {
        let (forgot, knows) =
            (due(&pool, 100, 1, Epoch::NEVER, settled), due(&kept, 100, 1, Epoch::NEVER, settled));
        assert_eq!(forgot, knows, "settled through {settled}");
    }
}

#[test]
fn a_bond_pays_first_and_what_it_pays_is_not_taken_from_the_stake() {
    let mut pool = pool(256, 0);
    pool.join(epoch(0), amount(1000));
    pool.bond_mut().raise(epoch(0), amount(60));
    let owed = pool.assess(A, epoch(1), percent(10));
    let bond = pool.bond().liable(epoch(1)).min(owed);
    assert_eq!((owed, bond), (amount(100), amount(60)));
    pool.bond_mut().pay(epoch(1), bond);
    let keep = Keep::all_but_share(percent(10), amount(40), owed);
    let (taken, _) = pool.slash(A, epoch(1), keep, amount(40));
    assert_eq!(taken, amount(40));
    assert_eq!(worth(&pool, 1000, 1, Epoch::NEVER), 960);
    assert!(pool.bond().total().is_zero());
}

#[test]
fn a_lowered_bond_stays_liable_through_the_notice_and_leaves_after_it() {
    let mut bond = bond::Bond::default();
    bond.raise(epoch(0), amount(50));
    bond.raise(epoch(3), amount(50));
    bond.lower(epoch(9), amount(70));
    assert_eq!(
        (bond.standing(), bond.liable(epoch(2)), bond.liable(epoch(9))),
        (amount(30), amount(50), amount(100))
    );
    assert_eq!(bond.liable(epoch(10)), amount(30), "what was lowered is liable through the notice");
    bond.pay(epoch(9), amount(80));
    assert_eq!((bond.total(), bond.standing()), (amount(20), amount(20)), "what leaves first pays first");
    assert_eq!(bond.release(|until| until <= epoch(9)), Amount::ZERO);
}
