//! The whole command line: nouns, and under each its verbs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Flags;
use crate::config::key::Key;
use crate::nouns;
use crate::output::Form;

/// What stands under the options in the help of `surety` itself.
const HELP: &str = "\
Without a command, surety runs the demo: a living ledger in ./surety-demo.

Names stand wherever an address or a number is expected: names of the ledger, of the keystore and of [names] in
the configuration; op/3, svc/0, set/2 and the like; 0x and 40 hex digits. Amounts are whole units: 1.5eth; base
units are written 1500base.

Exit codes: 0 ok, 1 usage, 2 refused, 3 not found, 4 network, 5 key, 6 timeout, 7 storage
(docs/reference/exit-codes.md).";

/// Shared security for services, with exact liability for those who provide it.
#[derive(Debug, Parser)]
#[command(name = "surety", version, after_help = HELP, max_term_width = 110)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The form of what is printed: for people, or for programs.
    #[arg(short, long, global = true, value_enum, value_name = "FORM")]
    output: Option<Form>,
    /// The node that is asked.
    #[arg(long, global = true, value_name = "URL")]
    node: Option<String>,
    /// A data folder to work on: through the node that runs on it, otherwise without a node.
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How long an answer may take: 500ms, 30s, 2m.
    #[arg(long, global = true, value_name = "SPAN")]
    timeout: Option<String>,
    /// The folder of the keystore.
    #[arg(long, global = true, value_name = "FOLDER")]
    keystore: Option<PathBuf>,
    /// The file whose first line is the password of the keystore.
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Global {
    /// What they say about settings.
    pub(crate) fn flags(&self) -> Flags {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let pairs = [
            (Key::Output, self.output.map(|form| form.name().to_owned())),
            (Key::Node, self.node.clone()),
            (Key::Data, path(&self.data)),
            (Key::Timeout, self.timeout.clone()),
            (Key::Keystore, path(&self.keystore)),
            (Key::PasswordFile, path(&self.password_file)),
        ];
        let given = pairs.into_iter().filter_map(|(key, value)| Some((key, value?)));
        given.collect::<BTreeMap<_, _>>()
    }
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a living ledger with thirty days behind it. This is what surety does without a command.
    Demo(crate::demo::Demo),
    /// Begin a ledger in a folder.
    Init(crate::init::Init),
    /// Run a node on a ledger, in the foreground.
    Run(crate::run::Run),
    /// Make, list and change the keys that sign.
    #[command(subcommand)]
    Keys(crate::keys::Command),
    /// Show accounts, and change who acts for one.
    #[command(subcommand)]
    Account(nouns::account::Command),
    /// Show assets, list new ones, report their rates.
    #[command(subcommand)]
    Asset(nouns::asset::Command),
    /// Deposit, delegate, ask back, release and withdraw stake.
    #[command(subcommand)]
    Stake(nouns::stake::Verbs),
    /// Show stake, what can slash it, what it earns, when it is out.
    #[command(subcommand)]
    Position(nouns::position::Command),
    /// Take a free balance out of the ledger.
    Withdraw(nouns::stake::Withdraw),
    /// Show, claim and compound rewards.
    #[command(subcommand)]
    Rewards(nouns::rewards::Command),
    /// Show operators and pools, and act as one.
    #[command(subcommand)]
    Operator(nouns::operator::Command),
    /// Show services and sets, and act as one.
    #[command(subcommand)]
    Service(nouns::service::Command),
    /// Show, request, veto and execute slashes.
    #[command(subcommand)]
    Slash(nouns::slash::Command),
    /// Show vaults and their shares, enter, leave and tend them.
    #[command(subcommand)]
    Vault(nouns::vault::Command),
    /// Enter, leave and tend baskets of shares of vaults.
    #[command(subcommand)]
    Basket(nouns::basket::Verbs),
    /// Show where the network stands, and its rules.
    #[command(subcommand)]
    Network(nouns::network::Command),
    /// Show how Ethereum is followed and what is restaked there; follow it, prove what it says, and tell the ledger of it.
    #[command(subcommand)]
    Ethereum(nouns::ethereum::Command),
    /// Show how the node is doing.
    Status(nouns::status::Status),
    /// Print events as they come.
    Events(nouns::status::Events),
    /// Fetch and check proofs of what the ledger says.
    #[command(subcommand)]
    Proof(nouns::proof::Command),
    /// Check a proof, or execute the whole history of a folder again.
    Verify(nouns::proof::Verify),
    /// Write the ledger as tables: accounts, positions, rewards, slashes. Reads the files of the folder, beside a node too.
    Export(crate::archive::Export),
    /// Copy a ledger, checked, also while a node runs on it, and restore a copy.
    #[command(subcommand)]
    Snapshot(crate::archive::Snapshot),
    /// Look for everything that goes wrong, and say what to do about it.
    Doctor(crate::doctor::Doctor),
    /// Build, sign, combine and send operations on different machines.
    #[command(subcommand)]
    Tx(crate::tx::Command),
    /// Sign and send any operation by its fields.
    #[command(subcommand)]
    Op(crate::op::Op),
    /// Apply a history of operations and print a receipt or a refusal for each.
    Replay(crate::replay::Options),
    /// Write, show and check the configuration.
    #[command(subcommand)]
    Config(crate::config::command::Command),
    /// Print the completions of a shell.
    Completions(crate::shell::Completions),
    /// Print the manual page.
    Man(crate::shell::Man),
}
