//! Names that a history gives to accounts and to what it creates.
//!
//! An account's name is its address: the first 20 bytes of a hash of the name, so nobody declares it and every history means the same
//! account by it. What has a number has the name that `as` gave it, apart for each kind of thing: an asset and an operator may both be
//! called `x`.

use std::collections::BTreeMap;
use std::fmt;

use protocol::units::Address;
use sha2::{Digest as _, Sha256};

/// What distinguishes the address of a name from every other hash.
const DOMAIN: &str = "surety/name/";
/// The longest name, in characters.
const LENGTH_MAX: usize = 64;

/// A kind of thing that has a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing {
    /// A listed asset; tokens that are paid as rewards are assets too.
    Asset,
    /// A registered operator.
    Operator,
    /// A pool.
    Pool,
    /// A request to slash.
    Request,
    /// A registered service.
    Service,
    /// An operator set.
    Set,
    /// A sort of shares, of a vault or a basket.
    Share,
    /// An executed slash.
    Slash,
    /// A stream of rewards.
    Stream,
    /// A validator of a base chain.
    Validator,
    /// A vault.
    Vault,
    /// A basket of shares of vaults.
    Basket,
    /// A route of shares to another ledger.
    Route,
}

impl Thing {
    const ALL: [(Self, &str); 13] = [
        (Self::Asset, "asset"),
        (Self::Operator, "operator"),
        (Self::Pool, "pool"),
        (Self::Request, "request"),
        (Self::Service, "service"),
        (Self::Set, "set"),
        (Self::Share, "share"),
        (Self::Slash, "slash"),
        (Self::Stream, "stream"),
        (Self::Validator, "validator"),
        (Self::Vault, "vault"),
        (Self::Basket, "basket"),
        (Self::Route, "route"),
    ];

    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(thing, _)| *thing == self).map_or("thing", |(_, name)| name)
    }

    /// What stands in front of its number where it is written short: `op/3`.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Operator => "op",
            Self::Service => "svc",
            other => other.word(),
        }
    }

    /// The kind that is written so, short or in full.
    pub(crate) fn from_prefix(prefix: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(thing, name)| *name == prefix || thing.prefix() == prefix)
            .map(|(thing, _)| *thing)
    }

    /// The kind that a word of the protocol's sentences means.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        // What is paid as a reward is an asset.
        let word = if word == "token" { "asset" } else { word };
        Self::ALL.iter().find(|(_, name)| *name == word).map(|(thing, _)| *thing)
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The names that a history has used so far.
#[derive(Debug, Default)]
pub(crate) struct Names {
    accounts: BTreeMap<Address, String>,
    numbers: BTreeMap<Thing, BTreeMap<String, u32>>,
    labels: BTreeMap<(Thing, u32), String>,
    /// Names of lines that were refused, with the last such line: they explain a name that is not there.
    refused: BTreeMap<String, u64>,
}

impl Names {
    /// The address of an account by its name.
    ///
    /// # Errors
    /// Says why the text is no name.
    pub(crate) fn account(&mut self, name: &str) -> Result<Address, String> {
        check(name)?;
        let hash = Sha256::new().chain_update(DOMAIN).chain_update(name).finalize();
        let mut address = Address::default();
        address.0.copy_from_slice(&hash[..20]);
        self.accounts.insert(address, name.to_owned());
        Ok(address)
    }

    /// The name of an address, if the history has used it.
    pub(crate) fn account_name(&self, address: &Address) -> Option<&str> {
        self.accounts.get(address).map(String::as_str)
    }

    /// The number of a thing by its name.
    pub(crate) fn number(&self, thing: Thing, name: &str) -> Option<u32> {
        self.numbers.get(&thing)?.get(name).copied()
    }

    /// The name of a thing by its number.
    pub(crate) fn label(&self, thing: Thing, number: u32) -> Option<&str> {
        self.labels.get(&(thing, number)).map(String::as_str)
    }

    /// Every name of a kind.
    pub(crate) fn known(&self, thing: Thing) -> impl Iterator<Item = &str> {
        self.numbers.get(&thing).into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// Names a thing.
    ///
    /// # Errors
    /// Says which thing of the kind has the name already.
    pub(crate) fn give(&mut self, thing: Thing, number: u32, name: &str) -> Result<(), String> {
        if let Some(other) = self.number(thing, name) {
            return Err(format!("{name:?} is the name of {thing} {other} already"));
        }
        self.numbers.entry(thing).or_default().insert(name.to_owned(), number);
        self.labels.insert((thing, number), name.to_owned());
        Ok(())
    }

    /// Remembers that a line would have given a name and was refused.
    pub(crate) fn note_refused(&mut self, name: &str, line: u64) {
        self.refused.insert(name.to_owned(), line);
    }

    /// The last line that would have given the name and was refused.
    pub(crate) fn refused_in(&self, name: &str) -> Option<u64> {
        self.refused.get(name).copied()
    }
}

/// Whether a text can be a name. It starts with a letter, so that it is neither a number nor an address; it is ASCII, so that no two
/// names look alike.
///
/// # Errors
/// Says why not.
pub(crate) fn check(name: &str) -> Result<(), String> {
    let mut characters = name.chars();
    let starts_well = characters.next().is_some_and(|first| first.is_ascii_alphabetic());
    let goes_on_well = characters.all(|next| next.is_ascii_alphanumeric() || "-_.".contains(next));
    if starts_well && goes_on_well && name.len() <= LENGTH_MAX {
        return Ok(());
    }
    Err(format!(
        "a name is a letter and up to {} letters, digits, dots, dashes or underscores, which {name:?} is not",
        LENGTH_MAX - 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_name_never_changes() {
        let address = Names::default().account("alice").map(|address| address.to_string());
        assert_eq!(address.as_deref(), Ok("0x08ac0147fe05a3431de492edc444a3daf093bac5"));
    }

    #[test]
    fn what_could_be_an_address_or_a_number_is_no_name() {
        let long = "x".repeat(LENGTH_MAX);
        for name in ["alice", "op1", "A", "lst.eth-2_b", &long] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        let too_long = "x".repeat(LENGTH_MAX + 1);
        let address = format!("0x{}", "ab".repeat(20));
        for name in ["", "0", "12", "0x", &address, "-a", "a b", "größe", "аlice", "a/b", &too_long] {
            assert!(check(name).is_err(), "{name}");
        }
    }

    #[test]
    fn kinds_have_their_own_names() {
        let mut names = Names::default();
        assert_eq!(names.give(Thing::Asset, 0, "x"), Ok(()));
        assert_eq!(names.give(Thing::Operator, 7, "x"), Ok(()));
        assert_eq!((names.number(Thing::Asset, "x"), names.number(Thing::Operator, "x")), (Some(0), Some(7)));
        assert_eq!((names.label(Thing::Operator, 7), names.label(Thing::Operator, 0)), (Some("x"), None));
        assert_eq!(names.give(Thing::Asset, 1, "x"), Err("\"x\" is the name of asset 0 already".to_owned()));
    }
}
