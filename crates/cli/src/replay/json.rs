//! One line of JSON: its value, and where in the text each part of it stands.
//!
//! The value comes from `serde_json`, which decides what is JSON at all. The scanner here runs over text that was accepted; it knows where
//! tokens start, which serde forgets, and it refuses an object that gives a field twice, of which serde keeps the last.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use serde_json::Value;

use crate::replay::mistake::{Mistake, Place};

/// The longest text in quotation marks, in bytes as written. No operation needs more.
const STRING_BYTES_MAX: usize = 16_384;

/// A line that is JSON.
#[derive(Debug)]
pub(crate) struct Json<'a> {
    text: &'a str,
    value: Value,
    span: Span,
}

/// One step from a value into a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The field of an object.
    Key(String),
    /// The element of an array.
    Index(usize),
}

/// Which part of a value is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

/// Where a value stands, and its parts.
#[derive(Debug)]
struct Span {
    range: Range<usize>,
    parts: Parts,
}

#[derive(Debug)]
enum Parts {
    None,
    Elements(Vec<Span>),
    /// Name, start of the name, value.
    Fields(Vec<(String, usize, Span)>),
}

impl<'a> Json<'a> {
    /// Reads a line.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Mistake> {
        let value = serde_json::from_str(text).map_err(|error| syntax_mistake(text, &error))?;
        let span = Scanner { text, at: 0 }.value()?;
        Ok(Self { text, value, span })
    }

    /// The value of the whole line.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// The text of the value at a path, cut where it is too long to be read in an error message.
    pub(crate) fn excerpt(&self, path: &Path) -> String {
        const CHARACTERS_MAX: usize = 60;
        let token = self.text.get(self.find(path).span.range.clone()).unwrap_or_default();
        match token.char_indices().nth(CHARACTERS_MAX) {
            Some((end, _)) => format!("{}...", &token[..end]),
            None => token.to_owned(),
        }
    }

    /// Whether the text has a value at a path.
    pub(crate) fn contains(&self, path: &Path) -> bool {
        self.find(path).depth == path.0.len()
    }

    /// Where the value at a path starts. What was filled in and is not in the text stands where the object around it does.
    pub(crate) fn start_of_value(&self, path: &Path) -> usize {
        self.find(path).span.range.start
    }

    /// Where the name of the last field of a path starts; what is not in the text stands as in [`Json::start_of_value`].
    pub(crate) fn start_of_key(&self, path: &Path) -> usize {
        let found = self.find(path);
        found.key.filter(|_| found.depth == path.0.len()).unwrap_or(found.span.range.start)
    }

    /// The deepest value on the path that is in the text.
    fn find(&self, path: &Path) -> Found<'_> {
        let mut found = Found { depth: 0, span: &self.span, key: None };
        for (step, depth) in path.0.iter().zip(1..) {
            let next = match (&found.span.parts, step) {
                (Parts::Elements(elements), Step::Index(index)) => {
                    elements.get(*index).map(|span| Found { depth, span, key: None })
                }
                (Parts::Fields(fields), Step::Key(key)) => {
                    let field = fields.iter().find(|(name, ..)| name == key);
                    field.map(|(_, start, span)| Found { depth, span, key: Some(*start) })
                }
                _ => None,
            };
            match next {
                Some(next) => found = next,
                None => break,
            }
        }
        found
    }
}

/// A value in the text.
struct Found<'a> {
    /// How many steps of the path lead to it.
    depth: usize,
    span: &'a Span,
    /// Where its name starts, if it is a field.
    key: Option<usize>,
}

impl Path {
    /// The whole line.
    pub(crate) fn root() -> Self {
        Self::default()
    }

    /// The field of that name.
    pub(crate) fn field(&self, name: &str) -> Self {
        self.then(Step::Key(name.to_owned()))
    }

    /// The element at that place.
    pub(crate) fn element(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// The part that serde was at when it gave up.
    pub(crate) fn joined(&self, tail: &serde_path_to_error::Path) -> Self {
        use serde_path_to_error::Segment;
        let mut path = self.clone();
        for segment in tail {
            match segment {
                Segment::Seq { index } => path.0.push(Step::Index(*index)),
                Segment::Map { key } => path.0.push(Step::Key(key.clone())),
                Segment::Enum { variant } => path.0.push(Step::Key(variant.clone())),
                Segment::Unknown => {}
            }
        }
        path
    }

    fn then(&self, step: Step) -> Self {
        let mut path = self.clone();
        path.0.push(step);
        path
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if depth == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// What `serde_json` could not read, at the start of the token that it stumbled over.
fn syntax_mistake(text: &str, error: &serde_json::Error) -> Mistake {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let cause = error.to_string();
    let cause = cause.strip_suffix(&place).unwrap_or(&cause);
    let mut byte = if error.is_eof() { text.len() } else { error.column().saturating_sub(1) };
    if ["expected ident", "invalid number", "number out of range"].contains(&cause) {
        let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let before = &text.as_bytes()[..byte.min(text.len())];
        byte -= before.iter().rev().take_while(|byte| is_of_word(byte)).count();
    }
    let mistake = Mistake::at(Place::Byte(byte), format!("not JSON: {cause}"));
    if text.starts_with('\u{feff}') {
        return mistake.with_remedy("the text starts with a byte order mark: save it without");
    }
    match text.as_bytes().get(byte) {
        Some(b'\'') => mistake.with_remedy("texts stand in double quotation marks"),
        Some(b'/' | b'#') => mistake.with_remedy("a comment has a line of its own that starts with // or #"),
        _ => mistake,
    }
}

/// Walks over the tokens of a text that is JSON.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn value(&mut self) -> Result<Span, Mistake> {
        let start = self.next_token();
        let parts = match self.text.as_bytes().get(start) {
            Some(b'{') => Parts::Fields(self.fields()?),
            Some(b'[') => Parts::Elements(self.elements()?),
            Some(b'"') => {
                self.string()?;
                Parts::None
            }
            _ => {
                let rest = &self.text[start..];
                let length = rest.find(|next: char| ",]}".contains(next) || next.is_ascii_whitespace());
                self.at = length.map_or(self.text.len(), |length| start + length);
                Parts::None
            }
        };
        Ok(Span { range: start..self.at, parts })
    }

    fn fields(&mut self) -> Result<Vec<(String, usize, Span)>, Mistake> {
        let mut names = BTreeSet::new();
        let mut fields = Vec::new();
        self.at += 1;
        while self.is_before_another(b'}') {
            let start = self.next_token();
            let name = self.string()?;
            if !names.insert(name.clone()) {
                return Err(Mistake::at(Place::Byte(start), format!("field {name:?} is given twice")));
            }
            self.next_token();
            self.at += 1;
            fields.push((name, start, self.value()?));
        }
        Ok(fields)
    }

    fn elements(&mut self) -> Result<Vec<Span>, Mistake> {
        let mut elements = Vec::new();
        self.at += 1;
        while self.is_before_another(b']') {
            elements.push(self.value()?);
        }
        Ok(elements)
    }

    /// Passes the comma or the closing bracket; whether another part follows.
    fn is_before_another(&mut self, closing: u8) -> bool {
        let start = self.next_token();
        match self.text.as_bytes().get(start) {
            Some(b',') => self.at += 1,
            Some(byte) if *byte == closing => self.at += 1,
            _ => {}
        }
        self.text.as_bytes().get(start).is_some_and(|byte| *byte != closing)
    }

    fn string(&mut self) -> Result<String, Mistake> {
        let start = self.at;
        let mut is_escaped = false;
        let length = self.text.bytes().skip(start + 1).position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        });
        self.at = length.map_or(self.text.len(), |length| start + length + 2);
        let token = &self.text[start..self.at];
        if token.len() > STRING_BYTES_MAX {
            let cause = format!("a text of {} bytes is longer than {STRING_BYTES_MAX}", token.len());
            return Err(Mistake::at(Place::Byte(start), cause));
        }
        serde_json::from_str(token)
            .map_err(|error| Mistake::at(Place::Byte(start), format!("not JSON: {error}")))
    }

    /// Skips white space; where the next token starts.
    fn next_token(&mut self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at
    }
}

#[cfg(test)]
mod tests;
