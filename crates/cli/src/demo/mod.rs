//! `surety demo`: a living ledger in a folder, with thirty days behind it and keys that everybody knows.
//!
//! Nothing in it is real. Its keys protect nothing, so they sign for no other ledger: see [`is_published`].

mod folder;
mod history;
mod life;
mod scribe;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use evidence::PublicKey;
use node::Node;
use serde_json::json;

use crate::config::key::Key;
use crate::config::{Flags, Settings};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Answer, Shape};
use crate::run;

/// The folder of the demo where nobody names one.
const FOLDER: &str = "surety-demo";
/// How long an epoch is where nobody says it.
const EPOCH: &str = "5s";

/// How the demo runs.
#[derive(Debug, Default, Args)]
pub(crate) struct Demo {
    /// Start over: forget what is in the folder.
    #[arg(long)]
    fresh: bool,
    /// How long an epoch is, which on a real ledger is a day; 5s where nobody says it.
    #[arg(long, value_name = "SPAN")]
    epoch: Option<String>,
    /// The port on this machine; otherwise 8710, or a free one where that is taken. 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Make the folder, and end.
    #[arg(long)]
    no_run: bool,
}

impl Demo {
    /// Makes the folder where it is not there, and runs a node on it until somebody asks it to end.
    ///
    /// # Errors
    /// If the folder holds something else, or can't be made; what the node says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let folder = context.settings().path(Key::Data).unwrap_or_else(|| PathBuf::from(FOLDER));
        folder::prepare(&folder, self.fresh, self.epoch.as_deref())?;
        if self.no_run {
            let said = format!(
                "the demo is in {}; surety demo --data {} runs it",
                folder.display(),
                folder.display()
            );
            return Ok(Answer::said(said).with("folder", json!(folder)));
        }
        // The settings of the folder were not there when the command line was read.
        let flags = Flags::from([(Key::Data, folder.display().to_string())]);
        let settings = Settings::load(Some(&folder.join(folder::SETTINGS_FILE)), &flags, &|_| None)?;
        let mut config = run::node_config(&settings, &folder)?;
        config.listen = Some(([127, 0, 0, 1], self.port.unwrap_or(run::PORT)).into());
        let runtime = run::runtime()?;
        let node = run::start(&runtime, config.clone())?;
        let node = match (node.bind(), self.port) {
            (Ok(_), _) | (Err(_), Some(_)) => node,
            // Somebody else has the port: any other will do, since the commands find it by the folder.
            (Err(_), None) => {
                drop(node);
                config.listen = Some(([127, 0, 0, 1], 0).into());
                run::start(&runtime, config.clone())?
            }
        };
        run_node(&runtime, &node, config.listen, context, &folder)?;
        Ok(Answer::new(json!(null), Shape::Silent))
    }
}

/// Serves, and lets the story live on meanwhile.
fn run_node(
    runtime: &tokio::runtime::Runtime,
    node: &Node,
    listen: Option<SocketAddr>,
    context: &Context,
    folder: &Path,
) -> Result<(), Failure> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| life::live(node, &is_over));
        let served = run::serve(runtime, node, listen, |url| welcome(context, node, folder, url));
        is_over.store(true, Ordering::Release);
        served
    })
}

/// Says where to look and what to try.
fn welcome(context: &Context, node: &Node, folder: &Path, url: &str) -> Result<(), Failure> {
    let program = std::env::args().next().unwrap_or_else(|| "surety".to_owned());
    let commands = commands(&program, folder);
    let head = node.reader().head();
    let (height, epoch) = (head.header.height, head.state.epoch().number());
    let document = json!({
        "url": url, "folder": folder, "height": height, "epoch": epoch, "commands": commands,
    });
    let lines: Vec<String> = commands.iter().map(|command| format!("    {command}")).collect();
    let text = format!(
        "A living restaking ledger, {epoch} epochs old. Nothing in it is real, and its keys are published.\n\
         \n  look     {url}\n  state    {} (kept; --fresh starts over)\n\
         \n  try, in another terminal:\n{}\n\nCtrl-C ends it.",
        folder.display(),
        lines.join("\n")
    );
    run::tell(context.form(), &document, &text)
}

/// Three commands that work when they are pasted.
fn commands(program: &str, folder: &Path) -> [String; 3] {
    let surety = format!("{program} --data {}", folder.display());
    [
        format!("{surety} position slashable alice"),
        format!("{surety} stake delegate olga 1eth --from alice"),
        format!("{surety} position exit carol"),
    ]
}

/// Whether a key is one of the demo's, which everybody has.
pub(crate) fn is_published(key: &PublicKey) -> bool {
    static KEYS: OnceLock<Vec<PublicKey>> = OnceLock::new();
    KEYS.get_or_init(|| story::keys().iter().map(story::DemoKey::public_key).collect()).contains(key)
}

/// Whether a domain is that of a demo.
pub(crate) fn is_demo(domain: &signing::Domain) -> bool {
    let name = domain.ledger.split(':').next().unwrap_or_default();
    name == story::world::LEDGER_NAME
        && domain.chain_id == story::world::CHAIN_ID
        && domain.custody == story::world::custody()
}
