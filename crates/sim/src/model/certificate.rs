//! What a set secures, and which profit it may declare.

use std::cmp::Ordering;

use protocol::ops::declare_profit::DeclareProfit;
use protocol::terms::Terms;
use protocol::units::{Address, Amount, Epoch, Fraction, SetId};

use super::exact::{self, Ratio};
use super::records::Set;
use super::{Model, Verdict, ensure, in_force, plan};

impl Model {
    /// The highest profit declared for now or later.
    pub(crate) fn highest_profit(&self, set: &Set) -> u128 {
        let later = set.profit.iter().filter(|(from, _)| *from > self.epoch).map(|(_, profit)| *profit);
        later.fold(in_force(&set.profit, self.epoch), u128::max)
    }

    /// `alpha rho f Q` of a set as it stands, with the frozen table less what is announced to leave: between two bounds.
    pub(crate) fn secured(&self, set: &Set) -> (u128, u128) {
        let terms = set.terms_in(self.epoch);
        let frozen = set.tables.get(&self.epoch).map_or(0, |table| table.weight);
        let low = self.secured_by(terms, frozen.saturating_sub(set.leaving.1));
        (low, self.secured_by(terms, frozen.saturating_sub(set.leaving.0)))
    }

    /// The same under new terms: under other assets whatever stays is weighed anew.
    pub(crate) fn secured_under(&self, id: SetId, set: &Set, terms: &Terms) -> (u128, u128) {
        let table = set.tables.get(&self.epoch).cloned().unwrap_or_default();
        let bounds = if terms.assets == set.terms_in(self.epoch).assets {
            [table.weight.saturating_sub(set.leaving.1), table.weight.saturating_sub(set.leaving.0)]
        } else {
            let on_duty = table.rows.iter().map(|row| row.operator).filter(|operator| {
                set.active_member(*operator).is_some_and(|member| member.jailed.is_none())
            });
            let mut weights = [0, 0];
            for pool in on_duty.flat_map(|operator| self.pools_of(operator)) {
                for (sum, amount) in weights.iter_mut().zip(self.staying(id, pool)) {
                    *sum += self.weight_under(terms, self.pool(pool).asset, amount);
                }
            }
            weights
        };
        let [low, high] = bounds.map(|weight| self.secured_by(terms, weight));
        (low, high)
    }

    /// Between which bounds lies what a set secures now and under terms that are announced.
    fn secured_for_raise(&self, id: SetId, set: &Set) -> (u128, u128) {
        let seen = self.seen_secured(id);
        let announced = set.pending.as_ref().map(|pending| self.secured_under(id, set, &pending.terms));
        announced.map_or((seen, seen), |(low, high)| (low.min(seen), high.min(seen)))
    }

    fn secured_by(&self, terms: &Terms, weight: u128) -> u128 {
        let values = terms.assets.iter().map(|accepted| {
            let value = self.asset(accepted.asset).map_or(0, |asset| asset.value);
            exact::portion_down(weight, u128::from(value), u128::from(accepted.weight))
        });
        let value = values.min().unwrap_or(0);
        let rounded = exact::share_down(exact::share_down(value, terms.risk_weight), terms.corruption_share);
        exact::share_down(rounded, sure_fraction(terms))
    }

    /// What the ledger shows that a set secures; verified to lie between the bounds.
    fn seen_secured(&self, set: SetId) -> u128 {
        self.seen.sets.get(super::index(set.number())).map_or(0, |seen| seen.secured.units())
    }

    pub(crate) fn declare_profit(&mut self, op: &DeclareProfit, sender: Address) -> Verdict {
        let (now, profit) = (self.epoch, op.profit.units());
        let set = self.own_set(op.set, sender)?;
        ensure!(!set.is_closed, "SetClosed");
        let current = in_force(&set.profit, now);
        ensure!(profit != current || profit != self.highest_profit(set), "Unchanged");
        ensure!(op.profit <= Amount::LIMIT, "TooLarge");
        if profit > current {
            ensure!(set.under_since.is_none(), "UnderCollateralised");
            let needed = needed(profit, self.rules().gamma_min);
            ensure!(self.secured_for_raise(op.set, set).0 >= needed, "Uncertified");
        }
        let from = if profit >= current { now } else { now.next().later(self.rules().notice) };
        plan(&mut self.set_mut(op.set).profit, from, profit);
        Ok(())
    }

    /// Whether it is too close to call whether new terms are certified.
    pub(crate) fn is_change_borderline(&self, id: SetId, new: &Terms) -> bool {
        let Some(set) = self.set(id) else { return false };
        let needed = needed(self.highest_profit(set), self.rules().gamma_min);
        let (low, high) = self.secured_under(id, set, new);
        low < needed && needed <= high
    }

    /// Whether it is too close to call whether a profit is certified under announced terms.
    pub(crate) fn is_profit_borderline(&self, op: &DeclareProfit) -> bool {
        let Some(set) = self.set(op.set).filter(|_| op.profit <= Amount::LIMIT) else { return false };
        let needed = needed(op.profit.units(), self.rules().gamma_min);
        let (low, high) = self.secured_for_raise(op.set, set);
        low < needed && needed <= high
    }

    /// The boundary notes which sets are under-collateralised; when the grace is over their parts of certified pools run out.
    pub(crate) fn check_certificates(&mut self) {
        for id in self.set_ids() {
            let Some(set) = self.set(id) else { continue };
            let profit = in_force(&set.profit, self.epoch);
            let is_under = profit > 0 && !set.is_closed && self.secured(set).0 < profit;
            let since = set.under_since;
            self.set_mut(id).under_since = is_under.then_some(since.unwrap_or(self.epoch));
            let is_over = since.is_some_and(|since| self.epoch.since(since) > self.rules().grace);
            if is_under && is_over {
                self.run_out(id);
            }
        }
    }

    fn run_out(&mut self, set: SetId) {
        for pool in self.pool_ids() {
            let parts = self.pool(pool).parts_of(set);
            if parts > 0 && !self.pool(pool).mandate.uncertified {
                self.give_back(set, pool, parts, self.epoch);
            }
        }
    }

    /// Whether a pool of certified sharing only keeps a set out: under-collateralised, and sharing or late.
    pub(crate) fn is_uncertified(&self, set: SetId) -> bool {
        let is_sharing = |set: &Set| set.terms_in(self.epoch).risk_weight < Fraction::ONE;
        let is_late = |since: Epoch| self.epoch.since(since) > self.rules().grace;
        self.set(set)
            .is_some_and(|set| set.under_since.is_some_and(|since| is_sharing(set) || is_late(since)))
    }
}

/// `(1 + gamma) pi`, rounded up.
pub(crate) fn needed(profit: u128, gamma: Fraction) -> u128 {
    profit + exact::times_up(profit, &exact::ratio(gamma))
}

/// Whether new terms touch the certificate.
pub(crate) fn is_weakened(old: &Terms, new: &Terms) -> bool {
    new.risk_weight < old.risk_weight
        || new.corruption_share < old.corruption_share
        || sure_fraction(new).cmp(&sure_fraction(old)) == Ordering::Less
        || new.assets != old.assets
}

/// What is surely taken when a share of `alpha` offends: by the kinds that nobody can veto, capped, and rounded against the set.
fn sure_fraction(terms: &Terms) -> Fraction {
    let base = terms.offences.equivocation.unwrap_or_default().min(terms.window_cap);
    let alpha = exact::ratio(terms.corruption_share);
    let curve = terms.offences.correlation.as_ref().map_or(Fraction::ZERO, |curve| {
        let power =
            if curve.exponent == 2 { exact::ratio(exact::fraction_down(&(&alpha * &alpha))) } else { alpha };
        exact::fraction_down(&(power * exact::whole(u128::from(curve.multiplier))))
    });
    // The cap adds fractions up; what it leaves for the curve is taken of what the base has left.
    let curve = curve.min(terms.window_cap.above(base));
    let kept: Ratio = exact::ratio(base.complement()) * exact::ratio(curve.complement());
    let kept = exact::fraction_down(&kept);
    let is_exact = base.is_zero() || curve.is_zero();
    let kept = if is_exact { kept } else { kept.plus_up_to_one(Fraction::STEP) };
    kept.complement()
}
