//! The configuration file: TOML, every key known, every mistake with its line.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::config::key::SETTINGS;
use crate::spelling;

/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// The version of the file's layout.
pub(crate) const VERSION: &str = "1";
/// Tables beside the settings.
const TABLES: [&str; 2] = ["names", "run"];

/// One value of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The name of the setting.
    pub(crate) name: String,
    /// The value as a text.
    pub(crate) value: String,
    /// Its line, from 1.
    pub(crate) line: usize,
}

/// A mistake in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Its line, from 1; 0 where it has none.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do, if that is known.
    pub(crate) help: Option<String>,
}

/// What a file says. What can't be used is in `mistakes`, all of it, so that `config check` tells everything at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Settings.
    pub(crate) settings: Vec<Entry>,
    /// The address book.
    pub(crate) names: Vec<Entry>,
    /// The part for `surety run`: names with dots, values as JSON.
    pub(crate) run: Vec<Entry>,
    /// Everything that is wrong.
    pub(crate) mistakes: Vec<Mistake>,
}

/// Reads a file.
///
/// # Errors
/// What the system says, or that the file is too large or no UTF-8.
pub(crate) fn read(path: &Path) -> Result<Contents, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(format!("it is larger than {FILE_BYTES_MAX} bytes"));
    }
    Ok(parse(&text))
}

/// Reads the text of a file.
pub(crate) fn parse(text: &str) -> Contents {
    let mut contents = Contents::default();
    let line_of = |byte: usize| text.get(..byte).map_or(1, |before| before.matches('\n').count() + 1);
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let line = error.span().map_or(0, |span| line_of(span.start));
            let what = format!("this is not TOML: {}", error.message());
            contents.mistakes.push(Mistake { line, what, help: None });
            return contents;
        }
    };
    for (key, value) in &table {
        let (name, line) = (key.get_ref().as_ref(), line_of(key.span().start));
        match (name, value.get_ref()) {
            ("version", value) => {
                if scalar(value).as_deref() != Some(VERSION) {
                    let what =
                        format!("version {} of the file is not known", scalar(value).unwrap_or_default());
                    let help = Some(format!("this program reads version {VERSION}"));
                    contents.mistakes.push(Mistake { line, what, help });
                }
            }
            ("names", DeValue::Table(names)) => {
                entries(names, line_of, &mut contents.names, &mut contents.mistakes)
            }
            ("run", DeValue::Table(run)) => flattened("", run, &line_of, &mut contents.run),
            ("names" | "run", _) => {
                let what = format!("{name} is a table");
                let help = Some(format!("write [{name}] on a line of its own, and its values below"));
                contents.mistakes.push(Mistake { line, what, help });
            }
            (name, value) => match scalar(value) {
                _ if !SETTINGS.iter().any(|setting| setting.name == name) => {
                    contents.mistakes.push(unknown(name, line));
                }
                Some(value) => contents.settings.push(Entry { name: name.to_owned(), value, line }),
                None => contents.mistakes.push(misfit(name, line)),
            },
        }
    }
    contents.mistakes.sort_by_key(|mistake| mistake.line);
    contents
}

fn unknown(name: &str, line: usize) -> Mistake {
    let known: Vec<&str> =
        SETTINGS.iter().map(|setting| setting.name).chain(["version"]).chain(TABLES).collect();
    let all = || format!("the settings are {}", known.join(", "));
    let help = spelling::proposal(name, known.iter().copied(), all);
    Mistake { line, what: format!("there is no setting {name:?}"), help: Some(help) }
}

fn misfit(name: &str, line: usize) -> Mistake {
    Mistake { line, what: format!("{name} takes one value, in quotation marks"), help: None }
}

fn entries(
    table: &DeTable<'_>,
    line_of: impl Fn(usize) -> usize,
    entries: &mut Vec<Entry>,
    mistakes: &mut Vec<Mistake>,
) {
    for (key, value) in table {
        let (name, line) = (key.get_ref().to_string(), line_of(key.span().start));
        match scalar(value.get_ref()) {
            Some(value) => entries.push(Entry { name, value, line }),
            None => mistakes.push(misfit(&name, line)),
        }
    }
}

/// The values of a table and of the tables in it.
fn flattened(prefix: &str, table: &DeTable<'_>, line_of: &dyn Fn(usize) -> usize, entries: &mut Vec<Entry>) {
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) => flattened(&format!("{name}."), inner, line_of, entries),
            value => {
                entries.push(Entry { name, value: json(value).to_string(), line: line_of(key.span().start) })
            }
        }
    }
}

fn json(value: &DeValue<'_>) -> serde_json::Value {
    match value {
        DeValue::String(text) => serde_json::Value::from(text.as_ref()),
        DeValue::Boolean(truth) => serde_json::Value::from(*truth),
        DeValue::Array(values) => values.iter().map(|value| json(value.get_ref())).collect(),
        other => {
            let text = scalar(other).unwrap_or_default();
            serde_json::from_str(&text).unwrap_or(serde_json::Value::from(text))
        }
    }
}

/// A value that is one word.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_with_their_lines() {
        let contents = parse(
            "version = 1\n\nnode = \"http://a:1\"\n[names]\nt = \"0x1\"\n[run]\nmetrics = true\n[run.http]\nmost = 5\nhosts = [\"a\"]\n",
        );
        let entry =
            |name: &str, value: &str, line| Entry { name: name.to_owned(), value: value.to_owned(), line };
        assert_eq!(contents.settings, [entry("node", "http://a:1", 3)]);
        assert_eq!(contents.names, [entry("t", "0x1", 5)]);
        let run =
            [entry("http.hosts", "[\"a\"]", 10), entry("http.most", "5", 9), entry("metrics", "true", 7)];
        assert_eq!(contents.run, run);
        assert_eq!(contents.mistakes, []);
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = "version = 2\nnod = \"x\"\nkeystore = [1]\nnames = 5\n";
        let mistakes = parse(text).mistakes;
        let found: Vec<(usize, &str, Option<&str>)> = mistakes
            .iter()
            .map(|mistake| (mistake.line, mistake.what.as_str(), mistake.help.as_deref()))
            .collect();
        assert_eq!(
            found,
            [
                (1, "version 2 of the file is not known", Some("this program reads version 1")),
                (2, "there is no setting \"nod\"", Some("did you mean \"node\"?")),
                (3, "keystore takes one value, in quotation marks", None),
                (4, "names is a table", Some("write [names] on a line of its own, and its values below")),
            ]
        );
        assert_eq!(parse("a = ").mistakes.len(), 1);
        assert_eq!(
            parse("node = \"a\"\nnode = \"b\"\n").mistakes.first().map(|mistake| mistake.line),
            Some(2)
        );
    }
}
