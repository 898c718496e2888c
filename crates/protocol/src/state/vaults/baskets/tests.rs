//! Baskets on a ledger. Every invariant is checked after every operation, I23 among them.

#[allow(dead_code, reason = "each test takes what it needs of it")]
use crate::state::vaults::world;

use super::{BasketTerms, LegCaps};
use crate::ops::create_basket::{CreateBasket, LegOrder};
use crate::units::{Amount, BasketId, Epoch, Shares, VaultId};
use crate::vault::doors::{DoorTerms, PER_SHARES};
use crate::{Operation, ops};
use world::*;

/// Two vaults with 1,000 of alice's each, and a basket of 1,000 shares of the first and 2,000 of the second for a share.
fn basket() -> World {
    let mut world = World::new();
    world.vault(vault_terms());
    world.vault(vault_terms());
    world.give("alice", 100_000);
    for vault in [0, 1] {
        let deposit = ops::vault_deposit::VaultDeposit {
            vault: VaultId::new(vault),
            amount: Amount::new(20_000),
            shares_min: Shares::ZERO,
            deadline: Epoch::NEVER,
        };
        world.must("alice", Operation::VaultDeposit(deposit));
    }
    world.advance(1);
    tick_both(&mut world);
    let legs = [(0, 1), (1, 2)].map(|(vault, per_unit)| LegOrder {
        vault: VaultId::new(vault),
        per_unit: Shares::new(per_unit * PER_SHARES),
    });
    let caps = LegCaps {
        shares_max: Shares::new(50_000_000),
        share_max: percent(60),
        shares_a_day: Shares::new(2_000_000),
    };
    let doors = DoorTerms {
        heartbeat: 3_600_000,
        age_max: 7_200_000,
        change_max: percent(1),
        divergence_max: percent(3),
        spread: percent(2),
        age_min: 0,
    };
    let terms = BasketTerms {
        council: address("council"),
        reporter: address("reporter"),
        acceptor: address("acceptor"),
        doors: Some(doors),
        caps: vec![caps; 2],
    };
    world.must("creator", Operation::CreateBasket(CreateBasket { legs: legs.to_vec(), terms }));
    world
}

fn tick_both(world: &mut World) {
    for vault in [0, 1].map(VaultId::new) {
        let tick = || Operation::VaultTick(ops::vault_tick::VaultTick { vault, steps: None });
        while world.run("anyone", tick()).is_ok() {}
    }
}

const BASKET: BasketId = BasketId::new(0);

fn mint(shares: u128) -> Operation {
    let shares = Shares::new(shares);
    Operation::BasketMint(ops::basket_mint::BasketMint { basket: BASKET, shares, legs_max: Vec::new() })
}

fn redeem(shares: u128) -> Operation {
    let shares = Shares::new(shares);
    Operation::BasketRedeem(ops::basket_redeem::BasketRedeem { basket: BASKET, shares, legs_min: Vec::new() })
}

fn enter(vault: u32, shares: u128) -> Operation {
    let (vault, shares) = (VaultId::new(vault), Shares::new(shares));
    let enter = ops::basket_enter::BasketEnter { basket: BASKET, vault, shares, shares_min: Shares::ZERO };
    Operation::BasketEnter(enter)
}

fn leave(vault: u32, shares: u128) -> Operation {
    let (vault, shares) = (VaultId::new(vault), Shares::new(shares));
    let leave = ops::basket_leave::BasketLeave { basket: BASKET, vault, shares, shares_min: Shares::ZERO };
    Operation::BasketLeave(leave)
}

fn report(vault: u32, price: Amount) -> Operation {
    let vault = VaultId::new(vault);
    Operation::BasketReport(ops::basket_report::BasketReport { basket: BASKET, vault, price })
}

fn accept(vault: u32, price: Amount) -> Operation {
    let vault = VaultId::new(vault);
    Operation::BasketAccept(ops::basket_accept::BasketAccept { basket: BASKET, vault, price })
}

impl World {
    /// Shares of both vaults and of the basket.
    fn all_shares(&self, who: &str) -> [u128; 3] {
        let basket = self.state.basket(BASKET).unwrap().share;
        let vaults = [0, 1].map(|vault| self.state.vault(VaultId::new(vault)).unwrap().share);
        [vaults[0], vaults[1], basket].map(|share| self.state.shares_of(share, address(who)).units())
    }
}

/// A thousand shares of a vault are worth a unit; a share of the basket is one of the first vault and two of the second.
#[test]
fn a_delegates_limit_counts_shares_of_baskets_by_their_legs() {
    use crate::Kind;
    let mut world = basket();
    let kinds = [Kind::BasketMint, Kind::BasketRedeem, Kind::BasketEnter, Kind::BasketLeave];
    world.grant("alice", &kinds, None);
    for door in [enter(0, 1000), leave(0, 1000)] {
        assert_eq!(world.by_bot("alice", door), Err("authority.NoLimit".to_owned()), "by prices of others");
    }
    world.grant("alice", &kinds, Some(5000));
    let over = Err("authority.LimitExceeded".to_owned());
    world.by_bot("alice", mint(1_000_000)).unwrap();
    assert_eq!(world.by_bot("alice", mint(1_000_000)), over, "3000 of 5000 are used");
    world.by_bot("alice", redeem(400_000)).unwrap();
    assert_eq!(world.by_bot("alice", leave(0, 300_000)), over, "900 of 800");
    assert_eq!(world.by_bot("alice", redeem(300_000)), over);
    assert_eq!(world.by_bot("alice", enter(1, 900_000)), over);
    world.by_bot("alice", mint(200_000)).unwrap();
    world.must("alice", mint(1_000_000));
}

/// I23: without a price, with stale ones, whatever happens.
#[test]
fn in_kind_doors_are_always_open_and_exact() {
    let mut world = basket();
    assert_eq!(world.all_shares("alice"), [20_000_000, 20_000_000, 0]);
    world.must("alice", mint(3_000_000));
    assert_eq!(world.all_shares("alice"), [17_000_000, 14_000_000, 3_000_000]);
    world.must("alice", redeem(1));
    assert_eq!(world.all_shares("alice"), [17_000_001, 14_000_002, 2_999_999]);
    assert_eq!(world.refused("bob", mint(1)), "basket_mint.ExceedsShares");
    assert_eq!(world.refused("bob", redeem(1)), "basket_redeem.ExceedsShares");
    assert_eq!(world.refused("alice", enter(0, 1000)), "basket_enter.Stale");
    assert_eq!(world.refused("alice", leave(0, 1000)), "basket_leave.Stale");
    world.must("alice", redeem(2_999_999));
    assert_eq!(world.all_shares("alice"), [20_000_000, 20_000_000, 0]);
    let held =
        world.state.basket(BASKET).unwrap().legs.iter().map(|leg| leg.held.units()).collect::<Vec<_>>();
    assert_eq!(held, [0, 0]);
    assert_eq!(world.refused("alice", mint(0)), "basket_mint.SharesAreZero");
}

#[test]
fn single_doors_need_two_roles_and_two_sources() {
    let mut world = basket();
    world.must("alice", mint(3_000_000));
    world.state.begin_block(10_000_000);
    // What 10^18 shares of either vault are worth: a base unit is 1,000 shares, and 18 decimals make it 10^15.
    let fair = world.state.own_price(VaultId::new(0)).unwrap().low;
    assert_eq!(fair, 1_000_000_000_000_000);
    let fair = Amount::new(fair);
    assert_eq!(world.refused("mallory", report(0, fair)), "basket_report.NotTheReporter");
    for vault in [0, 1] {
        world.must("reporter", report(vault, fair));
    }
    assert_eq!(
        world.refused("alice", enter(0, 1000)),
        "basket_enter.Stale",
        "the first price takes two roles"
    );
    assert_eq!(world.refused("reporter", accept(0, fair)), "basket_accept.NotTheAcceptor");
    for vault in [0, 1] {
        world.must("acceptor", accept(vault, fair));
    }
    let before = world.all_shares("alice");
    world.must("alice", enter(0, 300_000));
    // A third of 9,000,000 is 3,000,000: a thirtieth of that, less 2 %, is 98,000 shares.
    assert_eq!(world.all_shares("alice"), [before[0] - 300_000, before[1], before[2] + 98_000]);
    assert_eq!(world.refused("alice", enter(0, 1_700_001)), "basket_enter.OverInflow");
    assert_eq!(world.refused("alice", leave(0, 3_000_000)), "basket_leave.LegTooSmall");
    world.must("alice", leave(1, 98_000));
    let after = world.all_shares("alice");
    assert!(
        after[1] - before[1] < 300_000 * 98 * 98 / 10_000 + 10_000,
        "4 % stay with the holders: {after:?}"
    );
    // A fall by a tenth counts at once and closes entries; exits go by it.
    let fallen = Amount::new(fair.units() / 10 * 9);
    world.must("reporter", report(0, fallen));
    assert_eq!(world.refused("alice", enter(1, 1000)), "basket_enter.Fallen");
    world.must("alice", leave(0, 1000));
    world.must("acceptor", accept(0, fallen));
    assert_eq!(world.refused("alice", enter(1, 1000)), "basket_enter.SourcesDiverge");
    world.must("reporter", report(0, fair));
    assert_eq!(world.refused("alice", leave(0, 1000)), "basket_leave.Risen");
    world.must("alice", leave(1, 1000));
    world.state.begin_block(20_000_000);
    assert_eq!(world.refused("alice", leave(1, 1000)), "basket_leave.Stale");
    world.must("alice", redeem(1000));
}

/// A basket of 3,000,000 shares of alice's and 1,000,000 of mallory's, with accepted prices, whose requests wait so long.
fn waiting(age_min: u64) -> World {
    let mut world = basket();
    let basket = world.state.basket_mut(BASKET);
    basket.terms.doors.as_mut().unwrap().age_min = age_min;
    world.must("alice", mint(4_000_000));
    let share = world.state.basket(BASKET).unwrap().share;
    let to = address("mallory");
    let transfer =
        ops::transfer_shares::TransferShares { share, owner: None, to, shares: Shares::new(1_000_000) };
    world.must("alice", Operation::TransferShares(transfer));
    world.state.begin_block(10_000_000);
    for vault in [0, 1] {
        world.must("reporter", report(vault, FAIR));
        world.must("acceptor", accept(vault, FAIR));
    }
    world
}

/// What 10^18 shares of either vault are worth at first.
const FAIR: Amount = Amount::new(1_000_000_000_000_000);

fn settle(ticket: u32) -> Operation {
    let ticket = crate::units::TicketId::new(ticket);
    Operation::BasketSettle(ops::basket_settle::BasketSettle { basket: BASKET, ticket })
}

/// Mallory knows that the first leg is about to be reported at a half, and leaves by the second. What she gets of it.
fn ahead_of_a_report(age_min: u64) -> u128 {
    let mut world = waiting(age_min);
    world.must("mallory", leave(1, 1_000_000));
    world.state.begin_block(10_000_000 + age_min);
    world.must("reporter", report(0, Amount::new(FAIR.units() / 2)));
    world.must("reporter", report(1, FAIR));
    if age_min > 0 {
        world.must("anyone", settle(0));
    }
    world.all_shares("mallory")[1]
}

/// The control is a door without a least age, which lets her out at the old price.
#[test]
fn nobody_trades_ahead_of_a_report() {
    // A share of the basket is 1 + 2 before, and a half and 2 after; the spread is 2 %.
    assert_eq!(ahead_of_a_report(0), 2_940_000);
    assert_eq!(ahead_of_a_report(60_000), 2_450_000);
}

#[test]
fn a_request_waits_for_its_age_and_for_a_price_after_it() {
    let mut world = waiting(60_000);
    let before = world.all_shares("mallory");
    world.must("mallory", leave(1, 100_000));
    world.must("alice", enter(0, 300_000));
    assert_eq!(world.all_shares("mallory"), [before[0], before[1], before[2] - 100_000], "put down");
    assert_eq!(world.refused("anyone", settle(0)), "basket_settle.TooEarly");
    assert_eq!(world.refused("anyone", settle(7)), "basket_settle.RequestNotFound");
    world.state.begin_block(10_060_000);
    assert_eq!(world.refused("anyone", settle(0)), "basket_settle.AwaitsPrice", "the price is older than it");
    for vault in [0, 1] {
        world.must("reporter", report(vault, FAIR));
    }
    world.must("anyone", settle(0));
    assert_eq!(world.all_shares("mallory"), [before[0], before[1] + 294_000, before[2] - 100_000]);
    let alice = world.all_shares("alice");
    world.must("anyone", settle(1));
    let got = world.all_shares("alice")[2] - alice[2];
    assert!(
        (97_900..=98_000).contains(&got),
        "{got}: a little of the spread that mallory left is the holders'"
    );
    assert_eq!(world.refused("anyone", settle(1)), "basket_settle.RequestNotFound");
}

#[test]
fn shares_that_no_price_settles_go_back() {
    let mut world = waiting(60_000);
    let before = world.all_shares("mallory");
    world.must("mallory", leave(0, 100_000));
    world.state.begin_block(10_060_000 + 7_200_000);
    assert_eq!(world.refused("anyone", settle(0)), "basket_settle.AwaitsPrice");
    world.state.begin_block(10_060_000 + 7_200_001);
    let events = world.must("anyone", settle(0));
    assert!(matches!(events[..], [crate::Event::BasketReturned { .. }]), "{events:?}");
    assert_eq!(world.all_shares("mallory"), before);
    // And so do those that ask for more than the door gives.
    let dear = ops::basket_leave::BasketLeave {
        basket: BASKET,
        vault: VaultId::new(0),
        shares: Shares::new(100_000),
        shares_min: Shares::new(300_000),
    };
    world.must("mallory", Operation::BasketLeave(dear));
    world.state.begin_block(30_000_000);
    for vault in [0, 1] {
        world.must("reporter", report(vault, FAIR));
    }
    world.must("anyone", settle(1));
    assert_eq!(world.all_shares("mallory"), before);
}

#[test]
fn looser_doors_wait_and_tighter_ones_do_not() {
    let mut world = basket();
    let terms = world.state.basket(BASKET).unwrap().terms.clone();
    let change = |terms: &BasketTerms| {
        let terms = terms.clone();
        Operation::ChangeBasket(ops::change_basket::ChangeBasket { basket: BASKET, terms })
    };
    assert_eq!(world.refused("council", change(&terms)), "change_basket.Unchanged");
    assert_eq!(world.refused("mallory", change(&terms)), "change_basket.NotTheCouncil");
    let mut looser = terms.clone();
    looser.caps[0].shares_a_day = Shares::new(3_000_000);
    world.must("council", change(&looser));
    let in_force = |world: &World| {
        let basket = world.state.basket(BASKET).unwrap();
        basket.terms_in(world.state.epoch()).clone()
    };
    world.advance(16);
    assert_eq!(in_force(&world), terms);
    world.advance(1);
    assert_eq!(in_force(&world), looser);
    let closed = BasketTerms { doors: None, caps: Vec::new(), ..terms };
    world.must("council", change(&closed));
    assert_eq!(in_force(&world), closed);
    assert_eq!(world.refused("reporter", report(0, Amount::new(1))), "basket_report.NoDoors");
}

/// Shares of the epoch can't be changed for older ones in a basket.
#[test]
fn a_basket_does_not_make_shares_older() {
    let mut world = basket();
    world.must("alice", mint(3_000_000));
    world.advance(1);
    tick_both(&mut world);
    let share = world.state.vault(VAULT).unwrap().share;
    let account = world.state.accounts.find(address("alice")).unwrap();
    assert_eq!(world.state.holding(share, account).ripe(world.state.epoch()).units(), 17_000_000);
    world.must("alice", redeem(1_000_000));
    assert_eq!(
        world.state.holding(share, account).ripe(world.state.epoch()).units(),
        17_000_000,
        "they came today"
    );
}

/// Of two shares a third could be rounded away from whoever enters.
#[test]
fn a_basket_of_few_shares_takes_no_single_sided_entry() {
    let mut world = basket();
    world.must("alice", mint(999_999));
    assert_eq!(world.refused("alice", enter(0, 1000)), "basket_enter.TooSmall");
    world.must("alice", mint(1));
    assert_eq!(world.refused("alice", enter(0, 1000)), "basket_enter.Stale");
}

#[test]
fn readers_see_what_a_basket_holds_takes_and_gives() {
    let mut world = basket();
    world.must("alice", mint(3_000_000));
    world.state.begin_block(10_000_000);
    let fair = Amount::new(1_000_000_000_000_000);
    world.must("reporter", report(0, fair));
    let view = crate::query::basket(&world.state, BASKET).unwrap();
    assert_eq!((view.supply.units(), view.legs.len()), (3_000_000, 2));
    let leg = &view.legs[0];
    assert_eq!(
        (leg.held.units(), leg.own.unwrap().low, leg.price),
        (3_000_000, fair, None),
        "nobody has accepted the first price"
    );
    assert_eq!(leg.reported.unwrap().risen, Some(fair));
    world.must("acceptor", accept(0, fair));
    let view = crate::query::basket(&world.state, BASKET).unwrap();
    assert_eq!(view.legs[0].price.unwrap().high, fair);
    let in_kind = crate::query::in_kind(&world.state, BASKET, Shares::new(10)).unwrap();
    let units = |shares: Option<Vec<Shares>>| -> Vec<u128> {
        shares.unwrap().iter().map(|each| each.units()).collect()
    };
    assert_eq!((units(in_kind.mint), units(in_kind.redeem)), (vec![10, 20], vec![10, 20]));
    assert!(crate::query::basket(&world.state, BasketId::new(1)).is_none());
}
