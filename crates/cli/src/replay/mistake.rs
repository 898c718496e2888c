//! A mistake in the input: what is wrong, where, and what to do about it.

use std::fmt;

use crate::replay::json::{Json, Path};
use crate::spelling::nearest;

/// One mistake in a line. It ends the run: a history with a hole in it is a different history.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    place: Place,
    cause: String,
    remedy: Option<String>,
}

/// Which token is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The one that starts at this byte of the line.
    Byte(usize),
    /// The name of the field at the end of the path.
    Key(Path),
    /// The value at the end of the path.
    Value(Path),
}

impl Mistake {
    /// What is wrong with the token at a place.
    pub(crate) fn at(place: Place, cause: impl Into<String>) -> Self {
        Self { place, cause: cause.into(), remedy: None }
    }

    /// What is wrong with the value at a path.
    pub(crate) fn at_value(path: &Path, cause: impl Into<String>) -> Self {
        Self::at(Place::Value(path.clone()), cause)
    }

    /// What is wrong with the name of a field.
    pub(crate) fn at_key(path: &Path, cause: impl Into<String>) -> Self {
        Self::at(Place::Key(path.clone()), cause)
    }

    /// Whether it is known what to do about it.
    pub(crate) fn has_remedy(&self) -> bool {
        self.remedy.is_some()
    }

    /// Says what to do about it.
    pub(crate) fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Proposes the candidate that is nearest to `word`; where none is near, `otherwise`.
    pub(crate) fn with_nearest<'a>(
        self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
        otherwise: impl FnOnce() -> Option<String>,
    ) -> Self {
        match nearest(word, candidates) {
            Some(candidate) => self.with_remedy(format!("did you mean {candidate:?}?")),
            None => Self { remedy: otherwise(), ..self },
        }
    }

    /// Replaces the path by the byte where the token stands, once the line's tokens are at hand.
    pub(crate) fn located_in(self, json: &Json<'_>) -> Self {
        let byte = match &self.place {
            Place::Byte(byte) => *byte,
            Place::Key(path) => json.start_of_key(path),
            Place::Value(path) => json.start_of_value(path),
        };
        Self { place: Place::Byte(byte), ..self }
    }

    /// The column of the token, counted in characters from 1; the line's own start where the place is a path that nobody has located.
    pub(crate) fn column(&self, line: &[u8]) -> usize {
        let byte = match self.place {
            Place::Byte(byte) => byte.min(line.len()),
            Place::Key(_) | Place::Value(_) => 0,
        };
        let is_start_of_character = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
        line[..byte].iter().filter(is_start_of_character).count() + 1
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n  help: {remedy}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        let line = "{\"note\":\"größe\",x}";
        let byte = line.find('x').expect("x is there");
        let mistake = Mistake::at(Place::Byte(byte), "no");
        assert_eq!(mistake.column(line.as_bytes()), 17);
    }
}
