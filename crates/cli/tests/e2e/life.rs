//! The whole life of a stake, as its people live it: keys, deposit, delegation, duty, reward, slash, exit. The node is killed in the middle.

use serde_json::{Value, json};

use crate::binary::{Home, Node};
use crate::http::{ask, get};

/// A development ledger with epochs of a moment, on which leaving takes four of them.
fn begin(home: &Home) {
    for name in ["gov", "alice", "olga", "meridian", "rosa"] {
        home.run(&["keys", "new", name]);
    }
    let mut genesis: Value =
        serde_json::from_str(&home.run(&["init", "--print", "--epoch", "1s", "--governor", "gov"]))
            .expect("a genesis");
    let parameters = &mut genesis["protocol"]["parameters"];
    for (name, epochs) in
        [("unbonding", 4), ("slash_window", 1), ("veto", 1), ("execution", 1), ("notice", 1)]
    {
        parameters[name] = json!(epochs);
    }
    std::fs::write(home.path("genesis.json"), genesis.to_string()).expect("a file");
    home.run(&["init", "--genesis", &home.path("genesis.json").display().to_string()]);
}

/// Signs and sends; the id of what was applied.
fn act(home: &Home, from: &str, arguments: &[&str]) -> String {
    let mut all = arguments.to_vec();
    all.extend(["--from", from, "--yes"]);
    let receipt = home.json(&all);
    assert_eq!(receipt["outcome"], "applied", "{arguments:?}: {receipt}");
    receipt["id"].as_str().expect("an id").to_owned()
}

/// Everything up to a set that alice's stake secures and that pays for it.
fn set_up(home: &Home, node: &Node, ids: &mut Vec<String>) {
    let mut act = |from: &str, arguments: &[&str]| ids.push(act(home, from, arguments));
    act(
        "gov",
        &[
            "op",
            "list_asset",
            "--json",
            r#"{"origin":{"chain":1,"contract":""},"decimals":18,"kind":"token","rate":"one"}"#,
        ],
    );
    act(
        "gov",
        &[
            "op",
            "list_asset",
            "--json",
            r#"{"origin":{"chain":1,"contract":"0xaa"},"decimals":6,"kind":"token","rate":"one"}"#,
        ],
    );
    act("alice", &["stake", "deposit", "100000base", "--asset", "asset/0"]);
    act("meridian", &["stake", "deposit", "100000base", "--asset", "asset/1"]);
    act("olga", &["operator", "register"]);
    let mandate =
        r#"{"worst_case":"0.25","elsewhere":"0","own_verifiers":"0","uncertified":false,"commission":"0.1"}"#;
    act("olga", &["operator", "open-pool", "asset/0", "--mandate", mandate]);
    act("meridian", &["service", "create"]);
    let rosa = home.json(&["keys", "show", "rosa"])["address"].as_str().expect("an address").to_owned();
    let meridian =
        home.json(&["keys", "show", "meridian"])["address"].as_str().expect("an address").to_owned();
    let terms = json!({
        "assets": [{"asset": 0, "weight": 1_000_000_000}], "admission": {"operators_max": 10},
        "offences": {"subjective": "0.5"}, "window_cap": "0.5", "veto": 1, "resolvers": [rosa], "slasher": meridian,
        "tokens": [1],
    });
    act("meridian", &["service", "open-set", "--terms", &terms.to_string()]);
    act("olga", &["operator", "join", "set/0", "--allocations", "asset/0=128"]);
    act("alice", &["stake", "delegate", "op/0", "10000base", "--asset", "asset/0"]);
    let epoch = node.epoch();
    let stream =
        ["service", "stream", "set/0", "--token", "asset/1", "--per-epoch", "1000base", "--epochs", "30"];
    act("meridian", &stream);
    node.wait_for_epoch(epoch + 3);
}

/// The amount of `asset` that alice has, free, by the API.
fn free(node: &Node, account: &str, asset: u64) -> u128 {
    let account = get(&node.address, &format!("/v1/accounts/{account}"));
    let balances = account["balances"].as_array().expect("balances").clone();
    let balance = balances.into_iter().find(|balance| balance["asset"] == asset);
    balance.map_or(0, |balance| balance["free"].as_str().expect("text").parse().expect("a number"))
}

#[test]
fn a_stake_is_born_secures_is_slashed_earns_and_leaves() {
    let home = Home::new();
    begin(&home);
    let node = home.start();
    let mut ids = Vec::new();
    set_up(&home, &node, &mut ids);
    let alice = home.json(&["keys", "show", "alice"])["address"].as_str().expect("an address").to_owned();

    // The three questions, by command and by HTTP, give the same numbers.
    let exposure = home.json(&["position", "slashable", "alice"]);
    assert_eq!(
        exposure["positions"],
        get(&node.address, &format!("/v1/accounts/{alice}/exposure"))["positions"]
    );
    assert_eq!(exposure["positions"][0]["worst_case"]["amount"], "2500");
    assert!(home.run(&["position", "earn", "alice"]).contains("asset"), "what alice earns has a table");

    // An offence of this epoch is reported; alice asks half back; then the node is killed.
    let capture = node.epoch();
    let request = [
        "slash",
        "request",
        "set/0",
        "op/0",
        &capture.to_string(),
        "0.5",
        "--reason",
        "signed a false price",
    ];
    ids.push(act(&home, "meridian", &request));
    ids.push(act(&home, "alice", &["stake", "undelegate", "op/0", "5000base", "--asset", "asset/0"]));
    let before = get(&node.address, &format!("/v1/accounts/{alice}"))["positions"].clone();
    node.kill();
    let node = home.start();
    assert_eq!(get(&node.address, &format!("/v1/accounts/{alice}"))["positions"], before);

    // Nobody vetoes. The slash takes a quarter of what was bonded then, also of what has asked to leave since.
    let window = get(&node.address, "/v1/requests/0");
    let executable = window["executable_from"].as_u64().expect("an epoch");
    node.wait_for_epoch(executable);
    ids.push(act(&home, "gov", &["slash", "execute", "request/0"]));
    let positions = get(&node.address, &format!("/v1/accounts/{alice}"))["positions"].clone();
    let worth: Vec<&str> =
        positions.as_array().expect("positions").iter().filter_map(|p| p["worth"].as_str()).collect();
    assert_eq!(worth, ["3750", "3750"], "{positions}");

    // Alice claims what she has earned and leaves with the rest; no slash is left to wait for.
    ids.push(act(&home, "alice", &["rewards", "claim", "op/0"]));
    assert!(free(&node, &alice, 1) > 0, "alice was paid");
    ids.push(act(&home, "alice", &["stake", "undelegate", "op/0", "--asset", "asset/0"]));
    let exits = get(&node.address, &format!("/v1/accounts/{alice}/exits"));
    let free_at = exits["exits"].as_array().or(exits["positions"].as_array()).expect("exits");
    let last = free_at.iter().filter_map(|exit| exit["free_at"].as_u64()).max().expect("an epoch");
    node.wait_for_epoch(last);
    ids.push(act(&home, "alice", &["stake", "release", "op/0", "--asset", "asset/0"]));
    assert_eq!(free(&node, &alice, 0), 97_500);
    ids.push(act(
        &home,
        "alice",
        &["withdraw", "97500base", "0x00000000000000000000000000000000000000a1", "--asset", "asset/0"],
    ));
    assert_eq!(free(&node, &alice, 0), 0);

    // The same by HTTP: simulate says what execution would, and nothing is sent unsigned.
    let body =
        json!({"account": alice, "operation": {"op": "withdraw", "asset": 0, "amount": "1", "to": "0xaa"}});
    let simulated =
        ask(&node.address, "POST", "/v1/simulate", Some(&body.to_string())).expect("an answer").json();
    assert_eq!(
        simulated["refused"]["code"].as_str().or(simulated["code"].as_str()),
        Some("withdraw.ExceedsFree"),
        "{simulated}"
    );

    verify_everything(&home, node, &ids);
}

/// Every receipt by a proof that needs nothing but the digest of a header, and the whole history by executing it again.
fn verify_everything(home: &Home, node: Node, ids: &[String]) {
    for (number, id) in ids.iter().enumerate() {
        let file = home.path(&format!("proof-{number}.json")).display().to_string();
        home.run(&["proof", "get", id, "--out", &file]);
        let receipt = home.json(&["verify", &file]);
        let height = receipt["height"].as_u64().expect("a height");
        let block = get(&node.address, &format!("/v1/blocks/{height}"));
        let digest =
            block["digest"].as_str().or(block["header"]["digest"].as_str()).expect("a digest").to_owned();
        let offline = home.output(&["verify", &file, "--digest", &digest]);
        assert!(offline.status.success(), "{id}: {}", String::from_utf8_lossy(&offline.stderr));
        let other = format!("0x{}", "11".repeat(32));
        assert!(
            !home.output(&["verify", &file, "--digest", &other]).status.success(),
            "{id} under a foreign header"
        );
    }
    node.kill();
    home.run(&["verify", &home.data().display().to_string()]);
}
