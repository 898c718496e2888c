//! `surety proof` and `surety verify`: what the ledger says, with a proof, and whether a proof holds.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::encoded;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Answer, Column, Shape};
use crate::replay::Thing;

/// Proofs of what the ledger says.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fetch a proof of an entry of the state, or that it is absent, or that an operation stands in a block.
    Get(Get),
    /// Check a proof offline, against the digest of a header that you trust.
    Verify(Verify),
}

/// What is to be proven.
#[derive(Debug, Args)]
#[command(after_help = OF_OPERATIONS)]
pub(crate) struct Get {
    /// The key of an entry, as account/alice, operator/olga or pool/3; or the id of an operation; or, with --answer, also a figure, as
    /// explain/pool_held?pool=3, or what an account earns, may lose and when it is out, as rewards/alice, exposure/alice and exits/alice.
    what: String,
    /// Fetch what the node answers about it, with proofs of every entry that the answer is made of.
    #[arg(long)]
    answer: bool,
    /// Write the proof into this file; otherwise it is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What is to be checked.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A proof, or the folder of a ledger or of a snapshot, whose whole history is then executed again.
    pub(crate) path: PathBuf,
    /// The digest of the header that you trust; otherwise the one in the proof is shown for you to compare.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) trusted: Option<String>,
}

/// What a proof of an operation is, and is not.
const OF_OPERATIONS: &str = "\
The proof of an operation shows that it stands in a block, and at which place: not what came of it. Its outcome is proven by the entries that it \
changed, or by executing the history again: surety verify FOLDER.";

const VALUE: [Column; 1] = [Column::rest("proof", &[])];

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the node says; that a proof does not hold.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Get(get) => get.run(context),
            Self::Verify(verify) => crate::verify::run(verify),
        }
    }
}

impl Get {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let is_id = self.what.len() == 66 && self.what.starts_with("0x");
        let path = if self.answer {
            answered(context, &self.what)?
        } else if is_id {
            format!("/v1/operations/{}?proof=1", self.what)
        } else {
            format!("/v1/entries/{}?proof=1", key(context, &self.what)?)
        };
        let document = context.get(&path)?;
        // An answer with proofs is a file as it is, and the proof of an entry is the whole answer, in which the bytes of the store are called `proof` too.
        let beside = document.get("proof").filter(|proof| proof.is_object() && !self.answer);
        let proof = beside.unwrap_or(&document).clone();
        match &self.out {
            None => Ok(Answer::new(proof, Shape::Page(&VALUE, &[]))),
            Some(file) => {
                let text = serde_json::to_string_pretty(&proof).expect("a document can be written");
                crate::files::write_new(file, &format!("{text}\n"))?;
                let said = format!("wrote the proof into {}; check it with surety verify", file.display());
                Ok(Answer::said(said).with("file", json!(file)))
            }
        }
    }
}

/// Where the node answers about what stands in an entry, or about a figure, with proofs.
fn answered(context: &Context, what: &str) -> Result<String, Failure> {
    if let Some(question) = what.strip_prefix("explain/") {
        let sign = if question.contains('?') { '&' } else { '?' };
        return Ok(format!("/v1/explain/{question}{sign}proof=1"));
    }
    if let Some((sort @ ("exposure" | "rewards" | "exits"), who)) = what.split_once('/') {
        let account = context.book()?.account(who)?;
        return Ok(format!("/v1/accounts/{account}/{sort}?proof=1"));
    }
    let key = key(context, what)?;
    let place = match key.split_once('/') {
        Some(("table", rest)) => {
            rest.split_once('/').map(|(set, epoch)| format!("sets/{set}/table?epoch={epoch}&proof=1"))
        }
        Some((
            sort @ ("account" | "asset" | "operator" | "pool" | "service" | "set" | "request" | "stream"
            | "vault"),
            rest,
        )) => Some(format!("{sort}s/{rest}?proof=1")),
        _ => None,
    };
    let place = place.ok_or_else(|| {
        Failure::usage("field.misfit", format!("no answer with proofs is about {what:?}"))
            .help("ask for an account, asset, operator, pool, service, set, table, request, stream or vault, for exposure/ACCOUNT, rewards/ACCOUNT or exits/ACCOUNT, or for explain/FIGURE?..; or leave --answer out")
    })?;
    Ok(format!("/v1/{place}"))
}

/// The key of an entry as it stands in an address, with accounts and numbers for the names in it: `account/alice`, `position/alice/3/17`.
fn key(context: &Context, text: &str) -> Result<String, Failure> {
    let Some((sort, rest)) = text.split_once('/') else { return Ok(encoded(text)) };
    let (first, others) = rest.split_once('/').map_or((rest, None), |(first, others)| (first, Some(others)));
    // The prefixes of things are written here as everywhere, and the node knows the words only.
    let thing = Thing::from_prefix(if sort == "table" { "set" } else { sort });
    let sort = match (sort, thing) {
        ("table", _) | (_, None) => sort,
        (_, Some(thing)) => thing.word(),
    };
    let is_number = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
    let first = match thing {
        _ if is_number || first.starts_with("0x") => first.to_owned(),
        Some(thing) => context.book()?.thing(thing, first)?.to_string(),
        None if matches!(sort, "account" | "position") => context.book()?.account(first)?.to_string(),
        None => first.to_owned(),
    };
    let parts = [sort, &first].into_iter().chain(others.into_iter().flat_map(|others| others.split('/')));
    Ok(parts.map(encoded).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Recorded;

    #[test]
    fn answers_are_asked_for_where_they_are_given() {
        let recorded = Recorded::default()
            .with("/v1/labels", json!({ "items": [{ "key": "set/2", "label": "prices" }] }))
            .with("/v1/assets?limit=500", json!({ "items": [] }));
        let context = Context::over(recorded);
        let cases = [
            ("set/prices", "/v1/sets/2?proof=1"),
            ("table/prices/9", "/v1/sets/2/table?epoch=9&proof=1"),
            ("pool/3", "/v1/pools/3?proof=1"),
            ("explain/pool_held?pool=3", "/v1/explain/pool_held?pool=3&proof=1"),
            ("explain/certified", "/v1/explain/certified?proof=1"),
            ("vault/4", "/v1/vaults/4?proof=1"),
            (
                "exits/0x0101010101010101010101010101010101010101",
                "/v1/accounts/0x0101010101010101010101010101010101010101/exits?proof=1",
            ),
        ];
        for (what, path) in cases {
            assert_eq!(answered(&context, what).as_deref(), Ok(path), "{what}");
        }
        assert_eq!(answered(&context, "network").expect_err("no answer").code(), "field.misfit");
    }

    #[test]
    fn the_names_in_a_key_become_addresses_and_numbers() {
        let alice = "0x0101010101010101010101010101010101010101";
        let labels = json!({ "items": [
            { "key": format!("account/{alice}"), "label": "alice" },
            { "key": "operator/1", "label": "olga" }, { "key": "set/2", "label": "prices" },
        ] });
        let recorded = Recorded::default()
            .with("/v1/labels", labels)
            .with("/v1/assets?limit=500", json!({ "items": [] }));
        let context = Context::over(recorded);
        let account = format!("account/{alice}");
        let position = format!("position/{alice}/3/17");
        let cases = [
            ("account/alice", account.as_str()),
            (&account, &account),
            ("position/alice/3/17", &position),
            ("operator/olga", "operator/1"),
            ("op/1", "operator/1"),
            ("set/prices", "set/2"),
            ("table/prices/9", "table/2/9"),
            ("pool/3", "pool/3"),
            ("network", "network"),
            ("key/ab", "key/ab"),
        ];
        for (text, expected) in cases {
            assert_eq!(key(&context, text).as_deref(), Ok(expected), "{text}");
        }
        let failure = key(&context, "account/alcie").expect_err("nobody");
        assert_eq!(failure.remedy(), Some("did you mean \"alice\"?"));
        assert_eq!(key(&context, "operator/alice").expect_err("no operator").code(), "name.unknown");
    }
}
