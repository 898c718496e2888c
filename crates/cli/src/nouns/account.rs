//! `surety account`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Paged, Whose, account};
use crate::context::Context;
use crate::failure::Failure;
use crate::op::verb::{Account as Noun, Under};
use crate::output::{Answer, Column, Section, Shape};
use crate::replay::Thing;

/// What is asked about accounts, or done by them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what an account has, and who acts for it.
    Show(Whose),
    /// List the accounts of the ledger.
    List(Paged),
    /// Show what an account did and what happened to it, the newest first.
    History(History),
    /// Show what is scheduled that concerns an account, when it counts and what cancels it.
    Notices(Whose),
    /// Show what the next signature of each key must carry.
    Nonces(Whose),
    /// Write a name for an address into the configuration file.
    Name(Name),
    #[command(flatten)]
    Under(Under<Noun>),
}

/// Whose history.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// A name or an address; otherwise the account that acts by the settings.
    account: Option<String>,
    /// At most so many items.
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Go on where an earlier page ended.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

/// A name for an address.
#[derive(Debug, Args)]
pub(crate) struct Name {
    /// The name: a letter, then letters, digits, dots, dashes or underscores.
    name: String,
    /// The address.
    address: String,
    /// The file; otherwise the one that is read, or surety.toml.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

const FIELDS: [Column; 8] = [
    Column::account("account", "/account"),
    Column::plain("address", "/account"),
    Column::thing(Thing::Operator, "operator", "/operator"),
    Column::thing(Thing::Service, "service", "/service"),
    Column::plain("keys", "/keys/keys"),
    Column::plain("threshold", "/keys/threshold"),
    Column::account("claimer", "/claimer"),
    Column::plain("roles in terms", "/roles"),
];

const SECTIONS: [Section; 5] = [
    Section {
        title: "Balances",
        at: "/balances",
        columns: &[
            Column::thing(Thing::Asset, "asset", "/asset"),
            Column::amount("free", "/free", "/asset"),
            Column::amount("claimable", "/claimable", "/asset"),
        ],
        empty: "nothing free",
    },
    Section {
        title: "Stake",
        at: "/stakes",
        columns: &[
            Column::thing(Thing::Operator, "operator", "/operator"),
            Column::thing(Thing::Asset, "asset", "/asset"),
            Column::amount("joining", "/joining", "/asset"),
            Column::amount("bonded", "/bonded", "/asset"),
            Column::plain("unbonding", "/unbonding"),
        ],
        empty: "no stake",
    },
    Section {
        title: "Validators",
        at: "/validators",
        columns: &[
            Column::thing(Thing::Validator, "validator", "/validator"),
            Column::thing(Thing::Asset, "asset", "/asset"),
            Column::amount("balance", "/balance", "/asset"),
            Column::amount("free", "/free", "/asset"),
            Column::plain("proven in epoch", "/proven"),
        ],
        empty: "",
    },
    Section {
        title: "Grants",
        at: "/grants",
        columns: &[
            Column::account("delegate", "/delegate"),
            Column::plain("kinds", "/kinds"),
            Column::plain("through epoch", "/expires"),
        ],
        empty: "",
    },
    Section {
        title: "Standing orders",
        at: "/compounding",
        columns: &[
            Column::thing(Thing::Operator, "operator", "/operator"),
            Column::thing(Thing::Asset, "asset", "/asset"),
            Column::share("worst case", "/worst_case"),
            Column::plain("holds", "/holds"),
        ],
        empty: "",
    },
];

const LIST: [Column; 4] = [
    Column::account("account", "/account"),
    Column::thing(Thing::Operator, "operator", "/operator"),
    Column::thing(Thing::Service, "service", "/service"),
    Column::plain("address", "/account"),
];

const HISTORY: [Column; 6] = [
    Column::plain("height", "/height"),
    Column::time("time", "/time_ms"),
    Column::plain("operation", "/receipt/kind"),
    Column::account("by", "/receipt/account"),
    Column::plain("outcome", "/receipt/outcome/outcome"),
    Column::plain("boundary", "/boundary"),
];

const NOTICES: [Column; 6] = [
    Column::plain("weight", "/weight"),
    Column::plain("what", "/text"),
    Column::plain("from epoch", "/from"),
    Column::time("starts", "/starts/wall_ms"),
    Column::plain("act by epoch", "/act_by"),
    Column::plain("ways", "/ways"),
];

const NONCES: [Column; 4] = [
    Column::plain("key", "/key"),
    Column::plain("next", "/next"),
    Column::plain("used", "/used"),
    Column::plain("highest used", "/highest_used"),
];

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the node says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Show(whose) => Ok(Answer::new(whose.get(context, "")?, Shape::Page(&FIELDS, &SECTIONS))),
            Self::List(paged) => paged.list(context, "/v1/accounts", &LIST),
            Self::History(history) => {
                let address = account(context, history.account.as_deref())?;
                Paged::of(history.limit, history.after.clone()).list(
                    context,
                    &format!("/v1/accounts/{address}/history"),
                    &HISTORY,
                )
            }
            Self::Notices(whose) => {
                let notices = Answer::new(whose.get(context, "/notices")?, Shape::List(&NOTICES));
                Ok(notices.where_empty("nothing is scheduled that concerns the account"))
            }
            Self::Nonces(whose) => Ok(Answer::new(whose.get(context, "/nonces")?, Shape::List(&NONCES))),
            Self::Name(name) => name.run(context),
            Self::Under(under) => under.run(context),
        }
    }
}

impl Name {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        crate::names::check_entry(&self.name, &self.address)
            .map_err(|why| Failure::usage("name.bad", "this can't be a name for an address").why(why))?;
        let known = context.settings().file().map(std::path::Path::to_owned);
        let file = self.file.clone().or(known).unwrap_or_else(|| PathBuf::from("surety.toml"));
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => crate::config::command::template(),
            Err(error) => return Err(Failure::storage(format!("cannot read {}", file.display()), &error)),
        };
        let changed = with_name(&text, &self.name, &self.address)?;
        crate::files::replace(&file, &changed)?;
        let said = format!("{} is {} from now on; it stands in {}", self.name, self.address, file.display());
        Ok(Answer::said(said).with("file", json!(file)))
    }
}

/// The text of a configuration file with one more line in its address book.
fn with_name(text: &str, name: &str, address: &str) -> Result<String, Failure> {
    let contents = crate::config::file::parse(text);
    if let Some(mistake) = contents.mistakes.first() {
        let what = format!("line {} of the configuration file: {}", mistake.line, mistake.what);
        return Err(Failure::usage("config.mistake", what).help("surety config check lists all mistakes"));
    }
    if let Some(known) = contents.names.iter().find(|entry| entry.name == name) {
        let what = format!("{name} is the name of {} already, in line {}", known.value, known.line);
        return Err(Failure::usage("name.taken", what).help("take another name, or change that line"));
    }
    let line = format!("{name} = \"{address}\"\n");
    let mut changed = String::new();
    let mut is_done = false;
    for old in text.lines() {
        changed += old;
        changed.push('\n');
        if old.trim() == "[names]" && !is_done {
            changed += &line;
            is_done = true;
        }
    }
    if !is_done {
        changed += &format!("\n[names]\n{line}");
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_below_the_others_and_never_twice() {
        let address = format!("0x{}", "ab".repeat(20));
        let other = format!("0x{}", "cd".repeat(20));
        for text in ["", "version = 1\n[names]\n# nobody yet\n[run]\n", &crate::config::command::template()] {
            let changed = with_name(text, "treasury", &address).expect(text);
            let contents = crate::config::file::parse(&changed);
            assert_eq!(contents.mistakes, [], "{changed}");
            assert_eq!(contents.names.len(), 1, "{changed}");
            let again = with_name(&changed, "treasury", &other).expect_err("taken");
            assert_eq!(again.code(), "name.taken");
        }
    }
}
