//! `surety ethereum prove`: validators of a state, from its bytes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::Args;
use ethereum::{ProvenState, State, StateFault, Wanted};
use evidence::ethereum::{Credentials, Phase, VALIDATORS_MAX, Validator, epoch_of};
use serde_json::{Value, json};

use super::{OfChain, hex, known, unhex};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column, Section, Shape};
use crate::progress::Progress;

/// Which validators of which state.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Prove {
    /// A file with the SSZ bytes of the state of a block.
    state: PathBuf,
    /// Validators by index: 7, or 100-120; several with commas between them.
    #[arg(long, value_name = "INDICES", value_delimiter = ',')]
    validator: Vec<String>,
    /// All validators whose withdrawals go to this address, as those of a pod do.
    #[arg(long, value_name = "ADDRESS", value_parser = unhex::<20>)]
    address: Vec<[u8; 20]>,
    #[command(flatten)]
    chain: OfChain,
    /// The file in which surety ethereum follow keeps what it knows: the state is then held against what is final.
    #[arg(long, value_name = "FILE")]
    followed: Option<PathBuf>,
    /// Write the proof into this file; otherwise it is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const HELP: &str = "\
Clients give the bytes of a state at /eth/v2/debug/beacon/states/finalized with the header \"accept: application/octet-stream\"; surety \
ethereum state fetches them. The proof holds against the root of the block, which -o json shows with everything else: slot, validators \
and under_way are fields of the operation report_pod.";

const FIELDS: [Column; 6] = [
    Column::plain("slot", "/slot"),
    Column::plain("fork", "/fork"),
    Column::plain("block root", "/block_root"),
    Column::plain("state root", "/state_root"),
    Column::plain("is known to be final", "/final"),
    Column::plain("file", "/file"),
];

const VALIDATORS: [Section; 1] = [Section {
    title: "Validators",
    at: "/listed",
    columns: &[
        Column::plain("index", "/index"),
        Column::plain("phase", "/phase"),
        Column::plain("slashed", "/slashed"),
        Column::plain("effective (gwei)", "/effective"),
        Column::plain("balance (gwei)", "/balance"),
        Column::plain("pays out to", "/to"),
    ],
    empty: "",
}];

impl Prove {
    /// Runs it.
    ///
    /// # Errors
    /// If the state can't be read or is not what it should be; if there is no such validator; if it is not final.
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let wanted = self.wanted()?;
        let chain = self.chain.read()?;
        let followed = self.followed.as_deref().map(known).transpose()?;
        let storage =
            |error: std::io::Error| Failure::storage(format!("cannot read {}", self.state.display()), &error);
        let file = File::open(&self.state).map_err(storage)?;
        let length = file.metadata().map_err(storage)?.len();
        let mut progress = Progress::new("bytes");
        let mut source = BufReader::with_capacity(1 << 20, file);
        let mut heard = |done| progress.show(done, length);
        let state = State::read(&mut source, length, chain.schedule(), &wanted, &mut heard);
        let state = state.map_err(|fault| self.failure(&fault))?;
        if state.genesis_validators_root() != chain.genesis_validators_root() {
            let (expected, actual) = (*chain.genesis_validators_root(), *state.genesis_validators_root());
            return Err(self.failure(&StateFault::Chain { expected, actual }));
        }
        let proven = state.prove().map_err(|fault| self.failure(&fault))?;
        drop(progress);
        let is_final = match &followed {
            None => None,
            Some(client) => self.is_final(client, &proven)?,
        };
        let mut document = serde_json::to_value(&proven).expect("a proof can be written");
        document["final"] = json!(is_final);
        self.answer(document, &proven)
    }

    fn answer(&self, document: Value, proven: &ProvenState) -> Result<Answer, Failure> {
        let (mut document, mut view) = (document.clone(), document);
        if let Some(file) = &self.out {
            let text = serde_json::to_string(&document).expect("a document can be written");
            crate::files::write_new(file, &format!("{text}\n"))?;
            document = json!({
                "slot": proven.slot, "fork": proven.fork, "block_root": hex(&proven.block_root),
                "state_root": hex(&proven.state_root), "final": document["final"], "file": file,
            });
            view = document.clone();
        }
        let claims = proven.validators.validators.as_slice().iter().zip(&proven.balances);
        let rows = claims.map(|(claim, balance)| row(claim.index, &claim.validator, *balance, proven.slot));
        view["listed"] = rows.collect();
        if view["final"].is_null() {
            view["final"] = json!("not asked: name what is followed with --followed");
        }
        Ok(Answer::viewed(document, view, Shape::Page(&FIELDS, &VALIDATORS)))
    }

    fn wanted(&self) -> Result<Wanted, Failure> {
        let mut indices = BTreeSet::new();
        for text in &self.validator {
            let misfit = || {
                Failure::usage("ethereum.validator", format!("--validator can't be {text:?}"))
                    .help("write an index like 7, or two like 100-120")
            };
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let [first, last] = [first, last].map(|number| number.trim().parse::<u64>());
            let (first, last) = first.ok().zip(last.ok()).ok_or_else(misfit)?;
            if last < first {
                return Err(misfit());
            }
            let most = u64::try_from(VALIDATORS_MAX).expect("a few thousand");
            if last - first >= most {
                let validators = usize::try_from(last - first).unwrap_or(usize::MAX);
                return Err(self.failure(&StateFault::TooMany { validators }));
            }
            indices.extend(first..=last);
        }
        let wanted = Wanted { indices, addresses: self.address.iter().copied().collect() };
        if wanted.indices.is_empty() && wanted.addresses.is_empty() {
            return Err(self.failure(&StateFault::Nothing));
        }
        Ok(wanted)
    }

    /// Whether the block is final, as far as is known.
    fn is_final(
        &self,
        client: &evidence::ethereum::LightClient,
        proven: &ProvenState,
    ) -> Result<Option<bool>, Failure> {
        let Some(header) = client.at_slot(proven.slot) else { return Ok(Some(false)) };
        if header.root() == &proven.block_root {
            // What every replica will do.
            header.validators(&proven.validators).map_err(|error| {
                Failure::new(Exit::Refused, "ethereum.proof", "the proof does not hold")
                    .why(error.to_string())
            })?;
            return Ok(Some(true));
        }
        let what = format!(
            "{} is not the state of the block that is final at slot {}",
            self.state.display(),
            proven.slot
        );
        let why =
            format!("its block has root {}, the final one {}", hex(&proven.block_root), hex(header.root()));
        Err(Failure::new(Exit::Refused, "ethereum.not-final", what)
            .why(why)
            .help("fetch the state from another client"))
    }

    fn failure(&self, fault: &StateFault) -> Failure {
        let what = format!("cannot prove validators of {}", self.state.display());
        let failure = match fault {
            StateFault::Index { .. } | StateFault::Address { .. } => {
                Failure::new(Exit::NotFound, "ethereum.validator", what)
            }
            StateFault::Nothing => Failure::usage("ethereum.validator", what)
                .help("name them with --validator INDEX or --address ADDRESS"),
            StateFault::TooMany { .. } => Failure::usage("ethereum.validator", what),
            StateFault::Chain { .. } | StateFault::Version { .. } | StateFault::Fork(_) => {
                Failure::usage("ethereum.chain", what).help("name the chain of the state with --chain")
            }
            StateFault::Ssz { .. }
            | StateFault::Front(_)
            | StateFault::NoBlock { .. }
            | StateFault::Proof(_) => Failure::usage("ethereum.state", what)
                .help("the file must have the SSZ bytes of the state of a block, and all of them"),
        };
        failure.why(fault.to_string()).docs("docs/how-to/follow-ethereum.md")
    }
}

fn row(index: u64, validator: &Validator, balance: u64, slot: u64) -> Value {
    let phase = match validator.phase(epoch_of(slot)) {
        Phase::Pending => "pending",
        Phase::Active => "active",
        Phase::Exiting => "exiting",
        Phase::Exited => "exited",
        Phase::Withdrawable => "withdrawable",
    };
    let to = match validator.credentials() {
        Credentials::Address(address) | Credentials::Compounding(address) => hex(&address),
        Credentials::Key => "a key of the consensus layer".to_owned(),
        Credentials::Other { prefix } => format!("credentials of an unknown kind, 0x{prefix:02x}"),
    };
    json!({
        "index": index, "phase": phase, "slashed": validator.slashed, "effective": validator.effective_balance,
        "balance": balance, "to": to,
    })
}
