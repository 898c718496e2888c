//! Runs the binary: commands to their end, nodes until they are stopped or killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use evidence::Scheme;
use keystore::{Keystore, Password, Role, Work};
use serde_json::Value;

const PASSWORD: &str = "correct horse battery staple";

/// A folder with a ledger, a keystore and its password.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("password"), PASSWORD).expect("a password file");
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("ledger")
    }

    /// Makes keys that take little work to unlock, since there is nothing to protect.
    pub(crate) fn make_keys(&self, names: &[&str]) {
        let store = Keystore::open_with(&self.path("keys"), Work::Light).expect("a keystore");
        let password = Password::new(PASSWORD.to_owned());
        for name in names {
            store.create(name, Role::Account, Scheme::Secp256k1, &password).expect("a key");
        }
    }

    /// The command with what every command of this home needs. Nothing of the environment speaks with.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_surety"));
        command.env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        command.arg("--data").arg(self.data()).arg("--keystore").arg(self.path("keys"));
        command.arg("--password-file").arg(self.path("password")).args(arguments);
        command
    }

    /// Runs a command that must succeed; its standard output.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "surety {}: {} {error}", arguments.join(" "), output.status);
        String::from_utf8(output.stdout).expect("text")
    }

    /// The same, as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["-o", "json"];
        all.extend(arguments);
        let text = self.run(&all);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Runs a command whatever comes of it.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// Starts a node and waits until it answers.
    pub(crate) fn start(&self) -> Node {
        let started = Instant::now();
        drop(std::fs::remove_file(self.data().join("node.json")));
        let mut command = self.command(&["run", "--listen", "127.0.0.1:0", "--paused-while-off"]);
        let log = std::fs::File::create(self.path("node.log")).expect("a log");
        command.stdout(log.try_clone().expect("one more handle")).stderr(log);
        let mut child = command.spawn().expect("the binary runs");
        loop {
            if let Some(address) = address_of(&self.data())
                && crate::http::ask(&address, "GET", "/readyz", None)
                    .is_some_and(|answer| answer.status == 200)
            {
                return Node { child, address };
            }
            let ended = child.try_wait().expect("a child can be asked");
            let log = || std::fs::read_to_string(self.path("node.log")).unwrap_or_default();
            assert!(ended.is_none(), "the node has ended with {ended:?}: {}", log());
            assert!(started.elapsed() < Duration::from_secs(60), "the node does not answer: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn address_of(data: &Path) -> Option<String> {
    let node: Value = serde_json::from_slice(&std::fs::read(data.join("node.json")).ok()?).ok()?;
    Some(node["url"].as_str()?.strip_prefix("http://")?.to_owned())
}

/// A node that runs. It dies with the test.
pub(crate) struct Node {
    child: Child,
    pub(crate) address: String,
}

impl Node {
    /// `kill -9`: it gets no chance to finish anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// The running epoch.
    pub(crate) fn epoch(&self) -> u64 {
        crate::http::get(&self.address, "/v1/status")["as_of"]["epoch"].as_u64().expect("an epoch")
    }

    /// Waits for an epoch.
    pub(crate) fn wait_for_epoch(&self, epoch: u64) {
        let started = Instant::now();
        while self.epoch() < epoch {
            assert!(started.elapsed() < Duration::from_secs(60), "epoch {epoch} does not come");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
