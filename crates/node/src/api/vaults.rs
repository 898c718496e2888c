//! Vaults and their shares, in the words of ERC-4626 and ERC-7540.

use axum::extract::State;
use protocol::State as Ledger;
use protocol::query::{self, Page};
use protocol::units::{AccountId, Address, Amount, BasketId, ShareId, Shares, TicketId, VaultId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::{Entries, exposed};
use super::lists::Paging;
use super::proofs::{Found, Proving};
use super::when::When;
use super::{Pinned, Reply, Shared, not_found, object, value};
use crate::app::App;
use crate::http::extract::{Path, Query, cut};
use crate::http::problem::{Code, Problem};

/// The vaults, in the order of their numbers.
pub(crate) async fn vaults(State(app): Shared, Query(paging): Query<Paging>) -> Reply {
    let read =
        |state: &Ledger, after: Option<u32>, limit| query::vaults(state, after.map(VaultId::new), limit);
    app.read(move |app| app.list("vaults", &paging, read)).await
}

/// One vault.
pub(crate) async fn vault(State(app): Shared, path: Path, Query(proving): Query<Proving>) -> Reply {
    app.read_or_prove(proving, move |app, head| {
        let id = app.vault_id(&path)?;
        let vault = query::vault(&head.state, id).ok_or_else(|| not_found("vault", head.header.height))?;
        Ok(Found { body: value(&vault), keys: query::vault_stands_on(&head.state, id) })
    })
    .await
}

/// How a vault is curated.
pub(crate) async fn vault_curation(State(app): Shared, path: Path, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let id = app.vault_id(&path)?;
        let head = app.heads.at(pinned.as_of)?;
        let curation =
            query::curation(&head.state, id).ok_or_else(|| not_found("vault", head.header.height))?;
        app.answer(&head, &curation)
    })
    .await
}

/// What the ledger's own allocator would move in a vault.
pub(crate) async fn vault_plan(State(app): Shared, path: Path, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let id = app.vault_id(&path)?;
        let head = app.heads.at(pinned.as_of)?;
        let plan = query::plan(&head.state, id).ok_or_else(|| not_found("vault", head.header.height))?;
        app.answer(&head, &plan)
    })
    .await
}

/// The baskets, in the order of their numbers.
pub(crate) async fn baskets(State(app): Shared, Query(paging): Query<Paging>) -> Reply {
    let read =
        |state: &Ledger, after: Option<u32>, limit| query::baskets(state, after.map(BasketId::new), limit);
    app.read(move |app| app.list("baskets", &paging, read)).await
}

/// One basket.
pub(crate) async fn basket(State(app): Shared, path: Path, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let id = app.basket_id(&path)?;
        let head = app.heads.at(pinned.as_of)?;
        let basket = query::basket(&head.state, id).ok_or_else(|| not_found("basket", head.header.height))?;
        app.answer(&head, &basket)
    })
    .await
}

/// How many shares of a basket.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SharesOf {
    /// Shares.
    #[cfg_attr(test, schemars(length(max = 39)))]
    shares: String,
    /// The height to read at; the newest where it is left out.
    as_of: Option<u64>,
}

/// What shares of a basket take and give in kind.
pub(crate) async fn basket_in_kind(State(app): Shared, path: Path, Query(of): Query<SharesOf>) -> Reply {
    app.read(move |app| {
        let id = app.basket_id(&path)?;
        let shares = Shares::new(number("shares", &of.shares)?);
        let head = app.heads.at(of.as_of)?;
        let in_kind =
            query::in_kind(&head.state, id, shares).ok_or_else(|| not_found("basket", head.header.height))?;
        app.answer(&head, &in_kind)
    })
    .await
}

/// What a vault is worth, and at which rates: the feed for whoever lends against shares.
pub(crate) async fn vault_rate(State(app): Shared, path: Path, Query(proving): Query<Proving>) -> Reply {
    app.read_or_prove(proving, move |app, head| {
        let id = app.vault_id(&path)?;
        let feed = query::rate_feed(&head.state, id).ok_or_else(|| not_found("vault", head.header.height))?;
        let keys = query::vault_stands_on(&head.state, id);
        let mut body = object(&feed);
        body.insert("stands_on".to_owned(), keys.iter().map(|key| json!(key.to_string())).collect());
        Ok(Found { body: Value::Object(body), keys })
    })
    .await
}

/// Whose limits.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitsOf {
    /// Whose: an address or a label; anybody's where it is left out.
    account: Option<String>,
    /// The height to read at; the newest where it is left out.
    as_of: Option<u64>,
}

/// What a vault would accept now.
pub(crate) async fn vault_limits(State(app): Shared, path: Path, Query(of): Query<LimitsOf>) -> Reply {
    app.read(move |app| {
        let id = app.vault_id(&path)?;
        let account = app.maybe_address(of.account.as_deref())?;
        let head = app.heads.at(of.as_of)?;
        let limits =
            query::limits(&head.state, id, account).ok_or_else(|| not_found("vault", head.header.height))?;
        app.answer(&head, &limits)
    })
    .await
}

/// Either assets or shares.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HowMuch {
    /// Base units of the vault's asset.
    #[cfg_attr(test, schemars(length(max = 39)))]
    assets: Option<String>,
    /// Shares.
    #[cfg_attr(test, schemars(length(max = 39)))]
    shares: Option<String>,
    /// The height to read at; the newest where it is left out.
    as_of: Option<u64>,
}

/// How many shares assets are, or what shares are worth.
pub(crate) async fn vault_convert(State(app): Shared, path: Path, Query(how): Query<HowMuch>) -> Reply {
    app.read(move |app| {
        let id = app.vault_id(&path)?;
        let head = app.heads.at(how.as_of)?;
        let converted = match (how.assets.as_deref(), how.shares.as_deref()) {
            (Some(assets), None) => query::convert_to_shares(&head.state, id, amount("assets", assets)?),
            (None, Some(shares)) => query::convert_to_assets(&head.state, id, count("shares", shares)?),
            _ => return Err(one_of("`assets` or `shares`")),
        };
        app.answer(&head, &converted.ok_or_else(|| not_found("vault", head.header.height))?)
    })
    .await
}

/// What is previewed.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PreviewOf {
    /// A deposit of so many base units of the asset.
    #[cfg_attr(test, schemars(length(max = 39)))]
    deposit: Option<String>,
    /// So many shares asked back.
    #[cfg_attr(test, schemars(length(max = 39)))]
    request: Option<String>,
    /// So many shares that leave at once.
    #[cfg_attr(test, schemars(length(max = 39)))]
    instant: Option<String>,
    /// Whose: an address or a label; anybody's where it is left out.
    account: Option<String>,
    /// The height to read at; the newest where it is left out.
    as_of: Option<u64>,
}

/// What something would get.
pub(crate) async fn vault_preview(State(app): Shared, path: Path, Query(of): Query<PreviewOf>) -> Reply {
    app.read(move |app| {
        let id = app.vault_id(&path)?;
        let account = app.maybe_address(of.account.as_deref())?;
        let head = app.heads.at(of.as_of)?;
        let state = &head.state;
        let body = match (of.deposit.as_deref(), of.request.as_deref(), of.instant.as_deref()) {
            (Some(deposit), None, None) => {
                let preview = query::preview_deposit(state, id, amount("deposit", deposit)?, account);
                preview.map(|preview| object(&preview))
            }
            (None, Some(request), None) => {
                let preview = query::preview_request(state, id, count("request", request)?);
                preview.map(|preview| object(&preview))
            }
            (None, None, Some(instant)) => {
                let preview = query::preview_instant(state, id, count("instant", instant)?, account);
                preview.map(|preview| object(&preview))
            }
            _ => return Err(one_of("`deposit`, `request` or `instant`")),
        };
        let body = body.ok_or_else(|| not_found("vault", head.header.height))?;
        app.answer(&head, &Value::Object(body))
    })
    .await
}

/// How long it would take until shares that are asked back now are settled.
pub(crate) async fn exit_time(State(app): Shared, path: Path, Query(how): Query<HowMuch>) -> Reply {
    app.read(move |app| {
        let id = app.vault_id(&path)?;
        let head = app.heads.at(how.as_of)?;
        let shares = match (how.assets.as_deref(), how.shares.as_deref()) {
            (Some(assets), None) => {
                let assets = amount("assets", assets)?;
                query::convert_to_shares(&head.state, id, assets).map(|converted| converted.shares)
            }
            (None, Some(shares)) => Some(count("shares", shares)?),
            _ => return Err(one_of("`assets` or `shares`")),
        };
        let estimate = shares.and_then(|shares| query::exit_time_estimate(&head.state, id, shares));
        let estimate = estimate.ok_or_else(|| not_found("vault", head.header.height))?;
        let when: Option<When> = estimate.settled_in.map(|epoch| app.when(&head, epoch));
        let mut body = object(&estimate);
        body.insert("settled".to_owned(), value(&when));
        app.answer(&head, &Value::Object(body))
    })
    .await
}

/// What waits in a vault.
pub(crate) async fn tickets(State(app): Shared, path: Path, Query(paging): Query<Paging>) -> Reply {
    app.read(move |app| {
        let id = app.vault_id(&path)?;
        let read = |state: &Ledger, after: Option<u32>, limit| {
            query::tickets(state, id, after.map(TicketId::new), limit)
        };
        app.list(&format!("tickets/{}", id.number()), &paging, read)
    })
    .await
}

/// One thing that waits in a vault.
pub(crate) async fn ticket(State(app): Shared, path: Path, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let id = app.vault_id(&path)?;
        let ticket = TicketId::new(app.number("ticket", path.text("ticket"))?);
        let head = app.heads.at(pinned.as_of)?;
        let ticket =
            query::ticket(&head.state, id, ticket).ok_or_else(|| not_found("ticket", head.header.height))?;
        app.answer(&head, &ticket)
    })
    .await
}

/// Who has shares of a vault.
pub(crate) async fn holders(State(app): Shared, path: Path, Query(paging): Query<Paging>) -> Reply {
    app.read(move |app| {
        let id = app.vault_id(&path)?;
        let read = |state: &Ledger, after: Option<u32>, limit| {
            let share = query::rate_feed(state, id).map(|feed| feed.share);
            let listed = share.map(|share| query::holders(state, share, after.map(AccountId::new), limit));
            listed.unwrap_or(Page { items: Vec::new(), next: None })
        };
        app.list(&format!("holders/{}", id.number()), &paging, read)
    })
    .await
}

/// What can slash a vault, and how much at worst: the exposure of its account.
pub(crate) async fn vault_exposure(State(app): Shared, path: Path, Query(entries): Query<Entries>) -> Reply {
    app.read_or_prove(entries.proving(), move |app, head| {
        let account = query::vault_account(&head.state, app.vault_id(&path)?);
        let account = account.ok_or_else(|| not_found("vault", head.header.height))?;
        exposed(app, head, entries, account)
    })
    .await
}

/// The sorts of shares.
pub(crate) async fn shares(State(app): Shared, Query(paging): Query<Paging>) -> Reply {
    let read =
        |state: &Ledger, after: Option<u32>, limit| query::shares(state, after.map(ShareId::new), limit);
    app.read(move |app| app.list("shares", &paging, read)).await
}

/// The shares of an account.
pub(crate) async fn holdings(State(app): Shared, path: Path, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let (head, account) = app.account_of(&path, pinned)?;
        let items = query::holdings(&head.state, account);
        app.answer(&head, &json!({ "account": account, "items": items }))
    })
    .await
}

/// What an account has waiting in vaults.
pub(crate) async fn account_tickets(State(app): Shared, path: Path, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let (head, account) = app.account_of(&path, pinned)?;
        let items = query::tickets_of(&head.state, account);
        app.answer(&head, &json!({ "account": account, "items": items }))
    })
    .await
}

impl App {
    fn vault_id(&self, path: &Path) -> Result<VaultId, Problem> {
        Ok(VaultId::new(self.number("vault", path.text("id"))?))
    }

    fn basket_id(&self, path: &Path) -> Result<BasketId, Problem> {
        Ok(BasketId::new(self.number("basket", path.text("id"))?))
    }

    fn maybe_address(&self, text: Option<&str>) -> Result<Option<Address>, Problem> {
        text.map(|text| self.address(text)).transpose()
    }
}

/// Base units out of a query.
fn amount(name: &str, text: &str) -> Result<Amount, Problem> {
    let units = number(name, text)?;
    let amount = Amount::new(units);
    if amount > Amount::LIMIT {
        return Err(unreadable(name, &format!("{amount} is more than there can be, {}", Amount::LIMIT)));
    }
    Ok(amount)
}

/// Shares out of a query.
fn count(name: &str, text: &str) -> Result<Shares, Problem> {
    let shares = Shares::new(number(name, text)?);
    if shares > Shares::LIMIT {
        return Err(unreadable(name, &format!("{shares} is more than there can be, {}", Shares::LIMIT)));
    }
    Ok(shares)
}

fn number(name: &str, text: &str) -> Result<u128, Problem> {
    text.parse().map_err(|_| unreadable(name, "it is a whole number of base units, without a unit"))
}

fn unreadable(name: &str, why: &str) -> Problem {
    Problem::new(Code::MalformedParameter, format!("`{name}` can't be read"), cut(why))
}

fn one_of(which: &str) -> Problem {
    Problem::new(
        Code::MalformedParameter,
        format!("exactly one of {which} is needed"),
        "none or several are given",
    )
}
