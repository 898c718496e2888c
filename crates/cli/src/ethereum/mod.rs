//! `surety ethereum`: proofs of what Ethereum says, and the follower that tells a ledger of it. Neither is believed by anybody.

mod execution;
mod follow;
mod prove;
mod submit;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use ethereum::{AddressError, Fault, Keeper, KeeperFault, Patience};
use evidence::ethereum::{Chain, Finalized, LightClient, Schedule};
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column, Shape};
use crate::progress::Progress;

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prove validators of a state, with their balances. Reads the SSZ bytes of the state once, and asks nobody.
    Prove(prove::Prove),
    /// Prove an account and slots of its storage, after a block that is final.
    ProveAccount(execution::Account),
    /// Prove a receipt of a block that is final.
    ProveReceipt(execution::Receipt),
    /// Fetch the state of a block from a client into a file.
    State(Fetch),
    /// Follow the chain from a trusted block on: ask clients, verify what they say, hand over what is new.
    Follow(follow::Follow),
}

/// Headers that a follower remembers, where the chain's configuration says nothing.
const KEPT: u16 = 64;

/// Which chain.
#[derive(Debug, Args)]
pub(crate) struct OfChain {
    /// The chain: mainnet, or a file with its configuration, for example the genesis of a ledger that follows it. Otherwise mainnet, or the chain of
    /// the ledger that is told.
    #[arg(long, value_name = "CHAIN")]
    chain: Option<String>,
}

/// Where the configuration of a chain may stand: alone, in a ledger's genesis, in a node's answer.
const INSIDE: [&str; 3] = ["/ethereum/chain", "/protocol/ethereum/chain", "/genesis/protocol/ethereum/chain"];

/// The configuration of a chain, from a document that has it somewhere.
fn chain_of(document: &Value) -> Result<Chain, serde_json::Error> {
    let inside = INSIDE.iter().find_map(|place| document.pointer(place)).unwrap_or(document);
    serde_json::from_value(inside.clone())
}

impl OfChain {
    /// The configuration of the chain.
    ///
    /// # Errors
    /// If the file can't be read, or is no such configuration.
    fn read(&self) -> Result<Chain, Failure> {
        let chain = self.chain.as_deref().unwrap_or("mainnet");
        if chain == "mainnet" {
            return Ok(Chain::mainnet(Schedule::mainnet(None), KEPT).expect("some headers are kept"));
        }
        if !Path::new(chain).exists() {
            let otherwise = || "write mainnet, or name a file with the configuration of a chain".to_owned();
            let help = crate::spelling::proposal(chain, ["mainnet"], otherwise);
            let what = format!("there is no chain or file {chain:?}");
            return Err(Failure::new(Exit::NotFound, "ethereum.chain", what).help(help));
        }
        let text = crate::input::read_text(chain)?;
        let read = serde_json::from_str(&text).and_then(|document| chain_of(&document));
        read.map_err(|error| {
            Failure::usage("ethereum.chain", format!("{chain} is no configuration of a chain"))
                .why(error.to_string())
                .docs("docs/how-to/follow-ethereum.md")
        })
    }
}

/// What is known to be final.
#[derive(Debug, Args)]
pub(crate) struct Followed {
    /// The file in which surety ethereum follow keeps what it knows.
    #[arg(long, value_name = "FILE")]
    followed: PathBuf,
    /// The slot of the final block; otherwise the newest known.
    #[arg(long, value_name = "SLOT")]
    at: Option<u64>,
}

impl Followed {
    fn header(&self) -> Result<Finalized, Failure> {
        let client = known(&self.followed)?;
        let Some(at) = self.at else { return Ok(client.newest().clone()) };
        client.at_slot(at).cloned().ok_or_else(|| {
            let slots = client.finalized().iter().map(|header| header.header().slot.to_string());
            let what = format!("no final block of slot {at} is known");
            Failure::new(Exit::NotFound, "ethereum.slot", what)
                .help(format!("known are {}", slots.collect::<Vec<_>>().join(", ")))
        })
    }
}

/// What a follower knows.
///
/// # Errors
/// If there is no such file, or it is damaged.
fn known(path: &Path) -> Result<LightClient, Failure> {
    match Keeper::new(path).kept().map_err(|fault| kept(&fault))? {
        Some((_, client)) => Ok(client),
        None => {
            let what = format!("there is no file {}", path.display());
            Err(Failure::new(Exit::NotFound, "ethereum.followed", what)
                .help("surety ethereum follow --state FILE makes one"))
        }
    }
}

fn kept(fault: &KeeperFault) -> Failure {
    Failure::new(Exit::Storage, "ethereum.kept", "what the follower knew can't be used")
        .why(fault.to_string())
}

fn address(error: &AddressError) -> Failure {
    Failure::usage("ethereum.address", "the address of a client can't be used").why(error.to_string())
}

fn fault(name: &str, fault: &Fault) -> Failure {
    let exit = match fault {
        Fault::Timeout(_) => Exit::Timeout,
        Fault::Disk(_) => Exit::Storage,
        _ => Exit::Network,
    };
    Failure::new(exit, "ethereum.client", format!("the client at {name} has not answered what was asked"))
        .why(fault.to_string())
        .help("name another, or ask again later")
}

fn patience(context: &Context) -> Patience {
    Patience { answer: Duration::from_millis(context.settings().timeout_ms()), ..Patience::default() }
}

/// Bytes as 0x and hex digits.
fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{digits}")
}

/// So many bytes of 0x and hex digits.
///
/// # Errors
/// Says what is expected.
fn unhex<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let misfit = || format!("{text:?} is not 0x and {} hex digits", 2 * N);
    let is_hex = |digits: &&str| digits.len() == 2 * N && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = text.strip_prefix("0x").filter(is_hex).ok_or_else(misfit)?;
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| misfit())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| misfit())?;
    }
    Ok(bytes)
}

/// A state that is fetched.
#[derive(Debug, Args)]
pub(crate) struct Fetch {
    /// The file, which must not be there yet.
    file: PathBuf,
    /// The client of the consensus layer.
    #[arg(long, value_name = "URL")]
    beacon: String,
    /// Which one: finalized, a slot, or the root of a state.
    #[arg(long, value_name = "STATE", default_value = "finalized")]
    of: String,
}

const FETCHED: [Column; 2] = [Column::plain("file", "/file"), Column::plain("bytes", "/bytes")];

impl Fetch {
    fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric();
        if self.of.is_empty() || !self.of.bytes().all(is_name) {
            return Err(Failure::usage("ethereum.state", format!("{:?} names no state", self.of))
                .help("write finalized, a slot, or the root of a state"));
        }
        let beacon =
            ethereum::Beacon::new(&self.beacon, patience(context)).map_err(|error| address(&error))?;
        crate::files::write_new(&self.file, "")?;
        let storage = |error| Failure::storage(format!("cannot write {}", self.file.display()), &error);
        let mut file = std::fs::File::create(&self.file).map_err(storage)?;
        // Nobody says beforehand how many there are; mainnet's states have about 400 million.
        let mut progress = Progress::new("bytes of a state as large as mainnet's");
        let fetched =
            beacon.state(&self.of, &mut file, &mut |done| progress.show(done, done.max(400_000_000)));
        let written = fetched.map_err(|error| fault(beacon.name(), &error));
        let written = written.and_then(|bytes| file.sync_all().map(|()| bytes).map_err(storage));
        if written.is_err() {
            // A part of a state is of no use.
            drop(std::fs::remove_file(&self.file));
        }
        let document = json!({ "file": self.file, "bytes": written? });
        Ok(Answer::new(document, Shape::Page(&FETCHED, &[])))
    }
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What can't be read, fetched or proven.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Prove(prove) => prove.run(),
            Self::ProveAccount(account) => account.run(context),
            Self::ProveReceipt(receipt) => receipt.run(context),
            Self::State(fetch) => fetch.run(context),
            Self::Follow(follow) => follow.run(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_or_refused() {
        assert_eq!(unhex::<2>("0x0aFf"), Ok([10, 255]));
        for bad in ["0aff", "0x0a", "0x0a0b0c", "0x+a0b", "0xé0"] {
            assert!(unhex::<2>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_chain_that_nobody_knows_has_a_proposal() {
        let of = OfChain { chain: Some("mainet".to_owned()) };
        assert_eq!(of.read().expect_err("no chain").remedy(), Some("did you mean \"mainnet\"?"));
    }
}
