//! Blocks, the newest first, and what each did.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use ledger::{Executed, Header, Outcome};
use serde::Deserialize;
use serde_json::{Value, json};

use super::lists::{Paging, bad_cursor};
use super::{Reply, Shared, json as answer, object, value};
use crate::app::App;
use crate::http::extract::{Path, Query};
use crate::http::problem::{Code, Problem};

/// How long one page reads blocks; then it is short and has a `next`.
const READ_FOR: Duration = Duration::from_millis(250);

/// Blocks, the newest first.
pub(crate) async fn blocks(State(app): Shared, Query(paging): Query<Paging>) -> Reply {
    app.read(move |app| {
        let started = Instant::now();
        let past = app.past("blocks", &paging)?;
        let top = past.header.height;
        let first = match &past.after {
            Some(after) => {
                Some(after.parse::<u64>().ok().filter(|after| *after <= top).ok_or_else(bad_cursor)?)
            }
            None => top.checked_add(1),
        };
        let mut below = first.unwrap_or(top);
        let mut items = Vec::new();
        while below > 0 && items.len() < past.limit && (items.is_empty() || started.elapsed() < READ_FOR) {
            below = below.saturating_sub(1);
            items.extend(app.summary(below)?);
        }
        app.page_of_past("blocks", &past, &items, (below > 0).then(|| below.to_string()))
    })
    .await
}

impl App {
    /// The header of a block, its digest, and how many operations it has.
    fn summary(&self, height: u64) -> Result<Option<Value>, Problem> {
        let bytes = self.reader.block_bytes(height).map_err(|fault| self.fault(&fault))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let Some((head, rest)) = bytes.split_at_checked(Header::BYTES) else { return Ok(None) };
        let Ok(header) = Header::decode(head) else { return Ok(None) };
        let count = rest.first_chunk::<4>().map_or(0, |count| u32::from_be_bytes(*count));
        Ok(Some(json!({ "digest": header.digest(), "header": header, "operations": count })))
    }
}

/// Which operations of a block.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Part {
    /// The most operations; 50 where it is left out.
    #[cfg_attr(test, schemars(range(min = 1)))]
    limit: Option<u16>,
    /// Only operations after this place.
    after: Option<u32>,
}

/// A block: its header, what happened at the boundaries that it passed, and a line for each operation.
pub(crate) async fn block(
    State(app): Shared,
    path: Path,
    Query(part): Query<Part>,
    headers: HeaderMap,
) -> Reply {
    let height: u64 = path.text("height").parse().map_err(|_| {
        Problem::new(Code::MalformedParameter, "the height can't be read", "a height is a number from 0")
    })?;
    app.read(move |app| {
        let block = app.reader.executed(height).map_err(|fault| app.fault(&fault))?;
        let newest = app.heads.newest().header.height;
        let Some(block) = block else {
            let cause = format!("the newest block has height {newest}");
            return Err(Problem::new(Code::NotFound, "there is no such block", cause));
        };
        let first = part.after.map_or(0, |after| after.saturating_add(1));
        let limit = app.limit(part.limit)?;
        let tag = format!("\"{}-{first}-{limit}\"", block.digest);
        let is_known =
            headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            answer(&show(&block, first, limit))
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        Ok(response)
    })
    .await
}

fn show(block: &Executed, first: u32, limit: usize) -> Value {
    let from = usize::try_from(first).unwrap_or(usize::MAX);
    let line = |receipt: &ledger::Receipt| {
        let (outcome, code, events) = match &receipt.outcome {
            Outcome::Applied { events } => ("applied", None, events.len()),
            Outcome::Refused { code, .. } => ("refused", Some(code), 0),
        };
        let mut fields = object(receipt);
        fields.remove("outcome");
        fields.insert("outcome".to_owned(), outcome.into());
        fields.insert("code".to_owned(), value(&code));
        fields.insert("events".to_owned(), events.into());
        Value::Object(fields)
    };
    let lines: Vec<Value> = block.receipts.iter().skip(from).take(limit).map(line).collect();
    let end = from.saturating_add(lines.len());
    let next = (end < block.receipts.len()).then(|| end.saturating_sub(1));
    json!({
        "header": block.header,
        "digest": block.digest,
        "operations": block.receipts.len(),
        "boundary": block.boundary,
        "items": lines,
        "next": next,
    })
}
