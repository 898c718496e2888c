//! Every figure recomputes from its inputs, and is the figure that the answers show.

use std::collections::{BTreeMap, BTreeSet};

use protocol::State;
use protocol::query::{self, ExitState, Figure, explain};
use protocol::units::{Address, PoolId, SetId};

use crate::formulas::check;
use crate::{at_many_moments, everybody};

/// What was seen: how often each figure was more than nothing, and every formula.
#[derive(Default)]
struct Seen {
    counts: BTreeMap<String, u64>,
    formulas: BTreeSet<String>,
}

/// Every formula of a tree.
fn formulas_of(figure: &query::Explained, formulas: &mut BTreeSet<String>) {
    formulas.extend(figure.formula.clone());
    for input in &figure.inputs {
        formulas_of(input, formulas);
    }
}

/// Explains a figure, evaluates it, and compares it with what an answer shows.
fn compare(state: &State, at: &str, figure: Figure, shown: impl ToString, seen: &mut Seen) {
    let explained = explain(state, &figure).unwrap_or_else(|| panic!("{at}: {figure:?} can be explained"));
    check(&explained).unwrap_or_else(|why| panic!("{at}: {figure:?}: {why}\n{explained:#?}"));
    assert_eq!(explained.value, shown.to_string(), "{at}: {figure:?}");
    assert_eq!(explained.source, format!("docs/reference/figures.md#{}", explained.name));
    formulas_of(&explained, &mut seen.formulas);
    *seen.counts.entry(explained.name).or_default() += u64::from(explained.value != "0");
}

fn check_account(state: &State, at: &str, account: Address, seen: &mut Seen) {
    for entry in query::positions(state, account) {
        let position = entry.position;
        compare(state, at, Figure::PositionWorth { account, position }, entry.worth, seen);
        for due in &entry.unsettled {
            let figure = Figure::Unsettled { account, position, token: due.token };
            compare(state, at, figure, due.amount, seen);
        }
    }
    for entry in query::exposure(state, account).positions {
        let position = entry.position;
        let figure = Figure::PositionWorstCase { account, position };
        compare(state, at, figure, entry.worst_case.amount, seen);
        for set in &entry.sets {
            let figure = Figure::SetExposure { account, position, set: set.set };
            compare(state, at, figure, set.worst_case.amount, seen);
        }
    }
    for entry in query::exits(state, account).positions {
        let free_at = match entry.exit {
            ExitState::Bonded { free_at, .. } | ExitState::Unbonding { free_at, .. } => free_at,
            ExitState::Free { since, .. } => since,
            ExitState::Joining { .. } => continue,
        };
        compare(state, at, Figure::FreeAt { account, position: entry.position }, free_at, seen);
    }
    for claimable in query::earnings(state, account).claimable {
        let figure = Figure::Claimable { account, token: claimable.token };
        compare(state, at, figure, claimable.total, seen);
    }
}

#[test]
fn every_figure_recomputes_from_its_inputs() {
    let mut seen = Seen::default();
    at_many_moments(300, |state, prng, at| {
        for account in everybody(state) {
            if prng.chance(50) {
                check_account(state, at, account, &mut seen);
            }
        }
        let counts = query::ledger(state).counts;
        for number in 0..counts.pools {
            let pool = PoolId::new(number);
            let shown = query::pool(state, pool).expect("a pool").view.worst_case;
            compare(state, at, Figure::PoolWorstCase { pool }, shown, &mut seen);
        }
        for number in 0..counts.sets {
            let set = SetId::new(number);
            let shown = query::set(state, set).expect("a set");
            compare(state, at, Figure::Secured { set }, shown.secured, &mut seen);
            compare(state, at, Figure::Needed { set }, shown.needed, &mut seen);
            match shown.slack {
                Some(slack) => compare(state, at, Figure::Slack { set }, slack, &mut seen),
                None => assert_eq!(explain(state, &Figure::Slack { set }), None, "{at}"),
            }
        }
    });
    let page = include_str!("../../../../docs/reference/figures.md");
    for formula in &seen.formulas {
        assert!(page.contains(formula.as_str()), "the page does not have {formula}");
    }
    for figure in query::FIGURES {
        let count = seen.counts.get(*figure).copied().unwrap_or(0);
        assert!(count > 10, "{figure} is more than nothing {count} times: {:?}", seen.counts);
        assert!(page.contains(&format!("\n## {figure}\n")), "{figure} has no section on the page");
    }
}

#[test]
fn what_is_not_there_is_not_explained() {
    let state = State::new(protocol::Genesis::development()).expect("the genesis holds together");
    let (account, position, set) = (Address([1; 20]), 0, SetId::new(0));
    for figure in [
        Figure::PositionWorth { account, position },
        Figure::SetExposure { account, position, set },
        Figure::PoolWorstCase { pool: PoolId::new(0) },
        Figure::Secured { set },
    ] {
        assert_eq!(explain(&state, &figure), None, "{figure:?}");
    }
}
