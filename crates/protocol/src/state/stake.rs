//! Stake of accounts: what several operations do with positions.

use smallvec::SmallVec;

use super::State;
use super::positions::Position;
use super::records::{AssetKind, PoolRecord};
use crate::pool;
use crate::pool::slices::Slice;
use crate::terms::Terms;
use crate::units::{
    AccountId, Amount, AssetId, Digest, Epoch, Fraction, OperatorId, PoolId, SetId, ValidatorId,
};
use crate::wide;

/// Entries of one account in one pool that were not asked back, by id, in the order of the account's list.
pub(crate) type Entries = SmallVec<[u32; 2]>;

impl State {
    /// The positions of an account in a pool. As long as the account's list, which the genesis bounds.
    pub(crate) fn positions_in(&self, account: AccountId, pool: PoolId) -> Vec<(u32, Position)> {
        let first = self.accounts.get(account).first_position;
        self.positions
            .list(first)
            .filter(|(_, position)| position.pool == pool)
            .map(|(id, p)| (id, *p))
            .collect()
    }

    /// What an account has in a pool and has not asked back. As long as the account's list.
    pub(crate) fn staying_entries(&self, account: AccountId, pool: PoolId) -> Entries {
        let listed = self.positions.list(self.accounts.get(account).first_position);
        let staying = listed.filter(|(_, position)| position.pool == pool && position.until == Epoch::NEVER);
        staying.map(|(id, _)| id).collect()
    }

    /// Adds stake that is bonded from the next epoch on. `entries` are those of [`State::staying_entries`], and are kept up.
    pub(crate) fn join(
        &mut self,
        account: AccountId,
        pool: PoolId,
        amount: Amount,
        validator: Option<ValidatorId>,
        entries: &mut Entries,
    ) {
        let now = self.epoch;
        self.coalesce(account, pool, entries);
        let position = Position::new(account, pool, amount, now.next(), validator);
        let like = |id: &&u32| {
            self.positions.get(**id).is_like(&position)
                && (self.follow_ups.is_empty() || !self.follow_ups.contains_key(id))
        };
        let twin = entries.iter().find(like).copied();
        let stake = &mut self.pool_mut(pool).stake;
        stake.join(now, amount);
        match twin {
            Some(id) => self.positions.get_mut(id).principal.grow(amount),
            None => {
                stake.add_mark(position.mark());
                entries.insert(0, self.push_position(position));
            }
        }
    }

    /// Joins entries of an account in a pool that nothing can tell apart any more, so that years of small delegations stay few entries.
    fn coalesce(&mut self, account: AccountId, pool: PoolId, entries: &mut Entries) {
        const FEW: u32 = 16;
        if entries.len() < 2 || self.accounts.get(account).position_count <= FEW {
            return;
        }
        let mut kept: SmallVec<[(u32, Epoch, Position); 4]> = SmallVec::new();
        let mut sorted: SmallVec<[(u32, Position); 4]> =
            entries.iter().map(|id| (*id, *self.positions.get(*id))).collect();
        sorted.sort_unstable_by_key(|(id, position)| (position.entered, *id));
        for (id, position) in sorted {
            let since = self.pool(pool).stake.bonded_since(position.entered);
            let same = |(_, first, other): &&(u32, Epoch, Position)| {
                *first == since && other.validator() == position.validator()
            };
            let Some(older) = kept.iter().find(same).map(|(older, _, _)| *older) else {
                kept.push((id, since, position));
                continue;
            };
            self.settle(older);
            self.settle(id);
            self.positions.get_mut(older).principal.grow(position.principal);
            self.shrink_position(id, position.principal);
            entries.retain(|entry| *entry != id);
        }
    }

    /// Adds stake to an account's list, or to an entry that it can't be told apart from. What gets a follow-up of its own stays apart.
    /// Returns where it stands.
    pub(crate) fn add_position(&mut self, position: Position, is_apart: bool) -> u32 {
        let first = self.accounts.get(position.account).first_position;
        let like =
            |(id, other): &(u32, &Position)| other.is_like(&position) && !self.follow_ups.contains_key(id);
        let twin = self.positions.list(first).find(like).map(|(id, _)| id);
        if !is_apart && let Some(id) = twin {
            self.positions.get_mut(id).principal.grow(position.principal);
            return id;
        }
        self.pool_mut(position.pool).stake.add_mark(position.mark());
        self.push_position(position)
    }

    /// Puts an entry, which its pool has marked, at the head of its account's list.
    fn push_position(&mut self, position: Position) -> u32 {
        let first = self.accounts.get(position.account).first_position;
        let id = self.positions.push(position, first);
        let account = self.accounts.get_mut(position.account);
        account.first_position = id;
        account.position_count = account.position_count.saturating_add(1);
        id
    }

    /// Takes principal out of a position; an empty one is gone.
    pub(crate) fn shrink_position(&mut self, id: u32, principal: Amount) {
        let position = self.positions.get_mut(id);
        position.principal.shrink(principal);
        if !position.principal.is_zero() {
            return;
        }
        let position = *position;
        self.pool_mut(position.pool).stake.drop_mark(position.mark());
        self.pool_mut(position.pool).stake.carry_dust();
        self.follow_ups.remove(&id);
        let first = self.accounts.get(position.account).first_position;
        let first = self.positions.remove(id, first);
        let account = self.accounts.get_mut(position.account);
        account.first_position = first;
        account.position_count = account.position_count.saturating_sub(1);
    }

    /// Credits what a position has earned up to the last boundary to its account's claimable rewards.
    pub(crate) fn settle(&mut self, id: u32) {
        let position = *self.positions.get(id);
        if position.settled >= self.epoch {
            return;
        }
        let Position { principal, entered, until, settled, account, .. } = position;
        let due = self.pool(position.pool).stake.due(principal, entered, until, settled);
        for (reserve, amount) in due {
            let token = self.pool_mut(position.pool).stake.take_reward(reserve, amount);
            self.accounts.get_mut(account).add_claimable(token, amount);
        }
        let moved = Position { settled: self.epoch, ..position };
        if moved.mark() != position.mark() {
            let stake = &mut self.pool_mut(position.pool).stake;
            stake.add_mark(moved.mark());
            stake.drop_mark(position.mark());
        }
        *self.positions.get_mut(id) = moved;
    }

    /// What positions of a pool are due in a token when they are settled one after the other.
    pub(crate) fn due_in(&self, pool: PoolId, positions: &[(u32, Position)], token: AssetId) -> Amount {
        let stake = &self.pool(pool).stake;
        let Some(reserve) = stake.reserves().iter().position(|reserve| reserve.token == token) else {
            return Amount::ZERO;
        };
        let mut left = stake.reserves().get(reserve).map_or(Amount::ZERO, |reserve| reserve.amount);
        let mut total = Amount::ZERO;
        for (_, Position { principal, entered, until, settled, .. }) in positions {
            let due = stake.due(*principal, *entered, *until, *settled);
            let due =
                due.into_iter().find(|(index, _)| *index == reserve).map_or(Amount::ZERO, |(_, due)| due);
            let due = due.min(left);
            left.shrink(due);
            total.grow(due);
        }
        total
    }

    /// What an account's stake in a pool is worth that it has not asked back: bonded and joining.
    pub(crate) fn staying_worth(&self, account: AccountId, pool: PoolId) -> Amount {
        let mut worth = Amount::ZERO;
        for (_, position) in self.positions_in(account, pool) {
            if position.until == Epoch::NEVER {
                worth.grow(self.pool(pool).stake.worth(position.principal, position.entered, position.until));
            }
        }
        worth
    }

    /// Puts released stake where it came from: a free balance, or the validator whose balance it is.
    pub(crate) fn add_released(
        &mut self,
        position: &Position,
        principal: Amount,
        worth: Amount,
        asset: AssetId,
    ) {
        match position.validator() {
            None => {
                self.accounts.get_mut(position.account).add_free(asset, worth);
                self.count_released(position.account, asset, worth);
            }
            Some(validator) => {
                let validator = self.validator_mut(validator);
                validator.free.grow(worth);
                validator.slashed.grow(principal);
                validator.slashed.shrink(worth);
            }
        }
    }

    pub(crate) fn is_native(&self, asset: AssetId) -> bool {
        self.asset(asset).is_some_and(|asset| asset.kind == AssetKind::Native)
    }

    /// The worst case of stake that joins a pool: what is lost if every set that owns a part in a later epoch takes its window cap.
    /// Scheduled allocations and announced terms are in it. Rounded up.
    pub(crate) fn worst_case(&self, pool: PoolId) -> Fraction {
        let record = self.pool(pool);
        let (version, cached) = record.worst_case;
        if version == self.terms_version {
            cached
        } else {
            self.worst_case_of(record.stake.slices(), |_| None)
        }
    }

    /// The worst case of slices, with other window caps where they are given.
    pub(crate) fn worst_case_of(
        &self,
        slices: &[Slice],
        cap: impl Fn(SetId) -> Option<Fraction>,
    ) -> Fraction {
        let next = self.epoch.next();
        let mut kept = 0_u128;
        for slice in slices {
            let mut left = Fraction::ONE;
            for owner in slice.owners.iter().filter(|owner| owner.to >= next) {
                let in_force =
                    || self.set(owner.set).map_or(Fraction::ZERO, |set| set.window_cap(self.epoch));
                let cap = cap(owner.set).unwrap_or_else(in_force);
                left = left.times_down(cap.complement());
            }
            kept = kept.saturating_add(u128::from(left.steps()).saturating_mul(u128::from(slice.size)));
        }
        let kept = wide::div_down(kept, u128::from(pool::PARTS));
        let kept = u64::try_from(kept).ok().and_then(Fraction::from_steps).unwrap_or(Fraction::ONE);
        kept.complement()
    }

    /// Computes the worst case once for all delegations until terms or allocations change.
    pub(crate) fn refresh_worst_case(&mut self, pool: PoolId) {
        let version = self.terms_version;
        if self.pool(pool).worst_case.0 != version {
            let worst_case = self.worst_case(pool);
            self.pool_mut(pool).worst_case = (version, worst_case);
        }
    }

    /// Share of a pool's parts that the chosen sets own in a later epoch.
    pub(crate) fn share_owned(&self, pool: PoolId, chosen: impl Fn(SetId) -> bool) -> Fraction {
        self.share_owned_of(self.pool(pool).stake.slices(), chosen)
    }

    /// Share of the parts of slices that the chosen sets own in a later epoch.
    pub(crate) fn share_owned_of(&self, slices: &[Slice], chosen: impl Fn(SetId) -> bool) -> Fraction {
        let next = self.epoch.next();
        let mut parts = 0_u16;
        for slice in slices {
            if slice.owners.iter().any(|owner| owner.to >= next && chosen(owner.set)) {
                parts = parts.saturating_add(slice.size);
            }
        }
        Fraction::ratio_down(Amount::new(u128::from(parts)), Amount::new(u128::from(pool::PARTS)))
    }

    /// The digest that a delegation to a pool must sign: the mandate in force and one that is announced.
    pub fn mandate_digest(&self, operator: OperatorId, asset: AssetId) -> Option<Digest> {
        Some(self.pool(self.pool_of(operator, asset)?).digest)
    }

    /// The digest of a set's terms that an operator consents to: those announced, otherwise those in force.
    pub fn terms_digest(&self, set: SetId) -> Option<Digest> {
        let record = self.set(set)?;
        Some(
            record
                .pending
                .as_ref()
                .map_or_else(|| record.terms_in(self.epoch).digest(set), |pending| pending.digest),
        )
    }

    /// The risk weight that the capacity rule counts for a set.
    pub(crate) fn risk_weight(&self, set: SetId) -> Fraction {
        self.set(set).map_or(Fraction::ONE, |record| record.risk_weight(self.epoch))
    }

    /// Weight of an amount of an asset in a set, at the rate of the moment; nothing if the terms don't name it. Rounded down.
    pub(crate) fn weight(&self, terms: &Terms, asset: AssetId, amount: Amount) -> Amount {
        let Some(weight) = terms.weight_of(asset) else { return Amount::ZERO };
        let Some(record) = self.asset(asset) else { return Amount::ZERO };
        let rated = record.rated(amount);
        Amount::new(wide::mul_div_down(rated, u128::from(weight), PER_UNITS))
    }

    /// Ledger value of an amount of an asset: nothing for an asset that nobody has rated. Rounded down.
    pub(crate) fn value(&self, asset: AssetId, amount: Amount) -> Amount {
        let Some(record) = self.asset(asset) else { return Amount::ZERO };
        let rated = record.rated(amount);
        Amount::new(wide::mul_div_down(rated, u128::from(record.value), PER_UNITS))
    }

    /// The announcement that stake leaves lowers what the certificate of each set that owns a part of it may count on.
    pub(crate) fn announce_leave(&mut self, pool: PoolId, entered: Epoch, principal: Amount) {
        let owned = self.pool(pool).stake.owned_of(entered, Epoch::NEVER, self.epoch, principal);
        for (set, amount) in owned {
            let leaving = self.frozen(set, pool).weight_up(amount);
            let record = self.set_mut(set);
            record.leaving = record.leaving.plus(leaving).unwrap_or(record.leaving);
        }
    }

    /// What a pool contributes to the table of a set.
    fn frozen(&self, set: SetId, pool: PoolId) -> Frozen {
        let record = self.pool(pool);
        let table = self.set(set).and_then(|set| set.table_of(self.epoch));
        let row = table.and_then(|table| table.row(record.operator));
        let contribution =
            row.and_then(|row| row.contributions.iter().find(|(contributor, _)| *contributor == pool));
        let owned = record.owned.iter().find(|(owner, _)| *owner == set);
        match (contribution, owned) {
            (Some((_, weight)), Some((_, owned))) => Frozen { weight: *weight, owned: *owned },
            _ => Frozen::default(),
        }
    }

    /// Gives back parts of a pool: the last owned epoch is `last`, which lies at or before the present.
    pub(crate) fn give_back(&mut self, set: SetId, pool: PoolId, parts: u16, last: Epoch) {
        let free_at = self.last_execution_through(last).next();
        self.reallocate(set, pool, |stake| stake.give_back(set, parts, last, free_at));
    }

    /// Changes what a set owns of a pool, and with it what the certificate may count on and what the caps see.
    pub(crate) fn reallocate(&mut self, set: SetId, pool: PoolId, change: impl FnOnce(&mut pool::Pool)) {
        let before = self.owned_by(set, pool);
        let record = self.pool_mut(pool);
        change(&mut record.stake);
        record.worst_case.0 = u64::MAX;
        let after = self.owned_by(set, pool);
        let leaving = self.set(set).map_or(Amount::ZERO, |record| record.leaving);
        // What stays less leaves; what was given back in this epoch and is taken again stays after all.
        let leaving = after.staying.room_below(before.staying).plus(leaving).unwrap_or(leaving);
        self.set_mut(set).leaving = before.staying.room_below(after.staying).room_below(leaving);
        if let Some(service) = self.set(set).map(|record| record.service) {
            self.move_set_value(set, service, before.value, after.value);
        }
    }

    /// What a set owns of a pool: in the table's weight what it has and keeps, in value what it will have once everything ordered has started.
    fn owned_by(&self, set: SetId, pool: PoolId) -> Owned {
        let now = self.epoch;
        let PoolRecord { stake, asset, .. } = self.pool(pool);
        let staying = self.frozen(set, pool).weight_down(stake.staying(set, now));
        let ordered = stake.slashable_where(set, Epoch::NEVER.previous(), |cohort| cohort.is_bonded_in(now));
        Owned { staying, value: self.value(*asset, ordered) }
    }
}

/// What a pool contributes to the table of a set: nothing if its operator has no row. Within the epoch everything that leaves is measured
/// by this and by no rate: then all of it together weighs as much as the table counts, and what is given back and taken again nothing.
#[derive(Clone, Copy, Default)]
struct Frozen {
    weight: Amount,
    /// What the set owned of the pool, in base units.
    owned: Amount,
}

impl Frozen {
    /// The weight of an amount of what is owned, rounded down.
    fn weight_down(self, amount: Amount) -> Amount {
        if self.owned.is_zero() {
            return Amount::ZERO;
        }
        let amount = amount.min(self.owned);
        Amount::new(wide::mul_div_down(self.weight.units(), amount.units(), self.owned.units()))
    }

    /// The weight of an amount of what is owned, rounded up.
    fn weight_up(self, amount: Amount) -> Amount {
        if self.owned.is_zero() {
            return Amount::ZERO;
        }
        let amount = amount.min(self.owned);
        Amount::new(wide::mul_div_up(self.weight.units(), amount.units(), self.owned.units()))
    }
}

/// What a set owns of a pool.
#[derive(Clone, Copy, Default)]
struct Owned {
    staying: Amount,
    value: Amount,
}

/// An exchange rate of one.
pub(crate) const RATE_ONE: u128 = 1_000_000_000_000_000_000;
/// Weights and values are given for so many base units.
const PER_UNITS: u128 = 1_000_000_000;
