//! The file in which a follower keeps what it knows: written whole or not at all, and read back only if it is as it was written.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use evidence::ethereum::{Chain, Hash, LightClient};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The first words of such a file; the digest of what follows is behind them.
const HEAD: &str = "surety-follow/v1 ";
/// Bytes of such a file at most. One with two committees and a thousand headers has about 600,000.
const BYTES_MAX: u64 = 8 << 20;

/// The file.
#[derive(Clone, Debug)]
pub struct Keeper(PathBuf);

/// Why what a follower knew can't be had, or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeeperFault {
    /// The file can't be read or written.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is not as it was written.
    #[error("{}: damaged: {why}; delete it to begin again at the trusted root", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It began somewhere else.
    #[error("{}: follows from the trusted root 0x{}, not from 0x{}; name another file, or that root", .path.display(), hex::encode(.actual), hex::encode(.expected))]
    Other {
        /// The file.
        path: PathBuf,
        /// What is trusted here.
        expected: Hash,
        /// What was trusted there.
        actual: Hash,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<T> {
    genesis_validators_root: String,
    trusted: String,
    client: T,
}

fn root(text: &str) -> Option<Hash> {
    hex::decode(text).ok()?.try_into().ok()
}

impl Keeper {
    /// The file at a path.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    fn io(&self, error: std::io::Error) -> KeeperFault {
        KeeperFault::Io { path: self.0.clone(), error }
    }

    fn damaged(&self, why: impl Into<String>) -> KeeperFault {
        KeeperFault::Damaged { path: self.0.clone(), why: why.into() }
    }

    /// What the file says. Nothing, if there is none.
    ///
    /// # Errors
    /// [`KeeperFault`]
    pub fn load(&self, chain: &Chain, trusted: &Hash) -> Result<Option<LightClient>, KeeperFault> {
        let Some(kept) = self.read()? else { return Ok(None) };
        let actual = root(&kept.trusted).ok_or_else(|| self.damaged("no trusted root"))?;
        if actual != *trusted {
            return Err(KeeperFault::Other { path: self.0.clone(), expected: *trusted, actual });
        }
        if root(&kept.genesis_validators_root).as_ref() != Some(chain.genesis_validators_root()) {
            return Err(self.damaged("it follows another chain"));
        }
        Ok(Some(kept.client))
    }

    /// What the file says, and the root that was trusted there. Nothing, if there is none.
    ///
    /// # Errors
    /// [`KeeperFault::Io`], [`KeeperFault::Damaged`]
    pub fn kept(&self) -> Result<Option<(Hash, LightClient)>, KeeperFault> {
        let Some(kept) = self.read()? else { return Ok(None) };
        let trusted = root(&kept.trusted).ok_or_else(|| self.damaged("no trusted root"))?;
        Ok(Some((trusted, kept.client)))
    }

    fn read(&self) -> Result<Option<Kept<LightClient>>, KeeperFault> {
        let length = match std::fs::metadata(&self.0) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.io(error)),
        };
        if length > BYTES_MAX {
            return Err(self.damaged(format!("it has {length} bytes, more than {BYTES_MAX}")));
        }
        let text = std::fs::read_to_string(&self.0).map_err(|error| self.io(error))?;
        let parts = text.strip_prefix(HEAD).and_then(|rest| rest.split_once('\n'));
        let (digest, content) = parts.ok_or_else(|| self.damaged("it does not begin as it should"))?;
        if hex::encode(Sha256::digest(content.trim_end())) != digest {
            return Err(self.damaged("its digest is another"));
        }
        serde_json::from_str(content).map(Some).map_err(|error| self.damaged(error.to_string()))
    }

    /// Keeps what is known from here on.
    ///
    /// # Errors
    /// [`KeeperFault::Io`]
    pub fn save(&self, chain: &Chain, trusted: &Hash, client: &LightClient) -> Result<(), KeeperFault> {
        let kept = Kept {
            genesis_validators_root: hex::encode(chain.genesis_validators_root()),
            trusted: hex::encode(trusted),
            client,
        };
        let content = serde_json::to_string(&kept).map_err(|error| self.damaged(error.to_string()))?;
        let digest = hex::encode(Sha256::digest(&content));
        let mut unfinished = self.0.as_os_str().to_owned();
        unfinished.push(".new");
        let unfinished = PathBuf::from(unfinished);
        let written = || -> std::io::Result<()> {
            let mut file = File::create(&unfinished)?;
            file.write_all(format!("{HEAD}{digest}\n{content}\n").as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&unfinished, &self.0)?;
            let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        written().map_err(|error| self.io(error))
    }
}
