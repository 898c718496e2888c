//! Where stake goes and where it is taken from: by how far each place is from its target, measured by its own band; never by its number.
//!
//! Amounts are filled like water: first whoever lacks most of its band, until the next lacks as much. Whoever has more than its target is
//! asked first, in the same way; after that, whoever earns least for its risk.

use std::cmp::Ordering;

use crate::units::{Amount, OperatorId};
use crate::wide;

/// A place for stake: an operator with its band, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) operator: OperatorId,
    /// Stake that it has not been asked for back.
    pub(crate) stake: Amount,
    pub(crate) min: Amount,
    pub(crate) target: Amount,
    pub(crate) max: Amount,
    /// What every cap leaves room for; nothing where nothing may be added.
    pub(crate) room: Amount,
    /// What a unit earns, by what it may lose: the scale is the same for all.
    pub(crate) merit: u128,
    /// Decides where all else is equal; other in every epoch.
    pub(crate) lot: u64,
}

/// An amount that moves to or from a place.
pub(crate) type Step = (OperatorId, Amount);

/// What a place lacks or has too much, by the width of its band.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    /// Where the place stands among all.
    pub(crate) place: usize,
    pub(crate) gap: Amount,
    pub(crate) width: Amount,
    /// Its stake: where gaps are alike, who has less comes first.
    pub(crate) stake: Amount,
}

impl Gap {
    /// `gap / width`, the larger first; then less stake. What decides then is the place's own ([`Place::tie`]), and at last its number.
    fn rank(&self, other: &Self, tie: &impl Fn(usize, usize) -> Ordering) -> Ordering {
        let by_gap = || {
            let (own, theirs) = (self.gap.units(), other.gap.units());
            wide::compare((theirs, self.width.units()), (own, other.width.units()))
        };
        let is_alike = self.gap == other.gap && self.width == other.width;
        let first = if is_alike { Ordering::Equal } else { by_gap() };
        first
            .then(self.stake.cmp(&other.stake))
            .then_with(|| tie(self.place, other.place))
            .then(self.place.cmp(&other.place))
    }
}

/// Gaps, the largest share of a band first, kept so while one after the other is filled. Between places with gaps and stake alike a tie
/// decides, which callers give, always the same one.
pub(crate) struct Ranked {
    gaps: Vec<Gap>,
    /// How far the first gaps were level when last asked: the gaps up to here, with their sum and that of their widths.
    upto: usize,
    sum: Amount,
    widths: Amount,
}

impl Ranked {
    /// Ranks gaps; those of nothing are none.
    pub(crate) fn new(mut gaps: Vec<Gap>, tie: &impl Fn(usize, usize) -> Ordering) -> Self {
        gaps.retain(|gap| !gap.gap.is_zero());
        gaps.sort_unstable_by(|one, other| one.rank(other, tie));
        let mut ranked = Self { gaps, upto: 0, sum: Amount::ZERO, widths: Amount::ZERO };
        ranked.restart();
        ranked
    }

    /// All of them, in their order.
    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    fn restart(&mut self) {
        let first = self.gaps.first();
        self.upto = 0;
        (self.sum, self.widths) = first.map_or((Amount::ZERO, Amount::ZERO), |gap| (gap.gap, gap.width));
    }

    /// Whether the gaps up to here, once `amount` has levelled them, lack no less of their bands than the next one.
    fn is_level(&self, (upto, sum, widths): (usize, Amount, Amount), amount: Amount) -> bool {
        let left = amount.room_below(sum).units();
        self.gaps.get(upto.saturating_add(1)).is_none_or(|next| {
            let (gap, width) = (next.gap.units(), next.width.units());
            wide::compare((left, width), (gap, widths.units())).is_ge()
        })
    }

    /// Moves the mark to the first gap with which those up to it are level: what is level stays so with more of them.
    fn find_level(&mut self, amount: Amount) -> Option<()> {
        while !self.is_level((self.upto, self.sum, self.widths), amount) {
            let next = self.gaps.get(self.upto.saturating_add(1))?;
            self.sum = self.sum.plus(next.gap)?;
            self.widths = self.widths.plus(next.width)?;
            self.upto = self.upto.saturating_add(1);
        }
        while let Some(before) = self.upto.checked_sub(1) {
            let last = self.gaps.get(self.upto)?;
            let (sum, widths) = (last.gap.room_below(self.sum), last.width.room_below(self.widths));
            if !self.is_level((before, sum, widths), amount) {
                break;
            }
            (self.upto, self.sum, self.widths) = (before, sum, widths);
        }
        Some(())
    }

    /// The first step of spreading `amount` over the gaps so that what is left of each is the same share of its band: the one with the
    /// largest.
    pub(crate) fn first(&mut self, amount: Amount) -> Option<(Gap, Amount)> {
        let top = *self.gaps.first()?;
        self.find_level(amount)?;
        let left = amount.room_below(self.sum).units();
        // What would be left of the largest gap, once all of those so far are level.
        let kept = wide::checked_mul_div_down(left, top.width.units(), self.widths.units())?;
        let step = Amount::new(kept).min(top.gap).room_below(top.gap).min(amount);
        Some((top, step))
    }

    /// The first place has another gap and other stake now; with no gap it is none of them any more.
    pub(crate) fn refill(&mut self, gap: Amount, stake: Amount, tie: &impl Fn(usize, usize) -> Ordering) {
        let Some(first) = self.gaps.first_mut() else { return };
        let (before, width) = (first.gap, first.width);
        (first.gap, first.stake) = (gap, stake);
        if gap.is_zero() {
            self.gaps.remove(0);
            match self.upto.checked_sub(1) {
                Some(upto) => {
                    self.upto = upto;
                    (self.sum, self.widths) = (before.room_below(self.sum), width.room_below(self.widths));
                }
                None => self.restart(),
            }
            return;
        }
        let (first, rest) = self.gaps.split_first().expect("the first was just there");
        let place = rest.partition_point(|other| other.rank(first, tie).is_lt());
        if let Some(moved) = self.gaps.get_mut(..=place) {
            moved.rotate_left(1);
        }
        if place <= self.upto {
            self.sum = before.room_below(self.sum);
            self.sum.grow(gap);
        } else {
            self.restart();
        }
    }
}

/// The width of a band, at least a unit.
pub(crate) fn width(min: Amount, max: Amount) -> Amount {
    min.room_below(max).max(Amount::new(1))
}

/// Half way between a target and an upper end: what is filled beyond a target stays clear of what would be asked back.
pub(crate) fn middle(target: Amount, max: Amount) -> Amount {
    let room = target.room_below(max).units();
    let mut middle = target;
    middle.grow(Amount::new(room >> 1));
    middle
}

impl Place {
    /// The width of its band, at least a unit.
    fn width(&self) -> Amount {
        width(self.min, self.max)
    }

    fn middle(&self) -> Amount {
        middle(self.target, self.max)
    }

    /// Which of two that are alike comes first: more merit, then the lot.
    fn tie(&self, other: &Self) -> Ordering {
        other.merit.cmp(&self.merit).then(self.lot.cmp(&other.lot))
    }
}

/// Gaps of places, ranked.
fn ranked(places: &[Place], gap: impl Fn(&Place) -> Amount, least: Amount) -> Ranked {
    let of = |(index, place): (usize, &Place)| Gap {
        place: index,
        gap: gap(place),
        width: place.width(),
        stake: place.stake,
    };
    let gaps = places.iter().enumerate().map(of).filter(|gap| gap.gap >= least);
    let tie = |one: usize, other: usize| match (places.get(one), places.get(other)) {
        (Some(one), Some(other)) => one.tie(other),
        _ => Ordering::Equal,
    };
    Ranked::new(gaps.collect(), &tie)
}

fn operator_of(places: &[Place], gap: &Gap) -> Option<OperatorId> {
    places.get(gap.place).map(|place| place.operator)
}

/// Where the next of `amount` goes: to the largest gap below a band's lower end, then below a target. Where every target is reached or out of
/// reach, what targets out of reach leave over goes half way from targets to upper ends. At least `least` at once.
pub(crate) fn into(places: &[Place], amount: Amount, least: Amount) -> Option<Step> {
    let least = least.max(Amount::new(1));
    let up_to = |end: fn(&Place) -> Amount| {
        ranked(places, move |place| place.stake.room_below(end(place)).min(place.room), least)
    };
    if amount < least {
        return None;
    }
    // Lower ends come first: where many share a cap that is soon used up, each gets its least.
    let mut below = up_to(|place| place.min.min(place.target));
    if below.gaps().is_empty() {
        below = up_to(|place| place.target);
    }
    let (mut gaps, amount) = if below.gaps().is_empty() {
        let staked = Amount::total(places.iter().map(|place| place.stake))?;
        let targets = Amount::total(places.iter().map(|place| place.target))?;
        (up_to(Place::middle), amount.min(staked.room_below(targets)))
    } else {
        (below, amount)
    };
    if amount < least {
        return None;
    }
    let (top, step) = gaps.first(amount)?;
    Some((operator_of(places, &top)?, step.max(least).min(top.gap)))
}

/// Where the next of `amount` is asked back: from the largest surplus above a target; then from what earns least for its risk, down to
/// the lower end of its band; then from it whatever there is.
pub(crate) fn out_of(places: &[Place], amount: Amount) -> Option<Step> {
    if amount.is_zero() {
        return None;
    }
    let mut surplus = ranked(places, |place| place.target.room_below(place.stake), Amount::ZERO);
    if let Some((top, step)) = surplus.first(amount) {
        return Some((operator_of(places, &top)?, step.max(Amount::new(1))));
    }
    for end in [|place: &Place| place.min, |_: &Place| Amount::ZERO] {
        let above = |place: &&Place| place.stake > end(place);
        let by_merit = |a: &&Place, b: &&Place| {
            a.merit.cmp(&b.merit).then(b.stake.cmp(&a.stake)).then(a.lot.cmp(&b.lot))
        };
        if let Some(place) = places.iter().filter(above).min_by(by_merit) {
            return Some((place.operator, end(place).room_below(place.stake).min(amount)));
        }
    }
    None
}

/// What is beyond the upper end of its band and is asked back down to the target, whoever is furthest beyond first.
pub(crate) fn beyond(places: &[Place]) -> Option<Step> {
    let over = |place: &Place| {
        if place.stake > place.max { place.target.room_below(place.stake) } else { Amount::ZERO }
    };
    let over = ranked(places, over, Amount::ZERO);
    let furthest = over.gaps().first()?;
    Some((operator_of(places, furthest)?, furthest.gap))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "sums of tests are small")]
mod tests {
    use super::*;

    fn place(operator: u32, stake: u128, [min, target, max]: [u128; 3]) -> Place {
        Place {
            operator: OperatorId::new(operator),
            stake: Amount::new(stake),
            min: Amount::new(min),
            target: Amount::new(target),
            max: Amount::new(max),
            room: Amount::new(u128::MAX),
            merit: 0,
            lot: u64::from(operator),
        }
    }

    fn fill(places: &mut [Place], mut amount: u128, least: u128) -> Vec<(u32, u128)> {
        let mut steps = Vec::new();
        while let Some((operator, step)) = into(places, Amount::new(amount), Amount::new(least)) {
            assert!(!step.is_zero() && step.units() <= amount, "{step} of {amount}");
            amount -= step.units();
            let place = places.iter_mut().find(|place| place.operator == operator).unwrap();
            place.stake.grow(step);
            place.room.shrink(step);
            steps.push((operator.number(), step.units()));
            assert!(steps.len() <= places.len() * 2, "{steps:?}");
        }
        steps
    }

    #[test]
    fn who_lacks_most_of_its_band_is_filled_first() {
        // Lacks: 40 of 100 wide, 30 of 50 wide, 10 of 10 wide.
        let mut places = [place(0, 60, [50, 100, 150]), place(1, 20, [20, 50, 70]), place(2, 0, [0, 10, 10])];
        assert_eq!(
            into(&places, Amount::new(4), Amount::ZERO).unwrap(),
            (OperatorId::new(2), Amount::new(4))
        );
        // 40 over 80 missing: all end up lacking a quarter of their bands.
        assert_eq!(fill(&mut places, 40, 0), [(2, 8), (1, 18), (0, 14)]);
        let stakes = places.map(|place| place.stake.units());
        assert_eq!(stakes, [74, 38, 8]);
    }

    #[test]
    fn the_order_of_places_says_nothing() {
        let mut places = vec![
            place(0, 10, [0, 100, 200]),
            place(1, 10, [0, 100, 200]),
            place(2, 30, [0, 100, 200]),
            place(3, 5, [0, 20, 30]),
        ];
        let steps = fill(&mut places.clone(), 100, 7);
        places.reverse();
        assert_eq!(fill(&mut places, 100, 7), steps);
    }

    #[test]
    fn small_change_waits_until_it_is_worth_a_move() {
        let mut places = vec![place(0, 95, [0, 100, 200]), place(1, 0, [0, 50, 100])];
        assert_eq!(fill(&mut places, 9, 10), []);
        assert_eq!(fill(&mut places, 49, 10), [(1, 49)], "5 are missing in the first: not worth it");
    }

    #[test]
    fn what_one_may_not_take_goes_half_way_up_in_others() {
        let mut places = vec![place(0, 0, [0, 60, 90]), place(1, 0, [0, 30, 50]), place(2, 0, [0, 10, 20])];
        places[0].room = Amount::new(20);
        let mut left = places.clone();
        let steps = fill(&mut left, 90, 0);
        let sum: u128 = steps.iter().map(|(_, step)| step).sum();
        // 20 + 30 + 10 by targets; of the 40 that the first may not take the others get 10 + 5, half of what their bands leave.
        let stakes: Vec<u128> = left.iter().map(|place| place.stake.units()).collect();
        assert_eq!(stakes, [20, 40, 15], "{steps:?}");
        assert_eq!(sum, 75);
    }

    #[test]
    fn exits_come_from_the_largest_surplus_and_then_from_what_earns_least() {
        let mut places =
            vec![place(0, 150, [50, 100, 200]), place(1, 60, [20, 50, 80]), place(2, 30, [10, 30, 40])];
        for (place, merit) in places.iter_mut().zip([5, 9, 2]) {
            place.merit = merit;
        }
        let take = |places: &mut Vec<Place>, mut amount: u128| {
            let mut steps = Vec::new();
            while let Some((operator, step)) = out_of(places, Amount::new(amount)) {
                let place = places.iter_mut().find(|place| place.operator == operator).unwrap();
                place.stake.shrink(step);
                amount -= step.units();
                steps.push((operator.number(), step.units()));
            }
            steps
        };
        // Surpluses of 50 of 150 and 10 of 60: once 30 are gone, a seventh of each band is left of them.
        assert_eq!(take(&mut places.clone(), 30), [(0, 29), (1, 1)]);
        // All surplus, then from the third, which earns least, down to its lower end, then from the first.
        assert_eq!(take(&mut places.clone(), 90), [(0, 50), (1, 10), (2, 20), (0, 10)]);
        assert_eq!(take(&mut places, 240).iter().map(|(_, step)| step).sum::<u128>(), 240);
        assert_eq!(out_of(&places, Amount::new(1)), None);
    }

    #[test]
    fn only_what_is_beyond_its_band_moves_by_itself() {
        let inside = place(0, 150, [50, 100, 150]);
        let over = place(1, 100, [20, 50, 80]);
        assert_eq!(beyond(&[inside]), None);
        assert_eq!(beyond(&[inside, over]), Some((OperatorId::new(1), Amount::new(50))));
    }
}
