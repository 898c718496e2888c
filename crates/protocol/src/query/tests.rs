//! What answers cost: counted, not timed.

#[allow(dead_code, reason = "each test takes what it needs of it")]
#[path = "../../tests/query/world.rs"]
mod world;

use std::cell::Cell;

use super::slashes::{LOOKED_AT_MAX, look_through};
use super::*;
use crate::pool::reading::walks;
use crate::state::records::{Request, RequestState};
use crate::units::{RequestId, ServiceId};
use world::*;

/// Alice has so many entries that have left and earned, as many that leave and earn, and so many streams pay the oracle.
fn crowd(entries: usize, streams: usize) -> State {
    let mut state = example();
    ask(&mut state, SERVICE, deposit(1_000_000));
    for _ in 0..streams {
        open_stream(&mut state, SERVICE, ORACLE, 5000);
    }
    crate::advance_epoch(&mut state);
    crate::advance_epoch(&mut state);
    request_slash(&mut state, ORACLE, Epoch::new(1), percent(10));
    request_slash(&mut state, BRIDGE, Epoch::new(2), percent(10));
    for epoch in [3, 4] {
        while state.epoch < Epoch::new(epoch) {
            crate::advance_epoch(&mut state);
        }
        for _ in 0..entries {
            undelegate(&mut state, ALICE, 3);
        }
    }
    state
}

/// How often each answer walks the slices of a pool, or what a history has earned.
fn walks_of(state: &State) -> Vec<(&'static str, u64)> {
    let figure = Figure::Claimable { account: ALICE, token: ETH };
    vec![
        ("earnings", walks::of(|| earnings(state, ALICE)).1),
        ("exposure", walks::of(|| exposure(state, ALICE)).1),
        ("exits", walks::of(|| exits(state, ALICE)).1),
        ("notices", walks::of(|| notices(state, ALICE)).1),
        ("claimable", walks::of(|| explain(state, &figure)).1),
        ("account", walks::of(|| account(state, ALICE)).1),
    ]
}

#[test]
fn entries_that_are_alike_and_payments_for_one_epoch_are_worked_out_once() {
    let least = walks_of(&crowd(1, 1));
    assert!(least.iter().all(|(_, walks)| (1..40).contains(walks)), "{least:?}");
    assert_eq!(walks_of(&crowd(60, 1)), least, "sixty entries that left together, and sixty that leave");
    assert_eq!(walks_of(&crowd(1, 8)), least, "eight streams");
    assert_eq!(walks_of(&crowd(60, 8)), least, "both");
}

#[test]
fn the_answers_for_a_crowd_are_right() {
    let state = crowd(60, 8);
    assert_eq!(earnings(&state, ALICE).positions.len(), 121);
    let figure = Figure::Claimable { account: ALICE, token: ETH };
    let claimable = explain(&state, &figure).expect("a figure");
    assert_eq!(claimable.value, earnings(&state, ALICE).claimable[0].total.to_string());
    let apart =
        explain(&state, &Figure::Unsettled { account: ALICE, position: 1, token: ETH }).expect("a figure");
    assert!(claimable.inputs.contains(&apart), "an entry is explained alike alone and in a sum");
    assert_eq!(claimable.inputs.len(), 61, "what is settled, and the sixty that have left");
    let told = notices(&state, ALICE);
    let requests = told.iter().filter(|notice| notice.kind == NoticeKind::SlashRequested).count();
    assert_eq!(requests, 242, "two requests would take something of each entry");
}

#[test]
fn a_page_of_requests_that_nothing_matches_ends() {
    let mut state = example();
    request_slash(&mut state, ORACLE, Epoch::new(1), percent(10));
    let request = state.requests.get(&RequestId::new(0)).expect("it was just asked for").clone();
    let looked_at = Cell::new(0_usize);
    let many = || {
        let all = (0..100_000).map(|number| (RequestId::new(number), &request));
        all.inspect(|_| looked_at.set(looked_at.get() + 1))
    };
    let is_over = |request: &Request| request.state != RequestState::Open;
    let page = look_through(many(), is_over, 10, |(id, _)| id);
    assert!(page.items.is_empty());
    assert_eq!(page.next.map(|next| next as usize), Some(LOOKED_AT_MAX - 1));
    assert_eq!(looked_at.get(), LOOKED_AT_MAX + 1);
    let page = look_through(many().take(3), |_| true, 10, |(id, _)| id);
    assert_eq!((page.items.len(), page.next), (3, None));
    let page = look_through(many().take(3), |_| true, 3, |(id, _)| id);
    assert_eq!((page.items.len(), page.next), (3, None));
    let page = look_through(many().take(3), |_| true, 2, |(id, _)| id);
    assert_eq!((page.items.len(), page.next), (2, Some(1)));
}

#[test]
fn lists_are_read_from_their_indexes() {
    // What an index does not name is not looked at: nothing walks all there is.
    let mut state = crowd(0, 2);
    let of_oracle = |state: &State| streams(state, Some(ORACLE), None, 10).items.len();
    assert_eq!(of_oracle(&state), 2);
    state.set_mut(ORACLE).streams.pop();
    assert_eq!((of_oracle(&state), state.streams.len()), (1, 2));

    let service = ServiceId::new(0);
    assert_eq!(super::service(&state, service).expect("a service").sets, [ORACLE, BRIDGE]);
    state.set_ids.remove(&(service, BRIDGE));
    assert_eq!(super::service(&state, service).expect("a service").sets, [ORACLE]);

    let filter = RequestFilter { set: Some(ORACLE), ..RequestFilter::default() };
    assert_eq!(requests(&state, &filter, None, 10).items.len(), 1);
    state.request_ids.remove(&(ORACLE, OLGA, Epoch::new(1)));
    assert_eq!((requests(&state, &filter, None, 10).items.len(), state.requests.len()), (0, 2));
}
