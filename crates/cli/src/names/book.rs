//! All names that are known, in both directions.

use std::collections::BTreeMap;

use protocol::units::Address;
use serde_json::Value;

use crate::config;
use crate::failure::Failure;
use crate::output::Labels;
use crate::replay::Thing;

/// The most labels of a ledger that are read.
const LABELS_MAX: usize = 1_000_000;

/// Names of accounts and of numbered things.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    accounts: BTreeMap<String, Address>,
    account_names: BTreeMap<Address, String>,
    things: BTreeMap<Thing, BTreeMap<String, u32>>,
    thing_names: BTreeMap<(Thing, u32), String>,
    /// Decimals of each asset.
    assets: BTreeMap<u32, u8>,
    origins: BTreeMap<u32, Origin>,
}

/// Where an asset comes from, as far as addresses there look different.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The number of its chain, where it is known.
    pub(crate) chain: Option<u64>,
    has_long_addresses: bool,
}

impl Origin {
    /// The longest address, `0x` and 40 hex digits, of Ethereum and its kin.
    const SHORT_ADDRESS: usize = 42;

    fn read(origin: &Value) -> Self {
        let contract = origin.get("contract").and_then(Value::as_str).unwrap_or_default();
        Self {
            chain: origin.get("chain").and_then(Value::as_u64),
            has_long_addresses: contract.len() > Self::SHORT_ADDRESS,
        }
    }

    /// Whether addresses there are `0x` and 40 hex digits, which the length of the contract's tells.
    pub(crate) fn has_short_addresses(self) -> bool {
        !self.has_long_addresses
    }
}

impl Book {
    /// From the labels of the ledger, the keys of the keystore and the address book, each over the one before.
    pub(crate) fn new(
        labels: &Value,
        keys: &[(String, Address)],
        own: &BTreeMap<String, config::Value>,
    ) -> Self {
        let mut book = Self::default();
        let items = labels.get("items").and_then(Value::as_array).into_iter().flatten().take(LABELS_MAX);
        for item in items {
            let text = |field| item.get(field).and_then(Value::as_str).unwrap_or_default();
            book.put_label(text("key"), text("label"));
        }
        for (name, address) in keys {
            let known = book.account_names.get(address).cloned();
            book.put_account(name, *address);
            // The key treasury.1 of the account treasury is no other name for it.
            if let Some(known) = known.filter(|known| name.starts_with(&format!("{known}."))) {
                book.account_names.insert(*address, known);
            }
        }
        for (name, value) in own {
            if let Ok(address) = value.text.parse() {
                book.put_account(name, address);
            }
        }
        book
    }

    /// Takes up decimals and origins of the assets.
    pub(crate) fn learn_assets(&mut self, assets: &Value) {
        for item in assets.get("items").and_then(Value::as_array).into_iter().flatten() {
            let number = |field| item.get(field).and_then(Value::as_u64);
            let asset = number("asset").and_then(|asset| u32::try_from(asset).ok());
            if let (Some(asset), Some(origin)) = (asset, item.get("origin")) {
                self.origins.insert(asset, Origin::read(origin));
            }
            let decimals = number("decimals").and_then(|decimals| u8::try_from(decimals).ok());
            if let (Some(asset), Some(decimals)) = (asset, decimals) {
                self.assets.insert(asset, decimals);
            }
        }
    }

    fn put_label(&mut self, key: &str, name: &str) {
        // What could be taken for an address or a number is no name, whoever gave it.
        if crate::replay::check_name(name).is_err() {
            return;
        }
        let Some((kind, rest)) = key.split_once('/') else { return };
        if kind == "account" {
            if let Ok(address) = rest.parse() {
                self.put_account(name, address);
            }
            return;
        }
        if let (Some(thing), Ok(number)) = (Thing::from_word(kind), rest.parse::<u32>()) {
            self.things.entry(thing).or_default().insert(name.to_owned(), number);
            self.thing_names.insert((thing, number), name.to_owned());
        }
    }

    fn put_account(&mut self, name: &str, address: Address) {
        // A name that now means another account no longer stands for the old one.
        if let Some(old) = self.accounts.insert(name.to_owned(), address)
            && self.account_names.get(&old).is_some_and(|known| known == name)
        {
            self.account_names.remove(&old);
        }
        self.account_names.insert(address, name.to_owned());
    }

    /// The account that a text means: an address or a name.
    ///
    /// # Errors
    /// If it is neither.
    pub(crate) fn account(&self, text: &str) -> Result<Address, Failure> {
        if text.starts_with("0x") {
            return text.parse().map_err(|why: String| {
                Failure::usage("name.bad-address", format!("{text:?} is no address")).why(why)
            });
        }
        if let Some(address) = self.accounts.get(text) {
            return Ok(*address);
        }
        let known = self.accounts.keys().map(String::as_str);
        Err(Failure::unknown("account", text, known, || {
            "give an address, or add the name to [names] in the configuration; surety account list shows accounts".to_owned()
        }))
    }

    /// The number that a text means: a number, a number with its kind in front, or a name.
    ///
    /// # Errors
    /// If it is none of these, or of another kind.
    pub(crate) fn thing(&self, thing: Thing, text: &str) -> Result<u32, Failure> {
        if let Ok(number) = text.parse::<u32>() {
            return Ok(number);
        }
        if let Some((kind, number)) = text.split_once('/')
            && let Ok(number) = number.parse::<u32>()
        {
            return match Thing::from_prefix(kind) {
                Some(found) if found == thing => Ok(number),
                Some(found) => {
                    let what = format!(
                        "{text} is {} {found}; {} {thing} is expected",
                        article(found),
                        article(thing)
                    );
                    Err(Failure::usage("name.other-kind", what).help(format!("write {}/N", thing.prefix())))
                }
                None => {
                    Err(Failure::usage("name.unknown-kind", format!("there is no kind of thing {kind:?}"))
                        .help(format!("{} {thing} is written {}/N", article(thing), thing.prefix())))
                }
            };
        }
        let known = self.things.get(&thing);
        if let Some(number) = known.and_then(|known| known.get(text)) {
            return Ok(*number);
        }
        let names = known.into_iter().flatten().map(|(name, _)| name.as_str());
        Err(Failure::unknown(thing.word(), text, names, || {
            format!("give its number, as {}/N", thing.prefix())
        }))
    }

    /// Where an asset comes from, once that is known.
    pub(crate) fn origin(&self, asset: u32) -> Option<Origin> {
        self.origins.get(&asset).copied()
    }

    /// The decimals of an asset, once they are known.
    pub(crate) fn decimals(&self, asset: u32) -> Option<u8> {
        self.assets.get(&asset).copied()
    }

    /// The decimals of shares of a vault of that asset: the first deposit gets a thousand shares for each base unit.
    pub(crate) fn share_decimals(&self, asset: u32) -> Option<u8> {
        self.decimals(asset)?.checked_add(3)
    }
}

impl Labels for Book {
    fn account(&self, address: &str) -> Option<String> {
        self.account_names.get(&address.parse().ok()?).cloned()
    }

    fn thing(&self, thing: Thing, number: u64) -> Option<String> {
        self.thing_names.get(&(thing, u32::try_from(number).ok()?)).cloned()
    }

    fn amount(&self, asset: u64, units: &str) -> Option<String> {
        let number = u32::try_from(asset).ok()?;
        let decimals = self.decimals(number)?;
        let symbol = Labels::thing(self, Thing::Asset, asset).unwrap_or_else(|| format!("asset/{asset}"));
        Some(format!("{} {symbol}", super::decimal(units, decimals)?))
    }

    fn shares(&self, vault: u64, asset: u64, count: &str) -> Option<String> {
        let decimals = self.share_decimals(u32::try_from(asset).ok()?)?;
        let name = Labels::thing(self, Thing::Vault, vault).unwrap_or_else(|| format!("vault/{vault}"));
        Some(format!("{} {name}", super::decimal(count, decimals)?))
    }
}

/// The article that a kind takes.
fn article(thing: Thing) -> &'static str {
    match thing {
        Thing::Asset | Thing::Operator => "an",
        _ => "a",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn address(byte: u8) -> Address {
        Address([byte; 20])
    }

    fn book() -> Book {
        let labels = json!({ "items": [
            { "key": format!("account/{}", address(1)), "label": "alice" },
            { "key": format!("account/{}", address(9)), "label": "treasury" },
            { "key": format!("account/{}", address(8)), "label": "0xdead" },
            { "key": "operator/3", "label": "olga" },
            { "key": "asset/0", "label": "eth" },
            { "key": "nonsense", "label": "x" },
        ] });
        let origin = config::Origin::Default;
        let own =
            BTreeMap::from([("treasury".to_owned(), config::Value { text: address(2).to_string(), origin })]);
        let keys = [("bob".to_owned(), address(3)), ("alice.1".to_owned(), address(1))];
        let mut book = Book::new(&labels, &keys, &own);
        book.learn_assets(&json!({ "items": [{ "asset": 0, "decimals": 18 }] }));
        book
    }

    #[test]
    fn accounts_have_names_and_own_names_stand_over_those_of_the_ledger() {
        let book = book();
        let cases = [("alice", 1), ("bob", 3), ("treasury", 2)];
        for (name, byte) in cases {
            assert_eq!(book.account(name).ok(), Some(address(byte)), "{name}");
            assert_eq!(Labels::account(&book, &address(byte).to_string()).as_deref(), Some(name));
        }
        assert_eq!(
            Labels::account(&book, &address(9).to_string()),
            None,
            "its name means another account here"
        );
        assert_eq!(book.account(&address(7).to_string()).ok(), Some(address(7)));
        let failure = book.account("alcie").expect_err("unknown");
        assert_eq!(failure.remedy(), Some("did you mean \"alice\"?"));
        assert_eq!(book.account("0x12").expect_err("short").code(), "name.bad-address");
    }

    #[test]
    fn things_are_written_by_number_kind_or_name() {
        let book = book();
        let operator = |text: &str| book.thing(Thing::Operator, text);
        for text in ["3", "op/3", "operator/3", "olga"] {
            assert_eq!(operator(text).ok(), Some(3), "{text}");
        }
        let failure = operator("svc/3").expect_err("another kind");
        assert_eq!(failure.code(), "name.other-kind");
        assert!(failure.to_string().contains("svc/3 is a service; an operator is expected"), "{failure}");
        assert_eq!(operator("ops/3").expect_err("no kind").code(), "name.unknown-kind");
        assert_eq!(operator("oga").expect_err("unknown").remedy(), Some("did you mean \"olga\"?"));
        assert_eq!(book.thing(Thing::Asset, "eth").ok(), Some(0));
    }

    #[test]
    fn amounts_are_shown_in_whole_units_with_their_symbol() {
        let book = book();
        assert_eq!(book.amount(0, "1500000000000000000").as_deref(), Some("1.5 eth"));
        assert_eq!(book.amount(1, "15"), None, "its decimals are not known");
    }
}
