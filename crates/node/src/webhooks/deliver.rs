//! Delivers events to webhooks: one task for each, which reads the blocks in order and waits where its receiver makes it wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::{Hook, Target, sign};
use crate::app::App;
use crate::topics::Told;

/// The most events of one delivery.
const EVENTS_MAX: usize = 256;
/// The first pause after a failure; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// How far a webhook was told is written down so often at most.
const NOTE_AFTER: Duration = Duration::from_secs(1);
/// How many blocks without an event go by before it is written down that they did.
const QUIET_BLOCKS: u64 = 1_000;

/// Keeps one task for each webhook, for as long as the node serves.
pub(crate) async fn deliver(app: Arc<App>) {
    let mut changed = app.webhooks.changed.subscribe();
    let mut tasks = Tasks(BTreeMap::new());
    loop {
        let hooks = app.webhooks.all();
        tasks.0.retain(|id, _| hooks.iter().any(|hook| hook.id == *id));
        for hook in hooks {
            let app = Arc::clone(&app);
            tasks.0.entry(hook.id).or_insert_with(|| Task(tokio::spawn(follow(app, hook)).abort_handle()));
        }
        if changed.changed().await.is_err() {
            return;
        }
    }
}

/// One task for each webhook, by its number, which no other webhook of this run has.
struct Tasks(BTreeMap<u32, Task>);

/// Ends a task together with whoever keeps it.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Tells one webhook of every block above what it was told.
async fn follow(app: Arc<App>, hook: Hook) {
    let Ok(target) = Target::read(&hook.url, &app.webhooks.config.allowed) else { return };
    let mut heights = app.heads.watch();
    let (mut height, mut noted, mut noted_at) = (hook.told, hook.told, None::<Instant>);
    loop {
        if heights.wait_for(|newest| *newest > height).await.is_err() {
            return;
        }
        height = height.saturating_add(1);
        let Some(events) = events_of(&app, &hook, height).await else { return };
        for part in events.chunks(EVENTS_MAX) {
            deliver_part(&app, &hook, &target, part).await;
        }
        // Writing it down for every block would keep the disk busy. After a crash the events since are told again.
        let is_due = noted_at.is_none_or(|at| at.elapsed() >= NOTE_AFTER);
        if (!events.is_empty() && is_due) || height.saturating_sub(noted) >= QUIET_BLOCKS {
            (noted, noted_at) = (height, Some(Instant::now()));
            let app = Arc::clone(&app);
            let noting = tokio::task::spawn_blocking(move || app.webhooks.told(hook.id, height));
            if noting.await.is_err() {
                return;
            }
        }
    }
}

/// The events of a block that the webhook wants; nothing where the block can't be read, and then nothing goes on.
async fn events_of(app: &Arc<App>, hook: &Hook, height: u64) -> Option<Vec<Told>> {
    let filter = hook.filter();
    let read = app.read(move |app| app.wanted_at(height, &filter, None).map_err(|fault| app.fault(&fault)));
    read.await.ok().map(Vec::from)
}

/// Delivers until it is taken or given up.
async fn deliver_part(app: &App, hook: &Hook, target: &Target, events: &[Told]) {
    let ledger = &app.domain.ledger;
    let body = json!({ "webhook": hook.id, "ledger": ledger, "events": events }).to_string();
    let body = Bytes::from(body.into_bytes());
    let mut pause = PAUSE;
    let config = app.webhooks.config();
    for attempt in 1..=config.attempts_max {
        let limit = Duration::from_millis(config.timeout_ms);
        let sent = tokio::time::timeout(limit, send(target, &hook.secret, body.clone())).await;
        if matches!(sent, Ok(Ok(status)) if (200..300).contains(&status)) {
            return app.metrics.delivery("delivered");
        }
        app.metrics.delivery("failed");
        if attempt < config.attempts_max {
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }
    app.metrics.delivery("given_up");
}

/// One attempt: the status of the answer, whose body nobody reads. Redirections are not followed.
async fn send(
    target: &Target,
    secret: &str,
    body: Bytes,
) -> Result<u16, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect((target.host.as_str(), target.port)).await?;
    if !target.is_at(stream.peer_addr()?.ip()) {
        return Err("the name leads to another machine".into());
    }
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with this attempt, however that ends.
    let _connection = Task(tokio::spawn(connection).abort_handle());
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let request = Request::builder()
        .method(Method::POST)
        .uri(&target.path)
        .header(header::HOST, target.authority())
        .header(header::CONTENT_TYPE, "application/json")
        .header(sign::HEADER, sign::signature(secret, seconds, &body))
        .body(Body::from(body))?;
    Ok(sender.send_request(request).await?.status().as_u16())
}
