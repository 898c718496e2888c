//! What is idle goes out: many moves of which each depends on the one before.
//!
//! Here they are found in one go: a move changes one place and the caps that it is in, and the next is found from what is known of the
//! others. Caps that all of what is idle could not bring to be exceeded are looked at once. Where a cap is exceeded already, where two events
//! together are near their cap, or where bands of services have a say, the answer is [`Fill::Ask`], and [`State::next_step`] looks at
//! everything anew. Both say the same: builds with debug assertions compare them at every move.

use std::cmp::Ordering;

use super::super::State;
use super::address_of;
use super::allocate::Step;
use super::bands::Policy;
use super::curate::{Holding, Which};
use super::desk::{Aim, Desk, Seat};
use super::nav::Valuation;
use crate::event::{Event, MoveReason};
use crate::ops::delegate::Delegate;
use crate::units::{Amount, Fraction, SetId, VaultId};
use crate::vault::caps::ladder_room;
use crate::vault::portfolio::Limit;
use crate::vault::route::{self, Gap, Ranked};

/// How a run of moves has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Nothing is left to do.
    Done,
    /// No steps are left.
    Spent,
    /// Only a look at everything can say what comes next.
    Ask,
}

/// What is idle and may go out, as it becomes less.
struct Budget {
    /// The least that goes out at once.
    least: Amount,
    /// What of it who waits gets, and what the watermark keeps.
    owed: Amount,
    kept: Amount,
    /// What comes back in how many epochs, and how long it takes at most: for the ladder.
    returning: Vec<(u32, Amount)>,
    exit_time: u32,
}

/// What bounds each place.
struct Bounds {
    /// By place, the most that may be there: nothing where it is closed.
    most: Vec<Amount>,
    /// Caps of several places that may be reached.
    near: Vec<Limit>,
}

/// The places that lack something.
struct Lack {
    aim: Aim,
    ranked: Ranked,
    /// No gap is more.
    largest: Amount,
}

impl Bounds {
    /// What may be added to a place.
    fn room(&self, place: usize, stake: Amount) -> Amount {
        let most = self.most.get(place).copied().unwrap_or(Amount::ZERO);
        let shared = self.near.iter().filter_map(|limit| limit.room(place));
        shared.fold(stake.room_below(most), Amount::min)
    }

    /// A place has other stake and principal now; `false` where a cap is exceeded by it.
    fn follow(&mut self, place: usize, stake: [Amount; 2], principal: [Amount; 2]) -> bool {
        for limit in &mut self.near {
            limit.follow(place, stake, principal);
        }
        self.near.iter().all(|limit| limit.excess().is_zero())
    }
}

impl Desk {
    /// What a place lacks and may get, whatever there is to give; nothing where that is less than goes out at once.
    fn gap_of(&self, place: usize, (aim, bounds): (Aim, &Bounds), least: Amount) -> Option<Gap> {
        let (seat, holding) = (self.seats.get(place)?, self.holdings.get(place)?);
        let lack = holding.staying.room_below(seat.end(aim));
        let gap = if lack < least { lack } else { lack.min(bounds.room(place, holding.all)) };
        let gap = if gap < least { Amount::ZERO } else { gap };
        Some(Gap { place, gap, width: route::width(seat.min, seat.max), stake: holding.staying })
    }

    /// The places that lack something as far as it goes, and of them those that are asked first.
    fn lack(
        &self,
        bounds: &Bounds,
        (free, least): (Amount, Amount),
        tie: &impl Fn(usize, usize) -> Ordering,
    ) -> Lack {
        let of = |aim: Aim| {
            let gaps = (0..self.holdings.len()).filter_map(|place| self.gap_of(place, (aim, bounds), least));
            let gaps: Vec<Gap> = gaps.filter(|gap| !gap.gap.is_zero()).collect();
            let largest = gaps.iter().map(|gap| gap.gap).max().unwrap_or(Amount::ZERO);
            (aim, gaps, largest)
        };
        let mut lack = of(Aim::Least);
        for aim in [Aim::Target, Aim::Middle] {
            if lack.1.is_empty() {
                lack = of(aim);
            }
        }
        let (aim, mut gaps, largest) = lack;
        for gap in &mut gaps {
            gap.gap = gap.gap.min(free);
        }
        Lack { aim, ranked: Ranked::new(gaps, tie), largest }
    }
}

impl Lack {
    /// Whether gaps have to be looked at anew: none is left, or one is more than there is to give.
    fn is_stale(&mut self, free: Amount) -> bool {
        if self.largest > free {
            let gaps = self.ranked.gaps().iter().map(|gap| gap.gap);
            self.largest = gaps.max().unwrap_or(Amount::ZERO);
        }
        self.largest > free || self.ranked.gaps().is_empty()
    }
}

/// Where how much of what is free goes next.
fn next_of(desk: &Desk, lack: &mut Lack, (free, least): (Amount, Amount)) -> Option<(usize, Amount)> {
    let amount = match lack.aim {
        Aim::Least | Aim::Target => free,
        // What targets out of reach leave over.
        Aim::Middle => free.min(desk.staying.room_below(desk.targets()?)),
    };
    if amount < least {
        return None;
    }
    let (top, step) = lack.ranked.first(amount)?;
    Some((top.place, step.max(least).min(top.gap)))
}

impl State {
    /// Delegates what is idle, as many moves as there are steps: those that [`State::next_step`] would say one by one.
    pub(crate) fn fill(
        &mut self,
        id: VaultId,
        policy: &Policy,
        desk: &mut Desk,
        (left, value): (&mut u32, &Valuation),
        events: &mut Vec<Event>,
    ) -> Fill {
        if !self.is_settled(id, desk, value) {
            return Fill::Ask;
        }
        let budget = self.budget_of(id, policy, desk, value);
        let least = budget.least;
        let free = self.deployable_of(id, policy, desk, &budget, value.nav);
        let wanted = Amount::total([free, Amount::new(u128::from(*left))]).unwrap_or(free);
        let Some(near) = self.near_caps(id, policy, desk, value.nav, wanted) else { return Fill::Ask };
        let lacks = |desk: &Desk, place| usize::from(desk.lacking(place, least));
        let places = 0..desk.holdings.len();
        let mut lacking = places.fold(0, |sum: usize, place| sum.saturating_add(lacks(desk, place)));
        if free < least || lacking == 0 {
            return Fill::Done;
        }
        let mut bounds = Bounds { most: self.most_of(id, policy, desk, value.nav), near };
        // Two events for each move.
        events.reserve(lacking.saturating_mul(2));
        let mut lack: Option<Lack> = None;
        while *left > 0 {
            let free = self.deployable_of(id, policy, desk, &budget, value.nav);
            if free < least || lacking == 0 {
                return Fill::Done;
            }
            if lack.as_mut().is_none_or(|lack| lack.is_stale(free)) {
                lack = Some(desk.lack(&bounds, (free, least), &|one, other| self.tie(id, desk, one, other)));
            }
            let Some(found) = &mut lack else { return Fill::Ask };
            let Some(step) = next_of(desk, found, (free, least)) else { return Fill::Done };
            let place = step.0;
            debug_assert!(self.is_next(id, policy, desk, step, value), "as if everything was looked at anew");
            let (before, did_lack) = (desk.amounts(place), lacks(desk, place));
            if !self.enter_place(id, policy, desk, step, events) {
                return Fill::Ask;
            }
            *left = left.saturating_sub(1);
            lacking = lacking.saturating_sub(did_lack).saturating_add(lacks(desk, place));
            let after = desk.amounts(place);
            let is_kept = bounds.follow(place, [before.0, after.0], [before.1, after.1]);
            if !is_kept || desk.is_beyond(place) {
                return Fill::Ask;
            }
            let Some(gap) = desk.gap_of(place, (found.aim, &bounds), least) else { return Fill::Ask };
            found.ranked.refill(gap.gap, gap.stake, &|one, other| self.tie(id, desk, one, other));
            if !bounds.near.is_empty() {
                lack = None;
            }
        }
        Fill::Spent
    }

    /// Whether [`State::next_step`] says the same, or something else because the ledger refuses this.
    fn is_next(
        &self,
        id: VaultId,
        policy: &Policy,
        desk: &Desk,
        (place, amount): (usize, Amount),
        value: &Valuation,
    ) -> bool {
        let Some(holding) = desk.holdings.get(place) else { return false };
        let step = Step { operator: holding.operator, amount, why: MoveReason::Deficit };
        self.check_entry(id, holding.operator, amount, policy).is_err()
            || self.next_step(id, Some(policy), value) == Some(step)
    }

    /// Whether nothing is to be asked back because of who waits, mandates or bands.
    fn is_settled(&self, id: VaultId, desk: &Desk, value: &Valuation) -> bool {
        let Some(vault) = self.vault(id) else { return false };
        let (high, _) = self.vault_rates(id, value);
        let is_owed = high.assets_down(vault.queue.waiting) > desk.there(vault.buckets.idle);
        let is_missing = is_owed && !desk.staying.is_zero();
        !vault.is_winding_down
            && !is_missing
            && (0..desk.holdings.len()).all(|place| !desk.is_beyond(place) && !desk.is_to_leave(place))
    }

    /// The caps of several places that so much more could bring to be exceeded. `None` where one is exceeded already, and where only a look
    /// at everything tells.
    fn near_caps(
        &self,
        id: VaultId,
        policy: &Policy,
        desk: &Desk,
        nav: Amount,
        wanted: Amount,
    ) -> Option<Vec<Limit>> {
        let is_old = self.has_old_services(id, policy, desk);
        if policy.caps.bounds_nothing() && policy.services.is_empty() && is_old {
            return Some(Vec::new());
        }
        if !policy.services.is_empty() {
            return None;
        }
        // What stays is no more than all of it, and has the same caps.
        let all = self.portfolio_of(id, policy, &desk.holdings, (nav, Which::All));
        let limits = all.limits(&policy.caps);
        if !limits.exceeded().is_empty() {
            return None;
        }
        if is_old {
            return limits.near(wanted);
        }
        let added = self.portfolio_of(id, policy, &desk.holdings, (nav, Which::Added));
        added.limits(&policy.caps).near(wanted)
    }

    /// Whether no service that can slash something of it is new to a vault: what is new has only its ramp, caps or none.
    fn has_old_services(&self, id: VaultId, policy: &Policy, desk: &Desk) -> bool {
        let ramp = policy.caps.ramp;
        let is_old = |set: SetId| {
            let service = self.set(set).map(|set| set.service);
            service.is_none_or(|service| self.age_of_service(id, service) >= ramp)
        };
        ramp == 0 || self.sets_with(&desk.holdings).into_iter().all(is_old)
    }

    fn budget_of(&self, id: VaultId, policy: &Policy, desk: &Desk, value: &Valuation) -> Budget {
        let vault = self.vault(id).expect("the vault was checked");
        let stake_min = self.asset(vault.asset).map_or(Amount::ZERO, |asset| asset.stake_min);
        let (high, _) = self.vault_rates(id, value);
        let has_ladder = !policy.caps.ladder.is_empty() || policy.caps.slow.share < Fraction::ONE;
        Budget {
            least: policy.move_min.max(stake_min).max(Amount::new(1)),
            owed: high.assets_down(vault.queue.waiting),
            kept: vault.terms.instant.watermark.of_up(value.nav),
            returning: if has_ladder { self.returning_to(desk.account) } else { Vec::new() },
            exit_time: self.free_at(self.epoch).since(self.epoch),
        }
    }

    /// As [`State::deployable`].
    fn deployable_of(
        &self,
        id: VaultId,
        policy: &Policy,
        desk: &Desk,
        budget: &Budget,
        nav: Amount,
    ) -> Amount {
        let Some(vault) = self.vault(id) else { return Amount::ZERO };
        let idle = budget.owed.room_below(vault.buckets.idle);
        let amounts = (nav, idle, desk.slashable());
        let room = ladder_room(&policy.caps, amounts, &budget.returning, budget.exit_time);
        room.min(budget.kept.room_below(idle))
    }

    /// The most that may be in each place: nothing where it is closed.
    fn most_of(&self, id: VaultId, policy: &Policy, desk: &Desk, nav: Amount) -> Vec<Amount> {
        let is_simple = policy.caps.ramp == 0 && policy.caps.bond_multiples == [0, 0];
        let of_operator = policy.caps.operator.of_down(nav);
        let open = self.open_places(id, policy, desk, nav);
        let of = |((holding, seat), is_open): ((&Holding, &Seat), bool)| {
            if !is_open {
                return Amount::ZERO;
            }
            if is_simple {
                seat.max.min(of_operator)
            } else {
                self.most_with(id, policy, holding, nav).unwrap_or(Amount::ZERO)
            }
        };
        desk.holdings.iter().zip(&desk.seats).zip(open).map(of).collect()
    }

    /// Decides between places that are alike: more merit, then the lot.
    fn tie(&self, id: VaultId, desk: &Desk, one: usize, other: usize) -> Ordering {
        let of = |place: usize| desk.holdings.get(place).zip(desk.seats.get(place));
        let (Some(one), Some(other)) = (of(one), of(other)) else { return Ordering::Equal };
        let merit = |(holding, seat): (&Holding, &Seat)| *seat.merit.get_or_init(|| self.merit(holding));
        let lot =
            |(holding, seat): (&Holding, &Seat)| *seat.lot.get_or_init(|| self.lot(id, holding.operator));
        merit(other).cmp(&merit(one)).then_with(|| lot(one).cmp(&lot(other)))
    }

    /// Delegates to a place; `false` where the ledger refuses it.
    fn enter_place(
        &mut self,
        id: VaultId,
        policy: &Policy,
        desk: &mut Desk,
        (place, amount): (usize, Amount),
        events: &mut Vec<Event>,
    ) -> bool {
        let (account, asset) = (desk.account, desk.asset);
        let Some((holding, seat)) = desk.holdings.get(place).zip(desk.seats.get_mut(place)) else {
            return false;
        };
        let (operator, pool) = (holding.operator, holding.pool);
        let (mandate, worst_case) = (self.pool(pool).digest, policy.mandate.worst_case);
        let delegation = Delegate { operator, asset, amount, validator: None, mandate, worst_case };
        if delegation.check_tokens(self, (account, pool)).is_err() {
            return false;
        }
        delegation.carry_out(self, address_of(id), (account, pool), &mut seat.entries, events);
        let worth = |entry: &u32| {
            let position = self.positions.get(*entry);
            self.pool(pool).stake.worth(position.principal, position.entered, position.until)
        };
        let staying =
            seat.entries.iter().map(worth).fold(Amount::ZERO, |sum, worth| sum.plus(worth).unwrap_or(sum));
        desk.added(place, staying, amount);
        let vault = self.vault_mut(id);
        vault.buckets.idle.shrink(amount);
        vault.marked.grow(amount);
        self.remark_vault_to(id, desk.staked);
        events.push(Event::VaultMoved { vault: id, operator, amount, why: MoveReason::Deficit });
        true
    }
}
