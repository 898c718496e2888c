//! Names for what the ledger knows by address or number: from the configuration and the folder's `labels.json`.
//!
//! They are this node's own; the ledger knows none.

use std::collections::BTreeMap;
use std::path::Path;

/// The file in the folder of a ledger: an object of keys and names, such as `{"account/0x..": "alice", "operator/0": "olga"}`. An account and
/// an operator may have the same name.
pub const LABELS_FILE: &str = "labels.json";

/// The longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// The longest name.
const NAME_BYTES_MAX: usize = 64;
/// What can have a name.
const THINGS: [&str; 13] = [
    "account", "asset", "operator", "pool", "request", "service", "set", "slash", "stream", "vault", "share",
    "basket", "route",
];

/// The names that a node knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels {
    /// By key: such as `account/0x..` or `operator/0`.
    by_key: BTreeMap<String, String>,
    /// By kind of thing and name: the address or the number.
    by_name: BTreeMap<(String, String), String>,
}

impl Labels {
    /// Reads the folder's file, if there is one; names of the configuration come first.
    ///
    /// # Errors
    /// The file can't be read, or a name or a key in it; or two things of a kind have the same name.
    pub(crate) fn load(folder: &Path, configured: &BTreeMap<String, String>) -> Result<Self, String> {
        let path = folder.join(LABELS_FILE);
        let mut by_key: BTreeMap<String, String> = BTreeMap::new();
        match std::fs::metadata(&path) {
            Ok(found) if found.len() > FILE_BYTES_MAX => {
                return Err(format!("{LABELS_FILE} has {} bytes, more than {FILE_BYTES_MAX}", found.len()));
            }
            Ok(_) => {
                let text = std::fs::read(&path).map_err(|error| format!("{LABELS_FILE}: {error}"))?;
                by_key = serde_json::from_slice(&text).map_err(|error| format!("{LABELS_FILE}: {error}"))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{LABELS_FILE}: {error}")),
        }
        by_key.extend(configured.clone());
        let mut by_name = BTreeMap::new();
        for (key, name) in &by_key {
            let (thing, what) = check(name, key)?;
            if by_name.insert((thing.to_owned(), name.clone()), what.to_owned()).is_some() {
                return Err(format!("label {name} stands for two things of kind {thing}"));
            }
        }
        Ok(Self { by_key, by_name })
    }

    /// The address or number of a thing by its name.
    pub(crate) fn find(&self, thing: &str, name: &str) -> Option<&str> {
        self.by_name.get(&(thing.to_owned(), name.to_owned())).map(String::as_str)
    }

    /// The name of a thing.
    pub(crate) fn name_of(&self, key: &str) -> Option<&str> {
        self.by_key.get(key).map(String::as_str)
    }

    /// Every key with its name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_key.iter().map(|(key, name)| (key.as_str(), name.as_str()))
    }
}

/// The kind of thing that a key names, and which.
fn check<'a>(name: &str, key: &'a str) -> Result<(&'a str, &'a str), String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if !starts || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_plain) {
        return Err(format!(
            "label {name:?} is not a letter followed by at most {} letters, digits, `.`, `_`, `-`",
            NAME_BYTES_MAX - 1
        ));
    }
    let parts = key.split_once('/').filter(|(thing, what)| THINGS.contains(thing) && !what.is_empty());
    let is_right = |(thing, what): &(&str, &str)| match *thing {
        "account" => what.parse::<protocol::units::Address>().is_ok(),
        _ => what.parse::<u32>().is_ok_and(|number| number.to_string() == *what),
    };
    parts.filter(is_right).ok_or_else(|| format!("label {name} stands for {key:?}, which is no key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str) -> Result<Labels, String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(LABELS_FILE), file).expect("a file");
        Labels::load(folder.path(), &BTreeMap::new())
    }

    #[test]
    fn a_name_stands_for_one_kind_of_thing() {
        let alice = "0x00000000000000000000000000000000000a11ce";
        let labels =
            load(&format!(r#"{{"account/{alice}": "alice", "operator/3": "olga"}}"#)).expect("labels");
        assert_eq!(labels.find("account", "alice"), Some(alice));
        assert_eq!((labels.find("operator", "olga"), labels.find("account", "olga")), (Some("3"), None));
        assert_eq!(labels.name_of("operator/3"), Some("olga"));
    }

    #[test]
    fn labels_that_could_be_taken_for_something_else_are_refused() {
        for file in [
            r#"{"operator/1": "0x12"}"#,
            r#"{"operator/1": "a b"}"#,
            r#"{"operator/1": "<b>"}"#,
            r#"{"operator/x": "a"}"#,
            r#"{"operator/01": "a"}"#,
            r#"{"account/0x12": "a"}"#,
            r#"{"planet/1": "a"}"#,
            r#"{"operator/1": "a", "operator/2": "a"}"#,
            "[]",
        ] {
            assert!(load(file).is_err(), "{file}");
        }
    }

    #[test]
    fn a_folder_without_labels_has_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let labels = Labels::load(folder.path(), &BTreeMap::new()).expect("no labels");
        assert_eq!(labels.iter().count(), 0);
    }
}
