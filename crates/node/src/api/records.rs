//! Records of the ledger: one by one, and as lists.

use axum::extract::State;
use protocol::State as Ledger;
use protocol::query::{self, Page, Read, RequestFilter, stands_on};
use protocol::units::{
    AssetId, Epoch, OperatorId, PoolId, RequestId, ServiceId, SetId, StreamId, ValidatorId,
};
use serde::Deserialize;

use super::lists::Paging;
use super::proofs::{Found, Proving};
use super::{Pinned, Reply, Shared, not_found, value};
use crate::http::extract::{Path, Query};

macro_rules! records {
    ($($thing:literal: $list:ident, $one:ident, $many:ident, $id:ident, $read:ident;)*) => { $(
        #[doc = concat!("The ", $thing, "s, in the order of their numbers.")]
        pub(crate) async fn $list(State(app): Shared, Query(paging): Query<Paging>) -> Reply {
            let read = |state: &Ledger, after: Option<u32>, limit| {
                query::$many(state, after.map($id::new), limit)
            };
            app.read(move |app| app.list(stringify!($list), &paging, read)).await
        }

        #[doc = concat!("One ", $thing, ".")]
        pub(crate) async fn $one(State(app): Shared, path: Path, Query(proving): Query<Proving>) -> Reply {
            app.read_or_prove(proving, move |app, head| {
                let id = $id::new(app.number($thing, path.text("id"))?);
                let record = query::$one(&head.state, id).ok_or_else(|| not_found($thing, head.header.height))?;
                Ok(Found { body: value(&record), keys: stands_on(&head.state, &Read::$read(id)) })
            })
            .await
        }
    )* };
}

records! {
    "asset": assets, asset, assets, AssetId, Asset;
    "operator": operators, operator, operators, OperatorId, Operator;
    "pool": pools, pool, pools, PoolId, Pool;
    "service": services, service, services, ServiceId, Service;
    "set": sets, set, sets, SetId, Set;
    "pod": pods, pod, pods, ValidatorId, Pod;
}

/// Which streams.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StreamsOf {
    /// Only those that pay this set: its number or label.
    pub(crate) set: Option<String>,
    /// The most items.
    #[cfg_attr(test, schemars(range(min = 1)))]
    limit: Option<u16>,
    /// The `next` of the page before.
    #[cfg_attr(test, schemars(length(max = 256)))]
    after: Option<String>,
    /// The height to read at.
    as_of: Option<u64>,
}

/// The streams of rewards.
pub(crate) async fn streams(State(app): Shared, Query(of): Query<StreamsOf>) -> Reply {
    app.read(move |app| {
        let set = of.set.as_deref().map(|set| app.number("set", set)).transpose()?.map(SetId::new);
        let paging = Paging { limit: of.limit, after: of.after, as_of: of.as_of };
        let read = |state: &Ledger, after: Option<u32>, limit| {
            query::streams(state, set, after.map(StreamId::new), limit)
        };
        app.list(&scoped("streams", of.set.as_deref()), &paging, read)
    })
    .await
}

/// One stream of rewards.
pub(crate) async fn stream(State(app): Shared, path: Path, Query(proving): Query<Proving>) -> Reply {
    app.read_or_prove(proving, move |app, head| {
        let id = StreamId::new(app.number("stream", path.text("id"))?);
        let stream = query::stream(&head.state, id).ok_or_else(|| not_found("stream", head.header.height))?;
        Ok(Found { body: value(&stream), keys: stands_on(&head.state, &Read::Stream(id)) })
    })
    .await
}

/// Which requests to slash.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RequestsOf {
    /// Only those of this set: its number or label.
    set: Option<String>,
    /// Only those against this operator: its number or label.
    operator: Option<String>,
    /// Only those that are open.
    open: Option<bool>,
    /// The most items.
    #[cfg_attr(test, schemars(range(min = 1)))]
    limit: Option<u16>,
    /// The `next` of the page before.
    #[cfg_attr(test, schemars(length(max = 256)))]
    after: Option<String>,
    /// The height to read at.
    as_of: Option<u64>,
}

/// The requests to slash.
pub(crate) async fn requests(State(app): Shared, Query(of): Query<RequestsOf>) -> Reply {
    app.read(move |app| {
        let set = of.set.as_deref().map(|set| app.number("set", set)).transpose()?.map(SetId::new);
        let operator = of.operator.as_deref().map(|operator| app.number("operator", operator)).transpose()?;
        let filter = RequestFilter {
            set,
            operator: operator.map(OperatorId::new),
            open_only: of.open.unwrap_or(false),
        };
        let paging = Paging { limit: of.limit, after: of.after, as_of: of.as_of };
        let read = |state: &Ledger, after: Option<u32>, limit| -> Page<query::RequestDetail> {
            query::requests(state, &filter, after.map(RequestId::new), limit)
        };
        app.list(&scoped("requests", of.set.as_deref()), &paging, read)
    })
    .await
}

/// One request to slash.
pub(crate) async fn request(State(app): Shared, path: Path, Query(proving): Query<Proving>) -> Reply {
    app.read_or_prove(proving, move |app, head| {
        let id = RequestId::new(app.number("request", path.text("id"))?);
        let request =
            query::request(&head.state, id).ok_or_else(|| not_found("request", head.header.height))?;
        Ok(Found { body: value(&request), keys: stands_on(&head.state, &Read::Request(id)) })
    })
    .await
}

/// A cursor of a list of one set is none of another's.
fn scoped(list: &str, set: Option<&str>) -> String {
    format!("{list}/{}", set.unwrap_or_default())
}

/// Which stake table of a set.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TableOf {
    /// The table of this epoch; the current one where it is left out.
    epoch: Option<u32>,
    /// The height to read at; not together with `proof`.
    as_of: Option<u64>,
    /// 1: with proofs of the entries that it is made of. Then it is of the moment of the proofs, at or before the newest block.
    #[cfg_attr(test, schemars(range(max = 1)))]
    proof: Option<u8>,
}

/// The stake table of a set.
pub(crate) async fn table(State(app): Shared, path: Path, Query(of): Query<TableOf>) -> Reply {
    let proving = Proving { proof: of.proof, as_of: of.as_of };
    app.read_or_prove(proving, move |app, head| {
        let id = SetId::new(app.number("set", path.text("id"))?);
        let epoch = of.epoch.map_or(head.state.epoch(), Epoch::new);
        let table = query::table(&head.state, id, epoch)
            .ok_or_else(|| not_found("stake table", head.header.height))?;
        Ok(Found { body: value(&table), keys: stands_on(&head.state, &Read::Table(id, epoch)) })
    })
    .await
}

/// How Ethereum is followed. Not found where it is not.
pub(crate) async fn chain(State(app): Shared, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let head = app.heads.at(pinned.as_of)?;
        let chain = query::chain(&head.state);
        app.answer(&head, &chain.ok_or_else(|| not_found("followed Ethereum", head.header.height))?)
    })
    .await
}

/// Where the network stands: how much more an attack costs than it brings.
pub(crate) async fn network(State(app): Shared, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let head = app.heads.at(pinned.as_of)?;
        app.answer(&head, &query::network(&head.state))
    })
    .await
}

/// The rules in force and announced, what is stopped, and how much of everything there is.
pub(crate) async fn parameters(State(app): Shared, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let head = app.heads.at(pinned.as_of)?;
        app.answer(&head, &query::ledger(&head.state))
    })
    .await
}
