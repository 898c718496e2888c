//! A demo's folder for each test: it is made once, and copied.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The folder of a demo at rest, with epochs of two seconds.
fn template() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e");
        fs::create_dir_all(&folder).expect("a folder");
        let made =
            surety(&folder, &["demo", "--data", "surety-demo", "--fresh", "--no-run", "--epoch", "2s"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        folder.join("surety-demo")
    })
}

/// Puts a demo at rest into a folder, as `surety-demo`.
pub(crate) fn put_into(folder: &Path) {
    copy(template(), &folder.join("surety-demo"));
}

/// A folder with a demo at rest in it.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    put_into(folder.path());
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("copied");
        }
    }
    let permissions = fs::metadata(from).expect("a folder").permissions();
    fs::set_permissions(to, permissions).expect("permissions");
}

/// The binary in a folder, without a terminal and without settings from outside.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surety"));
    without_settings(&mut command, folder).args(arguments).stdin(Stdio::null());
    command
}

/// Nothing but where programs are comes from outside.
pub(crate) fn without_settings<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", folder).env("TERM", "xterm").current_dir(folder)
}

/// Runs it, whatever comes of it.
pub(crate) fn surety(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the binary starts")
}

/// Runs it on the demo; it must succeed. Its standard output.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = surety(folder, &[&["--data", "surety-demo"], arguments].concat());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "surety {}: {} {error}", arguments.join(" "), output.status);
    String::from_utf8(output.stdout).expect("text")
}
