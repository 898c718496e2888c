//! What is foretold happens: stake is free when it is said to be, claims pay what is claimable, and no slash takes more than the worst
//! case.

use std::collections::BTreeMap;

use protocol::ops::claim::Claim;
use protocol::ops::execute_slash::ExecuteSlash;
use protocol::ops::release::Release;
use protocol::ops::request_slash::RequestSlash;
use protocol::ops::undelegate::Undelegate;
use protocol::query::{self, Exit, ExitState, PositionView};
use protocol::units::{Address, Amount, AssetId, Epoch, Fraction, OperatorId, RequestId, SetId};
use protocol::{Event, FollowUp, Operation, State};
use sim::prng::Prng;

use crate::{act, advance, at_many_moments, everybody};

fn undelegate(state: &mut State, account: Address, operator: OperatorId, asset: AssetId) -> Vec<Event> {
    let follow_up = FollowUp::Free;
    let all = Undelegate { operator, asset, amount: None, validator: None, follow_up };
    act(state, account, Operation::Undelegate(all)).expect("nobody can stop an undelegation")
}

fn release(state: &mut State, account: Address, exit: &Exit) -> Result<Vec<Event>, String> {
    let release = Release { account: None, operator: exit.operator, asset: exit.asset };
    act(state, account, Operation::Release(release))
}

fn sum(amounts: impl Iterator<Item = Amount>) -> u128 {
    amounts.map(Amount::units).sum()
}

/// Asks everything back that an account has with an operator, and waits for it.
fn check_bonded(state: &State, account: Address, exit: &Exit, all: &[Exit], at: &str) {
    let ExitState::Bonded { bonded_through, free_at, .. } = &exit.exit else { return };
    let same = |other: &&Exit| (other.operator, other.asset) == (exit.operator, exit.asset);
    let (mut leaving, mut returned) = (0, 0);
    for other in all.iter().filter(same) {
        match &other.exit {
            ExitState::Bonded { .. } => leaving += other.amount.units(),
            ExitState::Joining { take_back_until, bonded_from, .. } => {
                assert_eq!(
                    (*take_back_until, bonded_from.previous()),
                    (state.epoch(), state.epoch()),
                    "{at}"
                );
                returned += other.amount.units();
            }
            _ => {}
        }
    }
    let mut clone = state.clone();
    let events = undelegate(&mut clone, account, exit.operator, exit.asset);
    let Some(Event::Undelegated {
        leaving: left,
        returned: back,
        bonded_through: through,
        free_at: free,
        ..
    }) = events.last()
    else {
        panic!("{at}: {events:?}");
    };
    assert_eq!((left.units(), back.units()), (leaving, returned), "{at}");
    assert_eq!((through, free), (bonded_through, free_at), "{at}");
    let foretold = query::exits(&clone, account).positions;
    let own: Vec<_> = foretold.iter().filter(same).collect();
    assert!(
        own.iter().all(|exit| !matches!(exit.exit, ExitState::Bonded { .. } | ExitState::Joining { .. }))
    );
    check_unbonding(&clone, account, exit, *free_at, at);
}

/// Waits until something is free, and fetches it then and not before.
fn check_unbonding(state: &State, account: Address, exit: &Exit, free_at: Epoch, at: &str) {
    let in_time = |state: &State| {
        let exits = query::exits(state, account).positions;
        let same =
            exits.into_iter().filter(|other| (other.operator, other.asset) == (exit.operator, exit.asset));
        same.collect::<Vec<_>>()
    };
    let mut clone = state.clone();
    advance(&mut clone, free_at.since(state.epoch()).saturating_sub(1));
    // What was free before may be fetched; what is free at `free_at` may not.
    let held = |state: &State| {
        let is_it = |other: &&Exit| match &other.exit {
            ExitState::Unbonding { free_at: free, .. } => *free == free_at,
            ExitState::Free { since, .. } => *since == free_at,
            _ => false,
        };
        let own = in_time(state);
        (own.iter().filter(is_it).count(), sum(own.iter().filter(is_it).map(|other| other.amount)))
    };
    let (count, amount) = held(&clone);
    assert!(count > 0, "{at}: nothing is free in epoch {free_at}");
    let _ = release(&mut clone, account, exit);
    assert_eq!(held(&clone), (count, amount), "{at}: fetched too early");
    advance(&mut clone, 1);
    let before = in_time(&clone);
    let free: Vec<_> = before.iter().filter(|exit| matches!(exit.exit, ExitState::Free { .. })).collect();
    let foretold = sum(free.iter().map(|exit| exit.amount));
    assert!(sum(free.iter().map(|exit| exit.amount)) >= amount, "{at}");
    let events = release(&mut clone, account, exit).unwrap_or_else(|why| panic!("{at}: {why}"));
    let paid = events.iter().filter_map(|event| match event {
        Event::Released { worth, .. } => Some(*worth),
        _ => None,
    });
    assert_eq!(sum(paid), foretold, "{at}");
}

#[test]
fn stake_is_free_when_it_is_said_to_be_and_not_before() {
    let mut checked = BTreeMap::new();
    at_many_moments(400, |state, prng, at| {
        for account in everybody(state) {
            let exits = query::exits(state, account).positions;
            let Some(exit) = prng.pick(&exits) else { continue };
            match &exit.exit {
                ExitState::Joining { .. } => {
                    let mut clone = state.clone();
                    let events = undelegate(&mut clone, account, exit.operator, exit.asset);
                    let Some(Event::Undelegated { returned, .. }) = events.last() else { panic!("{at}") };
                    assert!(*returned >= exit.amount, "{at}: {returned} of {} came back", exit.amount);
                    *checked.entry("joining").or_insert(0) += 1;
                }
                ExitState::Bonded { .. } => {
                    check_bonded(state, account, exit, &exits, at);
                    *checked.entry("bonded").or_insert(0) += 1;
                }
                ExitState::Unbonding { free_at, .. } => {
                    check_unbonding(state, account, exit, *free_at, at);
                    *checked.entry("unbonding").or_insert(0) += 1;
                }
                ExitState::Free { .. } => {
                    let mut clone = state.clone();
                    assert!(release(&mut clone, account, exit).is_ok(), "{at}: what is free can be fetched");
                    *checked.entry("free").or_insert(0) += 1;
                }
            }
        }
    });
    assert!(checked.len() == 4 && checked.values().all(|count| *count > 20), "{checked:?}");
}

/// Claims everything, operator by operator and what is settled.
fn claim_all(state: &mut State, account: Address) -> BTreeMap<AssetId, u128> {
    let positions = query::positions(state, account);
    let mut operators: Vec<Option<OperatorId>> = positions.iter().map(|entry| Some(entry.operator)).collect();
    operators.push(None);
    operators.dedup();
    let mut paid = BTreeMap::new();
    for operator in operators {
        let claim = Claim { account: None, operator, asset: None, token: None, to: None };
        for event in act(state, account, Operation::Claim(claim)).unwrap_or_default() {
            if let Event::Claimed { token, amount, .. } = event {
                *paid.entry(token).or_default() += amount.units();
            }
        }
    }
    paid
}

#[test]
fn claims_pay_what_is_claimable() {
    let mut paid_something = 0;
    at_many_moments(500, |state, _, at| {
        for account in everybody(state) {
            let earnings = query::earnings(state, account);
            let foretold: BTreeMap<AssetId, u128> =
                earnings.claimable.iter().map(|own| (own.token, own.total.units())).collect();
            let paid = claim_all(&mut state.clone(), account);
            assert_eq!(paid, foretold, "{at}, {account}");
            paid_something += u64::from(!paid.is_empty());
        }
    });
    assert!(paid_something > 500, "{paid_something} claims paid something");
}

#[test]
fn the_next_boundary_pays_what_is_expected() {
    let mut expected_something = 0;
    at_many_moments(600, |state, _, at| {
        let shares: Vec<Address> = query::operators(state, None, 1000)
            .items
            .iter()
            .flat_map(|operator| operator.split.iter().map(|share| share.account))
            .collect();
        let mut after = state.clone();
        advance(&mut after, 1);
        for account in everybody(state) {
            if shares.contains(&account) {
                continue;
            }
            let (before, after) = (query::earnings(state, account), query::earnings(&after, account));
            let total = |answer: &query::EarningsAnswer, token: AssetId| {
                answer.claimable.iter().find(|own| own.token == token).map_or(0, |own| own.total.units())
            };
            // Each entry rounds down, and the dust of a pool that was left joins what it is paid next.
            let entries: usize = before.positions.iter().map(|entry| entry.expected.len() + 1).sum();
            for token in after.claimable.iter().map(|own| own.token) {
                let gained = total(&after, token) - total(&before, token);
                let expected = before.expected.iter().find(|own| own.token == token);
                let expected = expected.map_or(0, |own| own.amount.units());
                assert!(expected <= gained, "{at}, {account}: {gained} of token {token}, not {expected}");
                assert!(
                    gained <= expected + entries as u128 + 64,
                    "{at}, {account}: {gained} of token {token}, not {expected}"
                );
                expected_something += u64::from(expected > 0);
            }
        }
    });
    assert!(expected_something > 150, "{expected_something} times something was expected");
}

/// What every entry of everybody may lose, by entry.
struct Foretold {
    worth: u128,
    worst_case: u128,
    by_set: BTreeMap<SetId, u128>,
}

fn foretell(state: &State) -> BTreeMap<u32, Foretold> {
    let mut all = BTreeMap::new();
    for account in everybody(state) {
        for entry in query::exposure(state, account).positions {
            let by_set = entry.sets.iter().map(|set| (set.set, set.worst_case.amount.units())).collect();
            let worst_case = entry.worst_case.amount.units();
            all.insert(entry.position, Foretold { worth: entry.worth.units(), worst_case, by_set });
        }
    }
    all
}

fn worths(state: &State) -> BTreeMap<u32, u128> {
    let entries = everybody(state).into_iter().flat_map(|account| query::positions(state, account));
    entries.map(|entry: PositionView| (entry.position, entry.worth.units())).collect()
}

/// Gives an account what it has to post.
fn fund(state: &mut State, account: Address) {
    let asset = state.genesis().deposit_asset;
    let (amount, proof) = (Amount::new(1000), evidence::Proof::Development);
    let deposit = protocol::ops::deposit::Deposit { account: None, asset, amount, index: None, proof };
    let _ = act(state, account, Operation::Deposit(deposit));
}

/// Opens a request for as much as the terms of a capture epoch admit.
fn request(
    state: &mut State,
    set: SetId,
    operator: OperatorId,
    capture: Epoch,
    slashers: &[Address],
) -> Option<RequestId> {
    for percent in [100, 50, 25, 10] {
        for slasher in slashers {
            let fraction = Fraction::from_percent(percent);
            let reason = "to see what it takes".to_owned();
            let victims = Vec::new();
            let ask = RequestSlash { set, operator, capture, fraction, reason, victims };
            if let Ok(events) = act(state, *slasher, Operation::RequestSlash(ask))
                && let Some(Event::SlashRequested { request, .. }) = events.last()
            {
                return Some(*request);
            }
        }
    }
    None
}

/// Opens one request for each operator in each set, for an epoch that chance picks; the more epochs pass before, the later it may be.
fn request_all(state: &mut State, prng: &mut Prng) -> Vec<RequestId> {
    let sets = query::sets(state, None, 1000).items;
    let slashers: Vec<Address> = query::services(state, None, 1000).items.iter().map(|s| s.account).collect();
    for slasher in &slashers {
        fund(state, *slasher);
    }
    let mut requests = Vec::new();
    for set in sets {
        for member in &set.members {
            let back = prng.between(0, state.parameters().slash_window);
            let capture = state.epoch().earlier(back);
            requests.extend(request(state, set.set, member.operator, capture, &slashers));
        }
    }
    requests
}

/// Executes requests as soon as they may be, one after the other, and looks after each.
fn execute_all(state: &mut State, requests: &[RequestId], mut look: impl FnMut(&State, &State, RequestId)) {
    for _ in 0..20 {
        for request in requests {
            let before = state.clone();
            let execute = Operation::ExecuteSlash(ExecuteSlash { request: *request });
            if act(state, Address([0x77; 20]), execute).is_ok() {
                look(&before, state, *request);
            }
        }
        advance(state, 1);
    }
}

#[test]
fn no_slash_of_each_set_takes_more_than_the_worst_case() {
    let (mut slashes, mut full) = (0, 0);
    at_many_moments(700, |state, prng, at| {
        let foretold = foretell(state);
        let mut clone = state.clone();
        let wait = prng.between(0, 4);
        advance(&mut clone, wait);
        let requests = request_all(&mut clone, prng);
        execute_all(&mut clone, &requests, |before, after, id| {
            slashes += 1;
            let set = query::request(before, id).expect("it was just executed").set;
            let (before, after) = (worths(before), worths(after));
            for (position, worth) in &before {
                let lost = worth - after[position];
                let own = foretold.get(position);
                let most = own.and_then(|own| own.by_set.get(&set)).copied().unwrap_or(0);
                assert!(
                    lost <= most,
                    "{at}: {lost} of entry {position}, not {most}, by request {id} of set {set}"
                );
                full += u64::from(lost > 0 && lost + 1 >= most);
            }
        });
        let after = worths(&clone);
        for (position, own) in &foretold {
            let lost = own.worth - after.get(position).copied().unwrap_or(own.worth);
            assert!(lost <= own.worst_case, "{at}: {lost} of entry {position}, not {}", own.worst_case);
        }
    });
    assert!(slashes > 200, "{slashes} slashes were executed");
    assert!(full > 50, "{full} of them took all that an entry could lose");
}

#[test]
fn who_asks_back_now_loses_no_more_than_is_said() {
    let mut lost_something = 0;
    at_many_moments(800, |state, prng, at| {
        let mut accounts = everybody(state);
        accounts.retain(|account| !query::positions(state, *account).is_empty());
        let Some(account) = prng.pick(&accounts).copied() else { return };
        let exposure = query::exposure(state, account);
        let said: u128 = sum(exposure.positions.iter().map(|entry| entry.if_asked_back_now.amount));
        let mut clone = state.clone();
        let mut stakes: Vec<_> = exposure
            .positions
            .iter()
            .filter(|entry| entry.mandate.is_some())
            .map(|entry| (entry.operator, entry.asset))
            .collect();
        stakes.sort_unstable();
        stakes.dedup();
        for (operator, asset) in stakes {
            undelegate(&mut clone, account, operator, asset);
        }
        let leaving: u128 =
            sum(query::exposure(&clone, account).positions.iter().map(|e| e.worst_case.amount));
        let entries = exposure.positions.len() as u128;
        assert!(leaving <= said + entries, "{at}: {leaving} can be lost, and {said} was said");
        let wait = prng.between(0, 2);
        advance(&mut clone, wait);
        let requests = request_all(&mut clone, prng);
        let before = sum(query::positions(&clone, account).iter().map(|entry| entry.worth));
        execute_all(&mut clone, &requests, |_, _, _| {});
        let after = sum(query::positions(&clone, account).iter().map(|entry| entry.worth));
        assert!(before - after <= said + entries, "{at}: {} was lost, and {said} was said", before - after);
        lost_something += u64::from(after < before);
    });
    assert!(lost_something > 20, "something was lost {lost_something} times");
}

#[test]
fn an_open_request_takes_no_more_than_is_said() {
    let mut taken = 0;
    at_many_moments(900, |state, prng, at| {
        let mut clone = state.clone();
        request_all(&mut clone, prng);
        let mut said: BTreeMap<(RequestId, u32), u128> = BTreeMap::new();
        for account in everybody(&clone) {
            for entry in query::exposure(&clone, account).positions {
                for against in &entry.requests {
                    said.insert((against.request, entry.position), against.at_most.amount.units());
                }
            }
        }
        let mut requests: Vec<RequestId> = said.keys().map(|(request, _)| *request).collect();
        requests.dedup();
        execute_all(&mut clone, &requests, |before, after, id| {
            let (before, after) = (worths(before), worths(after));
            for (position, worth) in &before {
                let lost = worth - after[position];
                let most = said.get(&(id, *position)).copied().unwrap_or(0);
                assert!(lost <= most, "{at}: request {id} took {lost} of entry {position}, not {most}");
                taken += u64::from(lost > 0);
            }
        });
    });
    assert!(taken > 200, "requests took something of {taken} entries");
}
