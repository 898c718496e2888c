//! What is read of the ledger, noun by noun. Each verb asks for one document and says which of its figures people see; nothing is computed here.

pub(crate) mod account;
pub(crate) mod asset;
pub(crate) mod basket;
mod curation;
pub(crate) mod ethereum;
pub(crate) mod network;
pub(crate) mod operator;
pub(crate) mod plan;
pub(crate) mod position;
pub(crate) mod proof;
pub(crate) mod rewards;
pub(crate) mod service;
pub(crate) mod slash;
pub(crate) mod stake;
pub(crate) mod status;
pub(crate) mod vault;

use clap::Args;
use protocol::units::Address;
use serde_json::Value;

use crate::config::key::Key;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Answer, Column, Shape};
use crate::replay::Thing;

/// At which height is read.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Pinned {
    /// Read as of this height; otherwise as of the newest.
    #[arg(long, value_name = "HEIGHT")]
    as_of: Option<u64>,
}

/// Which part of a list is read.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Paged {
    /// At most so many items; otherwise all of them.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Go on where an earlier list ended, as of the same height.
    #[arg(long, value_name = "CURSOR", conflicts_with = "as_of")]
    after: Option<String>,
    /// Read as of this height; otherwise as of the newest.
    #[arg(long, value_name = "HEIGHT")]
    as_of: Option<u64>,
}

/// How many items are asked for at a time, and how many a list without `--limit` has at most.
const PAGE: u32 = 500;
const ITEMS_MAX: usize = 100_000;

impl Pinned {
    /// The document of a path.
    ///
    /// # Errors
    /// What the node says.
    pub(crate) fn get(&self, context: &Context, path: &str) -> Result<Value, Failure> {
        context.get(&with_query(path, &[("as_of", self.as_of.map(|height| height.to_string()))]))
    }

    /// The page of a numbered thing, by its name.
    ///
    /// # Errors
    /// If the name is not known; what the node says.
    pub(crate) fn page(
        &self,
        context: &Context,
        thing: Thing,
        name: &str,
        shape: Shape,
    ) -> Result<Answer, Failure> {
        Ok(Answer::new(self.get(context, &path_of(context, thing, name)?)?, shape))
    }
}

/// Which account.
#[derive(Debug, Args)]
pub(crate) struct Whose {
    /// A name or an address; otherwise the account that acts by the settings.
    account: Option<String>,
    #[command(flatten)]
    pinned: Pinned,
}

impl Whose {
    /// The one with this name.
    #[cfg(test)]
    pub(crate) fn of(account: &str) -> Self {
        Self { account: Some(account.to_owned()), pinned: Pinned::default() }
    }

    /// The document of a path below the account's.
    ///
    /// # Errors
    /// If it is not known who is meant; what the node says.
    pub(crate) fn get(&self, context: &Context, below: &str) -> Result<Value, Failure> {
        let address = account(context, self.account.as_deref())?;
        self.pinned.get(context, &format!("/v1/accounts/{address}{below}"))
    }

    /// The same with the entries of every page in one list, all as of the height of the first.
    ///
    /// # Errors
    /// As [`Whose::get`].
    pub(crate) fn get_whole(&self, context: &Context, below: &str) -> Result<Value, Failure> {
        let mut whole = self.get(context, below)?;
        let height = whole.pointer("/as_of/height").map(Value::to_string);
        let path = format!("/v1/accounts/{}{below}", account(context, self.account.as_deref())?);
        while let Some(after) = whole.get("next").and_then(Value::as_u64) {
            let parameters = [("after", Some(after.to_string())), ("as_of", height.clone())];
            let mut page = context.get(&with_query(&path, &parameters))?;
            whole["next"] = page["next"].take();
            match (&mut whole["positions"], page["positions"].take()) {
                (Value::Array(all), Value::Array(more)) if !more.is_empty() && all.len() < ITEMS_MAX => {
                    all.extend(more);
                }
                _ => whole["next"] = Value::Null,
            }
        }
        Ok(whole)
    }
}

impl Paged {
    /// So many items, from a cursor on where there is one.
    pub(crate) fn of(limit: u32, after: Option<String>) -> Self {
        Self { limit: Some(limit), after, as_of: None }
    }

    /// The list of a path, page after page, as one document. `filters` are further parameters.
    ///
    /// # Errors
    /// What the node says.
    pub(crate) fn get(
        &self,
        context: &Context,
        path: &str,
        filters: &[(&str, Option<String>)],
    ) -> Result<Value, Failure> {
        let mut after = self.after.clone();
        let mut items: Vec<Value> = Vec::new();
        loop {
            let wanted =
                self.limit.map(|limit| limit.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX)));
            let as_of = self.as_of.filter(|_| after.is_none()).map(|height| height.to_string());
            let own = [
                ("limit", Some(wanted.unwrap_or(PAGE).min(PAGE).to_string())),
                ("after", after.clone()),
                ("as_of", as_of),
            ];
            let mut page = context.get(&with_query(path, &[filters, &own].concat()))?;
            if let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            after = page.get("next").and_then(Value::as_str).map(str::to_owned);
            let is_enough =
                self.limit.is_some_and(|limit| items.len() >= usize::try_from(limit).unwrap_or(usize::MAX));
            if after.is_none() || is_enough || items.len() >= ITEMS_MAX {
                if let Value::Object(fields) = &mut page {
                    fields.insert("items".to_owned(), Value::Array(items));
                }
                return Ok(page);
            }
        }
    }

    /// The same as an answer.
    ///
    /// # Errors
    /// What the node says.
    pub(crate) fn list(
        &self,
        context: &Context,
        path: &str,
        columns: &'static [Column],
    ) -> Result<Answer, Failure> {
        Ok(Answer::new(self.get(context, path, &[])?, Shape::List(columns)))
    }
}

/// A path with the parameters that have a value.
pub(crate) fn with_query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let mut text = path.to_owned();
    for (name, value) in parameters {
        let Some(value) = value else { continue };
        text.push(if text.contains('?') { '&' } else { '?' });
        text += &format!("{name}={}", encoded(value));
    }
    text
}

/// A text as it stands in an address.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

/// The account that is meant: the one that is named, otherwise the one that acts by the settings.
///
/// # Errors
/// If nobody is named, or the name is not known.
pub(crate) fn account(context: &Context, name: Option<&str>) -> Result<Address, Failure> {
    let name = name.or_else(|| context.settings().text(Key::From)).ok_or_else(|| {
        Failure::usage("account.nobody", "it is not said which account is meant")
            .help("name it, or set SURETY_FROM or from in the configuration")
    })?;
    context.book()?.account(name)
}

/// The number of a thing by its name, as it stands in a query; nothing where nothing is named.
///
/// # Errors
/// If the name is not known.
pub(crate) fn number(context: &Context, thing: Thing, name: Option<&str>) -> Result<Option<String>, Failure> {
    name.map(|name| context.book()?.thing(thing, name).map(|number| number.to_string())).transpose()
}

/// The path of a thing by its name.
///
/// # Errors
/// If the name is not known.
pub(crate) fn path_of(context: &Context, thing: Thing, name: &str) -> Result<String, Failure> {
    let number = context.book()?.thing(thing, name)?;
    let plural = match thing {
        Thing::Slash => "slashes".to_owned(),
        other => format!("{other}s"),
    };
    Ok(format!("/v1/{plural}/{number}"))
}
