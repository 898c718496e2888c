//! Accounts: what they have, who acts for them, and what they let others do.

use evidence::PublicKey;

use super::positions::{PositionView, positions_of};
use super::{Page, page_of};
use crate::operation::Kind;
use crate::ops::grant::AssetLimit;
use crate::state::State;
use crate::state::accounts::{Account, Extra, Grant, KeySet, Nonces, Signing};
use crate::units::{
    AccountId, Address, Amount, AssetId, Digest, Epoch, Fraction, OperatorId, PoolId, ServiceId, ValidatorId,
};
use crate::view::{self, BalanceView, StakeView};

answer! {
    /// An account with all that is its own.
    pub struct AccountDetail {
        /// Who.
        pub account: Address,
        /// What it has outside of pools, by asset.
        pub balances: Vec<BalanceView>,
        /// What it has in pools, by operator and asset.
        pub stakes: Vec<StakeView>,
        /// The same, entry by entry.
        pub positions: Vec<PositionView>,
        /// The validators whose balances it restakes.
        pub validators: Vec<ValidatorView>,
        /// The operator that it has registered.
        pub operator: Option<OperatorId>,
        /// The service that it has registered.
        pub service: Option<ServiceId>,
        /// The keys that act for it; none while it has set none.
        pub keys: Option<KeysView>,
        /// Keys that wait for the notice.
        pub keys_later: Option<PendingKeysView>,
        /// What the keys have signed with so far.
        pub nonces: Vec<NonceView>,
        /// What it lets others do.
        pub grants: Vec<GrantView>,
        /// Who else may claim its rewards.
        pub claimer: Option<Address>,
        /// Its standing orders.
        pub compounding: Vec<CompoundingView>,
        /// How many terms name it as slasher, resolver or beneficiary.
        pub roles: u32,
    }
}

answer! {
    /// Keys and how many of them must sign.
    pub struct KeysView {
        /// The keys.
        pub keys: Vec<PublicKey>,
        /// How many must sign.
        pub threshold: u16,
    }
}

answer! {
    /// The numbers that an account's next signatures carry. Nobody has signed for an account without any: its next ordered number is 0.
    pub struct NonceView {
        /// The key that they are of; null where it takes several keys or ever did, which all sign the account's number.
        pub key: Option<PublicKey>,
        /// The next number for operations of ordered kinds.
        pub next: u64,
        /// The highest number near the time that was used: the next may be anything above it.
        pub highest_used: Option<u64>,
        /// How many of those numbers are remembered, at most 64 for a key.
        pub used: u32,
    }
}

answer! {
    /// Keys that wait for the notice.
    pub struct PendingKeysView {
        /// The first epoch in which they act.
        pub from: Epoch,
        /// The keys.
        pub keys: KeysView,
    }
}

answer! {
    /// What a delegate may do.
    pub struct GrantView {
        /// Who.
        pub delegate: Address,
        /// In which kinds of operation.
        pub kinds: Vec<Kind>,
        /// The most of each asset it may move an epoch.
        pub limits: Vec<AssetLimit>,
        /// What it has moved in this epoch, of assets that are limited or not.
        pub spent: Vec<AssetLimit>,
        /// Last epoch in which it may.
        pub expires: Epoch,
    }
}

answer! {
    /// A standing order: what a pool earns in its own asset is delegated again.
    pub struct CompoundingView {
        /// The pool.
        pub pool: PoolId,
        /// Whose.
        pub operator: OperatorId,
        /// Of which asset.
        pub asset: AssetId,
        /// The digest that it signs.
        pub mandate: Digest,
        /// The largest worst case that it will bear.
        pub worst_case: Fraction,
        /// Whether it would be carried out: the pool still is what was signed.
        pub holds: bool,
    }
}

answer! {
    /// A validator of a base chain whose balance is restaked.
    pub struct ValidatorView {
        /// Its number here.
        pub validator: ValidatorId,
        /// Its native asset.
        pub asset: AssetId,
        /// Its proven balance.
        pub balance: Amount,
        /// Of it, free to delegate.
        pub free: Amount,
        /// Of it, slashed here and still there.
        pub slashed: Amount,
        /// When the balance was proven.
        pub proven: Epoch,
        /// The first epoch in which anyone may declare it stale.
        pub stale_from: Epoch,
    }
}

/// One account; none if the ledger has never heard of it. Costs as it has entries of stake and validators.
pub fn account(state: &State, address: Address) -> Option<AccountDetail> {
    let id = state.accounts.find(address)?;
    Some(detail(state, id))
}

/// What an account has outside of pools, by asset; nothing of an account that nobody knows. Costs as it has assets and validators.
pub fn balances(state: &State, address: Address) -> Vec<BalanceView> {
    state.accounts.find(address).map_or_else(Vec::new, |id| view::balances_of(state, id))
}

/// Accounts by order of appearance, after one of them. An unknown `after` begins at the start.
pub fn accounts(state: &State, after: Option<Address>, limit: usize) -> Page<AccountDetail> {
    let after = after.and_then(|address| state.accounts.find(address)).map(AccountId::number);
    page_of(state.accounts.len(), after, limit, |number| Some(detail(state, AccountId::new(number))))
}

fn detail(state: &State, id: AccountId) -> AccountDetail {
    let view = view::account_of(state, id);
    let record = state.accounts.get(id);
    let extra = record.extra();
    let in_force = extra.and_then(|extra| KeySet::in_force(extra, state.epoch));
    AccountDetail {
        account: view.account,
        balances: view.balances,
        stakes: view.stakes,
        positions: positions_of(state, id),
        validators: validators(state, id),
        operator: extra.and_then(|extra| extra.operator),
        service: extra.and_then(|extra| extra.service),
        keys: in_force.map(keys),
        keys_later: extra.and_then(|extra| pending_keys(state, extra)),
        nonces: nonces(state, id),
        grants: record.grants().iter().map(|grant| show_grant(state, grant)).collect(),
        claimer: extra.and_then(|extra| extra.claimer),
        compounding: compounding(state, record),
        roles: extra.map_or(0, |extra| extra.roles),
    }
}

fn keys(keys: &KeySet) -> KeysView {
    KeysView { keys: keys.keys.clone(), threshold: keys.threshold }
}

pub(super) fn pending_keys(state: &State, extra: &Extra) -> Option<PendingKeysView> {
    let (from, later) = extra.pending_keys.as_ref()?;
    (*from > state.epoch).then(|| PendingKeysView { from: *from, keys: keys(later) })
}

/// Of each key in force where one suffices, else, or if it ever took several, of all together.
pub(crate) fn nonces(state: &State, id: AccountId) -> Vec<NonceView> {
    let record = state.accounts.get(id);
    let none = Nonces::default();
    let nonces = record.nonces().unwrap_or(&none);
    let show = |key: Option<&PublicKey>| {
        let signing = key.map_or(Signing::Together, Signing::Alone);
        let used = || nonces.against(signing).map(|nonces| &nonces.used);
        NonceView {
            key: key.cloned(),
            next: nonces.next(signing),
            highest_used: used().filter_map(|used| used.last().copied()).max(),
            used: used()
                .map(|used| u32::try_from(used.len()).unwrap_or(u32::MAX))
                .fold(0, u32::saturating_add),
        }
    };
    match record.extra().and_then(|extra| KeySet::in_force(extra, state.epoch)) {
        Some(_) if record.shares_numbers(state.epoch) => vec![show(None)],
        Some(own) => own.keys.iter().map(|key| show(Some(key))).collect(),
        None => nonces.keys().map(|key| show(Some(key))).collect(),
    }
}

fn show_grant(state: &State, grant: &Grant) -> GrantView {
    let limit = |(asset, amount): &(AssetId, Amount)| AssetLimit { asset: *asset, amount: *amount };
    let spent = grant.spent.iter().filter(|_| grant.spent_in == state.epoch);
    GrantView {
        delegate: grant.delegate,
        kinds: grant.kinds.clone(),
        limits: grant.limits.iter().map(limit).collect(),
        spent: spent.map(limit).collect(),
        expires: grant.expires,
    }
}

fn compounding(state: &State, account: &Account) -> Vec<CompoundingView> {
    let orders = account.extra().map_or(&[][..], |extra| &extra.compounding);
    let show = |order: &crate::state::accounts::Compounding| {
        let record = state.pool(order.pool);
        CompoundingView {
            pool: order.pool,
            operator: record.operator,
            asset: record.asset,
            mandate: order.mandate,
            worst_case: order.worst_case,
            holds: record.digest == order.mandate && state.worst_case(order.pool) <= order.worst_case,
        }
    };
    orders.iter().map(show).collect()
}

fn validators(state: &State, account: AccountId) -> Vec<ValidatorView> {
    let show = |(id, validator): (ValidatorId, &crate::state::records::Validator)| ValidatorView {
        validator: id,
        asset: validator.asset,
        balance: validator.balance,
        free: validator.free,
        slashed: validator.slashed,
        proven: validator.proven,
        stale_from: state.stale_from(id, validator),
    };
    state.validators.of(account).map(show).collect()
}
