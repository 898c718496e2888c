//! What handlers read from a request. Whatever can't be read is a [`Problem`] that names the place.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use super::large::{Desk, Place};
use super::problem::{Code, Problem};

/// How much of a body is read, in bytes; put into every request by the router.
#[derive(Clone, Debug)]
pub(crate) struct BodyLimit {
    pub(crate) plain: usize,
    /// Where operations are taken, how much they may have, and who asks for a place there.
    pub(crate) large: Option<(usize, Desk, Option<IpAddr>)>,
}

impl BodyLimit {
    /// The limit of a request.
    pub(crate) fn of(request: &Request) -> Self {
        let none = Self { plain: 64 * 1024, large: None };
        request.extensions().get().cloned().unwrap_or(none)
    }
}

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

impl<T: DeserializeOwned + Send + 'static, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let found = request.headers().get(header::CONTENT_TYPE).map_or(0, |value| value.len());
            let cause =
                if found == 0 { "there is no content-type" } else { "content-type is something else" };
            return Err(Problem::new(Code::MediaType, "the body must be JSON", cause));
        }
        let limit = BodyLimit::of(&request);
        match read_body(request.into_body(), &limit).await? {
            (bytes, None) => parse(&bytes).map(Self),
            // Nobody else waits meanwhile.
            (bytes, Some(place)) => {
                let parsed = tokio::task::spawn_blocking(move || (parse(&bytes), place)).await;
                let failed =
                    |_| Problem::new(Code::Internal, "the body was not read", "reading it has failed");
                parsed.map_err(failed)?.0.map(Self)
            }
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// The whole body, if it is short enough; with a place at the desk if it is a large one.
pub(crate) async fn read_body(
    mut body: Body,
    limit: &BodyLimit,
) -> Result<(Vec<u8>, Option<Place>), Problem> {
    let (mut bytes, mut place, mut most) = (Vec::new(), None, limit.plain);
    while let Some(frame) = body.frame().await {
        let early = |_| Problem::new(Code::MalformedJson, "the body ended early", "the connection failed");
        let Ok(data) = frame.map_err(early)?.into_data() else { continue };
        let length = bytes.len().saturating_add(data.len());
        if let Some((large, desk, address)) =
            limit.large.as_ref().filter(|_| length > most && place.is_none())
        {
            place = Some(desk.enter(*address).ok_or_else(full)?);
            most = most.max(*large);
        }
        if length > most {
            let cause = format!("it exceeds {most} bytes");
            let what = "the body was not read to its end";
            return Err(Problem::new(Code::TooLarge, what, cause).with("limit", most));
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, place))
}

fn full() -> Problem {
    let cause = "so many large bodies are read already, or one of the same address is";
    Problem::new(Code::Busy, "the body was not read to its end", cause).retry_after(1)
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
