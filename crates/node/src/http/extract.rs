//! What handlers read from a request. Whatever can't be read is a [`Problem`] that names the place.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

/// How much of a body is read; put into every request by the router.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit(pub(crate) usize);

/// The parameters after the `?`. A parameter that the route does not know is an error.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = parts.uri.query().unwrap_or_default();
        let read = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        read.map(|query| Self(query.0)).map_err(|rejection| {
            let why = cut(&rejection.body_text());
            Problem::new(Code::MalformedParameter, "the parameters after `?` can't be read", why)
                .with("length", text.len())
        })
    }
}

/// The parts of the path in braces, by name.
#[derive(Debug)]
pub(crate) struct Path(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Path {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = RawPathParams::from_request_parts(parts, state).await.map_err(|rejection| {
            Problem::new(Code::MalformedParameter, "the path can't be read", cut(&rejection.body_text()))
        })?;
        Ok(Self(read.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}

impl Path {
    /// The part of that name.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

/// A body of JSON, whole and within the limit.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let found = request.headers().get(header::CONTENT_TYPE).map_or(0, |value| value.len());
            let cause =
                if found == 0 { "there is no content-type" } else { "content-type is something else" };
            return Err(Problem::new(Code::MediaType, "the body must be JSON", cause));
        }
        let limit = request.extensions().get::<BodyLimit>().map_or(64 * 1024, |limit| limit.0);
        let bytes = read_body(request.into_body(), limit).await?;
        parse(&bytes).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// The whole body, if it is short enough.
pub(crate) async fn read_body(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let collected = Limited::new(body, limit).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            let cause = format!("it exceeds {limit} bytes");
            Problem::new(Code::TooLarge, "the body was not read to its end", cause).with("limit", limit)
        } else {
            Problem::new(Code::MalformedJson, "the body ended early", "the connection failed")
        }
    })?;
    Ok(collected.to_bytes().to_vec())
}

/// Reads JSON; an error names the place and what was expected there.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let place = cut(&error.path().to_string());
        let why = cut(&error.into_inner().to_string());
        Problem::new(Code::MalformedJson, format!("the body can't be read at `{place}`"), why)
    })?;
    reader.end().map_err(|error| {
        Problem::new(Code::MalformedJson, "there is something after the JSON", cut(&error.to_string()))
    })?;
    Ok(value)
}

/// Parsers quote what they find: so much of it is enough.
pub(crate) fn cut(text: &str) -> String {
    const CHARACTERS_MAX: usize = 200;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
