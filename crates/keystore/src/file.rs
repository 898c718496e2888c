//! Files that nobody but their owner reads, and that are whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::KeystoreError;
use crate::secret::fill;

/// The largest key file, in bytes.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;
/// How a file begins that was not finished.
pub(crate) const UNFINISHED: &str = ".unfinished-";

/// Whether a file may take the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Free,
    Replace,
}

/// Makes a folder that only its owner enters, or checks that it is one.
pub(crate) fn private_folder(path: &Path) -> Result<(), KeystoreError> {
    match fs::symlink_metadata(path) {
        Ok(_) => check_folder(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(path).map_err(io_error("make the folder", path))?;
            check_folder(path)
        }
        Err(error) => Err(io_error("look at", path)(error)),
    }
}

fn check_folder(path: &Path) -> Result<(), KeystoreError> {
    let metadata = fs::symlink_metadata(path).map_err(io_error("look at", path))?;
    if !metadata.is_dir() {
        return Err(KeystoreError::WrongKindOfFile { path: path.to_owned(), wanted: "folder" });
    }
    check_mode(path, &metadata, 0o700)
}

/// Reads a file that only its owner may read.
pub(crate) fn read_private(path: &Path) -> Result<String, KeystoreError> {
    let metadata = fs::symlink_metadata(path).map_err(io_error("look at", path))?;
    if !metadata.is_file() {
        return Err(KeystoreError::WrongKindOfFile { path: path.to_owned(), wanted: "file" });
    }
    check_mode(path, &metadata, 0o600)?;
    let mut text = String::new();
    let file = File::open(path).map_err(io_error("read", path))?;
    file.take(KEY_FILE_BYTES_MAX.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(io_error("read", path))?;
    check_length(text.len(), &path.display().to_string())?;
    Ok(text)
}

/// Whether a text may be a key file.
pub(crate) fn check_length(bytes: usize, file: &str) -> Result<(), KeystoreError> {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    if bytes > KEY_FILE_BYTES_MAX {
        return Err(KeystoreError::TooLong { file: file.to_owned(), bytes, most: KEY_FILE_BYTES_MAX });
    }
    Ok(())
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata, wanted: u32) -> Result<(), KeystoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeystoreError::OpenToOthers { path: path.to_owned(), mode, wanted });
    }
    Ok(())
}

/// Other systems have no such bits: who may read a file follows from its folder.
#[cfg(not(unix))]
fn check_mode(_: &Path, _: &fs::Metadata, _: u32) -> Result<(), KeystoreError> {
    Ok(())
}

/// Writes a file that only its owner may read. After a crash it is there whole, or as it was before.
///
/// # Errors
/// [`KeystoreError::Io`], also where the place is not free and should be (of kind `AlreadyExists`).
pub(crate) fn write_private(path: &Path, text: &str, place: Place) -> Result<(), KeystoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let unfinished = unfinished_in(folder)?;
    let written = write_and_place(&unfinished, path, text, place);
    if written.is_err() || place == Place::Free {
        // What is left over harms nobody, and `check` finds it.
        drop(fs::remove_file(&unfinished));
    }
    written?;
    sync_folder(folder)
}

fn write_and_place(unfinished: &Path, path: &Path, text: &str, place: Place) -> Result<(), KeystoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(unfinished).map_err(io_error("write", unfinished))?;
    file.write_all(text.as_bytes()).map_err(io_error("write", unfinished))?;
    file.sync_all().map_err(io_error("write", unfinished))?;
    drop(file);
    match place {
        Place::Replace => fs::rename(unfinished, path).map_err(io_error("write", path)),
        Place::Free => place_free(unfinished, path).map_err(io_error("write", path)),
    }
}

/// A link, since renaming would silently replace what has come there in the meantime. Some disks of other systems have no links.
fn place_free(unfinished: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(unfinished, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !path.try_exists()? => {
            fs::rename(unfinished, path)
        }
        linked => linked,
    }
}

fn unfinished_in(folder: &Path) -> Result<PathBuf, KeystoreError> {
    let mut random = [0; 8];
    fill(&mut random)?;
    Ok(folder.join(format!("{UNFINISHED}{}", hex::encode(random))))
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<(), KeystoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error("write", folder))
}

/// Other systems write folders through.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<(), KeystoreError> {
    Ok(())
}

pub(crate) fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeystoreError {
    let path = path.to_owned();
    move |error| KeystoreError::Io { doing, path, error }
}

#[cfg(test)]
mod tests;
