//! What the model remembers. Everything is kept for ever; what may be asked about the past is asked of the past.

use std::collections::{BTreeMap, BTreeSet};

use evidence::PublicKey;
use num_bigint::BigInt;
use protocol::genesis::Parameters;
use protocol::ops::request_slash::RequestSlash;
use protocol::terms::Terms;
use protocol::units::{
    Address, AssetId, Digest, Epoch, Fraction, OperatorId, PoolId, ServiceId, SetId, StreamId, ValidatorId,
};
use protocol::{AssetKind, FollowUp, Kind, Origin, RateSource, Victim};

#[derive(Clone, Debug)]
pub(crate) struct Asset {
    pub(crate) origin: Origin,
    pub(crate) kind: AssetKind,
    pub(crate) source: RateSource,
    pub(crate) rate: u64,
    pub(crate) rate_raised: Epoch,
    pub(crate) value: u64,
    pub(crate) cap: u128,
    pub(crate) stake_min: u128,
    pub(crate) next_deposit: u64,
    pub(crate) deposited: u128,
    pub(crate) gained: u128,
    pub(crate) withdrawn: u128,
    pub(crate) burnt: u128,
    pub(crate) lost: u128,
}

impl Asset {
    pub(crate) fn supply(&self) -> u128 {
        self.deposited + self.gained - self.withdrawn - self.burnt - self.lost
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) free: BTreeMap<AssetId, u128>,
    /// Rewards that were settled, in whole units.
    pub(crate) claimable: BTreeMap<AssetId, u128>,
    pub(crate) operator: Option<OperatorId>,
    pub(crate) service: Option<ServiceId>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) claimer: Option<Address>,
    pub(crate) orders: BTreeMap<PoolId, (Digest, Fraction)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) delegate: Address,
    pub(crate) kinds: BTreeSet<Kind>,
    pub(crate) limits: Vec<(AssetId, u128)>,
    pub(crate) moved: Vec<(Epoch, AssetId, u128)>,
    pub(crate) expires: Epoch,
}

/// One entry of one staker in one pool.
#[derive(Clone, Debug)]
pub(crate) struct Stake {
    pub(crate) account: Address,
    pub(crate) pool: PoolId,
    pub(crate) principal: u128,
    pub(crate) entered: Epoch,
    /// Last bonded epoch; [`Epoch::NEVER`] while it stays.
    pub(crate) until: Epoch,
    pub(crate) validator: Option<ValidatorId>,
    pub(crate) follow_up: FollowUp,
    /// Rewards since the last settlement, in `2^-EARNED_BITS` of a unit.
    pub(crate) earned: BTreeMap<AssetId, BigInt>,
}

/// Rewards of a stake are cut to so many binary places, to keep numbers short: nothing beside a bound of one unit.
pub(crate) const EARNED_BITS: usize = 200;

impl Stake {
    pub(crate) fn is_staying(&self) -> bool {
        self.until == Epoch::NEVER
    }

    pub(crate) fn is_bonded_in(&self, epoch: Epoch) -> bool {
        self.entered <= epoch && epoch <= self.until
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Operator {
    pub(crate) account: Address,
    pub(crate) is_retired: bool,
    pub(crate) split: Vec<(Address, Fraction)>,
    pub(crate) deposit: u128,
}

#[derive(Clone, Debug)]
pub(crate) struct Validator {
    pub(crate) asset: AssetId,
    pub(crate) number: u64,
    pub(crate) account: Address,
    pub(crate) balance: u128,
    pub(crate) free: u128,
    /// Slashed here, released, and still in the validator.
    pub(crate) slashed: u128,
    pub(crate) proven: Epoch,
}

#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) from: Epoch,
    pub(crate) terms: Terms,
    pub(crate) is_worse: bool,
    pub(crate) consents: BTreeSet<OperatorId>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    /// Key, first and last epoch in which it counts.
    pub(crate) keys: Vec<(PublicKey, Epoch, Epoch)>,
    /// Which keys counted until it left.
    pub(crate) keys_left: Vec<usize>,
    pub(crate) jailed: Option<Epoch>,
    pub(crate) left: Option<Epoch>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) operator: OperatorId,
    pub(crate) weight: u128,
    pub(crate) contributions: Vec<(PoolId, u128)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
    pub(crate) weight: u128,
}

impl Table {
    pub(crate) fn row(&self, operator: OperatorId) -> Option<&Row> {
        self.rows.iter().find(|row| row.operator == operator)
    }

    pub(crate) fn share(&self, operator: OperatorId) -> Fraction {
        self.row(operator).map_or(Fraction::ZERO, |row| super::exact::share_of(row.weight, self.weight))
    }
}

/// What makes two reports the same offence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Offence {
    Slot(u16, u64),
    Reason,
    Correlation,
}

/// A slash that was executed, as caps count it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Executed {
    pub(crate) operator: OperatorId,
    pub(crate) executed: Epoch,
    pub(crate) capture: Epoch,
    pub(crate) counted: Fraction,
    pub(crate) is_subjective: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) epoch: Epoch,
    pub(crate) operator: OperatorId,
    pub(crate) token: AssetId,
    pub(crate) amount: u128,
    pub(crate) funder: Address,
}

#[derive(Clone, Debug)]
pub(crate) struct Set {
    pub(crate) service: ServiceId,
    pub(crate) terms: Vec<(Epoch, Terms)>,
    pub(crate) pending: Option<Pending>,
    pub(crate) members: BTreeMap<OperatorId, Member>,
    pub(crate) admitted: BTreeSet<OperatorId>,
    pub(crate) tables: BTreeMap<Epoch, Table>,
    pub(crate) profit: Vec<(Epoch, u128)>,
    /// Weight that is announced to leave, between two bounds: roundings of what leaves.
    pub(crate) leaving: (u128, u128),
    pub(crate) under_since: Option<Epoch>,
    pub(crate) is_closed: bool,
    /// The gravest fraction asked for each offence, and what was taken of what there was before its first report.
    pub(crate) punished: BTreeMap<(OperatorId, Epoch, Offence), (Fraction, Fraction)>,
    pub(crate) executed: Vec<Executed>,
    /// Epoch, operator and its share of weight.
    pub(crate) jailings: Vec<(Epoch, OperatorId, Fraction)>,
    pub(crate) performance: BTreeMap<OperatorId, Fraction>,
    pub(crate) work: Vec<Work>,
    pub(crate) deposit: u128,
}

impl Set {
    pub(crate) fn terms_in(&self, epoch: Epoch) -> &Terms {
        let known = self.terms.iter().rev().find(|(from, _)| *from <= epoch);
        &known.unwrap_or(&self.terms[0]).1
    }

    pub(crate) fn active_member(&self, operator: OperatorId) -> Option<&Member> {
        self.members.get(&operator).filter(|member| member.left.is_none())
    }

    pub(crate) fn is_on_duty(&self, operator: OperatorId, epoch: Epoch) -> bool {
        self.tables.get(&epoch).is_some_and(|table| table.row(operator).is_some())
    }

    /// The heavier of the risk weights in force and announced.
    pub(crate) fn risk_weight(&self, now: Epoch) -> Fraction {
        let pending = self.pending.as_ref().map_or(Fraction::ZERO, |pending| pending.terms.risk_weight);
        self.terms_in(now).risk_weight.max(pending)
    }

    /// The higher of the window caps in force and announced.
    pub(crate) fn window_cap(&self, now: Epoch) -> Fraction {
        let pending = self.pending.as_ref().map_or(Fraction::ZERO, |pending| pending.terms.window_cap);
        self.terms_in(now).window_cap.max(pending)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) set: SetId,
    pub(crate) token: AssetId,
    pub(crate) per_epoch: u128,
    pub(crate) from: Epoch,
    pub(crate) to: Epoch,
    pub(crate) locked: u128,
    pub(crate) dust: u128,
    pub(crate) funder: Address,
    pub(crate) deposit: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestState {
    Open,
    Vetoed,
    Executed,
    Lapsed,
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) asked: RequestSlash,
    pub(crate) requester: Address,
    pub(crate) requested: Epoch,
    pub(crate) deposit: u128,
    pub(crate) vetoes: BTreeSet<Address>,
    pub(crate) approvals: BTreeSet<Address>,
    pub(crate) state: RequestState,
}

/// Proceeds that wait: asset, amount, and the account they go to; none for the victims.
#[derive(Clone, Debug)]
pub(crate) struct Proceeds {
    pub(crate) capture: Epoch,
    pub(crate) victims: Vec<Victim>,
    pub(crate) held: Vec<(AssetId, u128, Option<Address>)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Parameters,
    Value(AssetId, u64),
    Cap(AssetId, u128),
    StakeMin(AssetId, u128),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Stops {
    pub(crate) joins: Epoch,
    pub(crate) listings: Epoch,
    pub(crate) sets: Epoch,
    pub(crate) allocations: Epoch,
    pub(crate) next: Epoch,
}

/// Rules that changed, each from an epoch on.
pub(crate) type Rules = Vec<(Epoch, Parameters)>;

/// Streams by id.
pub(crate) type Streams = BTreeMap<StreamId, Stream>;
