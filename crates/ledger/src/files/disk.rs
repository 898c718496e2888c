//! Files of the system, in a folder that only one process has open.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{Access, Files, OpenFile, folder_of};
use crate::format::LOCK_FILE;

/// Why a folder can't be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it open.
    #[error("the folder {folder} is open in another process; stop that one first, or read through it")]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// It can't be made or locked.
    #[error(
        "the folder {folder} can't be opened: {source}; check that it exists and that its owner runs this"
    )]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A folder on disk. It stays locked until this is dropped, whatever becomes of the process.
#[derive(Debug)]
pub struct DiskFiles {
    folder: PathBuf,
    /// Holds the lock; the system lets go of it when the file is closed.
    _lock: Option<File>,
}

impl DiskFiles {
    /// Opens a folder, makes it if it is not there, and locks it against other processes.
    ///
    /// # Errors
    /// [`LockError::Locked`], [`LockError::Io`].
    pub fn open(folder: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::Io { folder: folder.to_owned(), source };
        make_folder(folder).map_err(failed)?;
        let options =
            OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK_FILE));
        let lock = options.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(LockError::Locked { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Opens a folder without its lock, for those who only read what never changes, such as a snapshot.
    pub fn unlocked(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), _lock: None }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Makes a folder and those above it, durably: what is in a folder that a power failure takes away is gone as well.
fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    std::fs::create_dir_all(folder)?;
    for made in missing {
        let above = made.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

impl Files for DiskFiles {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.folder.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn OpenFile>> {
        let path = self.folder.join(name);
        let file = match access {
            Access::Read => File::open(path)?,
            Access::Append => {
                std::fs::create_dir_all(self.folder.join(folder_of(name)))?;
                OpenOptions::new().read(true).append(true).create(true).open(path)?
            }
            Access::Over(from) => {
                let mut file = OpenOptions::new().read(true).write(true).open(path)?;
                file.seek(SeekFrom::Start(from))?;
                file
            }
        };
        Ok(Box::new(DiskFile(file)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.folder.join(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        File::open(self.folder.join(folder))?.sync_all()
    }
}

/// An open file of the system.
struct DiskFile(File);

impl OpenFile for DiskFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::os::unix::fs::FileExt::read_at(&self.0, into, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        // The size of a file is part of what is synced with its data.
        self.0.sync_data()
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.0.set_len(size)
    }
}
