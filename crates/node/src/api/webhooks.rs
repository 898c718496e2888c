//! Webhooks: added, listed, removed. Only from the machine that the node runs on.

use std::collections::BTreeSet;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use protocol::units::Address;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Reply, Shared, json as answer, not_found, value};
use crate::http::extract::{Json, Path};
use crate::http::guard::Client;
use crate::http::problem::{Code, Problem};
use crate::topics;
use crate::webhooks::{Hook, NotAdded};

/// A webhook to be added.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHook {
    /// Where deliveries go: `http://` and the loopback or a host that the node's configuration allows.
    #[cfg_attr(test, schemars(length(min = 8, max = 512)))]
    url: String,
    /// What deliveries are signed with.
    #[cfg_attr(test, schemars(length(min = 16, max = 128)))]
    secret: String,
    /// Only events that concern this account: its address or label.
    #[serde(default)]
    account: Option<String>,
    /// Only events of these topics.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = 100)))]
    topics: Vec<String>,
}

/// A webhook without its secret.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct HookView {
    /// Its number.
    id: u32,
    /// Where deliveries go.
    url: String,
    /// Only events that concern this account.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    account: Option<Address>,
    /// Only events of these topics; all where it is empty.
    topics: BTreeSet<String>,
    /// The events of this height and all below were delivered or given up.
    told: u64,
}

impl HookView {
    fn of(hook: Hook) -> Self {
        let Hook { id, url, account, topics, told, .. } = hook;
        Self { id, url, account, topics, told }
    }
}

/// Whoever reaches the node from another machine must not make it send things on this one; not through a proxy on this machine either, nor
/// through a browser on it that was led here under another name.
fn check_local(client: Option<Extension<Client>>) -> Result<(), Problem> {
    let Some(Extension(client)) = client else { return Ok(()) };
    let cause = if !client.address.to_canonical().is_loopback() {
        "webhooks are managed from the machine that the node runs on"
    } else if client.is_forwarded {
        "the request was forwarded by a proxy, and webhooks are managed directly"
    } else if !client.calls_by_own_name {
        "`host` is neither an address nor `localhost` nor in `http.hosts`: a page of another origin may be asking"
    } else {
        return Ok(());
    };
    Err(Problem::new(Code::Forbidden, "the webhooks can't be managed from here", cause))
}

/// Adds a webhook; it is told of what happens from now on.
pub(crate) async fn add(
    State(app): Shared,
    client: Option<Extension<Client>>,
    Json(new): Json<NewHook>,
) -> Reply {
    check_local(client)?;
    app.read(move |app| {
        let malformed = |detail: &str, cause: String| Problem::new(Code::MalformedJson, detail, cause);
        if !(16..=128).contains(&new.secret.len()) {
            let cause = format!("it has {} bytes, and must have 16 to 128", new.secret.len());
            return Err(malformed("`secret` can't be used", cause));
        }
        let topics = topics::topics(&new.topics.join(","));
        let topics = topics.map_err(|why| malformed("`topics` can't be used", why))?;
        let account = new.account.as_deref().map(|account| app.address(account)).transpose()?;
        let told = app.heads.newest().header.height;
        let hook = Hook { id: 0, url: new.url, account, topics, secret: new.secret, told };
        let added = app.webhooks.add(hook).map_err(|why| match why {
            NotAdded::Target(why) => malformed("`url` can't be used", why),
            NotAdded::TooMany(limit) => {
                let cause = format!("{limit} are registered, and no more are allowed");
                Problem::new(Code::Forbidden, "the webhook was not added", cause)
            }
            NotAdded::Disk(why) => Problem::new(Code::Busy, "the webhook was not added", why),
        })?;
        Ok((StatusCode::CREATED, answer(&value(&HookView::of(added)))).into_response())
    })
    .await
}

/// All webhooks, without their secrets.
pub(crate) async fn list(State(app): Shared, client: Option<Extension<Client>>) -> Reply {
    check_local(client)?;
    app.read(|app| {
        let items: Vec<HookView> = app.webhooks.all().into_iter().map(HookView::of).collect();
        Ok(answer(&json!({ "items": items })))
    })
    .await
}

/// Removes a webhook.
pub(crate) async fn remove(State(app): Shared, client: Option<Extension<Client>>, path: Path) -> Reply {
    check_local(client)?;
    app.read(move |app| {
        let id = app.number("webhook", path.text("id"))?;
        let removed = app.webhooks.remove(id);
        match removed.map_err(|why| Problem::new(Code::Busy, "the webhook may come back", why))? {
            true => Ok(StatusCode::NO_CONTENT.into_response()),
            false => Err(not_found("webhook", app.heads.newest().header.height)),
        }
    })
    .await
}
