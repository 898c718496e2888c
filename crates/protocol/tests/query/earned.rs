//! What is expected, and answers that come in pages.

use std::collections::BTreeSet;

use protocol::advance_epoch;
use protocol::query::{ROWS_MAX, earnings, earnings_page, exposure, exposure_page};

use crate::world::*;
use protocol::ops::set_split::{Recipient, SetSplit};
use protocol::units::{Address, Amount, Epoch, Fraction, RequestId};
use protocol::{Operation, State};

const BOB: Address = Address([0xb0; 20]);

/// The example with streams of so much to the oracle: they pay for the epoch that has begun.
fn paid(streams: usize, per_epoch: u128) -> State {
    let mut state = example();
    ask(&mut state, SERVICE, deposit(1_000_000));
    for _ in 0..streams {
        open_stream(&mut state, SERVICE, ORACLE, per_epoch);
    }
    advance_epoch(&mut state);
    state
}

#[test]
fn an_operator_expects_of_many_small_commissions_what_it_keeps_of_their_sum() {
    let mut state = paid(8, 10);
    let share = Fraction::from_steps(333_333_333_333_333_333).expect("a third");
    let recipients = [[0x11; 20], [0x12; 20]].map(|account| Recipient { account: Address(account), share });
    ask(&mut state, OPERATOR, Operation::SetSplit(SetSplit { recipients: recipients.to_vec() }));
    // Each of the eight commissions is 1, of which nobody gets a third; of 8 two others get 2 each.
    let expected = earnings(&state, OPERATOR);
    let sources = expected.commission.expect("an operator").expected;
    let amounts: Vec<Amount> = sources.iter().map(|source| source.amount).collect();
    assert_eq!(amounts, [1, 1, 1, 1].map(units));
    assert_eq!(expected.expected[0].amount, units(4));
    advance_epoch(&mut state);
    assert_eq!(earnings(&state, OPERATOR).claimable[0].settled, units(4));
}

#[test]
fn what_is_expected_in_all_is_what_the_boundary_credits_to_the_unit() {
    let mut state = example();
    ask(&mut state, BOB, deposit(500));
    ask(&mut state, BOB, delegate(500));
    ask(&mut state, SERVICE, deposit(1_000_000));
    for _ in 0..8 {
        open_stream(&mut state, SERVICE, ORACLE, 5);
    }
    advance_epoch(&mut state);
    let before = earnings(&state, ALICE);
    let parts: Vec<Amount> = before.positions[0].expected.iter().map(|source| source.amount).collect();
    // Alice has two thirds of the stake: 3.3 of each 5, and 26.7 of all.
    assert_eq!(parts, [units(3); 8]);
    assert_eq!(before.expected[0].amount, units(26));
    advance_epoch(&mut state);
    assert_eq!(earnings(&state, ALICE).claimable[0].unsettled, units(26));
}

#[test]
fn payments_for_the_same_work_are_one_line() {
    let mut state = paid(0, 0);
    let pay = |amount| {
        let payments = vec![protocol::ops::pay_work::Payment { operator: OLGA, amount: units(amount) }];
        let epoch = Epoch::new(1);
        Operation::PayWork(protocol::ops::pay_work::PayWork { set: ORACLE, token: ETH, epoch, payments })
    };
    for amount in [10, 20, 30] {
        ask(&mut state, SERVICE, pay(amount));
    }
    let [line] = <[_; 1]>::try_from(earnings(&state, ALICE).positions.remove(0).expected).expect("one line");
    assert_eq!(line.amount, units(54));
}

/// Alice has entries of 7 units that leave, one for each, and what is left.
fn with_entries(mut state: State, count: usize) -> State {
    for _ in 0..count {
        undelegate(&mut state, ALICE, 7);
    }
    state
}

#[test]
fn entries_come_in_pages_and_sums_are_of_all_of_them() {
    let mut state = with_entries(paid(2, 1000), 6);
    request_slash(&mut state, ORACLE, Epoch::new(2), percent(10));
    let (earned, exposed) = (earnings(&state, ALICE), exposure(&state, ALICE));
    assert_eq!((earned.positions.len(), earned.next, exposed.next), (7, None, None));
    let (mut earning, mut exposing, mut after) = (Vec::new(), Vec::new(), None);
    for page in 0..3 {
        let earned_page = earnings_page(&state, ALICE, after, 3);
        let exposed_page = exposure_page(&state, ALICE, after, 3);
        assert_eq!(earned_page.next, exposed_page.next);
        assert_eq!((&earned_page.claimable, &earned_page.expected), (&earned.claimable, &earned.expected));
        assert_eq!(exposed_page.totals, exposed.totals);
        assert_eq!(earned_page.next.is_none(), page == 2);
        after = earned_page.next;
        earning.extend(earned_page.positions);
        exposing.extend(exposed_page.positions);
    }
    assert_eq!((earning, exposing), (earned.positions, exposed.positions));
}

#[test]
fn a_page_ends_when_it_has_shown_enough_beneath_its_entries() {
    // Sixteen streams to each of two sets: 32 lines beneath each entry.
    let mut state = example();
    for funder in [SERVICE, BOB] {
        ask(&mut state, funder, deposit(1_000_000));
        for set in [ORACLE, BRIDGE].repeat(8) {
            open_stream(&mut state, funder, set, 2000);
        }
    }
    advance_epoch(&mut state);
    let state = with_entries(state, 140);
    let (mut after, mut seen, mut pages) = (None, BTreeSet::new(), Vec::new());
    loop {
        let page = earnings_page(&state, ALICE, after, 1000);
        let rows = page.positions.iter().fold(0, |rows, entry| rows + entry.expected.len());
        assert!(rows <= ROWS_MAX, "{rows} lines");
        pages.push(page.positions.len());
        seen.extend(page.positions.iter().map(|entry| entry.position));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((pages, seen.len()), (vec![128, 13], 141));
    assert_eq!(earnings(&state, ALICE).positions.len(), 128, "nobody gets more by not asking for pages");
}

#[test]
fn entries_that_are_alike_lose_what_each_would_lose_alone() {
    let mut state = with_entries(example(), 3);
    request_slash(&mut state, ORACLE, Epoch::new(1), percent(15));
    let answer = exposure(&state, ALICE);
    let leaving: Vec<_> = answer.positions.iter().filter(|entry| entry.worth == units(7)).collect();
    assert_eq!(leaving.len(), 3);
    for entry in leaving {
        // Of 7 units: 20 % of half and 50 % of a quarter, 15 % of half, each rounded up.
        let by_set: Vec<Amount> = entry.sets.iter().map(|set| set.worst_case.amount).collect();
        assert_eq!((entry.worst_case.amount, by_set), (units(2), vec![units(1), units(1)]));
        let requests: Vec<_> = entry.requests.iter().map(|own| (own.request, own.at_most.amount)).collect();
        assert_eq!(requests, [(RequestId::new(0), units(1))]);
    }
    let largest = answer.positions.iter().find(|entry| entry.worth == units(979)).expect("what stays");
    assert_eq!(largest.worst_case.amount, units(221));
    assert_eq!(answer.totals[0].worst_case.amount, units(227));
}
