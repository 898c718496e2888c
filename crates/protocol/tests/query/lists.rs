//! Lists by what they belong to, requests at most, and what never happens.

use protocol::ops::execute_slash::ExecuteSlash;
use protocol::ops::grant::Grant;
use protocol::query::{self, NoticeKind, Page, RequestDetail, RequestFilter};
use protocol::units::{Address, Epoch, RequestId, ServiceId, SetId};
use protocol::{Kind, Operation, State, advance_epoch};

use crate::world::*;

#[test]
fn a_request_takes_at_most_what_it_may_take_once_earlier_slashes_have_left_the_window() {
    let mut state = example();
    request_slash(&mut state, ORACLE, Epoch::new(1), percent(20));
    advance_epoch(&mut state);
    request_slash(&mut state, ORACLE, Epoch::new(2), percent(10));
    while state.epoch() < Epoch::new(5) {
        advance_epoch(&mut state);
    }
    let execute = ExecuteSlash { request: RequestId::new(0) };
    ask(&mut state, ALICE, Operation::ExecuteSlash(execute));
    let detail = query::request(&state, RequestId::new(1)).expect("an open request");
    assert!(detail.takes.is_zero(), "the first has used the whole cap");
    // 20 % of the half are gone: 400 are left of it.
    assert_eq!(detail.at_most[0].amount, units(40));
    let against = &query::exposure(&state, ALICE).positions[0].requests[0];
    assert_eq!((against.request, against.at_most.amount), (RequestId::new(1), units(40)));
    let executed = query::request(&state, RequestId::new(0)).expect("it is kept");
    assert!(executed.at_most.is_empty(), "it takes nothing any more");
}

/// Two services with sets of their own, streams to them, and requests of each against olga.
fn two_services() -> State {
    let mut state = example();
    let other = Address([0x77; 20]);
    ask(&mut state, other, Operation::CreateService(protocol::ops::create_service::CreateService {}));
    for (service, cap) in [(other, 10), (SERVICE, 30), (other, 40)] {
        let terms = terms(cap, Vec::new());
        ask(&mut state, service, Operation::CreateSet(protocol::ops::create_set::CreateSet { terms }));
    }
    ask(&mut state, SERVICE, deposit(100_000));
    for set in [BRIDGE, ORACLE, BRIDGE, BRIDGE, ORACLE] {
        open_stream(&mut state, SERVICE, set, 100);
    }
    for set in [BRIDGE, ORACLE] {
        request_slash(&mut state, set, Epoch::new(1), percent(10));
    }
    advance_epoch(&mut state);
    for set in [ORACLE, BRIDGE] {
        request_slash(&mut state, set, Epoch::new(2), percent(5));
    }
    state
}

#[test]
fn a_service_lists_its_sets_and_a_restored_ledger_lists_the_same() {
    let state = two_services();
    let entry = |key| state.entry(&key).map(|bytes| (key, bytes));
    let restored = State::restore(state.keys().into_iter().filter_map(entry)).expect("its own entries");
    for state in [&state, &restored] {
        let sets: Vec<Vec<u32>> = query::services(state, None, 10)
            .items
            .iter()
            .map(|service| service.sets.iter().map(|set| set.number()).collect())
            .collect();
        assert_eq!(sets, [vec![0, 1, 3], vec![2, 4]]);
        assert_eq!(query::service(state, ServiceId::new(0)).expect("a service").operators, 2);
        assert_eq!(query::service(state, ServiceId::new(2)), None);
    }
}

/// The numbers of all pages of a list.
fn all<T>(mut page: impl FnMut(Option<u32>) -> Page<T>, number: impl Fn(&T) -> u32) -> Vec<u32> {
    let (mut numbers, mut after) = (Vec::new(), None);
    loop {
        let page = page(after);
        numbers.extend(page.items.iter().map(&number));
        match page.next {
            Some(next) => after = Some(next),
            None => return numbers,
        }
    }
}

#[test]
fn a_set_lists_its_streams_in_pages() {
    let state = two_services();
    for (set, numbers) in [(BRIDGE, vec![0, 2, 3]), (ORACLE, vec![1, 4]), (SetId::new(3), vec![])] {
        for limit in 1..4 {
            let page = |after: Option<u32>| {
                query::streams(&state, Some(set), after.map(protocol::units::StreamId::new), limit)
            };
            assert_eq!(all(page, |stream| stream.stream.number()), numbers);
        }
    }
}

#[test]
fn requests_of_a_set_or_against_an_operator_are_those_of_the_whole_list() {
    let mut state = two_services();
    let veto = protocol::ops::veto_slash::VetoSlash { request: RequestId::new(1) };
    ask(&mut state, RESOLVER, Operation::VetoSlash(veto));
    let list = |filter: &RequestFilter, limit| {
        let page = |after: Option<u32>| query::requests(&state, filter, after.map(RequestId::new), limit);
        all(page, |request: &RequestDetail| request.request.number())
    };
    let whole = query::requests(&state, &RequestFilter::default(), None, 100).items;
    assert_eq!(whole.len(), 4);
    for set in [None, Some(ORACLE), Some(BRIDGE), Some(SetId::new(4)), Some(SetId::new(99))] {
        for operator in [None, Some(OLGA), Some(protocol::units::OperatorId::new(7))] {
            for open_only in [false, true] {
                let is_asked = |request: &&RequestDetail| {
                    set.is_none_or(|set| set == request.set)
                        && operator.is_none_or(|operator| operator == request.operator)
                        && (!open_only || request.status == query::RequestStatus::Open)
                };
                let expected: Vec<u32> =
                    whole.iter().filter(is_asked).map(|request| request.request.number()).collect();
                let filter = RequestFilter { set, operator, open_only };
                for limit in 1..5 {
                    assert_eq!(list(&filter, limit), expected, "{filter:?}");
                }
            }
        }
    }
}

#[test]
fn every_grant_ends() {
    let mut state = example();
    let end = state.epoch().later(1_000);
    let grant = |expires: Epoch| {
        let (kinds, limits) = (vec![Kind::Claim], Vec::new());
        Operation::Grant(Grant { delegate: Address([0xd1; 20]), kinds, limits, expires })
    };
    let authority =
        protocol::Authority { account: ALICE, signer: protocol::Signer::Plain, expires: u64::MAX };
    for expires in [end.next(), Epoch::NEVER] {
        let refused = protocol::apply(&mut state, &authority, &grant(expires)).expect_err("it has to end");
        assert_eq!(refused.code(), "grant.TooLong");
    }
    ask(&mut state, ALICE, grant(end));
    let grants = query::account(&state, ALICE).expect("she is known").grants;
    assert_eq!(grants.iter().map(|grant| grant.expires).collect::<Vec<_>>(), [end]);
    let notices = query::notices(&state, ALICE);
    let told = notices.iter().find(|notice| notice.kind == NoticeKind::GrantExpires).expect("it is told");
    assert_eq!(told.from, Some(end.next()));
}
