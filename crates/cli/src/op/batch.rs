//! Many operations of one kind, from a CSV file: the first line names fields, each other line is an operation.

use crate::failure::Failure;
use crate::op::form::Typed;

/// The most operations of one batch.
const LINES_MAX: usize = 10_000;

/// One line of a batch: its number in the file, and what it says.
pub(crate) type Line = (u64, Typed);

/// Reads a batch. Fields that are given beside the file are those of every line that does not say otherwise. Lines that start with # are comments.
///
/// # Errors
/// If the file can't be read, a field is not known, or there are too many lines; with the number of the line.
pub(crate) fn read(typed: &Typed, file: &str) -> Result<Vec<Line>, Failure> {
    let text = crate::input::read_text(file)?;
    let failure = |line: u64, why: String| {
        Failure::usage("batch.malformed", format!("{file}:{line}: {why}"))
            .help("the first line names fields, as operator,amount; every other line has as many values")
    };
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let names: Vec<String> = match reader.headers() {
        Ok(names) => names.iter().map(|name| name.replace('-', "_")).collect(),
        Err(error) => return Err(failure(1, error.to_string())),
    };
    let mut lines = Vec::new();
    for record in reader.records() {
        let place = |error: &csv::Error| error.position().map_or(0, csv::Position::line);
        let record = record.map_err(|error| failure(place(&error), "it is not UTF-8".to_owned()))?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.get(0).is_some_and(|first| first.starts_with('#')) {
            continue;
        }
        if record.len() != names.len() {
            let (found, named) = (record.len(), names.len());
            return Err(failure(line, format!("{found} values, and the first line names {named} fields")));
        }
        if lines.len() == LINES_MAX {
            return Err(failure(line, format!("a batch has at most {LINES_MAX} lines")));
        }
        let given = names.iter().zip(record.iter()).filter(|(_, value)| !value.is_empty());
        let fields = given.map(|(name, value)| (name.clone(), value.to_owned())).collect();
        lines.push((line, typed.with(fields)));
    }
    if lines.is_empty() {
        return Err(failure(1, "there is no operation in it".to_owned()));
    }
    Ok(lines)
}
