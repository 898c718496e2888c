//! A plain page about the node at `/`: what it is, where it stands, what is on it. Made anew for every request; it runs no script, loads
//! nothing from anywhere, and reloads itself.

mod tables;

use std::fmt::Write;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use ledger::Head;
use protocol::query;

use crate::api::{Reply, Shared};
use crate::app::{App, VERSION};
use crate::http::problem::Code;
use crate::text::{escaped, span, utc};

/// How often the page reloads, in seconds.
const RELOAD_S: u32 = 5;
/// The most rows of a table.
const ROWS_MAX: usize = 25;

/// Nothing but the page's own style.
const POLICY: &str = "default-src 'none'; style-src 'sha256-STYLE'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1c2024;background:#fcfcfd}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #d9d9e0;vertical-align:top}th{font-weight:600}\
td.n,th.n{text-align:right}div{overflow-x:auto}code{font-size:.9em;overflow-wrap:anywhere}.bad{color:#b3261e;font-weight:600}\
@media(prefers-color-scheme:dark){body{color:#edeef0;background:#111113}th,td{border-color:#363a3f}a{color:#70b8ff}.bad{color:#ff9592}}";

macro_rules! put {
    ($html:expr, $($text:tt)*) => {
        write!($html, $($text)*).expect("a string takes whatever is written")
    };
}

use put;

/// The page.
pub(crate) async fn page(State(app): Shared) -> Reply {
    app.read_slashes(|app| {
        let head = app.heads.newest();
        let mut html = String::with_capacity(16 * 1024);
        top(app, &head, &mut html);
        summary(app, &head, &mut html);
        tables::accounts(app, &head, &mut html);
        tables::slashes(app, &head, &mut html);
        tables::pools(app, &head, &mut html);
        tables::vaults(app, &head, &mut html);
        tables::sets(app, &head, &mut html);
        tables::assets(app, &head, &mut html);
        tables::operations(app, &head, &mut html);
        html.push_str("<p>All figures come from the API: <a href=\"/openapi.json\">its description</a>, <a href=\"/v1/status\">status</a>, <a href=\"/metrics\">metrics</a>, <a href=\"/docs/errors\">its errors</a>.</p></body></html>\n");
        Ok(answer(html))
    })
    .await
}

/// What each code of an error means: where the `type` of every problem leads.
pub(crate) async fn errors() -> Reply {
    let mut html = String::with_capacity(16 * 1024);
    put!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Errors of the API</title><style>{STYLE}</style></head><body><h1>Errors of the API</h1>\
         <p>Every error is a problem (RFC 9457): <code>detail</code> says what failed, <code>cause</code> why, <code>remedy</code> what to do. \
         A refusal of the rules has a <code>code</code> of its own, such as <code>delegate.ExceedsFree</code>.</p>\
         <table><tr><th>Code</th><th>Status</th><th>Means</th><th>Do</th></tr>"
    );
    for code in Code::ALL {
        let (name, status) = (code.name(), code.status().as_u16());
        put!(
            html,
            "<tr id=\"{name}\"><td><code>{name}</code></td><td>{status}</td><td>{}</td><td>{}</td></tr>",
            escaped(code.title()),
            escaped(code.remedy())
        );
    }
    html.push_str("</table><p><a href=\"/\">The node</a></p></body></html>\n");
    Ok(answer(html))
}

fn answer(html: String) -> Response {
    let policy = POLICY.replace("STYLE", &style_digest());
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// SHA-256 of the style, in base64, as a content security policy names it.
fn style_digest() -> String {
    use sha2::Digest as _;
    base64(&sha2::Sha256::digest(STYLE.as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let part = |index: usize| chunk.get(index).copied().map_or(0, u32::from);
        let group = part(0) << 16 | part(1) << 8 | part(2);
        for place in 0..4 {
            let letter =
                usize::try_from(group >> (18 - 6 * place) & 63).ok().and_then(|index| LETTERS.get(index));
            let is_there = place <= chunk.len();
            text.push(if is_there { letter.copied().map_or('=', char::from) } else { '=' });
        }
    }
    text
}

fn top(app: &App, head: &Head, html: &mut String) {
    let name = escaped(&app.domain.ledger);
    put!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"refresh\" content=\"{RELOAD_S}\"><title>{name} at {}</title><style>{STYLE}</style></head><body><h1>Surety ledger {name}</h1>",
        head.header.height
    );
    let kind = if app.genesis.protocol.development {
        "A development ledger: its assets are made up, and whoever runs it can begin it anew."
    } else {
        "A ledger of shared security."
    };
    put!(
        html,
        "<p>{kind} This page shows what the node knows and changes nothing. It reloads every {RELOAD_S} seconds.</p>"
    );
    if let Some(fault) = app.fault.get() {
        put!(
            html,
            "<p class=\"bad\">The node has stopped making blocks: {} What was acknowledged is on disk.</p>",
            escaped(fault)
        );
    }
}

fn summary(app: &App, head: &Head, html: &mut String) {
    let counts = query::ledger(&head.state).counts;
    let next = app.when(head, head.state.epoch().next());
    let load = app.writer.as_ref().map(|writer| writer.sequencer.load()).unwrap_or_default();
    let stored = app.reader.committed().map(|committed| committed.height);
    let rows = [
        ("Node", format!("{}, version {VERSION}", app.state_word())),
        ("Height", head.header.height.to_string()),
        ("Block", head.digest.to_string()),
        (
            "Authenticated up to height",
            stored.map_or_else(|| "nothing yet".to_owned(), |height| height.to_string()),
        ),
        ("Epoch", format!("{}; the next begins in {}", head.state.epoch(), span(next.in_ms))),
        ("Time of the ledger", utc(head.header.time_ms)),
        ("Operations that wait", load.operations.to_string()),
        ("Accounts", counts.accounts.to_string()),
        ("Entries of stake", counts.positions.to_string()),
        ("Operators, pools", format!("{}, {}", counts.operators, counts.pools)),
        ("Services, sets", format!("{}, {}", counts.services, counts.sets)),
        ("Slashes ever", counts.slashes_ever.to_string()),
        ("Signed for", format!("chain {}, contract {}", app.domain.chain_id, app.domain.custody)),
    ];
    html.push_str("<table>");
    for (name, value) in rows {
        put!(html, "<tr><th scope=\"row\">{name}</th><td><code>{}</code></td></tr>", escaped(&value));
    }
    html.push_str("</table>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_everybody_else() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
