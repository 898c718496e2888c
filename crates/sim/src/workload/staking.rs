//! What stakers ask.

use protocol::ops::claim::Claim;
use protocol::ops::compound::Compound;
use protocol::ops::compounding::{Order, SetCompounding};
use protocol::ops::declare_stale::DeclareStale;
use protocol::ops::delegate::Delegate;
use protocol::ops::follow_up::ReplaceFollowUp;
use protocol::ops::release::Release;
use protocol::ops::undelegate::Undelegate;
use protocol::units::{Address, AssetId, Digest, Fraction, OperatorId, PoolId, ValidatorId};
use protocol::{FollowUp, Operation};

use super::Workload;
use crate::model::Model;
use crate::model::records::Stake;
use crate::script::Step;

impl Workload {
    /// A digest and a worst case that fit a pool; now and then not.
    fn signed(&mut self, model: &Model, operator: OperatorId, asset: AssetId) -> (Digest, Fraction) {
        let Some(pool) = model.pool_of(operator, asset) else { return (Digest::default(), Fraction::ONE) };
        let digest = if self.prng.chance(3) { Digest::default() } else { model.mandate_digest(pool) };
        let worst_case = match self.prng.below(10) {
            0 => self.fraction(),
            1..4 => model.seen_worst_case(pool),
            _ => Fraction::ONE,
        };
        (digest, worst_case)
    }

    /// Who delegates what: mostly stakers, now and then an operator to itself.
    fn someone_with(&mut self, asset: AssetId, model: &Model) -> Address {
        let is_own = self.prng.chance(20);
        let account = if is_own { self.operator_account() } else { self.staker() };
        if model.is_native(asset) { self.world.native_owner(&mut self.prng) } else { account }
    }

    pub(super) fn delegate(&mut self, model: &Model) -> Option<Step> {
        let (operator, asset) = self.some_pool(model);
        let account = self.someone_with(asset, model);
        // Few enough entries that the ledger merges none of them.
        if model.stakes.iter().filter(|stake| stake.account == account).count() > 13 {
            return None;
        }
        let own = (0..model.validators.len()).filter(|place| model.validators[*place].account == account);
        let own: Vec<usize> = own.collect();
        let is_native = model.is_native(asset) || self.prng.chance(1);
        let validator = self.prng.pick(&own).copied().filter(|_| is_native);
        let free = match validator {
            Some(place) => model.validators[place].free,
            None => model.free_of(account, asset),
        };
        if free == 0 && !self.prng.chance(5) {
            return None;
        }
        let (mandate, worst_case) = self.signed(model, operator, asset);
        let validator = validator.map(|place| ValidatorId::new(crate::model::number(place)));
        let amount = self.part_of(free);
        self.ask(
            account,
            Operation::Delegate(Delegate { operator, asset, amount, validator, mandate, worst_case }),
        )
    }

    /// An entry of stake that fits.
    fn some_stake(&mut self, model: &Model, is_wanted: impl Fn(&Stake) -> bool) -> Option<Stake> {
        let wanted: Vec<&Stake> = model.stakes.iter().filter(|stake| is_wanted(stake)).collect();
        self.prng.pick(&wanted).map(|stake| (*stake).clone())
    }

    fn follow_up(&mut self, model: &Model, pool: PoolId) -> FollowUp {
        let asset = model.pool(pool).asset;
        match self.prng.below(10) {
            0 | 1 => FollowUp::Withdraw { to: "0xbeef".to_owned() },
            2..4 => {
                let operator = self.operator(model);
                let (mandate, worst_case) = self.signed(model, operator, asset);
                FollowUp::Delegate { operator, mandate, worst_case }
            }
            _ => FollowUp::Free,
        }
    }

    pub(super) fn undelegate(&mut self, model: &Model) -> Option<Step> {
        let stake = self.some_stake(model, Stake::is_staying)?;
        let pool = model.pool(stake.pool);
        let (operator, asset) = (pool.operator, pool.asset);
        let worth = model.seen_staying(stake.account, operator, asset);
        let amount = if self.prng.chance(25) { None } else { Some(self.part_of(worth)) };
        let validator = stake.validator.filter(|_| self.prng.chance(80));
        let follow_up = self.follow_up(model, stake.pool);
        let account = if self.prng.chance(3) { self.staker() } else { stake.account };
        self.ask(account, Operation::Undelegate(Undelegate { operator, asset, amount, validator, follow_up }))
    }

    pub(super) fn release(&mut self, model: &Model) -> Option<Step> {
        let is_any = self.prng.chance(10);
        let stake =
            self.some_stake(model, |stake| model.is_free(stake.until) || (is_any && !stake.is_staying()))?;
        let pool = model.pool(stake.pool);
        let (operator, asset) = (pool.operator, pool.asset);
        let anyone = self.prng.chance(30);
        let (sender, account) =
            if anyone { (self.staker(), Some(stake.account)) } else { (stake.account, None) };
        self.ask(sender, Operation::Release(Release { account, operator, asset }))
    }

    pub(super) fn replace_follow_up(&mut self, model: &Model) -> Option<Step> {
        let stake = self.some_stake(model, |stake| !stake.is_staying())?;
        let pool = model.pool(stake.pool);
        let (operator, asset) = (pool.operator, pool.asset);
        let bonded_through = if self.prng.chance(10) { model.epoch } else { stake.until };
        let follow_up = self.follow_up(model, stake.pool);
        let op = ReplaceFollowUp { operator, asset, bonded_through, follow_up };
        self.ask(stake.account, Operation::ReplaceFollowUp(op))
    }

    pub(super) fn claim(&mut self, model: &Model) -> Option<Step> {
        let earning = self.some_stake(model, |stake| !stake.earned.is_empty());
        if earning.is_none() && !self.prng.chance(10) {
            return None;
        }
        let owner = match &earning {
            Some(stake) if !self.prng.chance(10) => stake.account,
            _ => self.operator_account(),
        };
        let operator = earning.map(|stake| model.pool(stake.pool).operator).filter(|_| self.prng.chance(85));
        let asset = Some(self.asset(model)).filter(|_| self.prng.chance(20));
        let token = Some(self.asset(model)).filter(|_| self.prng.chance(20));
        let to = Some(self.staker()).filter(|_| self.prng.chance(20));
        let claimer =
            model.account(owner).and_then(|account| account.claimer).filter(|_| self.prng.chance(50));
        let (sender, account) = match claimer {
            Some(claimer) => (claimer, Some(owner)),
            None if self.prng.chance(5) => (self.staker(), Some(owner)),
            None => (owner, None),
        };
        self.ask(sender, Operation::Claim(Claim { account, operator, asset, token, to }))
    }

    pub(super) fn set_compounding(&mut self, model: &Model) -> Option<Step> {
        let stake = self.some_stake(model, Stake::is_staying)?;
        let pool = model.pool(stake.pool);
        let (operator, asset) = (pool.operator, pool.asset);
        let (mandate, worst_case) = self.signed(model, operator, asset);
        let order = if self.prng.chance(20) { None } else { Some(Order { mandate, worst_case }) };
        self.ask(stake.account, Operation::SetCompounding(SetCompounding { operator, asset, order }))
    }

    pub(super) fn compound(&mut self, model: &Model) -> Option<Step> {
        let orders: Vec<(Address, PoolId)> = model
            .accounts
            .iter()
            .flat_map(|(address, account)| account.orders.keys().map(|pool| (*address, *pool)))
            .collect();
        let is_earning = |(owner, pool): &&(Address, PoolId)| {
            let asset = model.pool(*pool).asset;
            let mut own = model.stakes.iter().filter(|stake| stake.account == *owner && stake.pool == *pool);
            own.any(|stake| stake.earned.contains_key(&asset))
        };
        let earning = orders.iter().find(is_earning).copied().filter(|_| !self.prng.chance(20));
        let (owner, pool) = match earning {
            Some(order) => order,
            None => *self.prng.pick(&orders).filter(|_| self.prng.chance(20))?,
        };
        if model.stakes.iter().filter(|stake| stake.account == owner).count() > 13 {
            return None;
        }
        let (operator, asset) = (model.pool(pool).operator, model.pool(pool).asset);
        let op = Compound { account: Some(owner), operator, asset };
        let sender = self.staker();
        self.ask(sender, Operation::Compound(op))
    }

    pub(super) fn declare_stale(&mut self, model: &Model) -> Option<Step> {
        let validator = ValidatorId::new(self.number_below(model.validators.len() as u64 + 1));
        let sender = self.staker();
        self.ask(sender, Operation::DeclareStale(DeclareStale { validator }))
    }
}
