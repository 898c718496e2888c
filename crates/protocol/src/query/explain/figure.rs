//! The figures that can be explained, by name, with what each is asked of.

use std::fmt;
use std::str::FromStr;

use super::super::OffenceKind;
use crate::units::{
    Address, AssetId, BasketId, Epoch, OperatorId, PoolId, RequestId, ServiceId, SetId, SlashId, StreamId,
    ValidatorId, VaultId,
};

/// The sort of what a figure is asked of, by its name.
macro_rules! sort {
    (account) => {
        Address
    };
    (position) => {
        u32
    };
    (history) => {
        u32
    };
    (payment) => {
        u32
    };
    (set) => {
        SetId
    };
    (asset) => {
        AssetId
    };
    (token) => {
        AssetId
    };
    (pool) => {
        PoolId
    };
    (operator) => {
        OperatorId
    };
    (service) => {
        ServiceId
    };
    (stream) => {
        StreamId
    };
    (request) => {
        RequestId
    };
    (slash) => {
        SlashId
    };
    (validator) => {
        ValidatorId
    };
    (vault) => {
        VaultId
    };
    (basket) => {
        BasketId
    };
    (epoch) => {
        Epoch
    };
    (kind) => {
        OffenceKind
    };
}

macro_rules! figures {
    ($(#[doc = $about:literal] $name:ident = $text:literal ($($field:ident),*);)*) => {
        answer! {
            /// A figure that can be explained, and what it is asked of. As text it is a question: `free_at?account=0x..&position=3`.
            ///
            /// An `account` is an address, a `position` the number of an entry of stake, a `history` that of a history of slashes in its
            /// pool at this height, a `payment` that of a payment to an operator at this height; `set`, `asset`, `token`, `pool`, `operator`, `service`, `stream`, `request`, `slash`, `validator`, `vault` and `basket` are
            /// numbers, and so is an `epoch`.
            #[derive(Copy)]
            #[serde(tag = "figure")]
            #[allow(missing_docs, reason = "the fields are named for what they are")]
            pub enum Figure {
                $(
                    #[doc = $about]
                    $name { $($field: sort!($field)),* },
                )*
            }
        }

        /// Every figure that can be explained.
        pub const FIGURES: &[FigureName] = &[$(
            FigureName { figure: $text, of: &[$(stringify!($field)),*], about: $about.trim_ascii() },
        )*];

        impl fmt::Display for Figure {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name { $($field),* } => {
                        f.write_str($text)?;
                        let parts: &[(&str, &dyn fmt::Display)] = &[$((stringify!($field), $field)),*];
                        for (place, (name, value)) in parts.iter().enumerate() {
                            let sign = if place == 0 { '?' } else { '&' };
                            write!(f, "{sign}{name}={value}")?;
                        }
                        Ok(())
                    })*
                }
            }
        }

        impl FromStr for Figure {
            type Err = String;

            /// # Errors
            /// That no figure has this name, or what it is asked of is missing, can't be read or stands there twice, by name. What the figure is
            /// not asked of is passed over.
            fn from_str(text: &str) -> Result<Self, String> {
                let (name, rest) = text.split_once('?').unwrap_or((text, ""));
                let parts: Vec<(&str, &str)> = rest.split('&').filter_map(|part| part.split_once('=')).collect();
                match name {
                    $($text => Ok(Self::$name { $($field: read(name, stringify!($field), &parts)?),* }),)*
                    _ => Err("there is no figure of that name".to_owned()),
                }
            }
        }
    };
}

/// A figure's name, and what it is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FigureName {
    /// The name.
    pub figure: &'static str,
    /// What it is asked of, each by its name.
    pub of: &'static [&'static str],
    /// What it is, in one sentence.
    pub about: &'static str,
}

figures! {
    /// What an entry of stake is worth.
    PositionWorth = "position_worth" (account, position);
    /// What is lost of an entry of stake if every set takes its window cap.
    PositionWorstCase = "position_worst_case" (account, position);
    /// The same, of what the entry is worth.
    PositionWorstCaseFraction = "position_worst_case_fraction" (account, position);
    /// What could still be lost of an entry of stake if it were asked back now.
    CouldLose = "could_lose" (account, position);
    /// The same, of what the entry is worth.
    CouldLoseFraction = "could_lose_fraction" (account, position);
    /// What one set's window cap would take of an entry of stake.
    SetExposure = "set_exposure" (account, position, set);
    /// The same, of what the entry is worth.
    SetExposureFraction = "set_exposure_fraction" (account, position, set);
    /// What the window cap of announced terms would take of an entry of stake.
    AnnouncedExposure = "announced_exposure" (account, position, set);
    /// The same, of what the entry is worth.
    AnnouncedExposureFraction = "announced_exposure_fraction" (account, position, set);
    /// What an open request would take of an entry of stake at most.
    RequestLoss = "request_loss" (account, position, request);
    /// The same, of what the entry is worth.
    RequestLossFraction = "request_loss_fraction" (account, position, request);
    /// What all of an account's stake of an asset is worth that can still be slashed.
    ExposureWorth = "exposure_worth" (account, asset);
    /// What is lost of it if each entry loses its worst case.
    ExposureWorstCase = "exposure_worst_case" (account, asset);
    /// The same, of what it is worth.
    ExposureWorstCaseFraction = "exposure_worst_case_fraction" (account, asset);
    /// Parts of 256 that a set owns in any epoch that matters to an entry of stake.
    ExposedParts = "exposed_parts" (account, position, set);
    /// Of them, in this epoch.
    ExposedPartsNow = "exposed_parts_now" (account, position, set);
    /// The highest window cap of a set that matters to an entry of stake.
    ExposureCap = "exposure_cap" (account, position, set);
    /// First epoch whose offences a set could punish on an entry of stake.
    LiableFrom = "liable_from" (account, position, set);
    /// Last such epoch, where there is one.
    LiableThrough = "liable_through" (account, position, set);
    /// Last epoch in which a set can take anything of an entry of stake.
    SetPunishableUntil = "set_punishable_until" (account, position, set);
    /// The most that one offence of a kind takes, by the terms of a set in an epoch.
    OffenceFraction = "offence_fraction" (set, kind, epoch);
    /// When an entry of stake is free, or would be if it were asked back now.
    FreeAt = "free_at" (account, position);
    /// Last epoch in which anything can be taken of an entry of stake that leaves, or that is asked back now.
    PunishableUntil = "punishable_until" (account, position);
    /// Last epoch in which stake that joins comes back at once, whole.
    TakeBackUntil = "take_back_until" (account, position);
    /// What an account's stake in a pool is worth that joins.
    StakeJoining = "stake_joining" (account, pool);
    /// What an account's stake in a pool is worth that is bonded.
    StakeBonded = "stake_bonded" (account, pool);
    /// What an account's stake in a pool is worth that is bonded through an epoch and then leaves.
    StakeUnbonding = "stake_unbonding" (account, pool, epoch);
    /// What an account's stake in a pool has earned of a token and not settled.
    StakeClaimable = "stake_claimable" (account, pool, token);
    /// What an account has free of an asset.
    FreeBalance = "free_balance" (account, asset);
    /// The first epoch in which anyone may declare the balance of a validator stale.
    StaleFrom = "stale_from" (validator);
    /// What an entry of stake has earned of a token and not settled.
    Unsettled = "unsettled" (account, position, token);
    /// What all of an account's stake has earned of a token and not settled.
    UnsettledTotal = "unsettled_total" (account, token);
    /// What an account can claim of a token.
    Claimable = "claimable" (account, token);
    /// What an account can expect of a token for this epoch, if nothing changes.
    Expected = "expected" (account, token);
    /// What an entry of stake can expect of a stream for this epoch.
    ExpectedStream = "expected_stream" (account, position, stream);
    /// What an entry of stake can expect of payments for work in an epoch.
    ExpectedWork = "expected_work" (account, position, set, epoch, token);
    /// What a unit of the principal of an entry of stake can expect of a token.
    ExpectedUnit = "expected_unit" (account, position, token);
    /// What a unit of principal with a history of slashes can expect of a stream.
    UnitStream = "unit_stream" (pool, history, stream);
    /// What a unit of principal with a history of slashes can expect of payments for work in an epoch.
    UnitWork = "unit_work" (pool, history, set, epoch, token);
    /// What the stake of a pool can expect of a stream, without the commission.
    PoolStream = "pool_stream" (pool, stream);
    /// What the stake of a pool can expect of payments for work in an epoch, without the commission.
    PoolWork = "pool_work" (pool, set, epoch, token);
    /// What an operator can expect of a stream as the commission of a pool.
    CommissionStream = "commission_stream" (pool, stream);
    /// What an operator can expect of payments for work in an epoch as the commission of a pool.
    CommissionWork = "commission_work" (pool, set, epoch, token);
    /// What the commission of a pool is of one payment, before the split.
    Charged = "charged" (operator, payment);
    /// What an operator keeps of the commission on one payment.
    Kept = "kept" (operator, payment);
    /// The share of its commissions that an operator keeps.
    Keeps = "keeps" (operator);
    /// The epoch at whose start what is expected is credited.
    CreditedIn = "credited_in" ();
    /// Everything that a pool holds for stakers.
    PoolHeld = "pool_held" (pool);
    /// Of it, joining.
    PoolJoining = "pool_joining" (pool);
    /// Of it, bonded.
    PoolBonded = "pool_bonded" (pool);
    /// Of it, leaving or free and not yet fetched.
    PoolLeaving = "pool_leaving" (pool);
    /// The operator's bond in a pool.
    PoolBond = "pool_bond" (pool);
    /// Of the operator's bond in a pool, what is liable for this epoch.
    LiableBond = "liable_bond" (pool);
    /// The epoch at whose start a bond is free that is liable through an epoch.
    BondFreeAt = "bond_free_at" (pool, epoch);
    /// The worst case that a delegation to a pool signs.
    PoolWorstCase = "pool_worst_case" (pool);
    /// Parts of a pool that a set owns in this epoch.
    PoolParts = "pool_parts" (pool, set);
    /// Parts of a pool that a set owns once everything ordered has started.
    PoolOrdered = "pool_ordered" (pool, set);
    /// What a set could slash of a pool for this epoch.
    Slashable = "slashable" (pool, set);
    /// What a unit of principal with a history of slashes is worth.
    HistoryWorth = "history_worth" (pool, history);
    /// Of it, what a set owned in an epoch.
    HistoryOwned = "history_owned" (pool, history, set, epoch);
    /// Last epoch in which stake can be asked back that an announced mandate never concerns.
    MandateActBy = "mandate_act_by" (pool);
    /// What a set secures by its certificate.
    Secured = "secured" (set);
    /// What a set would have to secure to declare its profit.
    Needed = "needed" (set);
    /// `1 + gamma`: what a set secures of its profit.
    Slack = "slack" (set);
    /// The share of a set's weight that an operator has in the stake table of an epoch.
    Share = "share" (set, operator, epoch);
    /// How often a set has slashed an operator within the windows that the caps count.
    SlashesInWindow = "slashes_in_window" (set, operator);
    /// The first boundary at which parts run out, if a set stays under-collateralised.
    RunsOutIn = "runs_out_in" (set);
    /// Last epoch before announced terms of a set count.
    TermsActBy = "terms_act_by" (set);
    /// What the sets of a service are declared to be worth corrupting, together.
    ServiceProfit = "service_profit" (service);
    /// How much of what is left a request would take now.
    Takes = "takes" (request);
    /// What a request would take at most of the operator's pool of an asset.
    RequestAtMost = "request_at_most" (request, asset);
    /// What slashes within a window of executions count against the cap that a request meets.
    ExecutedInWindow = "executed_in_window" (request, epoch);
    /// What slashes within a window of offences count against the cap that a request meets.
    CapturedInWindow = "captured_in_window" (request, epoch);
    /// Last epoch in which a request may be vetoed.
    VetoUntil = "veto_until" (request);
    /// First epoch in which a request may be executed.
    ExecutableFrom = "executable_from" (request);
    /// Last epoch in which a request may be executed.
    LapsesAfter = "lapses_after" (request);
    /// First epoch in which anyone may have the proceeds of a slash paid out.
    ReleasedFrom = "released_from" (slash);
    /// What the ledger holds of an asset.
    Supply = "supply" (asset);
    /// The oldest epoch for whose offences a slash may still be executed.
    OldestOpen = "oldest_open" ();
    /// `1 + gamma` of the whole network, over all choices of risk weights.
    Certified = "certified" ();
    /// `1 + gamma` of the network at the declared risk weights.
    Declared = "declared" ();
    /// What the sets together fall short of the least slack.
    Shortfall = "shortfall" ();
    /// What a set is worth corrupting, by what could be slashed for it.
    Heat = "heat" (set);
    /// What the sets of an operator are worth corrupting, by its stake.
    Warmth = "warmth" (operator);
    /// What a vault is worth: its net asset value, at which deposits come in.
    VaultNav = "vault_nav" (vault);
    /// What a vault is worth if every open request to slash takes the most that it may.
    VaultNavLow = "vault_nav_low" (vault);
    /// What all stake of a vault is worth.
    VaultStaked = "vault_staked" (vault);
    /// Gains of a vault that do not count yet.
    VaultUnvested = "vault_unvested" (vault);
    /// A loss of a vault that its next operation writes down.
    VaultUnwrittenLoss = "vault_unwritten_loss" (vault);
    /// What an open request would take of a vault at most, beyond what was withheld for it.
    VaultPending = "vault_pending" (vault, request);
    /// The same of all open requests.
    VaultPendingTotal = "vault_pending_total" (vault);
    /// The rate of a vault: base units of its asset.
    VaultRateAssets = "vault_rate_assets" (vault);
    /// The low rate of a vault: base units of its asset.
    VaultRateLowAssets = "vault_rate_low_assets" (vault);
    /// The rates of a vault: for so many shares.
    VaultRateShares = "vault_rate_shares" (vault);
    /// What the shares are worth that wait to leave a vault.
    VaultQueueWorth = "vault_queue_worth" (vault);
    /// What was given to a vault unasked, and does not count.
    VaultQuarantine = "vault_quarantine" (vault);
    /// What may leave a vault at once.
    VaultInstant = "vault_instant" (vault);
    /// What a vault has with an operator.
    VaultStake = "vault_stake" (vault, operator);
    /// Of it, asked back.
    VaultLeaving = "vault_leaving" (vault, operator);
    /// Its share of all of the vault's stake.
    VaultStakeShare = "vault_stake_share" (vault, operator);
    /// How concentrated the stake of a vault is: the sum of the squares of the operators' shares.
    VaultConcentration = "vault_concentration" (vault);
    /// What a vault would pay for shares at its low rate, in what its asset stands for.
    VaultPriceLow = "vault_price_low" (vault);
    /// The same at its high rate.
    VaultPriceHigh = "vault_price_high" (vault);
    /// What shares of a leg of a basket are worth at least.
    LegPriceLow = "leg_price_low" (basket, vault);
    /// What they are worth at most.
    LegPriceHigh = "leg_price_high" (basket, vault);
    /// How many shares may come into a leg by its single-sided door at present.
    LegInflowRoom = "leg_inflow_room" (basket, vault);
    /// The slot of Ethereum at the time of the newest block.
    ChainSlot = "chain_slot" ();
    /// Slots since the newest final header of Ethereum.
    ChainAge = "chain_age" ();
}

fn read<T: Part>(figure: &str, name: &str, parts: &[(&str, &str)]) -> Result<T, String> {
    let mut found = parts.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value);
    let value = found
        .next()
        .ok_or_else(|| format!("the figure {figure} is asked of a {name}, and `{name}` is missing"))?;
    if found.next().is_some() {
        return Err(format!("`{name}` stands there twice"));
    }
    T::read(value).ok_or_else(|| format!("`{name}` can't be read: it is {}", T::FORM))
}

/// What a figure can be asked of.
trait Part: Sized {
    /// How it is written.
    const FORM: &'static str;

    fn read(text: &str) -> Option<Self>;
}

impl Part for Address {
    const FORM: &'static str = "an address";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Part for OffenceKind {
    const FORM: &'static str = "equivocation, subjective, false_event or correlation";

    fn read(text: &str) -> Option<Self> {
        [Self::Equivocation, Self::Subjective, Self::FalseEvent, Self::Correlation]
            .into_iter()
            .find(|kind| kind.to_string() == text)
    }
}

macro_rules! numbers {
    ($($name:ident: $make:expr),* $(,)?) => {$(
        impl Part for $name {
            const FORM: &'static str = "a number";

            fn read(text: &str) -> Option<Self> {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                text.parse().ok().filter(|_| digits).map($make)
            }
        }
    )*};
}

numbers!(
    u32: |number| number,
    SetId: SetId::new,
    AssetId: AssetId::new,
    PoolId: PoolId::new,
    OperatorId: OperatorId::new,
    ServiceId: ServiceId::new,
    StreamId: StreamId::new,
    RequestId: RequestId::new,
    SlashId: SlashId::new,
    ValidatorId: ValidatorId::new,
    VaultId: VaultId::new,
    BasketId: BasketId::new,
    Epoch: Epoch::new,
);
