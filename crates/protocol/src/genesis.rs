//! What is fixed when a ledger starts, and the parameters that may change inside its bounds.

use serde::{Deserialize, Serialize};

use crate::ethereum::Ethereum;
use crate::macros::record;
use crate::units::{Address, Amount, AssetId, Digest, Epoch, Fraction};

record! {
    /// Everything that is fixed when a ledger starts.
    pub struct Genesis {
        /// Names the ledger in everything that is signed for it.
        pub ledger: Digest,
        /// Whether facts of other chains may be stated without proof and senders named without signatures. Never on a live ledger.
        pub development: bool,
        /// Proposes parameters, values and caps; each change takes the notice.
        pub governor: Address,
        /// May stop joins, listings, new sets and allocations for a while, and nothing else.
        pub guardian: Address,
        /// The asset in which deposits are posted.
        pub deposit_asset: AssetId,
        /// The smallest risk weight a set may choose, at least 1/16.
        pub risk_weight_min: Fraction,
        /// The parameters of the first epoch.
        pub parameters: Parameters,
        /// Between which values parameters may ever move.
        pub bounds: Bounds,
        /// Bounds of what is stored.
        pub limits: Limits,
        /// The Ethereum that is followed, if any.
        #[serde(default)]
        pub ethereum: Option<Box<Ethereum>>,
        /// Bounds of vaults.
        #[serde(default)]
        pub vaults: VaultLimits,
    }
}

record! {
    /// What governance may change, with notice and inside [`Bounds`].
    pub struct Parameters {
        /// `U`: epochs between the last bonded epoch and freedom.
        pub unbonding: u32,
        /// `W`: epochs after the capture epoch in which an offence may be reported.
        pub slash_window: u32,
        /// `V`: epochs in which a request may be vetoed.
        pub veto: u32,
        /// `X`: epochs after those in which it may be executed.
        pub execution: u32,
        /// `N`: epochs between the announcement of something worse and its start.
        pub notice: u32,
        /// `K`: epochs after which an unproven native balance may be declared stale.
        pub stale_after: u32,
        /// `G`: epochs for which a set may be under-collateralised before its allocations run out.
        pub grace: u32,
        /// `q`: by how much a proven exchange rate may rise in an epoch.
        pub rate_rise_max: Fraction,
        /// How much more than the declared profit an attack must cost before a set may declare it.
        pub gamma_min: Fraction,
        /// Posted by whoever requests a slash; lost if vetoed or lapsed.
        pub request_deposit: Amount,
        /// The share of that deposit that goes to whoever executes.
        pub execution_tip: Fraction,
        /// Posted for every stored object, returned when it is given up.
        pub object_deposit: Amount,
        /// Caps on concentration.
        pub caps: Caps,
        /// Version of the rules; part of the state.
        pub rules_version: u32,
    }
}

record! {
    /// Caps on concentration, as shares of all ledger value bonded or allocated at the last boundary. They refuse voluntary increases
    /// and never touch stake.
    pub struct Caps {
        /// Below this ledger value no share is looked at: a young ledger is always concentrated.
        pub above: Amount,
        /// Share of all value with one operator.
        pub operator: Fraction,
        /// Share of all value allocated to one service.
        pub service: Fraction,
        /// Share of all value with operators that declared the same client, cloud, custody or code.
        pub group: Fraction,
        /// The same for operators that declared nothing: one group.
        pub undeclared: Fraction,
        /// Share of all value that the worst single event, every operator of one set slashed to its window cap, may take.
        pub event: Fraction,
    }
}

record! {
    /// Lowest and highest value of each number in [`Parameters`].
    pub struct Bounds {
        /// `U`; at most 64, which bounds what a pool stores.
        pub unbonding: [u32; 2],
        /// `W`.
        pub slash_window: [u32; 2],
        /// `V`.
        pub veto: [u32; 2],
        /// `X`, at least 1.
        pub execution: [u32; 2],
        /// `N`, at least 1.
        pub notice: [u32; 2],
        /// `K`.
        pub stale_after: [u32; 2],
        /// `G`.
        pub grace: [u32; 2],
        /// `q`.
        pub rate_rise_max: [Fraction; 2],
        /// Least slack of a certificate.
        pub gamma_min: [Fraction; 2],
        /// Deposit of a request.
        pub request_deposit: [Amount; 2],
        /// Deposit of a stored object.
        pub object_deposit: [Amount; 2],
    }
}

record! {
    /// Bounds of what is stored and looped over.
    pub struct Limits {
        /// Sets that may own parts of one pool.
        pub sets_per_pool: u16,
        /// Operators in one set.
        pub operators_per_set: u16,
        /// Assets that the terms of a set may name.
        pub assets_per_set: u16,
        /// Reward tokens that the terms of a set may name.
        pub tokens_per_set: u16,
        /// Streams that pay one set.
        pub streams_per_set: u16,
        /// Resolvers that the terms of a set may name.
        pub resolvers_per_set: u16,
        /// Pools of one operator.
        pub pools_per_operator: u16,
        /// Sets that one operator is in.
        pub sets_per_operator: u16,
        /// Entries of stake of one account; beyond it only joins are refused.
        pub positions_per_account: u16,
        /// Different histories of slashes in one pool; beyond it only joins are refused.
        pub tracks_per_pool: u16,
        /// Delegates of one account.
        pub delegates_per_account: u16,
        /// Keys of one account.
        pub keys_per_account: u16,
        /// Recipients, victims, payments and offences named in one operation.
        pub items_per_operation: u16,
    }
}

record! {
    /// Bounds of vaults.
    #[derive(Copy)]
    pub struct VaultLimits {
        /// The largest share of new highs that a vault may take.
        pub fee_max: Fraction,
        /// The highest fee of an instant exit.
        pub instant_fee_max: Fraction,
        /// The smallest share of an instant exit that is held back.
        pub holdback_min: Fraction,
        /// Fewest and most epochs over which a gain vests.
        pub drip: [u32; 2],
        /// Steps of a vault's tick that another operation takes on its way, and batches that a claim reads.
        pub steps_per_operation: u16,
        /// Steps that one call of the tick may take.
        pub steps_per_tick: u16,
        /// Allowances of one holder of one sort of shares.
        pub allowances_per_holding: u16,
    }
}

impl Default for VaultLimits {
    /// As on a development ledger.
    fn default() -> Self {
        Self {
            fee_max: Fraction::from_percent(30),
            instant_fee_max: Fraction::from_percent(10),
            holdback_min: Fraction::from_percent(1),
            drip: [7, UNBONDING_MAX],
            steps_per_operation: 32,
            steps_per_tick: 1024,
            allowances_per_holding: 16,
        }
    }
}

impl Parameters {
    /// `W + V + X`: how long after the capture epoch a slash may still be executed.
    pub const fn reach(&self) -> u32 {
        self.slash_window.saturating_add(self.veto).saturating_add(self.execution)
    }

    /// Checks them alone and against the bounds; the text names the first that does not hold.
    pub fn check(&self, bounds: &Bounds) -> Result<(), String> {
        if self.unbonding < self.reach() {
            let (u, reach) = (self.unbonding, self.reach());
            return Err(format!(
                "unbonding of {u} epochs is less than slash window + veto + execution = {reach}"
            ));
        }
        let epochs = [
            ("unbonding", self.unbonding, bounds.unbonding),
            ("slash_window", self.slash_window, bounds.slash_window),
            ("veto", self.veto, bounds.veto),
            ("execution", self.execution, bounds.execution),
            ("notice", self.notice, bounds.notice),
            ("stale_after", self.stale_after, bounds.stale_after),
            ("grace", self.grace, bounds.grace),
        ];
        for (name, value, [low, high]) in epochs {
            if value < low || value > high {
                return Err(format!("{name} of {value} epochs is outside {low} to {high}"));
            }
        }
        let fractions = [
            ("rate_rise_max", self.rate_rise_max, bounds.rate_rise_max),
            ("gamma_min", self.gamma_min, bounds.gamma_min),
        ];
        for (name, value, [low, high]) in fractions {
            if value < low || value > high {
                return Err(format!("{name} of {value} is outside {low} to {high}"));
            }
        }
        let amounts = [
            ("request_deposit", self.request_deposit, bounds.request_deposit),
            ("object_deposit", self.object_deposit, bounds.object_deposit),
        ];
        for (name, value, [low, high]) in amounts {
            if value < low || value > high {
                return Err(format!("{name} of {value} is outside {low} to {high}"));
            }
        }
        Ok(())
    }
}

/// Beyond this a pool could store too much, whatever a genesis says.
pub(crate) const UNBONDING_MAX: u32 = 64;
/// Epochs over which a vault may let a gain vest: each is a number in its record.
const DRIP_MAX: u32 = 128;
/// A set of a smaller risk weight could own all of every pool for nothing.
const RISK_WEIGHT_MIN: Fraction = match Fraction::from_steps(62_500_000_000_000_000) {
    Some(fraction) => fraction,
    None => Fraction::ONE,
};

impl Genesis {
    /// A ledger for trying things out: epochs short, deposits and caps off.
    pub fn development() -> Self {
        Self {
            ledger: Digest([0; 32]),
            development: true,
            governor: Address([0xa1; 20]),
            guardian: Address([0xa2; 20]),
            deposit_asset: AssetId::new(0),
            risk_weight_min: RISK_WEIGHT_MIN,
            parameters: Parameters {
                unbonding: 14,
                slash_window: 7,
                veto: 5,
                execution: 2,
                notice: 7,
                stale_after: 30,
                grace: 7,
                rate_rise_max: Fraction::from_percent(1),
                gamma_min: Fraction::from_percent(10),
                request_deposit: Amount::ZERO,
                execution_tip: Fraction::from_percent(10),
                object_deposit: Amount::ZERO,
                caps: Caps {
                    above: Amount::ZERO,
                    operator: Fraction::ONE,
                    service: Fraction::ONE,
                    group: Fraction::ONE,
                    undeclared: Fraction::ONE,
                    event: Fraction::ONE,
                },
                rules_version: 1,
            },
            bounds: Bounds {
                unbonding: [3, UNBONDING_MAX],
                slash_window: [0, 32],
                veto: [0, 30],
                execution: [1, 30],
                notice: [1, 30],
                stale_after: [1, 365],
                grace: [1, 60],
                rate_rise_max: [Fraction::ZERO, Fraction::from_percent(10)],
                gamma_min: [Fraction::ZERO, Fraction::ONE],
                request_deposit: [Amount::ZERO, Amount::LIMIT],
                object_deposit: [Amount::ZERO, Amount::LIMIT],
            },
            limits: Limits {
                sets_per_pool: 64,
                operators_per_set: 1024,
                assets_per_set: 16,
                tokens_per_set: 8,
                streams_per_set: 16,
                resolvers_per_set: 16,
                pools_per_operator: 16,
                sets_per_operator: 256,
                positions_per_account: 1024,
                tracks_per_pool: 4096,
                delegates_per_account: 16,
                keys_per_account: 16,
                items_per_operation: 64,
            },
            ethereum: None,
            vaults: VaultLimits::default(),
        }
    }

    /// Checks what a ledger could not live with; the text names the first that does not hold.
    pub fn check(&self) -> Result<(), String> {
        let bounds = &self.bounds;
        if bounds.unbonding[1] > UNBONDING_MAX {
            return Err(format!("the bound of unbonding, {}, exceeds {UNBONDING_MAX}", bounds.unbonding[1]));
        }
        if bounds.execution[0] == 0 || bounds.notice[0] == 0 {
            return Err("execution and notice must be at least 1 epoch".to_owned());
        }
        if self.risk_weight_min < RISK_WEIGHT_MIN {
            let least = RISK_WEIGHT_MIN;
            return Err(format!("the smallest risk weight {} is less than {least}", self.risk_weight_min));
        }
        if self.limits.operators_per_set > 1024 || self.limits.assets_per_set > 16 {
            return Err("more than 1024 operators or 16 assets in a set".to_owned());
        }
        self.vaults.check()?;
        self.parameters.check(bounds)?;
        self.ethereum.as_ref().map_or(Ok(()), |ethereum| ethereum.check(&self.parameters))
    }
}

impl VaultLimits {
    fn check(&self) -> Result<(), String> {
        let [least, most] = self.drip;
        if least == 0 || least > most || most > DRIP_MAX {
            return Err(format!("a drip of {least} to {most} epochs is not within 1 to {DRIP_MAX}"));
        }
        if self.steps_per_operation == 0 || self.steps_per_tick == 0 {
            return Err("a vault's tick needs at least 1 step".to_owned());
        }
        Ok(())
    }
}

/// Something that changes from epoch to epoch, with its past for as long as somebody can ask about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History<T> {
    first: T,
    later: Vec<(Epoch, T)>,
}

impl<T> History<T> {
    /// It has always been so.
    pub fn new(first: T) -> Self {
        Self { first, later: Vec::new() }
    }

    /// As it is in `epoch`.
    pub fn at(&self, epoch: Epoch) -> &T {
        let index = self.later.partition_point(|(from, _)| *from <= epoch);
        let entry = index.checked_sub(1).and_then(|index| self.later.get(index));
        entry.map_or(&self.first, |(_, value)| value)
    }

    /// From `epoch` on it is `value`; what was planned for later is dropped.
    pub fn set(&mut self, epoch: Epoch, value: T) {
        self.later.retain(|(from, _)| *from < epoch);
        self.later.push((epoch, value));
    }

    /// Drops what is planned for after `now`.
    pub fn forget_after(&mut self, now: Epoch) {
        self.later.retain(|(from, _)| *from <= now);
    }

    /// Every change and when it starts; the first from epoch zero.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Epoch, &T)> {
        std::iter::once((Epoch::ZERO, &self.first))
            .chain(self.later.iter().map(|(from, value)| (*from, value)))
    }

    /// Forgets what was replaced before `epoch`.
    pub fn forget_before(&mut self, epoch: Epoch) {
        while self.later.first().is_some_and(|(from, _)| *from <= epoch) {
            self.first = self.later.remove(0).1;
        }
    }
}
