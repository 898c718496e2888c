//! What a service offers and demands, and what the delegators of a pool agreed to bear.

mod canonical;
mod plain;

use self::canonical::Canonical;
use crate::genesis::{Genesis, Parameters};
use crate::macros::record;
use crate::units::{Address, AssetId, Digest, Epoch, Fraction, OperatorId};

record! {
    /// The terms of an operator set. Better terms count from the next epoch on, worse ones after the notice and with the operator's
    /// renewed consent; each offence is judged by the terms of its capture epoch.
    pub struct Terms {
        /// Assets that count, with their weight.
        pub assets: Vec<AcceptedAsset>,
        /// Who may join.
        pub admission: Admission,
        /// The largest share of the set's weight that one operator may have; what exceeds it is clipped from the table.
        #[serde(default = "one")]
        pub operator_share_max: Fraction,
        /// What is punished, and how hard.
        pub offences: Offences,
        /// `c`: the most that all slashes of one operator take together within a window of W + V + X epochs, by execution and by capture.
        pub window_cap: Fraction,
        /// Epochs in which a request may be vetoed, at most the ledger's V.
        #[serde(default)]
        pub veto: u32,
        /// Who may veto. None means that nobody can.
        #[serde(default)]
        pub resolvers: Vec<Address>,
        /// How many of them it takes; a majority where it is not given.
        #[serde(default)]
        pub threshold: Option<u16>,
        /// Who may request a slash for a reason.
        pub slasher: Address,
        /// Where slashed stake goes; shares sum to one. Fixed when the set is created.
        #[serde(default = "burn_all")]
        pub destinations: Vec<Destination>,
        /// Tokens that may be paid as rewards.
        #[serde(default)]
        pub reward_tokens: Vec<AssetId>,
        /// Epochs between an allocation and its weight and liability, at most U.
        #[serde(default)]
        pub warm_up: u32,
        /// What a jail costs.
        #[serde(default)]
        pub jail: JailTerms,
        /// The largest share of weight whose stake may be taken for reasons within a window without the resolvers' yes.
        #[serde(default = "one")]
        pub mass_slash_max: Fraction,
        /// `rho`: 1 owns its slices alone; less shares them with others of less than 1, and burns what it slashes.
        #[serde(default = "one")]
        pub risk_weight: Fraction,
        /// `alpha`: the share of weight that corrupts the service.
        #[serde(default = "one")]
        pub corruption_share: Fraction,
        /// `q`: the share of weight that a certificate of the set needs; then `alpha <= 2q - 1`.
        #[serde(default)]
        pub quorum: Option<Fraction>,
    }
}

record! {
    /// An asset that counts for a set.
    pub struct AcceptedAsset {
        /// Which.
        pub asset: AssetId,
        /// Weight of `10^9` base units at an exchange rate of 1: `1 ..= 2^34`.
        pub weight: u64,
    }
}

record! {
    /// Who may join a set.
    pub struct Admission {
        /// Whether the service must have admitted the operator first.
        #[serde(default)]
        pub list_only: bool,
        /// Operators at most; when full, a newcomer with 10 % more weight replaces the smallest.
        pub operators_max: u16,
        /// Weight below which an operator is not in the table.
        #[serde(default)]
        pub stake_min: crate::units::Amount,
        /// Weight that the operator's own stake must have.
        #[serde(default)]
        pub self_stake_min: crate::units::Amount,
        /// Weight that the operator's bonds would have as stake.
        #[serde(default)]
        pub bond_min: crate::units::Amount,
    }
}

record! {
    /// What is punished.
    pub struct Offences {
        /// Two different statements for one slot, by a registered key. Anybody proves it; it executes at once.
        #[serde(default)]
        pub equivocation: Option<Fraction>,
        /// A signed statement about an event on Ethereum that is not so. Anybody proves it; it executes at once.
        #[serde(default)]
        pub false_event: Option<Fraction>,
        /// The most that a request for a reason may take.
        #[serde(default)]
        pub subjective: Option<Fraction>,
        /// Taken once per offender by the share of weight that offended in the same window.
        #[serde(default)]
        pub correlation: Option<Correlation>,
    }
}

record! {
    /// `min(1, multiplier x share ^ exponent)`.
    pub struct Correlation {
        /// `1 ..= 100`.
        pub multiplier: u16,
        /// 1 or 2.
        pub exponent: u8,
    }
}

record! {
    /// A part of what is slashed.
    pub struct Destination {
        /// Where it goes.
        pub to: Beneficiary,
        /// How much of it.
        pub share: Fraction,
    }
}

record! {
    /// Who gets slashed stake.
    pub enum Beneficiary {
        /// Nobody.
        Burn,
        /// An account, after the last moment in which an offence of the same capture epoch can be executed.
        Redistribute(Address),
        /// The users that the request names as harmed, up to what it names; the rest is burnt.
        Compensate,
    }
}

record! {
    /// What a jail costs.
    #[derive(Default)]
    pub struct JailTerms {
        /// Whether a proven equivocation jails.
        #[serde(default)]
        pub on_equivocation: bool,
        /// Epochs after which the operator may return by itself, at most the notice.
        #[serde(default)]
        pub period: u32,
    }
}

fn one() -> Fraction {
    Fraction::ONE
}

fn burn_all() -> Vec<Destination> {
    vec![Destination { to: Beneficiary::Burn, share: Fraction::ONE }]
}

/// The largest weight of 10^9 base units, so that a weight of all that the ledger may hold fits 128 bits.
pub const ASSET_WEIGHT_MAX: u64 = 1 << 34;

/// The least that an equivocation costs: it bounds how many of them a window cap has room for.
const EQUIVOCATION_MIN: Fraction = match Fraction::from_steps(100_000_000_000_000) {
    Some(fraction) => fraction,
    None => Fraction::ONE,
};

impl Terms {
    /// How many resolvers it takes to veto.
    pub fn veto_threshold(&self) -> usize {
        let majority = self.resolvers.len().checked_div(2).unwrap_or(0).saturating_add(1);
        self.threshold.map_or(majority, usize::from)
    }

    /// The fraction that is surely taken when a share of `alpha` offends: by the built-in kinds, which nobody can veto, capped.
    pub fn sure_fraction(&self) -> Fraction {
        let base = self.offences.equivocation.unwrap_or(Fraction::ZERO).min(self.window_cap);
        let curve = self
            .offences
            .correlation
            .as_ref()
            .map_or(Fraction::ZERO, |curve| curve.at(self.corruption_share));
        // The cap adds fractions up; what it leaves for the curve is taken of what the base has left.
        let curve = curve.min(self.window_cap.above(base));
        let kept = base.complement().times_down(curve.complement());
        // Rounded against the set: what is kept is rounded up by one step.
        let kept = if base.is_zero() || curve.is_zero() { kept } else { kept.plus_up_to_one(Fraction::STEP) };
        kept.complement()
    }

    /// Whether nobody gets any of what it slashes.
    pub fn is_burning(&self) -> bool {
        self.destinations.iter().all(|destination| destination.to == Beneficiary::Burn)
    }

    /// Whether this set may stand beside others on a slice.
    pub fn is_sharing(&self) -> bool {
        self.risk_weight < Fraction::ONE
    }

    /// The weight of 10^9 base units of an asset, if it counts.
    pub fn weight_of(&self, asset: AssetId) -> Option<u64> {
        self.assets.iter().find(|accepted| accepted.asset == asset).map(|accepted| accepted.weight)
    }

    /// What names these terms when an operator consents to them.
    pub fn digest(&self, set: crate::units::SetId) -> Digest {
        let mut bytes = Canonical::new("surety/terms/v1");
        bytes.number(u128::from(set.number()));
        bytes.number(self.assets.len().try_into().unwrap_or(u128::MAX));
        for accepted in &self.assets {
            bytes.number(u128::from(accepted.asset.number()));
            bytes.number(u128::from(accepted.weight));
        }
        let admission = &self.admission;
        bytes.number(u128::from(admission.list_only));
        bytes.number(u128::from(admission.operators_max));
        bytes.number(admission.stake_min.units());
        bytes.number(admission.self_stake_min.units());
        bytes.number(admission.bond_min.units());
        bytes.fraction(Some(self.operator_share_max));
        bytes.fraction(self.offences.equivocation);
        bytes.fraction(self.offences.false_event);
        bytes.fraction(self.offences.subjective);
        let curve = self.offences.correlation.as_ref();
        bytes.number(curve.map_or(0, |curve| u128::from(curve.multiplier)));
        bytes.number(curve.map_or(0, |curve| u128::from(curve.exponent)));
        bytes.fraction(Some(self.window_cap));
        bytes.number(u128::from(self.veto));
        bytes.number(self.resolvers.len().try_into().unwrap_or(u128::MAX));
        for resolver in &self.resolvers {
            bytes.address(*resolver);
        }
        bytes.number(self.veto_threshold().try_into().unwrap_or(u128::MAX));
        bytes.address(self.slasher);
        bytes.number(self.destinations.len().try_into().unwrap_or(u128::MAX));
        for destination in &self.destinations {
            let (kind, address) = match destination.to {
                Beneficiary::Burn => (0, Address::default()),
                Beneficiary::Redistribute(address) => (1, address),
                Beneficiary::Compensate => (2, Address::default()),
            };
            bytes.number(kind);
            bytes.address(address);
            bytes.fraction(Some(destination.share));
        }
        bytes.number(self.reward_tokens.len().try_into().unwrap_or(u128::MAX));
        for token in &self.reward_tokens {
            bytes.number(u128::from(token.number()));
        }
        bytes.number(u128::from(self.warm_up));
        bytes.number(u128::from(self.jail.on_equivocation));
        bytes.number(u128::from(self.jail.period));
        bytes.fraction(Some(self.mass_slash_max));
        bytes.fraction(Some(self.risk_weight));
        bytes.fraction(Some(self.corruption_share));
        bytes.fraction(self.quorum);
        bytes.finish()
    }

    /// Checks the terms alone; the text names the first rule that does not hold.
    pub fn check(&self, genesis: &Genesis, parameters: &Parameters) -> Result<(), String> {
        self.check_lists(genesis)?;
        self.check_numbers(genesis, parameters)?;
        self.check_destinations()
    }

    fn check_lists(&self, genesis: &Genesis) -> Result<(), String> {
        let limits = &genesis.limits;
        let lists = [
            ("assets", self.assets.len(), limits.assets_per_set),
            ("reward tokens", self.reward_tokens.len(), limits.tokens_per_set),
            ("resolvers", self.resolvers.len(), limits.resolvers_per_set),
            ("destinations", self.destinations.len(), 4),
        ];
        for (name, count, most) in lists {
            if count > usize::from(most) {
                return Err(format!("{count} {name} exceed {most}"));
            }
        }
        if self.assets.is_empty() {
            return Err("the terms name no asset".to_owned());
        }
        if has_twice(self.assets.iter().map(|accepted| accepted.asset)) {
            return Err("an asset is named twice".to_owned());
        }
        if has_twice(self.reward_tokens.iter().copied()) {
            return Err("a reward token is named twice".to_owned());
        }
        if has_twice(self.resolvers.iter().copied()) {
            return Err("a resolver is named twice".to_owned());
        }
        if !self.resolvers.is_empty() && !(1..=self.resolvers.len()).contains(&self.veto_threshold()) {
            return Err(format!("threshold {} of {} resolvers", self.veto_threshold(), self.resolvers.len()));
        }
        let weight =
            self.assets.iter().map(|accepted| accepted.weight).find(|w| !(1..=ASSET_WEIGHT_MAX).contains(w));
        match weight {
            Some(weight) => Err(format!("an asset weight of {weight} is outside 1 to {ASSET_WEIGHT_MAX}")),
            None => Ok(()),
        }
    }

    fn check_numbers(&self, genesis: &Genesis, parameters: &Parameters) -> Result<(), String> {
        let limits = &genesis.limits;
        let most = limits.operators_per_set;
        if !(1..=most).contains(&self.admission.operators_max) {
            return Err(format!("{} operators are outside 1 to {most}", self.admission.operators_max));
        }
        let epochs = [
            ("veto", self.veto, parameters.veto),
            ("warm-up", self.warm_up, parameters.unbonding),
            ("jail period", self.jail.period, parameters.notice),
        ];
        for (name, value, most) in epochs {
            if value > most {
                return Err(format!("{name} of {value} epochs exceeds {most}"));
            }
        }
        if self.resolvers.is_empty() && self.veto > 0 {
            return Err(format!("a veto window of {} epochs without a resolver", self.veto));
        }
        if self.window_cap.is_zero() {
            return Err("a window cap of 0 lets nothing be slashed".to_owned());
        }
        if self.operator_share_max.is_zero() {
            return Err("a largest share of 0 lets nobody count".to_owned());
        }
        if let Some(fraction) = self.offences.equivocation.filter(|fraction| *fraction < EQUIVOCATION_MIN) {
            return Err(format!("an equivocation that costs {fraction} is less than {EQUIVOCATION_MIN}"));
        }
        if let Some(curve) = &self.offences.correlation
            && (!(1..=100).contains(&curve.multiplier) || !(1..=2).contains(&curve.exponent))
        {
            let Correlation { multiplier, exponent } = curve;
            return Err(format!(
                "correlation {multiplier} x share ^ {exponent} is outside 1 to 100 and 1 to 2"
            ));
        }
        let least = genesis.risk_weight_min;
        if self.risk_weight < least {
            return Err(format!("a risk weight of {} is less than {least}", self.risk_weight));
        }
        if self.corruption_share.is_zero() {
            return Err("a corruption share of 0 is corrupted by nobody".to_owned());
        }
        if let Some(quorum) = self.quorum {
            let overlap = quorum.above(quorum.complement());
            if self.corruption_share > overlap {
                let alpha = self.corruption_share;
                return Err(format!(
                    "a corruption share of {alpha} exceeds 2q - 1 = {overlap} at quorum {quorum}"
                ));
            }
        }
        Ok(())
    }

    fn check_destinations(&self) -> Result<(), String> {
        let mut total = 0_u64;
        for destination in &self.destinations {
            total = total.saturating_add(destination.share.steps());
        }
        if total != Fraction::STEPS {
            return Err(format!("the shares of the destinations sum to {total} x 10^-18, not to 1"));
        }
        if self.is_sharing() && !self.is_burning() {
            return Err(format!(
                "a set of risk weight {} shares its slices and must burn what it slashes",
                self.risk_weight
            ));
        }
        Ok(())
    }

    /// Whether `new` is worse for somebody: whatever is not clearly better is worse.
    pub fn is_worsened_by(&self, new: &Self) -> bool {
        let better_offences = !is_raised(self.offences.equivocation, new.offences.equivocation)
            && !is_raised(self.offences.false_event, new.offences.false_event)
            && !is_raised(self.offences.subjective, new.offences.subjective)
            && (new.offences.correlation.is_none() || new.offences.correlation == self.offences.correlation);
        let better_numbers = new.window_cap <= self.window_cap
            && new.veto >= self.veto
            && new.mass_slash_max <= self.mass_slash_max
            && new.jail.period <= self.jail.period
            && (self.jail.on_equivocation || !new.jail.on_equivocation);
        let rest_is_same = Self {
            offences: self.offences.clone(),
            window_cap: self.window_cap,
            veto: self.veto,
            mass_slash_max: self.mass_slash_max,
            jail: self.jail.clone(),
            ..new.clone()
        } == *self;
        !(better_offences && better_numbers && rest_is_same)
    }
}

impl Correlation {
    /// The fraction for a share of weight, rounded down.
    pub fn at(&self, share: Fraction) -> Fraction {
        let power = if self.exponent == 2 { share.times_down(share) } else { share };
        let steps = u128::from(power.steps()).saturating_mul(u128::from(self.multiplier));
        u64::try_from(steps).ok().and_then(Fraction::from_steps).unwrap_or(Fraction::ONE)
    }
}

fn is_raised(old: Option<Fraction>, new: Option<Fraction>) -> bool {
    new.unwrap_or(Fraction::ZERO) > old.unwrap_or(Fraction::ZERO)
}

fn has_twice<T: Ord + Copy>(items: impl Iterator<Item = T>) -> bool {
    let mut seen: Vec<T> = items.collect();
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    seen.len() != count
}

record! {
    /// What the delegators of a pool agreed to bear. Inside it allocations count from the next epoch; beyond it, and when it is
    /// widened, only after the notice.
    #[derive(Copy)]
    pub struct Mandate {
        /// The largest worst case: 1 - the sum over slices of size x product over owners of (1 - window cap).
        pub worst_case: Fraction,
        /// The largest share of parts whose slashes may go anywhere but burn.
        #[serde(default)]
        pub elsewhere: Fraction,
        /// The largest share of parts owned by sets with verifiers of their own.
        #[serde(default)]
        pub own_verifiers: Fraction,
        /// Whether parts may be shared without a certificate.
        #[serde(default)]
        pub uncertified: bool,
        /// The highest commission.
        #[serde(default)]
        pub commission: Fraction,
    }
}

impl Mandate {
    /// What names it, and one that is announced, when a delegator signs.
    pub fn digest(&self, operator: OperatorId, asset: AssetId, announced: Option<(Epoch, Self)>) -> Digest {
        let mut bytes = Canonical::new("surety/mandate/v1");
        bytes.number(u128::from(operator.number()));
        bytes.number(u128::from(asset.number()));
        let announced = announced.iter().map(|(from, mandate)| (*from, mandate));
        for (from, mandate) in [(Epoch::ZERO, self)].into_iter().chain(announced) {
            bytes.number(u128::from(from.number()));
            for fraction in [mandate.worst_case, mandate.elsewhere, mandate.own_verifiers, mandate.commission]
            {
                bytes.fraction(Some(fraction));
            }
            bytes.number(u128::from(mandate.uncertified));
        }
        bytes.finish()
    }

    /// Whether everything that fits `other` fits this.
    pub fn covers(&self, other: &Self) -> bool {
        other.worst_case <= self.worst_case
            && other.elsewhere <= self.elsewhere
            && other.own_verifiers <= self.own_verifiers
            && other.commission <= self.commission
            && (self.uncertified || !other.uncertified)
    }
}
