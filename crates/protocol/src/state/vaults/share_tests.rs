//! Shares that change hands, go to other ledgers and count points; roles that can only lower risk.

#[allow(dead_code, reason = "each test takes what it needs of it")]
use crate::state::vaults::world;

use crate::ops::approve_shares::ApproveShares;
use crate::ops::open_route::{OpenRoute, RouteTerms};
use crate::ops::receive_shares::ReceiveShares;
use crate::ops::send_shares::SendShares;
use crate::ops::transfer_shares::TransferShares;
use crate::ops::transfer_ticket::TransferTicket;
use crate::ops::vault_guard::{GuardAction, VaultGuard};
use crate::ops::vouch_shares::VouchShares;
use crate::units::{Amount, Epoch, RouteId, ShareId, Shares};
use crate::{Event, Operation, ops};
use world::*;

const SHARE: ShareId = ShareId::new(0);
const ROUTE: RouteId = RouteId::new(0);

/// Alice has a million shares of a vault.
fn holder() -> World {
    let mut world = World::new();
    world.vault(vault_terms());
    world.deposit("alice", 1000);
    world.pass(1);
    world
}

fn shares(world: &World, who: &str) -> u128 {
    world.state.shares_of(SHARE, address(who)).units()
}

fn transfer(owner: Option<&str>, to: &str, shares: u128) -> Operation {
    let owner = owner.map(address);
    Operation::TransferShares(TransferShares {
        share: SHARE,
        owner,
        to: address(to),
        shares: Shares::new(shares),
    })
}

fn approve(spender: &str, shares: u128) -> Operation {
    let (spender, shares) = (address(spender), Shares::new(shares));
    Operation::ApproveShares(ApproveShares { share: SHARE, spender, shares })
}

#[test]
fn shares_change_hands_as_far_as_their_owner_lets() {
    let mut world = holder();
    world.must("alice", transfer(None, "bob", 400_000));
    assert_eq!((shares(&world, "alice"), shares(&world, "bob")), (600_000, 400_000));
    assert_eq!(
        world.refused("carol", transfer(Some("alice"), "carol", 1)),
        "transfer_shares.ExceedsAllowance"
    );
    assert_eq!(world.refused("alice", approve("carol", 0)), "approve_shares.NoneToEnd");
    world.must("alice", approve("carol", 100));
    world.must("carol", transfer(Some("alice"), "dave", 60));
    assert_eq!(
        world.refused("carol", transfer(Some("alice"), "dave", 41)),
        "transfer_shares.ExceedsAllowance"
    );
    world.must("carol", transfer(Some("alice"), "dave", 40));
    assert_eq!(shares(&world, "dave"), 100);
    world.must("alice", approve("carol", u128::MAX));
    assert_eq!(
        world.refused("carol", transfer(Some("alice"), "dave", 600_000)),
        "transfer_shares.ExceedsShares"
    );
    world.must("carol", transfer(Some("alice"), "dave", 599_900));
    assert_eq!(shares(&world, "alice"), 0);
    let to = super::address_of(VAULT);
    let lost = TransferShares { share: SHARE, owner: None, to, shares: Shares::new(1) };
    assert_eq!(world.refused("bob", Operation::TransferShares(lost)), "transfer_shares.BadReceiver");
}

#[test]
fn points_are_shares_times_epochs_and_stay_with_who_held() {
    let mut world = holder();
    world.pass(3);
    world.must("alice", transfer(None, "bob", 250_000));
    world.pass(2);
    let points = |world: &World, who: &str| {
        let account = world.state.accounts.find(address(who)).unwrap();
        world.state.holding(SHARE, account).points_at(world.state.epoch)
    };
    assert_eq!(points(&world, "alice"), 3 * 1_000_000 + 2 * 750_000);
    assert_eq!(points(&world, "bob"), 2 * 250_000);
    world.request("bob", None);
    world.pass(1);
    assert_eq!(points(&world, "bob"), 2 * 250_000, "who waits in line holds nothing");
}

#[test]
fn shares_come_home_as_far_as_two_verifiers_and_the_meter_say() {
    let mut world = holder();
    let terms = RouteTerms {
        chain: 8453,
        cap: Shares::new(5000),
        window: 3,
        verifiers: ["v1", "v2", "v3"].map(address).to_vec(),
        threshold: 2,
        waits_above: Shares::new(1000),
        wait: 1,
    };
    let open = |terms: &RouteTerms| Operation::OpenRoute(OpenRoute { share: SHARE, terms: terms.clone() });
    let lone = RouteTerms { threshold: 1, ..terms.clone() };
    assert_eq!(world.refused("council", open(&lone)), "open_route.BadTerms");
    assert_eq!(world.refused("alice", open(&terms)), "open_route.NotTheCouncil");
    world.must("council", open(&terms));
    let send = SendShares { route: ROUTE, shares: Shares::new(100_000), to: "0xab".to_owned() };
    world.must("alice", Operation::SendShares(send));
    assert_eq!(shares(&world, "alice"), 900_000);
    let vouch = |message, shares| {
        let (to, shares) = (address("mallory"), Shares::new(shares));
        Operation::VouchShares(VouchShares { route: ROUTE, message, to, shares })
    };
    let receive = || Operation::ReceiveShares(ReceiveShares { route: ROUTE });
    world.pass(5);
    world.must("v1", vouch(0, 4000));
    assert_eq!(world.refused("mallory", vouch(0, 4000)), "vouch_shares.NotAVerifier");
    assert_eq!(world.refused("v1", vouch(0, 4000)), "vouch_shares.SaidAlready");
    world.must("v2", vouch(0, 3999));
    assert_eq!(world.refused("anyone", receive()), "receive_shares.NotVouched");
    world.must("v2", vouch(0, 4000));
    assert_eq!(world.refused("v3", vouch(0, 4000)), "vouch_shares.IsAgreed");
    assert_eq!(world.refused("anyone", receive()), "receive_shares.TooEarly");
    world.pass(1);
    world.must("anyone", receive());
    for verifier in ["v1", "v2"] {
        world.must(verifier, vouch(1, 999));
        world.must(verifier, vouch(2, 11));
    }
    world.must("anyone", receive());
    // Of the next there is room for one; the rest of it waits.
    world.must("anyone", receive());
    assert_eq!(world.refused("anyone", receive()), "receive_shares.WindowIsFull");
    assert_eq!(shares(&world, "mallory"), 5000, "the cap of a window, whoever lies");
    let cut = GuardAction::CutRoute { route: ROUTE, cap: Shares::new(10) };
    world.must("guardian", Operation::VaultGuard(VaultGuard { vault: VAULT, action: cut }));
    world.pass(3);
    world.must("anyone", receive());
    assert_eq!(shares(&world, "mallory"), 5010);
    assert_eq!(world.refused("anyone", receive()), "receive_shares.NotVouched");
}

/// A message to the account of a vault: refused, it would hold up all that come after it; let in, nobody could ever use the shares.
#[test]
fn shares_for_an_account_of_a_vault_go_back_and_hold_up_nothing() {
    let mut world = holder();
    let terms = RouteTerms {
        chain: 8453,
        cap: Shares::new(5000),
        window: 3,
        verifiers: ["v1", "v2"].map(address).to_vec(),
        threshold: 2,
        waits_above: Shares::new(5000),
        wait: 1,
    };
    world.must("council", Operation::OpenRoute(OpenRoute { share: SHARE, terms }));
    let send = SendShares { route: ROUTE, shares: Shares::new(100_000), to: "0xab".to_owned() };
    world.must("alice", Operation::SendShares(send));
    world.pass(3);
    let vault = super::address_of(VAULT);
    for (message, to) in
        [(0, vault), (1, super::address_of(crate::units::VaultId::new(9))), (2, address("bob"))]
    {
        for verifier in ["v1", "v2"] {
            let vouch = VouchShares { route: ROUTE, message, to, shares: Shares::new(4000) };
            world.must(verifier, Operation::VouchShares(vouch));
        }
    }
    let receive = || Operation::ReceiveShares(ReceiveShares { route: ROUTE });
    for (message, back) in [(0, 1), (1, 2)] {
        let events = world.must("anyone", receive());
        let shares = Shares::new(4000);
        assert!(
            matches!(events[..], [Event::SharesReturned { message: m, shares: s, back: b, .. }] if (m, s, b) == (message, shares, back)),
            "{events:?}"
        );
    }
    assert_eq!(world.state.shares_of(SHARE, vault), Shares::ZERO);
    let meter = &world.state.route(ROUTE).unwrap().meter;
    assert_eq!(meter.locked, Shares::new(100_000), "who burnt them there can have them there again");
    world.must("anyone", receive());
    assert_eq!(shares(&world, "bob"), 4000, "and they used up nothing of the window");
}

#[test]
fn a_ticket_changes_hands_with_all_that_it_is_owed() {
    let mut world = holder();
    world.give("alice", 100);
    world.must("alice", World::depositing(100, 0, Epoch::NEVER));
    let deposit = crate::units::TicketId::new(1);
    let exit = world.request("alice", Some(300_000));
    let give = |ticket, to: crate::units::Address| {
        Operation::TransferTicket(TransferTicket { vault: VAULT, ticket, to })
    };
    assert_eq!(world.refused("bob", give(exit, address("carol"))), "transfer_ticket.NotYours");
    assert_eq!(world.refused("alice", give(exit, address("alice"))), "transfer_ticket.IsYours");
    assert_eq!(world.refused("alice", give(exit, super::address_of(VAULT))), "transfer_ticket.BadReceiver");
    let none = crate::units::TicketId::new(77);
    assert_eq!(world.refused("alice", give(none, address("bob"))), "transfer_ticket.TicketNotFound");
    world.must("alice", give(exit, address("bob")));
    world.must("alice", give(deposit, address("carol")));
    assert_eq!(world.refused("alice", World::cancelling(exit)), "vault_cancel.NotYours");
    assert_eq!(world.state.vault(VAULT).unwrap().deposits, 1);
    world.pass(1);
    assert_eq!(world.state.vault(VAULT).unwrap().deposits, 0);
    assert_eq!(shares(&world, "carol"), 100_000);
    assert_eq!(world.claim(exit), 300);
    assert_eq!((world.free("alice"), world.free("bob")), (0, 300));
}

#[test]
fn nobody_fills_the_list_of_somebody_else() {
    let mut world = holder();
    let give = |world: &mut World| {
        let ticket = world.request("alice", Some(1000));
        let give = TransferTicket { vault: VAULT, ticket, to: address("bob") };
        world.run("alice", Operation::TransferTicket(give)).map_err(|refusal| refusal.code())
    };
    for _ in 0..256 {
        give(&mut world).unwrap();
    }
    assert_eq!(give(&mut world), Err("transfer_ticket.TooManyTickets".to_owned()));
    world.must("alice", transfer(None, "bob", 2000));
    world.request("bob", None);
}

#[test]
fn a_guardian_can_only_lower_risk_and_its_stop_ends_by_itself() {
    let mut world = holder();
    let guard = |action| Operation::VaultGuard(VaultGuard { vault: VAULT, action });
    assert_eq!(world.refused("curator", guard(GuardAction::StopDeposits)), "vault_guard.NotTheGuardian");
    let cap = Amount::new(1 << 91);
    assert_eq!(world.refused("guardian", guard(GuardAction::CutCap { cap })), "vault_guard.NotLess");
    world.must("guardian", guard(GuardAction::StopDeposits));
    world.give("bob", 500);
    assert_eq!(
        world.refused("bob", World::depositing(100, 0, Epoch::NEVER)),
        "vault_deposit.DepositsStopped"
    );
    let ticket = world.request("alice", Some(100_000));
    world.pass(1);
    assert_eq!(world.claim(ticket), 100, "exits have no switch");
    world.pass(6);
    world.must("bob", World::depositing(100, 0, Epoch::NEVER));
    assert_eq!(world.refused("guardian", guard(GuardAction::StopDeposits)), "vault_guard.StoppedLately");
    world.must("guardian", guard(GuardAction::WindDown));
    assert_eq!(world.refused("bob", World::depositing(100, 0, Epoch::NEVER)), "vault_deposit.WindingDown");
    world.pass(1);
    assert_eq!(world.free("bob"), 500, "what waited came back");
}

#[test]
fn worse_terms_wait_for_a_full_exit() {
    let mut world = holder();
    let change = |fee| {
        let terms = ops::create_vault::VaultTerms { fee: percent(fee), ..vault_terms() };
        Operation::ChangeVault(ops::change_vault::ChangeVault { vault: VAULT, terms })
    };
    assert_eq!(world.refused("council", change(31)), "change_vault.BadTerms");
    assert_eq!(world.refused("curator", change(10)), "change_vault.NotTheCouncil");
    world.must("council", change(10));
    let ticket = world.request("alice", Some(500_000));
    world.pass(16);
    assert_eq!(world.state.vault(VAULT).unwrap().terms.fee, percent(0));
    assert_eq!(world.claim(ticket), 500);
    world.pass(1);
    assert_eq!(world.state.vault(VAULT).unwrap().terms.fee, percent(10));
    world.must("council", change(5));
    world.pass(1);
    assert_eq!(world.state.vault(VAULT).unwrap().terms.fee, percent(5), "a lower fee is nobody's loss");
}
