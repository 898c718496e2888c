//! Who may act for an account: its keys, k of n; a delegate within its grant; on a development ledger whoever is named.
//!
//! Signatures are verified before an operation gets here. What this module decides is whether the keys that signed suffice.

use evidence::PublicKey;

use crate::macros::refusals;
use crate::operation::{Kind, Operation};
use crate::state::State;
use crate::state::accounts::{Extra, Grant, KeySet};
use crate::units::{AccountId, Address, Amount, AssetId, Epoch};

/// For whom an operation acts, and who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The account that acts.
    pub account: Address,
    /// Who signed.
    pub signer: Signer,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Nobody: the sender is named plainly, as only a development ledger accepts.
    Plain,
    /// Keys of the account, each with its own nonce.
    Keys(Vec<KeyUse>),
    /// A delegate of the account: by keys of its own, or named plainly where the ledger accepts that.
    Delegate {
        /// The delegate.
        address: Address,
        /// Its keys.
        keys: Vec<KeyUse>,
    },
}

/// A key that signed, with the nonce it signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The key.
    pub key: PublicKey,
    /// How often it was used before.
    pub nonce: u64,
}

refusals! {
    /// Why nobody listens: then it was no operation, and nothing at all has changed.
    {
        PlainOnLiveLedger => "senders are named plainly on a development ledger only",
        NoKeySet { account: Address } => "account {account} has set no keys",
        KeyNotOfAccount { key: PublicKey, account: Address } => "key {key} is not one of account {account}",
        KeyTwice { key: PublicKey } => "key {key} signs twice",
        TooFewKeys { keys: usize, threshold: u16 } => "{keys} keys signed, and it takes {threshold}",
        WrongNonce { key: PublicKey, nonce: u64, expected: u64 } => "key {key} signed nonce {nonce}, and {expected} is next",
        NotADelegate { delegate: Address, account: Address } => "{delegate} is not a delegate of account {account}",
        GrantExpired { expires: Epoch, now: Epoch } => "the grant held until epoch {expires}, and it is epoch {now}",
        KindNotGranted { kind: Kind } => "the grant does not cover operations of kind {kind}",
        DestinationNotGranted { kind: Kind } => "a delegate can't name a destination, and this {kind} does",
        LimitExceeded { asset: AssetId, amount: Amount, left: Amount } => "{amount} of asset {asset} exceeds the {left} that the grant leaves this epoch",
    }
}

/// Whether the signers suffice.
pub(crate) fn check(state: &State, authority: &Authority, operation: &Operation) -> Result<(), Refused> {
    match &authority.signer {
        Signer::Plain => check_plain(state),
        Signer::Keys(keys) => check_keys(state, authority.account, keys),
        Signer::Delegate { address, keys } => {
            if keys.is_empty() {
                check_plain(state)?;
            } else {
                check_keys(state, *address, keys)?;
            }
            check_grant(state, authority.account, *address, operation)
        }
    }
}

fn check_plain(state: &State) -> Result<(), Refused> {
    if state.genesis.development { Ok(()) } else { Err(Refused::PlainOnLiveLedger) }
}

fn extra_of(state: &State, address: Address) -> Option<&Extra> {
    state.accounts.find(address).and_then(|account| state.accounts.get(account).extra())
}

fn check_keys(state: &State, account: Address, keys: &[KeyUse]) -> Result<(), Refused> {
    let extra = extra_of(state, account).ok_or(Refused::NoKeySet { account })?;
    let own = KeySet::in_force(extra, state.epoch).ok_or(Refused::NoKeySet { account })?;
    for (index, used) in keys.iter().enumerate() {
        if !own.keys.contains(&used.key) {
            return Err(Refused::KeyNotOfAccount { key: used.key.clone(), account });
        }
        if keys.iter().take(index).any(|earlier| earlier.key == used.key) {
            return Err(Refused::KeyTwice { key: used.key.clone() });
        }
    }
    if keys.len() < usize::from(own.threshold) {
        return Err(Refused::TooFewKeys { keys: keys.len(), threshold: own.threshold });
    }
    for used in keys {
        let expected = next_nonce(extra, &used.key);
        if used.nonce != expected {
            return Err(Refused::WrongNonce { key: used.key.clone(), nonce: used.nonce, expected });
        }
    }
    Ok(())
}

fn next_nonce(extra: &Extra, key: &PublicKey) -> u64 {
    extra.nonces.iter().find(|(known, _)| known == key).map_or(0, |(_, nonce)| *nonce)
}

fn check_grant(
    state: &State,
    account: Address,
    delegate: Address,
    operation: &Operation,
) -> Result<(), Refused> {
    let unknown = Refused::NotADelegate { delegate, account };
    let extra = extra_of(state, account).ok_or_else(|| unknown.clone())?;
    let grant = extra.grants.iter().find(|grant| grant.delegate == delegate).ok_or(unknown)?;
    let now = state.epoch;
    if grant.expires < now {
        return Err(Refused::GrantExpired { expires: grant.expires, now });
    }
    let kind = operation.kind();
    if !grant.kinds.contains(&kind) {
        return Err(Refused::KindNotGranted { kind });
    }
    if operation.delegates_later() && !grant.kinds.contains(&Kind::Delegate) {
        return Err(Refused::KindNotGranted { kind: Kind::Delegate });
    }
    if operation.names_destination() {
        return Err(Refused::DestinationNotGranted { kind });
    }
    if let Some((asset, amount)) = operation.moves()
        && let Some(left) = grant.left(asset, now)
        && amount > left
    {
        return Err(Refused::LimitExceeded { asset, amount, left });
    }
    Ok(())
}

impl Grant {
    /// What may still be moved of an asset in `now`; `None` without a limit.
    fn left(&self, asset: AssetId, now: Epoch) -> Option<Amount> {
        let (_, limit) = self.limits.iter().find(|(limited, _)| *limited == asset)?;
        let spent = self.spent.iter().find(|(moved, _)| *moved == asset && self.spent_in == now);
        Some(spent.map_or(Amount::ZERO, |(_, amount)| *amount).room_below(*limit))
    }
}

/// Counts the nonces of the keys that signed: the operation was one, whatever becomes of it.
pub(crate) fn count_nonces(state: &mut State, authority: &Authority) {
    let (address, keys) = match &authority.signer {
        Signer::Plain => return,
        Signer::Keys(keys) => (authority.account, keys),
        Signer::Delegate { address, keys } => (*address, keys),
    };
    let Some(account) = state.accounts.find(address) else { return };
    for used in keys {
        let nonces = &mut state.accounts.get_mut(account).extra_mut().nonces;
        match nonces.iter_mut().find(|(known, _)| *known == used.key) {
            Some((_, nonce)) => *nonce = nonce.saturating_add(1),
            None => nonces.push((used.key.clone(), 1)),
        }
    }
}

/// Counts what a delegate moved against its limits.
pub(crate) fn count_spending(state: &mut State, authority: &Authority, operation: &Operation) {
    let Signer::Delegate { address, .. } = &authority.signer else { return };
    let now = state.epoch;
    let account: Option<AccountId> = state.accounts.find(authority.account);
    let (Some(account), Some((asset, amount))) = (account, operation.moves()) else { return };
    let grants = &mut state.accounts.get_mut(account).extra_mut().grants;
    let Some(grant) = grants.iter_mut().find(|grant| grant.delegate == *address) else { return };
    if grant.spent_in != now {
        grant.spent_in = now;
        grant.spent.clear();
    }
    match grant.spent.iter_mut().find(|(moved, _)| *moved == asset) {
        Some((_, spent)) => *spent = spent.plus(amount).unwrap_or(Amount::new(u128::MAX)),
        None => grant.spent.push((asset, amount)),
    }
}
