//! From what somebody wants to what the ledger has done.
//!
//! ```text
//! Wanted ─► prepare ─► preview ─► confirm ─► seal ─► send ─► receipt
//! names      the node   what      a person   keys    the     proof
//! resolved   fills in   changes   says yes   sign    node    that it is so
//! ```
//! What the node has prepared is compared with what was asked for before anybody signs: a node may fill in what was left out and change nothing
//! else.

mod batch;
mod compare;
mod confirm;
mod pledge;
mod preview;
mod receipt;
mod seal;

pub(crate) use receipt::answer as receipt;
pub(crate) use seal::Sealer;

use std::path::PathBuf;

use clap::Args;
use protocol::units::Address;
use serde_json::{Map, Value, json};
use signing::bundle::Bundle;

use crate::config::key::Key;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column};

/// What people see of events.
const EVENTS: [Column; 2] = [Column::plain("event", "/event"), Column::rest("what", &["event"])];
/// How long an operation may wait that is sent at once.
const HERE: &str = "10m";
/// How long one may wait that goes from hand to hand. Most nonces are good for a day.
pub(crate) const ELSEWHERE: &str = "20h";

/// Who acts, and for how long.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Signing and sending")]
pub(crate) struct Drafting {
    /// The account that acts.
    #[arg(long, value_name = "ACCOUNT")]
    from: Option<String>,
    /// The delegate that acts for it, under a grant.
    #[arg(long, value_name = "ACCOUNT")]
    by: Option<String>,
    /// The ledger that is signed for, by its name and the first 8 hex digits of its genesis digest: name:0a1b2c3d. A draft for another is refused.
    #[arg(long, value_name = "LEDGER")]
    ledger: Option<String>,
    /// How long the signature may wait before no block takes it any more; otherwise 10m, and 20h for what is signed elsewhere.
    #[arg(long, value_name = "SPAN")]
    valid_for: Option<String>,
}

/// How an operation is signed and sent.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Signing and sending")]
pub(crate) struct Writing {
    #[command(flatten)]
    drafting: Drafting,
    /// A key of the keystore to sign with; may be given several times. Otherwise keys of the account are looked for.
    #[arg(long, value_name = "KEY")]
    sign_with: Vec<String>,
    /// A remote signer that holds the keys.
    #[arg(long, value_name = "URL")]
    signer: Option<String>,
    /// Sign and send without asking.
    #[arg(short, long)]
    yes: bool,
    /// Only say what would happen.
    #[arg(long, conflicts_with_all = ["yes", "unsigned_out"])]
    dry_run: bool,
    /// Sign nothing: write what is to be signed into this file, for surety tx sign on another machine.
    #[arg(long, value_name = "FILE", conflicts_with = "yes")]
    unsigned_out: Option<PathBuf>,
}

/// An operation that somebody wants, with addresses and numbers for all names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    kind: &'static str,
    fields: Map<String, Value>,
}

/// What the node has made of it.
pub(crate) struct Prepared {
    /// What is signed, and who is asked to.
    pub(crate) bundle: Bundle,
    /// What it would do at the moment.
    pub(crate) preview: Value,
    /// What it signs by digest: mandates and terms.
    pub(crate) pledged: Value,
}

impl Wanted {
    /// An operation of a kind with these fields; what the node fills in may be left out.
    pub(crate) fn new(kind: &'static str, fields: Map<String, Value>) -> Self {
        Self { kind, fields }
    }

    /// The name of the kind.
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    /// As the node takes it.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = Map::from_iter([("op".to_owned(), json!(self.kind))]);
        object.extend(self.fields.clone());
        Value::Object(object)
    }
}

impl Writing {
    /// Previews, confirms, signs and sends an operation.
    ///
    /// # Errors
    /// What the ledger refuses; that nobody said yes; what the keys say; what the node says.
    pub(crate) fn send(&self, context: &Context, wanted: Wanted) -> Result<Answer, Failure> {
        let waits_for = if self.unsigned_out.is_some() { ELSEWHERE } else { HERE };
        let prepared = self.drafting.prepare(context, &wanted, waits_for)?;
        if self.dry_run {
            return Ok(preview::answer(&prepared));
        }
        if let Some(file) = &self.unsigned_out {
            return write_bundle(&prepared.bundle, file, "wrote what is to be signed");
        }
        preview::refuse(&prepared, context.book()?)?;
        confirm::ask(context, self.yes, &prepared)?;
        let sealed = self.sealer(context).seal(prepared.bundle)?;
        submit(context, sealed)
    }

    /// Who acts, and for how long.
    pub(crate) fn drafting(&self) -> &Drafting {
        &self.drafting
    }

    fn sealer<'a>(&'a self, context: &'a Context) -> Sealer<'a> {
        Sealer::new(context, &self.sign_with, self.signer.as_deref())
    }
}

impl Drafting {
    /// Lets the node fill in what was left out and say what would happen.
    ///
    /// # Errors
    /// That it is not known who acts; what the node says; that the node has made something else of it.
    pub(crate) fn prepare(
        &self,
        context: &Context,
        wanted: &Wanted,
        waits_for: &str,
    ) -> Result<Prepared, Failure> {
        let account = self.account(context)?;
        let delegate = self.by.as_deref().map(|name| context.book()?.account(name)).transpose()?;
        let span = crate::clock::parse_span(self.valid_for.as_deref().unwrap_or(waits_for))
            .map_err(|why| Failure::usage("field.misfit", format!("--valid-for: {why}")))?;
        let expires = crate::clock::now_ms().saturating_add(span);
        let mut body = json!({
            "account": account.to_string(), "expires": expires.to_string(), "operation": wanted.to_json(),
        });
        if let (Some(delegate), Value::Object(fields)) = (delegate, &mut body) {
            fields.insert("delegate".to_owned(), json!(delegate.to_string()));
        }
        let answer = context.post("/v1/operations/prepare", &body)?;
        // The whole answer was limited when it was read.
        let bundle = Bundle::from_value(answer.get("bundle").unwrap_or(&Value::Null));
        let bundle = bundle.map_err(|error| strange(error.to_string()))?;
        compare::check(wanted, account, delegate, expires, bundle.draft()).map_err(strange)?;
        if let Some(domain) = context.domain_of_folder()
            && domain != *bundle.domain()
        {
            let (asked, found) = (domain.ledger, &bundle.domain().ledger);
            return Err(strange(format!("the draft is for the ledger {found}, and the folder's is {asked}")));
        }
        expect_ledger(context, self.ledger.as_deref(), &bundle)?;
        let operation = signing::json::operation_to_json(&bundle.draft().operation);
        let pledged = pledge::of(context, wanted, &operation)?;
        let preview = answer.get("preview").cloned().unwrap_or_default();
        Ok(Prepared { bundle, preview, pledged })
    }

    /// Who acts.
    ///
    /// # Errors
    /// If nobody is named, or the name is not known.
    pub(crate) fn account(&self, context: &Context) -> Result<Address, Failure> {
        let named = self.from.as_deref().or_else(|| context.settings().text(Key::From));
        let name = named.ok_or_else(|| {
            Failure::usage("writing.nobody-acts", "it is not said which account acts")
                .help("name it with --from, SURETY_FROM or from in the configuration")
        })?;
        context.book()?.account(name)
    }
}

/// A draft must be for the ledger that the command line or the configuration names, where one does.
fn expect_ledger(context: &Context, named: Option<&str>, bundle: &Bundle) -> Result<(), Failure> {
    let found = &bundle.domain().ledger;
    match named.or_else(|| context.settings().text(Key::Ledger)) {
        Some(asked) if asked != found => {
            let what = "this would be signed for another ledger than the one that was named";
            Err(Failure::new(Exit::Network, "network.strange-draft", what)
                .why(format!("it is for the ledger {found}, and it was asked to be {asked}"))
                .help("nothing was signed; look at where it comes from, or at the setting ledger"))
        }
        _ => Ok(()),
    }
}

/// The node is not to be trusted with this.
fn strange(why: String) -> Failure {
    let what = "the node prepared something that was not asked for";
    Failure::new(Exit::Network, "network.strange-draft", what)
        .why(why)
        .help("nothing was signed; look at the node that you ask")
}

/// A bundle for people: what it does, and who is to sign.
pub(crate) fn bundle_page(bundle: &Bundle) -> Answer {
    preview::answer(&Prepared { bundle: bundle.clone(), preview: Value::Null, pledged: Value::Null })
}

/// Shows a bundle and asks for a yes, unless it was said beforehand.
///
/// # Errors
/// If it is for another ledger than the one of the configuration; if nobody can be asked, or the answer is no.
pub(crate) fn confirm_bundle(context: &Context, is_confirmed: bool, bundle: &Bundle) -> Result<(), Failure> {
    expect_ledger(context, None, bundle)?;
    confirm::ask(
        context,
        is_confirmed,
        &Prepared { bundle: bundle.clone(), preview: Value::Null, pledged: Value::Null },
    )
}

/// Writes a bundle into a file that is not there yet.
///
/// # Errors
/// If it is there, or can't be written.
pub(crate) fn write_bundle(bundle: &Bundle, file: &std::path::Path, said: &str) -> Result<Answer, Failure> {
    let text = serde_json::to_string_pretty(&bundle.to_json()).expect("a bundle can be written");
    crate::files::write_new(file, &format!("{text}\n"))?;
    let missing = match bundle.missing() {
        0 => "it has all its signatures; surety tx send sends it".to_owned(),
        1 => "1 more signature is needed".to_owned(),
        many => format!("{many} more signatures are needed"),
    };
    let said = format!("{said} into {}; {missing}", file.display());
    Ok(Answer::said(said).with("file", json!(file)).with("id", json!(bundle.id().to_string())))
}

/// Sends a sealed operation and waits for what becomes of it.
///
/// # Errors
/// What the node says; what the ledger refuses.
pub(crate) fn submit(context: &Context, bundle: Bundle) -> Result<Answer, Failure> {
    deliver(context, bundle).map(receipt)
}

/// The same, as the node answers it.
fn deliver(context: &Context, bundle: Bundle) -> Result<Value, Failure> {
    let missing = bundle.missing();
    if missing > 0 {
        let what = format!("{missing} signatures are missing: the account asks for {}", bundle.threshold());
        return Err(Failure::new(Exit::Key, "key.too-few", what)
            .help("write it to a file with --unsigned-out, and let the others sign with surety tx sign"));
    }
    // Every key of the account may have signed; as many go along as it asks for.
    let seals = bundle.seals().map(|(_, seal)| seal.clone()).take(usize::from(bundle.threshold()));
    let signed = bundle.draft().clone().seal(seals.collect());
    let id = signed.id();
    let answer = context.post("/v1/operations", &signing::json::signed_to_json(&signed));
    answer.map_err(|failure| match failure.exit() {
        Exit::Network | Exit::Timeout => {
            failure.help(format!("ask what became of it before you send it again: surety tx show {id}"))
        }
        _ => failure,
    })
}
