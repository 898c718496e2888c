//! Who there is, and their keys: from published seeds, so that everybody has them and nothing depends on them.

use evidence::{PublicKey, Scheme, SecretKey, address_of};
use protocol::State;
use protocol::query::{self, KeysView};
use protocol::units::Address;
use sha2::{Digest as _, Sha256};

use crate::world;

/// Accounts that one key stands for, with what they are in the story.
pub const PEOPLE: &[(&str, &str)] = &[
    ("governor", "proposes parameters and values, with notice"),
    ("guardian", "may stop joins for a while"),
    ("alice", "staker"),
    ("bob", "staker, leaves one operator in time to be free"),
    ("carol", "staker, on her way out"),
    ("dave", "staker with two validators of his own"),
    ("erin", "staker, has left the day before an offence"),
    ("robot", "acts for the treasury within a grant"),
    ("olga", "operator"),
    ("hugo", "operator, was accused and acquitted"),
    ("petra", "operator, has contradicted herself"),
    ("quentin", "operator"),
    ("rosa", "operator, asks for more commission"),
    ("meridian", "service: an oracle"),
    ("harbor", "service: a bridge"),
    ("stratum", "service: data availability"),
    ("ines", "resolver"),
    ("jonas", "resolver"),
    ("kira", "resolver"),
    ("wanda", "watches, and submits what she sees"),
    ("vera", "opens two vaults and curates them"),
    ("gus", "guards the vaults: can lower their risk and nothing else"),
    ("nora", "holds shares of both vaults"),
    ("otto", "has asked shares of the brisk vault back before its operator was slashed"),
    ("uma", "uses the oracle, and is harmed by a wrong price"),
];

/// The account that three of five keys stand for.
pub const TREASURY: &str = "treasury";

/// The keys of the treasury; its address is that of the first.
pub const TREASURERS: [&str; 5] = ["treasury.1", "treasury.2", "treasury.3", "treasury.4", "treasury.5"];

/// How many of them must sign.
pub const TREASURY_THRESHOLD: u16 = 3;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Signs operations of an account.
    Account,
    /// Signs statements of an operator on duty in a set.
    Duty,
}

/// A key of the demo, derived from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoKey {
    /// Its name: that of the account, or of the operator and the set.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    /// Which kind of key.
    pub scheme: Scheme,
}

impl DemoKey {
    /// The seed: the SHA-256 of `surety demo key ` and the name.
    pub fn seed(&self) -> [u8; 32] {
        Sha256::new().chain_update("surety demo key ").chain_update(self.name).finalize().into()
    }

    /// The key that signs: [`SecretKey::from_seed`] of the seed.
    pub fn secret(&self) -> SecretKey {
        SecretKey::from_seed(self.scheme, self.seed())
    }

    /// The 32 bytes that a wallet or a keystore imports: [`SecretKey::secret_bytes`].
    pub fn secret_bytes(&self) -> [u8; 32] {
        self.secret().secret_bytes()
    }

    /// The key that verifies.
    pub fn public_key(&self) -> PublicKey {
        self.secret().public_key()
    }

    /// The account that it is by itself; none for BLS12-381.
    pub fn address(&self) -> Option<Address> {
        address_of(&self.public_key()).map(Address)
    }
}

const fn account_key(name: &'static str) -> DemoKey {
    DemoKey { name, role: Role::Account, scheme: Scheme::Secp256k1 }
}

/// Every key of the demo: of accounts, of the treasury, and of operators on duty.
pub fn keys() -> Vec<DemoKey> {
    let people = PEOPLE.iter().map(|(name, _)| account_key(name));
    people.chain(TREASURERS.map(account_key)).chain(world::duty_keys()).collect()
}

/// The address of an account of the story: of one of [`PEOPLE`], of the [`TREASURY`], or of a key of it.
///
/// # Panics
/// If the story has nobody of that name: the names are part of this crate.
pub fn address(name: &str) -> Address {
    let name = if name == TREASURY { TREASURERS[0] } else { name };
    let known = PEOPLE.iter().map(|(name, _)| *name).chain(TREASURERS).find(|known| *known == name);
    let known = known.unwrap_or_else(|| panic!("the story has nobody who is called {name}"));
    account_key(known).address().expect("a secp256k1 key has an address")
}

/// Everybody's name and address, the treasury's included.
pub fn everybody() -> impl Iterator<Item = (&'static str, Address)> {
    PEOPLE.iter().map(|(name, _)| *name).chain([TREASURY]).map(|name| (name, address(name)))
}

/// Who has an address in the story.
pub fn name_of(account: Address) -> Option<&'static str> {
    everybody().find(|(_, known)| *known == account).map(|(name, _)| name)
}

/// The keys with which an account signs in a state: as many of those it has set as must sign, or else its own. Empty if the story does not
/// hold enough of its keys.
pub fn signers(state: &State, account: Address) -> Vec<DemoKey> {
    let all: Vec<DemoKey> = keys().into_iter().filter(|key| key.role == Role::Account).collect();
    let in_force = query::account(state, account).and_then(|account| account.keys);
    match in_force {
        None => all.into_iter().filter(|key| key.address() == Some(account)).take(1).collect(),
        Some(KeysView { keys, threshold }) => {
            let own = all.into_iter().filter(|key| keys.contains(&key.public_key()));
            let own: Vec<DemoKey> = own.take(usize::from(threshold)).collect();
            if own.len() == usize::from(threshold) { own } else { Vec::new() }
        }
    }
}
