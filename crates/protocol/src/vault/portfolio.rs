//! What a vault may lose, computed from who holds how much and what can slash it.
//!
//! A **slot** is the vault's stake with one operator; a **cell** is what one set may slash of it. An **event** hits cells: all of one
//! service, all of one slasher's sets, or all of the operators that share something. Every figure is a sum over cells, rounded up, so that
//! a cap which holds here holds to the unit. Where sets share parts of a pool their fractions add up: never too low.
//!
//! What it does not do: it knows no state, moves nothing, and looks for no best allocation.

use smallvec::SmallVec;

use super::caps::VaultCaps;
use crate::state::value::Dimension;
use crate::units::{Address, Amount, Fraction, OperatorId, ServiceId, SetId};
use crate::wide;

/// What one set may slash of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) set: SetId,
    pub(crate) service: ServiceId,
    pub(crate) slasher: Address,
    /// Of the pool's 256.
    pub(crate) parts: u16,
    /// The most that it takes of them.
    pub(crate) fraction: Fraction,
}

/// The stake with one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) operator: OperatorId,
    /// Operators with the same number are one owner's; `None` for an owner of its own.
    pub(crate) owner: Option<u16>,
    /// What it shares with others: every operator is in one group of each dimension.
    pub(crate) groups: Vec<(Dimension, Option<String>)>,
    /// Worth of the stake that can be slashed: what stays, and what is on its way back unless told otherwise.
    pub(crate) stake: Amount,
    /// Its principal, which is never less: what losses are computed from.
    pub(crate) principal: Amount,
    pub(crate) cells: Vec<Cell>,
    /// The most that may be with it by its own band, its ramp and its bond; `None` where nothing bounds it.
    pub(crate) most: Option<Amount>,
}

/// All of a vault's stake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Portfolio {
    pub(crate) nav: Amount,
    pub(crate) slots: Vec<Slot>,
    /// Services with a cap of their own.
    pub(crate) services: Vec<(ServiceId, Fraction)>,
}

/// Which cap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cap {
    Slot(OperatorId),
    Operator(OperatorId),
    Owner(u16),
    Service(ServiceId),
    Slasher(Address),
    Group(Dimension, Option<String>),
    Event(Event),
    TwoEvents(Event, Event),
}

/// What happens to many at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Service(ServiceId),
    Slasher(Address),
    Owner(u16),
    Operator(OperatorId),
    Group(Dimension, Option<String>),
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service(id) => write!(f, "service {id}"),
            Self::Slasher(account) => write!(f, "slasher {account}"),
            Self::Owner(owner) => write!(f, "owner {owner}"),
            Self::Operator(id) => write!(f, "operator {id}"),
            Self::Group(dimension, Some(label)) => write!(f, "the {dimension:?} group {label:?}"),
            Self::Group(dimension, None) => write!(f, "the group that declares no {dimension:?}"),
        }
    }
}

impl std::fmt::Display for Cap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Slot(id) => write!(f, "the band, ramp and bond of operator {id}"),
            Self::Operator(id) => write!(f, "operator {id}"),
            Self::Owner(owner) => write!(f, "owner {owner}"),
            Self::Service(id) => write!(f, "service {id}"),
            Self::Slasher(account) => write!(f, "slasher {account}"),
            Self::Group(dimension, label) => Event::Group(*dimension, label.clone()).fmt(f),
            Self::Event(event) => write!(f, "the worst event, {event}"),
            Self::TwoEvents(one, other) => write!(f, "the worst two events, {one} and {other}"),
        }
    }
}

/// Parts of a pool times steps of a fraction: rates are counted in these.
const WHOLE: u128 = 256_000_000_000_000_000_000;

/// By slot, ascending, what a unit there adds to a sum; those that are not named add nothing.
type Rates = SmallVec<[(usize, u128); 1]>;

fn rate_at(rates: &Rates, slot: usize) -> Option<u128> {
    let place = rates.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
    rates.get(place).map(|(_, rate)| *rate)
}

/// A sum over slots with a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) cap: Cap,
    /// Base units.
    pub(crate) value: Amount,
    pub(crate) most: Amount,
    rates: Rates,
}

impl Limit {
    /// By how much it is exceeded.
    pub(crate) fn excess(&self) -> Amount {
        self.most.room_below(self.value)
    }

    /// What may be added to a slot before it is.
    pub(crate) fn room(&self, slot: usize) -> Option<Amount> {
        let rate = rate_at(&self.rates, slot).filter(|rate| *rate > 0)?;
        let left = self.value.room_below(self.most);
        if rate == WHOLE {
            return Some(left);
        }
        Some(
            wide::checked_mul_div_down(left.units(), WHOLE, rate).map_or(Amount::new(u128::MAX), Amount::new),
        )
    }

    /// The least that has to leave a slot so that `excess` is gone, or nothing where the slot has no part in it.
    pub(crate) fn to_leave(&self, slot: usize) -> Amount {
        let Some(rate) = rate_at(&self.rates, slot).filter(|rate| *rate > 0) else { return Amount::ZERO };
        let units = wide::checked_mul_div_up(self.excess().units(), WHOLE, rate).unwrap_or(u128::MAX);
        Amount::new(units)
    }

    /// The slot's stake and principal were so much, and are so much now.
    pub(crate) fn follow(&mut self, slot: usize, stake: [Amount; 2], principal: [Amount; 2]) {
        let Some(rate) = rate_at(&self.rates, slot) else { return };
        let is_of_stake =
            matches!(self.cap, Cap::Slot(_) | Cap::Operator(_) | Cap::Owner(_) | Cap::Group(..));
        let [before, after] = if is_of_stake { stake } else { principal };
        self.value = times(before, rate).room_below(self.value);
        self.value = self.value.plus(times(after, rate)).unwrap_or(Amount::new(u128::MAX));
    }

    /// Whether `amount` more, in however many of its slots, leaves it kept.
    pub(crate) fn has_room_for(&self, amount: Amount) -> bool {
        let rate = self.rates.iter().map(|(_, rate)| *rate).max().unwrap_or(0);
        let more = times(amount, rate.min(WHOLE));
        // Each slot is rounded up by itself.
        let rounding = Amount::new(u128::try_from(self.rates.len()).unwrap_or(u128::MAX));
        let most = Amount::total([self.value, more, rounding]);
        rate <= WHOLE && most.is_some_and(|value| value <= self.most)
    }
}

/// What an event takes.
struct Loss {
    event: Event,
    value: Amount,
    rates: Rates,
    /// Whether it takes everything that any set could take of its slots.
    is_row: bool,
}

impl Loss {
    fn takes_all_of(&self, slot: usize) -> bool {
        self.is_row && rate_at(&self.rates, slot).is_some()
    }
}

/// Everything that is bounded, with what bounds it.
pub(crate) struct Limits<'a> {
    portfolio: &'a Portfolio,
    single: Vec<Limit>,
    /// The largest first.
    losses: Vec<Loss>,
    /// By slot, what all its sets together could take of a unit, and of its principal.
    totals: Vec<(u128, Amount)>,
    event: Option<Amount>,
    two_events: Option<Amount>,
}

fn times(amount: Amount, rate: u128) -> Amount {
    if rate == 0 || rate == WHOLE {
        return if rate == 0 { Amount::ZERO } else { amount };
    }
    Amount::new(wide::checked_mul_div_up(amount.units(), rate, WHOLE).unwrap_or(u128::MAX))
}

fn sum(amounts: impl Iterator<Item = Amount>) -> Amount {
    Amount::total(amounts).unwrap_or(Amount::new(u128::MAX))
}

impl Cell {
    fn rate(&self) -> u128 {
        u128::from(self.parts).saturating_mul(u128::from(self.fraction.steps()))
    }
}

impl Slot {
    fn total_rate(&self) -> u128 {
        self.rate_of(|_| true)
    }

    fn rate_of(&self, chosen: impl Fn(&Cell) -> bool) -> u128 {
        self.cells.iter().filter(|cell| chosen(cell)).fold(0, |sum, cell| sum.saturating_add(cell.rate()))
    }

    /// Which share of it the chosen sets own, in [`WHOLE`]; at most all of it.
    fn share_of(&self, chosen: impl Fn(&Cell) -> bool) -> u128 {
        let parts = self
            .cells
            .iter()
            .filter(|cell| chosen(cell))
            .fold(0_u128, |sum, cell| sum.saturating_add(u128::from(cell.parts)));
        parts.saturating_mul(u128::from(Fraction::STEPS)).min(WHOLE)
    }
}

/// Each once, in the order of appearance.
fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen: Vec<T> = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}

/// A group by what it is called in one dimension, and the slots in it.
type Grouped<'a> = (&'a (Dimension, Option<String>), Vec<usize>);

impl Portfolio {
    fn owners(&self) -> Vec<u16> {
        distinct(self.slots.iter().filter_map(|slot| slot.owner))
    }

    /// Every group with its slots, in the order of appearance.
    fn groups(&self) -> Vec<Grouped<'_>> {
        let mut groups: Vec<Grouped<'_>> = Vec::new();
        for (slot, label) in (0..)
            .zip(&self.slots)
            .flat_map(|(place, slot)| slot.groups.iter().map(move |label| (place, label)))
        {
            match groups.iter_mut().find(|(known, _)| *known == label) {
                Some((_, slots)) if slots.last() != Some(&slot) => slots.push(slot),
                Some(_) => {}
                None => groups.push((label, vec![slot])),
            }
        }
        groups
    }

    fn slots_of(&self, owner: u16) -> Vec<usize> {
        let owned = (0..).zip(&self.slots).filter(|(_, slot)| slot.owner == Some(owner));
        owned.map(|(place, _)| place).collect()
    }

    fn services(&self) -> Vec<ServiceId> {
        distinct(self.slots.iter().flat_map(|slot| &slot.cells).map(|cell| cell.service))
    }

    fn slashers(&self) -> Vec<Address> {
        distinct(self.slots.iter().flat_map(|slot| &slot.cells).map(|cell| cell.slasher))
    }

    /// The share cap of a service.
    fn cap_of(&self, service: ServiceId, caps: &VaultCaps) -> Fraction {
        let own = self.services.iter().find(|(id, _)| *id == service).map(|(_, share)| *share);
        own.map_or(caps.service, |own| own.min(caps.service))
    }

    /// Every cap with what it bounds.
    pub(crate) fn limits(&self, caps: &VaultCaps) -> Limits<'_> {
        let bound = |share: Fraction| (share < Fraction::ONE).then(|| share.of_down(self.nav));
        let mut single = Vec::new();
        let (operator, owner, group) = (bound(caps.operator), bound(caps.owner), bound(caps.group));
        for (place, slot) in self.slots.iter().enumerate() {
            let of = |cap, most| {
                let rates = Rates::from_slice(&[(place, WHOLE)]);
                Limit { cap, value: slot.stake, most, rates }
            };
            single.extend(slot.most.map(|most| of(Cap::Slot(slot.operator), most)));
            single.extend(operator.map(|most| of(Cap::Operator(slot.operator), most)));
        }
        if let Some(most) = owner {
            for owner in self.owners() {
                single.push(self.limit_of_stake(Cap::Owner(owner), most, &self.slots_of(owner)));
            }
        }
        let (event, two_events) = (bound(caps.event), bound(caps.two_events));
        let has_events = event.or(two_events).is_some();
        let groups = if has_events || group.is_some() { self.groups() } else { Vec::new() };
        if let Some(most) = group {
            for ((dimension, label), slots) in &groups {
                single.push(self.limit_of_stake(Cap::Group(*dimension, label.clone()), most, slots));
            }
        }
        for service in self.services() {
            let Some(most) = bound(self.cap_of(service, caps)) else { continue };
            let rates = self.rates_of(|slot| slot.share_of(|cell| cell.service == service));
            single.push(self.limit_of_principal(Cap::Service(service), most, rates));
        }
        if let Some(most) = bound(caps.slasher) {
            for slasher in self.slashers() {
                let rates = self.rates_of(|slot| slot.share_of(|cell| cell.slasher == slasher));
                single.push(self.limit_of_principal(Cap::Slasher(slasher), most, rates));
            }
        }
        let total = |slot: &Slot| {
            let rate = slot.total_rate();
            (rate, times(slot.principal, rate))
        };
        let totals: Vec<(u128, Amount)> = self.slots.iter().map(total).collect();
        let losses = if has_events { self.losses(&groups, &totals) } else { Vec::new() };
        Limits { portfolio: self, single, losses, totals, event, two_events }
    }

    /// By slot, what is not nothing.
    fn rates_of(&self, rate: impl Fn(&Slot) -> u128) -> Rates {
        let rates = self.slots.iter().map(rate).enumerate();
        rates.filter(|(_, rate)| *rate > 0).collect()
    }

    fn limit_of_stake(&self, cap: Cap, most: Amount, slots: &[usize]) -> Limit {
        let stakes = slots.iter().filter_map(|slot| self.slots.get(*slot)).map(|slot| slot.stake);
        Limit { cap, value: sum(stakes), most, rates: slots.iter().map(|slot| (*slot, WHOLE)).collect() }
    }

    fn limit_of_principal(&self, cap: Cap, most: Amount, rates: Rates) -> Limit {
        Limit { cap, value: self.loss_at(&rates), most, rates }
    }

    /// What is lost where a unit of each slot loses its rate.
    fn loss_at(&self, rates: &Rates) -> Amount {
        let lost = |(slot, rate): &(usize, u128)| Some(times(self.slots.get(*slot)?.principal, *rate));
        sum(rates.iter().filter_map(lost))
    }

    /// What each event takes, the largest first.
    fn losses(&self, groups: &[Grouped<'_>], totals: &[(u128, Amount)]) -> Vec<Loss> {
        let mut losses = Vec::new();
        let mut row = |event: Event, slots: &[usize]| {
            let of = |slot: &usize| totals.get(*slot).map(|(rate, _)| (*slot, *rate));
            let value = sum(slots.iter().filter_map(|slot| totals.get(*slot)).map(|(_, lost)| *lost));
            losses.push(Loss { event, value, rates: slots.iter().filter_map(of).collect(), is_row: true });
        };
        for (place, slot) in self.slots.iter().enumerate() {
            row(Event::Operator(slot.operator), &[place]);
        }
        for owner in self.owners() {
            row(Event::Owner(owner), &self.slots_of(owner));
        }
        for ((dimension, label), slots) in groups {
            row(Event::Group(*dimension, label.clone()), slots);
        }
        let mut column = |event: Event, is_in: &dyn Fn(&Cell) -> bool| {
            let rates = self.rates_of(|slot| slot.rate_of(is_in));
            losses.push(Loss { event, value: self.loss_at(&rates), rates, is_row: false });
        };
        for service in self.services() {
            column(Event::Service(service), &|cell| cell.service == service);
        }
        for slasher in self.slashers() {
            column(Event::Slasher(slasher), &|cell| cell.slasher == slasher);
        }
        losses.sort_by_key(|loss| std::cmp::Reverse(loss.value));
        losses
    }

    /// How much may leave a slot before what a service can slash falls below `least`; `None` where the service has no part in it.
    pub(crate) fn slack_above(&self, service: ServiceId, slot: usize, least: Amount) -> Option<Amount> {
        let rates = self.rates_of(|slot| slot.share_of(|cell| cell.service == service));
        let rate = rate_at(&rates, slot)?;
        let slack = least.room_below(self.loss_at(&rates));
        wide::checked_mul_div_down(slack.units(), WHOLE, rate).map(Amount::new)
    }

    /// Adds stake to a slot.
    pub(crate) fn add(&mut self, slot: usize, amount: Amount) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.stake.grow(amount);
            slot.principal.grow(amount);
        }
    }
}

mod limits;
#[cfg(test)]
mod tests;
