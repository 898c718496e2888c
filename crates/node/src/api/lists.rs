//! Pages of lists. A cursor carries the height of its first page, so a list does not change while it is read.

use std::sync::Arc;

use ledger::{Head, Header};
use protocol::State;
use protocol::query::Page;
use protocol::units::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Reply, value};
use crate::app::App;
use crate::http::problem::{Code, Problem};

/// How many items a page has where the client does not say.
const LIMIT: u16 = 50;

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Paging {
    /// The most items; 50 where it is left out, and never more than the node allows.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) limit: Option<u16>,
    /// The `next` of the page before.
    #[cfg_attr(test, schemars(length(max = 256)))]
    pub(crate) after: Option<String>,
    /// The height to read at; the newest where it is left out. With `after`, the height of the cursor.
    pub(crate) as_of: Option<u64>,
}

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The height at which the list is read.
    pub(crate) height: u64,
    /// After what it goes on, as the list itself says it.
    pub(crate) after: String,
}

impl Cursor {
    /// Its text, of no meaning to clients.
    fn text(&self, list: &str) -> String {
        hex::encode(format!("{list}:{}:{}", self.height, self.after))
    }

    /// Reads what [`Cursor::text`] wrote for the same list.
    fn read(list: &str, text: &str) -> Option<Self> {
        let text = String::from_utf8(hex::decode(text).ok()?).ok()?;
        let (height, after) = text.strip_prefix(list)?.strip_prefix(':')?.split_once(':')?;
        Some(Self { height: height.parse().ok()?, after: after.to_owned() })
    }
}

/// Where a page begins and how long it is.
pub(crate) struct Range {
    pub(crate) head: Arc<Head>,
    pub(crate) after: Option<String>,
    pub(crate) limit: usize,
}

/// The same of a list that is read off the blocks: any height will do, no state is needed.
pub(crate) struct Past {
    pub(crate) header: Header,
    pub(crate) digest: Digest,
    pub(crate) after: Option<String>,
    pub(crate) limit: usize,
}

impl App {
    /// How many items a page has.
    pub(crate) fn limit(&self, limit: Option<u16>) -> Result<usize, Problem> {
        let most = self.config.http.page_max;
        if limit == Some(0) {
            let cause = format!("it is 0, and must be from 1 to {most}");
            return Err(Problem::new(Code::MalformedParameter, "`limit` can't be used", cause));
        }
        Ok(usize::from(limit.unwrap_or(LIMIT).min(most)))
    }

    /// Which part of a list is asked for.
    pub(crate) fn range(&self, list: &str, paging: &Paging) -> Result<Range, Problem> {
        let limit = self.limit(paging.limit)?;
        let (height, after) = place(list, paging)?;
        Ok(Range { head: self.heads.at(height)?, after, limit })
    }

    /// Which part of a list of the history is asked for.
    pub(crate) fn past(&self, list: &str, paging: &Paging) -> Result<Past, Problem> {
        let limit = self.limit(paging.limit)?;
        let (height, after) = place(list, paging)?;
        let newest = self.heads.newest();
        let Some(height) = height.filter(|height| *height != newest.header.height) else {
            return Ok(Past { header: newest.header.clone(), digest: newest.digest, after, limit });
        };
        // A block above the newest that readers see is none yet.
        let header = if height > newest.header.height { None } else { self.header(height)? };
        let header = header.ok_or_else(|| {
            let cause = format!("the newest block has height {}", newest.header.height);
            Problem::new(Code::NotFound, format!("the history up to height {height} can't be read"), cause)
        })?;
        Ok(Past { digest: header.digest(), header, after, limit })
    }

    fn header(&self, height: u64) -> Result<Option<Header>, Problem> {
        self.reader.header(height).map_err(|fault| self.fault(&fault))
    }

    /// The answer of a page. `next` is after what the next page goes on; until then its state is held.
    pub(crate) fn page(&self, list: &str, head: &Arc<Head>, items: &[Value], next: Option<String>) -> Reply {
        if next.is_some() {
            self.heads.lease(head);
        }
        let cursor = next.map(|after| Cursor { height: head.header.height, after }.text(list));
        self.answer(head, &json!({ "items": items, "next": cursor }))
    }

    /// The answer of a page of the history.
    pub(crate) fn page_of_past(
        &self,
        list: &str,
        past: &Past,
        items: &[Value],
        next: Option<String>,
    ) -> Reply {
        let cursor = next.map(|after| Cursor { height: past.header.height, after }.text(list));
        let as_of = self.as_of_header(&past.header, past.digest);
        self.answer_as_of(as_of, &self.heads.newest(), &json!({ "items": items, "next": cursor }))
    }

    /// A list of records that are read in the order of their numbers.
    pub(crate) fn list<T: Serialize>(
        &self,
        list: &str,
        paging: &Paging,
        read: impl Fn(&State, Option<u32>, usize) -> Page<T>,
    ) -> Reply {
        let range = self.range(list, paging)?;
        let after = range.after.map(|after| after.parse().map_err(|_| bad_cursor())).transpose()?;
        let page = read(&range.head.state, after, range.limit);
        let items: Vec<Value> = page.items.iter().map(value).collect();
        self.page(list, &range.head, &items, page.next.map(|next| next.to_string()))
    }
}

/// The height at which a list is read, and after what it goes on.
fn place(list: &str, paging: &Paging) -> Result<(Option<u64>, Option<String>), Problem> {
    let Some(text) = &paging.after else { return Ok((paging.as_of, None)) };
    let cursor = Cursor::read(list, text).ok_or_else(bad_cursor)?;
    Ok((Some(cursor.height), Some(cursor.after)))
}

pub(crate) fn bad_cursor() -> Problem {
    Problem::new(Code::BadCursor, "`after` can't be used", "it is no cursor of this list")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_list_only() {
        let cursor = Cursor { height: 7, after: "12".to_owned() };
        let text = cursor.text("pools");
        assert_eq!(Cursor::read("pools", &text), Some(cursor));
        for (list, text) in [("sets", text.as_str()), ("pools", "00"), ("pools", "xyz"), ("pools", "")] {
            assert_eq!(Cursor::read(list, text), None, "{list} {text}");
        }
    }
}
