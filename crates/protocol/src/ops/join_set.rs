//! An operator opts into a set.

use super::allocate::{self, Plan};
use crate::event::Event;
use crate::macros::{record, refusals};
use crate::pool::Cohort;
use crate::state::State;
use crate::state::records::{Member, Set};
use crate::units::{Address, Amount, AssetId, Digest, Epoch, OperatorId, SetId};

record! {
    /// Joins a set with first allocations, under the terms that the digest names.
    pub struct JoinSet {
        /// The set.
        pub set: SetId,
        /// The digest of the terms: those announced where a change is pending, otherwise those in force.
        pub terms: Digest,
        /// First allocations.
        #[serde(default)]
        pub allocations: Vec<Allocation>,
    }
}

record! {
    /// A first allocation.
    pub struct Allocation {
        /// The asset of the pool.
        pub asset: AssetId,
        /// Parts of 256.
        pub parts: u16,
    }
}

refusals! {
    /// Why a join is refused.
    {
        NotAnOperator => "the sender is not an operator",
        OperatorRetired => "the operator has retired",
        SetNotFound { set: SetId } => "set {set} does not exist",
        SetClosed { set: SetId } => "set {set} is closed",
        AlreadyIn { set: SetId } => "the operator is in set {set} already",
        TermsDiffer { signed: Digest, current: Digest } => "the signed terms {signed} are not the set's terms {current}",
        NotAdmitted { set: SetId } => "set {set} admits only operators on its list",
        TooManySets { count: usize, most: u16 } => "the operator is in {count} sets, and may be in {most}",
        SelfStakeTooSmall { weight: Amount, least: Amount } => "the operator's own stake weighs {weight}, less than {least}",
        BondTooSmall { weight: Amount, least: Amount } => "the operator's bonds would weigh {weight}, less than {least}",
        AssetTwice { asset: AssetId } => "asset {asset} is allocated twice",
        AllocationRefused { asset: AssetId, refused: allocate::Refused } => "the allocation of asset {asset} is refused: {refused}",
        SetFull { weight: Amount, needed: Amount } => "the set is full, and a weight of {weight} is less than the {needed} that replaces its smallest",
    }
}

impl JoinSet {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let set = self.set;
        let operator = state.operator_of(sender).ok_or(Refused::NotAnOperator)?;
        self.check(state, operator)?;
        let plans = self.plans(state, operator)?;
        let replaced = self.check_room(state, &plans)?;

        // From here on nothing can fail.
        let now = state.epoch;
        if let Some(smallest) = replaced {
            state.leave_set(set, smallest, state.epoch);
            events.push(Event::LeftSet { set, operator: smallest, replaced_by: Some(operator) });
        }
        let member = state.set_mut(set).members.entry(operator).or_insert_with(Member::new);
        // Leaving in this epoch never happened; a jail goes on where it was left.
        if member.left == Some(now) {
            member.reopen_keys(now);
        }
        member.left = None;
        if let Some(pending) = &mut state.set_mut(set).pending {
            pending.consents.insert(operator);
        }
        state.operator_mut(operator).sets.insert(set);
        events.push(Event::JoinedSet { set, operator });
        for (asset, plan) in plans {
            allocate::carry_out(state, operator, set, asset, &plan, events);
        }
        Ok(())
    }

    fn check(&self, state: &State, operator: OperatorId) -> Result<(), Refused> {
        let set = self.set;
        let own = state.operator(operator).ok_or(Refused::NotAnOperator)?;
        if own.is_retired {
            return Err(Refused::OperatorRetired);
        }
        let record = state.set(set).ok_or(Refused::SetNotFound { set })?;
        if record.is_closed {
            return Err(Refused::SetClosed { set });
        }
        if record.active_member(operator).is_some() {
            return Err(Refused::AlreadyIn { set });
        }
        let current = state.terms_digest(set).ok_or(Refused::SetNotFound { set })?;
        if self.terms != current {
            return Err(Refused::TermsDiffer { signed: self.terms, current });
        }
        let admission = &record.terms_in(state.epoch).admission;
        if admission.list_only && !record.admitted.contains(&operator) {
            return Err(Refused::NotAdmitted { set });
        }
        let (count, most) = (own.sets.len(), state.limits().sets_per_operator);
        if !own.sets.contains(&set) && count >= usize::from(most) {
            return Err(Refused::TooManySets { count, most });
        }
        let (own_weight, bond_weight) = state.own_weights(operator, record);
        if own_weight < admission.self_stake_min {
            return Err(Refused::SelfStakeTooSmall { weight: own_weight, least: admission.self_stake_min });
        }
        if bond_weight < admission.bond_min {
            return Err(Refused::BondTooSmall { weight: bond_weight, least: admission.bond_min });
        }
        Ok(())
    }

    fn plans(&self, state: &State, operator: OperatorId) -> Result<Vec<(AssetId, Plan)>, Refused> {
        let mut plans: Vec<(AssetId, Plan)> = Vec::new();
        for Allocation { asset, parts } in &self.allocations {
            let (asset, parts) = (*asset, *parts);
            if plans.iter().any(|(planned, _)| *planned == asset) {
                return Err(Refused::AssetTwice { asset });
            }
            let plan = if parts > crate::pool::PARTS {
                Err(allocate::Refused::TooManyParts { parts })
            } else {
                allocate::plan_increase(state, operator, self.set, asset, parts)
            };
            plans.push((asset, plan.map_err(|refused| Refused::AllocationRefused { asset, refused })?));
        }
        Ok(plans)
    }

    /// Whom a newcomer to a full set replaces: the smallest, if it weighs 10 % more.
    fn check_room(&self, state: &State, plans: &[(AssetId, Plan)]) -> Result<Option<OperatorId>, Refused> {
        let Some(record) = state.set(self.set) else { return Ok(None) };
        let terms = record.terms_in(state.epoch);
        let active = record.members.iter().filter(|(_, member)| member.left.is_none());
        if active.clone().count() < usize::from(terms.admission.operators_max) {
            return Ok(None);
        }
        let mut weight = Amount::ZERO;
        for (asset, plan) in plans {
            // What waits for the notice replaces nobody.
            if plan.is_inside {
                weight.grow(state.weight(terms, *asset, plan.backing));
            }
        }
        let smallest =
            active.map(|(operator, _)| (member_weight(state, record, self.set, *operator), *operator)).min();
        let Some((least, operator)) = smallest else { return Ok(None) };
        let needed = crate::units::Fraction::from_percent(10).of_up(least).plus(least).unwrap_or(least);
        if weight < needed || weight.is_zero() {
            return Err(Refused::SetFull { weight, needed });
        }
        Ok(Some(operator))
    }
}

/// What a member weighs: in the table, or once everything ordered has started.
fn member_weight(state: &State, record: &Set, set: SetId, operator: OperatorId) -> Amount {
    let row = record.table_of(state.epoch).and_then(|table| table.row(operator));
    let in_table = row.map_or(Amount::ZERO, |row| row.weight);
    // Whoever has just joined, or warms up, is not in the table yet.
    let mut ordered = Amount::ZERO;
    for (asset, pool) in state.operator(operator).map(|record| record.pools.clone()).unwrap_or_default() {
        let bonded = |cohort: &Cohort| cohort.is_bonded_in(state.epoch);
        let amount = state.pool(pool).stake.slashable_where(set, Epoch::NEVER.previous(), bonded);
        ordered.grow(state.weight(record.terms_in(state.epoch), asset, amount));
    }
    in_table.max(ordered)
}
