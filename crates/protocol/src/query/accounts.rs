//! Accounts: what they have, who acts for them, and what they let others do.

use evidence::PublicKey;

use super::positions::{PositionView, positions_of};
use super::{Page, page_of};
use crate::operation::Kind;
use crate::ops::grant::AssetLimit;
use crate::state::State;
use crate::state::accounts::{Account, Extra, Grant, KeyNonces, KeySet};
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
    /// What a key of an account has signed with. A key that is not listed has signed nothing: its next ordered number is 0.
    pub struct NonceView {
        /// The key.
        pub key: PublicKey,
        /// Its next number for operations of ordered kinds.
        pub next: u64,
        /// The lowest of the numbers near the time that are remembered; others must lie above it once `used` is full.
        pub lowest_used: Option<u64>,
        /// The highest of them.
        pub highest_used: Option<u64>,
        /// How many of them are remembered, at most 64.
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

/// One account; none if the ledger has never heard of it. Costs as it has entries of stake, and as there are validators: a validator knows
/// whose it is, not the other way around.
pub fn account(state: &State, address: Address) -> Option<AccountDetail> {
    let id = state.accounts.find(address)?;
    Some(detail(state, id))
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
        nonces: record.nonces().map_or_else(Vec::new, |nonces| nonces.iter().map(show_nonces).collect()),
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

fn show_nonces((key, nonces): &(PublicKey, KeyNonces)) -> NonceView {
    NonceView {
        key: key.clone(),
        next: nonces.next,
        lowest_used: nonces.used.first().copied(),
        highest_used: nonces.used.last().copied(),
        used: u32::try_from(nonces.used.len()).unwrap_or(u32::MAX),
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
    let own = state.validators.iter().enumerate().filter(|(_, validator)| validator.account == account);
    let show = |(index, validator): (usize, &crate::state::records::Validator)| ValidatorView {
        validator: ValidatorId::at(index),
        asset: validator.asset,
        balance: validator.balance,
        free: validator.free,
        slashed: validator.slashed,
        proven: validator.proven,
        stale_from: validator.proven.later(state.parameters().stale_after),
    };
    own.map(show).collect()
}
