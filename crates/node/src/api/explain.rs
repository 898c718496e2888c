//! How a figure comes about: its inputs and formulas, down to what is stored, at a height.

use axum::extract::State;
use protocol::query::explain::Figure;
use protocol::query::explain::{FIGURES, explain as explained};
use protocol::units::{Address, AssetId, PoolId, SetId};
use serde::Deserialize;
use serde_json::json;

use super::{Reply, Shared, not_found};
use crate::app::App;
use crate::http::extract::{Path, Query};
use crate::http::problem::{Code, Problem};

/// What a figure is asked of. Each figure needs some of these.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Of {
    /// Whose: an address or a label.
    account: Option<String>,
    /// Which entry of stake.
    position: Option<u32>,
    /// Which set: its number or label.
    set: Option<String>,
    /// Which token: its number or label.
    token: Option<String>,
    /// Which pool.
    pool: Option<String>,
    /// The height to read at; the newest where it is left out.
    as_of: Option<u64>,
}

/// How a figure comes about.
pub(crate) async fn explain(State(app): Shared, path: Path, Query(of): Query<Of>) -> Reply {
    app.read(move |app| {
        let head = app.heads.at(of.as_of)?;
        let figure = app.figure(path.text("figure"), &of)?;
        let explained =
            explained(&head.state, &figure).ok_or_else(|| not_found("figure", head.header.height))?;
        app.answer(&head, &explained)
    })
    .await
}

/// The figures that can be explained.
pub(crate) async fn figures() -> Reply {
    Ok(super::json(&json!({ "items": FIGURES })))
}

impl App {
    fn figure(&self, name: &str, of: &Of) -> Result<Figure, Problem> {
        let missing = |parameter: &str| {
            let cause = format!("this figure is asked of a {parameter}");
            Problem::new(Code::MalformedParameter, format!("`{parameter}` is missing"), cause)
        };
        let account = || -> Result<Address, Problem> {
            self.address(of.account.as_deref().ok_or_else(|| missing("account"))?)
        };
        let position = || of.position.ok_or_else(|| missing("position"));
        let set = || -> Result<SetId, Problem> {
            Ok(SetId::new(self.number("set", of.set.as_deref().ok_or_else(|| missing("set"))?)?))
        };
        let token = || -> Result<AssetId, Problem> {
            Ok(AssetId::new(self.number("asset", of.token.as_deref().ok_or_else(|| missing("token"))?)?))
        };
        let pool = || -> Result<PoolId, Problem> {
            Ok(PoolId::new(self.number("pool", of.pool.as_deref().ok_or_else(|| missing("pool"))?)?))
        };
        Ok(match name {
            "position_worth" => Figure::PositionWorth { account: account()?, position: position()? },
            "position_worst_case" => Figure::PositionWorstCase { account: account()?, position: position()? },
            "set_exposure" => Figure::SetExposure { account: account()?, position: position()?, set: set()? },
            "free_at" => Figure::FreeAt { account: account()?, position: position()? },
            "unsettled" => Figure::Unsettled { account: account()?, position: position()?, token: token()? },
            "claimable" => Figure::Claimable { account: account()?, token: token()? },
            "pool_worst_case" => Figure::PoolWorstCase { pool: pool()? },
            "secured" => Figure::Secured { set: set()? },
            "needed" => Figure::Needed { set: set()? },
            "slack" => Figure::Slack { set: set()? },
            _ => {
                let cause = format!("the figures are {}", FIGURES.join(", "));
                return Err(Problem::new(Code::NotFound, "there is no figure of that name", cause));
            }
        })
    }
}
