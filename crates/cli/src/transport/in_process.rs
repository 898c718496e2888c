//! To a ledger in a folder on which no node runs: a node without a listener, in this process.

use std::path::Path;

use super::Transport;
use crate::exit::Exit;
use crate::failure::Failure;

/// A node in this process.
pub(crate) struct InProcess;

impl InProcess {
    /// Opens the ledger in a folder.
    ///
    /// # Errors
    /// If there is none, or it can't be opened.
    pub(crate) fn open(folder: &Path, _timeout_ms: u64) -> Result<Box<dyn Transport>, Failure> {
        Err(Failure::new(
            Exit::Storage,
            "storage.no-ledger",
            format!("there is no ledger in {}", folder.display()),
        ))
    }
}
