//! What was typed for a field, as the value that travels.

use serde_json::{Map, Value};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::names::{Book, Quantity};
use crate::op::schema::{Content, Field};
use crate::replay::{Thing, field_content};

/// Names and decimals: all that it takes to read what people type.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    /// The names and the assets that are known.
    pub(crate) book: &'a Book,
    /// Where the asset of a vault is asked for, when somebody writes whole shares of it.
    pub(crate) node: Option<&'a Context>,
}

impl Reader<'_> {
    /// The value that a text stands for.
    ///
    /// # Errors
    /// Says what is wrong with the field.
    pub(crate) fn read(
        &self,
        operation: &str,
        field: &str,
        content: &Content,
        asset: Option<u32>,
        text: &str,
    ) -> Result<Value, Failure> {
        let misfit = |expected: &str| {
            let what = format!("--{} can't be {text:?}: {expected}", field.replace('_', "-"));
            Failure::usage("field.misfit", what).docs(format!("docs/reference/operations/{operation}.md"))
        };
        match content {
            Content::Account => Ok(self.book.account(text)?.to_string().into()),
            Content::Thing(thing) => Ok(self.book.thing(*thing, text)?.into()),
            Content::Amount => {
                let quantity = Quantity::parse(text).map_err(|why| misfit(&why))?;
                let units = self.amount(&quantity, asset)?;
                units
                    .map(Value::from)
                    .ok_or_else(|| misfit("how much all is can't be known here; write an amount"))
            }
            Content::Figure if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(text.into())
            }
            Content::Figure => Err(misfit("a whole number is expected")),
            Content::Shares => {
                let quantity = Quantity::parse(text).map_err(|_| misfit(SHARES))?;
                self.shares(&quantity)?.map(Value::from).ok_or_else(|| misfit(SHARES))
            }
            Content::Fraction => fraction(text).map(Value::from).ok_or_else(|| misfit("write 0.05 or 5%")),
            Content::Whole => {
                text.parse::<u64>().map(Value::from).map_err(|_| misfit("a whole number is expected"))
            }
            Content::Truth => {
                text.parse::<bool>().map(Value::from).map_err(|_| misfit("write true or false"))
            }
            Content::Text(words) if !words.is_empty() && !words.contains(&text) => {
                let all = || format!("it may be {}", words.join(", "));
                Err(misfit(&crate::spelling::proposal(text, words.iter().copied(), all)))
            }
            Content::Text(_) => Ok(text.into()),
            Content::List(element) => {
                if text.trim_start().starts_with('[') {
                    return self.parts(operation, field, text);
                }
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                parts.map(|part| self.read(operation, field, element, asset, part)).collect()
            }
            Content::Pairs(fields) if !text.trim_start().starts_with(['[', '@']) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                parts.map(|part| self.pair(operation, fields, asset, part)).collect()
            }
            Content::Pairs(_) | Content::Record(_) | Content::Parts => self.parts(operation, field, text),
        }
    }

    /// Base units; none where all of it is meant. Where no asset stands behind the number, `asset` is meant; where there is none either, it must be base
    /// units.
    ///
    /// # Errors
    /// If the number does not say of what it is.
    pub(crate) fn amount(&self, quantity: &Quantity, asset: Option<u32>) -> Result<Option<String>, Failure> {
        let named = quantity.asset().map(|asset| self.book.thing(Thing::Asset, asset)).transpose()?;
        let decimals = match (quantity, named.or(asset)) {
            (Quantity::Whole { .. }, Some(asset)) => self.book.decimals(asset).ok_or_else(|| {
                Failure::new(Exit::NotFound, "name.unknown", format!("there is no asset/{asset}"))
                    .help("surety asset list shows the assets")
            })?,
            (Quantity::Whole { number, .. }, None) => {
                return Err(Failure::usage("amount.no-unit", format!("{number} of what?")).help(format!(
                    "write the asset behind it, as {number}eth, or base units, as {number}base"
                )));
            }
            _ => 0,
        };
        quantity.base_units(decimals)
    }

    /// How many shares: a number alone counts them one by one, as the ledger does; with a vault behind it, it is whole shares of that vault. None
    /// where neither is said.
    ///
    /// # Errors
    /// If the vault is not known, or the number is finer than its shares.
    pub(crate) fn shares(&self, quantity: &Quantity) -> Result<Option<String>, Failure> {
        let Some(vault) = quantity.asset() else { return Ok(quantity.count()) };
        let vault = self.book.thing(Thing::Vault, vault)?;
        let asset = match self.node {
            Some(node) => node.get(&format!("/v1/vaults/{vault}"))?.get("asset").and_then(Value::as_u64),
            None => None,
        };
        let asset = asset.and_then(|asset| u32::try_from(asset).ok());
        let decimals = asset.and_then(|asset| self.book.share_decimals(asset)).ok_or_else(|| {
            Failure::new(Exit::NotFound, "name.unknown", format!("the asset of vault/{vault} is not known"))
                .help("write the shares as a whole number")
        })?;
        quantity.base_units(decimals)
    }

    /// `first=second`. Where the first is an asset, the second is an amount of it.
    fn pair(
        &self,
        operation: &str,
        fields: &[Field],
        asset: Option<u32>,
        text: &str,
    ) -> Result<Value, Failure> {
        let [first, second] = fields else { unreachable!("a pair has two fields") };
        let (left, right) = text.split_once('=').ok_or_else(|| {
            let (left, right) = (first.content.placeholder(), second.content.placeholder());
            Failure::usage("field.misfit", format!("{text:?} is not written {left}={right}"))
        })?;
        let value = self.read(operation, first.name, &first.content, asset, left.trim())?;
        let asset = match first.content {
            Content::Thing(Thing::Asset) => value.as_u64().and_then(|number| u32::try_from(number).ok()),
            _ => asset,
        };
        let other = self.read(operation, second.name, &second.content, asset, right.trim())?;
        Ok(Value::Object(Map::from_iter([(first.name.to_owned(), value), (second.name.to_owned(), other)])))
    }

    /// JSON, or `@FILE` with JSON in it; names in it become addresses and numbers.
    fn parts(&self, operation: &str, field: &str, text: &str) -> Result<Value, Failure> {
        let (text, place) = match text.strip_prefix('@') {
            Some(file) => (crate::input::read_text(file)?, file.to_owned()),
            None => (text.to_owned(), format!("--{}", field.replace('_', "-"))),
        };
        // A word alone, like `free`, need not stand in quotation marks.
        let is_word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let mut value = match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(_) if is_word => Value::from(text),
            Err(error) => {
                return Err(Failure::usage("field.not-json", format!("{place} is not JSON: {error}"))
                    .docs(format!("docs/reference/operations/{operation}.md")));
            }
        };
        self.resolve(operation, field, &mut value)?;
        Ok(value)
    }

    /// Puts addresses and numbers for the names in a value, by what its fields are called.
    ///
    /// # Errors
    /// If a name is not known.
    pub(crate) fn resolve(&self, operation: &str, field: &str, value: &mut Value) -> Result<(), Failure> {
        match value {
            Value::Object(fields) => self.resolve_fields(operation, fields),
            Value::Array(values) => {
                values.iter_mut().try_for_each(|value| self.resolve(operation, field, value))
            }
            Value::String(text) => {
                match field_content(operation, field) {
                    None => {}
                    Some(None) => *value = self.book.account(text)?.to_string().into(),
                    Some(Some(thing)) => *value = self.book.thing(thing, text)?.into(),
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The same for all fields of an object.
    ///
    /// # Errors
    /// If a name is not known.
    pub(crate) fn resolve_fields(
        &self,
        operation: &str,
        fields: &mut Map<String, Value>,
    ) -> Result<(), Failure> {
        // The fields of caps are shares of what they are called after.
        let named = fields.iter_mut().filter(|(name, _)| *name != "caps");
        named.into_iter().try_for_each(|(name, value)| self.resolve(operation, name, value))
    }
}

/// What shares look like.
const SHARES: &str = "write a whole number of shares, or whole shares with their vault behind, as 1.5calm";

/// A share of one, also where it was typed as a percentage.
pub(crate) fn fraction(text: &str) -> Option<String> {
    let is_decimal = |text: &str| {
        let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |digits: &str| {
            !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|b| b.is_ascii_digit())
        };
        is_number(whole) && is_number(places)
    };
    let Some(percent) = text.strip_suffix('%').map(str::trim_end) else {
        return is_decimal(text).then(|| text.to_owned());
    };
    if !is_decimal(percent) {
        return None;
    }
    let (whole, places) = percent.split_once('.').unwrap_or((percent, ""));
    let padded = format!("{whole:0>3}");
    let (front, back) = padded.split_at(padded.len() - 2);
    let front = front.trim_start_matches('0');
    let front = if front.is_empty() { "0" } else { front };
    let back = format!("{back}{places}");
    let back = back.trim_end_matches('0');
    Some(if back.is_empty() { front.to_owned() } else { format!("{front}.{back}") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(field: &str, content: &Content, text: &str) -> Result<Value, Failure> {
        let labels = json!({ "items": [
            { "key": "asset/2", "label": "eth" }, { "key": "operator/1", "label": "olga" },
            { "key": "account/0x0101010101010101010101010101010101010101", "label": "alice" },
        ] });
        let mut book = Book::new(&labels, &[], &Default::default());
        book.learn_assets(&json!({ "items": [{ "asset": 2, "decimals": 3 }] }));
        Reader { book: &book, node: None }.read("delegate", field, content, None, text)
    }

    #[test]
    fn what_people_type_becomes_what_travels() {
        let alice = "0x0101010101010101010101010101010101010101";
        let cases = [
            ("account", Content::Account, "alice", json!(alice)),
            ("operator", Content::Thing(Thing::Operator), "olga", json!(1)),
            ("operator", Content::Thing(Thing::Operator), "op/7", json!(7)),
            ("amount", Content::Amount, "1.5eth", json!("1500")),
            ("amount", Content::Amount, "12base", json!("12")),
            ("profit", Content::Figure, "12", json!("12")),
            ("worst_case", Content::Fraction, "5%", json!("0.05")),
            ("worst_case", Content::Fraction, "0.5", json!("0.5")),
            ("epochs", Content::Whole, "3", json!(3)),
            ("admitted", Content::Truth, "true", json!(true)),
            ("stop", Content::Text(vec!["joins"]), "joins", json!("joins")),
            ("kinds", Content::List(Box::new(Content::Text(Vec::new()))), "a, b", json!(["a", "b"])),
            ("follow_up", Content::Parts, "free", json!("free")),
            (
                "allocations",
                Content::Parts,
                r#"[{"asset":"eth","parts":5}]"#,
                json!([{ "asset": 2, "parts": 5 }]),
            ),
            (
                "follow_up",
                Content::Parts,
                r#"{"delegate":{"operator":"olga"}}"#,
                json!({ "delegate": { "operator": 1 } }),
            ),
        ];
        for (field, content, text, expected) in cases {
            assert_eq!(read(field, &content, text), Ok(expected), "{field} {text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_flag() {
        let cases = [
            ("amount", Content::Amount, "12", "amount.no-unit"),
            ("amount", Content::Amount, "x", "field.misfit"),
            ("amount", Content::Amount, "1.2345eth", "amount.too-fine"),
            ("worst_case", Content::Fraction, "much", "field.misfit"),
            ("epochs", Content::Whole, "-1", "field.misfit"),
            ("admitted", Content::Truth, "yes", "field.misfit"),
            ("stop", Content::Text(vec!["joins"]), "join", "field.misfit"),
            ("terms", Content::Parts, "{", "field.not-json"),
            ("operator", Content::Thing(Thing::Operator), "olg", "name.unknown"),
        ];
        for (field, content, text, code) in cases {
            let failure = read(field, &content, text).expect_err(text);
            assert_eq!(failure.code(), code, "{field} {text}: {failure}");
        }
    }

    #[test]
    fn percentages_are_exact() {
        let cases = [
            ("5%", "0.05"),
            ("100%", "1"),
            ("0.1%", "0.001"),
            ("12.5 %", "0.125"),
            ("0%", "0"),
            ("250%", "2.5"),
        ];
        for (text, expected) in cases {
            assert_eq!(fraction(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["%", "", "a", "1e3", "-5%", ".5"] {
            assert_eq!(fraction(text), None, "{text}");
        }
    }
}
