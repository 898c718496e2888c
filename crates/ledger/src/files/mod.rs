//! The few operations on files that the journal needs, behind a trait, so that a test can make each of them fail.
//!
//! Names are relative to the ledger's folder, with `/` between folder and file. Nothing here knows what is inside a file.

mod disk;
pub mod memory;

use std::io;

pub use disk::{DiskFiles, LockError};

/// The files of a ledger's folder.
pub trait Files: Send + Sync {
    /// The names of the files in a folder, in order; none if there is no such folder.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Opens a file to read it, and, with [`Access::Append`], to write at its end; then it is made if it is not there, and so are its folders.
    /// With [`Access::Over`] what is written replaces what is there, in its place.
    ///
    /// # Errors
    /// What the system says.
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn OpenFile>>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name, in place of whatever had it.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes durable which files a folder (`""`: the ledger's own) has.
    ///
    /// # Errors
    /// What the system says.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;
}

/// What an opened file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is there and is read only.
    Read,
    /// It is read, and written at its end.
    Append,
    /// It is there and is read, and what is appended is written over what it has, from this place on. Until that is synced a power failure
    /// leaves the old bytes or the new ones.
    Over(u64),
}

impl Access {
    /// From where on it is written over.
    pub(crate) const fn over(self) -> Option<u64> {
        if let Self::Over(from) = self { Some(from) } else { None }
    }
}

/// An open file.
pub trait OpenFile: Send + Sync {
    /// Writes all bytes at the end. After an error nobody knows how many were written.
    ///
    /// # Errors
    /// What the system says.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Reads from a place, as many bytes as there are and as fit; 0 only at the end.
    ///
    /// # Errors
    /// What the system says.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// How many bytes it has.
    ///
    /// # Errors
    /// What the system says.
    fn size(&self) -> io::Result<u64>;

    /// Makes durable what was written. After an error nobody knows what is durable, and trying again proves nothing.
    ///
    /// # Errors
    /// What the system says.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts it to a size.
    ///
    /// # Errors
    /// What the system says.
    fn truncate(&mut self, size: u64) -> io::Result<()>;
}

/// The folder of a name: what stands before its last `/`.
pub(crate) fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Reads a whole file, of at most `limit` bytes.
///
/// # Errors
/// What the system says; [`io::ErrorKind::FileTooLarge`] beyond the limit.
pub fn read_all(files: &dyn Files, name: &str, limit: u64) -> io::Result<Vec<u8>> {
    let file = files.open(name, Access::Read)?;
    let size = file.size()?;
    let length = usize::try_from(size).ok().filter(|_| size <= limit).ok_or_else(|| {
        io::Error::new(io::ErrorKind::FileTooLarge, format!("{size} bytes are more than {limit}"))
    })?;
    let mut bytes = vec![0; length];
    read_exact_at(file.as_ref(), 0, &mut bytes)?;
    Ok(bytes)
}

/// Fills `into` from a place.
///
/// # Errors
/// What the system says; [`io::ErrorKind::UnexpectedEof`] if the file ends before.
pub(crate) fn read_exact_at(file: &dyn OpenFile, mut offset: u64, mut into: &mut [u8]) -> io::Result<()> {
    while !into.is_empty() {
        let count = file.read_at(offset, into)?;
        let (_, rest) = into.split_at_mut_checked(count).filter(|_| count > 0).ok_or_else(|| {
            io::Error::new(io::ErrorKind::UnexpectedEof, format!("the file ends at byte {offset}"))
        })?;
        into = rest;
        offset += crate::cursor::wide(count);
    }
    Ok(())
}

/// Writes a small file so that after a crash either the old or the new one is there, whole.
///
/// # Errors
/// What the system says.
pub fn replace(files: &dyn Files, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = format!("{name}.new");
    let mut file = files.open(&unfinished, Access::Append)?;
    file.truncate(0)?;
    file.append(bytes)?;
    file.sync()?;
    files.rename(&unfinished, name)?;
    files.sync_folder(folder_of(name))
}
