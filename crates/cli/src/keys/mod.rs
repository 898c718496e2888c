//! `surety keys`: the keystore, key by key.

pub(crate) mod password;

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use evidence::Scheme;
use keystore::{Entry, Keystore, KeystoreError, Role, Secret};
use protocol::units::Address;
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column, Shape};

/// What is done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new key.
    New(New),
    /// List the keys, with what each is for.
    List,
    /// Show one key. Its secret is never shown.
    Show(Named),
    /// Take over a key file of another tool: Web3 secret storage or EIP-2335.
    Import(Import),
    /// Write a key file that other tools read.
    Export(Export),
    /// Put a new key in the place of one; the old one is kept under a number.
    Rotate(Change),
    /// Change the password of a key.
    Password(Change),
}

/// Which key is meant.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Its name.
    name: String,
}

/// A key to be made.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// Its name: a letter, then letters, digits, dots, dashes or underscores.
    name: String,
    /// What it is for: a label that lists show.
    #[arg(long, value_parser = roles(), default_value = "account")]
    role: Role,
    /// Which scheme: secp256k1 for what people hold, ed25519 for machines, bls12381 for duty in operator sets.
    #[arg(long, value_parser = schemes(), default_value = "secp256k1")]
    scheme: Scheme,
}

/// A key file to be taken over.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The name that the key gets.
    name: String,
    /// The key file.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The file whose first line is the password of the key file.
    #[arg(long, value_name = "FILE")]
    file_password: Option<PathBuf>,
    /// What the key is for.
    #[arg(long, value_parser = roles(), default_value = "account")]
    role: Role,
    /// The file is no key file but the secret itself, as 64 hex digits in the scheme named here.
    #[arg(long, value_name = "SCHEME", value_parser = schemes())]
    plain: Option<Scheme>,
}

/// A key file to be written.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The name of the key.
    name: String,
    /// The file, which must not be there yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The file whose first line is the password that the new file gets.
    #[arg(long, value_name = "FILE")]
    out_password: Option<PathBuf>,
}

/// A key that gets another password, or another secret.
#[derive(Debug, Args)]
pub(crate) struct Change {
    /// The name of the key.
    name: String,
    /// The file whose first line is the new password.
    #[arg(long, value_name = "FILE")]
    new_password: Option<PathBuf>,
}

fn roles() -> impl TypedValueParser<Value = Role> {
    let named = PossibleValuesParser::new(Role::ALL.map(Role::name));
    named.map(|name| Role::ALL.into_iter().find(|role| role.name() == name).unwrap_or(Role::Account))
}

const SCHEMES: [(&str, Scheme); 3] =
    [("secp256k1", Scheme::Secp256k1), ("ed25519", Scheme::Ed25519), ("bls12381", Scheme::Bls12381)];

fn schemes() -> impl TypedValueParser<Value = Scheme> {
    let named = PossibleValuesParser::new(SCHEMES.map(|(name, _)| name));
    named.map(|name| {
        let found = SCHEMES.into_iter().find(|(known, _)| *known == name);
        found.map_or(Scheme::Secp256k1, |(_, scheme)| scheme)
    })
}

const COLUMNS: [Column; 6] = [
    Column::plain("name", "/name"),
    Column::plain("role", "/role"),
    Column::plain("scheme", "/scheme"),
    Column::plain("address", "/address"),
    Column::plain("public key", "/public_key"),
    Column::plain("path", "/path"),
];

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the keystore says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::New(new) => new.run(context),
            Self::List => {
                let folder = context.keystore_folder();
                let entries = if folder.is_dir() { open(context)?.list().map_err(told)? } else { Vec::new() };
                let answer = Answer::list(entries.iter().map(shown).collect(), &COLUMNS);
                let answer = answer.where_empty("no key yet; surety keys new NAME makes one");
                Ok(answer.with("folder", json!(folder)))
            }
            Self::Show(named) => {
                let entry = existing(context)?.entry(&named.name).map_err(told)?;
                Ok(Answer::new(shown(&entry), Shape::Page(&COLUMNS, &[])))
            }
            Self::Import(import) => import.run(context),
            Self::Export(export) => export.run(context),
            Self::Rotate(change) => change.rotate(context),
            Self::Password(change) => change.password(context),
        }
    }
}

impl New {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let store = open(context)?;
        let password = password::new(context, None, &self.name)?;
        let entry = store.create(&self.name, self.role, self.scheme, &password).map_err(told)?;
        Ok(made("made", &entry))
    }
}

impl Import {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let store = open(context)?;
        let text = crate::input::read_text(&self.file.display().to_string())?;
        let entry = match self.plain {
            Some(scheme) => {
                let secret = plain_secret(scheme, &text)?;
                let password = password::new(context, None, &self.name)?;
                store.import_secret(&self.name, self.role, &secret, &password)
            }
            None => {
                let what = self.file.display().to_string();
                let of_file = password::of_file(context, self.file_password.as_deref(), &what, false)?;
                let password = password::new(context, None, &self.name)?;
                store.import(&self.name, self.role, &text, &of_file, &password)
            }
        };
        Ok(made("took over", &entry.map_err(told)?))
    }
}

/// A secret that stands in a file as hex digits.
fn plain_secret(scheme: Scheme, text: &str) -> Result<Secret, Failure> {
    let digits = text.trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    let mut bytes = [0; 32];
    let is_good = digits.len() == 64 && digits.is_ascii();
    let filled = is_good
        && bytes.iter_mut().zip(digits.as_bytes().chunks(2)).all(|(byte, pair)| {
            let pair = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
            pair.map(|value| *byte = value).is_some()
        });
    if !filled {
        return Err(Failure::new(Exit::Key, "key.no-secret", "the file is no secret of 64 hex digits"));
    }
    Secret::new(scheme, bytes.into()).map_err(told)
}

impl Export {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let store = existing(context)?;
        store.entry(&self.name).map_err(told)?;
        let password = password::known(context, &self.name)?;
        let what = self.out.display().to_string();
        let of_file = password::of_file(context, self.out_password.as_deref(), &what, true)?;
        let text = store.export(&self.name, &password, &of_file).map_err(told)?;
        crate::files::write_private(&self.out, &text)?;
        let said = format!(
            "wrote the key {} into {}, encrypted with its own password",
            self.name,
            self.out.display()
        );
        Ok(Answer::said(said).with("file", json!(self.out)))
    }
}

impl Change {
    fn rotate(&self, context: &Context) -> Result<Answer, Failure> {
        let store = existing(context)?;
        store.entry(&self.name).map_err(told)?;
        let password = password::known(context, &self.name)?;
        let new_password = password::new(context, self.new_password.clone(), &self.name)?;
        let (new, kept) = store.rotate(&self.name, &password, &new_password).map_err(told)?;
        let said = format!(
            "{} is a new key, and the one before is {}. The ledger knows the old one until you tell it: an account by \
             surety account keys, signed with {}; an operator in a set by surety operator key",
            new.name, kept.name, kept.name
        );
        Ok(Answer::said(said).with("key", shown(&new)).with("kept", shown(&kept)))
    }

    fn password(&self, context: &Context) -> Result<Answer, Failure> {
        let store = existing(context)?;
        store.entry(&self.name).map_err(told)?;
        let password = password::known(context, &self.name)?;
        let new_password = password::replacing(context, self.new_password.as_deref(), &self.name)?;
        store.change_password(&self.name, &password, &new_password).map_err(told)?;
        Ok(Answer::said(format!("the key {} has its new password", self.name)))
    }
}

fn made(verb: &str, entry: &Entry) -> Answer {
    let who = entry.address.map_or_else(|| entry.public_key.to_string(), |address| address.to_string());
    Answer::said(format!("{verb} the key {}: {who}", entry.name)).with("key", shown(entry))
}

fn shown(entry: &Entry) -> Value {
    json!({
        "name": entry.name,
        "role": entry.role.name(),
        "scheme": entry.scheme.to_string(),
        "address": entry.address.map(|address| address.to_string()),
        "public_key": entry.public_key.to_string(),
        "path": entry.path,
    })
}

/// The keystore, which is made where there is none.
///
/// # Errors
/// What the keystore says.
pub(crate) fn open(context: &Context) -> Result<Keystore, Failure> {
    Keystore::open(&context.keystore_folder()).map_err(told)
}

/// The keystore, which must be there.
///
/// # Errors
/// If it is not.
pub(crate) fn existing(context: &Context) -> Result<Keystore, Failure> {
    let folder = context.keystore_folder();
    if !folder.is_dir() {
        return Err(Failure::new(
            Exit::Key,
            "key.no-keystore",
            format!("there is no keystore at {}", folder.display()),
        )
        .help("name it with --keystore, or make a first key with surety keys new NAME"));
    }
    open(context)
}

/// The names of the keys in a keystore, with their addresses; none where there is no keystore.
pub(crate) fn named_addresses(folder: &Path) -> Vec<(String, Address)> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let entries = Keystore::open(folder).and_then(|store| store.list()).unwrap_or_default();
    entries.into_iter().filter_map(|entry| Some((entry.name, entry.address?))).collect()
}

fn told(error: KeystoreError) -> Failure {
    failure(&error)
}

/// What a keystore says, as a failure.
pub(crate) fn failure(error: &KeystoreError) -> Failure {
    use KeystoreError as E;
    let (exit, code) = match error {
        E::Io { .. } => (Exit::Storage, "key.io"),
        E::OpenToOthers { .. } => (Exit::Storage, "key.open-to-others"),
        E::WrongKindOfFile { .. } => (Exit::Storage, "key.wrong-kind-of-file"),
        E::BadName { .. } => (Exit::Usage, "key.bad-name"),
        E::Exists { .. } => (Exit::Usage, "key.exists"),
        E::Unknown { .. } => (Exit::Key, "key.unknown"),
        E::TooLong { .. } | E::Malformed { .. } => (Exit::Key, "key.malformed"),
        E::Unsupported { .. } => (Exit::Key, "key.unsupported"),
        E::WrongPassword { .. } => (Exit::Key, "key.wrong-password"),
        E::PasswordsDiffer => (Exit::Key, "key.passwords-differ"),
        E::PasswordTooShort { .. } => (Exit::Key, "key.password-too-short"),
        E::OtherKey { .. } => (Exit::Key, "key.other-key"),
        E::NoSecret { .. } => (Exit::Key, "key.no-secret"),
        E::RoleScheme { .. } => (Exit::Usage, "key.role-scheme"),
        E::NoRandomness { .. } => (Exit::Key, "key.no-randomness"),
    };
    let failure = Failure::new(exit, code, error.to_string());
    match error {
        E::Unknown { name, known, .. } => {
            let near = known.iter().map(String::as_str);
            failure
                .help(crate::spelling::proposal(name, near, || "surety keys list shows the keys".to_owned()))
        }
        _ => failure,
    }
}
