//! Where passwords come from: a file, or a person who types without echo. Never an argument, never a variable.

use std::path::{Path, PathBuf};

use keystore::Password;

use crate::config::key::Key;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// The longest line of a password file, in bytes.
const LINE_BYTES_MAX: usize = 4_096;

/// The password of a key that is there already.
///
/// # Errors
/// If there is no file for it and nobody can be asked.
pub(crate) fn known(context: &Context, name: &str) -> Result<Password, Failure> {
    match context.settings().path(Key::PasswordFile) {
        Some(file) => from_file(&file),
        None => typed(context, &format!("Password of key {name}: ")).map(Password::new),
    }
}

/// The password of another tool's file, or of a file for one.
///
/// # Errors
/// As [`known`].
pub(crate) fn of_file(
    context: &Context,
    file: Option<&Path>,
    what: &str,
    is_new: bool,
) -> Result<Password, Failure> {
    match file {
        Some(file) => from_file(file),
        None if is_new => confirmed(context, what),
        None => typed(context, &format!("Password of {what}: ")).map(Password::new),
    }
}

/// A new password: of the file where one is named, otherwise typed twice.
///
/// # Errors
/// If nobody can be asked, or the two differ.
pub(crate) fn new(context: &Context, file: Option<PathBuf>, name: &str) -> Result<Password, Failure> {
    match file.or_else(|| context.settings().path(Key::PasswordFile)) {
        Some(file) => from_file(&file),
        None => confirmed(context, &format!("key {name}")),
    }
}

/// The password that replaces another. The file of the old one is not asked for it.
///
/// # Errors
/// As [`new`].
pub(crate) fn replacing(context: &Context, file: Option<&Path>, name: &str) -> Result<Password, Failure> {
    match file {
        Some(file) => from_file(file),
        None => confirmed(context, &format!("key {name}")),
    }
}

fn confirmed(context: &Context, what: &str) -> Result<Password, Failure> {
    let first = typed(context, &format!("New password of {what}: "))?;
    let second = typed(context, "The same again: ")?;
    Password::confirmed(first, second).map_err(|error| super::failure(&error))
}

fn typed(context: &Context, prompt: &str) -> Result<String, Failure> {
    if !context.can_ask() {
        return Err(Failure::new(
            Exit::Key,
            "key.no-password",
            "a password is needed and nobody can be asked for it",
        )
        .why("standard input is no terminal")
        .help("give a file with --password-file or SURETY_PASSWORD_FILE; its first line is the password"));
    }
    rpassword::prompt_password(prompt).map_err(|error| {
        Failure::new(Exit::Key, "key.no-password", "cannot read a password").why(error.to_string())
    })
}

/// The first line of a file.
///
/// # Errors
/// If it can't be read, or is empty or far too long.
pub(crate) fn from_file(path: &Path) -> Result<Password, Failure> {
    let failure = |why: &str| {
        let what = format!("cannot take a password from {}", path.display());
        Failure::new(Exit::Key, "key.password-file", what).why(why)
    };
    let text = std::fs::read_to_string(path).map_err(|error| failure(&error.to_string()))?;
    let line = text.lines().next().unwrap_or_default();
    let password = line.to_owned();
    let is_good = !line.is_empty() && line.len() <= LINE_BYTES_MAX;
    // The whole text held the password too.
    drop(Password::new(text));
    if is_good {
        Ok(Password::new(password))
    } else {
        Err(failure("its first line is empty, or far too long"))
    }
}
