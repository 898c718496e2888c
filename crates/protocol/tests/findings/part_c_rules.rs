//! The small rules of part C about terms, sets, keys and governance.

use evidence::{Scheme, SecretKey};
use protocol::ops::compounding::Order;
use protocol::terms::{AcceptedAsset, Mandate, Offences, Terms};
use protocol::units::{Amount, Fraction};
use protocol::{Groups, Operation, ops};

use crate::offers::{ETH, ONE, SERVICE, address, any_mandate, eth_terms, percent};
use crate::receipts::assert_near;
use crate::world::World;

/// The rules that are tested here.
pub(crate) const RULES: [(u8, fn()); 14] = [
    (4, c04_what_is_not_in_the_list_of_better_is_worse),
    (5, c05_better_terms_count_for_captures_from_the_next_epoch_on),
    (15, c15_a_share_is_clipped_only_where_there_are_enough_operators),
    (17, c17_who_retires_stays_retired),
    (18, c18_a_closed_set_still_punishes_what_happened),
    (19, c19_an_ejected_operator_leaves_and_stays_liable),
    (26, c26_a_value_falls_at_once_and_rises_after_the_notice),
    (27, c27_anyone_executes_for_a_tip_and_never_in_an_epoch_of_vetoes),
    (28, c28_c29_a_nonce_moves_with_a_rightly_signed_operation_of_the_keys_of_the_moment),
    (29, c28_c29_a_nonce_moves_with_a_rightly_signed_operation_of_the_keys_of_the_moment),
    (30, c30_silence_is_no_veto),
    (33, c33_an_uncertified_pool_is_a_wider_mandate),
    (34, c34_group_caps_go_by_the_last_boundary),
    (38, c38_a_lower_profit_takes_the_notice),
];

/// C4: whatever is not clearly better is worse.
#[test]
fn c04_what_is_not_in_the_list_of_better_is_worse() {
    let old = eth_terms(|terms| {
        terms.offences = Offences {
            equivocation: Some(percent(50)),
            subjective: Some(percent(50)),
            correlation: None,
            false_event: None,
        };
        (terms.window_cap, terms.veto) = (percent(50), 2);
        terms.resolvers = vec![address("resolver"), address("other")];
    });
    let changed = |change: &dyn Fn(&mut Terms)| {
        let mut new = old.clone();
        change(&mut new);
        old.is_worsened_by(&new)
    };
    let better: [&dyn Fn(&mut Terms); 4] = [
        &|terms| terms.offences.equivocation = Some(percent(49)),
        &|terms| terms.offences.subjective = None,
        &|terms| terms.window_cap = percent(49),
        &|terms| terms.veto = 3,
    ];
    let worse: [&dyn Fn(&mut Terms); 12] = [
        &|terms| terms.offences.equivocation = Some(percent(51)),
        &|terms| terms.offences.subjective = Some(percent(51)),
        &|terms| terms.window_cap = percent(51),
        &|terms| terms.veto = 1,
        &|terms| terms.resolvers.push(address("independent")),
        &|terms| terms.threshold = Some(1),
        &|terms| terms.slasher = address("slasher"),
        &|terms| terms.assets = vec![AcceptedAsset { asset: ETH, weight: 1 }],
        &|terms| terms.reward_tokens.clear(),
        &|terms| terms.warm_up = 1,
        &|terms| terms.corruption_share = percent(50),
        &|terms| (terms.window_cap, terms.veto) = (percent(49), 1),
    ];
    assert_eq!(better.map(changed), [false; 4]);
    assert_eq!(worse.map(changed), [true; 12]);
}

/// C5: better terms apply from the next epoch, to captures from then on, and a lower fraction is checked against the declared profit.
#[test]
fn c05_better_terms_count_for_captures_from_the_next_epoch_on() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100);
    let half = eth_terms(|terms| terms.window_cap = percent(50));
    world.must(SERVICE, World::change_terms(set, half.clone()));
    world.advance(1);
    let mut later = world.clone();
    assert_eq!(world.slash(set, "op", 1, Fraction::ONE), 100, "1 was under the old terms");
    assert_eq!(later.slash(set, "op", 2, Fraction::ONE), 50);

    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 110 * ONE);
    world.rate_eth(1_000_000_000);
    world.must(SERVICE, World::declare(set, 100 * ONE));
    assert_eq!(world.refused(SERVICE, World::change_terms(set, half)), "change_terms.Uncertified");
}

/// C15: a share cap below what the operators of a set can keep is skipped: with two operators nobody has less than half.
#[test]
fn c15_a_share_is_clipped_only_where_there_are_enough_operators() {
    let mut world = World::new();
    let set = world.set(eth_terms(|terms| terms.operator_share_max = percent(40)));
    let mut weights = Vec::new();
    for (name, stake) in [("a", 80), ("b", 10), ("c", 10)] {
        world.operator(name);
        world.stake("alice", name, stake);
        world.join(name, set, 256);
        world.advance(1);
        weights.push(world.weight(set, "a"));
    }
    assert_eq!(weights[..2], [80, 80]);
    // 13 of 33 are not more than 40 %, and the stake stays.
    assert_eq!((weights[2], world.worth("alice", "a")), (13, 80));
}

/// C17: a retired operator takes no stake and owns no duty; its stakers leave when they like, and its name is not used again.
#[test]
fn c17_who_retires_stays_retired() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100);
    world.must("op", Operation::RetireOperator(ops::retire_operator::RetireOperator {}));
    world.deposit("bob", ETH, 1);
    let join = Operation::Delegate(world.delegation("op", ETH, 1));
    assert_eq!(world.refused("bob", join), "delegate.OperatorRetired");
    let again =
        Operation::RegisterOperator(ops::register_operator::RegisterOperator { groups: Groups::default() });
    assert_eq!(world.refused("op", again), "register_operator.AlreadyRegistered");
    world.advance(1);
    assert_eq!(world.weight(set, "op"), 0);
    world.leave("alice", "op");
    assert_eq!(world.slash(set, "op", 1, percent(10)), 10, "1 was on duty");
    world.advance(15);
    world.release("alice", "op").expect("free");
    assert_near(world.free("alice", ETH), 90);
}

/// C18: a closed set gives everything back; requests for earlier captures live on, and its deposit returns after W + V + X.
#[test]
fn c18_a_closed_set_still_punishes_what_happened() {
    let mut world = World::new();
    assert_eq!(world.propose(|p| p.object_deposit = Amount::new(10)).map_err(|why| why.code()), Ok(8));
    for name in ["op", SERVICE] {
        world.deposit(name, ETH, 20);
    }
    world.go_to(8);
    world.operator("op");
    let set = world.set(eth_terms(|_| {}));
    world.stake("alice", "op", 100);
    world.join("op", set, 256);
    world.advance(1);
    let request = world.ask(set, "op", 9, percent(10));
    world.must(SERVICE, Operation::CloseSet(ops::close_set::CloseSet { set }));
    let join = Operation::JoinSet(world.joining(set, 1));
    assert_eq!(world.refused("op", join), "join_set.SetClosed");
    world.advance(1);
    assert_eq!((world.execute(request), world.weight(set, "op")), (10, 0));
    world.go_to(9 + 14);
    assert_eq!(world.free(SERVICE, ETH), 10);
    world.advance(1);
    assert_eq!(world.free(SERVICE, ETH), 20);
}

/// C19: a service may send an operator away: it leaves as if it had left.
#[test]
fn c19_an_ejected_operator_leaves_and_stays_liable() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100);
    let operator = world.id("op");
    let eject = Operation::Eject(ops::eject::Eject { set, operator });
    assert_eq!(world.refused("mallory", eject.clone()), "eject.NotTheService");
    world.must(SERVICE, eject);
    assert_eq!(world.weight(set, "op"), 100, "on duty to the end of the epoch");
    world.advance(1);
    assert_eq!((world.weight(set, "op"), world.slash(set, "op", 1, percent(10))), (0, 10));
}

/// C26: governance lowers a value at once, and raises it after the notice.
#[test]
fn c26_a_value_falls_at_once_and_rises_after_the_notice() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100);
    let secured = |world: &World| world.view().sets[0].secured.units();
    world.govern(ETH, Some(1_000_000_000), None);
    world.advance(7);
    assert_eq!(secured(&world), 0);
    world.advance(1);
    assert_eq!(secured(&world), 100);
    world.govern(ETH, Some(500_000_000), None);
    assert_eq!(secured(&world), 50);
    world.must(SERVICE, World::declare(set, 45));
}

/// C27: anyone executes, for a tip out of the request's deposit; a veto and an execution never meet in an epoch.
#[test]
fn c27_anyone_executes_for_a_tip_and_never_in_an_epoch_of_vetoes() {
    let terms = eth_terms(|terms| (terms.resolvers, terms.veto) = (vec![address("resolver")], 3));
    let mut world = World::with(|genesis| genesis.parameters.request_deposit = Amount::new(100));
    world.operator("op");
    let set = world.set(terms);
    world.stake("alice", "op", ONE);
    world.join("op", set, 256);
    world.deposit(SERVICE, ETH, 100);
    world.advance(1);
    let request = world.ask(set, "op", 1, percent(10));
    for epoch in 1..=6 {
        world.go_to(epoch);
        let (mut vetoing, mut executing) = (world.clone(), world.clone());
        let can_veto = vetoing.run("resolver", World::veto(request)).is_ok();
        let can_execute = executing.run("keeper", World::execution(request)).is_ok();
        assert_eq!((can_veto, can_execute), (epoch <= 4, epoch > 4), "epoch {epoch}");
    }
    world.execute(request);
    assert_eq!((world.free("anyone", ETH), world.free(SERVICE, ETH)), (10, 90));
}

/// C28, C29: an operation counts the nonces of the keys that signed it only if signatures and nonces are right; whether it is refused
/// then makes no difference. A vote is k of the keys of the moment.
#[test]
fn c28_c29_a_nonce_moves_with_a_rightly_signed_operation_of_the_keys_of_the_moment() {
    let keys = [1, 2, 3, 4].map(|seed| SecretKey::from_seed(Scheme::Ed25519, [seed; 32]));
    let set_keys = |keys: &[&SecretKey]| {
        let keys = keys.iter().map(|key| key.public_key()).collect();
        Operation::SetKeys(ops::set_keys::SetKeys { keys, threshold: 2 })
    };
    let mut world = World::new();
    world.must("alice", set_keys(&[&keys[0], &keys[1], &keys[2]]));
    let nothing = || {
        Operation::Withdraw(ops::withdraw::Withdraw {
            asset: ETH,
            amount: Amount::new(1),
            to: "0xa".to_owned(),
        })
    };
    let mut run = |signers: &[(usize, u64)], operation: Operation| {
        let used: Vec<_> = signers.iter().map(|(key, nonce)| (&keys[*key], *nonce)).collect();
        world.run_signed("alice", &used, operation).map(drop).map_err(|why| why.code())
    };
    let refused = |code: &str| Err(code.to_owned());
    assert_eq!(run(&[(0, 0)], nothing()), refused("authority.TooFewKeys"));
    assert_eq!(run(&[(0, 0), (0, 0)], nothing()), refused("authority.KeyTwice"));
    assert_eq!(run(&[(0, 0), (3, 0)], nothing()), refused("authority.KeyNotOfAccount"));
    assert_eq!(run(&[(0, 0), (1, 1)], nothing()), refused("authority.NoncesDiffer"));
    assert_eq!(run(&[(0, 1), (1, 1)], nothing()), refused("authority.WrongNonce"));
    // None of them moved a nonce; this one does, though alice has nothing.
    assert_eq!(run(&[(0, 0), (1, 0)], nothing()), refused("withdraw.ExceedsFree"));
    assert_eq!(run(&[(0, 0), (2, 0)], nothing()), refused("authority.WrongNonce"));
    assert_eq!(run(&[(0, 1), (2, 1)], set_keys(&[&keys[2], &keys[3]])), Ok(()));
    assert_eq!(run(&[(0, 2), (1, 2)], nothing()), refused("authority.KeyNotOfAccount"));
    assert_eq!(run(&[(2, 2), (3, 2)], nothing()), refused("withdraw.ExceedsFree"));
}

/// C30: resolvers that are gone, or never were, veto nothing.
#[test]
fn c30_silence_is_no_veto() {
    let terms = eth_terms(|terms| (terms.resolvers, terms.veto) = (vec![address("nobody")], 5));
    let (mut world, set) = World::with_stake(terms, 100);
    let request = world.ask(set, "op", 1, percent(10));
    world.advance(6);
    assert_eq!(world.execute(request), 10);
}

/// C33: a certified pool becomes uncertified after the notice, and certified again at once.
#[test]
fn c33_an_uncertified_pool_is_a_wider_mandate() {
    let careful = Mandate { uncertified: false, ..any_mandate() };
    let mut world = World::new();
    world.operator_with("op", careful);
    let from = |world: &mut World, mandate: Mandate| {
        let change = ops::change_mandate::ChangeMandate { asset: ETH, mandate };
        let events = world.must("op", Operation::ChangeMandate(change));
        events.iter().find_map(|event| match event {
            protocol::Event::MandateChanged { from, .. } => Some(from.number()),
            _ => None,
        })
    };
    assert_eq!(from(&mut world, any_mandate()), Some(8));
    world.advance(8);
    assert_eq!(from(&mut world, careful), Some(8));
    // A standing order rests when the mandate is not what was signed.
    let mandate = world.state.mandate_digest(world.id("op"), ETH).expect("a pool");
    assert_eq!(
        Order { mandate, worst_case: Fraction::ONE }.mandate,
        careful.digest(world.id("op"), ETH, None)
    );
}

/// C34: group caps go by the ledger value and the labels of the last boundary: a new label in the same epoch is no way round.
#[test]
fn c34_group_caps_go_by_the_last_boundary() {
    let mut world = World::with(|genesis| genesis.parameters.caps.group = percent(60));
    let labelled = |label: &str| {
        let label = Some(label.to_owned());
        let groups =
            Groups { client: label.clone(), cloud: label.clone(), custody: label.clone(), code: label };
        Operation::SetGroups(ops::set_groups::SetGroups { groups })
    };
    for name in ["a", "b"] {
        world.operator(name);
        world.must(name, labelled(name));
        world.stake("alice", name, 100 * ONE);
    }
    world.rate_eth(1_000_000_000);
    world.deposit("bob", ETH, 100 * ONE);
    let join = Operation::Delegate(world.delegation("a", ETH, 100 * ONE));
    assert_eq!(world.refused("bob", join.clone()), "delegate.OverCap");
    world.must("a", labelled("new"));
    assert_eq!(world.refused("bob", join), "delegate.OverCap", "200 of 300 under whatever label");
    world.must("bob", Operation::Delegate(world.delegation("b", ETH, 20 * ONE)));
    assert_near(world.worth("bob", "b"), 20 * ONE);
}

/// C38: lowering a declared profit, or raising alpha, only helps the declarer: it takes the notice.
#[test]
fn c38_a_lower_profit_takes_the_notice() {
    let (mut world, set) =
        World::with_stake(eth_terms(|terms| terms.corruption_share = percent(50)), 220 * ONE);
    world.rate_eth(1_000_000_000);
    world.must(SERVICE, World::declare(set, 100 * ONE));
    world.must(SERVICE, World::declare(set, 0));
    let profit = |world: &World| world.view().sets[0].profit.units();
    world.advance(7);
    assert_eq!(profit(&world), 100 * ONE);
    world.advance(1);
    assert_eq!(profit(&world), 0);
    let half = eth_terms(|terms| terms.corruption_share = percent(50));
    assert!(half.is_worsened_by(&eth_terms(|_| {})), "alpha from a half to one");
}
