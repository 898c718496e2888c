//! Joining and leaving sets, and which parts they own.

use protocol::Event;
use protocol::ops::allocate::Allocate;
use protocol::ops::join_set::{Allocation, JoinSet};
use protocol::ops::leave_set::LeaveSet;
use protocol::terms::Terms;
use protocol::units::{Address, AssetId, Epoch, Fraction, OperatorId, PoolId, SetId};

use super::exact;
use super::pool::{Ownership, PARTS, Pool};
use super::records::{Set, Stake, Table};
use super::{Model, Verdict, ensure, number};

/// An exchange rate of one.
const RATE_ONE: u128 = 1_000_000_000_000_000_000;
/// Weights are given for so many base units.
const PER_UNITS: u128 = 1_000_000_000;

/// What an increase would do.
pub(crate) struct Plan {
    pool: PoolId,
    chosen: Vec<usize>,
    /// What the set gave back in this epoch it then never gave back.
    reopened: Option<Epoch>,
    from: Epoch,
    /// What the new parts are worth at present, cut to whole units, and by how much the ledger's figure may differ.
    backing: (u128, u128),
}

impl Model {
    pub(crate) fn allocate(&mut self, op: &Allocate, sender: Address, events: &[Event]) -> Verdict {
        let operator = self.operator_of(sender).ok_or("NotAnOperator")?;
        let set = self.set(op.set).ok_or("SetNotFound")?;
        ensure!(set.active_member(operator).is_some(), "NotAMember");
        let pool = self.pool_of(operator, op.asset).ok_or("PoolNotFound")?;
        ensure!(op.parts <= PARTS, "TooManyParts");
        let parts = self.pool(pool).parts_of(op.set);
        ensure!(op.expected_parts.is_none_or(|expected| expected == parts), "PartsDiffer");
        ensure!(op.parts != parts, "Unchanged");
        if op.parts < parts {
            self.give_back(op.set, pool, parts - op.parts, self.epoch);
            return Ok(());
        }
        let plan = self.plan_increase(operator, op.set, op.asset, op.parts - parts)?;
        self.carry_out(op.set, op.asset, plan, events);
        Ok(())
    }

    /// Whether a set may take so many parts more of a pool, and what that would do.
    pub(crate) fn plan_increase(
        &self,
        operator: OperatorId,
        set: SetId,
        asset: AssetId,
        parts: u16,
    ) -> Verdict<Plan> {
        ensure!(self.stops.allocations <= self.epoch, "AllocationsStopped");
        ensure!(self.operator(operator).is_some_and(|record| !record.is_retired), "OperatorRetired");
        let pool = self.pool_of(operator, asset).ok_or("PoolNotFound")?;
        let record = self.set(set).ok_or("SetNotFound")?;
        ensure!(!record.is_closed, "SetClosed");
        let terms = record.terms_in(self.epoch);
        ensure!(terms.assets.iter().any(|accepted| accepted.asset == asset), "AssetNotAccepted");
        let weight = |set: SetId| self.risk_weight(set);
        let mut chosen = self.pool(pool).candidates(set, self.epoch, &weight);
        ensure!(chosen.len() >= usize::from(parts), "SlicesFull");
        chosen.truncate(usize::from(parts));
        let mandate = self.pool(pool).mandate;
        ensure!(mandate.uncertified || !self.is_uncertified(set), "NotCertified");
        let mut layout = Pool::new(operator, asset, mandate, Fraction::ZERO);
        layout.parts.clone_from(&self.pool(pool).parts);
        let next = self.epoch.next();
        layout.take(set, &chosen, Some(self.epoch), next);
        let is_beyond = self.worst_case(&layout) > exact::ratio(mandate.worst_case)
            || self.owned_elsewhere(&layout) > exact::ratio(mandate.elsewhere);
        let given_back = |owners: &[Ownership]| owners.iter().any(|o| o.set == set && o.to == self.epoch);
        // A decrease withdrawn in its own epoch never happened, unless it would now exceed what delegators have signed.
        let from = if is_beyond {
            next.later(terms.warm_up).later(self.rules().notice)
        } else if parts <= self.pool(pool).count(given_back) {
            next
        } else {
            next.later(terms.warm_up)
        };
        let reopened = (!is_beyond).then_some(self.epoch);
        let backing = self.worth_of_parts(pool, &chosen);
        Ok(Plan { pool, chosen, reopened, from, backing })
    }

    /// What is left of chosen parts for the stake that is bonded and stays; and how many roundings are in it.
    fn worth_of_parts(&self, pool: PoolId, chosen: &[usize]) -> (u128, u128) {
        let record = self.pool(pool);
        let (mut worth, mut count) = (0, 0);
        let is_bonded =
            |stake: &&Stake| stake.pool == pool && stake.is_bonded_in(self.epoch) && stake.is_staying();
        for stake in self.stakes.iter().filter(is_bonded) {
            let share = record.share_of_parts(chosen, stake.entered, stake.until);
            worth += exact::times_down(stake.principal, &share);
            count += 1;
        }
        (worth, count)
    }

    fn carry_out(&mut self, set: SetId, asset: AssetId, plan: Plan, events: &[Event]) {
        let Plan { pool, chosen, reopened, from, backing: (worth, slack) } = plan;
        self.reallocate(set, pool, |pool| pool.take(set, &chosen, reopened, from));
        let parts = self.pool(pool).parts_of(set);
        let announced = events.iter().find_map(|event| match event {
            Event::AllocationChanged { asset: of, parts, from, gained: Some(gained), .. } if *of == asset => {
                Some((*parts, *from, gained.backing.units()))
            }
            _ => None,
        });
        let is_right = announced.is_some_and(|(seen_parts, seen_from, backing)| {
            let bound = worth.saturating_sub(1)..=worth + slack;
            seen_parts == parts && seen_from == from && bound.contains(&backing)
        });
        if !is_right {
            self.object(|| {
                format!("{parts} parts from {from} backed by {worth} are announced as {announced:?}")
            });
        }
    }

    /// Gives back parts of a pool; `last` is the last owned epoch.
    pub(crate) fn give_back(&mut self, set: SetId, pool: PoolId, parts: u16, last: Epoch) {
        let free_at = self.closed_from(last);
        self.reallocate(set, pool, |pool| pool.give_back(set, parts, last, free_at));
    }

    /// Changes what a set owns of a pool. What stays less leaves; what was given back and is taken again stays after all.
    fn reallocate(&mut self, set: SetId, pool: PoolId, change: impl FnOnce(&mut Pool)) {
        let keeps = self.keeps(set);
        let weigh = |model: &Self| {
            let (weight, owned) = model.frozen(set, pool);
            model
                .staying(set, pool)
                .map(|amount| exact::portion_down(weight, amount.min(owned), owned.max(1)))
        };
        let (kept, before) = (self.pool(pool).count(&keeps), weigh(self));
        change(self.pool_mut(pool));
        // It has only more or only fewer parts than before: as many are the same ones.
        if self.pool(pool).count(&keeps) == kept {
            return;
        }
        let after = weigh(self);
        let less = |after: u128, before: u128| exact::signed(before) - exact::signed(after);
        let moved = |bound: u128, by: i128| u128::try_from(exact::signed(bound) + by).unwrap_or(0);
        let (low, high) = self.set_mut(set).leaving;
        let (least, most) = (less(after[1], before[0]), less(after[0], before[1]));
        self.set_mut(set).leaving = (moved(low, least), moved(high, most));
    }

    /// What a pool contributes to the table of a set: in weight, and what the set owned of it.
    pub(crate) fn frozen(&self, set: SetId, pool: PoolId) -> (u128, u128) {
        let record = self.pool(pool);
        let table = self.set(set).and_then(|set| set.tables.get(&self.epoch));
        let row = table.and_then(|table| table.row(record.operator));
        let weight =
            row.and_then(|row| row.contributions.iter().find(|(contributor, _)| *contributor == pool));
        (weight.map_or(0, |(_, weight)| *weight), record.owned.get(&set).copied().unwrap_or(0))
    }

    /// Which parts a set has and keeps.
    fn keeps(&self, set: SetId) -> impl Fn(&[Ownership]) -> bool + use<> {
        let (now, next) = (self.epoch, self.epoch.next());
        move |owners| owners.iter().any(|o| o.set == set && o.is_in(now) && o.is_in(next))
    }

    /// What a set has and keeps of a pool, of the stake that is bonded and stays: between two bounds.
    pub(crate) fn staying(&self, set: SetId, pool: PoolId) -> [u128; 2] {
        let (amount, cuts) = self.bonded_share(pool, self.keeps(set), Stake::is_staying);
        // The ledger sums first and cuts once.
        [amount.saturating_sub(1), amount + cuts]
    }

    /// Weight of an amount of an asset in a set, at the rate of the moment.
    pub(crate) fn weight_in(&self, set: SetId, asset: AssetId, amount: u128) -> u128 {
        self.set(set).map_or(0, |set| self.weight_under(set.terms_in(self.epoch), asset, amount))
    }

    /// Weight of an amount of an asset under given terms.
    pub(crate) fn weight_under(&self, terms: &Terms, asset: AssetId, amount: u128) -> u128 {
        let weight =
            terms.assets.iter().find(|accepted| accepted.asset == asset).map(|accepted| accepted.weight);
        let (Some(weight), Some(record)) = (weight, self.asset(asset)) else { return 0 };
        let rated = exact::portion_down(amount, u128::from(record.rate), RATE_ONE);
        exact::portion_down(rated, u128::from(weight), PER_UNITS)
    }

    /// How much more an amount may weigh that is so many units larger. Both the rate and the weight cut to whole units: where a unit is
    /// worth next to nothing a single one can still be the one that makes the next rated unit whole, with all its weight.
    fn most_weight_in(&self, set: SetId, asset: AssetId, units: u128) -> u128 {
        let terms = self.set(set).map(|set| set.terms_in(self.epoch));
        let accepted = terms.and_then(|terms| terms.assets.iter().find(|accepted| accepted.asset == asset));
        let (Some(accepted), Some(record)) = (accepted, self.asset(asset)) else { return 0 };
        let rated = exact::portion_up(units, u128::from(record.rate), RATE_ONE);
        exact::portion_up(rated, u128::from(accepted.weight), PER_UNITS)
    }

    pub(crate) fn join_set(&mut self, op: &JoinSet, sender: Address, events: &[Event]) -> Verdict {
        let operator = self.operator_of(sender).ok_or("NotAnOperator")?;
        self.can_join(op, operator)?;
        let plans = self.join_plans(op, operator)?;
        if let Some(smallest) = self.replaced(op.set, &plans)? {
            self.leave(op.set, smallest, self.epoch);
        }
        let (now, oldest) = (self.epoch, self.oldest_open());
        let set = self.set_mut(op.set);
        // Leaving in this epoch never happened; a jail goes on where it was left, as long as anything can be punished.
        let member = set.members.entry(operator).or_default();
        match member.left.take() {
            Some(left) if left == now => {
                member.keys_left.drain(..).for_each(|place| member.keys[place].2 = Epoch::NEVER)
            }
            Some(left) if left < oldest && member.jailed.is_none_or(|until| until <= now) => {
                *member = Default::default()
            }
            _ => {}
        }
        if let Some(pending) = &mut set.pending {
            pending.consents.insert(operator);
        }
        for (asset, plan) in plans {
            self.carry_out(op.set, asset, plan, events);
        }
        Ok(())
    }

    fn can_join(&self, op: &JoinSet, operator: OperatorId) -> Verdict {
        ensure!(self.operator(operator).is_some_and(|record| !record.is_retired), "OperatorRetired");
        let set = self.set(op.set).ok_or("SetNotFound")?;
        ensure!(!set.is_closed, "SetClosed");
        ensure!(set.active_member(operator).is_none(), "AlreadyIn");
        ensure!(self.terms_digest(op.set) == Some(op.terms), "TermsDiffer");
        let admission = &set.terms_in(self.epoch).admission;
        ensure!(!admission.list_only || set.admitted.contains(&operator), "NotAdmitted");
        let (own, bonds) = self.own_weights(operator, op.set);
        ensure!(own >= admission.self_stake_min.units(), "SelfStakeTooSmall");
        ensure!(bonds >= admission.bond_min.units(), "BondTooSmall");
        Ok(())
    }

    fn join_plans(&self, op: &JoinSet, operator: OperatorId) -> Verdict<Vec<(AssetId, Plan)>> {
        let mut plans: Vec<(AssetId, Plan)> = Vec::new();
        for Allocation { asset, parts } in &op.allocations {
            ensure!(plans.iter().all(|(planned, _)| planned != asset), "AssetTwice");
            ensure!(*parts <= PARTS, "AllocationRefused");
            let plan = self.plan_increase(operator, op.set, *asset, *parts);
            plans.push((*asset, plan.map_err(|_| "AllocationRefused")?));
        }
        Ok(plans)
    }

    /// Whom a newcomer to a full set replaces.
    fn replaced(&self, set: SetId, plans: &[(AssetId, Plan)]) -> Verdict<Option<OperatorId>> {
        let Some((least, operator)) = self.smallest(set) else { return Ok(None) };
        let (weight, _) = self.weight_of_plans(set, plans);
        let needed = least + exact::times_up(least, &exact::ratio(Fraction::from_percent(10)));
        ensure!(weight >= needed && weight > 0, "SetFull");
        Ok(Some(operator))
    }

    /// The smallest operator of a full set.
    fn smallest(&self, set: SetId) -> Option<(u128, OperatorId)> {
        let record = self.set(set)?;
        let active = record.members.values().filter(|member| member.left.is_none()).count();
        if active < usize::from(record.terms_in(self.epoch).admission.operators_max) {
            return None;
        }
        self.active_weights(set).into_iter().min()
    }

    fn active_weights(&self, set: SetId) -> Vec<(u128, OperatorId)> {
        let Some(record) = self.set(set) else { return Vec::new() };
        let active = record.members.iter().filter(|(_, member)| member.left.is_none());
        active.map(|(id, _)| (self.member_weight(set, record, *id), *id)).collect()
    }

    /// What a member weighs: in the table, or once everything ordered has started.
    fn member_weight(&self, set: SetId, record: &Set, operator: OperatorId) -> u128 {
        let table = record.tables.get(&self.epoch);
        let in_table = table.and_then(|table| table.row(operator)).map_or(0, |row| row.weight);
        let ordered = self.pools_of(operator).into_iter().map(|pool| {
            let is_open =
                |owners: &[Ownership]| owners.iter().any(|owner| owner.set == set && owner.is_open());
            let (amount, _) = self.bonded_share(pool, is_open, |_| true);
            self.weight_in(set, self.pool(pool).asset, amount)
        });
        ordered.sum::<u128>().max(in_table)
    }

    /// What the chosen parts are worth of the chosen stake that is bonded in this epoch, each entry cut to whole units; and how many
    /// were cut.
    fn bonded_share(
        &self,
        pool: PoolId,
        chosen: impl Fn(&[Ownership]) -> bool,
        is_meant: impl Fn(&Stake) -> bool,
    ) -> (u128, u128) {
        let record = self.pool(pool);
        let bonded = self.stakes.iter().filter(|stake| stake.pool == pool && stake.is_bonded_in(self.epoch));
        let (mut amount, mut cuts) = (0, 0);
        for stake in bonded.filter(|stake| is_meant(stake)) {
            let share = record.share_where(&chosen, stake.entered, stake.until);
            let whole = exact::times_down(stake.principal, &share);
            amount += whole;
            cuts += u128::from(exact::times_up(stake.principal, &share) > whole);
        }
        (amount, cuts)
    }

    /// The weight of what is planned, and by how much the ledger's figure may differ.
    fn weight_of_plans(&self, set: SetId, plans: &[(AssetId, Plan)]) -> (u128, u128) {
        let (mut weight, mut slack) = (0, 0);
        // What waits for the notice replaces nobody.
        for (asset, plan) in plans.iter().filter(|(_, plan)| plan.reopened.is_some()) {
            weight += self.weight_in(set, *asset, plan.backing.0);
            slack += self.most_weight_in(set, *asset, plan.backing.1 + 1);
        }
        (weight, slack)
    }

    /// Whether it is too close to call whether a newcomer replaces the smallest of a full set.
    pub(crate) fn is_join_borderline(&self, op: &JoinSet, sender: Address) -> bool {
        let Some(operator) = self.operator_of(sender) else { return false };
        let (Some((least, _)), Ok(plans)) = (self.smallest(op.set), self.join_plans(op, operator)) else {
            return false;
        };
        let (weight, of_plans) = self.weight_of_plans(op.set, &plans);
        let needed = least + exact::times_up(least, &exact::ratio(Fraction::from_percent(10)));
        let pools = self
            .pool_ids()
            .map(|pool| self.most_weight_in(op.set, self.pool(pool).asset, self.stakes.len() as u128));
        let of_members = 2 * pools.sum::<u128>() + 2;
        let is_near = weight.abs_diff(needed) <= of_plans + of_members;
        // Roundings may also decide which of two is the smallest.
        let weights = self.active_weights(op.set);
        is_near || weights.iter().filter(|(weight, _)| weight.abs_diff(least) <= of_members).count() > 1
    }

    /// Weight of an operator's own stake in a set, and the weight that its bonds would have as stake.
    pub(crate) fn own_weights(&self, operator: OperatorId, set: SetId) -> (u128, u128) {
        let Some(account) = self.operator(operator).map(|record| record.account) else { return (0, 0) };
        let (mut own, mut bonds) = (0, 0);
        for pool in self.pools_of(operator) {
            let record = self.pool(pool);
            own += self.weight_in(set, record.asset, self.seen_staying(account, operator, record.asset));
            bonds += self.weight_in(set, record.asset, record.standing_bond());
        }
        (own, bonds)
    }

    pub(crate) fn leave_set(&mut self, op: &LeaveSet, sender: Address) -> Verdict {
        let operator = self.operator_of(sender).ok_or("NotAnOperator")?;
        let set = self.set(op.set).ok_or("NotAMember")?;
        ensure!(set.active_member(operator).is_some(), "NotAMember");
        self.leave(op.set, operator, self.epoch);
        Ok(())
    }

    /// Gives back all that a set owns of an operator's pools; `last` is the last epoch on duty.
    pub(crate) fn leave(&mut self, set: SetId, operator: OperatorId, last: Epoch) {
        for pool in self.pools_of(operator) {
            let parts = self.pool(pool).parts_of(set);
            if parts > 0 {
                self.give_back(set, pool, parts, last);
            }
        }
        if let Some(member) = self.set_mut(set).members.get_mut(&operator) {
            member.left = member.left.or(Some(last));
            member.keys_left =
                (0..member.keys.len()).filter(|place| member.keys[*place].2 == Epoch::NEVER).collect();
            for place in &member.keys_left {
                member.keys[*place].2 = last;
            }
        }
    }

    pub(crate) fn table(&self, set: SetId) -> Table {
        let mut table = Table::default();
        let Some(record) = self.set(set).filter(|record| !record.is_closed) else { return table };
        for operator in (0..number(self.operators.len())).map(OperatorId::new) {
            if let Some(row) = self.row(set, record, operator) {
                table.weight += row.weight;
                table.rows.push(row);
            }
        }
        if let Some(most) = largest_weight(&table, record.terms_in(self.epoch).operator_share_max) {
            table.rows.iter_mut().for_each(|row| row.weight = row.weight.min(most));
            table.weight = table.rows.iter().map(|row| row.weight).sum();
        }
        table
    }
}

/// The weight to which a table is clipped so that nobody has more than `share` of what remains; none where nothing is clipped.
///
/// With the `k` heaviest clipped to `m` and the others together at `r`, `m = share * (r + k * m)`; the fewest that will do are clipped.
fn largest_weight(table: &Table, share: Fraction) -> Option<u128> {
    let (share, rows) = (exact::ratio(share), table.rows.len() as u128);
    if share == exact::whole(1) || &share * exact::whole(rows) <= exact::whole(1) {
        return None;
    }
    let mut weights: Vec<u128> = table.rows.iter().map(|row| row.weight).collect();
    weights.sort_unstable_by(|a, b| b.cmp(a));
    for clipped in 0..weights.len() {
        let rest: u128 = weights.iter().skip(clipped).sum();
        let left = exact::whole(1) - &share * exact::whole(clipped as u128);
        if left <= exact::whole(0) {
            return None;
        }
        let most = exact::floor(&(&share * exact::whole(rest) / left));
        if weights[clipped] <= most {
            return Some(most);
        }
    }
    None
}
