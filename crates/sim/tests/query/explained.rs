//! Every figure recomputes from its inputs, and is the figure that the answers show.

use protocol::State;
use protocol::query::{self, Figure, explain};
use protocol::units::{Address, PoolId, SetId, VaultId};

use crate::compare::{Seen, check_page, compare_all};
use crate::{at_many_moments, everybody};

#[test]
fn every_figure_recomputes_from_its_inputs() {
    let mut seen = Seen::default();
    at_many_moments(300, |state, _, at| {
        compare_all(state, &everybody(state), at, &mut seen);
        for set in (0..query::ledger(state).counts.sets).map(SetId::new) {
            let declares = query::set(state, set).is_some_and(|set| set.slack.is_some());
            assert_eq!(explain(state, &Figure::Slack { set }).is_some(), declares, "{at}");
        }
    });
    // Vaults and baskets have histories of their own.
    for seed in 0..6 {
        let mut turn = 0;
        let mut look = |state: &State| {
            turn += 1;
            // A loss stays unwritten for a moment only.
            let has_lost =
                query::rate_feed(state, VaultId::new(0)).is_some_and(|feed| !feed.unwritten_loss.is_zero());
            if turn % 8 == 0 || has_lost {
                compare_all(
                    state,
                    &everybody(state),
                    &format!("vaults, seed {seed}, turn {turn}"),
                    &mut seen,
                );
            }
        };
        sim::vaults::watch(seed, 160, &mut look).expect("the book agrees");
    }
    // The chain is not followed here: crates/protocol/tests/ethereum.
    check_page(&seen, 4, &["chain_slot", "chain_age"]);
}

#[test]
fn what_is_not_there_is_not_explained() {
    let state = State::new(protocol::Genesis::development()).expect("the genesis holds together");
    let account = Address([1; 20]);
    let parts =
        [("account", account.to_string()), ("kind", "equivocation".to_owned()), ("epoch", "0".to_owned())];
    let ledger_wide = ["credited_in", "oldest_open", "shortfall"];
    for known in query::FIGURES {
        let part = |name: &&str| {
            let value = parts.iter().find(|(part, _)| part == name).map_or("0", |(_, value)| value.as_str());
            format!("{name}={value}")
        };
        let parts: Vec<String> = known.of.iter().map(part).collect();
        let sign = if parts.is_empty() { "" } else { "?" };
        let question = format!("{}{sign}{}", known.figure, parts.join("&"));
        let figure: Figure = question.parse().expect("a question");
        let is_there = explain(&state, &figure).is_some();
        assert_eq!(is_there, ledger_wide.contains(&known.figure), "{question}");
    }
}

#[test]
fn a_question_says_what_it_lacks() {
    let said = |text: &str| text.parse::<Figure>().expect_err("no question");
    assert_eq!(said("wealth?account=0x00"), "there is no figure of that name");
    assert_eq!(said("needed"), "the figure needed is asked of a set, and `set` is missing");
    assert_eq!(said("needed?set=0&set=1"), "`set` stands there twice");
    assert_eq!(said("needed?set=+1"), "`set` can't be read: it is a number");
    assert_eq!(said("free_at?account=bob&position=0"), "`account` can't be read: it is an address");
    let pool = PoolId::new(7);
    assert_eq!(
        "pool_held?pool=7&set=1".parse(),
        Ok(Figure::PoolHeld { pool }),
        "what it is not asked of is passed over"
    );
}
