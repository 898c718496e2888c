//! What happened, for readers; never read back by the protocol.

mod curation;
mod receipt;

use evidence::PublicKey;
use serde::{Deserialize, Serialize};

use crate::ops::guard::Stop;
use crate::state::records::Origin;
use crate::units::{
    Address, Amount, AssetId, BasketId, Digest, Epoch, Fraction, OperatorId, PoolId, RequestId, RouteId,
    ServiceId, SetId, ShareId, Shares, SlashId, StreamId, TicketId, ValidatorId, VaultId,
};

pub use curation::MoveReason;
pub use receipt::{Gained, Loss, PoolReceipt};

/// One thing that happened. Fields are named as in the operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(
    missing_docs,
    reason = "the fields carry the names and meanings of the operations and records that they come from"
)]
#[rustfmt::skip] // Variants of vaults take a line each, or the list would be longer than a file may be.
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
    // Vaults
    VaultCreated { vault: VaultId, account: Address, asset: AssetId, share: ShareId },
    VaultTermsAnnounced { vault: VaultId, from: Epoch },
    VaultTermsStarted { vault: VaultId },
    VaultDepositQueued { vault: VaultId, ticket: TicketId, account: Address, amount: Amount },
    VaultEntered { vault: VaultId, ticket: TicketId, account: Address, amount: Amount, shares: Shares },
    VaultDepositReturned {
        vault: VaultId,
        ticket: TicketId,
        account: Address,
        asset: AssetId,
        amount: Amount,
        why: String,
    },
    VaultExitRequested { vault: VaultId, ticket: TicketId, account: Address, shares: Shares, worth: Amount },
    VaultExitCancelled {
        vault: VaultId,
        ticket: TicketId,
        account: Address,
        kept: Shares,
        burnt: Shares,
        forfeited: Amount,
    },
    VaultSettled {
        vault: VaultId,
        shares: Shares,
        assets: Amount,
        held: Amount,
        withheld: Amount,
        forfeited: Amount,
    },
    VaultClaimed { vault: VaultId, ticket: TicketId, account: Address, amount: Amount, is_closed: bool },
    VaultLeft {
        vault: VaultId,
        ticket: TicketId,
        account: Address,
        shares: Shares,
        paid: Amount,
        fee: Amount,
        held: Amount,
        held_until: Epoch,
    },
    VaultHoldbackPaid { vault: VaultId, ticket: TicketId, account: Address, paid: Amount, kept: Amount },
    VaultHarvested { vault: VaultId, earned: Amount, given: Amount },
    VaultFunded { vault: VaultId, account: Address, amount: Amount },
    VaultTicked { vault: VaultId, epoch: Epoch },
    VaultLost { vault: VaultId, loss: Amount, withheld: Amount, fund: Amount, junior: Amount, pool: Amount },
    VaultFeeTaken { vault: VaultId, shares: Shares, value: Amount },
    VaultBreached { vault: VaultId, why: String },
    VaultGuarded { vault: VaultId, by: Address },
    VaultBandsSet { vault: VaultId, from: Epoch },
    VaultMoved { vault: VaultId, operator: OperatorId, amount: Amount, why: MoveReason },
    // Baskets
    BasketCreated { basket: BasketId, account: Address, share: ShareId },
    BasketTermsSet { basket: BasketId, from: Epoch },
    BasketMinted { basket: BasketId, account: Address, shares: Shares, legs: Vec<Shares> },
    BasketRedeemed { basket: BasketId, account: Address, shares: Shares, legs: Vec<Shares> },
    BasketEntered { basket: BasketId, account: Address, vault: VaultId, paid: Shares, shares: Shares },
    BasketLeft { basket: BasketId, account: Address, vault: VaultId, shares: Shares, paid: Shares },
    BasketReported { basket: BasketId, vault: VaultId, price: Amount, is_fallen: bool, is_risen: bool },
    BasketAccepted { basket: BasketId, vault: VaultId, price: Amount },
    SharesMoved { share: ShareId, from: Address, to: Address, shares: Shares },
    SharesApproved { share: ShareId, owner: Address, spender: Address, shares: Shares },
    RouteOpened { route: RouteId, share: ShareId },
    RouteCut { route: RouteId, cap: Shares },
    SharesSent { route: RouteId, message: u64, account: Address, shares: Shares, to: String },
    SharesVouched { route: RouteId, message: u64, by: Address, to: Address, shares: Shares, ready: Option<Epoch> },
    SharesReceived { route: RouteId, message: u64, to: Address, shares: Shares },
    SharesReturned { route: RouteId, message: u64, to: Address, shares: Shares, back: u64 },
    VaultTicketGiven { vault: VaultId, ticket: TicketId, from: Address, to: Address },
    VaultJuniorJoined { vault: VaultId, account: Address, share: ShareId, amount: Amount, shares: Shares },
    VaultJuniorAsked { vault: VaultId, ticket: TicketId, account: Address, shares: Shares, worth: Amount, from: Epoch },
    VaultJuniorPaid { vault: VaultId, ticket: TicketId, account: Address, shares: Shares, paid: Amount },
    VaultJuniorEarned { vault: VaultId, amount: Amount },
    BasketAsked { basket: BasketId, ticket: TicketId, account: Address, vault: VaultId, shares: Shares, ready: u64 },
    BasketReturned { basket: BasketId, ticket: TicketId, account: Address, vault: VaultId, shares: Shares, why: String },
    VaultJuniorUsedUp { vault: VaultId, share: ShareId, rest: Amount },
}
