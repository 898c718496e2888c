//! Who may depend on whom, and where that is written.

use std::process::Command;

use crate::Findings;
use crate::files::Repository;

/// What must never be reached from a crate by normal dependencies.
const FORBIDDEN: [(&str, &[&str]); 8] = [
    ("evidence", &["axum", "protocol", "rand", "redb", "sim", "surety", "tokio"]),
    ("protocol", &["axum", "ledger", "rand", "redb", "signing", "sim", "surety", "tokio"]),
    ("signing", &["axum", "keystore", "ledger", "sim", "surety", "tokio"]),
    ("keystore", &["axum", "ledger", "node", "sim", "surety", "tokio"]),
    ("ledger", &["axum", "commonware-storage", "keystore", "node", "sim", "store", "surety", "tokio"]),
    ("store", &["keystore", "node", "sim", "surety"]),
    ("node", &["keystore", "sim", "surety"]),
    ("surety", &["sim"]),
];

/// The lower crates know nothing of the upper ones, of disks, networks or chance.
pub(crate) fn check_direction(repository: &Repository) -> Findings {
    let mut findings = Vec::new();
    for (package, forbidden) in FORBIDDEN {
        match tree(repository, package) {
            Ok(names) => {
                let found = forbidden.iter().filter(|name| names.iter().any(|known| known == *name));
                findings.extend(found.map(|name| format!("{package} depends on {name}")));
            }
            Err(why) => findings.push(format!("cannot list what {package} depends on: {why}")),
        }
    }
    findings
}

/// The names of everything that a package depends on.
fn tree(repository: &Repository, package: &str) -> Result<Vec<String>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["tree", "--offline", "--locked", "--prefix", "none", "-e", "normal", "-p", package];
    let output = Command::new(cargo).args(arguments).current_dir(repository.root()).output();
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

/// Versions stand in the root manifest only, and every crate takes its lints from there.
pub(crate) fn check_manifests(repository: &Repository) -> Findings {
    let mut findings = Vec::new();
    // What stands outside of the workspace, because it needs another compiler, can't take anything over from it.
    let is_member = |path: &str| path.ends_with("/Cargo.toml") && !path.starts_with("fuzz/");
    for file in repository.with_extension("toml").filter(|file| is_member(&file.path)) {
        if !file.text.contains("[lints]\nworkspace = true") {
            findings.push(format!("{}: the lints of the workspace are not taken over", file.path));
        }
        let mut section = "";
        for (index, line) in file.text.lines().enumerate() {
            if line.starts_with('[') {
                section = line;
            }
            let is_dependency =
                section.contains("dependencies") && line.contains('=') && !line.starts_with('#');
            if is_dependency
                && (line.starts_with("version") || line.contains("version =") || line.contains("= \""))
            {
                findings.push(format!(
                    "{}:{}: a version stands in the root manifest only",
                    file.path,
                    index + 1
                ));
            }
        }
    }
    findings
}
