//! The operator escapes.

use evidence::Scheme;
use protocol::terms::{Correlation, JailTerms};
use protocol::units::{Epoch, Fraction, SetId};
use protocol::{Event, Groups, Operation, ops};

use crate::offers::{ETH, ONE, SERVICE, address, all_to, eth_terms, percent};
use crate::receipts::{assert_near, equivocation, taken};
use crate::world::World;

/// The findings that are tested here, each by its first test.
pub(crate) const FINDINGS: [(u8, fn()); 10] = [
    (15, f15_what_an_operator_s_stakers_lose_does_not_depend_on_the_order),
    (16, f16_a_late_slash_finds_the_guilty_and_spares_who_came_after),
    (17, f17_a_friend_can_not_slash_first_what_is_asked_of_the_operator),
    (18, f18_a_pool_has_at_most_64_owners),
    (19, f19_a_small_confession_pardons_nothing),
    (20, f20_the_part_by_correlation_is_that_of_the_whole_window_for_everybody),
    (21, f21_a_retired_key_still_convicts),
    (22, f22_withheld_consent_ends_the_allocation_and_pardons_nothing),
    (23, f23_a_jail_holds_its_operator_and_at_most_a_third_of_the_weight),
    (24, f24_ten_names_that_declare_nothing_are_one_group),
];

/// Two sets own half of a pool each. A was bonded in 5 to 7, B since 5; both have 100. The slashes of a half, by (set, capture), in this
/// order: what A and B have left.
fn slash_in_order(order: [(usize, u32); 2]) -> (u128, u128) {
    let mut world = World::new();
    world.operator("op");
    let sets = [world.set(eth_terms(|_| {})), world.set(eth_terms(|_| {}))];
    world.go_to(4);
    world.stake("a", "op", 100 * ONE);
    world.stake("b", "op", 100 * ONE);
    for set in sets {
        world.join("op", set, 128);
    }
    world.go_to(7);
    world.leave("a", "op");
    world.go_to(11);
    let requests = order.map(|(set, capture)| world.ask(sets[set], "op", capture, percent(50)));
    world.advance(1);
    for request in requests {
        world.execute(request);
    }
    (world.worth("a", "op"), world.worth("b", "op"))
}

/// 15: i and j own half each, and slash a half for 10 and for 5. With one capacity per pool A loses 33.3 or 25 by order, and 16.7 when j
/// alone slashes twice. Slices: A always loses a half of j's half, and B a half of both.
#[test]
fn f15_what_an_operator_s_stakers_lose_does_not_depend_on_the_order() {
    let (i, j) = (0, 1);
    for order in [[(i, 10), (j, 5)], [(j, 5), (i, 10)]] {
        let (a, b) = slash_in_order(order);
        assert_near(a, 75 * ONE);
        assert_near(b, 50 * ONE);
    }
    for order in [[(j, 10), (j, 5)], [(j, 5), (j, 10)]] {
        let (a, b) = slash_in_order(order);
        assert_near(a, 75 * ONE);
        assert_near(b, 50 * ONE + 50 * ONE / 4);
    }
    // One capacity M, from which the first slash took i's quarter: j's half of it is two thirds of what A has.
    let (capacity_left, of_j) = (75, 50);
    assert_eq!(100 * of_j / 2 / capacity_left, 33);
}

/// 16: who joined in 103 is merged with the old stake in 111, when it is older than W = 7; an offence of 100 is requested in 107 and
/// executed in 114. Merged, the newcomer pays; skipped, the guilty escape. Stake merges after W + V + X = 14.
#[test]
fn f16_a_late_slash_finds_the_guilty_and_spares_who_came_after() {
    let vetoable = eth_terms(|terms| (terms.resolvers, terms.veto) = (vec![address("resolver")], 5));
    let (mut world, set) = World::with_stake(vetoable, 100 * ONE);
    world.go_to(102);
    world.stake("newcomer", "op", 100 * ONE);
    world.go_to(107);
    let request = world.ask(set, "op", 100, percent(50));
    world.go_to(114);
    let mut merged = world.clone();
    assert_eq!(world.execute(request), 50 * ONE);
    assert_eq!((world.worth("alice", "op"), world.worth("newcomer", "op")), (50 * ONE, 100 * ONE));

    // The control: for an offence of 107 they are one cohort, and both pay.
    let request = merged.ask(set, "op", 107, percent(50));
    merged.advance(6);
    merged.execute(request);
    assert_eq!((merged.worth("alice", "op"), merged.worth("newcomer", "op")), (50 * ONE, 50 * ONE));
}

/// 17: a request of A is pending; a friend's set, which shares the stake and pays the operator, slashes everything first, and A finds
/// nothing. Sharing sets burn, and a set of weight 1 shares with nobody.
#[test]
fn f17_a_friend_can_not_slash_first_what_is_asked_of_the_operator() {
    let mut world = World::new();
    let paying = eth_terms(|terms| {
        terms.risk_weight = Fraction::from_steps(Fraction::STEPS / 16).expect("a fraction");
        terms.destinations = all_to("op");
    });
    let create = Operation::CreateSet(ops::create_set::CreateSet { terms: paying.clone() });
    assert_eq!(world.refused(SERVICE, create), "create_set.BadTerms");

    let sharing = |weight: u8| eth_terms(|terms| terms.risk_weight = percent(weight));
    let a_slashes_after_a_friend = |weight_of_a: u8| {
        let mut world = World::new();
        world.operator("op");
        let (a, friend) = (world.set(sharing(weight_of_a)), world.set(sharing(50)));
        world.stake("alice", "op", 100 * ONE);
        world.join("op", a, 128);
        world.join("op", friend, 128);
        world.advance(1);
        let asked = world.ask(a, "op", 1, Fraction::ONE);
        let first = world.ask(friend, "op", 1, Fraction::ONE);
        world.advance(1);
        world.execute(first);
        world.execute(asked)
    };
    assert_eq!(a_slashes_after_a_friend(100), 50 * ONE, "A of weight 1 is alone on its half");
    assert_eq!(a_slashes_after_a_friend(50), 0, "the control: A shares its half, and its price is rho");
}

/// 18: the operator joins sets of its own until a slash costs more than anybody can execute. 64 sets may own parts of a pool.
#[test]
fn f18_a_pool_has_at_most_64_owners() {
    let world_with = |most: u16| {
        let mut world = World::with(|genesis| genesis.limits.sets_per_pool = most);
        world.operator("op");
        world.stake("alice", "op", 256 * ONE);
        for _ in 0..64 {
            let set = world.set(eth_terms(|_| {}));
            world.join("op", set, 3);
        }
        let set = world.set(eth_terms(|_| {}));
        (world.joining(set, 3), world)
    };
    let (join, mut world) = world_with(64);
    assert_eq!(world.refused("op", Operation::JoinSet(join)), "join_set.AllocationRefused");
    world.advance(1);
    assert_eq!(world.slash(SetId::new(0), "op", 1, Fraction::ONE), 3 * ONE, "and each of them is paid");
    // The control: a limit of 65 admits one more.
    let (join, mut world) = world_with(65);
    world.must("op", Operation::JoinSet(join));
}

/// 19: one fault is "missed duty, 1 %" and "equivocation, 50 %", and a friend reports the small one first. They are different offences,
/// and a graver report of the same offence would take the difference.
#[test]
fn f19_a_small_confession_pardons_nothing() {
    let terms = eth_terms(|terms| terms.offences.equivocation = Some(percent(50)));
    let (mut world, set) = World::with_stake(terms, 100 * ONE);
    let key = world.key("op", set, Scheme::Ed25519, 1);
    world.advance(1);
    assert_eq!(world.slash(set, "op", 2, percent(1)), ONE);
    world.submit(equivocation(&key, set, 2, 9, [1, 2])).expect("it is another offence");
    assert_near(world.worth("alice", "op"), 99 * ONE / 2);
    // Punished once, whatever for, the confession would leave 99.
    assert!(world.worth("alice", "op") < 99 * ONE);
}

/// A has 20 % of the weight and B 10 %; both equivocate, A in `epochs.0` and B in `epochs.1`, at a base of 1 %. The part by correlation of
/// both, when it is taken as late as it can be.
fn correlate(epochs: (u32, u32)) -> (Fraction, Fraction) {
    let mut world = World::new();
    let set = world.set(eth_terms(|terms| {
        terms.offences.equivocation = Some(percent(1));
        terms.offences.correlation = Some(Correlation { multiplier: 3, exponent: 1 });
    }));
    for (name, stake) in [("a", 20), ("b", 10), ("c", 70)] {
        world.operator(name);
        world.stake("alice", name, stake * ONE);
        world.join(name, set, 256);
    }
    let keys = [world.key("a", set, Scheme::Ed25519, 1), world.key("b", set, Scheme::Ed25519, 2)];
    let part = |world: &mut World, name: &str, key: usize, capture: u32| {
        world.go_to(capture);
        world.submit(equivocation(&keys[key], set, capture, 1, [1, 2])).expect("it is proven");
        let operator = world.id(name);
        Operation::Correlate(ops::correlate::Correlate { set, operator, capture: Epoch::new(capture) })
    };
    let of_a = part(&mut world, "a", 0, epochs.0);
    let of_b = part(&mut world, "b", 1, epochs.1);
    let mut carry_out = |capture: u32, correlate: Operation| {
        world.go_to(capture + 14);
        match world.must("anyone", correlate).first() {
            Some(Event::Slashed { asked, .. }) => *asked,
            other => panic!("{other:?}"),
        }
    };
    (carry_out(epochs.0, of_a), carry_out(epochs.1, of_b))
}

/// 20: factor 3, A with 20 % and B with 10 % of the weight. Taken with the base part A pays 60 % and B 90 %, by order. Taken when the
/// window is over, both pay for both.
#[test]
fn f20_the_part_by_correlation_is_that_of_the_whole_window_for_everybody() {
    assert_eq!(correlate((100, 100)), (percent(90), percent(90)));
    // 7 epochs apart they are still in one window, whoever looks back.
    let (a, b) = correlate((100, 107));
    assert!(a >= percent(89) && b >= percent(89), "{a} and {b}");
    // The control: 8 epochs apart they are not, and each pays for itself.
    let (a, b) = correlate((100, 108));
    assert!(a <= percent(61) && b <= percent(31), "{a} and {b}");
}

/// 21: the operator rotates its key and publishes the equivocation of the old one. A key stays punishable through W after its last epoch.
#[test]
fn f21_a_retired_key_still_convicts() {
    let (mut world, set) = World::with_stake(eth_terms(|_| {}), 100 * ONE);
    let old = world.key("op", set, Scheme::Ed25519, 1);
    world.go_to(10);
    let new = world.key("op", set, Scheme::Ed25519, 2);
    world.go_to(17);
    let mut late = world.clone();
    // The control: the new key did not count in 10, nor the old one in 11.
    for (key, epoch) in [(&new, 10), (&old, 11)] {
        let outcome = world.submit(equivocation(key, set, epoch, 1, [1, 2]));
        assert!(outcome.is_err_and(|why| why.code() == "submit_equivocation.KeyNotRegistered"));
    }
    assert_eq!(
        taken(&world.submit(equivocation(&old, set, 10, 1, [1, 2])).expect("10 + W is 17")),
        100 * ONE
    );
    late.advance(1);
    let outcome = late.submit(equivocation(&old, set, 10, 1, [1, 2]));
    assert!(outcome.is_err_and(|why| why.code() == "submit_equivocation.TooLate"));
}

/// 22: the operator withholds consent to worse terms, and nobody knows when its allocation ends and under what. It is gone in the epoch
/// in which they start, and what happened before stays under the old terms.
#[test]
fn f22_withheld_consent_ends_the_allocation_and_pardons_nothing() {
    let capped = |cap: u8| eth_terms(|terms| terms.window_cap = percent(cap));
    let (mut world, set) = World::with_stake(capped(10), 100 * ONE);
    world.must(SERVICE, World::change_terms(set, capped(50)));
    world.go_to(8);
    assert_eq!((world.parts("op", set), world.weight(set, "op")), ((256, 256), 100 * ONE));
    world.advance(1);
    assert_eq!((world.parts("op", set), world.weight(set, "op")), ((0, 0), 0));
    // 8 was on duty under a cap of 10 %; 9 was not.
    let request = world.request(set, "op", 9, percent(50));
    assert_eq!(world.refused(SERVICE, request), "request_slash.NotOnDuty");
    assert_eq!(world.slash(set, "op", 8, percent(50)), 10 * ONE);
}

/// 23: an operator jails itself out of a duty, or leaves and joins to be out of jail at once; or a service jails everybody but its friend
/// with 5 %, which then has all of the weight and the rewards. A third of the weight may be jailed in a window, and only time ends a jail.
#[test]
fn f23_a_jail_holds_its_operator_and_at_most_a_third_of_the_weight() {
    let mut world = World::new();
    let set = world.set(eth_terms(|terms| terms.jail = JailTerms { on_equivocation: true, period: 3 }));
    for (name, stake) in [("friend", 5), ("a", 25), ("b", 30), ("c", 40)] {
        world.operator(name);
        world.stake("alice", name, stake * ONE);
        world.join(name, set, 256);
    }
    world.advance(1);
    let jail = |world: &World, name: &str| Operation::Jail(ops::jail::Jail { set, operator: world.id(name) });
    let jails = ["a", "b", "c"].map(|name| (name, jail(&world, name)));
    let outcomes = jails.map(|(_, jail)| world.run(SERVICE, jail).is_ok());
    assert_eq!(outcomes, [true, false, false], "a quarter, and then no more");
    world.advance(1);
    assert_eq!(world.weight(set, "a"), 0);
    // Unbounded, the friend would be paid alone: 5 of 5 instead of 5 of 100.
    assert_eq!(world.weight(set, "friend"), 5 * ONE);

    let unjail = Operation::Unjail(ops::unjail::Unjail { set });
    world.leave_set("a", set);
    world.join("a", set, 256);
    world.advance(1);
    assert_eq!(world.weight(set, "a"), 0, "who leaves a jail comes back to it");
    assert_eq!(world.refused("a", unjail.clone()), "unjail.TooEarly");
    world.advance(2);
    world.must("a", unjail);
    world.advance(1);
    assert_eq!(world.weight(set, "a"), 25 * ONE, "it returns by itself");
}

/// Ten names of one owner take 20 each beside eight declared operators with 100 each. How many are let.
fn ten_names(undeclared: Fraction) -> usize {
    let mut world = World::with(|genesis| {
        let caps = &mut genesis.parameters.caps;
        (caps.operator, caps.undeclared) = (percent(20), undeclared);
    });
    for index in 0..8 {
        let name = format!("honest{index}");
        world.operator(&name);
        let label = Some(name.clone());
        let groups =
            Groups { client: label.clone(), cloud: label.clone(), custody: label.clone(), code: label };
        world.must(&name, Operation::SetGroups(ops::set_groups::SetGroups { groups }));
        world.stake("alice", &name, 100 * ONE);
    }
    world.rate_eth(1_000_000_000);
    world.deposit("owner", ETH, 200 * ONE);
    let mut is_let = |index: u32| {
        let name = format!("name{index}");
        world.operator(&name);
        let delegation = Operation::Delegate(world.delegation(&name, ETH, 20 * ONE));
        world.run("owner", delegation).is_ok()
    };
    (0..10).filter(|index| is_let(*index)).count()
}

/// 24: an operator under ten names passes the cap per operator of 20 %. What is not declared is one group, here of 5 %.
#[test]
fn f24_ten_names_that_declare_nothing_are_one_group() {
    assert_eq!(ten_names(percent(5)), 2);
    assert_eq!(ten_names(Fraction::ONE), 10, "without the group the ten are 20 % of everything");
}
