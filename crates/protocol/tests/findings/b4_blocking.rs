//! Blocking and grief.

use evidence::{Scheme, SecretKey};
use protocol::ops::grant::AssetLimit;
use protocol::terms::Terms;
use protocol::units::{Amount, Epoch, Fraction, SetId};
use protocol::{Event, FollowUp, Kind, Operation, Origin, RateSource, Signer, ops};

use crate::offers::{ETH, ONE, SERVICE, address, any_mandate, eth_terms, percent};
use crate::receipts::{assert_near, equivocation, taken};
use crate::world::World;

/// The findings that are tested here, each by its first test.
pub(crate) const FINDINGS: [(u8, fn()); 11] = [
    (34, f34_no_certificate_holds_a_staker),
    (35, f35_the_boundary_carries_out_no_follow_up),
    (36, f36_what_a_boundary_loops_over_is_bounded_and_costs_a_deposit),
    (39, f39_a_request_that_comes_to_nothing_is_final_and_costs_its_deposit),
    (40, f40_a_veto_takes_the_threshold_and_is_never_the_operator_s),
    (41, f41_a_pending_request_reserves_nothing_of_the_cap),
    (42, f42_a_delegate_outruns_nobody),
    (43, f43_a_full_set_has_room_for_more_weight),
    (44, f44_what_others_push_over_a_cap_stays_and_weighs_less),
    (45, f45_who_leaves_a_set_does_not_freeze_it),
    (47, f47_names_mean_nothing_and_dust_does_not_join),
];

/// A set that secures its weight: everything is surely taken when all of it offends, and ETH is worth its weight.
fn certified(stake: u128) -> (World, SetId) {
    let mut world = World::new();
    world.rate_eth(1_000_000_000);
    world.operator("op");
    let set = world.set(eth_terms(|_| {}));
    world.stake("alice", "op", stake);
    world.join("op", set, 256);
    world.advance(1);
    (world, set)
}

/// 34: the certificate is "kept on every voluntary move", so a service with thin slack holds all its stakers. Exits are never asked.
#[test]
fn f34_no_certificate_holds_a_staker() {
    let (mut world, set) = certified(110 * ONE);
    let too_much = World::declare(set, 101 * ONE);
    assert_eq!(world.refused(SERVICE, too_much), "declare_profit.Uncertified");
    world.must(SERVICE, World::declare(set, 100 * ONE));
    world.leave("alice", "op");
    world.advance(1);
    assert!(world.is_under_collateralised(set));
    world.must("op", World::allocation(set, 1));
    world.advance(14);
    world.release("alice", "op").expect("nothing stops it");
    assert_eq!(world.free("alice", ETH), 110 * ONE);
}

/// 35: a million stakers let their notice pass with "then delegate to O", and the boundary loops over them. It carries out none; each is
/// carried out by anyone's call.
#[test]
fn f35_the_boundary_carries_out_no_follow_up() {
    let mut world = World::new();
    world.operator("op");
    world.operator("next");
    let names: Vec<String> = (0..50).map(|index| format!("staker{index}")).collect();
    names.iter().for_each(|name| world.stake(name, "op", ONE));
    world.advance(1);
    let mandate = world.state.mandate_digest(world.id("next"), ETH).expect("a pool");
    let follow_up = FollowUp::Delegate { operator: world.id("next"), mandate, worst_case: Fraction::ONE };
    for name in &names {
        let follow_up = follow_up.clone();
        let leave = ops::undelegate::Undelegate { follow_up, ..world.undelegation("op", None) };
        world.must(name, Operation::Undelegate(leave));
    }
    let events = world.advance(20);
    assert!(events.iter().all(|event| matches!(event, Event::EpochBegan { .. })), "{events:?}");
    let (account, operator) = (Some(address(&names[0])), world.id("op"));
    let release = ops::release::Release { account, operator, asset: ETH };
    world.must("anyone", Operation::Release(release));
    let worth = |name: &str| (world.worth(name, "op"), world.worth(name, "next"));
    assert_eq!((worth(&names[0]), worth(&names[1])), ((0, ONE), (ONE, 0)));
}

/// 36: 10^5 streams, sets or pools of dust make every boundary expensive, for nothing. Streams are few per set and not tiny, and what is
/// stored carries a deposit that returns.
#[test]
fn f36_what_a_boundary_loops_over_is_bounded_and_costs_a_deposit() {
    let mut world = World::with(|genesis| genesis.limits.streams_per_set = 4);
    let set = world.set(eth_terms(|_| {}));
    world.govern(ETH, None, Some(10));
    assert_eq!(world.propose(|p| p.object_deposit = Amount::new(1_000)).map_err(|why| why.code()), Ok(8));
    world.advance(8);
    world.deposit(SERVICE, ETH, 10_000);
    let open = |per_epoch: u128| {
        let per_epoch = Amount::new(per_epoch);
        Operation::OpenStream(ops::open_stream::OpenStream { set, token: ETH, per_epoch, epochs: 2 })
    };
    assert_eq!(world.refused(SERVICE, open(9)), "open_stream.BelowMinimum");
    world.must(SERVICE, open(10));
    let mut unbounded = world.clone();
    world.must(SERVICE, open(10));
    assert_eq!(world.refused(SERVICE, open(10)), "open_stream.TooManyStreams");
    assert_eq!(world.free(SERVICE, ETH), 10_000 - 2 * (1_000 + 20));
    world.advance(3);
    assert_eq!(world.free(SERVICE, ETH), 10_000, "the set had no weight, and the deposits are back");
    // The control: where the bound is not reached one more is opened.
    unbounded.must(SERVICE, open(10));
}

fn with_resolvers(count: usize, threshold: Option<u16>) -> Terms {
    eth_terms(|terms| {
        terms.resolvers = (0..count).map(|index| address(&format!("resolver{index}"))).collect();
        (terms.threshold, terms.veto) = (threshold, 5);
    })
}

/// The slasher files 100 %, and the request is vetoed or lapses. What that cost it.
fn eternal_request(deposit: u128, is_vetoed: bool) -> u128 {
    let mut world = World::with(|genesis| genesis.parameters.request_deposit = Amount::new(deposit));
    world.operator("op");
    let set = world.set(with_resolvers(1, None));
    world.stake("alice", "op", ONE);
    world.join("op", set, 256);
    world.deposit(SERVICE, ETH, 2 * ONE);
    world.advance(1);
    let request = world.ask(set, "op", 1, Fraction::ONE);
    if is_vetoed {
        world.must("resolver0", World::veto(request));
    } else {
        world.advance(7);
        // The last epoch in which it could be executed was 8, and 1 + W is 8.
        assert_eq!(world.now(), 8);
    }
    let again = world.request(set, "op", 1, Fraction::ONE);
    assert_eq!(world.refused(SERVICE, again), "request_slash.AlreadyRequested");
    world.advance(1);
    2 * ONE - world.free(SERVICE, ETH)
}

/// 39: 100 % is filed against a vault's operator, lapses, and is filed again, for ever and for nothing. Vetoed or lapsed is final for the
/// epoch, and costs the deposit.
#[test]
fn f39_a_request_that_comes_to_nothing_is_final_and_costs_its_deposit() {
    assert_eq!((eternal_request(ONE, true), eternal_request(ONE, false)), (ONE, ONE));
    assert_eq!((eternal_request(0, true), eternal_request(0, false)), (0, 0), "the control: no deposit");

    // Two are open at most.
    let (mut world, set) = World::with_stake(with_resolvers(1, None), ONE);
    world.advance(2);
    world.ask(set, "op", 1, Fraction::ONE);
    world.ask(set, "op", 2, Fraction::ONE);
    let third = world.request(set, "op", 3, Fraction::ONE);
    assert_eq!(world.refused(SERVICE, third), "request_slash.TooManyOpen");
}

/// Whether the operator is free after vetoes of these resolvers, of seven.
fn vetoed_by(threshold: Option<u16>, resolvers: &[&str]) -> bool {
    let (mut world, set) = World::with_stake(with_resolvers(7, threshold), ONE);
    let request = world.ask(set, "op", 1, Fraction::ONE);
    resolvers.iter().for_each(|resolver| drop(world.must(resolver, World::veto(request))));
    world.advance(6);
    world.run("anyone", World::execution(request)).is_err()
}

/// 40: one bought resolver of seven frees anybody, or the operator is a resolver. A veto takes the terms' threshold, a majority where
/// they name none, and none of it is the operator.
#[test]
fn f40_a_veto_takes_the_threshold_and_is_never_the_operator_s() {
    assert!(!vetoed_by(None, &["resolver0", "resolver1", "resolver2"]));
    assert!(vetoed_by(None, &["resolver0", "resolver1", "resolver2", "resolver3"]));
    assert!(vetoed_by(Some(1), &["resolver0"]), "the control: a threshold of one is bought with one");

    let own = eth_terms(|terms| (terms.resolvers, terms.veto) = (vec![address("op")], 5));
    let (mut world, set) = World::with_stake(own, ONE);
    let request = world.ask(set, "op", 1, Fraction::ONE);
    assert_eq!(world.refused("op", World::veto(request)), "veto_slash.IsTheOperator");
}

/// A request of a friend for the whole window cap of 10 % is there before the evidence. What the evidence takes of 100.
fn evidence_after_a_request(is_executed_first: bool) -> Option<u128> {
    let terms = eth_terms(|terms| {
        (terms.window_cap, terms.offences.equivocation) = (percent(10), Some(percent(10)));
    });
    let (mut world, set) = World::with_stake(terms, 100 * ONE);
    let key = world.key("op", set, Scheme::Ed25519, 1);
    world.advance(1);
    let request = world.ask(set, "op", 1, percent(10));
    if is_executed_first {
        world.advance(1);
        world.execute(request);
    }
    let events = world.submit(equivocation(&key, set, 2, 1, [1, 2])).ok()?;
    Some(taken(&events))
}

/// 41: bogus requests of 10 % fill the window's cap, and real evidence is refused. What is pending reserves nothing.
#[test]
fn f41_a_pending_request_reserves_nothing_of_the_cap() {
    assert_eq!(evidence_after_a_request(false), Some(10 * ONE));
    assert_eq!(evidence_after_a_request(true), None, "the control: what is executed counts");
}

/// 42: the owner and its bots share a nonce, and a bad delegate outruns every exit. Each key has its own nonce, and a delegate can
/// neither name delegates nor change keys or destinations.
#[test]
fn f42_a_delegate_outruns_nobody() {
    let (mut world, _) = World::with_stake(eth_terms(|_| {}), 100 * ONE);
    let (owner, bot) =
        (SecretKey::from_seed(Scheme::Ed25519, [1; 32]), SecretKey::from_seed(Scheme::Ed25519, [2; 32]));
    for (name, key) in [("alice", &owner), ("bot", &bot)] {
        let set_keys = ops::set_keys::SetKeys { keys: vec![key.public_key()], threshold: 1 };
        world.must(name, Operation::SetKeys(set_keys));
    }
    let grant = |kinds: Vec<Kind>| {
        let limits = vec![AssetLimit { asset: ETH, amount: Amount::new(10) }];
        Operation::Grant(ops::grant::Grant {
            delegate: address("bot"),
            kinds,
            limits,
            expires: Epoch::new(50),
        })
    };
    let never =
        [Kind::Grant, Kind::Revoke, Kind::SetKeys, Kind::Withdraw, Kind::SetClaimer, Kind::ReplaceFollowUp];
    assert!(never.iter().all(|kind| !kind.is_grantable()));
    for kind in Kind::ALL.iter().copied().filter(|kind| !kind.is_grantable()) {
        assert_eq!(world.refused("alice", grant(vec![kind])), "grant.NotGrantable", "{kind}");
    }
    world.must("alice", grant(vec![Kind::Delegate, Kind::Claim, Kind::Undelegate]));
    let by_bot = |world: &mut World, nonce: u64, operation: Operation| {
        let keys = vec![protocol::KeyUse::new(bot.public_key(), nonce)];
        let signer = Signer::Delegate { address: address("bot"), keys };
        world.run_as(signer, "alice", operation).map_err(|why| why.code())
    };
    let to = |to: &str| FollowUp::Withdraw { to: to.to_owned() };
    let elsewhere =
        ops::undelegate::Undelegate { follow_up: to("0xbad"), ..world.undelegation("op", Some(1)) };
    let outcome = by_bot(&mut world, 0, Operation::Undelegate(elsewhere));
    assert_eq!(outcome, Err("authority.DestinationNotGranted".to_owned()));
    for nonce in 0..5 {
        // Refused, for alice has nothing free; and yet an operation of the bot's own key.
        let delegation = Operation::Delegate(world.delegation("op", ETH, 10));
        assert_eq!(by_bot(&mut world, nonce, delegation), Err("delegate.ExceedsFree".to_owned()));
    }
    let exit = Operation::Undelegate(world.undelegation("op", None));
    // With one nonce for all, the owner's would be 5 by now.
    let shared = world.run_signed("alice", &[(&owner, 5)], exit.clone());
    assert!(shared.is_err_and(|why| why.code() == "authority.WrongNonce"));
    world.run_signed("alice", &[(&owner, 0)], exit).expect("exits need nobody's leave");
}

/// An agent that may pay for a service pays into its own account's sets only, and what the grant limits: it could be the operator, the
/// service and the set that it pays.
#[test]
fn an_agent_pays_into_its_own_service_and_within_limits() {
    let (mut world, set) = World::with_stake(eth_terms(|terms| terms.reward_tokens = vec![ETH]), 100 * ONE);
    let stream = |set| {
        let (token, per_epoch, epochs) = (ETH, Amount::new(10), 2);
        Operation::OpenStream(ops::open_stream::OpenStream { set, token, per_epoch, epochs })
    };
    for (owner, limits, expected) in [
        ("alice", vec![AssetLimit { asset: ETH, amount: Amount::new(20) }], "authority.PaysOthers"),
        (SERVICE, Vec::new(), "authority.NoLimit"),
        (SERVICE, vec![AssetLimit { asset: ETH, amount: Amount::new(19) }], "authority.LimitExceeded"),
        (SERVICE, vec![AssetLimit { asset: ETH, amount: Amount::new(20) }], "open_stream."),
    ] {
        let (kinds, expires) = (vec![Kind::OpenStream, Kind::PayWork], Epoch::new(50));
        world.must(
            owner,
            Operation::Grant(ops::grant::Grant { delegate: address("bot"), kinds, limits, expires }),
        );
        let signer = Signer::Delegate { address: address("bot"), keys: Vec::new() };
        let code = world
            .run_as(signer, owner, stream(set))
            .map_or_else(|why| why.code(), |_| "open_stream.ok".to_owned());
        assert!(code.starts_with(expected), "{owner}: {code} is not {expected}");
    }
}

/// 43: sybils with the smallest stake fill an open set. A newcomer with 10 % more weight than the smallest takes its place, and is not
/// replaced by the next sybil before it is in the table.
#[test]
fn f43_a_full_set_has_room_for_more_weight() {
    let mut world = World::new();
    let set = world.set(eth_terms(|terms| terms.admission.operators_max = 2));
    for (name, stake) in [("sybil0", 10), ("sybil1", 11), ("sybil2", 1), ("equal", 10), ("honest", 100)] {
        world.operator(name);
        world.stake("alice", name, stake * ONE);
    }
    world.advance(1);
    world.join("sybil0", set, 256);
    world.join("sybil1", set, 256);
    world.advance(1);
    let equal = Operation::JoinSet(world.joining(set, 256));
    assert_eq!(world.refused("equal", equal), "join_set.SetFull");
    world.join("honest", set, 256);
    let next = Operation::JoinSet(world.joining(set, 256));
    assert_eq!(world.refused("sybil2", next), "join_set.SetFull");
    world.advance(1);
    let weights = ["honest", "sybil1", "sybil0"].map(|name| world.weight(set, name));
    assert_eq!(weights, [100 * ONE, 11 * ONE, 0]);
}

/// Two operators with 100 each; the stakers of one leave. The stake, and the weight, of the other.
fn drift(cap: Fraction) -> (u128, u128, bool) {
    let mut world = World::with(|genesis| genesis.parameters.caps.operator = cap);
    let set = world.set(eth_terms(|_| {}));
    for name in ["a", "b"] {
        world.operator(name);
        world.stake(name, name, 100 * ONE);
        world.join(name, set, 256);
    }
    world.rate_eth(1_000_000_000);
    let leave = ops::undelegate::Undelegate { ..world.undelegation("b", Some(50 * ONE)) };
    world.must("b", Operation::Undelegate(leave));
    world.advance(1);
    world.deposit("rival", ETH, ONE);
    let more = Operation::Delegate(world.delegation("a", ETH, ONE));
    let is_let = world.run("rival", more).is_ok();
    (world.worth("a", "a"), world.weight(set, "a"), is_let)
}

/// 44: rivals fill a cap, or others leave and a share passes it. What is over the cap stays and is clipped from the table; only joins are
/// refused.
#[test]
fn f44_what_others_push_over_a_cap_stays_and_weighs_less() {
    assert_eq!(drift(percent(50)), (100 * ONE, 75 * ONE, false), "half of 150");
    assert_eq!(drift(Fraction::ONE), (100 * ONE, 100 * ONE, true), "the control: no cap");
}

/// 45: somebody bonds 40 % of a rival's weight for an epoch and leaves, and the rival is frozen. Entering takes 1 + gamma, failing is
/// below 1; and there are G epochs to find others.
#[test]
fn f45_who_leaves_a_set_does_not_freeze_it() {
    let (mut world, set) = certified(100 * ONE);
    world.stake("attacker", "op", 40 * ONE);
    world.advance(1);
    let mut lured = world.clone();
    world.must(SERVICE, World::declare(set, 90 * ONE));
    world.leave("attacker", "op");
    world.advance(1);
    assert!(!world.is_under_collateralised(set), "what stays is more than its profit");

    // The control: a set that counted on the attacker's 40 fails, and still has its grace.
    lured.must(SERVICE, World::declare(set, 127 * ONE));
    lured.leave("attacker", "op");
    lured.advance(1);
    assert!(lured.is_under_collateralised(set));
    lured.stake("others", "op", 40 * ONE);
    lured.advance(1);
    assert!(!lured.is_under_collateralised(set) && lured.parts("op", set) == (256, 256));
}

/// 47: a token with a known name is listed again, or its holders join with dust. An asset is its chain and contract, counts where terms
/// name it, and has a smallest join and no smallest exit.
#[test]
fn f47_names_mean_nothing_and_dust_does_not_join() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100);
    let again = |contract: &str| {
        let origin = Origin { chain: 1, contract: contract.to_owned() };
        let (decimals, kind, rate) = (6, protocol::AssetKind::Token, RateSource::One);
        Operation::ListAsset(ops::list_asset::ListAsset { origin, decimals, kind, rate })
    };
    let same = format!("0x{:040x}", 0);
    assert_eq!(world.refused("lister", again(&same)), "list_asset.AlreadyListed");
    let fake = world.list(protocol::AssetKind::Token, RateSource::One);
    world.open_pool("op", fake, any_mandate(), Fraction::ZERO);
    world.stake_in("mallory", "op", fake, 1_000_000);
    let allocate = ops::allocate::Allocate {
        set,
        asset: fake,
        parts: 256,
        expected_parts: None,
        expected_slashes: None,
    };
    assert_eq!(world.refused("op", Operation::Allocate(allocate)), "allocate.AssetNotAccepted");

    world.govern(ETH, None, Some(50));
    world.advance(8);
    world.deposit("dust", ETH, 49);
    let dust = Operation::Delegate(world.delegation("op", ETH, 49));
    assert_eq!(world.refused("dust", dust), "delegate.BelowMinimum");
    let part = Operation::Undelegate(world.undelegation("op", Some(1)));
    world.must("alice", part.clone());
    let rest = Operation::Undelegate(world.undelegation("op", Some(50)));
    let events = world.must("alice", rest);
    let left = events.iter().find_map(|event| match event {
        Event::Undelegated { leaving, .. } => Some(leaving.units()),
        _ => None,
    });
    assert_eq!(left, Some(99), "a rest of 49 leaves as well");
    assert_near(world.worth("alice", "op"), 100);
}
