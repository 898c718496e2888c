//! A16: forged messages of another ledger.

use super::lab::{Lab, address};
use crate::units::{RouteId, Shares};
use crate::{Operation, ops};

const ROUTE: RouteId = RouteId::new(0);
/// What alice has sent away.
const AWAY: u128 = 500_000;

/// A vault of a thousand of alice's, half of whose shares are on another ledger, on a route with three verifiers of whom two must agree.
fn routed(cap: u128) -> Lab {
    let mut lab = Lab::new(true);
    lab.enter("alice", 1_000);
    let share = lab.vault().share;
    let terms = ops::open_route::RouteTerms {
        chain: 2,
        cap: Shares::new(cap),
        window: 3,
        verifiers: ["one", "two", "three"].map(address).to_vec(),
        threshold: 2,
        waits_above: Shares::new(cap),
        wait: 1,
    };
    lab.must("council", Operation::OpenRoute(ops::open_route::OpenRoute { share, terms }));
    let send =
        ops::send_shares::SendShares { route: ROUTE, shares: Shares::new(AWAY), to: "0xbeef".to_owned() };
    lab.must("alice", Operation::SendShares(send));
    // Out of the window, so that it offsets nothing.
    lab.pass(3);
    lab
}

/// Mallory speaks for some of the verifiers, and says for many epochs that all kinds of numbers are hers; what she gets.
fn forge(cap: u128, owned: &[&str], epochs: u32) -> u128 {
    let mut lab = routed(cap);
    let mut message = 0;
    for _ in 0..epochs {
        for shares in [AWAY, 2_501, 2_500, 1_000] {
            let before = lab.clone();
            for verifier in owned {
                let (to, shares) = (address("mallory"), Shares::new(shares));
                let vouch = ops::vouch_shares::VouchShares { route: ROUTE, message, to, shares };
                lab.must(verifier, Operation::VouchShares(vouch));
            }
            let receive = Operation::ReceiveShares(ops::receive_shares::ReceiveShares { route: ROUTE });
            match lab.act("mallory", receive) {
                Ok(_) => message += 1,
                // She would rather not have said it.
                Err(_) => lab = before,
            }
        }
        lab.pass(1);
    }
    lab.shares("mallory")
}

/// A16: with one verifier of a threshold of two nothing is released; with two at most the cap of each window, whatever they say. The control has
/// a cap that caps nothing: everything that is away is gone at once.
#[test]
fn a_forged_message_gets_nothing_or_the_cap_of_a_window() {
    assert_eq!(forge(5_000, &["one"], 6), 0);
    let stolen = forge(5_000, &["one", "two"], 6);
    assert!(stolen > 0 && stolen <= 2 * 5_000, "two windows of three epochs: {stolen}");
    let uncapped = forge(Shares::LIMIT.units(), &["one", "two"], 1);
    assert_eq!(uncapped, AWAY, "all of it, and never more than is locked");
}
