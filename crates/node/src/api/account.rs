//! Accounts, and the three questions: what do I earn, what can slash me and how much at worst, when am I out.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use ledger::{Executed, Head, Outcome, Receipt};
use protocol::entries::Key;
use protocol::query::{self, ExitState, Notice, PositionExposure, Read, stands_on};
use protocol::units::{Address, Epoch};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lists::{Paging, bad_cursor};
use super::proofs::{Found, Proving};
use super::when::When;
use super::{Pinned, Reply, Shared, not_found, value};
use crate::app::App;
use crate::http::extract::{Path, Query};
use crate::http::problem::{Code, Problem};
use crate::{calendar, feed};

/// How long one page of a history looks through blocks.
const LOOK_BACK: Duration = Duration::from_millis(250);

/// Accounts by order of appearance.
pub(crate) async fn accounts(State(app): Shared, Query(paging): Query<Paging>) -> Reply {
    app.read(move |app| {
        let range = app.range("accounts", &paging)?;
        let after = range.after.map(|after| after.parse().map_err(|_| bad_cursor())).transpose()?;
        let page = query::accounts(&range.head.state, after, range.limit);
        let items: Vec<Value> = page.items.iter().map(value).collect();
        let last = page.items.last().filter(|_| page.next.is_some());
        app.page("accounts", &range.head, &items, last.map(|last| last.account.to_string()))
    })
    .await
}

/// What an account has, and who acts for it.
pub(crate) async fn account(State(app): Shared, path: Path, Query(proving): Query<Proving>) -> Reply {
    app.read_or_prove(proving, move |app, head| {
        let address = app.address(path.text("account"))?;
        let account =
            query::account(&head.state, address).ok_or_else(|| not_found("account", head.header.height))?;
        Ok(Found { body: value(&account), keys: stands_on(&head.state, &Read::Account(address)) })
    })
    .await
}

/// Its entries of stake.
pub(crate) async fn positions(State(app): Shared, path: Path, Query(proving): Query<Proving>) -> Reply {
    app.read_or_prove(proving, move |app, head| {
        let account = app.address(path.text("account"))?;
        let items = query::positions(&head.state, account);
        let keys = stands_on(&head.state, &Read::Positions(account));
        Ok(Found { body: json!({ "account": account, "items": items }), keys })
    })
    .await
}

/// Which entries of stake of an account. The sums are those of all, whatever is shown.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Entries {
    /// The most entries; as many as the node allows where it is left out.
    #[cfg_attr(test, schemars(range(min = 1)))]
    limit: Option<u16>,
    /// The `next` of the page before; pin `as_of` to read all pages at one height.
    after: Option<u32>,
    /// The height to read at; the newest where it is left out.
    as_of: Option<u64>,
    /// 1: with proofs of the entries that it is made of. Then it is of the moment of the proofs, at or before the newest block.
    #[cfg_attr(test, schemars(range(max = 1)))]
    proof: Option<u8>,
}

impl Entries {
    pub(crate) fn proving(self) -> Proving {
        Proving { proof: self.proof, as_of: self.as_of }
    }

    pub(crate) fn after(self) -> Option<u32> {
        self.after
    }

    /// How many entries a page has.
    pub(crate) fn limit(self, app: &App) -> Result<usize, Problem> {
        app.limit(self.limit.or(Some(app.config.http.page_max)))
    }
}

/// What do I earn?
pub(crate) async fn rewards(State(app): Shared, path: Path, Query(entries): Query<Entries>) -> Reply {
    let proving = entries.proving();
    app.read_or_prove(proving, move |app, head| {
        let account = app.address(path.text("account"))?;
        let body = value(&query::earnings_page(&head.state, account, entries.after(), entries.limit(app)?));
        Ok(Found { body, keys: made_of(head, proving, Read::Rewards(account))? })
    })
    .await
}

/// The entries that an answer is made of, where proofs are asked for.
///
/// # Errors
/// If they have no bound.
pub(crate) fn made_of(head: &Head, proving: Proving, read: Read) -> Result<Vec<Key>, Problem> {
    if proving.proof.unwrap_or(0) == 0 {
        return Ok(Vec::new());
    }
    match query::unbounded(&head.state, &read) {
        None => Ok(stands_on(&head.state, &read)),
        Some(why) => {
            let cause = format!("{why}; /v1/vaults/{{id}}/rate and /v1/entries have proofs");
            Err(Problem::new(Code::MalformedParameter, "`proof` can't be used for this account", cause))
        }
    }
}

/// What can slash me, and how much at worst?
pub(crate) async fn exposure(State(app): Shared, path: Path, Query(entries): Query<Entries>) -> Reply {
    app.read_or_prove(entries.proving(), move |app, head| {
        exposed(app, head, entries, app.address(path.text("account"))?)
    })
    .await
}

/// What can slash an account.
pub(crate) fn exposed(app: &App, head: &Head, entries: Entries, account: Address) -> Result<Found, Problem> {
    let body = value(&query::exposure_page(&head.state, account, entries.after(), entries.limit(app)?));
    Ok(Found { body, keys: made_of(head, entries.proving(), Read::Exposure(account))? })
}

/// Every entry of stake of an account that can be slashed, from all pages.
pub(crate) fn whole_exposure(state: &protocol::State, account: Address) -> Vec<PositionExposure> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = query::exposure_page(state, account, after, query::PAGE_MAX);
        all.extend(page.positions);
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

/// When an entry of stake is out.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct DatedExit {
    #[serde(flatten)]
    pub(crate) exit: query::Exit,
    /// When it is free, or would be if it were asked back now; none for what comes back at once.
    pub(crate) free: Option<When>,
}

/// When an account is out.
pub(crate) fn dated_exits(app: &App, head: &Head, account: Address) -> Vec<DatedExit> {
    let date = |exit: query::Exit| {
        let epoch = match &exit.exit {
            ExitState::Joining { .. } => None,
            ExitState::Bonded { free_at, .. } | ExitState::Unbonding { free_at, .. } => Some(*free_at),
            ExitState::Free { since, .. } => Some(*since),
        };
        DatedExit { exit, free: epoch.map(|epoch| app.when(head, epoch)) }
    };
    query::exits(&head.state, account).positions.into_iter().map(date).collect()
}

/// When am I out?
pub(crate) async fn exits(State(app): Shared, path: Path, Query(proving): Query<Proving>) -> Reply {
    app.read_or_prove(proving, move |app, head| {
        let account = app.address(path.text("account"))?;
        let positions = dated_exits(app, head, account);
        let epoch = head.state.epoch();
        let answer = query::exits(&head.state, account);
        let (vaults, tickets) = (answer.vaults, answer.tickets);
        let mut body = json!({ "account": account, "epoch": epoch, "positions": positions, "vaults": vaults, "tickets": tickets });
        if let (Some(1..), Some(fields)) = (proving.proof, body.as_object_mut()) {
            let estimates = json!(["positions.free: times to come are this node's estimates"]);
            fields.insert("not_proven".to_owned(), estimates);
        }
        Ok(Found { body, keys: made_of(head, proving, Read::Exits(account))? })
    })
    .await
}

/// The same as a calendar.
pub(crate) async fn exits_ics(State(app): Shared, path: Path, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let (head, account) = app.account_of(&path, pinned)?;
        let text = calendar::exits(app, &head, account, &dated_exits(app, &head, account));
        Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"))], text)
            .into_response())
    })
    .await
}

/// Something that is scheduled, with its times.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct DatedNotice {
    #[serde(flatten)]
    pub(crate) notice: Notice,
    /// When it counts; none for what already does.
    pub(crate) starts: Option<When>,
    /// The end of the last epoch in which the account can do something about it.
    pub(crate) act_before: Option<When>,
}

/// What is scheduled that concerns an account.
pub(crate) fn dated_notices(app: &App, head: &Head, account: Address) -> Vec<DatedNotice> {
    let date = |notice: Notice| {
        let starts = notice.from.map(|epoch| app.when(head, epoch));
        let act_before = notice.act_by.map(Epoch::next).map(|epoch| app.when(head, epoch));
        DatedNotice { notice, starts, act_before }
    };
    query::notices(&head.state, account).into_iter().map(date).collect()
}

/// What is scheduled that concerns an account, and what cancels it.
pub(crate) async fn notices(State(app): Shared, path: Path, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let (head, account) = app.account_of(&path, pinned)?;
        let items = dated_notices(app, &head, account);
        app.answer(&head, &json!({ "account": account, "items": items }))
    })
    .await
}

/// The same as a feed.
pub(crate) async fn notices_rss(State(app): Shared, path: Path, Query(pinned): Query<Pinned>) -> Reply {
    app.read_slashes(move |app| {
        let (head, account) = app.account_of(&path, pinned)?;
        let text = feed::notices(app, &head, account, &dated_notices(app, &head, account))?;
        Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/rss+xml; charset=utf-8"))], text)
            .into_response())
    })
    .await
}

/// What the next signature of each key must carry.
pub(crate) async fn nonces(State(app): Shared, path: Path, Query(pinned): Query<Pinned>) -> Reply {
    app.read(move |app| {
        let (head, account) = app.account_of(&path, pinned)?;
        let items = query::account(&head.state, account).map_or_else(Vec::new, |account| account.nonces);
        let suggested = app.clock.now_ms();
        app.answer(&head, &json!({ "account": account, "items": items, "suggested": suggested.to_string() }))
    })
    .await
}

/// What an account did and what happened to it, the newest first. A page may be short, or empty, and still have a `next`: then it has
/// looked at as many blocks as one request may.
pub(crate) async fn history(State(app): Shared, path: Path, Query(paging): Query<Paging>) -> Reply {
    app.read(move |app| {
        let account = app.address(path.text("account"))?;
        let list = format!("history/{account}");
        let past = app.past(&list, &paging)?;
        let newest = past.header.height;
        let place = match &past.after {
            Some(after) => {
                Place::read(after).filter(|place| place.height <= newest).ok_or_else(bad_cursor)?
            }
            None => Place { height: newest, skip: 0 },
        };
        let (items, next) = app.look_back(account, place, past.limit)?;
        app.page_of_past(&list, &past, &items, next.map(|next| format!("{}.{}", next.height, next.skip)))
    })
    .await
}

/// Where a history goes on: so many items of this block were seen, and all of the blocks above.
#[derive(Clone, Copy, Debug)]
struct Place {
    height: u64,
    skip: usize,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let (height, skip) = text.split_once('.')?;
        Some(Self { height: height.parse().ok()?, skip: skip.parse().ok()? })
    }
}

impl App {
    /// Looks through blocks from a place down, for a bounded time.
    fn look_back(
        &self,
        account: Address,
        mut place: Place,
        limit: usize,
    ) -> Result<(Vec<Value>, Option<Place>), Problem> {
        let (started, mut items) = (Instant::now(), Vec::new());
        loop {
            let block = self.reader.executed(place.height).map_err(|fault| self.fault(&fault))?;
            let found = block.map(|block| in_block(&block, account)).unwrap_or_default();
            let room = limit.saturating_sub(items.len());
            let rest = found.len().saturating_sub(place.skip);
            items.extend(found.into_iter().rev().skip(place.skip).take(room));
            if rest > room {
                return Ok((items, Some(Place { skip: place.skip.saturating_add(room), ..place })));
            }
            let Some(below) = place.height.checked_sub(1) else { return Ok((items, None)) };
            place = Place { height: below, skip: 0 };
            if items.len() >= limit || started.elapsed() > LOOK_BACK {
                return Ok((items, Some(place)));
            }
        }
    }
}

/// What of a block concerns an account: boundary events that name it, operations it sent, and others' that name it.
fn in_block(block: &Executed, account: Address) -> Vec<Value> {
    let (height, time_ms) = (block.header.height, block.header.time_ms);
    let text = account.to_string();
    let mut items = Vec::new();
    let names = |event: &protocol::Event| crate::topics::mentions(&value(event), &text);
    let boundary: Vec<&protocol::Event> = block.boundary.iter().filter(|event| names(event)).collect();
    if !boundary.is_empty() {
        items.push(json!({ "height": height, "time_ms": time_ms, "boundary": boundary }));
    }
    let concerns = |receipt: &&Receipt| {
        receipt.account == account
            || matches!(&receipt.outcome, Outcome::Applied { events } if events.iter().any(names))
    };
    let receipts = block.receipts.iter().filter(concerns);
    items.extend(
        receipts.map(|receipt| json!({ "height": height, "time_ms": time_ms, "receipt": value(receipt) })),
    );
    items
}

impl App {
    /// The account of the path, at the height of the query.
    pub(crate) fn account_of(
        &self,
        path: &Path,
        pinned: Pinned,
    ) -> Result<(std::sync::Arc<Head>, Address), Problem> {
        Ok((self.heads.at(pinned.as_of)?, self.address(path.text("account"))?))
    }
}
