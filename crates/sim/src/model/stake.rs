//! Joining, settling, releasing: every entry of every staker on its own.

use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};
use protocol::ops::delegate::Delegate;
use protocol::ops::follow_up::ReplaceFollowUp;
use protocol::ops::release::Release;
use protocol::ops::withdraw::Withdraw;
use protocol::units::{Address, Amount, AssetId, Digest, Epoch, Fraction, OperatorId, PoolId, ValidatorId};
use protocol::view::StakeView;
use protocol::{Event, FollowUp};

use super::records::{EARNED_BITS, Stake};
use super::{Fault, Model, Verdict, ensure, exact, index};

impl Model {
    /// What the ledger shows of an account's stake in a pool.
    pub(crate) fn seen_stake(
        &self,
        account: Address,
        operator: OperatorId,
        asset: AssetId,
    ) -> Option<&StakeView> {
        let account = self.seen.accounts.iter().find(|seen| seen.account == account)?;
        account.stakes.iter().find(|stake| stake.operator == operator && stake.asset == asset)
    }

    /// What an account's stake in a pool is worth that it has not asked back, in whole units.
    pub(crate) fn seen_staying(&self, account: Address, operator: OperatorId, asset: AssetId) -> u128 {
        self.seen_stake(account, operator, asset)
            .map_or(0, |stake| stake.joining.units() + stake.bonded.units())
    }

    /// The worst case of a pool, in the steps of a fraction.
    pub(crate) fn seen_worst_case(&self, pool: PoolId) -> Fraction {
        self.seen.pools.get(index(pool.number())).map_or(Fraction::ZERO, |pool| pool.worst_case)
    }

    /// What a delegation to a pool must sign.
    pub(crate) fn mandate_digest(&self, pool: PoolId) -> Digest {
        let record = self.pool(pool);
        record.mandate.digest(record.operator, record.asset, record.pending_mandate)
    }

    pub(crate) fn delegate(&mut self, op: &Delegate, sender: Address) -> Verdict {
        let pool = self.can_delegate(op, sender, self.free_to_delegate(op, sender))?;
        let amount = op.amount.units();
        match op.validator {
            Some(validator) => self.validators[index(validator.number())].free -= amount,
            None => self.take_free(sender, op.asset, amount),
        }
        self.join(sender, pool, amount, op.validator);
        Ok(())
    }

    fn free_to_delegate(&self, op: &Delegate, sender: Address) -> u128 {
        match op.validator.filter(|_| self.is_native(op.asset)) {
            Some(id) => self.validators.get(index(id.number())).map_or(0, |validator| validator.free),
            None => self.free_of(sender, op.asset),
        }
    }

    pub(crate) fn can_delegate(&self, op: &Delegate, sender: Address, free: u128) -> Verdict<PoolId> {
        ensure!(self.stops.joins <= self.epoch, "JoinsStopped");
        ensure!(!op.amount.is_zero(), "AmountIsZero");
        let pool = self.pool_of(op.operator, op.asset).ok_or("PoolNotFound")?;
        ensure!(self.operator(op.operator).is_some_and(|operator| !operator.is_retired), "OperatorRetired");
        ensure!(op.mandate == self.mandate_digest(pool), "MandateDiffers");
        ensure!(self.seen_worst_case(pool) <= op.worst_case, "WorstCaseExceeded");
        if self.is_native(op.asset) {
            let id = op.validator.ok_or("ValidatorMissing")?;
            let validator = self.validators.get(index(id.number())).ok_or("ValidatorNotYours")?;
            ensure!(validator.account == sender && validator.asset == op.asset, "ValidatorNotYours");
            ensure!(self.epoch < validator.proven.later(self.rules().stale_after), "Stale");
        } else {
            ensure!(op.validator.is_none(), "ValidatorNotYours");
        }
        ensure!(op.amount.units() <= free, "ExceedsFree");
        let least = self.asset(op.asset).map_or(0, |asset| asset.stake_min);
        ensure!(op.amount.units() >= least, "BelowMinimum");
        Ok(pool)
    }

    /// Adds stake that is bonded from the next epoch on.
    pub(crate) fn join(
        &mut self,
        account: Address,
        pool: PoolId,
        amount: u128,
        validator: Option<ValidatorId>,
    ) {
        let (entered, until) = (self.epoch.next(), Epoch::NEVER);
        self.pool_mut(pool).held += amount;
        let earned = Default::default();
        let follow_up = FollowUp::Free;
        self.add_stake(Stake {
            account,
            pool,
            principal: amount,
            entered,
            until,
            validator,
            follow_up,
            earned,
        });
    }

    /// Adds an entry, or grows the youngest from which nothing tells it apart.
    pub(crate) fn add_stake(&mut self, stake: Stake) {
        let is_like = |other: &&mut Stake| {
            other.account == stake.account
                && other.pool == stake.pool
                && other.entered == stake.entered
                && other.until == stake.until
                && other.validator == stake.validator
                && other.follow_up == FollowUp::Free
                && stake.follow_up == FollowUp::Free
        };
        match self.stakes.iter_mut().rev().find(is_like) {
            Some(other) => other.principal += stake.principal,
            None => self.stakes.push(stake),
        }
    }

    /// What an entry is worth, cut to whole units.
    pub(crate) fn worth(&self, stake: &Stake) -> u128 {
        exact::times_down(stake.principal, &self.pool(stake.pool).worth(stake.entered, stake.until))
    }

    /// Moves what an entry has earned to its account's claimable rewards, cut to whole units; the rest stays with the pool as dust.
    pub(crate) fn settle(&mut self, place: usize) {
        let stake = &mut self.stakes[place];
        let (account, pool) = (stake.account, stake.pool);
        for (token, earned) in std::mem::take(&mut stake.earned) {
            let units = (earned >> EARNED_BITS).to_u128().expect("what is earned was funded");
            if units > 0 {
                *self.account_mut(account).claimable.entry(token).or_default() += units;
                let record = self.pool_mut(pool);
                *record.reserves.entry(token).or_default() -= exact::signed(units);
                record.is_settled = true;
            }
        }
    }

    /// The dust of a pool in which nobody has anything to settle joins its next reward.
    pub(crate) fn carry_dust(&mut self, pool: PoolId) {
        if self.stakes.iter().any(|stake| stake.pool == pool && stake.principal > 0) {
            return;
        }
        let record = self.pool_mut(pool);
        for (token, rest) in std::mem::take(&mut record.reserves) {
            *record.carried.entry(token).or_default() += rest;
        }
    }

    /// Takes out entries without principal.
    pub(crate) fn drop_empty_stakes(&mut self) {
        let left = self.stakes.iter().filter(|stake| stake.principal == 0).map(|stake| stake.pool);
        for pool in left.collect::<Vec<_>>() {
            self.carry_dust(pool);
        }
        self.stakes.retain(|stake| stake.principal > 0);
    }

    pub(crate) fn release(&mut self, op: &Release, sender: Address, events: &[Event]) -> Verdict {
        let owner = op.account.unwrap_or(sender);
        let pool = self.pool_of(op.operator, op.asset).ok_or("PoolNotFound")?;
        let is_leaving = |stake: &Stake| stake.account == owner && stake.pool == pool && !stake.is_staying();
        let first =
            self.stakes.iter().filter(|stake| is_leaving(stake)).map(|stake| self.free_at(stake.until)).min();
        ensure!(first.ok_or("NothingUnbonding")? <= self.epoch, "NotYetFree");
        let is_due = |stake: &Stake| is_leaving(stake) && self.is_free(stake.until);
        let mut due: Vec<usize> =
            (0..self.stakes.len()).filter(|place| is_due(&self.stakes[*place])).collect();
        due.sort_by_key(|place| (self.stakes[*place].until, self.stakes[*place].entered));
        let mut missing = 0;
        for event in events {
            let Event::Released { principal, worth, .. } = event else { continue };
            // Entries of one liability come in an order of the ledger's own, which also keeps many small old ones as one.
            let Some(entries) = self.entries_of(&due, principal.units()) else {
                missing += 1;
                continue;
            };
            due.retain(|place| !entries.contains(place));
            let mut rest = worth.units();
            for (index, place) in entries.iter().enumerate() {
                let is_last = index + 1 == entries.len();
                let own = if is_last { rest } else { self.worth(&self.stakes[*place]).min(rest) };
                rest -= own;
                // What each is paid too little of a sum that is rounded down once, the last is paid too much.
                let spare = if is_last { entries.len() as u128 } else { 1 };
                self.pay_out(*place, own, spare);
            }
        }
        if missing > 0 || !due.is_empty() {
            let left = due.len();
            self.object(|| format!("{left} free entries are not released, and {missing} others are"));
        }
        self.drop_empty_stakes();
        Ok(())
    }

    /// The fewest of the due entries that hold so much principal together.
    fn entries_of(&self, due: &[usize], principal: u128) -> Option<Vec<usize>> {
        const MOST: usize = 12;
        let few: Vec<usize> = due.iter().copied().take(MOST).collect();
        let single = due.iter().find(|place| self.stakes[**place].principal == principal);
        if let Some(place) = single {
            return Some(vec![*place]);
        }
        let mut masks: Vec<u32> = (1..1 << few.len()).collect();
        masks.sort_by_key(|mask| mask.count_ones());
        let chosen = |mask: u32| few.iter().enumerate().filter(move |(bit, _)| mask & (1 << bit) != 0);
        let sum = |mask: &u32| chosen(*mask).map(|(_, place)| self.stakes[*place].principal).sum::<u128>();
        let mask = masks.into_iter().find(|mask| sum(mask) == principal)?;
        Some(chosen(mask).map(|(_, place)| *place).collect())
    }

    /// An entry leaves its pool for `paid` whole units, within `spare` of its worth, and its follow-up is carried out.
    fn pay_out(&mut self, place: usize, paid: u128, spare: u128) {
        self.settle(place);
        let stake = self.stakes[place].clone();
        self.stakes[place].principal = 0;
        self.carry_dust(stake.pool);
        let worth = self.worth(&stake);
        if worth.abs_diff(paid) > spare {
            self.object(|| format!("{paid} is paid for an entry worth {worth}: {stake:?}"));
        }
        let record = self.pool_mut(stake.pool);
        record.held -= paid;
        let asset = record.asset;
        match stake.validator {
            Some(validator) => {
                // What was slashed goes along with its validator, and with it the unit that a rounding has left with the stakers.
                let lost = stake.principal - paid;
                let part = lost.min(record.slashed);
                record.slashed -= part;
                record.held -= lost - part;
                let validator = &mut self.validators[index(validator.number())];
                validator.free += paid;
                validator.slashed += lost;
            }
            None => self.add_free(stake.account, asset, paid),
        }
        match stake.follow_up {
            FollowUp::Free => {}
            FollowUp::Withdraw { to } => {
                let withdrawal = Withdraw { asset, amount: Amount::new(paid), to };
                self.withdraw(&withdrawal, stake.account).unwrap_or(());
            }
            FollowUp::Delegate { operator, mandate, worst_case } => {
                let (amount, validator) = (Amount::new(paid), stake.validator);
                let delegation = Delegate { operator, asset, amount, validator, mandate, worst_case };
                self.delegate(&delegation, stake.account).unwrap_or(());
            }
        }
    }

    pub(crate) fn replace_follow_up(&mut self, op: &ReplaceFollowUp, sender: Address) -> Verdict {
        let pool = self.pool_of(op.operator, op.asset).ok_or("PoolNotFound")?;
        let is_meant = |stake: &Stake| {
            stake.account == sender
                && stake.pool == pool
                && stake.until == op.bonded_through
                && !stake.is_staying()
        };
        ensure!(self.stakes.iter().any(is_meant), "NothingUnbonding");
        ensure!(self.can_follow(op.asset, &op.follow_up), "BadFollowUp");
        for stake in self.stakes.iter_mut().filter(|stake| is_meant(stake)) {
            stake.follow_up = op.follow_up.clone();
        }
        Ok(())
    }

    pub(crate) fn can_follow(&self, asset: AssetId, follow_up: &FollowUp) -> bool {
        match follow_up {
            FollowUp::Free => true,
            FollowUp::Withdraw { .. } => !self.is_native(asset),
            FollowUp::Delegate { operator, .. } => self.pool_of(*operator, asset).is_some(),
        }
    }

    /// Pays `amount` for the work of a set in an epoch to the stake that was bonded then, by what is left of the parts that the set owned
    /// then. Whether there is such stake.
    pub(crate) fn reward(
        &mut self,
        pool: PoolId,
        set: protocol::units::SetId,
        work: Epoch,
        token: AssetId,
        amount: u128,
    ) -> bool {
        let record = self.pool(pool);
        let carried = record.carried.get(&token).copied().unwrap_or(0);
        let amount = u128::try_from(exact::signed(amount) + carried).unwrap_or(0);
        let earns = |stake: &Stake| match self.fault {
            Some(Fault::RewardByPresentStake) => stake.is_staying(),
            _ => stake.is_bonded_in(work),
        };
        let mut weights: Vec<(usize, exact::Ratio)> = Vec::new();
        let mut total = exact::Ratio::zero();
        for (place, stake) in
            self.stakes.iter().enumerate().filter(|(_, stake)| stake.pool == pool && earns(stake))
        {
            let weight = record.share(set, work, stake.entered, stake.until) * exact::whole(stake.principal);
            total += &weight;
            weights.push((place, weight));
        }
        if total.is_zero() {
            return false;
        }
        let per_weight = exact::whole(amount) / total;
        for (place, weight) in weights {
            let share = weight * &per_weight;
            let earned: BigInt = (share.numer() << EARNED_BITS) / share.denom();
            *self.stakes[place].earned.entry(token).or_default() += earned;
        }
        let record = self.pool_mut(pool);
        record.carried.remove(&token);
        *record.reserves.entry(token).or_default() += exact::signed(amount);
        true
    }
}
