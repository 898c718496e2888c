//! Files that commands write.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

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

/// The same, readable by its owner only.
///
/// # Errors
/// As [`write_new`].
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    write_new(path, "")?;
    let written = restrict(path).and_then(|()| std::fs::write(path, text));
    written.map_err(|error| {
        Failure::usage("output.not-written", format!("cannot write {}", path.display()))
            .why(error.to_string())
    })
}

#[cfg(unix)]
fn restrict(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Writes a file, over another of that name: whole or not at all.
///
/// # Errors
/// If it can't be written.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let written = std::fs::write(&unfinished, text).and_then(|()| std::fs::rename(&unfinished, path));
    written.map_err(|error| {
        Failure::usage("output.not-written", format!("cannot write {}", path.display()))
            .why(error.to_string())
    })
}

/// A folder for passing things that is gone when this is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// An empty folder, whose name says what it is for.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn new(what: &str) -> Result<Self, Failure> {
        let name = format!("surety-{what}-{}-{}", std::process::id(), crate::clock::now_ms());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)
            .map_err(|error| Failure::storage(format!("cannot make {}", path.display()), &error))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be deleted stays where things are passed.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
