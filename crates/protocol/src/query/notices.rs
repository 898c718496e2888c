//! What is scheduled that concerns an account: when it counts, until when it can be avoided, and what cancels it.

mod announced;
mod duty;
mod rules;
mod stake;
mod vaults;

use super::Way;
use crate::state::State;
use crate::units::{
    Address, AssetId, Epoch, OperatorId, PoolId, RequestId, ServiceId, SetId, StreamId, ValidatorId, VaultId,
};

answer! {
    /// Something that is scheduled, or waits for somebody.
    pub struct Notice {
        /// What.
        pub kind: NoticeKind,
        /// How bad it is for the account.
        pub weight: Weight,
        /// What it is about.
        pub subject: Subject,
        /// One sentence for people.
        pub text: String,
        /// First epoch in which it counts, or at whose start it happens; none for what already does.
        pub from: Option<Epoch>,
        /// Last epoch in which the account can still do something about it unharmed; none where there is nothing to do.
        pub act_by: Option<Epoch>,
        /// What takes it back, or what the account can do about it.
        pub ways: Vec<Way>,
    }
}

answer! {
    /// What kind of notice.
    #[derive(Copy, PartialOrd, Ord)]
    pub enum NoticeKind {
        /// A request would take a part of the account's stake.
        SlashRequested,
        /// A request would slash the account's operator, and the account may veto it.
        VetoOpen,
        /// A request of the account may be executed, or is about to lapse.
        RequestOpen,
        /// Terms that can slash the account's stake get worse.
        TermsAnnounced,
        /// The account's operator has to consent to announced terms, or it leaves the set.
        ConsentNeeded,
        /// The mandate of a pool gets wider.
        MandateAnnounced,
        /// A set gets more parts of a pool.
        AllocationOrdered,
        /// The commission of a pool changes.
        CommissionAnnounced,
        /// The operator is off duty, and earns nothing in a set.
        Jailed,
        /// The operator takes no new stake.
        Retired,
        /// A set secures less than it declares.
        UnderCollateralised,
        /// The parameters change.
        ParametersAnnounced,
        /// Figures of an asset change.
        AssetGoverned,
        /// The guardian has stopped something.
        Stopped,
        /// Stake that joins.
        Joining,
        /// Stake that leaves.
        Unbonding,
        /// Stake that is free and waits to be fetched.
        Free,
        /// A stream that pays the account ends.
        StreamEnding,
        /// The balance of a validator may soon be declared stale, or may already.
        Stale,
        /// A bond leaves, or can be fetched.
        BondLeaving,
        /// Keys wait for the notice.
        KeysAnnounced,
        /// A grant holds until an epoch.
        GrantExpires,
        /// A standing order rests, since the pool is not what was signed.
        CompoundingRests,
        /// The operator has left a set, and may be punished for its time on duty.
        LeftSet,
        /// A vault whose shares the account has, or waits with, changes what it promises.
        VaultTermsAnnounced,
        /// A vault may take more risk, or another one.
        VaultRiskAnnounced,
        /// A request would take a part of a vault's stake.
        VaultSlashRequested,
        /// A vault takes nothing in any more and gives all back.
        VaultWindingDown,
        /// A vault takes no deposits for a while.
        VaultDepositsStopped,
        /// Something that waited in a vault can be fetched.
        VaultClaimable,
    }
}

answer! {
    /// How bad something is for the account.
    #[derive(Copy)]
    pub enum Weight {
        /// Good to know.
        Info,
        /// Somebody waits for the account, or it should do something.
        Action,
        /// It makes the account's position worse.
        Worse,
        /// It would take a part of the account's stake.
        Loss,
    }
}

answer! {
    /// What a notice is about; whatever does not apply is none.
    #[derive(Default)]
    pub struct Subject {
        /// An operator.
        pub operator: Option<OperatorId>,
        /// A pool.
        pub pool: Option<PoolId>,
        /// An asset.
        pub asset: Option<AssetId>,
        /// A service.
        pub service: Option<ServiceId>,
        /// A set.
        pub set: Option<SetId>,
        /// A request.
        pub request: Option<RequestId>,
        /// A stream.
        pub stream: Option<StreamId>,
        /// A validator.
        pub validator: Option<ValidatorId>,
        /// An entry of stake.
        pub position: Option<u32>,
        /// A vault.
        #[serde(default)]
        pub vault: Option<VaultId>,
    }
}

/// The most notices of an answer; of more, the worst and the soonest.
pub const NOTICES_MAX: usize = 4096;

/// What is scheduled that concerns an account, the worst first, then the soonest: at most [`NOTICES_MAX`]. Costs as its entries of stake,
/// the slices of their pools, the sets of their operators and the open requests against these; for an account that terms name as slasher
/// or resolver also as there are requests.
pub fn notices(state: &State, account: Address) -> Vec<Notice> {
    let mut notices = Vec::new();
    if let Some(id) = state.accounts.find(account) {
        stake::add(state, account, &mut notices);
        rules::add(state, account, id, &mut notices);
        duty::add(state, account, id, &mut notices);
        vaults::add(state, account, &mut notices);
    }
    // What no longer helps is not shown.
    for notice in &mut notices {
        notice.ways.retain(|way| way.until.is_none_or(|until| until >= state.epoch));
    }
    let weight = |notice: &Notice| match notice.weight {
        Weight::Loss => 0,
        Weight::Worse => 1,
        Weight::Action => 2,
        Weight::Info => 3,
    };
    notices.sort_by_key(|notice| {
        (weight(notice), notice.from.unwrap_or(Epoch::ZERO), notice.kind, notice.subject.position)
    });
    notices.truncate(NOTICES_MAX);
    notices
}
