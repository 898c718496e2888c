//! What happened, for readers; never read back by the protocol.

use evidence::PublicKey;
use serde::{Deserialize, Serialize};

use crate::ops::guard::Stop;
use crate::state::records::Origin;
use crate::units::{
    Address, Amount, AssetId, Digest, Epoch, Fraction, OperatorId, PoolId, RequestId, ServiceId, SetId,
    SlashId, StreamId, ValidatorId,
};

/// One thing that happened. Fields are named as in the operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(
    missing_docs,
    reason = "the fields carry the names and meanings of the operations and records that they come from"
)]
pub enum Event {
    // Accounts
    KeysSet {
        account: Address,
        keys: Vec<PublicKey>,
        threshold: u16,
        from: Epoch,
    },
    Granted {
        account: Address,
        delegate: Address,
        expires: Epoch,
    },
    Revoked {
        account: Address,
        delegate: Address,
    },
    ClaimerSet {
        account: Address,
        claimer: Option<Address>,
    },
    // Assets
    AssetListed {
        asset: AssetId,
        origin: Origin,
        decimals: u8,
    },
    Deposited {
        account: Address,
        asset: AssetId,
        amount: Amount,
    },
    RateChanged {
        asset: AssetId,
        rate: Amount,
    },
    ValidatorReported {
        validator: ValidatorId,
        account: Address,
        asset: AssetId,
        old: Amount,
        balance: Amount,
    },
    DeclaredStale {
        validator: ValidatorId,
        account: Address,
    },
    Withdrawn {
        account: Address,
        asset: AssetId,
        amount: Amount,
        to: String,
    },
    // Stake
    Delegated {
        account: Address,
        operator: OperatorId,
        asset: AssetId,
        amount: Amount,
        bonded_from: Epoch,
        worst_case: Fraction,
    },
    Undelegated {
        account: Address,
        operator: OperatorId,
        asset: AssetId,
        leaving: Amount,
        returned: Amount,
        bonded_through: Epoch,
        free_at: Epoch,
    },
    Released {
        account: Address,
        operator: OperatorId,
        asset: AssetId,
        principal: Amount,
        worth: Amount,
    },
    FollowUpReplaced {
        account: Address,
        operator: OperatorId,
        asset: AssetId,
        bonded_through: Epoch,
    },
    FollowUpFellBack {
        account: Address,
        asset: AssetId,
        amount: Amount,
        why: String,
    },
    // Operators
    OperatorRegistered {
        operator: OperatorId,
        account: Address,
    },
    OperatorRetired {
        operator: OperatorId,
    },
    GroupsSet {
        operator: OperatorId,
    },
    PoolOpened {
        pool: PoolId,
        operator: OperatorId,
        asset: AssetId,
        mandate: Digest,
    },
    MandateChanged {
        operator: OperatorId,
        asset: AssetId,
        mandate: Digest,
        from: Epoch,
    },
    CommissionSet {
        operator: OperatorId,
        asset: AssetId,
        commission: Fraction,
        from: Epoch,
    },
    SplitSet {
        operator: OperatorId,
    },
    BondRaised {
        operator: OperatorId,
        asset: AssetId,
        amount: Amount,
        liable_from: Epoch,
    },
    BondLowered {
        operator: OperatorId,
        asset: AssetId,
        amount: Amount,
        liable_through: Epoch,
        free_at: Epoch,
    },
    BondReleased {
        operator: OperatorId,
        asset: AssetId,
        amount: Amount,
    },
    // Services and sets
    ServiceCreated {
        service: ServiceId,
        account: Address,
    },
    SetCreated {
        set: SetId,
        service: ServiceId,
        terms: Digest,
    },
    SetClosed {
        set: SetId,
    },
    TermsAnnounced {
        set: SetId,
        terms: Digest,
        from: Epoch,
        needs_consent: bool,
    },
    TermsWithdrawn {
        set: SetId,
    },
    TermsStarted {
        set: SetId,
        terms: Digest,
    },
    Consented {
        set: SetId,
        operator: OperatorId,
        terms: Digest,
    },
    Admitted {
        set: SetId,
        operator: OperatorId,
        admitted: bool,
    },
    JoinedSet {
        set: SetId,
        operator: OperatorId,
    },
    LeftSet {
        set: SetId,
        operator: OperatorId,
        replaced_by: Option<OperatorId>,
    },
    AllocationChanged {
        set: SetId,
        operator: OperatorId,
        asset: AssetId,
        parts: u16,
        from: Epoch,
        gained: Option<Gained>,
    },
    KeyRegistered {
        set: SetId,
        operator: OperatorId,
        key: PublicKey,
        from: Epoch,
    },
    Jailed {
        set: SetId,
        operator: OperatorId,
        until: Epoch,
    },
    Unjailed {
        set: SetId,
        operator: OperatorId,
        from: Epoch,
    },
    ProfitDeclared {
        set: SetId,
        profit: Amount,
        from: Epoch,
    },
    UnderCollateralised {
        set: SetId,
    },
    CollateralRestored {
        set: SetId,
    },
    // Slashing
    SlashRequested {
        request: RequestId,
        set: SetId,
        operator: OperatorId,
        capture: Epoch,
        fraction: Fraction,
        reason: String,
        executable_from: Epoch,
        lapses_after: Epoch,
    },
    VetoCounted {
        request: RequestId,
        resolver: Address,
        vetoes: usize,
        threshold: usize,
    },
    SlashVetoed {
        request: RequestId,
    },
    SlashApproved {
        request: RequestId,
        resolver: Address,
        approvals: usize,
    },
    SlashLapsed {
        request: RequestId,
    },
    Slashed {
        slash: SlashId,
        set: SetId,
        operator: OperatorId,
        capture: Epoch,
        asked: Fraction,
        taken: Fraction,
        reason: String,
        evidence: Option<Digest>,
        pools: Vec<PoolReceipt>,
        released_from: Epoch,
    },
    ProceedsReleased {
        slash: SlashId,
        asset: AssetId,
        amount: Amount,
        to: Address,
    },
    // Rewards
    StreamOpened {
        stream: StreamId,
        set: SetId,
        token: AssetId,
        per_epoch: Amount,
        from: Epoch,
        to: Epoch,
    },
    StreamEnding {
        stream: StreamId,
        to: Epoch,
    },
    StreamPaid {
        stream: StreamId,
        epoch: Epoch,
        paid: Amount,
        unspent: Amount,
        burnt: Amount,
    },
    StreamClosed {
        stream: StreamId,
        returned: Amount,
    },
    WorkPaid {
        set: SetId,
        token: AssetId,
        epoch: Epoch,
        amount: Amount,
    },
    PerformanceReported {
        set: SetId,
        operator: OperatorId,
        epoch: Epoch,
        factor: Fraction,
    },
    Claimed {
        account: Address,
        token: AssetId,
        amount: Amount,
        to: Address,
    },
    CompoundingSet {
        account: Address,
        operator: OperatorId,
        asset: AssetId,
        on: bool,
    },
    // Governance
    ParametersAnnounced {
        from: Epoch,
    },
    AssetGoverned {
        asset: AssetId,
        from: Epoch,
    },
    GovernanceStarted,
    Stopped {
        what: Stop,
        until: Epoch,
    },
    EpochBegan {
        epoch: Epoch,
    },
    // Ethereum
    ChainBegun {
        slot: u64,
        root: Digest,
        period: u64,
    },
    ChainUpdated {
        finalized: Option<u64>,
        committee: Option<u64>,
        period: u64,
    },
    BlockOpened {
        slot: u64,
        number: u64,
        hash: Digest,
    },
    HeaderAttested {
        slot: u64,
        share: Fraction,
    },
    ChainHalted {
        until: Epoch,
        slot: u64,
        accepted: Digest,
        claimed: Digest,
    },
    ChainGoverned {
        from: Epoch,
        trusted: Option<Digest>,
        resumed: bool,
    },
    PodReported {
        validator: ValidatorId,
        account: Address,
        asset: AssetId,
        slot: u64,
        old: Amount,
        balance: Amount,
        withheld: Amount,
    },
    PodFlagged {
        validator: ValidatorId,
        account: Address,
        slot: u64,
        due: Epoch,
    },
    PodReleased {
        validator: ValidatorId,
        account: Address,
        pod: Address,
        amount: Amount,
        burned: Amount,
    },
    ProofRewarded {
        validator: ValidatorId,
        account: Address,
        amount: Amount,
    },
}

/// What a set gets with more parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gained {
    /// Parts more.
    pub parts: u16,
    /// How much of them is left for the stake bonded at present: slashes of earlier owners stay.
    pub left: Fraction,
    /// What they are worth at present.
    pub backing: Amount,
}

/// What a slash took from one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolReceipt {
    /// The asset of the pool.
    pub asset: AssetId,
    /// Taken from stakers.
    pub stake: Amount,
    /// Paid by the operator's bond.
    pub bond: Amount,
    /// What the set can still slash for the same capture epoch.
    pub remains: Amount,
    /// Who lost: every position belongs to one line and lost the same share of its principal.
    pub losses: Vec<Loss>,
}

/// What positions of one liability lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Loss {
    /// First epoch in which the earliest of them was bonded; 0 for all that is old enough.
    pub bonded_from: Epoch,
    /// First epoch in which the latest of them was bonded.
    pub bonded_upto: Epoch,
    /// Last epoch in which they are bonded, if they have asked to leave.
    pub bonded_through: Option<Epoch>,
    /// All their principal.
    pub principal: Amount,
    /// What a unit of it was worth.
    pub worth_before: Fraction,
    /// What a unit of it is worth.
    pub worth_after: Fraction,
}
