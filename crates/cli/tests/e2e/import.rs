//! The import of a real snapshot: two liquid tokens, seven operators, to the wei.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// Where shared material is, if it is here.
fn shared(below: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SURETY_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join(below);
    path.exists().then_some(path)
}

fn surety(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_surety")).args(arguments).output().expect("surety runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The sum of the squares of exact amounts over the square of their sum, as a double: what the snapshot publishes.
fn index(amounts: &[u128]) -> f64 {
    let total: u128 = amounts.iter().sum();
    amounts.iter().map(|amount| (*amount as f64 / total as f64).powi(2)).sum()
}

#[test]
fn a_real_snapshot_becomes_vaults_with_the_published_holdings_and_concentration() {
    let Some(file) = shared("data/risk/restake-xray/latest_graph.json") else {
        println!("skipped: the snapshot is not here; set SURETY_SHARED");
        return;
    };
    let folder = std::env::temp_dir().join(format!("surety-import-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let history = folder.join("history.jsonl");
    surety(&["vault", "import-snapshot", file.to_str().unwrap(), "--out", history.to_str().unwrap()]);
    let said = surety(&["replay", history.to_str().unwrap(), "--state", "--check", "--quiet", "--raw"]);
    std::fs::remove_dir_all(&folder).expect("it is ours");
    let state: Value = serde_json::from_str(said.trim()).expect("one object");
    let state = state.get("state").unwrap_or(&state);
    let published: Value =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("it is there")).expect("JSON");

    let vaults = state["vaults"].as_array().expect("vaults");
    let tokens = published["graph"]["lrts"].as_array().expect("tokens");
    assert_eq!(vaults.len(), tokens.len());
    let units = |value: &Value| value.as_str().expect("an amount").parse::<u128>().expect("an amount");
    for (vault, token) in vaults.iter().zip(tokens) {
        let symbol = token["symbol"].as_str().expect("a symbol");
        assert_eq!(units(&vault["rate"]["nav"]), units(&token["restaked"]), "{symbol}");
        assert_eq!(units(&vault["buckets"]["idle"]), 0, "{symbol}");
        let mut held: Vec<u128> =
            vault["stakes"].as_array().unwrap().iter().map(|own| units(&own["worth"])).collect();
        let mut expected: Vec<u128> =
            token["delegations"].as_array().unwrap().iter().map(|own| units(&own["amount"])).collect();
        held.sort_unstable();
        expected.sort_unstable();
        assert_eq!(held, expected, "{symbol}, to the wei");
        let own: f64 = vault["concentration"].as_str().expect("a share").parse().expect("a number");
        let stated = published["concentration"][symbol].as_f64().expect("a number");
        assert!((own - stated).abs() < 1e-15, "{symbol}: {own} and {stated}");
        assert!((index(&expected) - stated).abs() < 1e-12, "{symbol}");
    }
}
