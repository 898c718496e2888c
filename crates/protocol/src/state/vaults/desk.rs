//! A vault's stake while its tick moves it: read once, and kept up with every move.

use std::cell::OnceCell;

use super::super::State;
use super::bands::{Band, Policy};
use super::curate::{Holding, Which};
use crate::state::stake::Entries;
use crate::units::{AccountId, Amount, AssetId, Epoch, Fraction, SetId, VaultId};
use crate::vault::route;

/// A vault's stake.
pub(crate) struct Desk {
    pub(super) account: AccountId,
    pub(super) asset: AssetId,
    /// As [`State::holdings_of`].
    pub(crate) holdings: Vec<Holding>,
    /// By holding.
    pub(super) seats: Vec<Seat>,
    /// Worth of everything; of it, of what was not asked back, and of what is free and waits to be fetched.
    pub(super) staked: Amount,
    pub(super) staying: Amount,
    free: Amount,
}

/// What else is known of a holding.
pub(super) struct Seat {
    /// What was not asked back.
    pub(super) entries: Entries,
    band: Option<Band>,
    /// Of the net asset value.
    pub(super) min: Amount,
    target: Amount,
    pub(super) max: Amount,
    /// Whether its operator has retired, or promises more than the vault's mandate allows.
    is_out: bool,
    pub(super) merit: OnceCell<u128>,
    pub(super) lot: OnceCell<u64>,
}

/// How far places are filled: to lower ends first, then to targets, then half way up from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    Least,
    Target,
    Middle,
}

/// A share of an amount, with the last answer kept: bands are often alike.
struct ShareOf {
    whole: Amount,
    last: (Fraction, Amount),
}

impl ShareOf {
    fn new(whole: Amount) -> Self {
        Self { whole, last: (Fraction::ZERO, Amount::ZERO) }
    }

    fn down(&mut self, share: Fraction) -> Amount {
        if self.last.0 != share {
            self.last = (share, share.of_down(self.whole));
        }
        self.last.1
    }
}

impl Seat {
    pub(super) fn end(&self, aim: Aim) -> Amount {
        match aim {
            Aim::Least => self.min.min(self.target),
            Aim::Target => self.target,
            Aim::Middle => route::middle(self.target, self.max),
        }
    }

    fn lacks(&self, holding: &Holding, least: Amount) -> bool {
        holding.staying.plus(least).is_some_and(|stake| stake <= self.target)
    }
}

impl Desk {
    /// Where the holding of a pool stands; a new one where there is none. It is often where the guess says.
    fn place_of(&mut self, holding: Holding, guess: usize) -> usize {
        let is_it = |known: &Holding| known.operator == holding.operator;
        if self.holdings.get(guess).is_some_and(is_it) {
            return guess;
        }
        self.holdings.iter().position(is_it).unwrap_or_else(|| {
            self.holdings.push(holding);
            self.seats.push(Seat::of(None));
            self.holdings.len().saturating_sub(1)
        })
    }

    /// Stake and principal in a place that can be slashed.
    pub(super) fn amounts(&self, place: usize) -> (Amount, Amount) {
        let zero = (Amount::ZERO, Amount::ZERO);
        self.holdings.get(place).map_or(zero, |holding| (holding.all, holding.principal))
    }

    /// Whether a place lacks as much of its target as goes out at once.
    pub(super) fn lacking(&self, place: usize, least: Amount) -> bool {
        let pair = self.seats.get(place).zip(self.holdings.get(place));
        pair.is_some_and(|(seat, holding)| seat.lacks(holding, least))
    }

    /// What is idle, and all that has been asked back.
    pub(super) fn there(&self, idle: Amount) -> Amount {
        let mut there = idle;
        there.grow(self.staying.room_below(self.staked));
        there
    }

    /// Worth of what can be slashed.
    pub(super) fn slashable(&self) -> Amount {
        self.free.room_below(self.staked)
    }

    /// Whether more is in a place than its band allows.
    pub(super) fn is_beyond(&self, place: usize) -> bool {
        let pair = self.holdings.get(place).zip(self.seats.get(place));
        pair.is_some_and(|(holding, seat)| holding.staying > seat.max)
    }

    /// Whether everything is to be asked back from a place.
    pub(super) fn is_to_leave(&self, place: usize) -> bool {
        let pair = self.holdings.get(place).zip(self.seats.get(place));
        pair.is_some_and(|(holding, seat)| seat.is_out && !holding.staying.is_zero())
    }

    /// So much was added to a place, and what was not asked back there is worth so much now.
    pub(super) fn added(&mut self, place: usize, staying: Amount, amount: Amount) {
        let Some(holding) = self.holdings.get_mut(place) else { return };
        // Joined entries may be worth a unit more than they were.
        let more = holding.staying.room_below(staying);
        holding.add(more, amount, true);
        self.staking_grew(more);
    }

    fn staking_grew(&mut self, more: Amount) {
        self.staked.grow(more);
        self.staying.grow(more);
    }

    /// Targets of all places together.
    pub(super) fn targets(&self) -> Option<Amount> {
        Amount::total(self.seats.iter().map(|seat| seat.target))
    }
}

impl Seat {
    fn of(band: Option<Band>) -> Self {
        Self {
            entries: Entries::new(),
            band,
            min: Amount::ZERO,
            target: Amount::ZERO,
            max: Amount::ZERO,
            is_out: false,
            merit: OnceCell::new(),
            lot: OnceCell::new(),
        }
    }
}

impl State {
    /// Reads a vault's stake.
    pub(crate) fn desk_of(&self, id: VaultId, policy: &Policy, nav: Amount) -> Option<Desk> {
        let vault = self.vault(id)?;
        let (account, asset, zero) = (vault.account, vault.asset, Amount::ZERO);
        let count = policy.bands.len();
        let (mut holdings, mut seats) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let [mut min, mut target, mut max] = [(); 3].map(|()| ShareOf::new(nav));
        for band in &policy.bands {
            let Some(pool) = self.pool_of(band.operator, asset) else { continue };
            holdings.push(Holding::of(band.operator, pool));
            let (min, target, max) = (min.down(band.min), target.down(band.target), max.down(band.max));
            seats.push(Seat { min, target, max, ..Seat::of(Some(*band)) });
        }
        let mut desk = Desk { account, asset, holdings, seats, staked: zero, staying: zero, free: zero };
        // Lists and bands often have the same order, or the opposite one.
        let (mut guess, mut last) = (usize::MAX, usize::MAX);
        for (entry, position) in self.positions.list(self.accounts.get(account).first_position) {
            let record = self.pool(position.pool);
            if record.asset != asset {
                continue;
            }
            let worth = record.stake.worth(position.principal, position.entered, position.until);
            desk.staked.grow(worth);
            if self.is_free(position.until) {
                desk.free.grow(worth);
                continue;
            }
            let place = desk.place_of(Holding::of(record.operator, position.pool), guess);
            guess = if last < place { place.saturating_add(1) } else { place.saturating_sub(1) };
            last = place;
            let Some((holding, seat)) = desk.holdings.get_mut(place).zip(desk.seats.get_mut(place)) else {
                continue;
            };
            let is_staying = position.until == Epoch::NEVER;
            holding.add(worth, position.principal, is_staying);
            if is_staying {
                desk.staying.grow(worth);
                seat.entries.push(entry);
            }
        }
        for (holding, seat) in desk.holdings.iter().zip(&mut desk.seats) {
            let is_retired = self.operator(holding.operator).is_none_or(|record| record.is_retired);
            seat.is_out = is_retired || !self.is_pool_within_mandate(holding.pool, policy);
        }
        Some(desk)
    }

    /// Which places something may be added to, whatever their caps: those that [`State::closed_slots`] gives no reason for.
    pub(super) fn open_places(&self, id: VaultId, policy: &Policy, desk: &Desk, nav: Amount) -> Vec<bool> {
        let freeze = policy.caps.freeze;
        if freeze > 0 && desk.holdings.iter().any(|holding| self.is_struck(holding.operator, freeze)) {
            // Who shares something with whom takes the whole picture.
            let slots = self.portfolio_of(id, policy, &desk.holdings, (nav, Which::Added));
            return self.closed_slots(id, policy, &slots).iter().map(Option::is_none).collect();
        }
        let worsened = self.vault(id).map_or(&[][..], |vault| &vault.curation.worsened);
        let is_bad = |id: SetId| {
            let pending = self.set(id).and_then(|set| set.pending.as_ref());
            let is_announced = pending.is_some_and(|pending| pending.is_worse);
            is_announced || worsened.contains(&id) || self.is_worth_attacking(id, &policy.caps)
        };
        let mut known: Vec<(SetId, bool)> = Vec::new();
        let mut is_bad = |id: SetId| {
            if let Some((_, answer)) = known.iter().find(|(known, _)| *known == id) {
                return *answer;
            }
            let answer = is_bad(id);
            known.push((id, answer));
            answer
        };
        let is_open = |(holding, seat): (&Holding, &Seat)| {
            seat.band.is_some_and(|band| !band.max.is_zero())
                && !seat.is_out
                && !self.open_owners(holding.pool).any(&mut is_bad)
        };
        desk.holdings.iter().zip(&desk.seats).map(is_open).collect()
    }
}
