//! A11, A13, A20, A21, A23: the line of those who leave.

use super::lab::{Lab, VAULT, address};
use super::with_and_without;
use crate::units::{Shares, TicketId};
use crate::vault::defence::{Defence, without};
use crate::{Operation, invariants, ops};

/// Every order of so many things (Heap's algorithm).
fn orders(count: usize) -> Vec<Vec<usize>> {
    fn permute(rest: usize, items: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
        if rest <= 1 {
            found.push(items.clone());
            return;
        }
        for place in 0..rest {
            permute(rest - 1, items, found);
            let other = if rest.is_multiple_of(2) { place } else { 0 };
            items.swap(other, rest - 1);
        }
    }
    let mut found = Vec::new();
    permute(count, &mut (0..count).collect(), &mut found);
    found
}

/// Claimants whose shares don't divide what their batch pays; the batch is settled in pieces where stake comes back in pieces.
fn claimants(is_checked: bool, count: usize) -> (Lab, Vec<TicketId>) {
    let mut lab = Lab::new(is_checked);
    let names: Vec<String> = (0..count).map(|number| format!("claimant {number}")).collect();
    for (number, name) in names.iter().enumerate() {
        lab.deposit(name, [3_001, 5_003, 7_013, 11_027, 13_033, 17_041][number]);
    }
    lab.pass(1);
    // A loss makes the price a broken one, and a part is settled before the rest is there.
    let all = lab.nav();
    lab.put(all - all / 3);
    lab.pass(1);
    lab.slash(10);
    lab.pass(1);
    let tickets: Vec<_> = names.iter().map(|name| lab.request(name, None)).collect();
    lab.pass(40);
    (lab, tickets)
}

/// What each gets who claims in that order, as often as there is something.
fn claimed(lab: &Lab, tickets: &[TicketId], order: &[usize]) -> Vec<u128> {
    let mut lab = lab.clone();
    let mut got = vec![0; tickets.len()];
    for _ in 0..8 {
        for place in order {
            got[*place] += lab.claim(tickets[*place]);
        }
    }
    got
}

/// A11, I6: all orders of up to six claimants: each gets the same to the unit, and together no more than was settled. Where a claim is
/// paid by what is left, the order decides.
#[test]
fn what_a_claim_pays_depends_on_no_other_claim() {
    for count in 1..=6 {
        let (lab, tickets) = claimants(false, count);
        let owed = lab.vault().buckets;
        let owed = owed.escrow.units() + owed.holdback.units() + owed.contingent.units();
        let first = claimed(&lab, &tickets, &(0..count).collect::<Vec<_>>());
        assert!(
            first.iter().all(|got| *got > 0) && first.iter().sum::<u128>() <= owed,
            "{first:?} of {owed}"
        );
        for order in orders(count) {
            assert_eq!(claimed(&lab, &tickets, &order), first, "in the order {order:?}");
        }
    }
    let (lab, tickets) = claimants(false, 6);
    let by_what_is_left = without(Some(Defence::FixedBatches), || {
        let mut found: Vec<_> = orders(6).iter().map(|order| claimed(&lab, &tickets, order)).collect();
        found.sort();
        found.dedup();
        found.len()
    });
    assert!(by_what_is_left > 1, "the last unit differs");
}

/// A11: a request that is alone is settled by its epoch; no batch waits to be full.
#[test]
fn a_request_that_is_alone_is_settled_like_any() {
    let mut lab = Lab::new(true);
    lab.deposit("alice", 1_000_000);
    lab.enter("bob", 10);
    let ticket = lab.request("bob", None);
    lab.pass(1);
    assert_eq!(lab.wait(ticket), 10);
}

/// A13: who does not fetch what is owed to it stops nobody behind it. The control pays each in its turn, and stops at one who can't take it.
#[test]
fn who_does_not_claim_stops_nobody() {
    let mut lab = Lab::new(true);
    for name in ["mallory", "alice", "bob"] {
        lab.deposit(name, 1_000);
    }
    lab.pass(1);
    let tickets: Vec<_> = ["mallory", "alice", "bob"].iter().map(|name| lab.request(name, None)).collect();
    lab.pass(1);
    assert_eq!((lab.wait(tickets[2]), lab.wait(tickets[1])), (1_000, 1_000));
    let pushed = |takes: [bool; 3]| takes.iter().take_while(|takes| **takes).count();
    assert_eq!(pushed([false, true, true]), 0, "pushed, one who refuses stops all");
}

/// A20: a run of ten on a vault that gets its stake back bit by bit: nobody is paid before somebody who asked earlier. The control pays
/// whoever comes first out of one pot, and there the last of the line can be the first.
#[test]
fn in_a_run_nobody_is_paid_before_who_asked_earlier() {
    let mut lab = Lab::new(true);
    let names: Vec<String> = (0..10).map(|number| format!("holder {number}")).collect();
    names.iter().for_each(|name| lab.deposit(name, 10_000));
    lab.pass(1);
    let mut left = 100_000;
    for _ in 0..5 {
        lab.put(20_000);
        left -= 20_000;
        lab.pass(1);
    }
    assert_eq!(left, 0);
    let tickets: Vec<_> = names.iter().map(|name| lab.request(name, None)).collect();
    let mut paid = vec![0; tickets.len()];
    for _ in 0..30 {
        lab.pass(1);
        // The last comes first to claim.
        for (place, ticket) in tickets.iter().enumerate().rev() {
            paid[place] += lab.claim(*ticket);
        }
        let firsts = paid.iter().position(|got| *got < 9_999).unwrap_or(paid.len());
        assert!(paid[firsts..].iter().skip(1).all(|got| *got == 0), "{paid:?}");
    }
    assert!(paid.iter().all(|got| *got >= 9_999), "{paid:?}");
    let mut pot = 20_000_u128;
    let by_arrival: Vec<u128> = (0..10)
        .rev()
        .map(|_| {
            let got = pot.min(10_000);
            pot -= got;
            got
        })
        .collect();
    assert_eq!(by_arrival.iter().filter(|got| **got > 0).count(), 2, "the last two of the line");
}

/// A21: shares that somebody has and the supply does not know are noticed by the check after the next operation; as they are, it passes.
#[test]
fn shares_that_nothing_backs_are_noticed() {
    let mut lab = Lab::new(true);
    lab.enter("alice", 1_000);
    assert_eq!(invariants::check(&lab.state), Ok(()));
    let (share, account) = (lab.vault().share, lab.state.accounts.open(address("mallory")));
    lab.state.change_holding(share, account, |holding| holding.shares.grow(Shares::new(5)));
    assert!(invariants::check(&lab.state).is_err());
}

/// A23: where every keeper is gone, whoever uses the vault advances it. The control leaves it to a keeper.
#[test]
fn a_vault_without_keepers_is_advanced_by_who_uses_it() {
    let settled = |is_on: bool| {
        let mut lab = Lab::new(is_on);
        lab.deposit("alice", 1_000);
        lab.advance(1);
        // Nobody ticks; bob's small deposits are all that happens.
        lab.give("bob", 10);
        let drop_in = || super::lab::world::World::depositing(1, 0, crate::units::Epoch::NEVER);
        lab.must("bob", drop_in());
        let Ok(events) = lab.act("alice", super::lab::world::World::requesting(None)) else { return 0 };
        assert!(!events.is_empty());
        lab.advance(1);
        lab.must("bob", drop_in());
        lab.claim(TicketId::new(2))
    };
    let (defended, weak) = with_and_without(Defence::Wake, settled);
    assert!(defended > 0, "paid with nobody's tick");
    assert_eq!(weak, 0);
    // And she can do it alone: the tick is anybody's.
    let mut lab = Lab::new(true);
    lab.deposit("alice", 1_000);
    let tick = || Operation::VaultTick(ops::vault_tick::VaultTick { vault: VAULT, steps: None });
    lab.advance(1);
    lab.must("alice", tick());
    let ticket = lab.request("alice", None);
    lab.advance(1);
    lab.must("alice", tick());
    assert!(lab.claim(ticket) > 0);
}

/// Anybody may ask back and change its mind as often as it likes: the line never fills up.
#[test]
fn the_line_cannot_be_filled_up() {
    let mut lab = Lab::new(false);
    lab.enter("mallory", 1 << 40);
    // A slash of nearly everything, and a deposit at what is left: shares near their limit.
    let idle = lab.vault().buckets.idle.units();
    lab.put(idle - 1);
    lab.pass(1);
    lab.slash(100);
    lab.enter("mallory", 1 << 61);
    let shares = lab.shares("mallory");
    assert!(shares > 1 << 108, "{shares}");
    for _ in 0..1 << 20 {
        let Ok(events) = lab.act("mallory", super::lab::world::World::requesting(None)) else { break };
        let ticket = events.iter().find_map(|event| match event {
            crate::Event::VaultExitRequested { ticket, .. } => Some(*ticket),
            _ => None,
        });
        if lab.act("mallory", super::lab::world::World::cancelling(ticket.expect("a receipt"))).is_err() {
            break;
        }
    }
    assert!(lab.vault().queue.end < 1 << 127);
}

/// A unit that is idle, and a share that is worth less than one: nothing is settled for nothing, and the tick comes to its end.
#[test]
fn a_unit_that_is_left_over_settles_nobody_for_nothing() {
    let mut lab = Lab::new(true);
    lab.deposit("alice", 3_001);
    lab.enter("bob", 5_003);
    lab.put(5_336);
    lab.pass(1);
    lab.slash(10);
    lab.pass(1);
    let tickets = [lab.request("alice", None), lab.request("bob", None)];
    let paid = tickets.map(|ticket| lab.wait(ticket));
    assert!(paid[0] >= 2_799 && paid[1] >= 4_667, "{paid:?}");
}
