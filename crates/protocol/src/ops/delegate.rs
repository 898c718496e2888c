//! A staker puts free stake behind an operator, under the mandate it signs.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::stake::Entries;
use crate::state::value::OverCap;
use crate::units::{
    AccountId, Address, Amount, AssetId, Digest, Epoch, Fraction, OperatorId, PoolId, ValidatorId,
};

record! {
    /// Free stake becomes bonded with an operator from the next epoch on.
    pub struct Delegate {
        /// The operator.
        pub operator: OperatorId,
        /// The asset.
        pub asset: AssetId,
        /// How much.
        pub amount: Amount,
        /// For native stake, the validator whose balance it is.
        #[serde(default)]
        pub validator: Option<ValidatorId>,
        /// The digest of the pool's mandate, an announced one included.
        pub mandate: Digest,
        /// The largest worst case it will bear, scheduled changes included.
        pub worst_case: Fraction,
    }
}

refusals! {
    /// Why a delegation is refused.
    {
        JoinsStopped { until: Epoch } => "the guardian has stopped joins until epoch {until}",
        ChainHalted { until: Epoch } => "the asset's chain has contradicted itself, and nothing joins until epoch {until}",
        AmountIsZero => "the amount is zero",
        PoolNotFound { operator: OperatorId, asset: AssetId } => "operator {operator} has no pool of asset {asset}",
        OperatorRetired { operator: OperatorId } => "operator {operator} has retired",
        MandateDiffers { signed: Digest, current: Digest } => "the signed mandate {signed} is not the pool's mandate {current}",
        WorstCaseExceeded { worst_case: Fraction, bound: Fraction } => "the pool's worst case {worst_case} exceeds the bound {bound}",
        ValidatorMissing { asset: AssetId } => "asset {asset} is native stake; name the validator whose balance it is",
        ValidatorNotYours { asset: AssetId } => "the validator is not one of the sender's with asset {asset}",
        Stale { proven: Epoch, since: Epoch } => "the validator's balance was proven in epoch {proven} and is stale since epoch {since}; prove it again",
        SlashedOnChain { slot: u64 } => "a validator of the pod was slashed on its chain, as the state of slot {slot} shows; report the pod again",
        ExceedsFree { amount: Amount, free: Amount } => "delegation of {amount} exceeds free balance {free}",
        BelowMinimum { amount: Amount, least: Amount } => "delegation of {amount} is below the smallest stake {least}",
        TooManyPositions { count: u32, most: u32 } => "the account has {count} entries of stake, and may have {most}",
        PoolIsScarred { histories: u32, most: u32 } => "the pool's stake has {histories} different histories of slashes, and takes new stake below {most}",
        OverCap { over: OverCap } => "{over}",
    }
}

impl Delegate {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let (account, pool) = self.check(state, sender)?;

        // From here on nothing can fail.
        let mut entries = state.staying_entries(account, pool);
        self.carry_out(state, sender, (account, pool), &mut entries, events);
        Ok(())
    }

    /// Carries out what was checked. `entries` are what the account has in the pool and has not asked back, and are kept up.
    pub(crate) fn carry_out(
        &self,
        state: &mut State,
        sender: Address,
        (account, pool): (AccountId, PoolId),
        entries: &mut Entries,
        events: &mut Vec<Event>,
    ) {
        state.refresh_worst_case(pool);
        match self.validator {
            None => state.accounts.get_mut(account).take_free(self.asset, self.amount),
            Some(validator) => state.validator_mut(validator).free.shrink(self.amount),
        }
        state.join(account, pool, self.amount, self.validator, entries);
        state.add_operator_value(self.operator, self.asset, self.amount);
        events.push(Event::Delegated {
            account: sender,
            operator: self.operator,
            asset: self.asset,
            amount: self.amount,
            bonded_from: state.epoch.next(),
            worst_case: state.worst_case(pool),
        });
    }

    /// Everything that can refuse it.
    pub(crate) fn check(&self, state: &State, sender: Address) -> Result<(AccountId, PoolId), Refused> {
        self.check_stops(state)?;
        let Self { operator, asset, amount, .. } = *self;
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { operator, asset })?;
        self.check_pool(state, pool)?;
        let (account, free) = self.free(state, sender)?;
        let Some(account) = account.filter(|_| amount <= free) else {
            return Err(Refused::ExceedsFree { amount, free });
        };
        self.check_beyond_free(state, account)?;
        Ok((account, pool))
    }

    /// Everything that can refuse tokens of an account to a pool of the operator and the asset.
    pub(crate) fn check_tokens(
        &self,
        state: &State,
        (account, pool): (AccountId, PoolId),
    ) -> Result<(), Refused> {
        self.check_stops(state)?;
        self.check_pool(state, pool)?;
        let Self { asset, amount, .. } = *self;
        if state.is_native(asset) {
            return Err(Refused::ValidatorMissing { asset });
        }
        let free = state.accounts.get(account).free(asset);
        if amount > free {
            return Err(Refused::ExceedsFree { amount, free });
        }
        self.check_beyond_free(state, account)
    }

    fn check_stops(&self, state: &State) -> Result<(), Refused> {
        let until = state.stops.joins;
        if until > state.epoch {
            return Err(Refused::JoinsStopped { until });
        }
        if let Some(until) = state.halted(self.asset) {
            return Err(Refused::ChainHalted { until });
        }
        if self.amount.is_zero() {
            return Err(Refused::AmountIsZero);
        }
        Ok(())
    }

    fn check_pool(&self, state: &State, pool: PoolId) -> Result<(), Refused> {
        let operator = self.operator;
        if state.operator(operator).is_none_or(|record| record.is_retired) {
            return Err(Refused::OperatorRetired { operator });
        }
        let record = state.pool(pool);
        if self.mandate != record.digest {
            return Err(Refused::MandateDiffers { signed: self.mandate, current: record.digest });
        }
        let worst_case = state.worst_case(pool);
        if worst_case > self.worst_case {
            return Err(Refused::WorstCaseExceeded { worst_case, bound: self.worst_case });
        }
        Ok(())
    }

    /// Everything that can refuse it after the free balance.
    pub(crate) fn check_beyond_free(&self, state: &State, account: AccountId) -> Result<(), Refused> {
        let Self { operator, asset, amount, .. } = *self;
        let pool = state.pool_of(operator, asset).ok_or(Refused::PoolNotFound { operator, asset })?;
        let least = state.asset(asset).map_or(Amount::ZERO, |asset| asset.stake_min);
        if amount < least {
            return Err(Refused::BelowMinimum { amount, least });
        }
        let (count, most) =
            (state.accounts.get(account).position_count, u32::from(state.limits().positions_per_account));
        if count >= most {
            return Err(Refused::TooManyPositions { count, most });
        }
        let histories = u32::try_from(state.pool(pool).stake.track_count()).unwrap_or(u32::MAX);
        let most = u32::from(state.limits().tracks_per_pool);
        if histories >= most {
            return Err(Refused::PoolIsScarred { histories, most });
        }
        let value = state.value(asset, amount);
        state.check_operator_caps(operator, value).map_err(|over| Refused::OverCap { over })
    }

    /// Who delegates, and what it has free: of a token its balance, of native stake what its validator has free.
    fn free(&self, state: &State, sender: Address) -> Result<(Option<AccountId>, Amount), Refused> {
        let asset = self.asset;
        let account = state.accounts.find(sender);
        if !state.is_native(asset) {
            if self.validator.is_some() {
                return Err(Refused::ValidatorNotYours { asset });
            }
            return Ok((
                account,
                account.map_or(Amount::ZERO, |account| state.accounts.get(account).free(asset)),
            ));
        }
        let id = self.validator.ok_or(Refused::ValidatorMissing { asset })?;
        let validator = state.validator(id).ok_or(Refused::ValidatorNotYours { asset })?;
        if Some(validator.account) != account || validator.asset != asset {
            return Err(Refused::ValidatorNotYours { asset });
        }
        let since = state.stale_from(id, validator);
        if since <= state.epoch {
            return Err(Refused::Stale { proven: validator.proven, since });
        }
        if let Some((slot, _)) = state.pods.get(&id).and_then(|pod| pod.flagged) {
            return Err(Refused::SlashedOnChain { slot });
        }
        Ok((account, validator.free))
    }
}
