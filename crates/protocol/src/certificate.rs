//! What reuse of stake costs: the certificate of a set, and gamma of the network.
//!
//! Paper: Durvasula and Roughgarden, "Robust Restaking Networks" (arXiv:2407.21785), Corollary 2, generalised by risk weights
//! (`docs/explanation/certificate.md`). A set secures `alpha x rho x f x Q`, less cover sold on that stake, which is nothing until cover
//! exists; it may declare a profit `pi` while that is at least `(1 + gamma_min) pi`. Every figure here is rounded against the set.

use serde::{Deserialize, Serialize};

use crate::state::State;
use crate::state::records::{Row, Set};
use crate::terms::Terms;
use crate::units::{Amount, Epoch, Fraction, OperatorId, SetId};
use crate::wide;

/// `alpha rho f Q` of a set as it stands: with the frozen table less announced leaves, at the lowest ledger value per weight of the
/// assets.
pub(crate) fn secured(state: &State, set: &Set) -> Amount {
    let frozen = set.table_of(state.epoch).map_or(Amount::ZERO, |table| table.weight);
    secured_by(state, set.terms_in(state.epoch), set.leaving.room_below(frozen))
}

/// `alpha rho f Q` of a set under other terms. Other assets weigh otherwise: then what each operator on duty keeps is weighed anew.
pub(crate) fn secured_under(state: &State, id: SetId, set: &Set, terms: &Terms) -> Amount {
    let now = state.epoch;
    let Some(table) = set.table_of(now).filter(|_| terms.assets != set.terms_in(now).assets) else {
        let frozen = set.table_of(now).map_or(Amount::ZERO, |table| table.weight);
        return secured_by(state, terms, set.leaving.room_below(frozen));
    };
    let mut weight = Amount::ZERO;
    let on_duty = |row: &&Row| set.active_member(row.operator).is_some_and(|member| !member.is_jailed());
    for operator in table.rows.iter().filter(on_duty).filter_map(|row| state.operator(row.operator)) {
        for (asset, pool) in &operator.pools {
            let staying = state.pool(*pool).stake.staying(id, now);
            weight = weight.plus(state.weight(terms, *asset, staying)).unwrap_or(weight);
        }
    }
    secured_by(state, terms, weight)
}

fn secured_by(state: &State, terms: &Terms, weight: Amount) -> Amount {
    let mut value = None;
    for accepted in &terms.assets {
        let rated = u128::from(state.asset(accepted.asset).map_or(0, |asset| asset.value));
        let of_asset = wide::checked_mul_div_down(weight.units(), rated, u128::from(accepted.weight.max(1)));
        // Past the range it is not the lowest of anything that a profit could be compared with.
        let of_asset = of_asset.unwrap_or(u128::MAX);
        value = Some(value.map_or(of_asset, |least: u128| least.min(of_asset)));
    }
    let value = Amount::new(value.unwrap_or(0));
    let secured = terms.corruption_share.of_down(terms.risk_weight.of_down(value));
    terms.sure_fraction().of_down(secured)
}

/// `(1 + gamma) pi`, rounded up.
pub(crate) fn needed(profit: Amount, gamma: Fraction) -> Amount {
    profit.plus(gamma.of_up(profit)).unwrap_or(Amount::new(u128::MAX))
}

/// Whether a set may declare a profit, by the terms in force and by those announced. Costs the same for every size of the set, unless
/// terms with other assets are announced.
///
/// # Errors
/// What it secures and what it would have to.
pub(crate) fn check_raise(
    state: &State,
    id: SetId,
    set: &Set,
    profit: Amount,
) -> Result<(), (Amount, Amount)> {
    let announced = set.pending.as_ref().map(|pending| secured_under(state, id, set, &pending.terms));
    let secured = announced.map_or(secured(state, set), |announced| announced.min(secured(state, set)));
    let needed = needed(profit, state.parameters().gamma_min);
    if secured < needed { Err((secured, needed)) } else { Ok(()) }
}

/// Whether new terms touch the certificate: a lower `rho`, `alpha` or `f`, or other assets.
pub(crate) fn is_weakened(old: &Terms, new: &Terms) -> bool {
    new.risk_weight < old.risk_weight
        || new.corruption_share < old.corruption_share
        || new.sure_fraction() < old.sure_fraction()
        || new.assets != old.assets
}

/// Where the network stands: how much more an attack costs than it brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gamma {
    /// `1 + gamma_cert`: the slack of the whole network over all choices of risk weights, in `10^-18`, rounded down. `None` while no
    /// set has declared a profit: there is nothing to attack.
    pub certified: Option<u128>,
    /// `1 + gamma` at the declared risk weights, in `10^-18`, rounded down.
    pub declared: Option<u128>,
    /// `D`: by how much the sets together fall short of the least slack, in ledger value. A shock that destroys a share `psi` of all
    /// stake ends in less than `(1 + 1/gamma) psi + D / gamma`; never show the bound without it.
    pub shortfall: Amount,
}

/// Who stands behind what: operators with their stake and what each set could slash of it, in ledger value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Exposure {
    /// Per operator the shares of its stake, by set.
    operators: Vec<Vec<(u32, u64)>>,
    /// `W`: per set, all that it could slash.
    weights: Vec<u128>,
}

/// Binary places of a share of an operator's stake.
const SHARE_BITS: u32 = 63;
/// Binary places of a set's heat `pi / (alpha W)`. A heat above 16 counts as 16: such a set is worth attacking sixteen times over.
const HEAT_BITS: usize = 60;
/// Places that a product of both loses, so that a sum over all sets fits.
const SPARE_BITS: u32 = 20;

impl Exposure {
    /// Adds an operator with its stake and what each set could slash of it.
    pub fn add_operator(&mut self, stake: Amount, slashable: &[(SetId, Amount)]) {
        let mut shares = Vec::with_capacity(slashable.len());
        for (set, amount) in slashable {
            let index = set.index();
            if self.weights.len() <= index {
                self.weights.resize(index.saturating_add(1), 0);
            }
            if let Some(weight) = self.weights.get_mut(index) {
                *weight = weight.saturating_add(amount.units());
            }
            let part = amount.units().min(stake.units());
            if !stake.is_zero() {
                let share = wide::mul_div_up(part, 1 << SHARE_BITS, stake.units());
                shares.push((set.number(), u64::try_from(share).unwrap_or(u64::MAX)));
            }
        }
        self.operators.push(shares);
    }

    /// All that a set could slash, in ledger value.
    pub(crate) fn weight(&self, set: SetId) -> u128 {
        self.weights.get(set.index()).copied().unwrap_or(0)
    }

    /// The shares of an operator's stake that sets could slash, in `2^-63`, by set; none of an operator that is not in it.
    pub(crate) fn shares_of(&self, operator: OperatorId) -> Option<&[(u32, u64)]> {
        self.operators.get(operator.index()).map(Vec::as_slice)
    }

    /// `1 + gamma_cert` in `10^-18` for declared profits and corruption shares per set; `None` where nobody declares a profit.
    ///
    /// `min over operators of stake / sum(pi w / (alpha W))`, at most `min over sets of alpha W / pi`. Paper: as the module.
    pub fn certified(&self, sets: &[(Amount, Fraction)]) -> Option<u128> {
        let mut heats = Vec::with_capacity(sets.len());
        let mut hottest = 0_u64;
        for (index, (profit, alpha)) in sets.iter().enumerate() {
            let heat = heat(*profit, *alpha, self.weights.get(index).copied().unwrap_or(0));
            hottest = hottest.max(heat);
            heats.push(heat);
        }
        if hottest == 0 {
            return None;
        }
        let mut warmest = u128::from(hottest) << (SHARE_BITS.saturating_sub(SPARE_BITS));
        for shares in &self.operators {
            let mut sum = 0_u128;
            for (set, share) in shares {
                let heat =
                    usize::try_from(*set).ok().and_then(|index| heats.get(index)).copied().unwrap_or(0);
                sum = sum.saturating_add(warmth(heat, *share));
            }
            warmest = warmest.max(sum);
        }
        let one = 1_u128 << 103;
        Some(wide::mul_div_down(one, u128::from(Fraction::STEPS), warmest))
    }
}

/// What of a set's heat falls on a share of an operator's stake, with 103 places, rounded down.
pub(crate) fn warmth(heat: u64, share: u64) -> u128 {
    u128::from(heat).saturating_mul(u128::from(share)) >> SPARE_BITS
}

/// `pi / (alpha W)` with [`HEAT_BITS`] places, rounded up.
pub(crate) fn heat(profit: Amount, alpha: Fraction, weight: u128) -> u64 {
    if profit.is_zero() {
        return 0;
    }
    let corrupting = alpha.of_down(Amount::new(weight)).units();
    let heat = wide::shift_div_up(profit.units(), HEAT_BITS, corrupting);
    heat.and_then(|heat| u64::try_from(heat).ok()).unwrap_or(u64::MAX)
}

impl State {
    /// Where the network stands, by the tables of this epoch.
    pub fn gamma(&self) -> Gamma {
        let now = self.epoch;
        let mut declared: Option<u128> = None;
        let mut shortfall = Amount::ZERO;
        let mut sets = Vec::with_capacity(self.sets.len());
        for record in self.sets.iter() {
            let profit = *record.profit.at(now);
            sets.push((profit, record.terms_in(now).corruption_share));
            if profit.is_zero() {
                continue;
            }
            let secured = secured(self, record);
            let steps = u128::from(Fraction::STEPS);
            let slack =
                wide::checked_mul_div_down(secured.units(), steps, profit.units()).unwrap_or(u128::MAX);
            declared = Some(declared.map_or(slack, |least| least.min(slack)));
            shortfall.grow(secured.room_below(needed(profit, self.parameters().gamma_min)));
        }
        Gamma { certified: self.exposure.certified(&sets), declared, shortfall }
    }

    /// Freezes who stands behind what, for [`State::gamma`]. Nothing is kept while nobody declares a profit.
    pub(crate) fn freeze_exposure(&mut self) {
        *self.exposure = Exposure::default();
        let now = self.epoch;
        if self.sets.iter().all(|set| set.highest_profit(now).is_zero()) {
            return;
        }
        let mut exposure = Exposure::default();
        for operator in self.operators.iter() {
            let mut stake = Amount::ZERO;
            let mut slashable: Vec<(SetId, Amount)> = Vec::new();
            for (asset, pool) in &operator.pools {
                let record = self.pool(*pool);
                stake.grow(self.value(*asset, record.stake.worth_in(now)));
                for (set, amount) in &record.owned {
                    let value = self.value(*asset, *amount);
                    match slashable.iter_mut().find(|(other, _)| other == set) {
                        Some((_, sum)) => sum.grow(value),
                        None => slashable.push((*set, value)),
                    }
                }
            }
            exposure.add_operator(stake, &slashable);
        }
        *self.exposure = exposure;
    }

    /// The certificate check of the boundary: notes which sets are under-collateralised; after the grace their allocations run out in
    /// pools whose mandate is certified sharing only.
    pub(crate) fn check_certificates(&mut self, events: &mut Vec<crate::event::Event>) {
        let now = self.epoch;
        for index in 0..self.sets.len() {
            let set = SetId::at(index);
            let Some(record) = self.set(set) else { continue };
            let profit = *record.profit.at(now);
            let is_under = !profit.is_zero() && !record.is_closed && secured(self, record) < profit;
            let since = record.under_since;
            let record = self.set_mut(set);
            match (since, is_under) {
                (None, true) => {
                    record.under_since = Some(now);
                    events.push(crate::event::Event::UnderCollateralised { set });
                }
                (Some(_), false) => {
                    record.under_since = None;
                    events.push(crate::event::Event::CollateralRestored { set });
                }
                (Some(since), true) if now.since(since) > self.parameters().grace => {
                    self.run_out(set, now, events);
                }
                (Some(_), true) | (None, false) => {}
            }
        }
    }

    fn run_out(&mut self, set: SetId, now: Epoch, events: &mut Vec<crate::event::Event>) {
        let members: Vec<_> =
            self.set(set).map(|record| record.members.keys().copied().collect()).unwrap_or_default();
        for operator in members {
            let pools = self.operator(operator).map(|record| record.pools.clone()).unwrap_or_default();
            for (asset, pool) in pools {
                let parts = self.pool(pool).stake.parts_of(set);
                if parts > 0 && !self.pool(pool).mandate.uncertified {
                    self.give_back(set, pool, parts, now);
                    let from = now.next();
                    let event = crate::event::Event::AllocationChanged {
                        set,
                        operator,
                        asset,
                        parts: 0,
                        from,
                        gained: None,
                    };
                    events.push(event);
                }
            }
        }
    }
}
