//! Asking stake back.

use protocol::ops::declare_stale::DeclareStale;
use protocol::ops::undelegate::Undelegate;
use protocol::units::{Address, Epoch, PoolId, ValidatorId};
use protocol::{Event, FollowUp};

use super::records::Stake;
use super::{Fault, Model, Verdict, ensure, exact, index};

impl Model {
    pub(crate) fn undelegate(&mut self, op: &Undelegate, sender: Address, events: &[Event]) -> Verdict {
        ensure!(!op.amount.is_some_and(|amount| amount.is_zero()), "AmountIsZero");
        let pool = self.pool_of(op.operator, op.asset).ok_or("PoolNotFound")?;
        let parts = self.leaving_parts(op, sender, pool)?;
        ensure!(self.can_follow(op.asset, &op.follow_up), "BadFollowUp");
        let (mut leaving, mut returned) = (0, 0);
        for (place, principal) in &parts {
            let (worth, is_leaving) = self.part_leaves(*place, *principal, op.follow_up.clone());
            if is_leaving { leaving += worth } else { returned += worth }
        }
        self.drop_empty_stakes();
        self.check_announced(events, leaving, returned, parts.len());
        Ok(())
    }

    /// Which entries leave and how much principal of each: the oldest first, each whole but the last.
    fn leaving_parts(&self, op: &Undelegate, sender: Address, pool: PoolId) -> Verdict<Vec<(usize, u128)>> {
        let mut entries = self.staying_entries(sender, pool, op.validator);
        ensure!(!entries.is_empty(), "NothingDelegated");
        if self.has(Fault::YoungestLeavesFirst) {
            entries.reverse();
        }
        let worth = match op.validator {
            None => self.seen_staying(sender, op.operator, op.asset),
            Some(_) => entries.iter().map(|place| self.worth(&self.stakes[*place])).sum(),
        };
        let least = self.asset(op.asset).map_or(0, |asset| asset.stake_min);
        let asked = match op.amount.map(|amount| amount.units()) {
            Some(amount) if amount > worth => return Err("ExceedsStake"),
            Some(amount) if worth - amount >= least => amount,
            _ => worth,
        };
        let (is_all, mut missing) = (asked == worth, asked);
        let mut parts = Vec::new();
        for place in entries {
            let stake = &self.stakes[place];
            if !is_all && missing == 0 {
                break;
            }
            let whole = self.worth(stake);
            let is_whole = is_all || missing >= whole;
            let factor = self.pool(pool).worth(stake.entered, stake.until);
            let principal = if is_whole {
                stake.principal
            } else {
                exact::times_up(missing, &factor.recip()).min(stake.principal)
            };
            missing = missing.saturating_sub(whole);
            parts.push((place, principal));
        }
        Ok(parts)
    }

    /// Entries that were not asked back, the oldest first.
    pub(crate) fn staying_entries(
        &self,
        account: Address,
        pool: PoolId,
        validator: Option<ValidatorId>,
    ) -> Vec<usize> {
        let is_meant = |stake: &Stake| {
            stake.account == account
                && stake.pool == pool
                && stake.is_staying()
                && validator.is_none_or(|wanted| stake.validator == Some(wanted))
        };
        let mut entries: Vec<usize> =
            (0..self.stakes.len()).filter(|place| is_meant(&self.stakes[*place])).collect();
        entries.sort_by_key(|place| self.stakes[*place].entered);
        entries
    }

    /// Whether the ledger's rounding of factors may decide which entries a part of a stake comes from, or how much principal.
    pub(crate) fn is_undelegation_borderline(&self, op: &Undelegate, sender: Address) -> bool {
        let Some(amount) = op.amount.map(|amount| amount.units()) else { return false };
        let Some(pool) = self.pool_of(op.operator, op.asset) else { return false };
        let entries = self.staying_entries(sender, pool, op.validator);
        let ages: Vec<Epoch> = entries.iter().map(|place| self.stakes[*place].entered).collect();
        let is_ambiguous = ages.windows(2).any(|pair| pair[0] == pair[1]);
        let mut missing = amount;
        for place in entries {
            let stake = &self.stakes[place];
            let factor = self.pool(pool).worth(stake.entered, stake.until);
            let is_exact = self.pool(pool).is_binary(stake.entered, stake.until);
            let worth = &factor * exact::whole(stake.principal);
            if !is_exact && exact::is_nearly_whole(&worth) {
                return true;
            }
            let whole = exact::floor(&worth);
            if missing < whole {
                let needed = exact::whole(missing) / &factor;
                return is_ambiguous || (!is_exact && missing > 0 && is_inverse_near(&needed, &factor));
            }
            missing -= whole;
        }
        is_ambiguous
    }

    /// Principal of an entry leaves, or comes back at once if it was never bonded. Returns its worth, and whether it leaves.
    fn part_leaves(&mut self, place: usize, principal: u128, follow_up: FollowUp) -> (u128, bool) {
        let part = Stake { principal, follow_up, earned: Default::default(), ..self.stakes[place].clone() };
        let worth = self.worth(&part);
        if part.entered > self.epoch {
            self.stakes[place].principal -= principal;
            self.take_back(&part);
            return (worth, false);
        }
        self.settle(place);
        self.announce_leave(&part);
        self.stakes[place].principal -= principal;
        self.carry_dust(part.pool);
        self.add_stake(Stake { until: self.epoch, ..part });
        (worth, true)
    }

    fn take_back(&mut self, part: &Stake) {
        let asset = self.pool(part.pool).asset;
        self.pool_mut(part.pool).held -= part.principal;
        match part.validator {
            Some(validator) => self.validators[index(validator.number())].free += part.principal,
            None => self.add_free(part.account, asset, part.principal),
        }
    }

    fn check_announced(&mut self, events: &[Event], leaving: u128, returned: u128, parts: usize) {
        let announced = events.iter().find_map(|event| match event {
            Event::Undelegated { leaving, returned, .. } => Some((leaving.units(), returned.units())),
            _ => None,
        });
        let slack = parts as u128;
        match announced {
            Some((seen, back)) if back == returned && seen.abs_diff(leaving) <= slack => {}
            _ => self.object(|| {
                format!("leaving {leaving} and returned {returned} are announced as {announced:?}")
            }),
        }
    }

    /// Stake that leaves is counted in full against the certificates of the sets that own a part of it: by its share of what the pool
    /// contributes to the table, whatever has become of the rate since.
    fn announce_leave(&mut self, part: &Stake) {
        for set in self.pool(part.pool).sets_in(self.epoch) {
            let share = self.pool(part.pool).share(set, self.epoch, part.entered, Epoch::NEVER);
            let amount = exact::times_up(part.principal, &share);
            let (weight, owned) = self.frozen(set, part.pool);
            let weigh = |amount: u128| exact::portion_up(weight, amount.min(owned), owned.max(1));
            let (low, high) = (weigh(amount.saturating_sub(1)), weigh(amount + 1));
            let leaving = &mut self.set_mut(set).leaving;
            *leaving = (leaving.0 + low, leaving.1 + high);
        }
    }

    pub(crate) fn declare_stale(&mut self, op: &DeclareStale) -> Verdict {
        let validator = self.validators.get(index(op.validator.number())).ok_or("ValidatorNotFound")?;
        ensure!(validator.proven.later(self.rules().stale_after) <= self.epoch, "StillFresh");
        let owner = validator.account;
        let is_meant = |stake: &&Stake| stake.validator == Some(op.validator) && stake.is_staying();
        let mut pools: Vec<PoolId> = self.stakes.iter().filter(is_meant).map(|stake| stake.pool).collect();
        pools.sort_unstable();
        pools.dedup();
        ensure!(!pools.is_empty(), "NothingDelegated");
        for pool in pools {
            let (operator, asset) = (self.pool(pool).operator, self.pool(pool).asset);
            let validator = Some(op.validator);
            let leave = Undelegate { operator, asset, amount: None, validator, follow_up: FollowUp::Free };
            let parts = self.leaving_parts(&leave, owner, pool)?;
            for (place, principal) in parts {
                self.part_leaves(place, principal, FollowUp::Free);
            }
        }
        self.drop_empty_stakes();
        Ok(())
    }
}

/// Whether principal that is needed for a worth may be rounded either way: a factor's error counts as often as the principal is larger.
fn is_inverse_near(needed: &exact::Ratio, factor: &exact::Ratio) -> bool {
    exact::is_nearly_whole(needed) || *factor < exact::Ratio::new(1.into(), (1_u64 << 40).into())
}
