//! A node that answers what a test has told it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, Cursor};

use serde_json::{Value, json};

use super::{Response, Transport};
use crate::failure::Failure;

/// Answers by path, and everything that was sent.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    answers: BTreeMap<String, (u16, Value)>,
    pub(crate) sent: RefCell<Vec<(String, Value)>>,
}

impl Recorded {
    /// Answers a path with a document.
    pub(crate) fn with(mut self, path: &str, document: Value) -> Self {
        self.answers.insert(path.to_owned(), (200, document));
        self
    }

    fn answer(&self, path: &str) -> Response {
        let unknown = (404, json!({ "title": format!("there is no {path}"), "code": "not_found" }));
        let (status, document) = self.answers.get(path).cloned().unwrap_or(unknown);
        let body = document.to_string().into_bytes();
        Response { status, media_type: "application/json".to_owned(), body }
    }
}

impl Transport for Recorded {
    fn get(&self, path: &str) -> Result<Response, Failure> {
        Ok(self.answer(path))
    }

    fn post(&self, path: &str, body: &Value) -> Result<Response, Failure> {
        self.sent.borrow_mut().push((path.to_owned(), body.clone()));
        Ok(self.answer(path))
    }

    fn stream(&self, path: &str, _: Option<&str>) -> Result<Box<dyn BufRead>, Failure> {
        Ok(Box::new(Cursor::new(self.answer(path).body)))
    }

    fn name(&self) -> String {
        "the test".to_owned()
    }
}
