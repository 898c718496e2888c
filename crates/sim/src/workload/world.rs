//! The world of a seed: who is there, how short its windows are, and what they set up first.

use protocol::ops::create_service::CreateService;
use protocol::ops::create_set::CreateSet;
use protocol::ops::deposit::Deposit;
use protocol::ops::govern_asset::GovernAsset;
use protocol::ops::list_asset::ListAsset;
use protocol::ops::open_pool::OpenPool;
use protocol::ops::register_operator::RegisterOperator;
use protocol::ops::report_validator::ReportValidator;
use protocol::terms::{
    AcceptedAsset, Admission, Beneficiary, Correlation, Destination, JailTerms, Mandate, Offences, Terms,
};
use protocol::units::{Address, Amount, AssetId, Fraction};
use protocol::{AssetKind, Genesis, Operation, Origin, RateSource};

use crate::prng::Prng;
use crate::script::Step;

/// Six decimals; deposits are posted in it.
pub(super) const TOKEN: AssetId = AssetId::new(0);
/// Eighteen decimals, with a rate that is proven.
pub(super) const LIQUID: AssetId = AssetId::new(1);
/// The balance of validators.
pub(super) const NATIVE: AssetId = AssetId::new(2);
/// Eight decimals; nobody stakes it.
pub(super) const REWARD: AssetId = AssetId::new(3);

/// Who is there.
#[derive(Debug)]
pub struct World {
    pub(crate) genesis: Genesis,
    pub(crate) stakers: Vec<Address>,
    pub(crate) operators: Vec<Address>,
    pub(crate) services: Vec<Address>,
    pub(crate) resolvers: Vec<Address>,
    mandates: Vec<Mandate>,
    first_terms: Vec<Terms>,
    deposits: Vec<u128>,
    validators: u32,
    /// Whether everybody has about the same, so that shares of weight are neither nothing nor everything.
    is_even: bool,
}

fn address(kind: u8, number: u8) -> Address {
    let mut bytes = [kind; 20];
    bytes[19] = number;
    Address(bytes)
}

impl World {
    pub(super) fn new(prng: &mut Prng) -> Self {
        let count =
            |prng: &mut Prng, low, high| u8::try_from(prng.between(low, high)).expect("few of a kind");
        let many = |kind, count| (1..=count).map(|number| address(kind, number)).collect::<Vec<_>>();
        let mut world = Self {
            genesis: genesis(prng),
            stakers: many(0x10, count(prng, 4, 6)),
            operators: many(0x20, count(prng, 3, 4)),
            services: many(0x30, count(prng, 1, 3)),
            resolvers: many(0x40, 3),
            mandates: Vec::new(),
            first_terms: Vec::new(),
            deposits: Vec::new(),
            validators: prng.between(0, 3),
            is_even: prng.chance(50),
        };
        // An operator may be asked to judge itself.
        world.resolvers.push(world.operators[0]);
        world.mandates = (0..world.operators.len() * 3).map(|_| mandate(prng)).collect();
        world.first_terms = (0..world.services.len() * 2).map(|place| world.terms(prng, place / 2)).collect();
        world.deposits = (0..64).map(|_| world.deposit_amount(prng)).collect();
        world
    }

    /// Everything that the first operations set up.
    pub(super) fn setup(&self) -> Vec<Step> {
        let mut steps = self.listings();
        let mut deposits = self.deposits.iter().cycle();
        let everybody = self.stakers.iter().chain(&self.operators).chain(&self.services);
        for account in everybody {
            for asset in [TOKEN, LIQUID, REWARD] {
                let amount = Amount::new(deposits.next().copied().unwrap_or(1000).max(1000));
                let op = Deposit { account: None, asset, amount, index: None, proof: Default::default() };
                steps.push(Step::plain(*account, Operation::Deposit(op)));
            }
        }
        for number in 0..self.validators {
            let account = Some(self.stakers[usize::from(number % 2 == 1)]);
            let (balance, proof) = (Amount::new(32_000_000_000), Default::default());
            let op = ReportValidator { asset: NATIVE, validator: u64::from(number), account, balance, proof };
            steps.push(Step::plain(self.stakers[0], Operation::ReportValidator(op)));
        }
        let mut mandates = self.mandates.iter();
        for account in &self.operators {
            let op = Operation::RegisterOperator(RegisterOperator { groups: Default::default() });
            steps.push(Step::plain(*account, op));
            for (asset, mandate) in [TOKEN, LIQUID, NATIVE].into_iter().zip(mandates.by_ref()) {
                let op = OpenPool { asset, mandate: *mandate, commission: mandate.commission };
                steps.push(Step::plain(*account, Operation::OpenPool(op)));
            }
        }
        let mut terms = self.first_terms.chunks(2);
        for account in &self.services {
            steps.push(Step::plain(*account, Operation::CreateService(CreateService {})));
            for terms in terms.next().into_iter().flatten() {
                steps.push(Step::plain(*account, Operation::CreateSet(CreateSet { terms: terms.clone() })));
            }
        }
        steps
    }

    fn listings(&self) -> Vec<Step> {
        let kinds = [
            (6, AssetKind::Token, RateSource::One),
            (18, AssetKind::Token, RateSource::Proven),
            (9, AssetKind::Native, RateSource::One),
            (8, AssetKind::Token, RateSource::One),
        ];
        let mut steps = Vec::new();
        // The first listing is free of a deposit that nobody could have: its genesis says so.
        for (number, (decimals, kind, rate)) in kinds.into_iter().enumerate() {
            let origin = Origin { chain: 1, contract: format!("0x0{number}") };
            let op = ListAsset { origin, decimals, kind, rate };
            steps.push(Step::plain(self.stakers[0], Operation::ListAsset(op)));
        }
        for asset in [TOKEN, LIQUID, NATIVE] {
            let op = GovernAsset { asset, value: Some(1_000_000_000), cap: None, stake_min: None };
            steps.push(Step::plain(self.genesis.governor, Operation::GovernAsset(op)));
        }
        steps
    }

    /// Half of the amounts are small; the largest has nearly a hundred bits.
    pub(super) fn deposit_amount(&self, prng: &mut Prng) -> u128 {
        if self.is_even {
            return 1_000_000 + prng.amount(1_000_000);
        }
        if prng.chance(50) { prng.amount(1_000_000) } else { prng.amount(1 << 98) }
    }

    /// Who has validators.
    pub(super) fn native_owner(&self, prng: &mut Prng) -> Address {
        self.stakers[usize::from(prng.chance(50))]
    }

    /// Terms of a set; those of the second service share their slices.
    pub(super) fn terms(&self, prng: &mut Prng, service: usize) -> Terms {
        let risk_weight = match (service % 2, prng.below(3)) {
            (0, _) => Fraction::ONE,
            (_, 0) => percent(25),
            _ => percent(50),
        };
        let resolvers: Vec<Address> = self.resolvers.iter().copied().filter(|_| prng.chance(50)).collect();
        let takes_native = prng.chance(40);
        let mut assets = vec![AcceptedAsset { asset: TOKEN, weight: 1_000_000_000 }];
        if prng.chance(70) {
            assets.push(AcceptedAsset { asset: LIQUID, weight: 1 + prng.below(3_000_000_000) });
        }
        if takes_native {
            assets.push(AcceptedAsset { asset: NATIVE, weight: 2_000_000_000 });
        }
        let veto = if resolvers.is_empty() { 0 } else { prng.between(0, self.genesis.parameters.veto) };
        Terms {
            assets,
            admission: admission(prng),
            operator_share_max: if prng.chance(30) { percent(60) } else { Fraction::ONE },
            offences: offences(prng),
            window_cap: percent(*prng.pick(&[25, 50, 75, 100, 100]).expect("there are some")),
            veto,
            resolvers,
            threshold: None,
            slasher: self.services[service],
            destinations: self.destinations(prng, risk_weight == Fraction::ONE && !takes_native),
            reward_tokens: if prng.chance(90) { vec![REWARD, TOKEN] } else { vec![REWARD] },
            warm_up: if prng.chance(25) { prng.between(1, 2) } else { 0 },
            jail: JailTerms {
                on_equivocation: prng.chance(40),
                period: prng.between(0, self.genesis.parameters.notice),
            },
            mass_slash_max: if prng.chance(15) { percent(40) } else { Fraction::ONE },
            risk_weight,
            corruption_share: if prng.chance(50) { percent(50) } else { Fraction::ONE },
            quorum: None,
        }
    }

    fn destinations(&self, prng: &mut Prng, may_send: bool) -> Vec<Destination> {
        let harmed = Destination { to: Beneficiary::Compensate, share: percent(50) };
        let burnt = Destination { to: Beneficiary::Burn, share: percent(50) };
        let sent = Destination { to: Beneficiary::Redistribute(self.stakers[0]), share: percent(25) };
        match prng.below(4) {
            0 if may_send => vec![harmed, Destination { share: percent(25), ..burnt }, sent],
            1 if may_send => vec![Destination { share: Fraction::ONE, ..sent }],
            2 if may_send => vec![harmed, burnt],
            _ => vec![Destination { share: Fraction::ONE, ..burnt }],
        }
    }
}

pub(super) fn percent(percent: u8) -> Fraction {
    Fraction::from_percent(percent)
}

pub(super) fn mandate(prng: &mut Prng) -> Mandate {
    let worst_case = percent(*prng.pick(&[20, 50, 75, 100, 100, 100]).expect("there are some"));
    let elsewhere = percent(*prng.pick(&[0, 50, 100, 100]).expect("there are some"));
    let commission = percent(*prng.pick(&[0, 5, 10, 33, 50, 100]).expect("there are some"));
    Mandate { worst_case, elsewhere, own_verifiers: Fraction::ZERO, uncertified: prng.chance(50), commission }
}

fn admission(prng: &mut Prng) -> Admission {
    let small = |prng: &mut Prng, chance| {
        Amount::new(if prng.chance(chance) { u128::from(prng.below(500)) } else { 0 })
    };
    Admission {
        list_only: prng.chance(6),
        operators_max: if prng.chance(15) {
            1
        } else {
            u16::try_from(prng.between(2, 4)).expect("few operators")
        },
        stake_min: small(prng, 10),
        self_stake_min: small(prng, 6),
        bond_min: small(prng, 6),
    }
}

fn offences(prng: &mut Prng) -> Offences {
    let most = |prng: &mut Prng| percent(*prng.pick(&[10, 25, 50, 100, 100]).expect("there are some"));
    let multiplier = u16::try_from(prng.between(1, 3)).expect("a small multiplier");
    let exponent = if prng.chance(50) { 1 } else { 2 };
    Offences {
        equivocation: if prng.chance(80) { Some(most(prng)) } else { None },
        subjective: if prng.chance(95) { Some(most(prng)) } else { None },
        false_event: None,
        correlation: if prng.chance(75) { Some(Correlation { multiplier, exponent }) } else { None },
    }
}

fn genesis(prng: &mut Prng) -> Genesis {
    let mut genesis = Genesis::development();
    let parameters = &mut genesis.parameters;
    parameters.slash_window = prng.between(1, 2);
    parameters.veto = prng.between(0, 2);
    parameters.execution = prng.between(1, 2);
    let reach = parameters.slash_window + parameters.veto + parameters.execution;
    parameters.unbonding = reach.max(3) + prng.between(0, 1);
    parameters.notice = prng.between(1, 2);
    parameters.stale_after = prng.between(3, 6);
    parameters.grace = prng.between(1, 2);
    parameters.rate_rise_max = percent(5);
    parameters.request_deposit = Amount::new(if prng.chance(30) { 100 } else { 0 });
    genesis
}
