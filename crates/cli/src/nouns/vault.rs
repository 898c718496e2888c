//! `surety vault`: pools of stake whose shares need no oracle.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::curation::{CURATION, PLACES};
use super::plan::Apply;
use super::{Paged, Pinned, Whose, path_of, with_query};
use crate::context::Context;
use crate::failure::Failure;
use crate::names::Quantity;
use crate::op::verb::{Under, Vault as Noun};
use crate::output::{Answer, Column, Section, Shape};
use crate::replay::Thing;

/// What is asked about vaults, or done with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the vaults.
    List(Paged),
    /// Show a vault: its rates, what is where, who waits, with whom its stake is.
    Show(Which),
    /// What a vault is worth, and on which entries of the state that stands.
    Rate(Which),
    /// What a vault would accept now: the largest deposit, request and instant exit.
    Limits(LimitsOf),
    /// How many shares assets are, or what shares are worth.
    Convert(HowMuch),
    /// What a deposit, a request or an instant exit would get.
    Preview(PreviewOf),
    /// When shares that are asked back now would be settled, and how that is known.
    ExitTime(HowMuch),
    /// List what waits in a vault: deposits, exits, what was held back.
    Tickets(InVault),
    /// List who has shares of a vault.
    Holders(InVault),
    /// What can slash a vault, and how much at worst.
    Slashable(Which),
    /// How a vault is curated: its bands, every cap with what it bounds, the worst events.
    Curation(Which),
    /// Show an account's shares of all vaults, and what it has waiting.
    Mine(Whose),
    /// Hand in a plan for a vault's stake, as its curator.
    Apply(Apply),
    /// Write a history that makes vaults with the holdings of a published snapshot, for surety replay.
    ImportSnapshot(ImportSnapshot),
    #[command(flatten)]
    Under(Under<Noun>),
}

/// Which vault.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// A name, a number or vault/N.
    vault: String,
    #[command(flatten)]
    pinned: Pinned,
}

/// Whose limits.
#[derive(Debug, Args)]
pub(crate) struct LimitsOf {
    /// A name, a number or vault/N.
    vault: String,
    /// Whose: a name or an address; otherwise anybody's.
    #[arg(long)]
    account: Option<String>,
    #[command(flatten)]
    pinned: Pinned,
}

/// Either assets or shares.
#[derive(Debug, Args)]
#[group(id = "how_much", required = true, multiple = false, args = ["assets", "shares"])]
pub(crate) struct HowMuch {
    /// A name, a number or vault/N.
    vault: String,
    /// How much of the vault's asset: 5eth, or base units.
    #[arg(long, value_name = "AMOUNT")]
    assets: Option<String>,
    /// How many shares: 5calm for whole shares of the vault calm, or a number of them.
    #[arg(long, value_name = "SHARES")]
    shares: Option<String>,
    #[command(flatten)]
    pinned: Pinned,
}

/// What is previewed.
#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = false, args = ["deposit", "request", "instant"])]
pub(crate) struct PreviewOf {
    /// A name, a number or vault/N.
    vault: String,
    /// A deposit of so much: 5eth, or base units.
    #[arg(long, value_name = "AMOUNT")]
    deposit: Option<String>,
    /// So many shares asked back: 5calm for whole shares of the vault calm, or a number of them.
    #[arg(long, value_name = "SHARES")]
    request: Option<String>,
    /// So many shares that leave at once, written alike.
    #[arg(long, value_name = "SHARES")]
    instant: Option<String>,
    /// Whose: a name or an address; otherwise anybody's.
    #[arg(long)]
    account: Option<String>,
    #[command(flatten)]
    pinned: Pinned,
}

/// A list of a vault.
#[derive(Debug, Args)]
pub(crate) struct InVault {
    /// A name, a number or vault/N.
    vault: String,
    #[command(flatten)]
    paged: Paged,
}

/// Where the snapshot is.
#[derive(Debug, Args)]
pub(crate) struct ImportSnapshot {
    /// The snapshot: JSON with graph.lrts, their collateral and their delegations, as restake-xray publishes it.
    file: PathBuf,
    /// Write the history into this file; otherwise it is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const LIST: [Column; 9] = [
    Column::thing(Thing::Vault, "vault", "/vault"),
    Column::plain("number", "/vault"),
    Column::thing(Thing::Asset, "asset", "/asset"),
    Column::amount("worth", "/rate/nav", "/asset"),
    Column::shares("shares", "/rate/supply"),
    Column::shares("waiting to leave", "/queue/waiting"),
    Column::amount("open slashes", "/rate/pending_total", "/asset"),
    Column::share("fee", "/terms/fee"),
    Column::plain("winding down", "/is_winding_down"),
];

const FIELDS: [Column; 31] = [
    Column::thing(Thing::Vault, "vault", "/vault"),
    Column::thing(Thing::Asset, "asset", "/asset"),
    Column::account("account", "/account"),
    Column::plain("share", "/share"),
    Column::amount("worth", "/rate/nav", "/asset"),
    Column::amount("worth at the low price", "/rate/nav_low", "/asset"),
    Column::shares("shares", "/rate/supply"),
    Column::amount("idle", "/buckets/idle", "/asset"),
    Column::amount("staked", "/buckets/staked", "/asset"),
    Column::amount("gains to come", "/drip/unvested", "/asset"),
    Column::amount("waiting deposits", "/buckets/deposits", "/asset"),
    Column::amount("owed to settled exits", "/buckets/escrow", "/asset"),
    Column::amount("withheld for open slashes", "/buckets/contingent", "/asset"),
    Column::amount("held back", "/buckets/holdback", "/asset"),
    Column::amount("fund", "/buckets/fund", "/asset"),
    Column::amount("given unasked", "/buckets/quarantine", "/asset"),
    Column::shares("shares that wait to leave", "/queue/waiting"),
    Column::amount("worth of them", "/queue/worth", "/asset"),
    Column::amount("may leave at once", "/instant/available", "/asset"),
    Column::share("concentration", "/concentration"),
    Column::share("fee on gains", "/terms/fee"),
    Column::amount("cap", "/terms/cap", "/asset"),
    Column::plain("epochs of a gain", "/terms/drip"),
    Column::account("curator", "/terms/curator"),
    Column::account("guardian", "/terms/guardian"),
    Column::account("council", "/terms/council"),
    Column::plain("new terms from epoch", "/announced/from"),
    Column::plain("deposits stopped until epoch", "/deposits_stopped_until"),
    Column::plain("winding down", "/is_winding_down"),
    Column::plain("tick of epoch", "/tick/epoch"),
    Column::plain("tick done", "/tick/is_done"),
];

const PENDING: Section = Section {
    title: "Open requests to slash",
    at: "/rate/pending",
    columns: &[
        Column::thing(Thing::Request, "request", "/request"),
        Column::thing(Thing::Operator, "operator", "/operator"),
        Column::thing(Thing::Set, "set", "/set"),
        Column::amount("at most", "/amount", "/asset"),
        Column::plain("executable from", "/executable_from"),
        Column::plain("lapses after", "/lapses_after"),
    ],
    empty: "none",
};

const SHOW: [Section; 2] = [
    Section {
        title: "With whom",
        at: "/stakes",
        columns: &[
            Column::thing(Thing::Operator, "operator", "/operator"),
            Column::amount("worth", "/worth", "/asset"),
            Column::amount("asked back", "/leaving", "/asset"),
            Column::share("share", "/share"),
        ],
        empty: "nobody",
    },
    PENDING,
];

const RATE: [Column; 12] = [
    Column::thing(Thing::Vault, "vault", "/vault"),
    Column::thing(Thing::Asset, "asset", "/asset"),
    Column::amount("low", "/nav_low", "/asset"),
    Column::amount("high", "/nav_high", "/asset"),
    Column::shares("shares", "/supply"),
    Column::plain("rate, assets", "/high/assets"),
    Column::plain("rate, shares", "/high/shares"),
    Column::plain("low rate, assets", "/low/assets"),
    Column::plain("low rate, shares", "/low/shares"),
    Column::amount("open slashes", "/pending_total", "/asset"),
    Column::plain("tick done", "/is_ticked"),
    Column::words("stands on", "/stands_on"),
];

const LIMITS: [Column; 6] = [
    Column::thing(Thing::Vault, "vault", "/vault"),
    Column::account("account", "/account"),
    Column::amount("largest deposit", "/max_deposit", "/asset"),
    Column::amount("smallest deposit", "/min_deposit", "/asset"),
    Column::shares("most shares asked back", "/max_request"),
    Column::shares("most shares at once", "/max_instant"),
];

const CONVERTED: [Column; 5] = [
    Column::thing(Thing::Vault, "vault", "/vault"),
    Column::amount("assets", "/assets", "/asset"),
    Column::shares("shares", "/shares"),
    Column::plain("rate, assets", "/rate/assets"),
    Column::plain("rate, shares", "/rate/shares"),
];

const PREVIEW: [Column; 13] = [
    Column::thing(Thing::Vault, "vault", "/vault"),
    Column::shares("shares", "/shares"),
    Column::amount("at least", "/assets", "/asset"),
    Column::amount("at most", "/assets_most", "/asset"),
    Column::amount("at the low price", "/gross", "/asset"),
    Column::amount("fee", "/fee/amount", "/asset"),
    Column::amount("held back", "/held", "/asset"),
    Column::plain("until epoch", "/held_until"),
    Column::amount("paid at once", "/paid", "/asset"),
    Column::plain("priced in epoch", "/priced_in"),
    Column::plain("binding", "/is_binding"),
    Column::plain("would be refused", "/refused"),
    Column::thing(Thing::Asset, "asset", "/asset"),
];

const EXIT_TIME: [Column; 8] = [
    Column::thing(Thing::Vault, "vault", "/vault"),
    Column::shares("shares", "/shares"),
    Column::amount("worth", "/assets", "/asset"),
    Column::shares("shares in front", "/ahead"),
    Column::plain("first settled in epoch", "/first_in"),
    Column::plain("all settled in epoch", "/settled_in"),
    Column::amount("open slashes may take", "/could_drift", "/asset"),
    Column::words("counts that", "/assumes"),
];

const EXIT_PARTS: [Section; 1] = [Section {
    title: "What pays for it",
    at: "/parts",
    columns: &[
        Column::plain("epoch", "/epoch"),
        Column::tag("from", "/source"),
        Column::amount("amount", "/amount", "/asset"),
        Column::amount("to those in front", "/ahead", "/asset"),
        Column::amount("to these shares", "/own", "/asset"),
    ],
    empty: "nothing",
}];

const TICKETS: [Column; 11] = [
    Column::thing(Thing::Vault, "vault", "/vault"),
    Column::plain("ticket", "/ticket"),
    Column::tag("what", "/kind"),
    Column::tag("state", "/state"),
    Column::account("owner", "/owner"),
    Column::plain("since epoch", "/requested"),
    Column::amount("amount", "/assets", "/asset"),
    Column::shares("pending shares", "/pending_shares"),
    Column::shares("claimable shares", "/claimable_shares"),
    Column::shares("shares in front", "/ahead"),
    Column::amount("at most", "/pending_at_most", "/asset"),
];

const HOLDERS: [Column; 6] = [
    Column::account("account", "/account"),
    Column::thing(Thing::Vault, "vault", "/vault"),
    Column::shares("shares", "/shares"),
    Column::amount("worth", "/worth", "/asset"),
    Column::amount("at the low price", "/worth_low", "/asset"),
    Column::plain("points", "/points"),
];

const MINE: [Section; 2] = [
    Section { title: "Shares", at: "/shares", columns: &HOLDERS, empty: "none" },
    Section { title: "Waiting", at: "/tickets", columns: &TICKETS, empty: "nothing" },
];

const SLASHABLE: [Section; 2] = [
    Section {
        title: "By operator",
        at: "/positions",
        columns: &[
            Column::plain("entry", "/position"),
            Column::thing(Thing::Operator, "operator", "/operator"),
            Column::tag("state", "/state"),
            Column::amount("worth", "/worth", "/asset"),
            Column::amount("at worst", "/worst_case/amount", "/asset"),
            Column::share("share", "/worst_case/fraction"),
            Column::amount("bond before it", "/bond", "/asset"),
        ],
        empty: "nobody",
    },
    Section {
        title: "All sets together, at worst",
        at: "/totals",
        columns: &[
            Column::thing(Thing::Asset, "asset", "/asset"),
            Column::amount("worth", "/worth", "/asset"),
            Column::amount("at worst", "/worst_case/amount", "/asset"),
            Column::share("share", "/worst_case/fraction"),
        ],
        empty: "",
    },
];

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the node says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::List(paged) => {
                let vaults = paged.list(context, "/v1/vaults", &LIST)?;
                Ok(vaults.where_empty("no vault yet; anyone opens one with surety vault create"))
            }
            Self::Show(which) => which.show(context),
            Self::Rate(which) => which.below(context, "/rate", Shape::Page(&RATE, &[])),
            Self::Limits(of) => of.run(context),
            Self::Convert(how) => how.run(context, "/convert", Shape::Page(&CONVERTED, &[])),
            Self::Preview(of) => of.run(context),
            Self::ExitTime(how) => how.exit_time(context),
            Self::Tickets(of) => of.list(context, "/tickets", &TICKETS, "nothing waits in the vault"),
            Self::Holders(of) => of.list(context, "/holders", &HOLDERS, "nobody has shares"),
            Self::Slashable(which) => which.below(context, "/exposure", Shape::Page(&[], &SLASHABLE)),
            Self::Curation(which) => which.below(context, "/curation", Shape::Page(&CURATION, &PLACES)),
            Self::Mine(whose) => mine(context, whose),
            Self::Apply(apply) => apply.run(context),
            Self::ImportSnapshot(import) => crate::import::run(&import.file, import.out.as_deref()),
            Self::Under(under) => under.run(context),
        }
    }
}

/// Gives the items of a list the asset of the whole, so that people see its amounts.
pub(super) fn with_asset(document: &Value, lists: &[&str]) -> Value {
    let mut view = document.clone();
    for list in lists {
        let Some(Value::Array(items)) = view.pointer_mut(list) else { continue };
        for item in items {
            item["asset"] = document["asset"].clone();
        }
    }
    view
}

impl Which {
    fn show(&self, context: &Context) -> Result<Answer, Failure> {
        let path = path_of(context, Thing::Vault, &self.vault)?;
        let document = self.pinned.get(context, &path)?;
        let view = with_asset(&document, &["/stakes", "/rate/pending"]);
        Ok(Answer::viewed(document, view, Shape::Page(&FIELDS, &SHOW)))
    }

    fn below(&self, context: &Context, below: &str, shape: Shape) -> Result<Answer, Failure> {
        let path = format!("{}{below}", path_of(context, Thing::Vault, &self.vault)?);
        Ok(Answer::new(self.pinned.get(context, &path)?, shape))
    }
}

impl LimitsOf {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let path = format!("{}/limits", path_of(context, Thing::Vault, &self.vault)?);
        let account = address(context, self.account.as_deref())?;
        let document = self.pinned.get(context, &with_query(&path, &[("account", account)]))?;
        Ok(Answer::new(document, Shape::Page(&LIMITS, &[])))
    }
}

fn address(context: &Context, name: Option<&str>) -> Result<Option<String>, Failure> {
    name.map(|name| context.book()?.account(name).map(|address| address.to_string())).transpose()
}

/// Base units: a number alone, or an amount with its asset behind.
fn units(context: &Context, typed: Option<&str>) -> Result<Option<String>, Failure> {
    let Some((typed, quantity)) = parsed(typed)? else { return Ok(None) };
    let units = match quantity.count() {
        Some(units) => Some(units),
        None => context.reader()?.amount(&quantity, None)?,
    };
    units.map(Some).ok_or_else(|| unclear(typed))
}

/// Shares: a number alone, or whole shares with their vault behind.
fn count(context: &Context, typed: Option<&str>) -> Result<Option<String>, Failure> {
    let Some((typed, quantity)) = parsed(typed)? else { return Ok(None) };
    let count = match quantity.count() {
        Some(count) => Some(count),
        None => context.reader()?.shares(&quantity)?,
    };
    count.map(Some).ok_or_else(|| unclear(typed))
}

fn parsed(typed: Option<&str>) -> Result<Option<(&str, Quantity)>, Failure> {
    let Some(typed) = typed else { return Ok(None) };
    Ok(Some((typed, Quantity::parse(typed).map_err(|_| unclear(typed))?)))
}

fn unclear(typed: &str) -> Failure {
    let help =
        "write 5eth or 5calm, with the asset or the vault behind, or a whole number of base units or shares";
    Failure::usage("field.misfit", format!("{typed:?} does not say how much")).help(help)
}

impl HowMuch {
    fn get(&self, context: &Context, below: &str) -> Result<Value, Failure> {
        let path = format!("{}{below}", path_of(context, Thing::Vault, &self.vault)?);
        let parameters = [
            ("assets", units(context, self.assets.as_deref())?),
            ("shares", count(context, self.shares.as_deref())?),
        ];
        self.pinned.get(context, &with_query(&path, &parameters))
    }

    fn run(&self, context: &Context, below: &str, shape: Shape) -> Result<Answer, Failure> {
        Ok(Answer::new(self.get(context, below)?, shape))
    }

    fn exit_time(&self, context: &Context) -> Result<Answer, Failure> {
        let document = self.get(context, "/exit-time")?;
        let view = with_asset(&document, &["/parts"]);
        Ok(Answer::viewed(document, view, Shape::Page(&EXIT_TIME, &EXIT_PARTS)))
    }
}

impl PreviewOf {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let path = format!("{}/preview", path_of(context, Thing::Vault, &self.vault)?);
        let parameters = [
            ("deposit", units(context, self.deposit.as_deref())?),
            ("request", count(context, self.request.as_deref())?),
            ("instant", count(context, self.instant.as_deref())?),
            ("account", address(context, self.account.as_deref())?),
        ];
        let document = self.pinned.get(context, &with_query(&path, &parameters))?;
        Ok(Answer::new(document, Shape::Page(&PREVIEW, &[])))
    }
}

impl InVault {
    fn list(
        &self,
        context: &Context,
        below: &str,
        columns: &'static [Column],
        empty: &'static str,
    ) -> Result<Answer, Failure> {
        let path = format!("{}{below}", path_of(context, Thing::Vault, &self.vault)?);
        Ok(self.paged.list(context, &path, columns)?.where_empty(empty))
    }
}

fn mine(context: &Context, whose: &Whose) -> Result<Answer, Failure> {
    let (shares, tickets) = (whose.get(context, "/shares")?, whose.get(context, "/tickets")?);
    let document = json!({
        "account": shares["account"], "shares": shares["items"], "tickets": tickets["items"], "as_of": shares["as_of"],
    });
    Ok(Answer::new(document, Shape::Page(&[], &MINE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Recorded;

    #[test]
    fn the_parts_of_an_exit_are_amounts_of_the_vaults_asset() {
        let document = json!({ "asset": 3, "parts": [{ "epoch": 4, "amount": "5" }], "assumes": [] });
        assert_eq!(with_asset(&document, &["/parts"])["parts"][0]["asset"], json!(3));
        assert_eq!(with_asset(&document, &["/none"]), document);
    }

    #[test]
    fn a_vault_is_found_by_its_label() {
        let node = Recorded::default()
            .with("/v1/labels", json!({ "items": [{ "key": "vault/1", "label": "calm" }] }))
            .with("/v1/assets?limit=500", json!({ "items": [] }))
            .with(
                "/v1/vaults/1/convert?shares=7",
                json!({ "vault": 1, "asset": 0, "assets": "6", "shares": "7" }),
            );
        let how = HowMuch {
            vault: "calm".to_owned(),
            assets: None,
            shares: Some("7".to_owned()),
            pinned: Pinned::default(),
        };
        let answer = how.get(&Context::over(node), "/convert").expect("the node has it");
        assert_eq!(answer["assets"], json!("6"));
    }

    #[test]
    fn whole_shares_have_three_more_places_than_the_asset_of_their_vault() {
        let node = Recorded::default()
            .with("/v1/labels", json!({ "items": [{ "key": "vault/1", "label": "calm" }] }))
            .with("/v1/assets?limit=500", json!({ "items": [{ "asset": 4, "decimals": 6 }] }))
            .with("/v1/vaults/1", json!({ "vault": 1, "asset": 4 }));
        let context = Context::over(node);
        for (typed, shares) in [("1.5calm", "1500000000"), ("7", "7"), ("0.000000001 vault/1", "1")] {
            assert_eq!(count(&context, Some(typed)).expect(typed).as_deref(), Some(shares), "{typed}");
        }
        assert_eq!(count(&context, None).expect("nothing"), None);
        let codes = [
            ("1.5", "field.misfit"),
            ("all", "field.misfit"),
            ("x", "field.misfit"),
            ("1brisk", "name.unknown"),
            ("0.0000000001calm", "amount.too-fine"),
        ];
        for (typed, code) in codes {
            assert_eq!(count(&context, Some(typed)).expect_err(typed).code(), code, "{typed}");
        }
        let shown = Column::shares("shares", "/shares");
        let item = json!({ "vault": 1, "asset": 4, "shares": "1500000000" });
        assert_eq!(shown.shown(&item, context.book().expect("names")), "1.5 calm");
        assert_eq!(shown.raw(&item), "1500000000");
    }
}
