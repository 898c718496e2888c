//! Vaults on a ledger, with numbers that were worked by hand.

#![allow(clippy::disallowed_methods, reason = "sums of tests are small")]

#[allow(dead_code, reason = "each test takes what it needs of it")]
use crate::state::vaults::world;

use super::records::Phase;
use crate::units::{Amount, Epoch, Fraction, OperatorId, Shares};
use crate::{Event, Operation, ops};
use world::*;

impl World {
    /// The vault delegates, as its curator would have it do.
    fn put(&mut self, operator: OperatorId, amount: u128) {
        let mut events = Vec::new();
        let mandate = self.state.mandate_digest(operator, ETH).unwrap();
        self.state.touch_vault(VAULT, &mut events);
        self.state
            .vault_delegate(VAULT, operator, Amount::new(amount), (mandate, Fraction::ONE), &mut events)
            .unwrap();
        self.state.remark_vault(VAULT);
    }

    fn nav(&self) -> u128 {
        self.state.value_vault(VAULT).unwrap().nav.units()
    }

    fn low(&self) -> u128 {
        self.state.value_vault(VAULT).unwrap().low().units()
    }

    fn shares(&self, who: &str) -> u128 {
        let share = self.state.vault(VAULT).unwrap().share;
        self.state.shares_of(share, address(who)).units()
    }
}

/// Alice and bob have 500 each in a vault that is all with one operator, whose pool the set owns whole.
fn two_halves() -> (World, OperatorId) {
    let mut world = World::new();
    let operator = world.operator("op", 256);
    world.vault(vault_terms());
    world.deposit("alice", 500);
    world.deposit("bob", 500);
    world.pass(1);
    assert_eq!((world.nav(), world.shares("alice"), world.shares("bob")), (1000, 500_000, 500_000));
    world.put(operator, 1000);
    world.pass(1);
    (world, operator)
}

/// Waits until all of a ticket can be claimed; what it paid.
fn wait_and_claim(world: &mut World, ticket: crate::units::TicketId) -> u128 {
    for _ in 0..40 {
        world.pass(1);
        if world.state.is_claimable(VAULT, ticket) {
            return world.claim(ticket);
        }
    }
    panic!("ticket {ticket} was never settled");
}

#[test]
fn who_leaves_and_who_stays_lose_the_same_in_either_order() {
    for asks_first in [true, false] {
        let (mut world, operator) = two_halves();
        let now = world.now();
        let request = world.ask(operator, now, percent(10));
        let mut ticket = asks_first.then(|| world.request("alice", None));
        world.pass(3);
        world.execute(request);
        let ticket = *ticket.get_or_insert_with(|| world.request("alice", None));
        let paid = wait_and_claim(&mut world, ticket);
        assert_eq!((paid, world.free("alice"), world.nav()), (450, 450, 450), "asks first: {asks_first}");
    }
}

#[test]
fn three_claimants_get_20_33_and_46_in_any_order() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut world = World::new();
        world.vault(vault_terms());
        let names = ["a", "b", "c"];
        for (name, amount) in names.into_iter().zip([3_u128, 5, 7]) {
            world.deposit(name, amount * 1000);
        }
        world.pass(1);
        // A batch of 15,000 that is worth 100: the rest was lost.
        let tickets: Vec<_> = names.iter().map(|name| world.request(name, None)).collect();
        let vault = world.state.vault_mut(VAULT);
        vault.buckets.idle = Amount::new(100);
        let account = vault.account;
        world.state.accounts.get_mut(account).take_free(ETH, Amount::new(14_900));
        let mut events = Vec::new();
        crate::advance_epoch(&mut world.state);
        world.state.advance_vault(VAULT, 100, &mut events);
        let claim = |world: &mut World, at: usize| {
            let mut events = Vec::new();
            world.state.pay_exit(VAULT, tickets[at], &mut events);
        };
        for at in order {
            claim(&mut world, at);
        }
        let got: Vec<u128> = names.iter().map(|name| world.free(name)).collect();
        assert_eq!(got.iter().sum::<u128>() + world.state.vault(VAULT).unwrap().buckets.idle.units(), 100);
        assert_eq!(got, [20, 33, 46]);
    }
}

#[test]
fn a_deposit_comes_in_at_the_boundary_or_returns() {
    let mut world = World::new();
    world.vault(vault_terms());
    world.give("alice", 1000);
    let now = Epoch::new(world.now());
    assert_eq!(world.refused("alice", World::depositing(0, 0, Epoch::NEVER)), "vault_deposit.BelowMinimum");
    assert_eq!(world.refused("alice", World::depositing(1, 0, now)), "vault_deposit.DeadlineTooEarly");
    assert_eq!(world.refused("alice", World::depositing(1001, 0, Epoch::NEVER)), "vault_deposit.ExceedsFree");
    world.must("alice", World::depositing(100, 100_000, Epoch::NEVER));
    world.must("alice", World::depositing(200, 200_001, Epoch::NEVER));
    world.must("alice", World::depositing(300, 0, now.next()));
    assert_eq!((world.free("alice"), world.nav()), (400, 0));
    world.advance(2);
    world.tick();
    assert_eq!((world.shares("alice"), world.nav()), (100_000, 100));
    assert_eq!(world.free("alice"), 900, "too few shares, and too late");
    world.must("alice", World::depositing(50, 0, Epoch::NEVER));
    let cancel = World::cancelling(crate::units::TicketId::new(3));
    assert_eq!(world.refused("bob", cancel.clone()), "vault_cancel.NotYours");
    world.must("alice", cancel);
    assert_eq!(world.free("alice"), 900);
}

#[test]
fn the_line_is_settled_in_its_order_and_a_gap_is_passed_over() {
    let (mut world, operator) = two_halves();
    world.deposit("carol", 100);
    world.pass(1);
    let alice = world.request("alice", Some(300_000));
    let bob = world.request("bob", Some(200_000));
    let last = world.request("alice", Some(100_000));
    world.must("bob", World::cancelling(bob));
    assert_eq!(world.shares("bob"), 500_000);
    world.pass(1);
    // 100 of carol's are idle: a third of alice's first ticket is settled.
    assert_eq!(world.claim(alice), 100);
    assert_eq!(world.refused("anyone", World::claiming(last)), "vault_claim.NotSettled");
    assert_eq!(world.refused("anyone", World::claiming(alice)), "vault_claim.NotSettled");
    let more = wait_and_claim(&mut world, alice);
    assert_eq!((more, world.claim(last)), (200, 100));
    assert_eq!(world.refused("anyone", World::claiming(alice)), "vault_claim.TicketNotFound");
    let _ = operator;
}

#[test]
fn while_a_slash_is_pending_who_enters_pays_high_and_who_leaves_gets_low() {
    for vetoed in [true, false] {
        let (mut world, operator) = two_halves();
        world.deposit("carol", 1000);
        world.pass(1);
        let now = world.now();
        let request = world.ask(operator, now, percent(20));
        assert_eq!((world.nav(), world.low()), (2000, 1800));
        world.deposit("dave", 200);
        let ticket = world.request("alice", None);
        world.pass(1);
        assert_eq!(world.shares("dave"), 200_000, "in at the high price");
        assert_eq!(world.claim(ticket), 450, "out at the low one");
        let buckets = world.state.vault(VAULT).unwrap().buckets;
        assert_eq!(buckets.contingent.units(), 50);
        if vetoed {
            world.veto(request);
            assert_eq!(world.claim(ticket), 50);
            assert_eq!(world.nav(), 1700);
        } else {
            world.pass(2);
            world.execute(request);
            // 200 are lost; 50 of them alice has left behind.
            assert_eq!(world.nav(), 1700 - 200 + 50);
            assert_eq!(world.claim(ticket), 0);
        }
        assert_eq!(world.refused("anyone", World::claiming(ticket)), "vault_claim.TicketNotFound");
    }
}

#[test]
fn the_fund_pays_before_anybody_can_trade() {
    let (mut world, operator) = two_halves();
    world.give("friend", 60);
    let amount = Amount::new(60);
    world.must("friend", Operation::VaultFund(ops::vault_fund::VaultFund { vault: VAULT, amount }));
    assert_eq!(world.nav(), 1000, "a fund does not count");
    let now = world.now();
    let request = world.ask(operator, now, percent(10));
    world.pass(3);
    world.execute(request);
    assert_eq!(world.nav(), 960, "100 lost, 60 paid, before anybody touches the vault");
    let events = world.must("bob", World::requesting(Some(1000)));
    let lost = events.iter().find_map(|event| match event {
        Event::VaultLost { loss, fund, pool, .. } => Some([*loss, *fund, *pool].map(Amount::units)),
        _ => None,
    });
    assert_eq!((lost, world.nav()), (Some([100, 60, 40]), 960));
}

#[test]
fn an_instant_exit_pays_for_a_slash_that_comes_after_it() {
    let (mut world, operator) = two_halves();
    world.state.vault_mut(VAULT).terms.instant.holdback = percent(10);
    world.deposit("carol", 1000);
    world.pass(1);
    world.deposit("dave", 100);
    world.pass(1);
    assert_eq!(world.refused("dave", World::leaving(1)), "vault_instant.ExceedsShares");
    let now = world.now();
    // 300 of 420: the fee is 2 % x 300 / 420 / 2, about 0.714 %, rounded up.
    let events = world.must("carol", World::leaving(300_000));
    let left = events.iter().find_map(|event| match event {
        Event::VaultLeft { ticket, paid, fee, held, held_until, .. } => {
            Some((*ticket, *paid, *fee, *held, *held_until))
        }
        _ => None,
    });
    let (ticket, paid, fee, held, until) = left.unwrap();
    assert_eq!([paid, fee, held].map(Amount::units), [267, 3, 30]);
    assert_eq!(until.number(), now + 14 + 1);
    let request = world.ask(operator, now, percent(5));
    world.pass(3);
    let before = world.nav();
    world.execute(request);
    assert_eq!(before - world.nav(), 50);
    assert_eq!(world.refused("anyone", World::claiming(ticket)), "vault_claim.HeldBack");
    world.pass(12);
    // 50 of 1800 are 2.77 %: 8 of 300.
    assert_eq!(world.claim(ticket), 22);
    assert_eq!(world.free("carol"), 267 + 22);
}

#[test]
fn gifts_and_rewards_move_the_rate_a_little_each_epoch() {
    let (mut world, operator) = two_halves();
    let account = super::address_of(VAULT);
    world.give_to(account, 70);
    assert_eq!(world.nav(), 1000, "nobody counted it");
    world.must("anyone", World::harvesting(Some(operator)));
    assert_eq!(world.nav(), 1000, "and it counts little by little");
    world.pass(1);
    assert_eq!(world.nav(), 1010);
    world.pass(6);
    assert_eq!(world.nav(), 1070);
    assert_eq!(world.refused("anyone", World::harvesting(None)), "vault_harvest.NothingToHarvest");
}

#[test]
fn gains_while_in_line_are_the_others() {
    let (mut world, operator) = two_halves();
    let ticket = world.request("alice", None);
    world.give_to(super::address_of(VAULT), 70);
    world.must("anyone", World::harvesting(None));
    world.put(operator, 70);
    world.pass(7);
    assert_eq!(world.nav(), 1070);
    let back = world.clone();
    assert_eq!(wait_and_claim(&mut world, ticket), 500);
    world.pass(8);
    assert_eq!(world.nav(), 570, "35 that alice forfeited count by now");
    // Who changes its mind forfeits as much.
    let mut world = back;
    world.must("alice", World::cancelling(ticket));
    let kept = world.shares("alice");
    assert!((467_000..467_400).contains(&kept), "500 of 1070 / 1,000,000 shares are {kept}");
    world.pass(8);
    let worth = world.nav() * kept / world.state.supply_of(VAULT).units();
    assert!((515..=517).contains(&worth), "{worth}: half of what it forfeited came back to all");
}

#[test]
fn nobody_acts_for_a_vault() {
    let (mut world, operator) = two_halves();
    let withdraw = ops::withdraw::Withdraw { asset: ETH, amount: Amount::new(1), to: "0xab".to_owned() };
    let refused = world.run_at(super::address_of(VAULT), Operation::Withdraw(withdraw)).unwrap_err();
    assert_eq!(refused.code(), "authority.KeptForVaults");
    let _ = operator;
}

#[test]
fn stake_that_a_stranger_fetches_is_idle_at_once() {
    let (mut world, operator) = two_halves();
    world.request("alice", None);
    world.pass(1);
    world.advance(15);
    let release = ops::release::Release { account: Some(super::address_of(VAULT)), operator, asset: ETH };
    world.must("stranger", Operation::Release(release));
    assert_eq!((world.state.vault(VAULT).unwrap().buckets.idle.units(), world.nav()), (500, 1000));
    assert_eq!(world.state.vault(VAULT).unwrap().tick.phase, Phase::Done);
}

#[test]
fn a_vault_that_lost_everything_takes_nobody_in_and_lets_everybody_out() {
    let (mut world, operator) = two_halves();
    let now = world.now();
    let ticket = world.request("alice", None);
    let request = world.ask(operator, now, Fraction::ONE);
    world.pass(3);
    world.execute(request);
    world.give("carol", 100);
    assert_eq!(
        world.refused("carol", World::depositing(50, 0, Epoch::NEVER)),
        "vault_deposit.LostEverything"
    );
    world.pass(1);
    assert_eq!((world.nav(), world.claim(ticket)), (0, 0));
    let last = world.request("bob", None);
    assert_eq!(wait_and_claim(&mut world, last), 0);
    assert_eq!(world.state.supply_of(VAULT), Shares::ZERO);
    // Nobody has shares: the next begins anew.
    world.must("carol", World::depositing(50, 0, Epoch::NEVER));
    world.pass(1);
    assert_eq!((world.shares("carol"), world.nav()), (50_000, 50));
}

/// What is paid out of idle assets the epoch after a request is as early as an instant exit, and bears what that would.
#[test]
fn an_exit_that_is_settled_early_keeps_a_part_back() {
    let (mut world, operator) = two_halves();
    world.state.vault_mut(VAULT).terms.instant.holdback = percent(10);
    world.deposit("carol", 1000);
    world.pass(1);
    let now = world.now();
    let ticket = world.request("carol", None);
    world.pass(1);
    assert_eq!(world.claim(ticket), 900);
    assert_eq!(world.refused("anyone", World::claiming(ticket)), "vault_claim.NotSettled");
    // An offence of the epoch in which carol asked, which nobody had heard of: 5 % of 1000 left.
    let request = world.ask(operator, now, percent(5));
    world.pass(3);
    world.execute(request);
    world.advance(11);
    assert_eq!((world.now(), now + 15), (now + 15, now + 15));
    assert_eq!(world.claim(ticket), 51, "100 held back less 5 % of 1000, and what rounds is the holder's");
    assert_eq!(world.refused("anyone", World::claiming(ticket)), "vault_claim.TicketNotFound");
    world.pass(8);
    assert_eq!(world.nav(), 999, "950 and the 49 that carol bore");
}

#[test]
fn a_request_at_the_end_of_the_line_that_is_cancelled_leaves_no_trace() {
    let (mut world, _) = two_halves();
    for _ in 0..3 {
        let ticket = world.request("alice", None);
        world.must("alice", World::cancelling(ticket));
    }
    let line = world.state.vault(VAULT).unwrap().queue;
    assert_eq!((line.end, line.settled, line.waiting), (0, 0, Shares::ZERO));
    let first = world.request("alice", Some(1000));
    let last = world.request("bob", Some(2000));
    world.must("alice", World::cancelling(first));
    world.must("bob", World::cancelling(last));
    assert_eq!(world.state.vault(VAULT).unwrap().queue.end, 1000, "the first is a gap");
    world.pass(1);
    let line = world.state.vault(VAULT).unwrap().queue;
    assert_eq!((line.end, line.settled), (1000, 1000));
}
