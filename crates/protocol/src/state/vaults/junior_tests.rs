//! First-loss capital, with numbers that were worked by hand.

#[allow(dead_code, reason = "each test takes what it needs of it")]
use crate::state::vaults::world;

use crate::ops::create_vault::{JuniorTerms, VaultTerms};
use crate::units::{Amount, Epoch, Fraction, OperatorId, SetId, ShareId, Shares, TicketId};
use crate::{Event, Kind, Operation, ops};
use world::*;

const TRANCHE: ShareId = ShareId::new(1);

fn terms() -> VaultTerms {
    let junior = JuniorTerms { share: percent(20), target: percent(10) };
    VaultTerms { junior: Some(junior), ..vault_terms() }
}

/// A vault of a thousand of alice's, all of it with an operator that a set owns whole; june has so much in its tranche.
fn with_junior(june: u128) -> (World, OperatorId) {
    let mut world = World::new();
    let operator = world.operator("op", 256);
    world.vault(terms());
    world.deposit("alice", 1000);
    world.pass(1);
    let mut events = Vec::new();
    let mandate = world.state.mandate_digest(operator, ETH).unwrap();
    world.state.touch_vault(VAULT, &mut events);
    let bound = (mandate, Fraction::ONE);
    world.state.vault_delegate(VAULT, operator, Amount::new(1000), bound, &mut events).unwrap();
    world.state.remark_vault(VAULT);
    world.pass(2);
    world.join("june", june);
    (world, operator)
}

fn joining(amount: u128) -> Operation {
    let (amount, shares_min) = (Amount::new(amount), Shares::ZERO);
    Operation::VaultJuniorJoin(ops::vault_junior_join::VaultJuniorJoin { vault: VAULT, amount, shares_min })
}

fn leaving(shares: Option<u128>) -> Operation {
    let shares = shares.map(Shares::new);
    Operation::VaultJuniorLeave(ops::vault_junior_leave::VaultJuniorLeave { vault: VAULT, shares })
}

impl World {
    fn join(&mut self, who: &str, amount: u128) {
        self.give(who, amount);
        self.must(who, joining(amount));
    }

    /// Asks first-loss capital back: the ticket, and from when it may be fetched.
    fn ask_back(&mut self, who: &str, shares: Option<u128>) -> (TicketId, u32) {
        let events = self.must(who, leaving(shares));
        let asked = events.iter().find_map(|event| match event {
            Event::VaultJuniorAsked { ticket, from, .. } => Some((*ticket, from.number())),
            _ => None,
        });
        asked.unwrap()
    }

    /// Fetches it; what it paid.
    fn fetch(&mut self, ticket: TicketId) -> u128 {
        let events = self.must("anyone", Self::claiming(ticket));
        let paid = events.iter().find_map(|event| match event {
            Event::VaultJuniorPaid { paid, .. } => Some(paid.units()),
            _ => None,
        });
        paid.unwrap()
    }

    fn slash(&mut self, operator: OperatorId, fraction: Fraction) {
        let now = self.now();
        let request = self.ask(operator, now, fraction);
        self.pass(3);
        self.execute(request);
    }

    fn tranche(&self, who: &str) -> u128 {
        self.state.shares_of(TRANCHE, address(who)).units()
    }

    fn senior(&self) -> u128 {
        self.state.value_vault(VAULT).unwrap().nav.units()
    }

    fn fund(&self) -> u128 {
        self.state.vault(VAULT).unwrap().buckets.fund.units()
    }

    fn junior(&self) -> u128 {
        self.state.junior_of(VAULT).unwrap().assets.units()
    }

    /// The service pays the operator for the epoch that is over; the vault harvests what it is credited.
    fn reward(&mut self, operator: OperatorId, amount: u128) {
        self.give(SERVICE, amount);
        let epoch = Epoch::new(self.now() - 1);
        let payments = vec![ops::pay_work::Payment { operator, amount: Amount::new(amount) }];
        let pay = ops::pay_work::PayWork { set: SetId::new(0), token: ETH, epoch, payments };
        self.must(SERVICE, Operation::PayWork(pay));
        self.pass(1);
        self.must("anyone", Self::harvesting(Some(operator)));
    }
}

#[test]
fn a_vault_whose_terms_say_nothing_takes_no_first_loss_capital() {
    let mut world = World::new();
    world.vault(vault_terms());
    world.give("june", 100);
    assert_eq!(world.refused("june", joining(100)), "vault_junior_join.NoTranche");
    assert_eq!(world.refused("june", leaving(None)), "vault_junior_leave.NobodyJoined");
    let unfair = |share, target| {
        let junior = Some(JuniorTerms { share: percent(share), target: percent(target) });
        let create =
            ops::create_vault::CreateVault { asset: ETH, terms: VaultTerms { junior, ..vault_terms() } };
        Operation::CreateVault(create)
    };
    assert_eq!(world.refused("creator", unfair(51, 10)), "create_vault.BadTerms");
    assert_eq!(world.refused("creator", unfair(10, 0)), "create_vault.BadTerms");
}

#[test]
fn first_loss_capital_pays_after_the_fund_and_before_the_holders() {
    let (mut world, operator) = with_junior(60);
    world.join("jim", 60);
    assert_eq!((world.tranche("june"), world.tranche("jim")), (60_000, 60_000));
    world.give("friend", 30);
    let amount = Amount::new(30);
    world.must("friend", Operation::VaultFund(ops::vault_fund::VaultFund { vault: VAULT, amount }));
    world.slash(operator, percent(10));
    // 100: 30 of the fund, 70 of the 120; each has half of what is left.
    assert_eq!((world.senior(), world.junior()), (1000, 50));
    let (june, from) = world.ask_back("june", None);
    assert_eq!(world.refused("anyone", World::claiming(june)), "vault_claim.HeldBack");
    world.advance(from - world.now());
    assert_eq!(world.fetch(june), 25, "half of it, and of the thousand shares that nobody has what rounds");
    // The next is more than what is left: the rest is the holders'.
    world.slash(operator, percent(10));
    assert_eq!(world.senior(), 1000 - (90 - 25));
    assert_eq!(world.junior(), 0);
}

/// The control is the holder: who asks back before a slash of stake of its time bears it like who stays.
#[test]
fn nobody_leaves_between_an_offence_and_its_slash() {
    let (mut world, operator) = with_junior(100);
    world.join("jim", 100);
    let offence = world.now();
    let (june, from) = world.ask_back("june", None);
    assert_eq!(from, offence + 15, "U, as everybody else");
    world.pass(2);
    let request = world.ask(operator, offence, percent(10));
    world.pass(3);
    world.execute(request);
    assert_eq!((world.senior(), world.junior()), (1000, 100));
    world.advance(from - world.now());
    assert_eq!(world.fetch(june), 50, "half of what is left, not the 100 of then");
    let (jim, from) = world.ask_back("jim", None);
    world.advance(from - world.now());
    assert_eq!(world.fetch(jim), 50);
    assert_eq!((world.junior(), world.fund()), (0, 0));
}

#[test]
fn the_tranche_earns_its_part_of_rewards_and_that_vests() {
    let (mut world, operator) = with_junior(50);
    world.reward(operator, 1000);
    // Half of its target: a tenth instead of a fifth. Both parts count over seven epochs.
    let standing = world.state.junior_of(VAULT).unwrap();
    assert_eq!([standing.assets, standing.unvested].map(Amount::units), [50, 100]);
    assert_eq!(world.senior(), 1000);
    world.pass(7);
    assert_eq!((world.junior(), world.senior()), (150, 1900));
    // Who stood in at the harvest and not before would have gained nothing at once.
    let (mut world, operator) = with_junior(50);
    world.join("late", 100);
    world.reward(operator, 1000);
    let (late, from) = world.ask_back("late", None);
    world.advance(from - world.now());
    assert_eq!(world.fetch(late), 100, "and who waits gains nothing");
}

#[test]
fn without_a_tranche_all_rewards_are_the_holders() {
    let (mut world, operator) = with_junior(50);
    let (june, from) = world.ask_back("june", None);
    world.advance(from - world.now());
    assert_eq!(world.fetch(june), 50);
    world.reward(operator, 700);
    world.pass(7);
    assert_eq!((world.senior(), world.junior(), world.fund()), (1700, 0, 0));
    // What vests when the last has left has no owner: it is the fund's.
    world.join("june", 100);
    world.reward(operator, 700);
    let (june, from) = world.ask_back("june", None);
    world.advance(from - world.now());
    world.tick();
    assert_eq!(world.fetch(june), 100, "who waits gains nothing");
    assert_eq!((world.junior(), world.fund()), (0, 82), "a fifth of 700 times 100 of a target of 170");
}

#[test]
fn unvested_earnings_pay_before_what_counts() {
    let (mut world, operator) = with_junior(50);
    world.reward(operator, 1000);
    world.slash(operator, percent(8));
    // 80 of 100 that do not count yet, less what has begun to.
    let standing = world.state.junior_of(VAULT).unwrap();
    assert_eq!(standing.assets.units() + standing.unvested.units(), 70);
    assert!(standing.assets.units() >= 50, "{standing:?}");
}

#[test]
fn a_tranche_that_is_used_up_begins_anew() {
    let (mut world, operator) = with_junior(60);
    let (ticket, from) = world.ask_back("june", Some(10_000));
    world.slash(operator, percent(20));
    assert_eq!((world.senior(), world.junior()), (860, 0));
    let events = {
        world.give("new", 40);
        world.must("new", joining(40))
    };
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::VaultJuniorUsedUp { share, .. } if *share == TRANCHE))
    );
    let share = world.state.vault(VAULT).unwrap().junior.share.unwrap();
    assert_ne!(share, TRANCHE);
    assert_eq!(world.state.shares_of(share, address("new")).units(), 40_000, "at the price of an empty one");
    assert_eq!(world.refused("june", leaving(None)), "vault_junior_leave.SharesAreZero");
    world.advance(from - world.now());
    assert_eq!(world.fetch(ticket), 0);
    assert_eq!((world.junior(), world.tranche("june")), (40, 50_000), "shares of nothing");
}

#[test]
fn a_tranche_of_a_millionth_counts_as_used_up() {
    let mut world = World::new();
    let operator = world.operator("op", 256);
    world.vault(terms());
    let whole = 1_000_000_000_u128;
    world.deposit("alice", whole);
    world.pass(1);
    let mut events = Vec::new();
    let mandate = world.state.mandate_digest(operator, ETH).unwrap();
    world.state.touch_vault(VAULT, &mut events);
    let bound = (mandate, Fraction::ONE);
    world.state.vault_delegate(VAULT, operator, Amount::new(whole), bound, &mut events).unwrap();
    world.state.remark_vault(VAULT);
    world.pass(1);
    world.join("june", whole / 10 + 99);
    world.slash(operator, percent(10));
    assert_eq!((world.senior(), world.junior(), world.fund()), (whole, 0, 0), "read as it will be");
    world.join("new", 5000);
    assert_eq!((world.junior(), world.fund()), (5000, 99), "99 of 100,000,099 are the fund's");
}

#[test]
fn tranche_shares_change_hands_and_keep_their_delay() {
    let (mut world, _) = with_junior(100);
    let transfer = ops::transfer_shares::TransferShares {
        share: TRANCHE,
        owner: None,
        to: address("kim"),
        shares: Shares::new(40_000),
    };
    world.must("june", Operation::TransferShares(transfer));
    let now = world.now();
    let (ticket, from) = world.ask_back("kim", None);
    assert_eq!(from, now + 15);
    world.advance(15);
    assert_eq!(world.fetch(ticket), 40);
}

#[test]
fn a_delegate_joins_and_leaves_within_its_limit_only() {
    let (mut world, _) = with_junior(100);
    world.give("june", 100);
    let kinds = [Kind::VaultJuniorJoin, Kind::VaultJuniorLeave];
    world.grant("june", &kinds, None);
    assert_eq!(world.by_bot("june", joining(1)), Err("authority.NoLimit".to_owned()));
    world.grant("june", &kinds, Some(60));
    world.by_bot("june", joining(40)).unwrap();
    assert_eq!(world.by_bot("june", leaving(Some(20_001))), Err("authority.LimitExceeded".to_owned()));
    world.by_bot("june", leaving(Some(20_000))).unwrap();
    assert_eq!(world.by_bot("june", joining(1)), Err("authority.LimitExceeded".to_owned()));
}
