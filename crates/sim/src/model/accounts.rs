//! Delegates, claimers, operators and their pools.

use protocol::ops::change_mandate::ChangeMandate;
use protocol::ops::grant::Grant as GrantOp;
use protocol::ops::open_pool::OpenPool;
use protocol::ops::revoke::Revoke;
use protocol::ops::set_claimer::SetClaimer;
use protocol::ops::set_commission::SetCommission;
use protocol::ops::set_split::SetSplit;
use protocol::terms::{Beneficiary, Mandate};
use protocol::units::{Address, AssetId, Epoch, Fraction, OperatorId, PoolId, SetId};
use protocol::{FollowUp, Kind, Operation};

use super::exact::{self, Ratio};
use super::pool::{PARTS, Pool};
use super::records::{Grant, Operator};
use super::{Model, Verdict, ensure, plan};

/// Delegates of an account.
const DELEGATES_MAX: usize = 16;

impl Model {
    /// Whether a delegate may do this for an account; and what it moves, to be counted against its limits.
    pub(crate) fn check_grant(&self, account: Address, delegate: Address, operation: &Operation) -> Verdict {
        let grants = self.account(account).map_or(&[][..], |account| &account.grants);
        let grant = grants.iter().find(|grant| grant.delegate == delegate).ok_or("NotADelegate")?;
        ensure!(grant.expires >= self.epoch, "GrantExpired");
        ensure!(grant.kinds.contains(&operation.kind()), "KindNotGranted");
        let delegates_later = matches!(operation, Operation::Undelegate(op) if matches!(op.follow_up, FollowUp::Delegate { .. }));
        ensure!(!delegates_later || grant.kinds.contains(&Kind::Delegate), "KindNotGranted");
        let names_destination = match operation {
            Operation::Claim(op) => op.to.is_some() || op.account.is_some(),
            Operation::Undelegate(op) => matches!(op.follow_up, FollowUp::Withdraw { .. }),
            _ => false,
        };
        ensure!(!names_destination, "DestinationNotGranted");
        let paid = match operation {
            Operation::OpenStream(op) => Some((op.set, op.token)),
            Operation::PayWork(op) => Some((op.set, op.token)),
            _ => None,
        };
        if let Some((set, token)) = paid {
            ensure!(self.set(set).is_some_and(|set| self.is_service(set, account)), "PaysOthers");
            ensure!(grant.limits.iter().any(|(limited, _)| *limited == token), "NoLimit");
        }
        if let Some((asset, amount)) = moved(operation)
            && let Some((_, limit)) = grant.limits.iter().find(|(limited, _)| *limited == asset)
        {
            let today = grant.moved.iter().filter(|(epoch, of, _)| *epoch == self.epoch && *of == asset);
            let spent = today.fold(0_u128, |sum, (_, _, amount)| sum.saturating_add(*amount));
            ensure!(spent <= *limit && amount <= limit - spent, "LimitExceeded");
        }
        Ok(())
    }

    pub(crate) fn count_moved(&mut self, account: Address, delegate: Address, operation: &Operation) {
        let now = self.epoch;
        let grants = &mut self.account_mut(account).grants;
        let grant = grants.iter_mut().find(|grant| grant.delegate == delegate);
        if let (Some(grant), Some((asset, amount))) = (grant, moved(operation)) {
            grant.moved.push((now, asset, amount));
        }
    }

    pub(crate) fn grant(&mut self, op: &GrantOp, sender: Address) -> Verdict {
        ensure!(op.delegate != sender, "ToItself");
        ensure!(!op.kinds.is_empty(), "NoKinds");
        ensure!(op.kinds.iter().all(|kind| kind.is_grantable()), "NotGrantable");
        ensure!(op.expires >= self.epoch, "Expired");
        ensure!(op.expires <= self.epoch.later(1_000), "TooLong");
        let now = self.epoch;
        let grants = self.account(sender).map_or(&[][..], |account| &account.grants);
        let others =
            grants.iter().filter(|grant| grant.delegate != op.delegate && grant.expires >= now).count();
        ensure!(others < DELEGATES_MAX, "TooManyDelegates");
        let grants = &mut self.account_mut(sender).grants;
        grants.retain(|grant| grant.delegate != op.delegate && grant.expires >= now);
        grants.push(Grant {
            delegate: op.delegate,
            kinds: op.kinds.iter().copied().collect(),
            limits: op.limits.iter().map(|limit| (limit.asset, limit.amount.units())).collect(),
            moved: Vec::new(),
            expires: op.expires,
        });
        Ok(())
    }

    pub(crate) fn revoke(&mut self, op: &Revoke, sender: Address) -> Verdict {
        let grants = self.account(sender).map_or(&[][..], |account| &account.grants);
        ensure!(grants.iter().any(|grant| grant.delegate == op.delegate), "NoSuchDelegate");
        self.account_mut(sender).grants.retain(|grant| grant.delegate != op.delegate);
        Ok(())
    }

    pub(crate) fn set_claimer(&mut self, op: &SetClaimer, sender: Address) -> Verdict {
        ensure!(self.account(sender).and_then(|account| account.claimer) != op.claimer, "Unchanged");
        self.account_mut(sender).claimer = op.claimer;
        Ok(())
    }

    pub(crate) fn register_operator(&mut self, sender: Address) -> Verdict {
        ensure!(self.operator_of(sender).is_none(), "AlreadyRegistered");
        let deposit = self.post_object_deposit(sender)?;
        let id = OperatorId::new(super::number(self.operators.len()));
        self.operators.push(Operator { account: sender, is_retired: false, split: Vec::new(), deposit });
        self.account_mut(sender).operator = Some(id);
        Ok(())
    }

    pub(crate) fn retire_operator(&mut self, sender: Address) -> Verdict {
        let operator = self.operator_of(sender).ok_or("NotAnOperator")?;
        let record = &mut self.operators[super::index(operator.number())];
        ensure!(!record.is_retired, "AlreadyRetired");
        record.is_retired = true;
        let mut deposit = std::mem::take(&mut record.deposit);
        for pool in self.pools_of(operator) {
            deposit += std::mem::take(&mut self.pool_mut(pool).deposit);
        }
        for set in self.set_ids() {
            if self.set(set).is_some_and(|record| record.active_member(operator).is_some()) {
                self.leave(set, operator, self.epoch);
            }
        }
        self.return_deposit(sender, deposit);
        Ok(())
    }

    pub(crate) fn open_pool(&mut self, op: &OpenPool, sender: Address) -> Verdict {
        let operator = self.operator_of(sender).ok_or("NotAnOperator")?;
        ensure!(self.operator(operator).is_some_and(|record| !record.is_retired), "OperatorRetired");
        ensure!(self.asset(op.asset).is_some(), "AssetNotFound");
        ensure!(self.pool_of(operator, op.asset).is_none(), "AlreadyOpen");
        ensure!(op.commission <= op.mandate.commission, "CommissionExceedsMandate");
        let deposit = self.post_object_deposit(sender)?;
        let mut pool = Pool::new(operator, op.asset, op.mandate, op.commission);
        (pool.fault, pool.deposit) = (self.fault, deposit);
        self.pools.push(pool);
        Ok(())
    }

    pub(crate) fn change_mandate(&mut self, op: &ChangeMandate, sender: Address) -> Verdict {
        let operator = self.operator_of(sender).ok_or("NotAnOperator")?;
        let pool = self.pool_of(operator, op.asset).ok_or("PoolNotFound")?;
        let (new, record) = (&op.mandate, self.pool(pool));
        ensure!(self.seen_worst_case(pool) <= new.worst_case, "WorstCaseExceeds");
        ensure!(self.owned_elsewhere(record) <= exact::ratio(new.elsewhere), "ElsewhereExceeds");
        let is_uncertified = record.open_sets().into_iter().any(|set| self.is_uncertified(set));
        ensure!(new.uncertified || !is_uncertified, "SharingUncertified");
        let now = self.epoch;
        let from_now =
            record.commission.iter().filter(|(from, _)| *from > now).map(|(_, commission)| *commission);
        let highest = from_now.chain([record.commission_in(now), self.oldest_open_commission(record)]).max();
        ensure!(highest.is_none_or(|highest| highest <= new.commission), "CommissionExceeds");
        let later = now.next().later(self.rules().notice);
        let record = self.pool_mut(pool);
        if is_within(new, &record.mandate) {
            record.mandate = *new;
            record.pending_mandate = None;
        } else {
            record.pending_mandate = Some((later, *new));
        }
        Ok(())
    }

    /// The highest commission for work that may still be paid.
    fn oldest_open_commission(&self, pool: &Pool) -> Fraction {
        let oldest = self.oldest_open();
        let open = (oldest.number()..=self.epoch.number()).map(|epoch| pool.commission_in(Epoch::new(epoch)));
        open.max().unwrap_or(Fraction::ZERO)
    }

    /// The oldest capture epoch for which something can still be executed.
    pub(crate) fn oldest_open(&self) -> Epoch {
        let captures = (0..=self.epoch.number()).map(Epoch::new);
        captures.into_iter().find(|capture| self.last_execution(*capture) >= self.epoch).unwrap_or(self.epoch)
    }

    /// The share of a pool's parts that sets own in a later epoch whose slashes may go anywhere but burn.
    pub(crate) fn owned_elsewhere(&self, pool: &Pool) -> Ratio {
        let next = self.epoch.next();
        let parts =
            pool.count(|owners| owners.iter().any(|owner| owner.to >= next && !self.is_burning(owner.set)));
        exact::whole(u128::from(parts)) / exact::whole(u128::from(PARTS))
    }

    pub(crate) fn is_burning(&self, set: SetId) -> bool {
        self.set(set).is_none_or(|record| {
            let destinations = &record.terms_in(self.epoch).destinations;
            destinations.iter().all(|destination| destination.to == Beneficiary::Burn)
        })
    }

    /// What stake that joins a pool loses if every set that owns a part in a later epoch takes its window cap.
    pub(crate) fn worst_case(&self, pool: &Pool) -> Ratio {
        let next = self.epoch.next();
        let mut kept = exact::whole(0);
        for alike in pool.parts.chunk_by(|a, b| a == b) {
            let owners = alike[0].iter().filter(|owner| owner.to >= next);
            let caps = owners
                .map(|owner| self.set(owner.set).map_or(Fraction::ZERO, |set| set.window_cap(self.epoch)));
            let left = caps.fold(exact::whole(1), |left, cap| left * exact::ratio(cap.complement()));
            kept += left * exact::whole(alike.len() as u128);
        }
        exact::whole(1) - kept / exact::whole(u128::from(PARTS))
    }

    pub(crate) fn set_commission(&mut self, op: &SetCommission, sender: Address) -> Verdict {
        let pool = self.own_pool(sender, op.asset)?;
        let record = self.pool(pool);
        let pending = record.pending_mandate.map_or(Fraction::ONE, |(_, mandate)| mandate.commission);
        ensure!(op.commission <= record.mandate.commission.min(pending), "ExceedsMandate");
        let next = self.epoch.next();
        let is_higher = op.commission > record.commission_in(self.epoch);
        let from = if is_higher { next.later(self.rules().notice) } else { next };
        plan(&mut self.pool_mut(pool).commission, from, op.commission);
        Ok(())
    }

    pub(crate) fn set_split(&mut self, op: &SetSplit, sender: Address) -> Verdict {
        let operator = self.operator_of(sender).ok_or("NotAnOperator")?;
        ensure!(op.recipients.len() <= 8, "TooManyRecipients");
        let shares: u128 = op.recipients.iter().map(|part| u128::from(part.share.steps())).sum();
        ensure!(shares <= u128::from(Fraction::STEPS), "MoreThanAll");
        let split = op.recipients.iter().map(|part| (part.account, part.share)).collect();
        self.operators[super::index(operator.number())].split = split;
        Ok(())
    }

    /// The sender's own pool of an asset.
    pub(crate) fn own_pool(&self, sender: Address, asset: AssetId) -> Verdict<PoolId> {
        let operator = self.operator_of(sender).ok_or("NotAnOperator")?;
        self.pool_of(operator, asset).ok_or("PoolNotFound")
    }
}

/// What an operation moves of the sender's; everything where it does not say.
fn moved(operation: &Operation) -> Option<(AssetId, u128)> {
    match operation {
        Operation::Delegate(op) => Some((op.asset, op.amount.units())),
        Operation::Undelegate(op) => Some((op.asset, op.amount.map_or(u128::MAX, |amount| amount.units()))),
        Operation::RaiseBond(op) => Some((op.asset, op.amount.units())),
        Operation::LowerBond(op) => Some((op.asset, op.amount.units())),
        Operation::OpenStream(op) => {
            Some((op.token, op.per_epoch.units().saturating_mul(u128::from(op.epochs))))
        }
        Operation::PayWork(op) => {
            let amounts = op.payments.iter().map(|payment| payment.amount.units());
            Some((op.token, amounts.fold(0, u128::saturating_add)))
        }
        _ => None,
    }
}

/// Whether a mandate asks its delegators to bear nothing more.
fn is_within(new: &Mandate, old: &Mandate) -> bool {
    new.worst_case <= old.worst_case
        && new.elsewhere <= old.elsewhere
        && new.own_verifiers <= old.own_verifiers
        && new.commission <= old.commission
        && (old.uncertified || !new.uncertified)
}
