//! Who may act for an account: its keys, k of n; a delegate within its grant; on a development ledger whoever is named.
//!
//! Signatures are verified before an operation gets here. What this module decides is whether the keys that signed suffice, and whether
//! this is the first time. Where one key suffices, each has nonces of its own; where it takes several, or ever did, all sign the
//! account's, so that the signatures of 2k of them are not two operations. There are two classes. What takes stake or funds out, names keys or delegates
//! carries the next number, so such operations happen in the order in which they were signed. All others carry a number near the
//! time, each once, so that many can be under way at the same time and none can be kept back for long.

use evidence::{PublicKey, Signatory};

use crate::macros::refusals;
use crate::operation::moves::Moved;
use crate::operation::{Kind, Operation};
use crate::state::State;
use crate::state::accounts::{Account, Extra, Grant, KeySet, NONCE_WINDOW_MS, NONCES_MAX, Nonces, Signing};
use crate::state::vaults::is_reserved;
use crate::units::{AccountId, Address, Amount, AssetId, Epoch, SetId};

/// For whom an operation acts, and who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The account that acts.
    pub account: Address,
    /// Who signed.
    pub signer: Signer,
    /// The last moment at which it may be executed, in milliseconds since 1970; `u64::MAX` for whenever.
    pub expires: u64,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Nobody: the sender is named plainly, as only a development ledger accepts.
    Plain,
    /// As many keys of the account as it takes.
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
    signatory: Signatory,
    /// The next number for operations of ordered kinds ([`Kind::is_ordered`]); for others one near the time in milliseconds. The key's own
    /// where one suffices, the account's where it takes several.
    pub nonce: u64,
}

impl KeyUse {
    /// A key that signed a nonce.
    pub fn new(key: PublicKey, nonce: u64) -> Self {
        Self { signatory: Signatory::of(key), nonce }
    }

    /// The same where the address of the key is known already.
    pub fn by(signatory: Signatory, nonce: u64) -> Self {
        Self { signatory, nonce }
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        self.signatory.key()
    }

    /// The account that the key is by itself; `None` of a key that owns nothing.
    pub fn address(&self) -> Option<Address> {
        self.signatory.address().map(Address)
    }
}

refusals! {
    /// Why nobody listens: then it was no operation, and nothing at all has changed.
    {
        KeptForVaults { account: Address } => "{account} is kept for a vault or a basket, and nobody acts for it",
        PlainOnLiveLedger => "senders are named plainly on a development ledger only",
        Expired { expires: u64, time: u64 } => "the operation was to be executed until {expires}, and it is {time} (milliseconds since 1970)",
        ExpiresTooLate { expires: u64, latest: u64 } => "the ledger has never heard of who signed, keeps no nonce of it, and so listens to nothing that could come again after a day: expires {expires} is after {latest} (milliseconds since 1970)",
        NoKeySet { account: Address, key: PublicKey } => "account {account} has set no keys, and key {key} is not the one that it is made of",
        KeyNotOfAccount { key: PublicKey, account: Address } => "key {key} is not one of account {account}",
        KeyTwice { key: PublicKey } => "key {key} signs twice",
        TooFewKeys { keys: usize, threshold: u16 } => "{keys} keys signed, and it takes {threshold}",
        TooManyKeys { keys: usize, threshold: u16 } => "{keys} keys signed, and it takes {threshold}: leave the others out, or theirs could be sent once more",
        NoncesDiffer { nonce: u64, other: u64 } => "the keys signed nonces {nonce} and {other}; where it takes several keys, all sign the account's one",
        WrongNonce { key: PublicKey, nonce: u64, expected: u64 } => "key {key} signed nonce {nonce}, and {expected} is next",
        NonceOutsideWindow { nonce: u64, time: u64 } => "nonce {nonce} is more than a day from the ledger's time {time} (milliseconds since 1970)",
        NonceUsed { key: PublicKey, nonce: u64 } => "key {key} has used nonce {nonce} before",
        NonceTooLow { nonce: u64, least: u64 } => "nonce {nonce} is not above {least}, the least of the 64 highest that the key has used",
        NotADelegate { delegate: Address, account: Address } => "{delegate} is not a delegate of account {account}",
        GrantExpired { expires: Epoch, now: Epoch } => "the grant held until epoch {expires}, and it is epoch {now}",
        KindNotGranted { kind: Kind } => "the grant does not cover operations of kind {kind}",
        DestinationNotGranted { kind: Kind } => "a delegate can't name a destination, and this {kind} does",
        PaysOthers { set: SetId } => "a delegate pays into sets of the account's own service only, and set {set} is none",
        NoLimit { asset: AssetId } => "a delegate pays only what the grant limits, and it has no limit on asset {asset}",
        LimitExceeded { asset: AssetId, amount: Amount, left: Amount } => "{amount} of asset {asset} exceeds the {left} that the grant leaves this epoch",
    }
}

/// Which numbers an operation of an ordered kind may carry.
#[derive(Clone, Copy)]
enum Turn {
    /// The next.
    Now,
    /// The next or any after it: operations before it may be on their way.
    Later,
}

/// Whether the signers suffice.
pub(crate) fn check(state: &State, authority: &Authority, operation: &Operation) -> Result<(), Refused> {
    check_turn(state, state.time, authority, operation, Turn::Now)
}

/// Whether the signers would suffice once all operations of theirs are executed that come before: for whoever keeps operations until
/// their turn. `time_ms` is when that may be: nonces and expiries go by it where it is after the time of the newest block. It changes
/// nothing, and promises nothing about the state in which the operation is executed.
///
/// # Errors
/// As [`crate::apply`] of an operation that nobody may send; but of ordered kinds any number from the next one on passes.
pub fn screen(
    state: &State,
    time_ms: u64,
    authority: &Authority,
    operation: &Operation,
) -> Result<(), Refused> {
    check_turn(state, state.time.max(time_ms), authority, operation, Turn::Later)
}

fn check_turn(
    state: &State,
    time: u64,
    authority: &Authority,
    operation: &Operation,
    turn: Turn,
) -> Result<(), Refused> {
    check_owned(authority.account)?;
    match &authority.signer {
        Signer::Plain => check_plain(state),
        Signer::Delegate { keys, .. } if keys.is_empty() => check_plain(state),
        Signer::Keys(keys) => {
            let signer = Known::of(state, authority.account);
            check_signed(state, signer, keys, (authority.expires, time), (operation.kind(), turn))
        }
        Signer::Delegate { address, keys } => {
            let signer = Known::of(state, *address);
            check_signed(state, signer, keys, (authority.expires, time), (operation.kind(), turn))
        }
    }?;
    match &authority.signer {
        Signer::Delegate { address, .. } => check_grant(state, authority.account, *address, operation),
        _ => Ok(()),
    }
}

/// No key signs for the account of a vault, and nobody may name it as the sender either.
pub(crate) fn check_owned(account: Address) -> Result<(), Refused> {
    if is_reserved(account) { Err(Refused::KeptForVaults { account }) } else { Ok(()) }
}

/// Whose keys signed, and the account that the ledger has of it, looked up once.
#[derive(Clone, Copy)]
struct Known<'a> {
    address: Address,
    account: Option<&'a Account>,
}

impl<'a> Known<'a> {
    fn of(state: &'a State, address: Address) -> Self {
        Self { address, account: state.accounts.find(address).map(|account| state.accounts.get(account)) }
    }
}

fn check_signed(
    state: &State,
    signer: Known<'_>,
    keys: &[KeyUse],
    (expires, time): (u64, u64),
    kind_and_turn: (Kind, Turn),
) -> Result<(), Refused> {
    // Of whom nothing is known no nonce can be kept: what is refused now must not come alive when the account is there.
    let latest = if signer.account.is_some() { u64::MAX } else { time.saturating_add(NONCE_WINDOW_MS) };
    if expires < time {
        return Err(Refused::Expired { expires, time });
    }
    if expires > latest {
        return Err(Refused::ExpiresTooLate { expires, latest });
    }
    check_keys(state, signer, keys, kind_and_turn, time)
}

fn check_plain(state: &State) -> Result<(), Refused> {
    if state.genesis.development { Ok(()) } else { Err(Refused::PlainOnLiveLedger) }
}

fn extra_of(state: &State, address: Address) -> Option<&Extra> {
    state.accounts.find(address).and_then(|account| state.accounts.get(account).extra())
}

/// The keys of an account. Until it sets some, it is the account of one key: the one that its address is made of.
fn check_keys(
    state: &State,
    signer: Known<'_>,
    keys: &[KeyUse],
    kind_and_turn: (Kind, Turn),
    time: u64,
) -> Result<(), Refused> {
    let Known { address: account, account: record } = signer;
    let own = record.and_then(Account::extra).and_then(|extra| KeySet::in_force(extra, state.epoch));
    for (index, used) in keys.iter().enumerate() {
        let key = || used.key().clone();
        match own {
            Some(own) if !own.keys.contains(used.key()) => {
                return Err(Refused::KeyNotOfAccount { key: key(), account });
            }
            None if used.address() != Some(account) => {
                return Err(Refused::NoKeySet { account, key: key() });
            }
            _ => {}
        }
        if keys.iter().take(index).any(|earlier| earlier.key() == used.key()) {
            return Err(Refused::KeyTwice { key: key() });
        }
    }
    let threshold = own.map_or(1, |own| own.threshold);
    if keys.len() < usize::from(threshold) {
        return Err(Refused::TooFewKeys { keys: keys.len(), threshold });
    }
    if keys.len() > usize::from(threshold) {
        return Err(Refused::TooManyKeys { keys: keys.len(), threshold });
    }
    let Some((first, others)) = keys.split_first() else {
        return Err(Refused::TooFewKeys { keys: 0, threshold });
    };
    if let Some(other) = others.iter().find(|other| other.nonce != first.nonce) {
        return Err(Refused::NoncesDiffer { nonce: first.nonce, other: other.nonce });
    }
    let Some(record) = record else {
        return check_nonce(first, &Nonces::default(), Signing::Alone(first.key()), kind_and_turn, time);
    };
    let signing = record.signing(first.key(), state.epoch);
    check_nonce(first, record.nonces().unwrap_or(&Nonces::default()), signing, kind_and_turn, time)
}

fn check_nonce(
    first: &KeyUse,
    nonces: &Nonces,
    signing: Signing<'_>,
    (kind, turn): (Kind, Turn),
    time: u64,
) -> Result<(), Refused> {
    let (key, nonce) = (first.key(), first.nonce);
    if kind.is_ordered() {
        let expected = nonces.next(signing);
        let is_in_turn = match turn {
            Turn::Now => nonce == expected,
            Turn::Later => nonce >= expected,
        };
        if !is_in_turn {
            return Err(Refused::WrongNonce { key: key.clone(), nonce, expected });
        }
        return Ok(());
    }
    if nonce.abs_diff(time) > NONCE_WINDOW_MS {
        return Err(Refused::NonceOutsideWindow { nonce, time });
    }
    for nonces in nonces.against(signing) {
        if nonces.used.binary_search(&nonce).is_ok() {
            return Err(Refused::NonceUsed { key: key.clone(), nonce });
        }
        if let Some(least) = nonces.used.first()
            && nonces.used.len() >= NONCES_MAX
            && nonce < *least
        {
            return Err(Refused::NonceTooLow { nonce, least: *least });
        }
    }
    Ok(())
}

pub(crate) fn check_grant(
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
    if operation.names_destination(state) {
        return Err(Refused::DestinationNotGranted { kind });
    }
    let moved = operation.moves(state);
    if let Some(set) = operation.pays() {
        let own = state.service_of(account);
        if own.is_none() || state.set(set).map(|record| record.service) != own {
            return Err(Refused::PaysOthers { set });
        }
    }
    let needs_limits = operation.pays().is_some() || operation.gives_away();
    if needs_limits && let Some(asset) = moved.keys().copied().find(|asset| grant.left(*asset, now).is_none())
    {
        return Err(Refused::NoLimit { asset });
    }
    for (asset, amount) in moved {
        if let Some(left) = grant.left(asset, now)
            && amount > left
        {
            return Err(Refused::LimitExceeded { asset, amount, left });
        }
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

/// Counts the nonces of the keys that signed: the operation was one, whatever becomes of it. The account of whoever signed is there from
/// now on.
pub(crate) fn count_nonces(state: &mut State, authority: &Authority, kind: Kind) {
    let (address, keys) = match &authority.signer {
        Signer::Plain => return,
        Signer::Keys(keys) => (authority.account, keys),
        Signer::Delegate { address, keys } => (*address, keys),
    };
    let Some(first) = keys.first() else { return };
    let oldest = state.time.saturating_sub(NONCE_WINDOW_MS);
    let (account, epoch) = (state.accounts.open(address), state.epoch);
    let record = state.accounts.get_mut(account);
    let signing = record.signing(first.key(), epoch);
    let nonces = record.nonces_mut();
    if kind.is_ordered() {
        nonces.count_ordered(signing);
    } else {
        nonces.count_windowed(signing, first.nonce, oldest);
    }
}

/// Whether the ledger has heard of the account whose keys signed.
pub(crate) fn is_known(state: &State, authority: &Authority) -> bool {
    let address = match &authority.signer {
        Signer::Delegate { address, .. } => *address,
        _ => authority.account,
    };
    state.accounts.find(address).is_some()
}

/// What an operation of a delegate will have moved, read before it; nothing of anybody else's.
pub(crate) fn spending(state: &State, authority: &Authority, operation: &Operation) -> Moved {
    match authority.signer {
        Signer::Delegate { .. } => operation.moves(state),
        _ => Moved::new(),
    }
}

/// Counts what a delegate moved against its limits.
pub(crate) fn count_spending(state: &mut State, authority: &Authority, moved: Moved) {
    let Signer::Delegate { address, .. } = &authority.signer else { return };
    let now = state.epoch;
    let account: Option<AccountId> = state.accounts.find(authority.account);
    let Some(account) = account.filter(|_| !moved.is_empty()) else { return };
    let grants = &mut state.accounts.get_mut(account).extra_mut().grants;
    let Some(grant) = grants.iter_mut().find(|grant| grant.delegate == *address) else { return };
    if grant.spent_in != now {
        grant.spent_in = now;
        grant.spent.clear();
    }
    for (asset, amount) in moved {
        match grant.spent.iter_mut().find(|(moved, _)| *moved == asset) {
            Some((_, spent)) => *spent = spent.plus(amount).unwrap_or(Amount::new(u128::MAX)),
            None => grant.spent.push((asset, amount)),
        }
    }
}
