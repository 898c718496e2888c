//! The folder of key files: what keys there are, and everything that is done with them.
//!
//! One key in each file, `<name>.json`. The folder has mode 0700 and the files 0600; where others may read or change them nothing is
//! done but to say so.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use evidence::{PublicKey, Scheme, address_of};
use protocol::units::Address;
use serde::{Deserialize, Serialize};

use crate::crypt::Work;
use crate::error::KeystoreError;
use crate::file::{Place, UNFINISHED, check_length, io_error, private_folder, read_private, write_private};
use crate::format::{KeyFile, Ours, write};
use crate::password::Password;
use crate::secret::Secret;
use crate::signer::LocalSigner;

/// The longest name of a key.
const NAME_MAX: usize = 64;
/// The most keys that were rotated away under one name.
const ROTATED_MAX: u32 = 10_000;

/// What a key is for. It is a label: what a key may do, the ledger says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Signs for an account.
    Account,
    /// Signs for an operator's account.
    Operator,
    /// Signs on duty in operator sets.
    SetKey,
    /// Names a node.
    Node,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Account, Self::Operator, Self::SetKey, Self::Node];

    /// Its name: `account`, `operator`, `set-key` or `node`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Operator => "operator",
            Self::SetKey => "set-key",
            Self::Node => "node",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is known of a key without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Its scheme.
    pub scheme: Scheme,
    /// What verifies its signatures. What the file says; [`Keystore::unlock`] proves it.
    pub public_key: PublicKey,
    /// The account that the key is by itself; none for BLS12-381.
    pub address: Option<Address>,
    /// Its file.
    pub path: PathBuf,
}

/// A folder of key files.
#[derive(Clone, Debug)]
pub struct Keystore {
    folder: PathBuf,
    work: Work,
}

impl Keystore {
    /// Opens a folder, and makes it where there is none.
    ///
    /// # Errors
    /// [`KeystoreError::Io`], [`KeystoreError::WrongKindOfFile`], [`KeystoreError::OpenToOthers`].
    pub fn open(folder: &Path) -> Result<Self, KeystoreError> {
        Self::open_with(folder, Work::Standard)
    }

    /// Opens a folder whose files are encrypted with so much work. Reading takes what each file says.
    ///
    /// # Errors
    /// As [`Keystore::open`].
    pub fn open_with(folder: &Path, work: Work) -> Result<Self, KeystoreError> {
        private_folder(folder)?;
        Ok(Self { folder: folder.to_owned(), work })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a new key.
    ///
    /// # Errors
    /// In this order: [`KeystoreError::BadName`], [`KeystoreError::RoleScheme`], [`KeystoreError::PasswordTooShort`],
    /// [`KeystoreError::Exists`], [`KeystoreError::NoRandomness`], [`KeystoreError::Io`].
    pub fn create(
        &self,
        name: &str,
        role: Role,
        scheme: Scheme,
        password: &Password,
    ) -> Result<Entry, KeystoreError> {
        self.check_new(name, role, scheme, password)?;
        self.add(name, role, &Secret::generate(scheme)?, password)
    }

    /// Takes a secret over.
    ///
    /// # Errors
    /// As [`Keystore::create`].
    pub fn import_secret(
        &self,
        name: &str,
        role: Role,
        secret: &Secret,
        password: &Password,
    ) -> Result<Entry, KeystoreError> {
        self.check_new(name, role, secret.scheme(), password)?;
        self.add(name, role, secret, password)
    }

    /// Takes the key of another tool's file over: Web3 secret storage (version 3) or EIP-2335 (version 4). It is encrypted anew.
    ///
    /// # Errors
    /// [`KeystoreError::TooLong`], [`KeystoreError::Malformed`], [`KeystoreError::Unsupported`], [`KeystoreError::WrongPassword`],
    /// [`KeystoreError::NoSecret`], [`KeystoreError::OtherKey`], then as [`Keystore::create`].
    pub fn import(
        &self,
        name: &str,
        role: Role,
        text: &str,
        password_of_file: &Password,
        password: &Password,
    ) -> Result<Entry, KeystoreError> {
        check_name(name)?;
        check_length(text.len(), "the key file")?;
        let secret = KeyFile::parse(text)?.open("the key file", password_of_file)?;
        self.import_secret(name, role, &secret, password)
    }

    /// The text of a key file that other tools read, encrypted with a password for whoever gets it.
    ///
    /// # Errors
    /// As [`Keystore::unlock`]; [`KeystoreError::PasswordTooShort`], [`KeystoreError::NoRandomness`].
    pub fn export(
        &self,
        name: &str,
        password: &Password,
        password_of_file: &Password,
    ) -> Result<String, KeystoreError> {
        password_of_file.check_length()?;
        let (_, secret) = self.secret(name, password)?;
        write(&secret, password_of_file, None, self.work)
    }

    /// The keys that can be read, by name. What can't be read, [`Keystore::check`] says.
    ///
    /// # Errors
    /// [`KeystoreError::Io`] for the folder itself.
    pub fn list(&self) -> Result<Vec<Entry>, KeystoreError> {
        Ok(self.scan()?.0)
    }

    /// What is wrong in the folder: files that are no keys, open to others, or left over from a write that was not finished.
    ///
    /// # Errors
    /// [`KeystoreError::Io`] for the folder itself.
    pub fn check(&self) -> Result<Vec<KeystoreError>, KeystoreError> {
        Ok(self.scan()?.1)
    }

    /// What is known of a key without its password.
    ///
    /// # Errors
    /// [`KeystoreError::BadName`], [`KeystoreError::Unknown`], [`KeystoreError::Io`], [`KeystoreError::WrongKindOfFile`],
    /// [`KeystoreError::OpenToOthers`], [`KeystoreError::TooLong`], [`KeystoreError::Malformed`], [`KeystoreError::Unsupported`].
    pub fn entry(&self, name: &str) -> Result<Entry, KeystoreError> {
        self.read(name).map(|(entry, _)| entry)
    }

    /// The key itself, ready to sign.
    ///
    /// # Errors
    /// As [`Keystore::entry`], then [`KeystoreError::WrongPassword`], [`KeystoreError::NoSecret`], [`KeystoreError::OtherKey`].
    pub fn unlock(&self, name: &str, password: &Password) -> Result<LocalSigner, KeystoreError> {
        let (entry, secret) = self.secret(name, password)?;
        Ok(LocalSigner::new(entry.name, &secret))
    }

    /// The secret of a key, to be shown or taken elsewhere.
    ///
    /// # Errors
    /// As [`Keystore::unlock`].
    pub fn expose(&self, name: &str, password: &Password) -> Result<Secret, KeystoreError> {
        self.secret(name, password).map(|(_, secret)| secret)
    }

    /// Puts a new key of the same scheme and role under a name. The one before is kept under `name.1`, `name.2` and so on, with its
    /// password, since it must sign whatever makes the ledger take the new one. Gives the new entry and that of the one before.
    ///
    /// # Errors
    /// As [`Keystore::unlock`]; [`KeystoreError::PasswordTooShort`], [`KeystoreError::BadName`] if the name leaves no room for the number.
    pub fn rotate(
        &self,
        name: &str,
        password: &Password,
        new_password: &Password,
    ) -> Result<(Entry, Entry), KeystoreError> {
        new_password.check_length()?;
        let (entry, secret) = self.secret(name, password)?;
        let kept = self.keep(&entry)?;
        let secret = Secret::generate(secret.scheme())?;
        let new = self.put(name, entry.role, &secret, new_password, Place::Replace)?;
        Ok((new, kept))
    }

    /// Encrypts a key with another password.
    ///
    /// # Errors
    /// As [`Keystore::unlock`]; [`KeystoreError::PasswordTooShort`].
    pub fn change_password(
        &self,
        name: &str,
        password: &Password,
        new_password: &Password,
    ) -> Result<(), KeystoreError> {
        new_password.check_length()?;
        let (entry, secret) = self.secret(name, password)?;
        self.put(name, entry.role, &secret, new_password, Place::Replace).map(|_| ())
    }

    fn path_of(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }

    fn check_new(
        &self,
        name: &str,
        role: Role,
        scheme: Scheme,
        password: &Password,
    ) -> Result<(), KeystoreError> {
        check_name(name)?;
        if scheme == Scheme::Bls12381 && matches!(role, Role::Account | Role::Operator) {
            return Err(KeystoreError::RoleScheme { role, scheme });
        }
        password.check_length()?;
        let path = self.path_of(name);
        match fs::symlink_metadata(&path) {
            Ok(_) => Err(KeystoreError::Exists { name: name.to_owned(), path }),
            Err(_) => Ok(()),
        }
    }

    fn add(
        &self,
        name: &str,
        role: Role,
        secret: &Secret,
        password: &Password,
    ) -> Result<Entry, KeystoreError> {
        self.put(name, role, secret, password, Place::Free).map_err(|error| match error {
            KeystoreError::Io { error, path, .. } if error.kind() == io::ErrorKind::AlreadyExists => {
                KeystoreError::Exists { name: name.to_owned(), path }
            }
            other => other,
        })
    }

    fn put(
        &self,
        name: &str,
        role: Role,
        secret: &Secret,
        password: &Password,
        place: Place,
    ) -> Result<Entry, KeystoreError> {
        let ours = Ours { role, public_key: secret.public_key() };
        let text = write(secret, password, Some(&ours), self.work)?;
        let path = self.path_of(name);
        write_private(&path, &text, place)?;
        Ok(entry_of(name, &ours, path))
    }

    /// Writes a key's file once more, under the next free number.
    fn keep(&self, entry: &Entry) -> Result<Entry, KeystoreError> {
        let text = read_private(&entry.path)?;
        for number in 1..ROTATED_MAX {
            let name = format!("{}.{number}", entry.name);
            check_name(&name)?;
            let path = self.path_of(&name);
            match write_private(&path, &text, Place::Free) {
                Ok(()) => return Ok(Entry { name, path, ..entry.clone() }),
                Err(KeystoreError::Io { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(KeystoreError::Exists { name: format!("{}.{ROTATED_MAX}", entry.name), path: entry.path.clone() })
    }

    fn secret(&self, name: &str, password: &Password) -> Result<(Entry, Secret), KeystoreError> {
        let (entry, file) = self.read(name)?;
        let secret = file.open(name, password)?;
        Ok((entry, secret))
    }

    fn read(&self, name: &str) -> Result<(Entry, KeyFile), KeystoreError> {
        check_name(name)?;
        let path = self.path_of(name);
        if fs::symlink_metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            let known = self.list()?.into_iter().map(|entry| entry.name).collect();
            return Err(KeystoreError::Unknown { name: name.to_owned(), folder: self.folder.clone(), known });
        }
        read_entry(name, path)
    }

    fn scan(&self) -> Result<(Vec<Entry>, Vec<KeystoreError>), KeystoreError> {
        let (mut entries, mut faults) = (Vec::new(), Vec::new());
        let mut paths = Vec::new();
        for file in fs::read_dir(&self.folder).map_err(io_error("list", &self.folder))? {
            paths.push(file.map_err(io_error("list", &self.folder))?.path());
        }
        paths.sort();
        for path in paths {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let name = file.strip_suffix(".json").filter(|name| check_name(name).is_ok());
            let what = path.display().to_string();
            match name {
                Some(name) => match read_entry(name, path.clone()) {
                    Ok((entry, _)) => entries.push(entry),
                    Err(fault) => faults.push(fault),
                },
                None if file.starts_with(UNFINISHED) => faults.push(KeystoreError::Malformed {
                    what,
                    why: "it is left over from a write that was not finished; delete it".to_owned(),
                }),
                None => faults.push(KeystoreError::Malformed {
                    what,
                    why: "it is not called like one, <name>.json; move it away".to_owned(),
                }),
            }
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok((entries, faults))
    }
}

/// Of which scheme the key in a key file is, as far as the file says: what is read of it before anybody asks for a password.
///
/// # Errors
/// [`KeystoreError::TooLong`], [`KeystoreError::Malformed`], [`KeystoreError::Unsupported`].
pub fn look(text: &str) -> Result<Scheme, KeystoreError> {
    check_length(text.len(), "the key file")?;
    KeyFile::parse(text).map(|file| file.scheme)
}

/// Whether a name may be that of a key: it becomes the name of a file, and stands in commands.
fn check_name(name: &str) -> Result<(), KeystoreError> {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
    let is_name = name.chars().next().is_some_and(|first| first.is_ascii_alphabetic())
        && name.len() <= NAME_MAX
        && name.chars().all(is_allowed);
    if is_name {
        return Ok(());
    }
    Err(KeystoreError::BadName { name: name.chars().take(NAME_MAX.saturating_add(1)).collect() })
}

fn read_entry(name: &str, path: PathBuf) -> Result<(Entry, KeyFile), KeystoreError> {
    let file = KeyFile::parse(&read_private(&path)?).map_err(|error| match error {
        KeystoreError::Malformed { why, .. } => {
            KeystoreError::Malformed { what: path.display().to_string(), why }
        }
        KeystoreError::Unsupported { what, found, known, .. } => {
            KeystoreError::Unsupported { file: path.display().to_string(), what, found, known }
        }
        other => other,
    })?;
    let Some(ours) = &file.ours else {
        let why = "it was made by another tool and has no role; move it away and import it".to_owned();
        return Err(KeystoreError::Malformed { what: path.display().to_string(), why });
    };
    Ok((entry_of(name, ours, path), file))
}

fn entry_of(name: &str, ours: &Ours, path: PathBuf) -> Entry {
    Entry {
        name: name.to_owned(),
        role: ours.role,
        scheme: ours.public_key.scheme(),
        address: address_of(&ours.public_key).map(Address),
        public_key: ours.public_key.clone(),
        path,
    }
}

#[cfg(test)]
mod tests;
