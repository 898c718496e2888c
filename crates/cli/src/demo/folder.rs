//! The folder of a demo: its ledger, its keys, its names, its settings. It is made whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use keystore::{Keystore, Password, Role, Secret, Work};
use ledger::Genesis;
use ledger::files::DiskFiles;

use crate::demo::history;
use crate::exit::Exit;
use crate::failure::Failure;

/// The file of its settings, which `--data` reads.
pub(super) const SETTINGS_FILE: &str = "surety.toml";
/// The file with the password of its keys.
const PASSWORD_FILE: &str = "password.txt";
/// The password. It is published, as the keys are.
const PASSWORD: &str = "surety demo";

const SETTINGS: &str = "\
# Settings of the demo in this folder: surety --data FOLDER reads them.
version = 1
keystore = \"keystore\"
password_file = \"password.txt\"

[run]
clock = \"paused_while_off\"
";

/// Makes the folder where it is not there, or anew where that is asked for.
///
/// # Errors
/// If there is something else, if its epochs have another length, if it can't be made.
pub(super) fn prepare(folder: &Path, is_fresh: bool, epoch: Option<&str>) -> Result<(), Failure> {
    let epoch_ms = crate::clock::parse_span(epoch.unwrap_or(super::EPOCH))
        .map_err(|why| Failure::usage("field.misfit", format!("--epoch: {why}")))?;
    if !(200..=86_400_000).contains(&epoch_ms) {
        let what = format!("an epoch of {} is outside 200ms to 1d", crate::clock::span(epoch_ms));
        return Err(Failure::usage("field.misfit", what));
    }
    match existing(folder)? {
        None => make(folder, epoch_ms),
        Some(genesis) if is_fresh => {
            forget(folder, &genesis)?;
            make(folder, epoch_ms)
        }
        Some(genesis) if epoch.is_some() && genesis.epoch_ms != epoch_ms => {
            let what = format!("the demo in {} has epochs of {} ms", folder.display(), genesis.epoch_ms);
            Err(Failure::usage("demo.epoch", what).help("start over with --fresh, or leave --epoch out"))
        }
        Some(_) => Ok(()),
    }
}

/// The genesis of the demo that is there; nothing where the folder is free.
fn existing(folder: &Path) -> Result<Option<Genesis>, Failure> {
    let is_empty = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(Failure::storage(format!("cannot read {}", folder.display()), &error)),
    };
    if is_empty {
        return Ok(None);
    }
    let other = |why: String| {
        Failure::usage("demo.other-folder", format!("{} is no demo's folder", folder.display()))
            .why(why)
            .help("name another folder with --data")
    };
    let text =
        fs::read(folder.join(ledger::format::GENESIS_FILE)).map_err(|error| other(error.to_string()))?;
    let genesis = Genesis::from_json(&text).map_err(other)?;
    if super::is_demo(&genesis.domain()) {
        return Ok(Some(genesis));
    }
    Err(other(format!("its ledger is {}", genesis.domain().ledger)))
}

/// Deletes a demo. It has been seen to be one.
fn forget(folder: &Path, _demo: &Genesis) -> Result<(), Failure> {
    // Who runs on it keeps it.
    let lock = DiskFiles::open(folder).map_err(|error| {
        Failure::new(Exit::Storage, "storage.locked", "cannot start over").why(error.to_string())
    })?;
    let deleted = fs::remove_dir_all(folder);
    drop(lock);
    deleted.map_err(|error| Failure::storage(format!("cannot delete {}", folder.display()), &error))
}

fn make(folder: &Path, epoch_ms: u64) -> Result<(), Failure> {
    let unfinished = unfinished(folder);
    let failure =
        |error: std::io::Error| Failure::storage(format!("cannot make {}", folder.display()), &error);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(failure)?;
    }
    fs::create_dir_all(&unfinished).map_err(failure)?;
    let genesis = history::genesis(crate::clock::now_ms(), epoch_ms);
    history::write(&unfinished, &genesis)?;
    write_keys(&unfinished.join("keystore"))?;
    let labels: BTreeMap<String, &str> =
        story::labels().into_iter().map(|label| (label.key, label.label)).collect();
    let labels = serde_json::to_string_pretty(&labels).expect("labels are plain data");
    let files = [
        (node::LABELS_FILE, labels + "\n"),
        (PASSWORD_FILE, format!("{PASSWORD}\n")),
        (SETTINGS_FILE, SETTINGS.to_owned()),
    ];
    for (name, text) in files {
        fs::write(unfinished.join(name), text).map_err(failure)?;
    }
    // An empty folder may be there already; it gives way.
    if folder.exists() {
        fs::remove_dir(folder).map_err(failure)?;
    }
    fs::rename(&unfinished, folder).map_err(failure)
}

/// Where it is made, beside where it will be.
fn unfinished(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    folder.with_file_name(name)
}

/// The keys of everybody, encrypted with the published password: with little work, since there is nothing to protect.
fn write_keys(folder: &Path) -> Result<(), Failure> {
    let failure = |error: keystore::KeystoreError| crate::keys::failure(&error);
    let keystore = Keystore::open_with(folder, Work::Light).map_err(failure)?;
    let password = Password::new(PASSWORD.to_owned());
    for key in story::keys() {
        let role = match key.role {
            story::Role::Account => Role::Account,
            story::Role::Duty => Role::SetKey,
        };
        let secret = Secret::new(key.scheme, key.secret_bytes().into()).map_err(failure)?;
        keystore.import_secret(key.name, role, &secret, &password).map_err(failure)?;
    }
    Ok(())
}
