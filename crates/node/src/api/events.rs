//! Events as a stream that loses none: it is read off the receipts, block by block, and whoever was cut off goes on after the last id.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{Reply, Shared};
use crate::app::App;
use crate::http::extract::{Query, cut};
use crate::http::problem::{Code, Problem};
use crate::http::serve::stopped;
use crate::topics::{Filter, Sequence, Told, topics};

/// How often a stream without events says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many blocks a stream that was up to date may fall behind before it is cut. Its client goes on after the last id.
const LAG_MAX: u64 = 4_096;

/// Which events.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Only those that concern this account: an address or a label. Events about operators with its stake, and about sets that can slash
    /// it, concern it as well.
    account: Option<String>,
    /// Only those of these topics, with commas between them, such as `slashed,terms_announced`.
    #[cfg_attr(test, schemars(length(max = 1024)))]
    topic: Option<String>,
    /// After which event to begin; the header `last-event-id` comes first. What comes from now on where both are left out.
    #[cfg_attr(test, schemars(length(max = 64)))]
    after: Option<String>,
}

/// The stream of events. Ids are places in the sequence of all events; `event: lagged` says that the stream ends because its client did not keep up.
pub(crate) async fn events(State(app): Shared, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Reply {
    let malformed = |why: &str| Problem::new(Code::MalformedParameter, "the stream can't begin", cut(why));
    let account = wanted.account.as_deref().map(|account| app.address(account)).transpose()?;
    let topics = topics(wanted.topic.as_deref().unwrap_or_default()).map_err(|why| malformed(&why))?;
    let last = headers.get("last-event-id").map(|last| last.to_str().unwrap_or_default());
    let after: Option<Sequence> = match last.or(wanted.after.as_deref()) {
        Some(text) => Some(text.parse().map_err(|why: String| malformed(&why))?),
        None => None,
    };
    let newest = app.heads.newest().header.height;
    if after.is_some_and(|after| after.height > newest) {
        let cause = format!("the newest block has height {newest}");
        return Err(Problem::new(Code::NotFound, "there is no such event yet", cause));
    }
    let permit = Arc::clone(&app.streams).try_acquire_owned().map_err(|_| {
        let cause = format!("{} streams are open", app.config.http.streams_max);
        Problem::new(Code::Busy, "no more streams can be opened", cause).retry_after(5)
    })?;
    let follower = Follower {
        filter: Filter { account, topics },
        heights: app.heads.watch(),
        stopping: app.stopping.clone(),
        next: after.map_or(newest.saturating_add(1), |after| after.height),
        after,
        queue: VecDeque::new(),
        is_live: after.is_none(),
        is_begun: false,
        is_over: false,
        _open: Open::new(&app, permit),
        app,
    };
    let events = stream::unfold(follower, |mut follower| async {
        let event = follower.event().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}

/// A stream that is open, for as long as its client stays.
struct Open {
    app: Arc<App>,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    fn new(app: &Arc<App>, permit: OwnedSemaphorePermit) -> Self {
        app.metrics.streams.inc();
        Self { app: Arc::clone(app), _permit: permit }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.app.metrics.streams.dec();
    }
}

/// Goes through the blocks for one client. It holds the events of one block and no more.
struct Follower {
    app: Arc<App>,
    filter: Filter,
    heights: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    /// The next block to read.
    next: u64,
    /// Events up to this one were seen.
    after: Option<Sequence>,
    queue: VecDeque<Told>,
    /// Whether it has been up to date.
    is_live: bool,
    /// Whether it has said where it begins.
    is_begun: bool,
    is_over: bool,
    _open: Open,
}

impl Follower {
    async fn event(&mut self) -> Option<Event> {
        loop {
            if self.is_over {
                return None;
            }
            if !self.is_begun {
                self.is_begun = true;
                return Some(self.begun());
            }
            if let Some(told) = self.queue.pop_front() {
                return Some(show(&told));
            }
            let next = self.next;
            let newest = tokio::select! {
                newest = self.heights.wait_for(|newest| *newest >= next) => *newest.ok()?,
                () = stopped(&mut self.stopping) => return None,
            };
            let behind = newest.saturating_sub(next);
            if self.is_live && behind > LAG_MAX {
                return Some(self.lagged(behind));
            }
            self.is_live |= behind == 0;
            if self.read().await.is_err() {
                return None;
            }
            self.next = self.next.saturating_add(1);
        }
    }

    /// Says where the stream begins, so that whoever is cut off before the first event goes on there.
    fn begun(&self) -> Event {
        let id = self.after.unwrap_or(Sequence { height: self.next.saturating_sub(1), index: u32::MAX });
        let text = json!({ "height": self.next, "after": id.to_string() }).to_string();
        Event::default().id(id.to_string()).event("begun").data(text)
    }

    /// Reads the events of the next block that are wanted.
    async fn read(&mut self) -> Result<(), Problem> {
        let (height, filter, after) = (self.next, self.filter.clone(), self.after);
        let read = self
            .app
            .read(move |app| app.wanted_at(height, &filter, after).map_err(|fault| app.fault(&fault)));
        self.queue = read.await?;
        Ok(())
    }

    fn lagged(&mut self, behind: u64) -> Event {
        self.is_over = true;
        self.app.metrics.streams_lagged.inc();
        let text = json!({ "behind": behind, "resume": "send the last id as last-event-id" }).to_string();
        Event::default().event("lagged").data(text)
    }
}

fn show(told: &Told) -> Event {
    let text = serde_json::to_string(told).expect("an event is plain data");
    Event::default().id(told.id.to_string()).event(&told.topic).data(text)
}
