//! What may go wrong with key files, and what to do about it.

use std::io;
use std::path::PathBuf;

use evidence::{PublicKey, Scheme};

use crate::folder::Role;
use crate::password::PASSWORD_CHARACTERS_MIN;

/// Why a key is not there, not readable, or not written. No message shows a password or a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// The system refused something.
    #[error("can't {doing} {path}: {error}", path = path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// Others than the owner may read or change it.
    #[error("{path} has mode {mode:04o}, so others than its owner can get at it; run: chmod {wanted:o} '{path}'", path = path.display())]
    OpenToOthers {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The permission bits that it should have.
        wanted: u32,
    },
    /// It is a link, a device or a folder where a file should be, or a file where a folder should be.
    #[error("{path} is not a plain {wanted}; move it away", path = path.display())]
    WrongKindOfFile {
        /// The path.
        path: PathBuf,
        /// `file` or `folder`.
        wanted: &'static str,
    },
    /// The name can't be a key's.
    #[error(
        "{name:?} is no name of a key: a letter, then letters, digits, '.', '_' or '-', at most 64 in all"
    )]
    BadName {
        /// The name, cut.
        name: String,
    },
    /// There is a key of that name.
    #[error("there is a key called {name} already, at {path}; take another name, or rotate it", path = path.display())]
    Exists {
        /// The name.
        name: String,
        /// Its file.
        path: PathBuf,
    },
    /// There is no key of that name.
    #[error("there is no key called {name} in {folder}; there are: {known}", folder = folder.display(), known = listed(known))]
    Unknown {
        /// The name.
        name: String,
        /// The keystore.
        folder: PathBuf,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The file is too large for a key.
    #[error("{file} has {bytes} bytes, and a key file at most {most}; it is something else")]
    TooLong {
        /// Which: a path, or `the key file`.
        file: String,
        /// Its size.
        bytes: u64,
        /// The largest.
        most: u64,
    },
    /// The file is no key file.
    #[error("{what} is no key file: {why}")]
    Malformed {
        /// Which: a path, or `the key file`.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// The file asks for something that is not done here.
    #[error("{file} asks for {what} {found}, and only {known} can be read")]
    Unsupported {
        /// Which: a path, or `the key file`.
        file: String,
        /// Of what.
        what: &'static str,
        /// What it asks for, cut.
        found: String,
        /// What can be read.
        known: &'static str,
    },
    /// The password is wrong, or the file damaged: the two can't be told apart.
    #[error(
        "wrong password for {name}, or its file is damaged; try again, or restore the file from a backup"
    )]
    WrongPassword {
        /// The key.
        name: String,
    },
    /// A new password was not typed the same twice.
    #[error("the two passwords differ; type the same twice")]
    PasswordsDiffer,
    /// A new password is too short.
    #[error("a password of {characters} characters is too short; take at least {PASSWORD_CHARACTERS_MIN}")]
    PasswordTooShort {
        /// How many it has.
        characters: usize,
    },
    /// The secret in the file belongs to another public key than the file says.
    #[error("the file of {name} says {says}, and its secret is that of {has}; restore it from a backup")]
    OtherKey {
        /// The key.
        name: String,
        /// The public key in the file.
        says: String,
        /// The public key of the secret.
        has: PublicKey,
    },
    /// The bytes are no secret of that scheme.
    #[error("the secret is none of {scheme}: it is zero, or not below the order of the curve")]
    NoSecret {
        /// The scheme.
        scheme: Scheme,
    },
    /// A key of that scheme can't have that role.
    #[error("a {scheme} key can't be for {role}: it owns no account; take secp256k1 or ed25519")]
    RoleScheme {
        /// The role.
        role: Role,
        /// The scheme.
        scheme: Scheme,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {why}")]
    NoRandomness {
        /// What it says.
        why: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
