//! Files that commands write.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::failure::Failure;

/// Writes a file that is not there yet, and never over another.
///
/// # Errors
/// If it is there, or can't be written.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| {
        let failure = Failure::usage("output.not-written", format!("cannot write {}", path.display()));
        match error.kind() {
            ErrorKind::AlreadyExists => failure.why("it is there already").help("name another file"),
            _ => failure.why(error.to_string()),
        }
    })
}
