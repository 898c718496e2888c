//! What the caps leave: which are exceeded, what is the worst, how much may be added.

use super::{Cap, Cell, Event, Limit, Limits, Loss, Rates, rate_at, sum, times};
use crate::units::Amount;

impl Limits<'_> {
    /// What a unit of a slot loses when both happen at once: each cell once.
    fn rate_of_two(&self, slot: usize, one: &Loss, other: &Loss) -> u128 {
        if one.takes_all_of(slot) || other.takes_all_of(slot) {
            return self.totals.get(slot).map_or(0, |(rate, _)| *rate);
        }
        let rate = |loss: &Loss| rate_at(&loss.rates, slot).unwrap_or(0);
        let both = match (&one.event, &other.event) {
            (Event::Service(service), Event::Slasher(slasher))
            | (Event::Slasher(slasher), Event::Service(service)) => {
                let shared = |cell: &Cell| cell.service == *service && cell.slasher == *slasher;
                self.portfolio.slots.get(slot).map_or(0, |slot| slot.rate_of(shared))
            }
            (event, same) if event == same => rate(one),
            _ => 0,
        };
        rate(one).saturating_add(rate(other)).saturating_sub(both)
    }

    fn of_two(&self, one: &Loss, other: &Loss, most: Amount) -> Limit {
        let slots = 0..self.portfolio.slots.len();
        let rates = slots.map(|slot| (slot, self.rate_of_two(slot, one, other)));
        let rates: Rates = rates.filter(|(_, rate)| *rate > 0).collect();
        let lost = |(slot, rate): &(usize, u128)| match self.totals.get(*slot) {
            Some((total, lost)) if total == rate => Some(*lost),
            _ => Some(times(self.portfolio.slots.get(*slot)?.principal, *rate)),
        };
        let cap = Cap::TwoEvents(one.event.clone(), other.event.clone());
        Limit { cap, value: sum(rates.iter().filter_map(lost)), most, rates }
    }

    /// Pairs of events that may take more than `floor`, an event with itself among them; a caller raises the floor by what it finds.
    fn pairs(&self, mut floor: Amount, mut visit: impl FnMut(&Loss, &Loss) -> Amount) {
        let all = sum(self.totals.iter().map(|(_, lost)| *lost));
        for (index, one) in self.losses.iter().enumerate() {
            if all <= floor {
                return;
            }
            for other in self.losses.iter().skip(index) {
                if all <= floor || one.value.plus(other.value).is_some_and(|both| both <= floor) {
                    // Everything after it is smaller.
                    break;
                }
                floor = visit(one, other);
            }
        }
    }

    /// The worst event and what it takes.
    pub(crate) fn worst_event(&self) -> Option<(Event, Amount)> {
        self.losses.first().map(|loss| (loss.event.clone(), loss.value))
    }

    /// The worst two events at once, and what they take together.
    pub(crate) fn worst_two(&self) -> Option<Limit> {
        let most = self.two_events.unwrap_or(self.portfolio.nav);
        let mut worst: Option<Limit> = None;
        self.pairs(Amount::ZERO, |one, other| {
            let limit = self.of_two(one, other, most);
            if worst.as_ref().is_none_or(|worst| worst.value < limit.value) {
                worst = Some(limit);
            }
            worst.as_ref().map_or(Amount::ZERO, |worst| worst.value)
        });
        worst
    }

    /// Every cap with what it bounds: single ones, events, and the worst pair of them.
    pub(crate) fn all(&self) -> Vec<Limit> {
        let mut all = self.single.clone();
        all.extend(self.events());
        all.extend(self.two_events.and_then(|_| self.worst_two()));
        all
    }

    /// Every cap that is exceeded, with by how much.
    pub(crate) fn exceeded(&self) -> Vec<Limit> {
        let is_over = |limit: &&Limit| !limit.excess().is_zero();
        let mut exceeded: Vec<Limit> = self.single.iter().filter(is_over).cloned().collect();
        exceeded.extend(self.events().filter(|limit| !limit.excess().is_zero()));
        if self.two_events.is_some() {
            exceeded.extend(self.worst_two().filter(|limit| !limit.excess().is_zero()));
        }
        exceeded
    }

    /// The caps that `amount` more, wherever it goes, could bring to be exceeded, but for those of one slot alone. `None` where the worst two
    /// events together could be.
    pub(crate) fn near(&self, amount: Amount) -> Option<Vec<Limit>> {
        if self.two_events.is_some() {
            let worst = self.worst_two();
            let rate = self.totals.iter().map(|(rate, _)| *rate).max().unwrap_or(0);
            let all = (0..self.totals.len()).map(|slot| (slot, rate)).collect();
            let worst = worst.map(|worst| Limit { rates: all, ..worst });
            if worst.is_some_and(|worst| !worst.has_room_for(amount)) {
                return None;
            }
        }
        let is_shared = |limit: &&Limit| !matches!(limit.cap, Cap::Slot(_) | Cap::Operator(_));
        let single = self.single.iter().filter(is_shared);
        let mut near: Vec<Limit> = single.filter(|limit| !limit.has_room_for(amount)).cloned().collect();
        near.extend(self.events().filter(|limit| !limit.has_room_for(amount)));
        Some(near)
    }

    fn events(&self) -> impl Iterator<Item = Limit> {
        let of = |most: Amount| {
            self.losses.iter().map(move |loss| Limit {
                cap: Cap::Event(loss.event.clone()),
                value: loss.value,
                most,
                rates: loss.rates.clone(),
            })
        };
        self.event.map(of).into_iter().flatten()
    }

    /// How much of `wanted` may be added to a slot before a cap is exceeded. What it can't add to exceeds nothing by it: whether something
    /// else is exceeded already is for the caller to ask.
    pub(crate) fn room(&self, slot: usize, wanted: Amount) -> Amount {
        let mut room = wanted;
        for limit in &self.single {
            room = limit.room(slot).map_or(room, |more| room.min(more));
        }
        for limit in self.events() {
            room = limit.room(slot).map_or(room, |more| room.min(more));
        }
        let Some(most) = self.two_events else { return room };
        let total = self.totals.get(slot).map_or(0, |(rate, _)| *rate);
        let floor = |room: Amount| times(room, total).room_below(most);
        self.pairs(floor(room), |one, other| {
            let limit = self.of_two(one, other, most);
            room = limit.room(slot).map_or(room, |more| room.min(more));
            floor(room)
        });
        room
    }
}
