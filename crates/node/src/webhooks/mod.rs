//! Webhooks: who wants to be told of which events, and how far each has been told.
//!
//! They are kept in the folder of the ledger, with their secrets, readable by its owner only. Deliveries are signed, tried again, and go to
//! the loopback or to hosts that the configuration allows, and nowhere else. Each event comes at least once, in order, unless a receiver fails for
//! so long that the delivery is given up.

mod deliver;
mod sign;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::units::Address;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::config;
use crate::metrics::Metrics;
use crate::topics::Filter;

pub(crate) use deliver::deliver;
pub(crate) use target::Target;

/// The file in the folder of the ledger.
pub(crate) const WEBHOOKS_FILE: &str = "webhooks.json";
/// The longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// One webhook, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hook {
    pub(crate) id: u32,
    pub(crate) url: String,
    /// Only events that concern this account.
    pub(crate) account: Option<Address>,
    /// Only events of these topics; all where it is empty.
    pub(crate) topics: BTreeSet<String>,
    /// What deliveries are signed with.
    pub(crate) secret: String,
    /// The events of this height and all below were delivered or given up.
    pub(crate) told: u64,
}

impl Hook {
    pub(crate) fn filter(&self) -> Filter {
        Filter { account: self.account, topics: self.topics.clone() }
    }
}

/// The webhooks of a node.
pub(crate) struct Webhooks {
    config: config::Webhooks,
    path: PathBuf,
    hooks: Mutex<BTreeMap<u32, Hook>>,
    /// The number of the next one. None is used twice in a run, so that nobody is told in another's place.
    next: AtomicU32,
    /// Moves when one is added or removed.
    changed: watch::Sender<()>,
    metrics: Arc<Metrics>,
}

/// Why a webhook was not added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotAdded {
    /// There are as many as allowed.
    TooMany(usize),
    /// The target is none, or not allowed.
    Target(String),
    /// The file can't be written.
    Disk(String),
}

impl Webhooks {
    pub(crate) fn load(
        folder: &Path,
        config: &config::Webhooks,
        metrics: Arc<Metrics>,
    ) -> Result<Self, String> {
        let path = folder.join(WEBHOOKS_FILE);
        let list: Vec<Hook> = match std::fs::metadata(&path) {
            Ok(found) if found.len() > FILE_BYTES_MAX => {
                return Err(format!("{WEBHOOKS_FILE} has {} bytes, more than {FILE_BYTES_MAX}", found.len()));
            }
            Ok(_) => {
                let bytes = std::fs::read(&path).map_err(|error| format!("{WEBHOOKS_FILE}: {error}"))?;
                serde_json::from_slice(&bytes).map_err(|error| format!("{WEBHOOKS_FILE}: {error}"))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(format!("{WEBHOOKS_FILE}: {error}")),
        };
        metrics.webhooks.set(i64::try_from(list.len()).unwrap_or(i64::MAX));
        let hooks: BTreeMap<u32, Hook> = list.into_iter().map(|hook| (hook.id, hook)).collect();
        let next = AtomicU32::new(hooks.keys().next_back().map_or(1, |last| last.saturating_add(1)));
        let (changed, _) = watch::channel(());
        Ok(Self { config: config.clone(), path, hooks: Mutex::new(hooks), next, changed, metrics })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Hook>> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Hook> {
        self.lock().values().cloned().collect()
    }

    pub(crate) fn config(&self) -> &config::Webhooks {
        &self.config
    }

    /// Adds one; its number is set here.
    pub(crate) fn add(&self, mut hook: Hook) -> Result<Hook, NotAdded> {
        Target::read(&hook.url, &self.config.allowed).map_err(NotAdded::Target)?;
        let mut hooks = self.lock();
        if hooks.len() >= self.config.registered_max {
            return Err(NotAdded::TooMany(self.config.registered_max));
        }
        hook.id = self.next.fetch_add(1, Ordering::Relaxed);
        hooks.insert(hook.id, hook.clone());
        if let Err(error) = self.save(&hooks) {
            hooks.remove(&hook.id);
            return Err(NotAdded::Disk(error.to_string()));
        }
        self.metrics.webhooks.set(i64::try_from(hooks.len()).unwrap_or(i64::MAX));
        drop(hooks);
        self.changed.send_replace(());
        Ok(hook)
    }

    /// Removes one; whether there was one.
    pub(crate) fn remove(&self, id: u32) -> Result<bool, String> {
        let mut hooks = self.lock();
        let was_there = hooks.remove(&id).is_some();
        self.save(&hooks).map_err(|error| error.to_string())?;
        self.metrics.webhooks.set(i64::try_from(hooks.len()).unwrap_or(i64::MAX));
        drop(hooks);
        self.changed.send_replace(());
        Ok(was_there)
    }

    /// Remembers how far one was told. What can't be written is told again after a restart.
    fn told(&self, id: u32, height: u64) {
        let mut hooks = self.lock();
        if let Some(hook) = hooks.get_mut(&id) {
            hook.told = height;
            let _written = self.save(&hooks).is_ok();
        }
    }

    fn save(&self, hooks: &BTreeMap<u32, Hook>) -> std::io::Result<()> {
        let list: Vec<&Hook> = hooks.values().collect();
        let text = serde_json::to_vec_pretty(&list)?;
        let new = self.path.with_extension("json.new");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)
    }
}
