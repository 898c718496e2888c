//! `surety init`: begins a ledger in a folder.

use std::path::PathBuf;

use clap::Args;
use ledger::Genesis;
use node::Node;
use protocol::units::{Address, Digest};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

/// How the ledger starts.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder; otherwise that of --data, or surety-data.
    folder: Option<PathBuf>,
    /// What people call the ledger.
    #[arg(long, default_value = "local")]
    name: String,
    /// How long an epoch is.
    #[arg(long, value_name = "SPAN", default_value = "1d")]
    epoch: String,
    /// The chain of the custody contract, which wallets must be switched to.
    #[arg(long, value_name = "NUMBER", default_value_t = 7_357)]
    chain_id: u64,
    /// The custody contract.
    #[arg(long, value_name = "ADDRESS", default_value = "0x0000000000000000000000000000000000005afe")]
    custody: Address,
    /// Who proposes parameters and values: an address, or the name of a key.
    #[arg(long, value_name = "ACCOUNT")]
    governor: Option<String>,
    /// Who may stop increases: an address, or the name of a key.
    #[arg(long, value_name = "ACCOUNT")]
    guardian: Option<String>,
    /// A ledger that believes nothing without proof. Otherwise it is a development ledger, on which anybody may state deposits.
    #[arg(long)]
    live: bool,
    /// Start with the genesis in this file instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "epoch", "chain_id", "custody", "governor", "guardian", "live"])]
    genesis: Option<PathBuf>,
    /// Print the genesis, to be edited and given with --genesis, and begin nothing.
    #[arg(long, conflicts_with = "genesis")]
    print: bool,
}

impl Init {
    /// Begins the ledger.
    ///
    /// # Errors
    /// If the genesis does not hold, or the folder has a ledger already.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let genesis = self.genesis(context)?;
        if self.print {
            return Ok(Answer::text(genesis.to_json()));
        }
        let data = context.settings().path(crate::config::key::Key::Data);
        let folder = self.folder.clone().or(data).unwrap_or_else(|| PathBuf::from(crate::run::FOLDER));
        Node::init(&folder, &genesis).map_err(|error| match &error {
            node::StartError::Fault(ledger::Fault::Genesis { why }) => {
                Failure::usage("ledger.Genesis", format!("cannot begin a ledger in {}", folder.display()))
                    .why(why.clone())
            }
            _ => crate::run::failure(&error),
        })?;
        let shown = folder.display();
        let said = format!(
            "began the ledger {} in {shown}; surety run --data {shown} runs it",
            genesis.domain().ledger
        );
        let answer =
            Answer::said(said).with("folder", json!(folder)).with("ledger", json!(genesis.domain().ledger));
        Ok(answer.with("digest", json!(genesis.digest().to_string())))
    }

    fn genesis(&self, context: &Context) -> Result<Genesis, Failure> {
        if let Some(file) = &self.genesis {
            let text = crate::input::read_text(&file.display().to_string())?;
            return Genesis::from_json(text.as_bytes()).map_err(|why| {
                Failure::usage("ledger.Genesis", format!("{} is no genesis", file.display())).why(why)
            });
        }
        let epoch_ms = crate::clock::parse_span(&self.epoch)
            .map_err(|why| Failure::usage("field.misfit", format!("--epoch: {why}")))?;
        let start_ms = crate::clock::now_ms();
        let mut protocol = protocol::Genesis::development();
        protocol.development = !self.live;
        // Two ledgers of one name differ by when they began.
        let seed = format!("surety/ledger/{}/{}/{}/{start_ms}", self.name, self.chain_id, self.custody);
        protocol.ledger = Digest(Sha256::digest(seed).into());
        if let Some(governor) = &self.governor {
            protocol.governor = who(context, governor)?;
        }
        if let Some(guardian) = &self.guardian {
            protocol.guardian = who(context, guardian)?;
        }
        let (name, chain_id, custody) = (self.name.clone(), self.chain_id, self.custody);
        let genesis = Genesis { name, chain_id, custody, start_ms, epoch_ms, protocol, opening: Vec::new() };
        genesis
            .check()
            .map_err(|why| Failure::usage("ledger.Genesis", "the genesis does not hold").why(why))?;
        Ok(genesis)
    }
}

/// An address, by itself or by the name of a key or of the address book: there is no ledger yet that could have names.
fn who(context: &Context, name: &str) -> Result<Address, Failure> {
    let keys = crate::keys::named_addresses(&context.keystore_folder());
    let nobody = json!({ "items": [] });
    crate::names::Book::new(&nobody, &keys, context.settings().names()).account(name)
}
