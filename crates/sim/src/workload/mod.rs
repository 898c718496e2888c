//! A seed becomes a history: a small world with short windows, and operations that mostly succeed.
//!
//! Whoever generates an operation reads the model, so that most of what is asked makes sense; a part is made wrong on purpose, and a
//! part goes wrong by itself. Everything is a function of the seed.
//!
//! # What it does not ask
//! Keys of accounts, groups and caps on concentration; terms and labels that are malformed; BLS12-381 keys, which are slow; more entries of
//! stake than the ledger keeps apart; partial exits where the exact worth is too near to a whole unit to tell which way it is cut (the
//! session counts those).

mod funds;
mod sets;
mod slashing;
mod staking;
mod world;

use protocol::units::{Address, Amount, AssetId, Epoch, Fraction, OperatorId, SetId};
use protocol::{Authority, Operation, Signer};

use crate::history::{Counts, Effort, Failure, Session};
use crate::model::{Fault, Model};
use crate::prng::Prng;
use crate::script::{Script, Step};

pub use world::World;

/// What a seed plays.
#[derive(Debug)]
pub struct Played {
    /// The history.
    pub script: Script,
    /// What became of it.
    pub result: Result<Counts, Failure>,
}

/// Plays the history of a seed: so many operations after the world has been set up.
pub fn play(seed: u64, operations: u64, fault: Option<Fault>, effort: Effort) -> Played {
    let mut workload = Workload::new(seed);
    let mut session = Session::new(workload.world.genesis.clone(), fault, effort);
    let mut script = Script { genesis: workload.world.genesis.clone(), steps: Vec::new() };
    let mut setup = workload.world.setup().into_iter();
    let mut left = operations;
    while left > 0 {
        let step = setup.next().unwrap_or_else(|| {
            left -= 1;
            workload.next(session.model())
        });
        script.steps.push(step.clone());
        if let Err(what) = session.step(&step) {
            let failure = Failure { step: script.steps.len() - 1, what };
            return Played { script, result: Err(failure) };
        }
    }
    let last = script.steps.len();
    let result = session.check().map(|()| session.counts()).map_err(|what| Failure { step: last, what });
    Played { script, result }
}

/// What could happen next.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) prng: Prng,
    pub(crate) world: World,
    opening: std::vec::IntoIter<Maker>,
}

type Maker = fn(&mut Workload, &Model) -> Option<Step>;

/// What is asked first, so often each: a world where nobody is on duty teaches nothing.
const OPENING: &[(usize, Maker)] = &[
    (12, Workload::join_set),
    (16, Workload::delegate),
    (3, Workload::advance),
    (8, Workload::register_key),
    (5, Workload::open_stream),
    (3, Workload::raise_bond),
    (2, Workload::advance),
];

/// How often what is asked.
const MAKERS: &[(u64, Maker)] = &[
    (90, Workload::delegate),
    (70, Workload::undelegate),
    (35, Workload::release),
    (8, Workload::replace_follow_up),
    (30, Workload::claim),
    (10, Workload::set_compounding),
    (14, Workload::compound),
    (10, Workload::deposit),
    (10, Workload::withdraw),
    (8, Workload::report_rate),
    (16, Workload::report_validator),
    (4, Workload::declare_stale),
    (6, Workload::grant),
    (2, Workload::revoke),
    (4, Workload::set_claimer),
    (10, Workload::raise_bond),
    (6, Workload::lower_bond),
    (5, Workload::release_bond),
    (14, Workload::set_commission),
    (4, Workload::set_split),
    (8, Workload::change_mandate),
    (2, Workload::open_pool),
    (1, Workload::retire_operator),
    (24, Workload::join_set),
    (5, Workload::leave_set),
    (60, Workload::allocate),
    (10, Workload::consent),
    (18, Workload::change_terms),
    (3, Workload::withdraw_terms),
    (3, Workload::create_set),
    (1, Workload::close_set),
    (6, Workload::admit),
    (3, Workload::eject),
    (8, Workload::jail),
    (10, Workload::unjail),
    (16, Workload::declare_profit),
    (8, Workload::report_performance),
    (14, Workload::open_stream),
    (4, Workload::end_stream),
    (22, Workload::pay_work),
    (6, Workload::register_key),
    (30, Workload::submit_equivocation),
    (90, Workload::request_slash),
    (14, Workload::veto_slash),
    (10, Workload::approve_slash),
    (14, Workload::execute_slash),
    (6, Workload::correlate),
    (8, Workload::release_proceeds),
    (6, Workload::propose_parameters),
    (6, Workload::govern_asset),
    (1, Workload::guard),
    (170, Workload::advance),
];

impl Workload {
    fn new(seed: u64) -> Self {
        let mut prng = Prng::new(seed);
        let world = World::new(&mut prng);
        let opening: Vec<Maker> =
            OPENING.iter().flat_map(|(count, make)| std::iter::repeat_n(*make, *count)).collect();
        Self { prng, world, opening: opening.into_iter() }
    }

    fn next(&mut self, model: &Model) -> Step {
        while let Some(make) = self.opening.next() {
            if let Some(step) = make(self, model) {
                return step;
            }
        }
        // What is ripe is ripe for an epoch or two.
        let first: [(u64, Maker); 2] = [(20, Self::execute_ripe), (16, Self::correlate_ripe)];
        for (percent, make) in first {
            if self.prng.chance(percent)
                && let Some(step) = make(self, model)
            {
                return step;
            }
        }
        let total: u64 = MAKERS.iter().map(|(weight, _)| weight).sum();
        loop {
            let mut place = self.prng.below(total);
            for (weight, make) in MAKERS {
                if place < *weight {
                    if let Some(step) = make(self, model) {
                        return self.by_delegate(model, step);
                    }
                    break;
                }
                place -= weight;
            }
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "it stands in a list of makers")]
    fn advance(&mut self, _: &Model) -> Option<Step> {
        Some(Step::Advance)
    }

    /// Now and then a delegate asks instead of the account, whether it may or not.
    fn by_delegate(&mut self, model: &Model, step: Step) -> Step {
        let Step::Apply(authority, operation) = step else { return step };
        let grants = model.account(authority.account).map_or(&[][..], |account| &account.grants);
        let delegate = self.prng.pick(grants).map(|grant| grant.delegate);
        let signer = match delegate.filter(|_| self.prng.chance(12)) {
            Some(address) => Signer::Delegate { address, keys: Vec::new() },
            None => authority.signer,
        };
        Step::Apply(Authority { account: authority.account, signer, expires: u64::MAX }, operation)
    }

    /// An operation of an account.
    pub(crate) fn ask(&self, account: Address, operation: Operation) -> Option<Step> {
        Some(Step::plain(account, operation))
    }

    pub(crate) fn staker(&mut self) -> Address {
        *self.prng.pick(&self.world.stakers).expect("there are stakers")
    }

    /// An operator's account; now and then anybody's.
    pub(crate) fn operator_account(&mut self) -> Address {
        if self.prng.chance(3) {
            return self.staker();
        }
        *self.prng.pick(&self.world.operators).expect("there are operators")
    }

    /// An operator; now and then one that does not exist.
    pub(crate) fn operator(&mut self, model: &Model) -> OperatorId {
        let spare = u64::from(self.prng.chance(2));
        OperatorId::new(self.number_below(model.operators.len() as u64 + spare))
    }

    /// The operator and the asset of a pool; now and then of none.
    pub(crate) fn some_pool(&mut self, model: &Model) -> (OperatorId, AssetId) {
        let place = usize::try_from(self.number_below(model.pools.len() as u64)).unwrap_or(0);
        match model.pools.get(place).filter(|_| !self.prng.chance(4)) {
            Some(pool) => (pool.operator, pool.asset),
            None => (self.operator(model), self.asset(model)),
        }
    }

    /// A set; now and then one that does not exist.
    pub(crate) fn set(&mut self, model: &Model) -> SetId {
        let spare = u64::from(self.prng.chance(2));
        SetId::new(self.number_below(model.sets.len() as u64 + spare))
    }

    /// An asset; now and then one that does not exist.
    pub(crate) fn asset(&mut self, model: &Model) -> AssetId {
        let spare = u64::from(self.prng.chance(2));
        AssetId::new(self.number_below(model.assets.len() as u64 + spare))
    }

    pub(crate) fn number_below(&mut self, bound: u64) -> u32 {
        u32::try_from(self.prng.below(bound.max(1))).expect("few of a kind")
    }

    /// The account that may speak for a set; now and then another.
    pub(crate) fn service_of(&mut self, model: &Model, set: SetId) -> Address {
        let known =
            model.set(set).and_then(|set| model.services.get(crate::model::index(set.service.number())));
        match known.filter(|_| !self.prng.chance(4)) {
            Some(address) => *address,
            None => self.staker(),
        }
    }

    /// All, half, a part, or now and then more than there is.
    pub(crate) fn part_of(&mut self, all: u128) -> Amount {
        let amount = match self.prng.below(10) {
            0 | 1 => all,
            2 => all / 2,
            3 => all.saturating_add(self.prng.amount(1000)),
            4 => all.min(1),
            _ => self.prng.amount(all.max(1)),
        };
        Amount::new(amount)
    }

    /// A fraction of the kind that people write, half of them such that binary numbers hold it.
    pub(crate) fn fraction(&mut self) -> Fraction {
        const STEPS: [u64; 16] = [
            500_000_000_000_000_000,
            250_000_000_000_000_000,
            125_000_000_000_000_000,
            750_000_000_000_000_000,
            500_000_000_000_000_000,
            250_000_000_000_000_000,
            62_500_000_000_000_000,
            1_000_000_000_000_000_000,
            50_000_000_000_000_000,
            100_000_000_000_000_000,
            300_000_000_000_000_000,
            990_000_000_000_000_000,
            123_456_789_123_456_789,
            333_333_333_333_333_333,
            1_000_000_000_000_000,
            20_000_000_000_000_000,
        ];
        Fraction::from_steps(*self.prng.pick(&STEPS).expect("there are some")).expect("at most one")
    }

    /// An epoch of the recent past; now and then too old, or still to come.
    pub(crate) fn recent(&mut self, model: &Model) -> Epoch {
        let window = model.rules().slash_window;
        let back = self.number_below(u64::from(window) + 1);
        match self.prng.below(40) {
            0 => model.epoch.next(),
            1 => model.epoch.earlier(window + 1),
            _ => model.epoch.earlier(back),
        }
    }
}
