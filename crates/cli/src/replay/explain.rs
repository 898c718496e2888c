//! What serde says about a value that does not fit, as a mistake with the words of the text.

use serde_json::Error;

use crate::replay::json::{Json, Path};
use crate::replay::mistake::Mistake;

/// Numbers as Rust calls them, with the largest of each.
const NUMBERS: [(&str, u64); 4] =
    [("u8", 0xff), ("u16", 0xffff), ("u32", 0xffff_ffff), ("u64", 0xffff_ffff_ffff_ffff)];

/// Why the value at `base` was not accepted. `also` are field names that are known beside those of the value's type.
pub(crate) fn mistake_of(
    json: &Json<'_>,
    base: &Path,
    error: &serde_path_to_error::Error<Error>,
    also: &[&str],
) -> Mistake {
    let path = base.joined(error.path());
    let text = error.inner().to_string();
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let (subject, candidates) = quoted.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
    if text.starts_with("unknown field ") {
        let known = candidates.iter().chain(also).copied();
        let all = || (!candidates.is_empty()).then(|| format!("the fields are {}", candidates.join(", ")));
        return Mistake::at_key(&path, format!("unknown field {subject:?}"))
            .with_nearest(subject, known, all);
    }
    if text.starts_with("missing field ") {
        return Mistake::at_value(&path, format!("field {subject:?} is missing"));
    }
    if text.starts_with("unknown variant ") {
        let all = || Some(format!("it may be {}", candidates.join(", ")));
        let cause = format!("{path}: {subject:?} is not known");
        // A variant with fields is written as the name of a field, which then is the token.
        let variant = path.field(subject);
        let mistake = if json.contains(&variant) {
            Mistake::at_key(&variant, cause)
        } else {
            Mistake::at_value(&path, cause)
        };
        return mistake.with_nearest(subject, candidates.iter().copied(), all);
    }
    let is_misfit = text.starts_with("invalid type: ") || text.starts_with("invalid value: ");
    match text.split_once(", expected ").filter(|_| is_misfit) {
        Some((_, expected)) => {
            let found = json.excerpt(&path);
            Mistake::at_value(&path, format!("{path}: expected {}, found {found}", in_words(expected)))
        }
        None => Mistake::at_value(&path, format!("{path}: {text}")),
    }
}

/// What was expected, without Rust.
fn in_words(expected: &str) -> String {
    match NUMBERS.iter().find(|(name, _)| *name == expected) {
        Some((_, most)) => format!("a whole number from 0 to {most}"),
        None => expected.replace("struct ", "").replace(" sequence", " list"),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "number")]
        _number: u32,
        #[serde(default, rename = "parts")]
        _parts: Vec<Inner>,
        #[serde(default, rename = "choice")]
        _choice: Option<Choice>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "size")]
        _size: u8,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case", deny_unknown_fields)]
    enum Choice {
        Burn,
        Redistribute(#[expect(dead_code, reason = "only whether it can be read matters")] String),
    }

    fn explained(text: &str) -> (usize, String) {
        let json = Json::parse(text).expect(text);
        let error = serde_path_to_error::deserialize::<_, Outer>(json.value().clone()).expect_err(text);
        let mistake = mistake_of(&json, &Path::root(), &error, &["note"]).located_in(&json);
        (mistake.column(text.as_bytes()), mistake.to_string())
    }

    #[test]
    fn every_misfit_names_place_and_values() {
        let cases = [
            (
                r#"{"number":4294967296}"#,
                11,
                "number: expected a whole number from 0 to 4294967295, found 4294967296",
            ),
            (
                r#"{"number":18446744073709551616}"#,
                11,
                "number: expected a whole number from 0 to 4294967295, found 18446744073709551616",
            ),
            (r#"{"number":-1}"#, 11, "number: expected a whole number from 0 to 4294967295, found -1"),
            (
                r#"{"number":1,"parts":[{"size":300}]}"#,
                30,
                "parts[0].size: expected a whole number from 0 to 255, found 300",
            ),
            (r#"{"number":1,"numbr":2}"#, 13, "unknown field \"numbr\"\n  help: did you mean \"number\"?"),
            (r#"{"number":1,"not":2}"#, 13, "unknown field \"not\"\n  help: did you mean \"note\"?"),
            (
                r#"{"number":1,"x":2}"#,
                13,
                "unknown field \"x\"\n  help: the fields are number, parts, choice",
            ),
            (r#"{"number":1,"parts":[{"size":1},{}]}"#, 33, "field \"size\" is missing"),
            (
                r#"{"number":1,"choice":"burm"}"#,
                22,
                "choice: \"burm\" is not known\n  help: did you mean \"burn\"?",
            ),
            (
                r#"{"number":1,"choice":{"give":1}}"#,
                23,
                "choice: \"give\" is not known\n  help: it may be burn, redistribute",
            ),
            (
                r#"{"number":1,"choice":{"redistribute":7}}"#,
                38,
                "choice.redistribute: expected a string, found 7",
            ),
        ];
        for (text, column, cause) in cases {
            assert_eq!(explained(text), (column, cause.to_owned()), "{text}");
        }
    }
}
