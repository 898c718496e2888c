//! One pool as the semantics say it: 256 parts, each with everybody who ever owned it, and every slash that was executed.
//!
//! A unit of principal bonded in `e ..= u` is worth the sum over parts of `1/256` times the product of `1 - f` over the slashes
//! `(set, x, f)` with `e <= x <= u` whose set owned the part in `x`. Nothing here is merged or forgotten.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use num_traits::{One, Zero};
use protocol::terms::Mandate;
use protocol::units::{AssetId, Epoch, Fraction, OperatorId, SetId};

use super::Fault;
use super::exact::{self, Ratio};

/// Parts of a pool.
pub(crate) const PARTS: u16 = 256;

/// A set owned a part from an epoch to an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ownership {
    pub(crate) set: SetId,
    pub(crate) from: Epoch,
    /// Last owned epoch; [`Epoch::NEVER`] while it has not been given back.
    pub(crate) to: Epoch,
    /// First epoch in which nothing can be executed against it any more.
    pub(crate) free_at: Epoch,
}

impl Ownership {
    pub(crate) fn is_in(&self, epoch: Epoch) -> bool {
        self.from <= epoch && epoch <= self.to
    }

    pub(crate) fn is_open(&self) -> bool {
        self.to == Epoch::NEVER
    }
}

/// Everybody who ever owned a part, by appearance.
pub(crate) type Owners = Vec<Ownership>;

/// A slash that was executed: what is left of the parts that the set owned in the capture epoch.
#[derive(Clone, Debug)]
pub(crate) struct Slashed {
    pub(crate) set: SetId,
    pub(crate) capture: Epoch,
    pub(crate) kept: Ratio,
}

/// Part of an operator's bond.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bond {
    pub(crate) from: Epoch,
    pub(crate) until: Epoch,
    pub(crate) amount: u128,
}

type Liability = (Epoch, Epoch);

/// One pool.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) operator: OperatorId,
    pub(crate) asset: AssetId,
    pub(crate) parts: Vec<Owners>,
    pub(crate) slashes: Vec<Slashed>,
    pub(crate) mandate: Mandate,
    pub(crate) pending_mandate: Option<(Epoch, Mandate)>,
    pub(crate) commission: Vec<(Epoch, Fraction)>,
    pub(crate) bonds: Vec<Bond>,
    /// Whole units that it holds for stakers.
    pub(crate) held: u128,
    /// Native stake that was slashed and not yet released: it stays in its validators.
    pub(crate) slashed: u128,
    /// Rewards funded and not settled, and dust that waits for the next reward. Where several pools are settled at once the ledger does
    /// not say in which of them a rounding fell, so that one may be short of a unit that another has.
    pub(crate) reserves: BTreeMap<AssetId, i128>,
    pub(crate) carried: BTreeMap<AssetId, i128>,
    /// Whether the last operation settled rewards here.
    pub(crate) is_settled: bool,
    /// What each set could slash at the last boundary, in whole units.
    pub(crate) owned: BTreeMap<SetId, u128>,
    pub(crate) fault: Option<Fault>,
    pub(crate) deposit: u128,
    worths: RefCell<BTreeMap<Liability, Ratio>>,
    shares: RefCell<BTreeMap<(SetId, Epoch, Liability), Ratio>>,
}

impl Pool {
    pub(crate) fn new(operator: OperatorId, asset: AssetId, mandate: Mandate, commission: Fraction) -> Self {
        Self {
            operator,
            asset,
            parts: vec![Owners::new(); usize::from(PARTS)],
            slashes: Vec::new(),
            mandate,
            pending_mandate: None,
            commission: vec![(Epoch::ZERO, commission)],
            bonds: Vec::new(),
            held: 0,
            slashed: 0,
            reserves: BTreeMap::new(),
            carried: BTreeMap::new(),
            is_settled: false,
            owned: BTreeMap::new(),
            fault: None,
            deposit: 0,
            worths: RefCell::default(),
            shares: RefCell::default(),
        }
    }

    /// What anything was computed from has changed.
    pub(crate) fn touch(&self) {
        self.worths.borrow_mut().clear();
        self.shares.borrow_mut().clear();
    }

    /// Whether a slash reaches stake bonded in `from ..= until`.
    pub(crate) fn is_liable(&self, capture: Epoch, (from, until): Liability) -> bool {
        match self.fault {
            Some(Fault::NewcomerLiable) => capture <= until,
            Some(Fault::LeaversEscape) => from <= capture && until == Epoch::NEVER,
            _ => from <= capture && capture <= until,
        }
    }

    /// What is left of a part of stake bonded in `from ..= until`.
    fn left(&self, owners: &[Ownership], liability: Liability) -> Ratio {
        let mut left = Ratio::one();
        for slash in self.slashes.iter().filter(|slash| self.is_liable(slash.capture, liability)) {
            if !owners.iter().any(|owner| owner.set == slash.set && owner.is_in(slash.capture)) {
                continue;
            }
            left = match self.fault {
                Some(Fault::SlashesAdd) => (left - (Ratio::one() - &slash.kept)).max(Ratio::zero()),
                _ => left * &slash.kept,
            };
        }
        left
    }

    /// The sum over the chosen parts of `1/256` of what is left. Neighbours with the same owners are counted together.
    fn sum(&self, liability: Liability, chosen: impl Fn(&[Ownership]) -> bool) -> Ratio {
        let mut sum = Ratio::zero();
        for alike in self.parts.chunk_by(|a, b| a == b) {
            if let Some(owners) = alike.first().filter(|owners| chosen(owners)) {
                sum += self.left(owners, liability) * exact::whole(alike.len() as u128);
            }
        }
        sum / exact::whole(u128::from(PARTS))
    }

    /// What a unit of principal bonded in `from ..= until` is worth.
    pub(crate) fn worth(&self, from: Epoch, until: Epoch) -> Ratio {
        let known = self.worths.borrow().get(&(from, until)).cloned();
        known.unwrap_or_else(|| {
            let worth = self.sum((from, until), |_| true);
            self.worths.borrow_mut().insert((from, until), worth.clone());
            worth
        })
    }

    /// The part of that in what `set` owned in `epoch`.
    pub(crate) fn share(&self, set: SetId, epoch: Epoch, from: Epoch, until: Epoch) -> Ratio {
        let key = (set, epoch, (from, until));
        let known = self.shares.borrow().get(&key).cloned();
        known.unwrap_or_else(|| {
            let is_owned =
                |owners: &[Ownership]| owners.iter().any(|owner| owner.set == set && owner.is_in(epoch));
            let share = self.sum((from, until), is_owned);
            self.shares.borrow_mut().insert(key, share.clone());
            share
        })
    }

    /// The part of the worth in the chosen parts.
    pub(crate) fn share_where(
        &self,
        chosen: impl Fn(&[Ownership]) -> bool,
        from: Epoch,
        until: Epoch,
    ) -> Ratio {
        self.sum((from, until), chosen)
    }

    /// The part of the worth in parts chosen by their place.
    pub(crate) fn share_of_parts(&self, places: &[usize], from: Epoch, until: Epoch) -> Ratio {
        let mut sum = Ratio::zero();
        let mut known: Option<(&Owners, Ratio)> = None;
        for place in places {
            let owners = &self.parts[*place];
            let left = match &known {
                Some((same, left)) if *same == owners => left.clone(),
                _ => self.left(owners, (from, until)),
            };
            sum += &left;
            known = Some((owners, left));
        }
        sum / exact::whole(u128::from(PARTS))
    }

    /// Whether the ledger computes the worth without any rounding of factors.
    pub(crate) fn is_binary(&self, from: Epoch, until: Epoch) -> bool {
        let mut runs = self.parts.chunk_by(|a, b| a == b);
        runs.all(|alike| {
            alike.first().is_none_or(|owners| exact::is_binary(&self.left(owners, (from, until))))
        })
    }

    /// Parts that a set holds and has not given back.
    pub(crate) fn parts_of(&self, set: SetId) -> u16 {
        self.count(|owners| owners.iter().any(|owner| owner.set == set && owner.is_open()))
    }

    /// Parts that a set owns in `epoch`.
    pub(crate) fn parts_in(&self, set: SetId, epoch: Epoch) -> u16 {
        self.count(|owners| owners.iter().any(|owner| owner.set == set && owner.is_in(epoch)))
    }

    pub(crate) fn count(&self, chosen: impl Fn(&[Ownership]) -> bool) -> u16 {
        u16::try_from(self.parts.iter().filter(|owners| chosen(owners)).count()).expect("at most 256 parts")
    }

    /// Sets that own a part now or later.
    pub(crate) fn open_sets(&self) -> BTreeSet<SetId> {
        self.parts.iter().flatten().filter(|owner| owner.is_open()).map(|owner| owner.set).collect()
    }

    /// Sets that own a part in `epoch`.
    pub(crate) fn sets_in(&self, epoch: Epoch) -> BTreeSet<SetId> {
        self.parts.iter().flatten().filter(|owner| owner.is_in(epoch)).map(|owner| owner.set).collect()
    }

    /// Whether the capacity rule still counts an owner.
    fn is_counted(&self, owner: &Ownership, now: Epoch) -> bool {
        match self.fault {
            Some(Fault::RetainedUncounted) => owner.is_open(),
            _ => owner.free_at > now,
        }
    }

    /// Risk weights of the owners of a part, retained ones included, each set once.
    fn load(&self, owners: &[Ownership], now: Epoch, weight: &impl Fn(SetId) -> Fraction) -> u64 {
        let sets: BTreeSet<SetId> =
            owners.iter().filter(|owner| self.is_counted(owner, now)).map(|owner| owner.set).collect();
        sets.into_iter().map(|set| weight(set).steps()).fold(0, u64::saturating_add)
    }

    /// Whether a part with a heavier owner would carry more than one.
    pub(crate) fn is_overfull(&self, set: SetId, now: Epoch, weight: &impl Fn(SetId) -> Fraction) -> bool {
        let has_set =
            |owners: &Owners| owners.iter().any(|owner| owner.set == set && self.is_counted(owner, now));
        self.parts.iter().any(|owners| has_set(owners) && self.load(owners, now, weight) > Fraction::STEPS)
    }

    /// Parts that a set may take, in order: its own retained ones, then the most loaded, then from the left.
    pub(crate) fn candidates(
        &self,
        set: SetId,
        now: Epoch,
        weight: &impl Fn(SetId) -> Fraction,
    ) -> Vec<usize> {
        let mut candidates = Vec::new();
        for (index, owners) in self.parts.iter().enumerate() {
            if owners.iter().any(|owner| owner.set == set && owner.is_open()) {
                continue;
            }
            let is_own = owners.iter().any(|owner| owner.set == set && self.is_counted(owner, now));
            let load = self.load(owners, now, weight);
            let added = if is_own { 0 } else { weight(set).steps() };
            if load.saturating_add(added) <= Fraction::STEPS {
                candidates.push((!is_own, std::cmp::Reverse(load), index));
            }
        }
        candidates.sort_unstable();
        candidates.into_iter().map(|(_, _, index)| index).collect()
    }

    /// A set owns the chosen parts from `from` on; without a gap, or if it gave them back in `reopened`, it goes on owning them.
    pub(crate) fn take(&mut self, set: SetId, chosen: &[usize], reopened: Option<Epoch>, from: Epoch) {
        for index in chosen {
            let owners = &mut self.parts[*index];
            let goes_on = |owner: &&mut Ownership| {
                owner.set == set && (Some(owner.to) == reopened || owner.to.next() >= from)
            };
            match owners.iter_mut().find(goes_on) {
                Some(owner) => (owner.to, owner.free_at) = (Epoch::NEVER, Epoch::NEVER),
                None => owners.push(Ownership { set, from, to: Epoch::NEVER, free_at: Epoch::NEVER }),
            }
        }
        self.touch();
    }

    /// A set gives back parts from the right, those that have not started first; nothing can be executed against them from `free_at` on.
    pub(crate) fn give_back(&mut self, set: SetId, parts: u16, last: Epoch, free_at: Epoch) {
        let mut missing = parts;
        for started in [false, true] {
            for owners in self.parts.iter_mut().rev() {
                let is_given = |owner: &Ownership| {
                    owner.set == set && owner.is_open() && (owner.from <= last) == started
                };
                let Some(index) = owners.iter().position(is_given).filter(|_| missing > 0) else { continue };
                missing -= 1;
                if started {
                    owners[index].to = last;
                    owners[index].free_at = free_at;
                } else {
                    owners.remove(index);
                }
            }
        }
        self.touch();
    }

    /// What of the bond is liable for `capture`.
    pub(crate) fn liable_bond(&self, capture: Epoch) -> u128 {
        let liable = self.bonds.iter().filter(|bond| bond.from <= capture && capture <= bond.until);
        liable.map(|bond| bond.amount).sum()
    }

    /// What of the bond nobody has asked to lower.
    pub(crate) fn standing_bond(&self) -> u128 {
        self.bonds.iter().filter(|bond| bond.until == Epoch::NEVER).map(|bond| bond.amount).sum()
    }

    /// The commission for the work of an epoch.
    pub(crate) fn commission_in(&self, epoch: Epoch) -> Fraction {
        super::in_force(&self.commission, epoch)
    }
}
