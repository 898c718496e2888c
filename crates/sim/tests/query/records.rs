//! Records one by one and in pages are those of the whole view.

use std::fmt::Debug;

use protocol::State;
use protocol::query::{self, Page, PositionState, RequestFilter};
use protocol::units::{Amount, AssetId, Epoch, OperatorId, PoolId, SetId};
use protocol::view::{AccountView, StakeView, view};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{at_many_moments, everybody};

fn total(amounts: impl Iterator<Item = Amount>) -> Amount {
    Amount::total(amounts).expect("a sum of what is there")
}

/// The entries of a stake sum to it.
fn check_stake(account: &AccountView, stake: &StakeView, positions: &[query::PositionView], at: &str) {
    let own: Vec<_> = positions
        .iter()
        .filter(|entry| entry.operator == stake.operator && entry.asset == stake.asset)
        .collect();
    let sum = |state: PositionState| {
        total(own.iter().filter(|entry| entry.state == state).map(|entry| entry.worth))
    };
    let at = format!("{at}, {}", account.account);
    assert_eq!(sum(PositionState::Joining), stake.joining, "{at}: joining");
    assert_eq!(sum(PositionState::Bonded), stake.bonded, "{at}: bonded");
    for unbonding in &stake.unbonding {
        let entries = own.iter().filter(|entry| entry.bonded_through == Some(unbonding.bonded_through));
        assert_eq!(total(entries.clone().map(|entry| entry.worth)), unbonding.amount, "{at}: unbonding");
        assert!(entries.clone().all(|entry| entry.free_at == Some(unbonding.free_at)), "{at}: free at");
    }
    for reward in &stake.claimable {
        let of_entry = |entry: &&&query::PositionView| {
            let own = entry.unsettled.iter().find(|own| own.token == reward.token);
            own.map_or(Amount::ZERO, |own| own.amount)
        };
        let sum = total(own.iter().map(|entry| of_entry(&entry)));
        assert!(sum <= reward.amount, "{at}: {sum} of {} is unsettled", reward.amount);
        assert!(sum.units() + 1024 >= reward.amount.units(), "{at}: {sum} of {}", reward.amount);
    }
}

#[test]
fn the_sums_of_the_parts_are_those_of_the_view() {
    at_many_moments(0, |state, _, at| {
        let whole = view(state);
        for account in &whole.accounts {
            let detail = query::account(state, account.account).expect("an account of the view");
            assert_eq!((&detail.balances, &detail.stakes), (&account.balances, &account.stakes), "{at}");
            for stake in &account.stakes {
                check_stake(account, stake, &detail.positions, at);
            }
            let exposure = query::exposure(state, account.account);
            for sum in &exposure.totals {
                let entries = exposure.positions.iter().filter(|entry| entry.asset == sum.asset);
                assert_eq!(total(entries.clone().map(|entry| entry.worth)), sum.worth, "{at}");
                assert_eq!(
                    total(entries.map(|entry| entry.worst_case.amount)),
                    sum.worst_case.amount,
                    "{at}"
                );
            }
        }
        for (index, pool) in whole.pools.iter().enumerate() {
            let detail = query::pool(state, pool.pool).expect("a pool of the view");
            assert_eq!(&detail.view, pool, "{at}");
            assert_eq!(usize::try_from(pool.pool.number()), Ok(index), "{at}");
            assert_eq!(detail.slices.iter().map(|slice| slice.parts).sum::<u16>(), 256, "{at}");
            assert_eq!(total(detail.bonds.iter().map(|bond| bond.amount)), pool.bond, "{at}");
        }
        for set in &whole.sets {
            let detail = query::set(state, set.set).expect("a set of the view");
            assert_eq!((detail.weight, detail.secured), (set.weight, set.secured), "{at}");
            for row in &set.operators {
                let member = detail.members.iter().find(|member| member.operator == row.operator);
                assert_eq!(member.map(|member| member.weight), Some(row.weight), "{at}");
            }
        }
        for asset in &whole.assets {
            let detail = query::asset(state, asset.asset).expect("an asset of the view");
            let holdings = [
                asset.free,
                asset.pooled,
                asset.claimable,
                asset.rewards,
                asset.streams,
                asset.bonds,
                asset.deposits,
                asset.held,
            ];
            assert_eq!(detail.supply, total(holdings.into_iter()), "{at}");
        }
        let filter = RequestFilter { open_only: true, ..RequestFilter::default() };
        let open = query::requests(state, &filter, None, 1000).items;
        let shown: Vec<_> = whole.requests.iter().map(|request| request.request).collect();
        assert_eq!(open.iter().map(|request| request.request).collect::<Vec<_>>(), shown, "{at}");
    });
}

/// Walks through pages of every size and finds everything once.
fn walk<T: PartialEq + Debug>(at: &str, whole: &[T], page: impl Fn(Option<u32>, usize) -> Page<T>) {
    for limit in [1, 3, 1000] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let Page { items, next } = page(after, limit);
            assert!(items.len() <= limit, "{at}");
            found.extend(items);
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, whole, "{at}: pages of {limit}");
    }
}

fn everything<T>(count: usize, read: impl Fn(u32) -> Option<T>) -> Vec<T> {
    (0..u32::try_from(count).expect("few")).map(|number| read(number).expect("it is there")).collect()
}

#[test]
fn pages_hold_everything_once() {
    at_many_moments(100, |state, prng, at| {
        if !prng.chance(25) {
            return;
        }
        let counts = query::ledger(state).counts;
        let accounts: Vec<_> =
            everybody(state).into_iter().map(|account| query::account(state, account).unwrap()).collect();
        assert_eq!(accounts.len(), usize::try_from(counts.accounts).unwrap(), "{at}");
        for limit in [1, 4, 1000] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = query::accounts(state, after, limit);
                after = page.items.last().map(|account| account.account).filter(|_| page.next.is_some());
                found.extend(page.items);
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, accounts, "{at}");
        }
        let whole = view(state);
        let pools = everything(whole.pools.len(), |number| query::pool(state, PoolId::new(number)));
        walk(at, &pools, |after, limit| query::pools(state, after.map(PoolId::new), limit));
        let sets = everything(whole.sets.len(), |number| query::set(state, SetId::new(number)));
        walk(at, &sets, |after, limit| query::sets(state, after.map(SetId::new), limit));
        let assets = everything(whole.assets.len(), |number| query::asset(state, AssetId::new(number)));
        walk(at, &assets, |after, limit| query::assets(state, after.map(AssetId::new), limit));
        let operators = counts.operators as usize;
        let operators = everything(operators, |number| query::operator(state, OperatorId::new(number)));
        walk(at, &operators, |after, limit| query::operators(state, after.map(OperatorId::new), limit));
        let streams: Vec<_> = whole
            .streams
            .iter()
            .map(|stream| query::stream(state, stream.stream).expect("a stream of the view"))
            .collect();
        walk(at, &streams, |after, limit| {
            query::streams(state, None, after.map(protocol::units::StreamId::new), limit)
        });
        let all = query::requests(state, &RequestFilter::default(), None, 1000).items;
        for request in &all {
            assert_eq!(query::request(state, request.request).as_ref(), Some(request), "{at}");
        }
        walk(at, &all, |after, limit| {
            let after = after.map(protocol::units::RequestId::new);
            query::requests(state, &RequestFilter::default(), after, limit)
        });
        let slashes = query::slashes(state, None, 1000).items;
        for slash in &slashes {
            assert_eq!(query::slash(state, slash.slash).as_ref(), Some(slash), "{at}");
        }
    });
}

fn reads_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(at: &str, answer: &T) {
    let text = serde_json::to_string(answer).expect("an answer is plain data");
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{at}: {error}\n{text}"));
    assert_eq!(&read, answer, "{at}");
    let never = u32::MAX.to_string();
    assert!(!text.contains(&format!(":{never}")), "{at}: never is null, not a number: {text}");
}

/// Everything that one account may ask.
fn check_account(state: &State, at: &str, account: protocol::units::Address) {
    reads_back(at, &query::account(state, account));
    reads_back(at, &query::earnings(state, account));
    reads_back(at, &query::exposure(state, account));
    reads_back(at, &query::exits(state, account));
    let notices = query::notices(state, account);
    for notice in &notices {
        let now = state.epoch();
        let is_past = |epoch: Option<Epoch>| epoch.is_some_and(|epoch| epoch < now);
        assert!(!is_past(notice.act_by), "{at}: {notice:?}");
        for way in &notice.ways {
            assert!(protocol::operation::Kind::from_name(&way.operation).is_some(), "{at}: {way:?}");
            assert!(!is_past(way.until), "{at}: {notice:?}");
        }
        assert!(notice.text.ends_with('.'), "{at}: {}", notice.text);
    }
    reads_back(at, &notices);
}

#[test]
fn answers_read_back_as_they_were() {
    let mut seen = std::collections::BTreeSet::new();
    at_many_moments(200, |state, _, at| {
        for account in everybody(state) {
            check_account(state, at, account);
            seen.extend(query::notices(state, account).into_iter().map(|notice| notice.kind));
        }
        reads_back(at, &query::ledger(state));
        reads_back(at, &query::network(state));
        reads_back(at, &query::operators(state, None, 1000));
        reads_back(at, &query::services(state, None, 1000));
        reads_back(at, &query::sets(state, None, 1000));
        reads_back(at, &query::requests(state, &RequestFilter::default(), None, 1000));
        reads_back(at, &query::slashes(state, None, 1000));
        reads_back(at, &query::streams(state, None, None, 1000));
        reads_back(at, &query::assets(state, None, 1000));
    });
    assert!(seen.len() >= 15, "only these notices occur: {seen:?}");
    let nobody = protocol::units::Address([0x99; 20]);
    let state = State::new(protocol::Genesis::development()).expect("the genesis holds together");
    assert_eq!(query::account(&state, nobody), None);
    assert_eq!(query::notices(&state, nobody), Vec::new());
    assert!(query::exposure(&state, nobody).positions.is_empty());
    assert_eq!(query::pool(&state, PoolId::new(7)), None);
    assert_eq!(query::pools(&state, Some(PoolId::new(u32::MAX)), 10), Page { items: Vec::new(), next: None });
}
