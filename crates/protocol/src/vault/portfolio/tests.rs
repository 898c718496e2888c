#![allow(clippy::disallowed_methods, reason = "sums of tests are small")]
use super::*;

/// Numbers that only depend on a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

fn percent(number: u64) -> Fraction {
    Fraction::from_percent(u8::try_from(number).unwrap())
}

/// At most 8 operators and 8 sets, of fewer services, slashers, owners and groups; sets may share parts.
fn portfolio(dice: &mut Dice) -> Portfolio {
    let sets = 1 + dice.below(8);
    let of_set: Vec<(u32, u8, u64)> = (0..sets)
        .map(|_| {
            (u32::try_from(dice.below(4)).unwrap(), u8::try_from(dice.below(4)).unwrap(), 1 + dice.below(100))
        })
        .collect();
    let slots = (0..1 + dice.below(8)).map(|operator| {
        let operator = u32::try_from(operator).unwrap();
        let stake = u128::from(dice.below(1000));
        let label = |dice: &mut Dice| match dice.below(3) {
            0 => None,
            label => Some(format!("{label}")),
        };
        let mut cells = Vec::new();
        for (set, (service, slasher, most)) in of_set.iter().enumerate() {
            if dice.below(2) == 0 {
                cells.push(Cell {
                    set: SetId::at(set),
                    service: ServiceId::new(*service),
                    slasher: Address([*slasher; 20]),
                    parts: u16::try_from(1 + dice.below(256)).unwrap(),
                    fraction: percent(*most),
                });
            }
        }
        Slot {
            operator: OperatorId::new(operator),
            owner: (dice.below(2) == 0).then(|| u16::try_from(dice.below(3)).unwrap()),
            groups: vec![(Dimension::Client, label(dice)), (Dimension::Cloud, label(dice))],
            stake: Amount::new(stake),
            principal: Amount::new(stake + u128::from(dice.below(20))),
            cells,
            most: None,
        }
    });
    let slots: Vec<Slot> = slots.collect();
    let nav = slots.iter().fold(0, |sum, slot| sum + slot.stake.units()) + u128::from(dice.below(1000));
    Portfolio { nav: Amount::new(nav), slots, services: Vec::new() }
}

fn hits(event: &Event, slot: &Slot, cell: &Cell) -> bool {
    match event {
        Event::Service(service) => cell.service == *service,
        Event::Slasher(slasher) => cell.slasher == *slasher,
        Event::Owner(owner) => slot.owner == Some(*owner),
        Event::Operator(operator) => slot.operator == *operator,
        Event::Group(dimension, label) => slot.groups.contains(&(*dimension, label.clone())),
    }
}

fn every_event(portfolio: &Portfolio) -> Vec<Event> {
    let mut events = Vec::new();
    for slot in &portfolio.slots {
        events.push(Event::Operator(slot.operator));
        events.extend(slot.owner.map(Event::Owner));
        events.extend(slot.groups.iter().map(|(dimension, label)| Event::Group(*dimension, label.clone())));
        for cell in &slot.cells {
            events.push(Event::Service(cell.service));
            events.push(Event::Slasher(cell.slasher));
        }
    }
    events
}

/// Cell by cell, each once, whatever hits it.
fn loss_of(portfolio: &Portfolio, events: &[&Event]) -> u128 {
    let whole = u128::from(Fraction::STEPS) * 256;
    let of_slot = |slot: &Slot| {
        let mut rate = 0;
        for cell in &slot.cells {
            if events.iter().any(|event| hits(event, slot, cell)) {
                rate += u128::from(cell.parts) * u128::from(cell.fraction.steps());
            }
        }
        (slot.principal.units() * rate).div_ceil(whole)
    };
    portfolio.slots.iter().map(of_slot).sum()
}

fn worst(portfolio: &Portfolio) -> (u128, u128) {
    let events = every_event(portfolio);
    let (mut one, mut two) = (0, 0);
    for first in &events {
        one = one.max(loss_of(portfolio, &[first]));
        for second in &events {
            two = two.max(loss_of(portfolio, &[first, second]));
        }
    }
    (one, two)
}

fn eventful() -> VaultCaps {
    VaultCaps { event: percent(10), two_events: percent(18), ..VaultCaps::off() }
}

/// B1.
#[test]
fn the_worst_one_and_two_events_are_those_that_trying_all_finds() {
    let mut dice = Dice(1);
    for round in 0..600 {
        let portfolio = portfolio(&mut dice);
        let caps = eventful();
        let limits = portfolio.limits(&caps);
        let (one, two) = worst(&portfolio);
        let found = limits.worst_event().map_or(0, |(event, value)| {
            assert_eq!(value.units(), loss_of(&portfolio, &[&event]), "round {round}");
            value.units()
        });
        assert_eq!(found, one, "round {round}");
        let found = limits.worst_two().map_or(0, |limit| limit.value.units());
        assert_eq!(found, two, "round {round}");
    }
}

/// The control of B1: adding up the two largest counts what both hit twice.
#[test]
fn adding_up_the_two_largest_events_would_be_wrong() {
    let mut dice = Dice(1);
    let mut wrong = 0;
    for _ in 0..300 {
        let portfolio = portfolio(&mut dice);
        let caps = eventful();
        let limits = portfolio.limits(&caps);
        let sum: u128 = limits.losses.iter().take(2).map(|loss| loss.value.units()).sum();
        wrong += u32::from(sum != worst(&portfolio).1);
    }
    assert!(wrong > 200, "{wrong}");
}

/// Random caps.
fn random_caps(dice: &mut Dice) -> VaultCaps {
    let mut share = |least: u64| percent(least + dice.below(100 - least + 1));
    VaultCaps {
        operator: share(10),
        owner: share(10),
        service: share(10),
        slasher: share(10),
        group: share(20),
        event: share(5),
        two_events: share(8),
        ..VaultCaps::off()
    }
}

/// Every cap from its words, cell by cell; the first that is exceeded.
fn exceeded_by_words(portfolio: &Portfolio, caps: &VaultCaps) -> bool {
    let most = |share: Fraction| share.of_down(portfolio.nav).units();
    let over = |value: u128, share: Fraction| share < Fraction::ONE && value > most(share);
    let staked = |chosen: &dyn Fn(&Slot) -> bool| -> u128 {
        portfolio.slots.iter().filter(|slot| chosen(slot)).map(|slot| slot.stake.units()).sum()
    };
    let owned = |chosen: &dyn Fn(&Cell) -> bool| -> u128 {
        let of_slot = |slot: &Slot| {
            let parts: u128 =
                slot.cells.iter().filter(|cell| chosen(cell)).map(|cell| u128::from(cell.parts)).sum();
            (slot.principal.units() * parts.min(256)).div_ceil(256)
        };
        portfolio.slots.iter().map(of_slot).sum()
    };
    let (one, two) = worst(portfolio);
    portfolio.slots.iter().any(|slot| {
        over(slot.stake.units(), caps.operator)
            || slot.owner.is_some_and(|owner| over(staked(&|other| other.owner == Some(owner)), caps.owner))
            || slot.groups.iter().any(|group| over(staked(&|other| other.groups.contains(group)), caps.group))
            || slot.cells.iter().any(|cell| {
                over(owned(&|other| other.service == cell.service), caps.service)
                    || over(owned(&|other| other.slasher == cell.slasher), caps.slasher)
            })
    }) || over(one, caps.event)
        || over(two, caps.two_events)
}

/// B2 and I16: what has room exceeds nothing, and a unit more does.
#[test]
fn what_has_room_keeps_every_cap_and_a_little_more_does_not() {
    let mut dice = Dice(7);
    let (mut filled, mut refused) = (0, 0);
    for round in 0..1000 {
        let mut portfolio = portfolio(&mut dice);
        // Large, so that what several slots round up is much less than what the smallest part of a unit is worth.
        let large = |amount: Amount| Amount::new(amount.units() * 1_000_000);
        portfolio.nav = large(portfolio.nav.plus(Amount::new(3000)).unwrap());
        for slot in &mut portfolio.slots {
            (slot.stake, slot.principal) = (large(slot.stake), large(slot.principal));
        }
        let caps = random_caps(&mut dice);
        let limits = portfolio.limits(&caps);
        assert_eq!(
            !limits.exceeded().is_empty(),
            exceeded_by_words(&portfolio, &caps),
            "round {round}: {:?}",
            limits.exceeded()
        );
        if exceeded_by_words(&portfolio, &caps) {
            refused += 1;
            continue;
        }
        let slot = usize::try_from(dice.below(portfolio.slots.len() as u64)).unwrap();
        let wanted = large(Amount::new(2000));
        let room = limits.room(slot, wanted);
        let mut after = portfolio.clone();
        after.add(slot, room);
        assert!(!exceeded_by_words(&after, &caps), "round {round}: {room} in slot {slot}");
        if room < wanted {
            filled += 1;
            after.add(slot, large(Amount::new(1)));
            assert!(exceeded_by_words(&after, &caps), "round {round}: {room} in slot {slot} is too little");
        }
    }
    assert!(filled > 200 && refused > 200, "{filled} {refused}");
}

/// B3.
#[test]
fn looser_caps_never_exclude_anything_and_tighter_ones_never_cost_more() {
    let mut dice = Dice(11);
    for round in 0..300 {
        let portfolio = portfolio(&mut dice);
        let tight = random_caps(&mut dice);
        let looser = |share: Fraction, dice: &mut Dice| share.plus_up_to_one(percent(dice.below(30)));
        let loose = VaultCaps {
            operator: looser(tight.operator, &mut dice),
            owner: looser(tight.owner, &mut dice),
            service: looser(tight.service, &mut dice),
            slasher: looser(tight.slasher, &mut dice),
            group: looser(tight.group, &mut dice),
            event: looser(tight.event, &mut dice),
            two_events: looser(tight.two_events, &mut dice),
            ..tight.clone()
        };
        let (under_tight, under_loose) = (portfolio.limits(&tight), portfolio.limits(&loose));
        if under_tight.exceeded().is_empty() {
            assert!(under_loose.exceeded().is_empty(), "round {round}");
        }
        for slot in 0..portfolio.slots.len() {
            let wanted = Amount::new(500);
            let (less, more) = (under_tight.room(slot, wanted), under_loose.room(slot, wanted));
            assert!(less <= more, "round {round}: {less} under tighter caps, {more} under looser ones");
            let after = |room| {
                let mut after = portfolio.clone();
                after.add(slot, room);
                worst(&after)
            };
            let (tightly, loosely) = (after(less), after(more));
            assert!(tightly.0 <= loosely.0 && tightly.1 <= loosely.1, "round {round}");
        }
    }
}

#[test]
fn ten_services_of_which_each_takes_half_sit_at_five_percent() {
    let slots = (0..10).map(|operator| Slot {
        operator: OperatorId::new(operator),
        owner: None,
        groups: Vec::new(),
        stake: Amount::new(100),
        principal: Amount::new(100),
        cells: vec![Cell {
            set: SetId::new(operator),
            service: ServiceId::new(operator),
            slasher: Address([u8::try_from(operator).unwrap(); 20]),
            parts: 256,
            fraction: percent(50),
        }],
        most: None,
    });
    let portfolio = Portfolio { nav: Amount::new(1000), slots: slots.collect(), services: Vec::new() };
    let caps = VaultCaps { event: percent(5), two_events: percent(10), ..VaultCaps::off() };
    let limits = portfolio.limits(&caps);
    assert_eq!(limits.worst_event().unwrap().1, Amount::new(50));
    assert_eq!(limits.worst_two().unwrap().value, Amount::new(100));
    assert!(limits.exceeded().is_empty());
    assert_eq!(limits.room(0, Amount::new(10)), Amount::ZERO);
}

#[test]
fn what_has_to_leave_brings_a_cap_back() {
    let mut dice = Dice(5);
    let mut seen = 0;
    for round in 0..500 {
        let portfolio = portfolio(&mut dice);
        let caps = random_caps(&mut dice);
        for limit in portfolio.limits(&caps).exceeded() {
            for (index, slot) in portfolio.slots.iter().enumerate() {
                let leaves = limit.to_leave(index);
                if leaves.is_zero() || leaves > slot.stake {
                    continue;
                }
                seen += 1;
                let mut after = portfolio.clone();
                after.slots[index].stake.shrink(leaves);
                after.slots[index].principal.shrink(leaves);
                let still = after.limits(&caps).exceeded().into_iter().find(|other| other.cap == limit.cap);
                let rest = still.map_or(0, |still| still.excess().units());
                assert!(rest <= 1, "round {round}: {rest} of {} is left", limit.cap);
            }
        }
    }
    assert!(seen > 300, "{seen}");
}
