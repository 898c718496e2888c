#![allow(clippy::disallowed_methods, reason = "sums of tests are small")]
use super::*;
use crate::vault::defence::without;

const ONE: u128 = PER_SHARES;
const HOUR: u64 = 3_600_000;

fn percent(number: u8) -> Fraction {
    Fraction::from_percent(number)
}

/// A report an hour, at most two hours old, 1 % an hour; 2 % are kept.
fn terms() -> DoorTerms {
    DoorTerms {
        heartbeat: HOUR,
        age_max: 2 * HOUR,
        change_max: percent(1),
        divergence_max: percent(3),
        age_min: 0,
        spread: percent(2),
    }
}

fn feed(price: u128) -> Feed {
    Feed { price, at: 0, risen: None, is_fallen: false }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

#[test]
fn a_spread_covers_what_a_price_may_change_while_it_counts() {
    assert_eq!(terms().check(), Ok(()));
    assert!(
        DoorTerms { spread: percent(1), ..terms() }
            .check()
            .unwrap_err()
            .contains("less than what a price may change")
    );
    assert!(DoorTerms { age_max: HOUR - 1, ..terms() }.check().unwrap_err().contains("heartbeat"));
    assert!(DoorTerms { heartbeat: 0, ..terms() }.check().is_err());
    assert_eq!(terms().change_in(HOUR / 2).to_string(), "0.005");
    assert_eq!(terms().change_in(u64::MAX), percent(2), "no more than what the greatest age allows");
}

#[test]
fn a_report_counts_by_how_far_it_moved() {
    let mut feed = feed(1000);
    assert_eq!(feed.report(&terms(), 1010, HOUR), Reported::Taken);
    assert_eq!(feed.report(&terms(), 1016, HOUR + HOUR / 2), Reported::Risen, "half an hour is worth 5");
    assert_eq!((feed.price, feed.at), (1010, HOUR), "nobody uses it");
    assert!(!feed.accept(1015) && feed.accept(1016));
    assert_eq!((feed.price, feed.at, feed.risen), (1016, HOUR + HOUR / 2, None));
    assert_eq!(feed.report(&terms(), 508, 2 * HOUR), Reported::Fallen);
    assert_eq!((feed.price, feed.is_fallen), (508, true), "bad news counts at once");
    assert_eq!(feed.report(&terms(), 510, 3 * HOUR), Reported::Taken);
    assert!(feed.is_fallen, "and closes entries until the second role agrees");
    assert!(feed.accept(510) && !feed.is_fallen && !feed.accept(510));
    assert!(feed.is_fresh(&terms(), 5 * HOUR) && !feed.is_fresh(&terms(), 5 * HOUR + 1));
    assert!(!Feed::default().is_fresh(&terms(), 0), "none was reported");
}

#[test]
fn the_first_price_takes_two_roles() {
    let mut feed = Feed::default();
    assert_eq!(feed.report(&terms(), 1000, HOUR), Reported::Risen);
    assert!(!feed.is_fresh(&terms(), HOUR));
    assert!(feed.accept(1000) && feed.is_fresh(&terms(), HOUR));
}

#[test]
fn in_kind_rounds_for_those_who_stay() {
    let shares = Shares::new;
    assert_eq!(part_down(shares(10), shares(1), shares(3)), shares(3));
    assert_eq!(part_up(shares(10), shares(1), shares(3)), Some(shares(4)));
    assert_eq!(part_down(shares(10), shares(1), shares(0)), shares(0));
    assert_eq!(part_up(Shares::LIMIT, Shares::LIMIT, shares(1)), None);
}

#[test]
fn a_day_of_inflow_drains_in_a_day() {
    let (mut inflow, per_day) = (Inflow::default(), Shares::new(2400));
    inflow.add(0, per_day, Shares::new(2000));
    assert_eq!(inflow.room(0, per_day), Shares::new(400));
    assert_eq!(inflow.room(10 * HOUR, per_day), Shares::new(1400));
    inflow.add(10 * HOUR, per_day, Shares::new(1400));
    assert_eq!(inflow.room(10 * HOUR, per_day), Shares::ZERO);
    assert_eq!(inflow.room(34 * HOUR, per_day), per_day);
}

/// What a unit of supply is worth to those who stay, if each leg is really worth `real`: compared exactly.
fn worth(legs: &[u128], real: &[u128]) -> u128 {
    legs.iter().zip(real).map(|(held, price)| held * price).sum()
}

/// Whatever the legs are worth between their two prices, no holder loses by anybody's single-sided entry or exit.
#[test]
fn nobody_gains_at_the_cost_of_the_holders() {
    let mut dice = Dice(3);
    for round in 0..20_000 {
        let count = 1 + usize::try_from(dice.below(4)).unwrap();
        let price = |dice: &mut Dice| {
            let low = 1 + u128::from(dice.below(2000)) * ONE / 1000;
            Price { low, high: low + u128::from(dice.below(300)) * ONE / 1000 }
        };
        let mut legs: Vec<(Shares, Price)> =
            (0..count).map(|_| (Shares::new(u128::from(dice.below(100_000))), price(&mut dice))).collect();
        let real: Vec<u128> = legs
            .iter()
            .map(|(_, price)| price.low + (price.high - price.low) * u128::from(dice.below(1001)) / 1000)
            .collect();
        let supply = 1 + u128::from(dice.below(1_000_000));
        let leg = usize::try_from(dice.below(u64::try_from(count).unwrap())).unwrap();
        let shares = Shares::new(1 + u128::from(dice.below(50_000)));
        let spread = percent(u8::try_from(dice.below(3)).unwrap());
        let held =
            |legs: &[(Shares, Price)]| -> Vec<u128> { legs.iter().map(|(held, _)| held.units()).collect() };
        let before = worth(&held(&legs), &real);
        let after_supply = if dice.below(2) == 0 {
            let Some(minted) = entered(&legs, leg, shares, (Shares::new(supply), spread)) else { continue };
            legs[leg].0.grow(shares);
            supply + minted.units()
        } else {
            let shares = shares.min(Shares::new(supply));
            let Some(paid) = left(&legs, leg, shares, (Shares::new(supply), spread)) else { continue };
            legs[leg].0.shrink(paid);
            supply - shares.units()
        };
        let after = worth(&held(&legs), &real);
        assert!(
            after * supply >= before * after_supply,
            "round {round}: {before}/{supply} to {after}/{after_supply}"
        );
    }
}

/// Two legs of which one moves; somebody enters with it or leaves with it whenever that pays, by what it is really worth.
struct Market {
    legs: Vec<(Shares, Price)>,
    supply: u128,
    feed: Feed,
    /// What arbitrage has made, in units at the prices of the moment.
    gained: i128,
}

impl Market {
    fn new() -> Self {
        let price = Price { low: ONE, high: ONE };
        let held = Shares::new(1_000_000_000_000);
        Self { legs: vec![(held, price); 2], supply: 1_000_000_000_000, feed: feed(ONE), gained: 0 }
    }

    /// Both doors are tried with 1 % of the basket, and closed at once against the other leg, which is worth one.
    fn arbitrage(&mut self, own: Price, real: u128, now: u64) {
        let terms = terms();
        if !self.feed.is_fresh(&terms, now) {
            return;
        }
        let price = Price::of(own, &self.feed);
        self.legs[0].1 = price;
        let shares = Shares::new(10_000_000_000);
        let spread = (Shares::new(self.supply), terms.spread);
        let basket = |legs: &[(Shares, Price)]| worth(&[legs[0].0.units(), legs[1].0.units()], &[real, ONE]);
        let is_open =
            !self.feed.is_fallen && self.feed.risen.is_none() && price.divergence() <= terms.divergence_max;
        let mut best = 0_i128;
        if let Some(minted) = entered(&self.legs, 0, shares, spread).filter(|_| is_open) {
            let (paid, supply) = (shares.units() * real, self.supply + minted.units());
            let got = (basket(&self.legs) + paid) / supply * minted.units();
            best = best.max(i128::try_from(got).unwrap() - i128::try_from(paid).unwrap());
        }
        for (leg, worth) in [(0, real), (1, ONE)] {
            if leg == 0 && self.feed.risen.is_some() {
                continue;
            }
            if let Some(paid) = left(&self.legs, leg, shares, spread) {
                let gave = basket(&self.legs) / self.supply * shares.units();
                let got = paid.units() * worth;
                best = best.max(i128::try_from(got).unwrap() - i128::try_from(gave).unwrap());
            }
        }
        self.gained += best / i128::try_from(ONE).unwrap();
    }
}

/// A price that moves at most 1 % an hour, in steps of six minutes, reported within the hour or, sometimes, an hour late.
fn random_walk(dice: &mut Dice, steps: u64) -> i128 {
    let mut market = Market::new();
    let (mut real, mut next_report) = (ONE, HOUR);
    for step in 1..=steps {
        let now = step * HOUR / 10;
        let change = u128::from(dice.below(2001));
        real = real * (1_000_000 + change - 1000) / 1_000_000;
        if now >= next_report {
            let _ = market.feed.report(&terms(), real, now);
            next_report = now + HOUR + dice.below(2) * HOUR / 2;
            let accepted = market.feed.risen.map_or(market.feed.price, |(price, _)| price);
            market.feed.accept(accepted);
        }
        // What the vault itself pays lags too, by being one; entries close where both are too far apart.
        market.arbitrage(Price { low: ONE, high: ONE }, real, now);
    }
    market.gained
}

/// A8.
#[test]
fn an_old_price_pays_nobody() {
    let mut dice = Dice(8);
    let total: i128 = (0..2000).map(|_| random_walk(&mut dice, 50)).sum();
    assert_eq!(total, 0);
}

/// What arbitrage gains while a leg loses a third in 34 hours: the vault says `own` of the price, and the reporter `said` of the hour and the price.
fn decline(
    defence: Option<Defence>,
    own: impl Fn(u128) -> Price,
    said: impl Fn(u64, u128) -> Option<u128>,
) -> i128 {
    without(defence, || {
        let mut market = Market::new();
        for hour in 1..=40_u64 {
            let real = ONE * u128::from(100 - hour.min(34)) / 100;
            if let Some(said) = said(hour, real) {
                let _ = market.feed.report(&terms(), said, hour * HOUR);
            }
            market.arbitrage(own(real), real, hour * HOUR);
        }
        market.gained
    })
}

/// A8, controls: a price of any age, and the reported price alone.
#[test]
fn one_source_of_any_age_would_pay() {
    let whole = |_| Price { low: ONE, high: ONE };
    let falls_silent = |hour, real| (hour < 3).then_some(real);
    assert_eq!(decline(None, whole, falls_silent), 0, "nobody reports any more, and the doors close");
    assert!(decline(Some(Defence::FeedAge), whole, falls_silent) > 0);
    let exact = |real| Price { low: real, high: real };
    let is_wrong = |_, _| Some(ONE);
    assert_eq!(
        decline(None, exact, is_wrong),
        0,
        "somebody reports what is wrong, and the vault knows better"
    );
    assert!(decline(Some(Defence::TwoSources), exact, is_wrong) > 0);
}

/// A8, as in June 2022 (94 % within days) and in April 2024 (40 % within the hour): the fall is reported at the next heartbeat, however
/// large it is. What can be gained is what was brought before anybody said so.
#[test]
fn a_crash_costs_at_most_what_came_in_before_it_was_reported() {
    for falls in [vec![99, 98, 98, 97, 96, 95, 94], vec![100, 60, 58, 62, 70, 80]] {
        let mut market = Market::new();
        let mut reported_at_once = Market::new();
        for (hour, real) in falls.iter().enumerate() {
            let now = u64::try_from(hour + 1).unwrap() * HOUR;
            let real = ONE * *real / 100;
            market.arbitrage(Price { low: ONE, high: ONE }, real, now - 1);
            for each in [&mut market, &mut reported_at_once] {
                let _ = each.feed.report(&terms(), real, now);
            }
            reported_at_once.arbitrage(Price { low: ONE, high: ONE }, real, now);
        }
        assert_eq!(reported_at_once.gained, 0, "{falls:?}");
        // A hundredth of the basket at most, times the fall that nobody had reported.
        assert!(market.gained < 10_000_000_000 * 2 / 5, "{falls:?}: {}", market.gained);
    }
}

/// A9: within the report itself the old price is gone, for whoever it is good.
#[test]
fn a_fall_by_half_leaves_no_door_at_the_old_price() {
    let fallen = |defence: Option<Defence>| {
        without(defence, || {
            let mut market = Market::new();
            let reported = market.feed.report(&terms(), ONE / 2, HOUR);
            assert_eq!(reported, Reported::Fallen);
            market.arbitrage(Price { low: ONE, high: ONE }, ONE / 2, HOUR);
            (market.feed.price, market.gained)
        })
    };
    assert_eq!(fallen(None), (ONE / 2, 0));
    let (price, gained) = fallen(Some(Defence::TakeFalls));
    assert_eq!(price, ONE, "the control keeps the old price, as caps that refuse do");
    assert!(gained > 4_000_000_000, "half of what is brought: {gained}");
}
