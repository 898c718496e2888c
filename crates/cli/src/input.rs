//! Small files that a command reads: terms, batches, bundles. `-` is standard input.

use std::fs::File;
use std::io::{self, Read};

use crate::failure::Failure;

/// The largest of them, in bytes.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The text of a file.
///
/// # Errors
/// If it can't be read, is too large or no UTF-8.
pub(crate) fn read_text(path: &str) -> Result<String, Failure> {
    let failure = |why: String| Failure::usage("input.unreadable", format!("cannot read {path}")).why(why);
    let mut text = String::new();
    let read = |source: &mut dyn Read, text: &mut String| source.take(BYTES_MAX + 1).read_to_string(text);
    let length = if path == "-" {
        read(&mut io::stdin().lock(), &mut text)
    } else {
        File::open(path).and_then(|mut file| read(&mut file, &mut text))
    };
    let length = length.map_err(|error| failure(error.to_string()))?;
    if u64::try_from(length).unwrap_or(u64::MAX) > BYTES_MAX {
        return Err(failure(format!("it is larger than {BYTES_MAX} bytes")));
    }
    Ok(text)
}
