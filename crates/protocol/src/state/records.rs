//! The records of the state. Fields are written by the operations that own the fact, and by the boundary.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evidence::PublicKey;
use smallvec::SmallVec;

use serde::{Deserialize, Serialize};

use super::stake::RATE_ONE;
use crate::genesis::{Caps, History};
use crate::macros::record;
use crate::pool::{Hit, Pool};
use crate::terms::{Mandate, Terms};
use crate::units::{
    AccountId, Address, Amount, AssetId, Digest, Epoch, Fraction, OperatorId, PoolId, ServiceId, SetId,
    SlashId, StreamId,
};
use crate::wide;

record! {
    /// Where an asset comes from: with the decimals all that identifies it. Symbols mean nothing.
    #[derive(PartialOrd, Ord)]
    pub struct Origin {
        /// The chain, as its number in the field's registries (Ethereum is 1).
        pub chain: u64,
        /// The contract on that chain, `0x` and hex, at most 32 bytes; empty for the chain's own coin.
        pub contract: String,
    }
}

record! {
    /// What kind of stake an asset is.
    #[derive(Copy, PartialOrd, Ord)]
    pub enum AssetKind {
        /// A token in custody.
        Token,
        /// The balance of the staker's own validators.
        Native,
    }
}

record! {
    /// What one unit of an asset is of what it stands for.
    #[derive(Copy)]
    pub enum RateSource {
        /// Always one.
        One,
        /// Read from its origin by proof.
        Proven,
    }
}

/// A listed asset and what came in and went out of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asset {
    pub(crate) origin: Origin,
    pub(crate) decimals: u8,
    pub(crate) kind: AssetKind,
    pub(crate) source: RateSource,
    /// Exchange rate in `10^-18`.
    pub(crate) rate: u64,
    /// When the rate was last raised.
    pub(crate) rate_raised: Epoch,
    /// Ledger value of `10^9` base units at a rate of one; 0 for an asset that nobody has rated.
    pub(crate) value: u64,
    /// The most that may be deposited.
    pub(crate) cap: Amount,
    /// The least that may be delegated.
    pub(crate) stake_min: Amount,
    /// Next deposit to be taken from its origin.
    pub(crate) next_deposit: u64,
    pub(crate) deposited: Amount,
    pub(crate) gained: Amount,
    pub(crate) withdrawn: Amount,
    pub(crate) burnt: Amount,
    pub(crate) lost: Amount,
}

impl Asset {
    /// An amount in what the asset stands for, rounded down.
    pub(crate) fn rated(&self, amount: Amount) -> u128 {
        match self.source {
            RateSource::One => amount.units(),
            RateSource::Proven => wide::mul_div_down(amount.units(), u128::from(self.rate), RATE_ONE),
        }
    }

    /// What the ledger holds of it.
    pub(crate) fn supply(&self) -> Amount {
        let mut supply = self.deposited;
        supply.grow(self.gained);
        for out in [self.withdrawn, self.burnt, self.lost] {
            supply.shrink(out);
        }
        supply
    }
}

/// The balance of a validator that an account restakes. Invariant: `balance = free + principal of its positions + slashed`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Validator {
    /// On its chain.
    pub(crate) number: u64,
    pub(crate) asset: AssetId,
    pub(crate) account: AccountId,
    pub(crate) balance: Amount,
    pub(crate) free: Amount,
    /// Slashed here and still in the validator.
    pub(crate) slashed: Amount,
    pub(crate) proven: Epoch,
}

record! {
    /// What an operator says it runs on. What is not declared is one group.
    #[derive(Default)]
    pub struct Groups {
        /// Software.
        #[serde(default)]
        pub client: Option<String>,
        /// Where it runs.
        #[serde(default)]
        pub cloud: Option<String>,
        /// Who holds the keys.
        #[serde(default)]
        pub custody: Option<String>,
        /// Whose code it is.
        #[serde(default)]
        pub code: Option<String>,
    }
}

/// A registered operator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Operator {
    pub(crate) account: AccountId,
    pub(crate) is_retired: bool,
    pub(crate) groups: Groups,
    /// As declared at the last boundary: what the group caps go by.
    pub(crate) frozen_groups: Groups,
    pub(crate) pools: SmallVec<[(AssetId, PoolId); 2]>,
    /// Sets it is in or was in while an offence may still be reported.
    pub(crate) sets: BTreeSet<SetId>,
    /// Who gets its commission; the rest is its own.
    pub(crate) split: Vec<(AccountId, Fraction)>,
    pub(crate) deposit: Amount,
}

/// A pool with what its operator promised about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PoolRecord {
    pub(crate) operator: OperatorId,
    pub(crate) asset: AssetId,
    pub(crate) stake: Pool,
    pub(crate) mandate: Mandate,
    pub(crate) digest: Digest,
    pub(crate) pending_mandate: Option<(Epoch, Mandate)>,
    pub(crate) commission: History<Fraction>,
    /// Native stake that was slashed and is still in its validators.
    pub(crate) slashed: Amount,
    /// The worst case, at which version of all terms; it changes with terms and allocations.
    pub(crate) worst_case: (u64, Fraction),
    /// What each set could slash of it at the last boundary.
    pub(crate) owned: Vec<(SetId, Amount)>,
    pub(crate) deposit: Amount,
}

/// A registered service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) account: AccountId,
}

/// An operator set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Set {
    pub(crate) service: ServiceId,
    pub(crate) terms: History<Arc<Terms>>,
    pub(crate) pending: Option<PendingTerms>,
    pub(crate) members: BTreeMap<OperatorId, Member>,
    pub(crate) admitted: BTreeSet<OperatorId>,
    /// The stake table from each epoch on, for as long as offences are punishable.
    #[serde(skip)]
    pub(crate) tables: Vec<(Epoch, Arc<Table>)>,
    /// `pi`: declared profit from corruption, in ledger value.
    pub(crate) profit: History<Amount>,
    /// Weight of the current table that is announced to leave.
    pub(crate) leaving: Amount,
    /// Since when it has been under-collateralised.
    pub(crate) under_since: Option<Epoch>,
    pub(crate) is_closed: bool,
    /// What each offence has cost.
    pub(crate) punished: BTreeMap<(OperatorId, OffenceKey), Punished>,
    /// By operator; what agrees in all but the fraction stands together.
    pub(crate) executed: BTreeMap<OperatorId, Vec<Executed>>,
    pub(crate) jailings: Vec<Jailing>,
    pub(crate) performance: BTreeMap<OperatorId, Fraction>,
    pub(crate) work: Vec<Work>,
    pub(crate) streams: Vec<StreamId>,
    pub(crate) deposit: Amount,
}

/// What makes two reports the same offence, whatever the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum OffenceKey {
    /// Statements of a kind for a slot of an epoch.
    Slot { capture: Epoch, kind: u16, slot: u64 },
    /// Whatever a service had a reason to request for an epoch.
    Reason { capture: Epoch },
    /// The part by correlation for an epoch.
    Correlation { capture: Epoch },
}

/// What an offence has cost: a window cap may have let less be taken than was asked.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Punished {
    /// The gravest fraction for which it was punished.
    pub(crate) asked: Fraction,
    /// What was taken, of what there was before its first report.
    pub(crate) counted: Fraction,
}

impl OffenceKey {
    pub(crate) fn capture(self) -> Epoch {
        match self {
            Self::Slot { capture, .. } | Self::Reason { capture } | Self::Correlation { capture } => capture,
        }
    }
}

/// New terms that wait.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PendingTerms {
    pub(crate) from: Epoch,
    pub(crate) terms: Arc<Terms>,
    pub(crate) digest: Digest,
    pub(crate) is_worse: bool,
    pub(crate) consents: BTreeSet<OperatorId>,
}

/// An operator in a set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) keys: Vec<MemberKey>,
    /// First epoch in which it may return; it stays jailed until it does.
    pub(crate) jailed: Option<Epoch>,
    /// Whether it has left; its record stays while offences are punishable.
    pub(crate) left: Option<Epoch>,
}

/// A key of an operator in a set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MemberKey {
    pub(crate) key: PublicKey,
    pub(crate) from: Epoch,
    /// Last epoch in which it counts.
    pub(crate) to: Epoch,
}

/// Weights of a set, frozen at a boundary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// By operator, ascending; without rows of no weight.
    pub rows: Vec<Row>,
    /// Sum of the weights.
    pub weight: Amount,
}

/// One operator in a stake table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    pub operator: OperatorId,
    /// Its weight, clipped to the largest share.
    pub weight: Amount,
    /// What each of its pools contributes, unclipped.
    pub contributions: SmallVec<[(PoolId, Amount); 2]>,
}

impl Table {
    /// The row of an operator.
    pub fn row(&self, operator: OperatorId) -> Option<&Row> {
        let index = self.rows.binary_search_by_key(&operator, |row| row.operator).ok()?;
        self.rows.get(index)
    }

    /// The share of weight that an operator has.
    pub fn share(&self, operator: OperatorId) -> Fraction {
        self.row(operator).map_or(Fraction::ZERO, |row| Fraction::ratio_down(row.weight, self.weight))
    }
}

/// Slashes of one operator executed in one epoch for one capture epoch, as the window caps count them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Executed {
    pub(crate) executed: Epoch,
    pub(crate) capture: Epoch,
    pub(crate) is_subjective: bool,
    pub(crate) fraction: Fraction,
    pub(crate) count: u32,
}

/// A jailing by the service, as the bound on jailed weight counts it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Jailing {
    pub(crate) epoch: Epoch,
    pub(crate) operator: OperatorId,
    pub(crate) share: Fraction,
}

/// Measured work that waits for the boundary.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) epoch: Epoch,
    pub(crate) operator: OperatorId,
    pub(crate) token: AssetId,
    pub(crate) amount: Amount,
    pub(crate) funder: AccountId,
}

/// A stream of rewards.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub(crate) set: SetId,
    pub(crate) token: AssetId,
    pub(crate) per_epoch: Amount,
    pub(crate) from: Epoch,
    /// Last epoch it pays for.
    pub(crate) to: Epoch,
    /// Funding that is locked in it.
    pub(crate) locked: Amount,
    /// Dust of the splits between operators and pools; it joins the next epoch.
    pub(crate) dust: Amount,
    pub(crate) funder: AccountId,
    pub(crate) deposit: Amount,
}

/// Where a request is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RequestState {
    Open,
    Vetoed,
    Executed(SlashId),
    Lapsed,
}

/// A request to slash for a reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) set: SetId,
    pub(crate) operator: OperatorId,
    pub(crate) capture: Epoch,
    pub(crate) fraction: Fraction,
    pub(crate) reason: String,
    pub(crate) victims: Vec<Victim>,
    pub(crate) requested: Epoch,
    pub(crate) requester: AccountId,
    pub(crate) deposit: Amount,
    pub(crate) vetoes: BTreeSet<Address>,
    pub(crate) approvals: BTreeSet<Address>,
    pub(crate) state: RequestState,
}

impl Request {
    /// Whether it may still be executed, or vetoed.
    pub(crate) fn is_open(&self) -> bool {
        self.state == RequestState::Open
    }
}

record! {
    /// A user harmed by an offence.
    pub struct Victim {
        /// Who gets the compensation.
        pub account: Address,
        /// Of which asset.
        pub asset: AssetId,
        /// How much at most.
        pub amount: Amount,
    }
}

/// The receipt of an executed slash, for as long as its proceeds are held.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Slash {
    pub(crate) capture: Epoch,
    pub(crate) victims: Vec<Victim>,
    /// What goes to each destination but burn, per asset.
    pub(crate) held: Vec<Held>,
}

/// Proceeds of a slash that wait until no other slash of the same capture epoch can be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) asset: AssetId,
    pub(crate) amount: Amount,
    /// `None` for the users that the request names as harmed.
    pub(crate) to: Option<Address>,
}

/// What a slash took from one pool.
#[derive(Clone, Debug)]
pub(crate) struct PoolLoss {
    pub(crate) pool: PoolId,
    pub(crate) bond: Amount,
    pub(crate) stake: Amount,
    pub(crate) hits: Vec<Hit>,
}

record! {
    /// What happens with stake when it is free.
    pub enum FollowUp {
        /// It becomes a free balance.
        Free,
        /// It leaves the ledger to an address that is fixed now.
        Withdraw {
            /// Address on the asset's origin.
            to: String,
        },
        /// It is delegated again, if the pool still is what was signed; otherwise it becomes a free balance.
        Delegate {
            /// The operator.
            operator: OperatorId,
            /// Digest of the pool's mandate.
            mandate: Digest,
            /// The largest worst case it will bear.
            worst_case: Fraction,
        },
    }
}

impl PoolRecord {
    /// What native stake lost to slashes leaves the pool with it: it is in the validator's own account from now on. Where roundings have
    /// left a unit of it with the stakers, that unit goes along.
    pub(crate) fn forward_slashed(&mut self, amount: Amount) {
        let part = amount.min(self.slashed);
        self.slashed.shrink(part);
        self.stake.shrink_surplus(part.room_below(amount));
    }
}

impl Set {
    /// The terms in force in `epoch`.
    pub(crate) fn terms_in(&self, epoch: Epoch) -> &Arc<Terms> {
        self.terms.at(epoch)
    }

    /// The stake table of `epoch`.
    pub(crate) fn table_of(&self, epoch: Epoch) -> Option<&Arc<Table>> {
        let index = self.tables.partition_point(|(from, _)| *from <= epoch);
        index.checked_sub(1).and_then(|index| self.tables.get(index)).map(|(_, table)| table)
    }

    /// Whether an operator had a row in the stake table of `epoch`: only then can it have offended.
    pub(crate) fn was_on_duty(&self, operator: OperatorId, epoch: Epoch) -> bool {
        self.table_of(epoch).is_some_and(|table| table.row(operator).is_some())
    }

    /// A member that has not left.
    pub(crate) fn active_member(&self, operator: OperatorId) -> Option<&Member> {
        self.members.get(&operator).filter(|member| member.left.is_none())
    }

    /// The risk weight that the capacity rule counts: the heavier of the terms in force and those announced.
    pub(crate) fn risk_weight(&self, epoch: Epoch) -> Fraction {
        let now = self.terms_in(epoch).risk_weight;
        self.pending.as_ref().map_or(now, |pending| now.max(pending.terms.risk_weight))
    }

    /// The window cap that a delegator must expect: the higher of the terms in force and those announced.
    pub(crate) fn window_cap(&self, epoch: Epoch) -> Fraction {
        let now = self.terms_in(epoch).window_cap;
        self.pending.as_ref().map_or(now, |pending| now.max(pending.terms.window_cap))
    }
}

impl Caps {
    /// Whether any share is bounded.
    pub(crate) fn is_off(&self) -> bool {
        [self.operator, self.service, self.group, self.undeclared, self.event]
            .iter()
            .all(|cap| *cap == Fraction::ONE)
    }
}
