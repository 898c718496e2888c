//! Names in operations become addresses and numbers, and addresses and numbers in answers become names.
//!
//! What a field holds is known by its name. The table below is the whole of it, with the few exceptions beneath; a test holds it
//! against the schema of every operation.

use protocol::units::Address;
use serde_json::{Map, Value};

use crate::replay::json::Path;
use crate::replay::mistake::Mistake;
use crate::replay::names::{Names, Thing};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// An account, by its address.
    Account,
    /// A thing, by its number.
    Number(Thing),
}

/// What the fields of operations, of the genesis, of events and of the state hold. A list under a field holds as many of the same.
const FIELDS: [(&str, Content); 32] = [
    ("account", Content::Account),
    ("claimer", Content::Account),
    ("delegate", Content::Account),
    ("governor", Content::Account),
    ("guardian", Content::Account),
    ("redistribute", Content::Account),
    ("resolvers", Content::Account),
    ("slasher", Content::Account),
    ("asset", Content::Number(Thing::Asset)),
    ("deposit_asset", Content::Number(Thing::Asset)),
    ("reward_tokens", Content::Number(Thing::Asset)),
    ("token", Content::Number(Thing::Asset)),
    ("operator", Content::Number(Thing::Operator)),
    ("replaced_by", Content::Number(Thing::Operator)),
    ("pool", Content::Number(Thing::Pool)),
    ("request", Content::Number(Thing::Request)),
    ("service", Content::Number(Thing::Service)),
    ("set", Content::Number(Thing::Set)),
    ("slash", Content::Number(Thing::Slash)),
    ("stream", Content::Number(Thing::Stream)),
    ("validator", Content::Number(Thing::Validator)),
    ("vault", Content::Number(Thing::Vault)),
    ("basket", Content::Number(Thing::Basket)),
    ("route", Content::Number(Thing::Route)),
    ("acceptor", Content::Account),
    ("reporter", Content::Account),
    ("verifiers", Content::Account),
    ("curator", Content::Account),
    ("council", Content::Account),
    ("fee_to", Content::Account),
    ("spender", Content::Account),
    ("owner", Content::Account),
];

/// What a field of an operation holds. The operation's name tells apart the fields that are called alike and are not.
fn content(operation: &str, field: &str) -> Option<Content> {
    match (operation, field) {
        // Operators with the same number are one owner's.
        ("set_bands", "owner") => None,
        // The number that the validator has on its own chain.
        ("report_validator", "validator") => None,
        // How a validator stands in a state of Ethereum.
        ("report_pod" | "report_slashed", "validator") => None,
        // Who paid into the custody contract.
        ("take_deposits", "from") => Some(Content::Account),
        // Elsewhere a destination of slashed stake, or an address on another chain.
        ("claim" | "transfer_shares" | "transfer_ticket" | "vouch_shares", "to") => Some(Content::Account),
        // Elsewhere a fraction of something.
        ("transfer_shares" | "approve_shares" | "open_route", "share") => Some(Content::Number(Thing::Share)),
        _ => FIELDS.iter().find(|(name, _)| *name == field).map(|(_, content)| *content),
    }
}

/// What a field of an operation names: nothing, an account (`Some(None)`), or a thing.
pub(crate) fn field_content(operation: &str, field: &str) -> Option<Option<Thing>> {
    content(operation, field).map(|content| match content {
        Content::Account => None,
        Content::Number(thing) => Some(thing),
    })
}

/// Puts addresses and numbers for the names in the fields of an operation or a genesis.
pub(crate) fn resolve(
    operation: &str,
    fields: &mut Map<String, Value>,
    names: &mut Names,
    path: &Path,
) -> Result<(), Mistake> {
    let mut resolver = Resolver { operation, names };
    resolver.object(fields, path)
}

/// Reads one account, by name or by address.
pub(crate) fn account(value: &Value, names: &mut Names, path: &Path) -> Result<Address, Mistake> {
    let text = value
        .as_str()
        .ok_or_else(|| Mistake::at_value(path, format!("{path}: expected a name or an address")))?;
    let account = if text.starts_with("0x") { text.parse() } else { names.account(text) };
    account.map_err(|cause| Mistake::at_value(path, format!("{path}: {cause}")))
}

struct Resolver<'a> {
    operation: &'a str,
    names: &'a mut Names,
}

impl Resolver<'_> {
    fn object(&mut self, fields: &mut Map<String, Value>, path: &Path) -> Result<(), Mistake> {
        for (field, value) in fields {
            // Its fields are shares of what they are called after.
            if field == "caps" {
                continue;
            }
            let content = content(self.operation, field);
            self.value(content, value, &path.field(field))?;
        }
        Ok(())
    }

    fn value(&mut self, content: Option<Content>, value: &mut Value, path: &Path) -> Result<(), Mistake> {
        match value {
            Value::Object(fields) => self.object(fields, path),
            Value::Array(elements) => {
                let mut elements = elements.iter_mut().enumerate();
                elements.try_for_each(|(index, element)| self.value(content, element, &path.element(index)))
            }
            Value::String(text) => {
                let resolved = match content {
                    None => return Ok(()),
                    Some(Content::Account) => Value::from(account(value, self.names, path)?.to_string()),
                    Some(Content::Number(thing)) => Value::from(self.number(thing, text, path)?),
                };
                *value = resolved;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn number(&self, thing: Thing, name: &str, path: &Path) -> Result<u32, Mistake> {
        if let Some(number) = self.names.number(thing, name) {
            return Ok(number);
        }
        let mistake = Mistake::at_value(path, format!("{path}: no {thing} has the name {name:?}"));
        if name.parse::<u32>().is_ok() {
            return Err(mistake.with_remedy(format!("a number stands without quotation marks: {name}")));
        }
        let refused = self.names.refused_in(name);
        let explanation = refused.map(|line| format!("line {line} would have given it, and was refused"));
        match explanation {
            Some(explanation) => Err(mistake.with_remedy(explanation)),
            None => Err(mistake.with_nearest(name, self.names.known(thing), || {
                Some(format!("\"as\":{name:?} on the line that creates the {thing} gives it that name"))
            })),
        }
    }
}

/// Whether answers carry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Labels {
    /// Names stand for the addresses and numbers that have one.
    On,
    /// Addresses and numbers stay.
    Off,
}

impl Labels {
    /// Puts names for the addresses and numbers in an answer.
    pub(crate) fn put_into(self, value: &mut Value, names: &Names) {
        if self == Self::On {
            label_value(None, value, names);
        }
    }

    /// Puts names for the addresses and numbers in a refusal's sentence, which writes a number after its kind: "operator 3".
    pub(crate) fn put_into_sentence(self, sentence: String, names: &Names) -> String {
        if self == Self::Off {
            return sentence;
        }
        let mut before = "";
        let words = sentence.split(' ').map(|word| {
            let end = word.find(|next: char| !next.is_ascii_alphanumeric()).unwrap_or(word.len());
            let (token, tail) = word.split_at(end);
            let thing = Thing::from_word(std::mem::replace(&mut before, word));
            let number = thing.zip(token.parse().ok()).and_then(|(thing, number)| names.label(thing, number));
            let account = token.parse().ok().and_then(|address| names.account_name(&address));
            match number.or(account) {
                // The whole part of a fraction is no number of anything.
                Some(name) if !tail.starts_with('.') || tail == "." => format!("{name}{tail}"),
                _ => word.to_owned(),
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

fn label_value(content: Option<Content>, value: &mut Value, names: &Names) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                label_value(self::content("", field), value, names);
            }
        }
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| label_value(content, element, names))
        }
        Value::String(text) => {
            if let Some(name) = text.parse().ok().and_then(|address| names.account_name(&address)) {
                *value = Value::from(name);
            }
        }
        Value::Number(number) => {
            let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
            if let (Some(number), Some(Content::Number(thing))) = (number, content)
                && let Some(name) = names.label(thing, number)
            {
                *value = Value::from(name);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
