//! The checks, each for itself.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use keystore::Keystore;
use ledger::files::{DiskFiles, LockError};
use ledger::format::{GENESIS_FILE, JOURNAL_FOLDER, RECEIPTS_FOLDER};
use ledger::{Genesis, Ledger, Options};
use serde_json::Value;
use store::QmdbStore;

use super::{Finding, Weight, system};
use crate::config::file::Mistake;
use crate::config::key::Key;
use crate::config::{Origin, Settings, Target};
use crate::transport::{self, Address, Http};

/// Below so many free bytes a ledger may soon have no room.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// By so much the clocks of two machines may differ, in milliseconds.
const SKEW_MS_MAX: u64 = 5_000;

/// The configuration file, the variables and the flags.
pub(super) fn configuration(settings: &Settings, mistakes: &[(Origin, Mistake)]) -> Vec<Finding> {
    const CHECK: &str = "configuration";
    let mut findings: Vec<Finding> = mistakes
        .iter()
        .map(|(origin, mistake)| {
            let remedy = mistake
                .help
                .clone()
                .unwrap_or_else(|| "correct it there; surety config check lists all".to_owned());
            Finding::bad(CHECK, format!("{origin}: {}", mistake.what), remedy)
        })
        .collect();
    if let Err(failure) = settings.target() {
        findings.push(Finding::bad(
            CHECK,
            "both a node and a data folder are named at one place",
            failure.remedy().unwrap_or("name one"),
        ));
    }
    for (name, help) in crate::run::check_settings(settings.run()) {
        findings.push(Finding::bad(CHECK, format!("run.{name} can't be used"), help));
    }
    if findings.is_empty() {
        let file = settings.file().map_or("no file".to_owned(), |file| file.display().to_string());
        findings.push(Finding::good(CHECK, file));
    }
    findings
}

/// The folder of the keystore and every file in it.
pub(super) fn keystore(settings: &Settings) -> Vec<Finding> {
    const CHECK: &str = "keystore";
    let context = crate::context::Context::new(settings.clone());
    let folder = context.keystore_folder();
    if !folder.is_dir() {
        let what = format!("there is none at {}", folder.display());
        return vec![Finding::note(
            CHECK,
            what,
            "make a first key with surety keys new, or name the folder with --keystore",
        )];
    }
    let mut findings = Vec::new();
    match Keystore::open(&folder).and_then(|store| Ok((store.list()?, store.check()?))) {
        Ok((entries, faults)) => {
            for fault in faults {
                let text = fault.to_string();
                let (what, remedy) = text
                    .split_once("; ")
                    .unwrap_or((text.as_str(), "move the file away, or restore it from a backup"));
                findings.push(Finding::bad(CHECK, what, remedy));
            }
            if findings.is_empty() {
                findings
                    .push(Finding::good(CHECK, format!("{} keys in {}", entries.len(), folder.display())));
            }
        }
        Err(error) => {
            let text = error.to_string();
            let (what, remedy) =
                text.split_once("; ").unwrap_or((text.as_str(), "name another folder with --keystore"));
            findings.push(Finding::bad(CHECK, what, remedy));
        }
    }
    if let Some(file) = settings.path(Key::PasswordFile) {
        findings.extend(password_file(&file));
    }
    findings
}

fn password_file(file: &Path) -> Vec<Finding> {
    const CHECK: &str = "password file";
    if let Err(failure) = crate::keys::password::from_file(file) {
        let why = failure.to_json()["error"]["why"].as_str().unwrap_or_default().to_owned();
        return vec![Finding::bad(
            CHECK,
            format!("{}: {why}", file.display()),
            "write the password into its first line, or name another file",
        )];
    }
    match system::mode(file) {
        Some(mode) if mode & 0o077 != 0 => {
            let remedy = format!("chmod 600 {}", file.display());
            vec![Finding::note(
                CHECK,
                format!("{} has mode {mode:04o}: others can read it", file.display()),
                remedy,
            )]
        }
        _ => vec![Finding::good(CHECK, file.display().to_string())],
    }
}

/// The folder of a ledger: who may read it, who has it open, what is in it.
pub(super) fn data(folder: &Path, settings: &Settings, is_deep: bool) -> Vec<Finding> {
    let mut findings = vec![readable(folder)];
    findings.push(room(system::free_bytes(folder)));
    let genesis = genesis(folder);
    let is_whole = genesis.weight == Weight::Good;
    findings.push(genesis);
    if !is_whole {
        return findings;
    }
    // Everything else is made when a ledger runs for the first time.
    let is_begun_only =
        ![JOURNAL_FOLDER, RECEIPTS_FOLDER, node::STORE_FOLDER].iter().any(|name| folder.join(name).exists());
    if !is_begun_only && !folder.join(JOURNAL_FOLDER).is_dir() {
        findings.push(Finding::bad(
            "journal",
            "it is missing",
            "restore a snapshot into another folder: surety snapshot restore",
        ));
        return findings;
    }
    match DiskFiles::open(folder) {
        Err(LockError::Locked { .. }) => {
            let is_node = transport::running_at(folder).is_some();
            findings.push(match is_node {
                true => Finding::good("lock", "a node runs on the folder"),
                false => Finding::note(
                    "lock",
                    "another process has the folder open",
                    "wait until it ends; what is inside was not looked at",
                ),
            });
        }
        Err(error) => findings.push(Finding::bad(
            "lock",
            error.to_string(),
            "give the folder to the user that runs this",
        )),
        Ok(files) => {
            findings.push(Finding::good("lock", "nobody has the folder open"));
            findings.extend(port(folder, settings));
            drop(files);
            if is_begun_only {
                findings.push(Finding::good("journal and store", "none yet: the ledger has not run"));
                return findings;
            }
            findings.extend(journal(folder, settings));
            if is_deep {
                findings.push(deep(folder));
            }
        }
    }
    findings
}

/// The file that says how the ledger began.
fn genesis(folder: &Path) -> Finding {
    const CHECK: &str = "genesis";
    let read = match fs::read(folder.join(GENESIS_FILE)) {
        Ok(bytes) => Genesis::from_json(&bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let what = format!("there is no ledger in {}", folder.display());
            let remedy = "name another folder with --data, or begin a ledger with surety init";
            return Finding::bad(CHECK, what, remedy);
        }
        Err(error) => Err(error.to_string()),
    };
    match read {
        Ok(genesis) => Finding::good(CHECK, genesis.domain().ledger),
        Err(why) => {
            let what = format!("it can't be read: {why}");
            Finding::bad(CHECK, what, "put the file back from a backup or a snapshot")
        }
    }
}

fn readable(folder: &Path) -> Finding {
    const CHECK: &str = "data folder";
    let probe = folder.join(".surety-doctor");
    let written = fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe));
    if let Err(error) = written {
        let what = format!("{} can't be written: {error}", folder.display());
        return Finding::bad(CHECK, what, "give the folder to the user that runs this, or mount it writable");
    }
    match system::mode(folder) {
        Some(mode) if mode & 0o022 != 0 => {
            let remedy = format!("chmod go-w {}", folder.display());
            Finding::bad(
                CHECK,
                format!("{} has mode {mode:04o}: others can change it", folder.display()),
                remedy,
            )
        }
        _ => Finding::good(CHECK, folder.display().to_string()),
    }
}

/// Whether there is room: `free` bytes, where that is known.
pub(super) fn room(free: Option<u64>) -> Finding {
    const CHECK: &str = "disk space";
    match free {
        None => Finding::note(CHECK, "it is not known how much is free", "look with the tools of the system"),
        Some(free) if free < FREE_BYTES_MIN => {
            let what = format!("{} MB are free", free >> 20);
            Finding::bad(
                CHECK,
                what,
                "make room: a node stops when the disk is full, and loses nothing that was acknowledged",
            )
        }
        Some(free) => Finding::good(CHECK, format!("{} GB are free", free >> 30)),
    }
}

/// Whether the address that a node would take is free.
fn port(folder: &Path, settings: &Settings) -> Vec<Finding> {
    let Ok(config) = crate::run::node_config(settings, folder) else { return Vec::new() };
    let Some(listen) = config.listen.filter(|listen| listen.port() != 0) else { return Vec::new() };
    vec![match TcpListener::bind(listen) {
        Ok(_) => Finding::good("port", format!("{listen} is free")),
        Err(error) => {
            let what = format!("{listen} can't be had: {error}");
            Finding::bad(
                "port",
                what,
                "end whoever has it, or take another with surety run --listen or run.listen",
            )
        }
    }]
}

/// Opens the ledger as a node would, which finds a damaged journal, a store of another history and a store that is behind. What a node would mend at its
/// start is mended.
fn journal(folder: &Path, settings: &Settings) -> Vec<Finding> {
    const CHECK: &str = "journal and store";
    let store_folder = folder.join(node::STORE_FOLDER);
    let opened = DiskFiles::open(folder).map_err(|error| error.to_string()).and_then(|files| {
        let store =
            QmdbStore::open(&store_folder, store::Options::default()).map_err(|error| error.to_string())?;
        let ledger = Ledger::open(Arc::new(files), Box::new(store), Options::default())
            .map_err(|fault| fault.to_string())?;
        let (opened, head) = (ledger.opened().clone(), ledger.head());
        ledger.close().map_err(|fault| fault.to_string())?;
        Ok((opened, head))
    });
    match opened {
        Ok((opened, head)) => {
            let height = head.header.height;
            let mut findings = vec![if opened.cut.is_empty() && opened.replayed == 0 {
                Finding::good(CHECK, format!("whole up to height {height}"))
            } else {
                let cut = if opened.cut.is_empty() {
                    String::new()
                } else {
                    format!("; cut: {}", opened.cut.join(", "))
                };
                let what =
                    format!("the store was {} blocks behind the journal's {height}{cut}", opened.replayed);
                Finding::note(
                    CHECK,
                    what,
                    "nothing: it was caught up, and nothing that was acknowledged is lost",
                )
            }];
            let is_wall = crate::run::node_config(settings, folder)
                .is_ok_and(|config| config.clock == node::config::ClockPolicy::Wall);
            if is_wall {
                findings.extend(late(head.header.time_ms, crate::clock::now_ms()));
            }
            findings
        }
        Err(text) => {
            let (what, remedy) = text
                .split_once("; ")
                .unwrap_or((text.as_str(), "restore a snapshot or a backup: surety snapshot restore"));
            vec![Finding::bad(CHECK, what, remedy)]
        }
    }
}

/// Whether the clock of this machine is behind the newest block: until it has caught up, time stands still in the ledger.
pub(super) fn late(block_ms: u64, now_ms: u64) -> Option<Finding> {
    let behind = block_ms.saturating_sub(now_ms);
    (behind > SKEW_MS_MAX).then(|| {
        let what = format!(
            "the newest block is of {}, and by this machine it is {}: {} earlier",
            crate::clock::date(block_ms),
            crate::clock::date(now_ms),
            crate::clock::span(behind)
        );
        Finding::bad("clock", what, "set the clock of this machine, and let it follow a time server")
    })
}

/// Executes the whole history again.
fn deep(folder: &Path) -> Finding {
    let verify = crate::nouns::proof::Verify { path: folder.to_owned(), trusted: None };
    match crate::verify::run(&verify) {
        Ok(_) => Finding::good("history", "every block, every signature and every root holds"),
        Err(failure) => {
            let why = failure.to_json()["error"]["why"].as_str().unwrap_or_default().to_owned();
            Finding::bad("history", why, "restore a snapshot or a backup that holds: surety snapshot restore")
        }
    }
}

/// Whether the node answers, and how it is.
pub(super) fn node(settings: &Settings, data: Option<&Path>) -> Vec<Finding> {
    const CHECK: &str = "node";
    let address = match settings.target() {
        Ok(Target::Node(url)) => Address::parse(&url).ok(),
        Ok(Target::Data(folder)) => transport::running_at(&folder),
        Err(_) => None,
    };
    let Some(address) = address else {
        return vec![Finding::note(
            CHECK,
            "none runs on the folder",
            "start one with surety run --data FOLDER",
        )];
    };
    let url = address.as_str().to_owned();
    let http = Http::new(address, settings.timeout_ms().min(5_000));
    let status = match transport::get(&http, "/v1/status") {
        Ok(status) => status,
        Err(_)
            if data.is_none()
                && settings.get(Key::Node).is_some_and(|node| node.origin == Origin::Default) =>
        {
            return vec![Finding::note(
                CHECK,
                format!("nobody answers at {url}"),
                "start one with surety run or surety demo",
            )];
        }
        Err(failure) => {
            let why = failure.to_json()["error"]["why"].as_str().unwrap_or_default().to_owned();
            let what = format!("{url} does not answer as a node does: {why}");
            return vec![Finding::bad(
                CHECK,
                what,
                "start it, or name another with --node; surety config show --origin says where the address comes from",
            )];
        }
    };
    let mut findings = Vec::new();
    let text = |pointer: &str| status.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    match text("/node/fault") {
        Some(fault) => {
            let (what, remedy) =
                fault.split_once("; ").unwrap_or((fault.as_str(), "end it, mend the cause, start it again"));
            findings.push(Finding::bad(CHECK, format!("{url} has stopped: {what}"), remedy));
        }
        None => findings
            .push(Finding::good(CHECK, format!("{url} is {}", text("/node/state").unwrap_or_default()))),
    }
    findings.extend(clock(&status));
    if let Some(behind) =
        status.pointer("/node/epochs_behind").and_then(Value::as_u64).filter(|behind| *behind > 1)
    {
        findings.push(Finding::note(
            "epochs",
            format!("the ledger is {behind} epochs behind its clock"),
            "wait: it passes up to 64 in a block",
        ));
    }
    findings
}

/// Whether the clocks of the node and of this machine agree. A node whose time stands still while it is off has a clock of its own.
pub(super) fn clock(status: &Value) -> Option<Finding> {
    if status.pointer("/node/clock").and_then(Value::as_str) == Some("paused_while_off") {
        return None;
    }
    let theirs = status.pointer("/node/now_ms").and_then(Value::as_u64)?;
    let skew = theirs.abs_diff(crate::clock::now_ms());
    if skew <= SKEW_MS_MAX {
        return Some(Finding::good("clock", "the node's and this machine's agree"));
    }
    let what = format!("the clock of the node and of this machine differ by {}", crate::clock::span(skew));
    Some(Finding::bad("clock", what, "let both follow a time server: signatures carry times"))
}
