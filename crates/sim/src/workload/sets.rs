//! What operators and services ask of each other.

use evidence::{Scheme, SecretKey};
use protocol::Operation;
use protocol::ops::admit::Admit;
use protocol::ops::allocate::Allocate;
use protocol::ops::change_mandate::ChangeMandate;
use protocol::ops::change_terms::ChangeTerms;
use protocol::ops::close_set::CloseSet;
use protocol::ops::consent::Consent;
use protocol::ops::create_set::CreateSet;
use protocol::ops::declare_profit::DeclareProfit;
use protocol::ops::eject::Eject;
use protocol::ops::jail::Jail;
use protocol::ops::join_set::{Allocation, JoinSet};
use protocol::ops::leave_set::LeaveSet;
use protocol::ops::open_pool::OpenPool;
use protocol::ops::register_key::RegisterKey;
use protocol::ops::report_performance::ReportPerformance;
use protocol::ops::retire_operator::RetireOperator;
use protocol::ops::set_commission::SetCommission;
use protocol::ops::set_split::{Recipient, SetSplit};
use protocol::ops::unjail::Unjail;
use protocol::ops::withdraw_terms::WithdrawTerms;
use protocol::terms::Terms;
use protocol::units::{Address, Amount, AssetId, Fraction, OperatorId, SetId};

use super::Workload;
use super::world::{mandate, percent};
use crate::model::Model;
use crate::script::Step;

/// Keys that an operator may register in a set, one after the other.
const KEYS: u8 = 3;

/// The key of a number of an operator in a set.
pub(super) fn key(set: SetId, operator: OperatorId, number: u8) -> SecretKey {
    let mut seed = [number; 32];
    seed[..4].copy_from_slice(&set.number().to_be_bytes());
    seed[4..8].copy_from_slice(&operator.number().to_be_bytes());
    SecretKey::from_seed(Scheme::Ed25519, seed)
}

impl Workload {
    fn account_of(&mut self, model: &Model, operator: OperatorId) -> Address {
        let known = model.operator(operator).map(|record| record.account).filter(|_| !self.prng.chance(3));
        known.unwrap_or_else(|| self.operator_account())
    }

    /// An operator's account and the asset of one of its pools; now and then not its own.
    pub(super) fn own_pool(&mut self, model: &Model) -> (Address, AssetId) {
        let (operator, asset) = self.some_pool(model);
        (self.account_of(model, operator), asset)
    }

    /// An operator in a set, most often.
    pub(super) fn member(&mut self, model: &Model) -> (SetId, OperatorId) {
        let members: Vec<(SetId, OperatorId)> = model
            .set_ids()
            .filter_map(|set| model.set(set).map(|record| (set, record)))
            .flat_map(|(set, record)| {
                record.members.iter().map(move |(operator, member)| (set, *operator, member))
            })
            .filter(|(_, _, member)| member.left.is_none())
            .map(|(set, operator, _)| (set, operator))
            .collect();
        let known = self.prng.pick(&members).copied().filter(|_| !self.prng.chance(4));
        known.unwrap_or_else(|| (self.set(model), self.operator(model)))
    }

    fn parts(&mut self) -> u16 {
        let parts = [0, 1, 16, 64, 64, 100, 128, 128, 256, 256, 257];
        if self.prng.chance(30) {
            u16::try_from(self.prng.between(1, 256)).unwrap_or(1)
        } else {
            *self.prng.pick(&parts).unwrap_or(&1)
        }
    }

    pub(super) fn join_set(&mut self, model: &Model) -> Option<Step> {
        let (set, operator) = (self.set(model), self.operator(model));
        let is_in = model.set(set).is_some_and(|record| record.active_member(operator).is_some());
        if is_in && !self.prng.chance(10) {
            return None;
        }
        let sender = self.account_of(model, operator);
        let terms = model.terms_digest(set).filter(|_| !self.prng.chance(3)).unwrap_or_default();
        let assets: Vec<_> =
            model.set(set).map(|record| record.terms_in(model.epoch).assets.clone()).unwrap_or_default();
        let mut allocations = Vec::new();
        for accepted in assets {
            if self.prng.chance(70) {
                allocations.push(Allocation { asset: accepted.asset, parts: self.parts().min(128) });
            }
        }
        self.ask(sender, Operation::JoinSet(JoinSet { set, terms, allocations }))
    }

    pub(super) fn leave_set(&mut self, model: &Model) -> Option<Step> {
        let (set, operator) = self.member(model);
        let sender = self.account_of(model, operator);
        self.ask(sender, Operation::LeaveSet(LeaveSet { set }))
    }

    pub(super) fn allocate(&mut self, model: &Model) -> Option<Step> {
        let (set, operator) = self.member(model);
        let sender = self.account_of(model, operator);
        let accepted =
            model.set(set).map(|record| record.terms_in(model.epoch).assets.clone()).unwrap_or_default();
        let known = self.prng.pick(&accepted).map(|accepted| accepted.asset).filter(|_| !self.prng.chance(8));
        let asset = known.unwrap_or_else(|| self.listed(model));
        let parts = self.parts();
        let current = model.pool_of(operator, asset).map(|pool| model.pool(pool).parts_of(set));
        let expected_parts = if self.prng.chance(10) {
            Some(current.unwrap_or(0) + u16::from(self.prng.chance(20)))
        } else {
            None
        };
        let op = Allocate { set, asset, parts, expected_parts, expected_slashes: None };
        self.ask(sender, Operation::Allocate(op))
    }

    /// A set with terms that wait; now and then any.
    fn pending_set(&mut self, model: &Model) -> Option<SetId> {
        let is_pending = |set: &SetId| model.set(*set).is_some_and(|record| record.pending.is_some());
        let pending: Vec<SetId> = model.set_ids().filter(is_pending).collect();
        match self.prng.pick(&pending) {
            Some(set) => Some(*set),
            None if self.prng.chance(10) => Some(self.set(model)),
            None => None,
        }
    }

    pub(super) fn consent(&mut self, model: &Model) -> Option<Step> {
        let set = self.pending_set(model)?;
        let is_member = |place: &usize| {
            let operator = OperatorId::new(crate::model::number(*place));
            model.set(set).is_some_and(|record| record.active_member(operator).is_some())
        };
        let members: Vec<usize> = (0..model.operators.len()).filter(is_member).collect();
        let known = self.prng.pick(&members).map(|place| OperatorId::new(crate::model::number(*place)));
        let operator = known.filter(|_| !self.prng.chance(5)).unwrap_or_else(|| self.operator(model));
        let sender = self.account_of(model, operator);
        let terms = model.terms_digest(set).filter(|_| !self.prng.chance(5)).unwrap_or_default();
        self.ask(sender, Operation::Consent(Consent { set, terms }))
    }

    /// Somewhat other terms.
    fn changed(&mut self, old: &Terms, service: usize) -> Terms {
        let fresh = self.world.terms(&mut self.prng, service);
        let mut terms = old.clone();
        match self.prng.below(12) {
            0 => terms.window_cap = fresh.window_cap,
            1 => terms.offences.subjective = fresh.offences.subjective,
            2 => terms.offences = fresh.offences,
            3 => terms.risk_weight = percent(*self.prng.pick(&[25, 50, 100]).unwrap_or(&100)),
            4 => terms.admission = fresh.admission,
            5 => terms.corruption_share = fresh.corruption_share,
            6 => terms.jail = fresh.jail,
            7 => terms.mass_slash_max = fresh.mass_slash_max,
            8 => terms.operator_share_max = fresh.operator_share_max,
            9 => terms.assets = fresh.assets,
            10 => (terms.resolvers, terms.veto) = (fresh.resolvers, fresh.veto),
            _ => terms.warm_up = fresh.warm_up,
        }
        terms
    }

    pub(super) fn change_terms(&mut self, model: &Model) -> Option<Step> {
        let set = self.set(model);
        let record = model.set(set)?;
        let service =
            usize::try_from(record.service.number()).unwrap_or(0).min(self.world.services.len() - 1);
        let terms = self.changed(record.terms_in(model.epoch), service);
        if terms.check(&model.genesis, model.rules()).is_err() && !self.prng.chance(10) {
            return None;
        }
        let sender = self.service_of(model, set);
        self.ask(sender, Operation::ChangeTerms(ChangeTerms { set, terms }))
    }

    pub(super) fn withdraw_terms(&mut self, model: &Model) -> Option<Step> {
        let set = self.pending_set(model)?;
        let sender = self.service_of(model, set);
        self.ask(sender, Operation::WithdrawTerms(WithdrawTerms { set }))
    }

    pub(super) fn create_set(&mut self, model: &Model) -> Option<Step> {
        let service = usize::try_from(self.number_below(self.world.services.len() as u64)).unwrap_or(0);
        let terms = self.world.terms(&mut self.prng, service);
        if model.sets.len() >= 8
            || (terms.check(&model.genesis, model.rules()).is_err() && !self.prng.chance(10))
        {
            return None;
        }
        let sender = if self.prng.chance(5) { self.staker() } else { self.world.services[service] };
        self.ask(sender, Operation::CreateSet(CreateSet { terms }))
    }

    pub(super) fn close_set(&mut self, model: &Model) -> Option<Step> {
        let set = self.set(model);
        let sender = self.service_of(model, set);
        self.ask(sender, Operation::CloseSet(CloseSet { set }))
    }

    pub(super) fn admit(&mut self, model: &Model) -> Option<Step> {
        let (set, operator) = (self.set(model), self.operator(model));
        let sender = self.service_of(model, set);
        let admitted = !self.prng.chance(30);
        self.ask(sender, Operation::Admit(Admit { set, operator, admitted }))
    }

    pub(super) fn eject(&mut self, model: &Model) -> Option<Step> {
        let (set, operator) = self.member(model);
        let sender = self.service_of(model, set);
        self.ask(sender, Operation::Eject(Eject { set, operator }))
    }

    pub(super) fn jail(&mut self, model: &Model) -> Option<Step> {
        let (set, operator) = self.member(model);
        let sender = self.service_of(model, set);
        self.ask(sender, Operation::Jail(Jail { set, operator }))
    }

    pub(super) fn unjail(&mut self, model: &Model) -> Option<Step> {
        let jailed: Vec<(SetId, OperatorId)> = model
            .set_ids()
            .filter_map(|set| Some((set, &model.set(set)?.members)))
            .flat_map(|(set, members)| members.iter().map(move |(operator, member)| (set, *operator, member)))
            .filter(|(_, _, member)| member.jailed.is_some())
            .map(|(set, operator, _)| (set, operator))
            .collect();
        let known = self.prng.pick(&jailed).copied();
        let (set, operator) = match known {
            Some(known) => known,
            None if self.prng.chance(10) => self.member(model),
            None => return None,
        };
        let sender = self.account_of(model, operator);
        self.ask(sender, Operation::Unjail(Unjail { set }))
    }

    pub(super) fn declare_profit(&mut self, model: &Model) -> Option<Step> {
        let set = self.set(model);
        let seen = model.seen.sets.iter().find(|seen| seen.set == set);
        let secured = seen.map_or(1, |seen| seen.secured.units());
        let profit = match self.prng.below(6) {
            0 => 0,
            1 => secured,
            2 => secured / 11 * 10,
            _ => self.prng.amount(secured.max(1)),
        };
        let sender = self.service_of(model, set);
        self.ask(sender, Operation::DeclareProfit(DeclareProfit { set, profit: Amount::new(profit) }))
    }

    pub(super) fn report_performance(&mut self, model: &Model) -> Option<Step> {
        let (set, operator) = self.member(model);
        let factor = if self.prng.chance(20) { Fraction::ZERO } else { self.fraction() };
        let sender = self.service_of(model, set);
        self.ask(sender, Operation::ReportPerformance(ReportPerformance { set, operator, factor }))
    }

    pub(super) fn set_commission(&mut self, model: &Model) -> Option<Step> {
        let (sender, asset) = self.own_pool(model);
        let most = model.operator_of(sender).and_then(|operator| model.pool_of(operator, asset));
        let most = most.map_or(Fraction::ONE, |pool| model.pool(pool).mandate.commission);
        let fresh = mandate(&mut self.prng).commission;
        let commission = if self.prng.chance(15) { fresh } else { fresh.min(most) };
        self.ask(sender, Operation::SetCommission(SetCommission { asset, commission }))
    }

    pub(super) fn set_split(&mut self, _: &Model) -> Option<Step> {
        let sender = self.operator_account();
        let count = self.number_below(4);
        let recipients =
            (0..count).map(|_| Recipient { account: self.staker(), share: self.fraction() }).collect();
        self.ask(sender, Operation::SetSplit(SetSplit { recipients }))
    }

    pub(super) fn change_mandate(&mut self, model: &Model) -> Option<Step> {
        let (sender, asset) = self.own_pool(model);
        let mandate = mandate(&mut self.prng);
        self.ask(sender, Operation::ChangeMandate(ChangeMandate { asset, mandate }))
    }

    pub(super) fn open_pool(&mut self, model: &Model) -> Option<Step> {
        let (sender, asset) = (self.operator_account(), self.asset(model));
        let mandate = mandate(&mut self.prng);
        let commission = self.fraction();
        self.ask(sender, Operation::OpenPool(OpenPool { asset, mandate, commission }))
    }

    pub(super) fn retire_operator(&mut self, model: &Model) -> Option<Step> {
        let active = model.operators.iter().filter(|operator| !operator.is_retired).count();
        if active < 3 {
            return None;
        }
        let sender = self.operator_account();
        self.ask(sender, Operation::RetireOperator(RetireOperator {}))
    }

    pub(super) fn register_key(&mut self, model: &Model) -> Option<Step> {
        let (set, operator) = self.member(model);
        let sender = self.account_of(model, operator);
        let number = u8::try_from(self.number_below(u64::from(KEYS))).unwrap_or(0);
        let secret = key(set, operator, number);
        let possession = secret.prove_possession(&model.genesis.ledger.0, set.number(), operator.number());
        self.ask(sender, Operation::RegisterKey(RegisterKey { set, key: secret.public_key(), possession }))
    }

    /// A key of an operator in a set.
    pub(super) fn some_key(&mut self, set: SetId, operator: OperatorId) -> SecretKey {
        let number = u8::try_from(self.number_below(u64::from(KEYS))).unwrap_or(0);
        key(set, operator, number)
    }
}
