//! Errors as RFC 9457 has them: what failed, why, what to do. One catalogue of codes; nothing else answers with an error.
//!
//! A handler returns a [`Problem`]; the outermost layer writes it down, since only that layer knows the trace id of the request.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

macro_rules! codes {
    ($($name:ident = $code:literal, $status:ident, $title:literal, $remedy:literal;)*) => {
        /// What can go wrong with a request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the title of a code says what it means")]
        pub enum Code { $(#[doc = $title] $name),* }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The status it is answered with.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),* }
            }

            /// The same for every occurrence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            /// What to do about it.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy),* }
            }
        }
    };
}

codes! {
    MalformedJson = "malformed_json", BAD_REQUEST, "the body is not the JSON that is expected",
        "send the JSON that /openapi.json describes for this route";
    MalformedParameter = "malformed_parameter", BAD_REQUEST, "a parameter can't be read",
        "see /openapi.json for the parameters of this route and their forms";
    MalformedOperation = "malformed_operation", BAD_REQUEST, "these bytes are no signed operation",
        "let /v1/operations/prepare build the operation, and send what was signed unchanged";
    BadCursor = "bad_cursor", BAD_REQUEST, "the cursor is not one that this list has given out",
        "start the list again without `after`";
    BadSignature = "bad_signature", BAD_REQUEST, "a signature does not hold",
        "sign the typed data of /v1/operations/prepare anew, with a key of the account, for this ledger";
    Unsigned = "unsigned", BAD_REQUEST, "the operation carries no signature",
        "sign the typed data of /v1/operations/prepare";
    Forbidden = "forbidden", FORBIDDEN, "this node does not do that",
        "ask whoever runs the node to allow it in its configuration";
    NotFound = "not_found", NOT_FOUND, "there is no such thing at this height",
        "look it up in its list; ids start at 0, and labels are under /v1/labels";
    UnknownName = "unknown_name", NOT_FOUND, "nothing has that name",
        "see /v1/labels for the names that this node knows, or give the address or number";
    UnknownRoute = "unknown_route", NOT_FOUND, "there is no such route",
        "see /openapi.json for all routes";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "the route does not take this method",
        "see /openapi.json for the methods of this route";
    Timeout = "timeout", REQUEST_TIMEOUT, "the request took too long to arrive",
        "send the whole request at once";
    Duplicate = "duplicate", CONFLICT, "a waiting operation has this key and nonce already",
        "wait until it is in a block, or prepare the operation again with another nonce";
    Expired = "expired", CONFLICT, "the operation has expired",
        "prepare and sign it again with a later `expires`";
    NotHeld = "not_held", GONE, "the node no longer holds the state of that height",
        "pin a height within `held`, or read the present state";
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "the body is too large",
        "send less at once; the limits are under /v1/status";
    MediaType = "media_type", UNSUPPORTED_MEDIA_TYPE, "the body is not declared as JSON",
        "send `content-type: application/json`";
    Refused = "refused", UNPROCESSABLE_ENTITY, "the rules refuse the operation",
        "the code names the refusal; its page in docs/reference/operations says when it holds";
    NoAuthority = "no_authority", UNPROCESSABLE_ENTITY, "the signers may not act for the account",
        "sign with the keys of the account, or with a delegate that has a grant";
    AccountFull = "account_full", TOO_MANY_REQUESTS, "too many operations of this sender wait",
        "wait until some of them are in blocks";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "too many requests from this address",
        "send fewer requests a second";
    Busy = "busy", SERVICE_UNAVAILABLE, "the node has no room for more",
        "try again after the time in Retry-After";
    ReadOnly = "read_only", SERVICE_UNAVAILABLE, "this node only reads",
        "send the operation to a node that makes blocks: `surety run`";
    Stopped = "stopped", SERVICE_UNAVAILABLE, "the node has stopped making blocks",
        "see /readyz and the log of the node for the fault; restart it once the cause is mended";
    Internal = "internal", INTERNAL_SERVER_ERROR, "the node has a bug",
        "report it with the trace id; nothing was changed by this request";
}

/// One error, as the client reads it. Behind a pointer: nearly every function returns one, and hardly ever does.
#[derive(Clone, Debug)]
pub struct Problem(Box<Content>);

#[derive(Clone, Debug)]
struct Content {
    code: Code,
    /// In place of the code's name where a refusal names itself, such as `delegate.ExceedsFree`.
    named: Option<String>,
    detail: String,
    cause: String,
    remedy: Option<String>,
    retry_after_s: Option<u32>,
    status: Option<StatusCode>,
    more: Map<String, Value>,
}

/// How a problem is written; also its schema.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Problem"))]
pub(crate) struct Written<'a> {
    /// Where the code is explained.
    r#type: String,
    /// The same for every occurrence of the code.
    title: &'a str,
    /// The status of the answer.
    status: u16,
    /// What failed.
    detail: &'a str,
    /// What to match on; of a refusal, the kind of operation and its name.
    code: &'a str,
    /// Why.
    cause: &'a str,
    /// What to do.
    remedy: &'a str,
    /// Names the request in the log of the node.
    trace_id: &'a str,
    /// What else belongs to this code, such as `receipt` or `held`.
    #[serde(flatten)]
    more: &'a Map<String, Value>,
}

impl Problem {
    /// A problem of that code: what failed, and why.
    pub fn new(code: Code, detail: impl Into<String>, cause: impl Into<String>) -> Self {
        Self(Box::new(Content {
            code,
            named: None,
            detail: detail.into(),
            cause: cause.into(),
            remedy: None,
            retry_after_s: None,
            status: None,
            more: Map::new(),
        }))
    }

    /// Under the name that a refusal has.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.0.named = Some(name.into());
        self
    }

    /// With a remedy that fits better than the code's.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    /// With a status other than the code's, of the same class.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    /// To be tried again after so many seconds.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// With something more that a client can use.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.more.insert(name.to_owned(), value.into());
        self
    }

    /// What kind it is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The name to match on.
    pub fn name(&self) -> &str {
        self.0.named.as_deref().unwrap_or(self.0.code.name())
    }

    /// What failed.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The answer, once the request's trace id is known.
    pub(crate) fn write(&self, trace_id: &str) -> Response {
        let status = self.0.status.unwrap_or(self.0.code.status());
        let written = Written {
            r#type: format!("/docs/errors#{}", self.0.code.name()),
            title: self.0.code.title(),
            status: status.as_u16(),
            detail: &self.0.detail,
            code: self.name(),
            cause: &self.0.cause,
            remedy: self.0.remedy.as_deref().unwrap_or(self.0.code.remedy()),
            trace_id,
            more: &self.0.more,
        };
        let body = serde_json::to_vec(&written).expect("texts and numbers are always written");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for Problem {
    /// Marks the answer; the outermost layer writes it.
    fn into_response(self) -> Response {
        let mut response = self.0.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
