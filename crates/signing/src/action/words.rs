//! Parts of sentences.

use std::fmt::{Display, Write as _};

use protocol::units::{Address, Amount, AssetId};

/// The most items of a list that are told.
const LIST_MAX: usize = 16;
/// The most characters of a text that somebody made up.
const TEXT_MAX: usize = 160;

/// An amount of an asset.
pub(super) fn units(amount: Amount, asset: AssetId) -> String {
    format!("{amount} base units of asset {asset}")
}

/// Items with commas between them.
pub(super) fn list(items: impl IntoIterator<Item = impl Display>) -> String {
    let mut items = items.into_iter();
    let mut told: Vec<String> = items.by_ref().take(LIST_MAX).map(|item| item.to_string()).collect();
    match items.count() {
        0 => {}
        more => told.push(format!("and {more} more")),
    }
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}

/// A text that somebody made up. What is not plain ASCII is told by its number, so that no text turns the direction of writing, moves the
/// cursor or looks like another. An address, `0x` and at most 32 bytes, needs no quotation marks.
pub(super) fn quoted(text: &str) -> String {
    let digits = text.strip_prefix("0x").unwrap_or_default();
    if (1..=64).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for character in text.chars().take(TEXT_MAX) {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            other => write!(quoted, "\\u{{{:x}}}", u32::from(other)).expect("memory takes text"),
        }
    }
    quoted.push('"');
    match text.chars().skip(TEXT_MAX).count() {
        0 => quoted,
        more => format!("{quoted} and {more} more characters"),
    }
}

/// Something that may be left out, with words before it.
pub(super) fn maybe(before: &str, value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| format!("{before}{value}"))
}

/// Somebody's: the account that is named, or the sender.
pub(super) fn whose(account: Option<Address>) -> String {
    account.map_or_else(|| "this account".to_owned(), |account| format!("account {account}"))
}
