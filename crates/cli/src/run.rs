//! `surety run`: a node in the foreground, until somebody asks it to end or it must not go on.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use ledger::files::LockError;
use node::config::{ClockPolicy, Role};
use node::{Config, Node, StartError, Stop};
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use crate::config::key::Key;
use crate::config::{Settings, Value};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Form, Shape};
use crate::transport::no_ledger;

/// The folder of a ledger where nobody names one.
pub(crate) const FOLDER: &str = "surety-data";

/// The port on which a node listens where nobody names one.
pub(crate) const PORT: u16 = 8710;

/// How a node runs. The table "run" of the configuration file has more.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Where it listens; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<SocketAddr>,
    /// Only answer reads, and make no block.
    #[arg(long)]
    read_only: bool,
    /// The ledger's time stands still while the node is off.
    #[arg(long)]
    paused_while_off: bool,
}

impl Run {
    /// Runs the node until it ends.
    ///
    /// # Errors
    /// If it can't start; the fault that stopped it.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let settings = context.settings();
        let folder = settings.path(Key::Data).unwrap_or_else(|| PathBuf::from(FOLDER));
        if !folder.join(ledger::format::GENESIS_FILE).is_file() {
            return Err(no_ledger(&folder));
        }
        let mut config = node_config(settings, &folder)?;
        if let Some(listen) = self.listen {
            config.listen = Some(listen);
        }
        if self.read_only {
            config.role = Role::Read;
        }
        if self.paused_while_off {
            config.clock = ClockPolicy::PausedWhileOff;
        }
        let runtime = runtime()?;
        let listen = config.listen;
        let node = start(&runtime, config)?;
        serve(&runtime, &node, listen, |url| {
            let head = node.reader().head();
            let (height, epoch) = (head.header.height, head.state.epoch().number());
            tell(
                context.form(),
                &json!({ "url": url, "height": height, "epoch": epoch }),
                &format!("surety runs at {url}, height {height}, epoch {epoch}; Ctrl-C ends it"),
            )
        })?;
        Ok(Answer::new(Json::Null, Shape::Silent))
    }
}

/// A runtime for a node.
///
/// # Errors
/// What the system says.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::storage("cannot start the threads of a node", &error))
}

/// Starts a node.
///
/// # Errors
/// What the node says.
pub(crate) fn start(runtime: &Runtime, config: Config) -> Result<Node, Failure> {
    let _entered = runtime.enter();
    Node::start(config).map_err(|error| failure(&error))
}

/// Takes the address to `listen` on, which is the node's, says that it is ready, and serves until the node ends.
///
/// # Errors
/// If the address can't be had; the fault that stopped the node.
pub(crate) fn serve(
    runtime: &Runtime,
    node: &Node,
    listen: Option<SocketAddr>,
    ready: impl FnOnce(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let listener = node.bind().map_err(|error| match listen {
        Some(address) => failure(&error).at(&address.to_string()),
        None => failure(&error),
    })?;
    let listener = listener.ok_or_else(|| {
        Failure::usage("run.nowhere", "the node has no address to listen on").help("name one with --listen")
    })?;
    let address =
        listener.local_addr().map_err(|error| Failure::storage("cannot use the address", &error))?;
    let stop = runtime.block_on(async {
        let serving = node.serve(listener);
        tokio::pin!(serving);
        // The listener answers before anybody is told of it.
        ready(&format!("http://{address}"))?;
        tokio::select! {
            served = &mut serving => served.map_err(|error| failure(&error))?,
            () = asked() => {}
            stop = node.stopped() => return Ok(stop),
        }
        Ok::<_, Failure>(Stop::Asked)
    })?;
    match stop {
        Stop::Fault(why) => Err(fault(why)),
        Stop::Asked => match node.stop() {
            Stop::Fault(why) => Err(fault(why)),
            Stop::Asked => Ok(()),
        },
    }
}

fn fault(why: String) -> Failure {
    Failure::new(
        Exit::Storage,
        "storage.fault",
        "the node has stopped rather than go on with state that it doubts",
    )
    .why(why)
    .help("surety doctor --data FOLDER says what is wrong; what was acknowledged is on disk")
}

/// Ends when somebody asks the process to end.
async fn asked() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminated = async {
            match signal(SignalKind::terminate()) {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = tokio::signal::ctrl_c() => drop(ended),
            () = terminated => {}
        }
    }
    #[cfg(not(unix))]
    drop(tokio::signal::ctrl_c().await);
}

/// Says something at once, while the command goes on.
///
/// # Errors
/// If it can't be written.
pub(crate) fn tell(form: Form, document: &Json, sentence: &str) -> Result<(), Failure> {
    let text = if form.is_json() { document.to_string() } else { sentence.to_owned() };
    let mut output = std::io::stdout().lock();
    let written = writeln!(output, "{text}").and_then(|()| output.flush());
    written.map_err(|error| {
        Failure::usage("output.not-written", "cannot write the answer").why(error.to_string())
    })
}

/// The configuration of a node on a folder, from the defaults and the part of the file for it.
///
/// # Errors
/// The first setting that can't be used.
pub(crate) fn node_config(settings: &Settings, folder: &Path) -> Result<Config, Failure> {
    if let Some((name, help)) = check_settings(settings.run()).into_iter().next() {
        let origin = settings.run().get(&name).map_or(String::new(), |value| format!("{}: ", value.origin));
        return Err(Failure::usage("config.mistake", format!("{origin}run.{name} can't be used"))
            .help(help)
            .docs("docs/reference/configuration.md"));
    }
    let mut config = merged(settings.run());
    config.folder = folder.to_owned();
    Ok(config)
}

/// What is wrong with the part of the configuration file for `surety run`: name of the setting, and what is expected.
pub(crate) fn check_settings(given: &BTreeMap<String, Value>) -> Vec<(String, String)> {
    let defaults = defaults();
    let known: Vec<&str> = defaults.keys().map(String::as_str).collect();
    let mut mistakes = Vec::new();
    for (name, value) in given {
        if name.starts_with("labels.") {
            continue;
        }
        if !known.contains(&name.as_str()) {
            let all = || format!("the settings are {}", known.join(", "));
            mistakes.push((name.clone(), crate::spelling::proposal(name, known.iter().copied(), all)));
            continue;
        }
        if let Err(why) = read(&BTreeMap::from([(name.clone(), value.clone())])) {
            mistakes.push((name.clone(), why));
        }
    }
    if mistakes.is_empty()
        && let Err(why) = merged(given).check()
    {
        let name = given.keys().find(|name| why.starts_with(name.as_str())).cloned().unwrap_or_default();
        mistakes.push((name, why));
    }
    mistakes
}

/// Every setting of a node by its name with dots, with its default. The folder is named otherwise.
pub(crate) fn defaults() -> BTreeMap<String, Json> {
    let mut flat = BTreeMap::new();
    let defaults = serde_json::to_value(Config::default()).expect("a configuration is plain data");
    flatten("", &defaults, &mut flat);
    flat.remove("folder");
    flat
}

fn flatten(prefix: &str, value: &Json, flat: &mut BTreeMap<String, Json>) {
    match value {
        Json::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&name, value, flat);
            }
        }
        Json::Object(_) => {}
        value => drop(flat.insert(prefix.to_owned(), value.clone())),
    }
}

fn read(given: &BTreeMap<String, Value>) -> Result<Config, String> {
    let mut config = serde_json::to_value(Config::default()).expect("a configuration is plain data");
    for (name, value) in given {
        let value = serde_json::from_str(&value.text).unwrap_or_else(|_| Json::from(value.text.as_str()));
        let pointer = match name.strip_prefix("labels.") {
            // What has a label has a slash in its key.
            Some(key) => {
                if let Some(labels) = config.get_mut("labels").and_then(Json::as_object_mut) {
                    labels.insert(key.to_owned(), value);
                }
                continue;
            }
            None => format!("/{}", name.replace('.', "/")),
        };
        if let Some(place) = config.pointer_mut(&pointer) {
            *place = value;
        }
    }
    serde_json::from_value(config).map_err(|error| error.to_string())
}

fn merged(given: &BTreeMap<String, Value>) -> Config {
    read(given).unwrap_or_default()
}

/// Why a node did not start, as a failure.
pub(crate) fn failure(error: &StartError) -> Failure {
    let failure = |exit, code: &str| Failure::new(exit, code, error.to_string());
    match error {
        StartError::Config { .. } => failure(Exit::Usage, "config.node"),
        StartError::Locked(LockError::Locked { .. }) => failure(Exit::Storage, "storage.locked"),
        StartError::Locked(LockError::Io { .. }) => failure(Exit::Storage, "storage.folder"),
        StartError::Fault(fault) => Failure::new(Exit::Storage, fault.code(), "the ledger can't be opened")
            .why(fault.to_string())
            .help("surety doctor --data FOLDER says what is wrong and what to do"),
        StartError::Machine { doing, source } if doing.starts_with("listening") => {
            Failure::new(Exit::Usage, "run.address", "cannot listen on the address")
                .why(source.to_string())
                .help("take another with --listen; port 0 takes a free one")
        }
        StartError::Machine { .. } => failure(Exit::Storage, "storage.machine"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Origin;

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, Value> {
        let value = |text: &str| Value { text: text.to_owned(), origin: Origin::Default };
        pairs.iter().map(|(name, text)| ((*name).to_owned(), value(text))).collect()
    }

    #[test]
    fn the_page_of_the_configuration_has_every_setting_with_its_default() {
        let page = include_str!("../../../docs/reference/configuration.md");
        for (name, default) in defaults() {
            let default = match &default {
                Json::String(text) => format!("`{text}`"),
                Json::Array(values) if values.is_empty() => "none".to_owned(),
                other => other.to_string(),
            };
            let line = format!("| `{name}` | {default} | ");
            assert!(page.lines().any(|found| found.starts_with(&line)), "{line}");
        }
    }

    #[test]
    fn settings_of_a_node_are_read_by_their_names() {
        let settings = given(&[
            ("http.page_max", "100"),
            ("clock", "\"paused_while_off\""),
            ("listen", "\"127.0.0.1:9\""),
        ]);
        assert_eq!(check_settings(&settings), []);
        let config = merged(&settings);
        assert_eq!((config.http.page_max, config.clock), (100, ClockPolicy::PausedWhileOff));
        assert_eq!(config.listen, "127.0.0.1:9".parse().ok());
        assert_eq!(merged(&BTreeMap::new()), Config::default());
    }

    #[test]
    fn settings_that_are_none_are_told_with_what_was_meant() {
        let cases = [
            ("http.page_mx", "100", "did you mean \"http.page_max\"?"),
            ("clock", "\"sundial\"", "unknown variant"),
            ("http.page_max", "\"many\"", "invalid type"),
            ("http.page_max", "0", "must be from 1"),
            ("listen", "\"nowhere\"", "invalid socket address"),
        ];
        for (name, text, words) in cases {
            let mistakes = check_settings(&given(&[(name, text)]));
            assert!(mistakes.iter().any(|(_, help)| help.contains(words)), "{name}: {mistakes:?}");
        }
    }
}
