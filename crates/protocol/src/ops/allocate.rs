//! An operator changes how many parts of a pool a set may slash.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::pool::PARTS;
use crate::state::State;
use crate::state::value::OverCap;
use crate::units::{Address, Amount, AssetId, Epoch, Fraction, OperatorId, PoolId, SetId};

record! {
    /// Sets the parts of a pool that a set owns. More count from the next epoch (after the set's warm-up), and after the notice where
    /// they exceed the pool's mandate; fewer weigh less from the next epoch on. The last order of an epoch wins.
    pub struct Allocate {
        /// The set.
        pub set: SetId,
        /// The asset of the pool.
        pub asset: AssetId,
        /// Parts of 256, all told.
        pub parts: u16,
        /// Refuse unless the set owns so many parts at present.
        #[serde(default)]
        pub expected_parts: Option<u16>,
        /// Refuse unless the operator was slashed by this set so many times within the window that the caps count.
        #[serde(default)]
        pub expected_slashes: Option<u32>,
    }
}

refusals! {
    /// Why an allocation is refused. From `AllocationsStopped` on only increases are.
    {
        NotAnOperator => "the sender is not an operator",
        SetNotFound { set: SetId } => "set {set} does not exist",
        NotAMember { set: SetId } => "the operator is not in set {set}",
        PoolNotFound { asset: AssetId } => "the operator has no pool of asset {asset}",
        TooManyParts { parts: u16 } => "{parts} parts exceed 256",
        PartsDiffer { expected: u16, parts: u16 } => "the set owns {parts} parts, not the expected {expected}",
        SlashesDiffer { expected: u32, slashes: u32 } => "the set has slashed the operator {slashes} times, not the expected {expected}",
        Unchanged { parts: u16 } => "the set owns {parts} parts already",
        AllocationsStopped { until: Epoch } => "the guardian has stopped allocations until epoch {until}",
        OperatorRetired => "the operator has retired",
        SetClosed { set: SetId } => "set {set} is closed",
        AssetNotAccepted { asset: AssetId } => "the terms of the set do not name asset {asset}",
        TooManySets { sets: usize, most: u16 } => "{sets} sets own parts of the pool, and {most} may",
        SlicesFull { parts: u16, admissible: u16, short: u16 } => "of the {parts} parts more the capacity rule admits {admissible}, {short} too few",
        NotCertified { set: SetId } => "set {set} is under-collateralised, and the pool's mandate is certified sharing only",
        OverCap { over: OverCap } => "{over}",
    }
}

/// What an increase would do.
pub(crate) struct Plan {
    pub(crate) pool: PoolId,
    /// Parts more.
    pub(crate) parts: u16,
    /// Whether it stays inside the mandate: then it waits for no notice, and parts given back in this epoch were never given back.
    pub(crate) is_inside: bool,
    /// First epoch in which parts that were not given back in this epoch weigh and are liable.
    pub(crate) start: Epoch,
    /// First epoch in which all of them do.
    pub(crate) from: Epoch,
    /// How much of the new parts is left for the stake bonded at present.
    pub(crate) left: Fraction,
    /// What the new parts are worth at present.
    pub(crate) backing: Amount,
}

impl Allocate {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let (set, asset) = (self.set, self.asset);
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        let (pool, parts) = self.check(state, operator)?;
        let now = state.epoch;
        if self.parts < parts {
            // From here on nothing can fail.
            state.give_back(set, pool, parts.saturating_sub(self.parts), now);
            let from = now.next();
            events.push(Event::AllocationChanged {
                set,
                operator,
                asset,
                parts: self.parts,
                from,
                gained: None,
            });
            return Ok(());
        }
        let plan = plan_increase(state, operator, set, asset, self.parts.saturating_sub(parts))?;

        // From here on nothing can fail.
        carry_out(state, operator, set, asset, &plan, events);
        Ok(())
    }

    fn check(&self, state: &State, operator: OperatorId) -> Result<(PoolId, u16), Refused> {
        let (set, asset) = (self.set, self.asset);
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        if record.active_member(operator).is_none() {
            return Err(Refused::NotAMember { set });
        }
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { asset })?;
        if self.parts > PARTS {
            return Err(Refused::TooManyParts { parts: self.parts });
        }
        let parts = state.pool(pool).stake.parts_of(set);
        if let Some(expected) = self.expected_parts
            && expected != parts
        {
            return Err(Refused::PartsDiffer { expected, parts });
        }
        let executed = record.executed.get(&operator).map_or(&[][..], Vec::as_slice);
        let slashes = executed.iter().fold(0_u32, |sum, executed| sum.saturating_add(executed.count));
        if let Some(expected) = self.expected_slashes
            && expected != slashes
        {
            return Err(Refused::SlashesDiffer { expected, slashes });
        }
        if self.parts == parts {
            return Err(Refused::Unchanged { parts });
        }
        Ok((pool, parts))
    }
}

/// Whether a set may take so many parts more of a pool, and what that would do.
pub(crate) fn plan_increase(
    state: &State,
    operator: OperatorId,
    set: SetId,
    asset: AssetId,
    parts: u16,
) -> Result<Plan, Refused> {
    let until = state.stops.allocations;
    if until > state.epoch {
        return Err(Refused::AllocationsStopped { until });
    }
    if state.operator(operator).is_none_or(|record| record.is_retired) {
        return Err(Refused::OperatorRetired);
    }
    let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { asset })?;
    let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
    if record.is_closed {
        return Err(Refused::SetClosed { set });
    }
    let terms = record.terms_in(state.epoch);
    if terms.weight_of(asset).is_none() {
        return Err(Refused::AssetNotAccepted { asset });
    }
    let stake = &state.pool(pool).stake;
    let owners = stake.open_sets();
    let most = state.limits().sets_per_pool;
    if !owners.contains(&set) && owners.len() >= usize::from(most) {
        return Err(Refused::TooManySets { sets: owners.len(), most });
    }
    state.check_capacity(operator, asset, set, parts)?;
    let mandate = state.pool(pool).mandate;
    if !mandate.uncertified && state.is_uncertified(set) {
        return Err(Refused::NotCertified { set });
    }
    let weight = |set: SetId| state.risk_weight(set);
    let (backing, whole) = stake.next_parts_worth(set, parts, state.epoch, &weight);
    state.check_set_caps(set, state.value(asset, backing)).map_err(|over| Refused::OverCap { over })?;
    let next = state.epoch.next();
    // A decrease withdrawn in its own epoch never happened, unless it would now exceed what delegators have signed.
    let is_inside = !state.exceeds_mandate(pool, set, parts);
    let notice = if is_inside { 0 } else { state.parameters().notice };
    let start = next.later(terms.warm_up).later(notice);
    let from = if is_inside && parts <= stake.given_back_in(set, state.epoch) { next } else { start };
    Ok(Plan { pool, parts, is_inside, start, from, left: Fraction::ratio_down(backing, whole), backing })
}

impl State {
    /// Whether the capacity rule admits so many parts more of a pool for a set: the check of an opt-in. Costs as the pool has slices.
    ///
    /// # Errors
    /// [`Refused::PoolNotFound`], [`Refused::SlicesFull`].
    pub fn check_capacity(
        &self,
        operator: OperatorId,
        asset: AssetId,
        set: SetId,
        parts: u16,
    ) -> Result<(), Refused> {
        let pool = self.pool_of(operator, asset).ok_or(Refused::PoolNotFound { asset })?;
        let weight = |set: SetId| self.risk_weight(set);
        self.pool(pool).stake.can_take(set, parts, &weight).map_err(|short| {
            let admissible = short.admissible;
            Refused::SlicesFull { parts, admissible, short: parts.saturating_sub(admissible) }
        })
    }
}

/// Carries out a planned increase.
pub(crate) fn carry_out(
    state: &mut State,
    operator: OperatorId,
    set: SetId,
    asset: AssetId,
    plan: &Plan,
    events: &mut Vec<Event>,
) {
    let weights = state.risk_weights_of(plan.pool, set);
    let weight = |set: SetId| weights.get(&set).copied().unwrap_or(Fraction::ONE);
    let reopened = plan.is_inside.then_some(state.epoch);
    state.reallocate(set, plan.pool, |stake| stake.take(set, plan.parts, reopened, plan.start, &weight));
    let parts = state.pool(plan.pool).stake.parts_of(set);
    let gained = Some(crate::event::Gained { parts: plan.parts, left: plan.left, backing: plan.backing });
    events.push(Event::AllocationChanged { set, operator, asset, parts, from: plan.from, gained });
}
