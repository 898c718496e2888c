//! What integrators are told about a vault is what happens.

#![allow(clippy::disallowed_methods, reason = "sums of tests are small")]

#[path = "vaults/world.rs"]
#[allow(dead_code, reason = "the world of all tests of vaults")]
mod world;

use protocol::ops::set_bands::{Band, Policy, SetBands, VaultCaps};
use protocol::query::{self, NoticeKind, TicketState};
use protocol::terms::Mandate;
use protocol::units::{Amount, Epoch, Fraction, OperatorId, ShareId, Shares, TicketId};
use protocol::{Event, Operation};

use world::{VAULT, World, address, percent, vault_terms};

const UNIT: u128 = 1_000_000_000_000_000_000;

fn mandate() -> Mandate {
    let one = Fraction::ONE;
    Mandate { worst_case: one, elsewhere: one, own_verifiers: one, uncertified: true, commission: one }
}

/// A vault with 100 of alice and 50 of bob, nine tenths of it with one operator that a set can slash.
fn world() -> (World, OperatorId) {
    let mut world = World::new();
    let operator = world.operator("olga", 256);
    let vault = world.vault(vault_terms());
    let band = Band { operator, owner: None, min: Fraction::ZERO, target: percent(90), max: Fraction::ONE };
    let policy = Policy {
        mandate: mandate(),
        caps: VaultCaps::off(),
        bands: vec![band],
        services: Vec::new(),
        move_min: Amount::new(1),
    };
    world.must("council", Operation::SetBands(SetBands { vault, policy }));
    world.deposit("alice", 100 * UNIT);
    world.deposit("bob", 50 * UNIT);
    world.pass(3);
    (world, operator)
}

fn held(world: &World, who: &str) -> u128 {
    let own = query::holdings(&world.state, address(who));
    own.first().map_or(0, |own| own.shares.units())
}

#[test]
fn what_a_limit_says_is_accepted_and_one_more_is_refused() {
    let (mut world, _) = world();
    world.give("carl", 7 * UNIT);
    let limits = query::limits(&world.state, VAULT, Some(address("carl"))).expect("a vault");
    assert_eq!(limits.max_deposit, Amount::new(7 * UNIT), "what carl has is less than what the cap leaves");
    let anybody = query::limits(&world.state, VAULT, None).expect("a vault");
    let more = anybody.max_deposit.units() + 1;
    world.give("rich", more);
    assert_eq!(world.refused("rich", World::depositing(more, 0, Epoch::NEVER)), "vault_deposit.OverCap");
    world.must("rich", World::depositing(more - 1, 0, Epoch::NEVER));

    let limits = query::limits(&world.state, VAULT, Some(address("alice"))).expect("a vault");
    assert_eq!(limits.max_request.units(), held(&world, "alice"));
    let most = limits.max_instant.units();
    assert!(most > 0 && most < held(&world, "alice"), "the idle tenth bounds it");
    world.refused("alice", World::leaving(most + 1));
    world.must("alice", World::leaving(most));
}

#[test]
fn an_instant_exit_pays_what_its_preview_said_to_the_unit() {
    let (mut world, _) = world();
    let shares = held(&world, "alice") / 40;
    let preview = query::preview_instant(&world.state, VAULT, Shares::new(shares), Some(address("alice")))
        .expect("a vault");
    assert_eq!(preview.refused, None);
    let before = world.free("alice");
    let events = world.must("alice", World::leaving(shares));
    assert_eq!(world.free("alice") - before, preview.paid.units());
    let told = events.iter().find_map(|event| match event {
        Event::VaultLeft { fee, held, held_until, .. } => Some((*fee, *held, *held_until)),
        _ => None,
    });
    assert_eq!(told, Some((preview.fee.amount, preview.held, preview.held_until)));
    let nobody = query::preview_instant(&world.state, VAULT, Shares::new(shares), Some(address("nobody")));
    assert!(nobody.expect("a vault").refused.is_some(), "who has no shares is told so");
}

#[test]
fn a_deposit_gets_at_least_what_its_preview_said() {
    let (mut world, _) = world();
    // A gift that vests from the next epoch on makes shares dearer at each boundary.
    let account = query::vault_account(&world.state, VAULT).expect("a vault");
    world.give_to(account, 14 * UNIT);
    world.must("anyone", World::harvesting(None));
    world.pass(1);
    let amount = Amount::new(9 * UNIT + 7);
    let now = query::convert_to_shares(&world.state, VAULT, amount).expect("a vault").shares;
    let preview = query::preview_deposit(&world.state, VAULT, amount, None).expect("a vault");
    assert!(preview.shares < now, "what vests at the boundary is counted");
    assert!(!preview.is_binding);
    world.deposit("carl", amount.units());
    world.pass(1);
    assert!(held(&world, "carl") >= preview.shares.units());
    assert!(held(&world, "carl") - preview.shares.units() <= 1_000, "a unit of assets, no more");
}

#[test]
fn conversions_round_down_and_back_and_forth_gains_nothing() {
    let (world, _) = world();
    for units in [1, 2, 999, 1_000, 1_001, 123_456_789, UNIT + 3] {
        let there = query::convert_to_shares(&world.state, VAULT, Amount::new(units)).expect("a vault");
        let back = query::convert_to_assets(&world.state, VAULT, there.shares).expect("a vault");
        assert!(back.assets <= Amount::new(units), "{units}");
        let assets =
            query::convert_to_assets(&world.state, VAULT, Shares::new(units)).expect("a vault").assets;
        let again = query::convert_to_shares(&world.state, VAULT, assets).expect("a vault");
        assert!(again.shares <= Shares::new(units), "{units}");
    }
}

#[test]
fn an_exit_is_settled_when_the_estimate_said_and_pays_what_the_ticket_said() {
    let (mut world, _) = world();
    let shares = held(&world, "alice");
    let estimate = query::exit_time_estimate(&world.state, VAULT, Shares::new(shares)).expect("a vault");
    let settled_in = estimate.settled_in.expect("there is enough");
    assert_eq!(estimate.first_in, Some(world.state.epoch().next()), "the idle tenth pays first");
    let ticket = world.request("alice", None);
    let told = query::ticket(&world.state, VAULT, ticket).expect("it waits");
    assert_eq!((told.state, told.pending_shares.units()), (TicketState::Pending, shares));
    while query::ticket(&world.state, VAULT, ticket).expect("it waits").pending_shares > Shares::ZERO {
        assert!(world.state.epoch() < settled_in, "it takes longer than estimated");
        world.pass(1);
    }
    assert_eq!(world.state.epoch(), settled_in);
    let told = query::ticket(&world.state, VAULT, ticket).expect("it can be fetched");
    assert_eq!(told.state, TicketState::Claimable);
    assert_eq!(query::tickets_of(&world.state, address("alice")), vec![told.clone()]);
    let kinds: Vec<NoticeKind> =
        query::notices(&world.state, address("alice")).iter().map(|notice| notice.kind).collect();
    assert!(kinds.contains(&NoticeKind::VaultClaimable), "{kinds:?}");
    assert_eq!(world.claim(ticket), told.assets.units());
    assert_eq!(query::preview_claim(&world.state, VAULT, TicketId::new(99)), Amount::ZERO);
}

#[test]
fn an_open_request_is_in_the_low_rate_in_what_a_holder_could_lose_and_in_its_notices() {
    let (mut world, operator) = world();
    let quiet = query::rate_feed(&world.state, VAULT).expect("a vault");
    assert_eq!((quiet.nav_low, quiet.pending_total), (quiet.nav, Amount::ZERO));
    assert_eq!(quiet.low, quiet.high);
    let keys = query::vault_stands_on(&world.state, VAULT).len();
    let capture = world.now();
    let request = world.ask(operator, capture - 1, percent(10));
    let feed = query::rate_feed(&world.state, VAULT).expect("a vault");
    assert_eq!(feed.nav, quiet.nav);
    assert_eq!(feed.pending.first().map(|pending| pending.request), Some(request));
    assert_eq!(feed.nav_low.units() + feed.pending_total.units(), feed.nav.units());
    assert_eq!(feed.pending_total, Amount::new(135 * UNIT / 10), "a tenth of the nine tenths of 150");
    assert!(query::vault_stands_on(&world.state, VAULT).len() > keys, "it stands on the request as well");

    let exposure = query::exposure(&world.state, address("alice"));
    let own = exposure.vaults.first().expect("shares count");
    assert_eq!(own.shares.units(), held(&world, "alice"));
    assert!(own.pending.amount > Amount::ZERO && own.pending.amount <= own.worst_case.amount);
    assert!(own.worst_case.fraction >= percent(89), "one set may take all of the nine tenths");
    let loss = query::notices(&world.state, address("alice"));
    assert_eq!(loss.first().map(|notice| notice.kind), Some(NoticeKind::VaultSlashRequested));
    assert_eq!(loss.first().and_then(|notice| notice.subject.vault), Some(VAULT));

    world.advance(3);
    world.execute(request);
    let after = query::rate_feed(&world.state, VAULT).expect("a vault");
    assert_eq!(after.nav, feed.nav_low, "the request took what the low price said");
    assert_eq!(after.unwritten_loss, feed.pending_total);
}

#[test]
fn holders_and_tickets_come_in_pages_and_the_supply_is_their_sum() {
    let (mut world, _) = world();
    let ticket = world.request("bob", Some(UNIT));
    let share = query::share(&world.state, ShareId::new(0)).expect("the vault's");
    let first = query::holders(&world.state, ShareId::new(0), None, 1);
    assert_eq!(first.items.len(), 1);
    let after = first.next.map(protocol::units::AccountId::new);
    let rest = query::holders(&world.state, ShareId::new(0), after, 10);
    let all = first.items.iter().chain(&rest.items);
    let sum: u128 = all.map(|own| own.shares.units()).sum();
    assert_eq!(sum + UNIT, share.supply.units(), "what waits is still there");
    let page = query::tickets(&world.state, VAULT, None, 10);
    assert_eq!(page.items.iter().map(|own| own.ticket).collect::<Vec<_>>(), [ticket]);
    let vault = query::vault(&world.state, VAULT).expect("a vault");
    assert_eq!(vault.concentration, Fraction::ONE, "one operator has all of the stake");
    assert_eq!(vault.queue.waiting, Shares::new(UNIT));
}
